"""Validation: scores of predicted survival, calibration, and models compared on waits that they were not fitted to."""
