"""The circuit's own differential equations, written out for SciPy's solvers.

Nothing here comes from the package's templates or kernels: only the design's numbers are used.
Three states: capacitor voltage, memristor state, comparator output (one pole); the difference
amplifier and the switch are ideal.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from spicealif import Neuron

_Floats = NDArray[np.float64]


def pulse_current(t: float, neuron: Neuron) -> float:
    """Return the pulse train's current at `t`, from its definition."""
    s = neuron.stimulus
    period = 1 / s.frequency
    phase = (t - s.delay) % period
    fall = s.duty * period
    if phase < s.t_rise:
        level = phase / s.t_rise
    elif phase < fall:
        level = 1.0
    else:
        level = max(0.0, 1 - (phase - fall) / s.t_fall)
    return float(s.offset + s.amplitude * level)


def corner_times(neuron: Neuron, t_stop: float) -> list[float]:
    """Return the corners of the pulse train and the ends of the run."""
    s = neuron.stimulus
    period = 1 / s.frequency
    corners = {0.0, t_stop}
    for k in range(math.ceil(t_stop / period) + 1):
        start = s.delay + k * period
        for c in (0.0, s.t_rise, s.duty * period, s.duty * period + s.t_fall):
            if start + c < t_stop:
                corners.add(start + c)
    return sorted(corners)


def three_state_spikes(
    neuron: Neuron, *, method: str = "LSODA", rtol: float = 1e-11
) -> tuple[_Floats, _Floats]:
    """Integrate the all-ideal circuit; return spike times in s and the state at the end.

    A spike is the comparator's output rising through half its swing.
    """
    m, c = neuron.leak, neuron.comparator
    swing = c.v_oh - c.v_ol
    pole = c.t_delay / math.log(2)
    f_d, f_o, v_0 = neuron.ideal_feedback
    gain = neuron.difference_amplifier.gain
    v_t = neuron.thermal_voltage

    def sigmoid(u: float) -> float:
        return 1 / (1 + math.exp(-u)) if u > 0 else math.exp(u) / (1 + math.exp(u))

    def right_side(t: float, y: _Floats) -> list[float]:
        v_c, x, out = y
        g = x / m.r_on + (1 - x) / m.r_off
        v = (v_c - neuron.v_rest) / (1 + neuron.r_s * g)
        set_rate = sigmoid((v - m.v_on) / v_t)
        reset_rate = 1 - sigmoid((v + m.v_off) / v_t)
        u = f_d * gain * v + f_o * out - v_0
        target = c.v_ol + swing / 2 * (1 + math.tanh(2 * c.gain / swing * u))
        gate = (out - neuron.mosfet.v_to) / neuron.mosfet.v_gs_width
        g_sw = 0.5 / neuron.mosfet.r_ds_on * (1 + math.tanh(gate))
        return [
            (pulse_current(t, neuron) - v * g - v_c * g_sw) / neuron.c,
            (set_rate * (1 - x) - reset_rate * x) / m.tau,
            (target - out) / pole,
        ]

    def rising(t: float, y: _Floats) -> float:
        return float(y[2] - (c.v_oh + c.v_ol) / 2)

    rising.direction = 1.0  # type: ignore[attr-defined]
    y = np.array([neuron.v_rest, m.x_0, c.v_ol])
    spikes: list[float] = []
    times = corner_times(neuron, neuron.t_stop)
    for start, end in itertools.pairwise(times):
        solution = solve_ivp(
            right_side,
            (start, end),
            y,
            method=method,
            rtol=rtol,
            atol=[1e-13, 1e-13, 1e-12],
            events=rising,
            first_step=min(1e-10, (end - start) / 10),
            # No longer than this, or a spike could fit between two steps.
            max_step=5e-6,
        )
        assert solution.success, solution.message
        y = solution.y[:, -1]
        spikes += list(solution.t_events[0])
    return np.array(spikes), y
