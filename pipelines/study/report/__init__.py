"""The report of a study: a page, its print as PDF, and slides, all of the same findings."""
