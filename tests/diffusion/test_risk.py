"""Risk sets, waits and Kaplan–Meier: against plain twins, by blocks, and where every reason is worked by hand."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from numpy.typing import NDArray

from diffusion import Entries, SettingError, open_sample
from diffusion.contracts import WAITS, WITHHELD
from diffusion.pairs.counts import pair_counts
from diffusion.pairs.transitions import transition_table
from diffusion.pairs.variance import clusters_of_several
from diffusion.risk import waits
from diffusion.risk.follow_up import UNSEEN, End, FollowUp, longest_exposure
from diffusion.risk.kaplan_meier import KaplanMeier
from diffusion.risk.risk_set import RiskSet, exposure_risk, wait_risk, withheld_markets
from diffusion.timelines import Timelines
from tests import twins
from tests.random_charts import EXAMPLES, Study, day, studies, study

EXACT = 1e-12
"""Both sides multiply a few dozen numbers near 1."""


def all_waits(entries: Entries, horizon: int) -> RiskSet:
    """Return the risk set of all tracks, from their debuts on."""
    lines = entries.timelines
    unlicensed = withheld_markets(lines, entries.withheld)
    return wait_risk(lines, FollowUp.of_waits(lines, horizon), np.arange(len(lines.track_ids)), unlicensed)


def all_exposures(entries: Entries, window: int) -> RiskSet:
    """Return the risk set of all timed entries, from then on."""
    lines = entries.timelines
    follow_up = FollowUp.of_exposures(lines, window)
    assert longest_exposure(lines, window) == follow_up.longest
    return exposure_risk(lines, follow_up, np.flatnonzero(lines.timed))


def at_random(drawn: Study, seed: int) -> Entries:
    """Return entries in which one track and market in five has no licence."""
    entries, rng = drawn.open(), np.random.default_rng(seed)
    pairs = list(product(entries.timelines.track_ids.tolist(), entries.calendar.markets))
    lost = [pair for pair in pairs if rng.random() < 0.2]
    table = pa.Table.from_pylist([{"track_id": track, "market": market} for track, market in lost], WITHHELD.schema)
    return replace(entries, withheld=table)


# ── one by one ───────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(EXAMPLES, max_examples=40)
@given(drawn=studies(), horizon=st.sampled_from([1, 7, 30, 60, 180]), seed=st.integers(0, 9))
def test_waits_and_their_reasons_are_those_of_the_twin(drawn: Study, horizon: int, seed: int) -> None:
    entries = at_random(drawn, seed)
    lines, risk = entries.timelines, all_waits(entries, horizon)
    unlicensed = {(row["track_id"], row["market"]) for row in entries.withheld.to_pylist()}
    rows = twins.waits(drawn.entries, drawn.spans, unlicensed, washout=drawn.washout, horizon=horizon)
    waiting = {(row["track_id"], row["market"]): row for row in rows}
    own = twins.by_track(drawn.entries)
    for (i, track), (j, market) in product(enumerate(lines.track_ids), enumerate(lines.markets)):
        if lines.debut_censored[i]:
            continue
        wait, debut = waiting.get((track, market)), min(row["entry"] for row in own[track].values())
        end = End(risk.end[i, j])
        if wait is None:
            assert risk.days[i, j] == UNSEEN
            span = twins.first_at_risk(drawn.spans, market, debut, drawn.washout, horizon)
            licensed = (track, market) not in unlicensed
            assert end == (End.WITHHELD if not licensed else End.UNOBSERVED if span is None else End.THERE)
            continue
        assert (risk.start[i, j], risk.days[i, j]) == (wait["start"], wait["days"])
        later = [span for span in drawn.spans if span["market"] == market and span["first_date"] > debut +
                 timedelta(int(wait["days"]))]  # fmt: skip
        entry = own[track].get(market)
        if wait["entered"]:
            assert end == End.ENTERED
        elif wait["days"] == horizon:
            assert end == End.HORIZON
        elif not later:
            assert end == End.COVERAGE
        else:
            undated = entry is not None and entry["left_censored"]
            assert end == (End.GAP_BEFORE_ENTRY if undated else End.GAP)
    happened = zip(risk.event_row, risk.event_market, risk.event_entry, strict=True)
    seen = {(int(i), int(j)): int(number) for i, j, number in happened}
    assert seen.keys() == set(zip(*(part.tolist() for part in np.nonzero(risk.entered)), strict=True))
    for (i, j), number in seen.items():
        assert (lines.track[number], lines.market[number]) == (i, j)
        assert lines.day[number] - lines.debut[i] == risk.days[i, j]


@settings(EXAMPLES, max_examples=40)
@given(drawn=studies(), window=st.sampled_from([1, 7, 30, 60, 400]))
def test_exposures_are_those_of_the_twin(drawn: Study, window: int) -> None:
    entries = drawn.open()
    lines, risk = entries.timelines, all_exposures(entries, window)
    found: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    source = lines.market[np.flatnonzero(lines.timed)]
    for row, target in zip(*np.nonzero(risk.days != UNSEEN), strict=True):
        pair = lines.markets[source[row]], lines.markets[target]
        found.setdefault(pair, []).append((int(risk.days[row, target]), bool(risk.entered[row, target])))
    expected = twins.exposures(drawn.entries, drawn.spans, washout=drawn.washout, window=window)
    assert {pair: sorted(ends) for pair, ends in found.items()} == {p: sorted(ends) for p, ends in expected.items()}
    assert (risk.start == 0).all()


def test_every_reason() -> None:
    """Sweden is always observed; the United States end on day 69 and come back on day 100, washed out on day 128."""
    observed = {"SE": range(160), "US": [*range(70), *range(100, 160)], "FI": range(120, 160), "MT": range(160)}
    entered = {
        "entered": {"SE": 40, "US": 60},
        "horizon": {"SE": 40},
        "in the gap": {"SE": 60},
        "seen again": {"SE": 60, "US": 110},
        "seen late": {"SE": 60, "US": 140},
        "there": {"SE": 40, "US": 40},
        "withheld": {"SE": 40, "US": 50},
        "coverage": {"SE": 150},
    }
    drawn = study(observed, entered, washout=28)
    withheld = pa.table({"track_id": ["withheld", "nobody"], "market": ["US", "US"]})
    entries = replace(drawn.open(), withheld=withheld)
    lines, risk = entries.timelines, all_waits(entries, 25)
    us, fi = lines.markets.index("US"), lines.markets.index("FI")
    ends = {track: End(risk.end[i, us]) for i, track in enumerate(lines.track_ids)}
    assert ends == {
        "entered": End.ENTERED,
        "horizon": End.HORIZON,
        "in the gap": End.GAP,
        "seen again": End.GAP_BEFORE_ENTRY,
        "seen late": End.GAP,
        "there": End.THERE,
        "withheld": End.WITHHELD,
        "coverage": End.COVERAGE,
    }
    days = {track: int(risk.days[i, us]) for i, track in enumerate(lines.track_ids)}
    assert days == {
        "entered": 20, "horizon": 25, "in the gap": 9, "seen again": 9, "seen late": 9, "there": UNSEEN,
        "withheld": UNSEEN, "coverage": 9,
    }  # fmt: skip
    (number,) = risk.event_entry
    assert lines.last_without[number] == lines.day[number] - 1
    assert str(lines.day[number].astype("datetime64[D]")) == str(day(60))
    # Finland is washed out on day 148: a debut on day 40 never gets there within 25 days, one on day 150 does
    assert {End(end) for end in risk.end[lines.debut < lines.debut.max(), fi]} == {End.UNOBSERVED}
    assert End(risk.end[lines.track_ids.tolist().index("coverage"), fi]) == End.COVERAGE


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_follow_up_that_cannot_be_is_refused(days: int) -> None:
    lines = study({"SE": range(60)}, {"t": {"SE": 40}}).open().timelines
    with pytest.raises(SettingError, match=f"window is {days} days; it must be between 1 and 36,500"):
        FollowUp.of_exposures(lines, days)
    with pytest.raises(SettingError, match=f"horizon is {days} days; it must be between 1 and 36,500"):
        FollowUp.of_waits(lines, days)


# ── in blocks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_waits_of_disjoint_tracks_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks of any size, and in parts of the tracks by themselves."""
    with open_sample() as charts:
        entries = charts.entries()
    whole = entries.arrow("waits").combine_chunks()
    assert whole.num_rows > 100_000
    monkeypatch.setattr(waits, "TRACKS_AT_ONCE", 97)
    assert entries.arrow("waits").combine_chunks().equals(whole)
    ids = entries.timelines.track_ids
    halves = [entries.table.filter(pa.compute.is_in(entries.table["track_id"], pa.array(ids[at::2]))) for at in (0, 1)]
    parts = pa.concat_tables([replace(entries, table=half).arrow("waits") for half in halves])
    assert parts.sort_by([(name, "ascending") for name in WAITS.key]).combine_chunks().equals(whole)


# ── Kaplan–Meier ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_incidence_is_that_of_lifelines() -> None:
    rng = np.random.default_rng(5)
    entered, censored = rng.integers(0, 4, (2, 30))
    days = np.arange(30)
    fitted = KaplanMeierFitter().fit(
        np.repeat(np.r_[days, days], np.r_[entered, censored]),
        np.repeat([1, 0], [entered.sum(), censored.sum()]),
        timeline=days,
    )
    curve = KaplanMeier.of_ends(entered, censored)
    np.testing.assert_allclose(curve.incidence, 1 - fitted.survival_function_.iloc[:, 0], atol=EXACT)
    np.testing.assert_allclose(curve.survival, fitted.survival_function_.iloc[:, 0], atol=EXACT)
    nobody = KaplanMeier.of_ends(np.zeros((2, 3), np.int64), np.zeros((2, 3), np.int64))
    assert nobody.incidence.tolist() == [[0, 0, 0]] * 2
    assert nobody.last.tolist() == [-1, -1]


def test_survival_stays_0_once_all_at_risk_entered() -> None:
    """The risk set empties on day 1 and fills again on day 3, as where a market launches late."""
    curve = KaplanMeier.of(np.array([2, 1, 0, 5]), np.array([1, 1, 0, 1]))
    assert curve.survival.tolist() == [0.5, 0, 0, 0]
    assert curve.staying.tolist() == [0.5, 0.5, 0.5, 0.4]
    assert curve.over.tolist() == [False, True, True, True]


# ── a simulation with a gap ──────────────────────────────────────────────────────────────────────────────────────────

CHANCE, QUICK = 0.6, 0.03
"""Probability that a track goes from A to B at all, and that one that will go does so on any one day."""


def around_a_gap(seed: int, *, tracks: int = 4_000, gap: tuple[int, int] = (150, 200), length: int = 300) -> Timelines:
    """Return tracks of A, of which some go to B and stay there; nothing is observed in B while the gap lasts."""
    rng = np.random.default_rng(seed)
    debut = rng.integers(30, gap[0], tracks)
    arrival = np.where(rng.random(tracks) < CHANCE, debut + rng.geometric(QUICK, tracks), length)
    seen = np.where((arrival >= gap[0]) & (arrival < gap[1]), gap[1], arrival)
    goes = np.flatnonzero(seen < length)
    ids = np.array([f"t{number:05d}" for number in range(tracks)])
    day_of_entry = np.concatenate([debut, seen[goes]])
    before = np.where(day_of_entry == gap[1], gap[0] - 1, day_of_entry - 1)
    table = pa.table(
        {
            "track_id": np.concatenate([ids, ids[goes]]),
            "market": ["A"] * tracks + ["B"] * len(goes),
            "entry": as_dates(day_of_entry),
            "last_without": as_dates(before),
            "left_censored": (day_of_entry >= gap[1]) & (day_of_entry < gap[1] + 28),
        }
    )
    spans = pa.table(
        {
            "market": ["A", "B", "B"],
            "first_date": as_dates(np.array([0, 0, gap[1]])),
            "last_date": as_dates(np.array([length - 1, gap[0] - 1, length - 1])),
        }
    )
    artists = pa.table({"track_id": pa.array([], pa.string()), "artist": pa.array([], pa.string())})
    return Timelines.of(table, artists, spans, markets=["A", "B"], washout=28, cadence=1)


def as_dates(days: NDArray[np.int64]) -> pa.Array:
    """Return days since 1970-01-01 as dates."""
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def test_a_gap_does_not_move_the_rate() -> None:
    """Ten simulations with fifty days without charts; to leave out whom the gap hides would put up the rate."""
    truth = CHANCE * (1 - (1 - QUICK) ** 60)
    rates, rates_without = [], []
    for seed in range(10):
        lines = around_a_gap(seed)
        counts = pair_counts(lines, window=60)
        rates.append(transition_table(counts, clusters_of_several(lines, counts)).to_pylist()[0]["rate"])
        own = np.flatnonzero(lines.timed & (lines.market == 0))
        risk = exposure_risk(lines, FollowUp.of_exposures(lines, 60), own)
        hidden = np.isin(lines.track[own], lines.track[lines.left_censored])
        kept = (risk.days[:, 1] != UNSEEN) & ~hidden
        assert hidden.sum() > 300
        days, entered = risk.days[kept, 1], risk.entered[kept, 1]
        ends = (np.bincount(days[those], minlength=61) for those in (entered, ~entered))
        rates_without.append(float(KaplanMeier.of_ends(*ends).incidence[-1]))
    assert np.mean(rates) == pytest.approx(truth, abs=0.01)
    assert np.mean(rates_without) > truth + 0.04
