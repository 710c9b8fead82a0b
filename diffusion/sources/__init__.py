"""Charts as people have them: layouts, CSV files, cleaning, and the tables of cleaned charts."""
