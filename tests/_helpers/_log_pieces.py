"""Pieces of logs, and a file of Qspice, for the tests of wordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

HEAD = "Circuit: * x.asc\n\n"
END = "\n\nTotal elapsed time: 0.1 seconds.\n"


def plot_of(path: Path) -> Path:
    """Write a file of two steps as Qspice does; return its path."""
    lines = [
        "Title: * x",
        "Date: x",
        "Plotname: Transient Analysis",
        "Flags: real stepped",
        "Abscissa: 0.0 1e-3 ",
        "No. Variables: 2",
        "No. Points: 10      ",
        "Command: QSPICE64, Build x",
        ".param temp=27",
        "Variables:",
        "\t0\tTime\ttime",
        "\t1\tV(out)\tvoltage",
        "Binary:",
        "",
    ]
    t, v = np.tile(np.linspace(0, 1e-3, 5), 2), np.tile(np.linspace(0, 1, 5), 2)
    path.write_bytes("\n".join(lines).encode() + np.column_stack((t, v)).astype("<f8").tobytes())
    return path
