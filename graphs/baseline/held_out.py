"""Log scores of steps in held-back quarters: what sizes, likeness and influence are worth in bits."""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from diffusion.arrays import Days, Flags, Floats, Ints
from diffusion.conventions import CONFIDENCE
from diffusion.errors import DataSaysNoError
from graphs.baseline.chances import Version
from graphs.baseline.fit import Baseline, fitted_again, in_days
from graphs.baseline.joint import joint_fit
from graphs.baseline.lead_share import LEAST_ARTISTS

HELD_BACK: Final = 0.2
"""Share of the steps that are held back at least, in whole quarters: the last ones."""

VERSIONS: Final[tuple[Version, ...]] = ("uniform", "sizes", "likeness")

ALL: Final = "all"
"""Name of all held-back quarters together."""


def held_out_scores(baseline: Baseline, *, window: int | None = None) -> pd.DataFrame:
    """Return how well the steps of the last quarters are foretold by what came before, `graphs.contracts.LOG_SCORES`.

    Parameters
    ----------
    baseline
        The baseline of all entries; its weights are fitted again to the steps before the held-back quarters.
    window
        Days within which a market counts as entered lately, for ``influence`` (default: 60, on weekly charts 56).

    Returns
    -------
    DataFrame
        One row per quarter and version, and per version for all quarters together.

    Raises
    ------
    DataSaysNoError
        When there is no step before the last quarter.

    Notes
    -----
    Held back are the last quarters that have a fifth of the steps or more. Steps are foretold one by one, each given
    what was observed before it; weights stay as they were fitted, and later quarters have those of the last period.
    Intervals of the gains are of a ratio of sums over artists, by Student's t with the effective number of artists.

    Examples
    --------
    >>> held_out_scores(base)  # base = graphs.baseline.baseline(entries): one quarter
    Traceback (most recent call last):
    ...
    diffusion.errors.DataSaysNoError: the 892 steps are of 2021-Q2: no quarter comes before what is held back
    """
    days, counts = baseline.parts.days
    first = _first_held_back(_quarter(days), counts)
    begin = int(np.datetime64(3 * first, "M").astype("datetime64[D]").astype(np.int32))
    early = fitted_again(baseline, kept=partial(in_days, last=begin - 1))
    late = baseline.parts.only(partial(in_days, first=begin))
    scores: dict[str, Floats] = {version: early.chances(version).log_scores(late.whole) for version in VERSIONS}
    scores["influence"] = joint_fit(early, window=window).log_scores((late.whole.steps, late.whole.kinds))
    artist, own = late.whole.steps.artist, _quarter(late.whole.steps.day)
    parts = {_name(number): own == number for number in np.unique(own)} | {ALL: np.ones(len(own), np.bool_)}
    return pd.concat([_of_part(name, kept, scores, artist) for name, kept in parts.items()], ignore_index=True)


def _quarter(day: Days) -> Ints:
    """Return the quarters of days, from the first of 1970 on."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3


def _first_held_back(quarter: Ints, steps: Ints) -> int:
    """Return the first quarter that is held back.

    Parameters
    ----------
    quarter, steps
        Quarters of days, in order, and the number of steps on each.
    """
    found, place = np.unique(quarter, return_inverse=True)
    counts, number = np.bincount(place, steps).astype(np.int64), int(steps.sum())
    enough = np.flatnonzero(counts[::-1].cumsum() >= HELD_BACK * number)[0]
    if len(found) - 1 - enough == 0:
        named = f"{_name(found[0])} to {_name(found[-1])}" if len(found) > 1 else _name(found[0])
        raise DataSaysNoError(f"the {number:,} steps are of {named}: no quarter comes before what is held back")
    return int(found[len(found) - 1 - enough])


def _name(quarter: int) -> str:
    return f"{1970 + quarter // 4}-Q{quarter % 4 + 1}"


def _of_part(name: str, kept: Flags, scores: Mapping[str, Floats], artist: Ints) -> pd.DataFrame:
    """Return the rows of one quarter, or of all."""
    own = {version: values[kept] for version, values in scores.items()}
    _, number = np.unique(artist[kept], return_inverse=True)
    gains = [(np.nan, np.nan, np.nan)]
    for before, after in pairwise(own.values()):
        gains.append(mean_by_artist((after - before) / np.log(2), number))
    gain, low, high = (list(column) for column in zip(*gains, strict=True))
    return pd.DataFrame(
        {
            "quarter": name,
            "version": list(own),
            "steps": len(number),
            "artists": int(number.max()) + 1,
            "log_score": [float(values.mean()) for values in own.values()],
            "gain": gain,
            "gain_low": low,
            "gain_high": high,
        }
    )


def mean_by_artist(values: Floats, artist: Ints) -> tuple[float, float, float]:
    """Return the mean of values and its 95 % interval, NaN with less than ten effective artists.

    Parameters
    ----------
    artist
        (k,): number of the artist of every value, from 0.
    """
    mean, sizes = values.mean(), np.bincount(artist)
    apart = np.bincount(artist, values - mean)
    effective = len(values) ** 2 / np.square(sizes).sum()
    if effective < LEAST_ARTISTS:
        return float(mean), np.nan, np.nan
    error = np.sqrt(np.square(apart).sum() * effective / (effective - 1)) / len(values)
    reach = stats.t.isf((1 - CONFIDENCE) / 2, effective - 1) * error
    return float(mean), float(mean - reach), float(mean + reach)
