"""The entry of the command line: it listens for signals before it imports anything large, and catches every error."""

import gc
import os
import re
import sys
import warnings
from collections.abc import Mapping
from io import TextIOWrapper
from typing import Final, NoReturn

from pipelines.commands.signals import Signals
from pipelines.commands.unforeseen import UNFORESEEN, unforeseen_line

THREADS: Final = re.compile(
    r"(POLARS_MAX|RAYON_NUM|OPENBLAS_NUM|MKL_NUM|BLIS_NUM|NUMEXPR_MAX|NUMEXPR_NUM|OMP_NUM)_THREADS"
)
"""Variables of the environment that libraries read when they are imported, and end the process if they are wrong."""


def main() -> None:
    """Run the command line and end the process with its exit code: 0, 1 or 2, 70, 130 (Ctrl-C) or 143 (SIGTERM)."""
    signals = Signals()
    try:
        code = _run(signals)
    except SystemExit:  # of the completion of words in a shell
        raise
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it ends in one line
        unwound = signals.code or _fail(unforeseen_line(error, sys.argv), UNFORESEEN)
    else:
        signals.done()
        sys.exit(code)
    _end_unwound(signals, unwound)


def _end_unwound(signals: Signals, code: int) -> NoReturn:
    """End the process after an error, with nothing after its line.

    Libraries would complain of objects that are left, because the error left the work where it was.
    """
    gc.collect()  # closes what is still open
    if signals.code:
        signals.say()
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.exit(code)


def _run(signals: Signals) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # not where the caller closed it
            stream.reconfigure(errors="replace")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, for those who work on this code: python -W default
    if wrong := wrong_threads(os.environ):
        return _fail(wrong, 2)
    from diffusion.engine import interrupt_engines
    from pipelines.commands.main import run_command

    with signals.working(interrupt_engines):
        return run_command(sys.argv[1:])


def wrong_threads(environment: Mapping[str, str]) -> str | None:
    """Return an error message for a number of threads in the environment that is none; None if all are right."""
    for name, value in environment.items():
        if THREADS.fullmatch(name) and not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", value):
            return f"{name} is {value!r} in the environment; give a whole number, 1 or more, or unset it"
    return None


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"chart-diffusion: {message}\n")
    return code
