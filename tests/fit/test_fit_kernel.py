"""The series circuit's kernel against SciPy's solvers, for every model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from spicealif.design.devices import MODELS, Memristor
from spicealif.reference.device import compiled_device
from spicealif.reference.series.kernel import simulate, steady_state

V_T = 298.5 * 1.380649e-23 / 1.602176634e-19
PERIOD, AMPLITUDE = 1e-3, 0.8


def drive(n):
    t = np.linspace(0, PERIOD, 2 * n + 1)
    return AMPLITUDE * np.sin(2 * np.pi * t / PERIOD + 0.3), np.full(n, PERIOD / n)


def run(device, n, r, x_0, built_in=False):
    u, h = drive(n)
    v, i, x = np.empty((3, n + 1))
    q = np.array(Memristor(**Memristor.example).numbers(V_T))
    if built_in:
        q = np.array(device.numbers(V_T))
    simulate(u, h, r, x_0, q, None if built_in else compiled_device(device, V_T), v, i, x)
    return v, i, x


def oracle(device, n, r, x_0):
    """Solve the same circuit with SciPy's own root finder and integrator."""
    q = device.numbers(V_T)
    out = [0.0, 0.0, 0.0]

    def voltage(u, x):
        def gap(v):
            device.current(v, x, q, out)
            return v + r * out[0] - u

        return u if r == 0 or u == 0 else brentq(gap, min(u, 0), max(u, 0), xtol=1e-15)

    def rate(t, y):
        u = AMPLITUDE * np.sin(2 * np.pi * t / PERIOD + 0.3)
        return [device.rate(voltage(u, y[0]), y[0], q)]

    times = np.linspace(0, PERIOD, n + 1)
    solved = solve_ivp(
        rate, (0, PERIOD), [x_0], "LSODA", times, rtol=1e-9, atol=1e-11, max_step=PERIOD / 200
    )
    return solved.y[0]


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("r", [0.0, 700.0])
def test_states_are_those_of_scipy(kind, r):
    device = MODELS[kind](**MODELS[kind].example)
    v, i, x = run(device, 2000, r, 0.2)
    expected = oracle(device, 50, r, 0.2)
    assert x[::40] == pytest.approx(expected, abs=2e-7)
    assert np.ptp(x) > 0.05
    u, _ = drive(2000)
    assert v + r * i == pytest.approx(u[::2], rel=1e-12, abs=1e-15)


def test_built_in_mms_is_that_of_the_function_pointers():
    device = Memristor(r_on=300, r_off=9e3, v_on=0.25, v_off=-0.1, tau=5e-5)
    for a, b in zip(
        run(device, 500, 1e3, 0.4), run(device, 500, 1e3, 0.4, built_in=True), strict=True
    ):
        assert a == pytest.approx(b, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("v_on, v_off", [(60.0, 60.0), (-60.0, -60.0), (0.3, 60.0), (60.0, -60.0)])
def test_voltages_beyond_the_range_of_exponentials(v_on, v_off):
    device = Memristor(r_on=300, r_off=9e3, v_on=v_on, v_off=v_off, tau=5e-4)
    one, other = run(device, 200, 1e3, 0.4), run(device, 200, 1e3, 0.4, built_in=True)
    assert np.all(np.isfinite(other))
    assert one[2] == pytest.approx(other[2], rel=1e-11, abs=1e-13)


def test_error_falls_with_the_fourth_power_of_the_step():
    device = Memristor(r_on=300, r_off=9e3, v_on=0.25, v_off=0.2, tau=1e-4)
    exact = run(device, 6400, 1e3, 0.4, built_in=True)[2][-1]
    errors = [abs(run(device, n, 1e3, 0.4, built_in=True)[2][-1] - exact) for n in (100, 200, 400)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.5)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize("tau", [1e-6, 1e-4, 1e-1, 10.0])
@pytest.mark.parametrize("guess", [0.0, 0.5, 1.0])
def test_steady_state_is_the_one_that_many_periods_lead_to(tau, guess):
    device = Memristor(r_on=300, r_off=9e3, v_on=0.25, v_off=0.2, tau=tau)
    n = 8000 if tau == 1e-6 else 400
    u, h = drive(n)
    v, i, x = np.empty((3, n + 1))
    q = np.array(device.numbers(V_T))
    periods = steady_state(u, h, 1e3, guess, q, None, 1e-12, v, i, x)
    assert periods <= 16
    start = x[0]
    # one more period, and many, from either side
    assert simulate(u, h, 1e3, start, q, None, v, i, x) == pytest.approx(start, abs=1e-11)
    if tau <= 1e-4:
        for state in (0.0, 1.0):
            after = state
            for _ in range(40):
                after = simulate(u, h, 1e3, after, q, None, v, i, x)
            assert after == pytest.approx(start, abs=1e-10)
    else:  # too slow to wait for: the map brings states on either side nearer
        assert simulate(u, h, 1e3, start - 0.01, q, None, v, i, x) > start - 0.01
        assert simulate(u, h, 1e3, start + 0.01, q, None, v, i, x) < start + 0.01


def test_a_state_that_a_drive_does_not_move_stays_where_it_was_guessed():
    device = MODELS["vteam"](**{**MODELS["vteam"].example, "v_on": 1.0, "v_off": 1.0})
    u, h = drive(50)
    v, i, x = np.empty((3, 51))
    q = np.array(Memristor(**Memristor.example).numbers(V_T))
    assert steady_state(u, h, 1e3, 0.3, q, compiled_device(device, V_T), 1e-9, v, i, x) == 1
    assert np.all(x == 0.3)
