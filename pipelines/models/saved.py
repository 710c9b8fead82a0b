"""The folder of a trained model: LightGBM text, JSON, arrays and Parquet, each file with its digest."""

import io
import json
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffusion import DiffusionError, SettingError
from diffusion.conventions import LONG_GAP
from diffusion.engine import open_engine
from diffusion.event_rules import EventRules
from diffusion.files import read_table
from diffusion.frames import frame_of
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.own import Own, no_columns
from pipelines.features.registry import Family, Feature
from pipelines.features.rows import ChartEnds, FirstEntries, Observed, Positions
from pipelines.folders.finished import FinishedFolder
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import MANIFEST, digest_of, fingerprint, to_json
from pipelines.models.boosting import Ensemble, Trees
from pipelines.models.calibration import Calibration
from pipelines.models.forecaster import Forecaster, Recipe, Scores
from pipelines.models.timing import Timing
from pipelines.models.trained import TrainedModel

STEP: Final = "forecaster"
"""Name of the step in the manifest."""

VERSION: Final = 1
"""Version of the folder's files."""

KEPT_DAYS: Final = 2 * LONG_GAP + 1
"""Days of positions that are kept: as far back as features look at charts."""

LIBRARIES: Final = ("lightgbm", "numpy", "pandas", "pyarrow", "scipy")
"""Libraries whose versions are noted."""

ARRAYS: Final = ("first_seen", "artist", "credits", "recording", "withheld")
"""Arrays of a history beside its tables of rows."""

ROWS: Final[Mapping[str, type[Positions | FirstEntries | Observed]]] = {
    "positions": Positions,
    "entries": FirstEntries,
    "observed": Observed,
}
"""Tables of rows of a history."""

Arrays = Mapping[str, NDArray[np.generic]]


def save_model(model: TrainedModel, place: str | Path) -> None:
    """Write a trained model into a folder; a model that was there is replaced.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files of something else by these names.
    """
    files = {
        "forecaster.json": to_json(_forecaster_facts(model.forecaster)),
        "registry.json": to_json([asdict(feature) for feature in model.features]),
        "history.json": to_json({"markets": model.history.markets, "rules": asdict(model.history.rules)}),
        "history.npz": _packed(_history_arrays(model.history)),
        **{f"trees/{name}.txt": text.encode() for name, text in _texts(model.forecaster).items()},
        **{f"features/{_name(family)}.npz": _packed(family.state()) for family in model.families},
    }
    versions = {name: version(name) for name in LIBRARIES}
    tool = {"chart-diffusion": version("chart-diffusion"), "python": platform.python_version()}
    notes = {"format": VERSION, "trained": model.facts, "versions": tool | versions}
    with Folder(place) as folder:
        print_ = fingerprint(STEP, VERSION, model.facts, {name: digest_of(content) for name, content in files.items()})
        folder.begin(STEP, print_, parameters=_settings(model), notes=notes)
        for name, content in files.items():
            folder.put(STEP, name, content)
        folder.put_table(STEP, "tracks.parquet", pa.Table.from_pandas(model.history.tracks, preserve_index=False))
        folder.put_table(STEP, "coverage.parquet", model.history.coverage)


def load_model(place: str | Path, *, threads: int = 1) -> TrainedModel:
    """Return the trained model of a folder, after a check of all its files against the manifest.

    Raises
    ------
    SettingError
        When the folder is none of a model, was made by another version, or a file was changed or is missing.
    OutputError
        When its manifest is not one of this tool.
    """
    place = Path(place)
    how = f"chart-diffusion train CHARTS --out {place}"
    if not (place / MANIFEST).is_file():
        raise SettingError(f"no {MANIFEST} in '{place}'; make a model first: {how}")
    folder = FinishedFolder(place)
    if not folder.holds("forecaster.json"):
        raise SettingError(f"'{place}' holds results, but no model; make one first: {how}")
    notes = folder.notes(STEP)
    if notes.get("format") != VERSION:
        raise SettingError(f"'{place}' was made by another version of chart-diffusion; train it again: {how}")
    try:
        return _read(place, notes["trained"], threads)
    except DiffusionError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, OSError, pa.ArrowException, zipfile.BadZipFile) as error:
        raise SettingError(f"'{place}' cannot be read as a model ({error!r}); train it again: {how}") from error


def _read(place: Path, facts: dict[str, Any], threads: int) -> TrainedModel:
    registry = tuple(
        Feature(**feature | {"sources": tuple(feature["sources"])}) for feature in _json(place / "registry.json")
    )
    horizon = int(facts["horizon"])
    made: tuple[Family, ...] = families(horizon)
    if any(feature.family == "own" for feature in registry):
        made = (*made, Own(no_columns()))
    for family in made:
        family.restore(_unpacked(place / "features" / f"{_name(family)}.npz"))
    if tuple(feature for family in made for feature in family.features) != registry:
        raise SettingError(f"'{place}' was made with other features than this version has; train it again")
    return TrainedModel(_read_forecaster(place, threads), made, _read_history(place), facts)


def _settings(model: TrainedModel) -> dict[str, Any]:
    forecaster = model.forecaster
    return {"recipe": asdict(forecaster.recipe), "seed": forecaster.seed, "rules": asdict(model.history.rules)}


def _forecaster_facts(forecaster: Forecaster) -> dict[str, Any]:
    """Return all numbers of a fitted forecaster but its trees."""
    timing = forecaster.timing
    if timing is None:
        raise ValueError("fit the forecaster first")
    return {
        "recipe": asdict(forecaster.recipe),
        "seed": forecaster.seed,
        "horizon": forecaster.horizon,
        "rates": forecaster.rates.tolist(),
        "calibration": asdict(forecaster.calibration),
        "times": timing.times.tolist(),
        "exact": timing.exact,
        "shares": timing.shares.tolist(),
        "notes": list(forecaster.notes),
        "trees": sorted(_texts(forecaster)),
    }


def _ensembles(forecaster: Forecaster) -> dict[str, Ensemble]:
    """Return name → trees that were fitted."""
    scores, timing = forecaster.scores, forecaster.timing
    parts: dict[str, Ensemble | None] = {}
    if timing is not None:
        parts |= {f"days_{number:02d}": trees for number, trees in enumerate(timing.trees)}
    if scores is not None:
        parts |= {
            "all_tracks": scores.all_tracks,
            "forest": scores.forest,
            "spreading": scores.spreading,
            "ranking": scores.ranking,
        }
    return {name: ensemble for name, ensemble in parts.items() if ensemble is not None}


def _texts(forecaster: Forecaster) -> dict[str, str]:
    """Return name of the trees and number of the seed → text."""
    return {
        f"{name}_{number}": text
        for name, ensemble in _ensembles(forecaster).items()
        for number, text in enumerate(ensemble.write())
    }


def _read_forecaster(place: Path, threads: int) -> Forecaster:
    facts = _json(place / "forecaster.json")
    recipe: dict[str, Any] = {
        name: Trees(**value) if isinstance(value, dict) else value for name, value in facts["recipe"].items()
    }
    recipe["weights"] = tuple(recipe["weights"])
    found: dict[str, Ensemble] = {}
    for part in sorted({name.rpartition("_")[0] for name in facts["trees"]}):
        names = [name for name in facts["trees"] if name.rpartition("_")[0] == part]
        texts = [(place / "trees" / f"{name}.txt").read_text(encoding="utf-8") for name in names]
        found[part] = Ensemble.read(texts, threads=threads)
    forecaster = Forecaster(Recipe(**recipe), facts["seed"], threads)
    forecaster.horizon = facts["horizon"]
    forecaster.rates = np.array(facts["rates"], np.float64)
    forecaster.calibration = Calibration(**facts["calibration"])
    forecaster.notes = tuple(facts["notes"])
    forecaster.timing = Timing(
        np.array(facts["times"], np.float64),
        facts["exact"],
        np.array(facts["shares"], np.float64),
        tuple(ensemble for name, ensemble in found.items() if name.startswith("days_")),
    )
    if "all_tracks" in found:
        forecaster.scores = Scores(
            found["all_tracks"],
            found["forest"],
            found.get("spreading"),
            found.get("ranking"),
            forecaster.recipe.weights,
        )
    return forecaster


def _history_arrays(history: History) -> Arrays:
    """Return the arrays of a history, positions of the last days only."""
    recent: dict[str, Any] = {
        "positions": history.positions.between(history.last_day - KEPT_DAYS, history.last_day),
        "entries": history.entries,
        "observed": history.observed,
    }
    rows = {f"{kind}.{name}": getattr(part, name) for kind, part in recent.items() for name in part.__slots__}
    return rows | {name: getattr(history, name) for name in ARRAYS}


def _read_history(place: Path) -> History:
    facts, arrays = _json(place / "history.json"), _unpacked(place / "history.npz")
    rows: dict[str, Any] = {
        kind: made(*(arrays[f"{kind}.{name}"] for name in made.__slots__)) for kind, made in ROWS.items()
    }
    coverage = read_table(place / "coverage.parquet")
    return History(
        markets=tuple(facts["markets"]),
        tracks=frame_of(read_table(place / "tracks.parquet")),
        rules=EventRules(**facts["rules"]),
        ends=ChartEnds.of(rows["positions"]),
        coverage=coverage,
        open_engine=open_engine,
        **rows | {name: arrays[name] for name in ARRAYS},
    )


def _name(family: Family) -> str:
    return type(family).__name__.lower()


def _packed(arrays: Arrays) -> bytes:
    """Return arrays as an npz file; none holds Python objects."""
    held = [name for name, array in arrays.items() if array.dtype.hasobject]
    if held:
        raise TypeError(f"arrays of Python objects cannot be saved: {', '.join(held)}")
    content = io.BytesIO()
    np.savez(content, **dict[str, Any](arrays))
    return content.getvalue()


def _unpacked(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
