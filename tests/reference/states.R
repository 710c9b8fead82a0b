# States of waits in R: Aalen-Johansen with delayed entry and errors by cluster, and cumulative incidence with leaving as
# a competing end. Packages survival 3.5-3 and cmprsk. From this folder: Rscript states.R
# With `id` and several states, this version of survfit leaves `cluster` unread: the influence of ids is summed up here.
#
# states_rows.csv has one row per time in a state: set, id, cluster, start, stop, from, to ("" where censored). The set
# "charts" is an extract of the packaged charts, written by `python -m tests.survival.state_rows`; the others are made
# here: "myeloid" (complete response as left, relapse as coming back, death as entered; followed from a later day on)
# and "mgus2" (progression as entered, death without it as left for good).
library(survival)
suppressMessages(library(cmprsk))

rows <- read.csv("states_rows.csv", stringsAsFactors = FALSE)
rows <- rows[rows$set == "charts", ]

followed <- function(id, cluster, entry, moves, end) {
  # moves: times and new states in order of time; the last row may be a censoring
  start <- 0
  state <- "charting"
  found <- NULL
  for (at in seq_len(nrow(moves) + 1)) {
    stop <- if (at <= nrow(moves)) moves$time[at] else end
    to <- if (at <= nrow(moves)) moves$state[at] else ""
    if (stop > max(start, entry))
      found <- rbind(found, data.frame(set = "myeloid", id, cluster, start = max(start, entry), stop, from = state, to))
    start <- stop
    state <- to
    if (to %in% c("entered", "")) break
  }
  found
}
one <- function(i) {
  m <- myeloid[i, ]
  moves <- data.frame(time = c(m$crtime, m$rltime, if (m$death == 1) m$futime),
                      state = c("left", "charting", if (m$death == 1) "entered"))
  moves <- moves[!is.na(moves$time), ]
  moves <- moves[order(moves$time), ]
  if (!nrow(moves) || any(diff(c(0, moves$time, m$futime + 1)) <= 0)) return(NULL)
  if (moves$state[1] == "charting") moves <- moves[-1, ]
  followed(m$id, m$id %% 60, (37 * m$id) %% 90, moves, m$futime)
}
made <- do.call(rbind, lapply(seq_len(nrow(myeloid)), one))
ill <- with(mgus2, data.frame(set = "mgus2", id, cluster = id %% 80, start = 0,
                              stop = ifelse(pstat == 1, pmax(ptime, 1), pmax(futime, 1)), from = "charting",
                              to = ifelse(pstat == 1, "entered", ifelse(death == 1, "left", ""))))
rows <- rbind(rows, made, ill)
write.csv(rows, "states_rows.csv", row.names = FALSE, quote = FALSE)

by_cluster <- function(fit, own, state) {
  influence <- fit$influence.pstate
  before <- dim(influence)[2] - length(fit$time)  # the time before the first may be there too
  influence <- influence[, seq_along(fit$time) + before, , drop = FALSE]
  cluster <- own$cluster[match(dimnames(influence)[[1]], own$id)]
  stopifnot(!anyNA(cluster))
  sqrt(colSums(rowsum(influence[, , state], cluster)^2))
}

answers <- NULL
incidence <- NULL
for (set in c("charts", "landmark", "myeloid", "mgus2")) {
  # the landmark: the charts from day 10 on, starting in the states of those at risk on that day
  own <- rows[rows$set == ifelse(set == "landmark", "charts", set), ]
  own$event <- factor(ifelse(own$to == "", "censor", own$to), c("censor", "charting", "left", "entered"))
  own$istate <- factor(own$from, c("charting", "left", "entered"))
  fit <- if (set == "landmark")
    survfit(Surv(start, stop, event) ~ 1, own, id = id, istate = istate, start.time = 10, influence = TRUE)
  else
    survfit(Surv(start, stop, event) ~ 1, own, id = id, istate = istate, p0 = c(1, 0, 0), influence = TRUE)
  stopifnot(identical(fit$states, c("charting", "left", "entered")))
  answers <- rbind(answers, data.frame(set, days = fit$time, at_risk_charting = fit$n.risk[, 1],
    at_risk_left = fit$n.risk[, 2], charting = fit$pstate[, 1], left = fit$pstate[, 2], entered = fit$pstate[, 3],
    error_id = fit$std.err[, 3], error = by_cluster(fit, own, 3)))
  # leaving as an end: the first time in a state of each id; cmprsk knows no delayed entry
  if (set %in% c("charts", "mgus2")) {
    first <- own[!duplicated(own$id), ]
    status <- match(first$to, c("entered", "left"), nomatch = 0)
    found <- cuminc(first$stop, status)
    days <- sort(unique(first$stop[status > 0]))
    at <- timepoints(found, days)$est
    own <- first
    own$istate <- NULL
    own$event <- factor(ifelse(own$to == "", "censor", own$to), c("censor", "left", "entered"))
    ends <- survfit(Surv(stop, event) ~ 1, own, id = id, influence = TRUE)
    place <- match(days, ends$time)
    incidence <- rbind(incidence, data.frame(set, days, entered = at["1 1", ], left = at["1 2", ],
      entered_survfit = ends$pstate[place, 3], left_survfit = ends$pstate[place, 2],
      error = by_cluster(ends, own, 3)[place]))
  }
}
options(digits = 16)
write.csv(format(answers, digits = 16, trim = TRUE), "states_survfit.csv", row.names = FALSE, quote = FALSE)
write.csv(format(incidence, digits = 16, trim = TRUE), "states_cuminc.csv", row.names = FALSE, quote = FALSE)
