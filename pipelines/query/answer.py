"""An answer: the verdict, then the numbers, then the tests; as text, JSON, CSV and Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipelines.formatting import csv_text, markdown_table, printable, text_table


@dataclass(frozen=True, slots=True)
class Question:
    """A question that the charts were asked, and what they say.

    Attributes
    ----------
    question
        The question, such as ``Is there more than expected?``.
    answer
        The answer in words, with its numbers.
    numbers
        The numbers, for JSON; None where nothing was tested.
    """

    question: str
    answer: str
    numbers: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as text for people and as data.

    Attributes
    ----------
    verdict
        One sentence that can be quoted.
    about
        What was asked, of which charts, and how a number is to be read.
    numbers
        The numbers, for JSON.
    lines
        The numbers as sentences.
    tests
        Tests, in the order of the questions that they answer.
    table
        The numbers as a table, for CSV and Markdown.
    columns
        Columns of the table that are shown on screen and in Markdown (default: all); none if the lines say it all.
    """

    verdict: str
    about: str
    numbers: Any
    lines: tuple[str, ...] = ()
    tests: tuple[Question, ...] = ()
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    columns: tuple[str, ...] | None = None

    def text(self) -> str:
        """Return the answer for a terminal."""
        asked = [f"{test.question} {test.answer}" for test in self.tests]
        lines = [f"Verdict: {self.verdict}", self.about, *self.lines, *asked]
        shown = self.table if self.columns is None else self.table[list(self.columns)]
        return "\n".join([*map(printable, lines), *([text_table(shown)] if shown.shape[1] else [])])

    def data(self) -> dict[str, Any]:
        """Return the answer for JSON: the same, in the same order."""
        tests = [
            {"question": test.question, "answer": test.answer, "numbers": test.numbers and dict(test.numbers)}
            for test in self.tests
        ]
        return {"verdict": self.verdict, "about": self.about, "numbers": self.numbers, "tests": tests}

    def csv(self) -> str:
        """Return the table as CSV."""
        return csv_text(self.table)

    def markdown(self) -> str:
        """Return the table as Markdown, with the columns of the screen."""
        return markdown_table(self.table[list(self.columns)] if self.columns else self.table)
