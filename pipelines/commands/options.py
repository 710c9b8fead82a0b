"""Options that several commands take."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from diffusion import SettingError
from diffusion.sources.layouts import AUDIO_COLUMNS, SOURCE_COLUMNS

Command = TypeVar("Command", bound=Callable[..., Any])

OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for what is made.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
COLUMN = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help=f"Name a column; ours are {', '.join(SOURCE_COLUMNS[: -len(AUDIO_COLUMNS)])} and {AUDIO_COLUMNS[0]} ….",
)


def with_options(options: Iterable[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """Return a decorator that adds options, or arguments, to a command in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(tuple(options)):
            command = option(command)
        return command

    return decorate


def column_names(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return our column → the source's, from options of the form OURS=THEIRS."""
    return pairs_of(pairs, "--column", "rank=Position")


def pairs_of(pairs: tuple[str, ...], option: str, example: str) -> dict[str, str]:
    """Return what an option that is given several times says, as left side → right side.

    Raises
    ------
    SettingError
        When one is no pair, or a left side stands twice.
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
