"""Two cohorts, periods, labels or studies held against each other: rates of pairs, reach, and shares of markets."""
