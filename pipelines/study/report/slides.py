"""Slides of the findings of a study: one finding, one figure and one caveat a slide."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from diffusion import SettingError
from diffusion.foreign_text import replaced
from pipelines.study.findings import Finding
from pipelines.study.report.contents import Part, Picture, opening, scope

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide

SLIDE: Final = (13.333, 7.5)
"""Width and height of a slide in inches."""

EDGE: Final = 0.5
"""Inches left free around a slide."""

TITLE: Final = (EDGE, 0.3, SLIDE[0] - 2 * EDGE, 0.9)
TEXT: Final = (EDGE, 1.4, 4.4, 3.6)
WIDE_TEXT: Final = (EDGE, 1.4, SLIDE[0] - 2 * EDGE, 3.6)
CAVEAT: Final = (EDGE, 5.2, 4.4, 1.9)
WIDE_CAVEAT: Final = (EDGE, 5.2, SLIDE[0] - 2 * EDGE, 1.9)
FIGURE: Final = (5.2, 1.4, SLIDE[0] - 5.2 - EDGE, 5.7)
"""Left, top, width and height in inches; the wide ones are of slides without a figure."""

LONG: Final = 180
"""Characters of a sentence from which on it is smaller beside a figure."""

Box = tuple[float, float, float, float]


def slides_pptx(title: str, parts: Sequence[Part], reading: Mapping[str, Any]) -> bytes:
    """Return the findings as a presentation (``.pptx``): those that open the report first, then the others.

    The notes of a slide say how sure one can be.

    Parameters
    ----------
    title
        Title of the first slide.
    parts
        What there is to show of each step.
    reading
        Notes of the step `entries`.

    Raises
    ------
    SettingError
        When python-pptx is not installed.
    """
    try:
        from pptx import Presentation
        from pptx.util import Inches
    except ImportError as error:
        raise SettingError("slides need the extra [slides]: pip install 'chart-diffusion[slides]'") from error
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(SLIDE[0]), Inches(SLIDE[1])
    deck.core_properties.title, deck.core_properties.author = _line(title), "chart-diffusion"
    _first(deck, title, scope(reading))
    pictures = {name: picture for part in parts for name, picture in part.pictures.items()}
    for finding in in_order(parts):
        _slide(deck, finding, pictures.get(finding.figure))
    content = io.BytesIO()
    deck.save(content)
    return content.getvalue()


def in_order(parts: Sequence[Part]) -> list[Finding]:
    """Return the findings in the order of the slides."""
    first = [finding for _, finding in opening(parts)]
    return [*first, *(finding for part in parts for finding in part.findings if finding not in first)]


def _first(deck: "Presentation", title: str, subtitle: str) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    _title(slide, title, (EDGE, 2.2, SLIDE[0] - 2 * EDGE, 1.4), size=40)
    _place(slide.placeholders[1], (EDGE, 3.8, SLIDE[0] - 2 * EDGE, 1.4))
    _write(slide.placeholders[1].text_frame, [subtitle], size=20)


def _slide(deck: "Presentation", finding: Finding, picture: Picture | None) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    _title(slide, finding.title, TITLE, size=30)
    verdict = f"{finding.verdict.capitalize()}."
    if picture is None:
        _add_text(slide, [verdict, finding.said], WIDE_TEXT, size=28)
        _add_text(slide, ["Caveat.", finding.caveat], WIDE_CAVEAT, size=16)
    else:
        _add_text(slide, [verdict, finding.said], TEXT, size=20 if len(finding.said) <= LONG else 16)
        _add_text(slide, ["Caveat.", finding.caveat], CAVEAT, size=12)
        _add_picture(slide, picture)
    notes = slide.notes_slide.notes_text_frame
    if notes is not None:
        notes.text = _line(finding.sure or "Only described: held against nothing.")


def _title(slide: "Slide", text: str, box: Box, *, size: int) -> None:
    """Write the title of a slide into its placeholder, which stays editable."""
    placeholder = slide.shapes.title
    if placeholder is not None:
        _place(placeholder, box)
        _write(placeholder.text_frame, [text], size=size)


def _add_text(slide: "Slide", said: Sequence[str], box: Box, *, size: int) -> None:
    """Add paragraphs to a slide, unless the last of them is empty."""
    if not said[-1]:
        return
    from pptx.util import Inches

    shape = slide.shapes.add_textbox(*map(Inches, box))
    _write(shape.text_frame, said, size=size)


def _add_picture(slide: "Slide", picture: Picture) -> None:
    """Add a figure with its alternative text, as large as its box allows, in the middle."""
    from pptx.util import Inches

    left, top, width, height = FIGURE
    shape = slide.shapes.add_picture(io.BytesIO(picture.png), Inches(0), Inches(0))
    ratio = min(width / shape.width, height / shape.height)
    wide, high = shape.width * ratio, shape.height * ratio
    _place(shape, (left + (width - wide) / 2, top + (height - high) / 2, wide, high))
    element: Any = shape._element
    element.nvPicPr.cNvPr.set("descr", _line(picture.alt))


def _place(shape: Any, box: Box) -> None:
    """Place a shape in a box of inches."""
    from pptx.util import Inches

    shape.left, shape.top, shape.width, shape.height = (Inches(length) for length in box)


def _write(frame: Any, said: Sequence[str], *, size: int) -> None:
    """Write paragraphs, the first of several in bold."""
    from pptx.util import Pt

    frame.word_wrap = True
    for number, text in enumerate(said):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        run = paragraph.add_run()
        run.text, run.font.size, run.font.bold = _line(text), Pt(size), number == 0 and len(said) > 1


def _line(text: str) -> str:
    """Return a text as one line without control characters."""
    return replaced(" ".join(text.split()))
