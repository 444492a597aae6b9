"""From the blocks of a report to one HTML file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from spicealif.report._blocks import Page

__all__ = ["render"]

_FOLDER = Path(__file__).parent / "templates"
#: How many colours components have.
_COLOURS = 12


def render(page: Page) -> str:
    """Return a report as HTML.

    The page may run its own script, which is named by its digest, and load nothing: so says its
    security policy to the browser, whatever a text of the result contains.

    Parameters
    ----------
    page : Page

    Returns
    -------
    str
    """
    from spicealif import __version__

    script = _text("report.js")
    # What is between the tags, the two line ends of the template included.
    digest = hashlib.sha256(f"\n{script}\n".encode()).digest()
    return _environment().get_template("report.html.j2").render(
        page=page,
        style=_style(),
        script=script,
        script_hash=f"sha256-{base64.b64encode(digest).decode('ascii')}",
        version=__version__,
    )  # fmt: skip


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.Undefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["packed"] = _packed
    return environment


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").rstrip("\n")


@cache
def _style() -> str:
    colours = "\n".join(
        f".components .k{k}, .netlist .k{k} {{ color: var(--k{k}); }}\n"
        f".netlist .k{k} {{ border-left-color: var(--k{k}); }}"
        for k in range(_COLOURS)
    )
    style = _text("report.css").replace("COMPONENTS\n", f"{colours}\n")
    return style.replace("DARK  }", f"{_text('dark.css')}\n  }}")


def _finite(data: Any) -> Any:
    """Return data with null for what JSON has no number for: a trace may hold any."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list | tuple) else data


def _packed(data: Any) -> str:
    """Return data as JSON that cannot end the element it stands in."""
    text = json.dumps(_finite(data), separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
