"""Survival curves of waits by group: Kaplan–Meier and Nelson–Aalen, restricted means, and log-rank tests."""
