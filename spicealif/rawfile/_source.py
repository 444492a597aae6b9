"""The numbers of one plot as they are stored: in its file, or in memory where they were text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np

from spicealif.errors import RawFileError
from spicealif.rawfile._binary import read_columns, same_as_next
from spicealif.rawfile._header import fail

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spicealif.rawfile._layout import Layout

__all__ = ["Source", "stamp"]

_T = TypeVar("_T")
_Stamp = tuple[int, int, int]


def stamp(status: os.stat_result) -> _Stamp:
    """Take what changes when a file is replaced or written to."""
    return status.st_ino, status.st_size, status.st_mtime_ns


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The stored numbers of one plot.

    Attributes
    ----------
    path : Path
        The file.
    stamp : tuple of int
        What `stamp` said of the file when its header was read.
    numbers : Layout or tuple of ndarray
        Where the numbers are in the file, or the numbers themselves, one array a variable.
    """

    path: Path
    stamp: _Stamp
    numbers: Layout | tuple[NDArray[Any], ...]

    def dtype(self, i: int) -> np.dtype[Any]:
        """Return the type of variable `i`."""
        numbers = self.numbers
        return numbers[i].dtype if isinstance(numbers, tuple) else numbers.dtype(i)

    def read(self, which: range, points: slice) -> tuple[NDArray[Any], ...]:
        """Copy some points of adjacent variables into new arrays.

        Raises
        ------
        RawFileError
            The file is gone or has changed.
        """
        numbers = self.numbers
        if isinstance(numbers, tuple):
            return tuple(c[points].copy() for c in numbers[which.start : which.stop])
        return self._with_file(lambda file: read_columns(file, numbers, which, points))

    def same_as_next(self, points: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell at which points all variables have the values they have at the next point.

        Raises
        ------
        RawFileError
            The file is gone or has changed.
        """
        numbers = self.numbers
        if isinstance(numbers, tuple):
            same = np.ones(len(points), np.bool_)
            for column in numbers:
                same &= column[points] == column[points + 1]
            return same
        return self._with_file(lambda file: same_as_next(file, numbers, points))

    def _with_file(self, work: Callable[[BinaryIO], _T]) -> _T:
        """Open the file, if it is still the same, and do `work` with it."""
        try:
            with self.path.open("rb") as file:
                if stamp(os.fstat(file.fileno())) != self.stamp:
                    fail(self.path, "it has changed since it was opened", "call read_raw again")
                return work(file)
        except (OSError, ValueError) as error:
            if isinstance(error, RawFileError):
                raise
            fail(self.path, f"it cannot be read ({error})", "read its columns while it is there")
