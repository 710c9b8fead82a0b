"""The numbers of one ordered pair of markets in words: the verdict, the numbers, and the tests."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from diffusion.conventions import FDR, LEAST_EXPOSED
from pipelines.formatting import many, percent, rate_range, records
from pipelines.query.answer import Question

MORE: Final = ("observed", "expected", "lift", "lift_low", "lift_high", "p", "q", "detectable")
"""Numbers of the first question, as `graphs.contracts.LIFTS` names them."""

FIRST: Final = ("p_order", "q_order", "ordered", "lead_share", "lead_share_low", "lead_share_high", "lead_expected")
"""Numbers of the second question."""


def verdict_sentence(
    edge: Mapping[Any, Any],
    back: Mapping[Any, Any],
    lift: Mapping[Any, Any],
    influence: Mapping[Any, Any] | None,
    a: str,
    b: str,
) -> str:
    """Return one sentence that weighs presence, order, direct influence and ties.

    Parameters
    ----------
    edge, back
        The pair and its opposite direction, as `diffusion.contracts.TRANSITIONS` says.
    lift
        The pair as `graphs.contracts.LIFTS` says.
    influence
        The pair as `graphs.contracts.INFLUENCE` says; None where it was not fitted.
    """
    return f"{_found(lift, influence, a, b)}{_of_ties(edge, back)}."


def _found(lift: Mapping[Any, Any], influence: Mapping[Any, Any] | None, a: str, b: str) -> str:
    if pd.isna(lift["q"]):
        return f"too few tracks could go from {a} to {b} to say anything"
    if not lift["edge"]:
        return (
            f"tracks do not go from {a} to {b} more than the sizes and likeness of markets explain, as far as these "
            f"charts show (a lift of {lift['detectable']:.2f} would be found with a power of 80 %)"
        )
    direct = (
        ""
        if influence is None
        else ", also beside all other markets that were entered before (a direct edge)"
        if influence["direct"]
        else ", which may be by way of other markets or from one before both (not shown to be direct)"
    )
    way = (
        f", and more than from {b} to {a}"
        if lift["ordered"]
        else f", but not shown to be more than from {b} to {a}, so a taste that both share would look the same"
    )
    return f"tracks go from {a} to {b} {lift['lift']:.1f} times as often as sizes and likeness explain{direct}{way}"


def _of_ties(edge: Mapping[Any, Any], back: Mapping[Any, Any]) -> str:
    """Return what ties leave open, where there are as many as transitions either way."""
    seen = edge["tracks"] + back["tracks"]
    if edge["joint"] < max(seen, 1):
        return ""
    return f"; most of it is not seen in order ({many(edge['joint'], 'tie')}, {many(seen, 'transition')} either way)"


def flow_sentence(edge: Mapping[Any, Any], a: str, b: str) -> str:
    """Return a sentence on how many tracks went from `a` to `b`, and with what probability."""
    if not edge["exposed"]:
        return f"No track could be followed from {a} to {b}."
    lag = (
        f", half of them within {edge['lag_median']:g} day{'' if edge['lag_median'] == 1 else 's'}"
        if edge["tracks"] > 1
        else ""
    )
    few = f" (not reliable: fewer than {LEAST_EXPOSED} tracks)" if edge["exposed"] < LEAST_EXPOSED else ""
    return (
        f"Of {many(edge['exposed'], 'track')} in {a} that could have gone on to {b}, {edge['tracks']:,} did{lag}; "
        f"that is {rate_range(edge)}, by day {edge['followed_to']:g}, with censored follow-up taken into account "
        f"(95 % interval without ties {percent(edge['rate_low'])} to {percent(edge['rate_high'])}){few}."
    )


def ties_sentence(edge: Mapping[Any, Any]) -> str:
    """Return a sentence on the tracks of which no order was seen."""
    return f"{many(edge['joint'], 'track')} entered both with neither order observed; ties count for no direction."


def questions_of(
    lift: pd.DataFrame | None, influence: pd.DataFrame | None, a: str, b: str, *, why_not: Callable[[str], str]
) -> tuple[Question, ...]:
    """Return the tests of a pair: is there more than expected, who is first, is it direct.

    Parameters
    ----------
    lift, influence
        The pair as `graphs.contracts.LIFTS` and `graphs.contracts.INFLUENCE` say, one row; None where not made.
    a, b
        Names of source and target.
    why_not
        Function that returns why a table was not made, or how to make it.
    """
    row, direct = ((None if part is None else records(part)[0]) for part in (lift, influence))
    if row is None:
        more = first = f"Not tested: {why_not('lifts')}."
    else:
        given = part_of(lift)
        more, first = baseline_sentence(given, a, b), order_sentence(given, a, b)
    way = f"Not tested: {why_not('influence')}." if direct is None else ""
    return (
        Question("Is there more than expected?", more, row and {name: row[name] for name in MORE}),
        Question("Who is first?", first, row and {name: row[name] for name in FIRST}),
        Question("Is it direct?", way or influence_sentence(part_of(influence), a, b), direct),
    )


def part_of(table: pd.DataFrame | None) -> dict[Any, Any]:
    """Return the only row of a table; empty for None."""
    return {} if table is None else dict(table.to_dict("records")[0])


def baseline_sentence(pair: Mapping[Any, Any], a: str, b: str) -> str:
    """Return a sentence on what goes beyond market sizes and likeness."""
    counts = (
        f"{many(pair['observed'], 'track')} took a step to {b} after {a}, where {pair['expected']:.1f} are expected by "
        "market sizes and likeness if no market follows another"
    )
    if pd.isna(pair["q"]):
        return f"Not tested: {counts}; these are too few."
    if pair["q"] > FDR:
        return (
            f"Not shown: {counts} (lift {pair['lift']:.2f}, p = {pair['p']:.2g}, q = {pair['q']:.2g}); "
            f"a lift of {pair['detectable']:.2f} would be found with a power of 80 %."
        )
    lift = f"lift {pair['lift']:.2f} ({pair['lift_low']:.2f} to {pair['lift_high']:.2f}), q = {pair['q']:.2g}"
    return f"Yes: {counts} ({lift})."


def order_sentence(pair: Mapping[Any, Any], a: str, b: str) -> str:
    """Return sentences on whether more goes from `a` to `b` than back, and in which share `a` was first."""
    if pd.isna(pair["q_order"]):
        said = f"Not tested: too few tracks went either way between {a} and {b}."
    elif pair["q_order"] > FDR:
        said = f"Not shown: {a} to {b} is not shown to be more than {b} to {a} (q = {pair['q_order']:.2g}), so a taste "
        said += "that both share would look the same."
    elif not pair["ordered"]:
        said = (
            f"Not shown: there is less from {b} to {a} (q = {pair['q_order']:.2g}), but no more from {a} to {b} than "
        )
        said += "is expected."
    else:
        said = f"{a}: more goes from {a} to {b} than from {b} to {a}, each beside what is expected"
        said += f" (q = {pair['q_order']:.2g})."
    return f"{said}{_lead(pair, a)}"


def _lead(pair: Mapping[Any, Any], a: str) -> str:
    if pd.isna(pair["lead_share"]):
        return ""
    interval = (
        "of too few artists for an interval"
        if pd.isna(pair["lead_share_low"])
        else f"{percent(pair['lead_share_low'])} to {percent(pair['lead_share_high'])}"
    )
    expected = "" if pd.isna(pair["lead_expected"]) else f", where {percent(pair['lead_expected'])} are expected"
    return (
        f" Of the tracks that entered both within the window in an observed order, {a} was first in "
        f"{percent(pair['lead_share'])} ({interval}){expected}."
    )


def influence_sentence(pair: Mapping[Any, Any], a: str, b: str) -> str:
    """Return a sentence on whether `a` is shown to have a direct influence on `b`, and how large it is."""
    if pd.isna(pair["q_joint"]):
        return f"Not tested: too few tracks reached {b} after {a}."
    ratio, low, high = (f"{np.exp(pair[name]):.2f}" for name in ("beta", "beta_low", "beta_high"))
    found = f"{ratio} ({low} to {high}), q = {pair['q_joint']:.2g}"
    if not pair["direct"]:
        why = (
            "but taken by itself the pair is not shown to be more than the baseline expects"
            if pair["q_joint"] <= FDR
            else f"a ratio of {pair['detectable']:.2f} would be found with a power of 80 %"
        )
        return f"Not shown: fitted beside all other pairs the ratio is {found}; {why}."
    way = (
        f"and more than from {b} to {a}"
        if pair["ordered"]
        else f"but not shown to be more than from {b} to {a}, so that a common taste is not ruled out"
    )
    return (
        f"Yes: an entry into {a} multiplies the weight of {b} on the next chart, compared with other targets, by "
        f"{found}, {way}; {pair['credits']:.1f} entries into {b} are attributed to it, {pair['credits_per_entry']:.3f} "
        f"per entry into {a}, half of them within {pair['lag_median']:g} days. What {a} brings to all markets alike is "
        "not in it, nor what is faster than the charts."
    )
