"""The circuit's own equations against closed forms, SciPy and ngspice; each cause by itself."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from independent import three_state_spikes
from numpy.typing import NDArray
from own_ngspice import with_home
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq, minimize_scalar

from spicealif import Cause, Neuron, load_preset, simulate, solve_circuit, solve_reference
from spicealif.circuit import ALL_CAUSES, circuit_parameters, layout, solve
from spicealif.circuit.rates import _diode, _drain_current, rates
from spicealif.design import Constant, IdealMosfet, PiecewiseLinear, PulseTrain, Sine, Step, Sum
from spicealif.errors import IntegrationError
from spicealif.simulators import read_raw

Floats = NDArray[np.float64]
NONE: frozenset[Cause] = frozenset()


@pytest.fixture(scope="module")
def lif() -> Neuron:
    return load_preset("lif").replace(t_stop=1e-3)


@pytest.fixture(scope="module")
def half_ms(paper: Neuron) -> Neuron:
    return paper.replace(t_stop=5e-4)


@pytest.fixture(scope="module")
def exact(half_ms: Neuron) -> Floats:
    """Return spike times by our own integrator, two hundred times finer than anything here asks."""
    return solve_circuit(half_ms, rtol=1e-10).t_spike


def worst(a: Floats, b: Floats) -> float:
    assert len(a) == len(b) > 0
    return float(np.abs(a - b).max())


# --- the integrator -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("method", ["LSODA", "Radau"])
def test_spikes_of_the_real_circuit_are_scipy_s_to_a_tenth_of_a_nanosecond(half_ms, exact, method):
    # LSODA differentiates the equations by itself; Radau takes our Jacobian.
    scipy = solve_circuit(half_ms, method=method)
    assert len(exact) == 8
    assert worst(scipy.t_spike, exact) < 0.1e-9
    own = solve_circuit(half_ms)
    assert worst(own.t_spike, exact) < 0.1e-9
    for name in ("v_c", "x"):
        assert own[name][-1] == pytest.approx(scipy[name][-1], abs=1e-5)
    assert own.attrs["energy_source"] == pytest.approx(scipy.attrs["energy_source"], rel=1e-6)


@pytest.mark.slow
def test_bdf_is_another_check(half_ms, exact):
    short = half_ms.replace(t_stop=2e-4)
    spikes = solve_circuit(short, method="BDF").t_spike
    assert worst(spikes, exact[exact < 2e-4]) < 0.1e-9


def test_the_all_ideal_circuit_is_the_three_state_one(half_ms):
    # Written out once more, with nothing of the package but the design's numbers.
    neuron = half_ms.ideal()
    spikes, y = three_state_spikes(neuron)
    own = solve_circuit(neuron, rtol=1e-9)
    assert worst(own.t_spike, spikes) < 1e-12
    assert own["v_c"][-1] == pytest.approx(y[0], abs=1e-8)
    assert own["x"][-1] == pytest.approx(y[1], abs=1e-10)


@pytest.mark.parametrize("ideal", [False, True])
def test_errors_fall_with_the_tolerance(half_ms, exact, ideal):
    neuron, spikes = half_ms, exact
    if ideal:
        neuron = half_ms.ideal()
        spikes = solve_circuit(neuron, rtol=1e-10).t_spike
    errors = [worst(solve_circuit(neuron, rtol=r).t_spike, spikes) for r in (1e-4, 1e-6, 1e-8)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 2e-12


def fixed_steps(neuron: Neuron, h: float) -> Any:
    """Return the columns of a run in which every step, but for some short ones, is `h`."""
    parameters = circuit_parameters(neuron)
    y = solve.settled(parameters, None)
    pieces = neuron.stimulus.pieces(neuron.t_stop)
    # a tolerance that no step misses
    return solve._integrate(parameters.values, parameters.active, pieces, y, 1e6, h, None, None)[0]


@pytest.fixture(scope="module")
def silent(paper: Neuron) -> Neuron:
    """Return a neuron that only charges: two states, smooth, not linear, not autonomous."""
    return paper.replace(
        {
            "stimulus": {"kind": "sine", "amplitude": 2.5e-4, "frequency": 1300.0, "phase": 0.4},
            "leak.tau": 2e-4,
            "leak.v_on": 0.1,
            "leak.x_0": 0.3,
            "t_stop": 1e-3,
        }
    ).ideal()


def test_the_method_is_of_order_four(silent):
    m, s = silent.leak, silent.stimulus

    def right_side(t: float, y: Floats) -> list[float]:
        g = y[1] / m.r_on + (1 - y[1]) / m.r_off
        v = y[0] / (1 + silent.r_s * g)
        on = 1 / (1 + math.exp((m.v_on - v) / silent.thermal_voltage))
        off = 1 / (1 + math.exp((m.v_off + v) / silent.thermal_voltage))
        i_in = s.amplitude * math.sin(2 * math.pi * s.frequency * t + s.phase)
        return [(i_in - v * g) / silent.c, (on * (1 - y[1]) - off * y[1]) / m.tau]

    end = solve_ivp(right_side, (0, 1e-3), [0.0, m.x_0], method="DOP853", rtol=1e-13, atol=1e-15).y[
        :, -1
    ]
    assert abs(end[1] - m.x_0) > 0.1
    errors = []
    for steps in (40, 80, 160):
        columns = fixed_steps(silent, 1e-3 / steps)
        assert steps <= len(columns[0]) < steps + 30
        errors.append([abs(columns[1][-1] - end[0]), abs(columns[3][-1] - end[1])])
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 3.7)


@pytest.mark.parametrize("delay", [0.0, 1.3e-4])
def test_resistor_and_sine_have_a_closed_form(lif, delay):
    sine = Sine(amplitude=8e-5, frequency=3e3, offset=3e-5, delay=delay, phase=0.7)
    neuron = lif.replace(stimulus=sine, r_s=400.0, v_rest=0.05, t_stop=1.5e-3).ideal()
    r, c, v_0 = neuron.leak.r + neuron.r_s, neuron.c, neuron.v_rest
    w, tau = 2 * math.pi * sine.frequency, r * c

    def v_c(t: Any) -> Any:
        # Constant until the delay, then offset and sine, each with what it still has to settle.
        first = sine.offset + sine.amplitude * math.sin(sine.phase)
        start = v_0 + r * first * -math.expm1(-delay / tau)
        since = np.maximum(t - delay, 0.0)
        swing, lag = r * sine.amplitude / math.hypot(1, w * tau), sine.phase - math.atan(w * tau)
        rest = v_0 + r * sine.offset
        late = rest + swing * np.sin(w * since + lag)
        late += (start - rest - swing * math.sin(lag)) * np.exp(-since / tau)
        early = v_0 + r * first * -np.expm1(-np.minimum(t, delay) / tau)
        return np.where(np.asarray(t) < delay, early, late)

    def power(t: float) -> float:
        angle = w * max(t - delay, 0.0) + sine.phase
        return float(v_c(t)) * (sine.offset + sine.amplitude * math.sin(angle))

    own = solve_circuit(neuron, rtol=1e-9)
    assert len(own.t_spike) == 0
    np.testing.assert_allclose(own["v_c"], v_c(own.time), rtol=0, atol=1e-10)
    share = neuron.leak.r / r
    np.testing.assert_allclose(own["v_mem"], share * (v_c(own.time) - v_0), rtol=0, atol=1e-10)
    energy = quad(power, 0, delay)[0] + quad(power, delay, neuron.t_stop, limit=200)[0]
    assert own.attrs["energy_source"] == pytest.approx(energy, rel=1e-6)


@pytest.mark.parametrize("causes", [ALL_CAUSES, NONE, ALL_CAUSES - {Cause.RESET_LEVEL}], ids=len)
def test_a_run_in_many_small_pieces_is_the_same_run(half_ms, monkeypatch, causes):
    neuron = half_ms.replace(t_ref=1e-5, v_reset=0.1)
    whole = solve_circuit(neuron, causes=causes)
    # Pauses after 7 steps, and buffers that are too small from the start.
    monkeypatch.setattr(solve, "_CHUNK", 7)
    monkeypatch.setattr(solve, "_FIRST_ROWS", 16)
    monkeypatch.setattr(solve, "_FIRST_SPIKES", 1)
    parts = solve_circuit(neuron, causes=causes)
    assert len(whole.t_spike) > 5
    np.testing.assert_array_equal(parts.t_spike, whole.t_spike)
    np.testing.assert_array_equal(parts.time, whole.time)
    np.testing.assert_array_equal(parts["v_c"], whole["v_c"])
    assert np.all(np.diff(whole.time) > 0)


# --- against ngspice ------------------------------------------------------------------------------

SINE = {"kind": "sine", "amplitude": 1.2e-3, "frequency": 2e3, "offset": 2e-4}
STRONG_SINE = {"kind": "sine", "amplitude": 3e-3, "frequency": 2e3, "offset": -5e-4}
IDEAL_OPAMP = {"difference_amplifier.opamp": {"kind": "ideal"}}
# name: changes of the paper's neuron; "no NAME" puts that part in its ideal variant
VARIANTS: dict[str, dict[str, Any]] = {
    "all real": {},
    "ideal switch": {"no": ("mosfet",)},
    "ideal comparator": {"no": ("comparator",)},
    "ideal comparator and switch": {"no": ("comparator", "mosfet")},
    "ideal op-amp": IDEAL_OPAMP,
    "ideal op-amp and comparator": {**IDEAL_OPAMP, "no": ("comparator",)},
    "ideal amplifier": {"no": ("difference_amplifier",)},
    "ideal amplifier and switch": {"no": ("difference_amplifier", "mosfet")},
    "ideal amplifier and comparator": {"no": ("difference_amplifier", "comparator")},
    "no series resistor": {"r_s": 0.0},
    "no series resistor, ideal op-amp": {"r_s": 0.0, **IDEAL_OPAMP},
    "rest above ground": {"v_rest": 0.1},
    "rest below ground": {"v_rest": -0.1, "v_low": 0.15},
    "gain 2": {"difference_amplifier.gain": 2.0},
    "volatile memristor": {"leak.v_off": -0.2},
    "resistor": {"leak": {"kind": "resistor", "r": 1500.0}},
    "hot": {"temperature": 350.0},
    # The current is negative half of the time and only the body diode holds v_c.
    "sine": {"stimulus": SINE},
    "strong sine": {"stimulus": STRONG_SINE},
    "strong sine, all ideal": {
        "stimulus": STRONG_SINE, "no": ("difference_amplifier", "comparator", "mosfet"),
    },
    "drain of 1 ohm": {"mosfet.r_d": 1.0},
    "slow gate": {"mosfet.r_g": 300.0, "mosfet.r_s": 2.0},
    "large capacitances": {
        "mosfet.c_gd_max": 5e-9, "mosfet.c_gd_min": 1e-9, "mosfet.c_gs": 1e-9,
        "mosfet.c_jo": 2e-9,
    },
    # The output would overshoot v_th by more than the millivolt it has left.
    "op-amp at its upper limit": {"supplies.v_pos": 1.901, "comparator.t_delay": 5e-6},
    "op-amp at its lower limit": {"supplies.v_neg": -1.55, "stimulus": SINE},
    "op-amp that slews": {"difference_amplifier.opamp.slew_rate": 1e5},
    "op-amp with errors": {
        "difference_amplifier.opamp.v_os": 0.01, "difference_amplifier.opamp.i_bias": 1e-6,
        "difference_amplifier.opamp.open_loop_gain": 200.0,
    },
    "op-amp that rings": {"difference_amplifier.r": 1e5},
    "comparator with errors": {
        "comparator.v_os": 0.01, "comparator.i_bias": 2e-5, "comparator.r_out": 500.0,
    },
    "slow comparator": {"comparator.t_delay": 5e-6},
    "comparator low below ground": {"comparator.v_ol": -1.0},
    "long edges": {"stimulus.t_rise": 1e-4, "stimulus.t_fall": 1e-4},
    "late, with an offset": {"stimulus.offset": 2e-4, "stimulus.delay": 5e-5},
}  # fmt: skip


def variant(paper: Neuron, name: str) -> Neuron:
    changes = dict(VARIANTS[name])
    without = changes.pop("no", ())
    neuron = paper.replace({"t_stop": 6e-4, **changes})
    ideal = neuron.ideal()
    return neuron.replace({part: getattr(ideal, part).to_dict() for part in without})


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_of_a_part_is_ngspice_s(paper, name):
    neuron = variant(paper, name)
    own = solve_circuit(neuron, rtol=1e-7)
    spice = simulate(neuron, "ngspice-batch").require()
    assert len(own.t_spike) >= 3
    assert worst(own.t_spike, spice.t_spike) < 5e-9
    # Away from the spikes and the discharges after them, where nanoseconds are not volts.
    lasts = 1e-6 + getattr(neuron.comparator, "t_delay", 0.0)
    away = np.abs(own.time[:, None] - lasts - own.t_spike).min(axis=1) > 1e-6 + lasts
    assert away.sum() > 100
    for quantity in ("v_c", "v_mem"):
        there = np.interp(own.time, spice.time, spice[quantity])
        assert np.abs(own[quantity] - there)[away].max() < 1e-4 * np.abs(there).max()


def test_variants_reach_what_they_are_there_for(paper):
    def run(name: str) -> Any:
        return solve_circuit(variant(paper, name))

    # The diode takes the negative current at some tenths of a volt, where the switch lets it go.
    assert -0.8 < run("strong sine")["v_c"].min() < -0.55
    assert run("strong sine, all ideal")["v_c"].min() < -2
    # A limit that binds moves the amplifier's second input, through which it loads the neuron.
    for end, key in ((np.max, "supplies.v_pos"), (np.min, "supplies.v_neg")):
        name = "upper" if end is np.max else "lower"
        bound = run(f"op-amp at its {name} limit")
        neuron = variant(paper, f"op-amp at its {name} limit")
        free = solve_circuit(neuron.replace({key: 5.0 if name == "upper" else -5.0}))
        assert abs(end(bound["v_mem"]) - end(free["v_mem"])) > 1e-4


def body(mosfet: Any, extra: str = "") -> str:
    """Return the part's VDMOS card, its terminals being d, g and 0."""
    return (
        f"M1 d g 0 m\n.model m vdmos(vto={mosfet.v_to!r} kp={mosfet.kp!r} rs={mosfet.r_s!r} "
        f"rd={mosfet.r_d!r} rg={mosfet.r_g!r} cgdmax={mosfet.c_gd_max!r} "
        f"cgdmin={mosfet.c_gd_min!r} cgs={mosfet.c_gs!r} cjo={mosfet.c_jo!r} is={mosfet.i_s!r} "
        f"mtriode={mosfet.m_triode!r}{extra})"
    )


def run_deck(deck: str, folder: Path) -> dict[str, Floats]:
    (folder / "deck.cir").write_text(f"* deck\n{deck}\n.end\n")
    done = subprocess.run(
        ["ngspice", "-n", "-b", "-r", "deck.raw", "-o", "deck.log", "deck.cir"],
        cwd=folder, env=with_home(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (folder / "deck.log").read_text()
    return read_raw(folder / "deck.raw")[-1].columns()


@pytest.mark.parametrize(
    "changes",
    [{}, {"r_s": 20.0, "r_d": 4.0, "m_triode": 1.0, "kp": 0.05, "v_to": 0.9}],
    ids=["paper", "another"],
)
def test_drain_current_and_body_diode_are_those_of_ngspice(paper, tmp_path, changes):
    neuron = paper.replace({f"mosfet.{k}": v for k, v in changes.items()})
    mosfet = neuron.mosfet
    celsius = neuron.temperature - 273.15
    deck = f"""{body(mosfet)}
V_d d 0 0
V_g g 0 0
.options temp={celsius!r} tnom={celsius!r} reltol=1e-12 abstol=1e-18 vntol=1e-15
.save v(d) v(g) i(v_d)
.dc V_d -0.7 0.7 0.05 V_g 0 4 0.25"""
    got = run_deck(deck, tmp_path)
    v_d, v_g, i_d = got["v(d)"], got["v(g)"], -got["i(v_d)"]
    assert len(v_d) == 29 * 17
    p = circuit_parameters(neuron).values.copy()
    # ngspice has older values of the natural constants, a third of a millionth apart.
    p[layout.P_V_T] = 1.38064852e-23 * neuron.temperature / 1.6021766208e-19
    assert p[layout.P_V_T] == pytest.approx(neuron.thermal_voltage, rel=1e-6)

    def current(d: float, g: float) -> float:
        # The channel is behind both resistances, the diode outside them.
        def excess(i: float) -> float:
            return i - _drain_current(g - i * mosfet.r_s, g - d + i * mosfet.r_d, p)

        bound = 1.0 if changes else 3.0
        channel = brentq(excess, -bound, bound, xtol=1e-18, rtol=1e-14)
        return float(channel - _diode(-d, p)[0])

    ours = np.array([current(float(d), float(g)) for d, g in zip(v_d, v_g, strict=True)])
    assert (np.abs(i_d) > 1e-6).sum() > 300
    assert (i_d < -1e-6).sum() > 150
    # In A: 1000 siemens of drain times the rounding of half a volt.
    np.testing.assert_allclose(ours, i_d, rtol=1e-6, atol=5e-13)


def test_rates_at_rest_are_the_mosfet_s_operating_points(paper):
    # The same currents through the gate's network of the compiled equations.
    p = circuit_parameters(paper).values
    y, dy = circuit_parameters(paper).y_0.copy(), np.empty(layout.N_STATES)
    m = paper.mosfet
    for v_c, v_gs in ((0.4, 3.0), (0.1, 2.3), (-0.2, 2.5)):
        i = brentq(lambda i, v=v_c, g=v_gs: i - channel(m, g, v - i * (m.r_s + m.r_d)), -2, 2)
        gate = v_gs + i * m.r_s
        y[layout.Y_V_C], y[layout.Y_V_GS] = v_c, v_gs
        y[layout.Y_V_GD] = gate - v_c + i * m.r_d
        # The comparator's output, that no current leaves, is at the gate's voltage.
        y[layout.Y_CP] = y[layout.Y_T1] = y[layout.Y_T2] = gate
        rates(y, 0.0, 0.0, p, dy, None)
        assert i > 1e-3 or v_c < 0
        # In A: what charges the two capacitances, a millionth of what flows.
        assert abs(dy[layout.Y_V_GS]) * m.c_gs < 1e-6 * abs(i)
        assert abs(dy[layout.Y_V_GD]) * m.c_gd_min < 1e-6 * abs(i)


def channel(m: Any, v_gs: float, v_ds: float) -> float:
    """Return VDMOS' channel current as ngspice's manual has it."""
    sign, v_gs = (1.0, v_gs) if v_ds >= 0 else (-1.0, v_gs - v_ds)
    over = 0.1 * float(np.logaddexp(0.0, (v_gs - m.v_to) / 0.1))
    v = abs(v_ds) * m.m_triode
    return sign * m.kp * (over**2 / 2 if over <= v else v * (over - v / 2))


# --- no causes: the reference ---------------------------------------------------------------------

REFERENCES: dict[str, dict[str, Any]] = {
    "paper": {},
    "refractory": {"t_ref": 20e-6},
    "reset above ground": {"v_reset": 0.1, "v_low": 0.15},
    "reset above v_low": {"v_reset": 0.1},
    "rest above ground": {"v_rest": 0.05},
    "all of them": {"v_reset": 0.1, "v_rest": 0.02, "v_low": 0.01, "t_ref": 5e-6},
    "LIF": {"preset": "lif"},
    "LIF, refractory": {"preset": "lif", "t_ref": 1e-4},
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("ideal", [False, True], ids=["real", "ideal"])
def test_without_causes_the_circuit_is_the_reference(paper, name, ideal):
    changes = dict(REFERENCES[name])
    start = load_preset(changes.pop("preset")) if "preset" in changes else paper
    neuron = start.replace({**changes, "t_stop": 1.6e-3})
    neuron = neuron.ideal() if ideal else neuron
    own = solve_circuit(neuron, causes=NONE, rtol=1e-8)
    sharp = neuron.replace(stimulus=neuron.stimulus.sharp())
    reference = solve_reference(sharp)
    assert len(own.t_spike) == len(reference.t_spike) >= 7
    assert own.t_spike[0] == pytest.approx(reference.t_spike[0], abs=0.2e-9)
    # What remains is the discharge through an on-resistance that is small but not nothing, and
    # what the faster but not infinitely fast op-amp lags: one to two nanoseconds a spike.
    starts, _ = neuron.stimulus.windows(neuron.t_stop)
    within = np.diff(np.searchsorted(starts, reference.t_spike, side="right")) == 0
    drift = np.diff(own.t_spike - reference.t_spike)[within]
    assert len(drift) >= 6
    assert np.abs(drift).max() < 5e-9
    assert np.all(drift > 0)
    if "x" in own:
        assert own["x"][-1] == pytest.approx(reference["x"][-1], abs=1e-5)
    energy = reference.attrs["energy_source"]
    assert own.attrs["energy_source"] == pytest.approx(energy, rel=1e-4)
    assert own["v_c"].max() == pytest.approx(reference["v_c"].max(), abs=1e-5)


# --- each cause by itself -------------------------------------------------------------------------


def first_and_interval(neuron: Neuron, *causes: Cause) -> tuple[float, float]:
    spikes = solve_circuit(neuron, causes=frozenset(causes), rtol=1e-9).t_spike
    assert len(spikes) > 3
    return float(spikes[0]), float(np.diff(spikes)[1])


def charging(neuron: Neuron, v: float, start: float = 0.0, extra: float = 0.0) -> float:
    """Return how long a constant current takes to charge leak and capacitor to `v`."""
    r = 1 / (1 / neuron.leak.r + extra)
    drive = r * neuron.stimulus.amplitude
    return r * neuron.c * math.log((drive - start) / (drive - v))


def test_the_reset_level_alone_shortens_intervals(lif):
    first, interval = first_and_interval(lif.ideal(), Cause.RESET_LEVEL)
    start, without = first_and_interval(lif.ideal())
    assert first == pytest.approx(start, abs=1e-15)
    # The charge begins at v_low instead of at 0.
    expected = charging(lif, lif.v_th) - charging(lif, lif.v_th, lif.v_low)
    assert without - interval == pytest.approx(expected, abs=2e-9)


def test_the_discharge_time_alone_lengthens_intervals_by_itself(lif):
    neuron = lif.ideal()
    _, interval = first_and_interval(neuron, Cause.DISCHARGE_TIME)
    _, without = first_and_interval(neuron)

    def discharge(r_on: float) -> float:
        g = 1 / neuron.leak.r + 1 / r_on
        floor = neuron.stimulus.amplitude / g
        return neuron.c / g * math.log((neuron.v_th - floor) / (neuron.v_low - floor))

    r_on = neuron.mosfet.r_ds_on
    assert isinstance(neuron.mosfet, IdealMosfet)
    assert interval - without == pytest.approx(discharge(r_on) - discharge(r_on / 1000), abs=1e-11)


def test_the_loading_alone_lengthens_intervals(lif):
    # v_c sees r and gain * r in series to ground; the other input is at v_rest.
    first, interval = first_and_interval(lif, Cause.AMPLIFIER_LOADING)
    _, without = first_and_interval(lif)
    extra = 1 / (2 * lif.difference_amplifier.r)
    assert first == pytest.approx(charging(lif, lif.v_th, extra=extra), abs=1e-9)
    longer = charging(lif, lif.v_th, extra=extra) - charging(lif, lif.v_th)
    assert longer > 1e-6
    assert interval - without == pytest.approx(longer, abs=1e-9)


def static_thresholds(neuron: Neuron) -> tuple[float, float]:
    """Return the turning points of the real comparator's static characteristic."""
    c, network = neuron.comparator, neuron.network
    swing = c.v_oh - c.v_ol

    def v_d(output: float) -> float:
        # Backwards from the output to the voltage that holds it there.
        s = (output - c.v_ol) / swing
        cp = math.atanh(2 * s - 1) * swing / (2 * c.gain) + network.v_ref - c.v_os
        through = (output - cp) / (network.r_b + c.r_out)
        return cp - network.r_a * (through + c.i_bias)

    middle, edge = (c.v_oh + c.v_ol) / 2, 1e-9 * swing
    options = {"xatol": 1e-12}
    up = minimize_scalar(
        lambda o: -v_d(o), bounds=(c.v_ol + edge, middle), method="bounded", options=options
    )
    down = minimize_scalar(v_d, bounds=(middle, c.v_oh - edge), method="bounded", options=options)
    return -float(up.fun), float(down.fun)


@pytest.mark.parametrize(
    "changes",
    [{}, {"i_bias": 2e-5}, {"v_os": -0.02}, {"gain": 300.0}, {"r_out": 5e3, "i_bias": -1e-5}],
    ids=str,
)
def test_comparator_thresholds_are_the_turning_points(paper, changes):
    neuron = paper.replace({f"comparator.{k}": v for k, v in changes.items()})
    assert neuron.comparator_thresholds == pytest.approx(static_thresholds(neuron), abs=1e-9)
    ideal = neuron.ideal()
    assert ideal.comparator_thresholds == (ideal.network.v_high, ideal.network.v_low)


def test_the_comparator_s_input_alone_moves_the_threshold(lif):
    neuron = lif.replace({"comparator.i_bias": 2e-5, "comparator.v_os": 0.005})
    first, _ = first_and_interval(neuron, Cause.COMPARATOR_INPUT)
    # Without delay the comparator has no output resistance either.
    v_high = static_thresholds(neuron.replace({"comparator.r_out": 1e-9}))[0]
    assert v_high < neuron.v_th - 0.02
    assert first == pytest.approx(charging(neuron, v_high), abs=1e-9)


def test_the_op_amp_s_offset_alone_moves_the_threshold(lif):
    neuron = lif.replace({"difference_amplifier.opamp.v_os": 0.01})
    first, _ = first_and_interval(neuron, Cause.OPAMP_RANGE)
    a = neuron.difference_amplifier.opamp.open_loop_gain
    # v_d = (v_c / 2 + v_os) / (1 / 2 + 1 / a), the resistors halving both ways; pA aside.
    v_c = 2 * (neuron.v_th * (0.5 + 1 / a) - 0.01)
    assert first == pytest.approx(charging(neuron, v_c), abs=2e-9)


def test_a_slow_op_amp_alone_makes_spikes_late(lif):
    start = charging(lif, lif.v_th)
    lags = {}
    for hertz in (4e5, 4e6):
        slow = lif.replace({"difference_amplifier.opamp.gain_bandwidth": hertz})
        lags[hertz] = first_and_interval(slow, Cause.OPAMP_SPEED)[0] - start
    # On a ramp a follower of noise gain 2 lags by 2 / (2 pi gain_bandwidth).
    assert lags[4e5] == pytest.approx(2 / (2 * math.pi * 4e5), rel=0.1)
    assert 1e-8 < lags[4e6] < lags[4e5] / 5


@pytest.mark.slow
def test_a_slow_comparator_alone_makes_spikes_late(lif):
    lags = {}
    for seconds in (7e-9, 1e-6):
        late = lif.replace({"comparator.t_delay": seconds})
        # Its input errors are off, but its output resistance belongs to the output.
        off = {"comparator.i_bias": 0.0, "comparator.v_os": 0.0, "comparator.gain": 3e5}
        start = charging(lif, static_thresholds(late.replace(off))[0])
        lags[seconds] = first_and_interval(late, Cause.COMPARATOR_DELAY)[0] - start
    assert 7e-9 < lags[7e-9] < 1e-6
    assert 1e-6 < lags[1e-6] < 1e-5
    assert lags[1e-6] > 3 * lags[7e-9]


def test_a_slow_comparator_and_an_instant_discharge_still_spike(paper):
    # The MOSFET is on well before the output's half swing; if it then emptied the capacitor at
    # once, the output would turn back before anybody could count it.
    # (A threshold below the half swing, which the preset's is not.)
    neuron = paper.replace({"comparator.t_delay": 1e-6, "mosfet.v_to": 1.6, "t_stop": 5e-4})
    real = solve_circuit(neuron)
    instant = solve_circuit(neuron, causes=ALL_CAUSES - {Cause.DISCHARGE_TIME})
    assert len(instant.t_spike) == len(real.t_spike) > 4
    # Up to the first spike the two are the same but for what the real MOSFET takes early.
    assert instant.t_spike[0] == pytest.approx(real.t_spike[0], abs=0.2e-6)
    # Then the capacitor is empty in nanoseconds, of which the real one takes a thousand times more.
    for spike in instant.t_spike[:-1]:
        assert np.interp(spike - 1e-9, instant.time, instant["v_c"]) > 0.4
        assert np.interp(spike + 20e-9, instant.time, instant["v_c"]) < 0.01
    assert np.interp(real.t_spike[0] + 20e-9, real.time, real["v_c"]) > 0.3


def test_edges_alone_delay_the_first_spike(paper):
    neuron = paper.replace({"stimulus.t_rise": 1e-4, "stimulus.t_fall": 1e-4, "t_stop": 5e-4})
    first, _ = first_and_interval(neuron, Cause.STIMULUS_EDGES)
    start, _ = first_and_interval(neuron)
    # Half the charge of the edge is missing.
    assert first - start == pytest.approx(5e-5, rel=0.1)


def lowest_later(waveforms):
    """Return the lowest v_c after the first spike."""
    return waveforms["v_c"][waveforms.time > waveforms.t_spike[0]].min()


def test_the_gate_s_charge_alone_goes_through_the_membrane(lif):
    # Each way the gate swings, its drain capacitance pushes charge into v_c; the way up goes
    # to ground through the open MOSFET, the way down is taken from what was left.
    lowest = {}
    for factor in (1, 10):
        changes = {"mosfet.c_gd_max": 80e-12 * factor, "mosfet.c_gd_min": 12e-12 * factor}
        causes = frozenset({Cause.MOSFET_CHARGE, Cause.RESET_LEVEL})
        lowest[factor] = lowest_later(solve_circuit(lif.replace(changes), causes=causes))
    none = lowest_later(solve_circuit(lif, causes=frozenset({Cause.RESET_LEVEL})))
    assert lowest[10] < lowest[1] < none


def test_the_reset_sets_v_c_and_the_hold_keeps_it(paper):
    neuron = paper.replace({"v_reset": 0.1, "t_ref": 2e-5, "t_stop": 5e-4})
    run = solve_circuit(neuron, causes=ALL_CAUSES - {Cause.RESET_LEVEL, Cause.DISCHARGE_TIME})
    held = np.abs(run["v_c"] - 0.1) < 1e-15
    assert len(run.t_spike) > 4
    for spike in run.t_spike[:-1]:
        t = run.time[held & (run.time > spike) & (run.time < spike + 4e-5)]
        assert t[-1] - t[0] == pytest.approx(2e-5, abs=1e-12)
        inside = (run.time >= t[0]) & (run.time <= t[-1])
        assert held[inside].all()


def test_the_reset_s_jump_pushes_no_charge_into_the_gate(paper):
    large = {"mosfet.c_gd_max": 4e-9, "mosfet.c_gd_min": 2e-9, "mosfet.c_gs": 2e-9}
    neuron = paper.replace({**large, "v_reset": 0.1, "t_stop": 3e-4})
    run = solve_circuit(neuron, causes=ALL_CAUSES - {Cause.RESET_LEVEL})
    resets = run.time[run["v_c"] == 0.1]
    assert len(resets) >= 3
    # 0.1 V across 4 nF would be 4 mV on the 100 nF of the membrane, within picoseconds.
    after = np.interp(resets + 1e-9, run.time, run["v_c"])
    assert np.abs(after - 0.1).max() < 1e-3


@pytest.mark.parametrize("on", [NONE, ALL_CAUSES], ids=["from none", "from all"])
def test_ideal_parts_have_no_causes_bit_for_bit(half_ms, on):
    neuron = half_ms.ideal().replace(stimulus=Constant(amplitude=1e-3))
    absent = {
        Cause.MOSFET_CHARGE, Cause.COMPARATOR_INPUT, Cause.OPAMP_SPEED, Cause.OPAMP_RANGE,
        Cause.AMPLIFIER_LOADING, Cause.STIMULUS_EDGES, Cause.BODY_DIODE,
    }  # fmt: skip
    base = solve_circuit(neuron, causes=on)
    for cause in Cause:
        other = solve_circuit(neuron, causes=on ^ {cause})
        same = np.array_equal(other.time, base.time) and np.array_equal(other["v_c"], base["v_c"])
        assert same == (cause in absent), cause


@pytest.mark.parametrize("on", [NONE, ALL_CAUSES], ids=["from none", "from all"])
def test_every_cause_of_a_real_circuit_changes_something(half_ms, on):
    # Between the pulses a current that takes v_c below ground, where the body diode stops it.
    below = {"stimulus.offset": -1e-3, "stimulus.amplitude": 2e-3, "stimulus.frequency": 4e3}
    neuron = half_ms.replace({"stimulus.t_rise": 1e-6, **below})
    base = solve_circuit(neuron, causes=on)
    for cause in Cause:
        other = solve_circuit(neuron, causes=on ^ {cause})
        assert other.t_spike[-1] != base.t_spike[-1] or len(other.t_spike) != len(base.t_spike)


def test_causes_have_words_of_their_own():
    assert len({c.label for c in Cause}) == len({c.off for c in Cause}) == len(Cause) == 10


# --- errors and progress --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "euler"}, "choose one of rodas, LSODA, Radau, BDF"),
        ({"method": "rodas\n"}, "choose one of"),
        ({"rtol": 0.0}, "between 1e-14 and 1e-2"),
        ({"rtol": 1e-2}, "between 1e-14 and 1e-2"),
        ({"rtol": -1e-6}, "between"),
        ({"rtol": math.nan}, "between"),
        ({"rtol": math.inf}, "between"),
        ({"method": "LSODA", "causes": NONE}, "use the method rodas"),
        ({"method": "Radau", "causes": ALL_CAUSES - {Cause.COMPARATOR_DELAY}}, "use the method"),
        ({"method": "BDF", "causes": ALL_CAUSES - {Cause.RESET_LEVEL}}, "use the method rodas"),
        ({"method": "LSODA", "causes": ALL_CAUSES - {Cause.DISCHARGE_TIME}}, "use the method"),
    ],
    ids=lambda o: o if isinstance(o, str) else "-".join(o),
)
def test_bad_options_are_refused(half_ms, options, words):
    with pytest.raises(IntegrationError, match=words) as info:
        solve_circuit(half_ms, **options)
    assert str(info.value).endswith(".")
    assert "\n" not in str(info.value)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["rodas", "LSODA"])
def test_progress_rises_to_1_and_can_stop(lif, method, monkeypatch):
    monkeypatch.setattr(solve, "_CHUNK", 100)
    seen: list[float] = []
    solve_circuit(lif, method=method, progress=seen.append)
    # The stimulus is of one piece, in which a progress has to be told too.
    assert len(seen) > 10
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)

    def stop(fraction: float) -> None:
        seen.append(fraction)
        raise KeyboardInterrupt

    seen.clear()
    with pytest.raises(KeyboardInterrupt):
        solve_circuit(lif, method=method, progress=stop)
    assert len(seen) == 1


def test_waveforms_say_where_they_are_from(half_ms):
    run = solve_circuit(half_ms, rtol=1e-5)
    assert run.attrs["side"] == "equations"
    assert run.attrs["method"] == "rodas"
    assert run.attrs["rtol"] == 1e-5
    assert run.attrs["n_steps"] >= len(run.time) / 2
    assert run.time[0] == 0.0
    assert run.time[-1] == half_ms.t_stop
    np.testing.assert_array_equal(run["i_in"], half_ms.stimulus.value(run.time))
    assert "x" not in solve_circuit(half_ms.replace(leak={"kind": "resistor", "r": 1500.0}))
    # A sharp stimulus is what the equations saw without its edges.
    sharp = solve_circuit(half_ms, causes=ALL_CAUSES - {Cause.STIMULUS_EDGES})
    assert sharp["i_in"][0] == half_ms.stimulus.amplitude


# --- stimuli without edges ------------------------------------------------------------------------


def charge(stimulus: Any, t_stop: float) -> float:
    pieces = stimulus.pieces(t_stop)
    width = np.diff(pieces.t)
    return float(np.sum(pieces.i * width + pieces.slope * width**2 / 2))


def no_edges(stimulus: Any, t_stop: float) -> bool:
    return not stimulus.pieces(t_stop).slope.any()


@pytest.mark.parametrize("n_pulses", [None, 2])
def test_a_sharp_train_keeps_charge_and_places(n_pulses):
    train = PulseTrain(
        amplitude=2e-3, frequency=1e3, duty=0.3, delay=1e-4, t_rise=1e-4, t_fall=1e-4,
        offset=-1e-4, n_pulses=n_pulses,
    )  # fmt: skip
    sharp = train.sharp()
    pulses = n_pulses or 3
    expected = 2e-3 * 0.3e-3 * pulses - 1e-4 * 3.1e-3
    assert charge(train, 3.1e-3) == pytest.approx(expected, rel=1e-12)
    assert charge(sharp, 3.1e-3) == pytest.approx(expected, rel=1e-12)
    assert no_edges(sharp, 3.1e-3)
    assert not no_edges(train, 3.1e-3)
    for a, b in zip(train.windows(3.1e-3), sharp.windows(3.1e-3), strict=True):
        np.testing.assert_array_equal(a, b)
    assert sharp.sharp() == sharp


def test_a_sharp_step_is_in_the_middle_of_its_edge():
    step = Step(amplitude=1e-3, delay=1e-4, t_rise=2e-4, offset=1e-5)
    sharp = step.sharp()
    assert sharp.delay == pytest.approx(2e-4, rel=1e-12)
    assert no_edges(sharp, 1e-3)
    expected = 1e-5 * 1e-3 + 1e-3 * 0.8e-3
    assert charge(step, 1e-3) == pytest.approx(expected, rel=1e-12)
    assert charge(sharp, 1e-3) == pytest.approx(expected, rel=1e-12)


def test_a_sharp_sum_is_the_sum_of_its_sharp_terms():
    step, sine = Step(amplitude=1e-3, t_rise=1e-4), Sine(amplitude=1e-4, frequency=1e3)
    train = PulseTrain(amplitude=1e-3, frequency=2e3, t_rise=1e-5, t_fall=1e-5)
    both = Sum(terms=(step, sine, train))
    assert both.sharp() == Sum(terms=(step.sharp(), sine, train.sharp()))
    t = np.linspace(0, 2e-3, 997)
    parts = step.sharp().value(t) + sine.value(t) + train.sharp().value(t)
    np.testing.assert_allclose(both.sharp().value(t), parts, rtol=0, atol=1e-18)


@pytest.mark.parametrize(
    "stimulus",
    [
        Sine(amplitude=1e-3, frequency=1e3),
        Constant(amplitude=1e-3),
        PiecewiseLinear(t=(0.0, 1e-3), i=(0.0, 1e-3)),
    ],
    ids=lambda s: s.kind,
)
def test_stimuli_without_edges_of_their_own_stay_as_they_are(stimulus):
    assert stimulus.sharp() == stimulus
