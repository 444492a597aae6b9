"""Spike trains as sums of decaying exponentials: their integrals, exact and at linear cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spicealif._support.compiled import njit

__all__ = ["integrals"]

_Floats = NDArray[np.float64]


def integrals(t: _Floats, tau: float, t_stop: float) -> tuple[float, float, float]:
    r"""Return integrals of f(t) = sum over spikes before t of exp(-(t - t_k) / tau).

    With m_k, what f is just before its k-th spike, by m_k = (m_{k-1} + 1) exp(-dt / tau), the
    integral of f^2 / tau from 0 on is the sum of 1/2 + m_k, and what lies behind t_stop
    f(t_stop)^2 / 2.

    Parameters
    ----------
    t : ndarray, shape (n,)
        Spike times in s, sorted, up to t_stop.
    tau, t_stop : float
        In s.

    Returns
    -------
    first, second, whole : float
        The integrals of f and f^2 up to t_stop, and of f^2 to infinity, all over tau.
    """
    train = np.require(t, np.float64, ["C", "A", "W"])  # read-only: another type to numba
    return _integrals(train, float(tau), float(t_stop))


@njit(nogil=True)
def _integrals(t: _Floats, tau: float, t_stop: float) -> tuple[float, float, float]:
    first = whole = left = 0.0
    for k in range(t.shape[0]):
        if k > 0:
            left = (left + 1.0) * np.exp((t[k - 1] - t[k]) / tau)
        first += 1.0 - np.exp((t[k] - t_stop) / tau)
        whole += 0.5 + left
    second = whole
    if t.shape[0] > 0:
        end = (left + 1.0) * np.exp((t[-1] - t_stop) / tau)
        second -= 0.5 * end * end
    return first, second, whole
