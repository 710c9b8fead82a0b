"""Contracts of what commands write beside the tables of the library."""
