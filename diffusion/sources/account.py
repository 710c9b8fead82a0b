"""The account of a source's rows, and the rule for sources of which too many rows are set aside."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from diffusion.display import Displayed
from diffusion.engine import Engine
from diffusion.errors import DataSaysNoError, SourceError

SET_ASIDE_LIMIT: Final = 0.01
"""Largest share of rows that may be set aside or tied; a source with more is read only with consent."""

TIED: Final = "sharing a rank with another track where the next is left out"
"""What is said of tied rows, which are kept."""

WAYS: Final[Mapping[str, str]] = {
    "no market": "say which market such rows are of: --market-name '=Global', or '=CODE'",
    "unknown market": "name the market: --market-name NAME=CODE",
    "unreadable date": "say what form the dates have: --date-format",
    "rank is not a whole number from 1": "if ranks begin at 0: --first-rank 0",
}
"""Reason why rows are set aside → what to do about it."""


@dataclass(frozen=True, slots=True, repr=False)
class RowAccount(Displayed):
    """Numbers of rows by outcome: ``read = kept + duplicates + aggregate + sum(set_aside)``.

    Attributes
    ----------
    read
        Rows of the source, without header and blank lines.
    kept
        Rows of the table `chart_rows`.
    duplicates
        Rows that repeat a kept row: same market, date, chart, track, rank and streams.
    aggregate
        Valid rows of `Global`, which is not a market.
    set_aside
        Reason → number of rows set aside; the reasons are listed in `diffusion.contracts.star.REASONS`.
    tied
        Rows of tracks that share a rank where the next rank is left out; they are among the kept and the aggregate.

    Examples
    --------
    >>> RowAccount(read=100, kept=95, duplicates=1, aggregate=3, set_aside={"no market": 1})
    <RowAccount: 100 read, 95 kept, 3 of Global, 1 duplicates, 1 set aside, 0 tied (rows)>
    """

    read: int
    kept: int
    duplicates: int
    aggregate: int
    set_aside: Mapping[str, int]
    tied: int = 0

    def _facts(self) -> str:
        rows = {"read": self.read, "kept": self.kept, "of Global": self.aggregate, "duplicates": self.duplicates}
        rows |= {"set aside": sum(self.set_aside.values()), "tied": self.tied}
        return f": {', '.join(f'{count:,} {outcome}' for outcome, count in rows.items())} (rows)"

    @property
    def set_aside_share(self) -> float:
        """Share of the rows read that were set aside, 0 … 1."""
        return sum(self.set_aside.values()) / self.read if self.read else 0.0

    def reasons(self) -> str:
        """Return the number and share of rows set aside for each reason, and of tied rows, in words; may be empty."""
        rows = {**self.set_aside, TIED: self.tied}
        return "; ".join(f"{count:,} {reason}, {count / self.read:.1%}" for reason, count in rows.items() if count)

    def ways(self) -> list[str]:
        """Return what to do about the rows set aside, for frequent reasons that an option may help with."""
        return [way for reason, way in WAYS.items() if self.set_aside.get(reason, 0) > SET_ASIDE_LIMIT * self.read]


def read_account(engine: Engine) -> RowAccount:
    """Return the account of the rows that an engine has judged, with the damaged lines of their files."""
    outcomes: Counter[str] = Counter()
    aggregate = tied = 0
    for row in engine.fetch("accounts").to_pylist():
        outcomes[row["outcome"]] += row["source_rows"]
        tied += row["tied_rows"]
        aggregate += row["global_rows"] if row["outcome"] == "kept" else 0
    damaged = engine.fetch("damaged_lines").to_pydict()
    outcomes.update(dict(zip(damaged["reason"], damaged["lines"], strict=True)))
    kept, duplicates = outcomes.pop("kept", 0), outcomes.pop("duplicate", 0)
    read = kept + duplicates + outcomes.total()
    return RowAccount(read, kept - aggregate, duplicates, aggregate, dict(sorted(outcomes.items())), tied)


def check_kept(account: RowAccount, path: str | Path) -> None:
    """Check that rows of a market are left.

    Raises
    ------
    SourceError
        When there is no row, none is readable, or all are of Global.
    """
    if account.read == 0:
        raise SourceError(f"no rows in '{path}': it has a header and nothing below it")
    if account.kept == 0 and account.aggregate + account.duplicates == 0:
        raise SourceError(
            f"nothing readable in '{path}': {account.read:,} rows read, set aside were {account.reasons()}"
            f"{''.join(f'; {way}' for way in account.ways())}"
        )
    if account.kept == 0:
        raise SourceError(
            f"no market in '{path}': all {account.aggregate:,} readable rows are of Global, which is not a market"
        )


def check_set_aside(account: RowAccount, path: str | Path, accept: Collection[str]) -> None:
    """Check that few rows are set aside or tied, or that this is accepted (``set-aside``).

    Raises
    ------
    DataSaysNoError
        When they are more than 1 % of the rows read, without consent.
    """
    share = account.set_aside_share + (account.tied / account.read if account.read else 0.0)
    if share <= SET_ASIDE_LIMIT or "set-aside" in accept:
        return
    done = [*(["had to be set aside"] if account.set_aside else []), *(["are tied"] if account.tied else [])]
    ways = "".join(f"{way}; " for way in account.ways())
    raise DataSaysNoError(
        f"{share:.2%} of the {account.read:,} rows in '{path}' {' or '.join(done)} ({account.reasons()}); the limit is "
        f"{SET_ASIDE_LIMIT:.0%}: {ways}correct the source, or go on{' (tied rows are kept)' if account.tied else ''}: "
        "--accept set-aside (what ingest and clean make lists each row set aside)"
    )
