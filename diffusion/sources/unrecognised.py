"""What to say about a file that is no chart as it stands: what it lacks, what it has, and which option to give."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from diffusion.errors import UnknownMarketError
from diffusion.markets import resolve
from diffusion.sources.layouts import SYNONYMS, plain_key, plain_name

MOST_NAMES: Final = 30
"""Column names that a message lists."""

NEAR: Final = 0.8
"""Least likeness of two names, of 1, to suggest one for the other."""

MOST_CHARACTERS: Final = 40
"""Characters of a column's name or value that a message shows."""

_DATE: Final = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([T ].*)?|(?:19|20)[0-9]{6}")
_WEEK: Final = re.compile(r"x?[0-9]+(st|nd|rd|th)?_?week|week_?[0-9]+|wk_?[0-9]+")


def what_it_lacks(
    names: Sequence[str], columns: Mapping[str, str | None], lacks: Sequence[str], first_row: Sequence[str] | None
) -> tuple[str, str]:
    """Return what a file lacks and has, to be read after its name, and what to do.

    Parameters
    ----------
    names
        Columns of the file.
    columns
        Our column → the file's column, None where there is none.
    lacks
        Our columns that are lacking, alternatives joined by "or".
    first_row
        First row of a file without a header, None of others.
    """
    if first_row is not None:
        return _without_header(first_row, columns)
    wide = sum(bool(_WEEK.fullmatch(plain_name(name)) or _DATE.fullmatch(name.strip())) for name in names)
    if wide >= 3:
        return (
            f"has a column for each of {wide} weeks or dates ({_shown(names)})",
            "bring it into long form, with one row per track, market and date",
        )
    problem = f"lacks a column for {', '.join(lacks)} (found {_shown(names)})"
    if any("date" in one for one in lacks) and "year" in map(plain_key, names):
        return problem, "a table of years has no dates, and a chart needs one: give charts of days or weeks"
    free = [name for name in names if name not in columns.values()]
    ways = [f"if it has another name, give it: {' '.join(_option(one, free) for one in lacks)}"]
    facts = [one.split(" or ")[0] for one in lacks if one == "market" or "date" in one]
    if facts:
        fields = "_".join(f"{{{fact}}}" for fact in facts)
        ways.append(f"if the files' names say it: --from-name '*_{fields}.csv'")
    if "market" in lacks:
        ways.append("if all rows are of one market, such as the US: --market-name =US")
    return problem, "; ".join(ways)


def _option(lacking: str, free: Collection[str]) -> str:
    """Return the option that names a column, with the nearest of those that are not used."""
    ours = lacking.split(" or ")
    keys = {plain_key(name): name for name in reversed(list(free)) if plain_key(name)}
    for one in ours:
        for name in SYNONYMS[one]:
            near = difflib.get_close_matches(plain_key(name), keys, n=1, cutoff=NEAR)
            if near:
                return f"--column {one}={_quoted(keys[near[0]])}"
    return f"--column {ours[0] if len(ours) > 2 or 'date' in ours[0] else ours[-1]}=THEIRS"


def _without_header(row: Sequence[str], columns: Mapping[str, str | None]) -> tuple[str, str]:
    guesses = {ours: position for ours, position in _by_content(row).items() if not columns[ours]}
    options = " ".join(f"--column {ours}={position or 'N'}" for ours, position in guesses.items())
    return f"has no header: its first line is {_shown(row)}", f"name its columns by position: {options}"


def _by_content(row: Sequence[str]) -> dict[str, int | None]:
    """Return our column → the position of the field that looks like it, None if there is none."""
    looks: dict[str, Callable[[str], object]] = {
        "rank": lambda text: re.fullmatch("#?[0-9]{1,4}", text),
        "market": _is_market,
        "date": _DATE.fullmatch,
        "url": lambda text: "track/" in text or "track:" in text or "://" in text,
    }
    found: dict[str, int | None] = {}
    for ours, is_like in looks.items():
        free = (at for at, text in enumerate(row, 1) if at not in found.values() and is_like(text.strip()))
        found[ours] = next(free, None)
    rest = [at for at, text in enumerate(row, 1) if at not in found.values() and re.search(r"[^\W\d_]", text)]
    found |= dict(zip(("title", "artist"), rest, strict=False))
    return found


def _is_market(text: str) -> bool:
    try:
        return bool(resolve(text))
    except UnknownMarketError:
        return False


def _shown(names: Sequence[str]) -> str:
    short = [name[:MOST_CHARACTERS] + "…" * (len(name) > MOST_CHARACTERS) or "''" for name in names[:MOST_NAMES]]
    return ", ".join(short) + (" …" if len(names) > MOST_NAMES else "")


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else f"'{name}'"
