"""Names of countries in auxiliary sources: other spellings, codes of three letters, and years after the name."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from babel.core import get_global

from diffusion import UnknownMarketError, market_names, reference_table, resolve

FURTHER_NAMES: Final = {
    "Bosnia": "BA",
    "Brunei Darussalam": "BN",
    "Burma": "MM",
    "Cabo Verde": "CV",
    "Congo": "CG",
    "Congo, Dem. Rep.": "CD",
    "Congo, Rep.": "CG",
    "DR Congo": "CD",
    "Democratic Republic of the Congo": "CD",
    "East Timor": "TL",
    "French Southern and Antarctic Lands": "TF",
    "Heard Island and McDonald Islands": "HM",
    "Iran, Islamic Rep.": "IR",
    "Iran, Islamic Republic of": "IR",
    "Ivory Coast": "CI",
    "Kyrgyz Republic": "KG",
    "Kyrgyz Rep.": "KG",
    "Lao PDR": "LA",
    "Macau": "MO",
    "Macau SAR": "MO",
    "Macedonia": "MK",
    "Macedonia Rep.": "MK",
    "Moldova, Republic of": "MD",
    "Myanmar": "MM",
    "Palestine": "PS",
    "Republic of Moldova": "MD",
    "Republic of the Congo": "CG",
    "Saint Helena, Ascension and Tristan da Cunha": "SH",
    "Saint Vincent and the Grenadines": "VC",
    "South Georgia": "GS",
    "Swaziland": "SZ",
    "Syrian Arab Republic": "SY",
    "Tanzania, United Republic of": "TZ",
    "The Bahamas": "BS",
    "The Gambia": "GM",
    "United States Minor Outlying Islands": "UM",
    "United States Virgin Islands": "VI",
    "Venezuela, RB": "VE",
    "XKX": "XK",
}
"""Spellings in real sources, for territories outside the reference table, which has its own aliases."""

_YEARS = re.compile(r"\s*\(?(?<!\d)(?:19|20)\d\d\s*[-–]\s*(?:19|20)\d\d\)?$")


def country_name(text: str) -> str:
    """Return a country's name without white space around it and without a span of years after it.

    Examples
    --------
    >>> country_name(" Czech  Rep.1981-2014")
    'Czech Rep.'
    """
    return _YEARS.sub("", " ".join(text.split()))


@cache
def territory(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a territory, None if the name is not known.

    The name is looked up by `diffusion.resolve`, also with "&" for "and" and "St." for "Saint", then in
    `FURTHER_NAMES`, then among codes of three letters. An aggregate such as ``Global`` is not a territory.

    Examples
    --------
    >>> [territory(name) for name in ("Czech republic", "Trinidad and tobago", "Bosnia", "NA", "NAM", "Hebei")]
    ['CZ', 'TT', 'BA', 'NA', 'NA', None]
    """
    saints = re.sub(r"^saint\b", "St.", name, flags=re.IGNORECASE)
    for spelling in (name, re.sub(r"\band\b", "&", saints, flags=re.IGNORECASE)):
        code = _resolved(spelling)
        if code is not None:
            return None if code == "Global" else code
    return _further().get(_key(name)) or _of_three_letters(name)


def territory_key(name: str) -> str:
    """Return a key that is equal for names of one territory: the code, or the name in lower case if not known."""
    return territory(name) or f"\N{BULLET}{name.casefold()}"


def market_codes(markets: Sequence[str] | None = None) -> list[str]:
    """Return the codes of markets (names or codes) in order, without aggregates; None gives the reference table's.

    Raises
    ------
    UnknownMarketError
        When a name is not a known market.
    """
    if markets is None:
        return [str(code) for code in reference_table()["market"]]
    return sorted({resolve(market) for market in markets} - {"Global"})


def named(codes: Iterable[str]) -> dict[str, str]:
    """Return code → English name, in order of code."""
    return dict(sorted(market_names(codes).items()))


def _resolved(name: str) -> str | None:
    try:
        return resolve(name)
    except UnknownMarketError:
        return None


def _of_three_letters(name: str) -> str | None:
    """Return the alpha-2 code for a current ISO 3166-1 alpha-3 code, by CLDR."""
    if not re.fullmatch("[A-Za-z]{3}", name):
        return None
    replacements = get_global("territory_aliases").get(name.upper(), [])
    return _resolved(str(replacements[0])) if len(replacements) == 1 else None


@cache
def _further() -> dict[str, str]:
    return {_key(name): code for name, code in FURTHER_NAMES.items()}


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
