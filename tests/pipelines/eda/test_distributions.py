"""Streams and audio features: numbers against plain pandas and scipy, and intervals that hold the truth."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from diffusion import Charts, DataSaysNoError, open_charts
from diffusion.conventions import FDR
from pipelines.eda.correlations import ABOVE, ROWS, correlations, pearson, rank_slope
from pipelines.eda.distributions import AUDIO, Rows, audio_tables, quantile, stream_tables, vif

LOG_TOLERANCE = 2e-4
"""Logarithms are cut down to ten-thousandths."""

TRACKS = 60
DAYS = 12


def kaggle(seed: int = 5) -> pd.DataFrame:
    """Return rows in the layout of the full charts of 2017-2021, audio features of every row as text columns."""
    rng = np.random.default_rng(seed)
    tracks = pd.DataFrame({name: rng.random(TRACKS).round(3) for name in AUDIO})
    tracks["loudness"] = (-20 * rng.random(TRACKS)).round(2)
    tracks["tempo"] = np.where(np.arange(TRACKS) == 7, 0.0, (60 + 120 * rng.random(TRACKS)).round(2))
    tracks = tracks.assign(key=0, mode=rng.integers(0, 2, TRACKS), time_signature=4).add_prefix("af_")
    tracks = tracks.assign(
        track_id=[f"{number:022d}" for number in range(TRACKS)],
        title=[f"T{number}" for number in range(TRACKS)],
        artist=[f"A{number % 25}" for number in range(TRACKS)],
        popularity=rng.integers(0, 100, TRACKS),
        duration_ms=rng.integers(90_000, 400_000, TRACKS),
        explicit=rng.random(TRACKS) < 0.3,
    )
    rows = []
    for region, size in (("Sweden", 3.5), ("United States", 5.0)):
        for day in pd.date_range("2021-01-01", periods=DAYS):
            chart = tracks.sample(20, random_state=int(rng.integers(1 << 30)))
            power = np.sort(size + 0.4 * rng.normal(size=20))[::-1]
            streams = (10**power).astype(int)
            chart = chart.assign(region=region, date=day.date(), rank=range(1, 21), chart="top200")
            rows.append(chart.assign(streams=streams))
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return kaggle()


@pytest.fixture(scope="module")
def charts(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Charts]:
    file: Path = tmp_path_factory.mktemp("kaggle") / "charts.csv"
    table.to_csv(file, index=False)
    with open_charts(file) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(charts: Charts) -> Rows:
    return Rows.of(charts, charts.streams())


def test_streams_are_distributed_as_pandas_says(charts: Charts, table: pd.DataFrame) -> None:
    found = stream_tables(charts.streams())
    for scale, value in (("streams", table["streams"]), ("log10 streams", np.log10(table["streams"]))):
        row = found["streams_summary"].set_index("scale").loc[scale]
        assert row["chart_rows"] == len(table)
        expected = [value.mean(), value.std(ddof=0), stats.skew(value), *value.quantile([0.01, 0.5, 0.99])]
        assert row[["mean", "sd", "skewness", "q01", "median", "q99"]].tolist() == pytest.approx(expected)
        assert (row["least"], row["most"]) == (value.min(), value.max())
    classes = found["streams_histogram"]
    edges = [*classes["low"], classes["high"].iloc[-1]]
    assert classes["chart_rows"].tolist() == np.histogram(np.log10(table["streams"]), edges)[0].tolist()
    by_market = found["streams_markets"].set_index("market")
    own = table.groupby(table["region"].map({"Sweden": "SE", "United States": "US"}))["streams"]
    assert by_market["mean"].to_dict() == pytest.approx(own.mean().to_dict())
    means = own.apply(lambda streams: np.log10(streams).mean()).to_dict()
    assert by_market["mean_log"].to_dict() == pytest.approx(means, abs=LOG_TOLERANCE)


@pytest.mark.parametrize("level", [0.0, 0.013, 0.25, 0.5, 0.77, 1.0])
def test_quantiles_of_counted_values_are_those_of_numpy(level: float) -> None:
    rng = np.random.default_rng(3)
    value, times = np.sort(rng.choice(1000, 40, replace=False)).astype(float), rng.integers(1, 9, 40)
    assert quantile(value, times, level) == pytest.approx(np.quantile(np.repeat(value, times), level))


def test_correlations_are_those_of_scipy(rows: Rows, table: pd.DataFrame) -> None:
    found = correlations(rows).set_index(["variable", "scope"])
    log = np.log10(table["streams"])
    above = log - log.groupby([table["region"], table["date"]]).transform("mean")
    values = {"rank": table["rank"], "log rank": np.log10(table["rank"]), "popularity": table["popularity"]}
    values |= {name: table[f"af_{name}"] for name in (*AUDIO, "mode")}
    values |= {"explicit": table["explicit"].astype(float), "duration": table["duration_ms"]}
    values["tempo"] = values["tempo"].replace(0, np.nan)
    assert {variable for variable, _ in found.index} == set(values)
    for variable, value in values.items():
        known = value.notna()
        for scope, other in ((ROWS, log), (ABOVE, above)):
            row = found.loc[(variable, scope)]
            assert row["chart_rows"] == known.sum()
            expected = stats.pearsonr(value[known], other[known]).statistic
            assert row["correlation"] == pytest.approx(expected, abs=LOG_TOLERANCE)


def test_the_slope_is_that_of_least_squares_within_charts(rows: Rows, table: pd.DataFrame) -> None:
    both = pd.DataFrame({"x": np.log10(table["rank"]), "y": np.log10(table["streams"])})
    inner = both - both.groupby([table["region"], table["date"]]).transform("mean")
    slope = rank_slope(rows).iloc[0]
    assert slope["slope"] == pytest.approx(stats.linregress(inner["x"], inner["y"]).slope, abs=LOG_TOLERANCE)
    assert slope["low"] < slope["slope"] < slope["high"]


def test_audio_features_are_summed_up_per_row_and_per_track(rows: Rows, table: pd.DataFrame) -> None:
    found = audio_tables(rows)
    summary = found["audio_summary"].set_index(["feature", "per"])
    tracks = table.drop_duplicates("track_id")
    for feature in (*AUDIO, "mode"):
        for per, source in (("row", table), ("track", tracks)):
            value = source[f"af_{feature}"]
            value = value[value > 0] if feature == "tempo" else value
            row = summary.loc[(feature, per)]
            expected = [value.mean(), value.std(ddof=0), *value.quantile([0.25, 0.5, 0.75])]
            assert row[["mean", "sd", "q25", "median", "q75"]].tolist() == pytest.approx(expected)
    assert summary.loc[("tempo", "track"), "number"] == len(tracks) - 1  # a tempo of 0 was not measured
    assert found["audio_vif"]["tracks"].unique().tolist() == [len(tracks) - 1]


def test_inflation_is_that_of_statsmodels_with_an_intercept_and_without() -> None:
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(5, 1, (80, 3)) @ rng.normal(size=(3, 3)) + 4, columns=["a", "b", "c"])
    found = vif(table.assign(same=1.0))
    assert found["feature"].tolist() == ["a", "b", "c"]
    for name, row in found.set_index("feature").iterrows():
        others = table.drop(columns=name)
        for column, left in (("vif", sm.add_constant(others)), ("vif_uncentred", others)):
            assert row[column] == pytest.approx(1 / (1 - sm.OLS(table[name], left).fit().rsquared))
    assert np.isinf(vif(table.assign(d=table["a"] + table["b"]))["vif"].iloc[[0, 1, 3]]).all()


def sums_of(x: np.ndarray, y: np.ndarray, track: np.ndarray, cluster: np.ndarray) -> dict[str, Any]:
    """Return the sums of each track and its artist."""
    parts = {"count": np.ones(len(x)), "x": x, "xx": x * x, "y": y, "yy": y * y, "xy": x * y}
    own = {name: np.bincount(track, part) for name, part in parts.items()}
    return own | {"cluster": cluster[np.unique(track, return_index=True)[1]]}


def rows_of_artists(seed: int, share: float) -> dict[str, Any]:
    """Return sums of rows whose artists are louder and more streamed than others, together with weight `share`."""
    rng = np.random.default_rng(seed)
    artist = np.repeat(np.arange(60), rng.integers(1, 6, 60))
    level, sound = rng.normal(size=60), rng.normal(size=60)
    track = np.repeat(np.arange(len(artist)), rng.integers(1, 20, len(artist)))
    own = rng.normal(size=len(artist)) + sound[artist]
    y = level[artist[track]] + share * own[track] + rng.normal(size=len(track))
    return sums_of(own[track], y, track, artist[track])


def test_a_correlation_is_found_by_artist() -> None:
    found = pearson(**rows_of_artists(1, share=1.5))
    assert found["p"] < 1e-4 and 0.4 < found["low"] < found["correlation"] < found["high"] < 1


@pytest.mark.slow
def test_no_correlation_is_found_where_artists_differ_in_both() -> None:
    found = pd.DataFrame([pearson(**rows_of_artists(seed, share=0.0)) for seed in range(600)])
    assert (found["p"] <= FDR).mean() <= 0.075


@pytest.mark.slow
def test_intervals_of_correlations_hold_the_truth() -> None:
    truth = np.mean([pearson(**rows_of_artists(seed, share=0.8))["correlation"] for seed in range(600)])
    found = pd.DataFrame([pearson(**rows_of_artists(seed, share=0.8)) for seed in range(1000, 1600)])
    assert ((found["low"] <= truth) & (truth <= found["high"])).mean() >= 0.92


def test_charts_without_streams_and_tracks_without_audio_are_named() -> None:
    table = {"market": "SE", "date": ["2021-01-01", "2021-01-02"], "rank": 1, "track_id": "a", "chart": "viral50"}
    with open_charts(pd.DataFrame(table)) as charts:
        streams = charts.streams()
        rows = Rows.of(charts, streams)
    with pytest.raises(DataSaysNoError, match="the chart 'viral50' shows no streams"):
        stream_tables(streams)
    with pytest.raises(DataSaysNoError, match="no audio features"):
        audio_tables(rows)
    assert correlations(rows).empty
    with pytest.raises(DataSaysNoError, match="no chart has streams at two ranks"):
        rank_slope(rows)
