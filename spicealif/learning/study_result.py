"""What a study found: its cells, the table over methods, and what is within chance."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spicealif._support.files import write_text
from spicealif._support.kinds import STUDY, check_ending
from spicealif.learning._names import label_of
from spicealif.learning._study_text import head_of, notes_of, rows_of
from spicealif.learning.study_cells import StudyCells
from spicealif.learning.study_figure import study_figure
from spicealif.measures.shown import Page, ShownInNotebooks, json_text
from spicealif.measures.tables import plain

if TYPE_CHECKING:
    from spicealif._support.styled_figure import StyledFigure

__all__ = ["StudyResult"]

_COLUMNS = {
    "accuracy": "accuracy", "accuracy_low": "low", "accuracy_high": "high",
    "balanced_accuracy": "balanced_accuracy", "inner_accuracy": "inner_accuracy",
    "difference_to_alif": "difference", "p": "p", "p_holm": "p_holm",
    "p_nadeau_bengio": "p_nadeau_bengio", "verdict": "verdict",
    "splits": "splits", "failed": "failed", "n_features": "n_features", "cpu_s": "seconds",
}  # fmt: skip
#: What of a method's result stands in JSON, in this order.
_FIGURES = tuple(name for name in _COLUMNS.values() if name != "verdict")


@dataclass(frozen=True, eq=False, repr=False)
class StudyResult(StudyCells, ShownInNotebooks):
    """A study's cells and what follows from them.

    Attributes
    ----------
    task : Task
    cells : tuple of Cell
    classes : tuple of str
    counts : tuple of int
        Samples of each class in the whole data set.
    data_source : str
        Whom to cite for the data.
    data_notes : tuple of str
        What was done to the data.
    """

    @property
    def head(self) -> tuple[str, ...]:
        """The table's heading."""
        return head_of(self)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table as texts."""
        return rows_of(self)

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        return notes_of(self)

    def _pages(self) -> list[Page]:
        return [Page(((head_of(self), rows_of(self)),), self.notes)]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "task": self.task.to_dict(),
            "classes": list(self.classes),
            "counts": list(self.counts),
            "data_source": self.data_source,
            "data_notes": list(self.data_notes),
            "chance": self.chance,
            "compared_with": self.compared_with,
            "notes": self.notes,
            "methods": [
                {"method": one.method, "label": label_of(one.method), "verdict": one.verdict,
                 **{name: plain(getattr(one, name)) for name in _FIGURES}}
                for one in self.methods
            ],
            "cells": [
                {one.name: _plain(getattr(cell, one.name)) for one in fields(cell)}
                for cell in self.cells
            ],
        }  # fmt: skip

    def plot(self, *, title: bool | str = False) -> StyledFigure:
        """Return the figure: a dot with its interval for each method, and the level of chance.

        Parameters
        ----------
        title : bool or str
            Whether it says above what it shows, or what it says there.
        """
        return study_figure(self, title=title)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the result; return the path.

        Parameters
        ----------
        path : path-like
            ``.json`` holds everything and is read by `load_study`; ``.csv`` is a row for each
            method.

        Raises
        ------
        OutputError
            If it cannot be written, or has another ending.
        """
        path = Path(path)
        check_ending(path, STUDY)
        if path.suffix.lower() == ".json":
            return write_text(path, json_text(self) + "\n")
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["method", "label", *_COLUMNS])
        for one in self.methods:
            cells = [getattr(one, name) for name in _COLUMNS.values()]
            rows.writerow([one.method, label_of(one.method), *(_text(cell) for cell in cells)])
        return write_text(path, out.getvalue())


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return str(value)
