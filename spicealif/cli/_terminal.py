"""What fits a narrow terminal: help, and the tables of results."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterable

import click

__all__ = ["HelpContext", "for_terminal"]

#: Below this many columns click's own help is wider than the terminal.
_NARROW = 52


def for_terminal(result: object) -> str:
    """Return a result as text, for the terminal's width if standard output is one."""
    from spicealif._tables import fitting

    terminal = False
    with contextlib.suppress(AttributeError, OSError, ValueError):
        terminal = sys.stdout.isatty()
    if not terminal:
        return str(result)
    with fitting(shutil.get_terminal_size().columns):
        return str(result)


class _Help(click.HelpFormatter):
    """Help that is as narrow as the terminal."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = shutil.get_terminal_size().columns
        if width is None and columns < _NARROW:
            width = max(columns - 1, 20)
        super().__init__(indent_increment, width, max_width)

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        super().write_dl(rows, min(col_max, max(self.width // 3, 10)), col_spacing)


class HelpContext(click.Context):
    """A command's context whose help fits the terminal."""

    formatter_class = _Help
