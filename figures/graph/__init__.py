"""Figures of the market graph that are no maps: matrices, rankings, lags, influence."""
