"""Reader of the raw files that ngspice writes.

Binary and text files are read, real and complex, with any number of plots in one file. A run that
was killed or that failed leaves a header with ``No. Points: 0`` in front of valid data: how many
points there are then follows from the bytes that are there.

Binary numbers stay in the file until asked for, and are then copied out of a memory map of one
window of the file at a time: a file may be larger than the memory.
"""

from __future__ import annotations

import difflib
import mmap
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import numpy as np

from spicealif.errors import RawFileError
from spicealif.simulators._raw_header import (
    CutOff,
    Header,
    RawVariable,
    fail,
    find_header,
    parse_header,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["RawPlot", "RawVariable", "read_raw"]

_WINDOW = 1 << 25  # bytes of the file that a thread maps at a time: bounds the resident memory
_THREADS = 2  # more gain little: the memory is the limit
_BLOCK = 320 * 1024  # bytes transposed at a time: fits a core's cache (measured: 4,096 x 10)
_TEXT = 1 << 22  # bytes of text parsed at a time

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class RawPlot:
    """One plot of a raw file: the result of one analysis.

    A plot holds no open file. Its columns are read from the file when asked for, so they must be
    asked for before the file is deleted or written anew; both are noticed. The columns of a text
    file are read with its header and kept.

    Attributes
    ----------
    path : Path
        The file.
    title : str
        First line of the netlist.
    date : str
        When the run was made, as ngspice writes it.
    plotname : str
        The analysis, for example ``Transient Analysis``.
    flags : frozenset of str
        ``real`` or ``complex``, possibly with ``unpadded``, ``padded``.
    variables : tuple of RawVariable
        The columns, in order, with their names as in the file.
    n_points : int
        Number of complete points that the file holds.
    n_points_declared : int
        Number of points that the header promises; 0 when the run did not end by itself.
    """

    path: Path
    title: str
    date: str
    plotname: str
    flags: frozenset[str]
    variables: tuple[RawVariable, ...]
    n_points: int
    n_points_declared: int
    _data: int = field(repr=False)
    _stamp: _Stamp = field(repr=False)
    _values: NDArray[Any] | None = field(default=None, repr=False)

    @property
    def truncated(self) -> bool:
        """Whether the run or the file ended before the number of points was written or reached."""
        return self.n_points_declared == 0 or self.n_points < self.n_points_declared

    @property
    def is_complex(self) -> bool:
        """Whether the columns are complex."""
        return "complex" in self.flags

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the variables, as in the file."""
        return tuple(variable.name for variable in self.variables)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(n.lower() == name.lower() for n in self.names)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Read one column.

        Parameters
        ----------
        name : str
            Name of the variable; case matters only where two names differ by nothing else.

        Returns
        -------
        ndarray, shape (n_points,)
            A copy, float64 or complex128, in SI units (s, V, A, Hz). In a complex plot the
            frequency too is complex, with a zero imaginary part.

        Raises
        ------
        RawFileError
            There is no such variable, the name stands for several different columns, or the file
            is gone or has changed.
        """
        found = self._find(name)
        column: NDArray[Any] = self._read(range(found[0], found[0] + 1))[0]
        for i in found[1:]:
            # "write out.raw v(a) v(a)" stores the same column twice
            if not np.array_equal(self._read(range(i, i + 1))[0], column, equal_nan=True):
                self._ambiguous(name)
        return column

    def read_all(self) -> NDArray[Any]:
        """Read all columns.

        Returns
        -------
        ndarray, shape (n_vars, n_points)
            Row i is variable i, contiguous, float64 or complex128, in SI units.

        Raises
        ------
        RawFileError
            The file is gone or has changed.
        """
        return self._read(range(len(self.variables)))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Read all columns, by name.

        Returns
        -------
        dict of str to ndarray, shape (n_points,)
            Keys are the names as in the file, values are rows of one array (see `read_all`).

        Raises
        ------
        RawFileError
            Two different columns have the same name, or the file is gone or has changed.
        """
        result: dict[str, NDArray[Any]] = {}
        for name, column in zip(self.names, self.read_all(), strict=True):
            if name in result and not np.array_equal(result[name], column, equal_nan=True):
                self._ambiguous(name)
            result.setdefault(name, column)
        return result

    def _find(self, name: str) -> list[int]:
        """Positions of the variables that `name` stands for."""
        names = self.names
        exact = [i for i, n in enumerate(names) if n == name]
        if exact:
            return exact
        folded = [n.lower() for n in names]
        found = [i for i, n in enumerate(folded) if n == str(name).lower()]
        if not found:
            close = difflib.get_close_matches(str(name).lower(), folded, n=1)
            known = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
            hint = f"use {names[folded.index(close[0])]!r} or" if close else "use"
            fail(
                self.path,
                f"the plot {self.plotname!r} has no variable {name!r}",
                f"{hint} one of {known}",
            )
        return found

    def _ambiguous(self, name: str) -> NoReturn:
        fail(
            self.path,
            f"the plot {self.plotname!r} has different columns named {name!r}",
            "take them by position from read_all()",
        )

    def _read(self, which: range) -> NDArray[Any]:
        """Columns `which` (adjacent) as the rows of a new array."""
        chosen = slice(which.start, which.stop)
        if self._values is not None:
            return self._values[chosen].copy()
        dtype = np.dtype("<c16" if self.is_complex else "<f8")
        out = np.empty((len(which), self.n_points), dtype)
        try:
            with self.path.open("rb") as file:
                if _stamp(os.fstat(file.fileno())) != self._stamp:
                    fail(self.path, "it has changed since it was opened", "call read_raw again")
                _fill(out, which, file, self._data, len(self.variables))
        except (OSError, ValueError) as error:
            if isinstance(error, RawFileError):
                raise
            fail(self.path, f"it cannot be read ({error})", "read its columns while it is there")
        _clear_frequency(out, self.variables[chosen])
        return out


def read_raw(path: str | os.PathLike[str]) -> list[RawPlot]:
    """Read the plots of an ngspice raw file.

    The headers are read, and the numbers of text plots; binary numbers are left in the file.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    list of RawPlot
        In the order of the file; at least one. A plot whose header is cut off at the end of the
        file has no data and is left out, unless it is the only one.

    Raises
    ------
    RawFileError
        The file does not exist, cannot be read, is not an ngspice raw file or holds no plot.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a pipe would wait for a writer
            fail(path, "it is not a regular file", "pass the raw file that ngspice wrote")
        with path.open("rb") as file:
            return _plots(file, path)
    except FileNotFoundError:
        fail(path, "the file does not exist", "check the path and that the simulation ran")
    except OSError as error:
        fail(path, f"the file cannot be read ({error.strerror})", "check the path and its mode")
    except ValueError as error:
        if isinstance(error, RawFileError):
            raise
        fail(Path(str(path)), f"this is no path ({error})", "pass the path of a raw file")


def _stamp(status: os.stat_result) -> _Stamp:
    """Take what changes when a file is replaced or written to."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def _plots(file: BinaryIO, path: Path) -> list[RawPlot]:
    """All plots of an open file."""
    status = os.fstat(file.fileno())
    size, stamp = status.st_size, _stamp(status)
    plots: list[RawPlot] = []
    position = 0
    while position < size:
        try:
            header = parse_header(file, path, position)
        except CutOff:
            break
        if header is None:
            break
        values = None
        if header.binary:
            n_points, position = _binary_extent(file, header, size)
        else:
            end = find_header(file, header.data, size)
            values = _parse_text(file, path, header, end)
            n_points, position = values.shape[1], end
        plots.append(
            RawPlot(
                path,
                header.title,
                header.date,
                header.plotname,
                header.flags,
                header.variables,
                n_points,
                header.n_points,
                header.data,
                stamp,
                values,
            )
        )
    if not plots:
        fail(path, "it is empty" if size == 0 else "it ends before its data begin")
    return plots


def _binary_extent(file: BinaryIO, header: Header, size: int) -> tuple[int, int]:
    """Count the complete points of a binary plot, and find where the plot ends."""
    row = len(header.variables) * (16 if "complex" in header.flags else 8)
    held = (size - header.data) // row
    if 0 < header.n_points <= held:
        return header.n_points, header.data + header.n_points * row
    # the count was never written or cannot be right: the data end at the next header, if any
    end = find_header(file, header.data, size)
    return (end - header.data) // row, end


def _fill(out: NDArray[Any], which: range, file: BinaryIO, start: int, n_variables: int) -> None:
    """Copy columns `which` of a binary plot into the rows of `out`.

    Copying from the map a block of rows at a time reads each byte of the file once and needs no
    buffer in between; a column at a time would read the whole file once for every column.
    """
    n_points, row = out.shape[1], out.itemsize * n_variables
    rows = max(1, _WINDOW // row)
    step = max(1, _BLOCK // row)

    def copy(first: int) -> None:
        count = min(rows, n_points - first)
        offset = start + first * row
        base = offset - offset % mmap.ALLOCATIONGRANULARITY
        length = offset - base + count * row
        with mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ, offset=base) as window:
            block = np.ndarray((count, n_variables), out.dtype, window, offset - base)
            for a in range(0, count, step):
                b = min(a + step, count)
                out[:, first + a : first + b] = block[a:b, which.start : which.stop].T
            del block  # the window cannot be closed while an array refers to it

    if n_points <= rows:
        if n_points:
            copy(0)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS) as pool:  # NumPy lets go of the GIL while it copies
        list(pool.map(copy, range(0, n_points, rows)))


def _clear_frequency(values: NDArray[Any], variables: tuple[RawVariable, ...]) -> None:
    """Set the imaginary part of frequencies to zero: ngspice leaves it uninitialised with -r."""
    if np.iscomplexobj(values):
        for row, variable in zip(values, variables, strict=True):
            if variable.type.lower() == "frequency":
                row.imag = 0.0


def _parse_text(file: BinaryIO, path: Path, header: Header, end: int) -> NDArray[Any]:
    """Numbers of a text plot whose text ends at offset `end`, one row a variable.

    A point is its number, then the values of its variables. What follows the last white space is
    dropped: a number cut short can look like a whole one.
    """
    parts = 2 if "complex" in header.flags else 1
    per_point = 1 + parts * len(header.variables)
    pieces: list[NDArray[np.float64]] = []
    rest = b""
    position = header.data
    while position < end:
        file.seek(position)
        read = file.read(min(_TEXT, end - position))
        if not read:
            break
        position += len(read)
        text = rest + read
        tokens = text.split()
        rest = b"" if text[-1:].isspace() or not tokens else tokens.pop()
        if len(rest) > 1000:
            fail(path, "its text has something longer than a number")
        try:
            # underscores are Python's, not ngspice's
            if b"_" in text:
                raise ValueError
            joined = b" ".join(tokens).replace(b",", b" ").split() if parts == 2 else tokens
            pieces.append(np.fromiter(map(float, joined), np.float64, len(joined)))
        except ValueError:
            fail(path, f"the text before byte {position} holds something that is no number")
    numbers = np.concatenate(pieces) if pieces else np.empty(0)
    del pieces
    n = numbers.size // per_point
    table = numbers[: n * per_point].reshape(n, per_point)
    if not np.array_equal(table[:, 0], np.arange(n)):
        bad = int(np.flatnonzero(table[:, 0] != np.arange(n))[0])
        fail(path, f"the text of point {bad} does not begin with its number")
    left = numbers.size > n * per_point or not b"Title:".startswith(rest)
    if header.n_points and (n > header.n_points or (n == header.n_points and left)):
        fail(path, f"more follows the {header.n_points} points that a header declares")
    body = table[:, 1:]
    if parts == 1:
        return np.ascontiguousarray(body.T)
    values = np.empty((len(header.variables), n), np.complex128)
    values.real = body[:, 0::2].T
    values.imag = body[:, 1::2].T
    _clear_frequency(values, header.variables)
    return values
