"""All checks of loops before they are fitted."""

from __future__ import annotations

from collections.abc import Sequence

from spicealif.fit._plausible import check_loop, check_units
from spicealif.fit._same import check_same
from spicealif.fit._stated import check_frequency
from spicealif.fit.loop import Loop

__all__ = ["check_loops"]


def check_loops(loops: Sequence[Loop]) -> list[str]:
    """Return sentences on what is unlikely in loops.

    Parameters
    ----------
    loops : sequence of Loop

    Raises
    ------
    FitError
        If a loop cannot be what it is said to be, or two are the same.
    """
    check_same(tuple(loops))
    said = []
    for loop in loops:
        # what is said of a loop with a wrong unit or frequency is not to be relied on
        check_units(loop)
        said += check_frequency(loop)
        said += check_loop(loop)
    return said
