"""Answers to questions about markets and pairs of markets, from a finished graph folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError, market_names
from diffusion.conventions import LEAST_EXPOSED
from diffusion.distances import DISTANCES
from graphs import SCORES
from graphs import route as routes
from graphs.leaders.asymmetry import MEASURE
from graphs.leaders.groups import LEAST_ARTISTS
from pipelines.formatting import cell, many, rate_range, records
from pipelines.query.answer import Answer
from pipelines.query.explain import flow_sentence, part_of, questions_of, ties_sentence, verdict_sentence
from pipelines.study.finished import open_study
from pipelines.study.results import Results
from pipelines.study.steps.leaders import leading

PAIR_COLUMNS = (
    "tracks",
    "ties",
    "exposed",
    "rate",
    "rate_if_ties",
    "rate_low",
    "rate_high",
    "followed_to",
    "lag_q25",
    "lag_median",
    "lag_q75",
    "distance_km",
    "cultural_distance",
)

RATIOS = {"ratio": "beta", "ratio_low": "beta_low", "ratio_high": "beta_high"}
"""Name of a ratio → the column of its logarithm."""

DIRECT_COLUMNS = ("name", *RATIOS, "q", "ordered", "credits", "credits_per_entry", "lag_median")

YES_OR_NO = ("contiguous", "common_language")

NAMED = 3
"""Markets that a verdict names."""


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
    own = ranked[ranked["measure"] == by].drop(columns="measure")
    verdict = leading(own) if by == MEASURE else _highest(table if own.empty else own.rename(columns={"score": by}), by)
    if len(own):
        own = own.dropna(axis=1, how="all").rename(columns={"score": by}).drop(columns="rank", errors="ignore")
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
    about = f"{graph.chart}: leaders by {by} ({tested}), within {graph.window} days"
    return Answer(verdict, about, records(table.head(most)), table=table.head(most))


def _highest(table: pd.DataFrame, by: str) -> str:
    """Return a verdict on a score that describes."""
    known = table[table["artists"] >= LEAST_ARTISTS] if "artists" in table else table
    if known.empty:
        return f"no market has enough artists to say of which {by} is highest; it describes and tests nothing."
    first = known.sort_values([by, "market"], ascending=[False, True]).head(NAMED)
    names = market_names(first["market"])
    named = ", ".join(f"{names[row['market']]} {cell(row[by])}" for row in first.to_dict("records"))
    return f"{by} is highest in {named}; it describes and tests nothing, so it shows no leader."


def flow(place: Path, source: str, target: str) -> Answer:
    """Return one ordered pair, its opposite direction, and its lag curve."""
    results = open_study(place)
    graph = results.graph
    found = graph.flow(source, target)
    edge, back = found.edge, found.back
    a, b = market_names([str(edge["source"]), str(edge["target"])]).values()
    curve = found.curve[found.curve["entered"] > 0]
    lines = [flow_sentence(edge, a, b), flow_sentence(back, b, a), ties_sentence(edge), _distances_sentence(edge)]
    if not curve.empty:
        lines += ["", f"Share of exposed tracks in {b} by days after {a}, without ties, on days with entries:"]
    pair = records(pd.DataFrame([edge, back]))
    numbers = {"there": pair[0], "back": pair[1], "lag_curve": records(found.curve)}
    about = f"{a} → {b} on {graph.chart}, within {graph.window} days"
    return Answer(_verdict(results, edge, back, a, b), about, numbers, tuple(lines), table=curve)


def _verdict(results: Results, edge: Mapping[Any, Any], back: Mapping[Any, Any], a: str, b: str) -> str:
    """Return the verdict on a pair, or that it was not tested."""
    lift, influence = (_of_pair(results, name, edge) for name in ("lifts", "influence"))
    if lift is None:
        return (
            f"{edge['tracks']:,} of {many(edge['exposed'], 'track')} went from {a} to {b}{_rate_of(edge)}; whether "
            "this is more than is expected was not tested in this folder."
        )
    return verdict_sentence(edge, back, part_of(lift), None if influence is None else part_of(influence), a, b)


def _rate_of(edge: Mapping[Any, Any]) -> str:
    return f" ({rate_range(edge)})" if edge["exposed"] else ""


def next_from(place: Path, market: str, *, most: int) -> Answer:
    """Return the `most` markets with the highest rate after `market`."""
    results = open_study(place)
    graph = results.graph
    table = graph.next_from(market)
    table.insert(2, "name", table["target"].map(market_names(table["target"])))
    seen = table[table["tracks"] > 0]
    if seen.empty:
        raise DataSaysNoError(f"no track has a transition from {graph.code(market)} within {graph.window} days")
    name = market_names([graph.code(market)])[graph.code(market)]
    tested: tuple[str, ...] = ()
    if results.holds("lifts"):
        tested = ("lift", "q")
        seen = seen.merge(results.table("lifts")[["source", "target", "lift", "q", "edge"]], on=["source", "target"])
    shown = seen.head(most)
    about = (
        f"{graph.chart}: after {name}, by rate = P(entry within {graph.window} days), up to rate_if_ties if all ties "
        "had gone that way; check exposed before you trust a rate"
    )
    columns = ("target", "name", *PAIR_COLUMNS[:7], *tested, *PAIR_COLUMNS[7:])
    table = shown.rename(columns={"joint": "ties"})
    return Answer(_most_after(seen, name), about, records(shown), table=table, columns=columns)


def _most_after(table: pd.DataFrame, name: str) -> str:
    """Return where most tracks go after a market, as far as rates can be trusted, and what of it is tested."""
    sure = table[table["exposed"] >= LEAST_EXPOSED]
    if sure.empty:
        said = f"fewer than {LEAST_EXPOSED} tracks could go on from {name} to any market, too few for a rate"
    else:
        named = ", ".join(f"{row['name']} ({rate_range(row)})" for row in sure.head(NAMED).to_dict("records"))
        said = f"after {name} the highest rates are of {named}"
    if "edge" not in table:
        return f"{said}; whether that is more than is expected was not tested in this folder."
    more = table[table["edge"]].sort_values("q")["name"]
    if more.empty:
        return f"{said}; none is shown to be more than sizes and likeness explain."
    return f"{said}; shown to be more than sizes and likeness explain: {', '.join(more)}."


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
    direct = direct.assign(**{ratio: np.exp(direct[beta]) for ratio, beta in RATIOS.items()}, q=direct["q_joint"])
    asked = f"who follows {name} directly" if side == "source" else f"whom {name} follows directly"
    about = (
        f"{graph.chart}: {asked}, {len(direct):,} of {own['q_joint'].notna().sum():,} tested pairs; ratio: by how much "
        "an entry multiplies the weight of the target on the next chart, compared with other targets"
    )
    named = ", ".join(
        f"{row['name']} (ratio {row['ratio']:.2f}, {row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
        for row in direct.head(NAMED).to_dict("records")
    )
    more = f" and {len(direct) - NAMED:,} more" if len(direct) > NAMED else ""
    said = f"shown to follow {name} directly" if side == "source" else f"{name} is shown to follow directly"
    shown = direct.head(most)
    return Answer(f"{said}: {named}{more}.", about, records(shown), table=shown, columns=(other, *DIRECT_COLUMNS))


def route(place: Path, source: str, target: str, *, most: int) -> Answer:
    """Return the `most` probable routes from one market to another along direct pairs."""
    results = open_study(place)
    graph, table = results.graph, _direct(results)
    a, b = graph.code(source), graph.code(target)
    found = routes(table[table["direct"]], a, b, k=most)
    names = market_names([a, b])
    lines = []
    for number, steps in found.groupby("route"):
        way = " → ".join([*steps["source"], steps["target"].iloc[-1]])
        first = steps.iloc[0]
        lines.append(
            f"{number}. {way}: P = {first['route_probability']:.3g}, about {many(round(first['days']), 'day')}"
        )
    about = (
        f"{graph.chart}: routes from {names[a]} to {names[b]} along direct pairs; P from the credits per entry, if the "
        "steps are independent"
    )
    verdict = f"the most probable route from {names[a]} to {names[b]} is {lines[0].removeprefix('1. ')}."
    return Answer(verdict, about, records(found), tuple(lines), table=found, columns=())


def explain(place: Path, source: str, target: str) -> Answer:
    """Return the numbers of one edge in words, and its tests in the order of the questions that they answer."""
    results = open_study(place)
    graph = results.graph
    found = graph.flow(source, target)
    edge, back = found.edge, found.back
    a, b = market_names([str(edge["source"]), str(edge["target"])]).values()
    lift, direct = (_of_pair(results, name, edge) for name in ("lifts", "influence"))
    lines = (flow_sentence(edge, a, b), flow_sentence(back, b, a), ties_sentence(edge), _distances_sentence(edge))
    pair = records(pd.DataFrame([edge, back]))
    return Answer(
        _verdict(results, edge, back, a, b),
        f"{a} → {b} on {graph.chart}, within {graph.window} days",
        {"there": pair[0], "back": pair[1]},
        lines,
        questions_of(lift, direct, a, b, why_not=results.why_not),
        _measures(edge, back, part_of(lift), part_of(direct)),
        (),
    )


def _measures(
    edge: Mapping[Any, Any], back: Mapping[Any, Any], lift: Mapping[Any, Any], direct: Mapping[Any, Any]
) -> pd.DataFrame:
    """Return the measures of a pair as a table: value, interval, what ties leave open, what is expected, and q."""
    rows = [
        {
            "measure": f"rate {pair['source']} to {pair['target']}",
            "value": pair["rate"],
            "if_ties": pair["rate_if_ties"],
            "low": pair["rate_low"],
            "high": pair["rate_high"],
        }
        for pair in (edge, back)
    ]
    if lift:
        bounds = {"low": lift["lift_low"], "high": lift["lift_high"]}
        rows.append({"measure": "lift", "value": lift["lift"], **bounds, "expected": 1.0, "q": lift["q"]})
        bounds = {"low": lift["lead_share_low"], "high": lift["lead_share_high"], "expected": lift["lead_expected"]}
        rows.append({"measure": "lead share", "value": lift["lead_share"], **bounds, "q": lift["q_order"]})
    if direct:
        ratio, low, high = (np.exp(direct[beta]) for beta in RATIOS.values())
        bounds = {"low": low, "high": high, "expected": 1.0, "q": direct["q_joint"]}
        rows.append({"measure": "direct ratio", "value": ratio, **bounds})
    return pd.DataFrame(rows, columns=["measure", "value", "if_ties", "low", "high", "expected", "q"])


def _of_pair(results: Results, name: str, edge: Mapping[Any, Any]) -> pd.DataFrame | None:
    """Return the row of a pair in a table, None where the table was not made."""
    if not results.holds(name):
        return None
    table = results.table(name)
    row: pd.DataFrame = table[(table["source"] == edge["source"]) & (table["target"] == edge["target"])]
    return row


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
