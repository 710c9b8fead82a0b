"""Market graphs: transitions between markets as nodes and edges, their leaders, and exports."""

from graphs.market_graph import LEAST_EXPOSED, SCORES, Flow, MarketGraph, market_graph

__all__ = ["LEAST_EXPOSED", "SCORES", "Flow", "MarketGraph", "market_graph"]
