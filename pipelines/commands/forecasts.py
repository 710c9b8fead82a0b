"""The commands `train` and `predict`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pandas as pd
import pyarrow as pa

from diffusion import DataSaysNoError, SettingError, market_names, open_charts, resolve
from diffusion.files import write_whole
from diffusion.finding import one_recording
from diffusion.foreign_text import csv_table
from pipelines.commands.options import (
    ENTRY_OPTIONS,
    JSON,
    QUIET,
    READING_OPTIONS,
    SEED,
    OutPath,
    take_reading,
    with_options,
)
from pipelines.commands.screen import say_json, say_lines
from pipelines.folders.manifest import file_facts
from pipelines.formatting import cell, many, percent, printable, records, text_table
from pipelines.progress import progress

if TYPE_CHECKING:  # models are imported when a command runs
    from pipelines.features.history import History
    from pipelines.models.trained import Predictions, TrainedModel

DATE = click.DateTime(["%Y-%m-%d"])
OWN = click.option(
    "--own",
    type=click.Path(path_type=Path),
    help="CSV or Parquet file of your own columns: track_id, known (date), perhaps market, and numbers.",
)


@click.command("train")
@click.argument("charts")
@click.option("--out", type=OutPath(), required=True, help="Folder for the model.")
@click.option("--horizon", type=int, help="Days within which entries count (default 60; weekly charts 56).")
@click.option("--until", type=DATE, help="Last day of training (default: that of the charts).")
@click.option(
    "--publication-lag", type=int, default=0, show_default=True, help="Days after its date on which a chart is out."
)
@OWN
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the random numbers.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of the fits.")
@with_options((*ENTRY_OPTIONS, *READING_OPTIONS))
@QUIET
@JSON
def train_command(
    charts: str,
    out: Path,
    horizon: int | None,
    until: datetime | None,
    publication_lag: int,
    own: Path | None,
    seed: int,
    threads: int,
    quiet: bool,
    as_json: bool,
    **rules: Any,
) -> None:
    """Train a model on CHARTS of which markets a track enters next, and when.

    The folder holds trees as LightGBM text, tables and arrays, and how they were made; predict reads it.
    """
    from pipelines.features.history import History
    from pipelines.features.own import OwnColumns
    from pipelines.models.saved import save_model
    from pipelines.models.training import train

    reading = take_reading(rules)
    given = {name: value for name, value in rules.items() if value is not None}
    with progress(silent=quiet) as tell:
        with open_charts(charts, **reading) as opened:
            history = History.of(opened, opened.entries(**given))
            sources = file_facts(opened.source.paths, opened.source.root)
        model = train(
            history,
            horizon=horizon,
            until=None if until is None else _day(until),
            publication_lag=publication_lag,
            own=None if own is None else OwnColumns.read(own),
            seed=seed,
            threads=threads,
            sources=sources,
            tell=tell,
        )
        save_model(model, out)
    facts = {name: value for name, value in model.facts.items() if name != "sources"}
    notes = list(model.forecaster.notes)
    lines = [
        f"model     {out}: entries within {model.horizon} days, {len(model.features)} features",
        f"trained   on {many(facts['observations'], 'observation')} of tracks that debuted from {facts['first_debut']} "
        f"to {facts['last_debut']}: {many(facts['candidates'], 'candidate')}, "
        f"{facts['entries']:,} of which entered",
        f"knows     charts until {facts['known_until']}",
        *(f"note      {note}" for note in notes),
    ]
    say_json(facts | {"notes": notes}) if as_json else say_lines(lines)


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--track", "tracks", multiple=True, metavar="ID", help="Id, url or title of a track; repeatable.")
@click.option("--all", "everything", is_flag=True, help="All tracks on the charts that debuted within the horizon.")
@click.option("--as-of", type=DATE, help="Day of the prediction; needs --charts (default: end of the charts known).")
@click.option("--charts", help="Charts that go on after those of the training (file, glob or folder).")
@click.option("--markets", help="For a track that is not out yet: markets of its debut, such as SE,NO.")
@click.option("--date", "debut", type=DATE, help="Day of that debut.")
@click.option("--title", help="Title of that track.")
@click.option("--artist", help="Artists of that track, parted by commas.")
@click.option("--rank", type=click.IntRange(min=1), help="Its position on those charts (default: the usual one).")
@OWN
@click.option("--into", multiple=True, metavar="MARKET", help="Only this market (name or code); repeatable.")
@click.option("--most", type=click.IntRange(min=1), default=10, show_default=True, help="Markets shown per track.")
@click.option("--reasons/--no-reasons", default=None, help="Say why (default: except with --all).")
@click.option("--out", type=OutPath(), help="CSV or Parquet file for all rows.")
@with_options(READING_OPTIONS)
@JSON
def predict_command(
    model: Path,
    tracks: tuple[str, ...],
    everything: bool,
    as_of: datetime | None,
    charts: str | None,
    own: Path | None,
    into: tuple[str, ...],
    most: int,
    reasons: bool | None,
    out: Path | None,
    as_json: bool,
    **coming: Any,
) -> None:
    """Say which markets tracks enter next, by what day and why, by MODEL (a folder made by train).

    For each track: the markets it has not entered, the probability of entry by 7, 14 and 28 days and the horizon,
    counted from the last chart known, the median day of the entry if it comes, and the main reasons.
    """
    from pipelines.features.own import OwnColumns
    from pipelines.models.saved import load_model

    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise SettingError(f"--out '{out}' must end in .csv or .parquet")
    reading = take_reading(coming)
    _check(tracks, everything, coming)
    standing = load_model(model)
    if own is not None:
        standing = standing.with_own(OwnColumns.read(own))
    standing = _moved(standing, charts, as_of, reading)
    if coming["markets"] is not None:
        standing = standing.with_debut(_debut(**coming))
        codes = [len(standing.history.tracks) - 1]
    else:
        codes = list(standing.current()) if everything else [_code(standing.history, track) for track in tracks]
    if not codes:
        raise DataSaysNoError(f"no track on the charts debuted in the {standing.horizon} days before")
    found = standing.predict(np.unique(codes))
    if into:
        found = _only(standing, found, codes, [str(resolve(market)) for market in into])
    if found.table.empty:
        raise DataSaysNoError("there is no market left to enter: all that are observed have been entered")
    table = found.table
    shown = table.index[table.groupby("track_id", sort=False).cumcount() < most].to_list()
    why = standing.reasons(found, shown) if (not everything if reasons is None else reasons) else []
    if out is not None:
        _write(table, out)
    if as_json:
        say_json(_data(standing, table.loc[shown], why))
    else:
        click.echo("\n".join(_lines(standing, table.loc[shown], why)))


def _check(tracks: Sequence[str], everything: bool, coming: dict[str, Any]) -> None:
    """Check that the options ask for one thing.

    Raises
    ------
    SettingError
        When they ask for nothing, or for several things.
    """
    asked = [bool(tracks), everything, coming["markets"] is not None]
    if sum(asked) != 1:
        raise SettingError("name tracks with --track, or ask for --all, or give the --markets and --date of a debut")
    if asked[2] and coming["debut"] is None:
        raise SettingError("--markets needs the --date of the debut")
    further = [name for name in ("debut", "title", "artist", "rank") if coming[name] is not None]
    if further and not asked[2]:
        named = ", ".join("--date" if name == "debut" else f"--{name}" for name in further)
        raise SettingError(f"{named}: only with --markets, for a track that is not out yet")


def _moved(
    model: "TrainedModel", charts: str | None, as_of: datetime | None, reading: Mapping[str, Any]
) -> "TrainedModel":
    """Return the model at the day asked for, by other charts where they are given."""
    from pipelines.features.history import History

    if charts is None:
        if as_of is not None and _day(as_of) != model.history.last_day:
            raise SettingError(
                f"the model knows charts until {_date(model.history.last_day)}; for another --as-of give --charts"
            )
        return model
    rules = asdict(model.history.rules)
    with open_charts(charts, **reading) as opened:
        history = History.of(opened, opened.entries(**rules))
    lag = int(model.facts["publication_lag"])
    return model.at(history, history.last_day + lag if as_of is None else _day(as_of))


def _debut(markets: str, debut: datetime, title: str | None, artist: str | None, rank: int | None) -> "Any":
    from pipelines.features.hypothetical import Debut

    codes = tuple(str(resolve(name)) for name in markets.split(",") if name.strip())
    return Debut(codes, _day(debut), title, artist, rank)


def _code(history: "History", wanted: str) -> int:
    """Return the code of a track by its id, url or title; of several ids of one recording the one in most markets."""
    known, ids = history.entries, pa.array(history.tracks["track_id"], pa.string())
    tracks = pa.Table.from_pandas(history.tracks[["track_id", "title", "artist"]], preserve_index=False)
    seen = {
        "track_id": ids.take(pa.array(known.track)),
        "market": np.array(history.markets)[known.market],
        "first_date": pa.array(known.day, pa.date32()),
        "entry_rank": known.rank,
    }
    found = one_recording(wanted, tracks, pa.table(seen))
    return int(np.flatnonzero(history.tracks["track_id"] == found.ids[0])[0])


def _only(model: "TrainedModel", found: "Predictions", codes: Sequence[int], markets: Sequence[str]) -> "Predictions":
    """Return the rows of some markets.

    Raises
    ------
    DataSaysNoError
        When a track has entered one of them, or it is not open.
    """
    from pipelines.models.trained import Predictions

    known, names = model.history, market_names(markets)
    for market in markets:
        if market not in known.markets:
            raise SettingError(f"the model has no charts of {names[market]}; there are {', '.join(known.markets)}")
        at = known.entries.market == known.markets.index(market)
        for code in codes:
            came = known.entries.day[at & (known.entries.track == code)]
            if len(came):
                track = known.tracks["track_id"].iloc[code]
                raise DataSaysNoError(f"track '{track}' has entered {names[market]} already, on {_date(int(came[0]))}")
    kept = found.table["market"].isin(markets).to_numpy()
    if not kept.any():
        raise DataSaysNoError(f"no chart of {', '.join(names.values())} is observed at the time")
    return Predictions(found.table[kept].reset_index(drop=True), found.values[kept], found.entered[kept])


def _write(table: pd.DataFrame, out: Path) -> None:
    written = csv_table(table).to_csv(index=False).encode() if out.suffix == ".csv" else table.to_parquet(index=False)
    write_whole(out, written)


def _data(model: "TrainedModel", table: pd.DataFrame, why: Sequence[Any]) -> dict[str, Any]:
    rows = records(table)
    for row, own in zip(rows, why, strict=False):
        row["reasons"] = [asdict(reason) for reason in own]
    return {"horizon": model.horizon, "known_until": str(_date(model.history.last_day)), "predictions": rows}


def _lines(model: "TrainedModel", table: pd.DataFrame, why: Sequence[Any]) -> list[str]:
    from pipelines.features.hypothetical import TRACK_ID

    day = _date(model.history.last_day)
    what = "the day of the debut" if table["track_id"].iloc[0] == TRACK_ID else "the last chart known"
    lines = [f"Entries within {model.horizon} days of {day}, {what}."]
    lines += [f"Note: {note}." for note in model.forecaster.notes]
    spoken = dict(zip(table.index, why, strict=False))
    for track, rows in table.groupby("track_id", sort=False):
        named = ", ".join(filter(None, map(cell, (rows["title"].iloc[0], rows["artist"].iloc[0]))))
        lines += ["", f"{track}{f': {named}' if named else ''}", _table(rows, model.horizon)]
        lines += [
            f"  {name}: {'; '.join(map(str, spoken[at]))}"
            for at, name in zip(rows.index, rows["name"], strict=True)
            if spoken.get(at)
        ]
    return [line if "\n" in line else printable(line) for line in lines]


def _table(rows: pd.DataFrame, horizon: int) -> str:
    within = [name for name in map(str, rows) if name.startswith("p_by_")]
    shown = rows[["market", "name"]].copy()
    for name in within:
        shown[f"by {name.removeprefix('p_by_')} days"] = rows[name].map(percent)
    shown[f"by {horizon} days"] = rows["p_enter"].map(percent)
    shown["if so, day"] = rows["expected_days"].map("{:.0f}".format)
    shown["80 %"] = [f"{low:.0f}-{high:.0f}" for low, high in zip(rows["days_low"], rows["days_high"], strict=True)]
    return text_table(shown)


def _day(moment: datetime) -> int:
    return int(np.datetime64(moment.date(), "D").astype(np.int64))


def _date(day: int) -> date:
    return date.fromisoformat(str(np.datetime64(day, "D")))
