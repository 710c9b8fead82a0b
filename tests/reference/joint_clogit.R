# Makes joint_clogit_answers.csv from joint_clogit_rows.csv: conditional logistic regression of which market is entered,
# given the days since the entries into the others. rows: step, market, chosen, and lag1 ... lag4 (days, 0 for none).
# Rscript joint_clogit.R    (R >= 4.2, survival >= 3.4)
library(survival)
rows <- read.csv("joint_clogit_rows.csv")
halving <- 5
kernel <- function(lag) ifelse(lag > 0, 2^(-(lag - 1) / halving), 0)
names <- c()
for (market in 2:4) {
  rows[[paste0("size", market)]] <- as.numeric(rows$market == market)
  names <- c(names, paste0("size", market))
}
# of every sender, the first target is the one that others are compared with
for (sender in 1:4) for (target in setdiff(1:4, sender)[-1]) {
  name <- paste0("beta", sender, target)
  rows[[name]] <- kernel(rows[[paste0("lag", sender)]]) * (rows$market == target)
  names <- c(names, name)
}
formula <- as.formula(paste("chosen ~", paste(names, collapse = " + "), "+ strata(step)"))
fit <- clogit(formula, data = rows, method = "exact",
              control = coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 50))
stopifnot(!anyNA(coef(fit)))
write.csv(data.frame(term = names, value = sprintf("%.15g", coef(fit))), "joint_clogit_answers.csv", row.names = FALSE,
          quote = FALSE)
