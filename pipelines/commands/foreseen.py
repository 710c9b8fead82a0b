"""Errors of users, data and the system: one line and an exit code."""

import click

from diffusion import DiffusionError
from pipelines.formatting import printable


def foreseen(error: BaseException) -> tuple[str, int] | None:
    """Return the line and the exit code of an error of users, data or the system; None for any other."""
    if isinstance(error, click.ClickException):
        return _line(error.format_message()), 2
    if isinstance(error, DiffusionError):
        return _line(str(error)), error.exit_code
    if isinstance(error, OSError):
        said = str(error.strerror or error)
        return _line(f"{said}: '{error.filename}'" if error.filename else said), 2
    return None


def _line(message: str) -> str:
    return printable(" ".join(message.split()))
