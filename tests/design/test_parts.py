"""The part models by themselves, in ngspice, against the figures they are made from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from own_ngspice import with_home
from scipy.integrate import solve_ivp

from spicealif import Neuron, build_netlist
from spicealif.simulators import read_raw

Columns = dict[str, NDArray[np.float64]]


def subcircuit(neuron: Neuron, name: str) -> str:
    """Return the lines of a subcircuit of the neuron's netlist."""
    text = build_netlist(neuron).text
    start = text.index(f".subckt {name} ")
    return text[start : text.index(".ends", start) + len(".ends")]


def run(deck: str, folder: Path) -> Columns:
    path = folder / "part.cir"
    path.write_text(f"* part\n{deck}\n.end\n")
    done = subprocess.run(
        ["ngspice", "-n", "-b", "-r", "part.raw", "-o", "part.log", "part.cir"],
        cwd=folder, env=with_home(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (folder / "part.log").read_text()
    return read_raw(folder / "part.raw")[-1].columns()


def first_crossing(t: NDArray[np.float64], v: NDArray[np.float64], level: float) -> float:
    k = int(np.argmax((v[:-1] < level) & (v[1:] >= level)))
    assert v[k] < level <= v[k + 1]
    return float(t[k] + (level - v[k]) / (v[k + 1] - v[k]) * (t[k + 1] - t[k]))


def test_op_amp_slews_at_its_slew_rate(paper, tmp_path):
    deck = f"""{subcircuit(paper, "op482")}
V_p vp 0 5
V_n vn 0 -5
V_in in 0 PULSE(-2 2 1u 1n 1n 10u 20u)
X_op in out vp vn out op482
.options reltol=1e-6
.save v(out)
.tran 1n 3u 0 2n"""
    got = run(deck, tmp_path)
    t, v = got["time"], got["v(out)"]
    slope = 2.0 / (first_crossing(t, v, 1.0) - first_crossing(t, v, -1.0))
    assert slope == pytest.approx(9e6, rel=0.02)


def test_op_amp_s_gain_falls_to_one_at_the_gain_bandwidth_product(paper, tmp_path):
    # Driven at its input directly; the output resistance sees no load.
    deck = f"""{subcircuit(paper, "op482")}
V_p vp 0 5
V_n vn 0 -5
V_in in 0 DC 0 AC 1
X_op in 0 vp vn out op482
.save v(out)
.ac dec 40 1 10meg"""
    got = run(deck, tmp_path)
    frequency, gain = got["frequency"].real, np.abs(got["v(out)"])
    assert gain[0] == pytest.approx(2e4, rel=1e-3)
    unity = np.exp(np.interp(0.0, -np.log(gain), np.log(frequency)))
    assert unity == pytest.approx(4e6, rel=0.01)


def test_op_amp_s_output_keeps_its_distance_from_the_rails_and_supplies_deliver(paper, tmp_path):
    deck = f"""{subcircuit(paper, "op482")}
V_p vp 0 5
V_n vn 0 -5
V_in in 0 4.5
X_op in out vp vn out op482
R_l out 0 10k
.save v(out) i(v_p) i(v_n)
.tran 1u 50u 0 1u"""
    got = run(deck, tmp_path)
    # 1 % of slack: the clamp is a steep conductance, and the output resistance drops a little.
    assert got["v(out)"][-1] == pytest.approx(3.5, rel=0.01)
    load = got["v(out)"][-1] / 10e3
    assert -got["i(v_p)"][-1] == pytest.approx(2.1e-4 + load, rel=0.01)
    assert got["i(v_n)"][-1] == pytest.approx(2.1e-4, rel=0.01)


def test_comparator_s_delay_levels_and_bias_current(paper, tmp_path):
    deck = f"""{subcircuit(paper, "ad8561")}
V_cc vcc 0 5
V_in in 0 PULSE(-0.05 0.05 100n 10p 10p 200n 1u)
X_c in 0 vcc 0 out ad8561
.options reltol=1e-6
.save v(out) v(in) i(v_in) i(v_cc)
.tran 0.1n 600n 0 0.1n"""
    got = run(deck, tmp_path)
    t, v = got["time"], got["v(out)"]
    middle = (3.80 + 0.018) / 2
    assert first_crossing(t, v, middle) - 100e-9 == pytest.approx(7e-9, rel=0.02)
    assert first_crossing(t, -v, -middle) - 300e-9 == pytest.approx(7e-9, rel=0.02)
    assert v[np.searchsorted(t, 250e-9)] == pytest.approx(3.80, abs=1e-3)
    assert v[-1] == pytest.approx(0.018, abs=1e-3)
    # Twice 3 uA flow out of the lower input, into the source, but for exp(-50 mV / V_T).
    assert got["i(v_in)"][-1] == pytest.approx(6e-6 / (1 + np.exp(-0.05 / paper.thermal_voltage)))
    # Quiescent current and two input currents.
    assert -got["i(v_cc)"][-1] == pytest.approx(5e-3 + 6e-6, rel=1e-3)


def test_hysteresis_network_switches_at_the_thresholds_of_the_design(paper, tmp_path):
    """A slow triangle; bias current off, gain high, so that only the network counts."""
    neuron = paper.replace({"comparator.i_bias": 0.0, "comparator.gain": 1e5})
    network = neuron.network
    deck = f"""{subcircuit(neuron, "ad8561")}
V_cc v_cc 0 5
V_d v_d 0 PWL(0 0 100u 0.5 200u 0)
R_a v_d cp {network.r_a!r}
R_b cp spike {network.r_b!r}
V_ref ref 0 {network.v_ref!r}
X_cmp cp ref v_cc 0 spike ad8561
.options reltol=1e-6
.save v(v_d) v(spike)
.tran 10n 200u 0 10n"""
    got = run(deck, tmp_path)
    t, out = got["time"], got["v(spike)"]
    rate = 0.5 / 100e-6
    up = first_crossing(t, out, 2.0) * rate
    down = 1.0 - first_crossing(t, -out, -2.0) * rate
    # Delay (10 ns at 5 mV/us) and the tail of the transition are below 0.5 mV; the output
    # resistance adds r_out to r_b.
    assert up == pytest.approx(neuron.v_th, abs=1e-3)
    assert down == pytest.approx(neuron.v_low, abs=3e-3)


@pytest.mark.parametrize("v_off", [0.27, -0.17])
def test_memristor_against_an_independent_integration(paper, tmp_path, v_off):
    neuron = paper.replace({"leak.v_off": v_off, "leak.tau": 1e-4, "leak.x_0": 0.3})
    leak, v_t = neuron.leak, neuron.thermal_voltage
    deck = f"""{subcircuit(neuron, "mms_memristor")}
V_in in 0 SIN(0 0.5 1k)
X_m in 0 x mms_memristor
.ic v(x)=0.3
.options reltol=1e-7
.save v(x) v(in) i(v_in)
.tran 0.2u 3m 0 0.2u"""
    got = run(deck, tmp_path)

    def sigmoid(u: float) -> float:
        return float(0.5 * (1 + np.tanh(u / 2)))

    def rate(t: float, y: NDArray[np.float64]) -> list[float]:
        v = 0.5 * np.sin(2 * np.pi * 1e3 * t)
        on = sigmoid((v - leak.v_on) / v_t)
        off = 1 - sigmoid((v + v_off) / v_t)
        return [(on * (1 - y[0]) - off * y[0]) / leak.tau]

    exact = solve_ivp(rate, (0, 3e-3), [0.3], rtol=1e-10, atol=1e-12, t_eval=got["time"][:-1])
    assert np.abs(got["v(x)"][:-1] - exact.y[0]).max() < 1e-5
    x, v = got["v(x)"], got["v(in)"]
    current = v * (x / leak.r_on + (1 - x) / leak.r_off)
    assert np.abs(-got["i(v_in)"] - current).max() < 1e-9


def test_memristor_survives_100_volts(paper, tmp_path):
    deck = f"""{subcircuit(paper, "mms_memristor")}
V_in in 0 PWL(0 0 10u 100 20u 100 40u -100 50u -100)
X_m in 0 x mms_memristor
.ic v(x)=0
.save v(x)
.tran 0.1u 50u 0 0.1u"""
    x = run(deck, tmp_path)["v(x)"]
    assert np.isfinite(x).all()
    assert x.min() > -1e-6
    assert x.max() < 1


@pytest.mark.parametrize("v_gs", [2.8, 3.74, 5.0])
def test_mosfet_s_on_resistance_is_the_one_the_reference_uses(paper, tmp_path, v_gs):
    text = build_netlist(paper).text
    card = text[text.index(".model n2n7002") : text.index("* --- step steering")]
    deck = f"""I_d 0 d 1m
V_g g 0 {v_gs}
M_sw d g 0 n2n7002
{card}
.save v(d)
.op"""
    v_d = run(deck, tmp_path)["v(d)"][0]
    assert v_d / 1e-3 == pytest.approx(paper.mosfet.on_resistance(v_gs), rel=5e-3)


@pytest.mark.slow
def test_every_figure_is_within_its_data_sheet_s_limits_and_in_the_page():
    """And docs/parts.md says what the parts do now."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "parts_table.py"), "--check"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
