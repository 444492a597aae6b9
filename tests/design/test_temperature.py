"""Temperature: coefficients in design, netlist, equations, reference and sweeps."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest

from spicealif import (
    Neuron,
    build_netlist,
    load_preset,
    simulate,
    solve_bank,
    solve_circuit,
    solve_reference,
)
from spicealif.cli.main import run
from spicealif.errors import DesignError
from spicealif.sweep import EXPERIMENTS, experiment

HOT = 358.15
#: Everything that drifts, and by how much.
DRIFTING = {
    "tc_r": 50e-6, "tc_c": -120e-6, "difference_amplifier.opamp.tc_v_os": 10e-6,
    "comparator.tc_v_os": -4e-6, "comparator.tc_t_delay": 2e-3,
}  # fmt: skip
PAPER = load_preset("paper").replace({"t_stop": 2e-3, **DRIFTING})


def by_hand(temperature: float) -> Neuron:
    """Return the paper's neuron with what the formulas give, written out here."""
    degrees, ratio = temperature - 298.5, temperature / 298.5
    r = 1 + 50e-6 * degrees
    v_t = 1.380649e-23 * temperature / 1.602176634e-19
    return load_preset("paper").replace(
        {
            "t_stop": 2e-3, "temperature": temperature, "temperature_nominal": temperature,
            "c": 100e-9 * (1 - 120e-6 * degrees), "r_s": 500 * r,
            "difference_amplifier.r": 20e3 * r, "hysteresis.r_a": 1e3 * r,
            "comparator.r_out": 180 * r, "comparator.r_pull_up": 1e3 * r,
            "difference_amplifier.opamp.v_os": 10e-6 * degrees,
            "comparator.v_os": -4e-6 * degrees,
            "comparator.t_delay": 7e-9 * (1 + 2e-3 * degrees),
            "mosfet.v_to": 2.19 - 4e-3 * degrees, "mosfet.kp": 0.46 * ratio**-2,
            "mosfet.r_s": 0.9 * ratio**2, "mosfet.r_d": 1e-3 * ratio**2,
            "mosfet.i_s": 4e-14 * ratio**3 * np.exp((ratio - 1) * 1.11 / v_t),
        }
    )  # fmt: skip


@pytest.mark.parametrize("temperature", [253.15, HOT])
def test_all_sides_have_the_values_of_that_temperature(temperature):
    neuron, expected = PAPER.replace(temperature=temperature), by_hand(temperature)
    for one, other in (
        (solve_reference(neuron), solve_reference(expected)),
        (solve_reference(neuron, "schmitt"), solve_reference(expected, "schmitt")),
        (solve_circuit(neuron), solve_circuit(expected)),
    ):
        assert len(one.t_spike) == len(other.t_spike) > 10
        np.testing.assert_allclose(one.t_spike, other.t_spike, rtol=0, atol=1e-12)
    texts = [build_netlist(n).text for n in (neuron, expected)]
    assert f"* the parts' values are those at {float(temperature - 273.15):.1f} degC" in texts[0]
    decks = [_numbers(text) for text in texts]
    assert len(decks[0]) == len(decks[1]) > 60
    np.testing.assert_allclose(*decks, rtol=1e-9)


def _numbers(text: str) -> list[float]:
    """Return the numbers of a netlist's cards."""
    cards = "\n".join(line for line in text.splitlines() if not line.startswith("*"))
    return [float(w) for w in re.findall(r"(?<![\w.])\d+\.?\d*(?:e[-+]?\d+)?(?![\w.])", cards)]


def test_ngspice_and_equations_agree_when_hot():
    neuron = PAPER.replace(temperature=HOT)
    spikes = simulate(neuron, "ngspice").require().t_spike
    expected = solve_circuit(neuron).t_spike
    assert len(spikes) == len(expected) > 10
    assert np.abs(spikes - expected).max() < 2e-9
    cold = solve_circuit(PAPER).t_spike
    assert np.abs(cold[:10] - expected[:10]).max() > 1e-7  # temperature does move them


def test_the_body_diode_follows_spice_s_own_law(tmp_path):
    deck = tmp_path / "diode.cir"
    deck.write_text(
        "a diode\nI1 0 a 1m\nD1 a 0 d\n.model d d(is=4e-14 n=1 eg=1.11 xti=3)\n"
        f".options temp={HOT - 273.15} tnom=25.35\n.op\n.control\nrun\nprint v(a)\n.endc\n.end\n",
        encoding="utf-8",
    )
    said = subprocess.run(
        ["ngspice", "-b", deck.name], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    ).stdout  # fmt: skip
    volts = float(said.split("v(a) =")[1].split()[0])
    neuron = PAPER.replace(temperature=HOT)
    i_s = neuron.at_temperature.mosfet.i_s
    assert neuron.thermal_voltage * np.log(1e-3 / i_s) == pytest.approx(volts, abs=2e-5)


def test_the_bss123_s_resistance_at_125_degrees_is_the_data_sheet_s():
    neuron = load_preset("paper").replace({"mosfet.preset": "bss123", "temperature": 398.15})
    ratio = neuron.at_temperature.mosfet.on_resistance(10) / neuron.mosfet.on_resistance(10)
    assert ratio == pytest.approx(2.2 / 1.2, rel=0.05)


def test_nothing_moves_at_the_nominal_temperature():
    assert PAPER.at_temperature is PAPER
    assert PAPER.replace(temperature=HOT).at_temperature.at_temperature.temperature == HOT
    plain = load_preset("paper")
    assert build_netlist(plain).text == build_netlist(plain.replace(DRIFTING)).text


def test_rounded_resistors_stay_what_was_bought():
    neuron = PAPER.replace({"hysteresis.series": "E24", "temperature": HOT, "tc_r": 1e-4})
    cold, hot = neuron.network, neuron.at_temperature.network
    factor = 1 + 1e-4 * (HOT - 298.5)
    assert hot.r_a == pytest.approx(cold.r_a * factor, rel=1e-12)
    assert hot.r_b == pytest.approx(cold.r_b * factor, rel=1e-9)
    assert (hot.v_high, hot.v_low) == pytest.approx((cold.v_high, cold.v_low), rel=1e-9)


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_banks_know_it(variant):
    neuron = PAPER.replace({"tc_r": 1e-3})
    bank = solve_bank(neuron, {"temperature": [253.15, 298.5, HOT]}, variant=variant)
    for k, temperature in enumerate((253.15, 298.5, HOT)):
        single = solve_reference(neuron.replace(temperature=temperature), variant)
        np.testing.assert_allclose(bank.t_spike[k], single.t_spike, rtol=0, atol=1e-12)


def test_a_circuit_that_fails_when_hot_is_refused_with_the_temperature(capsys):
    changes = {"mosfet.tc_v_to": -0.03, "temperature": 373.15}
    with pytest.raises(DesignError, match=r"At 373\.15 K: .*v_to"):
        PAPER.replace(changes)
    assert run(["netlist", "paper", "-s", "temperature=27"]) == 1
    assert "27 degC" in capsys.readouterr().err
    assert run(["netlist", "paper", "-s", "temperature=85 degC", "-s", "tc_r=25 ppm/K"]) == 0
    assert "values are those at 85.0 degC" in capsys.readouterr().out


def test_the_experiment_switches_one_kind_on_at_a_time():
    assert "temperature" in EXPERIMENTS
    made = experiment("temperature", PAPER, points=2, sides="reference")
    assert dict(made.points.dims) == {"drift": 5, "temperature": 2}
    values = made.points.values
    labels = values["description"].reshape(5, 2)[:, 0].tolist()
    assert labels == ["leak device alone", "with the MOSFET", "with R and C",
                      "with offsets and delay", "all of them"]  # fmt: skip
    on = {name: (values[name].reshape(5, 2)[:, 0] != 0).tolist() for name in values}
    assert on["mosfet.tc_v_to"] == [False, True, False, False, True]
    assert on["tc_c"] == [False, False, True, False, True]
    assert on["comparator.tc_t_delay"] == [False, False, False, True, True]
    assert values["tc_r"].max() == PAPER.tc_r  # the design's own, not the maker's limit
    result = made.run(workers=1)
    first = result["isi_first"].sel(side="reference").values
    assert first[2, 1] != first[0, 1] == first[1, 1]
