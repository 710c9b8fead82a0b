"""Options that several commands take."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from diffusion import SettingError
from diffusion.sources.layouts import AUDIO_COLUMNS, SOURCE_COLUMNS

Command = TypeVar("Command", bound=Callable[..., Any])


class OutPath(click.Path):
    """A path to write to; an empty text, which would mean the working directory, is refused."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("the name is empty; '.' is the folder you are in", param, ctx)
        return super().convert(value, param, ctx)


OUT = click.option("--out", type=OutPath(), required=True, help="Folder for the results.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
COLUMN = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Name of a column in the files; "
    f"ours are {', '.join(SOURCE_COLUMNS[: -len(AUDIO_COLUMNS)])} and {AUDIO_COLUMNS[0]} ….",
)

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


def with_options(options: Iterable[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """Return a decorator that adds options or arguments to a command, in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(tuple(options)):
            command = option(command)
        return command

    return decorate


def column_names(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return our column → the source's column, from options of the form OURS=THEIRS."""
    return pairs_of(pairs, "--column", "rank=Position")


def pairs_of(pairs: tuple[str, ...], option: str, example: str) -> dict[str, str]:
    """Return left side → right side of all values of an option.

    Raises
    ------
    SettingError
        When a value is not of the form LEFT=RIGHT, or a left side occurs twice.
    """
    found = {}
    for pair in pairs:
        left, sign, right = pair.partition("=")
        if not sign or not left or not right:
            raise SettingError(f"{option} '{pair}' is not of the form LEFT=RIGHT, such as {example}")
        if left in found:
            raise SettingError(f"{option} names '{left}' twice")
        found[left] = right
    return found
