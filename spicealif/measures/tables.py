"""Figures as texts with units, tables of them as text and HTML, and plain numbers for JSON."""

from __future__ import annotations

import contextlib
import html
import math
import textwrap
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from spicealif.measures.one_side import MEASURES, Value
from spicealif.quantities.grammar import format_quantity

__all__ = [
    "MAIN_MEASURES",
    "figure",
    "fitting",
    "gap_figure",
    "html_table",
    "main_rows",
    "missing",
    "note_lines",
    "plain",
    "short_tables",
    "text_table",
]


#: How wide tables may be; 0 for any width.
_WIDTH: ContextVar[int] = ContextVar("width", default=0)
_NARROWEST = 20


@contextlib.contextmanager
def fitting(columns: int) -> Iterator[None]:
    """Let texts of tables be no wider than a terminal while the block runs.

    A table that is wider is drawn as a list, an entry for each row; notes are broken into lines.

    Parameters
    ----------
    columns : int
        The terminal's width.
    """
    token = _WIDTH.set(max(columns, _NARROWEST))
    try:
        yield
    finally:
        _WIDTH.reset(token)


#: What a short table has: how much is fired, when, and how it adapts.
MAIN_MEASURES = (
    *("spike_count", "mean_rate", "spikes_first_pulse", "spikes_last_pulse", "isi_mean"),
    *("isi_first", "isi_last", "isi_growth", "adaptation_ratio", "x_final"),
    *("matched", "time_error_worst"),
)
_SHORTENED: ContextVar[bool] = ContextVar("shortened", default=False)


@contextlib.contextmanager
def short_tables() -> Iterator[None]:
    """Have the tables of comparisons and certificates show the main measures only."""
    token = _SHORTENED.set(True)
    try:
        yield
    finally:
        _SHORTENED.reset(token)


def main_rows(rows: list[tuple[str, ...]]) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the rows to show, and a note on those that are left out within `short_tables`.

    Parameters
    ----------
    rows : list of tuple of str
        The label first.

    Returns
    -------
    rows, notes : list of tuple of str, list of str
    """
    if not _SHORTENED.get():
        return rows, []
    labels = {MEASURES[name].label for name in MAIN_MEASURES}
    main = [row for row in rows if row[0] in labels]
    rest = len(rows) - len(main)
    return main, [f"{rest} more rows with --all."] if rest else []


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
    """Return a table as text, the first column left-justified, and the notes under it.

    Within `fitting` it is no wider than that.
    """
    columns = _WIDTH.get()
    # "circuit (ngspice)" is wider than most of its figures: in two lines it takes less room.
    for heads in ([head], _broken(head)):
        drawn = _drawn(heads, rows)
        if not columns or max(map(len, drawn)) <= columns:
            break
    else:
        drawn = _list(head, rows, columns)
    return "\n".join([*drawn, "", *note_lines(notes)])


def _drawn(heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, a rule as wide as the widest below the lines of its heading."""
    lines = [*heads, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    drawn = [
        "  ".join(
            c.ljust(w) if k == 0 else c.rjust(w)
            for k, (c, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    drawn.insert(len(heads), "-" * max(map(len, drawn)))
    return drawn


def _broken(head: Sequence[str]) -> list[list[str]]:
    """Return a heading in two lines, each column's broken before its bracket or last word."""
    upper, lower = [], []
    for text in head:
        before, _, behind = text.rpartition(" (") if " (" in text else text.rpartition(" ")
        upper.append(before)
        lower.append(f"({behind}" if " (" in text else behind)
    return [upper, lower]


def note_lines(notes: Sequence[str]) -> list[str]:
    """Return sentences as lines: one each, or within `fitting` as many as that takes."""
    if not (columns := _WIDTH.get()):
        return list(notes)
    return [line for note in notes for line in textwrap.wrap(note, columns) or [""]]


def _list(head: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> list[str]:
    """Return the rows one below the other, each figure with its column's name."""
    lines = []
    name = max(len(h) for h in head[1:])
    name = min(name, columns // 2)
    for first, *cells in rows:
        lines += textwrap.wrap(first, columns) or [""]
        for h, cell in zip(head[1:], cells, strict=True):
            if not cell:
                continue
            entry = f"  {h.ljust(name)}  {cell}"
            hanging = " " * min(name + 4, columns // 2)
            lines += (
                textwrap.wrap(entry, columns, subsequent_indent=hanging, drop_whitespace=True)
                if len(entry) > columns
                else [entry]
            )
    return lines


def html_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> str:
    """Return a table as HTML, every text escaped, and the notes as paragraphs under it."""

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in row)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    under = "".join(f"<p>{html.escape(n)}</p>" for n in notes)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>{under}"
