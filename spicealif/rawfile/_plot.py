"""One plot of a raw file: what its header says, and its numbers when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from spicealif.rawfile._between import between, positions
from spicealif.rawfile._compression import Grid, middles
from spicealif.rawfile._header import RawVariable, fail
from spicealif.rawfile._steps import find_steps, steps_beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from spicealif.rawfile._source import Source

__all__ = ["RawPlot", "StepValues"]

StepValues = tuple[dict[str, float], ...]

#: Types of a first variable that is an axis, whatever the analysis is called.
_AXES = ("time", "frequency")
#: Analyses that give numbers and no waveforms.
_NO_AXIS = {"operating point", "transfer function", "integrated noise"}
_NO_AXIS |= {"sensitivity", "pole-zero", "constant"}


@dataclass(frozen=True, eq=False)
class RawPlot:
    """One plot of a raw file: the result of one analysis.

    A plot holds no open file. Its columns are read from the file when asked for, so they must be
    asked for before the file is deleted or written anew; both are noticed. The columns of a text
    file are read with its header and kept.

    Columns come in the type that the file stores, since converting would cost as much as reading:
    float64 or complex128; in LTspice's default files float64 for the first variable and float32
    for the others. The axis is in true units: LTspice's marks of compressed points (negative
    times) are taken off and the header's offset (the time at which saving began) is added.

    Attributes
    ----------
    path : Path
        The file.
    title : str
        First line of the netlist.
    date : str
        When the run was made, as the simulator writes it.
    plotname : str
        The analysis, for example ``Transient Analysis``.
    writer : str
        ``ngspice``, ``ltspice``, ``qspice`` or ``xyce``; empty if the header does not tell, as
        with ngspice up to 41.
    command : str
        What the header calls the program; may be empty.
    flags : frozenset of str
        ``real`` or ``complex``, and for example ``forward``, ``stepped``, ``double``, ``padded``.
    variables : tuple of RawVariable
        The columns, in order, with their names as in the file.
    offset : float
        What was added to the stored axis.
    n_points : int
        Number of complete points that the file holds, all steps together.
    n_points_declared : int
        Number of points that the header promises; 0 when the run did not end by itself.
    """

    path: Path
    title: str
    date: str
    plotname: str
    writer: str
    command: str
    flags: frozenset[str]
    variables: tuple[RawVariable, ...]
    offset: float
    n_points: int
    n_points_declared: int
    _source: Source = field(repr=False)
    _log: StepValues | None = field(repr=False)

    @property
    def truncated(self) -> bool:
        """Whether the run or the file ended before the number of points was written or reached.

        Also where the file holds more points than its header counts: its run was still going, or
        was killed.
        """
        return self.n_points_declared == 0 or self.n_points != self.n_points_declared

    @property
    def is_complex(self) -> bool:
        """Whether the columns are complex."""
        return "complex" in self.flags

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the variables, as in the file."""
        return tuple(variable.name for variable in self.variables)

    @property
    def axis(self) -> str | None:
        """The name of the variable that the others are functions of; None if there is none.

        Operating points and transfer functions have none.
        """
        first, name = self.variables[0], self.plotname.lower()
        if first.type.lower() not in _AXES and any(word in name for word in _NO_AXIS):
            return None
        return first.name

    @cached_property
    def compressed(self) -> bool:
        """Whether LTspice left out points (see `columns`); reads the axis at the first call."""
        return self._marks and bool((self._stored_axis(slice(0, self.n_points)) < 0).any())

    @property
    def steps(self) -> tuple[slice, ...]:
        """The points of each step (``.step``, nested ``.dc``), as slices of a whole column.

        One slice if the file is not flagged ``stepped``. LTspice IV writes the first point of
        each later step twice; one of the two is in no step. The axis is read at the first call.
        """
        return tuple(slice(a, b) for a, b in zip(*map(np.ndarray.tolist, self._steps), strict=True))

    @property
    def n_steps(self) -> int:
        """The number of steps; 1 if the file is not flagged ``stepped``."""
        return len(self._steps[0])

    @property
    def is_float32(self) -> bool:
        """Whether values are stored as float32, with 7 digits, as LTspice does by default."""
        return self._source.dtype(len(self.variables) - 1) == np.float32

    @property
    def last(self) -> float | None:
        """The last value of the axis, without reading the others; None if there is none.

        It tells how far a run has got whose raw file is still growing.
        """
        if self.axis is None or self.n_points == 0:
            return None
        end = slice(self.n_points - 1, self.n_points)
        return float(self._read(range(1), end)[0][0].real)

    @cached_property
    def step_values(self) -> StepValues | None:
        """The stepped parameters of each step by name, from LTspice's log; None if not known."""
        if "stepped" not in self.flags:
            return None
        values = self._log if self._log is not None else steps_beside(self.path)
        return values if values is not None and len(values) == self.n_steps else None

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
            A copy, in the type stored (float32, float64 or complex128), in SI units (s, V, A,
            Hz). In a complex plot the frequency is complex too, with a zero imaginary part,
            unless Qspice wrote it.

        Raises
        ------
        RawFileError
            There is no such variable, the name stands for several different columns, or the file
            is gone or has changed.
        """
        return self._column(name, slice(0, self.n_points))

    def read_all(self) -> tuple[NDArray[Any], ...]:
        """Read all columns.

        Returns
        -------
        tuple of ndarray, shape (n_points,)
            One a variable, in the order of `variables`, in the type stored (float32, float64 or
            complex128), in SI units. They may be rows of one array.

        Raises
        ------
        RawFileError
            The file is gone or has changed.
        """
        return self._read(range(len(self.variables)), slice(0, self.n_points))

    def columns(self, step: int | None = None, *, expand: bool = False) -> dict[str, NDArray[Any]]:
        """Read all columns, by name.

        Parameters
        ----------
        step : int, optional
            Which step, from 0; all stored points if not given.
        expand : bool, optional
            Whether to draw the parabolas of a compressed plot: points are put in so that straight
            lines between points are within 0.025 % of each variable's range of the parabola, and
            at most 32 times as many. All stored points stay in, and a plot that is not compressed
            stays as it is.

        Returns
        -------
        dict of str to ndarray, shape (N,)
            Keys are the names as in the file; values as in `read_all`.

        Raises
        ------
        RawFileError
            Two different columns have the same name, there is no such step, `expand` is asked of
            a plot of several steps without saying which, or the file is gone or has changed.
        """
        return self._by_name(self._points(step, needed=expand), expand)

    def blocks(self, size: int) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield what `columns` returns, `size` points at a time, all steps together."""
        for begin in range(0, self.n_points, size):
            yield self._by_name(slice(begin, min(begin + size, self.n_points)))

    def from_log(self, t: ArrayLike) -> NDArray[np.float64]:
        """Return where on the axis a time of LTspice's log is.

        After ``.tran 0 50m 40m`` LTspice saves what happens from 40 ms on. Times in its log (`at`,
        `from_`, `to` and, of a WHEN, the result of a `Measurement`) then count from there, and the
        axis, as LTspice shows it, from the run's beginning.

        Parameters
        ----------
        t : array-like of float
            Times of the log, in s.

        Returns
        -------
        ndarray, shape of `t`
            Times of the axis in s, to be given to `at`; `t` itself for another axis than time.
        """
        at = np.asarray(t, np.float64)
        return at + self.offset if self.variables[0].type.lower() == "time" else at

    def at(self, name: str, t: ArrayLike, step: int | None = None) -> NDArray[Any]:
        """Return values of a variable between its points.

        Parameters
        ----------
        name : str
            Name of the variable.
        t : array-like of float
            Where on the axis, for example times in s; within the axis's range. Times of a log count
            otherwise if saving began late, see `from_log`.
        step : int, optional
            Which step; needed if there are several.

        Returns
        -------
        ndarray, shape of `t`
            float64 or complex128: exactly on the parabolas of a compressed plot, on straight
            lines elsewhere.

        Raises
        ------
        RawFileError
            There is no such variable or step, the plot has no axis or one that turns back, `t` is
            beyond the axis, or the file is gone or has changed.
        """
        points = self._points(step, needed=True)
        if self.axis is None or points.stop == points.start:
            what = "no axis" if self.axis is None else "no points"
            fail(
                self.path, f"the plot {self.plotname!r} has {what}", "take its columns as they are"
            )
        y = self._column(name, points)
        axis = self._stored_axis(points)
        marked = middles(axis) if self._marks else np.empty(0, np.intp)
        return between(
            self.path, self.plotname, self._true(axis), y, np.asarray(t, np.float64), marked,
            self.offset,
        )  # fmt: skip

    # ------------------------------------------------------------------ private

    @property
    def _marks(self) -> bool:
        """Whether a negative axis value is a mark: only LTspice's times are marked."""
        return (
            self.writer == "ltspice"
            and self.axis is not None
            and self.variables[0].type.lower() == "time"
            and not self.is_complex
        )

    @cached_property
    def _steps(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the steps start and stop."""
        n = self.n_points
        if "stepped" not in self.flags or n == 0:
            return np.zeros(1, np.intp), np.full(1, n, np.intp)
        if self.axis is None:
            return np.arange(n), np.arange(1, n + 1)
        axis = self._stored_axis(slice(0, n))
        return find_steps(
            np.abs(axis) if self._marks else axis,
            reverse="reverse" in self.flags,
            is_time=self.variables[0].type.lower() == "time",
            same_as_next=self._source.same_as_next,
        )

    def _by_name(self, points: slice, expand: bool = False) -> dict[str, NDArray[Any]]:
        columns = self._read(range(len(self.variables)), points)
        if expand and self.compressed:
            columns = self._expand(columns, points)
        result: dict[str, NDArray[Any]] = {}
        for name, column in zip(self.names, columns, strict=True):
            if name in result and not np.array_equal(result[name], column, equal_nan=True):
                self._ambiguous(name)
            result.setdefault(name, column)
        return result

    def _points(self, step: int | None, *, needed: bool) -> slice:
        """Return the points of a step; where it is `needed`, None stands for the only one."""
        if step is None and not (needed and self.n_steps > 1):
            # not self.steps[0], which would read the axis of a file that is not stepped
            return slice(0, self.n_points)
        n = self.n_steps
        if step is None or not 0 <= step < n:
            what = f"has {n} steps" + (" and none is chosen" if step is None else f", no {step}")
            fail(self.path, f"the plot {self.plotname!r} {what}", f"pass a step of 0 to {n - 1}")
        starts, stops = self._steps
        return slice(int(starts[step]), int(stops[step]))

    def _expand(self, columns: tuple[NDArray[Any], ...], points: slice) -> tuple[NDArray[Any], ...]:
        """Put points into the parabolas."""
        stored = self._stored_axis(points)
        if not len(middles(stored)):
            return columns
        grid = Grid(stored, columns[1:])
        return grid.times(columns[0]), *(grid.values(column) for column in columns[1:])

    def _column(self, name: str, points: slice) -> NDArray[Any]:
        """Read one column at some points."""
        found = positions(self.path, self.plotname, self.names, name)
        column = self._read(range(found[0], found[0] + 1), points)[0]
        for i in found[1:]:
            # "write out.raw v(a) v(a)" stores the same column twice
            if not np.array_equal(self._read(range(i, i + 1), points)[0], column, equal_nan=True):
                self._ambiguous(name)
        return column

    def _ambiguous(self, name: str) -> NoReturn:
        fail(
            self.path,
            f"the plot {self.plotname!r} has different columns named {name!r}",
            "take them by position from read_all()",
        )

    def _read(self, which: range, points: slice) -> tuple[NDArray[Any], ...]:
        """Return columns `which` (adjacent), in true units."""
        columns = self._source.read(which, points)
        if which.start == 0 and self.axis is not None:
            self._true(columns[0])
        for variable, column in zip(self.variables[which.start : which.stop], columns, strict=True):
            # ngspice leaves the imaginary part of frequencies uninitialised with -r
            if column.dtype.kind == "c" and variable.type.lower() == "frequency":
                column.imag = 0.0
        return columns

    def _true(self, axis: NDArray[Any]) -> NDArray[Any]:
        """Turn the stored axis into the true one, in place."""
        if self._marks:
            np.abs(axis, out=axis)
        if self.offset:
            # infinity says it as well, and a NaN stays one, a signalling one too
            with np.errstate(over="ignore", invalid="ignore"):
                axis += self.offset
        return axis

    def _stored_axis(self, points: slice) -> NDArray[np.float64]:
        """Return the axis as stored, without an imaginary part."""
        return self._source.read(range(1), points)[0].real
