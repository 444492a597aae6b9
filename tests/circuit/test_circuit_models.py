"""The circuit's own equations with every memristor model: SciPy, ngspice, reference, threads."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from independent import corner_times, pulse_current
from model_equations import DEVICES, equations
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from spicealif import Cause, Neuron, explain, save_toml, simulate, solve_circuit, solve_reference
from spicealif.cli.main import cli
from spicealif.reference import driver

Floats = NDArray[np.float64]
NONE: frozenset[Cause] = frozenset()
# Each amplifier drives the branch of device and r_s in its own way.
AMPLIFIERS: dict[str, dict[str, Any]] = {
    "real": {},
    "real, no r_s": {"r_s": 0.0},
    "ideal op-amp": {"difference_amplifier.opamp": {"kind": "ideal"}, "v_rest": 0.02},
    "ideal": {"difference_amplifier": {"kind": "ideal"}, "v_rest": -0.02},
}


def neuron_of(paper: Neuron, name: str, **changes: Any) -> Neuron:
    leak = {"leak": DEVICES[name].to_dict(), "name": name}
    return paper.replace({**leak, "t_stop": 4e-4, **changes})


def worst(a: Floats, b: Floats) -> float:
    assert len(a) == len(b) > 2
    return float(np.abs(a - b).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "amplifier"), [*itertools.product(["gmms"], AMPLIFIERS), ("vteam", "real"),
                            ("yakopcic", "real, no r_s")],
)  # fmt: skip
def test_rodas_and_scipy_solve_the_same_equations(paper, name, amplifier):
    neuron = neuron_of(paper, name, t_stop=2.5e-4, **AMPLIFIERS[amplifier])
    own = solve_circuit(neuron, rtol=1e-9)
    scipy = solve_circuit(neuron, method="LSODA")
    assert worst(own.t_spike, scipy.t_spike) < 0.1e-9
    for signal in ("v_c", "v_mem", "x"):
        assert own[signal][-1] == pytest.approx(scipy[signal][-1], abs=1e-5)
    assert own.attrs["energy_source"] == pytest.approx(scipy.attrs["energy_source"], rel=1e-6)


@pytest.mark.slow
def test_radau_takes_the_jacobian_of_a_device(paper):
    neuron = neuron_of(paper, "gmms", t_stop=1.6e-4)
    radau = solve_circuit(neuron, method="Radau").t_spike
    assert len(radau) > 1
    np.testing.assert_allclose(solve_circuit(neuron).t_spike, radau, rtol=0, atol=0.1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVICES)
def test_errors_fall_with_the_tolerance(paper, name):
    neuron = neuron_of(paper, name)
    exact = solve_circuit(neuron, rtol=1e-10).t_spike
    errors = [worst(solve_circuit(neuron, rtol=r).t_spike, exact) for r in (1e-4, 1e-6, 1e-8)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.1e-9


@pytest.mark.slow
@pytest.mark.parametrize("changes", AMPLIFIERS.values(), ids=AMPLIFIERS)
def test_function_pointers_give_what_the_built_in_equations_give(paper, monkeypatch, changes):
    neuron = paper.replace({"t_stop": 5e-4, **changes})
    built_in = solve_circuit(neuron, rtol=1e-9)
    monkeypatch.setattr(driver, "_built_in", lambda leak: False)
    pointers = solve_circuit(neuron, rtol=1e-9)
    assert worst(built_in.t_spike, pointers.t_spike) < 1e-12
    for signal in ("v_c", "v_mem", "x"):
        assert built_in[signal][-1] == pytest.approx(pointers[signal][-1], abs=1e-8)


def ideal_spikes(neuron: Neuron) -> tuple[Floats, Floats]:
    """Return spike times and v_mem, x, output at the end of an all-ideal circuit, by LSODA.

    Only the design's numbers are used. The states are v_mem, x and the comparator's one pole, so
    that nothing implicit is left: v_c = v_rest + v_mem + r_s i.
    """
    device, c = equations(neuron.leak), neuron.comparator
    swing = c.v_oh - c.v_ol
    f_d, f_o, v_0 = neuron.ideal_feedback
    gain = neuron.difference_amplifier.gain

    def right_side(t: float, y: Floats) -> list[float]:
        i, i_v, i_x, dx = device(y[0], y[1])
        v_c = neuron.v_rest + y[0] + neuron.r_s * i
        u = f_d * gain * y[0] + f_o * y[2] - v_0
        target = c.v_ol + swing / 2 * (1 + math.tanh(2 * c.gain / swing * u))
        gate = (y[2] - neuron.mosfet.v_to) / neuron.mosfet.v_gs_width
        switch = v_c * 0.5 / neuron.mosfet.r_ds_on * (1 + math.tanh(gate))
        dv = (pulse_current(t, neuron) - i - switch) / neuron.c
        dm = (dv - neuron.r_s * i_x * dx) / (1 + neuron.r_s * i_v)
        return [dm, dx, (target - y[2]) * math.log(2) / c.t_delay]

    def rising(t: float, y: Floats) -> float:
        return float(y[2] - (c.v_oh + c.v_ol) / 2)

    rising.direction = 1.0  # type: ignore[attr-defined]
    y, spikes = np.array([0.0, neuron.leak.x_0, c.v_ol]), []
    for start, end in itertools.pairwise(corner_times(neuron, neuron.t_stop)):
        first = min(1e-10, (end - start) / 10)
        s = solve_ivp(
            right_side, (start, end), y, "LSODA", rtol=1e-11, atol=[1e-13, 1e-13, 1e-12],
            events=rising, first_step=first, max_step=5e-6,
        )  # fmt: skip
        assert s.success, s.message
        y = s.y[:, -1]
        spikes += list(s.t_events[0])
    return np.array(spikes), y


@pytest.mark.parametrize("name", DEVICES)
def test_all_ideal_circuit_is_three_equations(paper, name):
    neuron = neuron_of(paper, name).ideal()
    spikes, y = ideal_spikes(neuron)
    own = solve_circuit(neuron, rtol=1e-9)
    assert worst(own.t_spike, spikes) < 5e-12
    assert own["v_mem"][-1] == pytest.approx(y[0], abs=1e-7)
    assert own["x"][-1] == pytest.approx(y[1], abs=1e-8)


@pytest.mark.parametrize("name", DEVICES)
def test_without_causes_the_circuit_is_the_reference(paper, name):
    neuron = neuron_of(paper, name, t_stop=1.3e-3)
    own = solve_circuit(neuron, causes=NONE, rtol=1e-8)
    reference = solve_reference(neuron.replace(stimulus=neuron.stimulus.sharp()))
    assert own.t_spike[0] == pytest.approx(reference.t_spike[0], abs=0.2e-9)
    starts, _ = neuron.stimulus.windows(neuron.t_stop)
    pulse = np.searchsorted(starts, reference.t_spike, side="right")
    assert worst(own.t_spike, reference.t_spike) < 5e-9 * len(reference.t_spike)
    drift = np.diff(own.t_spike - reference.t_spike)[np.diff(pulse) == 0]
    # what is left is the same as with the MMS model, see test_circuit_equations
    assert np.abs(drift).max() < 5e-9


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ideal"), [(n, False) for n in DEVICES] + [("gmms", True)])
def test_ngspice_finds_the_same_spikes(paper, name, ideal):
    neuron = neuron_of(paper, name, t_stop=7e-4)
    neuron = neuron.ideal() if ideal else neuron
    circuit = simulate(neuron, "ngspice-batch").require()
    own = solve_circuit(neuron)
    assert worst(circuit.t_spike, own.t_spike) < 1e-9
    assert circuit["x"][-1] == pytest.approx(own["x"][-1], abs=1e-6)


def test_threads_do_not_disturb_each_other(paper):
    neurons = [neuron_of(paper, name, t_stop=2e-3) for name in DEVICES] * 2
    alone = [solve_circuit(neuron).t_spike for neuron in neurons[:3]] * 2
    with ThreadPoolExecutor(4) as pool:
        together = [w.t_spike for w in pool.map(solve_circuit, neurons)]
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gap_of_another_model_has_a_budget(paper):
    neuron = neuron_of(paper, "yakopcic", t_stop=5e-4).ideal()
    budget = explain(neuron, "ngspice-batch", measures=["isi_mean"], cache=False)["isi_mean"]
    assert budget.gap == pytest.approx(math.fsum(s.value for s in budget.shares) + budget.residual)
    assert abs(budget.residual) < 0.02 * abs(budget.gap)


@pytest.mark.slow
def test_verify_command(paper, tmp_path):
    path = save_toml(neuron_of(paper, "gmms", t_stop=1.5e-4), tmp_path / "schottky.toml")
    done = CliRunner().invoke(cli, ["verify", str(path), "--simulator", "ngspice-batch"])
    assert done.exit_code == 0, done.output
    assert "within 20 ns" in done.output
