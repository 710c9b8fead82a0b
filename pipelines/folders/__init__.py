"""Folders of artifacts: atomic writing, locks, manifests and verification."""
