"""The same small charts as people have them, in 35 forms, through both doors; written by ../shared/cases."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pytest

from diffusion import DiffusionError, open_charts
from tests.conftest import REAL_DATA
from tests.doors import PLACE, cleaned, entries_of

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

MAKER: Final = REAL_DATA.parent / "cases" / "make_cases.py"
"""Script that writes the cases."""

SAME: Final[Mapping[str, Mapping[str, Any]]] = {
    "new_download/": {},
    "old_download/": {},
    "by_folder/": {},
    "column_market.csv": {},
    "column_country.csv": {},
    "semicolon.csv": {},
    "tab.tsv": {},
    "pipe.txt": {},
    "title_lines.csv": {},
    "comment_line.csv": {},
    "footer.csv": {},
    "no_header.csv": {
        "columns": {"title": "1", "rank": "2", "date": "3", "artist": "4", "url": "5", "market": "6", "streams": "9"}
    },
    "records.json": {},
    "lines.jsonl": {},
    "one.zip": {},
    "date_de.csv": {},
    "date_us.csv": {},
    "date_time.csv": {},
    "streams_comma.csv": {},
    "streams_dot.csv": {},
    "rank_hash.csv": {},
    "rank_from_zero.csv": {"first_rank": 0},
    "uri.csv": {},
    "bare_id.csv": {},
    "empty_market.csv": {"market_names": {"": "Germany"}},
    "daily/": {},
}
"""Case that gives the entries of base.csv → the options that it needs."""

REFUSED: Final[Mapping[str, str]] = {
    "no_header.csv": r"has no header: its first line is Song 42, 1, 2022-01-01, .*--column rank=2",
    "date_unclear.csv": r"'0[1-9]/0[1-9]/2022'.*--date-format",
    "date_odd.csv": r"'week [0-9]+'",
    "rank_from_zero.csv": r"--first-rank 0",
    "sampled.csv": r"has holes: 1\.8 of 15 ranks where there are any, 85% .*lack rank 1, 46 of 240 are absent",
    "one_day_tied.csv": r"1\.79% of the 3,582 rows .* tied .*--accept set-aside",
    "empty_market.csv": r"24\.96% .*894 no market.*--market-name '=Global'",
}
"""Case that is refused without an option or consent → what is said."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not MAKER.is_file():
        pytest.skip(f"no {MAKER}: the maker of the cases is not part of this repository")
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, MAKER, folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def base(cases: Path) -> pd.DataFrame:
    return entries_of(open_charts(cases / "base.csv"))


def both(path: Path, place: Path, options: Mapping[str, Any], **rules: Any) -> pd.DataFrame:
    """Return the entries of charts, after a check that both doors give the same."""
    opened = entries_of(open_charts(path, **options), **rules)
    pd.testing.assert_frame_equal(opened, entries_of(cleaned(path, place, dict(options)), **rules))
    return opened


@pytest.mark.slow
def test_each_case_is_asserted(cases: Path) -> None:
    further = {"world_daily.csv", "no_id.csv", "streams_dot_few.csv", "mixed_cadence.csv", "accents.csv"}
    assert set(json.loads((cases / "cases.json").read_text())) == {*SAME, *REFUSED, *further}


@pytest.mark.slow
@pytest.mark.parametrize("case", SAME)
def test_the_same_charts_in_other_dress_give_the_same_entries(
    case: str, cases: Path, base: pd.DataFrame, tmp_path: Path
) -> None:
    found = both(cases / case, tmp_path, SAME[case])
    pd.testing.assert_frame_equal(found, base)


@pytest.mark.slow
@pytest.mark.parametrize("case", REFUSED)
def test_charts_that_cannot_be_read_as_they_are_are_refused_by_both_doors(
    case: str, cases: Path, tmp_path: Path
) -> None:
    with pytest.raises(DiffusionError, match=REFUSED[case]):
        open_charts(cases / case)
    with pytest.raises(DiffusionError, match=REFUSED[case]):
        cleaned(cases / case, tmp_path, {})


@pytest.mark.slow
@pytest.mark.parametrize("case", SAME)
def test_spark_gives_the_same_entries(case: str, cases: Path, base: pd.DataFrame, spark: "SparkEngines") -> None:
    pd.testing.assert_frame_equal(entries_of(open_charts(cases / case, open_engine=spark, **SAME[case])), base)


@pytest.mark.slow
@pytest.mark.parametrize("case", REFUSED)
def test_spark_refuses_the_same_charts(case: str, cases: Path, spark: "SparkEngines") -> None:
    with pytest.raises(DiffusionError, match=REFUSED[case]):
        open_charts(cases / case, open_engine=spark)


@pytest.mark.slow
def test_an_empty_country_is_global_in_the_daily_charts_of_the_world(
    cases: Path, base: pd.DataFrame, tmp_path: Path
) -> None:
    found = both(cases / "world_daily.csv", tmp_path, {})
    columns = [name for name in PLACE if name != "streams"]
    pd.testing.assert_frame_equal(found[columns], base[columns])
    assert found["streams"].isna().all()
    with open_charts(cases / "world_daily.csv") as charts:
        assert charts.chart() == "chart"
        assert charts.account.aggregate > 0


@pytest.mark.slow
def test_tracks_without_ids_are_told_apart_by_title_and_artist(cases: Path, base: pd.DataFrame, tmp_path: Path) -> None:
    found = both(cases / "no_id.csv", tmp_path, {})
    columns = [name for name in PLACE if name != "track_id"]
    pd.testing.assert_frame_equal(found[columns], base[columns])
    names = pd.DataFrame({"ours": found["track_id"], "theirs": base["track_id"]}).drop_duplicates()
    assert names["ours"].is_unique
    assert names["theirs"].is_unique
    with open_charts(cases / "no_id.csv") as charts:
        assert "no ids of tracks: they are told apart by title and artist" in charts.source.said


@pytest.mark.slow
def test_no_number_with_a_point_becomes_a_thousandth(cases: Path, base: pd.DataFrame, tmp_path: Path) -> None:
    found = both(cases / "streams_dot_few.csv", tmp_path, {"accept": ["set-aside"]})
    assert found["streams"].min() > 1_000
    assert len(found) >= len(base) - 18


@pytest.mark.slow
def test_with_a_form_of_dates_that_cannot_be_told_they_are_read(cases: Path, tmp_path: Path) -> None:
    text = pd.read_csv(cases / "date_unclear.csv")
    plain = text.assign(date=pd.to_datetime(text["date"], format="%d/%m/%Y").dt.strftime("%Y-%m-%d"))
    plain.to_csv(tmp_path / "plain.csv", index=False)
    found = both(cases / "date_unclear.csv", tmp_path, {"date_format": "day/month/year"})
    pd.testing.assert_frame_equal(found, entries_of(open_charts(tmp_path / "plain.csv")))


@pytest.mark.slow
def test_tied_rows_are_kept_with_consent(cases: Path, base: pd.DataFrame, tmp_path: Path) -> None:
    found = both(cases / "one_day_tied.csv", tmp_path, {"accept": ["set-aside"]})
    assert len(found) == len(base)


@pytest.mark.slow
def test_markets_of_two_cadences_are_read_and_said(cases: Path, tmp_path: Path) -> None:
    both(cases / "mixed_cadence.csv", tmp_path, {})
    with open_charts(cases / "mixed_cadence.csv") as charts:
        cadences = charts.calendar().by_market()
        assert len(cadences) == 4


@pytest.mark.slow
def test_accents_and_the_order_of_artists_part_no_recording(cases: Path, base: pd.DataFrame, tmp_path: Path) -> None:
    found = both(cases / "accents.csv", tmp_path, {}, identity="recording")
    assert len(found) == len(base)
