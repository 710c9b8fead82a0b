"""Which markets lead beyond the baseline: the asymmetry of ordered moves, summed over the partners of a market."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from diffusion.arrays import Flags, Floats, Ints
from diffusion.conventions import CONFIDENCE
from diffusion.display import Displayed
from diffusion.parts import Arrays
from graphs.baseline import Baseline, PairSums
from graphs.baseline.chances import Chances
from graphs.baseline.edges import order_p, presence_p
from graphs.baseline.step_parts import Choice, StepPart, StepParts
from graphs.baseline.steps import Steps, blocks_of
from graphs.false_discovery import adjusted
from graphs.leaders.groups import LEAST_ARTISTS, effective_number, rank_bounds, rank_groups, told_apart

MEASURE: Final = "lead_excess"
"""Name of the tested measure."""

ESTABLISHED: Final = 0.05
"""Largest p of presence and of order, among the other half of the artists, with which a pair is looked at."""

REPLICATES: Final = 1_000
"""Draws of the signs of artists, for the rank groups."""


@dataclass(frozen=True, repr=False)
class Leads(Displayed):
    """What every one of k steps adds to the lead of m markets.

    A move from a to b is a step into b that follows an entry into a within the window, in observed order. Of the moves
    between two markets the baseline expects a share to start from a: that of its expected moves.

    Attributes
    ----------
    steps
        Steps of the baseline with three further arrays, (k, m) each. `lead`: moves from a market beyond the expected
        share of the moves either way, over the partners with which an order is established; less what the step's own
        chances have beyond that share, which is 0 over all steps. `moves`: moves from and to a market, with any
        partner. `model`: variance of `lead` if markets are chosen as the baseline says.
    partners
        (m, m): whether an order is established with the partner, by either half of the artists.
    """

    steps: StepParts
    partners: Flags

    @classmethod
    def of(cls, baseline: Baseline, *, window: int) -> Self:
        """Return the leads of a baseline.

        Parameters
        ----------
        window
            Days within which a market must follow, the bound included.

        Raises
        ------
        SettingError
            When the window is below 1.

        Notes
        -----
        Summed over all partners the asymmetry says nothing: a step goes to one market of those at risk, so what a
        market sends in excess to some it sends less to others, and what it receives its size takes up. Only pairs in
        which one market follows the other beyond the baseline tell who leads. They are found among other artists than
        those whose moves are counted, one half of the artists for the other, so that the choice makes no lead. With
        more parts than two the parts choose alike: p of at most .01 came in .02 of markets with nothing to be found.

        In worlds simulated without influence p is at most .05 in .02 of the markets tested, and more than one rank
        group comes in .01 of the simulations. Where there is influence, a score need not agree with all that a market
        gives and receives, of which only contrasts are seen: of the markets said to lead (12 markets, 8,000 tracks),
        .09 received more than they gave where 12 % of the pairs have influence, and .36 where 35 % have.
        """
        cut = middle_artist(baseline.parts)
        sums = [PairSums.of(some_steps(baseline, half), window=window) for half in halves(cut)]
        whole = PairSums(*(getattr(sums[0], field.name) + getattr(sums[1], field.name) for field in fields(PairSums)))
        pairs = [established(others) for others in reversed(sums)]
        weights = [_PairWeights.of(whole, own) for own in pairs]
        work = partial(_leads, chances=baseline.chances(), window=window, cut=cut, weights=weights)
        return cls(baseline.parts.with_cells(work), pairs[0] | pairs[1])

    def _facts(self) -> str:
        return f" of {len(self.markets)} markets: {len(self.steps):,} steps"

    @property
    def markets(self) -> tuple[str, ...]:
        """Codes of the m markets."""
        return self.steps.markets

    def only(self, choice: Choice) -> "Leads":
        """Return the leads of some steps."""
        return replace(self, steps=self.steps.only(choice))

    @property
    def moves(self) -> Ints:
        """(m,): moves from and to every market."""
        moves: Ints = self._sums["moves"]
        return moves

    @property
    def score(self) -> Floats:
        """(m,): moves beyond the expected share, per move from or to the market; NaN without a move."""
        return np.where(self.moves > 0, self._sums["lead"] / np.maximum(self.moves, 1), np.nan)

    @property
    def influence(self) -> Floats:
        """(g, m): what every artist adds to the deviation of the score.

        The sum of squares over artists is the variance of the score. It is scaled up to the model's where that is
        larger, so that a few artists who happen to agree do not make a score look sure.
        """
        lead, moves = self._sums["lead_by_artist"], self._sums["moves_by_artist"]
        total = np.maximum(self.moves, 1)
        own = (lead - np.nan_to_num(self.score) * moves) / total
        own[:, self._sums["with_lead"] == 0] = 0.0
        squares = np.square(own).sum(axis=0)
        least = self._sums["model"] / total**2
        scaled: Floats = own * np.sqrt(np.maximum(least, squares) / np.where(squares > 0, squares, 1))
        return scaled

    @cached_property
    def _sums(self) -> dict[str, NDArray[Any]]:
        """Sums over all steps, (m,), and by artist, (g, m), as `_lead_sums` names them."""
        parts = self.steps.results(_lead_sums)
        order = np.argsort(np.concatenate([part.pop("artist") for part in parts]))
        found = {}
        for name in parts[0]:
            by_artist = name.endswith("by_artist")
            values = [part[name] for part in parts]
            found[name] = np.concatenate(values)[order] if by_artist else sum(values[1:], values[0])
        return found


def _lead_sums(own: StepPart) -> Arrays:
    """Return the sums of the leads of a part: over all steps, (m,), and by artist, (g, m)."""
    lead, moves, model = (own.more[name] for name in ("lead", "moves", "model"))
    heads = np.flatnonzero(np.diff(own.steps.artist, prepend=-1))
    by_artist = [
        np.add.reduceat(cells, heads, axis=0, dtype=np.float64) if len(heads) else np.zeros((0, lead.shape[1]))
        for cells in (lead, moves)
    ]
    return {
        "artist": own.steps.artist[heads],
        "lead_by_artist": by_artist[0],
        "moves_by_artist": by_artist[1],
        "lead": lead.sum(axis=0, dtype=np.float64),
        "moves": moves.sum(axis=0, dtype=np.int64),
        "model": model.sum(axis=0, dtype=np.float64),
        "with_lead": lead.any(axis=0).astype(np.int64),
    }


def middle_artist(steps: StepParts) -> int:
    """Return the artist at whom the second half of the steps begins; both halves have about as many."""
    parts = steps.results(_steps_by_artist)
    artist, number = (np.concatenate([part[name] for part in parts]) for name in ("artist", "steps"))
    order = np.argsort(artist)
    heads = np.append(0, np.cumsum(number[order]))
    place = int(np.searchsorted(heads, len(steps) // 2))
    return int(np.append(artist[order], artist.max(initial=-1) + 1)[place])


def _steps_by_artist(own: StepPart) -> Arrays:
    artist, steps = np.unique(own.steps.artist, return_counts=True)
    return {"artist": artist, "steps": steps}


def halves(cut: int) -> tuple[Callable[[Steps], slice], Callable[[Steps], slice]]:
    """Return the choices of the steps of the artists before one, and from that one on; either may be empty."""
    return partial(_before, cut), partial(_from, cut)


def _before(cut: int, steps: Steps) -> slice:
    return slice(0, int(np.searchsorted(steps.artist, cut)))


def _from(cut: int, steps: Steps) -> slice:
    return slice(int(np.searchsorted(steps.artist, cut)), len(steps))


def established(sums: PairSums) -> Flags:
    """Return the pairs of which one market follows the other beyond the baseline and more than back, (m, m), symmetric.

    Both at `ESTABLISHED`, without regard to how many pairs are asked: which pairs are looked at decides how much is
    seen, not how often too much is.
    """
    follows = (presence_p(sums) <= ESTABLISHED) & (order_p(sums) <= ESTABLISHED)
    np.fill_diagonal(follows, False)
    either: Flags = follows | follows.T
    return either


def some_steps(baseline: Baseline, choice: Choice) -> Baseline:
    """Return a baseline with some of its steps and the same weights."""
    return replace(baseline, parts=baseline.parts.only(choice))


@dataclass(frozen=True, slots=True)
class _PairWeights:
    """What a move adds to the lead of its source and takes from that of its target, (m, m); and what a chance does.

    Attributes
    ----------
    move
        Expected share of the moves either way that go back; 0 where no order is established.
    chance
        The same times the observed over the expected moves either way.
    """

    move: Floats
    chance: Floats

    @classmethod
    def of(cls, sums: PairSums, pairs: Flags) -> Self:
        expected, observed = sums.expected + sums.expected.T, sums.observed + sums.observed.T
        some = np.where(expected > 0, expected, 1)
        back = np.where(pairs, sums.expected.T / some, 0.0)
        return cls(back, back * observed / some)


def _leads(own: StepPart, chances: Chances, window: int, cut: int, weights: list[_PairWeights]) -> Arrays:
    """Return lead, moves, and the model's variance of lead of the steps of a part, (k, m) each.

    Parameters
    ----------
    cut, weights
        Artist at whom the second half begins, and the weights of each half.
    """
    steps, chance = own.steps, chances.of_all(own)
    lead, model = np.zeros((2, *chance.shape), np.float32)
    moves = np.zeros(chance.shape, np.int16)
    for half, of_half in zip(halves(cut), weights, strict=True):
        part = half(steps)
        for block in blocks_of(part.stop - part.start):
            rows = slice(part.start + block.start, part.start + block.stop)
            lead[rows], moves[rows], model[rows] = _of_steps(steps, chance[rows], rows, window, of_half)
    return {"lead": lead, "moves": moves, "model": model}


def _of_steps(
    steps: Steps, chance: Floats, rows: slice, window: int, weights: _PairWeights
) -> tuple[Floats, Ints, Floats]:
    """Return lead, moves, and the model's variance of lead of some steps, (r, m) each."""
    entered = steps.market[rows]
    lead, into, away, square = np.zeros((4, *chance.shape))
    moves = np.zeros(chance.shape, np.int64)
    for source in range(chance.shape[1]):
        after, ordered = steps.followed(source, window, rows)
        here, there, own = np.arange(len(after)), entered[after], chance[after]
        move, drawn = ordered * weights.move[source], ordered * weights.chance[source] * own
        gone = move[here, there]
        lead[after, source] += gone - drawn.sum(axis=1)
        lead[after] += drawn
        lead[after, there] -= gone
        for market in (source, there):
            moves[after, market] += ordered[here, there]
        into[after] += move
        away[after, source] = (move * own).sum(axis=1)
        square[after, source] = (move**2 * own).sum(axis=1)
    # the lead of a market is −into where it is entered itself, and what it gives elsewhere
    return lead, moves, square + into**2 * chance - (away - into * chance) ** 2


def lead_table(found: Leads, *, replicates: int = REPLICATES, seed: int = 0) -> pd.DataFrame:
    """Return the tested measure of every market, the highest first, with the columns of `graphs.contracts.LEADERS`.

    Parameters
    ----------
    replicates
        Draws of the signs of artists, for the rank groups (default 1,000).
    seed
        Seed of the draws (default 0).

    Notes
    -----
    Errors are by artist, or by the model where its are larger. Intervals and p are those of a t distribution with as
    many degrees of freedom as the effective number of artists less one. q is Benjamini–Hochberg's over the markets with
    enough artists.
    """
    score, own = found.score, found.influence
    error, artists = np.sqrt(np.square(own).sum(axis=0)), effective_number(own)
    enough = artists >= LEAST_ARTISTS
    free = np.maximum(artists - 1, 1)
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, free) * error
    p = np.where(enough, 2 * stats.t.sf(np.abs(score) / np.where(enough, error, 1), free), np.nan)
    apart = told_apart(score, own, enough, replicates=replicates, seed=seed)
    low, high = rank_bounds(apart, enough)
    columns = {
        "low": score - reach,
        "high": score + reach,
        "p": p,
        "q": adjusted(p),
        "shrunk": shrunk(score, error, enough),
        "rank": pd.Series(np.where(enough, -score, np.nan)).rank(method="min"),
        "rank_low": low,
        "rank_high": high,
        "group": rank_groups(apart, score, enough),
    }
    table = pd.DataFrame({"market": list(found.markets), "measure": MEASURE, "score": score} | columns)
    table.loc[~enough, list(columns)] = np.nan
    table["artists"], table["partners"] = artists, found.partners.sum(axis=1)
    table = table.astype(dict.fromkeys(("rank", "rank_low", "rank_high", "group", "partners"), "Int64"))
    return table.sort_values(["rank", "market"], na_position="last", ignore_index=True)


def shrunk(score: Floats, error: Floats, enough: Flags) -> Floats:
    """Return the scores drawn towards 0, (m,): by the share of their spread that their errors explain.

    The first of many is first partly by chance; its shrunk score allows for that.

    References
    ----------
    Efron, B. & Morris, C. (1975). Data analysis using Stein's estimator and its generalizations. doi
    10.1080/01621459.1975.10479864.
    """
    beyond = np.square(score[enough]).sum() - np.square(error[enough]).sum()
    between = max(float(beyond) / max(int(enough.sum()), 1), 0.0)
    drawn: Floats = score * between / np.maximum(between + error**2, np.finfo(float).tiny)
    return drawn
