"""Maps of flows, of the backbone and of communities."""
