"""The baseline: which market a track would enter next if no market followed another; and what is beyond it."""

from graphs.baseline.credits import EntryCredits, entry_credits
from graphs.baseline.direct import clout, direct_table
from graphs.baseline.edges import edge_table
from graphs.baseline.fit import Baseline, baseline
from graphs.baseline.joint import JointFit, joint_fit
from graphs.baseline.likeness import Likeness
from graphs.baseline.simulate import simulated_entries
from graphs.baseline.steps import Steps, steps
from graphs.baseline.sums import PairSums
from graphs.baseline.weights import Weights

__all__ = [
    "Baseline",
    "EntryCredits",
    "JointFit",
    "Likeness",
    "PairSums",
    "Steps",
    "Weights",
    "baseline",
    "clout",
    "direct_table",
    "edge_table",
    "entry_credits",
    "joint_fit",
    "simulated_entries",
    "steps",
]
