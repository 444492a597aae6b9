"""Which samples a straight line between those kept gives as well, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spicealif._support.compiled import njit

__all__ = ["kept_samples"]

_Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def kept_samples(
    t: _Floats, values: _Floats, tolerance: _Floats, wanted: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which samples to keep.

    One pass: from the sample kept last a cone of slopes is narrowed by each sample that may be left
    out, until one lies outside it; the sample before that is kept.

    Parameters
    ----------
    t : ndarray, shape (N,)
        Not falling; samples at the same time are all kept.
    values : ndarray, shape (M, N)
        Of M traces.
    tolerance : ndarray, shape (M,)
        How far a straight line between kept samples may be from any sample.
    wanted : ndarray of bool, shape (N,)
        Samples that are kept in any case.

    Returns
    -------
    ndarray of bool, shape (N,)
    """
    (m, n) = values.shape
    out = np.zeros(n, np.bool_)
    if n == 0:
        return out
    out[0] = out[n - 1] = True
    (low, high) = (np.full(m, -np.inf), np.full(m, np.inf))
    (last, k) = (0, 1)
    while k < n:
        length = t[k] - t[last]
        inside = length > 0.0
        for j in range(m):
            if inside:
                slope = (values[j, k] - values[j, last]) / length
                inside = low[j] <= slope <= high[j]
        if not inside and last < k - 1:
            last = k - 1  # and look at k again from there
        elif not inside or wanted[k]:
            last = k
            k += 1
        else:
            for j in range(m):
                rise = values[j, k] - values[j, last]
                low[j] = max(low[j], (rise - tolerance[j]) / length)
                high[j] = min(high[j], (rise + tolerance[j]) / length)
            k += 1
            continue
        out[last] = True
        low[:] = -np.inf
        high[:] = np.inf
    return out
