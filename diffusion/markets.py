"""Markets: the reference table, and the ISO code of any market name or code in a chart."""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Final, Literal

import babel
import pandas as pd

from diffusion.errors import UnknownMarketError

AGGREGATES: Final = frozenset({"global", "world", "worldwide", "international"})
"""Names of the chart that adds up all markets, in the form of `_plain`."""

SIMULATED: Final = tuple(f"X{letter}" for letter in "ABCDEFGHIJLMNOPQRSTUVWXYZ")
"""User-assigned codes of simulated markets, named "Simulated XA" and so on; XK is left out: Kosovo."""

_NOT_MARKETS = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])


@cache
def reference_table() -> pd.DataFrame:
    """Return the reference table of the 69 markets in Spotify's public charts.

    Returns
    -------
    DataFrame
        One row per market, in order of code: `market` (ISO 3166-1 alpha-2), `iso3`, `name`, `aliases` (joined by
        ``|``), `continent`, `subregion`, `population`, `population_year`, `area_km2`, `latitude` and `longitude`
        (degrees, position of a label), `capital` with its position, `official_languages` and `languages`
        (``code:share``, shares of the population).

    Examples
    --------
    >>> reference_table().set_index("market").loc["SE", ["name", "continent", "capital"]].tolist()
    ['Sweden', 'Europe', 'Stockholm']
    """
    with resources.files("diffusion").joinpath("data", "markets.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False)


def resolve(name: str) -> str | Literal["Global"]:
    """Return the ISO 3166-1 alpha-2 code of a market, or ``'Global'`` for the sum of all markets.

    Case, accents, spaces and punctuation do not matter. Known are the codes (alpha-2, and alpha-3 of the reference
    table), the names and aliases of the reference table, the English names of all other territories in CLDR, and the
    codes of simulated markets (``XA``, "Simulated XA").

    Raises
    ------
    UnknownMarketError
        When the name is unknown; the message suggests the nearest known name.

    Examples
    --------
    >>> [resolve(name) for name in ("USA", "us", "Viet Nam", "Czechia", "UK", "Türkiye", "Malta", "Global")]
    ['US', 'US', 'VN', 'CZ', 'GB', 'TR', 'MT', 'Global']
    >>> resolve("Brasil")
    Traceback (most recent call last):
    ...
    diffusion.errors.UnknownMarketError: unknown market 'Brasil'; did you mean 'Brazil'?
    """
    plain = _plain(name)
    if plain in AGGREGATES:
        return "Global"
    code = _codes().get(plain)
    if code is None:
        raise UnknownMarketError(f"unknown market {_shown(name)}{_nearest(plain)}")
    return code


def resolve_all(names: Mapping[str, int], *, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return name → code for all market names of a source.

    Parameters
    ----------
    names
        Name in the source → number of rows with it.
    extra
        Additional names → a known name or code.

    Raises
    ------
    UnknownMarketError
        When names are unknown; one message lists them with their rows and the nearest known name.
    """
    codes, unknown = resolve_known(names, extra=extra)
    if unknown:
        told = [f"{why} ({names[name]:,} rows)" for name, why in unknown.items()]
        more = f"; and {len(told) - 5} more" if len(told) > 5 else ""
        raise UnknownMarketError(
            "; ".join(told[:5]) + more + "; correct the source, or name them: market_names in a study"
        )
    return codes


def resolve_known(
    names: Iterable[str], *, extra: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return name → code of known names, and name → message of unknown ones; `extra` as in `resolve_all`.

    Examples
    --------
    >>> resolve_known(["Sweden", "Schweden"], extra={"Suède": "SE"})
    ({'Sweden': 'SE'}, {'Schweden': "unknown market 'Schweden'; did you mean 'Sweden'?"})
    """
    codes, unknown = {}, {}
    further = {_plain(name): resolve(code) for name, code in (extra or {}).items()}
    for name in names:
        try:
            codes[name] = further.get(_plain(name)) or resolve(name)
        except UnknownMarketError as error:
            unknown[name] = str(error)
    return codes, unknown


def market_names(codes: Iterable[str]) -> dict[str, str]:
    """Return code → English name.

    Examples
    --------
    >>> market_names(["SE", "CY"])
    {'SE': 'Sweden', 'CY': 'Cyprus'}
    """
    known = dict(zip(reference_table()["market"], reference_table()["name"], strict=True))
    known |= {code: f"Simulated {code}" for code in SIMULATED}
    cldr = babel.Locale("en").territories
    return {code: known.get(code) or str(cldr.get(code, code)) for code in codes}


@cache
def _codes() -> dict[str, str]:
    cldr = {str(code): str(name) for code, name in babel.Locale("en").territories.items()}
    codes: dict[str, str] = {}
    for code, name in cldr.items():
        if len(code) == 2 and code.isalpha() and code not in _NOT_MARKETS:
            codes[_plain(code)] = codes[_plain(name)] = code
    for code in SIMULATED:
        codes[_plain(code)] = codes[_plain(f"Simulated {code}")] = code
    for row in reference_table().itertuples():
        for name in (str(row.market), str(row.iso3), str(row.name), *str(row.aliases).split("|")):
            if name:
                codes[_plain(name)] = str(row.market)
    return codes


@cache
def _known_names() -> dict[str, str]:
    """Return plain name → name to suggest; codes are left out, because near misses of a code suggest nonsense."""
    real = sorted(set(_codes().values()).difference(SIMULATED))
    names = {_plain(name): name for name in market_names(real).values()}
    for aliases in reference_table()["aliases"]:
        names |= {_plain(alias): alias for alias in str(aliases).split("|") if len(alias) > 3}
    return names


def _nearest(plain: str) -> str:
    near = difflib.get_close_matches(plain[:60], _known_names(), n=1, cutoff=0.75)
    return f"; did you mean '{_known_names()[near[0]]}'?" if near else "; no known name is near"


def _plain(name: str) -> str:
    """Return `name` without case, accents, spaces and punctuation."""
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isalnum())


def _shown(name: str) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return f"'{shown[:40]}…'" if len(shown) > 40 else f"'{shown}'"
