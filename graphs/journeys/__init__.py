"""Tracks on their way: ordered journeys, routes, streams of transitions, and slices of entries."""
