# Cox models with a gamma factor per patient on the data `kidney` of R's survival package (two infections per patient).
# Writes gamma_frailty_kidney.csv (the data) and gamma_frailty_answers.csv. Run in this folder: Rscript gamma_frailty.R
library(survival)

write.csv(kidney, "gamma_frailty_kidney.csv", row.names = FALSE)

answers <- data.frame()
for (ties in c("efron", "breslow")) {
  # method "em" maximises the likelihood of the gamma factor, profiled over the baseline
  fit <- coxph(Surv(time, status) ~ age + sex + frailty(id, distribution = "gamma", method = "em", eps = 1e-10),
               data = kidney, ties = ties, control = coxph.control(eps = 1e-9, iter.max = 100, outer.max = 200))
  without <- coxph(Surv(time, status) ~ age + sex, data = kidney, ties = ties)
  answers <- rbind(answers, data.frame(
    ties = ties, age = coef(fit)[["age"]], sex = coef(fit)[["sex"]], theta = fit$history[[1]]$theta,
    age_without = coef(without)[["age"]], sex_without = coef(without)[["sex"]],
    gain = fit$history[[1]]$c.loglik - without$loglik[2]))
}
write.csv(answers, "gamma_frailty_answers.csv", row.names = FALSE)
