"""How results show themselves: as text, in a notebook as HTML, and as JSON.

A result is a class of figures; what of them is on its pages stands in a class of its own beside it,
which the result inherits. How pages become text and HTML is the same for all and stands here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from spicealif._support.described import Described
from spicealif.measures.tables import html_table, note_lines, text_table

__all__ = ["Page", "Shown", "ShownInNotebooks", "json_text"]

#: Heading and rows.
_Table: TypeAlias = tuple[Sequence[str], Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Page:
    """Tables, and what has to be known to read them.

    Attributes
    ----------
    tables : tuple of (sequence of str, sequence of sequence of str)
        The heading and the rows of each; the first column has the rows' labels.
    notes : sequence of str
        Sentences.
    columns : int
        How many columns of figures the text has side by side, the rest below; 0 for all.
    close : bool
        Whether the notes follow the table without an empty line.
    """

    tables: tuple[_Table, ...]
    notes: Sequence[str] = ()
    columns: int = 0
    close: bool = False

    def text(self) -> str:
        """Return the page as text; within `fitting` it is no wider than that."""
        tables = [text_table(head, rows) for head, rows in self._narrower()]
        if self.close:
            tables = [table.rstrip() for table in tables]
        return "\n".join([*tables, *note_lines(self.notes)])

    def html(self) -> str:
        """Return the page as HTML, the notes under the last table."""
        *before, (head, rows) = self.tables
        return "".join([*(html_table(h, r) for h, r in before), html_table(head, rows, self.notes)])

    def _narrower(self) -> Iterator[_Table]:
        if not self.columns:
            yield from self.tables
            return
        for start in range(1, len(self.tables[0][0]), self.columns):
            some = slice(start, start + self.columns)
            for head, rows in self.tables:
                yield [head[0], *head[some]], [[row[0], *row[some]] for row in rows]


class Shown(Described):
    """A result that shows itself: `str` and notebooks have its pages, `repr` is one line."""

    def _pages(self) -> Sequence[Page]:
        raise NotImplementedError

    def __str__(self) -> str:
        *before, last = self._pages()
        # An empty line is below the notes of a page, as it is below a table.
        above = [f"{page.text()}\n" if page.notes else page.text() for page in before]
        return "\n".join([*above, last.text()])

    def _repr_html_(self) -> str:
        return "\n".join(page.html() for page in self._pages() if page.tables)


class ShownInNotebooks(Shown):
    """A result that shows itself, and that is written as JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as nested dictionaries of plain numbers and texts, for JSON."""
        raise NotImplementedError


def json_text(result: ShownInNotebooks) -> str:
    """Return a result as JSON text, as commands print it and files hold it.

    Parameters
    ----------
    result : ShownInNotebooks

    Returns
    -------
    str
        Without a final newline.
    """
    return json.dumps(result.to_dict(), indent=1, allow_nan=False)
