"""Many samples as arrays: the same answers, rules and sentences as one by one."""

from __future__ import annotations

import time

import numpy as np
import pytest

from spicealif import load_preset, solve_bank, solve_circuit, solve_reference
from spicealif.bank._samples import _stimulus, _times
from spicealif.errors import DesignError, IntegrationError

PAPER = load_preset("paper").replace({"t_stop": 3e-3})
RNG = np.random.default_rng(3)
N = 40

#: Each way to the kernel's tables: values, and what is computed.
CASES = {
    "parameters": (
        {
            "leak.tau": RNG.uniform(1e-3, 1e-2, N),
            "c": RNG.uniform(5e-8, 2e-7, N),
            "r_s": RNG.uniform(0, 600, N),
            "temperature": RNG.uniform(280, 320, N),
            "leak.x_0": RNG.uniform(0, 1, N),
        },
        PAPER,
    ),
    "devices": (
        {
            "leak.r_on": RNG.uniform(300, 600, N),
            "leak.r_off": RNG.uniform(700, 3000, N),
            "leak.v_on": RNG.uniform(0.2, 0.4, N),
            "leak.v_off": RNG.uniform(0.1, 0.3, N),
            "v_rest": RNG.uniform(-0.005, 0.001, N),
        },
        PAPER,
    ),
    "amplitude and offset": (
        {
            "stimulus.amplitude": RNG.uniform(5e-4, 3e-3, N),
            "stimulus.offset": RNG.uniform(-5e-4, 1e-4, N),
        },
        PAPER,
    ),
    "sine": (
        {"stimulus.amplitude": RNG.uniform(1e-3, 2e-3, N)},
        PAPER.replace({"stimulus.kind": "sine", "stimulus.frequency": 700.0,
                       "stimulus.amplitude": 1e-3}),
    ),
    "constant": ({"stimulus": RNG.uniform(0, 2e-3, N)}, PAPER),
    "currents": ({"stimulus": RNG.uniform(-1e-3, 3e-3, (N, 7)), "t_ref": np.full(N, 1e-5)}, PAPER),
    "resistor": ({"leak.r": RNG.uniform(500, 2000, N)}, load_preset("lif").replace(t_stop=3e-3)),
    "one neuron a sample": (
        {"stimulus.duty": RNG.uniform(0.2, 0.8, 6), "v_low": RNG.uniform(0.03, 0.1, 6)}, PAPER,
    ),
}  # fmt: skip


def neuron_of(base, values, k):
    changes = {name: array[k] for name, array in values.items()}
    return base.replace({
        name: _stimulus(value, _times(np.size(value), base.t_stop))
        if name == "stimulus"
        else float(value)
        for name, value in changes.items()
    })  # fmt: skip


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
@pytest.mark.parametrize("name", CASES)
def test_as_one_by_one(name, variant):
    values, base = CASES[name]
    bank = solve_bank(base, values, variant=variant, threads=2)
    n = len(next(iter(values.values())))
    assert len(bank) == n
    assert not bank.errors
    assert bank.spike_count.sum() > n / 2
    for k in range(0, n, 5):
        single = solve_reference(neuron_of(base, values, k), variant)
        assert bank.spike_count[k] == len(single.t_spike)
        np.testing.assert_allclose(bank.t_spike[k], single.t_spike, rtol=0, atol=1e-12)
        if "x" in single:
            assert bank.x_final[k] == pytest.approx(single["x"][-1], abs=1e-12)
        else:
            assert np.isnan(bank.x_final[k])
        assert bank.v_c_final[k] == pytest.approx(single["v_c"][-1], abs=1e-11)
        assert bank.v_c_peak[k] == pytest.approx(single["v_c"].max(), abs=1e-11)
        energy = single.attrs["energy_source"]
        assert bank.energy_source[k] == pytest.approx(energy, rel=1e-9, abs=1e-18)
    first = [train[0] if len(train) else np.nan for train in bank.t_spike]
    np.testing.assert_array_equal(bank.t_first, first)


def test_threads_change_no_bit():
    values, base = CASES["parameters"]
    one, two = (solve_bank(base, values, threads=k) for k in (1, 2))
    np.testing.assert_array_equal(one.times, two.times)


def test_the_circuits_equations():
    amplitudes = np.array([8e-4, 1.5e-3])
    bank = solve_bank(PAPER, {"stimulus.amplitude": amplitudes}, side="equations", rtol=1e-6)
    for k, amplitude in enumerate(amplitudes):
        single = solve_circuit(PAPER.replace({"stimulus.amplitude": float(amplitude)}), rtol=1e-6)
        np.testing.assert_array_equal(bank.t_spike[k], single.t_spike)
        assert bank.x_final[k] == single["x"][-1]
        assert bank.energy_source[k] == single.attrs["energy_source"]


def test_other_models_and_far_values():
    """What the kernel's lanes do not know goes through it one by one."""
    values = {"leak.v_on": np.array([0.2, 3.0])}
    bank = solve_bank(PAPER, values)
    single = solve_reference(PAPER.replace({"leak.v_on": 3.0}))
    np.testing.assert_allclose(bank.t_spike[1], single.t_spike, rtol=0, atol=1e-12)
    other = PAPER.replace({"leak.preset": "vteam_memtorch"})
    bank = solve_bank(other, {"c": np.array([8e-8, 1e-7])})
    np.testing.assert_allclose(bank.t_spike[1], solve_reference(other).t_spike, atol=1e-12)


def test_a_sample_that_fails_disturbs_no_other():
    base = load_preset("lif").replace({"t_stop": 3e-3, "r_s": 0.0, "c": 1e-9})
    # A hair below the threshold: it fires without end.
    bank = solve_bank(base, {"v_reset": np.array([0.0, 0.39999999999999, 0.1])})
    assert set(bank.errors) == {1}
    assert "spikes without end" in bank.errors[1]
    assert np.isnan(bank.v_c_final[1])
    assert np.isfinite(bank.v_c_final[[0, 2]]).all()


#: Values, and what the sentence says: that of the design, and which sample.
WRONG = {
    "one value out of range": ({"c": [1e-7, 1e-7, 0.0]}, r"^Sample 2: .*c.*greater than 0"),
    "not finite": ({"leak.tau": [1e-3, np.nan]}, r"^Sample 1: .*tau"),
    "two values together": ({"v_th": [0.4, 0.04], "c": [1e-7, 1e-7]}, r"^Sample 1: .*v_low"),
    "would take days": ({"c": [1e-7, 1e-15]}, r"^Sample 1: .*steps"),
    "current not finite": ({"stimulus": [[0, 1e-3], [0, np.inf]]}, r"^Sample 1: "),
    "unknown name": ({"leak.taw": [1.0]}, r"taw"),
    "lengths": ({"c": [1e-7], "r_s": [1.0, 2.0]}, r"differ in length \(c 1, r_s 2\)"),
    "shape": ({"c": [[1e-7]]}, r"shape \(1, 1\)"),
    "three dimensions": ({"stimulus": np.zeros((2, 2, 2))}, r"shape"),
    "texts": ({"c": ["100n"]}, r"no array of numbers"),
    "none": ({}, r"no values"),
    "empty": ({"c": []}, r"empty"),
    "both currents": ({"stimulus": [1.0], "stimulus.amplitude": [1.0]}, r"as a whole"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values(name):
    values, said = WRONG[name]
    with pytest.raises(DesignError, match=said) as caught:
        solve_bank(PAPER, values)
    assert "\n" not in str(caught.value)


def test_a_corner_that_no_sample_is_at_refuses_nothing():
    """Of v_th and v_low none of the samples has the least of one with the most of the other."""
    v_th = np.linspace(0.2, 0.9, 60)
    bank = solve_bank(PAPER, {"v_th": v_th, "c": np.linspace(1e-7, 1e-6, 60)})
    assert not bank.errors
    bank = solve_bank(PAPER, {"v_th": v_th[:9], "v_low": v_th[:9] / 4})
    assert not bank.errors


def test_wrong_choices():
    with pytest.raises(IntegrationError, match="no side 'both'"):
        solve_bank(PAPER, {"c": [1e-7]}, side="both")
    with pytest.raises(IntegrationError, match="threads is 0"):
        solve_bank(PAPER, {"c": [1e-7]}, threads=0)


def test_an_interrupt_ends_the_equations():
    def stop(_):
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        solve_bank(PAPER.replace(t_stop=0.05), {"c": np.full(200, 1e-7)}, side="equations",
                   progress=stop)  # fmt: skip
    assert time.monotonic() - begun < 20


def test_a_bound_that_is_worst_between_the_corners():
    # What the MOSFET leaves of v_mem has its maximum at r_s of some 80 ohm.
    neuron = PAPER.replace({"stimulus.amplitude": 0.023, "leak.r_on": 2.0})
    for end in (0.1, 1e4):
        neuron.replace({"r_s": end})
    with pytest.raises(DesignError, match=r"Sample 1: .*latch"):
        solve_bank(neuron, {"r_s": [0.1, 80.0, 1e4]})


def test_currents_at_times_of_their_own():
    times, i = np.array([0.0, 1e-3, 1.001e-3, 3e-3]), np.array([[0, 0, 2e-3, 1e-3]])
    bank = solve_bank(PAPER, {"stimulus": i}, times=times)
    alone = solve_reference(PAPER.replace({"stimulus": {"kind": "pwl", "t": times, "i": i[0]}}))
    assert bank.times[0] > 1e-3
    np.testing.assert_allclose(bank.times, alone.t_spike, rtol=0, atol=1e-12)


WRONG_TIMES = {
    "too few": ([0.0, 3e-3], {"stimulus": np.ones((1, 3))}, "shape"),
    "do not end at t_stop": ([0.0, 1e-3], {"stimulus": np.ones((1, 2))}, "t_stop"),
    "not in order": ([0.0, 2e-3, 2e-3, 3e-3], {"stimulus": np.ones((1, 4))}, "twice"),
    "without currents": ([0.0, 3e-3], {"c": [1e-7]}, "no currents"),
}


@pytest.mark.parametrize("name", WRONG_TIMES)
def test_wrong_times(name):
    times, values, said = WRONG_TIMES[name]
    with pytest.raises(DesignError, match=said):
        solve_bank(PAPER, values, times=times)


def test_causes_and_energies_of_the_equations():
    from spicealif.circuit.parameters import Cause

    neuron = PAPER.replace({"t_stop": 1e-3, "stimulus.amplitude": 2e-3})
    some = frozenset({Cause.RESET_LEVEL})
    bank = solve_bank(neuron, {"c": [1e-7]}, side="equations", causes=some)
    alone = solve_circuit(neuron, causes=some)
    np.testing.assert_array_equal(bank.times, alone.t_spike)
    assert bank.energy_supply[0] == alone.attrs["energy_supply"]
    assert len(bank.times) != len(solve_circuit(neuron).t_spike)
    assert np.isnan(solve_bank(neuron, {"c": [1e-7]}).energy_supply[0])
