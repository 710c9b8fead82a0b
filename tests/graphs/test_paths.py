"""The graph in time: transitions as they happened, edges by period, ways of one track, routes along direct edges."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice, pairwise
from pathlib import Path
from statistics import median

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffusion
from diffusion.timelines import NEVER, Timelines
from graphs.journeys.paths import Ways, route, ways
from graphs.journeys.slices import By
from graphs.journeys.stream import period_edges, transition_stream
from tests import twins
from tests.random_charts import EXAMPLES, Study, day, studies
from tests.twins import Row

QUICK = settings(EXAMPLES, max_examples=10)

ROUNDING = 1e-12
"""Both sides add and multiply a handful of numbers, in other orders."""

WINDOWS = st.sampled_from([1, 7, 14, 30, 60])
STEADY = {market: range(110) for market in ("FI", "MT", "SE", "US")}
"""Four markets observed every day."""

TRIP = {"x": {"SE": 30, "FI": 30, "US": 33, "MT": 40}, "y": {"US": 50, "SE": 52}}
"""x begins in Finland and Sweden and goes to the United States, then to Malta; y from the United States to Sweden."""


def entered_on(
    observed: Mapping[str, Sequence[int]], entered: Mapping[str, Mapping[str, int]], *, washout: int = 0
) -> Study:
    """Return entries on given days, as `tests.random_charts.study` does, but quick with many markets and days."""
    bare = Study(observed, [], washout)
    seen = {(row["market"], row["date"]): row for row in bare.coverage}
    first = {(row["market"], row["span"]): row["first_date"] for row in bare.spans}
    table = []
    for track_id, own in sorted(entered.items()):
        for market, number in sorted(own.items()):
            chart = seen[market, day(number)]
            past = first[market, chart["span"]] + timedelta(washout)
            row = {"track_id": track_id, "market": market, "chart": "top200", "entry": day(number)}
            row |= {"last_without": chart["previous"], "rank": 1, "streams": None}
            table.append(row | {"left_censored": day(number) < past})
    return Study(observed, table, washout)


def busy(seed: int) -> Study:
    """Return a dozen tracks that go about five markets, with launches, coarse charts, gaps, ties and washouts."""
    rng = np.random.default_rng(seed)
    observed = {}
    for market in ("FI", "MT", "NO", "SE", "US"):
        days = range(int(rng.integers(0, 12)), int(rng.integers(80, 120)), int(rng.choice([1, 1, 2, 3, 7])))
        hole = int(rng.integers(30, 70))
        length = int(rng.choice([0, 0, 6, 40]))
        observed[market] = [number for number in days if not hole <= number < hole + length]
    entered = {}
    for track in range(12):
        base = int(rng.integers(0, 60))
        lags = rng.choice([0, 0, 1, 2, 4, 7, 10, 20, 45], size=5)
        later = {m: [n for n in own if n >= base + lag] for (m, own), lag in zip(observed.items(), lags, strict=True)}
        entered[f"t{track}"] = {m: days[0] for m, days in later.items() if days and rng.random() < 0.8} or {
            "SE": observed["SE"][-1]
        }
    return entered_on(observed, entered, washout=int(rng.choice([0, 0, 3, 14])))


def moved(example: Study, by: int) -> tuple[Timelines, list[Row], list[Row]]:
    """Return an example's timelines, entries and stretches, all `by` days later."""
    lines = example.open().timelines
    before = np.where(lines.last_without == NEVER, NEVER, lines.last_without + by).astype(np.int32)
    days = {name: getattr(lines, name) + np.int32(by) for name in ("day", "debut", "span_first", "span_last")}
    rows = [_moved(row, by, "entry", "last_without") for row in example.entries]
    return (
        replace(lines, last_without=before, **days),
        rows,
        [_moved(r, by, "first_date", "last_date") for r in example.spans],
    )


def _moved(row: Row, by: int, *names: str) -> Row:
    return row | {name: row[name] and row[name] + timedelta(by) for name in names}


# ── stream ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def slow_stream(entered: Sequence[Row], stretches: Sequence[Row], washout: int, window: int) -> list[Row]:
    """Return every transition: both timed, order observed, within the window, the target watched all the while."""
    table = []
    for own in twins.timed_journeys(entered):
        for a, first in own.items():
            for b, then in own.items():
                lag = twins.days_between(first["entry"], then["entry"])
                span = twins.is_covered(stretches, b, first["entry"], washout)
                censored = first["left_censored"] or then["left_censored"]
                if a == b or censored or span is None or not twins.order_observed(first, then):
                    continue
                if 0 < lag <= window and then["entry"] <= span["last_date"]:
                    before = first["last_without"]
                    table.append(
                        {
                            "track_id": first["track_id"],
                            "source": a,
                            "target": b,
                            "entry": first["entry"],
                            "arrival": then["entry"],
                            "lag": lag,
                            "lag_low": twins.days_between(first["entry"], then["last_without"]),
                            "lag_high": before and twins.days_between(before, then["entry"]),
                        }
                    )
    return twins.ordered(table, "arrival", "entry", "track_id", "source", "target")


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return a table as rows: dates as dates, what is missing as None."""
    plain = table.astype(object).where(table.notna(), None)
    rows: list[Row] = plain.to_dict("records")
    return [{k: v.date() if isinstance(v, pd.Timestamp) else v for k, v in row.items()} for row in rows]


@QUICK
@given(example=studies(), window=WINDOWS)
def test_the_stream_is_that_of_the_twin(example: Study, window: int) -> None:
    expected = slow_stream(example.entries, example.spans, example.washout, window)
    lines = example.open().timelines
    if expected:
        assert rows_of(transition_stream(lines, window)) == expected
    else:
        with pytest.raises(diffusion.DataSaysNoError, match="no transition between"):
            transition_stream(lines, window)


@pytest.mark.parametrize("seed", range(10))
def test_the_stream_of_busy_charts_is_that_of_the_twin(seed: int) -> None:
    example, window = busy(seed), (3, 7, 14, 30, 60)[seed % 5]
    expected = slow_stream(example.entries, example.spans, example.washout, window)
    assert len(expected) > 1
    assert rows_of(transition_stream(example.open().timelines, window)) == expected


def test_a_stream_by_hand() -> None:
    stream = transition_stream(entered_on(STEADY, TRIP).open().timelines, 7)
    assert list(zip(stream["track_id"], stream["source"], stream["target"], stream["lag"], strict=True)) == [
        ("x", "FI", "US", 3),
        ("x", "SE", "US", 3),
        ("x", "US", "MT", 7),
        ("y", "US", "SE", 2),
    ]
    first = stream.iloc[0]
    assert (first["entry"].date(), first["arrival"].date()) == (day(30), day(33))
    assert (first["lag_low"], first["lag_high"]) == (2, 4)


def test_the_true_lag_is_within_its_bounds() -> None:
    """Markets seen every third day: where the true days are known, the bounds hold them."""
    rng = np.random.default_rng(3)
    observed = {market: range(start, 120, 3) for start, market in enumerate(("FI", "SE", "US"))}
    true = {f"t{n}": dict(zip(observed, rng.integers(20, 60, 3).tolist(), strict=True)) for n in range(40)}
    seen = {t: {m: min(n for n in observed[m] if n >= at) for m, at in own.items()} for t, own in true.items()}
    stream = transition_stream(entered_on(observed, seen).open().timelines, 60)
    lags = [true[row.track_id][row.target] - true[row.track_id][row.source] for row in stream.itertuples()]
    assert len(lags) > 50
    assert ((stream["lag_low"] < lags) & (lags < stream["lag_high"])).all()


def test_before_the_first_chart_nothing_bounds_the_lag() -> None:
    stream = transition_stream(entered_on(STEADY, {"x": {"SE": 0, "US": 5}}).open().timelines, 7)
    assert stream["lag_high"].isna().all()
    assert stream["lag_low"].tolist() == [4]


# ── periods ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def slow_periods(entered: Sequence[Row], stretches: Sequence[Row], washout: int, window: int, by: str) -> list[Row]:
    """Return the edges of every period: the transitions of the tracks whose debut is in it."""
    period = {row["track_id"]: _period(row["debut"], by) for row in twins.debuts(entered)}
    table = []
    for name in sorted(set(period.values())):
        own = [row for row in entered if period[row["track_id"]] == name]
        joint = {(row["source"], row["target"]): row["joint"] for row in twins.ties(own)}
        followed = twins.exposures(own, stretches, washout=washout, window=window)
        for (source, target), exposed in sorted(followed.items()):
            lags = [days for days, arrived in exposed if arrived]
            if lags:
                start, end = _bounds(name)
                table.append(
                    {
                        "period": name,
                        "start": start,
                        "end": end,
                        "source": source,
                        "target": target,
                        "tracks": len(lags),
                        "joint": joint.get((source, target), 0),
                        "exposed": len(exposed),
                        "lag_median": median(lags),
                    }
                )
    return table


def _period(debut: date, by: str) -> str:
    return str(debut.year) if by == "year" else f"{debut.year}Q{(debut.month + 2) // 3}"


def _bounds(period: str) -> tuple[date, date]:
    year = int(period[:4])
    if "Q" not in period:
        return date(year, 1, 1), date(year, 12, 31)
    ends = {"1": (1, 3, 31), "2": (4, 6, 30), "3": (7, 9, 30), "4": (10, 12, 31)}
    first, last, days = ends[period[-1]]
    return date(year, first, 1), date(year, last, days)


@pytest.mark.parametrize("by", ["year", "quarter"])
@pytest.mark.parametrize("seed", range(10))
def test_period_edges_are_those_of_the_twin(seed: int, by: By) -> None:
    example, window = busy(seed), (3, 7, 14, 30, 60)[seed % 5]
    lines, entered, stretches = moved(example, -30)
    expected = slow_periods(entered, stretches, example.washout, window, by)
    assert len({row["period"] for row in expected}) == 2 or window == 3
    assert rows_of(period_edges(lines, window, by)) == expected


def test_a_transition_counts_to_the_period_of_the_debut() -> None:
    lines, *_ = moved(entered_on(STEADY, {"old": {"SE": 30, "US": 33}, "new": {"SE": 32, "US": 36}}), -31)
    years = period_edges(lines, 7)
    assert years[["period", "source", "target", "tracks", "exposed", "lag_median"]].to_numpy().tolist() == [
        ["2020", "SE", "US", 1, 1, 3.0],
        ["2021", "SE", "US", 1, 1, 4.0],
    ]
    assert period_edges(lines, 7, "quarter")["period"].tolist() == ["2020Q4", "2021Q1"]
    assert years["end"].dt.date.tolist() == [date(2020, 12, 31), date(2021, 12, 31)]


@pytest.mark.slow
def test_periods_add_up_to_the_transitions(real_data: Path) -> None:
    with diffusion.open_charts(real_data / "viral50-weekly-2017-2020") as charts:
        entries = charts.entries()
    whole = diffusion.transitions(entries, window=56).set_index(["source", "target"])
    table = period_edges(entries.timelines, 56, "quarter")
    assert table["period"].nunique() > 10
    summed = table.groupby(["source", "target"])[["tracks", "joint", "exposed"]].sum()
    pd.testing.assert_series_equal(summed["tracks"], whole["tracks"][whole["tracks"] > 0], check_dtype=False)
    assert (summed <= whole.loc[summed.index, ["tracks", "joint", "exposed"]]).all(axis=None)
    assert len(transition_stream(entries.timelines, 56)) == whole["tracks"].sum()


def test_what_the_stream_cannot_be_made_of() -> None:
    lines = entered_on(STEADY, TRIP).open().timelines
    for window in (0, -1, 10**6):
        with pytest.raises(diffusion.SettingError, match="window is"):
            transition_stream(lines, window)
        with pytest.raises(diffusion.SettingError, match="window is"):
            period_edges(lines, window)
    with pytest.raises(diffusion.SettingError, match="by 'week' are not known"):
        period_edges(lines, 7, "week")  # type: ignore[arg-type]
    nothing = [
        entered_on({"SE": range(100)}, {"x": {"SE": 30}}),  # one market
        entered_on(STEADY, {"x": {"SE": 30, "US": 30}}),  # only ties
        entered_on(STEADY, {}),
        entered_on(STEADY, TRIP, washout=200),  # nothing timed
    ]
    for example in nothing:
        with pytest.raises(diffusion.DataSaysNoError, match="no transition between"):
            transition_stream(example.open().timelines, 60)
        with pytest.raises(diffusion.DataSaysNoError, match="no transition between"):
            period_edges(example.open().timelines, 60)


# ── ways of one track ────────────────────────────────────────────────────────────────────────────────────────────────

Path_ = tuple[tuple[str, ...], bool, float]
"""Markets from the start to the target, whether the start is in the footprint, and the probability."""


def equal_credits(own: Mapping[str, Row], window: int) -> dict[str, dict[str | None, float]]:
    """Return "1/(timed markets entered strictly before b within w) to each", by market outside the footprint."""
    debut = min(row["entry"] for row in own.values())
    credits: dict[str, dict[str | None, float]] = {}
    for b, then in own.items():
        if then["left_censored"] or then["entry"] == debut:
            continue
        before = [
            a
            for a, first in own.items()
            if not first["left_censored"]
            and twins.order_observed(first, then)
            and twins.days_between(first["entry"], then["entry"]) <= window
        ]
        credits[b] = dict.fromkeys(before, 1 / len(before)) if before else {None: 1.0}
    return credits


def all_ways(credits: Mapping[str, Mapping[str | None, float]], target: str) -> Iterator[Path_]:
    """Yield every way by which the target may have got the track."""
    if target not in credits:
        yield (target,), True, 1.0
        return
    for sender, credit in credits[target].items():
        if sender is None:
            yield (target,), False, credit
        elif credit > 0:
            for path, footprint, probability in all_ways(credits, sender):
                yield (*path, target), footprint, probability * credit


def assert_ways(found: Ways, credits: Mapping[str, Mapping[str | None, float]], target: str) -> None:
    """Compare the ways to a target with all that there are."""
    every = [way for way in all_ways(credits, target) if way[2] > 0]
    assert sum(way[2] for way in every) == pytest.approx(1.0, abs=ROUNDING)
    markets = {market for path, _, _ in every for market in path}
    table = found.through.set_index("market")
    assert set(table.index) == markets
    for market in markets:
        through = sum(p for path, _, p in every if market in path)
        began = sum(p for path, _, p in every if path[0] == market)
        assert table.loc[market, ["through", "began"]].tolist() == pytest.approx([through, began], abs=ROUNDING)
        assert table.loc[market, "footprint"] == (market not in credits)
    best = max((p for _, footprint, p in every if footprint), default=0.0)
    assert found.probability == pytest.approx(best, abs=ROUNDING)
    walked = tuple(found.path["market"])
    assert (walked in {path for path, footprint, p in every if footprint and p > best - ROUNDING}) == (best > 0)
    assert found.path["from"].tolist() == [None, *walked][: len(walked)]
    assert math.prod(found.path["share"]) == pytest.approx(best if walked else 1.0, abs=ROUNDING)
    senders = {None if pd.isna(s) else s: share for s, share in found.senders[["source", "share"]].to_numpy().tolist()}
    assert senders == pytest.approx({s: c for s, c in credits.get(target, {}).items() if c > 0}, abs=ROUNDING)


@pytest.mark.parametrize("credited", [False, True])
@pytest.mark.parametrize("seed", [2, 3, 4, 8, 9])
def test_ways_are_those_of_the_twin(seed: int, credited: bool) -> None:
    example, window, rng = busy(seed), (7, 14, 30, 60, 90)[seed % 5], np.random.default_rng(seed)
    lines = example.open().timelines
    for own in twins.timed_journeys(example.entries)[credited::2]:
        credits = equal_credits(own, window)
        table = None
        if credited:
            credits = {market: _drawn(before, rng) for market, before in credits.items()}
            table = _credit_table(next(iter(own.values()))["track_id"], credits)
        for market, entry in own.items():
            if entry["left_censored"]:
                with pytest.raises(diffusion.DataSaysNoError, match="within the washout"):
                    ways(lines, entry["track_id"], market, window, credits=table)
            else:
                assert_ways(ways(lines, entry["track_id"], market, window, credits=table), credits, market)


def _drawn(before: Mapping[str | None, float], rng: np.random.Generator) -> dict[str | None, float]:
    """Return random credits for the same senders and for none that was seen, some of them 0."""
    senders = [*(a for a in before if a is not None), None]
    drawn = rng.dirichlet(np.ones(len(senders))) * (rng.random(len(senders)) < 0.8)
    drawn[-1] = max(0.0, 1 - drawn[:-1].sum())
    return dict(zip(senders, drawn.tolist(), strict=True))


def _credit_table(track_id: str, credits: Mapping[str, Mapping[str | None, float]]) -> pd.DataFrame:
    rows = [(track_id, market, source, c) for market, before in credits.items() for source, c in before.items()]
    other = ("another", "SE", "US", 7.0)  # of a track that is not asked for
    return pd.DataFrame([*rows, other], columns=["track_id", "market", "source", "credit"])


def chain(markets: int, rng: np.random.Generator) -> tuple[Study, pd.DataFrame]:
    """Return one track that enters many markets a day apart, and credits among them."""
    codes = sorted(diffusion.reference_table()["market"])[:markets]
    example = entered_on({code: range(markets + 40) for code in codes}, {"x": {c: 30 + i for i, c in enumerate(codes)}})
    rows = []
    for at in range(1, markets):
        shares = rng.dirichlet(np.ones(at + 1))
        rows += [("x", codes[at], source, c) for source, c in zip([*codes[:at], None], shares, strict=True)]
    return example, pd.DataFrame(rows, columns=["track_id", "market", "source", "credit"])


def test_ways_agree_with_networkx_and_the_fundamental_matrix() -> None:
    """The best way is a shortest path in −log credit; the ways are a Markov chain that ends where they begin."""
    example, credits = chain(40, np.random.default_rng(5))
    lines = example.open().timelines
    target = lines.markets[-1]
    found = ways(lines, "x", target, 60, credits=credits)
    sent = credits.dropna(subset=["source"])
    graph = nx.DiGraph()
    graph.add_weighted_edges_from((a, b, -math.log(c)) for b, a, c in sent[["market", "source", "credit"]].to_numpy())
    assert found.path["market"].tolist() == nx.shortest_path(graph, lines.markets[0], target, weight="weight")
    length = nx.shortest_path_length(graph, lines.markets[0], target, weight="weight")
    assert found.probability == pytest.approx(math.exp(-length), rel=1e-9)
    steps = sent.pivot_table(index="market", columns="source", values="credit", fill_value=0.0)
    steps = steps.reindex(index=lines.markets, columns=lines.markets, fill_value=0.0).to_numpy()
    visits = np.linalg.inv(np.eye(40) - steps)[-1]
    np.testing.assert_allclose(found.through["through"], visits, atol=1e-12)
    assert found.through["began"].sum() == pytest.approx(1.0, abs=ROUNDING)


def test_a_way_by_hand() -> None:
    lines = entered_on(STEADY, TRIP).open().timelines
    found = ways(lines, "x", "Malta", 30)
    assert rows_of(found.senders) == [
        {"source": "FI", "entry": day(30), "lag": 10, "share": 1 / 3},
        {"source": "SE", "entry": day(30), "lag": 10, "share": 1 / 3},
        {"source": "US", "entry": day(33), "lag": 7, "share": 1 / 3},
    ]
    assert found.path["market"].tolist() == ["FI", "MT"]  # as probable as from Sweden: the first code
    assert found.probability == pytest.approx(1 / 3)
    assert found.through["market"].tolist() == ["FI", "SE", "US", "MT"]
    assert found.through["through"].tolist() == pytest.approx([0.5, 0.5, 1 / 3, 1])
    assert found.through["began"].tolist() == pytest.approx([0.5, 0.5, 0, 0])
    near = ways(lines, "x", "MT", 7)
    assert near.path[["step", "market", "share"]].to_numpy().tolist() == [
        [1, "FI", 1.0],
        [2, "US", 0.5],
        [3, "MT", 1.0],
    ]
    assert near.probability == 0.5


def test_a_footprint_has_no_sender_and_a_late_entry_no_way() -> None:
    lines = entered_on(STEADY, {"x": {"SE": 30, "US": 100}}).open().timelines
    begun = ways(lines, "x", "SE", 60)
    assert (len(begun.senders), begun.path["market"].tolist(), begun.probability) == (0, ["SE"], 1.0)
    alone = ways(lines, "x", "US", 60)
    assert (len(alone.path), alone.probability) == (0, 0.0)
    assert rows_of(alone.senders) == [{"source": None, "entry": None, "lag": None, "share": 1.0}]
    assert rows_of(alone.through) == [
        {"market": "US", "entry": day(100), "footprint": False, "through": 1.0, "began": 1.0}
    ]


def test_ways_that_cannot_be_asked_for() -> None:
    lines = entered_on(STEADY, TRIP | {"Ω <x>": {"SE": 40}}).open().timelines
    assert ways(lines, "Ω <x>", "SE", 7).probability == 1.0
    with pytest.raises(diffusion.DataSaysNoError, match="track 'zz' has no entry"):
        ways(lines, "zz", "SE", 7)
    with pytest.raises(diffusion.DataSaysNoError, match="did not enter MT; it entered SE, US"):
        ways(lines, "y", "MT", 7)
    with pytest.raises(diffusion.UnknownMarketError, match="'Swedn'; did you mean 'Sweden'"):
        ways(lines, "x", "Swedn", 7)
    with pytest.raises(diffusion.SettingError, match="window is 0 days"):
        ways(lines, "x", "MT", 0)
    with pytest.raises(diffusion.DataSaysNoError, match="debut of track 'x' falls within the washout"):
        ways(entered_on(STEADY, TRIP, washout=32).open().timelines, "x", "MT", 7)
    empty = entered_on(STEADY, {}).open().timelines
    with pytest.raises(diffusion.DataSaysNoError, match="has no entry"):
        ways(empty, "x", "SE", 7)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("MT", "US", 0.5)], "for MT add up to 0.5, not to 1"),
        ([("MT", "US", 1.5), ("MT", "SE", -0.5)], "not one number from 0 to 1"),
        ([("MT", "US", math.nan), ("MT", "SE", 1.0)], "not one number from 0 to 1"),
        ([("MT", "US", 0.5), ("MT", "US", 0.5)], "not one number from 0 to 1"),
        ([("US", "MT", 1.0)], "MT→US, but that order was not observed"),
        ([("SE", "FI", 1.0)], "FI→SE, but that order was not observed"),
        ([("MT", "NO", 1.0)], "NO→MT, but that order was not observed"),
    ],
)
def test_credits_that_cannot_be(rows: list[tuple[str, str, float]], message: str) -> None:
    table = pd.DataFrame(rows, columns=["market", "source", "credit"]).assign(track_id="x")
    lines = entered_on(STEADY, TRIP).open().timelines
    with pytest.raises(diffusion.SettingError, match=message):
        ways(lines, "x", "MT", 7, credits=table)
    with pytest.raises(diffusion.SettingError, match="lack the column credit"):
        ways(lines, "x", "MT", 7, credits=table.drop(columns="credit"))


# ── routes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def random_edges(seed: int, markets: int = 6) -> pd.DataFrame:
    """Return direct edges, some with credits of 0 or missing, in random order."""
    rng = np.random.default_rng(seed)
    codes = sorted(diffusion.reference_table()["market"])[:markets]
    pairs = [(a, b) for a in codes for b in codes if a != b]
    share = rng.beta(0.5, 1.0, len(pairs))
    share[rng.random(len(pairs)) < 0.3] = 0.0
    share[rng.random(len(pairs)) < 0.1] = math.nan
    table = pd.DataFrame(pairs, columns=["source", "target"])
    table = table.assign(credits_per_entry=share, lag_median=rng.integers(1, 30, len(pairs)) / 2)
    return table.sample(frac=1, random_state=seed)


def slow_routes(edges: pd.DataFrame, source: str, target: str) -> list[tuple[float, list[str]]]:
    """Return every route, the most probable first, by walking all simple paths."""
    probability = {(e.source, e.target): e.credits_per_entry for e in edges.itertuples() if e.credits_per_entry > 0}
    found, open_walks = [], [[source]]
    while open_walks:
        walk = open_walks.pop()
        if walk[-1] == target:
            found.append((math.prod(probability[step] for step in pairwise(walk)), walk))
            continue
        open_walks += [[*walk, b] for a, b in probability if a == walk[-1] and b not in walk]
    return sorted(found, reverse=True)


@pytest.mark.parametrize("seed", range(12))
def test_routes_are_those_of_the_twin(seed: int) -> None:
    edges = random_edges(seed)
    codes = sorted(set(edges["source"]))
    days = edges.set_index(["source", "target"])["lag_median"]
    expected = slow_routes(edges, codes[0], codes[-1])
    table = route(edges, codes[0], codes[-1], k=5)
    routes = [rows for _, rows in table.groupby("route")]
    assert len(routes) == min(5, len(expected))
    for rows, (probability, walk) in zip(routes, expected, strict=False):
        assert [*rows["source"], rows["target"].iloc[-1]] == walk
        assert rows["step"].tolist() == list(range(1, len(walk)))
        assert rows["route_probability"].to_numpy() == pytest.approx(probability, rel=1e-9)
        assert rows["probability"].prod() == pytest.approx(probability, rel=1e-9)
        assert rows["days"].tolist() == [sum(days[step] for step in pairwise(walk))] * len(rows)
        assert rows["lag_median"].tolist() == [days[step] for step in pairwise(walk)]


def test_routes_agree_with_networkx() -> None:
    edges = random_edges(1, markets=30)
    codes = sorted(set(edges["source"]))
    there = edges.loc[edges["credits_per_entry"] > 0, ["source", "target", "credits_per_entry"]]
    graph = nx.DiGraph()
    graph.add_weighted_edges_from((a, b, -math.log(share)) for a, b, share in there.to_numpy())
    expected = [*islice(nx.shortest_simple_paths(graph, codes[3], codes[20], weight="weight"), 10)]
    table = route(edges, codes[3], codes[20], k=10)
    assert [[rows["source"].iloc[0], *rows["target"]] for _, rows in table.groupby("route")] == expected


def hand_edges() -> pd.DataFrame:
    """Return direct edges: SE → US → MT beats SE → MT; FI is reached from nowhere."""
    rows = [("SE", "US", 0.8, 3.0), ("US", "MT", 0.5, 4.5), ("SE", "MT", 0.1, 20.0), ("FI", "SE", 0.5, math.nan)]
    return pd.DataFrame(rows, columns=["source", "target", "credits_per_entry", "lag_median"])


def test_a_route_by_hand() -> None:
    table = route(hand_edges(), "Sweden", "Malta")
    assert table[["route", "step", "source", "target"]].to_numpy().tolist() == [
        [1, 1, "SE", "US"],
        [1, 2, "US", "MT"],
        [2, 1, "SE", "MT"],
    ]
    assert table["route_probability"].tolist() == pytest.approx([0.4, 0.4, 0.1])
    assert table["days"].tolist() == [7.5, 7.5, 20.0]
    assert len(route(hand_edges(), "SE", "MT", k=1)) == 2
    missing = route(hand_edges(), "FI", "US")
    assert missing["days"].isna().all() and missing["route_probability"].notna().all()


def test_very_weak_and_very_strong_edges() -> None:
    weak = hand_edges().assign(credits_per_entry=[1e-300, 1.0, 1e-310, 1.0])
    table = route(weak, "SE", "MT")
    assert table["target"].tolist() == ["US", "MT", "MT"]
    assert table["route_probability"].tolist() == pytest.approx([1e-300, 1e-300, 1e-310])
    assert route(weak, "FI", "SE")["probability"].tolist() == [1.0]


def test_routes_that_cannot_be_asked_for() -> None:
    edges = hand_edges()
    with pytest.raises(diffusion.SettingError, match="k is 0"):
        route(edges, "SE", "MT", k=0)
    with pytest.raises(diffusion.SettingError, match="both are SE"):
        route(edges, "SE", "Sweden")
    with pytest.raises(diffusion.SettingError, match="lack the column credits_per_entry"):
        route(edges.drop(columns="credits_per_entry"), "SE", "MT")
    with pytest.raises(diffusion.SettingError, match="outside 0 … 1"):
        route(edges.assign(credits_per_entry=1.5), "SE", "MT")
    with pytest.raises(diffusion.SettingError, match="stands twice"):
        route(pd.concat([edges, edges]), "SE", "MT")
    with pytest.raises(diffusion.UnknownMarketError, match="'Swedn'"):
        route(edges, "Swedn", "MT")
    with pytest.raises(diffusion.DataSaysNoError, match="to or from NO"):
        route(edges, "SE", "NO")
    with pytest.raises(diffusion.DataSaysNoError, match="leads from MT to FI"):
        route(edges, "MT", "FI")
    with pytest.raises(diffusion.DataSaysNoError, match="no direct edge leads"):
        route(edges.assign(credits_per_entry=0.0), "SE", "MT")
