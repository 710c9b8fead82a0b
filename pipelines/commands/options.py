"""Options that several commands take."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from diffusion import SettingError
from diffusion.conventions import LARGEST_SEED
from diffusion.engine import ENGINES
from diffusion.sources.addresses import is_address
from diffusion.sources.layouts import AUDIO_COLUMNS, SOURCE_COLUMNS
from diffusion.sources.reading import CONSENTS

Command = TypeVar("Command", bound=Callable[..., Any])

SPARK: Final = "--spark"
"""Option with settings of Spark."""

SEED = click.IntRange(0, LARGEST_SEED)


class OutPath(click.Path):
    """A path to write to; an empty text, which would mean the working directory, and an address are refused."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("the name is empty; '.' is the folder you are in", param, ctx)
        if is_address(value):
            self.fail(
                f"'{value}' is not on this machine; name a folder here and send it: chart-diffusion sync push",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


class OutAddress(OutPath):
    """A path to write to, or an address that Spark writes to."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or the address as text."""
        return value if is_address(value) else super().convert(value, param, ctx)


OUT = click.option("--out", type=OutPath(), required=True, help="Folder for the results.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
QUIET = click.option("--quiet", is_flag=True, help="Show no progress on standard error.")
REPLACE = click.option(
    "--replace", is_flag=True, help="Replace what the folder has of other settings or data (default: refuse)."
)
MARKET_NAME = click.option(
    "--market-name",
    "market_names",
    multiple=True,
    metavar="NAME=CODE",
    help="Code of a market name that is not known; =CODE is that of rows without a market.",
)
ACCEPT = click.option(
    "--accept",
    multiple=True,
    type=click.Choice(list(CONSENTS)),
    help="Go on although " + ", or ".join(f"{what} ({name})" for name, what in CONSENTS.items()) + ".",
)
READING_OPTIONS = (
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="OURS=THEIRS",
        help="Name of a column in the files, or its position (from 1) where they have no header; "
        f"ours are {', '.join(SOURCE_COLUMNS[: -len(AUDIO_COLUMNS)])} and {AUDIO_COLUMNS[0]} ….",
    ),
    click.option(
        "--from-name", metavar="PATTERN", help="Facts that the files' names hold, such as '{market}/{date}.csv'."
    ),
    click.option("--encoding", help="Encoding of text files if neither UTF-8 nor UTF-16, such as latin-1."),
    click.option("--date-format", metavar="FORMAT", help="Form of the dates, such as day/month/year or %d/%m/%Y."),
    click.option("--first-rank", type=click.IntRange(0, 1), help="The best rank in the files: 1 (default) or 0."),
    MARKET_NAME,
    ACCEPT,
)
"""Options of all commands that read charts; `take_reading` takes their values."""

ENTRY_OPTIONS = (
    click.option(
        "--washout", type=int, help="Days after a market's start in which entries are left-censored (default 28)."
    ),
    click.option("--top", type=int, help="Worst rank that counts as an entry (default: any rank)."),
    click.option("--min-periods", type=int, help="Charts in a row that a track must stay (default 1)."),
    click.option(
        "--identity", type=click.Choice(["track", "recording"]), help="What counts as one track (default track)."
    ),
    click.option("--chart", help="Name of the chart (default top200, else the only one)."),
)

ENGINE_OPTIONS = (
    click.option("--engine", type=click.Choice(list(ENGINES)), help="What works on the rows (default duckdb)."),
    click.option(
        SPARK,
        multiple=True,
        metavar="NAME=VALUE",
        help="Setting of a new Spark session, such as spark.master=local[4]; repeatable.",
    ),
)
"""Options that choose the engine; `take_engine` takes their values."""

COHORT_OPTIONS = (
    click.option("--artist", "artists", multiple=True, metavar="NAME", help="Only tracks of this artist; repeatable."),
    click.option(
        "--credited", is_flag=True, help="Count a track to all its credited artists, not only to the one named first."
    ),
    click.option(
        "--tracks", metavar="FILE", help="Only tracks in a CSV or Parquet file with a column track_id or artist."
    ),
    click.option(
        "--debut",
        nargs=2,
        metavar="FROM TO",
        help="Only tracks that debuted within these days, such as 2019-01-01 2019-12-31; '' for an open end.",
    ),
    click.option(
        "--debut-in",
        "markets",
        multiple=True,
        metavar="MARKET",
        help="Only tracks that entered this market (name or code) on the day of their debut; repeatable.",
    ),
)
"""Options that choose the tracks of a study; `take_cohort` takes their values."""


def with_options(options: Iterable[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """Return a decorator that adds options or arguments to a command, in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(tuple(options)):
            command = option(command)
        return command

    return decorate


def take_reading(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `READING_OPTIONS` out of a command's options; return those given, as `open_charts` has them.

    Raises
    ------
    SettingError
        When a pair is not of the form LEFT=RIGHT, or a left side occurs twice.
    """
    given = {
        "columns": _pairs(options.pop("columns"), "--column", "rank=Position"),
        **take_consent(options),
        **{name: options.pop(name) for name in ("from_name", "encoding", "date_format", "first_rank")},
    }
    return {name: value for name, value in given.items() if value not in (None, {}, ())}


def take_consent(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `MARKET_NAME` and `ACCEPT` out of a command's options, as `open_charts` has them."""
    names = _pairs(options.pop("market_names"), "--market-name", "Svea=SE", empty_left=True)
    return {"market_names": names, "accept": options.pop("accept")}


def take_engine(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `ENGINE_OPTIONS` out of a command's options; return those given, as `Study` has them.

    Raises
    ------
    SettingError
        When a setting is not of the form NAME=VALUE, or is given twice.
    """
    spark = _pairs(options.pop("spark"), SPARK, "spark.master=local[4]")
    given = {"engine": options.pop("engine"), "spark": spark}
    return {name: value for name, value in given.items() if value}


def take_cohort(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `COHORT_OPTIONS` out of a command's options; return those given, as `Cohort` has them."""
    given = {name: options.pop(name) for name in ("artists", "credited", "tracks", "debut", "markets")}
    return {name: value for name, value in given.items() if value not in (None, (), False)}


def _pairs(pairs: tuple[str, ...], option: str, example: str, *, empty_left: bool = False) -> dict[str, str]:
    """Return left side → right side of all values of an option.

    Raises
    ------
    SettingError
        When a value is not of the form LEFT=RIGHT, or a left side occurs twice.
    """
    found = {}
    for pair in pairs:
        left, sign, right = pair.partition("=")
        if not sign or not (left or empty_left) or not right:
            named = "" if option == SPARK else f" '{pair}'"  # which may be a secret
            raise SettingError(f"{option}{named} is not of the form LEFT=RIGHT, such as {example}")
        if left in found:
            raise SettingError(f"{option} names '{left}' twice")
        found[left] = right
    return found
