# Reference numbers for test_switching_against_r.py. Run in this folder, after switching_data.py:
#   Rscript switching.R
# R's packages for patients who change treatment are not in Debian, so each method is written from its definition
# on survdiff, survreg and coxph of the package survival.
library(survival)
library(jsonlite)

data <- fromJSON("switching_data.json", simplifyVector = FALSE)
open <- function(x) sapply(x, function(v) if (is.null(v)) NA else as.numeric(v))
frame_of <- function(s) as.data.frame(lapply(s, open))
exact <- coxph.control(eps = 1e-14, iter.max = 60)
TRIED <- c(-1.2, -0.6, -0.35, 0, 0.2, 0.7)

# Lives off the experimental treatment throughout; arms with switches are recensored.
untreated <- function(d, psi, recensor) {
  off <- ifelse(d$arm == 1, ifelse(is.na(d$switch), 0, d$time - d$switch),
                ifelse(is.na(d$switch), d$time, d$switch))
  u <- off + exp(psi) * (d$time - off)
  e <- d$event
  if (recensor) for (a in 0:1) if (any(!is.na(d$switch) & d$arm == a)) {
    limit <- pmin(d$follow_up, d$follow_up * exp(psi)); over <- d$arm == a & u > limit * (1 + 1e-9)
    e[over] <- 0; u[over] <- limit[over]
  }
  data.frame(time = u, event = e, arm = d$arm, strata = d$strata)
}

z_of <- function(v) {
  s <- try(survdiff(Surv(time, event) ~ arm + strata(strata), v), silent = TRUE)
  if (inherits(s, "try-error")) return(NA)
  o <- if (is.matrix(s$obs)) rowSums(s$obs) else s$obs
  e <- if (is.matrix(s$exp)) rowSums(s$exp) else s$exp
  if (s$var[2, 2] <= 0) return(NA)
  (o[2] - e[2]) / sqrt(s$var[2, 2])
}

# The middle crossing on a fine grid, then halved.
root_of <- function(d, recensor) {
  f <- function(psi) z_of(untreated(d, psi, recensor))
  at <- seq(-3, 3, by = 0.01); z <- sapply(at, f)
  at <- at[!is.na(z)]; z <- z[!is.na(z)]
  k <- which((z[-length(z)] > 0) != (z[-1] > 0))
  m <- k[length(k) %/% 2 + 1]; low <- at[m]; high <- at[m + 1]; up <- z[m] > 0
  for (i in 1:30) { mid <- (low + high) / 2; if ((f(mid) > 0) == up) low <- mid else high <- mid }
  list(psi = (low + high) / 2, crossings = length(k))
}

hazard_ratio <- function(v) {
  f <- coxph(Surv(time, event) ~ arm + strata(strata), v, control = exact)
  c(coef(f), sqrt(vcov(f)[1, 1]))
}

one <- function(s) {
  d <- frame_of(s)
  both <- any(!is.na(d$switch) & d$arm == 1)
  r <- list(z = sapply(TRIED, function(p) z_of(untreated(d, p, FALSE))),
            z_recensored = sapply(TRIED, function(p) z_of(untreated(d, p, TRUE))),
            randomised = hazard_ratio(d))
  root <- root_of(d, TRUE)
  r$psi <- root$psi; r$crossings <- root$crossings
  if (!both) {
    # At the root itself two lives are equal and the last digit decides their order.
    u <- untreated(d, TRIED[3], TRUE); new <- d$arm == 1
    u$time[new] <- d$time[new]; u$event[new] <- d$event[new]
    r$adjusted <- hazard_ratio(u)
    p <- d[d$arm == 0 & !is.na(d$baseline) & d$time > d$baseline, ]
    p$rest <- p$time - p$baseline; p$moved <- as.numeric(!is.na(p$switch))
    for (dist in c("weibull", "lognormal", "loglogistic")) {
      f <- survreg(Surv(rest, event) ~ moved + covariate, p, dist = dist,
                   control = survreg.control(rel.tolerance = 1e-13, maxiter = 200))
      psi <- -coef(f)[["moved"]]
      v <- untreated(d, psi, TRUE); v$time[new] <- d$time[new]; v$event[new] <- d$event[new]
      r[[dist]] <- c(psi, sqrt(vcov(f)["moved", "moved"]), hazard_ratio(v))
    }
  }
  r
}

weighted <- function(s) {
  d <- frame_of(s)
  d <- d[d$arm == 1 | is.na(d$switch) | d$entry < d$switch, ]
  cut <- d$arm == 0 & !is.na(d$switch) & d$switch <= d$time & !(d$switch == d$time & d$event == 1)
  d$left <- as.numeric(cut); d$event[cut & d$switch < d$time] <- 0
  d$time[cut] <- pmin(d$time, d$switch)[cut]
  control <- d[d$arm == 0, ]
  when <- sort(unique(control$time[control$left == 1]))
  split <- survSplit(Surv(entry, time, left) ~ ., control, cut = when, end = "time", event = "left", start = "entry")
  # Events stay with the last part of their row.
  split$event <- split$event * (split$time == ave(split$time, split$patient, FUN = max))
  f <- coxph(Surv(entry, time, left) ~ covariate, split, ties = "breslow", control = exact)
  base <- basehaz(f, centered = FALSE)
  jumps <- diff(c(0, base$hazard)); names(jumps) <- NULL
  hazard <- function(times, table, size) {
    k <- match(round(times, 9), round(table, 9)); ifelse(is.na(k), 0, size[k])
  }
  own <- hazard(split$time, base$time, jumps) * exp(coef(f) * split$covariate)
  there <- sapply(when, function(t) sum(split$entry < t & split$time >= t))
  count <- sapply(when, function(t) sum(split$left[split$time == t]))
  all <- hazard(split$time, when, count / there)
  o <- order(split$patient, split$time); split <- split[o, ]; own <- own[o]; all <- all[o]
  before <- function(h) ave(h, split$patient, FUN = function(v) cumsum(v) - v)
  split$weight <- exp(before(own) - before(all))
  other <- d[d$arm == 1, ]; other$weight <- 1
  keep <- c("patient", "entry", "time", "event", "arm", "weight")
  w <- rbind(split[, keep], other[, keep])
  g <- coxph(Surv(entry, time, event) ~ arm + cluster(patient), w, weights = weight, control = exact)
  list(switching = coef(f), adjusted = c(coef(g), sqrt(vcov(g)[1, 1])), largest = max(split$weight))
}

result <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  tried = TRIED,
  trials = lapply(data$trials, one),
  rows = lapply(data$rows, weighted)
)
write(toJSON(result, digits = 17, auto_unbox = TRUE, na = "null"), "switching.json")
