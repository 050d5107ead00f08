# Reference numbers for test_switching_against_r.py: weights by a pooled logistic model. Run in this folder, after
# switching_data.py:  Rscript pooled.R
library(survival)
library(jsonlite)
data <- fromJSON("switching_data.json", simplifyVector = FALSE)
open <- function(x) sapply(x, function(v) if (is.null(v)) NA else as.numeric(v))

# A restricted cubic spline of the logarithm of the end of a row, by the truncated powers of its definition.
spline <- function(y, k) {
  m <- length(k); cube <- function(z) pmax(z, 0)^3
  share <- function(j) (k[m] - k[j]) / (k[m] - k[1])
  sapply(2:(m - 1), function(j) cube(y - k[j]) - share(j) * cube(y - k[1]) - (1 - share(j)) * cube(y - k[m]))
}

one <- function(s) {
  d <- as.data.frame(lapply(s, open))
  d <- d[d$arm == 1 | is.na(d$switch) | d$entry < d$switch, ]
  cut <- d$arm == 0 & !is.na(d$switch) & d$switch <= d$time & !(d$switch == d$time & d$event == 1)
  d$left <- as.numeric(cut); d$event[cut & d$switch < d$time] <- 0
  d$time[cut] <- pmin(d$time, d$switch)[cut]
  d <- d[order(d$patient, d$time), ]
  p <- d[d$arm == 0, ]; y <- log(p$time)
  knots <- c(min(y), quantile(log(d$time)[d$left == 1], c(0.33, 0.67), names = FALSE), max(y))
  b <- spline(y, knots); exact <- glm.control(epsilon = 1e-14, maxit = 100)
  full <- glm(left ~ y + b + covariate, binomial, p, control = exact)
  plain <- glm(left ~ y + b, binomial, p, control = exact)
  own <- log(1 - fitted(full)); all <- log(1 - fitted(plain))
  before <- function(h) ave(h, p$patient, FUN = function(v) cumsum(v) - v)
  d$weight <- 1; d$weight[d$arm == 0] <- exp(before(all) - before(own))
  g <- coxph(Surv(entry, time, event) ~ arm + cluster(patient), d, weights = weight,
             control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60))
  list(switching = unname(coef(full)[["covariate"]]), adjusted = c(coef(g), sqrt(vcov(g)[1, 1])),
       largest = max(d$weight[d$arm == 0]))
}
result <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
               rows = lapply(data$rows, one))
write(toJSON(result, digits = 15, auto_unbox = TRUE, na = "null"), "pooled.json")
