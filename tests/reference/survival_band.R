# Makes survival_band_waits.csv and survival_band_survfit.csv: Kaplan-Meier with delayed entry by day with standard errors
# of the survival itself, by Greenwood and robust to clusters (the infinitesimal jackknife).
# Rscript survival_band.R    (R >= 4.2, survival >= 3.4)
library(survival)
set.seed(20210625)
tracks <- rep(1:40, sample(c(1, 1, 2, 5), 40, replace = TRUE))
popularity <- rgamma(length(tracks), 0.7)
track <- rep(seq_along(tracks), each = 6)
start <- ifelse(runif(length(track)) < 0.7, 0, sample(1:30, length(track), replace = TRUE))
end <- start + sample(5:60, length(track), replace = TRUE)
entry <- start + 1 + rgeom(length(track), pmin(0.9, 0.001 + 0.02 * popularity[track]))
waits <- data.frame(track = track, artist = tracks[track], start = start, days = pmin(entry, end),
                    entered = as.integer(entry <= end))
write.csv(waits, "survival_band_waits.csv", row.names = FALSE)
of_survival <- function(fit) if (isTRUE(fit$logse)) fit$std.err * fit$surv else fit$std.err
number <- function(x) sprintf("%.15g", x)
by <- function(cluster) survfit(Surv(start, days, entered) ~ 1, data = waits, cluster = cluster, robust = TRUE)
plain <- survfit(Surv(start, days, entered) ~ 1, data = waits)
stopifnot(min(plain$surv) > 0)
write.csv(data.frame(days = plain$time, at_risk = plain$n.risk, events = plain$n.event, survival = number(plain$surv),
                     independent = number(of_survival(plain)), track = number(of_survival(by(waits$track))),
                     artist = number(of_survival(by(waits$artist)))),
          "survival_band_survfit.csv", row.names = FALSE, quote = FALSE)
