"""Auxiliary tables by ISO code: countries, cultural distances and public holidays."""
