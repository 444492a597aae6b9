"""What must hold of every input of the reader of tables, whatever it holds."""

from __future__ import annotations

import io
import os
import re
import warnings
from pathlib import Path

import numpy as np
from _fuzz_checks import _Check, _rewritable, check_sentence, hold

from spicealif.csvfile import Table, read_table
from spicealif.design import PiecewiseLinear
from spicealif.errors import DesignError, FitError, TableFileError
from spicealif.fit import Loop, read_loop

__all__ = ["CHECKS"]

_ASKED: tuple[dict[str, str], ...] = (
    {},
    {"time": "1", "v_in": "2", "v_mem": "3"},
    {"time": "#1 [ms]", "v_mem": "-#2", "i": "#3 [uA]"},
    {"time": "every 2us", "v_in": "2 [V]", "v_mem": "3 [V]"},
    {"v_in": "CH1", "v_mem": "CH2"},
)
_PLAIN = re.compile(rb"(?:[-+]?\d+\.\d+(?:e[-+]?\d\d)?(?:,(?!\n)|\n))+", re.ASCII)


class Tables(_Check):
    """`read_loop` and `PiecewiseLinear.from_csv`, and the table they share."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "x.csv"
        self._file = _rewritable(self.path)

    def check(self, data: bytes, key: int) -> None:
        """Check what the readers make of one file."""
        os.ftruncate(self._file, len(data))
        os.pwrite(self._file, data, 0)
        asked = _ASKED[key % len(_ASKED)]
        loop = self._loop(asked)
        points = self._stimulus({} if key % 3 else {"time": "1", "i": "2 [mA]"})
        table = None
        if loop is not None or points is not None or key % self.again == 1:
            try:
                table = read_table(data, "'x.csv'")
            except TableFileError as error:
                check_sentence(error)
        hold(loop is None or table is not None, "a loop without a table")
        hold(points is None or table is not None, "a stimulus without a table")
        if table is not None:
            _check_table(table, data)
        if loop is not None and table is not None:
            hold(len(loop.time) <= len(table.lines), "more samples than rows")
            lost = len(table.lines) - len(loop.time)
            told = [note for note in loop.notes if "left out" in note]
            hold(not lost or f"{lost} rows" in told[0], f"{lost} rows are gone without a word")
        if key % self.again == 0:
            again = self._loop(asked)
            same = loop is None or (again is not None and np.array_equal(loop.v_mem, again.v_mem))
            hold((again is None) == (loop is None) and same, "something else again")

    def _loop(self, columns: dict[str, str]) -> Loop | None:
        try:
            # Whether the drive repeats itself is asked elsewhere, and takes long.
            return read_loop(self.path, series_resistor=5000, columns=columns, periodic=False)
        except FitError as error:
            check_sentence(error, remedy=False)
            return None

    def _stimulus(self, columns: dict[str, str]) -> PiecewiseLinear | None:
        try:
            return PiecewiseLinear.from_csv(self.path, columns)
        except DesignError as error:
            check_sentence(error, remedy=False)
            return None


def _check_table(table: Table, data: bytes) -> None:
    hold(len(table.headings) == len(table.units) == len(table.columns), "widths differ")
    for column in table.columns:
        hold(column.values.shape == table.lines.shape, "a column of another length")
        seen = column.values[~np.isnan(column.values)]
        hold((np.abs(seen) < 1e30).all(), "a code among the numbers")
    hold((np.diff(table.lines) > 0).all(), "lines do not rise")
    lines = data.count(b"\n") + data.count(b"\r") + 1
    hold(not len(table.lines) or table.lines[-1] <= lines, "more lines than there are")
    if _PLAIN.fullmatch(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                other = np.loadtxt(io.BytesIO(data), delimiter=",", ndmin=2)
            except ValueError:
                return
        ours = np.column_stack([column.values for column in table.columns])
        other[np.abs(other) >= 1e30] = np.nan  # an instrument's code
        hold(np.array_equal(ours, other, equal_nan=True), "other numbers than numpy.loadtxt")


CHECKS = {"table": Tables}
