"""One test on the latest tracks of charts, and the default forecaster as of the last day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion import Charts, DataSaysNoError, Entries, SettingError
from diffusion.arrays import Flags, Floats, Ints
from pipelines.backtest.contenders import DEFAULT, contenders
from pipelines.backtest.intervals import REPLICATES
from pipelines.backtest.splits import Fold, points_of
from pipelines.backtest.tables import Tested, calibration, scores
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.looked_at import looked_at, on_latest_charts
from pipelines.features.observations import Observations, Outcomes, covered_until, recent_tracks, timed_debuts
from pipelines.features.registry import Family
from pipelines.features.table import advance, features
from pipelines.formatting import many
from pipelines.models.baselines import usual_days
from pipelines.models.draws import thinned
from pipelines.models.examples import Examples, Forecast
from pipelines.models.forecaster import Forecaster
from pipelines.models.trained import TrainedModel

MODELS: Final = ("market_rate", "language", "transitions", "graph", DEFAULT)
"""Names of the models that are compared."""

PARTS: Final = 4
"""Horizons that the time after the washout holds at least: to fit, to wait for the outcomes, and to test."""

WEEK: Final = 7
"""Days that horizons shorter than the one asked for are a multiple of."""

MOST_DATES: Final = 730
"""Dates of charts that are used at most: the latest, two years of daily charts."""

MOST_FITTED: Final = 6_000
"""Tracks that models are fitted on at most: the latest."""

MOST_TESTED: Final = 2_000
"""Tracks tested at most: the latest."""

MOST_CANDIDATES: Final = 50_000
"""Candidates that the default forecaster is fitted on; of more, some are drawn."""

MOST_CURRENT: Final = 3_000
"""Tracks that are forecast at most: the latest."""


def latest_fold(history: History, longest: int) -> Fold:
    """Return the time of testing: the last third of the debuts that can be used, the latest tracks of it.

    The horizon is `longest`, or a shorter number of whole weeks, so that the time after the washout holds four of it.

    Raises
    ------
    DataSaysNoError
        When not even four weeks, or four periods, are there.
    """
    begin = history.first_day + history.rules.washout
    part = max(history.last_day - begin, 0) // PARTS
    horizon = longest if part >= longest else part // WEEK * WEEK
    least = max(min(longest, WEEK), history.cadence)
    if horizon < least:
        raise DataSaysNoError(
            f"charts go on for {many(max(history.last_day - begin, 0), 'day')} after the washout of "
            f"{many(history.rules.washout, 'day')}; to fit models and test them on later tracks takes {PARTS * least}"
        )
    last = history.last_day - horizon
    first = begin + horizon + (last - begin - horizon) * 2 // 3
    debut = np.sort(timed_debuts(history)[1])
    tested = debut[(debut >= first) & (debut <= last)]
    if len(tested) > MOST_TESTED:
        first = int(tested[-MOST_TESTED])
    return Fold(1, first, last, horizon)


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest tracks, each looked at once, on its debut or some days after, with what came of them.

    Attributes
    ----------
    history
        Charts, from the first date that is used, with the rows that features of these tracks, and of those to forecast,
        depend on.
    fold
        Tracks tested, and the horizon.
    points
        Days after the debut; each track is looked at after one of them, drawn at random.
    examples
        Candidates whose outcome is known.
    follow_up
        (k,): days for which the market of each candidate was observed after the observation.
    families
        Families of features, after the last day of the charts.
    listed
        (n,): whether a track of the history may be forecast.
    seed
        Seed of the random numbers.
    """

    history: History
    fold: Fold
    points: tuple[int, ...]
    examples: Examples
    follow_up: Floats
    families: tuple[Family, ...]
    listed: Flags
    seed: int

    @classmethod
    def of(
        cls, charts: Charts, entries: Entries, longest: int, *, listed: pa.Array | None = None, seed: int = 0
    ) -> Self:
        """Return the latest tracks of charts.

        Parameters
        ----------
        charts, entries
            As in `History.of`.
        longest
            Horizon in days; it is shorter where the charts are short.
        listed
            Ids of the tracks that may be forecast (default: all).
        seed
            Seed of the random numbers.

        Raises
        ------
        DataSaysNoError
            When the charts are too short, or no track could enter another market.
        """
        history = History.without_rows(charts, entries)
        dates = np.unique(history.observed.day)
        if len(dates) > MOST_DATES:
            history = history.since(int(dates[-MOST_DATES]))
        fold = latest_fold(history, longest)
        points = tuple(point for point in points_of(history.cadence) if point < fold.horizon)
        observed = _looked_at(history, fold, points, seed)
        if not observed.candidates.any():
            raise DataSaysNoError("no track with a known debut could enter another market")
        ids = pa.array(history.tracks["track_id"], pa.string())
        among = np.ones(len(ids), np.bool_) if listed is None else pc.is_in(ids, listed).to_numpy(zero_copy_only=False)
        history = _with_rows(history, charts, observed, _to_forecast(history, charts, fold.horizon, among))
        made = families(fold.horizon)
        table = features(history, observed, made)
        advance(history, made, after=int(observed.day[-1]), until=history.last_day)
        outcomes = Outcomes.of(history, observed, fold.horizon)
        examples = Examples.of(history, observed, table, outcomes, fold.horizon)
        until = covered_until(history, observed.day)[examples.observation, examples.market]
        follow_up = np.maximum(until - examples.day, 0).astype(np.float64)
        return cls(history, fold, points, examples, follow_up, made, among, seed)

    @property
    def trained_on(self) -> Flags:
        """(k,): whether the horizon of the candidate was over before the test began."""
        return self.fold.train(self.examples.day)

    @property
    def tested(self) -> Flags:
        """(k,): whether the candidate is of a track tested."""
        return self.fold.test(self.examples.debut)

    def forecasts(self, gaps: dict[str, str]) -> dict[str, Forecast]:
        """Return model → its forecast of the tracks tested; what cannot be fitted is left out, and `gaps` say why.

        Raises
        ------
        DataSaysNoError
            When there is nothing to learn from, or nothing to test.
        """
        train, test = self.examples.where(self.trained_on), self.examples.where(self.tested)
        for part, what in ((train, "earlier"), (test, "later")):
            if not part.entered.any():
                tracks = many(len(np.unique(part.track)), f"{what} track")
                raise DataSaysNoError(
                    f"of {tracks} none entered another market within {many(self.fold.horizon, 'day')}"
                )
        found = {}
        for contender in contenders(MODELS):
            given = _few(train, self.seed) if contender.name == DEFAULT else train
            try:
                found[contender.name] = contender.make(self.history, self.seed, 1).fit(given).predict(test)
            except (DataSaysNoError, SettingError) as error:
                gaps[f"model '{contender.name}'"] = str(error)
        return found

    def compared(self, forecasts: Mapping[str, Forecast]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return scores and calibration of forecasts, with intervals by artist and debut."""
        chosen = self.tested
        tested = Tested.of(
            self.history,
            self.examples.where(chosen),
            self.follow_up[chosen],
            usual_days=usual_days(self.examples.where(self.trained_on)),
            cluster="artist and debut",
            replicates=REPLICATES,
            seed=self.seed,
        )
        simple = [contender.name for contender in contenders(MODELS) if contender.simple]
        return scores(tested, forecasts, simple), calibration(tested, forecasts, self.history.markets)

    def model(self) -> TrainedModel:
        """Return the default forecaster, fitted on all tracks whose outcome is known, as of the last day.

        Raises
        ------
        DataSaysNoError
            When no track entered anything.
        SettingError
            When LightGBM cannot be loaded.
        """
        forecaster = Forecaster(seed=self.seed).fit(_few(self.examples, self.seed))
        return TrainedModel(forecaster, self.families, self.history, {})


def _few(examples: Examples, seed: int) -> Examples:
    """Return the candidates that the default forecaster is fitted on, with weights."""
    rows, weights = thinned(examples, MOST_CANDIDATES, seed)
    return replace(examples.where(rows), weight=weights.astype(np.float32))


def current(known: History, horizon: int, among: Flags) -> Ints:
    """Return the tracks to forecast: on a latest chart, with a known debut at most one horizon ago; the latest.

    `among` are flags, (n,): whether a track is to be listed.
    """
    found = recent_tracks(known, horizon)
    found = found[among[found]]
    return found[np.argsort(known.first_seen[found], kind="stable")][-MOST_CURRENT:]


def _to_forecast(history: History, charts: Charts, horizon: int, among: Flags) -> Ints:
    """Return the tracks to forecast of a history that has no rows yet."""
    track, debut = timed_debuts(history)
    recent = track[(debut >= history.last_day - horizon) & among[track]]
    return current(history.with_rows(charts, on_latest_charts(history, recent)), horizon, among)


def _with_rows(history: History, charts: Charts, observed: Observations, forecast: Ints) -> History:
    """Return the history with the rows that observations depend on, and tracks to forecast as of the last day."""
    track = np.concatenate([observed.track, forecast])
    day = np.append(observed.day, np.full(len(forecast), history.last_day, np.int32))
    return history.with_rows(charts, looked_at(history, track, day))


def _looked_at(history: History, fold: Fold, points: tuple[int, ...], seed: int) -> Observations:
    """Return the tracks to fit on, the latest ones, and all later ones, each on one day with a known outcome."""
    begin = history.first_day + history.rules.washout
    debut = np.sort(timed_debuts(history)[1])
    over = debut[(debut >= begin) & fold.train(debut)]
    since = int(over[-MOST_FITTED]) if len(over) > MOST_FITTED else begin
    found = Observations.landmarks(history, points, first=since, last=fold.last)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(found.day <= fold.last))
    _, first = np.unique(found.track[order], return_index=True)
    kept = np.sort(order[first])
    return Observations(found.track[kept], found.day[kept], found.candidates[kept])
