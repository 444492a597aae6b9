"""One RK4 step of many neurons at once, written for the compiler's vectors.

Each neuron is a lane. All that a step reads or writes of the lanes lies in one flat array, field
after field with `LANES` values each: only so, and with a number of lanes known when compiling,
can the compiler see that no two fields overlap. A stage is two loops, one up to the argument of
the exponential and one from it on, because the processor overlaps the iterations of a loop only
as far as their chains of dependent operations are short.

The lanes are in step, not in time: each has its own step length, its own piece of the stimulus
and its own place in it. What happens to a lane at the end of its steps is not decided here: a
flag asks for that (`spicealif.reference.batch.kernel`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from spicealif._support.compiled import njit

__all__ = ["LANES", "MAX_SINES", "N_STATE", "SIZE", "advance_even", "advance_odd", "exp2"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
Step: TypeAlias = Callable[[FloatArray, npt.NDArray[np.uint8], int], None]

#: Neurons in step; their fields fill the first cache of the processor.
LANES = 64
#: Sines that a lane has room for.
MAX_SINES = 8

# Where each field starts in the work array.
# A lane's stretch of equal steps: length of a step, where in the piece the stretch begins, steps
# done, steps in all.
LENGTH, BASE, COUNT, END = 0 * LANES, 1 * LANES, 2 * LANES, 3 * LANES
# The largest v_c so far; 0 where each step starts on a row of the single kernel, else -inf.
PEAK, ROW = 4 * LANES, 5 * LANES
# The piece: current at its start, slope, time of its start.
I_PIECE, SLOPE, T_PIECE = 6 * LANES, 7 * LANES, 8 * LANES
# sign*v_mem - offset rises through 0 at the crossing that the lane watches for.
SIGN, OFFSET = 9 * LANES, 10 * LANES
# The circuit, as in `kernel`; 1/C is 0 while v_c is held, the switch's conductance 0 if open.
V_REST, D_0, D_1, G_0, G_1 = 11 * LANES, 12 * LANES, 13 * LANES, 14 * LANES, 15 * LANES
C_INV, G_SWITCH = 16 * LANES, 17 * LANES
# The memristor: a = 2**(z_on - z_inv v_mem), K and 1/tau.
Z_ON, Z_INV, K, TAU_INV = 18 * LANES, 19 * LANES, 20 * LANES, 21 * LANES
# Within a step: current at its middle and end, the stages' v_c, derivatives, and what the two
# loops of a stage hand over.
I_M, I_1, V_2, V_3, V_4 = 22 * LANES, 23 * LANES, 24 * LANES, 25 * LANES, 26 * LANES
KV_2, KV_3, KV_4 = 27 * LANES, 28 * LANES, 29 * LANES
KX_2, KX_3, KX_4 = 30 * LANES, 31 * LANES, 32 * LANES
Z, X_STAGE, D_INV = 33 * LANES, 34 * LANES, 35 * LANES
# The state twice: a step reads one and writes the other, so that the old one is there still if
# the step has to be shortened. Fields of a state: v_c, x, energy, v_mem, its derivative, dv_c/dt,
# dx/dt, i_in.
EVEN = 36 * LANES
N_STATE = 8
ODD = EVEN + N_STATE * LANES
V, X, ENERGY, M = 0 * LANES, 1 * LANES, 2 * LANES, 3 * LANES
MD, KV, KX, I_0 = 4 * LANES, 5 * LANES, 6 * LANES, 7 * LANES
# MAX_SINES times: amplitude, angular frequency, phase, start.
SINES = ODD + N_STATE * LANES
SIZE = SINES + 4 * MAX_SINES * LANES

# No contraction and no sign of zero depends on a lane's place or neighbours; any other relaxation
# could take away what the exponential and the sine rely on.
_FLAGS = {"contract", "nsz"}

# |z| at which the exponent is cut off: the square of 2**z is finite, and all that it would decide
# beyond is below the rounding of 1 for a K within `batch_lanes.LOG_K_LIMIT`.
Z_LIMIT = 240.0
# Adding this rounds to an integer, which is then in the low bits.
_ROUND = 6755399441055744.0  # 1.5 * 2**52
# 2**f for |f| <= 1/2, to 4e-18: the coefficients of the Chebyshev series, as powers.
_E0, _E1, _E2, _E3 = 1.0, 0.6931471805599453, 0.24022650695910158, 0.055504108664821625
_E4, _E5, _E6 = 0.009618129107587256, 0.001333355814640647, 0.00015403530463724353
_E7, _E8, _E9 = 1.5252733841556773e-05, 1.3215432535912375e-06, 1.0178057087733941e-07
_E10, _E11 = 7.074194297288521e-09, 4.4558179083360645e-10
# (sin(r)/r - 1)/r**2 by powers of r**2 for |r| <= pi/2, to 4e-19.
_S0, _S1, _S2 = -0.16666666666666666, 0.008333333333333314, -0.00019841269841253107
_S3, _S4, _S5 = 2.755731921866371e-06, -2.5052107554017463e-08, 1.60589732699067e-10
_S6, _S7 = -7.643842510960149e-13, 2.7298671957896056e-15
# pi in three parts; a multiple up to MAX_ANGLE of the first two has no rounding.
_PI_1, _PI_2, _PI_3 = 3.141592651605606, 1.9841871583270443e-09, 1.034036596358821e-18
#: Angles beyond this lose digits.
MAX_ANGLE = 2.0**22
_INV_PI = 1.0 / math.pi
_SIXTH, _THIRD = 1.0 / 6.0, 1.0 / 3.0


def _add_exponent(typing_context: Any, p: Any, rounded: Any) -> Any:
    """Return type and code of `_times_power`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = ir.IntType(64)
        (value, power) = (builder.bitcast(a, bits) for a in arguments)
        total = builder.add(value, builder.shl(power, ir.Constant(bits, 52)))
        return builder.bitcast(total, ir.DoubleType())

    return types.float64(types.float64, types.float64), generate


def _shift_to_sign(typing_context: Any, value: Any, rounded: Any) -> Any:
    """Return type and code of `_flip_sign`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = ir.IntType(64)
        (plain, number) = (builder.bitcast(a, bits) for a in arguments)
        sign = builder.shl(number, ir.Constant(bits, 63))
        return builder.bitcast(builder.xor(plain, sign), ir.DoubleType())

    return types.float64(types.float64, types.float64), generate


# p 2**n, n in the low bits of the second argument: added to the exponent, without a branch.
_times_power = cast(Callable[[float, float], float], cast(Any, intrinsic)(_add_exponent))
# The first argument, negated if the integer in the low bits of the second is odd.
_flip_sign = cast(Callable[[float, float], float], cast(Any, intrinsic)(_shift_to_sign))


@njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
def exp2(z: float) -> float:
    """Return 2**z, z cut off at `Z_LIMIT`, to a few units in the last place."""
    z = min(max(z, -Z_LIMIT), Z_LIMIT)
    rounded = z + _ROUND
    f = z - (rounded - _ROUND)
    f_2 = f * f
    # in pairs, not nested: a chain of twelve operations would hold up all others
    low = (_E0 + _E1 * f) + (_E2 + _E3 * f) * f_2
    middle = (_E4 + _E5 * f) + (_E6 + _E7 * f) * f_2
    high = (_E8 + _E9 * f) + (_E10 + _E11 * f) * f_2
    f_4 = f_2 * f_2
    return _times_power(low + f_4 * (middle + f_4 * high), rounded)


@njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
def _sin(angle: float) -> float:
    """Return the sine of an angle up to `MAX_ANGLE`."""
    rounded = angle * _INV_PI + _ROUND
    n = rounded - _ROUND
    r = ((angle - n * _PI_1) - n * _PI_2) - n * _PI_3
    r_2 = r * r
    r_4 = r_2 * r_2
    low = (_S0 + _S1 * r_2) + (_S2 + _S3 * r_2) * r_4
    high = (_S4 + _S5 * r_2) + (_S6 + _S7 * r_2) * r_4
    return _flip_sign(r + r * (r_2 * (low + r_4 * r_4 * high)), rounded)


@njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
def _x_rate(w: FloatArray, n: int, z: float, x: float) -> float:
    """Return dx/dt of lane n; see `kernel` for the algebra."""
    a = exp2(z)
    (b, c) = (a + w[K + n], 1.0 + a)
    rate: float = w[TAU_INV + n] * (b * (1.0 - x) - a * c * x) / (b * c)
    return rate


@njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
def _v_rate(w: FloatArray, n: int, i: float, v: float, m: float, x: float) -> float:
    """Return dv_c/dt of lane n."""
    rate: float = w[C_INV + n] * ((i - w[G_SWITCH + n] * v) - m * (w[G_0 + n] + w[G_1 + n] * x))
    return rate


@njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
def _currents(w: FloatArray, n_sines: int) -> None:
    """Set the currents at the middle and at the end of the steps."""
    for n in range(LANES):
        h = w[LENGTH + n]
        p = w[BASE + n] + w[COUNT + n] * h
        w[I_M + n] = w[I_PIECE + n] + w[SLOPE + n] * (p + 0.5 * h)
        w[I_1 + n] = w[I_PIECE + n] + w[SLOPE + n] * (p + h)
    # A lane with fewer sines adds 0 here, which changes no bit.
    for q in range(n_sines):
        u = SINES + q * 4 * LANES
        for n in range(LANES):
            h = w[LENGTH + n]
            p = w[BASE + n] + w[COUNT + n] * h
            (omega, phase) = (w[u + LANES + n], w[u + 2 * LANES + n])
            t = w[T_PIECE + n] - w[u + 3 * LANES + n]
            w[I_M + n] += w[u + n] * _sin(omega * max(t + (p + 0.5 * h), 0.0) + phase)
            w[I_1 + n] += w[u + n] * _sin(omega * max(t + (p + h), 0.0) + phase)


def _make_step(old: int, new: int) -> Step:  # noqa: PLR0915 - four stages, written out
    """Return the step that reads the state at `old` and writes the one at `new`."""

    @njit(error_model="numpy", fastmath=_FLAGS, forceinline=True)
    def to_exponent(
        w: FloatArray, n: int, q: float, kv: float, kx: float, i: float, v_to: int
    ) -> float:
        """Set a stage's x, exponent and v_c, q after the step's start; return dv_c/dt."""
        v = w[old + V + n] + q * kv
        x = w[old + X + n] + q * kx
        m = (v - w[V_REST + n]) / (w[D_0 + n] + w[D_1 + n] * x)
        w[X_STAGE + n] = x
        w[Z + n] = w[Z_ON + n] - m * w[Z_INV + n]
        w[v_to + n] = v
        return _v_rate(w, n, i, v, m, x)

    @njit(cache=True, error_model="numpy", fastmath=_FLAGS)
    def step(w: FloatArray, flags: npt.NDArray[np.uint8], n_sines: int) -> None:
        _currents(w, n_sines)
        for n in range(LANES):
            w[PEAK + n] = max(w[PEAK + n], w[old + V + n] + w[ROW + n])
        for n in range(LANES):
            (q, kv, kx) = (0.5 * w[LENGTH + n], w[old + KV + n], w[old + KX + n])
            w[KV_2 + n] = to_exponent(w, n, q, kv, kx, w[I_M + n], V_2)
        for n in range(LANES):
            w[KX_2 + n] = _x_rate(w, n, w[Z + n], w[X_STAGE + n])
        for n in range(LANES):
            (q, kv, kx) = (0.5 * w[LENGTH + n], w[KV_2 + n], w[KX_2 + n])
            w[KV_3 + n] = to_exponent(w, n, q, kv, kx, w[I_M + n], V_3)
        for n in range(LANES):
            w[KX_3 + n] = _x_rate(w, n, w[Z + n], w[X_STAGE + n])
        for n in range(LANES):
            (q, kv, kx) = (w[LENGTH + n], w[KV_3 + n], w[KX_3 + n])
            w[KV_4 + n] = to_exponent(w, n, q, kv, kx, w[I_1 + n], V_4)
        for n in range(LANES):
            w[KX_4 + n] = _x_rate(w, n, w[Z + n], w[X_STAGE + n])
        for n in range(LANES):
            s = w[LENGTH + n] * _SIXTH
            (v_0, i) = (w[old + V + n], w[I_1 + n])
            inner = w[KV_2 + n] + w[KV_3 + n]
            v = v_0 + s * (w[old + KV + n] + 2.0 * inner + w[KV_4 + n])
            inner = w[KX_2 + n] + w[KX_3 + n]
            x = w[old + X + n] + s * (w[old + KX + n] + 2.0 * inner + w[KX_4 + n])
            work = v_0 * w[old + I_0 + n] + 2.0 * w[I_M + n] * (w[V_2 + n] + w[V_3 + n])
            d_inv = 1.0 / (w[D_0 + n] + w[D_1 + n] * x)
            m = (v - w[V_REST + n]) * d_inv
            w[new + ENERGY + n] = w[old + ENERGY + n] + s * (work + w[V_4 + n] * i)
            w[new + V + n] = v
            w[new + X + n] = x
            w[new + M + n] = m
            w[new + I_0 + n] = i
            w[new + KV + n] = _v_rate(w, n, i, v, m, x)
            w[Z + n] = w[Z_ON + n] - m * w[Z_INV + n]
            w[D_INV + n] = d_inv
        for n in range(LANES):
            m = w[new + M + n]
            kx = _x_rate(w, n, w[Z + n], w[new + X + n])
            md = (w[new + KV + n] - m * w[D_1 + n] * kx) * w[D_INV + n]
            w[new + KX + n] = kx
            w[new + MD + n] = md
            # A crossing is possible, or the stretch is at its end: see `kernel` on the cubic.
            (sign, offset) = (w[SIGN + n], w[OFFSET + n])
            third = _THIRD * w[LENGTH + n] * sign
            g_end = sign * m - offset
            b_1 = (sign * w[old + M + n] - offset) + third * w[old + MD + n]
            b_2 = g_end - third * md
            count = w[COUNT + n] + 1.0
            w[COUNT + n] = count
            flags[n] = (g_end >= 0.0) | (b_1 >= 0.0) | (b_2 >= 0.0) | (count >= w[END + n])

    return step


advance_even = _make_step(EVEN, ODD)
advance_odd = _make_step(ODD, EVEN)
