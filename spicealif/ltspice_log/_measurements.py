"""Results of ``.meas`` in LTspice's logs.

Without steps a result is one line; which form it has depends on the question::

    vmax: MAX(v(out))=0.999956 FROM 0 TO 0.001       MAX, MIN, PP, AVG, RMS, INTEG
    vend: v(out)=0.993253 at 0.0005                  FIND ... AT, FIND ... WHEN, DERIV
    half: v(out)=0.5 AT 7.11305e-005                 WHEN: the result is what follows AT
    rise=0.000220382 FROM 1.11609e-005 TO 0.000231543   TRIG ... TARG
    twice: vmax*2=1.99991                            PARAM
    gain: v(out)=(-3.0103dB,-45 deg) at 1000         any of them in an AC analysis
    Measurement "never" FAIL'ed

With steps it is a table of tab-separated columns below ``Measurement: name``.
"""

from __future__ import annotations

import cmath
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.ltspice_log._text import parse_number, point

__all__ = ["Measurement", "Table", "failed", "failed_name", "parse_result", "read_table"]

_Floats = NDArray[np.float64]

_RANGE = re.compile(r" FROM (\S{1,40}) TO (\S{1,40})$")
_POINT = re.compile(r" (AT|at) (\S{1,40})$")
_FAILURE = re.compile(r'Measurement "([^"]{1,1000})" FAIL', re.IGNORECASE)
_ROW = re.compile(r"\s{0,20}([0-9]{1,9})\t")
# Not results, although they look like name=value.
_SETTING = ("N-Period", "Options:")
#: "Laplace(E1): Window=20ms Nfft=32768": what an element was set to. A result has one name.
_SETTINGS = re.compile(
    r"[^:]{1,300}: *(?:[A-Za-z]\w{0,40}=[^\s=]{1,60} {1,4}){1,20}[A-Za-z]\w{0,40}=\S+"
)
#: Nor has it an element's name in brackets, as in "Laplace(E1): Window=20".
_ELEMENT = re.compile(r"[A-Za-z]\w{0,40}\([A-Za-z][\w:.\u00a7]{0,200}\)")
# What stands behind a number of degrees: a degree sign, or what a wrong encoding made of it.
_COMPLEX = re.compile(r"\(([^,()]{1,40}?)(dB)?,([+-]?[0-9.a-zA-Z#+-]{1,40})([^),]{0,4})\)")


_SUFFIXED = re.compile(r"[\d.][A-Za-z\u00b5\u03bc]{1,4}$")
_COMMA_DB = re.compile(r"(\d),(\d{1,20}(?:[eE][+-]?\d{1,4})?dB,)")
_COMMA_DEGREES = re.compile(r"(,[+-]?\d{1,20}),(\d{1,20}(?:[eE][+-]?\d{1,4})?[^\d,)]{0,4}\))")


@dataclass(frozen=True, eq=False)
class Measurement:
    """A result of ``.meas``, over all steps.

    LTspice measures on the waveforms as it stores them: with the compression that is on by default
    a result can be off by percents of the waveform's range.

    Times count from the moment at which saving began (``Tstart`` of ``.tran``), and those of a raw
    file's axis from the run's: see `RawPlot.from_log`.

    Attributes
    ----------
    name : str
        The measurement, as LTspice writes it; it makes small letters of it up to 17.
    expression : str
        What was measured, as LTspice writes it; empty where it does not say (TRIG and TARG, or a
        failure).
    values : ndarray, shape (n_steps,)
        The results, float64 or, from an AC analysis, complex128, in SI units (a number in decibels
        and degrees is converted). Of a WHEN the time or the like at which it happened. NaN where
        the measurement failed; LTspice XVII and older write 0 for the steps that failed, which is
        read as 0. One value for a run without steps; fewer than steps if the log is damaged.
    from_, to : ndarray of float64, shape (n_steps,), or None
        The interval, of measurements that have one.
    at : ndarray of float64, shape (n_steps,), or None
        The point, of measurements that have one.
    """

    name: str
    expression: str
    values: _Floats | NDArray[np.complex128]
    from_: _Floats | None = None
    to: _Floats | None = None
    at: _Floats | None = None


@dataclass(frozen=True)
class Table:
    """A table of results as it stands in the log: indices of steps, texts of the columns."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[int, list[str]]]

    def measurement(self, n_steps: int) -> Measurement:
        """Convert the texts.

        Parameters
        ----------
        n_steps : int
            Number of steps of the run; 0 if not known.

        Returns
        -------
        Measurement
        """
        n = max(n_steps, len(self.rows))
        values: list[complex | float] = [math.nan] * n
        extra = {
            key: np.full(n, np.nan)
            for key in self.columns[1:]
            if key.lower() in {"from", "to", "at"}
        }
        for index, cells in self.rows:
            if not 0 < index <= n:
                continue
            for key, cell in zip(self.columns, cells, strict=False):
                number = _value(cell.strip())
                if key in extra and not isinstance(number, complex):
                    extra[key][index - 1] = math.nan if number is None else number
            if cells and (value := _value(cells[0].strip())) is not None:
                values[index - 1] = value
        named = {key.lower(): column for key, column in extra.items()}
        expression = self.columns[0] if self.columns else ""
        return Measurement(
            self.name,
            "" if expression == self.name else expression,
            _array(values),
            named.get("from"),
            named.get("to"),
            named.get("at"),
        )


def parse_result(line: str) -> Measurement | None:
    """Parse a result on one line.

    Parameters
    ----------
    line : str
        A line of the log without white space around it.

    Returns
    -------
    Measurement or None
        None if the line is something else.
    """
    if "=" not in line or line.startswith(_SETTING):
        return None
    body, start, stop, at = line, None, None, None
    when = False
    if match := _RANGE.search(line, max(0, len(line) - 100)):
        start, stop = parse_number(point(match[1])), parse_number(point(match[2]))
        body = line[: match.start()]
    elif match := _POINT.search(line, max(0, len(line) - 50)):
        at = parse_number(point(match[2]))
        when = match[1] == "AT"
        body = line[: match.start()]
    head, _, text = body.rpartition("=")
    name, colon, expression = head.partition(": ")
    if not name or ":" in name or any(map(str.isspace, name)):
        return None
    if start is None and at is None and (_SETTINGS.fullmatch(line) or _ELEMENT.fullmatch(name)):
        return None
    # What a WHEN waits for may be an expression; its result is the point.
    value = at if when and colon else _value(text)
    if value is None:
        return None
    return Measurement(
        name,
        f"{expression}={text}" if when else expression,
        _array([value]),
        *(None if x is None else np.array([x]) for x in (start, stop, at)),
    )


def failed_name(line: str) -> str:
    """Name of the measurement that a line says failed.

    Parameters
    ----------
    line : str
        A line of the log without white space around it.

    Returns
    -------
    str
        Empty if the line is something else.
    """
    match = _FAILURE.match(line)
    return match[1] if match else ""


def failed(name: str, n_steps: int) -> Measurement:
    """Make the result of a measurement that failed.

    Parameters
    ----------
    name : str
    n_steps : int

    Returns
    -------
    Measurement
        Its values are not writable: they share one number, so that they cost nothing.
    """
    return Measurement(name, "", np.broadcast_to(np.array(np.nan), (n_steps,)))


def read_table(lines: list[str], start: int) -> tuple[Table, int]:
    """Read the table below a line ``Measurement: name``.

    Parameters
    ----------
    lines : list of str
        The log.
    start : int
        Index of that line.

    Returns
    -------
    table : Table
    end : int
        Index of the first line that is not part of it.
    """
    name = lines[start].partition(":")[2].strip()
    columns: tuple[str, ...] = ()
    rows: list[tuple[int, list[str]]] = []
    k = start + 1
    while k < len(lines):
        line = lines[k]
        match = _ROW.match(line)
        if match:
            rows.append((int(match[1]), line[match.end() :].split("\t")))
        elif not columns and not rows and line.lstrip().startswith("step"):
            columns = tuple(cell.strip() for cell in line.split("\t")[1:])
        elif line.strip() or rows:
            break
        k += 1
    return Table(name, columns, rows), k


def _value(text: str) -> float | complex | None:
    """Parse a number, or a pair in one of LTspice's three notations; None if it is neither."""
    if not text.startswith("("):
        # LTspice writes results in full: "20m" is a setting
        return None if _SUFFIXED.search(text) else parse_number(point(text))
    if text.count(",") > 1:  # decimal commas: "(-3,0103dB,-45,5°)"
        text = _COMMA_DB.sub(r"\1.\2", _COMMA_DEGREES.sub(r"\1.\2", text))
    match = _COMPLEX.fullmatch(text)
    if not match:
        return None
    first, second = parse_number(match[1]), parse_number(match[3])
    if first is None or second is None:
        return None
    if not match[2] and not match[4]:
        return complex(first, second)
    if match[2]:
        # a magnitude that large has no other place to go
        first = 10 ** (first / 20) if first < 6000 else math.inf
    if not (math.isfinite(first) and math.isfinite(second)):
        return complex(first, math.nan) if math.isnan(second) else complex(first, 0.0)
    return cmath.rect(first, math.radians(second))


def _array(values: list[Any]) -> Any:
    """Make an array of what was parsed, complex if any of it is."""
    if any(isinstance(value, complex) for value in values):
        return np.array(values, dtype=np.complex128)
    return np.array(values, dtype=np.float64)
