"""What is known when: the audit of features on a sample of artists and recent charts, and the columns of the charts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diffusion import Charts, Entries, open_charts
from diffusion.contracts import OBSERVATIONS, TRACKS
from diffusion.event_rules import EventRules
from diffusion.timelines import distinct, primary_artists
from pipelines.features.audit import PASSES, MakeFamilies, audit
from pipelines.features.history import History

MOST_ROWS: Final = 1_500
"""Rows of the sample at most; the charts of one artist may have more."""

HORIZON: Final = 28
"""Days within which entries count in the sample: short, so that windows close within its few charts."""

APART: Final = 7
"""Days from one chart of the sample to the next, at least; the time for the audit grows with their number."""

USES: Final = {
    "always": "known before any chart",
    "as of": "known as of the date, from charts up to it",
    "closed windows": "known as of the date, learned from tracks whose horizon was over",
    "own date": "known from the date in a table of one's own",
}
"""When a feature is known, as its registry says → the same in words."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Part of the charts that is audited.

    Attributes
    ----------
    history
        Recent charts of some artists.
    rows, artists, artists_of_all
        Rows and artists of the sample, and artists on these charts.
    since, until
        First and last date.
    """

    history: History
    rows: int
    artists: int
    artists_of_all: int
    since: date
    until: date


def sample(charts: Charts, rules: EventRules, last: date, *, seed: int = 0, most: int = MOST_ROWS) -> Sample:
    """Return the rows of artists drawn at random, of the last charts a week apart, over a washout and three horizons.

    Parameters
    ----------
    charts
        The charts.
    rules
        Rules by which an event is recognised.
    last
        Last date of the charts.
    seed
        Seed of what is drawn.
    most
        Largest number of rows; one artist may have more.
    """
    since = last - timedelta(days=rules.washout + 3 * HORIZON)
    tracks = charts.arrow("tracks")
    dates = _apart(charts.chart_ends(chart=rules.chart)["date"], since)
    own = charts.track_rows(dates, chart=rules.chart)
    own = own.sort_by([(name, "ascending") for name in ("first_date", "first_market", "track")])
    described = tracks.take(own["track"]).select(["track_id", "artist"])
    artist = distinct(primary_artists(described["track_id"].to_numpy(zero_copy_only=False), described))
    sizes = np.bincount(artist, own["chart_rows"].to_numpy(), int(artist.max(initial=-1)) + 1).astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(sizes))
    chosen = np.zeros(len(sizes), np.bool_)
    chosen[order[np.cumsum(sizes[order]) <= max(most, sizes[order[0]])]] = True
    track = own["track"].to_numpy()[chosen[artist]]
    asked = {"track": np.repeat(track, len(dates)), "date": pa.array(dates * len(track), pa.date32())}
    kept = charts.asked_positions(pa.table(asked), chart=rules.chart)
    history = _history(kept, tracks, rules)
    return Sample(history, kept.num_rows, int(chosen.sum()), len(sizes), since, last)


def _apart(dates: pa.ChunkedArray, since: date) -> list[date]:
    """Return dates from `since` on that are a week or more apart, the last date among them."""
    kept: list[date] = []
    for day in sorted(pc.unique(dates).to_pylist(), reverse=True):
        if day >= since and (not kept or (kept[-1] - day).days >= APART):
            kept.append(day)
    return kept


def _history(rows: pa.Table, tracks: pa.Table, rules: EventRules) -> History:
    """Return the history that is read from these rows, written as cleaned charts."""
    present = pc.unique(rows["track"])
    code = pc.index_in(rows["track"], present)
    described = tracks.take(present)
    number = pa.array(np.arange(len(present), dtype=np.int32))
    columns = {
        **{name: rows[name] for name in ("market", "date", "rank", "streams")},
        "track": code,
        "track_id": described["track_id"].take(code),
        "chart": pa.array([rules.chart] * rows.num_rows, pa.string()),
        "trend": pa.nulls(rows.num_rows, pa.string()),
    }
    with TemporaryDirectory() as folder:
        place = Path(folder) / "observations" / "year=0"
        place.mkdir(parents=True)
        pq.write_table(OBSERVATIONS.conform(pa.table(columns)), place / "part-00000.parquet")
        described = described.set_column(described.column_names.index("track"), "track", number)
        pq.write_table(TRACKS.conform(described), Path(folder) / "tracks.parquet")
        with open_charts(folder) as charts:
            entries = charts.entries(
                top=rules.top,
                min_periods=rules.min_periods,
                washout=rules.washout,
                identity=rules.identity,
                chart=rules.chart,
            )
            return History.of(charts, entries)


def audited(history: History, make: MakeFamilies, *, seed: int = 0) -> pd.DataFrame:
    """Return the table `leakage`; columns as in `pipelines.contracts.leakage.LEAKAGE`.

    Parameters
    ----------
    history
        Charts to look at.
    make
        Function of charts that returns new families of features for them.
    seed
        Seed of what is drawn.

    Raises
    ------
    DataSaysNoError
        When no market is past its washout on any date.
    """
    table = audit(history, make, horizon=HORIZON, dates=1, seed=seed, most=MOST_ROWS)
    table = table[table["family"] != "charts"].reset_index(drop=True)
    return table.assign(use=[_use(*row) for row in table[["known", "verdict", "same_day"]].itertuples(index=False)])


def _use(known: str, verdict: str, same_day: bool) -> str:
    if verdict not in PASSES:
        return "never"
    return f"{USES[known]}; not for ranks or streams of that date" if same_day else USES[known]


@dataclass(frozen=True, slots=True)
class _Source:
    """A column of the charts: when it is known, what it may be used for, and why."""

    known: str
    use: str
    why: str


_ROW: Final = "with the chart of its date, which is published a day or more later"
_ALWAYS: Final = "with the recording"
_SNAPSHOT: Final = "when the source was made, after all charts"

SOURCES: Final = {
    "rank": _Source(_ROW, "of earlier charts", "the rank of the row is what is to be forecast"),
    "streams": _Source(_ROW, "of earlier charts", "the streams of the row are what is to be forecast"),
    "trend": _Source(_ROW, "never", "NEW_ENTRY names the event itself, and it compares charts that may be missing"),
    "title": _Source(_ALWAYS, "as of the debut", "it names the recording"),
    "artist": _Source(_ALWAYS, "as of the debut", "it names the recording"),
    "explicit": _Source(_ALWAYS, "as of the debut", "it belongs to the recording"),
    "duration_ms": _Source(_ALWAYS, "as of the debut", "it belongs to the recording"),
    "audio": _Source(_ALWAYS, "as of the debut", "measured on the recording, though perhaps later"),
    "release_date": _Source(_SNAPSHOT, "only releases up to the as-of date", "a later re-release overwrites it"),
    "album": _Source(_SNAPSHOT, "never", "a later re-release overwrites it"),
    "popularity": _Source(_SNAPSHOT, "never", "it counts what was heard after the debut"),
    "licences": _Source(_SNAPSHOT, "for who is at risk, no feature", "licences come and go"),
}
"""Column of the charts → when it is known, and what it may be used for."""


def source_columns(tracks: pd.DataFrame, entries: Entries, lacking: pd.DataFrame, chart: str) -> pd.DataFrame:
    """Return the columns of the charts, when each is known, and what these charts show of it.

    Columns as in `pipelines.contracts.leakage.LEAKAGE_COLUMNS`.

    Parameters
    ----------
    tracks
        Tracks as `diffusion.contracts.TRACKS`.
    entries
        Entries of the study.
    lacking
        Result of `pipelines.eda.nulls.null_tables`: `null_columns`.
    chart
        Name of the chart.
    """
    missing = lacking[lacking["chart"] == chart].set_index("column")["missing_share"]
    shown = {
        "release_date": lambda: _late_releases(tracks),
        "licences": lambda: _without_licence(entries),
    }
    rows = [
        {
            "column": name,
            "known": source.known,
            "use": source.use,
            "why": source.why,
            "there": 1.0 - float(missing.get(name, 0.0)),
            "found": _found(shown.get(name), float(missing.get(name, 0.0))),
        }
        for name, source in SOURCES.items()
    ]
    return pd.DataFrame(rows)


def _found(show: Callable[[], str] | None, missing: float) -> str:
    return show() if show is not None and missing < 1 else ""


def _late_releases(tracks: pd.DataFrame) -> str:
    dated = tracks["release_date"].notna()
    late = int(tracks["release_after_debut"].sum())
    return f"{late:,} of {int(dated.sum()):,} dated tracks carry a release after their first chart"


def _without_licence(entries: Entries) -> str:
    withheld, entered = entries.withheld.to_pandas(), entries.to_pandas()
    both = entered.merge(withheld, on=["track_id", "market"])
    return f"{len(both):,} of {len(entered):,} entries are into markets that the track's later list does not name"


def families_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per family of features and time at which they are known, with how many failed.

    Parameters
    ----------
    table
        Result of `audited`.
    """
    flagged = table.assign(failed=~table["verdict"].isin(PASSES), same_day=table["same_day"].astype(bool))
    groups = flagged.groupby(["family", "known"], sort=False)
    found: pd.DataFrame = groups.agg(
        features=("feature", "size"), same_day=("same_day", "sum"), failed=("failed", "sum")
    ).reset_index()
    return found


def failed_of(table: pd.DataFrame) -> Sequence[str]:
    """Return the features that leak."""
    return list(table.loc[~table["verdict"].isin(PASSES), "feature"])
