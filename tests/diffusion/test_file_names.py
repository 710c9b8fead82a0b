"""Facts in the names of files and folders."""

from pathlib import Path

import pytest

from diffusion import SettingError
from diffusion.sources.file_names import NamePattern, folder_columns, folder_facts, name_facts


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("regional-us-weekly-2022-01-06.csv", "us 2022-01-06 top200 weekly"),
        ("regional-global-daily-2020-03-03.csv", "global 2020-03-03 top200 daily"),
        ("viral-se-daily-2020-03-03.csv.gz", "se 2020-03-03 viral50 daily"),
        ("spotify_SE_20220101_top15.csv", "se 2022-01-01 top15"),
        ("se/2022-01-01.csv", "se 2022-01-01"),
        ("2022-01-01.csv", "2022-01-01"),
        ("1958-08-04.json", "1958-08-04"),
        ("youtube-charts-top-songs-br-weekly-2022-01-06.csv", "br 2022-01-06 weekly"),
        ("id_dailytop50_2026-01-26.csv", "id 2026-01-26 top50 daily"),
        ("charts/United States/2022/2022_01_31.tsv", "united states 2022-01-31"),
        ("New_Zealand.daily.2022.01.31.xlsx", "new zealand 2022-01-31 daily"),
        ("top200/de/weekly/20220106.parquet", "de 2022-01-06 top200 weekly"),
        ("Türkiye-2022-01-31.csv", "türkiye 2022-01-31"),
        ("archive.zip/fr/2022-01-31.csv", "fr 2022-01-31"),
        ("viral50_weekly.parquet", "viral50 weekly"),
        ("top200 Finland 2022-01.csv", "finland top200"),
        ("de_part_0001.csv", "de"),
        ("downloads of mine/se/2022-01-01.csv", "se 2022-01-01"),
        ("born in the us 2022-01-01.csv", ""),
        ("se_de_2022-01-01.csv", ""),
        ("2022-13-01.csv", ""),
        ("2022-01-01_2022-01-02_2022-01-03.csv", ""),
        ("cover-us-2022-01-06.csv", ""),
    ],
)
def test_known_names_hold_facts_and_others_none(path: str, facts: str) -> None:
    found = name_facts(Path(path))
    order = ("market", "date", "chart", "cadence")
    assert " ".join(found[name] for name in order if name in found) == facts
    assert set(found) <= set(order)


def test_a_week_has_two_dates() -> None:
    found = name_facts(Path("regional-us-weekly-2019-12-27--2020-01-03.csv"))
    assert (found["week_start"], found["week_end"]) == ("2019-12-27", "2020-01-03")
    assert found["market"] == "us"
    assert "date" not in found


@pytest.mark.parametrize(
    ("pattern", "path", "facts"),
    [
        ("{market}/{date}.csv", "charts/Sweden/2022-01-01.csv", ["Sweden", "2022-01-01"]),
        ("{market}/{date}", "charts/Sweden/2022-01-01.csv", ["Sweden", "2022-01-01"]),
        ("{market}/{date}.csv", "charts/Sweden/2022-01-01.csv.gz", None),
        ("{market}/{date}.csv", "2022-01-01.csv", None),
        ("{date}/no * of {market}.CSV", "01.02.2022/No 1 of Côte d'Ivoire.csv", ["01.02.2022", "Côte d'Ivoire"]),
        ("{}_{chart}-{cadence}.json", "a/Hits_Top 40-weekly.json", ["Top 40", "weekly"]),
        ("{week_start} to {week_end}.csv", "2022-01-01 to 2022-01-07.csv", ["2022-01-01", "2022-01-07"]),
        ("{market}/{date}_{market}.csv", "se/2022-01-01_se.csv", ["se", "2022-01-01"]),
        ("{market}/{date}_{market}.csv", "se/2022-01-01_de.csv", None),
        ("[a-z]+_{market}.csv", "xx_se.csv", None),
        ("./{market}.csv", "se.csv", ["se"]),
    ],
)
def test_a_pattern_is_held_against_the_end_of_the_path(pattern: str, path: str, facts: list[str] | None) -> None:
    found = NamePattern.read(pattern).facts(Path(path))
    assert (None if found is None else list(found.values())) == facts


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("{country}.csv", "the field 'country'"),
        ("charts/*.csv", "no field"),
        ("{market.csv", "no field"),
        ("{market}/{date.csv", "a brace without the other"),
        ("", "no field"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_an_error(pattern: str, what: str) -> None:
    with pytest.raises(SettingError, match=rf"has {what}; it may have \{{market\}}"):
        NamePattern.read(pattern)


def test_hive_folders_name_their_columns() -> None:
    path = Path("charts/Region=s%C3%A9/year=2022/month=1/day=31/chart=top200/part-0.csv")
    assert folder_facts(path) == {"date": "2022-01-31", "chart": "top200", "market": "sé"}
    assert folder_columns(path)["market"] == "Region"
    assert folder_facts(Path("region=__HIVE_DEFAULT_PARTITION__/chart=/a=b/x.csv")) == {}
    assert folder_facts(Path("market=se/region=de/x.csv")) == {"market": "de"}
