"""Contracts of what commands write beside the tables of the library, and the list of all artifacts that are tables."""
