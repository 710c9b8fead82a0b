# Makes delayed_entry_waits.csv and delayed_entry_survfit.csv: Kaplan-Meier with delayed entry and counted waits.
# Rscript delayed_entry.R    (R >= 4.2, survival >= 3.4)
library(survival)
set.seed(20210325)
n <- 60
start <- ifelse(runif(n) < 0.5, 0, sample(1:40, n, replace = TRUE))
waits <- data.frame(start = start, days = start + sample(1:60, n, replace = TRUE), entered = rbinom(n, 1, 0.5),
                    waits = sample(1:9, n, replace = TRUE))
waits$days <- pmin(waits$days, 100)
write.csv(waits, "delayed_entry_waits.csv", row.names = FALSE)
single <- waits[rep(seq_len(n), waits$waits), ]
fit <- survfit(Surv(start, days, entered) ~ 1, data = single, conf.type = "log-log")
write.csv(data.frame(time = fit$time, n_risk = fit$n.risk, n_event = fit$n.event, surv = sprintf("%.15g", fit$surv),
                     lower = sprintf("%.15g", fit$lower), upper = sprintf("%.15g", fit$upper)),
          "delayed_entry_survfit.csv", row.names = FALSE, quote = FALSE)
