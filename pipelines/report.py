"""The report: one HTML file that needs no other, from the tables of a finished run."""

import base64
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from diffusion import Entries, market_names
from diffusion.schema import LEAST_EXPOSED
from graphs import MarketGraph
from pipelines.folders.folder import Folder
from pipelines.study import Study
from pipelines.summary import cell, every, not_made, unmatched_lines
from survival import Breakthrough

MOST = 15

FLOW_COLUMNS = ["source", "target", "tracks", "joint", "exposed", "rate", "lag_median"]

TITLES = {
    "none": "Time to breakthrough",
    "continent": "Time to breakthrough, by continent of the market",
    "language_match": "Time to breakthrough, by language shared with the footprint",
    "footprint_size": "Time to breakthrough, by markets entered on day 0",
}
"""Grouping of survival curves → title of their figure."""

CAPTIONS = {
    "flow_map": "The largest flows between markets, by number of tracks.",
    "leaders": "Leader markets by four measures; they answer different questions and need not agree.",
    "transition_matrix": "P(entry into the column's market within the window | in the row's market first, not tied).",
    "lags": "How long observed transitions took; where follow-up is short, long ones are missing.",
    "leader_intervals": "Leaders with bootstrap intervals; markets in one band cannot be told from its first.",
    "rolling_leaders": "Leaders among the tracks that debuted in each year, a quarter apart, with intervals.",
    "validity": "Do the leaders of one half-year predict who is first with new artists in the next?",
    "backbone_map": "Flows that chance does not explain (volume null, q ≤ .05); language and artist are not held.",
    "lag_curves": "How soon tracks follow, for the pairs of the highest rates, with 95 % bands.",
    "influence_heatmap": "Direct influence: entries expected per entry; what is faster than the cadence is not in it.",
    "community_map": "Communities of markets by their flows (Leiden).",
    "community_grid": "The same communities by language.",
}
"""Figure → caption, in the order of the report."""


TESTED = {
    "validity": ("validity", ("measure", "pairs", "rho", "low", "high", "p", "q")),
    "influence": (
        "influence",
        ("source", "target", "alpha", "low", "high", "q", "credits", "lag_median", "joint", "alpha_if_ties"),
    ),
    "communities": ("community_agreement", ("grouping", "ami", "ami_low", "ami_high", "p", "markets", "communities")),
    "mrqap": ("mrqap", ("term", "estimate", "low", "high", "p", "markets")),
    "gravity": ("gravity", ("term", "estimate", "jackknife_low", "jackknife_high", "jackknife_p", "markets")),
}
"""Name in the report → artifact and the columns shown."""


def report_html(
    study: Study, entries: Entries, graph: MarketGraph, curves: tuple[Breakthrough, ...], folder: Folder
) -> str:
    """Return the report of a run whose figures are already in `folder`."""
    environment = Environment(
        loader=PackageLoader("pipelines", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["cell"] = cell
    return environment.get_template("report.html").render(
        title=study.title,
        reading=folder.notes("entries"),
        counts=folder.notes("graph"),
        rules=entries.rules,
        window=graph.window,
        horizon=study.horizon,
        coverage=_table(_notable_coverage(entries)),
        every=every(folder.notes("entries")["cadence_days"]),
        usual=entries.calendar.by_market()[["dates", "depth_median", "missing"]].median(),
        unseen=[day.isoformat() for day in entries.calendar.unseen_dates()],
        leaders=_table(graph.scores().drop(columns="market").head(MOST)),
        tested=_tested(folder),
        flows={by: _table(_flows(graph, by)) for by in ("tracks", "rate")},
        least_exposed=LEAST_EXPOSED,
        summary=_table(pd.concat([part.summary for part in curves], ignore_index=True).drop(columns="by")),
        figures={name: (_picture(folder, name), text) for name, text in CAPTIONS.items() if folder.holds(_file(name))},
        survival_figures=[
            (_picture(folder, name), TITLES[by])
            for by, name in ((part.by, f"survival_{part.by}") for part in curves)
            if folder.holds(_file(name))
        ],
        caveats=_caveats(entries, graph, curves, folder),
        inputs=_table(pd.DataFrame(folder.parameters("entries")["inputs"]).head(50)),
        manifest=folder.manifest(),
    )


def _tested(folder: Folder) -> dict[str, dict[str, Any]]:
    """Return the tables of leaders, direct edges, communities and distances, those that were made."""
    made = {}
    for name, (artifact, columns) in TESTED.items():
        if folder.holds(f"{artifact}.parquet"):
            frame = folder.read_table(f"{artifact}.parquet").to_pandas()
            if name == "validity":
                frame = frame[frame["given"] == "size and outcome"]
            if name == "influence":
                frame = frame[frame["direct"]].nlargest(MOST, "low")
            made[name] = frame[list(columns)]
    return {name: _table(frame) for name, frame in made.items()}


def _table(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a frame as what the template's table macro takes."""
    return {"columns": [str(name).replace("_", " ") for name in frame], "rows": frame.to_numpy(dtype=object).tolist()}


def _file(name: str) -> str:
    return f"figures/{name}.png"


def _picture(folder: Folder, name: str) -> str:
    """Return a figure as a data URI."""
    return "data:image/png;base64," + base64.b64encode(folder.read(_file(name))).decode("ascii")


def _notable_coverage(entries: Entries) -> pd.DataFrame:
    """Return the markets whose coverage is not like the others': late, ended, gappy, shallow or stale."""
    table = entries.calendar.by_market()
    like_most: pd.Series[bool] = (
        (table["first_date"] == table["first_date"].mode().iloc[0])
        & (table["last_date"] == table["last_date"].mode().iloc[0])
        & (table["missing"] == table["missing"].mode().iloc[0])
        & (table["depth_least"] >= 0.9 * table["depth_median"].median())
        & (table["spans"] == 1)
        & (table["stale"] == 0)
    )
    shown: pd.DataFrame = table[~like_most].drop(columns="market")
    return shown


def _flows(graph: MarketGraph, by: str) -> pd.DataFrame:
    table: pd.DataFrame = graph.largest(by).head(MOST)[[*FLOW_COLUMNS, "distance_km", "cultural_distance"]]
    for side in ("source", "target"):
        table[side] = table[side].map(market_names(table[side]))
    return table


def _caveats(entries: Entries, graph: MarketGraph, curves: tuple[Breakthrough, ...], folder: Folder) -> list[str]:
    """Return what of this run's data a reader must know before believing a number."""
    reading, counts = folder.notes("entries"), folder.notes("graph")
    coverage = entries.calendar.by_market()
    debuts = entries.debuts().to_pandas()
    lines = [
        f"{counts['ties']:,} pairs of entries have no observed order; {counts['transitions']:,} are transitions. "
        f"One chart every {every(reading['cadence_days'])}: what travels faster leaves no direction.",
        f"{int(debuts['left_censored'].sum()):,} of {len(debuts):,} tracks were first seen within a washout; "
        "they take no part in transitions or curves.",
    ]
    gaps = coverage[coverage["missing"] > 0]
    if len(gaps):
        lines.append(
            f"Charts are missing in {len(gaps)} of {len(coverage)} markets, {int(gaps['missing'].max())} at most; "
            "two entries within one gap are a tie."
        )
    if coverage["stale"].any():
        lines.append(
            f"{int(coverage['stale'].sum())} charts equal the one before, ranks and all; they were kept as observed."
        )
    shallow = coverage[coverage["depth_least"] < 0.9 * coverage["depth_median"].median()]
    if len(shallow):
        lines.append(f"Shallower charts at times in {', '.join(shallow['name'])}: entering them means something else.")
    lines += [f"Not made: {name}: {why}." for name, why in not_made(folder).items()]
    lines += [f"Distances: {line.removeprefix('unmatched').strip()}." for line in unmatched_lines(graph)]
    return lines + [f"{note[0].upper()}{note[1:]}." for part in curves for note in part.notes()]
