"""Contracts of the tables of a backtest."""

import pyarrow as pa

from diffusion.contracts import Column, Contract

_NUMBER, _COUNT, _TEXT = pa.float64(), pa.int64(), pa.string()

PREDICTIONS = Contract(
    "predictions",
    "one test candidate of a truth file",
    (
        Column("track_id", _TEXT, "track"),
        Column("market", _TEXT, "market, spelled as in the truth file"),
        Column("p_enter", _NUMBER, "probability of entry within the horizon, 0 … 1"),
        Column("expected_days", _NUMBER, "days: median time to the entry, given that it enters within the horizon"),
    ),
    ("track_id", "market"),
)

BACKTEST_PREDICTIONS = Contract(
    "backtest_predictions",
    "one candidate of an observation tested",
    (
        Column("track_id", _TEXT, "track"),
        Column("market", _TEXT, "market"),
        Column("as_of", pa.date32(), "date on whose end the track was looked at"),
        Column("p_enter", _NUMBER, "probability of entry within the horizon, 0 … 1"),
        Column("expected_days", _NUMBER, "days: median time to the entry, given that it enters within the horizon"),
        Column("p_by", pa.list_(pa.float64()), "probabilities of entry by days at equal steps up to the horizon"),
    ),
    ("track_id", "market", "as_of"),
)

_SCORE = (
    Column("metric", _TEXT, "name of the metric"),
    Column("value", _NUMBER, "its value: a share, probability or number", nullable=True),
    Column("low", _NUMBER, "number: lower end of its 95 % interval", nullable=True),
    Column("high", _NUMBER, "number: upper end of its 95 % interval", nullable=True),
)

BACKTEST_SCORES = Contract(
    "backtest_scores",
    "one metric of a model in a fold at an observation point",
    (
        Column("fold", _TEXT, "number of the fold, or all"),
        Column("point", _COUNT, "days after the debut at which tracks were looked at"),
        Column("model", _TEXT, "model"),
        *_SCORE,
        Column("baseline", _TEXT, "simple baseline with the highest pooled recall in this fold at this point"),
        Column("gain", _NUMBER, "number: value minus that of the baseline", nullable=True),
        Column("gain_low", _NUMBER, "number: lower end of its 95 % interval, paired", nullable=True),
        Column("gain_high", _NUMBER, "number: upper end of its 95 % interval, paired", nullable=True),
        Column("observations", _COUNT, "number of observations"),
        Column("entries", _COUNT, "entries within the horizon"),
    ),
    ("fold", "point", "model", "metric"),
)

BACKTEST_CALIBRATION = Contract(
    "backtest_calibration",
    "one class of candidates of a model, all folds, looked at on the debut",
    (
        Column("model", _TEXT, "model"),
        Column("kind", _TEXT, "decile (tenth of the predictions) or market"),
        Column("group", _TEXT, "number of the tenth, or market"),
        Column("day", _COUNT, "horizon in days"),
        Column("candidates", _COUNT, "candidates: pairs of track and market"),
        Column("entries", _COUNT, "entries within the horizon"),
        Column("predicted", _NUMBER, "mean predicted probability, 0 … 1"),
        Column("observed", _NUMBER, "share that entered, 0 … 1"),
        Column("low", _NUMBER, "number: lower end of its 95 % interval"),
        Column("high", _NUMBER, "number: upper end of its 95 % interval"),
    ),
    ("model", "kind", "group"),
)

BACKTEST_MARKETS = Contract(
    "backtest_markets",
    "one market of a model, all folds, looked at on the debut",
    (
        Column("model", _TEXT, "model"),
        Column("market", _TEXT, "market"),
        Column("candidates", _COUNT, "candidates: pairs of track and market"),
        Column("entries", _COUNT, "entries within the horizon"),
        Column("caught", _NUMBER, "share of the entries among the five markets named for the track", nullable=True),
        Column(
            "auc",
            _NUMBER,
            "probability that a track that enters has a higher probability than one that does not",
            nullable=True,
        ),
        Column(
            "brier_skill", _NUMBER, "share of the squared error of the market's own rate that is saved", nullable=True
        ),
        Column("excess", _NUMBER, "ratio of entries predicted to entries observed", nullable=True),
    ),
    ("model", "market"),
)

BACKTEST_LEARNING = Contract(
    "backtest_learning",
    "one metric of a model fitted on a share of the training tracks, last fold, looked at on the debut",
    (
        Column("model", _TEXT, "model"),
        Column("share", _NUMBER, "share of the training tracks"),
        Column("tracks", _COUNT, "training tracks"),
        *_SCORE,
    ),
    ("model", "share", "metric"),
)

BACKTEST_ABLATION = Contract(
    "backtest_ablation",
    "one metric of the default model fitted without a family of features, last fold, looked at on the debut",
    (
        Column("without", _TEXT, "family left out; empty for the model with all"),
        Column("features", _COUNT, "number of features left"),
        *_SCORE,
        Column("change", _NUMBER, "number: value minus that with all features", nullable=True),
        Column("change_low", _NUMBER, "number: lower end of its 95 % interval, paired", nullable=True),
        Column("change_high", _NUMBER, "number: upper end of its 95 % interval, paired", nullable=True),
    ),
    ("without", "metric"),
)

BACKTEST_IMPORTANCE = Contract(
    "backtest_importance",
    "one feature or family of the default model, last fold, looked at on the debut",
    (
        Column("kind", _TEXT, "feature or family"),
        Column("name", _TEXT, "name"),
        Column("family", _TEXT, "family"),
        Column("loss", _NUMBER, "share: pooled recall lost when its values are exchanged between tracks"),
        Column("log_loss", _NUMBER, "share: log-loss skill lost likewise"),
    ),
    ("kind", "name"),
)
