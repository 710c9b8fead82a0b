"""A study: its settings, its steps, and the report of what they made."""
