"""A comparison of two finished studies: tables, figures and a page, with what was found in words."""
