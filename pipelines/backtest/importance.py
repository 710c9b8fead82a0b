"""What a fitted model draws on: what it loses when features are exchanged between tracks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from diffusion.arrays import Ints
from pipelines.backtest.held_out import HeldOut
from pipelines.backtest.metrics import metrics
from pipelines.models.examples import Examples, Model

MEASURES: Final = {"loss": "pooled_recall@5", "log_loss": "log_loss_skill"}
"""Column → metric whose loss is told."""


def importance(
    model: Model, test: Examples, held: HeldOut, *, seed: int = 0, tell: Callable[[float], None] = lambda share: None
) -> pd.DataFrame:
    """Return what a model loses when a family's features, or one feature, are exchanged between tracks.

    Values are exchanged between candidates of one market, all of a family together, so that what the model knows of
    the market stays.

    Returns
    -------
    DataFrame
        `kind` (``family`` or ``feature``), `name`, `family`, and the columns of `MEASURES`; the largest losses first.
    """
    exchanged = _exchanged(test, np.random.default_rng(seed))
    whole = metrics(held, model.predict(test))
    families = list(dict.fromkeys(feature.family for feature in test.features))
    asked: list[tuple[str, str, str]] = [("family", name, name) for name in families]
    asked += [("feature", feature.name, feature.family) for feature in test.features]
    rows = []
    for number, (kind, name, family) in enumerate(asked):
        mine = [
            at for at, each in enumerate(test.features) if name in (each.family if kind == "family" else each.name,)
        ]
        found = metrics(held, model.predict(_with(test, mine, exchanged)))
        rows.append((kind, name, family, *(whole[metric] - found[metric] for metric in MEASURES.values())))
        tell((number + 1) / len(asked))
    table = pd.DataFrame(rows, columns=["kind", "name", "family", *MEASURES])
    return table.sort_values(["kind", "log_loss", "name"], ascending=[True, False, True], ignore_index=True)


def _exchanged(test: Examples, rng: np.random.Generator) -> Ints:
    """Return, (k,), for each candidate the row of a random candidate of the same market, each row once."""
    by_market = np.lexsort((rng.random(len(test)), test.market))
    rows = np.empty(len(test), np.int64)
    rows[np.argsort(test.market, kind="stable")] = by_market
    return rows


def _with(test: Examples, columns: Sequence[int], rows: Ints) -> Examples:
    values = test.values.copy()
    values[:, columns] = test.values[rows][:, columns]
    return replace(test, values=values)
