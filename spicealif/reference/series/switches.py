"""Compiled series circuit of a memristor whose metastable switches are drawn one by one."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.reference.device import Device, solve_branch
from spicealif.reference.switches import Switches, move_switches

__all__ = ["simulate_switches"]

FloatArray: TypeAlias = npt.NDArray[np.float64]


@njit(cache=True, error_model="numpy", nogil=True)
def simulate_switches(
    u: FloatArray,
    h: FloatArray,
    r: float,
    x_0: float,
    w: tuple[float, ...],
    device: Device,
    switches: Switches,
    v: FloatArray,
    i: FloatArray,
    x: FloatArray,
) -> float:
    """Draw the switches at the end of every step and write v, i and x at the steps' ends.

    The rates of turning are those at the device's voltage at begin, middle and end of the step.
    That voltage depends on x, which is taken to move by its mean within the step, so that the
    error of the mean falls with the square of the step.

    Parameters
    ----------
    u, h, r, x_0, v, i, x
        As of `spicealif.reference.series.kernel.simulate`; x_0 is a multiple of 1/N.
    w : tuple of float
        See `spicealif.reference.equations.mms_switching`.
    device : Device
        Of the MMS or GMMS model.
    switches : Switches
        The generator and N.

    Returns
    -------
    float
        The last state.
    """
    (_, rate, q, out) = device
    (n, y) = (h.size, x_0)
    for k in range(n):
        v_1 = solve_branch(u[2 * k], r, y, device)
        (v[k], i[k], x[k]) = (v_1, out[0], y)
        x_m = y + 0.5 * h[k] * rate(v_1, y, q)
        v_m = solve_branch(u[2 * k + 1], r, x_m, device)
        x_e = y + h[k] * rate(v_m, x_m, q)
        v_e = solve_branch(u[2 * k + 2], r, x_e, device)
        y = move_switches(y, (v_1, v_m, v_e), h[k], w, switches)
    v[n] = solve_branch(u[2 * n], r, y, device)
    (i[n], x[n]) = (out[0], y)
    return y
