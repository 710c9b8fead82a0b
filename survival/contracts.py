"""Contracts of the tables of this package that a study keeps and figures draw."""

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

_BY = Column(
    "by", _TEXT, "grouping: none, continent, language_match, footprint_size, or the name of groups of one's own"
)
_GROUP = Column("group", _TEXT, "name of the group; 'all' where by is none")

CURVES = Contract(
    "survival",
    "one group of waits and day since the debut, from 0 to the last day at risk or the horizon",
    (
        _BY,
        _GROUP,
        Column("days", _COUNT, "days since the debut"),
        Column("at_risk", _COUNT, "waits at risk on that day; on day 0, waits at risk from the start"),
        Column("events", _COUNT, "entries on that day"),
        Column("survival", _NUMBER, "share of waits without an entry by the end of the day, Kaplan–Meier"),
        Column("low", _NUMBER, "share: lower bound of the 95 % band by artist, for each day by itself"),
        Column("high", _NUMBER, "share: upper bound of the 95 % band by artist, for each day by itself"),
        Column("share_entered", _NUMBER, "share of waits with an entry by the end of the day: one minus survival"),
        Column("share_low", _NUMBER, "share: lower bound of share_entered, one minus high"),
        Column("share_high", _NUMBER, "share: upper bound of share_entered, one minus low"),
        Column("cumulative_hazard", _NUMBER, "entries per wait at risk, summed up to the day, Nelson–Aalen"),
        Column("hazard_low", _NUMBER, "lower bound of cumulative_hazard, 95 % by artist, for each day by itself"),
        Column(
            "hazard_high",
            _NUMBER,
            "upper bound of cumulative_hazard, in entries per wait; infinite while survival may be 0",
        ),
    ),
    ("by", "group", "days"),
)

SUMMARY = Contract(
    "survival_summary",
    "one group of waits",
    (
        _BY,
        _GROUP,
        Column("waits", _COUNT, "waits in the group"),
        Column("events", _COUNT, "waits that ended with an entry"),
        Column("median_days", _COUNT, "days until half have entered; null where fewer than half enter", nullable=True),
        Column("median_low", _COUNT, "days: lower bound of the median, 95 % by artist; null where none", nullable=True),
        Column("median_high", _COUNT, "days: upper bound of the median; null where there is none", nullable=True),
        Column("share_entered", _NUMBER, "share entered by day restricted_to"),
        Column("share_low", _NUMBER, "share: lower bound of share_entered, 95 % by artist"),
        Column("share_high", _NUMBER, "share: upper bound of share_entered"),
        Column("restricted_mean_days", _NUMBER, "mean days without an entry, up to day restricted_to"),
        Column("restricted_mean_low", _NUMBER, "days: lower bound; null where none enter", nullable=True),
        Column("restricted_mean_high", _NUMBER, "days: upper bound; null where none enter", nullable=True),
        Column("restricted_to", _COUNT, "days since the debut, the same for all groups of one by"),
        Column("followed_to", _COUNT, "days since the debut: the last day at risk, at most the horizon"),
        Column(
            "effective_clusters",
            _NUMBER,
            "effective number of artists behind the band on day followed_to; null where no wait ended with an entry",
            nullable=True,
        ),
    ),
    ("by", "group"),
)

LOG_RANK = Contract(
    "log_rank",
    "one log-rank test: of all groups of a grouping, or of two of them",
    (
        _BY,
        Column("group", _TEXT, "first group of the two; 'all groups' in the test of all"),
        Column("other", _TEXT, "second group of the two; 'all groups' in the test of all"),
        Column("clusters", _COUNT, "artists with a wait in the groups"),
        Column("statistic", _NUMBER, "F statistic with df and clusters − df degrees of freedom", nullable=True),
        Column("df", _COUNT, "degrees of freedom: groups less one"),
        Column("p", _NUMBER, "probability of such a statistic or a larger one if groups enter alike", nullable=True),
        Column(
            "p_holm", _NUMBER, "p, adjusted by Holm for all pairs of the grouping; null for all groups", nullable=True
        ),
    ),
    ("by", "group", "other"),
)

_VARIABLE = Column("variable", _TEXT, "variable, in words")
_LEVEL = Column("level", _TEXT, "value of the variable, or how much more of it, that the ratio belongs to")
_REFERENCE = Column(
    "reference", _TEXT, "value that it is compared with; null for a variable with numbers", nullable=True
)
_RATIO = (
    Column("hazard_ratio", _NUMBER, "ratio of hazards: exp(coefficient), of logarithms that of a doubling"),
    Column("low", _NUMBER, "lower bound of the 95 % interval of the ratio, by artist", nullable=True),
    Column("high", _NUMBER, "upper bound of the 95 % interval of the ratio, by artist", nullable=True),
)

HAZARD_RATIOS = Contract(
    "hazard_ratios",
    "one covariate of a Cox model of all variables together",
    (
        _VARIABLE,
        _LEVEL,
        _REFERENCE,
        Column("covariate", _TEXT, "name of the covariate in the model"),
        *_RATIO,
        Column("coef", _NUMBER, "coefficient: logarithm of the ratio"),
        Column("se", _NUMBER, "standard error of the logarithm of the ratio, by artist"),
        Column("p", _NUMBER, "probability of such a coefficient or a larger one if the ratio is 1"),
        Column("p_holm", _NUMBER, "probability: p, adjusted by Holm for all ratios of the model"),
        Column("effective_clusters", _NUMBER, "effective number of artists behind the standard error"),
    ),
    ("covariate",),
)

HAZARD_RATIO_PERIODS = Contract(
    "hazard_ratio_periods",
    "one covariate of the Cox model and period of the clock",
    (
        _VARIABLE,
        _LEVEL,
        _REFERENCE,
        Column("covariate", _TEXT, "name of the covariate in the model"),
        Column("after", _COUNT, "days since the debut: the period begins after this day"),
        Column("days", _COUNT, "days since the debut: last day of the period"),
        Column("events", _COUNT, "entries in the period"),
        *_RATIO,
        Column("p_same", _NUMBER, "probability of such changes or larger ones if the ratio is the same in all periods"),
        Column("p_same_holm", _NUMBER, "probability: p_same, adjusted by Holm for all ratios of the model"),
    ),
    ("covariate", "after"),
)

PROPORTIONALITY = Contract(
    "proportionality",
    "one term of the Cox model, or all together",
    (
        Column("term", _TEXT, "term of the formula; 'all' for the test of all together"),
        Column("statistic", _NUMBER, "chi-squared statistic of the Schoenfeld test, which takes waits as independent"),
        Column("df", _COUNT, "degrees of freedom"),
        Column("p", _NUMBER, "probability of such a statistic or a larger one if the ratios are the same on all days"),
    ),
    ("term",),
)

LOG_LOG = Contract(
    "log_log",
    "one group of waits and day with an entry, where the share not entered is between 0 and 1",
    (
        _BY,
        _GROUP,
        Column("days", _COUNT, "days since the debut"),
        Column(
            "log_minus_log",
            _NUMBER,
            "log(−log(share not entered)); with proportional hazards, curves keep their distance",
        ),
    ),
    ("by", "group", "days"),
)

STATES = Contract(
    "states",
    "one group of waits and day since the debut",
    (
        _BY,
        _GROUP,
        Column("days", _COUNT, "days since the debut"),
        Column("at_risk", _COUNT, "waits at risk on that day, tracks that left included"),
        Column("charting", _NUMBER, "share of waits: not entered, the track is on a chart or was lately"),
        Column("left", _NUMBER, "share of waits: not entered, the track left every chart (Aalen–Johansen)"),
        Column("entered", _NUMBER, "share of waits that entered"),
        Column("low", _NUMBER, "share entered: lower bound of the 95 % band by artist, for each day by itself"),
        Column("high", _NUMBER, "share entered: upper bound of the 95 % band by artist, for each day by itself"),
        Column(
            "entered_after_left",
            _NUMBER,
            "share of waits that entered after the track had left every chart, a part of entered",
        ),
    ),
    ("by", "group", "days"),
)

CURED = Contract(
    "cured",
    "one market that tracks wait for",
    (
        Column("market", _TEXT, "ISO code of the market"),
        Column("waits", _COUNT, "waits"),
        Column("events", _COUNT, "waits that ended with an entry"),
        Column("share", _NUMBER, "share that never enters where follow-up suffices, else not entered by day by_day"),
        Column("low", _NUMBER, "lower bound of the 95 % interval of the share, by artist", nullable=True),
        Column("high", _NUMBER, "upper bound of the 95 % interval of the share, by artist", nullable=True),
        Column(
            "suffices",
            _FLAG,
            "whether follow-up is long enough to tell those who never enter, by p adjusted for the number of markets "
            "(Benjamini and Hochberg) and by the model",
        ),
        Column("by_day", _COUNT, "days since the debut: last day of follow-up"),
        Column("to_come", _NUMBER, "share of the entries that is estimated to come later"),
        Column(
            "p",
            _NUMBER,
            "probability of so few late entries, or fewer, if 5 % of the entries were to come later; not adjusted",
        ),
    ),
    ("market",),
)

_MODEL = Column("model", _TEXT, "model")


def _bounded(name: str, unit: str, meaning: str) -> tuple[Column, ...]:
    """Return the columns of a value and its 95 % interval by artist; null where it is not defined."""
    bounds = {"low": "lower", "high": "upper"}
    return (
        Column(name, _NUMBER, f"{unit}: {meaning}", nullable=True),
        *(
            Column(f"{name}_{end}", _NUMBER, f"{unit}: {side} bound of {name}, 95 % by artist", nullable=True)
            for end, side in bounds.items()
        ),
    )


MODEL_SCORES = Contract(
    "model_scores",
    "one model and day, scored on waits of tracks that debuted after those it was fitted on",
    (
        _MODEL,
        Column("day", _COUNT, "days since the debut: entries by this day are predicted"),
        Column("waits", _COUNT, "waits that are scored"),
        Column("entries", _COUNT, "waits that ended with an entry by the day"),
        Column("brier", _NUMBER, "share: mean squared distance of predicted survival from the outcome"),
        *_bounded("brier_skill", "share", "of the Brier score of one curve for all, what the model saves"),
        Column("integrated_brier", _NUMBER, "share: mean Brier score from the debut to the day"),
        *_bounded("integrated_skill", "share", "of the integrated Brier score of one curve for all, what is saved"),
        *_bounded("auc", "probability", "that a wait with an entry was given a higher risk than one without"),
        *_bounded("auc_gain", "probability", "AUC less that of one curve for all"),
        *_bounded("harrell_c", "probability", "that the wait that ended first was given the higher risk, Harrell's C"),
        Column("uno_c", _NUMBER, "probability: the same for entries by the day, Uno's C", nullable=True),
        *_bounded("expected_observed", "ratio", "of expected to observed entries"),
        *_bounded("calibration_slope", "ratio", "of outcomes to predictions in log odds; below 1 they are too extreme"),
        Column("calibration_intercept", _NUMBER, "log odds by which entries are above predictions", nullable=True),
        Column(
            "d_calibration_p", _NUMBER, "p of the test that entries come on the days that are predicted", nullable=True
        ),
        Column("effective_clusters", _NUMBER, "effective number of artists behind brier_skill", nullable=True),
    ),
    ("model", "day"),
)

CALIBRATION = Contract(
    "calibration",
    "one model and class of waits: a tenth by predicted share, or a market",
    (
        _MODEL,
        Column("kind", _TEXT, "kind of the class: decile or market"),
        Column("group", _TEXT, "the class: 1 (lowest) to 10, or the ISO code of the market"),
        Column("day", _COUNT, "days since the debut: entries by this day are counted"),
        Column("waits", _COUNT, "waits in the class"),
        Column("predicted", _NUMBER, "mean predicted share that enters by the day"),
        Column("observed", _NUMBER, "share that entered by the day"),
        Column("low", _NUMBER, "lower bound of the 95 % interval of the observed share, by artist", nullable=True),
        Column("high", _NUMBER, "upper bound of the 95 % interval of the observed share, by artist", nullable=True),
    ),
    ("model", "kind", "group", "day"),
)

COMPARED_CURVES = Contract(
    "comparison_curves",
    "one day since the debut, from 0 to the last that both sides are followed",
    (
        Column("days", _COUNT, "days since the debut"),
        Column("at_risk_a", _COUNT, "waits of a at risk on that day; on day 0, waits at risk from the start"),
        Column("at_risk_b", _COUNT, "waits of b, likewise"),
        *(
            Column(f"{name}_{side}", _NUMBER, f"share: {meaning}")
            for side in ("a", "b")
            for name, meaning in (
                ("share", f"of the waits of {side} that have entered by the end of the day, one minus Kaplan–Meier"),
                ("low", "lower bound of its 95 % band by artist, for each day by itself"),
                ("high", "upper bound of its 95 % band by artist, for each day by itself"),
            )
        ),
        Column("difference", _NUMBER, "share: share_a − share_b"),
        Column("low", _NUMBER, "share: lower bound of its 95 % band by artist, for each day by itself"),
        Column("high", _NUMBER, "share: upper bound of its 95 % band by artist, for each day by itself"),
    ),
    ("days",),
)
