"""Markets: the reference table, and the ISO code of any market name or code in a chart."""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Final, Literal, overload

import pandas as pd
import pyarrow.parquet as pq

from diffusion.errors import UnknownMarketError

AGGREGATES: Final = frozenset({"global", "world", "worldwide", "international"})
"""Names of the chart that adds up all markets, in the form of `plain_name`."""

SIMULATED: Final = tuple(f"X{letter}" for letter in "ABCDEFGHIJLMNOPQRSTUVWXYZ")
"""User-assigned codes of simulated markets, named "Simulated XA" and so on; XK is left out: Kosovo."""

CEPII: Final = "cepii"
"""Origin of the markets in Spotify's public charts, whose distances are CEPII's."""

DERIVED: Final = "derived"
"""Origin of all other markets, and of the distances to them: GeoNames, CLDR and the World Bank."""

_CODE_LETTERS = 3

_MAY_LACK = (
    "subregion",
    "population",
    "population_year",
    "area_km2",
    "latitude",
    "longitude",
    "capital",
    "capital_latitude",
    "capital_longitude",
    "official_languages",
    "languages",
)


@cache
def reference_table() -> pd.DataFrame:
    """Return the reference table of all territories in ISO 3166-1, and Kosovo.

    Returns
    -------
    DataFrame
        One row per market, in order of code: `market` (ISO 3166-1 alpha-2), `iso3`, `name`, `aliases` (joined by
        ``|``), `continent`, `subregion`, `population`, `population_year`, `area_km2`, `latitude` and `longitude`
        (degrees, position of a label or the capital), `capital` with its position, `official_languages` and
        `languages` (``code:share``, shares of the population), `origin` (``cepii`` for the 69 markets in Spotify's
        public charts, else ``derived``). What no source gives is missing.

    Examples
    --------
    >>> reference_table().set_index("market").loc["SE", ["name", "continent", "capital", "origin"]].tolist()
    ['Sweden', 'Europe', 'Stockholm', 'cepii']
    """
    tables = [_packaged("markets.csv").assign(origin=CEPII), _packaged("markets_derived.csv").assign(origin=DERIVED)]
    whole = dict.fromkeys(["population", "population_year"], "Int64")
    return pd.concat([table.astype(whole) for table in tables]).sort_values("market", ignore_index=True)


def chart_markets() -> list[str]:
    """Return the codes of the 69 markets in Spotify's public charts, in order.

    Examples
    --------
    >>> chart_markets()[:3], len(chart_markets())
    (['AD', 'AE', 'AR'], 69)
    """
    table = reference_table()
    return [str(code) for code in table.loc[table["origin"] == CEPII, "market"]]


@overload
def resolve(name: str) -> str | Literal["Global"]: ...  # type: ignore[overload-overlap]  # a text is one name


@overload
def resolve(name: Iterable[str]) -> list[str]: ...


def resolve(name: str | Iterable[str]) -> str | list[str]:
    """Return the ISO 3166-1 alpha-2 code of a market, or ``'Global'`` for the sum of all markets; or a list of codes.

    Case, accents, spaces and punctuation do not matter, except accents in names of three letters or fewer, which would
    look like codes. Known are the codes (alpha-2 and alpha-3), the names and aliases of the reference table, the names
    in all languages of CLDR, and the codes of simulated markets (``XA``, "Simulated XA"). An English name has only its
    English meaning.

    Parameters
    ----------
    name
        A name or code; or several, for a list of codes in their order.

    Raises
    ------
    UnknownMarketError
        When the name is unknown; the message suggests the nearest known name. When the name means different markets in
        different languages; the message names them. Of several names, one message says it of each.

    Examples
    --------
    >>> resolve(["USA", "us", "Viet Nam", "Czechia", "UK", "Türkiye", "Malta", "Brasil", "Global"])
    ['US', 'US', 'VN', 'CZ', 'GB', 'TR', 'MT', 'BR', 'Global']
    >>> resolve("Brazzil")
    Traceback (most recent call last):
    ...
    diffusion.errors.UnknownMarketError: unknown market 'Brazzil'; did you mean 'Brazil'?
    >>> resolve("Kongo")
    Traceback (most recent call last):
    ...
    diffusion.errors.UnknownMarketError: ambiguous market 'Kongo': CD (Congo - Kinshasa) or CG (Congo - Brazzaville)
    """
    if isinstance(name, str):
        return _resolved(name)
    names = [str(one) for one in name]
    codes, unknown = resolve_known(names)
    if unknown:
        raise UnknownMarketError("; ".join(unknown.values()))
    return [codes[one] for one in names]


def _resolved(name: str) -> str | Literal["Global"]:
    plain = plain_name(name)
    if plain in AGGREGATES:
        return "Global"
    code = _codes().get(plain)
    if code and not _is_word(name):
        return code
    meanings = _native_names().get(plain) or code
    if meanings is None:
        raise UnknownMarketError(f"unknown market {_shown(name)}{_nearest(plain)}")
    if "|" in meanings:
        listed = " or ".join(f"{code} ({name})" for code, name in market_names(meanings.split("|")).items())
        raise UnknownMarketError(f"ambiguous market {_shown(name)}: {listed}")
    return meanings


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
        listed = [f"{why} ({names[name]:,} rows)" for name, why in unknown.items()]
        more = f"; and {len(listed) - 5} more" if len(listed) > 5 else ""
        raise UnknownMarketError(
            "; ".join(listed[:5]) + more + "; correct the source, or name them: market_names in a study"
        )
    return codes


def resolve_known(
    names: Iterable[str], *, extra: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return name → code of known names, and name → message of others; `extra` as in `resolve_all`.

    Examples
    --------
    >>> resolve_known(["Sweden", "Swedenn", ""], extra={"Suedia": "SE", "": "Global"})
    ({'Sweden': 'SE', '': 'Global'}, {'Swedenn': "unknown market 'Swedenn'; did you mean 'Sweden'?"})
    """
    codes, unknown = {}, {}
    further = {_key(name): resolve(code) for name, code in (extra or {}).items()}
    for name in names:
        try:
            codes[name] = further.get(_key(name)) or resolve(name)
        except UnknownMarketError as error:
            unknown[name] = str(error)
    return codes, unknown


def unmatched_names(extra: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Return the additional names that no name of a source matches.

    Examples
    --------
    >>> unmatched_names({"Suedia": "SE", "Norvegia": "NO"}, ["suedia", "Denmark"])
    ['Norvegia']
    """
    there = {_key(name) for name in names}
    return [name for name in extra if _key(name) not in there]


def market_names(codes: Iterable[str]) -> dict[str, str]:
    """Return code → English name.

    Examples
    --------
    >>> market_names(["SE", "CY"])
    {'SE': 'Sweden', 'CY': 'Cyprus'}
    """
    known = dict(zip(reference_table()["market"], reference_table()["name"], strict=True))
    known |= {code: f"Simulated {code}" for code in SIMULATED}
    return {code: known.get(code, code) for code in codes}


def plain_name(name: str) -> str:
    """Return a name without case, accents, spaces and punctuation; accents stay where it would look like a code.

    Examples
    --------
    >>> [plain_name(name) for name in ("Côte d’Ivoire", "U.S.A.", "Çad", "ประเทศไทย")]
    ['cotedivoire', 'usa', 'çad', 'ประเทศไทย']
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(c for c in decomposed if c.isalnum() or _is_vowel_sign(c))
    if plain.isascii() and len(plain) <= _CODE_LETTERS:
        return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())
    return plain


def _packaged(file: str) -> pd.DataFrame:
    """Return a packaged table of markets, without a value where a cell is empty."""
    with resources.files("diffusion").joinpath("data", file).open(encoding="utf-8") as text:
        table = pd.read_csv(text, keep_default_na=False, na_values={column: [""] for column in _MAY_LACK})
    return table


@cache
def _codes() -> dict[str, str]:
    """Return plain name → code, of codes, English names and aliases."""
    codes = {plain_name(name): code for code in SIMULATED for name in (code, f"Simulated {code}")}
    for row in reference_table().itertuples():
        for name in (str(row.market), str(row.iso3), str(row.name), *str(row.aliases).split("|")):
            if name:
                codes[plain_name(name)] = str(row.market)
    return codes


@cache
def _native_names() -> dict[str, str]:
    """Return plain name → code, or codes joined by ``|``, of the names in all languages of CLDR."""
    with resources.files("diffusion").joinpath("data", "names.parquet").open("rb") as file:
        table = pq.read_table(file).to_pydict()
    return dict(zip(table["name"], table["markets"], strict=True))


@cache
def _known_names() -> dict[str, str]:
    """Return plain name → name to suggest; codes are left out, because near misses of a code suggest nonsense."""
    table = reference_table()
    names = {plain_name(name): name for name in table["name"]}
    for aliases in table["aliases"]:
        names |= {plain_name(alias): alias for alias in str(aliases).split("|") if len(alias) > _CODE_LETTERS}
    return names


def _is_word(name: str) -> bool:
    """Return whether a name of three letters is written as a word: "Nga" is Russia in Vietnamese, NGA is Nigeria."""
    return len(name.strip()) == _CODE_LETTERS and name.strip().istitle()


def _is_vowel_sign(character: str) -> bool:
    """Return whether a character is a mark that stands for a sound, such as a vowel in Thai, and not an accent."""
    return unicodedata.category(character).startswith("M") and not unicodedata.combining(character)


def _key(name: str) -> str:
    return plain_name(name) or name.strip()


def _nearest(plain: str) -> str:
    near = difflib.get_close_matches(plain[:60], _known_names(), n=1, cutoff=0.75)
    return f"; did you mean '{_known_names()[near[0]]}'?" if near else "; no known name is near"


def _shown(name: str) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return f"'{shown[:40]}…'" if len(shown) > 40 else f"'{shown}'"
