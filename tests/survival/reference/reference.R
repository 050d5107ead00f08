# Reference numbers for tests/survival. Run in this folder, after datasets.py:  Rscript reference.R
# Writes reference.json with 17 significant digits and the versions of R and survival beside the numbers.
library(survival)
library(jsonlite)

sets <- fromJSON("datasets.json", simplifyVector = FALSE)
numbers <- function(x) unlist(x)
# coxph stops when the likelihood changes by less than eps; the tight eps takes it to its maximum.
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60)

curve <- function(time, event, tau) {
  fit <- survfit(Surv(time, event) ~ 1, conf.type = "log-log")
  q <- quantile(fit, c(0.25, 0.5, 0.75))
  area <- if (tau <= max(time) || min(fit$surv) == 0) summary(fit, rmean = tau)$table[c("rmean", "se(rmean)")] else c(NA, NA)
  list(times = fit$time, survival = fit$surv, log_error = fit$std.err, low = fit$lower, high = fit$upper,
       at_risk = fit$n.risk, events = fit$n.event, censored = fit$n.censor,
       quantile = unname(q$quantile), quantile_low = unname(q$lower), quantile_high = unname(q$upper),
       rmean = unname(area[1]), rmean_error = unname(area[2]))
}

test <- function(formula, data) {
  fit <- tryCatch(survdiff(formula, data = data), error = function(e) NULL)
  if (is.null(fit)) return(NULL)
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  list(observed = unname(total(fit$obs)), expected = unname(total(fit$exp)), variance = unname(fit$var),
       chi2 = fit$chisq, p_value = fit$pvalue)
}

regression <- function(data, x, strata, ties) {
  y <- Surv(data$time, data$event)
  fit <- if (strata) coxph(y ~ x + strata(data$strata), ties = ties, control = tight)
         else coxph(y ~ x, ties = ties, control = tight)
  s <- summary(fit)
  list(coefficients = unname(fit$coefficients), std_error = unname(s$coefficients[, "se(coef)"]),
       covariance = unname(fit$var),
       hazard_ratio = unname(s$conf.int[, "exp(coef)"]), low = unname(s$conf.int[, 3]), high = unname(s$conf.int[, 4]),
       p_value = unname(s$coefficients[, "Pr(>|z|)"]),
       log_likelihood_null = fit$loglik[1], log_likelihood = fit$loglik[2],
       likelihood_ratio = unname(s$logtest), 
       # Not fit$wald.test: it takes small variances (covariates in the millions) for zero and drops them.
       wald_chi2 = sum(fit$coefficients * solve(fit$var, fit$coefficients, tol = 0)),
       score = unname(s$sctest))
}

incidence <- function(time, cause) {
  fit <- survfit(Surv(time, factor(cause, levels = sort(unique(c(0, cause))))) ~ 1)
  keep <- -1
  list(causes = sort(unique(cause[cause > 0])), times = fit$time, incidence = fit$pstate[, keep, drop = FALSE],
       std_error = fit$std.err[, keep, drop = FALSE])
}

analyse <- function(set) {
  data <- data.frame(time = numbers(set$time), event = numbers(set$event), group = numbers(set$group),
                     strata = numbers(set$strata), cause = numbers(set$cause))
  x <- do.call(rbind, lapply(set$covariates, numbers))
  first <- data$group == data$group[1]
  out <- list(all = curve(data$time, data$event, set$tau),
              first_group = curve(data$time[first], data$event[first], set$tau),
              log_rank = test(Surv(time, event) ~ group, data),
              log_rank_strata = test(Surv(time, event) ~ group + strata(strata), data),
              incidence = incidence(data$time, data$cause))
  for (ties in c("efron", "breslow")) {
    out[[paste0("cox_", ties)]] <- tryCatch(regression(data, x, FALSE, ties), warning = function(w) list(warning = conditionMessage(w)))
    out[[paste0("cox_", ties, "_strata")]] <- tryCatch(regression(data, x, TRUE, ties), warning = function(w) list(warning = conditionMessage(w)))
  }
  out
}

proportions <- list()
for (pair in list(c(0, 10), c(1, 10), c(10, 10), c(33, 113), c(8, 108), c(95, 302), c(15, 153), c(1, 1))) {
  ci <- binom.test(pair[1], pair[2])$conf.int
  ci90 <- binom.test(pair[1], pair[2], conf.level = 0.9)$conf.int
  proportions[[length(proportions) + 1]] <- list(successes = pair[1], n = pair[2], low = ci[1], high = ci[2], low90 = ci90[1], high90 = ci90[2])
}

result <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
               proportions = proportions, sets = lapply(sets, analyse))
# jsonlite writes 15 digits at most; a double needs 17.
exact <- function(v) {
  if (!is.numeric(v)) return(v)
  text <- sprintf("%.17g", v)
  text[is.na(v)] <- "NA"
  if (!is.null(dim(v))) dim(text) <- dim(v)
  text
}
text <- toJSON(rapply(result, exact, classes = "ANY", how = "replace"), auto_unbox = TRUE, null = "null")
text <- gsub('"(-?[0-9]+([.][0-9]+)?(e[-+]?[0-9]+)?)"', "\\1", text)
writeLines(gsub('"(NA|Inf|-Inf|NaN)"', "null", text), "reference.json")
