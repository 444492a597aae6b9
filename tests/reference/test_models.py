"""Every memristor model through the same checks.

A model is tested from the moment it stands in the table `MODELS`; nothing here names one. Only
the guide's test (`test_new_model_guide.py`) adds one of its own. See docs/new_model.md.
"""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _random_devices import moving_period, random_circuit, random_device
from ltspice_standin import install
from numba import njit
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from spicealif import Neuron, SeriesCircuit, build_netlist, load_preset, solve_reference
from spicealif import solve_series as solve
from spicealif.design import (
    MODELS,
    Constant,
    MemristorModel,
    PiecewiseLinear,
    Sine,
    dump_toml,
    parse_toml,
    schema,
)
from spicealif.design.devices import LoopScale
from spicealif.errors import DesignError
from spicealif.netlist import dialects, find_unportable
from spicealif.reference.device import compiled_device
from spicealif.simulators import Simulator, get_simulator
from spicealif.simulators.ltspice.runner import Ltspice
from spicealif.waveforms import Waveforms

Floats = NDArray[np.float64]
Model = type[MemristorModel]

V_T = 0.0257
PAPER = load_preset("paper")
DRIVES = ("sine", "pulse")
#: Voltages in V; 0 and the examples' thresholds are not among them.
VOLTAGES = np.concatenate([s * np.geomspace(1.1e-3, 1.7, 25) for s in (-1.0, 1.0)])
STATES = np.linspace(0, 1, 6)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Model:
    """Return each model."""
    return MODELS[request.param]


@pytest.fixture(scope="module")
def ngspice() -> Iterator[Simulator]:
    """Return ngspice with its worker kept."""
    simulator = get_simulator("ngspice")
    yield simulator
    simulator.close()


def example(model: Model) -> MemristorModel:
    return model(**model.example)


def some_devices(model: Model, n: int = 4) -> list[MemristorModel]:
    rng = np.random.default_rng(7)
    return [example(model), *(random_device(model, rng) for _ in range(n))]


def parameters(model: Model) -> list[str]:
    return [name for name in model.model_fields if name != "kind"]


def changed(device: MemristorModel, name: str) -> MemristorModel:
    """Return the device with another value of one parameter."""
    value = getattr(device, name)
    for other in (value * 1.1, value * 0.9, value + 0.1):
        if other != value:
            try:
                return device.replace({name: other})
            except DesignError:
                continue
    raise AssertionError(f"no other {name} is accepted")


def equations(device: MemristorModel, v: float, x: float) -> tuple[float, float, float, float]:
    """Return i, di/dv, di/dx and dx/dt."""
    out = [0.0, 0.0, 0.0]
    q = device.numbers(V_T)
    device.current(v, x, q, out)
    return out[0], out[1], out[2], device.rate(v, x, q)


def series(device: MemristorModel, **other: Any) -> SeriesCircuit:
    """Return one period of a sine of 1 kHz, unless told otherwise."""
    period = 1e-3
    values = {"r_s": 1e3, "drive": Sine(amplitude=0.8, frequency=1 / period), "t_stop": period}
    return SeriesCircuit(device=device, **{**values, **other})


# --- the same parameters in every form ----------------------------------------------------------


def test_the_table_the_class_and_the_template_have_one_name(model: Model) -> None:
    (name,) = (key for key, value in MODELS.items() if value is model)
    assert model.model_fields["kind"].default == name
    assert example(model).kind == name
    assert model.title
    assert inspect.getdoc(model)
    assert (model.template_folder() / f"leak_{name}.cir.j2").is_file()
    assert model.held.keys() <= set(parameters(model))


def test_the_template_has_the_classs_parameters(model: Model) -> None:
    folder = model.template_folder()
    source = (folder / f"leak_{model.model_fields['kind'].default}.cir.j2").read_text()
    for included in re.findall(r'{% include "(\w+\.cir\.j2)" %}', source):
        source += (folder / included).read_text()
    head, *_ = source.partition("-#}")
    body = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    # x_0 is the analysis' business: .ic
    wanted = set(parameters(model)) - {"x_0"}
    assert set(re.findall(r"device\.(\w+)", body)) == wanted
    assert "Source:" in head
    assert "Equations:" in head
    described = set(re.findall(r"device\.(\w+)", source[: len(source) - len(body)] + source))
    assert described == wanted


def test_every_parameter_reaches_every_form(model: Model) -> None:
    device = example(model)
    points = list(itertools.product(VOLTAGES, STATES))
    before = [equations(device, v, x) for v, x in points]
    for name in parameters(model):
        other = changed(device, name)
        for dialect in dialects():
            for old, new in (
                (series(device), series(device).replace(device=other)),
                (neuron_of(device), neuron_of(device).replace(leak=other)),
            ):
                texts = [build_netlist(design, dialect).text for design in (old, new)]
                assert texts[0] != texts[1], (name, dialect)
        if name == "x_0":
            assert solve(series(other), stride=1000)["x"][0] == other.x_0 != device.x_0
        else:
            after = [equations(other, v, x) for v, x in points]
            assert any(a != b for a, b in zip(before, after, strict=True)), name


def test_both_dialects_are_portable(model: Model) -> None:
    for device in some_devices(model):
        for design in (series(device), neuron_of(device)):
            for dialect in dialects():
                netlist = build_netlist(design, dialect)
                assert not find_unportable(netlist.text, dialect)


def test_files_and_schema_know_it(model: Model) -> None:
    for device in some_devices(model):
        neuron = neuron_of(device)
        assert parse_toml(dump_toml(neuron)) == neuron
        assert type(parse_toml(dump_toml(neuron)).leak) is model
        circuit = series(device)
        assert SeriesCircuit.from_dict(circuit.to_dict()) == circuit
    properties = schema()["$defs"][model.__name__]["properties"]
    assert properties.keys() == model.model_fields.keys()
    for name in parameters(model):
        assert properties[name]["description"], name
        assert "unit" in properties[name], name


# --- the equations ------------------------------------------------------------------------------


def test_no_current_flows_at_0_volt_and_current_rises_with_voltage(model: Model) -> None:
    for device in some_devices(model):
        for x in STATES:
            assert equations(device, 0.0, x)[0] == 0.0
            for v in VOLTAGES:
                i, i_v, _, _ = equations(device, v, x)
                assert i * v >= 0
                assert i_v >= 0


def test_x_is_what_conducts(model: Model) -> None:
    for device in some_devices(model):
        for v in VOLTAGES:
            currents = [abs(equations(device, v, x)[0]) for x in STATES]
            assert currents == sorted(currents)
        assert 0 < device.r_min(0.5) <= device.r_max(0.5)


def test_derivatives_of_the_current(model: Model) -> None:
    def slope(f: Any, at: float, h: float) -> float:  # fourth order
        return (8 * (f(at + h) - f(at - h)) - (f(at + 2 * h) - f(at - 2 * h))) / (12 * h)

    for device in some_devices(model):
        for v, x in itertools.product(VOLTAGES, (0.2, 0.5, 0.8)):
            i, i_v, i_x, _ = equations(device, v, x)
            h = 2e-4 * abs(v)
            numeric = slope(lambda u: equations(device, u, x)[0], v, h)  # noqa: B023
            assert i_v == pytest.approx(numeric, rel=1e-8, abs=1e-10 * abs(i / v))
            numeric = slope(lambda y: equations(device, v, y)[0], x, 2e-4)  # noqa: B023
            assert i_x == pytest.approx(numeric, rel=1e-8, abs=1e-10 * abs(i))


@njit
def _evaluate(device: Any, v: float, x: float) -> float:
    device[0](v, x, device[2], device[3])
    return float(device[1](v, x, device[2]))


@pytest.mark.filterwarnings("ignore::numba.NumbaExperimentalFeatureWarning")
def test_the_compiled_equations_are_the_plain_ones(model: Model) -> None:
    for device in some_devices(model):
        compiled = compiled_device(device, V_T)
        for v, x in itertools.product([*VOLTAGES, -50.0, 0.0, 50.0], STATES):
            rate = _evaluate(compiled, v, x)
            plain = equations(device, v, x)
            np.testing.assert_allclose([*compiled[3][:3], rate], plain, rtol=1e-13, atol=1e-300)


def test_coefficients_take_arrays(model: Model) -> None:
    """A fit evaluates many devices at once."""
    devices = some_devices(model)
    values = {n: np.array([getattr(d, n) for d in devices]) for n in parameters(model)}
    columns = [np.broadcast_to(q, len(devices)) for q in model.coefficients(values, V_T)]
    for k, device in enumerate(devices):
        np.testing.assert_allclose([q[k] for q in columns], device.numbers(V_T), rtol=1e-14)


def test_x_is_held_between_0_and_1_by_the_rates(model: Model) -> None:
    voltages = [*VOLTAGES, *(-VOLTAGES * 50), 0.0]
    for device in some_devices(model, 20):
        for v in voltages:
            assert equations(device, v, 0.0)[3] >= 0.0
            assert equations(device, v, 1.0)[3] <= 0.0
            assert math.isfinite(equations(device, v, 0.5)[3])


def test_a_positive_voltage_sets_and_a_negative_one_resets(model: Model) -> None:
    device = example(model)
    assert equations(device, 1.0, 0.5)[3] > 0 > equations(device, -1.0, 0.5)[3]


def test_time_scale_bounds_the_rate_of_change(model: Model) -> None:
    """No part of x decays much faster: the rate's slope in x, over all x and v up to +-v."""
    for device in some_devices(model, 10):
        for v in (0.4, 0.8):
            fastest = max(
                abs(equations(device, u, x + 1e-6)[3] - equations(device, u, x)[3]) / 1e-6
                for u, x in itertools.product((-v, v), np.linspace(0, 1 - 1e-6, 21))
            )
            assert fastest * device.time_scale(v) < 2.5


# --- the loop -----------------------------------------------------------------------------------


def loop(device: MemristorModel, period: float) -> Waveforms:
    """Return the second period of a sine of 0.8 V."""
    drive = Sine(amplitude=0.8, frequency=1 / period)
    waveforms = solve(series(device, drive=drive, t_stop=2 * period, r_s=10.0))
    second = waveforms.time >= period * (1 - 1e-9)
    traces = {name: values[second] for name, values in waveforms.signals.items()}
    return Waveforms(waveforms.time[second], traces, np.empty(0))


def area(waveforms: Waveforms) -> float:
    """Return the area of the loop's two lobes as a part of the rectangle around it."""
    v, i = waveforms["v_mem"], waveforms["i_mem"]
    half = len(v) // 2
    lobes = (abs(np.trapezoid(v[part], i[part])) for part in (slice(half + 1), slice(half, None)))
    return float(sum(lobes) / (np.ptp(v) * np.ptp(i)))


def test_pinched_loop(model: Model) -> None:
    device = example(model)
    period = 2 * moving_period(device, 0.8)
    slow = loop(device, period)
    v, i = slow["v_mem"], slow["i_mem"]
    assert (v * i >= 0).all()
    near = np.abs(slow["v_in"]) < 1e-12
    assert near.sum() >= 3
    assert np.abs(v[near]).max() < 1e-12
    assert np.abs(i[near]).max() < 1e-12 * np.abs(i).max()
    # The higher the frequency, the less x moves, and the loop becomes a line.
    areas = [area(slow), *(area(loop(device, period * k)) for k in (0.02, 0.002))]
    assert areas[0] > 0.01
    assert areas[1] < 0.2 * areas[0]
    assert areas[2] == pytest.approx(areas[1] / 10, rel=0.2)


# --- the reference against SciPy ----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("drive", DRIVES)
def test_reference_against_scipy(model: Model, drive: str) -> None:
    """DOP853 on the plain equations, with the branch solved by brentq."""
    rng = np.random.default_rng(3)
    for _ in range(2):
        circuit = random_circuit(model, rng, drive)
        got = solve(circuit)
        times = np.linspace(0, circuit.t_stop, 21)
        near = np.searchsorted(got.time, times * (1 - 1e-12))
        expected = scipy_states(circuit, got.time[near])
        assert np.abs(got["x"][near] - expected).max() < 2e-8
        residual = got["v_mem"] + circuit.r_s * got["i_mem"] - got["v_in"]
        assert np.abs(residual).max() < 1e-13 * max(1.0, circuit.v_peak)


def scipy_states(circuit: SeriesCircuit, times: Floats) -> Floats:
    device, v_t = circuit.device, circuit.thermal_voltage
    q, out = device.numbers(v_t), [0.0, 0.0, 0.0]
    pieces = circuit.drive.pieces(circuit.t_stop)

    def voltage(u: float, x: float) -> float:
        def off(v: float) -> float:
            device.current(v, x, q, out)
            return v + circuit.r_s * out[0] - u

        return float(brentq(off, min(u, 0.0), max(u, 0.0), xtol=1e-15)) if u else 0.0

    x, states = device.x_0, np.empty(len(times))
    # piece by piece, so that no step crosses a corner
    for k, (start, end) in enumerate(itertools.pairwise(pieces.t)):

        def rate(t: float, y: Floats, k: int = k) -> list[float]:
            u = pieces.i[k] + pieces.slope[k] * (t - pieces.t[k])
            for amplitude, frequency, phase, delay in pieces.sines:
                u += amplitude * math.sin(2 * math.pi * frequency * max(t - delay, 0.0) + phase)
            return [device.rate(voltage(u, y[0]), y[0], q)]

        done = solve_ivp(
            rate, (start, end), [x], method="DOP853", rtol=1e-10, atol=1e-12,
            max_step=(end - start) / 20, dense_output=True,
        )  # fmt: skip
        assert done.success
        inside = (times >= start) & (times <= end)
        if inside.any():
            states[inside] = done.sol(times[inside])[0]
        x = done.y[0, -1]
    return states


# --- the circuit against the reference ----------------------------------------------------------


def error(simulator: Simulator, circuit: SeriesCircuit) -> float:
    """Return the largest difference of x between a simulator and the reference."""
    run = simulator.run(build_netlist(circuit, simulator.dialect), timeout=60)
    got, reference = run.require(), solve(circuit)
    assert got["x"].min() > -1e-6
    assert got["x"].max() < 1 + 1e-6
    for name in ("v_mem", "i_mem", "v_in"):
        scale = np.abs(reference[name]).max()
        off = np.abs(got[name] - reference.at(name, got.time)).max()
        assert off < 1e-3 * scale, name
    return float(np.abs(got["x"] - reference.at("x", got.time)).max())


@pytest.mark.slow
@pytest.mark.parametrize("drive", DRIVES)
def test_circuit_against_reference(model: Model, drive: str, ngspice: Simulator) -> None:
    rng = np.random.default_rng(5)
    for circuit in (
        random_circuit(model, rng, drive).replace(device=example(model)),
        *(random_circuit(model, rng, drive) for _ in range(6)),
    ):
        assert error(ngspice, circuit) < 1e-4  # measured on 1,200 circuits: 2.6e-5


@pytest.mark.slow
@pytest.mark.parametrize("drive", DRIVES)
def test_ltspices_circuit_against_reference(model: Model, drive: str, tmp_path: Path) -> None:
    """LTspice's deck, by the stand-in, in ngspice's LTspice mode.

    The example only: that mode makes exp linear above 14, which LTspice does not. A random GMMS
    device over 20,000 tau then ends 5e-4 off, as do its equations with such an exp.
    """
    circuit = random_circuit(model, np.random.default_rng(5), drive)
    ltspice = Ltspice(install(tmp_path, mode="ltpsa"))
    assert error(ltspice, circuit.replace(device=example(model))) < 1e-4


@pytest.mark.slow
def test_x_stays_between_0_and_1_in_the_circuit(model: Model, ngspice: Simulator) -> None:
    """Far beyond the thresholds, both ways, at random times."""
    rng = np.random.default_rng(11)
    for device in some_devices(model, 2):
        span = moving_period(device, 1.0)
        span = 3 * span if math.isfinite(span) else 20 * device.time_scale(1.5)
        t = np.linspace(0, span, 20)
        drive = PiecewiseLinear(t=tuple(t), i=tuple(rng.uniform(-1.5, 1.5, len(t))))
        circuit = series(device, drive=drive, t_stop=span)
        assert error(ngspice, circuit) < 1e-4


# --- the fit's and the neuron's needs -----------------------------------------------------------


@pytest.mark.slow
def test_the_search_space_covers_the_example(model: Model) -> None:
    device = example(model)
    waveforms = loop(device, 2 * moving_period(device, 0.8))
    v, i = waveforms["v_mem"], waveforms["i_mem"]
    clear = np.abs(v) > 0.1 * np.abs(v).max()
    r = v[clear] / i[clear]
    span = waveforms.time[-1] - waveforms.time[0]
    seen = LoopScale(float(np.abs(v).max()), float(r.min()), float(r.max()), span / 1000, span)
    space = model.search_space(seen)
    assert space.keys() == set(parameters(model)) - {"x_0"}
    for name, where in space.items():
        assert where.low < where.high
        assert where.low > 0 or not where.log
        assert where.low <= getattr(device, name) <= where.high, name
        for rule in model.model_fields[name].metadata:
            assert where.low >= getattr(rule, "ge", -math.inf), name
            assert where.low >= getattr(rule, "gt", -math.inf), name
            assert where.high <= getattr(rule, "le", math.inf), name


def neuron_of(device: MemristorModel, time: float = 1e-3) -> Neuron:
    """Return a neuron that charges in a twentieth of a time in s, whatever the device."""
    v_th = PAPER.v_th
    current = min(1.5 * v_th / device.r_min(v_th), 10e-3)  # the MOSFET must sink it
    interval = time / 20
    return PAPER.replace(
        leak=device,
        c=current * interval / v_th,
        r_s=0.2 * device.r_min(v_th),
        stimulus=Constant(amplitude=current),
        t_stop=60 * interval,
        # the limit of a neuron's step is made for rates of kHz; a device may take seconds
        numerics={"t_step_max": max(PAPER.numerics.t_step_max, interval / 100)},
    )


@pytest.mark.slow
def test_a_neuron_of_it_spikes(model: Model, ngspice: Simulator) -> None:
    """The all-ideal circuit against the equations with discharge and delay, and without."""
    device = example(model)
    neuron = neuron_of(device, moving_period(device, PAPER.v_th)).ideal()
    circuit = ngspice.run(build_netlist(neuron), timeout=60).require()
    schmitt, ideal = solve_reference(neuron, "schmitt"), solve_reference(neuron)
    assert len(ideal.t_spike) >= 5
    assert len(circuit.t_spike) == len(schmitt.t_spike) >= 5
    moved = abs(schmitt["x"][-1] - schmitt["x"][0])
    assert moved > 0.05
    assert circuit["x"][-1] == pytest.approx(schmitt["x"][-1], abs=2e-3 * moved)
    assert ideal["x"][-1] == pytest.approx(schmitt["x"][-1], abs=0.1 * moved)
