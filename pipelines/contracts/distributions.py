"""Contracts of the tables of streams and audio features."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

_MARKET = Column("market", _TEXT, "ISO 3166-1 alpha-2 code of the market")
_ROWS = Column("chart_rows", _COUNT, "rows of markets with one stream or more")
_ARTISTS = Column("artists", _NUMBER, "effective number of artists, 1 / Σ share² of the squares of the variable")
_FEW = "by artist; null with fewer than 10 effective artists"
_UNIT = "streams, or log10 streams"
_QUANTILES = {
    "q01": "1st percentile", "q10": "10th percentile", "q25": "lower quartile", "median": "median",
    "q75": "upper quartile", "q90": "90th percentile", "q95": "95th percentile", "q99": "99th percentile",
    "least": "least", "most": "most",
}  # fmt: skip

STREAMS_SUMMARY: Final = Contract(
    "streams_summary",
    "one scale: streams as they are, and their logarithms",
    (
        Column("scale", _TEXT, "streams, or log10 streams"),
        _ROWS,
        Column("mean", _NUMBER, f"mean: {_UNIT}"),
        Column("sd", _NUMBER, f"standard deviation: {_UNIT}"),
        Column("skewness", _NUMBER, "ratio: third moment / cubed standard deviation; null if all equal", nullable=True),
        *(Column(name, _NUMBER, f"{words}: {_UNIT}") for name, words in _QUANTILES.items()),
    ),
    ("scale",),
)

STREAMS_HISTOGRAM: Final = Contract(
    "streams_histogram",
    "one class of log10 streams, a tenth of a power of ten wide",
    (
        Column("low", _NUMBER, "log10 streams at which the class begins, itself included"),
        Column("high", _NUMBER, "log10 streams at which it ends, not included"),
        _ROWS,
        Column("share", _NUMBER, "share of all rows with streams"),
    ),
    ("low",),
)

STREAMS_MARKETS: Final = Contract(
    "streams_markets",
    "one market with streams",
    (
        _MARKET,
        _ROWS,
        Column("mean", _NUMBER, "mean streams of a row"),
        Column("mean_log", _NUMBER, "mean log10 streams of a row, to a ten-thousandth"),
    ),
    ("market",),
)

STREAM_CORRELATIONS: Final = Contract(
    "stream_correlations",
    "one variable, and what of log10 streams it is correlated with",
    (
        Column("variable", _TEXT, "rank, log rank, or a variable of tracks"),
        Column("scope", _TEXT, "log10 streams over all rows, or above the mean of the chart (market and date)"),
        _ROWS,
        _ARTISTS,
        Column("correlation", _NUMBER, "Pearson's correlation"),
        Column("low", _NUMBER, f"lower bound of the 95 % interval of the correlation, {_FEW}", nullable=True),
        Column("high", _NUMBER, f"upper bound of the 95 % interval of the correlation, {_FEW}", nullable=True),
        Column("p", _NUMBER, f"probability of such a correlation or more if there is none, {_FEW}", nullable=True),
        Column("q", _NUMBER, "probability: p, adjusted for the scope by Benjamini and Hochberg", nullable=True),
    ),
    ("variable", "scope"),
)

RANK_SLOPE: Final = Contract(
    "rank_slope",
    "all charts with streams (a single row): how streams fall with the rank within a chart",
    (
        _ROWS,
        _ARTISTS,
        Column("slope", _NUMBER, "ratio: change of log10 streams per log10 rank, least squares within charts"),
        Column("low", _NUMBER, f"lower bound of the 95 % interval of the ratio, {_FEW}", nullable=True),
        Column("high", _NUMBER, f"upper bound of the 95 % interval of the ratio, {_FEW}", nullable=True),
    ),
    ("chart_rows",),
)

_FEATURE = Column("feature", _TEXT, "audio feature, as the source has it")
_AMOUNT = "0 … 1; loudness dB, tempo beats per minute"

AUDIO_SUMMARY: Final = Contract(
    "audio_summary",
    "one audio feature, per row of the charts or per track",
    (
        _FEATURE,
        Column("per", _TEXT, "row: a track counts as often as it is on a chart; or track: each counts once"),
        Column("number", _COUNT, "rows or tracks with the feature; a tempo of 0 is not known"),
        Column("mean", _NUMBER, f"mean: {_AMOUNT}"),
        Column("sd", _NUMBER, f"standard deviation: {_AMOUNT}"),
        Column("q25", _NUMBER, f"lower quartile: {_AMOUNT}"),
        Column("median", _NUMBER, f"median: {_AMOUNT}"),
        Column("q75", _NUMBER, f"upper quartile: {_AMOUNT}"),
    ),
    ("feature", "per"),
)

AUDIO_VIF: Final = Contract(
    "audio_vif",
    "one audio feature that is an amount and varies",
    (
        _FEATURE,
        Column("tracks", _COUNT, "tracks with all features"),
        Column("vif", _NUMBER, "variance inflation, a ratio: 1 / (1 − R²) on the other features, with an intercept"),
        Column("vif_uncentred", _NUMBER, "the same ratio without an intercept, which any mean far from 0 inflates"),
    ),
    ("feature",),
)
