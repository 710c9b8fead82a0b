"""Make the packaged reference tables and sample from the sources listed in README.md in this folder.

Run by hand when a source changes::

    python -m diffusion.data.build FOLDER_WITH_THE_SOURCES

The same sources give the same bytes.
"""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

HERE = Path(__file__).parent

# Names of a market in charts and data sets, other than its English name, ISO codes and CLDR names.
ALIASES = {
    "AE": "UAE|Emirates",
    "BO": "Plurinational State of Bolivia|Bolivia, Plurinational State of",
    "CZ": "Czechia|Czech Rep.|Česko",
    "DE": "Deutschland",
    "DO": "Dominican Rep.",
    "EG": "Egypt, Arab Rep.|Arab Republic of Egypt",
    "ES": "España",
    "GB": "UK|Great Britain|Britain|England|United Kingdom of Great Britain and Northern Ireland",
    "HK": "Hong Kong SAR|Hong Kong SAR China|Hong Kong, China|China, Hong Kong SAR",
    "IE": "Republic of Ireland",
    "KR": "Korea|Republic of Korea|Korea, Republic of|Korea, South|Korea (South)|Korea Rep.",
    "MX": "México",
    "NL": "The Netherlands|Holland|Nederland",
    "NZ": "Aotearoa New Zealand",
    "PH": "The Philippines",
    "RU": "Russian Federation",
    "SK": "Slovak Republic|Slovak Rep.",
    "TH": "ประเทศไทย",
    "TR": "Türkiye|Turkiye",
    "TW": "Taiwan, China|Taiwan, Province of China|Chinese Taipei|Taiwan ROC",
    "US": "USA|U.S.A.|U.S.|United States of America|The United States|America",
    "VN": "Viet Nam",
}

MARKET_COLUMNS = {
    "iso2": "market",
    "iso3": "iso3",
    "market": "name",
    "aliases": "aliases",
    "continent": "continent",
    "subregion": "subregion",
    "population_2019": "population",
    "pop_year": "population_year",
    "area_km2": "area_km2",
    "label_lat": "latitude",
    "label_lon": "longitude",
    "capital": "capital",
    "capital_lat": "capital_latitude",
    "capital_lon": "capital_longitude",
    "official_langs": "official_languages",
    "top_langs": "languages",
}

PAIR_COLUMNS = {
    "iso2_o": "source",
    "iso2_d": "target",
    "dist": "distance_km",
    "contig": "contiguous",
    "comlang_off": "common_language",
    "csl": "language_overlap",
}


def build(sources: Path, into: Path = HERE) -> None:
    """Write all packaged tables into the folder `into`, from the folder `sources`."""
    aux = sources / "aux"
    markets = pd.read_csv(aux / "derived" / "markets_reference.csv", keep_default_na=False)
    markets["aliases"] = markets["iso2"].map(ALIASES).fillna("")
    markets["population_2019"] = markets["population_2019"].astype(float).astype(int)
    markets = markets.rename(columns=MARKET_COLUMNS)[list(MARKET_COLUMNS.values())].sort_values("market")
    markets.to_csv(into / "markets.csv", index=False)

    pairs = pd.read_csv(aux / "derived" / "pairs_geo_lang.csv", keep_default_na=False)
    pairs = pairs[pairs["iso2_o"] != pairs["iso2_d"]].rename(columns=PAIR_COLUMNS)[list(PAIR_COLUMNS.values())]
    flags = ["contiguous", "common_language"]
    pairs[flags] = pairs[flags].astype(int)
    pairs["distance_km"] = pairs["distance_km"].round(1)
    pairs["language_overlap"] = pairs["language_overlap"].round(4)
    pairs.sort_values(["source", "target"]).to_csv(into / "pairs.csv", index=False)

    facebook = aux / "fb-cultural-distance"
    cultural = pd.read_csv(facebook / "FBCosDist.csv", keep_default_na=False)
    cultural.columns = pd.Index(["source", "target", "cultural_distance"])
    ours = cultural["source"].isin(markets["market"]) & cultural["target"].isin(markets["market"])
    cultural = cultural[ours & (cultural["source"] != cultural["target"])].round({"cultural_distance": 6})
    cultural.sort_values(["source", "target"]).to_csv(into / "cultural_distance_facebook.csv", index=False)
    shutil.copyfile(facebook / "LICENSE.txt", into / "LICENSE-CC-BY-SA-4.0.txt")

    shutil.copyfile(aux / "natural-earth" / "countries_lowres.geojson", into / "countries.geojson")
    sample = pq.read_table(sources / "top50-daily-2021" / "top50_chartdate_kaggle_schema.parquet")
    pq.write_table(
        sample.replace_schema_metadata(None),
        into / "top50_daily_2021.parquet",
        compression="zstd",
        compression_level=19,
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]))
