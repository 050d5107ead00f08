# Reference numbers for delayed entry, start-stop rows, weights and clusters.
# Run in this folder, after counting_datasets.py:  Rscript counting.R
# Writes counting.json with 17 significant digits and the versions of R and survival beside the numbers.
library(survival)
library(jsonlite)

sets <- fromJSON("counting_datasets.json", simplifyVector = FALSE)
numbers <- function(x) if (is.null(x)) NULL else unlist(x)
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60)

surv <- function(d) if (is.null(d$entry)) Surv(d$time, d$event) else Surv(d$entry, d$time, d$event)

curve <- function(y, weights, cluster) {
  fit <- if (is.null(cluster)) survfit(y ~ 1, weights = weights, conf.type = "log-log")
         else survfit(y ~ 1, weights = weights, cluster = cluster, conf.type = "log-log")
  z <- qnorm(0.975)
  error <- if (fit$logse) fit$std.err * fit$surv else fit$std.err
  q <- quantile(fit, c(0.25, 0.5, 0.75))
  list(quantile = unname(q$quantile), quantile_low = unname(q$lower), quantile_high = unname(q$upper),
       times = fit$time, survival = fit$surv, std_error = error, low = fit$lower, high = fit$upper,
       robust = !fit$logse, at_risk = fit$n.risk, events = fit$n.event, censored = fit$n.censor,
       hazard = fit$cumhaz, hazard_error = fit$std.chaz,
       hazard_low = fit$cumhaz * exp(-z * fit$std.chaz / fit$cumhaz),
       hazard_high = fit$cumhaz * exp(z * fit$std.chaz / fit$cumhaz))
}

quadratic <- function(v, b) sum(b * solve(v, b, tol = 0))

# Tests do not change with the units of the covariates, but solve() in cox.zph gives up on covariates in the
# millions and the robust score test takes their variances for 0: both get units of the columns' spread.
in_spreads <- function(frame) {
  frame$x <- sweep(frame$x, 2, apply(frame$x, 2, sd), "/")
  frame
}

# cox.zph for each transform; its table holds chi-square, df and p.
proportional <- function(model, frame, ties) {
  frame <- in_spreads(frame)
  fit <- coxph(model, data = frame, weights = frame$w, ties = ties, control = tight, robust = FALSE, x = TRUE, model = TRUE)
  out <- list()
  for (transform in c("km", "identity", "log", "rank"))
    # NULL where the transform tells too few events apart and solve() finds a singular matrix.
    out[[transform]] <- tryCatch(unname(cox.zph(fit, transform = transform, terms = FALSE)$table), error = function(e) NULL)
  out
}

regression <- function(d, x, ties) {
  y <- surv(d)
  # The means of 0/1 covariates are not taken off by default; curves below are given at named covariates.
  frame <- data.frame(id = seq_along(d$time))
  frame$y <- y; frame$x <- x
  frame$w <- if (is.null(d$weights)) rep(1, length(d$time)) else d$weights
  frame$g <- if (is.null(d$cluster)) seq_along(d$time) else d$cluster
  frame$s <- if (is.null(d$strata)) rep(1, length(d$time)) else d$strata
  stratified <- !is.null(d$strata)
  model <- if (stratified) y ~ x + strata(s) else y ~ x
  naive <- coxph(model, data = frame, weights = w, ties = ties, control = tight, robust = FALSE, x = TRUE, model = TRUE)
  robust <- coxph(model, data = frame, weights = w, ties = ties, control = tight, cluster = g, robust = TRUE, x = TRUE, model = TRUE)
  s <- summary(robust)
  unit <- coxph(model, data = in_spreads(frame), weights = w, ties = ties, control = tight, cluster = g, robust = TRUE)
  plain <- summary(naive)
  # A profile inside the data: the medians of the columns.
  profile <- apply(x, 2, median)
  new <- data.frame(id = 1); new$x <- matrix(profile, 1)
  # Curves of every stratum: with strata() absent from the new data all are given, one after the other.
  at <- survfit(naive, newdata = new, conf.type = "log-log")
  at_robust <- survfit(robust, newdata = new, conf.type = "log-log")
  schoenfeld <- residuals(naive, "schoenfeld")
  efron <- ties == "efron"
  list(coefficients = unname(naive$coefficients), naive = unname(naive$var), robust = unname(robust$var),
       std_error = unname(plain$coefficients[, "se(coef)"]),
       robust_error = unname(s$coefficients[, "robust se"]),
       robust_low = unname(s$conf.int[, 3]), robust_high = unname(s$conf.int[, 4]),
       robust_p = unname(s$coefficients[, "Pr(>|z|)"]),
       log_likelihood_null = naive$loglik[1], log_likelihood = naive$loglik[2],
       likelihood_ratio = unname(plain$logtest), score = unname(plain$sctest),
       wald = quadratic(naive$var, naive$coefficients), robust_wald = quadratic(robust$var, robust$coefficients),
       robust_score = unname(summary(unit)$robscore),
       martingale = unname(residuals(naive, "martingale")),
       scores = unname(residuals(naive, "score")), dfbeta = if (efron) unname(residuals(naive, "dfbeta")),
       schoenfeld = unname(schoenfeld), scaled_schoenfeld = if (efron) unname(residuals(naive, "scaledsch")),
       proportional = proportional(model, frame, ties), profile = profile,
       curve = list(times = at$time, hazard = c(at$cumhaz), hazard_error = c(at$std.err), survival = c(at$surv),
                    low = c(at$lower), high = c(at$upper), at_risk = at$n.risk, events = at$n.event,
                    robust_error = c(at_robust$std.err)))
}

analyse <- function(set) {
  d <- lapply(set[c("entry", "time", "event", "weights", "strata", "cluster")], numbers)
  x <- do.call(rbind, lapply(set$covariates, numbers))
  # coxph refuses weights of 0: R's numbers are those of the other rows.
  use <- if (is.null(d$weights)) rep(TRUE, length(d$time)) else d$weights > 0
  d <- lapply(d, function(column) column[use])
  x <- x[use, , drop = FALSE]
  weights <- if (is.null(d$weights)) rep(1, length(d$time)) else d$weights
  list(curve = curve(surv(d), weights, NULL),
       curve_cluster = if (is.null(d$cluster)) NULL else curve(surv(d), weights, d$cluster),
       cox_efron = regression(d, x, "efron"), cox_breslow = regression(d, x, "breslow"))
}

result <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
               sets = lapply(sets, analyse))
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
writeLines(gsub('"(NA|Inf|-Inf|NaN)"', "null", text), "counting.json")
