"""Cases of the campaign `tests.campaigns.fuzz`: mutated files, folders, studies and options, drawn from a seed."""

import contextlib
import copy
import gzip
import json
import random
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from pipelines.folders.manifest import digest_of_step
from tests.conftest import KAGGLE_COLUMNS, kaggle_rows
from tests.diffusion.test_excel_files import write_xlsx

ROWS: Final = kaggle_rows(
    {
        (region, day): [f"{'t' * 20}{(day // 7 + rank * 3 + shift) % 20:02d}" for rank in range(6)]
        for region, shift in (("Sweden", 0), ("Norway", 2), ("Global", 4))
        for day in range(50)
    }
)

SCRAPS: Final = (
    *(
        b'"',
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xe9",
        b'""',
        b'",',
        b",,,,",
        b"\xff\xfe",
        b"\x1a",
        b"\\",
        b"'",
        b"#",
    ),
    *(
        "é🎵\u202e\x9b".encode(),
        b"NULL",
        b"NaN",
        b"-5",
        b"1,234",
        b"02/01/2021",
        b"=1+1",
        b"1e999",
        b"9" * 30,
        b"{",
        b"]",
    ),
)
"""Bytes that are put into files of text."""

ENCODINGS: Final = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "latin-1",
    "cp1252",
    "utf-7",
    "idna",
    "rot13",
    "base64",
    "x",
    "",
    "cp037",
)

VALUES: Final = (None, True, -1, 0, 1.5, 2**70, float("nan"), "", "x", "\x9b", [], [[]], {}, {"a": 1})
"""Values that are put into manifests."""

READING: Final = {
    "--column": ("rank=rank", "rank=position", "rank=1", "rank=0", "x=y", "=", "rank=", "date=title", "streams=rank"),
    "--market-name": ("Sweden=NO", "=Global", "Sweden=XX", "=", "a=b=c", "Atlantis=SE"),
    "--from-name": ("{chart}", "{market}", "{", "{x}", "{market}/{date}.csv", "(", ""),
    "--encoding": ENCODINGS,
    "--date-format": ("year-month-day", "%Y-%m-%d", "day/month/year", "%d/%m/%Y", "%", "x", "", "%Q"),
    "--first-rank": ("1", "0", "2", "x"),
    "--accept": ("holes", "set-aside", "all", ""),
}
EVENTS: Final = {
    "--window": ("60", "1", "0", "99999999999999999999", ""),
    "--washout": ("7", "0", "-1", "36501"),
    "--top": ("3", "200", str(2**40), "0"),
    "--min-periods": ("2", "60", str(2**31), "0"),
    "--chart": ("top200", "", "viral50", "\x9b"),
    "--identity": ("recording", "track", "x"),
}
CHANCE: Final = {
    "--seed": (str(2**62), "0", "-1", str(2**64), "x"),
    "--replicates": ("20", "0", "-5", "1.5", "nan"),
}
OPTIONS: Final = {
    "graph": READING | EVENTS | CHANCE,
    "survival": READING | EVENTS | {"--by": ("none", "x", ""), "--horizon": ("30", "0", "36500", "-1")},
    "ingest": READING,
    "inspect": READING,
}
"""Command → option → values, a right one first."""

STUDY: Final = """
[study]
title = "Fuzz"
[charts]
path = "{charts}"
accept = ["holes", "set-aside"]
[events]
top = 5
washout = 7
identity = "track"
[graph]
window = 30
replicates = 20
seed = 1
[survival]
by = ["none"]
horizon = 30
"""


@dataclass(frozen=True, slots=True)
class Case:
    """Commands to run one after the other, until one ends with another exit code than 0.

    Attributes
    ----------
    commands
        Their arguments.
    lines
        Number of lines below the header that `ingest` must account for; None where it is not known.
    """

    commands: Sequence[Sequence[str]]
    lines: int | None = None


def csv_of(rows: Sequence[Mapping[str, Any]], separator: str = ",") -> bytes:
    """Return chart rows as CSV without quotes."""
    frame = pd.DataFrame(rows, columns=list(KAGGLE_COLUMNS))
    return frame.to_csv(index=False, sep=separator, lineterminator="\n").encode()


def mutated(content: bytes, draw: random.Random, scraps: Sequence[bytes] = SCRAPS, *, after: int = 0) -> bytes:
    """Return bytes with some replaced, put in, taken out or repeated, from the place `after` on."""
    for _ in range(draw.choice([0, 1, 1, 2, 5, 30])):
        at, length = draw.randrange(after, len(content) + 1), draw.choice([0, 0, 1, 3, 40])
        content = content[:at] + draw.choice(scraps) + content[at + length :]
    if draw.random() < 0.2:
        content = content[: draw.randrange(after, len(content) + 1)]
    return content


def flipped(content: bytes, draw: random.Random) -> bytes:
    """Return bytes with some bits flipped, or the end cut off."""
    found = bytearray(content)
    for _ in range(draw.choice([1, 3, 20])):
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found if draw.random() < 0.8 else found[: draw.randrange(len(found))])


def reading(file: Path, folder: Path, draw: random.Random) -> Case:
    """Return commands that read a chart file."""
    consent = ["--accept", "holes", "--accept", "set-aside"]
    first = draw.choice(["inspect", "survival", "ingest", "ingest"])
    if first == "inspect":
        return Case([["inspect", str(file)]])
    if first == "survival":
        return Case(
            [["survival", str(file), "--by", "none", "--out", str(folder / "made"), *consent[: draw.choice([0, 4])]]]
        )
    raw = str(folder / "raw")
    return Case(
        [["ingest", str(file), "--out", raw], ["clean", raw, "--out", str(folder / "clean"), *consent], ["verify", raw]]
    )


def make_folders(made: Path, run: Callable[[Sequence[str], Path], object]) -> None:
    """Make charts, and RAW, CLEAN and a graph of them, which cases take copies of."""
    made.mkdir()
    (made / "charts.csv").write_bytes(csv_of(ROWS))
    charts, raw, clean, graph = (str(made / name) for name in ("charts.csv", "raw", "clean", "graph"))
    run(["ingest", charts, "--out", raw], made)
    run(["clean", raw, "--out", clean], made)
    run(["graph", charts, "--out", graph, "--replicates", "20", "--washout", "7"], made)
    if not (made / "clean").is_dir() or not (made / "graph").is_dir():
        raise RuntimeError((made / "errors").read_text(encoding="utf-8"))


def text_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """Text with lines of its own count: what is put in has no quotes and no ends of lines other than LF."""
    plain = [scrap for scrap in SCRAPS if not any(sign in scrap for sign in (b'"', b"\r", b"\xff", b"\0", b"#"))]
    content = csv_of(ROWS)
    header = content.index(b"\n") + 1
    content = mutated(content, draw, plain, after=header)
    (folder / "charts.csv").write_bytes(content)
    lines = sum(bool(line.strip()) for line in content[header:].split(b"\n"))
    return Case([["ingest", str(folder / "charts.csv"), "--out", str(folder / "raw")]], lines)


def csv_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """Text with any bytes put in, in several forms."""
    name, separator = draw.choice([("c.csv", ","), ("c.csv", ";"), ("c.tsv", "\t"), ("c.txt", "|"), ("c.csv.gz", ",")])
    content = mutated(csv_of(ROWS, separator), draw)
    (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    return reading(folder / name, folder, draw)


def encoding_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """Text in some encoding, read by the name of another."""
    text = csv_of([row | {"title": f"Ünïcode {row['title']}"} for row in ROWS]).decode()
    content = text.encode(draw.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1", "cp1252"]))
    content = content[: len(content) - draw.choice([0, 0, 1])]
    (folder / "c.csv").write_bytes(mutated(content, draw) if draw.random() < 0.3 else content)
    case = reading(folder / "c.csv", folder, draw)
    named = ["--encoding", draw.choice(ENCODINGS)] if draw.random() < 0.7 else []
    return Case([[*case.commands[0], *named], *case.commands[1:]])


def json_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """JSON records or lines."""
    name = draw.choice(["c.json", "c.jsonl"])
    content = json.dumps(ROWS) if name == "c.json" else "\n".join(map(json.dumps, ROWS))
    scraps = (*SCRAPS, b"[", b"}", b":", b"null", b"[[[[", b'{"a":', b"\\u0000", b"\\ud800")
    (folder / name).write_bytes(mutated(content.encode(), draw, scraps))
    return reading(folder / name, folder, draw)


def packed_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """An archive or a workbook with bits flipped."""
    file = folder / draw.choice(["c.zip", "c.xlsx"])
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in (
                "a.csv",
                draw.choice(["../b.csv", "b/../c.csv", "a.csv.gz", "x\x9b.csv", "notes.txt", "a.zip"]),
            ):
                archive.writestr(name, mutated(csv_of(ROWS), draw))
    else:
        cells: dict[str, Any] = {f"{chr(65 + at)}1": name for at, name in enumerate(KAGGLE_COLUMNS)}
        for line, row in enumerate(ROWS, start=2):
            cells |= {f"{chr(65 + at)}{line}": row[name] for at, name in enumerate(KAGGLE_COLUMNS) if name != "date"}
            cells[f"{chr(65 + list(KAGGLE_COLUMNS).index('date'))}{line}"] = row["date"]
        write_xlsx(file, {"Charts": cells})
    if draw.random() < 0.8:
        file.write_bytes(flipped(file.read_bytes(), draw))
    return reading(file, folder, draw)


def parquet_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """Parquet with odd columns or with bits flipped."""
    frame = pd.DataFrame(ROWS)
    odd = draw.choice(
        ["", "filename", "file_row_number", "Rank", "rank ", "source_line", "source_file", "year", "a.b", '"', ""]
    )
    if draw.random() < 0.5:
        frame[odd] = draw.choice([1, "x", None, 1.5, pd.Timestamp(0), [[1]] * len(frame), b"\xff"])
    compression = draw.choice(["snappy", "zstd", None, "gzip"])
    frame.to_parquet(folder / "c.parquet", compression=compression, row_group_size=200)
    if draw.random() < 0.7:
        (folder / "c.parquet").write_bytes(flipped((folder / "c.parquet").read_bytes(), draw))
    return reading(folder / "c.parquet", folder, draw)


def manifest_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """RAW, CLEAN or a graph's folder whose manifest says something else, some with the right digest of it."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    place = folder / draw.choice(["raw", "clean", "graph"])
    if draw.random() < 0.3:
        file = draw.choice(sorted(path for path in place.rglob("*") if path.is_file()))
        file.write_bytes(flipped(file.read_bytes() or b"\0", draw))
    else:
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        changed = _with_another_value(manifest, draw)
        if draw.random() < 0.7:
            with contextlib.suppress(AttributeError, KeyError, TypeError):  # it is no manifest any more
                for step in changed["steps"].values():
                    step["digest"] = digest_of_step(step)
        (place / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    raw, clean, graph, charts = (str(folder / name) for name in ("raw", "clean", "graph", "charts.csv"))
    return Case(
        [
            draw.choice(
                [
                    ["clean", raw, "--out", clean],
                    ["ingest", charts, "--append", "--out", raw],
                    ["verify", str(place)],
                    ["survival", clean, "--by", "none", "--out", str(folder / "made"), "--accept", "holes"],
                    ["graph", charts, "--replicates", "20", "--out", graph],
                    *(["query", what, "--from", graph] for what in ("leaders",)),
                    *(
                        ["query", what, "SE", "--from", graph]
                        for what in ("journey", "next-from", "who-follows", "influence")
                    ),
                    *(["query", what, "SE", "NO", "--from", graph] for what in ("flow", "explain", "route")),
                ]
            )
        ]
    )


def _with_another_value(document: Any, draw: random.Random) -> Any:
    """Return a copy of a JSON document with one value, at any depth, replaced or left out."""
    if not isinstance(document, dict | list) or not document or draw.random() < 0.15:
        return draw.choice(VALUES)
    found = copy.copy(document)
    place: Any = draw.choice(sorted(found)) if isinstance(found, dict) else draw.randrange(len(found))
    if draw.random() < 0.1:
        del found[place]
    else:
        found[place] = _with_another_value(found[place], draw)
    return found


def study_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """A study file with other bytes."""
    shutil.copy(made / "charts.csv", folder / "charts.csv")
    text = STUDY.replace("{charts}", draw.choice(["charts.csv", "*.csv", ".", "/nowhere", "\\u0000", "**/*.csv"]))
    scraps = (*SCRAPS, b"[", b"=", b"true", b"-1", b"inf", b"1979-05-27", b"[[a]]", b'"x"')
    (folder / "study.toml").write_bytes(mutated(text.encode(), draw, scraps))
    return Case([["run", str(folder / "study.toml"), "--out", str(folder / "made")]])


def options_case(folder: Path, made: Path, draw: random.Random) -> Case:
    """Options with right and wrong values."""
    name = draw.choice(list(OPTIONS))
    given = []
    for option in draw.sample(sorted(OPTIONS[name]), 3):
        values = OPTIONS[name][option]
        given += [option, values[0] if draw.random() < 0.7 else draw.choice(values)]
    places = [str(folder / "made")] * 4 + ["", str(folder), "/dev/null", "/dev/null/x"]
    out = [] if name == "inspect" else ["--out", draw.choice(places)]
    return Case([[name, str(made / "charts.csv"), *out, *given]])


KINDS: Final[Mapping[str, Callable[[Path, Path, random.Random], Case]]] = {
    "text": text_case,
    "csv": csv_case,
    "encoding": encoding_case,
    "json": json_case,
    "packed": packed_case,
    "parquet": parquet_case,
    "manifest": manifest_case,
    "study": study_case,
    "options": options_case,
}
