"""Reader of the raw files that ngspice, LTspice, Qspice and Xyce write.

Binary and text files are read, real and complex, with any number of plots in one file. A header
counts its points before they are written: a run that was killed or that failed leaves ``No. Points:
0`` in front of valid data, and one that is still going a number that is too small. How many points
there are follows from the bytes that are there.

Binary numbers stay in the file until asked for: a file may be larger than the memory.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from spicealif.errors import RawFileError
from spicealif.rawfile._header import CutOff, Header, RawVariable, fail, parse_header
from spicealif.rawfile._lines import find_header
from spicealif.rawfile._place import place
from spicealif.rawfile._plot import RawPlot
from spicealif.rawfile._source import Source, stamp
from spicealif.rawfile._text import parse_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spicealif.rawfile._layout import Layout
    from spicealif.rawfile._plot import StepValues

__all__ = ["RawPlot", "RawVariable", "read_raw"]


def read_raw(
    path: str | os.PathLike[str], log: str | os.PathLike[str] | None = None
) -> list[RawPlot]:
    """Read the plots of a raw file.

    Parameters
    ----------
    path : path-like
        The raw file.
    log : path-like, optional
        The log that LTspice wrote with the file, for the values of the stepped parameters. If not
        given, the log beside a stepped file (``x.log`` beside ``x.raw``) is used, provided it is
        there and lists as many steps as the file has.

    Returns
    -------
    list of RawPlot
        In the order of the file; at least one. A plot whose header is cut off at the end of the
        file has no data and is left out, unless it is the only one.

    Raises
    ------
    RawFileError
        The file does not exist, cannot be read, is no raw file or holds no plot; or `log` cannot
        be read or lists another number of steps than the file has.
    """
    path = Path(path)
    values = None if log is None else _explicit_steps(Path(log))
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a pipe would wait for a writer
            fail(path, "it is not a regular file", "pass the raw file that the simulator wrote")
        with path.open("rb") as file:
            plots = _plots(file, path, values)
    except FileNotFoundError:
        fail(path, "the file does not exist", "check the path and that the simulation ran")
    except OSError as error:
        fail(path, f"the file cannot be read ({error.strerror})", "check the path and its mode")
    except ValueError as error:
        if isinstance(error, RawFileError):
            raise
        fail(path, f"this is no path ({error})", "pass the path of a raw file")
    if values is not None and log is not None:
        _check_steps(plots, values, Path(log))
    return plots


def _plots(file: BinaryIO, path: Path, values: StepValues | None) -> list[RawPlot]:
    """All plots of an open file."""
    status = os.fstat(file.fileno())
    size = status.st_size
    plots: list[RawPlot] = []
    header: Header | None = None
    position = 0
    while position < size:
        try:
            header = parse_header(file, path, position, header)
        except CutOff:
            break
        if header is None:
            break
        numbers: Layout | tuple[NDArray[Any], ...]
        if header.binary:
            numbers, n_points, position = place(file, path, header, size)
        else:
            position = find_header(file, header.data, size)
            numbers = parse_text(file, path, header, position)
            n_points = len(numbers[0])
        plots.append(
            RawPlot(
                path=path,
                title=header.title,
                date=header.date,
                plotname=header.plotname,
                writer=header.writer,
                command=header.command,
                flags=header.flags,
                variables=header.variables,
                offset=header.offset,
                n_points=n_points,
                n_points_declared=header.n_points,
                _source=Source(path, stamp(status), numbers),
                _log=values,
            )
        )
    if not plots:
        fail(
            path,
            "it is empty" if size == 0 else "it ends before its data begin",
            "run the simulation again, or copy the file again",
        )
    return plots


def _explicit_steps(log: Path) -> StepValues:
    """Read the steps of a log that the caller named."""
    from spicealif.errors import SpicealifError
    from spicealif.ltspice_log.log import read_ltspice_log

    try:
        return tuple(read_ltspice_log(log).steps)
    except (OSError, ValueError, SpicealifError) as error:
        if isinstance(error, RawFileError):
            raise
        fail(log, f"the log cannot be read ({error})", "pass the log that LTspice wrote")


def _check_steps(plots: list[RawPlot], values: StepValues, log: Path) -> None:
    """Refuse a log that lists another number of steps than a plot has."""
    stepped = [plot for plot in plots if "stepped" in plot.flags]
    n_steps = stepped[0].n_steps if stepped else 0
    if any(plot.n_steps != len(values) for plot in stepped) or (values and not stepped):
        fail(
            log,
            f"it lists {len(values)} steps, and {ascii(str(plots[0].path))} has {n_steps}",
            "pass the log of the same run",
        )
