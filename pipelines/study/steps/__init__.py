"""The steps of a study in order, and the sets of steps that commands make."""

from pipelines.study.step import Step
from pipelines.study.steps.baseline import BASELINE
from pipelines.study.steps.cured import CURED
from pipelines.study.steps.direct import DIRECT
from pipelines.study.steps.effects import EFFECTS
from pipelines.study.steps.entries import ENTRIES
from pipelines.study.steps.exports import EXPORTS
from pipelines.study.steps.forecast import FORECAST
from pipelines.study.steps.graph import GRAPH
from pipelines.study.steps.known import KNOWN_NETWORK
from pipelines.study.steps.leaders import LEADERS
from pipelines.study.steps.placebo import PLACEBO
from pipelines.study.steps.states import STATES
from pipelines.study.steps.structure import STRUCTURE
from pipelines.study.steps.survival import SURVIVAL
from pipelines.study.steps.validation import VALIDATION

STEPS: tuple[Step, ...] = (
    ENTRIES, GRAPH, BASELINE, LEADERS, STRUCTURE, DIRECT, PLACEBO, SURVIVAL, STATES, EFFECTS, CURED, VALIDATION,
    FORECAST, EXPORTS, KNOWN_NETWORK,
)  # fmt: skip
"""All steps, each after the steps that it needs."""

GRAPH_SET = ("baseline", "leaders", "structure", "direct", "placebo", "exports")
"""Steps of `graph`; the steps that they need are added."""

SURVIVAL_SET = ("survival", "states", "effects", "cured", "validation")
"""Steps of `survival`; the steps that they need are added."""

RUN_SET = tuple(step.name for step in STEPS if step is not KNOWN_NETWORK)
"""Steps of `run` and `demo`."""

TRUTH_SET = ("known",)
"""Steps that are added where the truth is known."""
