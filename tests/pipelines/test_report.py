"""The report: what it opens with, what each section holds, how it looks, and the same findings as PDF and as slides."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from importlib import resources
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest

from diffusion import OutputError, SettingError
from pipelines.folders.folder import Folder
from pipelines.folders.verify import verify
from pipelines.progress import quiet
from pipelines.study.findings import Finding, Verdict
from pipelines.study.finished import open_study
from pipelines.study.report import printing, written
from pipelines.study.report.contents import FIRST, MOST_OPENING, Part, opening
from pipelines.study.report.page import report_html, verdicts
from pipelines.study.report.slides import in_order
from pipelines.study.report.written import PAGE, PDF, SLIDES, write_report
from pipelines.study.steps import STEPS
from tests.pipelines.conftest import SCRIPT, Shell

ROOM = {step.name: step for step in STEPS}

CSS = resources.files("pipelines.study").joinpath("templates", "style.css").read_text(encoding="utf-8")


def finding(said: str, verdict: Verdict = "found", *, headline: bool = True) -> Finding:
    return Finding(f"Title of {said}", said, f"Sure of {said}.", f"Caveat of {said}.", verdict, headline=headline)


def part(name: str, *findings: Finding, **given: Any) -> Part:
    values: dict[str, Any] = {"content": {}, "pictures": {}, "caveats": [], "gaps": {}}
    return Part(step=ROOM[name], findings=findings, **(values | given))


def words(page: str) -> str:
    """Return a page with its texts as they are read."""
    return unescape(" ".join(page.split()))


def is_whole(place: Path) -> bool:
    """Return whether the files of a folder are those of its manifest."""
    found = verify(place)
    return not (found.changed or found.missing or found.extra)


def section(page: str, name: str) -> str:
    """Return what stands in a section of a report."""
    return page.split(f'<section id="{name}"')[1].split("</section>")[0]


def test_the_report_opens_with_six_findings_in_a_fixed_order() -> None:
    named = ["survival", "graph", *reversed(FIRST)]
    parts = [part(name, finding(f"{name}."), finding(f"more of {name}.", headline=False)) for name in named]
    opened = [(one.step.name, found.said) for one, found in opening(parts)]
    assert opened == [(name, f"{name}.") for name in FIRST[:MOST_OPENING]]
    few = [part("survival", finding("s.")), part("graph", finding("g.")), part("direct", finding("d."))]
    assert [found.said for _, found in opening(few)] == ["d.", "s.", "g."]
    assert set(FIRST) <= set(ROOM)


def test_slides_have_every_finding_once_those_of_the_opening_first() -> None:
    parts = [part("graph", finding("g."), finding("h.", headline=False)), part("direct", finding("d."))]
    assert [found.said for found in in_order(parts)] == ["d.", "g.", "h."]
    assert verdicts([finding("a.", "not found"), finding("b.", "not found"), finding("c.")]) == "2 not found, found"


def rendered(folder: Path, parts: Sequence[Part], tmp_path: Path, *, printed: bool = False) -> str:
    """Return the report of parts, with the facts of a folder."""
    copied = shutil.copytree(folder, tmp_path / "copied")
    with Folder(copied) as held:
        for step in STEPS:
            for name in step.manifest_names:
                held.stands(name)
        return report_html("A title", parts, held, printed=printed)


def test_verdicts_certainty_and_caveats_stand_in_words_in_their_places(hostile: Path, tmp_path: Path) -> None:
    gaps = {"lifts": "there are too few", "figures/flow_map": "nothing flows"}
    parts = [
        part("graph", finding("All is <b>tied</b>", "described"), caveats=["Beware of graphs."], gaps=gaps),
        part("baseline", finding("None follows", "not found")),
        part("leaders", gaps={"rolling": "it is short"}, caveats=["Leaders may differ."]),
    ]
    page = rendered(hostile, parts, tmp_path)
    found = words(section(page, "found"))
    assert found.index("None follows") < found.index("All is <b>tied</b>")
    assert '<span class="verdict">Not found</span> <b>None follows</b>' in found
    assert "<b>How sure:</b> Sure of None follows." in found and "Caveat of" not in found
    own = words(section(page, "graph"))
    assert "<b>Caveat:</b> Caveat of All is <b>tied</b>." in own and "Beware of graphs." in own
    assert "Not made: lifts: there are too few." in own
    assert "&lt;b&gt;tied&lt;/b&gt;" in page and "All is <b>" not in page
    last = words(section(page, "not-made"))
    assert "lifts, figures/flow_map; the section says why." in last
    assert "Not made: rolling: it is short." in last and "Leaders may differ." in last
    assert 'id="leaders"' not in page  # nothing to show


def test_a_section_names_its_version_settings_files_and_digests(hostile: Path) -> None:
    manifest = json.loads((hostile / "manifest.json").read_text(encoding="utf-8"))
    page = (hostile / PAGE).read_text(encoding="utf-8")
    own, entry = words(section(page, "survival")), manifest["steps"]["survival"]
    assert f"version {ROOM['survival'].version}, fingerprint <code>{entry['fingerprint']}</code>" in own
    assert "horizon 180" in own
    for artifact in entry["artifacts"]:
        assert f'<a href="{artifact["path"]}">{artifact["path"]}</a>' in own and artifact["sha256"] in own
    assert 'href="figures/survival_none.svg"' in own and "survival_none.png" not in own
    assert 'href="graph.graphml"' in section(page, "provenance")
    contents = page.split('<nav id="contents"')[1].split("</nav>")[0]
    assert re.findall(r'href="#([a-z-]+)"', contents) == re.findall(r'<section id="([a-z-]+)"', page)[1:]


def test_a_print_has_everything_open_and_no_link_to_a_file(hostile: Path, tmp_path: Path) -> None:
    page = rendered(hostile, [part("graph", finding("All is tied"))], tmp_path, printed=True)
    assert "<details open>" in page
    assert set(re.findall(r'href="(.)', page)) == {"#"}
    assert "<code>edges.parquet</code>" in page


def test_the_explorer_is_linked_where_the_folder_holds_it(hostile: Path, tmp_path: Path) -> None:
    assert '<a href="explorer.html">' in (hostile / PAGE).read_text(encoding="utf-8")
    place = shutil.copytree(hostile, tmp_path / "copied")
    with Folder(place) as folder:
        folder.begin("explorer", "none", parameters={}, notes={})
    write_report(place, quiet)
    assert "explorer.html" not in (place / PAGE).read_text(encoding="utf-8")


def test_everything_can_be_reached_without_eyes_or_mouse(hostile: Path) -> None:
    page = (hostile / PAGE).read_text(encoding="utf-8")
    assert '<html lang="en">' in page and '<a class="skip" href="#main">' in page and '<main id="main">' in page
    assert all(re.search(r'alt="[^"]{10,}"', image) for image in re.findall(r"<img[^>]*>", page))
    boxes = re.findall(r'<div class="scroll"([^>]*)>', page)
    assert boxes and all(re.search(r'role="region" tabindex="0" aria-label="[^"]+"', box) for box in boxes)
    assert page.count("<th scope=") == page.count("<th ") > 0
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1 and all(later - former <= 1 for former, later in pairwise(levels))


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_enough_in_light_and_dark() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    themes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S)
    ]
    assert [set(theme) for theme in themes] == [{"paper", "card", "ink", "quiet", "link", "line", "edge"}] * 2
    texts = set(re.findall(r"(?<![-\w])color: var\(--(\w+)\)", CSS))
    grounds = set(re.findall(r"background: var\(--(\w+)\)", CSS))
    marks = set(re.findall(r"(?:outline|border|border-left): \d+px solid var\(--(\w+)\)", CSS)) - {"line"}  # decoration
    assert (texts, grounds, marks) == ({"ink", "quiet", "link"}, {"paper", "card"}, {"edge", "link"})
    for theme in themes:
        assert all(contrast(theme[text], theme[ground]) >= 4.5 for text, ground in product(texts, grounds))
        assert all(contrast(theme[mark], theme[ground]) >= 3 for mark, ground in product(marks, grounds))


@pytest.fixture
def chromium() -> str:
    """Return a browser, or skip where there is none."""
    try:
        return printing.browser()
    except SettingError as error:
        pytest.skip(str(error))


def opened(browser: str, page: Path, place: Path) -> tuple[str, str, set[str]]:
    """Return the elements of a page in a browser, what the browser complains of, and what the page asks a network for.

    What the browser asks for by itself has another initiator.
    """
    log = place / f"{page.stem}.json"
    asked = ["--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom", page.resolve().as_uri()]
    done = subprocess.run(
        [browser, *printing.browser_options(place / page.stem), *asked], capture_output=True, timeout=120, check=True
    )
    begun = [event["params"] for event in json.loads(log.read_text(encoding="utf-8"))["events"] if "params" in event]
    urls = {one["url"] for one in begun if one.get("initiator", "not an origin") != "not an origin"}
    complaints = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line]
    return done.stdout.decode("utf-8"), "\n".join(complaints), {url for url in urls if not url.startswith("file:")}


def test_a_browser_opens_it_without_network_script_or_complaint(chromium: str, hostile: Path, tmp_path: Path) -> None:
    dom, complaints, asked = opened(chromium, hostile / PAGE, tmp_path)
    assert "<script" not in dom and "&lt;script&gt;alert(1)" in dom
    assert (complaints, asked) == ("", set())
    other = tmp_path / "other.html"
    other.write_text('<img src="https://example.invalid/x.png"><script>oops()</script>', encoding="utf-8")
    dom, complaints, asked = opened(chromium, other, tmp_path)
    assert "<script" in dom and "oops is not defined" in complaints
    assert asked == {"https://example.invalid/x.png"}  # so that what a page asks for would be seen


@pytest.mark.slow
def test_a_pdf_is_printed(chromium: str, hostile: Path, tmp_path: Path) -> None:
    place = shutil.copytree(hostile, tmp_path / "copied")
    lines = write_report(place, quiet, pdf=True)
    assert lines[0].startswith("made      1 files")
    content = (place / PDF).read_bytes()
    assert content.startswith(b"%PDF") and b"file://" not in content and len(content) > 100_000
    assert is_whole(place)


def test_without_a_browser_one_line_says_what_to_install(
    hostile: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    code, out, err = shell("report", hostile, "--pdf", "--quiet")
    assert (code, out) == (2, "")
    assert "a PDF needs Chromium, Chrome or Edge, and none is on PATH; install one" in err and err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="the browser is a script of a shell")
@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo it hurts >&2; exit 3", "ended with exit code 3 and made no PDF: it hurts"),
        ("exec sleep 30", "did not print the report within 0.2 seconds"),
    ],
)
def test_a_browser_that_fails_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(OutputError, match=says):
        printing.printed_pdf("<p>x</p>", longest=0.2 if "sleep" in script else 30)


def test_slides_say_what_the_report_says(hostile: Path, tmp_path: Path, shell: Shell) -> None:
    pptx = pytest.importorskip("pptx")
    place = shutil.copytree(hostile, tmp_path / "copied")
    code, out, _ = shell("report", place, "--slides", "--quiet")
    assert code == 0 and f"next      open {place / SLIDES}" in out
    first, *slides = pptx.Presentation(str(place / SLIDES)).slides
    assert first.shapes.title.text == f"Of {SCRIPT}"
    results = open_study(place)
    held = [step for step in STEPS if step.findings is not None and step.name in results.folder.manifest()["steps"]]
    found = [one for step in held if step.findings is not None for one in step.findings(results)]
    page = words((place / PAGE).read_text(encoding="utf-8"))
    assert sorted(slide.shapes.title.text for slide in slides) == sorted(one.title for one in found)
    drawn = {path.stem for path in (place / "figures").glob("*.png")}
    for slide in slides:
        (one,) = [one for one in found if one.title == slide.shapes.title.text]
        assert slide.shapes.title.is_placeholder
        texts = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame and not shape.is_placeholder]
        caveat = [f"Caveat.\n{one.caveat}"] * bool(one.caveat)
        assert texts == [f"{one.verdict.capitalize()}.\n{one.said}", *caveat]
        assert f"<b>{one.said}</b>" in page
        assert slide.notes_slide.notes_text_frame.text == (one.sure or "Only described: held against nothing.")
        pictures = [shape for shape in slide.shapes if hasattr(shape, "image")]
        assert len(pictures) == (one.figure in drawn)
        assert all(len(shape._element.nvPicPr.cNvPr.get("descr")) > 10 for shape in pictures)
    assert is_whole(place)


def test_without_python_pptx_one_line_says_what_to_install(
    hostile: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pptx", None)
    code, _, err = shell("report", hostile, "--slides", "--quiet")
    assert code == 2 and "pip install 'chart-diffusion[slides]'" in err


def test_what_is_there_stays_and_what_was_changed_is_made_again(hostile: Path, tmp_path: Path) -> None:
    place = shutil.copytree(hostile, tmp_path / "copied")
    before = (place / PAGE).read_bytes()
    assert write_report(place, quiet)[0].startswith("made      0 files")
    (place / PAGE).write_text("edited", encoding="utf-8")
    assert write_report(place, quiet)[0].startswith("made      1 files")
    assert (place / PAGE).read_bytes() == before


def test_a_report_of_nothing_of_another_version_or_of_changed_results_is_refused(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingError, match=r"no manifest\.json in"):
        write_report(tmp_path / "none", quiet)
    assert not (tmp_path / "none").exists()
    place = shutil.copytree(hostile, tmp_path / "copied")
    with monkeypatch.context() as patched:
        later = [replace(step, version=step.version + 1) if step.name == "graph" else step for step in STEPS]
        patched.setattr(written, "STEPS", later)
        with pytest.raises(SettingError, match=r"graph in '.*' was made by another version; run the study again"):
            write_report(place, quiet)
    (place / "edges.parquet").write_bytes(b"")
    with pytest.raises(SettingError, match=r"'.*edges\.parquet' is not what the manifest says"):
        write_report(place, quiet)
