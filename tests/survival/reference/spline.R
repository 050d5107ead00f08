# Reference numbers for the spline model. Run in this folder, after methods_data.py:  Rscript spline.R
# No package here has the model: its log-likelihood is written from the definition (Royston and Parmar 2002)
# and maximised by optim, with the gradient by central differences of the definition itself.
library(jsonlite)

sets <- fromJSON("methods_data.json", simplifyVector = FALSE)
plus3 <- function(u) pmax(u, 0)^3
plus2 <- function(u) pmax(u, 0)^2

fit <- function(set, m) {
  time <- unlist(set$time); d <- unlist(set$event)
  x <- scale(do.call(rbind, lapply(set$covariates, unlist)))
  y <- log(time)
  k <- quantile(y[d == 1], seq(0, 1, length.out = m + 2), names = FALSE)
  B <- cbind(1, y); S <- cbind(0, rep(1, length(y)))
  for (j in seq_len(m) + 1) {
    l <- (k[m + 2] - k[j]) / (k[m + 2] - k[1])
    B <- cbind(B, plus3(y - k[j]) - l * plus3(y - k[1]) - (1 - l) * plus3(y - k[m + 2]))
    S <- cbind(S, 3 * (plus2(y - k[j]) - l * plus2(y - k[1]) - (1 - l) * plus2(y - k[m + 2])))
  }
  p <- ncol(x); q <- ncol(B)
  # Columns as they come are all but sums of one another; optim climbs in orthogonal ones.
  turn <- solve(qr.R(qr(B))) * sqrt(length(y))
  loss <- function(v) {
    g <- turn %*% v[1:q]; eta <- B %*% g + x %*% v[q + 1:p]; s <- S %*% g
    if (any(s[d == 1] <= 0)) return(1e10)
    -sum(d * (log(ifelse(d == 1, s, 1)) - y + eta) - exp(eta))
  }
  start <- c(solve(turn, c(log(sum(d) / sum(time)), 1, rep(0, m))), rep(0, p))
  best <- start
  for (again in 1:6) best <- optim(best, loss, method = "BFGS", control = list(reltol = 1e-16, maxit = 2000, ndeps = rep(1e-5, q + p)))$par
  h <- optimHess(best, loss, control = list(ndeps = rep(1e-4, q + p)))
  list(log_likelihood = -loss(best), coefficients = best[q + 1:p] / attr(x, "scaled:scale"),
       std_error = sqrt(diag(solve(h)))[q + 1:p] / attr(x, "scaled:scale"))
}

chosen <- c("plain", "three causes, four groups", "nobody censored", "crossing curves", "delayed effect", "far scales")
out <- list(R = R.version.string, sets = lapply(sets[chosen], function(s) list(one = fit(s, 1), two = fit(s, 2), three = fit(s, 3))))
writeLines(toJSON(out, auto_unbox = TRUE, digits = 15), "spline.json")
