"""The equations of a neuron and of the synapses that end in it, during pulses (`pulses`).

A junction's capacitance, which would make them stiff, is left out, so that a resistor or device and
its diode are in series at every instant (`series`), and the low-pass of a ``current`` synapse
decays by the exact exponential between the edges of its input.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif.network.reference.lanes import compiled
from spicealif.network.synapses._diode_equations import GMIN, diode_current
from spicealif.reference.device import solve_branch
from spicealif.reference.equations import sine_sum

__all__ = ["CROSSBAR", "CURRENT", "DIODE", "MEMRISTOR", "finish", "rates_of", "rk4_of", "series"]

FloatArray: TypeAlias = npt.NDArray[np.float64]

# Kinds of synapses.
DIODE, MEMRISTOR, CURRENT, CROSSBAR = range(4)
# A neuron's numbers.
C_INV, V_REST, R_S, V_TH, V_LOW, G_DS, DELAY_ON_S, DELAY_OFF_S, H_DISCHARGE = range(9)
N_PAR = 9
# A neuron's floats and integers.
V, X, T_EVENT, T_LAST = range(4)
PHASE, PIECE, STATUS, STEPS, ROWS = range(5)


@compiled()
def _diode_slope(v: float, q: Any, k: int) -> float:
    """Return the derivative of `diode_current`."""
    v_t = q[k + 1]
    if v >= -3.0 * v_t:
        g = q[k] / v_t * math.exp(min(v / v_t, 200.0))
    else:
        g = 3.0 * q[k] * (3.0 * v_t / math.e) ** 3 / (v * v * v * v)
    return float(g + GMIN)


@compiled()
def series(
    u: float,
    guess: float,
    x: float,
    linear: bool,
    q: Any,
    k: int,
    room: FloatArray,
    current: Any,
) -> float:
    """Return the voltage of a diode in series with a resistor or a device, together at u.

    Newton's iteration from the last solution, kept between 0 and u. The device's numbers are the
    first of q, the diode's begin at k; of a resistor q[0] is 1/r. Leaves the current in room[0].
    """
    (low, high) = (min(u, 0.0), max(u, 0.0))
    v = guess if low < guess < high else 0.5 * (low + high)
    step = math.inf
    for _ in range(200):
        if linear:
            (room[0], room[1]) = (q[0] * (u - v), q[0])
        else:
            current(u - v, x, q, room)
        g = diode_current(v, q, k) - room[0]
        rise = _diode_slope(v, q, k) + room[1]
        if g > 0.0:
            high = v
        else:
            low = v
        after = v - g / rise
        if not low < after < high or abs(after - v) > 0.5 * step:
            after = 0.5 * (low + high)
        if abs(after - v) <= 1e-15 * (abs(v) + 1e-3) or after in (low, high):
            v = after
            break
        (step, v) = (abs(after - v), after)
    room[0] = q[0] * (u - v) if linear else room[0]
    if not linear:
        current(u - v, x, q, room)
    return v


@compiled()
def rates_of(
    r: int,
    t: float,
    after: float,
    v: float,
    x: float,
    states: FloatArray,
    ks: FloatArray,
    out: FloatArray,
    g_switch: float,
    neurons: Any,
    synapses: Any,
    models: Any,
) -> None:
    """Write v_mem, dv_c/dt, dx/dt and dv_mem/dt to `out`, and the synapses' rates to `ks`.

    `after` is the time since the start of the RK4 step, over which a low-pass has decayed.
    """
    (par, model_of, device_q, room, _, ns, pieces, sines, n_sines) = neurons
    (first, kind, s_model, q, level, _, v_d) = synapses
    (currents, x_rates) = models
    k = ns[r, PIECE]
    i = pieces[r, k, 1] + pieces[r, k, 2] * (t - pieces[r, k, 0])
    if n_sines[r] > 0:
        i += sine_sum(t, sines[r, : n_sines[r]])
    own = room[r]
    for s in range(first[r], first[r + 1]):
        n = s - first[r]
        ks[n] = 0.0
        if kind[s] == CURRENT:
            low = level[s] + (states[n] - level[s]) * math.exp(-after * q[s, 1])
            i += q[s, 3] * math.tanh(q[s, 2] * low)
            continue
        current = currents[s_model[s]]
        x_rate = x_rates[s_model[s]]
        if kind[s] == CROSSBAR:
            current(level[s], states[n], q[s], own)
            i += q[s, int(q[s, -1])] * own[0]
            ks[n] = x_rate(level[s], states[n], q[s])
            continue
        u = level[s] - v
        linear = kind[s] == DIODE
        at = 1 if linear else int(q[s, -1])
        v_d[s] = series(u, v_d[s], states[n], linear, q[s], at, own, current)
        i += own[0]
        if not linear:
            ks[n] = x_rate(u - v_d[s], states[n], q[s])
    device = (currents[model_of[r]], x_rates[model_of[r]], device_q[r], own)
    m = solve_branch(v - par[r, V_REST], par[r, R_S], x, device)
    kv = par[r, C_INV] * ((i - g_switch * v) - own[0])
    x_rate = x_rates[model_of[r]]
    kx = x_rate(m, x, device_q[r])
    out[0] = m
    out[1] = kv
    out[2] = kx
    out[3] = (kv - par[r, R_S] * own[2] * kx) / (1.0 + par[r, R_S] * own[1])


@compiled()
def rk4_of(
    r: int,
    t: float,
    h: float,
    y: FloatArray,
    y_1: FloatArray,
    work: FloatArray,
    g_switch: float,
    neurons: Any,
    synapses: Any,
    models: Any,
) -> None:
    """Take a step from y to y_1 (v_c, x, synapses' states); work[0] has the rates at its start."""
    (n, kind, first) = (y.size - 2, synapses[1], synapses[0])
    stage = work[4]
    for k in range(1, 4):
        part = h if k == 3 else 0.5 * h
        for c in range(n + 2):
            stage[c] = y[c] + part * work[k - 1, c]
        for c in range(n):
            if kind[first[r] + c] == CURRENT:
                stage[c + 2] = y[c + 2]
        rates_of(
            r, t + part, part, stage[0], stage[1], stage[2:], work[k, 2:], work[5], g_switch,
            neurons, synapses, models,
        )  # fmt: skip
        (work[k, 0], work[k, 1]) = (work[5, 1], work[5, 2])
    sixth = h / 6.0
    for c in range(n + 2):
        inner = work[1, c] + work[2, c]
        y_1[c] = y[c] + sixth * (work[0, c] + 2.0 * inner + work[3, c])


@compiled()
def finish(
    r: int,
    t: float,
    length: float,
    n: int,
    y: FloatArray,
    y_1: FloatArray,
    work: FloatArray,
    then: FloatArray,
    g_switch: float,
    neurons: Any,
    synapses: Any,
    models: Any,
) -> None:
    """Let the low-passes decay over the step; set the rates at its end, in `then` and work[8]."""
    (first, kind, _, q, level, _, _) = synapses
    for c in range(n):
        s = first[r] + c
        if kind[s] == CURRENT:
            y_1[c + 2] = level[s] + (y[c + 2] - level[s]) * math.exp(-length * q[s, 1])
    rates_of(
        r, t, 0.0, y_1[0], y_1[1], y_1[2 : n + 2], work[8, 2:], then, g_switch, neurons, synapses,
        models,
    )  # fmt: skip
    (work[8, 0], work[8, 1]) = (then[1], then[2])
