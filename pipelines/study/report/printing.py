"""Printing a page as PDF by a browser without a window."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from diffusion import OutputError, SettingError

BROWSERS: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
"""Names of the browsers that can print, the first that is on PATH is taken."""

LONGEST: Final = 180
"""Seconds after which a browser that has not ended is stopped."""

OFFLINE: Final = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
"""Options of a browser that shows no window and asks nothing of a network."""


def browser() -> str:
    """Return the path of a browser that can print.

    Raises
    ------
    SettingError
        When none is on PATH.
    """
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise SettingError(
        "a PDF needs Chromium, Chrome or Edge, and none is on PATH; install one (such as: apt install chromium), or "
        "open report.html in any browser and print it"
    )


def browser_options(profile: Path) -> list[str]:
    """Return the options of a browser without window and network; `profile` is a folder that it may fill."""
    root = os.name == "posix" and os.geteuid() == 0
    return [*OFFLINE, f"--user-data-dir={profile}", *["--no-sandbox"] * root]  # Chromium refuses to run as root with it


def printed_pdf(html: str, *, longest: float = LONGEST) -> bytes:
    """Return a page as PDF.

    Parameters
    ----------
    html
        The page, which must need no other file.
    longest
        Seconds after which the browser is stopped (default 180).

    Raises
    ------
    SettingError
        When there is no browser.
    OutputError
        When the browser makes no PDF, or takes too long.
    """
    program = browser()
    with TemporaryDirectory(prefix="chart-diffusion-print-", ignore_cleanup_errors=True) as place:
        page, pdf = Path(place, "report.html"), Path(place, "report.pdf")
        page.write_text(html, encoding="utf-8")
        asked = [
            *browser_options(Path(place, "profile")),
            "--no-pdf-header-footer",
            f"--print-to-pdf={pdf}",
            page.as_uri(),
        ]
        try:
            done = subprocess.run([program, *asked], capture_output=True, timeout=longest, check=False)
        except subprocess.TimeoutExpired as error:
            raise OutputError(f"'{program}' did not print the report within {longest:g} seconds") from error
        except OSError as error:
            raise OutputError(f"'{program}' cannot be run: {error.strerror}") from error
        if not pdf.is_file():
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it says nothing"]
            raise OutputError(f"'{program}' ended with exit code {done.returncode} and made no PDF: {said[0]}")
        return pdf.read_bytes()
