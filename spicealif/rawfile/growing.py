"""How far a run has got whose raw file is still growing."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import numpy as np

from spicealif.errors import RawFileError
from spicealif.rawfile._layout import Layout
from spicealif.rawfile._plot import RawPlot
from spicealif.rawfile.raw import read_raw

__all__ = ["GrowingRaw"]

#: The reader may take this part of the time while a file grows.
_SHARE = 0.1


class GrowingRaw:
    """A raw file of any kind that is being written, with one analysis.

    Its layout does not change once the header is out. Where the values of a point stand together,
    a look then costs the file's size and one number of its end; elsewhere (text, ``fastaccess``)
    the reader looks, a tenth of the time at most.

    Parameters
    ----------
    path : Path
        It need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[RawPlot, Layout] | None = None
        self._next = 0.0

    def last(self) -> float | None:
        """Return the last value of the axis; None if there is none, or it is too early to look."""
        # Whatever is half-written now will be whole at the next look.
        with contextlib.suppress(RawFileError, OSError, ValueError):
            if self._known is not None:
                return self._at_end(*self._known)
            if time.monotonic() >= self._next:
                return self._by_reader()
        return None

    def _by_reader(self) -> float | None:
        begun = time.monotonic()
        try:
            plots = read_raw(self._path)
            plot = plots[-1]
            numbers = plot._source.numbers
            one = len(plots) == 1 and plot.axis is not None
            if one and isinstance(numbers, Layout) and not numbers.stride_points:
                self._known = plot, numbers
            return plot.last
        finally:
            now = time.monotonic()
            self._next = now + (now - begun) / _SHARE

    def _at_end(self, plot: RawPlot, layout: Layout) -> float | None:
        with self._path.open("rb") as file:
            rows = (self._path.stat().st_size - layout.data) // layout.row
            if rows < 1:
                return None
            file.seek(layout.data + (rows - 1) * layout.row)
            stored = np.frombuffer(file.read(layout.first.itemsize), layout.first)
        return float(plot._true(stored.copy())[0].real)
