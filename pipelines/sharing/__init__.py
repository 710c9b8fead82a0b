"""Sharing a folder through an S3-compatible store: push, pull and status."""
