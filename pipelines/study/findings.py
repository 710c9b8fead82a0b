"""What a step found, in words: the same record opens the report, heads its section and fills a slide."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["found", "not found", "described"]
"""``found``: tested, and it differs from what is expected; ``not found``: tested, and it does not, or cannot be;
``described``: a number of these charts, held against nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a step found, for readers who see nothing else of it.

    Attributes
    ----------
    title
        Heading of a slide, a few words.
    said
        What was found, in one sentence, with the numbers of the step's tables.
    sure
        How sure one can be, in one sentence: an interval, q, the size that would have been found, or what the same
        procedure finds where there is nothing; empty where the number is only described.
    caveat
        What it does not say, in one sentence.
    verdict
        Whether it was found, not found, or is only described.
    figure
        Name of the step's drawing that shows it; empty for none.
    headline
        Whether the report may open with it (default False).

    Examples
    --------
    >>> Finding("Local songs", "61 % of tracks stay in one market.", "", "Of these charts alone.", "described").headline
    False
    """

    title: str
    said: str
    sure: str
    caveat: str
    verdict: Verdict
    figure: str = ""
    headline: bool = False
