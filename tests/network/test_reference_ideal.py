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
    Network,
    Population,
    Projection,
    SpikeSource,
    expand,
)
from spicealif.network.reference import point_form, solve_network_reference
from spicealif.reference import solve_reference

PAPER = load_preset("paper").replace({"t_stop": 2e-3})
LIF = load_preset("lif").replace({"t_stop": 2e-3})


def pair(neuron, synapse, delay, *, size=2, spread=0.07, connector=None, t_stop=2e-3, sources=(),
         **weights):  # fmt: skip
    name = "stimulus.amplitude"
    first = neuron.stimulus.amplitude
    drives = tuple(first * (1.0 + spread * k) for k in range(size))
    return Network(
        populations=(Population(name="n", neuron=neuron, size=size, parameters={name: drives}),),
        sources=sources,
        projections=(
            Projection(
                source=sources[0].name if sources else "n", target="n", synapse=synapse,
                connector=connector or AllToAll(), delay=delay, **weights,
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
    "charges at once, held": (LIF.replace({"t_ref": 10e-6}), DiodeSynapse(r=2e3), 4, {}),
}


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=pytest.mark.slow if c == "refractory" else ()) for c in CASES],
)
def test_against_scipy(case):
    neuron, synapse, size, weights = CASES[case]
    delays = tuple(20e-6 + 7.3e-6 * k for k in range(size * (size - 1)))
    expanded = expand(pair(neuron, synapse, delays, size=size, **weights))
    form = point_form(expanded.synapses[0], expanded)
    ours = solve_network_reference(expanded)
    theirs = by_scipy(expanded, form)
    alone = solve_reference(expanded.neurons[0]).t_spike
    assert len(alone) != len(theirs[0]) or np.abs(alone - theirs[0]).max() > 1e-6  # it does act
    for a, b in zip(ours.t_spike, theirs, strict=True):
        assert len(a) == len(b) > 5
        assert np.abs(a - b).max() < 1e-11
    one_by_one = solve_network_reference(expanded, keep=range(size))
    for a, b in zip(ours.t_spike, one_by_one.t_spike, strict=True):
        assert np.abs(a - b).max() < 1e-13


@pytest.mark.parametrize("neuron", [PAPER, LIF, PAPER.replace({"t_ref": 11e-6})])
def test_without_synapses_it_is_the_single_reference(neuron):
    network = Network(populations=(Population(name="n", neuron=neuron, size=2),), t_stop=2e-3)
    single = solve_reference(neuron)
    for keep in ([], ["n_0", 1]):
        many = solve_network_reference(network, keep=keep)
        assert many.names == ("n_0", "n_1")
        for t_spike in many.t_spike:
            np.testing.assert_allclose(t_spike, single.t_spike, rtol=0, atol=1e-12)
    trace = many.traces["n_1"]
    assert np.all(np.diff(trace.t) > 0) and trace.t[0] == 0.0
    between = np.interp(single.time, trace.t, trace.v_c) - single["v_c"]
    assert np.median(np.abs(between)) < 1e-6


def test_sines_and_other_models_are_taken_one_by_one():
    neuron = PAPER.replace({"leak": {"preset": "gmms_knowm"}})
    assert neuron.leak.kind == "gmms"
    sine = LIF.replace({"stimulus": {"kind": "sine", "offset": 5e-4, "amplitude": 2e-4,
                                     "frequency": 2e3}})  # fmt: skip
    for one in (neuron, sine):
        network = Network(populations=(Population(name="n", neuron=one, size=1),), t_stop=2e-3)
        ours, single = solve_network_reference(network).t_spike[0], solve_reference(one).t_spike
        assert len(single) > 3
        np.testing.assert_allclose(ours, single, rtol=0, atol=1e-12)


def test_pair_of_resistors_with_charges_in_closed_form():
    """A spike of one neuron lifts v_c of the other by q/C at once; between, exponentials."""
    connector = FromList(connections=((0, 1),))
    network = pair(LIF, DiodeSynapse(r=3e3), 33e-6, spread=-0.2, connector=connector)
    expanded = expand(network)
    jump = point_form(expanded.synapses[0], expanded).charge[0] / LIF.c
    (a, b) = expanded.neurons
    r = LIF.leak.r
    tau = (r + LIF.r_s) * LIF.c
    v_th = LIF.v_th * (r + LIF.r_s) / r  # of v_c
    ends = [n.stimulus.amplitude * (r + LIF.r_s) for n in (a, b)]
    period = tau * math.log(ends[0] / (ends[0] - v_th))
    first = np.arange(1, int(2e-3 / period) + 1) * period
    (t, v, second) = (0.0, 0.0, [])
    for arrival in [*(first + 33e-6), 2e-3]:
        while True:
            crossing = t + tau * math.log((ends[1] - v) / (ends[1] - v_th))
            if crossing > min(arrival, 2e-3):
                break
            (t, v) = (crossing, 0.0)
            second.append(t)
        v = ends[1] + (v - ends[1]) * math.exp(-(arrival - t) / tau) + jump
        t = arrival
        if v >= v_th and t < 2e-3:
            second.append(t)
            v = 0.0
    ours = solve_network_reference(network)
    np.testing.assert_allclose(ours.t_spike[0], first, rtol=0, atol=2e-12)
    np.testing.assert_allclose(ours.t_spike[1], second, rtol=0, atol=2e-12)
    assert len(second) > 8


def test_order_four_off_the_grid():
    delays = tuple(31e-6 + 7.3e-6 * k for k in range(6))
    network = pair(PAPER, CURRENT, delays, size=3, charge=5e-9)
    exact = solve_network_reference(network, h=0.1e-6)
    errors = []
    for h in (8e-6, 4e-6, 2e-6):
        rough = solve_network_reference(network, h=h)
        pairs = zip(rough.t_spike, exact.t_spike, strict=True)
        errors.append(max(np.abs(a - b).max() for a, b in pairs))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 1e-10
    assert np.all(orders > 3.4)
    grid = exact.t_spike[0] / 0.1e-6
    assert np.abs(grid - np.round(grid)).max() > 0.05  # not on it


def many(n=300, m=3000, **changes):
    rng = np.random.Generator(np.random.PCG64(3))
    pairs = rng.integers(0, n, (m, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return pair(
        LIF, CURRENT, tuple(rng.uniform(1e-6, 400e-6, len(pairs))), size=n, spread=1e-3,
        connector=FromList(connections=tuple(map(tuple, pairs.tolist()))),
        charge=tuple(rng.uniform(1e-11, 1e-9, len(pairs))), **changes,
    )  # fmt: skip


def test_same_bits_whatever_the_threads(monkeypatch):
    from spicealif.network.reference import ideal

    monkeypatch.setattr(ideal, "WORTH_A_THREAD", 1)
    expanded = expand(many())
    one, three = (solve_network_reference(expanded, workers=k) for k in (1, 3))
    for a, b in zip(one.t_spike, three.t_spike, strict=True):
        assert a.tobytes() == b.tobytes()
    delivered = sum(
        int((one.t_spike[pre] + delay < 2e-3).sum())
        for pre, delay in zip(expanded.synapses[0].pre, expanded.synapses[0].delay, strict=True)
    )
    assert one.attrs["n_arrived"] == delivered


def test_sources_act_like_neurons_and_may_have_no_delay():
    times = tuple(50e-6 + 137e-6 * k for k in range(14))
    results = []
    for delay in (0.0, 1e-9, 300e-6):
        shifted = tuple(t - delay for t in times if t - delay >= 0)
        source = SpikeSource(name="s", size=1, times=(shifted,))
        network = pair(LIF, CURRENT, delay, size=1, sources=(source,), charge=8e-9)
        results.append(solve_network_reference(network).t_spike[0])
    alone = solve_reference(LIF).t_spike
    assert len(results[0]) > len(alone)
    assert np.abs(results[0] - results[1]).max() < 1e-12
    assert results[2][0] == pytest.approx(alone[0], abs=1e-12)  # the first two pulses are missing


def test_spikes_move_the_state_of_devices():
    """Each pulse holds the device at one voltage, where the MMS model's x is an exponential."""
    device = PAPER.leak.replace({"tau": 30e-6, "x_0": 0.1})
    source = SpikeSource(name="s", size=1, times=((0.1e-3, 0.3e-3, 0.7e-3),), t_pulse=2e-6)
    synapse = CrossbarSynapse(device=device, gain=0.05)
    network = pair(LIF, synapse, 5e-6, size=1, sources=(source,))
    quiet = LIF.replace({"stimulus": {"kind": "constant", "amplitude": 0.0}, "t_stop": 2e-3})
    network = Network(
        populations=(Population(name="n", neuron=quiet, size=1),), sources=(source,),
        projections=network.projections, t_stop=2e-3,
    )  # fmt: skip
    trace = solve_network_reference(network, keep=["n_0"]).traces["n_0"]
    jumps = trace.v_c[1:][np.diff(trace.v_c) > 1e-4] - trace.v_c[:-1][np.diff(trace.v_c) > 1e-4]
    v_t = quiet.thermal_voltage

    def moved(x, v, t):
        on = 1 / (1 + math.exp(-(v - device.v_on) / v_t))
        off = 1 - 1 / (1 + math.exp(-(v + device.v_off) / v_t))
        rate, end = (on + off) / device.tau, on / (on + off)
        g = [k / device.r_on + (1 - k) / device.r_off for k in (end, x)]
        part = -math.expm1(-rate * t)
        return end + (x - end) * (1 - part), v * (g[0] * t + (g[1] - g[0]) * part / rate)

    (x, last, expected) = (0.1, 0.0, [])
    for t in source.times[0]:
        x, _ = moved(x, source.v_low, t - last)
        x, charge = moved(x, source.v_high, 2e-6)
        last = t + 2e-6
        expected.append(0.05 * charge / quiet.c)
    np.testing.assert_allclose(jumps, expected, rtol=1e-6)
    assert expected[2] > 1.05 * expected[0]


def test_charge_of_a_pulse():
    small = CurrentSynapse(tau_s=50e-6, g_m=1e-6)
    large = small.replace({"g_m": 1e-2, "i_max": 1e-4})
    for synapse in (small, large):
        source = SpikeSource(name="s", size=1, times=((),), t_pulse=3e-6)
        expanded = expand(pair(LIF, synapse, 1e-6, size=1, sources=(source,)))
        form = point_form(expanded.synapses[0], expanded)
        t = np.linspace(0, 1e-3, 2_000_001)
        swing = source.v_high - source.v_low
        s = swing * np.where(
            t < 3e-6, -np.expm1(-t / 50e-6), -np.expm1(-3e-6 / 50e-6) * np.exp(-(t - 3e-6) / 50e-6)
        )
        i = synapse.i_max * np.tanh(synapse.g_m * s / synapse.i_max)
        np.testing.assert_allclose(form.charge, np.trapezoid(i, t), rtol=1e-5)


def refused(network, **how):
    with pytest.raises(IntegrationError) as error:
        solve_network_reference(network, **how)
    return str(error.value)


def test_what_makes_no_sense_is_told_in_a_sentence():
    good = pair(LIF, CURRENT, 20e-6)
    assert "variant" in refused(good, variant="other")
    assert "delays above 0" in refused(pair(LIF, CURRENT, 0.0))
    assert "shortest delay" in refused(good, h=30e-6)
    assert "step h" in refused(good, h=-1.0)
    assert "too many" in refused(good, h=1e-15)
    assert "threads" in refused(good, workers=0)
    assert "'other'" in refused(good, keep=["other"])
    stuck = pair(LIF.replace({"v_reset": 0.3999999}), CURRENT, 20e-6, size=2)
    said = refused(stuck)
    assert "Neuron n_" in said and "spikes without end" in said


def test_progress_and_interruption():
    seen = []

    def stop(part):
        seen.append(part)
        if part > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve_network_reference(pair(LIF, CURRENT, 20e-6), progress=stop)
    assert 0.3 < seen[-1] < 0.5 and seen == sorted(seen)
