"""Answers about a finished study."""
