"""The web site of the book and the manual: `python -m sphinx -W docs OUT`, with the extra `docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for `site_pages`

from theory.interface.version import VERSION

project = "linear-beta-vae"
author = "the authors of linear-beta-vae"
project_copyright = "BSD-3-Clause licence"
version = release = VERSION

extensions = [
    "myst_parser",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx-mathjax-offline",
    "site_pages",  # makes the pages of the book, the API, the gallery and the results
]
exclude_patterns = ["results.md", "_generated/figures"]  # the site has a table of results of its own
root_doc = "index"
nitpicky = True
executed_pages = ("index", "tutorial")  # whose Python is run when they are read

myst_enable_extensions = ["colon_fence", "dollarmath", "amsmath", "attrs_inline"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]
mathjax3_config = {"options": {"enableMenu": False}}  # with its menu, each formula is a stop of the tab key

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the sections on parameters say more
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
default_role = "name"  # of `site_pages`: a link where the project exports the name, code otherwise

html_theme = "furo"
pygments_dark_style = "a11y-high-contrast-dark"
html_title = "The linear-Gaussian beta-VAE"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_search_summary = False  # a page that is opened from disk may not read others
html_show_sphinx = False
html_copy_source = False
html_last_updated_fmt = None
