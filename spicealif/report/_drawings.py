"""Matplotlib's figures as SVG inside a page."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from spicealif._support.figures import figure_style
from spicealif.report._blocks import Picture, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["drawing", "svg_of"]

_HEAD = re.compile(r"\A.*?(?=<svg\b)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r'\s(?:width|height)="([0-9.]+)pt"')
#: Pixels to a point, and how much larger than in print a drawing may get on a screen.
_PIXELS = 4 / 3 * 1.4
#: Where names are given and used.
_NAMES = re.compile(r'(\bid="|\bhref="#|url\(#)')
#: What a page of ours lets nobody have in a drawing; matplotlib has none of it.
_FOREIGN = re.compile(r"<\s*(?:script|foreignObject|iframe)\b|\son\w+\s*=", re.IGNORECASE)


def drawing(
    figure: Figure, name: str, title: str, description: str, *, ink: bool = False
) -> Picture | Text:
    """Return a figure as a block of a report; the parameters are those of `svg_of` and `Picture`.

    A sentence stands in its place if its markup is none that a page of ours may hold.
    """
    svg = svg_of(figure, name, title)
    if not svg:
        return Text([f"{title} cannot be shown: its markup holds more than a drawing."], "missing")
    return Picture(svg, title, description, ink)


def svg_of(figure: Figure, name: str, label: str) -> str:
    """Return a figure as SVG markup, without a background and with names of its own.

    Parameters
    ----------
    figure : Figure
    name : str
        Stands before every name in it, since a page has several drawings: letters and hyphens.
    label : str
        What it is, for those who do not see it.

    Returns
    -------
    str
        Empty if there is something in it that matplotlib does not write.
    """
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with figure_style():
        figure.savefig(buffer, format="svg", backend="svg", transparent=True, metadata=nothing)
    text = _HEAD.sub("", buffer.getvalue().decode("utf-8"), count=1)
    # Texts stand in comments too, beside the shapes of their letters.
    text = _METADATA.sub("", _COMMENT.sub("", text))
    opening, rest = text.split(">", 1)
    width = _SIZE.search(opening)
    natural = f' style="--natural: {float(width[1]) * _PIXELS:.0f}px"' if width else ""
    opening = _SIZE.sub("", opening) + natural
    whole = _NAMES.sub(rf"\g<1>{name}-", f"{opening}>{rest}")
    if _FOREIGN.search(whole):
        # Whoever changed matplotlib's writer; a picture is not worth a page that is not ours.
        return ""
    label = label.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return whole.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
