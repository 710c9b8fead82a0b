"""Clean on Spark makes the same tables as on DuckDB, also where one goes on with what the other began."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from diffusion import SettingError, SourceError, contracts, open_charts
from diffusion.engine import OpenEngine, open_engine
from pipelines.commands.main import cli
from tests.nasty_charts import PLENTY, nasty_rows
from tests.pipelines.test_clean import clean, hashes, wide, write_raw, years

if TYPE_CHECKING:
    from diffusion.engine.spark import SparkEngines

TABLES = (contracts.TRACKS, contracts.ARTISTS, contracts.AVAILABILITY, contracts.RECORDINGS, contracts.QUARANTINE)


def tables(out: Path) -> dict[str, Any]:
    """Return what clean made: tables, in order, and accounts."""
    found: dict[str, Any] = {
        contract.name: pq.read_table(out / f"{contract.name}.parquet").replace_schema_metadata() for contract in TABLES
    }
    files = sorted((out / "observations").glob("year=*/part-*.parquet"))
    parts = [pq.ParquetFile(file).read().replace_schema_metadata() for file in files]
    counts = {name: (out / name).read_text() for name in ("row_accounting.csv", "accounting_by_file.csv")}
    return found | counts | {"observations": pa.concat_tables(parts)}


def check_same(raw: Path, tmp_path: Path, engines: Sequence[OpenEngine]) -> None:
    """Check that RAW is cleaned to the same tables and notes by all engines."""
    outs = [tmp_path / f"out{number}" for number in range(len(engines))]
    notes = [clean(raw, out, open_engine=opener) for out, opener in zip(outs, engines, strict=True)]
    made = [tables(out) for out in outs]
    for said, those in zip(notes[1:], made[1:], strict=True):
        assert said == notes[0]
        assert [name for name in those if those[name] != made[0][name]] == []
    assert made[0]["observations"].num_rows


@pytest.mark.slow
def test_nasty_texts_are_cleaned_to_the_same_tables(tmp_path: Path, spark: "SparkEngines") -> None:
    rows = nasty_rows(seed=1, number=1_000)
    write_raw(tmp_path / "raw", rows[:1_000])
    write_raw(tmp_path / "raw", rows[1_000:], file="å b.csv", part="0001-000")
    check_same(tmp_path / "raw", tmp_path, [open_engine, spark])


@pytest.mark.slow
def test_either_engine_goes_on_with_what_the_other_began(tmp_path: Path, spark: "SparkEngines") -> None:
    raw, both, one = tmp_path / "raw", tmp_path / "both", tmp_path / "one"
    for year, opener in ((2019, open_engine), (2020, spark), (2021, open_engine)):
        write_raw(raw, wide(years(year)), file=f"{year}.csv", part=f"{year}-000")
        before = hashes(both) if both.exists() else {}
        clean(raw, both, open_engine=opener)
        kept = [name for name in before if name.startswith("observations/")]
        assert {name: hashes(both)[name] for name in kept} == {name: before[name] for name in kept}
    clean(raw, one)
    assert tables(both).keys() == tables(one).keys()
    assert all(tables(both)[name] == tables(one)[name] for name in tables(one))
    with open_charts(both) as theirs, open_charts(one) as ours:
        assert theirs.present.equals(ours.present)


@pytest.mark.slow
def test_a_cleaned_folder_is_read_at_its_address_and_checked(tmp_path: Path, spark: "SparkEngines") -> None:
    write_raw(tmp_path / "raw", wide(PLENTY))
    clean(tmp_path / "raw", tmp_path / "out 1%")
    address = f"file://{tmp_path}/out 1%/"
    with open_charts(address, open_engine=spark) as theirs, open_charts(tmp_path / "out 1%") as ours:
        assert theirs.account == ours.account
        assert repr(theirs).startswith("<Charts at an address: ")
        assert theirs.entries().table.equals(ours.entries().table)
    with pytest.raises(SourceError, match=r"cannot read 'file:///no/such/folder/manifest\.json'"):
        open_charts("file:///no/such/folder", open_engine=spark)
    with pytest.raises(SettingError, match=r"no file system for .nowhere://bucket/clean/manifest\.json.; add"):
        open_charts("nowhere://bucket/clean", open_engine=spark)
    manifest = tmp_path / "out 1%" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"kept_rows": ', '"kept_rows": 1'))
    with pytest.raises(SourceError, match="observations, its manifest says"):
        open_charts(address, open_engine=spark)


def test_addresses_are_refused_where_they_are_not_read(tmp_path: Path) -> None:
    run = CliRunner().invoke
    to = run(cli, ["clean", str(tmp_path), "--out", "s3a://bucket/clean"])
    assert to.exit_code == 2
    assert "sync push" in to.output
    for command in (["clean", "s3a://bucket/raw"], ["graph", "s3a://bucket/clean"]):
        found = run(cli, [*command, "--out", str(tmp_path / "out")])
        assert found.exit_code != 0
        assert "is not on this machine" in str(found.exception)


@pytest.mark.parametrize("secret", ["sesame", "open/sesame"])
def test_an_address_with_credentials_is_refused_without_them(tmp_path: Path, secret: str) -> None:
    found = CliRunner().invoke(cli, ["graph", f"s3a://me:{secret}@bucket/clean", "--out", str(tmp_path / "out")])
    assert "the address holds credentials" in str(found.exception)
    assert "sesame" not in f"{found.exception}{found.output}"
