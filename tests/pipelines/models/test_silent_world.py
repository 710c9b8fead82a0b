"""Charts in which entries are dealt at random: no model may find what is not there."""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from diffusion.engine import open_engine
from diffusion.event_rules import EventRules
from pipelines.backtest.contenders import CONTENDERS, Contender
from pipelines.features.families import families
from pipelines.features.history import ATTRIBUTES, History
from pipelines.features.later_charts import ChartRows
from pipelines.features.observations import Observations, Outcomes
from pipelines.features.table import features
from pipelines.models.examples import Examples

MARKETS = ("BR", "DE", "FI", "FR", "JP", "NO", "SE", "US", "Global")
DAYS = 160
HORIZON = 14
SPLIT = 100
"""Day by which the windows of training tracks are over, and from which on tracks are forecast."""

AUC_TOLERANCE = 0.08
"""Four standard errors of an AUC without information, of some 230 entries among 2,500 candidates (0.02)."""

SKILL_ABOVE = 0.01
"""Most that the Brier skill over the base rate may be above 0; in replicates the most was 0.0003."""

SKILL_BELOW = 0.05
"""Most that it may be below 0: the price of fitting noise; in replicates at most 0.03."""

LARGE: Final = {"transitions": 0.2, "logistic": 0.5, "hazard": 0.5}
"""Models that may be further below. Pairs of markets are taken for independent chances, which gives too many entries;
and a linear fit of all columns on 4,600 candidates carries the growth of counts on into later times."""

SLOW: Final = ("default",)


def silent_charts(tracks: int, seed: int) -> History:
    """Return charts of tracks that begin in one or two markets and are dealt to each other one at one rate."""
    rng = np.random.default_rng(seed)
    m = len(MARKETS) - 1
    debut = np.sort(rng.integers(0, DAYS - 10, tracks))
    entry = np.where(rng.random((tracks, m)) < 0.09, debut[:, None] + rng.integers(1, HORIZON + 1, (tracks, m)), DAYS)
    for _ in range(2):
        entry[np.arange(tracks), rng.integers(0, m, tracks)] = debut
    track, market = np.nonzero(entry < DAYS)
    stay = 4
    day = (entry[track, market][:, None] + np.arange(stay)).ravel()
    track, market = np.repeat(track, stay), np.repeat(market, stay)
    fillers = np.arange(m) + tracks  # one track that is always there, in each market
    day = np.concatenate([day, np.tile(np.arange(DAYS), m)])
    track = np.concatenate([track, np.repeat(fillers, DAYS)])
    market = np.concatenate([market, np.repeat(np.arange(m), DAYS)])
    kept = day < DAYS
    day, track, market = day[kept], track[kept], market[kept]
    rank = pd.Series(rng.random(len(day))).groupby([day, market]).rank().to_numpy(np.int32)
    ids = [f"t{number:05}" for number in range(tracks + m)]
    described = pd.DataFrame({"track_id": ids, **dict.fromkeys(ATTRIBUTES)})
    described["artist"] = [f"artist {number}" for number in rng.integers(0, tracks // 3, len(ids))]
    described["title"] = [f"song {number}" for number in range(len(ids))]
    described["release_date"] = pd.array([None] * len(ids), "datetime64[s]")
    return ChartRows(
        day=(day + 18_000).astype(np.int32),
        market=market.astype(np.int16),
        track=track.astype(np.int32),
        rank=rank,
        streams=np.full(len(day), np.nan, np.float32),
        markets=MARKETS,
        tracks=described,
        withheld=np.zeros((2, 0), np.int64),
        rules=EventRules("top50", washout=7),
        open_engine=open_engine,
    ).read()


def dealt_examples(history: History) -> tuple[Examples, Examples]:
    """Return the candidates of earlier and of later tracks as of their debuts."""
    observations = Observations.landmarks(history, (0,), last=history.last_day - HORIZON)
    table = features(history, observations, families(HORIZON))
    outcomes = Outcomes.of(history, observations, HORIZON)
    examples = Examples.of(history, observations, table, outcomes, HORIZON)
    day = history.first_day + SPLIT
    return examples.where(examples.debut + HORIZON <= day), examples.where(examples.debut > day)


@pytest.fixture(scope="module")
def world() -> tuple[History, Examples, Examples]:
    """Return silent charts, and the candidates of their earlier and later tracks."""
    history = silent_charts(1_400, seed=1)
    return history, *dealt_examples(history)


def test_the_world_is_silent_and_large_enough(world: tuple[History, Examples, Examples]) -> None:
    _, train, test = world
    assert test.entered.sum() > 150
    assert train.entered.mean() == pytest.approx(test.entered.mean(), abs=0.02)


@pytest.mark.parametrize(
    "contender",
    [pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.name in SLOW else []) for one in CONTENDERS],
)
def test_no_model_beats_the_base_rate_where_entries_are_dealt(
    contender: Contender, world: tuple[History, Examples, Examples]
) -> None:
    history, train, test = world
    hidden = replace(test, entered=np.zeros(len(test), np.bool_), days=np.full(len(test), np.nan, np.float32))
    p = contender.make(history, 1, 1).fit(train).predict(hidden).p
    rate = train.entered.mean()
    skill = 1 - ((p - test.entered) ** 2).mean() / ((rate - test.entered) ** 2).mean()
    auc = roc_auc_score(test.entered, p)
    assert abs(auc - 0.5) < AUC_TOLERANCE
    assert -LARGE.get(contender.name, SKILL_BELOW) < skill < SKILL_ABOVE
