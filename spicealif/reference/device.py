"""A memristor model's equations, compiled, and the branch of device and series resistor.

The kernels have the MMS model and the resistor built in; every other model reaches them as two
function pointers with their coefficients, so that a new model needs no new kernel. The indirect
calls and the branch's equation, which is implicit where a current is not linear in v, make a step
about four times as long.
"""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import types
from numba.core.errors import NumbaExperimentalFeatureWarning

from spicealif._support.compiled import cfunc, njit
from spicealif.design.devices import MemristorModel

__all__ = ["Device", "compiled_device", "compiled_functions", "solve_branch"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
#: The model's current and rate, compiled; coefficients; room for the three results of `current` and
#: the voltage of the last branch.
Device: TypeAlias = tuple[Any, Any, FloatArray, FloatArray]

_ARRAY = types.float64[::1]
_CURRENT = types.void(types.float64, types.float64, _ARRAY, _ARRAY)
_RATE = types.float64(types.float64, types.float64, _ARRAY)
#: Newton's iterations on a branch; each at least doubles the digits once it is near.
MAX_ITERATIONS = 100

# Function pointers as arguments are "experimental" in numba; they are tested here with each model.
warnings.filterwarnings("ignore", category=NumbaExperimentalFeatureWarning)


def compiled_device(device: MemristorModel, thermal_voltage: float) -> Device:
    """Return a device as the compiled code takes it.

    Parameters
    ----------
    device : MemristorModel
    thermal_voltage : float
        kT/q in V.

    Returns
    -------
    Device
        For one thread: its last array is written to by every evaluation.
    """
    (current, rate) = compiled_functions(type(device))
    return current, rate, np.array(device.numbers(thermal_voltage)), np.zeros(4)


@cache
def compiled_functions(model: type[MemristorModel]) -> tuple[Any, Any]:
    """Return a model's current and rate as function pointers, the head of a `Device`."""
    return (
        cfunc(_CURRENT, error_model="numpy")(model.current),
        cfunc(_RATE, error_model="numpy")(model.rate),
    )


@njit(cache=True, _nrt=False, error_model="numpy")
def solve_branch(u: float, r: float, x: float, device: Device) -> float:
    """Return the voltage v across the device with v + r i(v, x) = u, to rounding.

    Newton's iteration from the last solution, or from the device's small-signal resistance, kept
    inside [0, u]: i rises with v and is 0 at 0. Leaves i, di/dv and di/dx at v in the device's last
    array.

    Parameters
    ----------
    u : float
        Voltage across the branch in V.
    r : float
        Series resistance in ohm, 0 or more.
    x : float
        State.
    device : Device
        See `compiled_device`.

    Returns
    -------
    float
        In V.
    """
    (current, _, q, out) = device
    if r == 0.0 or u == 0.0:
        current(u, x, q, out)
        return u
    (low, high) = (min(u, 0.0), max(u, 0.0))
    step = math.inf
    v: float = out[3]  # where the last branch was solved, mostly near
    if not low < v < high:
        current(0.0, x, q, out)
        v = u / (1.0 + r * out[1])
    for _ in range(MAX_ITERATIONS):
        current(v, x, q, out)
        g = v + r * out[0] - u
        if abs(g) <= 4.4e-16 * abs(u):
            break
        if g > 0.0:
            high = v
        else:
            low = v
        after = v - g / (1.0 + r * out[1])
        if abs(after - v) <= 2e-16 * abs(v) or math.isnan(after):
            break
        # On the steep side of an exponential Newton's steps are all alike; halving is faster.
        if not low < after < high or abs(after - v) > 0.5 * step:
            after = 0.5 * (low + high)
            if after in (low, high):
                break
        (step, v) = (abs(after - v), after)
    out[3] = v
    return v
