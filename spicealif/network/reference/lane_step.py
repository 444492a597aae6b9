"""One RK4 step of 64 neurons of a network at once, in the way of `spicealif.reference.batch.step`.

What is added to the neurons there are their synaptic currents. A lane has as many as its neuron's
inputs have time constants, each the sum of all that decays with one. They are no states of RK4:
the current at the middle and at the end of a step is that at its start times the exact decay,
whose factors a lane keeps for the length of its step. What is left out is the source's energy and
its sines; a neuron with sines is solved by itself (`scalar`).

The lanes are in step, not in time. A lane's stretch of steps ends wherever its neuron's next event
is: an arriving spike, a corner of its stimulus, the end of its refractory time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.reference.batch.step import LANES, exp2

__all__ = ["EVEN", "N_STATE", "ODD", "SYNAPTIC", "SYNAPTIC_FIELDS", "steps_of"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
Step: TypeAlias = Callable[[FloatArray, npt.NDArray[np.uint8], int], None]

# Where each field starts in a block's work array.
# A stretch of equal steps: length of a step, start in the stimulus' piece, steps done, in all.
LENGTH, BASE, COUNT, END = 0 * LANES, 1 * LANES, 2 * LANES, 3 * LANES
# The piece: current at its start, slope. The threshold of v_mem; infinite while v_c is held.
I_PIECE, SLOPE, OFFSET = 4 * LANES, 5 * LANES, 6 * LANES
# The circuit as in `spicealif.reference.kernel`; 1/C is 0 while v_c is held.
V_REST, D_0, D_1, G_0, G_1, C_INV = (k * LANES for k in range(7, 13))
# The memristor: a = 2**(z_on - z_inv v_mem), K and 1/tau.
Z_ON, Z_INV, K, TAU_INV = (k * LANES for k in range(13, 17))
# Within a step.
I_M, I_1, KV_2, KV_3, KV_4, KX_2, KX_3, KX_4 = (k * LANES for k in range(17, 25))
Z, X_STAGE, D_INV = (k * LANES for k in range(25, 28))
# The state twice, since a step that crosses the threshold is taken back. Fields of a state: v_c, x,
# v_mem, its derivative, dv_c/dt, dx/dt, current of source and synapses.
EVEN, N_STATE = 28 * LANES, 7
ODD = EVEN + N_STATE * LANES
V, X, M, MD, KV, KX, I_0 = (k * LANES for k in range(N_STATE))
# For each time constant: the current in the even and in the odd state, its decay over half a step
# and over a step.
SYNAPTIC = ODD + N_STATE * LANES
SYNAPTIC_FIELDS = 4

# As in `spicealif.reference.batch.step`: no bit depends on a lane's place or neighbours.
_FLAGS = {"contract", "nsz"}
_SIXTH, _THIRD = 1.0 / 6.0, 1.0 / 3.0


@njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
def _x_rate(w: FloatArray, n: int, z: float, x: float) -> float:
    """Return dx/dt of lane n."""
    a = exp2(z)
    (b, c) = (a + w[K + n], 1.0 + a)
    rate: float = w[TAU_INV + n] * (b * (1.0 - x) - a * c * x) / (b * c)
    return rate


@njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
def _v_rate(w: FloatArray, n: int, i: float, m: float, x: float) -> float:
    """Return dv_c/dt of lane n."""
    rate: float = w[C_INV + n] * (i - m * (w[G_0 + n] + w[G_1 + n] * x))
    return rate


def _make_currents(odd: int) -> Step:
    """Return what sets the currents in the middle and at the end, from the even or odd state."""
    (u_old, u_new) = (odd * LANES, (1 - odd) * LANES)

    @njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
    def currents(w: FloatArray, flags: npt.NDArray[np.uint8], n_synaptic: int) -> None:
        for n in range(LANES):
            h = w[LENGTH + n]
            p = w[BASE + n] + w[COUNT + n] * h
            w[I_M + n] = w[I_PIECE + n] + w[SLOPE + n] * (p + 0.5 * h)
            w[I_1 + n] = w[I_PIECE + n] + w[SLOPE + n] * (p + h)
        for k in range(n_synaptic):
            u = SYNAPTIC + k * SYNAPTIC_FIELDS * LANES
            for n in range(LANES):
                i = w[u + u_old + n]
                i_1 = i * w[u + 3 * LANES + n]
                w[I_M + n] += i * w[u + 2 * LANES + n]
                w[I_1 + n] += i_1
                w[u + u_new + n] = i_1

    return currents


@njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
def _flag(w: FloatArray, flags: npt.NDArray[np.uint8], n: int, old: int, new: int) -> None:
    """Count lane n's step and flag it where a crossing is possible or its stretch ends."""
    # A cubic lies in the hull of its Bezier ordinates: all below 0, no crossing.
    third = _THIRD * w[LENGTH + n]
    g_end = w[new + M + n] - w[OFFSET + n]
    b_1 = (w[old + M + n] - w[OFFSET + n]) + third * w[old + MD + n]
    b_2 = g_end - third * w[new + MD + n]
    count = w[COUNT + n] + 1.0
    w[COUNT + n] = count
    flags[n] = (g_end >= 0.0) | (b_1 >= 0.0) | (b_2 >= 0.0) | (count >= w[END + n])


def _make_step(odd: int) -> Step:
    """Return the step of memristors that reads the even (0) or the odd (1) state."""
    (old, new) = (ODD, EVEN) if odd else (EVEN, ODD)
    currents = _make_currents(odd)

    @njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
    def to_exponent(w: FloatArray, n: int, q: float, kv: float, kx: float, i: float) -> float:
        """Set a stage's x and exponent, q after the step's start; return dv_c/dt."""
        v = w[old + V + n] + q * kv
        x = w[old + X + n] + q * kx
        m = (v - w[V_REST + n]) / (w[D_0 + n] + w[D_1 + n] * x)
        w[X_STAGE + n] = x
        w[Z + n] = w[Z_ON + n] - m * w[Z_INV + n]
        return _v_rate(w, n, i, m, x)

    @njit(cache=True, error_model="numpy", fastmath=_FLAGS)
    def step(w: FloatArray, flags: npt.NDArray[np.uint8], n_synaptic: int) -> None:
        currents(w, flags, n_synaptic)
        for n in range(LANES):
            (q, kv, kx) = (0.5 * w[LENGTH + n], w[old + KV + n], w[old + KX + n])
            w[KV_2 + n] = to_exponent(w, n, q, kv, kx, w[I_M + n])
        for n in range(LANES):
            w[KX_2 + n] = _x_rate(w, n, w[Z + n], w[X_STAGE + n])
        for n in range(LANES):
            (q, kv, kx) = (0.5 * w[LENGTH + n], w[KV_2 + n], w[KX_2 + n])
            w[KV_3 + n] = to_exponent(w, n, q, kv, kx, w[I_M + n])
        for n in range(LANES):
            w[KX_3 + n] = _x_rate(w, n, w[Z + n], w[X_STAGE + n])
        for n in range(LANES):
            (q, kv, kx) = (w[LENGTH + n], w[KV_3 + n], w[KX_3 + n])
            w[KV_4 + n] = to_exponent(w, n, q, kv, kx, w[I_1 + n])
        for n in range(LANES):
            w[KX_4 + n] = _x_rate(w, n, w[Z + n], w[X_STAGE + n])
        for n in range(LANES):
            s = w[LENGTH + n] * _SIXTH
            inner = w[KV_2 + n] + w[KV_3 + n]
            v = w[old + V + n] + s * (w[old + KV + n] + 2.0 * inner + w[KV_4 + n])
            inner = w[KX_2 + n] + w[KX_3 + n]
            x = w[old + X + n] + s * (w[old + KX + n] + 2.0 * inner + w[KX_4 + n])
            d_inv = 1.0 / (w[D_0 + n] + w[D_1 + n] * x)
            m = (v - w[V_REST + n]) * d_inv
            w[new + V + n] = v
            w[new + X + n] = x
            w[new + M + n] = m
            w[new + I_0 + n] = w[I_1 + n]
            w[new + KV + n] = _v_rate(w, n, w[I_1 + n], m, x)
            w[Z + n] = w[Z_ON + n] - m * w[Z_INV + n]
            w[D_INV + n] = d_inv
        for n in range(LANES):
            m = w[new + M + n]
            kx = _x_rate(w, n, w[Z + n], w[new + X + n])
            w[new + KX + n] = kx
            w[new + MD + n] = (w[new + KV + n] - m * w[D_1 + n] * kx) * w[D_INV + n]
            _flag(w, flags, n, old, new)

    return step


def _make_linear_step(odd: int) -> Step:
    """Return the step of resistors: x stands still, and v_mem is a fixed part of v_c."""
    (old, new) = (ODD, EVEN) if odd else (EVEN, ODD)
    currents = _make_currents(odd)

    @njit(cache=True, error_model="numpy", fastmath=_FLAGS)
    def step(w: FloatArray, flags: npt.NDArray[np.uint8], n_synaptic: int) -> None:
        currents(w, flags, n_synaptic)
        for n in range(LANES):
            h = w[LENGTH + n]
            (c_inv, d_inv) = (w[C_INV + n], w[D_INV + n])
            (a, i_m) = (c_inv * d_inv * w[G_0 + n], c_inv * w[I_M + n])
            v_rest = w[V_REST + n]
            u = w[old + V + n] - v_rest
            k_1 = w[old + KV + n]
            k_2 = i_m - a * (u + 0.5 * h * k_1)
            k_3 = i_m - a * (u + 0.5 * h * k_2)
            i_1 = w[I_1 + n]
            k_4 = c_inv * i_1 - a * (u + h * k_3)
            u += h * _SIXTH * (k_1 + 2.0 * (k_2 + k_3) + k_4)
            kv = c_inv * i_1 - a * u
            w[new + V + n] = u + v_rest
            w[new + X + n] = w[old + X + n]
            w[new + M + n] = u * d_inv
            w[new + I_0 + n] = i_1
            w[new + KV + n] = kv
            w[new + KX + n] = 0.0
            w[new + MD + n] = kv * d_inv
            _flag(w, flags, n, old, new)

    return step


_MEMRISTORS = (_make_step(0), _make_step(1))
_RESISTORS = (_make_linear_step(0), _make_linear_step(1))
(memristors_even, memristors_odd) = _MEMRISTORS
(resistors_even, resistors_odd) = _RESISTORS


def steps_of(linear: bool) -> tuple[Step, Step]:
    """Return the steps that read the even and the odd state, of memristors or of resistors."""
    return _RESISTORS if linear else _MEMRISTORS
