# Makes cox_*.csv: data sets of R's survival (LGPL-2 or later), and its answers for Cox models of them.
# Rscript cox.R    (R >= 4.2, survival >= 3.5; run in this folder)
suppressMessages(library(survival))

lung <- na.omit(survival::lung[, c("inst", "time", "status", "age", "sex", "ph.ecog")])
names(lung)[6] <- "ecog"
lung$died <- 1 * (lung$status == 2)
lung$status <- NULL
row <- seq_len(nrow(lung))
lung$month <- ceiling(lung$time / 30)
lung$start <- pmin(row %% 5, lung$month - 1)  # whole months, before the end
lung$weight <- 1 + row %% 3 / 2
veteran <- survival::veteran
heart <- survival::heart[, c("id", "start", "stop", "event", "age", "year", "surgery", "transplant")]
heart$transplant <- 1 * (heart$transplant == "1")
bladder <- survival::bladder
for (name in c("lung", "veteran", "heart", "bladder"))
  write.csv(get(name), sprintf("cox_%s.csv", name), row.names = FALSE, quote = FALSE)

exact <- coxph.control(eps = 1e-14, iter.max = 100, toler.chol = 1e-14)
fits <- list(
  lung_efron = coxph(Surv(time, died) ~ age + sex + ecog, lung, control = exact),
  lung_breslow = coxph(Surv(time, died) ~ age + sex + ecog, lung, ties = "breslow", control = exact),
  month_efron = coxph(Surv(month, died) ~ age + sex + ecog, lung, cluster = inst, control = exact),
  month_breslow = coxph(Surv(month, died) ~ age + sex + ecog, lung, cluster = inst, ties = "breslow", control = exact),
  month_strata = coxph(Surv(month, died) ~ age + ecog + strata(sex), lung, cluster = inst, control = exact),
  month_delayed = coxph(Surv(start, month, died) ~ age + sex + ecog, lung, cluster = inst, control = exact),
  month_weights = coxph(Surv(start, month, died) ~ age + ecog + strata(sex), lung, weights = weight, cluster = inst,
                        control = exact),
  month_weights_breslow = coxph(Surv(start, month, died) ~ age + ecog + strata(sex), lung, weights = weight,
                                cluster = inst, ties = "breslow", control = exact),
  veteran = coxph(Surv(time, status) ~ trt + celltype + karno + log(diagtime), veteran, control = exact),
  veteran_strata = coxph(Surv(time, status) ~ trt + karno + age + strata(celltype, prior), veteran, control = exact),
  heart = coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, heart, cluster = id, control = exact),
  bladder = coxph(Surv(stop, event) ~ rx + size + number + strata(enum), bladder, cluster = id, control = exact)
)
people <- list(
  lung_efron = data.frame(age = 50, sex = 2, ecog = 1), lung_breslow = data.frame(age = 50, sex = 2, ecog = 1),
  month_strata = data.frame(age = 50, sex = 2, ecog = 1), month_delayed = data.frame(age = 70, sex = 1, ecog = 2),
  month_weights = data.frame(age = 50, sex = 2, ecog = 1), veteran = data.frame(trt = 2, celltype = "smallcell", karno = 40, diagtime = 5),
  heart = data.frame(age = 5, year = 2, surgery = 0, transplant = 1)
)
told <- function(case, quantity, name, value)
  data.frame(case = case, quantity = quantity, name = as.character(name), value = sprintf("%.15g", value))
answers <- NULL
for (case in names(fits)) {
  fit <- fits[[case]]
  naive <- if (is.null(fit$naive.var)) fit$var else fit$naive.var
  answers <- rbind(answers, told(case, "coef", names(coef(fit)), coef(fit)),
                   told(case, "model_se", names(coef(fit)), sqrt(diag(naive))),
                   told(case, "log_likelihood", c("null", "fit"), fit$loglik))
  if (!is.null(fit$naive.var)) answers <- rbind(answers, told(case, "robust_se", names(coef(fit)), sqrt(diag(fit$var))))
  for (transform in c("km", "rank", "identity", "log")) {
    table <- cox.zph(fit, transform)$table
    answers <- rbind(answers, told(case, paste0("zph_", transform), rownames(table), table[, "chisq"]))
  }
  if (case %in% names(people)) {
    fit$var <- naive  # errors of curves are compared as without clusters
    fit$naive.var <- NULL
    fit$call$cluster <- NULL
    curve <- survfit(fit, people[[case]])
    event <- curve$n.event > 0
    answers <- rbind(answers, told(case, "survival", curve$time[event], curve$surv[event]),
                     told(case, "log_survival_se", curve$time[event], curve$std.err[event]))
  }
}
write.csv(answers, "cox_answers.csv", row.names = FALSE, quote = FALSE)
