"""Settings of the documentation site; `make docs` builds it with warnings as errors."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "Glueprint"
author = "The Glueprint developers"
version = release = version_of("glueprint")

extensions = ["myst_parser", "sphinx.ext.autodoc", "reference"]
exclude_patterns = ["_build"]
myst_heading_anchors = 4

autodoc_typehints = "none"  # The docstrings say what each argument is, with shape and unit.
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "Glueprint"
html_copy_source = False
html_show_sourcelink = False
