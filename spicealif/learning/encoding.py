"""From scaled inputs to currents: what a neuron of a stage is driven by.

Every encoding takes numbers u between 0 and 1 and gives a current between i_low and i_high over the
duration of a sample. Edges take a microsecond, on both sides of the comparison, so that ideal
equations and circuit get the same current.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENCODINGS", "OVER_TIME", "SLOTS", "T_EDGE", "Encoding", "currents"]

_Floats: TypeAlias = NDArray[np.float64]
Encoding: TypeAlias = Literal["amplitude", "rate", "first-spike", "series", "steps"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
#: Those whose inputs are K values over time, not one.
OVER_TIME: tuple[Encoding, ...] = ("series", "steps")
#: Slots of a sample's duration that pulses and onsets lie in.
SLOTS = 64
#: Duration of an edge in s, at most; a twentieth of a slot or step if that is shorter.
T_EDGE = 1e-6


def currents(
    u: _Floats, encoding: Encoding, i_low: float, i_high: float, duration: float
) -> tuple[_Floats | None, _Floats]:
    """Return the currents that inputs stand for.

    Parameters
    ----------
    u : ndarray, shape (n,) or (n, K)
        Inputs from 0 to 1; K values over time for ``series`` and ``steps``.
    encoding : {"amplitude", "rate", "first-spike", "series", "steps"}
        ``amplitude``: constant, ``i_low + u (i_high - i_low)``. ``rate``: of `SLOTS` equal slots
        ``round(u SLOTS)`` begin with a pulse of half a slot from i_low to i_high, spread evenly.
        ``first-spike``: i_low, and i_high from ``(1 - u) duration`` on, rounded to a slot; never
        for u = 0. ``series``: the K values at equally spaced times from 0 to the end, joined by
        straight lines. ``steps``: each of the K values held for a K-th of the duration.
    i_low, i_high : float
        In A.
    duration : float
        In s.

    Returns
    -------
    times : ndarray, shape (P,), or None
        In s, from 0 to the duration; None where currents do not change.
    i : ndarray, shape (n, P) or (n,)
        In A at these times, joined by straight lines.
    """
    scale = i_high - i_low
    if encoding == "amplitude":
        return None, i_low + u * scale
    if encoding == "series":
        if u.shape[1] == 1:
            return None, i_low + u[:, 0] * scale
        times = np.linspace(0.0, duration, u.shape[1])
        times[-1] = duration
        return times, i_low + u * scale
    if encoding == "steps":
        return _held(u, i_low, scale, duration)
    slots = np.arange(SLOTS)
    if encoding == "rate":
        count = np.round(u * SLOTS)[:, None]
        begun = np.floor((slots + 1) * count / SLOTS) > np.floor(slots * count / SLOTS)
        halves = np.zeros((len(u), 2 * SLOTS))
        halves[:, ::2] = begun
        return _held(halves, i_low, scale, duration)
    onset = np.round((1 - u) * SLOTS)[:, None]
    return _held((slots >= onset).astype(float), i_low, scale, duration)


def _held(
    u: _Floats, i_low: float, scale: float, duration: float
) -> tuple[_Floats | None, _Floats]:
    """Return values held one after the other, each reached by an edge after its begin."""
    n, k = u.shape
    if k == 1:
        return None, i_low + u[:, 0] * scale
    begin = np.arange(1, k) * (duration / k)
    edge = min(T_EDGE, duration / k / 20)
    times = np.concatenate([[0.0], np.column_stack([begin, begin + edge]).ravel(), [duration]])
    values = np.empty((n, 2 * k))
    values[:, ::2] = values[:, 1::2] = u
    return times, i_low + values * scale
