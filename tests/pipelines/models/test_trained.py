"""Trained models: the same features in training and serving, folders that come back as they went, coming debuts."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffusion import DataSaysNoError, DiffusionError, SettingError, open_charts, open_sample
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.hypothetical import Debut, with_debut
from pipelines.features.observations import Observations
from pipelines.features.own import Own, OwnColumns
from pipelines.features.registry import Feature
from pipelines.features.table import FeatureTable, features
from pipelines.models.boosting import Trees
from pipelines.models.forecaster import Recipe
from pipelines.models.reasons import sentence
from pipelines.models.saved import load_model, save_model
from pipelines.models.trained import TrainedModel
from pipelines.models.training import train
from tests.conftest import WriteCsv, steady

HORIZON = 14
SMALL = Trees(rounds=8, leaves=5, least_rows=10)
QUICK = Recipe(SMALL, SMALL, SMALL, SMALL, bags=1)
TRAINED = 45
"""Days of the sample that the model knows."""


@pytest.fixture(scope="module")
def sample() -> History:
    with open_sample() as charts:
        return History.of(charts, charts.entries(washout=7)).until(18_711 + TRAINED + 5)


@pytest.fixture(scope="module")
def spend(sample: History) -> OwnColumns:
    """Return two rows per track of the first hundred: one known from the start, and one known too late."""
    ids = sample.tracks["track_id"].iloc[:100]
    frame = pd.DataFrame({"track_id": np.repeat(ids, 2), "known": ["2021-03-01", "2031-01-01"] * 100})
    return OwnColumns.of(frame.assign(spend=[1.0, 1000.0] * 100))


@pytest.fixture(scope="module")
def model(sample: History, spend: OwnColumns) -> TrainedModel:
    until = sample.first_day + TRAINED
    return train(sample, horizon=HORIZON, until=until, own=spend, recipe=QUICK, points=(0, 7), most=30_000)


@pytest.fixture(scope="module")
def folder(model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model") / "made"
    save_model(model, place)
    return place


@pytest.fixture(scope="module")
def again(folder: Path) -> TrainedModel:
    return load_model(folder)


def by_one_pass(history: History, day: int, spend: OwnColumns) -> tuple[Observations, FeatureTable]:
    """Return the features of the tracks on the charts of a day as training makes them, from the first day on."""
    known = history.until(day)
    track = np.unique(known.positions.between(day, day).track).astype(np.int64)[:150]
    observations = Observations.of(known, track, np.full(len(track), day, np.int32))
    return observations, features(known, observations, (*families(HORIZON), Own(spend)))


def test_a_saved_model_serves_the_features_that_training_makes(
    sample: History, spend: OwnColumns, again: TrainedModel
) -> None:
    observations, made = by_one_pass(sample, sample.first_day + TRAINED, spend)
    served_at, served = again.observe(observations.track)
    assert again.history.last_day == sample.first_day + TRAINED
    assert served.names == made.names
    assert np.array_equal(served_at.candidates, observations.candidates)
    assert np.array_equal(served.values, made.values, equal_nan=True)
    assert np.nanmax(served.values[:, served.names.index("own_spend")]) == 1


def test_a_saved_model_goes_on_with_later_charts_as_training_would(
    sample: History, spend: OwnColumns, again: TrainedModel
) -> None:
    later = sample.first_day + TRAINED + 4
    observations, made = by_one_pass(sample, later, spend)
    _, served = again.at(sample, later).observe(observations.track)
    assert np.array_equal(served.values, made.values, equal_nan=True)


def test_charts_that_differ_are_read_from_their_first_day(
    sample: History, spend: OwnColumns, again: TrainedModel
) -> None:
    earlier = sample.first_day + TRAINED - 12
    observations, made = by_one_pass(sample, earlier, spend)
    moved = again.at(sample, earlier)
    _, served = moved.observe(observations.track)
    assert moved.history.last_day == earlier
    assert np.array_equal(served.values, made.values, equal_nan=True)


def test_a_folder_gives_back_the_model(model: TrainedModel, again: TrainedModel) -> None:
    track = model.current()
    pd.testing.assert_frame_equal(model.predict(track).table, again.predict(track).table, check_dtype=False)
    assert again.features == model.features
    assert again.facts == json.loads(json.dumps(model.facts))
    assert again.forecaster.recipe == model.forecaster.recipe


def test_a_folder_holds_open_formats_and_says_how_it_was_made(folder: Path, model: TrainedModel) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".txt", ".npz", ".parquet", ".log"}
    for path in folder.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(not arrays[name].dtype.hasobject for name in arrays.files)
    assert (folder / "trees" / "all_tracks_0.txt").read_text().startswith("tree\n")
    registry = json.loads((folder / "registry.json").read_text())
    assert [feature["name"] for feature in registry] == [feature.name for feature in model.features]
    notes = json.loads((folder / "manifest.json").read_text())["steps"]["forecaster"]["notes"]
    assert notes["trained"]["known_until"] == "2021-05-09"
    assert "lightgbm" in notes["versions"]


def test_what_is_predicted(model: TrainedModel) -> None:
    found = model.predict(model.current())
    table = found.table
    assert table["p_enter"].between(0, 1).all()
    assert (table["p_by_7"] <= table["p_enter"]).all()
    assert (table["days_low"] <= table["expected_days"]).all()
    assert (table["expected_days"] <= table["days_high"]).all()
    assert table["days_high"].max() <= HORIZON
    assert table.groupby("track_id")["p_enter"].agg(lambda p: p.is_monotonic_decreasing).all()
    known = model.history
    entered = set(zip(known.entries.track, known.entries.market, strict=True))
    code = {track: number for number, track in enumerate(known.tracks["track_id"])}
    pairs = zip(table["track_id"], table["market"], strict=True)
    assert not any((code[track], known.markets.index(market)) in entered for track, market in pairs)


def test_reasons_say_what_the_numbers_say(model: TrainedModel) -> None:
    found = model.predict(model.current()[:3])
    for row, reasons in enumerate(model.reasons(found, range(3))):
        assert 1 <= len(reasons) <= 3
        assert len({reason.family for reason in reasons}) == len(reasons)
        for reason in reasons:
            at = [feature.name for feature in model.features].index(reason.feature)
            assert np.array_equal(reason.value, float(found.values[row, at]), equal_nan=True)
            assert str(reason).startswith("for: " if reason.effect > 0 else "against: ")


def test_a_share_is_said_as_a_count_only_if_it_is_one() -> None:
    share = Feature("same_language", "share", "Share.", (), "as of", "regional")
    assert sentence(share, 0.5, "Mexico", 6).startswith("3 of the 6 markets")
    assert sentence(share, 0.4, "Mexico", 6).startswith("40 % of the 6 markets")
    assert sentence(share, float("nan"), "Mexico", 6) == "share: not known"


# a debut to come


def coming(model: TrainedModel, **changes: object) -> Debut:
    artist = str(model.history.tracks["artist"].iloc[0])
    debut = Debut(("SE", "NO"), model.history.last_day + 3, "A (feat. Nobody)", artist)
    return replace(debut, **changes)  # type: ignore[arg-type]


def test_a_debut_to_come_is_a_track_of_its_markets(model: TrainedModel) -> None:
    debut = coming(model)
    known = with_debut(model.history, debut)
    track = len(known.tracks) - 1
    here = known.entries.track == track
    assert {known.markets[market] for market in known.entries.market[here]} == {"NO", "SE"}
    assert known.artist[track] == model.history.artist[0]
    assert np.array_equal(known.artist[:-1], model.history.artist)
    assert np.array_equal(known.recording[:-1], model.history.recording)
    day = known.positions.between(debut.day, debut.day)
    rows = np.bincount(day.market, minlength=len(known.markets))
    assert rows.tolist() == [51 * (code in ("NO", "SE")) for code in known.markets]
    assert len(np.unique(day.rank[day.market == known.markets.index("SE")])) == 51


def test_a_debut_to_come_is_predicted_and_its_artist_known(model: TrainedModel, again: TrainedModel) -> None:
    tables = [one.with_debut(coming(one)).predict(np.array([len(one.history.tracks)])) for one in (model, again)]
    found = tables[0].table
    pd.testing.assert_frame_equal(found, tables[1].table, check_dtype=False)
    assert not {"SE", "NO"} & set(found["market"])
    assert found["p_enter"].between(0, 1).all()
    column = [feature.name for feature in model.features].index("artist_tracks")
    nobody = model.with_debut(coming(model, artist="nobody at all")).predict(np.array([len(model.history.tracks)]))
    assert tables[0].values[0, column] > nobody.values[0, column] == 0


def test_a_debut_leaves_the_model_as_it_was(model: TrainedModel) -> None:
    track = model.current()[:5]
    before = model.predict(track).values
    model.with_debut(coming(model)).predict(np.array([len(model.history.tracks)]))
    assert np.array_equal(model.predict(track).values, before, equal_nan=True)


@pytest.mark.parametrize("title", ["", "\x00\u202e", "💥" * 3000, "(", "' OR 1=1 --", "[remix", "- - -"])
def test_hostile_titles_are_only_titles(model: TrainedModel, title: str) -> None:
    debut = coming(model, title=title, artist=title)
    found = model.with_debut(debut).predict(np.array([len(model.history.tracks)]))
    assert found.table["p_enter"].between(0, 1).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"day": 18_711}, "charts are known until 2021-05-09"),
        ({"day": 19_711}, "no chart of .* in the 28 days before"),
        ({"markets": ("XX",)}, "no chart of XX is known"),
        ({"markets": ()}, "at least one market"),
        ({"title": "\ud800 alone"}, "title of the debut is not valid Unicode"),
    ],
)
def test_a_debut_that_cannot_be_is_refused(model: TrainedModel, changes: dict[str, object], message: str) -> None:
    with pytest.raises(DiffusionError, match=message):
        model.with_debut(coming(model, **changes))


# folders that are none


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    place = tmp_path / "copy"
    for path in folder.rglob("*"):
        if path.is_file():
            (place / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            (place / path.relative_to(folder)).write_bytes(path.read_bytes())
    return place


@pytest.mark.parametrize("name", ["history.npz", "trees/all_tracks_0.txt", "forecaster.json", "features/graph.npz"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_a_damaged_folder_is_refused_in_one_line(copy: Path, name: str, damage: str) -> None:
    path = copy / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content if damage == "changed" else content[: len(content) // 2])
    with pytest.raises(SettingError, match=name) as error:
        load_model(copy)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"steps": {}}', '{"steps": {"entries": {}}}', "\x00"])
def test_a_foreign_manifest_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DiffusionError) as error:
        load_model(tmp_path)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_manifest_that_names_a_file_outside_is_refused(copy: Path, tmp_path: Path) -> None:
    path = copy / "manifest.json"
    (tmp_path / "history.npz").write_bytes((copy / "history.npz").read_bytes())
    path.write_text(path.read_text().replace('"history.npz"', '"../history.npz"'))
    with pytest.raises(DiffusionError, match="not that of a file within the folder"):
        load_model(copy)


def test_no_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="chart-diffusion train"):
        load_model(tmp_path / "none")


def test_saving_beside_foreign_files_leaves_them(model: TrainedModel, tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text("mine")
    with pytest.raises(DiffusionError, match=r"history\.json"):
        save_model(model, tmp_path)
    assert (tmp_path / "history.json").read_text() == "mine"


# training


@pytest.mark.slow
def test_training_knows_nothing_after_its_last_day(sample: History, spend: OwnColumns, model: TrainedModel) -> None:
    until = sample.first_day + TRAINED
    cut = train(sample.until(until), horizon=HORIZON, own=spend, recipe=QUICK, points=(0, 7), most=30_000)
    assert cut.facts == model.facts
    track = model.current()
    assert np.array_equal(cut.predict(track).table["p_enter"], model.predict(track).table["p_enter"])


def test_a_publication_lag_moves_the_last_chart_known(sample: History) -> None:
    until = sample.first_day + 35
    late = train(sample, horizon=HORIZON, until=until, publication_lag=3, recipe=QUICK, points=(0,), most=5_000)
    assert late.history.last_day == until - 3
    assert late.at(sample, until).history.last_day == until - 3
    assert late.facts["last_debut"] <= str(np.datetime64(until - 3 - HORIZON, "D"))


def test_own_columns_of_other_names_are_refused(model: TrainedModel) -> None:
    frame = pd.DataFrame({"track_id": ["a"], "known": ["2021-01-01"], "plays": [1]})
    with pytest.raises(SettingError, match="the columns are plays, the model was trained on spend"):
        model.with_own(OwnColumns.of(frame))


def test_tracks_that_never_enter_a_second_market_teach_nothing(write_csv: WriteCsv) -> None:
    entries = {"Norway": {f"n{number}": number for number in range(2, 20)}, "Sweden": {"s": 5}}
    with open_charts(write_csv(steady(40, entries))) as charts:
        history = History.of(charts, charts.entries(washout=1))
    with pytest.raises(DataSaysNoError, match="entered another market within 10 days"):
        train(history, horizon=10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon": 0}, "horizon is 0 days"),
        ({"publication_lag": -1}, "publication lag is -1"),
        ({"until": 18_000}, "no chart is published"),
        ({"horizon": 200}, "too few for a horizon of 200"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(sample: History, changes: dict[str, int], message: str) -> None:
    with pytest.raises(DiffusionError, match=message):
        train(sample, **changes)  # type: ignore[arg-type]
