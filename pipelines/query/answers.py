"""Answers to questions about a finished graph folder, as text and as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError, market_names
from diffusion.distances import DISTANCES
from graphs import SCORES
from graphs import route as routes
from graphs.leaders.asymmetry import MEASURE
from graphs.leaders.groups import LEAST_ARTISTS
from pipelines.formatting import cell, many, printable, records, text_table
from pipelines.query.explain import (
    baseline_sentence,
    flow_sentence,
    influence_sentence,
    order_sentences,
    verdict_sentence,
)
from pipelines.study.finished import open_study
from pipelines.study.results import Results
from pipelines.track_names import wanted_track

PAIR_COLUMNS = [
    "tracks",
    "joint",
    "exposed",
    "rate",
    "rate_low",
    "rate_high",
    "rate_if_ties",
    "followed_to",
    "lag_q25",
    "lag_median",
    "lag_q75",
    "distance_km",
    "cultural_distance",
]

RATIOS = {"ratio": "beta", "ratio_low": "beta_low", "ratio_high": "beta_high"}
"""Name of a ratio → the column of its logarithm."""

PER_ENTRY = ("credits_per_entry", "lag_median")

YES_OR_NO = ("contiguous", "common_language")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as text for people and as JSON-ready data."""

    text: str
    data: Any


def leaders(place: Path, *, by: str, most: int) -> Answer:
    """Return the `most` markets with the highest score `by`, with its interval, and the other scores.

    By the tested measure, lead_excess, there are p, q and rank group too, and it says of which markets it says nothing.
    """
    results = open_study(place)
    graph = results.graph
    ranked = results.table("leaders") if results.holds("leaders") else pd.DataFrame({"measure": []})
    known = list(dict.fromkeys([*ranked["measure"], *SCORES]))
    if by not in known:
        raise SettingError(f"no score '{by}'; there are {', '.join(known)}")
    table = graph.scores()
    own = ranked[ranked["measure"] == by].drop(columns="measure").dropna(axis=1, how="all")
    if len(own):
        own = own.rename(columns={"score": by}).drop(columns="rank", errors="ignore")
        own["says"] = np.where(own["artists"] < LEAST_ARTISTS, "too few", "")
        own["artists"] = own["artists"].round(1)
        others = table.drop(columns=["name", by], errors="ignore")
        table = table[["market", "name"]].merge(own, on="market").merge(others, on="market")
        table = table.assign(last=table["says"] == "too few").sort_values(
            ["last", by, "market"], ascending=[True, False, True], ignore_index=True
        )
        table = table.drop(columns="last")
    else:
        table = table.sort_values([by, "market"], ascending=[False, True], ignore_index=True)
    tested = "moves beyond the share that the baseline expects" if by == MEASURE else "a score that tests nothing"
    heading = f"{graph.chart}: leaders by {by} ({tested}), within {graph.window} days"
    return Answer(f"{heading}\n{text_table(table.head(most))}", records(table.head(most)))


def flow(place: Path, source: str, target: str) -> Answer:
    """Return one ordered pair, its opposite direction, and its lag curve."""
    graph = open_study(place).graph
    found = graph.flow(source, target)
    edge, back = found.edge, found.back
    names = market_names([str(edge["source"]), str(edge["target"])])
    a, b = names.values()
    curve = found.curve[found.curve["entered"] > 0]
    lines = [
        f"{a} → {b} on {graph.chart}, within {graph.window} days",
        flow_sentence(edge, a, b),
        flow_sentence(back, b, a),
        f"{many(edge['joint'], 'track')} entered both with neither order observed; ties count for no direction.",
    ]
    lines.append(_distances_sentence(edge))
    if not curve.empty:
        lines += ["", f"Share of exposed tracks in {b} by days after {a}, on days with entries:", text_table(curve)]
    pair = pd.DataFrame([edge, back])
    data = {"there": records(pair)[0], "back": records(pair)[1], "lag_curve": records(found.curve)}
    return Answer("\n".join(lines), data)


def next_from(place: Path, market: str, *, most: int) -> Answer:
    """Return the `most` markets with the highest rate after `market`."""
    graph = open_study(place).graph
    table = graph.next_from(market)
    table.insert(2, "name", table["target"].map(market_names(table["target"])))
    seen = table[table["tracks"] > 0]
    if seen.empty:
        raise DataSaysNoError(f"no track has a transition from {graph.code(market)} within {graph.window} days")
    shown = seen.head(most)
    name = market_names([graph.code(market)]).popitem()[1]
    heading = (
        f"{graph.chart}: after {name}, by rate = P(entry within {graph.window} days); "
        "check exposed before you trust a rate"
    )
    return Answer(f"{heading}\n{text_table(shown[['target', 'name', *PAIR_COLUMNS]])}", records(shown))


def who_follows(place: Path, market: str, *, most: int) -> Answer:
    """Return the `most` markets that follow `market` directly, by the entries attributed to it."""
    return _influence(place, market, side="source", other="target", most=most)


def influence(place: Path, market: str, *, most: int) -> Answer:
    """Return the `most` markets that `market` follows directly, by its entries attributed to them."""
    return _influence(place, market, side="target", other="source", most=most)


def _influence(place: Path, market: str, *, side: str, other: str, most: int) -> Answer:
    results = open_study(place)
    graph, table = results.graph, _direct(results)
    code = graph.code(market)
    name = market_names([code])[code]
    own = table[table[side] == code]
    direct = own[own["direct"]].sort_values(["credits", other], ascending=[False, True], ignore_index=True)
    if direct.empty:
        asked = f"no market follows {code}" if side == "source" else f"{code} follows no market"
        raise DataSaysNoError(f"{asked} in a way that is shown to be direct; {_power(own)}")
    direct.insert(2, "name", direct[other].map(market_names(direct[other])))
    asked = f"who follows {name} directly" if side == "source" else f"whom {name} follows directly"
    heading = (
        f"{graph.chart}: {asked}, {len(direct):,} of {own['q_joint'].notna().sum():,} tested pairs; ratio: by how much "
        "an entry multiplies the weight of the target on the next chart, compared with other targets"
    )
    ratios = {ratio: np.exp(direct[beta]) for ratio, beta in RATIOS.items()}
    shown = direct.assign(**ratios)[[other, "name", *RATIOS, "q_joint", "ordered", "credits", *PER_ENTRY]].head(most)
    return Answer(f"{heading}\n{text_table(shown)}", records(direct.head(most)))


def route(place: Path, source: str, target: str, *, most: int) -> Answer:
    """Return the `most` probable routes from one market to another along direct pairs."""
    results = open_study(place)
    graph, table = results.graph, _direct(results)
    a, b = graph.code(source), graph.code(target)
    found = routes(table[table["direct"]], a, b, k=most)
    names = market_names([a, b])
    lines = [
        f"{graph.chart}: most probable routes from {names[a]} to {names[b]} along direct pairs; P from the credits per "
        "entry, if the steps are independent"
    ]
    for number, steps in found.groupby("route"):
        way = " → ".join([*steps["source"], steps["target"].iloc[-1]])
        first = steps.iloc[0]
        lines.append(
            f"{number}. {way}: P = {first['route_probability']:.3g}, about {many(round(first['days']), 'day')}"
        )
    return Answer("\n".join(lines), records(found))


def explain(place: Path, source: str, target: str) -> Answer:
    """Return the numbers of one edge in words."""
    results = open_study(place)
    graph = results.graph
    found = graph.flow(source, target)
    edge = found.edge
    names = market_names([str(edge["source"]), str(edge["target"])])
    a, b = names.values()
    lift, influence = (_of_pair(results, name, edge) for name in ("lifts", "influence"))
    row, direct = ((None if part is None else part.to_dict("records")[0]) for part in (lift, influence))
    lines = [f"{a} → {b} on {graph.chart}, within {graph.window} days"]
    if row is not None:
        lines.append(verdict_sentence(edge, found.back, row, direct, a, b))
    lines.append(flow_sentence(edge, a, b))
    if row is not None:
        lines.append(baseline_sentence(row, a, b))
    lines += order_sentences(edge, row or {}, a, b)
    lines.append("Direct: not tested in this folder." if direct is None else influence_sentence(direct, a, b))
    parts = {"edge": pd.DataFrame([edge]), "baseline": lift, "direct": influence}
    data = {name: None if part is None else records(part)[0] for name, part in parts.items()}
    return Answer("\n".join([*lines, _distances_sentence(edge)]), data)


def _of_pair(results: Results, name: str, edge: Mapping[Any, Any]) -> pd.DataFrame | None:
    """Return the row of a pair in a table, None where the table was not made."""
    if not results.holds(name):
        return None
    table = results.table(name)
    row: pd.DataFrame = table[(table["source"] == edge["source"]) & (table["target"] == edge["target"])]
    return row


def journey(place: Path, track: str) -> Answer:
    """Return a track's entries in order; `track` is an id, a url, or a title."""
    results = open_study(place)
    entries, titles = results.entries, results.table("tracks")
    markets = entries.table.group_by("track_id").aggregate([("market", "count")]).to_pandas()
    titles = titles.merge(markets, how="left", on="track_id").sort_values(
        ["market_count", "track_id"], ascending=[False, True]
    )
    chosen = wanted_track(track, titles)
    table = entries.journey(str(chosen["track_id"]))
    named = ", ".join(str(part) for part in (chosen["title"], chosen["artist"]) if isinstance(part, str))
    heading = printable(f"{chosen['track_id']}{f': {named}' if named else ''} on {entries.rules.chart}")
    shown = table[["step", "market", "name", "entry", "days", "rank", "left_censored"]]
    data = {"track_id": chosen["track_id"], "title": chosen["title"], "artist": chosen["artist"]}
    return Answer(f"{heading}\n{text_table(shown)}", data | {"journey": records(table)})


def _direct(results: Results) -> pd.DataFrame:
    """Return the pairs and whether they are direct; an error where none is, which says what would have been seen."""
    notes = results.notes("direct")  # the error says how to make the step if it is missing
    if not results.holds("influence"):
        raise DataSaysNoError(f"which pairs are direct is not known: {notes['not_made']['influence']}")
    table = results.table("influence")
    if not table["direct"].any():
        raise DataSaysNoError(f"no pair of markets is shown to be direct; {_power(table)}")
    return table


def _power(pairs: pd.DataFrame) -> str:
    """Return in words how large an effect would have been seen."""
    needed = pairs["detectable"].dropna()
    if needed.empty:
        return "no pair has enough tracks for a test"
    tested = many(len(needed), "tested pair")
    return f"a ratio of {needed.median():.2f} would be found with a power of 80 % (median of {tested})"


def _distances_sentence(edge: Mapping[Any, Any]) -> str:
    words = {0: "no", 1: "yes"}
    apart = [
        (name.replace("_", " "), words.get(edge[name], "") if name in YES_OR_NO else cell(edge[name]))
        for name in DISTANCES
    ]
    known = [f"{name} {value}" for name, value in apart if value]
    return f"Between them: {', '.join(known)}." if known else "No distance between them is known."
