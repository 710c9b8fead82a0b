"""Tracks in time: paths of one track, routes between markets, lists of transitions, and subsets of tracks."""
