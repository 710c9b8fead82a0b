"""Sources of charts: layouts of files, reading CSV, cleaning, and folders of cleaned charts."""
