"""Coupled neurons' equations, written out for SciPy's solvers.

Nothing here comes from the package's kernels: only the design's numbers are used. The neurons are
all ideal (see `independent`), so that each has three states; a synapse of a resistor and a diode
has one, a low-pass one.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from independent import corner_times, pulse_current
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

__all__ = ["coupled_spikes"]

_Floats = NDArray[np.float64]


def _sigmoid(u: float) -> float:
    return 1 / (1 + math.exp(-u)) if u > 0 else math.exp(u) / (1 + math.exp(u))


def _diode(synapse: Any, v_t: float, v: float) -> tuple[float, float]:
    """Return current and capacitance of SPICE's junction diode."""
    d = synapse.diode
    n_v_t = d.n * v_t
    if v >= -3 * n_v_t:
        i = d.i_s * (math.exp(v / n_v_t) - 1)
        c = d.t_t * d.i_s / n_v_t * math.exp(v / n_v_t)
    else:
        i, c = -d.i_s * (1 + (3 * n_v_t / (v * math.e)) ** 3), 0.0
    if v < 0.5 * d.v_j:
        c += d.c_jo / (1 - v / d.v_j) ** d.m
    else:
        c += d.c_jo / 0.5 ** (1 + d.m) * (1 - 0.5 * (1 + d.m) + d.m * v / d.v_j)
    return i + 1e-12 * v, c


def coupled_spikes(
    neurons: list[Any], synapses: list[tuple[int, int, Any]], *, rtol: float = 1e-11
) -> list[_Floats]:
    """Integrate coupled all-ideal neurons by LSODA; return the spike times of each in s.

    Synapses are (from, to, synapse). The output of a comparator has 1 ohm, as in its template.
    """
    n, m = len(neurons), len(synapses)

    def right_side(t: float, y: _Floats) -> _Floats:
        dy = np.zeros(3 * n + m)
        into, load = [0.0] * n, [0.0] * n
        for k, (pre, post, synapse) in enumerate(synapses):
            out, v_post, s = y[3 * pre + 2], y[3 * post], y[3 * n + k]
            if synapse.kind == "diode":
                i = (out - s - v_post) / synapse.r
                current, c = _diode(synapse, neurons[post].thermal_voltage, s)
                dy[3 * n + k] = (i - current) / c
                into[post] += i
            else:
                i = (out - s) / synapse.r_f
                dy[3 * n + k] = (out - s) / synapse.tau_s
                into[post] += (
                    synapse.sign * synapse.i_max * math.tanh(synapse.g_m * s / synapse.i_max)
                )
            load[pre] += i
        for k, neuron in enumerate(neurons):
            leak, c = neuron.leak, neuron.comparator
            v_c, x, out = y[3 * k : 3 * k + 3]
            f_d, f_o, v_0 = neuron.ideal_feedback
            g = x / leak.r_on + (1 - x) / leak.r_off
            v = (v_c - neuron.v_rest) / (1 + neuron.r_s * g)
            up = _sigmoid((v - leak.v_on) / neuron.thermal_voltage)
            down = 1 - _sigmoid((v + leak.v_off) / neuron.thermal_voltage)
            swing = c.v_oh - c.v_ol
            u = f_d * neuron.difference_amplifier.gain * v + f_o * out - v_0
            target = c.v_ol + swing / 2 * (1 + math.tanh(2 * c.gain / swing * u))
            gate = (out - neuron.mosfet.v_to) / neuron.mosfet.v_gs_width
            g_sw = 0.5 / neuron.mosfet.r_ds_on * (1 + math.tanh(gate))
            dy[3 * k] = (pulse_current(t, neuron) + into[k] - v * g - v_c * g_sw) / neuron.c
            dy[3 * k + 1] = (up * (1 - x) - down * x) / leak.tau
            dy[3 * k + 2] = (target - out - load[k]) / (c.t_delay / math.log(2))
        return dy

    y = np.zeros(3 * n + m)
    for k, neuron in enumerate(neurons):
        y[3 * k : 3 * k + 3] = neuron.v_rest, neuron.leak.x_0, neuron.comparator.v_ol
    for k, (pre, post, synapse) in enumerate(synapses):
        out, v_post = y[3 * pre + 2], y[3 * post]
        y[3 * n + k] = out if synapse.kind == "current" else min(out - v_post, 0.0)

    def crossing(k: int) -> Any:
        c = neurons[k].comparator
        middle = 0.5 * (c.v_oh + c.v_ol)

        def event(t: float, y: _Floats) -> float:
            return float(y[3 * k + 2] - middle)

        event.direction = 1.0  # type: ignore[attr-defined]
        return event

    spikes: list[list[float]] = [[] for _ in neurons]
    t_stop = neurons[0].t_stop
    corners = sorted({c for neuron in neurons for c in corner_times(neuron, t_stop)})
    for begin, end in itertools.pairwise(corners):
        solution = solve_ivp(
            right_side, (begin, end), y, method="LSODA", rtol=rtol, atol=1e-13,
            max_step=2e-7, events=[crossing(k) for k in range(n)],
        )  # fmt: skip
        assert solution.success, solution.message
        y = solution.y[:, -1]
        for k, found in enumerate(solution.t_events):
            spikes[k] += found.tolist()
    return [np.array(s) for s in spikes]
