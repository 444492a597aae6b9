"""The series circuit: its design, its netlist in every simulator, its reference."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ltspice_standin import install

from spicealif import (
    Neuron,
    SeriesCircuit,
    build_netlist,
    dump_toml,
    get_simulator,
    load_preset,
    load_waveforms,
    simulate,
    solve_series,
)
from spicealif.design import (
    GMMS,
    VTEAM,
    Constant,
    Memristor,
    PiecewiseLinear,
    PulseTrain,
    Sine,
    Step,
    Sum,
)
from spicealif.errors import DesignError, IntegrationError, NetlistError
from spicealif.netlist import dialects, find_unportable
from spicealif.simulators import Simulator
from spicealif.simulators.ltspice.runner import Ltspice
from spicealif.waveforms import QUANTITIES

MMS = Memristor(**Memristor.example)
SINE = {"kind": "sine", "amplitude": "0.8 V", "frequency": "1 kHz"}
CIRCUIT = SeriesCircuit.from_dict(
    {"device": {"kind": "mms", **Memristor.example}, "r_s": "5k", "drive": SINE, "t_stop": "1 ms"}
)


@pytest.fixture(scope="module", params=["ngspice", "ngspice-batch", "ltspice"])
def simulator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Simulator]:
    """Return each simulator; LTspice is the stand-in."""
    if request.param == "ltspice":
        yield Ltspice(install(tmp_path_factory.mktemp("ltspice")))
        return
    opened = get_simulator(request.param)
    yield opened
    opened.close()


def rest(device: Memristor, v: float, v_t: float) -> tuple[float, float]:
    """Return the state that a constant voltage leads to, and the time constant."""
    on = 1 / (1 + math.exp(-(v - device.v_on) / v_t))
    off = 1 / (1 + math.exp((v + device.v_off) / v_t))
    return on / (on + off), device.tau / (on + off)


# --- the design ---------------------------------------------------------------------------------


def test_texts_of_the_drive_are_voltages() -> None:
    assert CIRCUIT.drive == Sine(amplitude=0.8, frequency=1000)
    drive = {
        "kind": "sum",
        "terms": [
            {"kind": "pwl", "t": ["0", "1 ms"], "i": ["100 mV", 0.2]},
            {"kind": "pulse", "amplitude": "1", "offset": "-500 mV", "frequency": 50},
        ],
    }
    terms = CIRCUIT.replace(drive=drive).drive
    assert terms == Sum(
        terms=(
            PiecewiseLinear(t=(0, 1e-3), i=(0.1, 0.2)),
            PulseTrain(amplitude=1, offset=-0.5, frequency=50),
        )
    )
    assert CIRCUIT.v_peak == 0.8
    assert CIRCUIT.replace(drive=drive).v_peak == pytest.approx(0.7)
    assert CIRCUIT.replace({"drive.offset": -0.3}).v_peak == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"drive.amplitude": "1 A"}, "drive.amplitude is '1 A', in 'A' instead of 'V'"),
        ({"device": {"kind": "resistor", "r": 1e3}}, "is a memristor; set device.kind"),
        ({"device.tau": None}, "device.tau is missing"),
        ({"device.tau": 1e-15}, "would take at least .* steps"),
        ({"r_s": -1}, "r_s = -1.0 must be 0 or more"),
        ({"t_stop": 0}, "t_stop = 0.0 must be greater than 0"),
        ({"drive.amplitud": 1}, "did you mean 'amplitude'"),
        ({"numerics.steering": True}, "Unknown key 'steering' in numerics"),
    ],
)
def test_what_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match=words) as caught:
        CIRCUIT.replace(change)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).endswith(".")


def test_it_goes_through_toml_and_its_digest_is_of_what_counts() -> None:
    again = SeriesCircuit.from_dict(tomllib.loads(dump_toml(CIRCUIT)))
    assert again == CIRCUIT
    assert again.digest == CIRCUIT.digest
    assert CIRCUIT.replace(name="other", description="x", source="y").digest == CIRCUIT.digest
    digests = {CIRCUIT.digest} | {
        CIRCUIT.replace(change).digest
        for change in ({"r_s": 1}, {"device.tau": 1e-3}, {"drive.phase": 1}, {"t_stop": 1})
    }
    assert len(digests) == 5


def test_steps_follow_drive_device_and_wish() -> None:
    assert CIRCUIT.t_step_max == CIRCUIT.t_step_first == pytest.approx(1e-6)
    assert CIRCUIT.replace({"device.tau": 1e-6}).t_step_first == pytest.approx(1e-7)
    assert CIRCUIT.default_h == pytest.approx(5e-8)
    assert CIRCUIT.replace({"device.tau": 1e-6}).default_h == pytest.approx(1e-8)
    own = CIRCUIT.replace(numerics={"h": 1e-6, "t_step_max": 1e-7})
    assert (own.default_h, own.t_step_max) == (1e-6, 1e-7)
    slow = CIRCUIT.replace({"drive": Constant(amplitude=1), "t_stop": 100.0, "device.tau": 10.0})
    assert slow.t_step_max == pytest.approx(0.1)


# --- the netlist --------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", dialects())
@pytest.mark.parametrize("r_s", [0.0, 5e3])
@pytest.mark.parametrize("device", [MMS, GMMS(**GMMS.example), VTEAM(**VTEAM.example)])
def test_netlists_are_portable(dialect: str, r_s: float, device: Memristor) -> None:
    drive = Sum(terms=(Sine(amplitude=0.8, frequency=1e3), Step(amplitude=0.1), SINE_2))
    for d in (CIRCUIT.drive, drive):
        circuit = CIRCUIT.replace(device=device, r_s=r_s, drive=d)
        netlist = build_netlist(circuit, dialect)
        assert not find_unportable(netlist.text, dialect)
        assert netlist.design is circuit
        assert netlist.t_stop == 1e-3
        assert set(netlist.signals) == {"v_mem", "x", "v_in", "i_mem"}
        # The text of the device is the neuron's own template.
        assert netlist.find("x_leak.c_x") is not None


SINE_2 = Sine(amplitude=0.2, frequency=3e3)


def test_a_series_circuit_is_no_neuron() -> None:
    netlist = build_netlist(CIRCUIT)
    with pytest.raises(NetlistError, match="not of a neuron"):
        _ = netlist.neuron
    assert netlist.inputs == {}
    neuron = build_netlist(load_preset("paper"))
    assert isinstance(neuron.design, Neuron)
    assert neuron.neuron is neuron.design
    assert neuron.inputs == {"i_in": neuron.neuron.stimulus}


def test_parameters_of_the_circuit_reach_its_netlist() -> None:
    text = build_netlist(CIRCUIT).text
    for change in ({"r_s": 1}, {"temperature": 350}, {"t_stop": 2e-3}, {"drive.phase": 0.1},
                   {"numerics.reltol": 1e-5}, {"numerics.steps_per_period": 500}):  # fmt: skip
        assert build_netlist(CIRCUIT.replace(change)).text != text
    free = CIRCUIT.replace(name="x", description=".control", source="shell")
    assert build_netlist(free).text == text


def test_an_ideal_edge_is_refused_by_the_netlist() -> None:
    drive = PulseTrain(amplitude=1, frequency=1e3, t_rise=0)
    with pytest.raises(NetlistError, match="t_rise is 0"):
        build_netlist(CIRCUIT.replace(drive=drive))


# --- simulators ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_simulator_runs_it(simulator: Simulator, tmp_path: Path) -> None:
    run = simulate(CIRCUIT, simulator, timeout=60)
    waveforms = run.require()
    assert list(waveforms) == ["v_mem", "x", "v_in", "i_mem"]
    assert len(waveforms.t_spike) == 0
    for name in waveforms:
        assert waveforms.dataset[name].attrs["units"] == QUANTITIES[name][0]
    time = waveforms.time
    assert (time[0], time[-1]) == (0.0, pytest.approx(1e-3))
    np.testing.assert_allclose(waveforms["v_in"], CIRCUIT.drive.value(time), atol=1e-9)
    across = waveforms["v_mem"] + CIRCUIT.r_s * waveforms["i_mem"]
    np.testing.assert_allclose(across, waveforms["v_in"], atol=1e-8)
    reference = solve_series(CIRCUIT)
    assert np.abs(waveforms["x"] - reference.at("x", time)).max() < 1e-4
    assert waveforms.attrs["design_digest"] == CIRCUIT.digest == reference.attrs["design_digest"]
    assert waveforms.attrs["series_circuit"] == "series"
    again = load_waveforms(waveforms.save(tmp_path / "w.nc"))
    np.testing.assert_array_equal(again["i_mem"], waveforms["i_mem"])


@pytest.mark.slow
@pytest.mark.parametrize("r_s", [0.0, 300.0])
def test_a_sum_of_drives(r_s: float) -> None:
    drive = Sum(terms=(Sine(amplitude=0.5, frequency=1e3), Constant(amplitude=-0.1), SINE_2))
    circuit = CIRCUIT.replace(drive=drive, r_s=r_s)
    got, reference = simulate(circuit).require(), solve_series(circuit)
    np.testing.assert_allclose(got["v_in"], drive.value(got.time), atol=1e-9)
    np.testing.assert_allclose(reference["v_in"], drive.value(reference.time), atol=1e-12)
    assert np.abs(got["x"] - reference.at("x", got.time)).max() < 1e-4


# --- the reference ------------------------------------------------------------------------------


def test_both_sides_meet_the_closed_form_at_constant_voltage() -> None:
    """Without a resistor x decays exponentially; a step of the drive starts another decay."""
    device = MMS.replace(x_0=0.3)
    drive = Step(amplitude=-0.55, offset=0.3, delay=1e-4, t_rise=0)
    circuit = CIRCUIT.replace(device=device, r_s=0, drive=drive, t_stop=3e-4)
    first, tau_1 = rest(device, 0.3, circuit.thermal_voltage)
    second, tau_2 = rest(device, -0.25, circuit.thermal_voltage)

    def exact(t: np.ndarray) -> np.ndarray:
        x_1 = first + (0.3 - first) * np.exp(-np.minimum(t, 1e-4) / tau_1)
        return second + (x_1 - second) * np.exp(-np.maximum(t - 1e-4, 0) / tau_2)

    got = solve_series(circuit)
    np.testing.assert_allclose(got["x"], exact(got.time), atol=1e-12)
    at = int(np.searchsorted(got.time, 1e-4))
    assert list(got["v_in"][[at, at + 1]]) == pytest.approx([0.3, -0.25])
    assert got.time[at + 1] == np.nextafter(got.time[at], 1)
    # The circuit's edge takes 10 ns.
    run = simulate(circuit.replace({"drive.t_rise": 1e-8, "drive.delay": 1e-4 - 5e-9})).require()
    assert np.abs(run["x"] - exact(run.time)).max() < 1e-4


def test_order_of_the_method() -> None:
    """MMS is smooth: the error falls with the fourth power of the step."""
    fine = solve_series(CIRCUIT, h=1e-7)["x"][-1]
    errors = [abs(solve_series(CIRCUIT, h=h)["x"][-1] - fine) for h in (1e-5, 5e-6, 2.5e-6)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.4)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(4, abs=0.4)


def test_without_a_voltage_no_current_flows() -> None:
    circuit = CIRCUIT.replace(device=VTEAM(**VTEAM.example), drive=Constant(amplitude=0))
    for got in (solve_series(circuit), simulate(circuit).require()):
        assert np.abs(got["i_mem"]).max() < 1e-15
        np.testing.assert_allclose(got["x"], VTEAM.example["x_0"], atol=1e-9)


def test_steps_meet_the_corners() -> None:
    drive = PiecewiseLinear(t=(0, 1.1e-4, 2.23e-4, 9e-4), i=(0, 0.7, -0.6, 0.1))
    got = solve_series(CIRCUIT.replace(drive=drive), h=3e-6)
    assert np.isin([0, 1.1e-4, 2.23e-4, 9e-4, 1e-3], got.time).all()
    assert np.diff(got.time).max() <= 3e-6 * (1 + 1e-9)
    assert (np.diff(got.time) > 0).all()


@pytest.mark.parametrize("stride", [1, 2, 7, 1000, 10**6])
def test_stride_keeps_every_nth_step_and_the_last(
    stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = solve_series(CIRCUIT, h=1e-6)
    monkeypatch.setattr("spicealif.reference.series.solve._CHUNK", 77)
    got = solve_series(CIRCUIT, h=1e-6, stride=stride)
    kept = [*range(0, 1000, stride), 1000]
    for name in full:
        np.testing.assert_array_equal(got[name], full[name][kept])
    np.testing.assert_array_equal(got.time, full.time[kept])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"h": 0.0}, "not positive"),
        ({"h": math.nan}, "not positive"),
        ({"h": 1e-14}, "too many"),
        ({"stride": 0}, "less than 1"),
        ({"switches": 0}, "whole number of 1 or more"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], words: str) -> None:
    with pytest.raises(IntegrationError, match=words) as caught:
        solve_series(CIRCUIT, **options)
    assert len(str(caught.value).splitlines()) == 1


# --- switches one by one ------------------------------------------------------------------------

FEW = CIRCUIT.replace({"r_s": 0, "numerics.h": 2e-6, "device.x_0": 0.5})


def states(circuit: SeriesCircuit, switches: int, runs: int) -> np.ndarray:
    return np.array(
        [solve_series(circuit, switches=switches, seed=s)["x"] for s in range(runs)]
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("model", [Memristor, GMMS])
def test_variance_of_independent_switches_is_binomial(model: type[Memristor]) -> None:
    """Without a resistor every switch moves by itself: x N is a sum of N independent ones."""
    circuit = FEW.replace(device=model(**{**model.example, "x_0": 0.0}))
    mean = solve_series(circuit)["x"]
    x = states(circuit, 50, 1000)
    for k in (100, 250, 400):
        share = mean[k]
        spread = math.sqrt(share * (1 - share) / 50)
        # 4 standard errors of mean and of variance
        assert abs(x[:, k].mean() - share) < 4 * spread / math.sqrt(1000)
        assert x[:, k].var() == pytest.approx(spread**2, rel=4 * math.sqrt(2 / 1000))


def test_the_mean_is_met_with_one_over_the_root_of_n() -> None:
    circuit = FEW.replace(r_s=2e3)
    mean = solve_series(circuit)["x"]
    off = [
        float(np.sqrt(((states(circuit, n, 60) - mean) ** 2).mean()))
        for n in (10**2, 10**4, 10**6)
    ]  # fmt: skip
    assert off[0] / off[1] == pytest.approx(10, rel=0.3)
    assert off[1] / off[2] == pytest.approx(10, rel=0.3)


def test_same_seed_same_trace() -> None:
    a, b, c = (solve_series(FEW, switches=100, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(a["x"], b["x"])
    assert (a["x"] != c["x"]).any()
    assert (a.attrs["switches"], a.attrs["seed"]) == (100, 1)
    np.testing.assert_allclose(a["x"] * 100, np.round(a["x"] * 100), atol=1e-9)
    with pytest.raises(IntegrationError, match="no metastable switches"):
        solve_series(FEW.replace(device=VTEAM(**VTEAM.example)), switches=10)
