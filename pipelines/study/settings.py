"""The settings of a study, from one TOML file or from options."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from diffusion import Identity, SettingError
from diffusion.conventions import HORIZON, LARGEST_SEED, LONGEST, WASHOUT
from diffusion.display import Displayed
from diffusion.engine import ENGINES, OpenEngine, Workers, engines, workers
from diffusion.sources.addresses import is_address
from diffusion.sources.reading import ReadingOptions
from pipelines.study.cohort import COHORT_KEYS, Cohort
from survival import GROUPINGS
from survival.counting.formula import variables_of

SAMPLE = "sample"
"""Path that stands for the packaged charts."""

READING = ("columns", "market_names", "from_name", "encoding", "date_format", "first_rank", "accept")
"""Settings of how charts are read, as `diffusion.open_charts` has them."""

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "study": ("title", "truth"),
    "charts": ("path", "chart", *READING),
    "events": ("top", "min_periods", "washout", "identity"),
    "cohort": COHORT_KEYS,
    "markets": ("groups",),
    "graph": ("window", "replicates", "seed", "direct"),
    "survival": ("by", "groups", "horizon", "effects", "strata"),
}
"""Section of the study file → its keys, besides `ENGINE` and `SPARK`: fields of `Study` (see `RENAMED`),
those of the cohort fields of `Cohort`."""

ENGINE = "engine"
"""Key of the study file outside the sections: the engine that works on the rows."""

SPARK = "spark"
"""Section of the study file with settings of Spark, such as ``spark.master``; all are passed on."""

RENAMED: Mapping[tuple[str, str], str] = {("markets", "groups"): "market_groups"}
"""Section and key → the field of `Study`, where it is not called like the key."""

EFFECTS = ("language_match", "continent_match", "log(footprint)", "artist_here")
"""Terms of the model of who enters faster: shared language and continent, markets of day 0, artist known there."""

MOST = 1_000_000
"""Largest rank that can be asked for, and largest number of replicates."""

RANGES: Mapping[str, tuple[int, int]] = {
    "top": (1, MOST),
    "min_periods": (1, LONGEST),
    "washout": (0, LONGEST),
    "window": (1, LONGEST),
    "replicates": (20, MOST),
    "seed": (0, LARGEST_SEED),
    "horizon": (1, LONGEST),
}
"""Field with a whole number → its least and its largest value."""


@dataclass(frozen=True, slots=True, repr=False)
class Study(Displayed):
    """Charts to read, rules for events, and settings of the statistics.

    Attributes
    ----------
    path
        Charts: file, glob or folder (relative to the study file), or ``sample`` for the packaged charts.
    title
        Heading of the report.
    chart, top, min_periods, washout, identity
        As in `diffusion.Charts.entries`.
    columns, market_names, from_name, encoding, date_format, first_rank, accept
        As in `diffusion.open_charts`.
    cohort
        Which tracks the study is about (default: all of the charts).
    truth
        File ``truth.parquet`` of a simulation, relative to the study file, that findings are held against; None where
        the truth is not known.
    market_groups
        Name → markets that count as one, as in `diffusion.Entries.group_markets`; empty for none.
    window
        Days, as in `graphs.market_graph`; None for the default of the cadence.
    replicates
        Bootstrap replicates of the graph (default 1,000).
    seed
        Seed of the random numbers (default 0).
    direct
        Whether direct influence is fitted, which takes much of the time of a graph (default True).
    by, horizon
        As in `survival.breakthrough`; `by` has names of groupings: ``none``, variables, or columns of the tables of
        tracks, markets or pairs (default: `survival.GROUPINGS`).
    groups
        File with a table of groups of your own, as `survival.breakthrough` takes one for `by`; None for none.
    effects
        Terms of the formula of `survival.cox` (default `EFFECTS`).
    strata
        Variables whose values have a baseline hazard of their own in that model (default: the market waited for).
    engine
        ``duckdb`` (default) or ``spark``: what works on the rows of the charts. Results do not depend on it.
    spark
        Settings of a Spark session that is made: name, which begins with ``spark.``, → value.

    Examples
    --------
    >>> Study("charts.csv", title="Nordic hits", top=50)
    <Study 'Nordic hits' of charts.csv>
    """

    path: str
    title: str = "How hits travel"
    chart: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    market_names: Mapping[str, str] = field(default_factory=dict)
    from_name: str | None = None
    encoding: str | None = None
    date_format: str | None = None
    first_rank: int = 1
    accept: tuple[str, ...] = ()
    cohort: Cohort = field(default_factory=Cohort)
    truth: str | None = None
    top: int | None = None
    min_periods: int = 1
    washout: int = WASHOUT
    identity: Identity = "track"
    market_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    window: int | None = None
    replicates: int = 1000
    seed: int = 0
    direct: bool = True
    by: tuple[str, ...] = GROUPINGS
    groups: str | None = None
    horizon: int = HORIZON
    effects: tuple[str, ...] = EFFECTS
    strata: tuple[str, ...] = ("market",)
    engine: str = ENGINES[0]
    spark: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (whole and least <= value <= most):
                raise SettingError(f"{name} is {value!r}; it must be a whole number, {least} or more, {most:,} at most")
        if not isinstance(self.direct, bool):
            raise SettingError(f"direct is {self.direct!r}; it must be true or false")
        self._check_texts()
        for name in ("columns", "market_names"):
            value = getattr(self, name)
            if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
                raise SettingError(f'{name} must be a table of names, such as {{ rank = "Position" }}')
        self._check_market_groups()
        ReadingOptions(**self.reading)
        if self.identity not in ("track", "recording"):
            raise SettingError(f"identity is '{self.identity}'; allowed are 'track' and 'recording'")
        self._check_lists()
        self._check_engine()

    def _facts(self) -> str:
        return f" '{self.title}' of {self.path}"

    def _check_texts(self) -> None:
        optional = ("chart", "truth", "groups", "from_name", "encoding", "date_format")
        for name in ("path", "title", "identity", *optional):
            value = getattr(self, name)
            if not isinstance(value, str) and not (name in optional and value is None):
                raise SettingError(f"{name} is {value!r}; it must be text")
        for name, what in (("path", "charts"), ("truth", "truth"), ("groups", "groups")):
            if getattr(self, name) == "":
                kinds = "file, glob or folder" if name == "path" else "file"
                raise SettingError(f"the path of the {what} is empty; name a {kinds}")

    def _check_market_groups(self) -> None:
        groups = self.market_groups
        if not isinstance(groups, Mapping) or not all(
            isinstance(members, list | tuple) and members and all(isinstance(market, str) for market in members)
            for members in groups.values()
        ):
            raise SettingError('groups of [markets] must be lists of markets, such as { Nordics = ["SE", "NO"] }')

    def _check_engine(self) -> None:
        if self.engine not in ENGINES:
            raise SettingError(f"engine is {self.engine!r}; there are {' and '.join(ENGINES)}")
        for name, value in self.spark.items():
            if not name.startswith(f"{SPARK}.") or not isinstance(value, str):
                raise SettingError(f"'{name}' is no setting of Spark; give one such as spark.master = \"local[4]\"")
        if self.spark and self.engine != SPARK:
            raise SettingError(
                f'{next(iter(self.spark))} is given, but the engine is {self.engine}; add engine = "spark"'
            )

    def _check_lists(self) -> None:
        if not self.by:
            raise SettingError(f"by is an empty list; name groupings, such as {', '.join(GROUPINGS)}")
        for name in ("by", "effects", "strata", "accept"):
            value = getattr(self, name)
            if not isinstance(value, tuple) or not all(isinstance(text, str) for text in value):
                raise SettingError(f"{name} is {value!r}; it must be a list of texts")
            if len(set(value)) < len(value):
                raise SettingError(f"{name} is {list(value)}; name each once")
        if not self.effects:
            raise SettingError("effects is an empty list; name terms of a formula, such as language_match")
        for term in self.effects:
            if not variables_of(term):
                raise SettingError(f"the term '{term}' of effects has no variable; name one, such as language_match")

    @property
    def open_engine(self) -> OpenEngine:
        """Function that opens the engine for the charts.

        Raises
        ------
        SettingError
            When Spark cannot be used.
        """
        return engines(self.engine, spark=self.spark)

    def workers(self) -> Workers | None:
        """Return the processes of that engine that make sums over tracks; None for this process."""
        return workers(self.engine, spark=self.spark)

    @property
    def reading(self) -> dict[str, Any]:
        """How charts are read: keywords of `diffusion.open_charts`."""
        return {name: getattr(self, name) for name in READING}

    def settings(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the named fields, for a fingerprint or a manifest; of the cohort the conditions that there are."""
        values = asdict(self) | {"cohort": self.cohort.given()}
        return {name: values[name] for name in names}

    def override(self, *, cohort: Mapping[str, Any] | None = None, **options: Any) -> "Study":
        """Return the study with fields, also those of the cohort, replaced by the options that are not None.

        Settings of Spark are replaced one by one; where the engine becomes another, those of the study are left out.
        """
        given = {name: value for name, value in options.items() if value is not None}
        kept = self.spark if given.get(ENGINE, self.engine) == SPARK else {}
        given[SPARK] = {**kept, **given.get(SPARK, {})}
        return replace(self, cohort=replace(self.cohort, **(cohort or {})), **given)


def setting_words(value: Any) -> str:
    """Return a setting in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        value = [f"{name} = {setting_words(own)}" for name, own in value.items()]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "not given" if value is None else str(value)


def read_study(file: str | Path) -> Study:
    """Return the study in a TOML file; its chart path is relative to the file.

    Raises
    ------
    SettingError
        When the file does not exist, is not TOML, has an unknown key, or a value that is not allowed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "study.toml")
    ...     written = file.write_text('charts = { path = "charts.csv" }', encoding="utf-8")
    ...     study = read_study(file)
    >>> study.horizon, study.washout
    (180, 28)
    """
    file = Path(file)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingError(f"no study file at '{file}'") from None
    except (OSError, ValueError, RecursionError) as error:
        raise SettingError(f"cannot read the study file '{file}': {error}") from error
    values: dict[str, Any] = {}
    for section, content in document.items():
        if section in (ENGINE, SPARK):
            values[section] = _flat(content, section) if section == SPARK else content
            continue
        _known(section, SECTIONS, f"section in '{file}'")
        if not isinstance(content, dict):
            raise SettingError(f"'{section}' in '{file}' must be a section: [{section}]")
        for key in content:
            _known(key, SECTIONS[section], f"key in [{section}] of '{file}'")
        fields = {RENAMED.get((section, key), key): value for key, value in content.items()}
        values |= {"cohort": _cohort(content, file.parent)} if section == "cohort" else fields
    if not isinstance(values.get("path"), str):
        raise SettingError(f"'{file}' does not say what to read; add [charts] with path = \"FILE, GLOB OR FOLDER\"")
    if values["path"] != SAMPLE and not is_address(values["path"]):
        values["path"] = str(file.parent / values["path"])
    for name in ("truth", "groups"):
        if isinstance(values.get(name), str) and values[name]:
            values[name] = str(file.parent / values[name])
    for name in ("by", "effects", "strata", "accept"):
        if name in values:
            values[name] = _listed(values[name])
    return Study(**values)


def _cohort(content: Mapping[str, Any], place: Path) -> Cohort:
    """Return the cohort of a study file; the path of its tracks is relative to the file's folder."""
    given = dict(content)
    for name in ("artists", "markets", "debut"):
        if name in given:
            given[name] = _listed(given[name])
    if isinstance(given.get("debut"), tuple):
        given["debut"] = tuple(day.isoformat() if isinstance(day, date) else day for day in given["debut"])
    if isinstance(given.get("tracks"), str) and given["tracks"]:
        given["tracks"] = str(place / given["tracks"])
    return Cohort(**given)


def _flat(values: Any, name: str) -> dict[str, str]:
    """Return the settings of nested tables by whole name, as texts.

    Raises
    ------
    SettingError
        When a value is no text, number or truth value.
    """
    if isinstance(values, dict):
        # in [spark], names may be whole, quoted or not, or without their first word
        whole = {key: key if key == SPARK or key.startswith(f"{SPARK}.") else f"{name}.{key}" for key in values}
        parts = [_flat(value, whole[key]) for key, value in values.items()]
        return {key: value for part in parts for key, value in part.items()}
    if not isinstance(values, str | int | float):
        raise SettingError(f"{name} must be a text, a number, or true or false")
    return {name: str(values).lower() if isinstance(values, bool) else str(values)}


def _listed(value: Any) -> Any:
    """Return a list of a TOML file as a tuple, and a text as one of a single text."""
    given = [value] if isinstance(value, str) else value
    return tuple(given) if isinstance(given, list) else given


def _known(name: str, allowed: Mapping[str, Any] | tuple[str, ...], what: str) -> None:
    if name not in allowed:
        near = difflib.get_close_matches(name, allowed, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; allowed are {', '.join(allowed)}"
        raise SettingError(f"unknown {what}: '{name}'{hint}")
