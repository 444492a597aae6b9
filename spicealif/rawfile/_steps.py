"""Where the steps of a stepped plot (``.step``, nested ``.dc``) begin and end.

The file says that it is stepped, not where; a new step shows in an axis that starts again. The
values of the stepped parameter stand in LTspice's log alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spicealif.errors import SpicealifError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["find_steps", "steps_beside"]


def find_steps(
    axis: NDArray[np.float64],
    *,
    reverse: bool,
    is_time: bool,
    same_as_next: Callable[[NDArray[np.intp]], NDArray[np.bool_]],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the steps of a stepped plot.

    Parameters
    ----------
    axis : ndarray, shape (N,)
        The axis, N > 0; times without the sign that marks compression.
    reverse : bool
        Whether it falls within a step.
    is_time : bool
        Whether it is time, which rises, whatever happens.
    same_as_next : callable
        Called with indices of points; tells which of them equal the next point in every variable.

    Returns
    -------
    starts, stops : ndarray of int, shape (n_steps,)
        Step k is the points ``starts[k]`` to ``stops[k] - 1``. Points between steps belong to
        none: LTspice IV writes the first point of each step but the first one twice.
    """
    starts = None if is_time else _repeated(axis)
    if starts is None:
        # no differences: that of two infinities is no number
        before, after = axis[:-1], axis[1:]
        back = after > before if reverse else after < before
        if not is_time:
            # In a sweep the same value twice is another step of one point, unless it is the point
            # that LTspice IV writes twice.
            again = np.flatnonzero(after == before)
            doubled = np.zeros(len(again), np.bool_)
            later = np.flatnonzero((again > 0) & back[again - 1])
            doubled[later] = same_as_next(again[later])
            back[again[~doubled]] = True
        starts = np.concatenate(([0], np.flatnonzero(back) + 1))
    stops = np.append(starts[1:], len(axis))
    # only a step that has another point after the doubled one can tell
    twice = np.flatnonzero((starts > 0) & (stops - starts > 1))
    twice = twice[axis[starts[twice]] == axis[starts[twice] + 1]]
    twice = twice[same_as_next(starts[twice])]
    starts[twice] += 1
    return starts, stops


def _repeated(axis: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """Return the starts of steps if the axis is one list of values repeated, else None.

    Such a list need not be sorted (``.dc V1 list 1 3 2``), and may have one entry
    (``.ac list 1k``): an axis that starts again does not show there.
    """
    first = np.flatnonzero(axis == axis[0])
    n = len(axis)
    if len(first) < 2 or n % len(first):
        return None
    length = n // len(first)
    table = axis.reshape(len(first), length)
    return np.arange(0, n, length) if (table == table[0]).all() else None


def steps_beside(path: Path) -> tuple[dict[str, float], ...] | None:
    """Read the steps from the log beside a raw file; None if there is none that can be read."""
    from spicealif.ltspice_log.log import read_ltspice_log

    log = path.with_suffix(".log")
    try:
        return tuple(read_ltspice_log(log).steps) if log.is_file() else None
    except (OSError, ValueError, SpicealifError):
        return None
