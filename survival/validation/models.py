"""What a model must offer so that its predictions can be scored."""

from collections.abc import Sequence
from typing import Protocol

import pandas as pd


class SurvivalModel(Protocol):
    """A fitted model that predicts survival from the values of variables."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that predictions read."""

    def predict_survival_function(
        self, values: pd.DataFrame, times: Sequence[int] | None = None, conditional_after: int = 0
    ) -> pd.DataFrame:
        """Return the probability of no entry within `times` more days, given none by the day `conditional_after`.

        One row per time, one column per row of `values`.
        """
