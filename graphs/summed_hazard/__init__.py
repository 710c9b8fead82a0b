"""Expected further entries as a summed hazard under a parametric background: for forecasts and ranking, no verdict."""

from graphs.summed_hazard.background import AGES
from graphs.summed_hazard.fit import summed_hazard
from graphs.summed_hazard.result import SummedHazard

__all__ = ["AGES", "SummedHazard", "summed_hazard"]
