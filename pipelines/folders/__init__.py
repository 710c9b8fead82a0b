"""Folders of artifacts: written whole or not at all, locked, described by a manifest, and verified."""
