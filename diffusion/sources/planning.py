"""From paths to a source: the files are opened, their columns recognised, and facts taken from their names."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from diffusion.errors import NoChartError, SettingError, SourceError
from diffusion.sources.chart_files import OpenFile, open_chart_file
from diffusion.sources.dates import date_above
from diffusion.sources.file_names import NamePattern, common_facts, folder_facts, name_facts
from diffusion.sources.layouts import SOURCE_COLUMNS, Recognised, alike, lacking, recognise
from diffusion.sources.listing import ListedFile, list_files
from diffusion.sources.reading import ReadingOptions
from diffusion.sources.source import UNNAMED, ChartFile, Source
from diffusion.sources.tables import Table, open_table
from diffusion.sources.unrecognised import what_it_lacks

TABLE = Path("the table")
"""Name of a table in memory, in rows and messages."""

DATES = ("date", "week_start", "week_end")
"""Our columns that give the date of a chart."""


@dataclass(slots=True)
class _Candidate:
    """A file that may be a chart: what is known of it so far, and why it is none."""

    listed: ListedFile
    opened: OpenFile
    recognised: Recognised
    facts: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    advice: str = ""

    @property
    def columns(self) -> Mapping[str, str | None]:
        return self.recognised.columns

    def there(self) -> set[str]:
        """Return our columns that the file or its facts give."""
        return {ours for ours, theirs in self.columns.items() if theirs} | set(self.facts)


def find_source(
    charts: str | Path | Sequence[str | Path] | Table, options: ReadingOptions, *, chart: str | None = None
) -> Source:
    """Return the chart files at some paths, or a table, and how each is read.

    Parameters
    ----------
    charts
        Files, globs and folders, or a table of pandas, polars or Arrow. A folder is searched with its subfolders; what
        is hidden, and folders of results (with a ``manifest.json``), are passed over.
    options
        What the user says about the files.
    chart
        Name of the chart where neither rows nor names of files give one (default: by the layouts, else ``chart``).

    Raises
    ------
    SourceError
        When no file is found, or a file named by the caller, or most of those in a folder, are no charts as they stand.
    SettingError
        When the options name a column of ours that does not exist, or a fact twice.
    """
    if isinstance(charts, Table):
        return plan([(ListedFile(TABLE, "table"), open_table(charts))], options, Path(), {}, chart=chart)
    places = [Path(charts)] if isinstance(charts, str | Path) else [Path(path) for path in charts]
    for place in places:
        if (place / "full").is_dir() and (place / "damaged.parquet").is_file():
            raise SourceError(
                f"'{place}' is what ingest made; clean it first: chart-diffusion clean {place} --out CLEAN"
            )
    listings = [list_files(place) for place in places]
    listed = {file.place: file for listing in listings for file in listing.files}
    passed_over = {path: why for listing in listings for path, why in listing.passed_over.items()}
    root = _common_folder(places, listed)
    return plan(_opened(listed.values(), options, passed_over), options, root, passed_over, chart=chart)


def plan(
    opened: Iterable[tuple[ListedFile, OpenFile]],
    options: ReadingOptions,
    root: Path,
    passed_over: Mapping[Path, str],
    *,
    chart: str | None = None,
) -> Source:
    """Return how each of some open files is read; parameters and errors as of `find_source`."""
    pattern = None if options.from_name is None else NamePattern.read(options.from_name)
    _check_settings(options, pattern)
    known: dict[tuple[tuple[str, ...], tuple[str, ...] | None], Recognised] = {}
    candidates = []
    for listed, file in opened:
        form = (file.names, file.first_row)
        if form not in known:
            known[form] = recognise(file.names, file.first_row)
        one = _Candidate(listed, file, known[form], problem=_ambiguous(file.names, known[form], options.columns))
        _apply(one, options, pattern)
        candidates.append(one)
    said = [*_said_by_option(candidates, pattern, root), *_add_known_facts(candidates, root)]
    for one in candidates:
        _add_blanks(one, options)
        lacks = lacking(one.there())
        if lacks and not one.problem:
            one.problem, one.advice = what_it_lacks(one.opened.names, one.columns, lacks, one.opened.first_row)
    good, bad = ([one for one in candidates if bool(one.problem) == is_bad] for is_bad in (False, True))
    refused = [one for one in bad if one.listed.named or len(bad) > len(good)]
    if refused:
        one = refused[0]
        raise SourceError(f"'{one.listed.place}' {one.problem}" + (f"; {one.advice}" if one.advice else ""))
    _part_cadences(good)
    default = chart or _default_chart(good)
    files = tuple(
        ChartFile(one.listed, _below(one.listed.place, root), one.opened, one.recognised, one.facts, default)
        for one in good
    )
    over = {_below(place, root): why for place, why in passed_over.items()}
    over |= {_below(one.listed.place, root): one.problem for one in bad}
    return Source(files, root, over, (*said, *_said_of_files(files)))


def _opened(
    listed: Iterable[ListedFile], options: ReadingOptions, passed_over: dict[Path, str]
) -> Iterator[tuple[ListedFile, OpenFile]]:
    """Yield each file, open for reading; what holds no table is added to `passed_over`.

    A file has no header where the caller names its columns by position.
    """
    positions = {name for name in options.columns.values() if name.isdecimal()}
    for file in listed:
        try:
            found = open_chart_file(file, encoding=options.encoding)
            if positions and found.first_row is None and not positions & set(found.names):
                found = open_chart_file(file, encoding=options.encoding, header=False)
            yield file, found
        except NoChartError as error:
            if file.named:
                raise
            passed_over[file.place] = str(error).removeprefix(f"'{file.place}' ")


def _check_settings(options: ReadingOptions, pattern: NamePattern | None) -> None:
    strange = [name for name in options.columns if name not in SOURCE_COLUMNS]
    if strange:
        raise SettingError(
            f"unknown column '{strange[0]}' in the column mapping; known are {', '.join(SOURCE_COLUMNS)}"
        )
    twice = [name for name in (pattern.fields if pattern else ()) if name in options.columns]
    if twice:
        raise SettingError(
            f"--column {twice[0]}={options.columns[twice[0]]} and --from-name '{options.from_name}' both say where "
            f"{twice[0]} is; leave one out (* stands for anything in a name)"
        )


def _ambiguous(names: Sequence[str], found: Recognised, given: Mapping[str, str]) -> str:
    """Return what is wrong with a header: two columns alike that both could be meant, or a named one that is absent."""
    absent = [name for name in given.values() if name not in names]
    if absent:
        return f"has no column '{absent[0]}'; it has {', '.join(names)}"
    for ours, theirs in found.columns.items():
        both = alike(names, theirs) if theirs and ours not in given else []
        if len(both) > 1:
            if len(set(both)) < len(both):
                return f"has {len(both)} columns called '{theirs}'; rename one of them"
            listed = " and ".join(f"'{name}'" for name in both)
            which = f"say which: --column {ours}={theirs}"
            return f"has {len(both)} columns called '{theirs}' but for case ({listed}); {which}"
    return ""


def _apply(one: _Candidate, options: ReadingOptions, pattern: NamePattern | None) -> None:
    """Give a candidate what the options, the folders above it and its layout say."""
    layout, columns = one.recognised.layout, dict(one.recognised.columns)
    if options.columns:
        taken = set(options.columns.values())
        columns = {ours: None if theirs in taken else theirs for ours, theirs in columns.items()}
        columns |= options.columns
        layout = replace(layout, name="columns named: " + ", ".join(f"{a}={b}" for a, b in options.columns.items()))
    one.facts |= folder_facts(one.listed.place)
    if pattern is not None:
        found = pattern.facts(one.listed.place)
        if found is None:
            one.problem = one.problem or f"has a name that does not match --from-name '{pattern.text}'"
        dated = [name for name in DATES if set(pattern.fields) & set(DATES)]
        columns |= dict.fromkeys(name for name in (*pattern.fields, *dated) if name in columns)
        one.facts = {name: value for name, value in one.facts.items() if name not in dated} | (found or {})
    if not columns["date"] and not columns["week_start"] and columns["week_end"]:
        columns |= {"date": columns["week_end"], "week_end": None}
    one.recognised = replace(one.recognised, layout=layout, columns=columns)


def _add_known_facts(candidates: Sequence[_Candidate], root: Path) -> Iterator[str]:
    """Add facts in known names of files to candidates, and yield what was taken.

    Taken is what the columns do not give, if the names of all files with these columns give it.
    """
    groups: dict[tuple[str | None, ...], list[_Candidate]] = defaultdict(list)
    for one in (one for one in candidates if not one.problem):
        groups[tuple(one.columns.values())].append(one)
    for group in groups.values():
        needed = [name for name in ("market", "chart") if any(name not in one.there() for one in group)]
        if any(not one.there() & set(DATES) for one in group):
            needed += DATES
        facts = [name_facts(one.listed.place) for one in group] if needed else []
        taken = [] if _is_chance(facts) else [name for name in common_facts(facts) if name in needed]
        for one, found in zip(group, facts, strict=False):
            one.facts = {name: found[name] for name in (*taken, "cadence") if name in found} | one.facts
        if taken:
            yield _taken("file names", taken, group[0], root)
        if set(needed) & set(DATES) and not set(taken) & set(DATES):
            yield from _add_dates_above(group, root)


def _add_dates_above(group: Sequence[_Candidate], root: Path) -> Iterator[str]:
    """Add the dates in the lines above the tables, if each file has one, and yield what was taken."""
    dates = [date_above(one.opened.above) for one in group]
    if None in dates:
        return
    for one, day in zip(group, dates, strict=True):
        one.facts = {"date": str(day)} | one.facts
    yield _taken("the lines above the tables", ["date"], group[0], root)


def _add_blanks(one: _Candidate, options: ReadingOptions) -> None:
    """Add what empty values stand for: by the options, else by the layout."""
    blanks = {ours: value for ours, value in one.recognised.layout.blanks.items() if one.columns[ours]}
    if "" in options.market_names:
        blanks["market"] = options.market_names[""]
    one.facts = blanks | one.facts


def _is_chance(facts: Sequence[Mapping[str, str]]) -> bool:
    """Return whether the names hold nothing but one short code, such as ``re.csv``, which may stand for anything."""
    return (
        all(one.keys() == {"market"} for one in facts)
        and {len(one["market"]) for one in facts} <= {2, 3}
        and (len({one["market"] for one in facts}) == 1)
    )


def _said_by_option(candidates: Sequence[_Candidate], pattern: NamePattern | None, root: Path) -> Iterator[str]:
    """Yield what was taken from the names of folders and by the pattern."""
    good = [one for one in candidates if not one.problem]
    if good and pattern is not None:
        yield _taken(f"file names ('{pattern.text}')", pattern.fields, good[0], root)
    for one in good[:1]:
        folders = folder_facts(one.listed.place).keys() & one.facts.keys()
        if folders:
            yield _taken("names of folders", sorted(folders), one, root)


def _taken(where: str, names: Sequence[str], one: _Candidate, root: Path) -> str:
    values = ", ".join(one.facts[name] for name in names)
    return f"from {where}: {', '.join(names)} (as in '{_below(one.listed.place, root)}': {values})"


def _part_cadences(good: Sequence[_Candidate]) -> None:
    """Give daily and weekly charts of one source different names."""
    several = len({one.facts.get("cadence") for one in good}) > 1
    for one in good:
        cadence = one.facts.pop("cadence", None)
        if several and cadence and not one.columns["chart"]:
            one.facts["chart"] = f"{one.facts.get('chart', UNNAMED)}-{cadence}"


def _default_chart(good: Sequence[_Candidate]) -> str:
    """Return one name for all charts of a source that have none; it is known if all layouts agree on it."""
    names = {
        one.recognised.layout.streamed if one.columns["streams"] else "" for one in good if "chart" not in one.facts
    }
    return (names.pop() if len(names) == 1 else "") or UNNAMED


def _said_of_files(files: Sequence[ChartFile]) -> Iterator[str]:
    """Yield what was recognised in opening the files, and how many have no ids of tracks where others have."""
    counts = Counter(line for file in files for line in file.opened.said)
    for line, count in counts.items():
        yield line if count == len(files) else f"{line} (in {count:,} of {len(files):,} files)"
    nameless = sum(
        not ({"track_id", "url"} & set(file.facts) or file.columns["track_id"] or file.columns["url"]) for file in files
    )
    if 0 < nameless < len(files):
        yield f"no ids of tracks in {nameless:,} of {len(files):,} files: their rows are set aside"


def _common_folder(places: Sequence[Path], files: Iterable[Path]) -> Path:
    """Return the folder that the names of files are relative to."""
    folders = [place for place in places if place.is_dir()]
    inside = [file.parent for file in files if not any(file.is_relative_to(folder) for folder in folders)]
    all_places = [*folders, *inside]
    alike = len({place.is_absolute() for place in all_places}) == 1
    return Path(os.path.commonpath(all_places if alike else [place.absolute() for place in all_places]))


def _below(place: Path, root: Path) -> str:
    return (place if place.is_relative_to(root) else place.absolute()).relative_to(root).as_posix()
