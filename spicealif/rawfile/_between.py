"""What is asked of a plot by name and between its points."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.rawfile._compression import interpolate
from spicealif.rawfile._header import fail

__all__ = ["between", "positions"]

#: How far beyond the axis's ends may be asked, as a part of its length.
_SLACK = 1e-9


def positions(path: Path, plotname: str, names: tuple[str, ...], name: str) -> list[int]:
    """Return the positions of the variables that a name stands for.

    Case matters only where two names differ by nothing else.

    Raises
    ------
    RawFileError
        There is none.
    """
    exact = [i for i, n in enumerate(names) if n == name]
    if exact:
        return exact
    folded = [n.lower() for n in names]
    found = [i for i, n in enumerate(folded) if n == str(name).lower()]
    if not found:
        close = difflib.get_close_matches(str(name).lower(), folded, n=1)
        shown = [repr(n)[1:-1] for n in names[:20]]  # a damaged name may end a line
        known = ", ".join(shown) + (", ..." if len(names) > 20 else "")
        hint = f"use {names[folded.index(close[0])]!r} or" if close else "use"
        fail(path, f"the plot {plotname!r} has no variable {name!r}", f"{hint} one of {known}")
    return found


def between(
    path: Path, plotname: str, axis: NDArray[np.float64], y: NDArray[Any],
    at: NDArray[np.float64], marked: NDArray[np.intp], offset: float,
) -> NDArray[Any]:  # fmt: skip
    """Return values at places of the axis; see `RawPlot.at`.

    Raises
    ------
    RawFileError
        The axis turns back, or a place is beyond its ends.
    """
    if axis[-1] < axis[0]:  # a falling sweep; time never falls
        axis, y = axis[::-1], y[::-1]
    with np.errstate(all="ignore"):
        length = axis[-1] - axis[0]  # may overflow where its ends do not
    finite = np.isfinite(length) and np.isfinite(axis).all()
    if not finite or not (axis[1:] >= axis[:-1]).all():
        fail(path, f"the axis of the plot {plotname!r} turns back", "use columns()")
    with np.errstate(over="ignore"):
        slack = _SLACK * length
        inside = (at >= axis[0] - slack) & (at <= axis[-1] + slack) & np.isfinite(at)
    if not inside.all():
        late = f", and turn times of a log by from_log() first, which adds {offset:g}"
        fail(
            path,
            f"values are asked for outside the axis of the plot {plotname!r}",
            f"stay between {axis[0]:g} and {axis[-1]:g}{late if offset else ''}",
        )
    return interpolate(at.clip(axis[0], axis[-1]), axis, y, marked)
