# Reference numbers for test_methods_against_r.py. Run in this folder, after methods_data.py:  Rscript methods.R
# Writes methods.json with 17 significant digits and the versions beside the numbers.
library(survival)
library(cmprsk)
library(mvtnorm)
library(jsonlite)

sets <- fromJSON("methods_data.json", simplifyVector = FALSE)
numbers <- function(x) unlist(x)
open_numbers <- function(x) sapply(x, function(v) if (is.null(v)) NA else v)

# From the definition: weight S^rho (1 - S)^gamma, S the pooled curve of the stratum just before the time.
weighted <- function(d, rho, gamma, strata) {
  levels <- sort(unique(d$group))
  u <- rep(0, length(levels)); v <- matrix(0, length(levels), length(levels))
  for (s in unique(strata)) {
    e <- d[strata == s, ]
    at <- sort(unique(e$time[e$event == 1])); km <- 1
    for (t in at) {
      y <- sapply(levels, function(g) sum(e$time >= t & e$group == g)); n <- sum(y)
      m <- sapply(levels, function(g) sum(e$time == t & e$event == 1 & e$group == g)); k <- sum(m)
      w <- km^rho * (1 - km)^gamma
      u <- u + w * (m - k * y / n)
      if (n > 1) v <- v + w^2 * k * (n - k) / (n - 1) * (diag(y / n) - outer(y / n, y / n))
      km <- km * (1 - k / n)
    }
  }
  list(score = u, variance = v)
}

# Scores of several weights in two groups, and their covariance: the products of the weights summed.
combo <- function(d, strata) {
  pairs <- list(c(0, 0), c(0, 1), c(1, 0), c(1, 1))
  u <- rep(0, 4); v <- matrix(0, 4, 4)
  for (s in unique(strata)) {
    e <- d[strata == s, ]
    at <- sort(unique(e$time[e$event == 1])); km <- 1
    for (t in at) {
      n <- sum(e$time >= t); y <- sum(e$time >= t & e$group == 1)
      k <- sum(e$time == t & e$event == 1); m <- sum(e$time == t & e$event == 1 & e$group == 1)
      w <- sapply(pairs, function(p) km^p[1] * (1 - km)^p[2])
      u <- u + w * (m - k * y / n)
      if (n > 1) v <- v + outer(w, w) * k * (n - k) / (n - 1) * y / n * (1 - y / n)
      km <- km * (1 - k / n)
    }
  }
  z <- u / sqrt(diag(v)); r <- cov2cor(v); top <- max(abs(z)); bottom <- min(z)
  set.seed(1)
  way <- GenzBretz(abseps = 1e-8, maxpts = 5e6)
  two <- pmvnorm(rep(-top, 4), rep(top, 4), corr = r, algorithm = way)
  one <- pmvnorm(rep(bottom, 4), rep(Inf, 4), corr = r, algorithm = way)
  list(z = z, correlation = r, p_value = 1 - two[1], one_sided = 1 - one[1],
       error = attr(two, "error"), one_sided_error = attr(one, "error"),
       # Three of the tests have a correlation of full rank, for which there is an exact method.
       three = pmvnorm(rep(-Inf, 3), rep(1.2, 3), corr = r[-1, -1], algorithm = TVPACK(abseps = 1e-14))[1])
}

trend <- function(d, strata, scores) {
  f <- survdiff(Surv(time, event) ~ group + strata(strata), data = data.frame(d, strata = strata))
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  (sum(scores * (total(f$obs) - total(f$exp))))^2 / as.numeric(t(scores) %*% f$var %*% scores)
}

area <- function(d, tau) {
  parts <- lapply(0:1, function(g) {
    e <- d[d$group == g, ]
    if (tau > max(e$time)) return(c(NA, NA))
    unname(summary(survfit(Surv(time, event) ~ 1, data = e), rmean = tau)$table[c("rmean", "se(rmean)")])
  })
  a <- parts[[1]]; b <- parts[[2]]
  q <- qnorm(0.975)
  difference <- b[1] - a[1]; se <- sqrt(a[2]^2 + b[2]^2)
  ratio <- log(b[1] / a[1]); ratio_se <- sqrt((a[2] / a[1])^2 + (b[2] / b[1])^2)
  lost <- log((tau - b[1]) / (tau - a[1])); lost_se <- sqrt((a[2] / (tau - a[1]))^2 + (b[2] / (tau - b[1]))^2)
  row <- function(x, s, f) c(f(x), f(x - q * s), f(x + q * s), 2 * pnorm(-abs(x / s)))
  list(difference = row(difference, se, identity), ratio = row(ratio, ratio_se, exp), lost = row(lost, lost_se, exp))
}

milestone <- function(d, at) {
  rows <- sapply(0:1, function(g) {
    e <- d[d$group == g, ]
    s <- summary(survfit(Surv(time, event) ~ 1, data = e, conf.type = "log-log"), times = at)
    c(s$surv, s$std.err, s$lower, s$upper)
  })
  s <- rows[1, ]; se <- rows[2, ]; q <- qnorm(0.975); d0 <- s[2] - s[1]; w <- sqrt(sum(se^2))
  loglog <- log(-log(s)); spread <- se / (s * abs(log(s)))
  list(survival = s, std_error = se,
       plain = c(d0, d0 - q * w, d0 + q * w, 2 * pnorm(-abs(d0 / w))),
       loglog = c(d0, d0 - sqrt((s[2] - rows[3, 2])^2 + (rows[4, 1] - s[1])^2),
                  d0 + sqrt((rows[4, 2] - s[2])^2 + (s[1] - rows[3, 1])^2),
                  2 * pnorm(-abs(diff(loglog) / sqrt(sum(spread^2))))))
}

gray <- function(d, strata, rho) {
  f <- cuminc(d$time, d$cause, d$group, strata, rho = rho)$Tests
  list(chi2 = unname(f[, "stat"]), p_value = unname(f[, "pv"]), df = unname(f[, "df"]))
}

subdistribution <- function(d, x, of) {
  # Columns of unit spread, so that crr's stopping rule means the same on every set; scaled back below.
  scale <- apply(x, 2, sd); centre <- colMeans(x)
  f <- crr(d$time, d$cause, sweep(sweep(x, 2, centre), 2, scale, "/"), failcode = of, gtol = 1e-14, maxiter = 40)
  p <- predict(f, rep(0, ncol(x)))
  list(coefficients = unname(f$coef) / scale, covariance = unname(f$var) / outer(scale, scale),
       log_likelihood = f$loglik, log_likelihood_null = f$loglik.null, times = p[, 1], incidence_at_mean = p[, 2])
}

regression <- function(y, x, distribution) {
  # As above: columns of unit spread, and back by the linear map of coefficients.
  scale <- apply(x, 2, sd); centre <- colMeans(x)
  z <- sweep(sweep(x, 2, centre), 2, scale, "/")
  f <- survreg(y ~ z, dist = distribution, control = survreg.control(rel.tolerance = 1e-15, maxiter = 200))
  k <- ncol(f$var)
  map <- diag(k)
  for (j in seq_len(ncol(x))) { map[1 + j, 1 + j] <- 1 / scale[j]; map[1, 1 + j] <- -centre[j] / scale[j] }
  q <- predict(f, data.frame(z = I(matrix(0.5, 1, ncol(x)))), type = "uquantile", p = 0.25, se.fit = TRUE)
  list(coefficients = as.vector(map[1:(1 + ncol(x)), 1:(1 + ncol(x))] %*% f$coef), scale = f$scale,
       covariance = map %*% f$var %*% t(map), log_likelihood = f$loglik[2], at = centre + 0.5 * scale,
       quantile = unname(as.vector(q$fit)[1]), quantile_se = unname(as.vector(q$se.fit)[1]))
}

analyse <- function(set) {
  d <- data.frame(time = numbers(set$time), event = numbers(set$event), group = numbers(set$group),
                  cause = numbers(set$cause))
  strata <- numbers(set$strata); none <- rep(1, nrow(d))
  x <- do.call(rbind, lapply(set$covariates, numbers))
  out <- list()
  for (rho in c(0.5, 1)) {
    f <- survdiff(Surv(time, event) ~ group, data = d, rho = rho)
    out[[paste0("survdiff_", rho)]] <- list(chi2 = f$chisq, observed = unname(f$obs), expected = unname(f$exp), variance = unname(f$var))
  }
  for (pair in list(c(0, 1), c(1, 1), c(0.5, 2), c(1, 0))) {
    out[[paste0("fh_", pair[1], "_", pair[2])]] <- weighted(d, pair[1], pair[2], none)
    out[[paste0("fh_strata_", pair[1], "_", pair[2])]] <- weighted(d, pair[1], pair[2], strata)
  }
  scores <- seq_along(unique(d$group))^2
  out$trend <- trend(d, none, scores)
  out$trend_strata <- trend(d, strata, scores)
  if (length(unique(d$group)) == 2) {
    out$combo <- combo(d, none)
    out$combo_strata <- combo(d, strata)
    out$area <- area(d, set$tau)
    out$milestone <- milestone(d, set$tau)
  }
  for (rho in c(0, 1)) {
    out[[paste0("gray_", rho)]] <- gray(d, none, rho)
    out[[paste0("gray_strata_", rho)]] <- gray(d, strata, rho)
  }
  for (of in sort(unique(d$cause[d$cause > 0])))
    out[[paste0("fine_gray_", of)]] <- subdistribution(d, x, of)
  left <- numbers(set$left); right <- open_numbers(set$right)
  for (distribution in c("weibull", "exponential", "lognormal", "loglogistic")) {
    out[[paste0("seen_", distribution)]] <- regression(Surv(d$time, d$event), x, distribution)
    out[[paste0("between_", distribution)]] <- regression(Surv(ifelse(left == 0, NA, left), right, type = "interval2"), x, distribution)
  }
  out
}

versions <- lapply(c("survival", "cmprsk", "mvtnorm"), function(p) as.character(packageVersion(p)))
names(versions) <- c("survival", "cmprsk", "mvtnorm")
result <- list(versions = c(R = R.version.string, versions), sets = lapply(sets, analyse))
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
writeLines(gsub('"(NA|Inf|-Inf|NaN)"', "null", text), "methods.json")
