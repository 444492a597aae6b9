"""A current from a file with columns: the points of a piecewise linear stimulus."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from spicealif._support.kept import tell
from spicealif._support.text import counted
from spicealif.csvfile import (
    GENERIC,
    Match,
    Quantity,
    Values,
    check_times,
    listed,
    match_columns,
    names,
    read_table,
    read_table_file,
    read_values,
)
from spicealif.errors import DesignError, TableFileError

__all__ = ["read_points"]

_TIME = Quantity("time", "the time", "s", GENERIC["s"])
_RECORD = 16  # rows that an instrument or a program wrote, rather than a person
#: Part of the largest current that is worth a word where it flows outside the rows.
_HELD = 1e-3
_CURRENT = Quantity(
    "i",
    "the current",
    "A",
    GENERIC["A"]
    | names(
        "iin iinj istim iext iapp isource imem idrive ii0 i0 inputcurrent currentin stimulus "
        "stimuluscurrent injectedcurrent drivecurrent sourcecurrent"
    ),
)


def read_points(
    path: str | os.PathLike[str], columns: Mapping[str, str] | None
) -> tuple[list[float], list[float]]:
    """Return times in s and currents in A.

    Raises
    ------
    DesignError
        If the file cannot be read, or something in it could mean two things.
    """
    wanted = dict(columns or {})
    if any(not isinstance(text, str) for text in wanted.values()):
        raise DesignError(
            "The columns of a stimulus are texts; write them as in columns = {time = '1', i = '2'}."
        )
    name = ascii(os.fspath(path))
    try:
        data = read_table_file(path, "a CSV file with time and current")
        return _points(data, name, wanted)
    except TableFileError as error:
        raise DesignError(str(error)) from None


def _points(data: bytes, name: str, wanted: dict[str, str]) -> tuple[list[float], list[float]]:
    table = read_table(data, name)
    if not any(table.headings) and not (wanted or table.doubt or table.has_preamble):
        if len(table.columns) != 2:
            raise TableFileError(
                f"The file {name} has {len(table.columns)} columns and no headings; write headings "
                "with units over them, such as t_s and i_A."
            )
        wanted = {"time": "#1", "i": "#2"}
    match = match_columns(table, (_TIME, _CURRENT), wanted, _way)
    missing = [q for q in (_TIME, _CURRENT) if q.name not in match.picks]
    if missing:
        raise TableFileError(
            f"In {name} no column is known as {missing[0].what} (headings: "
            f"{listed(table.headings)}); name its heading {'t_s' if missing[0] is _TIME else 'i_A'}"
            f" (with the unit that it is in), or say {_way(missing[0].name, 'HEADING')}."
        )
    values = read_values(match, skip=False)
    rounded = _check(values, name)
    _tell(values, match, name, [rounded] if rounded else [])
    return values.columns["time"].tolist(), values.columns["i"].tolist()


def _tell(values: Values, match: Match, name: str, more: list[str]) -> None:
    """Tell what was taken and assumed, where anything was, and what the rows do not say."""
    taken, *assumed = values.notes
    # Of two columns with units nothing was chosen, unless the times were made.
    made = "time" not in match.taken.values()
    notes = [taken, *assumed] if made or assumed or len(match.table.columns) > 2 else []
    notes += more
    t, i = values.columns["time"], values.columns["i"]
    level = _HELD * float(np.abs(i).max())
    if len(t) == 1:
        notes.append(f"it has one row; its {i[0]:.4g} A flow all the time.")
    else:
        if t[0] > 0 and abs(i[0]) > level:
            notes.append(f"before its first row ({t[0]:.6g} s) that row's {i[0]:.4g} A flow.")
        if abs(i[-1]) > level:
            notes.append(f"after its last row ({t[-1]:.6g} s) that row's {i[-1]:.4g} A flow on.")
    for note in notes:
        tell(f"{name}: {note}")


def _check(values: Values, name: str) -> str | None:
    """Refuse times that do not rise or begin too early; return a note on rounded ones."""
    time, lines = values.columns["time"], values.lines
    note = None
    # The causes that are looked for are those of records; a few rows were written by hand.
    if len(time) >= _RECORD:
        note = check_times(time, lines, name, _way, edges=True)
    elif len(bad := np.flatnonzero(np.diff(time) <= 0)):
        k = int(bad[0])
        raise TableFileError(
            f"The time in line {lines[k + 1]} of {name} ({time[k + 1]:g} s) is not later than that "
            f"in line {lines[k]} ({time[k]:g} s); sort the rows, and give each edge a duration."
        )
    if time[0] < 0:
        before = int(np.sum(time < 0))
        raise TableFileError(
            f"The times of {name} begin at {time[0]:g} s (line {lines[0]}), before the run does; "
            f"remove the {counted(before, 'row')} before 0, or add {-time[0]:g} s to all times."
        )
    return note


def _way(quantity: str, column: str) -> str:
    """Return how a design says that a column is a quantity."""
    return f"stimulus.columns.{quantity} = {column!r}"
