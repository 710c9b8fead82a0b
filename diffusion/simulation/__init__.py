"""Charts simulated from a known network, in the layouts of real charts, with the truth beside them."""

from diffusion.simulation.network import Network, Switches, draw_network
from diffusion.simulation.spread import Debuts, spread
from diffusion.simulation.study import FULL, Simulation, full_scale
from diffusion.simulation.writing import LAYOUTS, Layout, SimulationAccount, simulate

__all__ = [
    "FULL",
    "LAYOUTS",
    "Debuts",
    "Layout",
    "Network",
    "Simulation",
    "SimulationAccount",
    "Switches",
    "draw_network",
    "full_scale",
    "simulate",
    "spread",
]
