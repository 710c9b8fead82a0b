"""Hazards by day: the chance of an entry on a day, given none before, from counts by cell and day."""
