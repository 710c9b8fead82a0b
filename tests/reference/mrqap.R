# Makes mrqap_matrices.csv and mrqap_answers.csv: MRQAP by double semi-partialing and Mantel tests, on 16 markets.
# Rscript mrqap.R    (R >= 4.2, sna >= 2.7, vegan >= 2.6; run in this folder)
suppressMessages(library(sna))
suppressMessages(library(vegan))
set.seed(20070501)
n <- 16
draws <- 4000
place <- matrix(rnorm(2 * n), n)
size <- rnorm(n)
km <- as.matrix(dist(place))
culture <- 0.6 * km + as.matrix(dist(rnorm(n)))
language <- outer(1:n %% 3, 1:n %% 3, "==") * 1
size_of_source <- matrix(size, n, n)
noise <- matrix(rnorm(n * n), n)
y <- 1 - 0.15 * km + 0.5 * language + 0.3 * size_of_source + 0.5 * outer(rnorm(n), rnorm(n), "+") + noise
undirected <- (y + t(y)) / 2
all <- list(y = y, undirected = undirected, km = km, language = language, culture = culture,
            size_of_source = size_of_source)
pairs <- expand.grid(source = 1:n, target = 1:n)
pairs <- pairs[pairs$source != pairs$target, ]
values <- sapply(all, function(matrix) matrix[cbind(pairs$source, pairs$target)])
write.csv(data.frame(pairs, apply(values, 2, function(x) sprintf("%.17g", x))), "mrqap_matrices.csv",
          row.names = FALSE, quote = FALSE)

regression <- function(test, y, x, mode) {
  fit <- netlm(y, x, mode = mode, nullhyp = "qapspp", test.statistic = "t-value", reps = draws)
  data.frame(test = test, term = c("intercept", names(x)), estimate = fit$coefficients, statistic = fit$tstat,
             p = fit$pgreqabs, draws = draws)
}
correlation <- function(test, term, fit) {
  data.frame(test = test, term = term, estimate = fit$statistic, statistic = NA, p = fit$signif, draws = draws)
}
answers <- rbind(
  regression("directed", y, all[c("km", "language", "culture", "size_of_source")], "digraph"),
  regression("undirected", undirected, all[c("km", "language", "culture")], "graph"),
  correlation("pearson", "culture", mantel(culture, undirected, permutations = draws)),
  correlation("spearman", "culture", mantel(culture, undirected, method = "spearman", permutations = draws)),
  correlation("pearson_given_km", "culture", mantel.partial(culture, undirected, km, permutations = draws)),
  correlation("spearman_given_km", "language",
              mantel.partial(language, undirected, km, method = "spearman", permutations = draws)))
answers$estimate <- sprintf("%.15g", answers$estimate)
answers$statistic <- sprintf("%.15g", answers$statistic)
answers$p <- sprintf("%.15g", answers$p)
write.csv(answers, "mrqap_answers.csv", row.names = FALSE, quote = FALSE)
