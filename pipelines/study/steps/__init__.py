"""The steps of a study in order, and the sets of steps that commands make."""

from collections.abc import Mapping, Sequence
from typing import Final

from pipelines.study.results import Maker
from pipelines.study.step import Step, with_needs
from pipelines.study.steps.baseline import BASELINE
from pipelines.study.steps.changes import CHANGES
from pipelines.study.steps.cured import CURED
from pipelines.study.steps.direct import DIRECT
from pipelines.study.steps.distributions import DISTRIBUTIONS
from pipelines.study.steps.effects import EFFECTS
from pipelines.study.steps.entries import ENTRIES
from pipelines.study.steps.exchange import EXCHANGE_STEP
from pipelines.study.steps.exports import EXPORTS
from pipelines.study.steps.forecast import FORECAST
from pipelines.study.steps.graph import GRAPH
from pipelines.study.steps.journeys import JOURNEYS
from pipelines.study.steps.known import KNOWN_NETWORK
from pipelines.study.steps.leaders import LEADERS
from pipelines.study.steps.leakage import LEAKAGE_STEP
from pipelines.study.steps.missing import MISSING
from pipelines.study.steps.placebo import PLACEBO
from pipelines.study.steps.prior import PRIOR_STEP
from pipelines.study.steps.published import PUBLISHED_STEP
from pipelines.study.steps.seasons import SEASONS_STEP
from pipelines.study.steps.states import STATES
from pipelines.study.steps.structure import STRUCTURE
from pipelines.study.steps.survival import SURVIVAL
from pipelines.study.steps.trajectories import TRAJECTORIES_STEP
from pipelines.study.steps.travel import TRAVEL_STEP
from pipelines.study.steps.validation import VALIDATION
from pipelines.study.steps.weeks import WEEKS

STEPS: tuple[Step, ...] = (
    ENTRIES,
    MISSING, DISTRIBUTIONS, TRAJECTORIES_STEP, SEASONS_STEP, WEEKS, LEAKAGE_STEP, PRIOR_STEP,
    TRAVEL_STEP, JOURNEYS,
    GRAPH, BASELINE, LEADERS, CHANGES, STRUCTURE, EXCHANGE_STEP, DIRECT, PLACEBO, PUBLISHED_STEP,
    SURVIVAL, STATES, EFFECTS, CURED, VALIDATION,
    FORECAST, EXPORTS, KNOWN_NETWORK,
)  # fmt: skip
"""All steps, each after the steps that it needs; those that read the rows of the charts come first."""

GRAPH_SET = ("baseline", "leaders", "changes", "structure", "direct", "placebo", "exports")
"""Steps of `graph`; the steps that they need are added."""

SURVIVAL_SET = ("survival", "states", "effects", "cured", "validation")
"""Steps of `survival`; the steps that they need are added."""

EDA_SET = (
    "missing", "distributions", "trajectories", "seasons", "travel", "journeys", "exchange", "leakage", "published",
)  # fmt: skip
"""Steps of `eda`; the steps that they need are added."""

PRIOR_SET = ("prior",)
"""Steps that `eda --check-prior` adds."""

RUN_SET = tuple(step.name for step in STEPS if step not in (LEAKAGE_STEP, PRIOR_STEP, KNOWN_NETWORK))
"""Steps of `run` and `demo`: not the audit, which makes all features of a sample of charts several times over."""

TRUTH_SET = ("known",)
"""Steps that are added where the truth is known."""

COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "demo": RUN_SET,
    "run": RUN_SET,
    "graph": GRAPH_SET,
    "survival": SURVIVAL_SET,
    "eda": EDA_SET,
}
"""Command → the steps that it makes, besides those that they need."""


COMPUTED: Final[Mapping[str, str]] = {
    "entries": "entries were",
    "graph": "the graph was",
    "baseline": "what is expected of each pair was",
    "changes": "what changed since the last run was",
    "direct": "direct influence was",
    "survival": "curves were",
    "distributions": "distributions were",
    "effects": "hazard ratios were",
    "trajectories": "trajectories were",
    "states": "who is still on the charts was",
}
"""Step → what it makes, as the subject of a sentence; the names of others say it."""


def made_by(steps: Sequence[Step] = STEPS) -> dict[str, Maker]:
    """Return step → its tables and the command that makes it: the one with the fewest other steps."""
    return {
        step.name: Maker(step.tables, COMPUTED.get(step.name, f"{step.name} was"), _command(step)) for step in steps
    }


def _command(step: Step) -> str:
    if step.name in PRIOR_SET:
        return "chart-diffusion eda CHARTS --check-prior"
    made = {name: {one.name for one in with_needs(chosen, STEPS)} for name, chosen in COMMANDS.items()}
    makers = [name for name in made if step.name in made[name] and name != "demo"]
    if not makers:
        return "chart-diffusion demo --simulated"
    return f"chart-diffusion {min(makers, key=lambda name: len(made[name]))} CHARTS"
