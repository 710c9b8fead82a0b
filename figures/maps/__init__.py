"""Maps: markets, flows, the backbone, communities."""
