"""A page of ours in a real browser, for tests: Chromium or Chrome of the system, driven by playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Commands of browsers, the first that is there is used."""

PATIENCE = 5_000
"""Milliseconds that a test waits for something on the page."""


class Seen:
    """A page that is looked at.

    Attributes
    ----------
    page
        The page.
    trouble
        What went wrong on it: errors, messages on its console, and requests for anything but the page itself.
    """

    def __init__(self, page: "Page", file: Path) -> None:
        self.page = page
        self.trouble: list[str] = []
        self._address = file.as_uri()
        self._visits = 0
        page.on("console", lambda message: self.trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.trouble.append(f"dialog: {dialog.message}"))
        page.on("request", self._note)
        page.set_default_timeout(PATIENCE)
        page.goto(self._address)

    def _note(self, request: Any) -> None:
        if request.url.split("#")[0] != self._address and not request.url.startswith(("blob:", "data:")):
            self.trouble.append(f"request: {request.url}")

    def at(self, fragment: str) -> None:
        """Look at the page with a fragment of the address."""
        self._visits += 1
        self.page.evaluate(
            "hash => new Promise(done => {"
            " addEventListener('hashchange', () => setTimeout(done), { once: true }); location.hash = hash; })",
            f"{fragment}&visit={self._visits}",
        )

    def fragment(self) -> str:
        """Return the fragment of the address once it is written."""
        self.page.wait_for_timeout(200)
        fragment: str = self.page.evaluate("location.hash.slice(1)")
        return fragment

    def text(self, selector: str) -> str:
        """Return the text of the first element."""
        return self.page.locator(selector).first.inner_text()

    def arrows(self, role: str = "") -> list[str]:
        """Return the titles of the arrows drawn."""
        return self.page.locator(f"#figure .arrow{f'.{role}' if role else ''} title").all_text_contents()

    def saved(self, button: str) -> bytes:
        """Return the file that a button saves."""
        with self.page.expect_download() as download:
            self.page.locator(button).click()
        return Path(download.value.path()).read_bytes()


@contextmanager
def looking(file: Path, *, width: int = 1440, height: int = 900, dark: bool = False) -> Iterator[Seen]:
    """Open a file of ours in a browser; the test is skipped where there is none."""
    command = next(filter(None, map(shutil.which, BROWSERS)), None)
    if command is None:
        pytest.skip(f"no browser is installed ({', '.join(BROWSERS)})")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser (extra [dev])")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=command, args=["--no-sandbox"])
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, offline=True)
        try:
            yield Seen(context.new_page(), file)
        finally:
            browser.close()
