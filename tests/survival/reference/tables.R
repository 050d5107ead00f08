# Reference numbers for test_tables_against_r.py. Run in this folder, after tables_data.py:  Rscript tables.R
# Writes tables.json with 17 significant digits and the versions beside the numbers.
library(survival)
library(cmprsk)
library(jsonlite)

sets <- fromJSON("tables_data.json", simplifyVector = FALSE)
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60)
AT <- 6
TAU <- 4

curve <- function(d) {
  # With weights that are no whole numbers the error is robust, a cluster a row.
  fit <- if (is.null(d$weights)) survfit(d$y ~ 1, conf.type = "log-log")
         else survfit(d$y ~ 1, conf.type = "log-log", weights = d$weights, cluster = seq_along(d$time))
  s <- summary(fit, times = AT, extend = TRUE)
  q <- quantile(fit, 0.5)
  list(milestone = c(s$surv, s$lower, s$upper), median = unname(c(q$quantile, q$lower, q$upper)))
}

ratio <- function(f, k) unname(exp(coef(f)[seq_len(k)]))

one <- function(s) {
  d <- as.data.frame(lapply(s, unlist)); d$event <- as.integer(d$cause > 0); d$arm <- factor(d$arm)
  late <- !is.null(d$entry); k <- nlevels(d$arm) - 1
  d$y <- if (late) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  w <- d$weights
  out <- list(arms = lapply(split(d, d$arm), curve))
  d$w <- if (is.null(w)) 1 else w; d$id <- seq_len(nrow(d))
  f <- if (is.null(w)) coxph(y ~ arm + x + strata(strata), data = d, control = tight)
       else coxph(y ~ arm + x + strata(strata), data = d, control = tight, weights = w, cluster = id)
  out$cox <- unname(rbind(coef(f), sqrt(diag(vcov(f)))))
  out$interval <- unname(exp(confint(f)))
  out$likelihood_ratio <- 2 * diff(f$loglik)
  z <- cox.zph(f, transform = "km", terms = FALSE)$table
  out$proportional <- unname(z[, "chisq"])
  if (late || !is.null(w)) return(out)
  out$log_rank <- survdiff(Surv(time, event) ~ arm + strata(strata), data = d)$chisq
  out$early <- survdiff(Surv(time, event) ~ arm + strata(strata), data = d, rho = 1)$chisq
  out$gray <- unname(cuminc(d$time, d$cause, d$arm, d$strata)$Tests[, "stat"])
  out$mean <- lapply(split(d, d$arm), function(e)
    unname(summary(survfit(Surv(time, event) ~ 1, data = e), rmean = TAU)$table[c("rmean", "se(rmean)")]))
  out$incidence <- lapply(split(d, d$arm), function(e) {
    f <- survfit(Surv(time, factor(cause, 0:2)) ~ 1, data = e)
    summary(f, times = AT, extend = TRUE)$pstate[1, 2:3]
  })
  x <- model.matrix(~ arm + x, d)[, -1]
  out$fine_gray <- unname(crr(d$time, d$cause, x, failcode = 1, gtol = 1e-14, maxiter = 40)$coef)
  for (name in c("weibull", "lognormal", "loglogistic", "exponential")) {
    f <- survreg(Surv(time, event) ~ arm + x, data = d, dist = name,
                 control = survreg.control(rel.tolerance = 1e-15, maxiter = 200))
    out[[name]] <- c(exp(unname(coef(f)[-1])), f$loglik[2])
  }
  out
}

found <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
                  cmprsk = as.character(packageVersion("cmprsk"))),
  at = AT, tau = TAU, tables = lapply(sets, one))
write(toJSON(found, auto_unbox = TRUE, digits = I(17), na = "null"), "tables.json")
