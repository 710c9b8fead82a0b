"""Journeys of tracks: how soon they enter further markets, and whether there are kinds of them."""
