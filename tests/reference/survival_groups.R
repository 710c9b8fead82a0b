# Makes survival_groups_rows.csv and survival_groups_answers.csv: curves, restricted means and log-rank tests by group,
# with clusters and without, of the classical data sets lung (by sex and by ECOG score, clusters: institutions; the three
# patients without institution or score left out) and veteran (by cell type, every man a cluster), and of lung with
# delayed entry (on day time %/% 3 for every second patient).
# Rscript survival_groups.R    (R >= 4.2, survival >= 3.5)
library(survival)
lung <- lung[!is.na(lung$inst) & !is.na(lung$ph.ecog), ]
rows <- rbind(
  data.frame(data = "sex", group = lung$sex, cluster = lung$inst, start = 0, days = lung$time, entered = lung$status - 1),
  data.frame(data = "ecog", group = pmin(lung$ph.ecog, 2), cluster = lung$inst, start = 0, days = lung$time,
             entered = lung$status - 1),
  data.frame(data = "delayed", group = lung$sex, cluster = lung$inst,
             start = ifelse(seq_len(nrow(lung)) %% 2 == 0, lung$time %/% 3, 0), days = lung$time,
             entered = lung$status - 1),
  data.frame(data = "cell", group = as.integer(veteran$celltype), cluster = seq_len(nrow(veteran)), start = 0,
             days = veteran$time, entered = veteran$status))
write.csv(rows, "survival_groups_rows.csv", row.names = FALSE)
LAST <- 365
answers <- NULL
keep <- function(data, group, name, value)
  answers <<- rbind(answers, data.frame(data = data, group = group, name = name, value = sprintf("%.15g", value)))
of_survival <- function(fit) if (isTRUE(fit$logse)) fit$std.err * fit$surv else fit$std.err
for (data in unique(rows$data)) {
  own <- rows[rows$data == data, ]
  for (group in sort(unique(own$group))) {
    some <- own[own$group == group, ]
    plain <- survfit(Surv(start, days, entered) ~ 1, some, conf.type = "log-log")
    robust <- survfit(Surv(start, days, entered) ~ 1, some, cluster = cluster, robust = TRUE)
    at <- findInterval(c(30, 100, 200, LAST), plain$time)
    for (place in seq_along(at)) {
      day <- c(30, 100, 200, LAST)[place]
      values <- list(survival = plain$surv, low = plain$lower, high = plain$upper, cumulative_hazard = plain$cumhaz,
                     robust_survival = of_survival(robust), robust_hazard = robust$std.chaz)
      for (name in names(values)) keep(data, group, paste(name, day), values[[name]][at[place]])
    }
    median <- quantile(plain, 0.5)
    keep(data, group, "median_days", median$quantile)
    keep(data, group, "median_low", median$lower)
    keep(data, group, "median_high", median$upper)
    mean <- summary(plain, rmean = LAST)$table
    keep(data, group, "restricted_mean_days", mean["rmean"])
    keep(data, group, "standard_error", mean["se(rmean)"])
    change <- resid(robust, times = LAST, type = "rmst")
    keep(data, group, "robust_mean", sqrt(sum(rowsum(change, some$cluster)^2)))
  }
  # the robust score test at 0, with Breslow's ties, is the log-rank test by clusters
  tested <- function(some) coxph(Surv(start, days, entered) ~ factor(group) + cluster(cluster), some, ties = "breslow",
                                 iter.max = 0)$rscore
  keep(data, "all", "robust log-rank", tested(own))
  pairs <- combn(sort(unique(own$group)), 2)
  for (pair in seq_len(ncol(pairs)))
    keep(data, paste(pairs[, pair], collapse = "-"), "robust log-rank", tested(own[own$group %in% pairs[, pair], ]))
  if (data != "delayed") for (rho in 0:1) {
    keep(data, "all", paste("survdiff", rho), survdiff(Surv(days, entered) ~ group, own, rho = rho)$chisq)
    for (pair in seq_len(ncol(pairs)))
      keep(data, paste(pairs[, pair], collapse = "-"), paste("survdiff", rho),
           survdiff(Surv(days, entered) ~ group, own[own$group %in% pairs[, pair], ], rho = rho)$chisq)
  }
}
write.csv(answers, "survival_groups_answers.csv", row.names = FALSE, quote = FALSE)
