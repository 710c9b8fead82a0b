"""Scores of predicted survival by scikit-survival: makes survival_scores_waits.csv and survival_scores_answers.csv.

Run with scikit-survival 0.28 installed: ``python tests/reference/survival_scores.py``.

Three samples: `continuous` (no ties), `weighted` (the same, with the censoring of another sample), and `days` (whole
days, many ties of entries and censoring, risks with ties). scikit-survival treats a wait censored on a day as gone
before the end of that day, so in `days` its waits are censored half a day later, after the entries of the day.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sksurv.metrics import (
    brier_score,
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.util import Surv

HERE = Path(__file__).parent
AT = {"continuous": [5.0, 10.0, 20.0, 30.0], "weighted": [5.0, 10.0, 20.0, 30.0], "days": [5, 10, 20, 30]}


def sample(rng: np.random.Generator, n: int, name: str) -> pd.DataFrame:
    """Return waits with a risk, and the scale of an exponential prediction that is not quite right."""
    risk = rng.normal(size=n) if name != "days" else rng.integers(0, 5, n) / 2
    days = rng.exponential(20 * np.exp(-0.7 * risk))
    ends = np.minimum(rng.uniform(2, 60, n), 45)
    frame = pd.DataFrame(
        {
            "sample": name,
            "days": np.minimum(days, ends),
            "entered": days <= ends,
            "risk": risk,
            "scale": 18 * np.exp(-risk),
        }
    )
    if name == "days":
        frame["days"] = np.ceil(frame["days"])
    return frame


def outcomes(frame: pd.DataFrame) -> np.ndarray:
    """Return the outcomes as scikit-survival has them."""
    later = 0.5 * ~frame["entered"] if frame["sample"].iloc[0] == "days" else 0.0
    return Surv.from_arrays(frame["entered"], frame["days"] + later)


def main() -> None:
    """Write both files."""
    rng = np.random.default_rng(7)
    continuous, days = sample(rng, 400, "continuous"), sample(rng, 500, "days")
    weighted, other = continuous.assign(sample="weighted"), sample(rng, 600, "censoring")
    answers = []
    for name, test, train in (
        ("continuous", continuous, continuous),
        ("weighted", weighted, other),
        ("days", days, days),
    ):
        at = AT[name]
        seen, fitted = outcomes(test), outcomes(train)
        survival = np.exp(-np.array(at)[None, :] / test["scale"].to_numpy()[:, None])
        _, briers = brier_score(fitted, seen, survival, at)
        aucs, _ = cumulative_dynamic_auc(fitted, seen, test["risk"].to_numpy(), at)
        answers += [(name, "brier", day, value) for day, value in zip(at, briers, strict=True)]
        answers += [(name, "auc", day, value) for day, value in zip(at, aucs, strict=True)]
        answers.append((name, "integrated_brier", at[-1], integrated_brier_score(fitted, seen, survival, at)))
        harrell = concordance_index_censored(test["entered"], seen["time"], test["risk"])[0]
        answers.append((name, "harrell_c", at[-1], harrell))
        for day in (10, 30):  # it compares entries before tau
            answers.append((name, "uno_c", day, concordance_index_ipcw(fitted, seen, test["risk"], tau=day + 0.25)[0]))
    pd.concat([continuous, other, days]).to_csv(HERE / "survival_scores_waits.csv", index=False)
    pd.DataFrame(answers, columns=["sample", "score", "day", "value"]).to_csv(
        HERE / "survival_scores_answers.csv", index=False, float_format="%.15g"
    )


if __name__ == "__main__":
    main()
