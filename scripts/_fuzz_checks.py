"""What must hold of every input of the readers, whatever it holds.

`Raw`, `Log` and `Vectors` each take the bytes of one input and raise `Violated`, or whatever the
reader let escape, if something does not hold. Most checks are made of every input; the dear ones of
a part of them, chosen by the input's checksum, so that an input behaves the same whenever it is
tried.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import resource
import time
import tracemalloc
import zlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from spicealif.errors import LogFileError, RawFileError, WaveformError
from spicealif.ltspice_log.log import decode_log, parse_ltspice_log, read_ltspice_log
from spicealif.rawfile import _binary as _raw_binary
from spicealif.rawfile import _lines as _raw_lines
from spicealif.rawfile import _text as _raw_text
from spicealif.rawfile.raw import RawPlot, read_raw
from spicealif.rawfile.vectors import parse_sum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["CHECKS", "Log", "Raw", "Vectors", "Violated"]

#: Returned bytes a byte of a binary file; of a text file, whose shortest number takes two bytes
#: and becomes eight; of an expanded column, a byte of a stored one.
BINARY, TEXT, EXPANDED = 1, 4, 32
#: Bytes a byte of a log: a row of three bytes is worth four steps of four float64 values.
LOG = 64
#: Peak of memory: so much whatever the input, and so many bytes a byte of it.
PEAK, PEAK_PER_BYTE = 1 << 20, 1 << 10
#: Peak of the process's memory, which has a coarse grain.
RESIDENT = 1 << 26
#: Processor time: so much whatever the input, and so much a byte of it (64 kB: 1.5 s).
SECONDS, SECONDS_PER_BYTE = 0.2, 20e-6
#: Size to which some inputs are blown up, to see time and memory grow.
LARGE = 1 << 16

_TITLES = tuple(
    word.encode(code) for word in ("Title:", "Plotname:") for code in ("ascii", "utf-16-le")
)
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252", "latin-1")
_LOG_BESIDE = b"Circuit: * x\n\n.step r=1\n.step r=2k\n.step r=3meg\n\nDate: Mon Jan  1 2024\n"


class Violated(AssertionError):
    """Something does not hold that must."""


def hold(truth: object, what: str) -> None:
    """Raise `Violated` unless something is true."""
    if not truth:
        raise Violated(what)


def check_sentence(error: Exception, *, remedy: bool = True) -> None:
    """Check that an error is one printable line that ends in a full stop and names a remedy."""
    message = str(error)
    hold(len(message.splitlines()) == 1, f"a message has several lines: {message!r}")
    hold(message.isprintable(), f"a message has control characters: {message!r}")
    hold(message.endswith("."), f"a message has no full stop: {message!r}")
    hold(not remedy or "; " in message, f"a message names no remedy: {message!r}")


class _Check:
    """Limits of time and memory around a check, and the dear variants of it."""

    #: One input in so many is read again, measured by tracemalloc, blown up.
    again, measured, large = 4, 256, 2048

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, data: bytes) -> None:
        """Check one input."""
        key = zlib.crc32(data)
        self._limited(data, key)
        if key % self.measured == 0:
            self._peak(data, key)
        if key % self.large == 1:
            self._limited(_blown_up(data, key), key)

    def _limited(self, data: bytes, key: int) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        took = self._timed(data, key)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        hold(1024 * (after - before) < RESIDENT, f"{len(data)} bytes took {after - before} kB")
        allowed = SECONDS + SECONDS_PER_BYTE * len(data)
        if took > allowed:  # the machine may have been busy with something else
            took = min(self._timed(data, key) for _ in range(3))
            hold(took < allowed, f"{len(data)} bytes took {took:.2f} s")

    def _timed(self, data: bytes, key: int) -> float:
        start = time.process_time()
        self.check(data, key)
        return time.process_time() - start

    def _peak(self, data: bytes, key: int) -> None:
        tracemalloc.start()
        try:
            self.check(data, key)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        hold(peak < PEAK + PEAK_PER_BYTE * len(data), f"{len(data)} bytes took {peak} bytes")

    def check(self, data: bytes, key: int) -> None:
        """Check what a reader makes of one input."""
        raise NotImplementedError


class Raw(_Check):
    """`read_raw`, and everything that its plots can be asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "x.raw"
        self.cut = folder / "cut.raw"
        self.log = folder / "x.log"
        self.log.write_bytes(_LOG_BESIDE)
        self._files = {path: _rewritable(path) for path in (self.path, self.cut)}

    def check(self, data: bytes, key: int) -> None:
        """Check what the reader makes of one raw file."""
        self._write(self.path, data)
        plots = _read(self.path)
        if plots is None:
            return
        hold(plots, "no plot and no error")
        whole = [_check_plot(plot, key) for plot in plots]
        stored = sum(c.nbytes for columns in whole for c in columns)
        text = any(isinstance(plot._source.numbers, tuple) for plot in plots)
        hold(stored <= (TEXT if text else BINARY) * len(data), f"{stored} bytes of {len(data)}")
        if key % self.again == 0:
            self._check_again(key, plots, whole)
            self._check_cut(data, key, plots, whole)
        if key % self.measured == 2:
            _attempt(lambda: read_raw(self.path, log=self.log))

    def _check_again(self, key: int, plots: list[RawPlot], whole: list[_Columns]) -> None:
        """Check that the same bytes give the same, also when they are read in small pieces."""
        with _small_pieces(windows=key % 64 == 0):
            again = _attempt(lambda: read_raw(self.path), but="longer than a number")
            columns = [plot.read_all() for plot in again or ()]
        if again is None:
            return
        hold(len(again) == len(plots), "another number of plots again")
        hold(list(map(_head, again)) == list(map(_head, plots)), "other headers again")
        hold(all(map(_same, columns, whole)), "other columns again")

    def _check_cut(
        self, data: bytes, key: int, plots: list[RawPlot], whole: list[_Columns]
    ) -> None:
        """Check that a file cut off in the data of its last plot gives its first points."""
        if any(plot.n_points < plot.n_points_declared for plot in plots[:-1]):
            return  # that a plot is shorter than it says shows from what lies behind it
        last = plots[-1]
        size = sum(c.nbytes for c in whole[-1])
        told = last.n_points_declared or "fastaccess" not in last.flags
        if not size or not told:  # such a file says nothing of how its numbers lie
            return
        end = len(data)
        if isinstance(last._source.numbers, tuple):
            begin = max(data.rfind(b":\n"), data.rfind(b":\r\n"), data.rfind(b":\0\n\0")) + 4
        else:
            begin = last._source.numbers.data
            if "fastaccess" not in last.flags:  # a cut word behind the points may pass for one
                end = begin + size
        if begin >= end or any(title in data[begin:end] for title in _TITLES):
            return  # a plot that is cut off ends at the next header, and here is one
        cut = begin + (key >> 8) % (end - begin)
        self._write(self.cut, data[:cut])
        plots_cut = _read(self.cut)
        if plots_cut is None:
            return
        hold(len(plots_cut) <= len(plots), f"more plots in the first {cut} bytes")
        for ours, plot, columns in zip(plots_cut, plots, whole, strict=False):
            part = ours.read_all()
            if [c.dtype for c in part] != [c.dtype for c in columns]:
                return  # the file's size told how wide its numbers are
            hold(
                _same(part, tuple(c[: ours.n_points] for c in columns)),
                f"the first {cut} bytes give other values",
            )
            # of a file whose header counts too few, as many may be left as it counts
            if ours.n_points < plot.n_points and ours.n_points != ours.n_points_declared:
                hold(ours.truncated, f"the first {cut} bytes are not called truncated")

    def _write(self, path: Path, data: bytes) -> None:
        """Write into an open file, which is faster than a new one."""
        file = self._files[path]
        os.ftruncate(file, len(data))
        os.pwrite(file, data, 0)


_Columns = tuple["NDArray[Any]", ...]
_T = TypeVar("_T")


def _rewritable(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)


def _read(path: Path) -> list[RawPlot] | None:
    """Read a file, or check that it is refused as it should be."""
    return _attempt(lambda: read_raw(path))


def _attempt(work: Callable[[], _T], but: str = "") -> _T | None:
    """Return what `work` returns; None where it raises a proper RawFileError that says `but`."""
    try:
        return work()
    except RawFileError as error:
        check_sentence(error)
        hold(but in str(error), f"suddenly: {error}")
        return None


@contextlib.contextmanager
def _small_pieces(*, windows: bool) -> Iterator[None]:
    """Make the reader take small pieces of a file at a time, as it takes large ones of large files.

    Windows are read by threads, which take long to start.
    """
    sizes: list[tuple[Any, str, int]] = [
        (_raw_text, "_TEXT", 37),
        (_raw_lines, "_FIRST_SCAN", 7),
        (_raw_lines, "_SCAN", 101),
        (_raw_binary, "_BLOCK", 50),
        *([(_raw_binary, "_WINDOW", 120)] if windows else []),
    ]
    before = [getattr(module, name) for module, name, _ in sizes]
    try:
        for module, name, size in sizes:
            setattr(module, name, size)
        yield
    finally:
        for (module, name, _), size in zip(sizes, before, strict=True):
            setattr(module, name, size)


def _head(plot: RawPlot) -> tuple[Any, ...]:
    """Everything that a plot says of itself, but its file."""
    return (
        plot.title,
        plot.date,
        plot.plotname,
        plot.writer,
        plot.command,
        plot.flags,
        plot.variables,
        plot.offset,
        plot.n_points,
        plot.n_points_declared,
    )


def _same(some: Sequence[NDArray[Any]], others: Sequence[NDArray[Any]]) -> bool:
    """Whether columns are the same bit by bit: what is no number has bits as well."""
    return len(some) == len(others) and all(
        a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in zip(some, others, strict=True)
    )


def _check_plot(plot: RawPlot, key: int) -> _Columns:
    """Ask a plot for everything, and check that it fits together; return its columns."""
    columns = plot.read_all()
    n = plot.n_points
    hold(len(columns) == len(plot.variables) > 0, "another number of columns than of variables")
    hold(all(c.shape == (n,) for c in columns), "columns are not as long as the plot")
    hold(
        all(c.dtype.str in ("<f4", "<f8", "<c16") for c in columns),
        f"columns of type {[c.dtype for c in columns]}",
    )
    hold(plot.is_float32 == (columns[-1].dtype == np.float32), "is_float32 is wrong")
    hold(("real" in plot.flags) != plot.is_complex, "both real and complex, or neither")
    hold(
        plot.truncated == (plot.n_points_declared == 0 or n != plot.n_points_declared),
        "truncated is wrong",
    )
    hold(all("\n" not in name for name in plot.names), "a name of several lines")
    hold(plot.axis in (None, plot.names[0]), "the axis is not the first variable")
    _check_steps(plot, columns, key)
    if plot.axis is None or key >> 12 & 1:
        _check_names(plot, columns, key)
    else:
        _check_between(plot, columns, key)
    if plot.last is not None:
        hold(_bits(plot.last) == _bits(columns[0][-1].real), "another last value")
    return columns


def _bits(value: Any) -> bytes:
    return np.float64(value).tobytes()


def _check_names(plot: RawPlot, columns: _Columns, key: int) -> None:
    """Check the columns by name against those by position."""
    by_name = _attempt(plot.columns)
    names = plot.names
    distinct = len(set(names)) == len(names)
    hold(by_name is not None or not distinct, "distinct names are called ambiguous")
    if by_name is not None:
        first = _first(plot, columns)
        hold(tuple(by_name) == tuple(dict.fromkeys(names)), "columns() has other names")
        hold(_same(list(by_name.values()), first), "columns() differs from read_all()")
    i = key % len(names)
    one = _attempt(lambda: plot[names[i]])
    hold(one is not None or names.count(names[i]) > 1, "a name is called ambiguous")
    if one is not None:
        hold(_same([one], [columns[names.index(names[i])]]), "one column differs")
    hold(names[i] in plot, "a name is not in the plot")
    if key % 8 == 1:
        hold(names[i].lower() in plot, "a name in small letters is not in the plot")
        _attempt(lambda: plot[names[i].swapcase()])
        _attempt(lambda: plot["no such\nvariable\x1b"])


def _check_steps(plot: RawPlot, columns: _Columns, key: int) -> None:
    """Check the steps, and the columns of each, expanded too."""
    steps, n = plot.steps, plot.n_points
    hold(len(steps) == plot.n_steps >= 1, "another number of steps")
    hold(steps[0].start == 0 and steps[-1].stop == n, "points before the first or after the last")
    hold(all(a.start < a.stop for a in steps) or n == 0, "an empty step")
    gaps = [b.start - a.stop for a, b in itertools.pairwise(steps)]
    hold(all(gap in (0, 1) for gap in gaps), f"gaps of {set(gaps)} points between steps")
    values = plot.step_values
    hold(values is None or len(values) == len(steps), "as many step values as steps")
    if key % 8 == 2:
        _refused(lambda: plot.columns(step=len(steps)), "has a step that is not there")
        if len(steps) > 1:
            _refused(lambda: plot.columns(expand=True), "expands several steps at once")
    for k in {0, key % len(steps), len(steps) - 1}:
        expanded = _attempt(partial(plot.columns, k, expand=True))
        if expanded is None:
            continue  # ambiguous names
        part = _first(plot, tuple(c[steps[k]] for c in columns))
        if plot.compressed:
            _check_expanded(part, list(expanded.values()))
        else:
            hold(_same(list(expanded.values()), part), "expanding changed a plot")
        if key % 8 == 3:
            hold(_same(list(plot.columns(k).values()), part), "a step differs")


def _refused(work: Callable[[], Any], what: str) -> None:
    hold(_attempt(work) is None, what)


def _first(plot: RawPlot, columns: _Columns) -> _Columns:
    """Columns of each name, once."""
    first = dict(zip(reversed(plot.names), reversed(columns), strict=True))
    return tuple(first[name] for name in dict.fromkeys(plot.names))


def _check_expanded(stored: Sequence[NDArray[Any]], expanded: Sequence[NDArray[Any]]) -> None:
    """Check that all stored points are among the expanded ones, in order."""
    n = len(stored[0])
    hold([c.dtype for c in stored] == [c.dtype for c in expanded], "another type when expanded")
    hold(len({len(c) for c in expanded}) == 1, "expanded columns of several lengths")
    hold(n <= len(expanded[0]) <= EXPANDED * n, f"{len(expanded[0])} points instead of {n}")
    points = iter(_points(expanded))
    for k, point in enumerate(_points(stored)):
        hold(point in points, f"the stored point {k} is not there")  # goes on from the last one


def _points(columns: Sequence[NDArray[Any]]) -> list[bytes]:
    """Bytes of each point."""
    table = np.hstack([c.view(np.uint8).reshape(len(c), -1) for c in columns])
    return table.view(f"V{table.shape[1]}").ravel().tolist()


def _check_between(plot: RawPlot, columns: _Columns, key: int) -> None:
    """Ask for values between the points of a step, and at them."""
    k = key % plot.n_steps
    part = plot.steps[k]
    name = plot.names[(key >> 4) % len(columns)]
    i = plot.names.index(name)
    axis = columns[0][part].real
    if key % 8 == 4 or not len(axis):
        for beyond in (np.nan, np.inf, -np.inf):
            _refused(partial(plot.at, name, beyond, step=k), f"gives a value at {beyond}")
    if not len(axis):
        return
    if key % 8 == 5:
        with np.errstate(all="ignore"):
            middle = axis[0] / 2 + axis[-1] / 2
        _attempt(lambda: plot.at(name, [axis[0], middle], step=k))
    values = _attempt(lambda: plot.at(name, axis, step=k))
    if values is None:
        return
    hold(np.isfinite(axis).all(), "a value on an axis that is not finite")
    hold(values.shape == axis.shape, "values of another shape")
    with np.errstate(all="ignore"):
        y = columns[i][part].astype(values.dtype)
        step = np.diff(axis)
        moves = (step > 0).all() or (step < 0).all()
        largest = np.abs(y).max()
        off = np.abs(values - y).max()
    if moves and 0 < largest < 1e300 and not plot.compressed:
        hold(off <= 1e-9 * largest, "at the points, at() gives other values")


class Log(_Check):
    """`decode_log` and `parse_ltspice_log`, which never raise; `read_ltspice_log`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "x.log"

    def check(self, data: bytes, key: int) -> None:
        """Check what the reader makes of one log."""
        text, encoding = decode_log(data)
        hold(encoding in _ENCODINGS, f"an encoding called {encoding}")
        hold("\r" not in text, "an end of line that is left")
        hold(len(text) <= len(data), "more characters than bytes")
        log = parse_ltspice_log(text)
        hold(log.text == text and log.encoding == "", "another text")
        hold(len(log.steps) == len(log.step_lines), "steps and their lines differ")
        hold(all(log.steps), "a step without a value")
        hold(all(type(v) is float for s in log.steps for v in s.values()), "a step of no float")
        _check_measurements(log.measurements, len(data))
        _check_messages(log.messages)
        hold(set(log.errors) | set(log.warnings) == set(log.messages), "a message of no level")
        hold(set(log.fatal) <= set(log.errors) | set(log.warnings), "a fatal message of no level")
        for value in (log.elapsed_s, log.temp, log.tnom):
            hold(value is None or type(value) is float, "a fact of no float")
        hold(log.elapsed_s is None or log.finished, "a time of a run that did not end")
        if key % self.again == 0:
            hold(repr(parse_ltspice_log(text)) == repr(log), "something else again")
            cut = parse_ltspice_log(text[: (key >> 8) % (len(text) + 1)])
            whole = cut.step_lines[:-1]
            hold(whole == log.step_lines[: len(whole)], "a log that is cut off has other steps")
        if key % 64 == 0:
            self.path.write_bytes(data)
            try:
                again = read_ltspice_log(self.path)
            except LogFileError as error:
                check_sentence(error)
                raise
            hold((again.text, again.encoding) == (text, encoding), "the file reads differently")


def _check_measurements(measurements: dict[str, Any], size: int) -> None:
    held = 0
    for name, m in measurements.items():
        hold(m.name.lower() == name, "a measurement under another name")
        hold(m.values.dtype.str in ("<f8", "<c16"), f"a measurement of type {m.values.dtype}")
        hold(m.values.ndim == 1, "a table of a measurement")
        for other in (m.from_, m.to, m.at):
            hold(other is None or other.shape == m.values.shape, "limits of another shape")
            hold(other is None or other.dtype == np.float64, "limits of another type")
        arrays = [a for a in (m.values, m.from_, m.to, m.at) if a is not None]
        held += sum(a.nbytes for a in arrays if any(a.strides))  # else they share one number
    hold(held <= LOG * size + 1024, f"{held} bytes of measurements in {size} bytes")


def _check_messages(messages: Sequence[Any]) -> None:
    hold(len({m.text for m in messages}) == len(messages), "a message twice")
    for m in messages:
        hold(m.level in ("error", "warning"), f"a message of level {m.level}")
        hold(0 < len(m.text) <= 1000, f"a message of {len(m.text)} characters")
        hold(len(m.text.splitlines()) == 1, f"a message of several lines: {m.text!r}")
        hold(m.line is None or m.line >= 0, "a negative line")
        hold(all(type(n) is str and n for n in m.names), "an empty name")


class Vectors(_Check):
    """`parse_sum`: the input is the file's vectors, one a line, and in its last line the sum."""

    again = 1

    def check(self, data: bytes, key: int) -> None:
        """Check what the reader makes of one sum of vectors."""
        *names, text = data.decode("utf-8", "surrogateescape").split("\n")
        try:
            terms = parse_sum(text, names)
        except WaveformError as error:
            check_sentence(error)
            return
        hold(terms, "no term and no error")
        hold(all(name in names for _, name in terms), "a vector that the file lacks")
        hold(all(np.isfinite(factor) for factor, _ in terms), "a factor that is no number")
        hold(len(terms) <= 2 * len(text), "more terms than characters")
        hold(parse_sum(text, names) == terms, "something else again")
        if all(_PLAIN.fullmatch(name) for name in names):
            spelled = "".join(f"{factor:+.17g}*{name}" for factor, name in terms)
            hold(parse_sum(spelled, names) == terms, f"spelled as {spelled!r} it is another sum")


#: Names that nothing can be mistaken for.
_PLAIN = re.compile(r"v\([a-z]{3,8}[0-9]?\)|i\(r[0-9]\)|time")

CHECKS: dict[str, type[_Check]] = {"raw": Raw, "log": Log, "vectors": Vectors}


def _blown_up(data: bytes, key: int) -> bytes:
    """Repeat a part of an input until it is large."""
    if not data:
        return data
    begin = (key >> 11) % len(data)
    length = 1 + (key >> 3) % min(len(data) - begin, 1 << (key >> 20) % 13)
    part = data[begin : begin + length]
    return data[:begin] + part * ((LARGE - len(data)) // length) + data[begin:]
