"""What commands print: lines, and JSON that any output can spell."""

import json
import sys
from collections.abc import Iterable

import click

from pipelines.folders.manifest import to_json
from pipelines.formatting import printable


def say_lines(lines: Iterable[str]) -> None:
    """Print lines without control characters."""
    click.echo("\n".join(map(printable, lines)))


def say_json(value: object, *, in_order: bool = False) -> None:
    """Print a value as JSON, with keys sorted or `in_order`.

    A character that the output cannot spell is escaped, so that the same text is read.
    """
    text = to_json(value, in_order=in_order).decode()
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=2)
    click.echo(text.rstrip("\n"))
