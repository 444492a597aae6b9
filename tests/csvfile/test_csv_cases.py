"""Inputs that a release read wrong (`../shared/cases`): each right value of its EXPECT.txt."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spicealif.design import load_toml
from spicealif.errors import DesignError, FitError
from spicealif.fit import Loop, read_loop

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the inputs are not beside the project (../shared/cases)"
)

V_T = 1.380649e-23 * 298.5 / 1.602176634e-19


def true_loop(tau: float, frequency: float, n: int, r_s: float = 5000) -> dict[str, np.ndarray]:
    """Solve the device of the cases with SciPy."""
    omega = 2 * math.pi * frequency

    def at(t, x):
        u = 0.8 * math.sin(omega * t)
        g = x / 600 + (1 - x) / 9000
        v = u / (1 + r_s * g)
        return u, v, g * v

    def rate(t, y):
        (x,) = y
        v = at(t, x)[1]
        on = 1 / (1 + math.exp(-(v - 0.25) / V_T))
        off = 1 - 1 / (1 + math.exp(-(v + 0.15) / V_T))
        return [(on * (1 - x) - off * x) / tau]

    times = 5 / frequency + np.arange(n) / (n * frequency)
    done = solve_ivp(
        rate, (0, 6 / frequency), [0.0], method="LSODA", t_eval=times, rtol=1e-10, atol=1e-12,
        max_step=1 / (200 * frequency),
    )  # fmt: skip
    rows = np.array([at(t, x) for t, x in zip(done.t, done.y[0], strict=True)])
    return {"v_in": rows[:, 0], "v_mem": rows[:, 1], "i": rows[:, 2]}


def assert_true(loop: Loop, tau: float, frequency: float, digits: float, r_s: float = 5000) -> None:
    truth = true_loop(tau, frequency, len(loop.time), r_s)
    assert loop.frequency == pytest.approx(frequency, rel=1e-9)
    np.testing.assert_allclose(
        loop.time, np.arange(len(loop.time)) / (len(loop.time) * frequency), atol=1e-9 / frequency
    )
    for name, values in truth.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(getattr(loop, name), values, atol=digits * scale, err_msg=name)


def test_02_the_loop_behind_4_7_kilohm() -> None:
    loop = read_loop(CASES / "02_decimal_comma" / "loop.csv", series_resistor="4.7k")
    assert_true(loop, 2e-4, 100, 1e-3, r_s=4700)


@pytest.mark.parametrize("columns", [{}, {"time": "Time [s]"}, {"time": "Time(S)"}, {"time": "1"}])
def test_03_capital_s_is_seconds(columns: dict[str, str]) -> None:
    loop = read_loop(
        CASES / "03_remedy_says_ms" / "scope.csv", series_resistor="5k", columns=columns
    )
    assert_true(loop, 2e-4, 100, 1e-3)


def test_03_no_remedy_changes_the_scale() -> None:
    path = CASES / "03_remedy_says_ms" / "scope.csv"
    with pytest.raises(FitError, match="headed in S and asked for in ms") as error:
        read_loop(path, series_resistor="5k", columns={"time": "Time [ms]"})
    assert "leave the unit out" in str(error.value)


@pytest.mark.parametrize(
    "columns", [{}, {"time": "1 [ms]", "v_mem": "2 [mV]", "i": "3 [uA]"}, {"v_mem": "v_mem_mV"}]
)
def test_04_quoted_decimal_commas(columns: dict[str, str]) -> None:
    loop = read_loop(CASES / "04_quoted_csv" / "numbers.csv", series_resistor="5k", columns=columns)
    assert loop.time[1] == 0.015625
    assert (loop.v_mem[1], loop.i[1]) == (pytest.approx(302e-6), pytest.approx(325e-9))
    assert loop.v_in[1] == pytest.approx(302e-6 + 5000 * 325e-9)
    assert loop.frequency == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("columns", [{}, {"v_in": "2", "v_mem": "3"}])
def test_04_commas_in_quoted_headings(columns: dict[str, str]) -> None:
    path = CASES / "04_quoted_csv" / "headings.csv"
    loop = read_loop(path, series_resistor="5k", columns=columns)
    assert_true(loop, 2e-4, 100, 1e-3)
    assert any("time from 'Time (s)'" in note for note in loop.notes)


def test_05_stimulus_in_microseconds() -> None:
    from spicealif.reference import solve_reference

    neuron = load_toml(CASES / "05_stimulus_csv" / "us.toml")
    assert (neuron.stimulus.t, neuron.stimulus.i) == ((0, 1e-5, 2e-3), (0, 5e-4, 5e-4))
    assert len(solve_reference(neuron).t_spike) == 17


def test_05_a_first_point_with_a_prefix_is_not_a_heading() -> None:
    stimulus = load_toml(CASES / "05_stimulus_csv" / "prefix.toml").stimulus
    assert (stimulus.t[0], stimulus.i[0]) == (0, 0.5e-3)


def test_05_an_index_is_no_time() -> None:
    stimulus = load_toml(CASES / "05_stimulus_csv" / "index.toml").stimulus
    assert (stimulus.t, stimulus.i) == ((0, 1e-3, 2e-3), (0, 0.5e-3, 0.5e-3))


@pytest.mark.slow
def test_08_reading_takes_time_in_proportion() -> None:
    from spicealif.csvfile import read_table

    def took(n: int) -> float:
        t = np.arange(n) / n * 0.02
        u = 0.8 * np.sin(2 * np.pi * 100 * t)
        rows = "".join(f"{a:.9e},{b:.9e},{0.3 * b:.9e}\n" for a, b in zip(t, u, strict=True))
        data = ("t_s,v_in_V,v_mem_V\n" + rows).encode()
        begin = time.process_time()
        table = read_table(data, "'l.csv'")
        end = time.process_time()
        np.testing.assert_allclose(table.columns[1].values, u, rtol=1e-9, atol=1e-15)
        return end - begin

    short, long = took(20_000), took(100_000)
    assert short < 1  # as EXPECT.txt says
    assert long < 10 * short + 0.5


KEYSIGHT = CASES / "10_number_or_heading" / "keysight.csv"


@pytest.mark.parametrize(
    "columns",
    [
        {"v_in": "1", "v_mem": "2"},
        {"time": "x-axis", "v_in": "1 [V]", "v_mem": "2 [V]"},
        {"v_in": "#2", "v_mem": "#3"},
        {"time": "#1", "v_in": "#2 [V]", "v_mem": "2"},
    ],
)
def test_10_a_heading_that_is_a_number(columns: dict[str, str]) -> None:
    assert_true(read_loop(KEYSIGHT, series_resistor="5k", columns=columns), 2e-4, 100, 1e-3)


def test_10_one_column_is_not_two_quantities() -> None:
    with pytest.raises(FitError, match=r"Column 3 \('2'\) .* asked for as v_in and as v_mem; "):
        read_loop(KEYSIGHT, series_resistor="5k", columns={"v_in": "2", "v_mem": "3"})


@pytest.mark.parametrize("columns", [{}, {"time": "2", "v_mem": "3", "i": "4"}])
def test_16_a_number_in_brackets_is_an_index(columns: dict[str, str]) -> None:
    path = CASES / "16_bracketed_index" / "tsp.csv"
    loop = read_loop(path, series_resistor="0", columns=columns, frequency=100)
    truth = true_loop(2e-4, 100, len(loop.time))
    np.testing.assert_allclose(loop.v_mem, truth["v_mem"], atol=1e-3 * 0.5)
    np.testing.assert_allclose(loop.i, truth["i"], atol=1e-3 * 1.6e-4)
    assert loop.time[1] == 1.5625e-4


def test_17_the_two_files_are_read_as_they_are() -> None:
    """What is unlikely of them is said elsewhere; the reader does not exchange or scale."""
    folder = CASES / "17_misleading_sentences"
    for name, column in (("swapped.csv", 1), ("milli.csv", 1)):
        table = np.loadtxt(folder / name, delimiter=",", skiprows=1)
        try:
            loop = read_loop(folder / name, series_resistor="5k")
        except FitError as error:
            assert name in str(error)
            continue
        np.testing.assert_array_equal(loop.v_in, table[:, column])


def test_a_voltage_beside_a_known_one_is_asked_about(tmp_path: Path) -> None:
    measured = CASES.parent / "measured" / "w_sdc" / "5k_0.8V_1000Hz_M1.csv"
    text = measured.read_text().replace("v_total_V", "Voltage", 1)
    path = tmp_path / "V.csv"
    path.write_text(text)
    with pytest.raises(FitError, match="'Voltage' may be the voltage of the source"):
        read_loop(path)
    loop = read_loop(path, columns={"v_in": "Voltage"})
    assert loop.r_s == pytest.approx(5000, rel=1e-6)
    left = read_loop(path, columns={"v_mem": "v_memristor_V"}, series_resistor="5k")
    assert any("not used: 'Voltage'" in note for note in left.notes)


def test_a_stimulus_with_columns_in_toml(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n0;0\n10;0,5\n2000;0,5\n")
    (tmp_path / "n.toml").write_text(
        'preset = "lif"\nt_stop = "2m"\n[stimulus]\nfile = "a.csv"\n'
        'columns = {time = "1 [us]", i = "b [mA]"}\n'
    )
    stimulus = load_toml(tmp_path / "n.toml").stimulus
    assert (stimulus.t, stimulus.i) == ((0, 1e-5, 2e-3), (0, 5e-4, 5e-4))
    bad = (tmp_path / "n.toml").read_text().replace("columns = {", "columns = 3 #{")
    (tmp_path / "n.toml").write_text(bad)
    with pytest.raises(DesignError, match=r"stimulus\.columns is no table; "):
        load_toml(tmp_path / "n.toml")
