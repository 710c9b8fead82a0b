"""Values and tables as text for terminals, reports, CSV and Markdown, and as JSON."""

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from diffusion.foreign_text import csv_table

_MARKS = re.compile(r"([\\`*_{}\[\]|~#!()])")
"""Signs that mean something within a line of Markdown."""

SHARES: Final = frozenset(
    {
        "at_home", "at_once", "followed_whole", "found_again", "lead_expected", "lead_share", "rate", "rate_if_ties",
        "real", "reverse", "share", "share_entered", "structural", "there", "travelled",
    }
)  # fmt: skip
"""Columns of tables in a report that hold shares; they are shown in per cent."""

WORDS: Final = {
    "ami": "agreement", "at_home": "debut in one market", "at_once": "on day 0", "debuted": "debut",
    "distance_km": "distance (km)", "edges": "pairs found", "edges_sizes": "pairs beyond sizes",
    "extra": "further market", "footprint_median": "median footprint", "further": "further markets",
    "groups": "groups of leaders", "half_day": "half entered by day", "in_tracks": "received", "joint": "ties",
    "lag_median": "median lag (days)", "ordered": "more one way", "out_tracks": "sent", "pagerank": "PageRank",
    "q_joint": "q", "rate_if_ties": "rate if ties", "said": "on these charts", "says": "claim",
    "source_name": "source", "springrank": "SpringRank", "target_name": "target",
}  # fmt: skip
"""Names of columns in the tables of a report that differ from those in the files."""


def cell(value: Any) -> str:
    """Return a value as text for a table; empty if it is missing, with spaces between the parts of a tuple."""
    if isinstance(value, tuple):
        return " ".join(map(cell, value))
    if value is None or value is pd.NaT or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, float) and 0 < value < 0.0005:
        return "<0.001"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1 else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return str(value) if isinstance(value, str | bool) else f"{value:,}"


def every(days: int) -> str:
    """Return a cadence of `days` in words, such as ``week``."""
    return {1: "day", 7: "week"}.get(days, f"{days} days")


def many(number: Any, thing: str) -> str:
    """Return a count with its noun, such as ``1 track`` or ``1,200 tracks``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def rate_range(pair: Mapping[Any, Any]) -> str:
    """Return the rate of a pair, with the rate if all ties had gone its way: ``8 % to 59 %, 2,357 ties``.

    Parameters
    ----------
    pair
        `rate`, `rate_if_ties` and `joint` (ties), as in `diffusion.contracts.TRANSITIONS`.
    """
    ties = f" to {percent(pair['rate_if_ties'])}, {many(pair['joint'], 'tie')}" if pair["joint"] else ""
    return f"{percent(pair['rate'])}{ties}"


def sentence(said: str) -> str:
    """Return words as a sentence: a capital first and a full stop last.

    Examples
    --------
    >>> sentence("no pair is direct")
    'No pair is direct.'
    """
    return f"{said[:1].upper()}{said[1:]}."


def date_spans(days: Sequence[date], *, every: int, most: int) -> str:
    """Return dates in words: dates that follow each other as a span, the first spans, and how many dates more.

    Parameters
    ----------
    days
        Dates, in order.
    every
        Days from one date to the next that follows it.
    most
        Most spans that are named.

    Examples
    --------
    >>> days = [date(2021, 4, day) for day in (11, 29, 30)] + [date(2021, 5, 1), date(2021, 6, 3)]
    >>> date_spans(days, every=1, most=2)
    '2021-04-11; 2021-04-29 to 2021-05-01; and 1 more date'
    """
    spans: list[list[date]] = []
    for day in days:
        if spans and (day - spans[-1][-1]).days == every:
            spans[-1].append(day)
        else:
            spans.append([day])
    named = [f"{span[0]} to {span[-1]}" if len(span) > 1 else f"{span[0]}" for span in spans[:most]]
    left = sum(map(len, spans[most:]))
    return "; ".join([*named, *[f"and {many(left, 'more date')}"] * bool(left)])


def percent(share: float, *, places: int | None = None) -> str:
    """Return a share as a percentage, such as ``59 %``, ``3.3 %`` or ``<0.1 %``; or with so many decimal places."""
    if places is not None:
        return f"{100 * share:.{places}f} %"
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.{1 if share < 0.0995 else 0}f} %"


def printable(text: str) -> str:
    """Return text without control characters, which could change a terminal's cursor, colours or text direction."""
    return "".join(c if _shows(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _shows(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind[0] != "C" and kind not in ("Zl", "Zp")


def text_table(frame: pd.DataFrame) -> str:
    """Return a frame as aligned text; control characters are replaced, missing values are empty."""
    shown = pd.DataFrame({name: [printable(cell(value)) for value in frame[name]] for name in frame.columns})
    return shown.to_string(index=False)


def markdown_table(frame: pd.DataFrame) -> str:
    """Return a frame as a table of Markdown; texts show as they are and are neither marks nor HTML.

    Examples
    --------
    >>> print(markdown_table(pd.DataFrame({"title": ["a|b <i>"], "tracks": [1200]})))
    | title | tracks |
    | :-- | --: |
    | a\\|b &lt;i&gt; | 1,200 |
    """
    ruled = ["--:" if pd.api.types.is_numeric_dtype(kind) else ":--" for kind in frame.dtypes]
    cells = [[_marked(cell(value)) for value in frame[name]] for name in frame.columns]
    lines = [[_marked(str(name)) for name in frame], ruled, *zip(*cells, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _marked(text: str) -> str:
    return _MARKS.sub(r"\\\1", html.escape(printable(text), quote=False))


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV in which no text looks like a formula, with spaces between the parts of a tuple."""
    parted = frame.map(lambda value: cell(value) if isinstance(value, tuple) else value)
    return csv_table(parted).to_csv(index=False)


def html_table(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a frame for the table macro of the report: `columns` (names in words), `numeric` (flags) and `rows`.

    An estimate is one column with its 95 % interval, which stands in the frame as ``estimate_low`` and
    ``estimate_high``, or as ``low`` and ``high`` right after it. Shares are in per cent.

    Examples
    --------
    >>> table = html_table(pd.DataFrame({"group": ["all"], "share": [0.142], "low": [0.058], "high": [0.273]}))
    >>> table["columns"], table["rows"]
    (['group', 'share (95 %)'], [['all', '14.2 % (5.8 to 27.3)']])
    """
    bounds = _bounds([str(name) for name in frame])
    hidden = {name for pair in bounds.values() for name in pair}
    names = [str(name) for name in frame if name not in hidden]
    shown = [_texts(frame, name, bounds.get(name)) for name in names]
    return {
        "columns": [WORDS.get(name, name.replace("_", " ")) + " (95 %)" * (name in bounds) for name in names],
        "numeric": [pd.api.types.is_numeric_dtype(frame[name]) and frame[name].dtype != bool for name in names],
        "rows": [list(row) for row in zip(*shown, strict=True)],
    }


def _bounds(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the columns with an interval, each with the columns of its bounds."""
    own = {name: (f"{name}_low", f"{name}_high") for name in names if {f"{name}_low", f"{name}_high"} <= {*names}}
    triples = zip(names, names[1:], names[2:], strict=False)
    bare = {before: ("low", "high") for before, *pair in triples if pair == ["low", "high"]}
    return own | bare


def _texts(frame: pd.DataFrame, name: str, bounds: tuple[str, str] | None) -> list[str]:
    """Return a column as texts; an estimate with its interval, where it has one."""
    unit, form = (" %", _hundredfold) if name in SHARES else ("", cell)
    texts = [text and text + unit for text in map(form, frame[name])]
    if bounds is None:
        return texts
    low, high = (map(form, frame[bound]) for bound in bounds)
    return [
        f"{text} ({a} {f'to {b}' if b else 'or more'})" if a else text
        for text, a, b in zip(texts, low, high, strict=True)
    ]


def _hundredfold(share: Any) -> str:
    """Return a share in per cent without the sign: one digit after the point, two below 1 %."""
    if pd.isna(share) or share in (0, 1):
        return "" if pd.isna(share) else f"{100 * share:.0f}"
    return "<0.01" if 0 < share < 0.00005 else f"{100 * share:.{2 if abs(share) < 0.00995 else 1}f}"


def seen(tests: pd.DataFrame) -> pd.DataFrame:
    """Return a table of tests in which a p that is too small for a number is not zero."""
    return tests.assign(p=tests["p"].clip(lower=np.finfo(np.float64).tiny))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as dictionaries for JSON: missing and infinite values are null, dates are ISO text."""
    rows: list[dict[str, Any]] = []
    for row in frame.to_dict("records"):
        rows.append({str(name): _json(value) for name, value in row.items()})
    return rows


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(part) for part in value]
    if pd.isna(value) or (isinstance(value, float) and np.isinf(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return value.item() if hasattr(value, "item") else value
