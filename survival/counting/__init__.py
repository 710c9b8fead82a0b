"""Waits: who waits for an entry from when to when, counted by variables."""
