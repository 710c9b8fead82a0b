"""Errors that nobody foresaw: one line, and a file with the traceback."""

import os
import re
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import Final

UNFORESEEN: Final = 70
"""Exit code of an error that nobody foresaw: EX_SOFTWARE of sysexits.h."""

REPORT_TO: Final = "the maintainers of chart-diffusion"

SECRET: Final = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|AUTH", re.IGNORECASE)
"""Names of variables of the environment whose values are kept out of files."""

LOGIN: Final = re.compile(r"(?<=://)[^/\s@]*@")
"""User name and password in an address."""

LONGEST_MESSAGE: Final = 300


def unforeseen_line(error: BaseException, arguments: Sequence[str]) -> str:
    """Write the traceback into a file and return the line that says what was being done and where the file is.

    The file is in the temporary directory, with a name that cannot be guessed, readable by its owner only. It has no
    values of variables; texts of the environment that look like secrets are replaced.

    Parameters
    ----------
    error
        The error, with notes on what was being done (`pipelines.progress.progress` adds one).
    arguments
        Arguments of the process, its name first.
    """
    doing = " ".join(["in", *_command(arguments), *getattr(error, "__notes__", [])[:1]])
    what = f"{type(error).__name__}: {error}".removesuffix(": ")
    said = "".join(c if c.isprintable() else " " for c in without_secrets(f"{doing}: {what}", os.environ))
    return (
        f"an error that was not foreseen {said[:LONGEST_MESSAGE]}; {_kept(error)}; "
        f"please report it, with that file, to {REPORT_TO}"
    )


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """Return a text without logins in addresses and without values of the environment that look like secrets."""
    for name, value in environment.items():
        if SECRET.search(name) and len(value) > 3:
            text = text.replace(value, f"<{name}>")
    return LOGIN.sub("<login>@", text)


def _command(arguments: Sequence[str]) -> list[str]:
    return [name for name in arguments[1:2] if re.fullmatch(r"[a-z][a-z-]*", name)] or ["chart-diffusion"]


def _kept(error: BaseException) -> str:
    """Write the traceback into a file, and return where it is."""
    try:
        text = without_secrets("".join(traceback.format_exception(error)), os.environ)
        handle, name = tempfile.mkstemp(prefix="chart-diffusion-traceback-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"chart-diffusion on Python {sys.version.split()[0]}, {sys.platform}\n{text}")
    except Exception as failed:  # noqa: BLE001 -- the line must be written, whatever happens
        return f"its traceback could not be written ({type(failed).__name__})"
    return f"its traceback is in '{name}'"
