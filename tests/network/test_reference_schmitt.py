"""`schmitt` networks against SciPy, the single reference, and themselves."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from spicealif.design import load_preset
from spicealif.network import (
    AllToAll,
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    MemristorSynapse,
    Network,
    Population,
    Projection,
    SpikeSource,
    expand,
)
from spicealif.network.reference import solve_network_reference
from spicealif.reference import solve_reference

PAPER = load_preset("paper").replace({"t_stop": 0.5e-3})
LIF = load_preset("lif").replace({"t_stop": 0.5e-3})
DEVICE = PAPER.leak.replace({"x_0": 0.3})
SYNAPSES = {
    "diode": DiodeSynapse(r=2e3),
    "memristor": MemristorSynapse(device=DEVICE),
    "current": CurrentSynapse(tau_s=30e-6, g_m=1e-3),
    "crossbar": CrossbarSynapse(device=DEVICE, gain=0.2, sign=-1),
}


def pair(neuron, synapse, delay, size=2, t_stop=0.5e-3):
    name = "stimulus.amplitude"
    drives = tuple(neuron.stimulus.amplitude * (1.0 - 0.09 * k) for k in range(size))
    return Network(
        populations=(Population(name="n", neuron=neuron, size=size, parameters={name: drives}),),
        projections=(
            Projection(source="n", target="n", synapse=synapse, connector=AllToAll(), delay=delay),
        ),
        t_stop=t_stop,
    )


def by_scipy(expanded):
    """Solve the written-out equations of all neurons with DOP853, event by event."""
    neurons, (synapses,) = expanded.neurons, expanded.synapses
    kind, n, t_stop = synapses.synapse, len(neurons), expanded.network.t_stop
    m = len(synapses.pre)
    levels = [neuron.output_levels for neuron in neurons]
    low = [neuron.network.v_low / neuron.difference_amplifier.gain for neuron in neurons]
    v_t = neurons[0].thermal_voltage

    def mms(leak, v, x):
        if leak.kind == "resistor":
            return v / leak.r, 0.0
        on = 1.0 / (1.0 + math.exp(-(v - leak.v_on) / v_t))
        off = 1.0 - 1.0 / (1.0 + math.exp(-(v + leak.v_off) / v_t))
        return v * (x / leak.r_on + (1.0 - x) / leak.r_off), (on * (1 - x) - off * x) / leak.tau

    def junction(v):
        d = kind.diode
        u = d.n * v_t
        i = d.i_s * math.expm1(v / u) if v >= -3 * u else -d.i_s * (1 + (3 * u / (v * math.e)) ** 3)
        return i + 1e-12 * v

    def synapse(v_pre, v, s):
        """Return current and rate of the state."""
        if kind.kind == "current":
            i = kind.sign * kind.i_max * math.tanh(kind.g_m * s / kind.i_max)
            return i, (v_pre - s) / kind.tau_s
        if kind.kind == "crossbar":
            i, rate = mms(kind.device, v_pre, s)
            return kind.sign * kind.gain * i, rate
        u = v_pre - v

        def through(v_d):
            return (
                mms(kind.device, u - v_d, s)[0] if kind.kind == "memristor" else (u - v_d) / kind.r
            )

        v_d = brentq(lambda v_d: through(v_d) - junction(v_d), min(u, 0), max(u, 0), xtol=1e-16)
        rate = mms(kind.device, u - v_d, s)[1] if kind.kind == "memristor" else 0.0
        return through(v_d), rate

    def v_mem(k, y):
        neuron, v, x = neurons[k], y[2 * k], y[2 * k + 1]
        g = mms(neuron.leak, 1.0, x)[0]
        return (v - neuron.v_rest) / (1.0 + neuron.r_s * g)

    def rates(t, y, at, phase, v_pre):
        out = np.zeros(2 * n + m)
        for k, neuron in enumerate(neurons):
            v, x = y[2 * k], y[2 * k + 1]
            i, out[2 * k + 1] = mms(neuron.leak, v_mem(k, y), x)
            p = neuron.stimulus.pieces(t_stop)
            q = min(int(np.searchsorted(p.t, at, side="right")) - 1, len(p.i) - 1)
            total = p.i[q] + p.slope[q] * (t - p.t[q]) - i
            if phase[k] >= 2:
                total -= v / neuron.r_ds_on
            for s in np.flatnonzero(synapses.post == k):
                current, out[2 * n + s] = synapse(v_pre[s], v, y[2 * n + s])
                total += current
            out[2 * k] = total / neuron.c
        return out

    state = {"current": levels[0][0], "diode": 0.0}.get(kind.kind, DEVICE.x_0)
    y = np.array(
        [value for neuron in neurons for value in (neuron.v_rest, getattr(neuron.leak, "x_0", 0))]
        + [state] * m
    )
    corners = sorted({float(t) for k in neurons for t in k.stimulus.pieces(t_stop).t[1:]})
    phase, due, v_pre = [0] * n, [math.inf] * n, [levels[pre][0] for pre in synapses.pre]
    t, mail, spikes = 0.0, [], [[] for _ in neurons]

    def emit(k, high):
        for s in np.flatnonzero(synapses.pre == k):
            mail.append((t + synapses.delay[s], int(s), levels[k][high]))

    while t < t_stop:
        end = min([c for c in corners if c > t] + [a[0] for a in mail] + due)
        events = []
        for k, neuron in enumerate(neurons):

            def event(t, y, *_, k=k, neuron=neuron):
                if phase[k] == 0:
                    return v_mem(k, y) - neuron.v_th
                return low[k] - v_mem(k, y) if phase[k] == 2 else -1.0

            event.terminal, event.direction = True, 1
            events.append(event)
        if end > t:
            found = solve_ivp(
                rates, (t, end), y, "DOP853", rtol=1e-11, atol=1e-14, events=events,
                args=(0.5 * (t + end), phase, v_pre), max_step=3e-6,
            )  # fmt: skip
            t, y = float(found.t[-1]), found.y[:, -1].copy()
            for k in range(n):
                if len(found.t_events[k]):
                    on = phase[k] == 0
                    phase[k] += 1
                    due[k] = t + neurons[k].switch_delays[0 if on else 1]
        for k in range(n):
            if due[k] <= t:
                due[k] = math.inf
                if phase[k] == 1:
                    phase[k] = 2
                    spikes[k].append(t)
                    emit(k, 1)
                else:
                    phase[k] = 0
                    emit(k, 0)
        for arrival in sorted(a for a in mail if a[0] <= t):
            mail.remove(arrival)
            v_pre[arrival[1]] = arrival[2]
    return spikes


@pytest.mark.parametrize(
    ("kind", "delay"),
    [
        ("diode", 0.0),
        ("memristor", 0.0),
        ("current", 0.0),
        ("crossbar", 0.0),
        ("current", 3.3e-6),
        pytest.param("diode", 3.3e-6, marks=pytest.mark.slow),
        pytest.param("memristor", 3.3e-6, marks=pytest.mark.slow),
        pytest.param("crossbar", 3.3e-6, marks=pytest.mark.slow),
    ],
)
def test_against_scipy(kind, delay):
    neuron = LIF if kind in ("current", "crossbar") else PAPER
    expanded = expand(pair(neuron, SYNAPSES[kind], delay, t_stop=0.3e-3))
    ours, theirs = solve_network_reference(expanded, variant="schmitt"), by_scipy(expanded)
    alone = solve_reference(expanded.neurons[1], "schmitt").t_spike
    assert len(ours.t_spike[1]) != len(alone) or np.abs(ours.t_spike[1] - alone).max() > 1e-7
    for a, b in zip(ours.t_spike, theirs, strict=True):
        assert len(a) == len(b) >= 2
        assert np.abs(a - np.array(b)).max() < 1e-11


@pytest.mark.parametrize("neuron", [PAPER, LIF])
def test_without_synapses_it_is_the_single_reference(neuron):
    network = Network(populations=(Population(name="n", neuron=neuron, size=2),), t_stop=0.5e-3)
    ours = solve_network_reference(network, variant="schmitt", keep=["n_1"])
    single = solve_reference(neuron, "schmitt")
    for t_spike in ours.t_spike:
        np.testing.assert_allclose(t_spike, single.t_spike, rtol=0, atol=1e-12)
    trace = ours.traces["n_1"]
    assert np.all(np.diff(trace.t) > 0)
    # The single one keeps no rows within a discharge; the chords of ours are near its rows.
    assert np.abs(np.interp(single.time, trace.t, trace.v_c) - single["v_c"]).max() < 3e-4


def test_order_four_with_pulses_within_a_step():
    network = pair(PAPER, CurrentSynapse(tau_s=30e-6, g_m=1e-3), 0.0, size=3)
    exact = solve_network_reference(network, variant="schmitt", h=0.1e-6)
    errors = []
    for h in (4e-6, 2e-6):
        rough = solve_network_reference(network, variant="schmitt", h=h)
        pairs = zip(rough.t_spike, exact.t_spike, strict=True)
        errors.append(max(np.abs(a - b).max() for a, b in pairs))
    assert errors[1] < 1e-9 and math.log2(errors[0] / errors[1]) > 3.3


def test_sources_give_pulses():
    """A pulse through a resistor and a diode into a capacitor without a leak worth the name."""
    quiet = LIF.replace(
        {
            "stimulus": {"kind": "constant", "amplitude": 0.0},
            "leak": {"kind": "resistor", "r": 1e12},
        }
    )
    times, t_pulse = (20e-6, 60e-6), 2e-6
    source = SpikeSource(name="s", size=1, times=(times,), t_pulse=t_pulse)
    network = Network(
        populations=(Population(name="n", neuron=quiet, size=1),), sources=(source,),
        projections=(
            Projection(source="s", target="n", synapse=DiodeSynapse(r=10e3),
                       connector=AllToAll(), delay=4e-6),
        ),
        t_stop=0.1e-3,
    )  # fmt: skip
    trace = solve_network_reference(network, variant="schmitt", keep=["n_0"]).traces["n_0"]
    diode, u = DiodeSynapse(r=10e3).diode, 1.752 * quiet.thermal_voltage

    def rate(t, v):
        w = source.v_high - v[0]
        v_d = brentq(lambda x: (w - x) / 10e3 - diode.i_s * math.expm1(x / u), 0, w)
        return [(w - v_d) / 10e3 / quiet.c]

    v = solve_ivp(rate, (0, 4e-6), [0.0], rtol=1e-10, atol=1e-12).y[0, -1]
    assert trace.v_c[-1] == pytest.approx(v, rel=2e-4)  # the diode leaks about 2.5 nA meanwhile
    during = (trace.t > 24.001e-6) & (trace.t < 63.9e-6) & (trace.t > 26.001e-6)
    assert np.ptp(trace.v_c[during]) < 1e-4 * v
