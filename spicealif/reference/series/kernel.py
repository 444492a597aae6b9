"""Compiled fixed-step RK4 kernel of the series circuit: source, resistor, memristor.

The state is x alone; the device's voltage follows from v + r i(v, x) = u at every instant. The MMS
model is built in, with one exponential for both switching probabilities (see
`spicealif.reference.kernel`); every other model comes as function pointers.

The exact state cannot leave [0, 1]. A step that is far too long can; its end is then put back, so
that no model is evaluated where it is not defined.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from spicealif._support.compiled import njit
from spicealif.reference.device import Device, solve_branch
from spicealif.reference.equations import (
    SIXTH,
    FloatArray,
    Numbers,
    Pair,
    mms_rate,
    mms_switching,
)

__all__ = ["simulate", "steady_state"]

#: Runs of one period to find the steady state; halving alone ends within these.
MAX_PERIODS = 60


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def _stage(
    u: float, r: float, x: float, mms: Sequence[float], w: Numbers, device: Device | None
) -> Pair:
    """Return v and dx/dt; a device given leaves its current in its last array."""
    if device is None:
        v = u / (1.0 + r * (mms[0] + mms[1] * x))
        return v, mms_rate(v, x, w)
    v = solve_branch(u, r, x, device)
    return v, device[1](v, x, device[2])


@njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)
def simulate(
    u: FloatArray,
    h: FloatArray,
    r: float,
    x_0: float,
    mms: Sequence[float],
    device: Device | None,
    v: FloatArray,
    i: FloatArray,
    x: FloatArray,
) -> float:
    """Integrate the series circuit by RK4 and write v, i and x at the ends of the steps.

    Parameters
    ----------
    u : ndarray, shape (2 n + 1,)
        Voltage of the source in V at the begin, the middle and the end of each of n steps. Where it
        jumps, give a step of length 0: its two ends may differ.
    h : ndarray, shape (n,)
        Lengths of the steps in s, 0 or more.
    r : float
        Series resistance in ohm, 0 or more.
    x_0 : float
        State at the begin, between 0 and 1.
    mms : sequence of float
        `Memristor.coefficients`; not used with a `device`, but of the same type in every call (a
        tuple and an array are compiled apart).
    device : Device or None
        See `spicealif.reference.device.compiled_device`; None is the MMS model. For one thread.
    v, i, x : ndarray, shape (n + 1,)
        Written to: the device's voltage in V, current in A and state at the step ends.

    Returns
    -------
    float
        The last state.
    """
    w: Numbers = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if device is None:
        w = mms_switching(mms[2], mms[3], mms[4], mms[5])
    (n, y) = (h.size, x_0)
    for k in range(n):
        step = h[k]
        (v_1, k_1) = _stage(u[2 * k], r, y, mms, w, device)
        (v[k], x[k]) = (v_1, y)
        if device is None:
            i[k] = v_1 * (mms[0] + mms[1] * y)
        else:
            i[k] = device[3][0]
        half = 0.5 * step
        (u_m, u_e) = (u[2 * k + 1], u[2 * k + 2])
        (_, k_2) = _stage(u_m, r, y + half * k_1, mms, w, device)
        (_, k_3) = _stage(u_m, r, y + half * k_2, mms, w, device)
        (_, k_4) = _stage(u_e, r, y + step * k_3, mms, w, device)
        y = min(max(y + step * SIXTH * (k_1 + 2.0 * (k_2 + k_3) + k_4), 0.0), 1.0)
    (v_1, _) = _stage(u[2 * n], r, y, mms, w, device)
    (v[n], x[n]) = (v_1, y)
    if device is None:
        i[n] = v_1 * (mms[0] + mms[1] * y)
    else:
        i[n] = device[3][0]
    return y


@njit(cache=True, error_model="numpy", nogil=True)
def steady_state(
    u: FloatArray,
    h: FloatArray,
    r: float,
    guess: float,
    mms: Sequence[float],
    device: Device | None,
    tolerance: float,
    v: FloatArray,
    i: FloatArray,
    x: FloatArray,
) -> int:
    """Find the state that one period of the drive reproduces; write v, i and x of that period.

    The map from the state at the begin to that at the end rises and stays in [0, 1], since
    trajectories of one state cannot cross: a fixed point lies above every state that a period
    raises and below every state that it lowers. Secant steps inside that bracket; the first step
    is the period itself.

    Parameters
    ----------
    u, h, r, mms, device, v, i, x
        As of `simulate`; one period.
    guess : float
        State to begin with, between 0 and 1. Where many states are steady (a drive below the
        thresholds of a model that has some), it decides.
    tolerance : float
        The change of the state at which the search ends.

    Returns
    -------
    int
        How many periods were run.
    """
    (low, high) = (0.0, 1.0)
    (x_a, g_a) = (math.nan, math.nan)
    x_b = min(max(guess, 0.0), 1.0)
    for count in range(1, MAX_PERIODS + 1):
        after = simulate(u, h, r, x_b, mms, device, v, i, x)
        g_b = after - x_b
        if g_b == 0.0 or math.isnan(g_b):
            return count
        if g_b > 0.0:
            low = x_b
        else:
            high = x_b
        # the first time NaN, which no comparison lets through
        x_c = x_b - g_b * (x_b - x_a) / (g_b - g_a)
        if not low <= x_c <= high:
            x_c = after if count < 3 and low <= after <= high else 0.5 * (low + high)
        if abs(x_c - x_b) <= tolerance:
            return count
        (x_a, g_a, x_b) = (x_b, g_b, x_c)
    return MAX_PERIODS
