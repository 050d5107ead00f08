# Reference numbers for test_fine_gray_strata.py. Run in this folder, after methods_data.py:  Rscript strata.R
# Weighted rows by survival's finegray within strata, and coxph on them with a baseline for each stratum.
library(survival)
library(jsonlite)
sets <- fromJSON("methods_data.json", simplifyVector = FALSE)
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60)
one <- function(s) {
  x <- do.call(rbind, lapply(s$covariates, unlist))
  strata <- if (length(unique(unlist(s$strata))) > 1) unlist(s$strata) else rep(0:2, length.out = nrow(x))
  d <- data.frame(time = unlist(s$time), cause = factor(unlist(s$cause), levels = 0:max(unlist(s$cause))), x1 = x[, 1], x2 = x[, 2], strata = strata, s = strata)
  # finegray and crr treat ties otherwise than each other; here there are none.
  d$time <- d$time + 1e-4 * seq_len(nrow(d)); d <- d[unlist(s$time) > 0, ]
  if (!("1" %in% levels(d$cause))) return(NULL)
  w <- finegray(Surv(time, cause) ~ x1 + x2 + s + strata(strata), data = d, etype = "1")
  f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ x1 + x2 + strata(s), data = w, weights = fgwt,
             ties = "breslow", control = exact)
  list(coefficients = unname(coef(f)), log_likelihood = f$loglik)
}
result <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
               sets = lapply(sets, one))
write(toJSON(result, digits = 15, auto_unbox = TRUE, na = "null"), "strata.json")
