"""What published work says of charts and markets, tested on these charts: one module per subject."""
