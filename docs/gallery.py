"""The gallery: every figure of the toolkit once, with the call that draws it.

    python docs/gallery.py FOLDER

FOLDER is that of `chart-diffusion demo`: what its steps draw is drawn from the packaged charts. Figures that these
charts are too short for, or that other commands draw, are drawn from made-up tables, and a figure without one from the
example of its docstring. The page is docs/reference/gallery.md; the pictures lie beside it.
"""

import doctest
import inspect
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure
from PIL import Image

HERE: Final = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from gallery_tables import MADE_UP  # noqa: E402

import figures  # noqa: E402, of this folder
from diffusion import DataSaysNoError, SettingError  # noqa: E402
from pipelines import open_study  # noqa: E402
from pipelines.study.steps import STEPS  # noqa: E402

PAGE: Final = HERE / "reference" / "gallery.md"
PICTURES: Final = HERE / "reference" / "gallery"

NO_FIGURES: Final = {"Figure", "Kind", "about", "pace", "render", "save"}
"""Names of the package that draw nothing."""

COLOURS: Final = 96
"""Colours of a picture, which keep the files small."""

HEAD: Final = """# Figures

Every figure of the toolkit, with the call that draws it; `make gallery` draws them anew. A figure takes a table and
computes nothing. What each column means, and which call makes the table, stands under
[figures](python/figures.md). All are 7.5 inches wide; `figures.save` writes them as PNG and SVG, and within
`figures.about` they name their charts and period."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure, the call that drew it, and what its table is from."""

    figure: Figure
    call: str
    source: str


def drawn_by_name(folder: str) -> dict[str, Drawn]:
    """Return name → figure for every public figure."""
    wanted = [name for name in figures.__all__ if name not in NO_FIGURES]
    found: dict[str, Drawn] = {}
    with recording(wanted, found, "packaged charts"):
        draw_study(folder)
    with recording([name for name in wanted if name not in found], found, "made-up table"):
        for name in MADE_UP:
            given, options = MADE_UP[name]()
            getattr(figures, name)(*given, **options)
    for name in wanted:
        if name not in found:
            draw_example(name, found)
    return {name: found[name] for name in wanted}


@contextmanager
def recording(names: list[str], found: dict[str, Drawn], source: str) -> Iterator[None]:
    """Return a context in which the first call of each named figure is kept in `found`."""
    whole = {name: getattr(figures, name) for name in names}
    for name, draw in whole.items():
        setattr(figures, name, recorded(draw, found, source))
    try:
        yield
    finally:
        for name, draw in whole.items():
            setattr(figures, name, draw)


def recorded(draw: Callable[..., Figure], found: dict[str, Drawn], source: str) -> Callable[..., Figure]:
    """Return the function, which keeps its first figure in `found`."""

    def kept(*given: Any, **options: Any) -> Figure:
        figure = draw(*given, **options)
        found.setdefault(draw.__name__, Drawn(figure, call_of(draw, given, options), source))
        return figure

    return kept


def call_of(draw: Callable[..., Figure], given: tuple[Any, ...], options: Mapping[str, Any]) -> str:
    """Return a call as a reader would write it: tables by the name of their argument, numbers and texts as they are."""
    named = [name for name, _ in zip(inspect.signature(draw).parameters, given, strict=False)]
    short = [f"{name}={json.dumps(value) if isinstance(value, int | str) else name}" for name, value in options.items()]
    return f"figures.{draw.__name__}({', '.join([*named, *short])})"


def draw_study(folder: str) -> None:
    """Draw all figures of a study, but for those that its charts are too short for."""
    results = open_study(folder)
    notes = results.notes("entries")
    for step in STEPS:
        if step.drawings is None or not any(map(results.holds, step.tables)):
            continue
        for drawing in step.drawings(results).values():
            with (
                figures.about(notes["chart"], notes["first_date"], notes["last_date"], markets=notes["markets"]),
                suppress(DataSaysNoError, SettingError),
            ):
                drawing.draw()


def draw_example(name: str, found: dict[str, Drawn]) -> None:
    """Draw a figure by the example of its docstring."""
    draw = getattr(figures, name)
    place = dict(vars(sys.modules[draw.__module__]))
    place[name] = recorded(draw, found, "example of its docstring")
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(draw) or ""):
        exec(example.source, place)


def picture(figure: Figure) -> bytes:
    """Return a figure as a PNG of few colours."""
    whole = Image.open(io.BytesIO(figures.render(figure, "png"))).convert("RGB")
    small = whole.resize((whole.width * 2 // 3, whole.height * 2 // 3), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    small.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE).save(
        content, format="png", optimize=True
    )
    return content.getvalue()


def section(name: str, drawn: Drawn) -> str:
    """Return the part of the page about one figure."""
    first = (inspect.getdoc(getattr(figures, name)) or "").split("\n\n")[0].replace("\n", " ")
    said = first.removeprefix("Return ")
    return "\n\n".join(
        [
            f"## {name}",
            f"{said[0].upper()}{said[1:]} Drawn from: {drawn.source}.",
            f"```python\n{drawn.call}\n```",
            f"![{name}](gallery/{name}.png)",
        ]
    )


def main(folder: str) -> None:
    """Draw the gallery."""
    drawn = drawn_by_name(folder)
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    for name, each in drawn.items():
        (PICTURES / f"{name}.png").write_bytes(picture(each.figure))
    PAGE.write_text(
        "\n\n".join([HEAD, *(section(name, each) for name, each in drawn.items())]) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main(sys.argv[1])
