# Makes lag_band_tracks.csv and lag_band_survfit.csv: Kaplan-Meier by day with standard errors of the survival itself,
# by Greenwood and robust to clusters (the infinitesimal jackknife).
# Rscript lag_band.R    (R >= 4.2, survival >= 3.4)
library(survival)
set.seed(20210412)
size <- sample(c(1, 1, 1, 2, 3, 9), 60, replace = TRUE)
cluster <- rep(seq_along(size), size)
together <- (runif(60) < 0.5)[cluster]
entered <- ifelse(together, rbinom(60, 1, 0.4)[cluster], rbinom(length(cluster), 1, 0.4))
lag <- ifelse(together, (1 + rgeom(60, 0.1))[cluster], 1 + rgeom(length(cluster), 0.1))
ahead <- sample(5:40, length(cluster), replace = TRUE)
tracks <- data.frame(cluster = cluster, days = ifelse(entered == 1, pmin(lag, ahead), ahead),
                     entered = as.integer(entered == 1 & lag <= ahead))
write.csv(tracks, "lag_band_tracks.csv", row.names = FALSE)
plain <- survfit(Surv(days, entered) ~ 1, data = tracks, conf.type = "log-log")
robust <- survfit(Surv(days, entered) ~ 1, data = tracks, cluster = cluster, robust = TRUE, conf.type = "log-log")
of_survival <- function(fit) if (isTRUE(fit$logse)) fit$std.err * fit$surv else fit$std.err
number <- function(x) sprintf("%.15g", x)
write.csv(data.frame(days = plain$time, at_risk = plain$n.risk, entered = plain$n.event, incidence = number(1 - plain$surv),
                     greenwood = number(of_survival(plain)), low = number(1 - plain$upper),
                     high = number(1 - plain$lower), robust = number(of_survival(robust))),
          "lag_band_survfit.csv", row.names = FALSE, quote = FALSE)
