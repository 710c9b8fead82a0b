"""Market graphs: transitions between markets as nodes and edges, their leaders, and exports."""

from graphs.market_graph import SCORES, Flow, MarketGraph, market_graph

__all__ = ["SCORES", "Flow", "MarketGraph", "market_graph"]
