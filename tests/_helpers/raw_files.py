"""Raw files made byte by byte."""

from __future__ import annotations

import numpy as np

LTSPICE = "Linear Technology Corporation LTspice XVII"


N = 5


NAMES = ("time\ttime", "V(a)\tvoltage", "I(B)\tdevice_current")


def header(
    names: tuple[str, ...] = NAMES,
    n: int | str = N,
    *,
    flags: str = "real forward",
    plotname: str = "Transient Analysis",
    command: str | None = LTSPICE,
    offset: str | None = "0.0000000000000000e+000",
    extra: str = "",
    after: str = "",
    end: str = "Binary",
    title: str = "* x",
) -> str:
    variables = "".join(f"\t{i}\t{name}\n" for i, name in enumerate(names))
    return (
        f"Title: {title}\nDate: Thu Feb 21 16:51:40 2019\nPlotname: {plotname}\nFlags: {flags}\n"
        f"No. Variables: {len(names)}\nNo. Points: {n:>12}\n"
        + ("" if offset is None else f"Offset:   {offset}\n")
        + ("" if command is None else f"Command: {command}\n")
        + f"{extra}Variables:\n{variables}{after}{end}:\n"
    )


def rows(axis: np.ndarray, *columns: np.ndarray, first: str = "f8", rest: str = "f4") -> bytes:
    fields = [("axis", f"<{first}")] + [(str(i), f"<{rest}") for i in range(len(columns))]
    table = np.zeros(len(axis), fields)
    table["axis"] = axis
    for i, column in enumerate(columns):
        table[str(i)] = column
    return table.tobytes()


def utf16(head: str) -> bytes:
    return head.encode("utf-16-le")
