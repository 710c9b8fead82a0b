"""The command line: a thin layer over the library."""

import sys
from collections import UserDict
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import click

from pipelines.commands.foreseen import foreseen

HOMES: Final = {
    "demo": "study:demo",
    "run": "study:run",
    "eda": "study:eda",
    "graph": "study:graph",
    "survival": "study:survival",
    "recovery": "recovery:recovery_command",
    "query": "query:query",
    "ingest": "data:ingest_command",
    "clean": "data:clean_command",
    "auxiliary": "data:auxiliary_command",
    "verify": "data:verify_command",
    "sync": "data:sync_group",
    "simulate": "data:simulate_command",
    "train": "forecasts:train_command",
    "predict": "forecasts:predict_command",
    "inspect": "inspect:inspect_command",
    "audit": "audit:audit_command",
    "backtest": "backtest:backtest_command",
    "regress": "regress:regress_command",
    "sql": "sql:sql_command",
    "compare": "compare:compare_command",
    "report": "report:report_command",
}
"""Name of a command → the module of this package that defines it, and its name there."""


class _Commands(UserDict[str, Any]):
    """Commands by name; each is imported when it is first asked for, so that none waits for libraries of another."""

    def __getitem__(self, name: str) -> click.Command:
        found = super().__getitem__(name)
        if isinstance(found, str):
            module, _, attribute = found.partition(":")
            found = self.data[name] = getattr(import_module(f"pipelines.commands.{module}"), attribute)
        command: click.Command = found
        return command


@click.group(commands=_Commands(HOMES), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chart-diffusion")
def cli() -> None:
    """How hits travel between national music charts: diffusion graphs, leader markets, survival curves."""


def run_command(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; an error of user or data is one line on standard error."""
    try:
        code = cli.main(list(arguments), standalone_mode=False, prog_name="chart-diffusion")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.exceptions.Abort as error:
        if isinstance(error.__cause__, EOFError):  # of a file that ends too early; click takes it for the user's
            raise error.__cause__ from None
        return _fail("stopped", 130)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if (said := foreseen(error)) is None:
            raise
        return _fail(*said)
    return int(code or 0)


def _fail(line: str, code: int) -> int:
    click.echo(f"chart-diffusion: {line}", err=True)
    return code
