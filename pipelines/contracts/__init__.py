"""Contracts of the tables that only commands write."""
