"""How far tracks travel: counts by hand and against a plain twin, and intervals that hold."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from diffusion import DataSaysNoError, Entries, open_charts
from pipelines.eda.intervals import clustered_means, clustered_shares
from pipelines.eda.travel import ALL, travel_tables
from tests.conftest import WriteCsv, steady
from tests.process_worlds import SILENT, draw

DAYS = 120
WINDOW = 30
TRACKS = {
    "United States": {"a": 40, "b": 50, "c": 60, "late": 110},
    "Sweden": {"a": 45, "b": 50, "c": 95},  # c after the window
    "Norway": {"a": 70, "old": 3},
}


def followed(entries: Entries, window: int) -> list[tuple[str, int, int]]:
    """Return year of debut, footprint and markets entered later within the window, for each track that counts."""
    table, found = entries.to_pandas(), []
    last = entries.calendar.last_date
    for _, own in table.groupby("track_id"):
        debut = own["entry"].min()
        first = own[own["entry"] == debut]
        if first["left_censored"].all() or (debut + pd.Timedelta(days=window)).date() > last:
            continue
        later = own[(own["entry"] > debut) & (own["entry"] <= debut + pd.Timedelta(days=window))]
        found.append((str(debut.year), len(first), int((~later["left_censored"]).sum())))
    return found


def test_tracks_are_counted_as_by_hand(write_csv: WriteCsv) -> None:
    with open_charts(write_csv(steady(DAYS, TRACKS))) as charts:
        tables = travel_tables(charts.entries(), window=WINDOW)
    whole = tables["travel"].set_index("debuted").loc["all"]
    # a: one market, then two; b: two at once; c: one; late has no whole window, old and fillers no timed debut
    assert (whole["tracks"], whole["travelled"], whole["further"]) == (3, 1 / 3, 2 / 3)
    assert (whole["at_home"], whole["footprint_median"], whole["markets"]) == (2 / 3, 1, 3)
    assert whole[["travelled_low", "travelled_high"]].isna().all()  # one artist
    reach = tables["reach"].query("debuted == 'all'").set_index("reach")["tracks"]
    assert reach.to_dict() == {"1": 1, "2-3": 2, "4-7": 0, "8-15": 0, "16-31": 0, "32+": 0}
    sizes = tables["debut_sizes"].set_index("footprint")
    assert sizes["tracks"].to_dict() == {"1": 2, "2-3": 1}
    assert sizes["travelled"].to_dict() == {"1": 0.5, "2-3": 0.0}


@pytest.mark.parametrize("name", ["damaged", "homes"])
def test_counts_are_those_of_a_plain_twin(name: str) -> None:
    entries = draw(SILENT[name], tracks=300, seed=3).entries
    tables = travel_tables(entries, window=WINDOW)
    expected = followed(entries, WINDOW)
    assert len(expected) > 100
    travel = tables["travel"].set_index("debuted")
    for debuted in {year for year, _, _ in expected} | {ALL}:
        own = [(first, more) for year, first, more in expected if debuted in (year, ALL)]
        row = travel.loc[debuted]
        assert row["tracks"] == len(own)
        assert row["travelled"] == pytest.approx(np.mean([more > 0 for _, more in own]))
        assert row["further"] == pytest.approx(np.mean([more for _, more in own]))
        assert row["at_home"] == pytest.approx(np.mean([first == 1 for first, _ in own]))
        reach = tables["reach"].query("debuted == @debuted")
        markets = [first + more for first, more in own]
        assert reach["tracks"].tolist() == np.histogram(markets, [*reach["least"], np.inf])[0].tolist()
    by_size = tables["debut_sizes"]
    assert by_size["tracks"].sum() == len(expected)


def test_charts_shorter_than_a_window_have_no_whole_window(write_csv: WriteCsv) -> None:
    with open_charts(write_csv(steady(50, {"Sweden": {"a": 40}}))) as charts:
        entries = charts.entries()
    with pytest.raises(DataSaysNoError, match="no track has a timed debut 30 days before the charts end"):
        travel_tables(entries, window=WINDOW)


def test_shares_of_single_artists_are_those_of_the_exact_binomial_interval() -> None:
    flags = np.arange(60) < 7
    found = clustered_shares(flags, np.zeros(60, int), np.arange(60), 1).iloc[0]
    low, high = proportion_confint(7, 60, method="beta")
    # n / (n − 1) widens the variance of a mean over clusters
    assert found["low"] == pytest.approx(low, abs=2e-3)
    assert found["high"] == pytest.approx(high, abs=2e-3)


def test_artists_of_many_tracks_are_left_out_in_turn() -> None:
    rng = np.random.default_rng(6)
    artist = np.repeat(np.arange(40), np.r_[60, rng.integers(1, 12, 39)])
    value = rng.gamma(1.0, 2.0, len(artist)) + rng.normal(size=40)[artist]
    found = clustered_means(value, np.zeros(len(artist), int), artist, 1).iloc[0]
    without = np.array([value[artist != one].mean() for one in range(40)])
    error = np.sqrt(39 / 40 * ((without - value.mean()) ** 2).sum())
    half = (found["high"] - found["low"]) / 2
    assert half == pytest.approx(error * stats.t.ppf(0.975, found["artists"] - 1))


def test_means_have_the_variance_of_least_squares_by_cluster() -> None:
    rng = np.random.default_rng(5)
    artist = rng.permutation(np.arange(320) % 40)
    value = rng.gamma(1.0, 2.0, 320) + rng.normal(size=40)[artist]
    found = clustered_means(value, np.zeros(320, int), artist, 1).iloc[0]
    fit = sm.OLS(value, np.ones(320)).fit(cov_type="cluster", cov_kwds={"groups": artist, "use_correction": False})
    error = float(fit.bse[0]) * np.sqrt(40 / 39)
    half = (found["high"] - found["low"]) / 2
    assert found["mean"] == pytest.approx(value.mean())
    assert half == pytest.approx(error * stats.t.ppf(0.975, found["artists"] - 1))


@pytest.mark.parametrize("share", [0.02, 0.2, 0.6])
@pytest.mark.parametrize("per_artist", [1, 8])
def test_intervals_of_shares_hold_the_truth(share: float, per_artist: int) -> None:
    rng, rounds, artists = np.random.default_rng(11), 400, 60
    group = np.repeat(np.arange(rounds), artists * per_artist)
    own = rng.beta(4 * share, 4 * (1 - share), (rounds, artists))  # artists differ
    flags = rng.random((rounds, artists, per_artist)) < own[:, :, None]
    cluster = np.tile(np.repeat(np.arange(artists), per_artist), rounds)
    found = clustered_shares(flags.ravel(), group, cluster, rounds)
    held = ((found["low"] <= share) & (share <= found["high"])).mean()
    assert held >= 0.93
