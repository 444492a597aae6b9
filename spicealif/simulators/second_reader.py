"""A second opinion on a raw file: the Python package ``ltspice`` reads it as well."""

from __future__ import annotations

import contextlib
import io
import os
import warnings

import numpy as np

from spicealif.errors import RawFileError
from spicealif.simulators.raw import RawPlot

__all__ = ["cross_check"]


def cross_check(path: str | os.PathLike[str], plot: RawPlot) -> None:
    """Read a raw file with the package ``ltspice`` and compare every value.

    Parameters
    ----------
    path : path-like
        A binary ngspice raw file of real values with a single, complete plot; other files the
        package does not read, or not rightly.
    plot : RawPlot
        What our reader made of it.

    Raises
    ------
    RawFileError
        If the package cannot read the file or reads anything else than we do.
    """
    import ltspice

    name = str(path)
    try:
        # The package prints what it guesses of the format.
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = ltspice.Ltspice(name)
            other.parse()
        columns = {v: other.get_data(v) for v in other.variables[1:]}
        columns[other.variables[0]] = other.get_time()
    except Exception as error:
        # The package raises whatever it meets.
        raise RawFileError(
            f"The package ltspice cannot read {ascii(name)} ({type(error).__name__}); compare it "
            "without the cross-check."
        ) from None
    ours = plot.columns()
    differing = sorted(
        key
        for key in ours.keys() | columns.keys()
        if key not in ours or key not in columns or not np.array_equal(ours[key], columns[key])
    )
    if differing:
        raise RawFileError(
            f"The package ltspice reads other values of {', '.join(differing)} in {ascii(name)} "
            "than spicealif does; do not trust either until it is known why, and report it."
        )
