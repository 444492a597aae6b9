"""Whether times rise, and what is wrong with those that do not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spicealif.csvfile.match import Way
from spicealif.errors import TableFileError

__all__ = ["check_times"]

_Floats = npt.NDArray[np.float64]
#: Part of the steps that may be longer because rows are missing.
_FEW = 0.1


def check_times(
    time: _Floats, lines: npt.NDArray[np.int64], name: str, way: Way, *, edges: bool = False
) -> str | None:
    """Refuse times that do not rise, and say why they do not.

    Parameters
    ----------
    time : ndarray, shape (N,)
        In s.
    lines : ndarray, shape (N,)
        Line of each in the file.
    name : str
        What the file is called in messages.
    way : callable
        Makes a remedy of a quantity and a column.
    edges : bool
        Whether two rows at one time may be meant as an edge of no duration.

    Returns
    -------
    str or None
        A note, where times rise but were rounded so much that their steps are not those of the
        record.

    Raises
    ------
    TableFileError
        If a time is not later than the one before.
    """
    steps = np.diff(time)
    if not len(steps):
        return None
    bad = np.flatnonzero(steps <= 0)
    if not len(bad):
        return _rounded_note(time, steps, way)
    line = lines[bad[0] + 1]
    if np.all(steps < 0):
        raise TableFileError(
            f"The times of {name} fall from row to row; turn the order of the rows."
        )
    back = np.flatnonzero(steps < 0)
    if not len(back) and time[-1] > time[0]:
        mean = (time[-1] - time[0]) / len(steps)
        cause = "written with too few digits"
        if np.abs(time).max() * np.finfo(float).eps > 0.01 * mean:
            cause = "so large that a double cannot tell them apart"
        # The steps that are left are what the times were rounded to.
        rounded = float(steps[steps > 0].min())
        if rounded >= 0.9 * mean:
            raise TableFileError(
                f"The time in line {line} of {name} ({time[bad[0] + 1]:g} s) is that of the row "
                f"before: the times are {cause} (the samples are about {mean:.3g} s apart); export "
                "more digits, or state the sampling interval instead of the column: "
                f"{way('time', 'every INTERVAL')}"
                + (", or give the edges a duration." if edges else ".")
            )
        raise TableFileError(
            f"The time in line {line} of {name} ({time[bad[0] + 1]:g} s) is that of the row "
            "before; remove one of the rows, or give the edge a duration."
        )
    if not len(back):
        raise TableFileError(
            f"The time of {name} does not rise (it stays at {time[0]:g} s); name the column of the "
            f"time: {way('time', 'HEADING')}."
        )
    at = lines[back[0] + 1]
    again = abs(time[back[0] + 1] - time[0]) <= 2 * float(np.median(np.abs(steps)))
    if again:
        raise TableFileError(
            f"The time of {name} begins again in line {at} ({time[back[0] + 1]:g} s); leave one "
            "record in the file."
        )
    raise TableFileError(
        f"The time of {name} does not rise after line {lines[back[0]]} ({time[back[0]]:g} s); sort "
        "the rows, or remove the second record."
    )


def _rounded_note(time: _Floats, steps: _Floats, way: Way) -> str | None:
    low, high = float(steps.min()), float(steps.max())
    quantum = high - low
    middle = float(np.median(steps))
    if len(steps) < 8 or not quantum > 0.02 * middle:
        return None
    # Equally spaced samples whose times were rounded have two steps that differ by one digit.
    whole = np.abs(steps / quantum - np.round(steps / quantum)) < 1e-3 + 1e-6 * steps / quantum
    two = np.minimum(np.abs(steps - low), np.abs(steps - high)) < 1e-3 * quantum
    # Rows that are missing leave steps of twice the interval, and few of them.
    missing = abs(high / low - round(high / low)) < 1e-3 and np.mean(steps > middle * 1.5) < _FEW
    if missing or not (whole.all() and two.all()):
        return None
    mean = (time[-1] - time[0]) / len(steps)
    ideal = time[0] + np.arange(len(time)) * mean
    if np.abs(time - ideal).max() > 1.5 * quantum:
        return None
    return (
        f"the times are rounded to {quantum:.3g} s and the samples about {mean:.4g} s apart; state "
        f"the sampling interval instead of the column if it is known: "
        f"{way('time', 'every INTERVAL')}."
    )
