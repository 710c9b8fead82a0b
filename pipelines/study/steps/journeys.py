"""Journeys: time to the first further markets, kinds by definition, and kinds that the data tell apart."""

from typing import Any, Final

import numpy as np
import pandas as pd

import figures
from diffusion import DataSaysNoError
from pipelines.contracts.journeys import (
    FIRST_MARKET_LAGS,
    FIRST_MARKETS,
    JOURNEY_CLUSTERS,
    JOURNEY_COURSES,
    JOURNEY_KINDS,
    JOURNEY_STABILITY,
    JOURNEY_VALLEYS,
)
from pipelines.eda.journeys.clusters import STABLE, clustered, clusters_table, tell_apart
from pipelines.eda.journeys.first_markets import first_market_tables
from pipelines.eda.journeys.followed import Journeys
from pipelines.eda.journeys.kinds import NAMES, STAYS, courses, kind_of, kinds_table
from pipelines.eda.journeys.valleys import LEAST_REACH, MOST_ARTISTS, Points
from pipelines.formatting import html_table, many, percent
from pipelines.study.findings import Finding
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Drawing, Gaps, Output, Step, Table

DEFINITION: Final = "definition"
CLUSTER: Final = "cluster"
"""Values of `sort` in the table of courses."""

DRAWN: Final = ("first_markets", "journey_kinds", "journey_clusters")
"""Tables with a figure, in order."""

LAGS_COLUMNS: Final = [
    "by", "group", "extra", "tracks", "entered", "share", "share_low", "share_high", "lag_median", "at_once",
]  # fmt: skip
"""Columns of the table of the report."""


def _make(study: Study, results: Results) -> Output:
    entries, gaps = results.entries, Gaps()
    window = study.window or entries.calendar.default_window
    notes = {"window": window, "horizon": study.horizon}
    tables: dict[str, Table] = {}
    try:
        journeys = Journeys.of(entries, max(window, study.horizon))
        tables |= first_market_tables(journeys, horizon=study.horizon)
        tables |= _kinds(journeys.whole(window), window, study.seed, gaps)
    except DataSaysNoError as error:
        gaps |= dict.fromkeys(DRAWN[1:] if tables else DRAWN, str(error))
    return Output(tables, notes=notes, not_made=gaps)


def _kinds(journeys: Journeys, window: int, seed: int, gaps: Gaps) -> dict[str, pd.DataFrame]:
    """Return the kinds by definition, and those that are told apart."""
    kind = kind_of(journeys.half_day, journeys.crossed)
    drawn = [courses(journeys, kind, list(NAMES), window).assign(sort=DEFINITION)]
    far = journeys.only(journeys.reach >= LEAST_REACH)
    tables = {"journey_kinds": kinds_table(journeys)} | gaps.take("journey_clusters", lambda: _told_apart(far, seed))
    if "journey_clusters" in tables:
        cluster = tables["journey_clusters"]["cluster"].to_numpy() - 1
        names = tables["journey_stability"]["cluster"].astype(str).tolist()
        drawn.append(courses(far, cluster, names, window).assign(sort=CLUSTER))
    elif "journey_valleys" in tables:
        gaps["journey_clusters"] = "no kinds of journeys can be told apart"
    return tables | {"journey_courses": pd.concat(drawn, ignore_index=True)}


def _told_apart(journeys: Journeys, seed: int) -> dict[str, pd.DataFrame]:
    """Return whether kinds of journeys are told apart, and the clusters if they are."""
    rng = np.random.default_rng(seed)
    points = Points.of(journeys, rng)
    tried = tell_apart(points, rng)
    tables = {"journey_valleys": tried.table}
    if tried.kinds == 1:
        return tables
    found = clustered(points, tried.kinds, rng)
    own = pd.DataFrame({"track_id": journeys.names, "cluster": found.cluster + 1})
    own["jaccard"] = found.jaccard[found.cluster]
    return tables | {"journey_stability": clusters_table(journeys, found), "journey_clusters": own}


def _drawings(results: Results) -> dict[str, Drawing]:
    drawings = {}
    if results.holds("first_markets"):
        drawings["first_markets"] = Drawing(
            "Shares of tracks that have entered a first, second and third further market, by day since the debut, with "
            "the tracks still followed; and the first one by markets on day 0.",
            lambda: figures.first_markets_chart(results.table("first_markets")),
        )
    if results.holds("journey_kinds"):
        drawings["journey_kinds"] = Drawing(
            "Markets entered by day since the debut, for each kind of journey by definition: median and quartiles, "
            "with the share of tracks.",
            lambda: figures.journeys_chart(results.table("journey_kinds"), _courses(results, DEFINITION)),
        )
    if results.holds("journey_stability"):
        drawings["journey_clusters"] = Drawing(
            "Markets entered by day since the debut, for each cluster of journeys: median and quartiles, with the "
            "share of tracks and the stability of the cluster.",
            lambda: figures.journeys_chart(
                results.table("journey_stability").assign(kind=lambda table: table["cluster"].astype(str)),
                _courses(results, CLUSTER),
            ),
        )
    return drawings


def _courses(results: Results, sort: str) -> pd.DataFrame:
    table = results.table("journey_courses")
    return table[table["sort"] == sort]


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("first_markets"):
        return {}
    shown = {
        name: html_table(results.table(f"journey_{name}")) if results.holds(f"journey_{name}") else None
        for name in ("kinds", "valleys", "stability")
    }
    facts = {"least_reach": LEAST_REACH, "stable": STABLE, "most_artists": MOST_ARTISTS}
    lags = {"lags": html_table(results.table("first_market_lags")[LAGS_COLUMNS])}
    return facts | shown | lags | {name: results.notes("journeys")[name] for name in ("window", "horizon")}


def _findings(results: Results) -> list[Finding]:
    found = []
    if results.holds("journey_valleys"):
        found.append(_apart(results))
    if results.holds("first_market_lags"):
        found.append(_soon(results))
    if results.holds("journey_kinds"):
        found.append(_defined(results))
    return found


def _apart(results: Results) -> Finding:
    """Return whether kinds of journeys are told apart."""
    table, window = results.table("journey_valleys"), results.notes("journeys")["window"]
    artists = int(table["artists"].iloc[0])
    caveat = (
        "It is about the number of markets and the pace alone, of journeys of three markets or more, one of each "
        "artist; rare kinds, and kinds that overlap, are not told apart."
    )
    if not results.holds("journey_stability"):
        depth = table["depth"].iloc[0]
        least = "" if pd.isna(depth) else f"; between the two most distinct there were {depth:.2f} times as many"
        return Finding(
            "No kinds of journeys",
            f"No kinds of journeys can be told apart by how many markets tracks enter within {window} days and how "
            "soon.",
            f"Two kinds would have fewer than three quarters as many journeys between them as at their centres{least} "
            f"(p {table['p'].min():.2g}, {artists:,} artists).",
            caveat,
            "not found",
            figure="journey_kinds",
            headline=True,
        )
    kinds, apart = results.table("journey_stability"), table[table["apart"]].iloc[-1]
    listed = "; ".join(f"{row['name']} {percent(row['share'])}" for row in kinds.to_dict("records"))
    return Finding(
        "Kinds of journeys",
        f"Journeys within {window} days fall into {len(kinds)} kinds: {listed}.",
        f"Between two kinds there are {apart['depth']:.2f} times as many journeys as at the emptier centre, or fewer "
        f"(p {apart['p']:.2g}, {artists:,} artists); mean Jaccard similarity of clusters {kinds['jaccard'].min():.2f} "
        "or more when artists are drawn anew.",
        caveat,
        "found",
        figure="journey_clusters",
        headline=True,
    )


def _soon(results: Results) -> Finding:
    """Return how soon tracks enter a first further market."""
    table = results.table("first_market_lags")
    first = table[(table["by"] == "all") & (table["extra"] == 1)].iloc[0]
    half = "" if pd.isna(first["lag_median"]) else f", half of those by day {first['lag_median']}"
    return Finding(
        "Time to the first further market",
        f"{percent(first['share'])} of tracks enter a further market within {first['followed_to']} days of their debut"
        f"{half}; {percent(first['at_once'])} debut in several markets on one day.",
        _bounds(first["share_low"], first["share_high"]),
        "Tracks are censored when the coverage of a market ends that they had not entered; what spreads within a day, "
        "or between two charts, leaves no lag.",
        "described",
        figure="first_markets",
    )


def _defined(results: Results) -> Finding:
    """Return the shares of the kinds by definition."""
    table, window = results.table("journey_kinds"), results.notes("journeys")["window"]
    stays = table[table["kind"] == STAYS].iloc[0]
    most = table[table["kind"] != STAYS].sort_values("share", kind="stable").iloc[-1]
    others = f"; of the others the most are {most['kind']}: {percent(most['share'])} of all tracks"
    return Finding(
        "Kinds of journeys by definition",
        f"{percent(stays['share'])} of {many(table['tracks'].sum(), 'track')} stay in one market for {window} days"
        + (f"{others}." if most["tracks"] else "."),
        _bounds(stays["share_low"], stays["share_high"]).replace("interval", "interval of the first share"),
        "The bounds between the kinds are set, not found: day 7, and three continents.",
        "described",
        figure="journey_kinds",
    )


def _bounds(low: float, high: float) -> str:
    """Return an interval of a share as a sentence."""
    if pd.isna(low):
        return "Too few artists for an interval."
    return f"95 % interval, by artist: {percent(low)} to {percent(high)}."


def _lines(results: Results) -> list[str]:
    return [f"journeys  {finding.said} {finding.sure}" for finding in _findings(results)]


JOURNEYS = Step(
    name="journeys",
    title="Time to breakthrough, and kinds of journeys",
    doing="following journeys",
    version=1,
    tables={
        "first_markets": FIRST_MARKETS,
        "first_market_lags": FIRST_MARKET_LAGS,
        "journey_kinds": JOURNEY_KINDS,
        "journey_courses": JOURNEY_COURSES,
        "journey_valleys": JOURNEY_VALLEYS,
        "journey_stability": JOURNEY_STABILITY,
        "journey_clusters": JOURNEY_CLUSTERS,
    },
    make=_make,
    needs=("entries",),
    settings=("window", "horizon", "seed"),
    drawings=_drawings,
    section=_section,
    findings=_findings,
    lines=_lines,
)
