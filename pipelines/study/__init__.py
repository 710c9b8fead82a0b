"""A study: its settings, its steps, and the report of their results."""
