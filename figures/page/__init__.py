"""The page that all figures share: style, text, checks of tables, and files."""
