# Makes ppml_pairs.csv and ppml_answers.csv: Poisson gravity with effects of origin and destination, errors clustered by both.
# Rscript ppml.R    (R >= 4.2, sandwich >= 3.0; run in this folder)
suppressMessages(library(sandwich))
set.seed(20060901)
n <- 14
codes <- c("SE", "NO", "DK", "FI", "DE", "AT", "CH", "FR", "BE", "NL", "ES", "IT", "PT", "GB")
place <- matrix(rnorm(2 * n), n)
km <- log(1000 * (0.3 + as.matrix(dist(place))))
language <- outer(1:n %% 4, 1:n %% 4, "==") * 1
culture <- as.matrix(dist(rnorm(n))) / 5
pairs <- expand.grid(source = 1:n, target = 1:n)
pairs <- pairs[pairs$source != pairs$target, ]
at <- cbind(pairs$source, pairs$target)
pairs$log_km <- km[at]
pairs$language <- language[at]
pairs$culture <- culture[at]
pairs$exposed <- rpois(nrow(pairs), 60) + 1
log_rate <- -1.2 - 0.25 * pairs$log_km + 0.6 * pairs$language - pairs$culture + rnorm(n, 0, 0.4)[pairs$source] +
  rnorm(n, 0, 0.4)[pairs$target] + rnorm(nrow(pairs), 0, 0.3)
pairs$tracks <- rpois(nrow(pairs), pairs$exposed * exp(log_rate))
pairs$tracks[pairs$source == 14] <- 0  # the last sends nothing
pairs$tracks[pairs$target == 13] <- 0  # the last but one receives nothing
written <- transform(pairs, source = codes[source], target = codes[target], log_km = sprintf("%.17g", log_km),
                     culture = sprintf("%.17g", culture))
write.csv(written, "ppml_pairs.csv", row.names = FALSE, quote = FALSE)

left <- pairs[pairs$source != 14 & pairs$target != 13, ]
fit <- glm(tracks ~ log_km + language + culture + factor(source) + factor(target) + offset(log(exposed)),
           family = poisson, data = left, control = glm.control(epsilon = 1e-14, maxit = 100))
both <- vcovCL(fit, cluster = ~ source + target, type = "HC0")
alone <- glm(tracks ~ factor(source) + factor(target) + offset(log(exposed)), family = poisson, data = left,
             control = glm.control(epsilon = 1e-14, maxit = 100))
terms <- c("log_km", "language", "culture")
write.csv(data.frame(term = terms, estimate = sprintf("%.15g", coef(fit)[terms]),
                     two_way = sprintf("%.15g", sqrt(diag(both)[terms])),
                     deviance_explained = sprintf("%.15g", 1 - deviance(fit) / deviance(alone)), n_pairs = nrow(left)),
          "ppml_answers.csv", row.names = FALSE, quote = FALSE)
