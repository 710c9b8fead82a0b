"""Facts in the names of chart files and of the folders above them: market, date, chart and cadence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote

from diffusion.errors import SettingError, UnknownMarketError
from diffusion.markets import resolve
from diffusion.sources.layouts import SOURCE_COLUMNS, SYNONYMS, plain_key

FIELDS: Final = ("market", "date", "week_start", "week_end", "chart", "cadence")
"""Facts that a name may hold."""

NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
"""Value in a folder's name that stands for no value."""

_SUFFIX: Final = re.compile(r"(\.(csv|tsv|txt|psv|json|jsonl|ndjson|xlsx|xls|parquet|pq|zip|gz|zst))+$", re.IGNORECASE)
_DATE: Final = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})([-_.]?)([0-9]{2})\2([0-9]{2})(?![0-9])")
_WORDS: Final = frozenset(
    (
        *("regional", "viral", "spotify", "youtube", "apple", "music", "itunes", "shazam", "billboard", "kworb"),
        *("chart", "charts", "song", "songs", "track", "tracks", "single", "singles", "top", "hot", "hits", "data"),
        *("position", "positions", "ranking", "rankings", "overview", "download", "export", "part", "by", "of", "the"),
    )
)
"""Words of a file's name that say nothing on market, date or cadence, as do numbers."""
_CADENCES: Final = {"daily": "daily", "day": "daily", "weekly": "weekly", "week": "weekly"}
_CHART: Final = re.compile(r"(daily|weekly)?((?:top|viral|hot)[0-9]{1,4})")
_OFFICIAL: Final = {"regional": "top200", "viral": "viral50"}
"""First word of a file's name in the downloads of Spotify → chart."""
_OURS: Final = {plain_key(name): ours for ours in reversed(SOURCE_COLUMNS) for name in reversed(SYNONYMS[ours])}
"""Name of a column, for comparison → our column."""
_LONGEST_NAME: Final = 5
"""Words: no market's name has more."""


def name_facts(path: Path) -> dict[str, str]:
    """Return the facts that the name of a file holds, and of the folders above it up to the first without facts.

    A name counts only if each of its words is known: a market, a date, a cadence, a chart, a number, or a word such
    as ``spotify`` or ``charts``.

    Examples
    --------
    >>> name_facts(Path("regional-us-weekly-2022-01-06.csv"))
    {'date': '2022-01-06', 'cadence': 'weekly', 'market': 'us', 'chart': 'top200'}
    >>> name_facts(Path("charts/se/2022-01-01.csv"))
    {'market': 'se', 'date': '2022-01-01'}
    >>> name_facts(Path("born in the us 2022-01-01.csv"))
    {}
    """
    facts = _facts_in(_SUFFIX.sub("", path.name))
    for folder in reversed(path.parent.parts):
        above = _facts_in(folder)
        if facts is None or not (above or _is_year(folder) or "=" in folder):
            break
        facts = (above or {}) | facts
    return facts or {}


def folder_facts(path: Path) -> dict[str, str]:
    """Return our column → value of the folders above a file that are called ``name=value``, the nearest first.

    Examples
    --------
    >>> folder_facts(Path("region=se/date=2022-01-01/part-0.parquet"))
    {'date': '2022-01-01', 'market': 'se'}
    """
    pairs = (folder.split("=", 1) for folder in reversed(path.parent.parts) if "=" in folder)
    values = {plain_key(name): unquote(value) for name, value in pairs if value not in ("", NO_VALUE)}
    parts = [values.pop(name, "") for name in ("year", "month", "day")]
    facts = {"date": "-".join(part.zfill(2) for part in parts)} if all(parts) else {}
    for key, value in values.items():
        if ours := _OURS.get(key):
            facts.setdefault(ours, value)
    return facts


def folder_columns(path: Path) -> dict[str, str]:
    """Return our column → name of the folder ``name=value`` above a file that gives it, where one folder does.

    Examples
    --------
    >>> folder_columns(Path("year=2022/Region=se/part-0.parquet"))
    {'market': 'Region'}
    """
    names = [folder.partition("=")[0] for folder in path.parent.parts if "=" in folder]
    columns = [(_OURS.get(plain_key(name)), name) for name in names]
    return {ours: name for ours, name in columns if ours and [one for one, _ in columns].count(ours) == 1}


@dataclass(frozen=True, slots=True)
class NamePattern:
    """Where the names of files hold facts, as the user says it, such as ``{market}/{date}.csv``.

    Attributes
    ----------
    text
        The pattern: fields in braces; ``*`` and ``{}`` stand for anything within one name.
    fields
        Its fields.
    """

    text: str
    fields: tuple[str, ...]
    _form: re.Pattern[str]

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the pattern of a text.

        Raises
        ------
        SettingError
            When the text has an unknown field, or none, or one brace without the other.
        """
        parts = re.split(r"(\{[^{}]*\}|\*+)", text.removeprefix("./"))
        fields = [part[1:-1] for part in parts[1::2] if part.strip("*") not in ("", "{}")]
        strange = [name for name in fields if name not in FIELDS]
        if strange or not fields or any(sign in part for part in parts[::2] for sign in "{}"):
            what = f"the field '{strange[0]}'" if strange else "no field" if not fields else "a brace without the other"
            listed = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise SettingError(
                f"--from-name '{text}' has {what}; it may have {listed}, and * for anything, "
                "such as '{market}/{date}.csv'"
            )
        form, seen = "", set[str]()
        for at, part in enumerate(parts):
            name = part[1:-1] if part.startswith("{") else ""
            if at % 2 == 0:
                form += re.escape(part)
            elif not name:
                form += "[^/]*"
            else:
                form += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
                seen.add(name)
        return cls(text, tuple(dict.fromkeys(fields)), re.compile(rf"(?:.*/)?{form}", re.IGNORECASE | re.DOTALL))

    def facts(self, path: Path) -> dict[str, str] | None:
        """Return field → value in the end of a path, None if it does not match; a pattern may lack the suffix.

        Examples
        --------
        >>> NamePattern.read("{market}/*_{date}.csv").facts(Path("charts/Sweden/no1_2022-01-01.csv"))
        {'market': 'Sweden', 'date': '2022-01-01'}
        """
        text = path.as_posix()
        found = self._form.fullmatch(text if _SUFFIX.search(self.text) else _SUFFIX.sub("", text))
        return None if found is None else {name: found[name].strip() for name in self.fields}


def common_facts(facts: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the names of the facts that all of some files have."""
    return [name for name in (facts[0] if facts else ()) if all(name in one for one in facts)]


def _facts_in(name: str) -> dict[str, str] | None:
    """Return the facts in one name; None if it has a word that is not known."""
    days = [found for found in _DATE.finditer(name) if _is_date(*found.group(1, 3, 4))]
    if len(days) > 2:
        return None
    dates = ["-".join(found.group(1, 3, 4)) for found in days]
    keys = ("week_start", "week_end") if len(dates) == 2 else ("date",)
    facts = dict(zip(keys, dates, strict=False))
    rest = name
    for found in reversed(days):
        rest = f"{rest[: found.start()]} {rest[found.end() :]}"
    words = re.findall(r"[^\W_]+", rest.casefold())
    markets: list[str] = []
    at = 0
    while at < len(words):
        chart = _CHART.fullmatch(words[at])
        cadence = _CADENCES.get(words[at]) or (chart and chart[1])
        if cadence:
            facts["cadence"] = cadence
        if chart:
            facts["chart"] = chart[2]
        used = 1 if chart or cadence or words[at] in _WORDS or words[at].isdecimal() else 0
        if not used:
            used = _market_words(words[at:])
            if not used:
                return None
            markets.append(" ".join(words[at : at + used]))
        at += used
    if len(markets) > 1:
        return None
    if markets:
        facts["market"] = markets[0]
    if words and words[0] in _OFFICIAL and len(facts) > 1:
        facts.setdefault("chart", _OFFICIAL[words[0]])
    return facts


def _market_words(words: Sequence[str]) -> int:
    """Return how many of the first words are the name of a market; 0 if they are not."""
    counts = range(min(len(words), _LONGEST_NAME), 0, -1)
    return next((count for count in counts if _is_market(" ".join(words[:count]))), 0)


@lru_cache(10_000)
def _is_market(name: str) -> bool:
    try:
        resolve(name)
    except UnknownMarketError:
        return False
    return True


def _is_year(word: str) -> bool:
    return re.fullmatch("(19|20)[0-9]{2}", word) is not None


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
