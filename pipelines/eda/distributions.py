"""Streams and audio features: how they are distributed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from diffusion import Charts, DataSaysNoError
from diffusion.arrays import Floats, Ints
from diffusion.streams import Streams
from diffusion.timelines import distinct, primary_artists

UNIT: Final = 10_000
"""Whole numbers in `diffusion.streams.Streams` for a unit of log10."""

LEVELS: Final = {"q01": 0.01, "q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9, "q95": 0.95, "q99": 0.99}
"""Column → level of a quantile."""

BINS: Final = 10
"""Classes of streams per power of ten."""

AUDIO: Final = (
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness", "liveness", "valence",
    "tempo",
)  # fmt: skip
"""Audio features that are amounts, in order; `key`, `mode` and `time_signature` are kinds."""

MODE: Final = "mode"
"""Audio feature that is 1 for major and 0 for minor: it has a mean."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Sums over the rows of n tracks, with what is known of the tracks.

    Attributes
    ----------
    sums
        (n rows): columns as in `diffusion.contracts.TRACK_SUMS`, real numbers in units of log10.
    values
        Variable of tracks → (n,): its value, NaN where it is not known.
    cluster
        (n,): number of the artist.
    """

    sums: pd.DataFrame
    values: Mapping[str, Floats]
    cluster: Ints

    @classmethod
    def of(cls, charts: Charts, streams: Streams) -> Self:
        """Return the sums of the tracks of one chart; the order is that of their codes.

        Impossible values are missing: a duration of 0, and a tempo of 0, which was not measured.
        """
        sums = _in_units(streams.tracks.to_pandas())
        known = charts.arrow("tracks").take(streams.tracks["track"])
        artists = known.select(["track_id", "artist"])
        cluster = distinct(primary_artists(known["track_id"].to_numpy(), artists))
        tracks = known.drop_columns(["title", "artist", "album"]).to_pandas()
        values = {"popularity": _number(tracks["popularity"]), "explicit": _number(tracks["explicit"])}
        seconds = _number(tracks["duration_ms"]) / 1000
        values["duration"] = np.where(tracks["zero_duration"], np.nan, seconds)
        values |= {name: _number(tracks[f"af_{name}"]) for name in (*AUDIO, MODE)}
        values["tempo"] = np.where(tracks["zero_tempo"], np.nan, values["tempo"])
        return cls(sums, values, cluster)


def _in_units(sums: pd.DataFrame) -> pd.DataFrame:
    """Return sums in units of log10: those of one factor in ten-thousandths, and those of two."""
    once = ("log", "above", "rank_log", "rank_above", "log_rank")
    twice = (
        "log_log",
        "above_above",
        "log_rank_log_rank",
        "log_rank_log",
        "log_rank_above",
        "lower_lower",
        "lower_above",
    )
    scaled = {name: sums[name] / UNIT for name in once} | {name: sums[name] / UNIT**2 for name in twice}
    return sums.assign(**scaled)


def _number(column: "pd.Series[float]") -> Floats:
    return np.asarray(column.astype("Float64").to_numpy(np.float64, na_value=np.nan), np.float64)


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def stream_tables(streams: Streams) -> dict[str, pd.DataFrame]:
    """Return the tables `streams_summary`, `streams_histogram` and `streams_markets`.

    Columns are as in `pipelines.contracts.distributions`.

    Raises
    ------
    DataSaysNoError
        When no row has streams.
    """
    table = streams.counts.to_pandas()
    table = table[table["streams"] > 0]
    if table.empty:
        raise DataSaysNoError(f"the chart '{streams.chart}' shows no streams")
    value, rows = table["streams"].to_numpy(np.float64), table["chart_rows"].to_numpy()
    summary = [{"scale": scale, **_moments(on, rows)} for scale, on in _scales(value).items()]
    return {
        "streams_summary": pd.DataFrame(summary),
        "streams_histogram": _histogram(value, rows),
        "streams_markets": _by_market(streams),
    }


def _scales(value: Floats) -> dict[str, Floats]:
    return {"streams": value, "log10 streams": np.log10(value)}


def _moments(value: Floats, rows: Ints) -> dict[str, float | int]:
    """Return the moments and quantiles of values that are met so many times, in ascending order."""
    total = int(rows.sum())
    mean = float(np.average(value, weights=rows))
    spread = float(np.average((value - mean) ** 2, weights=rows))
    third = float(np.average((value - mean) ** 3, weights=rows))
    told: dict[str, float | int] = {"chart_rows": total, "mean": mean, "sd": np.sqrt(spread)}
    told["skewness"] = third / spread**1.5 if spread > 0 else np.nan
    told |= {name: float(quantile(value, rows, level)) for name, level in LEVELS.items()}
    return told | {"least": float(value[0]), "most": float(value[-1])}


def quantile(value: Floats, rows: Ints, level: float) -> float:
    """Return a quantile of ascending values that are met so many times, between two values as numpy has it.

    Examples
    --------
    >>> quantile(np.array([1.0, 2.0, 9.0]), np.array([2, 1, 1]), 0.5), np.quantile([1, 1, 2, 9], 0.5)
    (1.5, np.float64(1.5))
    """
    reached = np.cumsum(rows)
    place = level * (reached[-1] - 1)
    below, above = value[np.searchsorted(reached, [np.floor(place), np.ceil(place)], side="right")]
    return float(below + (above - below) * (place - np.floor(place)))


def _histogram(value: Floats, rows: Ints) -> pd.DataFrame:
    place = np.floor(BINS * np.log10(value)).astype(np.int64)
    first = int(place.min())
    counts = np.bincount(place - first, rows).astype(np.int64)
    low = (first + np.arange(len(counts))) / BINS
    table = {"low": low, "high": low + 1 / BINS, "chart_rows": counts, "share": counts / counts.sum()}
    return pd.DataFrame(table)


def _by_market(streams: Streams) -> pd.DataFrame:
    """Return mean streams and mean log streams of every market."""
    table: pd.DataFrame = streams.charts.to_pandas()
    sums = table.groupby("market")[["streamed_rows", "streams", "log"]].sum().reset_index()
    sums = sums[sums["streamed_rows"] > 0].reset_index(drop=True)
    rows = sums["streamed_rows"]
    means = {"mean": sums["streams"] / rows, "mean_log": sums["log"] / rows / UNIT}
    return pd.DataFrame({"market": sums["market"], "chart_rows": rows, **means})


# ── audio features ───────────────────────────────────────────────────────────────────────────────────────────────────


def audio_tables(rows: Rows) -> dict[str, pd.DataFrame]:
    """Return the tables `audio_summary` and `audio_vif`; columns as in `pipelines.contracts.distributions`.

    Raises
    ------
    DataSaysNoError
        When no track has audio features.
    """
    known = [name for name in (*AUDIO, MODE) if np.isfinite(rows.values[name]).any()]
    if not known:
        raise DataSaysNoError("the tracks of these charts have no audio features")
    count = rows.sums["chart_rows"].to_numpy(np.int64)
    summary = [
        {"feature": name, "per": per, **_spread(rows.values[name], each)}
        for name in known
        for per, each in (("row", count), ("track", np.ones_like(count)))
    ]
    table = pd.DataFrame({name: rows.values[name] for name in known if name != MODE})
    return {"audio_summary": pd.DataFrame(summary), "audio_vif": vif(table.dropna())}


def _spread(value: Floats, weight: Ints) -> dict[str, float | int]:
    kept = np.isfinite(value)
    order = np.argsort(value[kept], kind="stable")
    told = _moments(value[kept][order], weight[kept][order])
    return {"number": told["chart_rows"]} | {name: told[name] for name in ("mean", "sd", "q25", "median", "q75")}


def vif(table: pd.DataFrame) -> pd.DataFrame:
    """Return the variance inflation factors of columns: with an intercept, and without one.

    A factor is 1 / (1 − R²) of the regression of a column on the others. Without an intercept, R² also counts the mean
    of a column, so that any column far from zero seems to be explained by the others.

    Parameters
    ----------
    table
        (n, k) numbers without missing values. Columns that do not vary are left out.

    Returns
    -------
    DataFrame
        One row per column: `feature`, `tracks` (n), `vif` (infinite where the others say it all), `vif_uncentred`.

    Examples
    --------
    >>> vif(pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 1, 4, 3]})).round(2).values.tolist()
    [['a', 4, 1.56, 7.76], ['b', 4, 1.56, 7.76]]
    """
    varying = table.loc[:, table.max() > table.min()]
    raw = varying.to_numpy(np.float64)
    centred = raw - raw.mean(axis=0) if len(raw) else raw
    factors = {"vif": _factors(centred), "vif_uncentred": _factors(raw)}
    return pd.DataFrame({"feature": list(varying), "tracks": len(table), **factors})


def _factors(columns: Floats) -> Floats:
    squares = (columns**2).sum(axis=0)
    scaled = columns / np.sqrt(squares)
    factors = np.ones(columns.shape[1])
    for place in range(columns.shape[1]):
        others = np.delete(scaled, place, axis=1)
        left = scaled[:, place] - others @ np.linalg.lstsq(others, scaled[:, place])[0]
        unexplained = float(left @ left)
        factors[place] = 1 / unexplained if unexplained > 1e-12 else np.inf
    return factors
