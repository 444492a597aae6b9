"""A second opinion on a raw file: the Python package ``ltspice`` reads it as well."""

from __future__ import annotations

import contextlib
import io
import os
import threading
import warnings
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from spicealif._support.text import shown
from spicealif.errors import RawFileError
from spicealif.rawfile.raw import RawPlot, read_raw

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cross_check"]

#: Standard output and the warnings' filters belong to all threads.
_ONE_AT_A_TIME = threading.Lock()


def cross_check(path: str | os.PathLike[str], plot: RawPlot) -> str:
    """Read a raw file with the package ``ltspice`` and compare every value.

    Parameters
    ----------
    path : path-like
        A raw file.
    plot : RawPlot
        What our reader made of it, or of one of its plots.

    Returns
    -------
    str
        Empty if both read the same values; otherwise why the package was not asked: it is known
        to read such a file wrongly, or not at all.

    Raises
    ------
    RawFileError
        If the package reads anything else than we do, or cannot read a file that it should.
    """
    import ltspice

    name = str(path)
    if reason := _known_wrong(plot, several=_has_several_plots(path)):
        version = metadata.version("ltspice")
        return f"Not cross-checked: the package ltspice {version} {reason}."
    try:
        # The package prints what it guesses of the format.
        with (
            _ONE_AT_A_TIME,
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            other = ltspice.Ltspice(name)
            other.parse()
        columns = _columns(other)
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
        if key not in ours
        or key not in columns
        or not np.array_equal(ours[key], columns[key], equal_nan=True)
    )
    if differing:
        raise RawFileError(
            f"The package ltspice reads other values of {shown(', '.join(differing))} in "
            f"{ascii(name)} "
            "than spicealif does; do not trust either until it is known why, and report it."
        )
    return ""


def _known_wrong(plot: RawPlot, *, several: bool) -> str:
    """Return why the package is not to be asked; measured on ltspice 1.0.6, see the tests."""
    if plot.is_float32:
        return "fails on float32 values with NumPy 2.4 and later"
    if "fastaccess" in plot.flags:
        return "reads FastAccess files as garbage"
    if plot.writer in ("qspice", "xyce"):
        return "knows no raw files of this simulator"
    if several:
        return "fails on a file of several plots"
    if plot.truncated:
        return "fails on a file that ends early"
    if plot.offset:
        return "leaves the offset of the axis out"
    return ""


def _has_several_plots(path: str | os.PathLike[str]) -> bool:
    try:
        return len(read_raw(path)) > 1
    except RawFileError:
        return False  # damaged since it was read: the package will say so


def _columns(other: Any) -> dict[str, NDArray[Any]]:
    """Return the columns that the package read, all steps behind one another."""
    cases = range(other.case_count)
    names = other.variables
    columns = {
        name: np.concatenate([np.asarray(other.get_data(name, case)) for case in cases])
        for name in names[1:]
    }
    # Its axis is kept apart: without the marks of compressed points.
    columns[names[0]] = np.concatenate([np.asarray(other.get_x(case)) for case in cases])
    return columns
