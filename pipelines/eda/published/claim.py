"""A published claim, what these charts say of it, and the verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError
from diffusion.conventions import FDR
from graphs.false_discovery import adjusted

Verdict = Literal["holds", "does not hold", "cannot be told here"]

UNTOLD: Final = "cannot be told here"

VERDICTS: Final = ("holds", "does not hold", UNTOLD)
"""All verdicts, in the order of tables and figures."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What these charts say of a claim.

    Attributes
    ----------
    said
        In one sentence, with numbers.
    value, low, high
        Estimate with its 95 % interval; NaN for no interval: a count of tests.
    p
        Probability of so much, or more, without it; NaN where nothing was tested.
    bound
        Value from which the claim holds.
    matters
        Value up to which there would be nothing worth speaking of; beyond `bound` in the claimed direction, or the
        same.
    more
        Whether the claim says more than `bound`; otherwise less.
    detectable
        Size that would have been found with a power of 80 %, in the estimate's unit; NaN where it is not known.
    number, of
        What the estimate counts on: 57, ``markets``.
    verdict
        Verdict of estimates without interval; None: by the interval.
    """

    said: str
    value: float
    low: float
    high: float
    p: float
    number: int
    of: str
    bound: float = 0.0
    matters: float = 0.0
    more: bool = True
    detectable: float = float("nan")
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A published claim.

    Attributes
    ----------
    name
        Short name.
    says
        What was published, as a sentence without a full stop.
    source
        Where, with its doi or archive number.
    measure
        What the estimate is, with its unit.
    null
        What it is tested against.
    limits
        What these charts cannot say of it, as a sentence.
    """

    name: str
    says: str
    source: str
    measure: str
    null: str
    limits: str


Answer = tuple[Claim, Callable[[], Estimate]]
"""A claim, and the function that returns the estimate or raises `DataSaysNoError` with the reason."""


def verdict(estimate: Estimate, q: float) -> Verdict:
    """Return the verdict on a claim.

    It holds where the estimate lies beyond its bound as claimed, with the whole interval, at q ≤ .05; it does not hold
    where the whole interval lies on the other side of what would matter; anything else cannot be told. A verdict of its
    own, of a claim on how many markets there are of a kind, holds at q ≤ .05 over all claims too.

    Examples
    --------
    >>> verdict(Estimate("", 0.3, 0.1, 0.5, 0.01, 9, "weeks", matters=0.02), 0.02)
    'holds'
    >>> verdict(Estimate("", -0.3, -0.5, 0.01, 0.06, 9, "weeks", matters=0.02), 0.1)
    'does not hold'
    """
    if estimate.verdict is not None:
        return UNTOLD if estimate.verdict == "holds" and estimate.more and q > FDR else estimate.verdict
    sign = 1 if estimate.more else -1
    least, most = sorted((sign * estimate.low, sign * estimate.high))
    if least > sign * estimate.bound and q <= FDR:
        return "holds"
    return "does not hold" if most < sign * estimate.matters else UNTOLD


def change(share: float) -> str:
    """Return a change as a percentage with its sign.

    Examples
    --------
    >>> change(-0.214), change(0.0042)
    ('−21 %', '+0.4 %')
    """
    return f"{100 * share:+.{1 if abs(share) < 0.0995 else 0}f} %".replace("-", "−")


def answered(answers: Sequence[Answer]) -> pd.DataFrame:
    """Return one row per claim; columns as in `pipelines.contracts.published.PUBLISHED`."""
    rows, found = [], list[Estimate | str]()
    for _, answer in answers:
        try:
            found.append(answer())
        except DataSaysNoError as error:
            found.append(str(error))
    q = adjusted(np.array([one.p if isinstance(one, Estimate) else np.nan for one in found]))
    for (claim, _), one, own in zip(answers, found, q, strict=True):
        rows.append(_row(claim, one, own))
    table = pd.DataFrame(rows)
    return table.astype({"number": "Int64"})


def _row(claim: Claim, found: Estimate | str, q: float) -> dict[str, object]:
    row: dict[str, object] = {"claim": claim.name, "says": claim.says, "source": claim.source}
    if isinstance(found, str):
        said = f"{found[:1].upper()}{found[1:]}."
        numbers = dict.fromkeys(("estimate", "low", "high", "bound", "matters", "p", "q", "detectable"), np.nan)
        row |= {"verdict": UNTOLD, "said": said, **numbers, "claimed": "", "number": None, "of": ""}
    else:
        row |= {
            "verdict": verdict(found, q),
            "said": found.said,
            "estimate": found.value,
            "low": found.low,
            "high": found.high,
            "bound": found.bound,
            "claimed": "more" if found.more else "less",
            "matters": found.matters,
            "p": found.p,
            "q": q,
            "detectable": found.detectable,
            "number": found.number,
            "of": found.of,
        }
    return row | {"measure": claim.measure, "tested_against": claim.null, "limits": claim.limits}
