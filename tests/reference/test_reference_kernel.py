"""The RK4 reference against SciPy, closed forms, its own order and awkward cases."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spicealif.design import Memristor, Resistor, StimulusPieces
from spicealif.errors import IntegrationError
from spicealif.reference import driver

V_T = 1.380649e-23 * 298.5 / 1.602176634e-19
PAPER = driver.KernelParameters(
    leak=Memristor(r_on=500.0, r_off=1500.0, v_on=0.27, v_off=0.27, tau=5e-3),
    c=100e-9, r_s=500.0, thermal_voltage=V_T, v_th=0.4, v_low=0.05, r_ds_on=10.0,
)  # fmt: skip
RESISTOR = dataclasses.replace(PAPER, leak=Resistor(r=1000.0), r_s=0.0)
DELAYED = {"delay_on": 3.7e-6, "delay_off": 5.3e-6}


def constant(i, t_stop, *sines):
    sines = np.array(sines).reshape(-1, 4)  # amplitude, frequency, phase, start
    return StimulusPieces(np.array([0.0, t_stop]), np.array([i]), np.zeros(1), sines)


def square(n, period=1e-3, i=1e-3, edge=0.0):
    """Return n periods, on during the first half, with linear edges of the given length."""
    on = [0.0, edge, period / 2, period / 2 + edge] if edge else [0.0, period / 2]
    t = [k * period + u for k in range(n) for u in on]
    level = [0.0, i, i, 0.0] if edge else [i, 0.0]
    slope = [i / edge, 0.0, -i / edge, 0.0] if edge else [0.0, 0.0]
    return StimulusPieces(np.array([*t, n * period]), np.tile(level, n), np.tile(slope, n))


def sine(t_stop):
    return constant(0.5e-3, t_stop, (0.45e-3, 700.0, 0.3, 0.0), (0.1e-3, 3100.0, 0.0, 0.0))


def run(params, pieces, variant="ideal", h=1e-6, **options):
    return driver.integrate(
        params, pieces, variant=variant, t_stop=float(pieces.t[-1]), h=h, **options
    )


def current(pieces, k, t):
    i = pieces.i[k] + pieces.slope[k] * (t - pieces.t[k])
    return i + sum(
        a * math.sin(2 * math.pi * f * max(t - start, 0.0) + phase)
        for a, f, phase, start in pieces.sines
    )


def sigmoid(u):
    return 0.5 * (1.0 + math.tanh(0.5 * u))


def oracle(q, pieces, variant, method="DOP853"):
    """Return spike times and final (v_c, x, energy) with SciPy, restarted at corners and events."""
    leak = q.leak

    def v_mem(y):
        r = leak.r if isinstance(leak, Resistor) else 0.0
        r = r or 1 / (y[1] / leak.r_on + (1 - y[1]) / leak.r_off)
        return (y[0] - q.v_rest) * r / (r + q.r_s), r

    (t, y, phase, due, spikes) = (0.0, np.array([q.v_c_0, q.x_0, 0.0]), "integrate", 0.0, [])
    for k in range(pieces.i.size):
        end = pieces.t[k + 1]
        while t < end:

            def rhs(t, y, k=k, phase=phase):
                (m, r) = v_mem(y)
                i = current(pieces, k, t)
                dv = (i - (y[0] - q.v_rest) / (r + q.r_s)) / q.c
                if phase in ("discharge", "delay off"):
                    dv -= y[0] / (q.r_ds_on * q.c)
                dx = 0.0
                if isinstance(leak, Memristor):
                    s_on = sigmoid((m - leak.v_on) / q.thermal_voltage)
                    s_off = sigmoid((m + leak.v_off) / q.thermal_voltage)
                    dx = (s_on * (1 - y[1]) - (1 - s_off) * y[1]) / leak.tau
                return [0.0 if phase == "held" else dv, dx, y[0] * i]

            sign = {"integrate": 1.0, "discharge": -1.0}.get(phase, 0.0)

            def watch(t, y, sign=sign):
                return sign * (v_mem(y)[0] - (q.v_th if sign > 0.0 else q.v_low))

            (watch.terminal, watch.direction) = (True, 1.0)
            stop = end if sign else min(end, due)
            crossed = watch(t, y) >= 1e-12
            if not crossed and stop > t:
                longest = 0.4e-6 if phase in ("discharge", "delay off") else 10e-6
                s = solve_ivp(
                    rhs, (t, stop), y, method, events=watch if sign else None,
                    max_step=longest, rtol=2e-13, atol=[1e-14, 1e-14, 1e-22],
                )  # fmt: skip
                (t, y) = (s.t[-1], s.y[:, -1])
                crossed = s.status == 1
                if crossed:
                    (t, y) = (s.t_events[0][0], s.y_events[0][0])
            if not crossed and (sign or t < due):
                continue
            if phase == "held":
                phase = "integrate"
                continue
            if variant == "ideal":
                spikes.append(t)
                y = np.array([q.v_reset, y[1], y[2]])
                (phase, due) = ("held" if q.t_ref else "integrate", t + q.t_ref)
                continue
            phases = ["integrate", "delay on", "discharge", "delay off", "integrate"]
            phase = phases[phases.index(phase) + 1]
            if phase.startswith("delay"):
                due = t + (q.delay_on if phase == "delay on" else q.delay_off)
            elif phase == "discharge":
                spikes.append(t)
    return np.array(spikes), y


EARLY_X = dataclasses.replace(PAPER, v_rest=-0.05, v_reset=0.03, t_ref=20e-6, x_0=0.2, v_c_0=0.1)
NEGATIVE = dataclasses.replace(
    PAPER,
    leak=Memristor(r_on=800.0, r_off=4000.0, v_on=0.31, v_off=-0.17, tau=0.33e-3),
    r_s=0.0,
    x_0=1.0,
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("params", "pieces", "variant"),
    [
        (PAPER, square(3), "ideal"),
        (EARLY_X, square(3, edge=1e-8), "ideal"),
        (NEGATIVE, sine(2e-3), "ideal"),
        (RESISTOR, sine(2e-3), "ideal"),
        (PAPER, square(2), "schmitt"),
        (dataclasses.replace(PAPER, **DELAYED), square(2, edge=1e-8), "schmitt"),
        (dataclasses.replace(RESISTOR, **DELAYED), square(2), "schmitt"),
    ],
)
def test_agrees_with_scipy(params, pieces, variant):
    (spikes, y) = oracle(params, pieces, variant)
    result = run(params, pieces, variant, h=0.25e-6)
    assert len(spikes) >= 5
    assert len(result.t_spike) == len(spikes)
    np.testing.assert_allclose(result.t_spike, spikes, rtol=0, atol=1e-14)
    assert result.energy[-1] == pytest.approx(y[2], rel=1e-9)
    assert result.v_c[-1] == pytest.approx(y[0], abs=1e-9)
    assert (result.x is None) == isinstance(params.leak, Resistor)
    if result.x is not None:
        assert result.x[-1] == pytest.approx(y[1], abs=1e-10)


@pytest.mark.slow
def test_agrees_with_an_implicit_method():
    """Radau shares no coefficient with an explicit Runge-Kutta method."""
    pieces = square(1)
    (spikes, _) = oracle(PAPER, pieces, "ideal", "Radau")
    np.testing.assert_allclose(run(PAPER, pieces, h=0.25e-6).t_spike, spikes, rtol=0, atol=1e-11)


@pytest.mark.parametrize("t_ref", [0.0, 12.5e-6])
def test_interval_of_the_plain_neuron(t_ref):
    params = dataclasses.replace(RESISTOR, t_ref=t_ref)
    isi = np.diff(run(params, constant(1e-3, 5e-3), h=0.5e-6).t_spike)
    expected = t_ref + 1000.0 * 100e-9 * math.log(1.0 / (1.0 - 0.4))
    assert isi.size > 50
    np.testing.assert_allclose(isi, expected, rtol=1e-9)


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
@pytest.mark.parametrize("pieces", [constant(1e-3, 10e-3), square(10), sine(10e-3)])
def test_order_of_the_spike_times(pieces, variant):
    steps = np.array([4.0, 2.0, 1.0, 0.5, 0.25]) * 1e-6
    exact = run(PAPER, pieces, variant, h=0.05e-6, stride=1000)
    spikes = [run(PAPER, pieces, variant, h=h, stride=1000) for h in steps]
    assert {r.t_spike.size for r in spikes} == {exact.t_spike.size}
    error = [np.abs(r.t_spike - exact.t_spike).max() for r in spikes]
    assert np.polyfit(np.log(steps), np.log(error), 1)[0] == pytest.approx(4.0, abs=0.1)
    error = [abs(r.energy[-1] / exact.energy[-1] - 1.0) for r in spikes[:3]]
    assert np.polyfit(np.log(steps[:3]), np.log(error), 1)[0] > 3.5


@pytest.mark.parametrize("edge", [0.0, 10e-9])
def test_run_of_the_paper(edge):
    result = run(PAPER, square(50, edge=edge))
    per_pulse = np.histogram(result.t_spike, np.arange(51) * 1e-3)[0]
    assert result.t_spike.size == 223
    assert list(per_pulse[:5]) == [7] * 5
    assert per_pulse[-1] == 3
    assert result.x[-1] == pytest.approx(0.885, abs=5e-4)
    assert np.all(np.diff(result.time) > 0.0)
    assert result.time[-1] == pytest.approx(50e-3, abs=0.0)
    assert result.v_mem.max() == pytest.approx(0.4, abs=1e-14)


def test_rows_at_an_event():
    params = dataclasses.replace(PAPER, t_ref=20e-6)
    pieces = square(2)
    result = run(params, pieces)
    at = np.searchsorted(result.time, result.t_spike)
    np.testing.assert_array_equal(result.time[at], result.t_spike)
    np.testing.assert_array_equal(result.time[at + 1], np.nextafter(result.t_spike, np.inf))
    np.testing.assert_allclose(result.v_mem[at], 0.4, rtol=1e-14)
    np.testing.assert_array_equal(result.v_c[at + 1], 0.0)
    np.testing.assert_array_equal(result.x[at], result.x[at + 1])
    assert result.spike[at].all()
    held = (result.time > result.t_spike[0]) & (result.time <= result.t_spike[0] + 20e-6)
    assert result.spike[held].all()
    assert not result.v_c[held].any()
    assert np.unique(result.x[held]).size > 10
    assert set(pieces.t) <= set(result.time)
    v_mem = result.v_c / (1 + 500 * (result.x / 500 + (1 - result.x) / 1500))
    np.testing.assert_allclose(result.v_mem, v_mem, rtol=0, atol=1e-15)


def test_switch_is_closed_while_the_comparator_is_high():
    result = run(dataclasses.replace(PAPER, **DELAYED), square(2), "schmitt")
    rise = np.flatnonzero(np.diff(result.spike.astype(int)) == 1)
    fall = np.flatnonzero(np.diff(result.spike.astype(int)) == -1)
    np.testing.assert_array_equal(result.time[rise], result.t_spike)
    assert np.all(result.v_mem[rise] > 0.4)
    assert np.all(result.v_mem[fall] < 0.05)
    crossing = np.searchsorted(result.time, result.t_spike - 3.7e-6 - 1e-15)
    np.testing.assert_allclose(result.v_mem[crossing], 0.4, rtol=1e-12)


def test_stride_keeps_corners_events_and_spikes():
    pieces = square(5)
    every = run(PAPER, pieces)
    some = run(PAPER, pieces, stride=7)
    np.testing.assert_array_equal(every.t_spike, some.t_spike)
    assert set(pieces.t) | set(some.t_spike) <= set(some.time) < set(every.time)
    assert some.energy[-1] == every.energy[-1]


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_resuming_changes_no_bit(monkeypatch, variant):
    params = dataclasses.replace(PAPER, t_ref=11e-6, **DELAYED)
    pieces = dataclasses.replace(square(3), sines=np.array([[0.1e-3, 900.0, 0.2, 0.5e-3]]))
    whole = run(params, pieces, variant)
    monkeypatch.setattr(driver, "CHUNK_STEPS", 7)
    monkeypatch.setattr(driver, "MAX_FIRST_ROWS", 3)
    monkeypatch.setattr(driver, "FIRST_SPIKES", 1)
    seen = []
    parts = run(params, pieces, variant, progress=seen.append)
    for field in dataclasses.fields(whole):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(parts, field.name))
    assert seen == sorted(seen)
    assert (seen[-1], len(seen) > 100) == (1.0, True)


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_energy_against_quadrature(variant):
    """The trapezoidal rule, corrected by the slopes within smooth stretches."""
    params = dataclasses.replace(RESISTOR, r_ds_on=400.0)
    result = run(params, constant(1e-3, 2e-3), variant, h=0.1e-6)
    power = result.v_c * 1e-3
    dt = np.diff(result.time)
    slope = np.gradient(power, result.time, edge_order=2)
    smooth = dt > 1e-12
    total = np.sum(0.5 * dt * (power[1:] + power[:-1]))
    inner = smooth[1:-1] & smooth[2:] & smooth[:-2]
    total += (dt[1:-1] ** 2 / 12 * (slope[1:-2] - slope[2:-1]))[inner].sum()
    assert result.energy[-1] == pytest.approx(total, rel=2e-7)
    assert np.all(np.diff(result.energy) >= 0.0)


def test_never_fires():
    result = run(PAPER, square(5, i=0.3e-3))
    assert (result.t_spike.size, result.spike.sum(), result.time.size) == (0, 0, 5001)


def test_no_spike_is_lost_in_huge_steps():
    """Several spikes in every step of h = 2 C R; the interval is 0.13 C R."""
    params = dataclasses.replace(RESISTOR, v_th=0.12)
    exact = 100e-6 * math.log(1.0 / (1.0 - 0.12))
    result = run(params, constant(1e-3, 2e-3), h=200e-6)
    assert result.t_spike.size == pytest.approx(2e-3 / exact, rel=0.05)
    assert np.all(np.diff(result.time) > 0.0)
    assert result.n_steps > 100


@pytest.mark.parametrize("margin", [1e-3, 1e-5, 1e-7, -1e-7, -1e-5])
def test_grazing_peak(margin):
    """A sine that lifts v_mem over the threshold by a hair, for less than a step, or not at all."""
    (f, r, c) = (2000.0, 1000.0, 100e-9)
    pieces = constant(0.3e-3, 3e-3, (0.1e-3, f, -0.5 * math.pi, 0.0))
    peak = 0.3 + 0.1 / math.hypot(1.0, 2 * math.pi * f * r * c)
    params = dataclasses.replace(RESISTOR, v_th=peak * (1.0 - margin))
    result = run(params, pieces, h=5e-6)
    assert (result.t_spike.size > 0) == (margin > 0)


def test_delay_longer_than_the_discharge():
    """The switch stays closed long after v_c is 0, and closes long after the crossing."""
    params = dataclasses.replace(RESISTOR, delay_on=90e-6, delay_off=120e-6)
    result = run(params, square(4), "schmitt")
    (spikes, _) = oracle(params, square(4), "schmitt")
    np.testing.assert_allclose(result.t_spike, spikes, rtol=0, atol=1e-10)
    assert result.v_mem.max() > 0.6


def test_crossing_counts_when_the_delay_is_over():
    """The input is gone before the switch closes: v_mem is below v_low as the discharge starts."""
    params = dataclasses.replace(RESISTOR, delay_on=450e-6, delay_off=10e-6)
    pulse = StimulusPieces(np.array([0.0, 60e-6, 2e-3]), np.array([1e-3, 0.0]), np.zeros(2))
    result = run(params, pulse, "schmitt")
    crossing = 100e-6 * math.log(1.0 / 0.6)
    assert result.t_spike == pytest.approx([crossing + 450e-6], rel=1e-9)
    assert result.spike[-1] == 0
    high = result.time[result.spike > 0]
    assert high[-1] - high[0] == pytest.approx(10e-6, rel=1e-9)


def test_neuron_that_latches_stays_latched():
    params = dataclasses.replace(PAPER, v_low=-0.01)
    result = run(params, square(2), "schmitt")
    assert (result.t_spike.size, result.spike[-1]) == (1, 1)


def test_start_above_the_threshold_spikes_at_once():
    result = run(dataclasses.replace(PAPER, v_c_0=2.0), square(1))
    assert (result.t_spike[0], result.spike[0], result.v_c[1]) == (0.0, 1, 0.0)


@pytest.mark.parametrize("v_sum", [0.54, -0.1, 12.0, -12.0, 7.71, 7.70])
@pytest.mark.parametrize("v", [-100.0, -1.0, 0.0, 0.3, 1.0, 100.0])
def test_rate_of_the_memristor(v, v_sum):
    """The reduced algebra against two sigmoids, where exponentials overflow and beyond."""
    leak = Memristor(r_on=500.0, r_off=1500.0, v_on=0.27, v_off=v_sum - 0.27, tau=1.0)
    for x in (0.0, 0.37, 1.0):
        params = dataclasses.replace(PAPER, leak=leak, r_s=0.0, v_th=1e6, c=1.0, v_c_0=v, x_0=x)
        h = 1e-9
        result = run(params, constant(0.0, h), h=h)
        on = sigmoid((v - 0.27) / V_T)
        off = 1.0 - sigmoid((v + v_sum - 0.27) / V_T)
        # the rate shows as x(h) - x(0), to the rounding of x
        assert (result.x[-1] - x) / h == pytest.approx(on * (1 - x) - off * x, abs=3e-7)


def test_runs_that_cannot_go_on():
    with pytest.raises(IntegrationError, match=r"without end.*v_reset"):
        run(dataclasses.replace(PAPER, v_reset=3.0), square(1))
    with pytest.raises(IntegrationError, match=r"diverged.*smaller h"):
        run(dataclasses.replace(PAPER, v_th=1e9), constant(1e-3, 50.0), h=5e-3)


@pytest.mark.parametrize("h", [0.0, -1e-6, math.nan, math.inf, 1e-13])
def test_absurd_steps(h):
    with pytest.raises(IntegrationError, match="choose a"):
        run(PAPER, square(1), h=h)


@pytest.mark.parametrize(
    ("name", "value"),
    [("c", 0.0), ("r_s", -1.0), ("v_th", math.nan), ("v_low", 0.5), ("r_ds_on", 0.0),
     ("x_0", 1.1), ("delay_on", -1e-9)],
)  # fmt: skip
def test_senseless_parameters(name, value):
    with pytest.raises(IntegrationError):
        run(dataclasses.replace(PAPER, **{name: value}), square(1), "schmitt")


@pytest.mark.parametrize(
    "pieces",
    [
        StimulusPieces(np.array(t), np.array(i), np.zeros(len(i)), np.array(sines).reshape(-1, 4))
        for t, i, *sines in [
            ([0.0, 1e-3, 1e-3], [0.0, 0.0]),
            ([1e-4, 1e-3], [0.0]),
            ([0.0, 1e-3], [0.0, 0.0]),
            ([0.0, 1e-3], [np.inf]),
            ([0.0, 1e-3], [0.0], (math.nan, 1.0, 0.0, 0.0)),
        ]
    ],
)
def test_senseless_stimulus(pieces):
    with pytest.raises(IntegrationError):
        run(PAPER, pieces)


def test_senseless_options():
    for options in ({"variant": "euler"}, {"stride": 0}):
        with pytest.raises(IntegrationError):
            run(PAPER, square(1), **options)


def test_driver_does_not_import_numba():
    code = "import sys, spicealif.reference.driver; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
