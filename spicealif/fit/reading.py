"""From a file of an oscilloscope or a measuring program to a `Loop`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spicealif.csvfile import Table, Values, check_times, read_table, read_table_file
from spicealif.design import parse_quantity
from spicealif.errors import FitError, TableFileError
from spicealif.fit._columns import column_option, find_columns
from spicealif.fit._period import find_period, joins
from spicealif.fit._plausible import check_resistor, printable, unit_factor
from spicealif.fit.loop import Loop

__all__ = ["find_period", "read_loop"]

_Floats = npt.NDArray[np.float64]
#: Relative difference of the stated and the measured series resistor that is a contradiction.
_RESISTOR = 0.05


def read_loop(
    path: str | os.PathLike[str],
    *,
    series_resistor: float | str | None = None,
    columns: Mapping[str, str] | None = None,
    frequency: float | str | None = None,
    periodic: bool | None = None,
    name: str | None = None,
) -> Loop:
    """Read a measured loop from a text file with columns.

    Columns are found by their headings and units (``time_s``, ``v_memristor_V``, ``I [uA]``).
    Two of the device's voltage, the source's voltage and the current are enough where the series
    resistor is given.

    Parameters
    ----------
    path : path-like
        CSV or the like: commas, semicolons, tabs or blanks between columns, decimal points or
        commas, a preamble and comments are recognised.
    series_resistor : float or str, optional
        In ohm, such as ``"5k"``; found from the columns if all three are there.
    columns : mapping of str to str, optional
        Which column is ``time``, ``v_mem``, ``v_in`` or ``i``: a heading or a number from 1
        (``#2`` where headings are numbers), with its unit in brackets where the file does not say
        it, a minus in front to turn the sign. ``time`` may be ``every 2us``.
    frequency : float or str, optional
        Of the drive in Hz; found from the drive if not given.
    periodic : bool, optional
        Whether the device was in the steady state under a periodic drive; found from the drive
        if not given.
    name : str, optional
        What the loop is called; the file's name if not given.

    Returns
    -------
    Loop

    Raises
    ------
    FitError
        If the file cannot be read, columns are missing or contradict each other, or the period
        cannot be found.
    """
    path = Path(path)
    label = printable(path.name)
    try:
        data = read_table_file(path, "a CSV file")
        table = read_table(data, ascii(path.name))
    except TableFileError as error:
        raise FitError(str(error)) from None
    r_s = _quantity("series resistor", series_resistor, "ohm")
    if r_s is not None and r_s < 0:
        raise FitError(f"The series resistor of {r_s:g} ohm is negative; give 0 or more.")
    f = _quantity("frequency", frequency, "Hz")
    if f is not None and not f > 0:
        raise FitError(f"The frequency of {f:g} Hz is not positive; give that of the drive.")
    try:
        values = find_columns(table, columns or {}, one_voltage=not r_s)
    except TableFileError as error:
        raise FitError(str(error)) from None
    found, notes = values.columns, [f"{label}: {note}" for note in values.notes]
    time = _time(values, f, table, notes)
    v_mem, i, v_in, r_s = _completed(found, r_s, label, notes)
    if len(time) < 16:
        raise FitError(f"{label} has {len(time)} samples; a fit needs at least 16.")
    try:
        rounded = check_times(time, values.lines, table.name, column_option)
    except TableFileError as error:
        raise FitError(str(error)) from None
    notes += [f"{label}: {rounded}"] if rounded else []
    period = 1 / f if f is not None else None
    if periodic is False:
        period = None
    elif period is None:
        period = find_period(time, v_in)
        if period is None and periodic:
            raise FitError(f"{label}: the drive's period cannot be found; give its frequency.")
        notes.append(
            f"{label}: taken as a single shot"
            + (
                ". If it is one period of a steady state, give its --frequency."
                if joins(time, v_in)
                else "."
            )
            if period is None
            else f"{label}: taken as the steady state under a drive of {1 / period:.6g} Hz."
        )
    if period is not None and period > (time[-1] - time[0]) * len(time) / (len(time) - 1) * 1.01:
        raise FitError(
            f"{label} is shorter than a period of {period:g} s; give the drive's frequency, or "
            "fit it as a single shot."
        )
    return Loop(
        time, v_mem, i, v_in, r_s, period, name or printable(path.stem), label,
        hashlib.sha256(data).hexdigest(), tuple(notes), made=_made(found, r_s),
    )  # fmt: skip


def _made(found: dict[str, _Floats], r_s: float) -> str:
    """Return which quantity was made of the two others."""
    missing = [name for name in ("v_mem", "i", "v_in") if name not in found]
    return missing[0] if len(missing) == 1 and r_s else ""


def _quantity(what: str, value: float | str | None, unit: str) -> float | None:
    if value is None:
        return None
    try:
        return parse_quantity(value, unit)
    except ValueError as error:
        raise FitError(f"The {what} {error}.") from None


def _time(values: Values, frequency: float | None, table: Table, notes: list[str]) -> _Floats:
    """Return the time, made of the drive's frequency where no column has it."""
    if "time" in values.columns:
        return values.columns["time"]
    n = len(table.lines)
    if frequency is None:
        step = f"{table.interval:g}s" if table.interval else "INTERVAL"
        told = ", which its preamble gives" if table.interval else ""
        raise FitError(
            f"The file {table.name} has no time column; name it (--column time=HEADING), say how "
            f"far apart the samples are (--column 'time=every {step}'{told}), or give the "
            "frequency of the drive if the file holds one period."
        )
    notes.append(f"{table.name[1:-1]} has no time column; its {n} samples are taken as one period.")
    # Rows that were left out took their time as well.
    return values.rows / (n * frequency)


def _completed(
    found: dict[str, _Floats], r_s: float | None, label: str, notes: list[str]
) -> tuple[_Floats, _Floats, _Floats, float]:
    """Return v_mem, i, v_in and the series resistor, made of each other where one is missing."""
    (v_mem, i, v_in) = (found.get(name) for name in ("v_mem", "i", "v_in"))
    if v_mem is not None and i is not None and v_in is not None:
        large = np.abs(i) > 0.3 * np.abs(i).max()
        if not large.any() or not np.abs(i).max() > 0:
            raise FitError(f"{label}: no current flows; check the column of the current.")
        with np.errstate(all="ignore"):
            seen = float(np.median((v_in - v_mem)[large] / i[large]))
        if r_s is None:
            if unlikely := check_resistor(seen, v_in, v_mem, label):
                notes.append(unlikely)
            notes.append(f"{label}: series resistor of {seen:.5g} ohm, from the columns.")
            return v_mem, i, v_in, max(seen, 0.0)
        if abs(seen - r_s) > _RESISTOR * max(r_s, seen):
            raise FitError(
                f"{label}: the voltages and the current say {seen:.4g} ohm where the series "
                f"resistor is said to be {r_s:.4g} ohm; mend the resistor, or the units or signs "
                f"of the columns.{unit_factor(seen / r_s) if r_s else ''} A channel that is cut "
                "off at its range or compliance says so too: leave such cells empty."
            )
        return v_mem, i, v_in, r_s
    if r_s is None and v_in is None and v_mem is not None and i is not None:
        notes.append(f"{label}: no series resistor; the source is right across the device.")
        return v_mem, i, v_mem, 0.0
    if not r_s:
        voltage = v_in if v_mem is None else v_mem
        if r_s == 0 and voltage is not None and i is not None:
            return voltage, i, voltage, 0.0
        have = ", ".join(found) or "nothing"
        raise FitError(
            f"{label}: of device voltage, source voltage and current two are needed and the "
            f"series resistor (found: {have}); give --series-resistor or name the columns with "
            "--column."
        )
    if i is None and v_mem is not None and v_in is not None:
        return v_mem, (v_in - v_mem) / r_s, v_in, r_s
    if v_in is None and v_mem is not None and i is not None:
        return v_mem, i, v_mem + r_s * i, r_s
    if v_mem is None and v_in is not None and i is not None:
        return v_in - r_s * i, i, v_in, r_s
    raise FitError(
        f"{label}: two of device voltage, source voltage and current are needed (found: "
        f"{', '.join(found)}); name the columns with --column, as in --column v_mem=HEADING."
    )
