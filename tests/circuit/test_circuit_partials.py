"""The written-out derivatives of the circuit's rates, beside differences of the rates."""

from __future__ import annotations

import numpy as np
import pytest
from model_equations import DEVICES

from spicealif.circuit import layout
from spicealif.circuit.parameters import ALL_CAUSES
from spicealif.circuit.partials import has_partials, write_load_partials, write_partials
from spicealif.circuit.rates import rates
from spicealif.design import load_preset
from spicealif.network import Network, Population, expand
from spicealif.network.circuit.arrays import network_arrays

N = layout.N_STATES
#: Differences in V, A (or of x): of the amplifier's inputs, whose tanh is wide, and of the
#: comparator's where its own tanh stands still; and of the latter where it is microvolts wide.
STEP, LARGE_STEP, SMALL_STEP = 1e-4, 3e-3, 1e-8


def circuit(neuron):
    network = Network(populations=(Population(name="n", neuron=neuron, size=1),), t_stop=1e-3)
    arrays = network_arrays(expand(network), ALL_CAUSES)
    model, device = arrays.models[arrays.model[0]], None
    if model is not None:
        device = (model[0], model[1], arrays.q[0], np.zeros(4))
    return arrays.values[0].copy(), device


def by_differences(p, device, at, steps):
    """Five-point differences of the rates and the output by each of some arguments."""
    columns = []
    for k, h in enumerate(steps):
        found = []
        for factor in (-2, -1, 1, 2):
            moved = at.copy()
            moved[k] += factor * h
            dy = np.zeros(N)
            p[layout.P_I_OUT] = moved[N + 1]
            v_spike = rates(moved[:N].copy(), moved[N], 0.0, p, dy, device)[2]
            found.append(np.append(dy, v_spike))
        p[layout.P_I_OUT] = at[N + 1]
        columns.append((8 * (found[2] - found[1]) - (found[3] - found[0])) / (12 * h))
    return np.array(columns).T


def states(p, rng):
    """A state from all over the range that circuits are in, and well beyond."""
    y = np.concatenate([rng.uniform(-0.3, 1.2, 1), rng.uniform(0.05, 0.95, 1),
                        rng.uniform(-0.2, 3.0, 3), [p[layout.P_V_REF] + 2e-4 * rng.normal()],
                        rng.uniform(0.0, 0.9, 2), rng.uniform([-0.5, -2.0], 4.0)])  # fmt: skip
    if rng.random() < 0.5:
        y[layout.Y_CP] = rng.uniform(-0.2, 2.0)
    if p[layout.P_PULL_UP] == 0.0:
        y[[layout.Y_T1, layout.Y_T2]] *= 4.0
    return y


LEAKS = ("mms", "resistor", "gmms", "vteam", "yakopcic")


@pytest.mark.parametrize(
    ("leak", "part"), [*((leak, "") for leak in LEAKS), ("mms", "pull-up"), ("mms", "no r_s")]
)
def test_derivatives_are_those_of_the_rates(leak, part, paper):
    neuron = load_preset("lif") if leak == "resistor" else paper
    if leak in DEVICES:
        neuron = paper.replace({"leak": DEVICES[leak].to_dict()})
    if part == "pull-up":
        neuron = neuron.replace({"comparator": {"preset": "lm393"}})
    elif part == "no r_s":
        neuron = neuron.replace({"r_s": 0.0})
    p, device = circuit(neuron)
    assert (p[layout.P_PULL_UP] > 0.0) == (part == "pull-up")
    assert has_partials(p)
    assert (device is None) == (leak in ("mms", "resistor"))
    rng = np.random.default_rng(7)
    active = np.arange(N)
    there, judged = (np.zeros((N + 1, N + 2), dtype=bool) for _ in range(2))
    for _ in range(60):
        y = states(p, rng)
        p[layout.P_G_OUT], i_out = rng.uniform(0, 1e-3), rng.uniform(-1e-3, 1e-3)
        p[layout.P_I_OUT] = i_out
        (f, jac, edge, by) = (np.zeros(N), np.ones(N * N), np.ones(30), np.ones(N))
        rates(y, 1e-3, 0.0, p, f, device)
        by_current, by_load = write_partials(y, p, active, f, jac, edge, device)
        write_load_partials(y, p, by_current, by_load, by)
        ours = np.zeros((N + 1, N + 2))
        ours[:N, :N], ours[N, :N] = jac.reshape(N, N), edge[:N]
        ours[:N, N + 1], ours[N, N + 1], ours[0, N] = by, by_load, by_current
        by_drain = by_current * ours[layout.Y_V_GD, layout.Y_T2] / ours[0, layout.Y_T2]
        at = np.concatenate([y, [1e-3, i_out]])
        steps = np.full(N + 2, STEP)
        near = abs(y[layout.Y_CP] - p[layout.P_V_REF]) < 5 * LARGE_STEP
        steps[layout.Y_CP] = SMALL_STEP if near else LARGE_STEP
        steps[[layout.Y_AP, layout.Y_AN]] = LARGE_STEP
        (truth, other) = (by_differences(p, device, at, k * steps) for k in (1.0, 0.7))
        # The judge's own error: what two steps of it differ by, and rounding of a rate's terms.
        terms = np.append(np.abs(f), 1.0)[:, None] + np.abs(truth * at).max(axis=1, keepdims=True)
        # Those of the drain's current cancel: volts behind its resistance of a milliohm.
        drain = 4.0 / p[layout.P_R_DRAIN] * np.array([by_current, by_drain])
        terms[[layout.Y_V_C, layout.Y_V_GD], 0] += drain
        error = 5.0 * np.abs(truth - other) + 2e-15 * terms / steps
        allowed = error + 1e-7 * np.abs(truth)
        if device is not None:  # dx/dt by v and x is a difference there too
            allowed[layout.Y_X] += 1e-5 * np.abs(truth[layout.Y_X])
        wrong = np.argwhere(np.abs(ours - truth) > allowed)
        assert [(*at, ours[*at], truth[*at]) for at in wrong.tolist()] == []
        there |= ours != 0.0
        judged |= error < 1e-3 * np.abs(truth)
    # Every derivative that there is was looked at closely in some state.
    assert np.argwhere(there & ~judged).tolist() == []


def test_states_that_a_circuit_does_not_have_are_left_out():
    p, _ = circuit(load_preset("lif"))
    rng = np.random.default_rng(1)
    y, f = states(p, rng), np.zeros(N)
    rates(y, 1e-3, 0.0, p, f, None)
    some = np.array([0, 2, 3, 4, 5, 6, 7, 8, 9])
    whole, part = np.zeros(N * N), np.zeros(N * N)
    write_partials(y, p, np.arange(N), f, whole, np.zeros(30), None)
    write_partials(y, p, some, f, part, np.zeros(30), None)
    expected = whole.reshape(N, N)[np.ix_(some, some)]
    assert np.array_equal(part.reshape(N, N)[:9, :9], expected)


def test_circuits_with_an_ideal_part_have_differences(paper):
    for change in ({"difference_amplifier": {"kind": "ideal"}}, {"mosfet": {"kind": "ideal"}}):
        p, _ = circuit(paper.replace(change))
        assert not has_partials(p)
