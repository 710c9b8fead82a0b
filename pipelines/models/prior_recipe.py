"""The recipe of an earlier study on such charts: a ranker on footprint, artist, market and pair features."""

from dataclasses import replace
from typing import Final, Self

import numpy as np

from diffusion.arrays import Floats, Ints
from pipelines.features.history import History
from pipelines.models.baselines import Logit, days_since_entries, usual_days
from pipelines.models.boosting import Ensemble, Trees
from pipelines.models.draws import short_seed
from pipelines.models.examples import Examples, Forecast

FEATURES: Final = (
    "weekday", "since_release", "explicit", "duration",
    "artist_tracks", "artist_markets", "artist_is_new", "artist_entries_here", "artist_best_here", "credited",
    "population", "in_africa", "in_asia", "in_europe", "in_north_america", "in_oceania", "in_south_america",
    "newcomers_few", "newcomers_many",
    "culture_least", "distance_least", "overlap_most", "same_language", "same_continent", "neighbours",
)  # fmt: skip
"""Features of the study, as far as they are made; those that are not there are left out."""

GRID: Final = tuple(
    Trees(rounds=rounds, leaves=leaves, rate=0.05, least_rows=20, columns=0.6, rows=0.65, bins=255, ridge=0.2)
    for leaves in (15, 63)
    for rounds in (100, 300)
)
"""Trees that are tried."""

LATER: Final = 0.2
"""Share of the training tracks, the last to debut, on which trees are chosen and the level is fitted."""


class PriorRecipe:
    """A lambdarank model of tracks that spread, with their natural candidates, tuned on the last training tracks.

    Parameters
    ----------
    history
        Charts, for the positions in the markets entered before, one column per market.
    seed, threads
        Seed of the trees, and number of threads.

    Notes
    -----
    The study has no probabilities; one logistic regression of entry on the score, fitted on all candidates of the last
    training tracks, makes some. Days are a boosted regression of log(1 + days) on the same features, of entries.
    """

    def __init__(self, history: History, seed: int = 0, threads: int = 1) -> None:
        self.history = history
        self.seed = seed
        self.threads = threads

    def fit(self, examples: Examples) -> Self:
        """Return this model, fitted on the tracks that spread."""
        from sklearn.ensemble import HistGradientBoostingRegressor
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline

        later = examples.debut > np.quantile(examples.debut, 1 - LATER)
        spreads = examples.spreading
        early = examples.where(spreads & ~later)
        tried = examples.where(later)
        columns = self._columns(tried)
        caught = []
        for trees in GRID:
            ranker = self._ranker(early, trees)
            score = ranker.score(columns)
            caught.append((hits(tried, score), trees, Logit.fit(score[:, None], tried.entered)))
        _, self.trees, self.level = max(caught, key=lambda one: one[0])
        whole = examples.where(spreads)
        self.ranker = self._ranker(whole, self.trees)
        entries = whole.where(whole.entered)
        self.days = usual_days(examples)
        boosted = HistGradientBoostingRegressor(max_iter=150, learning_rate=0.05, random_state=short_seed(self.seed))
        regression = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), boosted)
        self.regression = regression.fit(self._columns(entries), np.log1p(entries.days))
        return self

    def predict(self, examples: Examples) -> Forecast:
        """Return the probability at the score, and the expected days."""
        columns = self._columns(examples)
        days = np.expm1(self.regression.predict(columns)).clip(1, examples.horizon)
        return Forecast(self.level.predict(self.ranker.score(columns)[:, None]), days)

    def _ranker(self, examples: Examples, trees: Trees) -> Ensemble:
        sizes = np.bincount(examples.observation)
        return Ensemble.fit(
            self._columns(examples),
            examples.entered,
            "lambdarank",
            replace(trees, truncation=5),
            seeds=(self.seed,),
            threads=self.threads,
            groups=sizes[sizes > 0],
        )

    def _columns(self, examples: Examples) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """Return, (k, f), the study's features, then the position at entry into every market, 0 if not entered."""
        there = [name for name in FEATURES if name in examples.names]
        row, since = days_since_entries(self.history, examples)
        ranks = entry_ranks(self.history, examples, since)
        at = [examples.names.index(name) for name in there]
        return np.concatenate([examples.values[:, at], ranks[row]], axis=1)


def entry_ranks(
    history: History, examples: Examples, since: Floats
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return, (n, m), the position at the entry into each market entered by then, 0 for the others."""
    entries = history.entries
    track = np.unique(examples.track)
    mine = np.isin(entries.track, track)
    table = np.zeros((len(track), len(history.markets)), np.float32)
    table[np.searchsorted(track, entries.track[mine]), entries.market[mine]] = entries.rank[mine]
    return np.where(np.isfinite(since), table[np.searchsorted(track, examples.track[examples.first])], 0).astype(
        np.float32
    )


def hits(examples: Examples, score: Floats, top: int = 5) -> int:
    """Return the number of entries among the `top` candidates of highest score of each observation."""
    order = np.lexsort((-score, examples.observation))
    observation: Ints = examples.observation[order].astype(np.int64)
    place = np.arange(len(order)) - np.searchsorted(observation, observation)
    return int(examples.entered[order][place < top].sum())
