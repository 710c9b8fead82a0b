"""Markets: the reference table of all territories, their names in all languages, and the distances of their pairs."""

import hashlib
from importlib import resources
from itertools import combinations

import babel
import numpy as np
import pandas as pd
import pytest
from babel.localedata import locale_identifiers

import diffusion
from diffusion.distances import DISTANCES
from diffusion.markets import (
    SIMULATED,
    _native_names,
    chart_markets,
    plain_name,
    resolve_all,
    resolve_known,
    unmatched_names,
)

UNINHABITED = {"AQ", "BV", "HM", "UM"}

GAPS = {
    "subregion": {"AQ"},
    "population": UNINHABITED,
    "area_km2": {"UM", "VA"},
    "latitude": UNINHABITED,
    "longitude": UNINHABITED,
    "capital": {*UNINHABITED, "BQ", "TK"},
    "capital_latitude": {*UNINHABITED, "BQ", "PW", "TK"},
    "capital_longitude": {*UNINHABITED, "BQ", "PW", "TK"},
    "official_languages": {*UNINHABITED, "TF"},
    "languages": UNINHABITED,
}
"""Column → markets for which no source has a value."""

CEPII_PAIRS = "c00d5fe06a393f3c242b18b70c2d15d176fdfa9218ee404e6f00cb339bcf97f3"
"""SHA-256 of `pairs.csv`: the values of CEPII, which other sources never change."""


TABLE = diffusion.reference_table().set_index("market")


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("USA", "US"), ("us", "US"), ("United States", "US"), ("U.S.A.", "US"), ("Viet Nam", "VN"), ("Vietnam", "VN"),
        ("Czechia", "CZ"), ("Czech republic", "CZ"), ("UK", "GB"), ("gb", "GB"), ("Great Britain", "GB"),
        ("Türkiye", "TR"), ("Turkey", "TR"), ("turkiye", "TR"), ("UAE", "AE"), ("South Korea", "KR"),
        ("Korea, Republic of", "KR"), ("  new   zealand ", "NZ"), ("Hong Kong", "HK"), ("Global", "Global"),
        ("GLOBAL", "Global"), ("NA", "NA"), ("Namibia", "NA"), ("Cyprus", "CY"), ("Liechtenstein", "LI"), ("deu", "DE"),
        ("Macau", "MO"), ("Macao", "MO"), ("Ivory Coast", "CI"), ("Trinidad and Tobago", "TT"), ("XKX", "XK"),
        ("Saint Kitts and Nevis", "KN"), ("Congo", "CG"), ("DR Congo", "CD"), ("Worldwide", "Global"), ("Usa", "US"),
    ],
)  # fmt: skip
def test_names_resolve(name: str, code: str) -> None:
    assert diffusion.resolve(name) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("日本", "JP"), ("Sverige", "SE"), ("Deutschland", "DE"), ("Česko", "CZ"), ("España", "ES"), ("Brasil", "BR"),
        ("ประเทศไทย", "TH"), ("ไทย", "TH"), ("Schweden", "SE"), ("Россия", "RU"), ("भारत", "IN"), ("مصر", "EG"),
        ("Ελλάδα", "GR"), ("대한민국", "KR"), ("香港", "HK"), ("ישראל", "IL"), ("Việt Nam", "VN"), ("Áo", "AT"),
        ("Çad", "TD"), ("SUOMI", "FI"), ("Éire", "IE"), ("Welt", "Global"), ("Mundo", "Global"), ("世界", "Global"),
    ],
)  # fmt: skip
def test_names_in_other_languages_resolve(name: str, code: str) -> None:
    assert diffusion.resolve(name) == code


def test_every_name_in_every_language_resolves_to_its_territory_or_is_ambiguous_or_looks_like_a_code() -> None:
    names = {
        (str(name), code)
        for locale in locale_identifiers()
        for code, name in babel.Locale.parse(locale).territories.items()
        if code in TABLE.index
    }
    assert len(names) > 30_000
    wrong = []
    for name, code in sorted(names):
        found, why = resolve_known([name])
        if found.get(name) != code and "ambiguous" not in why.get(name, "") and len(plain_name(name)) > 2:
            wrong.append((name, code, found or why))
    assert wrong == [("ma Lawi", "LV", {"ma Lawi": "MW"})]  # an English name has only one meaning: Malawi


@pytest.mark.parametrize(
    ("name", "meanings"),
    [
        ("Kongo", "CD (Congo - Kinshasa) or CG (Congo - Brazzaville)"),
        ("Конго", "CD (Congo - Kinshasa) or CG (Congo - Brazzaville)"),
        ("موریتانیا", "MR (Mauritania) or MU (Mauritius)"),
        ("Nga", "NG (Nigeria) or RU (Russia)"),
    ],
)
def test_a_name_of_two_territories_is_an_error_that_names_both(name: str, meanings: str) -> None:
    with pytest.raises(diffusion.UnknownMarketError) as caught:
        diffusion.resolve(name)
    assert str(caught.value) == f"ambiguous market '{name}': {meanings}"
    with pytest.raises(diffusion.UnknownMarketError, match=r"ambiguous market .*7 rows.*name them: market_names"):
        resolve_all({name: 7})
    assert resolve_all({name: 7}, extra={name: meanings[:2]}) == {name: meanings[:2]}


def test_codes_are_never_taken_for_words() -> None:
    assert [diffusion.resolve(code) for code in ("NGA", "nga", "AO", "AS", "SA", "VN")] == [
        "NG", "NG", "AO", "AS", "SA", "VN",
    ]  # fmt: skip
    for name, codes in _native_names().items():
        assert not (name.isascii() and len(name) <= 2), f"{name} looks like a code; {codes}"


@pytest.mark.parametrize("name", ["Brazzil", "Untied States", "Fraance", "ZZ", "EU", "", "💃", "A" * 10_000])
def test_unknown_names_are_errors(name: str) -> None:
    with pytest.raises(diffusion.UnknownMarketError, match="unknown market") as caught:
        diffusion.resolve(name)
    assert len(str(caught.value)) < 200


def test_suggestions_are_english_names() -> None:
    with pytest.raises(diffusion.UnknownMarketError, match="did you mean 'Sweden'"):
        diffusion.resolve("Swedenn")
    with pytest.raises(diffusion.UnknownMarketError, match="no known name is near"):
        diffusion.resolve("Sverigge mitt")


def test_every_reference_name_code_and_alias_resolves_to_its_market() -> None:
    for code, row in TABLE.iterrows():
        for name in (code, row["iso3"], row["name"], *filter(None, row["aliases"].split("|"))):
            assert diffusion.resolve(name) == code


def test_the_names_that_are_kept_are_plain_and_of_known_markets() -> None:
    known = {*TABLE.index, "Global"}
    for name, codes in _native_names().items():
        assert plain_name(name) == name
        assert known.issuperset(codes.split("|"))


def test_an_empty_name_and_one_of_symbols_can_be_given() -> None:
    assert resolve_known(["", " ", "💃"], extra={"": "Global"}) == (
        {"": "Global", " ": "Global"},
        {"💃": "unknown market '💃'; no known name is near"},
    )
    assert resolve_known(["💃", ""], extra={"💃": "Sverige"})[0] == {"💃": "SE"}


def test_given_names_that_match_nothing_are_found() -> None:
    given = {"Svea": "SE", "": "Global", "💃": "NO", "Danmarken": "DK"}
    assert unmatched_names(given, ["SVEA", "Norway", " "]) == ["💃", "Danmarken"]
    assert unmatched_names({}, ["Norway"]) == []


# ── the reference table ──────────────────────────────────────────────────────────────────────────────────────────────


def test_all_territories_of_iso_3166_are_there() -> None:
    territories = {code for code in babel.Locale("en").territories if len(code) == 2 and code.isalpha()}
    exceptional = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
    assert set(TABLE.index) == territories - exceptional
    assert len(TABLE) == 250
    assert TABLE.index.is_monotonic_increasing
    assert not set(TABLE.index).intersection(SIMULATED)
    assert TABLE["iso3"].str.fullmatch("[A-Z]{3}").all()
    assert TABLE["iso3"].is_unique


def test_the_table_has_no_gaps_but_those_that_are_known() -> None:
    for column in TABLE.columns.difference(["population_year"]):
        assert set(TABLE.index[TABLE[column].isna()]) == GAPS.get(column, set()), column
    dated = TABLE["population_year"].notna()
    assert TABLE.loc[dated, "population_year"].isin([2019, 2020]).all()
    assert TABLE.loc[~dated, "population"].fillna(0).max() < 1_000_000  # CLDR says no year
    assert (TABLE["population"].dropna() > 0).all()
    assert (TABLE["area_km2"].dropna() > 0).all()


def test_origins_are_marked() -> None:
    assert TABLE["origin"].value_counts().to_dict() == {"derived": 181, "cepii": 69}
    assert chart_markets() == TABLE.index[TABLE["origin"] == "cepii"].tolist()
    assert set(TABLE["continent"]) == {
        "Africa", "Antarctica", "Asia", "Europe", "North America", "Oceania", "South America",
    }  # fmt: skip


def test_known_facts_of_markets_outside_the_public_charts() -> None:
    china, kenya, kosovo = (TABLE.loc[code] for code in ("CN", "KE", "XK"))
    assert (china["capital"], china["continent"], china["population"]) == ("Beijing", "Asia", 1_397_715_000)
    assert (kenya["subregion"], kenya["official_languages"]) == ("Eastern Africa", "sw|en")
    assert kosovo[["iso3", "name", "continent"]].tolist() == ["XKX", "Kosovo", "Europe"]


# ── pairs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


PAIRS = diffusion.pair_table()


def test_all_ordered_pairs_are_there_once_in_order() -> None:
    assert len(PAIRS) == 250 * 249
    keys = list(zip(PAIRS["source"], PAIRS["target"], strict=True))
    assert keys == sorted(set(keys))
    assert all(a != b for a, b in keys)


def test_pairs_are_symmetric() -> None:
    there = PAIRS.set_index(["source", "target"])
    back = PAIRS.rename(columns={"source": "target", "target": "source"}).set_index(["source", "target"])
    pd.testing.assert_frame_equal(there, back.loc[there.index, there.columns])


def test_pairs_have_no_gaps_but_those_of_uninhabited_territories() -> None:
    lonely = PAIRS["source"].isin(UNINHABITED) | PAIRS["target"].isin(UNINHABITED)
    assert (PAIRS["distance_km"].isna() == lonely).all()
    assert (PAIRS["language_overlap"].isna() == lonely).all()
    silent = PAIRS["source"].isin(GAPS["official_languages"]) | PAIRS["target"].isin(GAPS["official_languages"])
    assert (PAIRS["common_language"].isna() == silent).all()
    assert PAIRS["contiguous"].notna().all()
    assert PAIRS["language_overlap"].dropna().between(0, 1).all()
    assert PAIRS["distance_km"].dropna().between(0.5, 20_040).all()


def test_pairs_of_the_public_charts_have_the_values_of_cepii() -> None:
    file = resources.files("diffusion").joinpath("data", "pairs.csv")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == CEPII_PAIRS
    with file.open(encoding="utf-8") as text:
        cepii = pd.read_csv(text, keep_default_na=False).set_index(["source", "target"])
    marked = PAIRS[PAIRS["origin"] == "cepii"].set_index(["source", "target"])
    pd.testing.assert_frame_equal(marked[cepii.columns], cepii, check_dtype=False)
    charted = set(chart_markets())
    assert (PAIRS["source"].isin(charted) & PAIRS["target"].isin(charted)).equals(PAIRS["origin"] == "cepii")
    assert PAIRS["cultural_distance"].notna().equals(PAIRS["origin"] == "cepii")


def test_neighbours_share_a_border() -> None:
    border = PAIRS[PAIRS["contiguous"] == 1].groupby("source")["target"].agg(set)
    assert border["MN"] == {"CN", "RU"}
    assert border["LS"] == {"ZA"}
    assert border["KE"] == {"ET", "SO", "SS", "TZ", "UG"}
    assert border["XK"] == {"AL", "ME", "MK", "RS"}
    assert "CU" not in border.index  # a naval base is no border
    assert "MT" not in border.index


def test_distances_are_near_those_between_the_positions_of_the_markets() -> None:
    """Positions are labels and capitals, distances those between largest cities."""
    place = np.radians(TABLE[["latitude", "longitude"]].dropna())
    known = PAIRS[PAIRS["source"].isin(place.index) & PAIRS["target"].isin(place.index)]
    (a, b), (c, d) = (place.loc[known[side]].to_numpy().T for side in ("source", "target"))
    away = 6371 * np.arccos(np.clip(np.sin(a) * np.sin(c) + np.cos(a) * np.cos(c) * np.cos(b - d), -1, 1))
    differences = np.abs(away - known["distance_km"].to_numpy())
    assert np.median(differences) < 100
    assert differences.max() < 4_500  # Los Angeles to Moscow by labels in Kansas and Siberia
    assert np.corrcoef(away, known["distance_km"])[0, 1] > 0.99


def test_languages_of_pairs_are_those_of_their_markets() -> None:
    """The overlap of the five main languages of each market is a lower bound, up to rounding."""
    shares = {
        code: {name: float(share) for name, share in (pair.split(":") for pair in languages.split("|"))}
        for code, languages in TABLE["languages"].dropna().items()
    }
    table = PAIRS[PAIRS["origin"] == "derived"].set_index(["source", "target"])["language_overlap"].to_dict()
    for a, b in combinations(["AO", "CN", "HT", "KE", "MO", "MT", "MZ", "TZ"], 2):
        least = 1 - np.prod([1 - share * shares[b].get(name, 0) for name, share in shares[a].items()])
        assert table[a, b] >= least - 0.011
    assert table["AO", "MZ"] > 0.1 > table["AO", "KE"]


def test_joined_distances_keep_pairs_of_unknown_markets() -> None:
    pairs = pd.DataFrame({"source": ["SE", "SE", "XA"], "target": ["NO", "MT", "SE"]})
    joined = diffusion.join_distances(pairs)
    assert joined.columns.tolist() == ["source", "target", *DISTANCES]
    assert joined["distance_km"].notna().tolist() == [True, True, False]
    assert diffusion.unmatched_pairs(joined)["cultural_distance"] == [("SE", "MT"), ("XA", "SE")]


def test_lists_of_names_are_resolved_in_their_order_and_one_error_names_all_unknown() -> None:
    assert diffusion.resolve(["SE", "Sweden", "Brasil"]) == ["SE", "SE", "BR"]
    assert diffusion.resolve(pd.Series(["norge", "DK"], index=[7, 8])) == ["NO", "DK"]
    assert diffusion.resolve([]) == []
    with pytest.raises(diffusion.UnknownMarketError, match=r"'Swedn'; did you mean 'Sweden'\?; .*'Atlantis'"):
        diffusion.resolve(["Swedn", "SE", "Atlantis"])
