"""How the site is built: pages in Markdown; `code_pages` adds what the code says of itself."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

project = "chart-diffusion"
version = release = installed_version("chart-diffusion")

extensions = ["myst_parser", "sphinx.ext.autodoc", "code_pages"]
myst_heading_anchors = 3

# Strict on our own names and links; other people's packages are not looked up.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!(diffusion|graphs|survival|figures|pipelines)\b).*")]

default_role = "python"
highlight_language = "text"
smartquotes = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "chart-diffusion"
html_static_path = ["style"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_copyright = False
