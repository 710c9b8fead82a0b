"""A folder shared through an S3-compatible store: push, pull, and how the two differ."""
