"""What is judged from whole columns of chart files: the order of their dates, and the marks in numbers of streams."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import cast

import polars as pl

from diffusion.sources.dates import find_forms, written
from diffusion.sources.numbers import MARKED, STREAMS, Marks
from diffusion.sources.reading import ReadingOptions
from diffusion.sources.source import ChartFile

DATES = ("date", "week_start", "week_end")
"""Our columns that give the date of a chart."""


FORMS = ("dot_groups", "dot_fractions", "comma_groups", "comma_fractions")
"""Kinds of numbers with marks, as the relation `stream_forms` counts them."""


class ColumnForms:
    """The forms of the columns of some chart files; the files are read for it only where a block cannot be read alone.

    Parameters
    ----------
    files
        The files.
    options
        What the user says about them.
    before
        Orders of dates in the files that were read before (`diffusion.sources.dates.find_forms`).

    Attributes
    ----------
    first_rank
        The best rank in the files.
    """

    def __init__(self, files: Sequence[ChartFile], options: ReadingOptions, before: Iterable[str] = ()) -> None:
        self._files = {file.name: file for file in files}
        self._date_format, self._before = options.date_format, list(before)
        self._marks: dict[str, Marks] = {}
        self._judged: set[str] = set()
        self.first_rank = options.first_rank

    def date_form(self, file: str, texts: Iterable[str] = ()) -> str:
        """Return the format in which some texts of a file are read as dates.

        Raises
        ------
        SourceError
            When the order of day and month cannot be told.
        """
        if self._date_format is not None:
            return self._date_format
        if file not in self._judged and not any(written(part).form for text in texts for part in text.split("|")):
            return ""
        self._judged.add(file)
        return self._date_forms[file]

    def marks(self, file: str) -> Marks:
        """Return what the marks in a file's numbers of streams stand for."""
        if file not in self._marks:
            counts: Counter[str] = Counter(dict.fromkeys(FORMS, 0))
            for rows in self._columns(file, "streams"):
                counts.update(marked(rows["streams"]))
            self._marks[file] = Marks.judged(**counts)
        return self._marks[file]

    @cached_property
    def _date_forms(self) -> dict[str, str]:
        texts: dict[str, Counter[str]] = {}
        for file in self._files:
            texts[file] = Counter()
            for rows in self._columns(file, *DATES):
                found = date_texts(*(rows[name] for name in DATES)).drop_nulls().value_counts()
                texts[file].update(dict(found.iter_rows()))
        return find_forms(texts, before=self._before)

    def _columns(self, file: str, *names: str) -> Iterable[pl.DataFrame]:
        """Yield some of our columns of a file, in blocks."""
        for block, _ in self._files[file].blocks():
            yield self._files[file].chosen(block.rows).select(names)


def date_texts(date: pl.Series, start: pl.Series, end: pl.Series) -> pl.Series:
    """Return the texts of the dates of charts, as `diffusion.sources.dates.read_chart_date` has them."""
    if start.null_count() == len(start):
        return date
    columns = pl.DataFrame({"d": date, "s": start, "e": end})
    week = pl.concat_str(pl.col("d").fill_null(""), "s", pl.col("e").fill_null(""), separator="|")
    return columns.select(pl.when(pl.col("s").is_null()).then("d").otherwise(week)).to_series()


def read_streams(text: pl.Series, marks: Marks) -> pl.Series:
    """Return numbers of streams as the relation `readings` reads them; null where they are not whole or not known."""
    plain = pl.col("t")

    def fits(*names: str) -> pl.Expr:
        return pl.any_horizontal(plain.str.contains(STREAMS[name]) for name in names)

    def before(sign: str, group: str) -> pl.Expr:
        return plain.str.split(sign).list.first().str.replace_all(group, "", literal=True)

    commas = ("commas", "one_comma") if marks.comma_groups else ("commas",)
    dots = ("dots", "one_dot") if marks.dot_groups else ("dots",)
    digits = plain.str.replace("[.,]0*$", "").str.replace_all("[^0-9+-]", "")
    factor = plain.str.slice(-1).str.to_uppercase().replace_strict({"K": 1e3, "M": 1e6, "B": 1e9}, default=None)
    number = plain.str.slice(0, plain.str.len_chars() - 1).str.replace(",", ".", literal=True)
    value = (
        pl.when(fits(*commas)).then(_float(before(".", ",")))
        .when(fits(*dots)).then(_float(before(",", ".")))
        .when(fits("one_dot")).then(None)
        .when(fits("spaced")).then(_float(digits))
        .when(fits("zero_fraction")).then(_float(before(",", "")))
        .when(fits("short")).then((_float(number) * factor + 0.5).floor())
        .when(fits("plain")).then(_float(plain))
    )  # fmt: skip
    values = text.str.strip_chars().alias("t").to_frame().select(value.alias("v"))
    whole = (pl.col("v") == pl.col("v").floor()) & pl.col("v").abs().le(1e15)
    return values.select(pl.when(whole).then("v").cast(pl.Int64)).to_series()


def _float(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Float64, strict=False)


def marked(text: pl.Series) -> dict[str, int]:
    """Return how many numbers have marks of each kind, as the relation `stream_forms` counts them."""
    found = {name: pl.col("t").str.contains(pattern) for name, pattern in MARKED.items()}
    dots = found["dots"] | (found["one_dot"] & ~pl.col("t").str.ends_with(".000"))
    commas = found["commas"] | (found["one_comma"] & ~pl.col("t").str.ends_with(",000"))
    counts = (
        text.drop_nulls().str.strip_chars().alias("t").to_frame()
        .select(
            dot_groups=dots.sum(),
            dot_fractions=(found["dot_fraction"] & ~found["one_dot"]).sum(),
            comma_groups=commas.sum(),
            comma_fractions=(found["comma_fraction"] & ~found["one_comma"]).sum(),
        )
    )  # fmt: skip
    return cast(dict[str, int], counts.row(0, named=True))
