"""Whether two loops are one record."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spicealif.errors import FitError
from spicealif.fit.loop import Loop

__all__ = ["check_same"]

_Digests = npt.NDArray[np.uint64]

#: Samples in a row that are the same in two records by no chance, if they change.
_ROW = 16
#: Differences below this part of a signal's range are those of a number's way through a file.
_SAME = 1e-5
#: Part of the shorter record that makes the two the same.
_PART = 0.5


def check_same(loops: tuple[Loop, ...]) -> None:
    """Refuse loops that hold the same samples, which would count twice.

    Parameters
    ----------
    loops : tuple of Loop

    Raises
    ------
    FitError
        If most of a loop's samples are in another one too.
    """
    rows = [_rows(loop) for loop in loops] if len(loops) > 1 else []
    for k, loop in enumerate(loops):
        for j in range(k):
            part = _shared(loops[j], loop, rows[j], rows[k])
            if part > _PART:
                raise FitError(
                    f"{loops[j].label} and {loop.label} hold the same samples ({part:.0%} "
                    "of the shorter one). They would count twice, and the intervals come out too "
                    "narrow; give each record once."
                )


def _shared(a: Loop, b: Loop, rows_a: _Digests, rows_b: _Digests) -> float:
    """Return which part of the shorter loop is in the other one."""
    if len(a.time) == len(b.time) and all(
        np.abs(x - y).max() <= _SAME * np.ptp(x)
        for x, y in ((a.v_mem, b.v_mem), (a.i, b.i), (a.v_in, b.v_in))
    ):
        return 1.0
    least = min(len(rows_a), len(rows_b))
    both = np.intersect1d(rows_a, rows_b, assume_unique=True)
    return len(both) / least if least else 0.0


def _rows(loop: Loop) -> _Digests:
    """Return the digests of all rows of samples in which something changes."""
    together = np.column_stack([loop.v_mem, loop.i, loop.v_in])
    # of the decade, which a part of a record has too; the 6th digit survives other ways of writing
    size = 10 ** np.floor(np.log10(np.maximum(np.abs(together).max(axis=0), 1e-300)))
    whole = np.round(together / size * 1e5).astype(np.int64)
    # one number of each sample, one of each row of samples, by wrapping multiplication
    factors = np.array(
        [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64
    )
    of_sample = (whole.astype(np.uint64) * factors).sum(axis=1, dtype=np.uint64)
    changes = np.any(np.diff(whole, axis=0) != 0, axis=1)
    moving = np.convolve(changes, np.ones(_ROW - 1), "valid") > _ROW / 2
    out = np.zeros(len(of_sample) - _ROW + 1, dtype=np.uint64)
    for k in range(_ROW):
        out = out * np.uint64(0x100000001B3) + of_sample[k : k + len(out)]
    kept: _Digests = np.unique(out[moving])
    return kept
