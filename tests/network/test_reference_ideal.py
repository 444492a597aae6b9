"""`ideal` networks against SciPy, closed forms, the single reference, and themselves."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spicealif.design import load_preset
from spicealif.errors import IntegrationError
from spicealif.network import (
    AllToAll,
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    FromList,
    MemristorSynapse,
    Network,
    OneToOne,
    Population,
    Projection,
    SpikeSource,
    expand,
)
from spicealif.network.reference import point_form, solve_network_reference
from spicealif.reference import solve_reference

PAPER = load_preset("paper").replace({"t_stop": 2e-3})
LIF = load_preset("lif").replace({"t_stop": 2e-3})


def pair(neuron, synapse, delay, *, size=2, drives=None, connector=None, t_stop=2e-3, **weights):
    name = "stimulus.high" if neuron.stimulus.kind == "pulse" else "stimulus.amplitude"
    name = name if hasattr(neuron.stimulus, name[9:]) else "stimulus.amplitude"
    first = getattr(neuron.stimulus, name[9:])
    drives = tuple(first * (1.0 + 0.07 * k) for k in range(size)) if drives is None else drives
    return Network(
        populations=(
            Population(name="n", neuron=neuron, size=size, parameters={name: drives}),
        ),
        projections=(
            Projection(
                source="n", target="n", synapse=synapse, connector=connector or AllToAll(),
                delay=delay, **weights,
            ),
        ),
        t_stop=t_stop,
    )  # fmt: skip


def by_scipy(expanded, form, rtol=1e-12):
    """Solve the written-out equations of all neurons with DOP853, event by event."""
    neurons = expanded.neurons
    n, (synapses,) = len(neurons), expanded.synapses
    t_stop = expanded.network.t_stop
    pieces = [neuron.stimulus.pieces(t_stop) for neuron in neurons]
    corners = sorted({float(t) for p in pieces for t in p.t[1:]})

    def conductance(k, x):
        leak = neurons[k].leak
        if leak.kind == "resistor":
            return 1.0 / leak.r
        return x / leak.r_on + (1.0 - x) / leak.r_off

    def v_mem(k, v, x):
        return (v - neurons[k].v_rest) / (1.0 + neurons[k].r_s * conductance(k, x))

    def rates(t, y, at, held):
        out = np.zeros(3 * n)
        for k, neuron in enumerate(neurons):
            (v, x, i) = y[3 * k : 3 * k + 3]
            m, p = v_mem(k, v, x), pieces[k]
            q = min(int(np.searchsorted(p.t, at, side="right")) - 1, len(p.i) - 1)
            source = p.i[q] + p.slope[q] * (t - p.t[q])
            if not held[k]:
                out[3 * k] = (source + i - m * conductance(k, x)) / neuron.c
            if neuron.leak.kind != "resistor":
                leak, u = neuron.leak, neuron.thermal_voltage
                on = 1.0 / (1.0 + math.exp(-(m - leak.v_on) / u))
                off = 1.0 - 1.0 / (1.0 + math.exp(-(m + leak.v_off) / u))
                out[3 * k + 1] = (on * (1.0 - x) - off * x) / leak.tau
            out[3 * k + 2] = -i / form.tau_s[0] if form.tau_s[0] > 0 else 0.0
        return out

    y = np.array([[neuron.v_rest, getattr(neuron.leak, "x_0", 0.0), 0.0] for neuron in neurons])
    y = y.ravel()
    t, mail, spikes, until = 0.0, [], [[] for _ in range(n)], [-1.0] * n

    def fire(k):
        spikes[k].append(t)
        y[3 * k] = neurons[k].v_reset
        until[k] = t + neurons[k].t_ref if neurons[k].t_ref > 0 else -1.0
        for s in np.flatnonzero(synapses.pre == k):
            mail.append((t + synapses.delay[s], int(s)))

    while t < t_stop:
        held = [t < u for u in until]
        stops = [c for c in corners if c > t] + [a[0] for a in mail] + [u for u in until if u > t]
        end = min(stops)
        events = []
        for k, neuron in enumerate(neurons):
            def event(t, y, *_, k=k, v_th=neuron.v_th, off=held[k]):
                return -1.0 if off else v_mem(k, y[3 * k], y[3 * k + 1]) - v_th
            event.terminal, event.direction = True, 1
            events.append(event)
        if end > t:
            found = solve_ivp(
                rates, (t, end), y, "DOP853", rtol=rtol, atol=1e-15, events=events,
                args=(0.5 * (t + end), held),
            )  # fmt: skip
            (t, y) = (float(found.t[-1]), found.y[:, -1].copy())
            for k in range(n):
                if len(found.t_events[k]):
                    fire(k)
        for arrival in sorted(a for a in mail if a[0] <= t):
            mail.remove(arrival)
            s = arrival[1]
            k = int(synapses.post[s])
            if form.tau_s[s] > 0:
                y[3 * k + 2] += form.charge[s] / form.tau_s[s]
            elif not t < until[k]:
                y[3 * k] += form.charge[s] / neurons[k].c
        for k, neuron in enumerate(neurons):
            if not t < until[k] and v_mem(k, y[3 * k], y[3 * k + 1]) > neuron.v_th + 1e-9:
                fire(k)  # a charge took it over the threshold
    return [np.array(times) for times in spikes]


CURRENT = CurrentSynapse(tau_s=50e-6, g_m=1e-5)
CASES = {
    "memristors, excitatory": (PAPER, CURRENT, 2, {"charge": 5e-9}),
    "resistors, inhibitory": (LIF, CURRENT.replace({"sign": -1}), 4, {"charge": 6e-9}),
    "refractory": (PAPER.replace({"t_ref": 8e-6}), CURRENT, 4, {"charge": 4e-9}),
    "charges at once": (PAPER, DiodeSynapse(r=2e3), 2, {}),
    "charges at once, held": (LIF.replace({"t_ref": 30e-6}), DiodeSynapse(r=5e3), 4, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_against_scipy(case):
    neuron, synapse, size, weights = CASES[case]
    delays = tuple(20e-6 + 7.3e-6 * k for k in range(size * (size - 1)))
    expanded = expand(pair(neuron, synapse, delays, size=size, **weights))
    form = point_form(expanded.synapses[0], expanded)
    ours = solve_network_reference(expanded)
    theirs = by_scipy(expanded, form)
    without = [len(solve_reference(neuron).t_spike) for neuron in expanded.neurons]
    assert [len(t) for t in theirs] != without  # the synapses do something
    for a, b in zip(ours.t_spike, theirs, strict=True):
        assert len(a) == len(b) > 5
        assert np.abs(a - b).max() < 1e-11
    one_by_one = solve_network_reference(expanded, keep=range(size))
    for a, b in zip(ours.t_spike, one_by_one.t_spike, strict=True):
        assert np.abs(a - b).max() < 1e-13
