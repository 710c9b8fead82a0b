"""Answers to questions about a finished study."""
