"""A current from a file with columns: the points of a piecewise linear stimulus."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from spicealif.csvfile import (
    GENERIC,
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
    _check(values, name)
    return values.columns["time"].tolist(), values.columns["i"].tolist()


def _check(values: Values, name: str) -> None:
    time = values.columns["time"]
    if np.any(np.diff(time) <= 0) and len(time) >= 16:
        check_times(time, values.lines, name, _way, edges=True)


def _way(quantity: str, column: str) -> str:
    """Return how a design says that a column is a quantity."""
    return f"stimulus.columns.{quantity} = {column!r}"
