"""How a result shows itself where it is only named: one line, and a small table in a notebook.

A dataclass's own ``repr`` prints every field, which of a run is its whole netlist and log.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

__all__ = ["Described", "facts_html"]

#: Characters of a fact that the line shows; a table shows all.
_LONGEST = 120


class Described:
    """Shows itself by a few facts.

    Dataclasses that inherit it must not make a ``__repr__`` of their own (``repr=False``).
    """

    def _facts(self) -> Sequence[tuple[str, str]]:
        """Return labels and texts; the label may be empty where the text says what it is."""
        raise NotImplementedError

    def __repr__(self) -> str:
        facts = (f"{label} {_short(text)}".strip() for label, text in self._facts())
        return f"<{type(self).__name__} {', '.join(facts)}>"

    def _repr_html_(self) -> str:
        return facts_html(type(self).__name__, self._facts())


def facts_html(title: str, facts: Sequence[tuple[str, str]]) -> str:
    """Return facts as a table of HTML, every text escaped.

    Parameters
    ----------
    title : str
        Stands above it.
    facts : sequence of (str, str)
        Labels and texts.

    Returns
    -------
    str
    """
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
        f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
        for label, text in facts
    )
    return f"<table><caption>{html.escape(title)}</caption><tbody>{rows}</tbody></table>"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
