# Makes parametric_waits.csv and parametric_survreg.csv: accelerated failure time models of survival's lung and veteran,
# as if times were known to the interval between two looks (lung: every 30 days, veteran: every 7 days), with standard
# errors by the model and robust to clusters (lung: institution, veteran: cell type; without a correction for few). The
# robust ones come from the scores of the log-likelihood written out here: survreg's own residuals of type "dfbeta" do not
# sum to 0 where times are known to an interval (survival 3.5-3), so that its robust errors are wrong there.
# Rscript parametric.R    (R >= 4.2, survival >= 3.4)
library(survival)
on_grid <- function(days, entered, step) {
  until <- pmax(ceiling(days / step), 1) * step
  data.frame(days = ifelse(entered, until, pmax(floor(days / step), 1) * step), after = ifelse(entered, until - step, NA),
             entered = as.integer(entered))
}
lung <- lung[complete.cases(lung[, c("inst", "age", "sex", "ph.ecog")]), ]
waits <- rbind(
  data.frame(data = "lung", on_grid(lung$time, lung$status == 2, 30), group = as.character(lung$inst), one = lung$age,
             two = lung$sex, three = lung$ph.ecog),
  data.frame(data = "veteran", on_grid(veteran$time, veteran$status == 1, 7), group = as.character(veteran$celltype),
             one = veteran$karno, two = veteran$trt, three = veteran$prior / 10))
write.csv(waits, "parametric_waits.csv", row.names = FALSE, quote = FALSE, na = "")
number <- function(x) sprintf("%.15g", x)
upper <- list(weibull = function(z) exp(-exp(z)), lognormal = function(z) pnorm(-z), loglogistic = function(z) plogis(-z))
row_likelihood <- function(theta, family, rows) {
  z <- function(days) (log(days) - cbind(1, rows$one, rows$two, rows$three) %*% theta[1:4]) / exp(theta[5])
  until <- upper[[family]](z(rows$days))
  after <- ifelse(is.na(rows$after) | rows$after == 0, 1, upper[[family]](z(pmax(rows$after, 1, na.rm = TRUE))))
  log(ifelse(rows$entered == 1, after - until, until))
}
scores <- function(theta, family, rows) sapply(1:5, function(at) {
  step <- 1e-5 / c(1, 50, 1, 1, 1)[at] * (1:5 == at)
  one <- row_likelihood(theta + step, family, rows) - row_likelihood(theta - step, family, rows)
  two <- row_likelihood(theta + 2 * step, family, rows) - row_likelihood(theta - 2 * step, family, rows)
  (8 * one - two) / (12 * sum(step))
})
fitted <- function(name, family, rows) {
  response <- Surv(ifelse(rows$entered == 1, ifelse(rows$after == 0, NA, rows$after), rows$days),
                   ifelse(rows$entered == 1, rows$days, NA), type = "interval2")
  fit <- survreg(response ~ one + two + three, data = rows, dist = family,
                 control = survreg.control(rel.tolerance = 1e-13, maxiter = 500))
  theta <- c(coef(fit), log(fit$scale))
  stopifnot(abs(sum(row_likelihood(theta, family, rows)) - fit$loglik[2]) < 1e-9)
  moved <- rowsum(scores(theta, family, rows), rows$group) %*% fit$var
  data.frame(data = name, family = family, name = c(names(coef(fit)), "log(scale)"), estimate = number(theta),
             se = number(sqrt(diag(fit$var))), robust = number(sqrt(diag(crossprod(moved)))),
             log_likelihood = number(fit$loglik[2]))
}
answers <- do.call(rbind, lapply(split(waits, waits$data), function(rows) do.call(rbind, lapply(
  c("weibull", "lognormal", "loglogistic"), function(family) fitted(rows$data[1], family, rows)))))
write.csv(answers, "parametric_survreg.csv", row.names = FALSE, quote = FALSE)
