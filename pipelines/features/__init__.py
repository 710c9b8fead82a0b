"""Features of tracks and markets as of a date."""
