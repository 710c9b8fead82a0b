"""Models of which markets a track enters next, and when."""
