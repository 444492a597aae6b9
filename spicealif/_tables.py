"""Figures as texts with units, tables of them as text and HTML, and plain numbers for JSON."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from spicealif.measures import Value
from spicealif.quantities import format_quantity

__all__ = ["figure", "gap_figure", "html_table", "missing", "plain", "text_table"]


def missing(value: Value) -> bool:
    """Return whether a measure does not exist, which is NaN."""
    return isinstance(value, float) and math.isnan(value)


def figure(value: Value, unit: str = "") -> str:
    """Return a figure as text: ``-`` if missing, integers whole, the rest with an SI prefix."""
    if missing(value):
        return "-"
    if isinstance(value, int | np.integer):
        return str(value)
    if unit:
        return format_quantity(float(value), unit)
    return f"{float(value):.4g}"


def gap_figure(a: Value, b: Value, unit: str = "") -> str:
    """Return ``a - b`` as text with sign, and in percent of `b` where that says something."""
    if missing(a) or missing(b):
        return "-"
    if isinstance(a, int) and isinstance(b, int):
        return f"{a - b:+d}"
    gap, size = float(a) - float(b), abs(float(b))
    # A percentage of rounding noise would say nothing.
    relative = f" ({gap / size:+.1%})" if size and abs(gap) < 10 * size else ""
    text = figure(gap, unit)
    return f"{'' if text.startswith('-') else '+'}{text}{relative}"


def plain(value: Any) -> Any:
    """Return a value as JSON has it: lists for arrays, None for NaN and infinity."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def text_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> str:
    """Return a table as text, the first column left-justified, and the notes under it."""
    lines = [head, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    drawn = [
        "  ".join(
            c.ljust(w) if k == 0 else c.rjust(w)
            for k, (c, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    drawn.insert(1, "-" * len(max(drawn, key=len)))
    return "\n".join([*drawn, "", *notes])


def html_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> str:
    """Return a table as HTML, every text escaped, and the notes as paragraphs under it."""

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in row)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    under = "".join(f"<p>{html.escape(n)}</p>" for n in notes)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>{under}"
