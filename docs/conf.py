"""How Sphinx builds the documentation; `sh scripts/docs.sh` does it."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import spicealif

project = "spicealif"
author = "the authors of spicealif"
version = release = spicealif.__version__
copyright = f"{author}; GPL-3.0-or-later"

extensions = [
    "myst_nb",  # Markdown, and notebooks in it
    "sphinx.ext.autodoc",  # the Python reference, from docstrings
    "sphinx.ext.autosummary",  # its tables
    "sphinx.ext.napoleon",  # which reads numpydoc's sections
]
exclude_patterns = ["_build"]
# A name in single backticks in a docstring is a piece of code, or of another docstring.
default_role = "literal"
nitpicky = False  # types in docstrings are words for people ("array-like"), not links

# --- Markdown ---
myst_enable_extensions = ["html_image"]  # with a width, as a forge reads it
myst_heading_anchors = 4  # as on a forge: page.md#a-heading
# --- notebooks: what a cell gave is kept until some cell of its notebook changes ---
nb_execution_mode = "cache"
nb_execution_cache_path = os.environ.get(
    "SPICEALIF_DOCS_CACHE", str(Path(__file__).parent / "_build" / "notebooks")
)
nb_execution_timeout = 300
nb_execution_in_temp = True  # what a notebook writes is gone with it
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
# --- Python ---
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings have the types, with shapes and units
autodoc_default_options = {"members": True}
autosummary_generate = False
napoleon_google_docstring = False
napoleon_use_ivar = True  # attributes of a class are described where it is, not once more
napoleon_use_rtype = False
# --- HTML ---
html_theme = "furo"
html_title = f"spicealif {release}"
html_static_path = ["_static"]
html_css_files = ["spicealif.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "sidebar_hide_name": False,
    "light_css_variables": {"color-brand-primary": "#0b5fa5", "color-brand-content": "#0b5fa5"},
    "dark_css_variables": {"color-brand-primary": "#7db8ee", "color-brand-content": "#7db8ee"},
}
pygments_style = "default"
pygments_dark_style = "github-dark"


def _no_signature_of_a_model(
    _app: Any, what: str, _name: str, thing: Any, _options: Any, signature: str, returned: str
) -> tuple[str, str] | None:
    """Leave out the signature that pydantic makes of all fields; they are listed below it."""
    if what == "class" and inspect.isclass(thing) and issubclass(thing, BaseModel):
        return "", ""
    return None


def setup(app: Any) -> None:
    """Connect what autodoc is told."""
    app.connect("autodoc-process-signature", _no_signature_of_a_model)
    sys.setrecursionlimit(5000)
