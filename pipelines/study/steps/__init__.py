"""The steps of a study in order, and the sets of them that commands make."""

from pipelines.study.step import Step
from pipelines.study.steps.direct import DIRECT
from pipelines.study.steps.entries import ENTRIES
from pipelines.study.steps.graph import GRAPH
from pipelines.study.steps.leaders import LEADERS
from pipelines.study.steps.structure import STRUCTURE
from pipelines.study.steps.survival import SURVIVAL

STEPS: tuple[Step, ...] = (ENTRIES, GRAPH, LEADERS, STRUCTURE, DIRECT, SURVIVAL)
"""Every step, after those that it needs."""

GRAPH_SET = ("leaders", "structure")
"""What `graph` makes, with what these need."""

SURVIVAL_SET = ("survival",)
"""What `survival` makes, with what this needs."""

RUN_SET = tuple(step.name for step in STEPS)
"""What `run` and `demo` make: everything."""
