"""The explorer at full size in a real browser: size of its file, first paint, and how long each interaction takes.

    python tests/benchmarks/bench_explorer.py [STUDY] [RUNS]

STUDY is the folder of a finished study with a graph; by default one is made of simulated charts of 70 markets over five
years (minutes). Goals: file below 15 MB, first paint below 2 s, every interaction below 100 ms. The time of an
interaction runs from the event to the end of the next frame, when what changed has been painted.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from diffusion.simulation import Simulation, simulate
from pipelines import open_study
from pipelines.explorer import explorer_html
from tests.browser import BROWSERS

FULL = Simulation(20_000, 70, 1826, seed=1, depth=20)
"""The page grows with markets, days of follow-up, years, and tracks up to 5,000; not with chart rows."""

GOALS = {"file": 15.0, "paint": 2000.0, "interaction": 100.0}

TIMED = """() => new Promise(done => {
  const begun = performance.now();
  %s
  requestAnimationFrame(() => { const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now() - begun); channel.port2.postMessage(0); });
})"""
"""A program that does something and returns the milliseconds until it is painted."""

CLICK = "document.querySelector(`{}`).dispatchEvent(new MouseEvent('click', {{ bubbles: true }}));"
SET = "{{ const field = document.querySelector(`{}`); field.value = `{}`; field.dispatchEvent(new Event(`{}`)); }}"

INTERACTIONS = {
    "arrows: rates": CLICK.format("#edges label:nth-of-type(2) input"),
    "arrows: lifts": CLICK.format("#edges label:nth-of-type(3) input"),
    "arrows: tracks": CLICK.format("#edges label:nth-of-type(1) input"),
    "320 arrows": SET.format("#most", "320", "change"),
    "period: first": SET.format("#period", "1", "input"),
    "period: second": SET.format("#period", "2", "input"),
    "tracks at least 3": SET.format("#least", "3", "input"),
    "q at most .2": SET.format("#q", "0.2", "change"),
    "q: any": SET.format("#q", "1", "change"),
    "network": CLICK.format("#view label:nth-of-type(2) input"),
    "map": CLICK.format("#view label:nth-of-type(1) input"),
    "closer": CLICK.format("#closer"),
    "Europe": CLICK.format("#europe"),
    "whole": CLICK.format("#whole"),
    "leaders: by market": CLICK.format("#panel thead th:first-child button"),
    "leaders: other measure": "{ const field = document.querySelector('#measure'); field.selectedIndex = 1; "
    "field.dispatchEvent(new Event('change')); }",
    "market": CLICK.format("#figure .market:nth-of-type(12)"),
    "market: receives": CLICK.format("#way, #panel .switch label:nth-of-type(2) input"),
    "market: sort": CLICK.format("#panel thead th:nth-of-type(3) button"),
    "pair": CLICK.format("#panel tbody button"),
    "tab: track": CLICK.format("#tab-track"),
    "search: a": SET.format("#search", "a", "input"),
    "search: tr": SET.format("#search", "tr", "input"),
    "track": CLICK.format("#found button"),
    "journey: step on": CLICK.format("#on"),
}
"""What is done → program that does it, in order."""


def full_study(place: Path) -> Path:
    """Make a study of simulated charts at full size; return its folder."""
    simulate(FULL, place, layout="star")
    command = [sys.executable, "-m", "pipelines", "graph", str(place / "charts"), "--out", str(place / "out")]
    subprocess.run([*command, "--replicates", "100"], check=True, stdout=subprocess.DEVNULL)
    return place / "out"


def written(study: Path, page: Path) -> None:
    """Write the page of a study, and print what it took."""
    results = open_study(study)
    assert results.graph.window, "the graph is read before the clock starts"
    begun = time.perf_counter()
    html = explorer_html("Benchmark", results)
    seconds = time.perf_counter() - begun
    page.write_text(html, encoding="utf-8")
    size = page.stat().st_size / 1e6
    print(f"made in {seconds:.1f} s; file {size:.2f} MB (goal {GOALS['file']:.0f})")


def visit(browser: Any, page: Path) -> tuple[float, dict[str, float]]:
    """Open the page anew; return milliseconds to the first paint, and of each interaction."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    seen = context.new_page()
    seen.goto(page.as_uri())
    seen.wait_for_timeout(500)
    paint = seen.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    times = {name: float(seen.evaluate(TIMED % program)) for name, program in INTERACTIONS.items()}
    context.close()
    return float(paint), times


def main(study: Path, runs: int, place: Path) -> None:
    """Print size, paint, and the median and worst time of each interaction."""
    page = place / "explorer.html"
    written(study, page)
    command = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=command, args=["--no-sandbox"])
        visits = [visit(browser, page) for _ in range(runs)]
        browser.close()
    paints = [paint for paint, _ in visits]
    median = statistics.median(paints)
    print(f"first paint: median {median:.0f} ms, worst {max(paints):.0f} ms (goal {GOALS['paint']:.0f})")
    for name in INTERACTIONS:
        own = [times[name] for _, times in visits]
        print(f"{name:24} median {statistics.median(own):6.1f} ms, worst {max(own):6.1f} ms")
    every = [value for _, times in visits for value in times.values()]
    print(
        f"all interactions: median {statistics.median(every):.1f} ms, worst {max(every):.1f} ms "
        f"(goal {GOALS['interaction']:.0f})"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        given = Path(sys.argv[1]) if len(sys.argv) > 1 else full_study(Path(folder))
        main(given, int(sys.argv[2]) if len(sys.argv) > 2 else 5, Path(folder))
