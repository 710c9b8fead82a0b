"""Journeys: curves and kinds against plain twins; no kinds where there is one, and the planted ones where there are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from lifelines import KaplanMeierFitter

from diffusion import DataSaysNoError, Entries, open_charts, reference_table
from diffusion.conventions import WASHOUT
from diffusion.simulation.process_worlds import world
from diffusion.simulation.recipes import WORLDS
from pipelines.contracts.journeys import JOURNEY_STABILITY, JOURNEY_VALLEYS
from pipelines.eda.journeys.clusters import UNNAMED, Tried, clustered, clusters_table, tell_apart
from pipelines.eda.journeys.first_markets import first_market_tables
from pipelines.eda.journeys.followed import NEVER, Journeys
from pipelines.eda.journeys.kinds import GLOBAL, NAMES, STAYS, courses, kind_of, kinds_table
from pipelines.eda.journeys.valleys import LEAST_REACH, Points, Valley, halved
from tests.conftest import WriteCsv, steady
from tests.process_worlds import MARKETS, SILENT, charted, draw

WINDOW = 60
HORIZON = 90
CONTINENT = reference_table().set_index("market")["continent"]


def followed(entries: Entries, longest: int) -> dict[str, tuple[int, dict[str, int]]]:
    """Return track → days followed and market → day of its entry, for each track that counts, in plain Python."""
    spans = entries.calendar.spans().to_dict("records")
    found = {}
    for track, own in entries.to_pandas().groupby("track_id"):
        debut = own["entry"].min()
        first = own[own["entry"] == debut]
        if first["left_censored"].all():
            continue
        ends = {
            span["market"]: (span["last_date"] - debut).days
            for span in spans
            if span["first_date"] + pd.Timedelta(days=WASHOUT) <= debut <= span["last_date"]
            and span["market"] not in set(first["market"])
        }
        until = min([longest, *ends.values()])
        if not ends or until < 1:
            continue
        days = {row.market: (row.entry - debut).days for row in own.itertuples()}
        found[str(track)] = (until, {m: day for m, day in days.items() if day == 0 or (m in ends and day <= until)})
    return found


@pytest.mark.parametrize("name", ["damaged", pytest.param("homes", marks=pytest.mark.slow)])
def test_curves_are_those_of_lifelines_on_a_plain_twin(name: str) -> None:
    entries = draw(SILENT[name], tracks=250, seed=3).entries
    expected = followed(entries, HORIZON)
    assert len(expected) > 100
    lags = first_market_tables(Journeys.of(entries, HORIZON), horizon=HORIZON)["first_market_lags"]
    for extra in (1, 2, 3):
        nth = [sorted(day for day in own.values() if day)[extra - 1 : extra] for _, own in expected.values()]
        last = [day[0] if day else until for day, (until, _) in zip(nth, expected.values(), strict=True)]
        curve = KaplanMeierFitter().fit(last, [bool(day) for day in nth])
        row = lags[(lags["by"] == "all") & (lags["extra"] == extra)].iloc[0]
        assert (row["tracks"], row["entered"]) == (len(expected), sum(map(bool, nth)))
        assert row["share"] == pytest.approx(1 - curve.predict(HORIZON))
        at_once = [sum(day == 0 for day in own.values()) > extra for _, own in expected.values()]
        assert row["at_once"] == pytest.approx(np.mean(at_once))


@pytest.mark.parametrize("name", ["damaged", "popularity"])
def test_kinds_are_those_of_a_plain_twin(name: str) -> None:
    entries = draw(SILENT[name], tracks=250, seed=4).entries
    expected = [own for until, own in followed(entries, HORIZON).values() if until >= WINDOW]
    kinds = []
    for own in expected:
        days = sorted(day for day in own.values() if day <= WINDOW)
        later = days[1:]
        half = next((day for day in later if 2 * sum(one <= day for one in later) >= len(later)), None)
        crossed = len({CONTINENT[market] for market, day in own.items() if day <= WINDOW})
        pace = "instant" if half == 0 else "fast" if half is not None and half <= 7 else "slow"
        kinds.append(STAYS if half is None else f"{pace} {'global' if crossed >= GLOBAL else 'regional'}")
    journeys = Journeys.of(entries, HORIZON).whole(WINDOW)
    table = kinds_table(journeys).set_index("kind")
    assert table["tracks"].to_dict() == {name: kinds.count(name) for name in NAMES}
    assert table["share"].sum() == pytest.approx(1)
    drawn = courses(journeys, kind_of(journeys.half_day, journeys.crossed), list(NAMES), WINDOW)
    slow = [own for own, kind in zip(expected, kinds, strict=True) if kind == "slow regional"]
    row = drawn[(drawn["kind"] == "slow regional") & (drawn["days"] == 20)].iloc[0]
    assert row["median"] == np.median([sum(day <= 20 for day in own.values()) for own in slow])


def test_a_track_is_censored_where_a_market_ends_that_it_could_have_entered(write_csv: WriteCsv) -> None:
    tracks = {"United States": {"a": 40, "b": 50}, "Sweden": {"a": 45}, "Norway": {"b": 50}}
    rows = steady(120, tracks)
    last = sorted({row["date"] for row in rows})[59]
    kept = [row for row in rows if row["region"] != "Sweden" or row["date"] <= last]
    with open_charts(write_csv(kept)) as charts:
        journeys = Journeys.of(charts.entries(), HORIZON)
    assert journeys.until.tolist() == [19, 9]  # Sweden ends on day 59
    assert journeys.day_of(1).tolist() == [5, NEVER]
    assert journeys.footprint.tolist() == [1, 2]
    with pytest.raises(DataSaysNoError, match="no track was followed for 60 days after a timed debut"):
        journeys.whole(60)


def test_one_market_has_no_journeys(write_csv: WriteCsv) -> None:
    with open_charts(write_csv(steady(120, {"Sweden": {"a": 40}}))) as charts:
        entries = charts.entries()
    with pytest.raises(DataSaysNoError, match="no track has a timed debut on a day when another market was observed"):
        Journeys.of(entries, HORIZON)


def planted(tracks: int, seed: int, *, per_artist: float = 1.5) -> tuple[Entries, np.ndarray]:
    """Return entries with three kinds of journeys among tracks that stay, and the kind of each track.

    0: a dozen markets in the first days; 1: a few neighbours in the first week; 2: a few markets over weeks; 3: stays.
    """
    rng, many, days = np.random.default_rng(seed), 30, 400
    codes, continent = MARKETS[:many], CONTINENT[list(MARKETS[:many])].to_numpy()
    kind = rng.choice(4, tracks, p=[0.06, 0.15, 0.15, 0.64])
    home = rng.integers(0, many, tracks)
    size = np.exp(rng.normal(np.log(np.array([12, 4, 5, 0.01]))[kind], 0.6)).astype(int)
    pull = rng.exponential(size=(tracks, many)) * np.where(continent[home][:, None] == continent, 1.0, 8.0)
    pull = np.where(kind[:, None] == 1, pull, rng.random((tracks, many)))
    pull[np.arange(tracks), home] = np.inf
    chosen = pull.argsort(axis=1).argsort(axis=1) < size[:, None]
    ages = np.stack(
        [
            rng.choice([0.0, 1.0], (tracks, many), p=[0.7, 0.3]),
            2 + rng.gamma(2, 1.9, (tracks, many)),
            6 + rng.gamma(2, 16.0, (tracks, many)),
            np.full((tracks, many), np.inf),
        ]
    )[kind, np.arange(tracks)]
    entered = np.where(chosen, ages, np.inf)
    entered[np.arange(tracks), home] = 0
    entered += np.floor(rng.uniform(35, days - 70, tracks))[:, None]
    names = {
        "track_id": [f"t{track:07d}" for track in range(tracks)],
        "artist": [f"a{number}" for number in rng.integers(0, int(tracks / per_artist), tracks)],
    }
    entries = charted(entered, tuple(codes), np.ones((days, many), np.bool_))
    return replace(entries, described=pa.table(names)), kind


def points_of(entries: Entries, rng: np.random.Generator) -> tuple[Journeys, Points]:
    window = entries.calendar.default_window
    journeys = Journeys.of(entries, window).whole(window)
    far = journeys.only(journeys.reach >= LEAST_REACH)
    return far, Points.of(far, rng)


def tried(entries: Entries, seed: int = 0) -> Tried:
    rng = np.random.default_rng(seed)
    return tell_apart(points_of(entries, rng)[1], rng)


def test_planted_kinds_are_found_and_named() -> None:
    entries, kind = planted(4_000, 1)
    rng = np.random.default_rng(0)
    journeys, points = points_of(entries, rng)
    found = tell_apart(points, rng)
    assert found.kinds == 3
    JOURNEY_VALLEYS.conform(pa.Table.from_pandas(found.table, preserve_index=False))
    clusters = clustered(points, 3, rng)
    table = clusters_table(journeys, clusters)
    JOURNEY_STABILITY.conform(pa.Table.from_pandas(table, preserve_index=False))
    assert {*table["name"]} == {"instant global", "fast regional", "slow global"}
    assert (table["jaccard"] > 0.9).all()
    truth = kind[[int(name[1:]) for name in journeys.names]]
    known = table["name"].map({"instant global": 0, "fast regional": 1, "slow global": 2}).to_numpy()
    assert (known[clusters.cluster] == truth).mean() > 0.9


@pytest.mark.slow
def test_an_unstable_cluster_has_no_name() -> None:
    rng = np.random.default_rng(0)
    journeys, points = points_of(planted(1_500, 2)[0], rng)
    table = clusters_table(journeys, clustered(points, 6, rng))
    assert UNNAMED in set(table["name"])
    assert ((table["name"] == UNNAMED) == (table["jaccard"] < 0.75)).all()


def test_one_kind_is_not_told_apart() -> None:
    found = tried(world("popularity-falling", tracks=3_000, markets=12, seed=1).entries)
    assert found.kinds == 1
    assert not found.table["apart"].any()


@pytest.mark.slow
def test_the_tracks_of_one_artist_are_no_kind() -> None:
    entries, kind = planted(4_000, 3)
    # all slow journeys are of one artist; the rest stays or goes fast, or at once
    one = pa.array(np.where(kind == 2, "one", [f"a{track}" for track in range(4_000)]))
    alone = replace(entries, described=entries.described.set_column(1, "artist", one))
    assert tried(alone).kinds == 2
    names = alone.described["track_id"].to_numpy()[np.isin(kind, [1, 2, 3])]
    assert tried(alone.subset(tracks=names.tolist())).kinds == 1


def test_few_artists_are_not_clustered() -> None:
    with pytest.raises(DataSaysNoError, match="it takes 40 to look for kinds of journeys"):
        tried(planted(100, 0)[0])


def test_a_valley_is_tested_by_the_binomial_distribution() -> None:
    assert Valley(10, 10, 10).p > 0.5
    assert Valley(70, 0, 40).p == pytest.approx((4 / 7) ** 40)
    assert Valley(70, 20, 40).depth == 0.5
    assert np.isinf(Valley(0, 3, 5).depth)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["normal", "skewed", "flat", "narrow"])
def test_clouds_with_one_summit_have_no_valley_at_the_rate_of_the_test(shape: str) -> None:
    rng, rounds, wrong = np.random.default_rng(5), 200, 0
    for _ in range(rounds):
        cloud = {
            "normal": rng.normal(size=(600, 2)),
            "skewed": rng.gamma(1.0, size=(600, 2)),
            "flat": rng.random((600, 2)),
            "narrow": rng.normal(size=(600, 2)) @ np.array([[1.0, 0.95], [0.0, 0.3]]),
        }[shape]
        wrong += halved(Points(cloud, np.arange(600)), 2, rng).p <= 0.05
    assert wrong <= 0.05 * rounds


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_no_world_of_one_kind_has_several(name: str) -> None:
    sizes = ((300, 12), (3_000, 12), (3_000, 30), (20_000, 30))
    for (tracks, markets), seed in ((size, seed) for size in sizes for seed in (0, 1)):
        entries = world(name, tracks=tracks, markets=markets, seed=seed).entries
        try:
            assert tried(entries, seed).kinds == 1, (tracks, markets, seed)
        except DataSaysNoError as error:
            assert tracks == 300, error  # only small worlds may be too small


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tracks", "kinds"), [(300, {1, 2}), (1_000, {2, 3}), (3_000, {2, 3}), (4_000, {3}), (20_000, {3})]
)
@pytest.mark.parametrize("per_artist", [1.5, 4.0])
def test_planted_kinds_are_found_where_there_are_enough(tracks: int, kinds: set[int], per_artist: float) -> None:
    assert {tried(planted(tracks, seed, per_artist=per_artist)[0], seed).kinds for seed in range(4)} <= kinds
