"""The steps of a study in order, and the sets of steps that commands make."""

from pipelines.study.step import Step
from pipelines.study.steps.baseline import BASELINE
from pipelines.study.steps.direct import DIRECT
from pipelines.study.steps.entries import ENTRIES
from pipelines.study.steps.graph import GRAPH
from pipelines.study.steps.leaders import LEADERS
from pipelines.study.steps.structure import STRUCTURE
from pipelines.study.steps.survival import SURVIVAL

STEPS: tuple[Step, ...] = (ENTRIES, GRAPH, BASELINE, LEADERS, STRUCTURE, DIRECT, SURVIVAL)
"""All steps, each after the steps that it needs."""

GRAPH_SET = ("baseline", "leaders", "structure", "direct")
"""Steps of `graph`; the steps that they need are added."""

SURVIVAL_SET = ("survival",)
"""Steps of `survival`; the steps that they need are added."""

RUN_SET = tuple(step.name for step in STEPS)
"""Steps of `run` and `demo`: all."""
