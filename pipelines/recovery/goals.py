"""What every claim must reach, in worlds with influence and in worlds without."""

from dataclasses import dataclass
from math import inf
from typing import Final, Literal

Measure = Literal["any", "small", "false", "power", "precision", "relative precision", "coverage", "missing"]
"""``any``: share of simulations with a positive verdict; ``small``: share of tests with p of at most .05; ``false``:
share of the positive verdicts that the truth denies; ``power``: share of the pairs with influence that have one;
``precision``: average precision of a ranking; ``relative precision``: that divided by the better ranking of the summed
hazard; ``coverage``: share of 95 % intervals that hold the truth; ``missing``: share of estimates that have none."""

ALL: Final = "all"
"""Name of all worlds together."""

LEAST_SIMULATIONS: Final = 20
"""With fewer simulations, shares are reported and not judged."""

LARGE: Final = 8_000
"""Tracks from which on what is found of influence is judged."""

COVERED: Final = ((400, (0.93, 0.97)), (100, (0.91, 0.99)))
"""Least number of simulations, and bounds of the coverage."""

CREDITS: Final = "ranking by credits per entry"

RIVALS: Final = ("ranking by alpha", "ranking by p of alpha")
"""Rankings of the summed hazard."""


@dataclass(frozen=True, slots=True)
class Goal:
    """The bound of one measure of one claim.

    Attributes
    ----------
    claim, measure
        Of what.
    influence
        Whether it is of worlds with influence, or of those without.
    each
        Bound in every world and size.
    together
        Bound in all of them together.
    least
        Whether bounds are least values (default: largest).
    apart
        World and bound of those with one of their own, None where they have none; they do not count in `together`.
    """

    claim: str
    measure: Measure
    influence: bool
    each: float
    together: float
    least: bool = False
    apart: tuple[tuple[str, float | None], ...] = ()

    def bounds(self, world: str) -> tuple[float, float] | None:
        """Return the least and largest value in a world, or in `ALL`; None where there is no bound."""
        bound = self.together if world == ALL else dict(self.apart).get(world, self.each)
        if bound is None:
            return None
        return (bound, inf) if self.least else (0.0, bound)


GOALS: Final = (
    Goal("edge", "any", False, 0.20, 0.07),
    Goal("edge", "small", False, 0.06, 0.06),
    Goal("edge", "false", True, 0.20, 0.20),
    Goal("edge", "power", True, 0.75, 0.75, least=True),
    Goal("order", "small", False, 0.06, 0.06),
    Goal("direct", "any", False, 0.20, 0.07, apart=(("taste-across", None),)),
    Goal("direct", "false", True, 0.10, 0.10),
    Goal("direct", "power", True, 0.70, 0.70, least=True),
    Goal("ordered", "any", False, 0.20, 0.07),
    Goal("ordered", "false", True, 0.05, 0.05, apart=(("influence-taste", 0.15),)),
    Goal("ordered", "power", True, 0.60, 0.60, least=True),
    Goal(CREDITS, "relative precision", True, 0.95, 0.95, least=True),
    Goal("more than one rank group, markets alike", "any", False, 0.20, 0.07),
    Goal("validity given size", "small", False, 0.07, 0.07),
)
"""Goals of all claims but intervals; `any` is of 20 simulations."""


def goal_of(claim: str, measure: Measure, *, influence: bool) -> Goal | None:
    """Return the goal of a measure, None where it has none."""
    found = [goal for goal in GOALS if (goal.claim, goal.measure, goal.influence) == (claim, measure, influence)]
    return found[0] if found else None


def coverage_bounds(simulations: int) -> tuple[float, float] | None:
    """Return the bounds of a coverage, None with too few simulations."""
    return next((bounds for least, bounds in COVERED if simulations >= least), None)
