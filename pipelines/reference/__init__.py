"""Auxiliary tables by ISO code: countries, cultural distances, public holidays."""
