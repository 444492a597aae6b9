"""Matplotlib's figures as SVG inside a page."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from spicealif._support.figures import figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["svg_of"]

_HEAD = re.compile(r"\A.*?(?=<svg\b)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r'\s(?:width|height)="[^"]*pt"')
#: Where names are given and used.
_NAMES = re.compile(r'(\bid="|\bhref="#|url\(#)')
#: What a page of ours lets nobody have in a drawing; matplotlib has none of it.
_FOREIGN = re.compile(r"<\s*(?:script|foreignObject|iframe|image)\b|\son\w+\s*=", re.IGNORECASE)


def svg_of(figure: Figure, name: str, label: str) -> str:
    """Return a figure as SVG markup, without a background and with names of its own.

    Parameters
    ----------
    figure : Figure
    name : str
        Stands before every name in it, since a page has several drawings: letters and hyphens.
    label : str
        What it is, for those who do not see it.
    """
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with figure_style():
        figure.savefig(buffer, format="svg", backend="svg", transparent=True, metadata=nothing)
    text = _HEAD.sub("", buffer.getvalue().decode("utf-8"), count=1)
    text = _METADATA.sub("", text)
    opening, rest = text.split(">", 1)
    opening = _SIZE.sub("", opening)
    whole = _NAMES.sub(rf"\g<1>{name}-", f"{opening}>{rest}")
    if _FOREIGN.search(re.sub(r"<!--.*?-->", "", whole, flags=re.DOTALL)):
        # Whoever changed matplotlib's writer; a picture is not worth a page that is not ours.
        return ""
    label = label.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return whole.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
