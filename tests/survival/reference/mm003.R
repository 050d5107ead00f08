# Log-rank tests and hazard ratios of mm003.json. Run in this folder, after mm003.py:  Rscript mm003.R
# Writes mm003_reference.json with 17 significant digits and the versions of R and survival beside the numbers.
library(survival)
library(jsonlite)

# coxph stops when the likelihood changes by less than eps; the tight eps takes it to its maximum.
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60)

compare <- function(y, group, strata) {
  test <- if (is.null(strata)) survdiff(y ~ group) else survdiff(y ~ group + strata(strata))
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  treated <- 2
  out <- list(difference = unname(total(test$obs)[treated] - total(test$exp)[treated]),
              variance = unname(test$var[treated, treated]), chi2 = test$chisq, p_value = test$pvalue)
  for (ties in c("efron", "breslow")) {
    fit <- if (is.null(strata)) coxph(y ~ group, ties = ties, control = tight)
           else coxph(y ~ group + strata(strata), ties = ties, control = tight)
    s <- summary(fit)
    out[[ties]] <- list(coefficient = unname(fit$coefficients), std_error = unname(s$coefficients[, "se(coef)"]),
                        hazard_ratio = unname(s$conf.int[, "exp(coef)"]), low = unname(s$conf.int[, 3]),
                        high = unname(s$conf.int[, 4]), p_value = unname(s$coefficients[, "Pr(>|z|)"]))
  }
  out
}

analyse <- function(set) {
  months <- unlist(set$months); event <- unlist(set$event); group <- unlist(set$group)
  y <- Surv(months, event)
  middle <- function(arm) unname(quantile(survfit(Surv(months[group == arm], event[group == arm]) ~ 1), 0.5)$quantile)
  list(all = compare(y, group, NULL), stratified = compare(y, group, unlist(set$stratum)),
       medians = c(middle(0), middle(1)))
}

sets <- lapply(fromJSON("mm003.json", simplifyVector = FALSE), analyse)
versions <- list(R = R.version.string, survival = as.character(packageVersion("survival")))
# jsonlite writes 15 digits at most; a double needs 17.
exact <- function(v) if (is.numeric(v)) sprintf("%.17g", v) else v
text <- toJSON(rapply(list(versions = versions, sets = sets), exact, classes = "ANY", how = "replace"), auto_unbox = TRUE)
text <- gsub('"(-?[0-9]+([.][0-9]+)?(e[-+]?[0-9]+)?)"', "\\1", text)
text <- gsub('"survival":([0-9.]+)', '"survival":"\\1"', text)
writeLines(text, "mm003_reference.json")
