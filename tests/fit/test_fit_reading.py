"""Measured loops from files of many kinds, and the command that fits them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spicealif.design import load_device, load_preset
from spicealif.errors import FitError
from spicealif.fit import Loop, read_loop
from spicealif.fit.reading import find_period

MEASURED = Path(__file__).parents[3] / "shared" / "measured"
PROGRAM = str(Path(sys.executable).with_name("spicealif"))
N, F, R = 100, 50.0, 1000.0
T = np.arange(N) / (N * F)
V_IN = 0.8 * np.sin(2 * np.pi * F * T + 0.4)
V = 0.6 * V_IN
I = (V_IN - V) / R  # noqa: E741 - the current


def written(path, head, columns, delimiter=",", decimal=".", before="", encoding="utf-8"):
    rows = (delimiter.join(repr(float(y)) for y in row) for row in zip(*columns, strict=True))
    text = before + head + "\n" + "\n".join(rows).replace(".", decimal) + "\n"
    path.write_bytes(text.encode(encoding))
    return path


def check(loop, rtol=1e-12):
    for name, values in (("time", T), ("v_mem", V), ("i", I), ("v_in", V_IN)):
        np.testing.assert_allclose(getattr(loop, name), values, rtol=rtol, atol=1e-15)
    assert loop.r_s == pytest.approx(R)
    assert loop.frequency == pytest.approx(F, rel=1e-9)


@pytest.mark.parametrize(
    ("head", "columns", "options"),
    [
        ("time_s,v_memristor_V,v_total_V,i_A", (T, V, V_IN, I), {}),
        ("t [ms],Vm (mV),Vin [V],I_uA", (T * 1e3, V * 1e3, V_IN, I * 1e6), {}),
        ("Time(s);V_device(V);Current(\u00b5A)", (T, V, I * 1e6), {"delimiter": ";"}),
        ("time_s\tv_mem_V\tv_in_V", (T, V, V_IN), {"delimiter": "\t"}),
        ("time_s;v_in_V;i_mA", (T, V_IN, I * 1e3), {"delimiter": ";", "decimal": ","}),
        ("time_s,v_mem_V,i_A", (T, V, I), {"before": "# made by hand\n"}),
        ("time_s,v_mem_V,i_A", (T, V, I), {"before": "Model,SDS1104\nChannels,2\n\n"}),
        ("t [ms],Vm (mV),I [\u00b5A]", (T * 1e3, V * 1e3, I * 1e6), {"encoding": "latin-1"}),
        ("time_s,v_mem_V,i_A", (T, V, I), {"encoding": "utf-16"}),
        ("time_s,v_mem_V,i_A", (T, V, I), {"encoding": "utf-8-sig"}),
    ],
)
def test_tables_of_many_kinds(tmp_path, head, columns, options):
    path = written(tmp_path / "loop.csv", head, columns, **options)
    check(read_loop(path, series_resistor="1k"))


@pytest.mark.parametrize("name", ["I(V1)", "I(R1)", "I_x (mA)"])
def test_a_current_of_an_unknown_part_is_asked_about_with_both_signs(tmp_path, name):
    path = written(tmp_path / "trace.csv", f"time,V(mem),{name}", (T, V, I))
    with pytest.raises(FitError, match="may be the memristor's current") as error:
        read_loop(path)
    assert f"--column 'i={name}'" in str(error.value)
    assert f"--column 'i=-{name}'" in str(error.value)
    np.testing.assert_allclose(
        read_loop(path, columns={"i": "-#3 [A]" if "mA" not in name else "-#3"}).i,
        -I if "mA" not in name else -I * 1e-3,
    )


def test_columns_may_be_named_turned_and_given_a_unit(tmp_path):
    path = written(tmp_path / "scope.csv", "x,CH1,CH2,CH3", (T, -V, V_IN * 1e3, I))
    columns = {"time": "x", "v_mem": "-CH1", "v_in": "3 [mV]"}
    check(read_loop(path, series_resistor=1000, columns=columns))


def test_time_may_be_left_out_if_the_frequency_is_given(tmp_path):
    path = written(tmp_path / "loop.csv", "v_mem_V,v_in_V", (V, V_IN))
    loop = read_loop(path, series_resistor=R, frequency="50")
    check(loop)
    assert any("one period" in note for note in loop.notes)
    with pytest.raises(FitError, match="no time column"):
        read_loop(path, series_resistor=R)


def test_resistor_is_found_or_contradicted(tmp_path):
    path = written(tmp_path / "a.csv", "time_s,v_mem_V,v_in_V,i_A", (T, V, V_IN, I))
    check(read_loop(path))
    with pytest.raises(FitError, match="1000 ohm where the series resistor is said to be 5000"):
        read_loop(path, series_resistor="5k")


def test_rows_without_numbers_are_left_out(tmp_path):
    path = written(tmp_path / "a.csv", "time_s,v_mem_V,i_A", (T, V, I))
    lines = path.read_text().splitlines()
    lines[10] = lines[10].rsplit(",", 1)[0] + ",NaN"
    path.write_text("\n".join(lines))
    loop = read_loop(path, series_resistor=R, frequency=F)
    assert len(loop.time) == N - 1
    assert any("left out" in note for note in loop.notes)


@pytest.mark.slow
@pytest.mark.parametrize("periods", [1, 1.37, 2, 3.5, 5])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_period_is_found(periods, noise):
    rng = np.random.default_rng(0)
    t = np.arange(400) / 400 * periods
    drive = np.sin(2 * np.pi * t + 1) + noise * rng.standard_normal(400)
    found = find_period(t, drive)
    # a record of whole periods is cut there exactly; else the noise limits it
    assert found == pytest.approx(1, rel=1e-9 if periods in (1, 2, 5) else 2e-3)


@pytest.mark.parametrize("n", [101, 201, 401])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_last_sample_that_repeats_the_first_is_no_longer_period(n, noise):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, n)
    drive = np.sin(2 * np.pi * t + 1) + noise * rng.standard_normal(n)
    assert find_period(t, drive) == pytest.approx(1, rel=1e-9)


def test_a_pulse_is_a_single_shot(tmp_path):
    pulse = np.where((0.3 * T[-1] < T) & (0.5 * T[-1] > T), 0.8, 0.0)
    path = written(tmp_path / "a.csv", "time_s,v_mem_V,v_in_V", (T, 0.6 * pulse, pulse))
    assert read_loop(path, series_resistor=R).period is None
    with pytest.raises(FitError, match="give its frequency"):
        read_loop(path, series_resistor=R, periodic=True)


def test_measured_files_need_no_help():
    if not MEASURED.exists():
        pytest.skip("the measured loops are not beside the project (../shared/measured)")
    with (MEASURED / "index.csv").open() as file:
        for row in csv.DictReader(file):
            loop = read_loop(MEASURED / row["file"])
            assert loop.frequency == pytest.approx(float(row["frequency_Hz"]), rel=1e-6)
            assert loop.r_s == pytest.approx(float(row["series_resistor_ohm"]), rel=1e-6)
            assert len(loop.time) == int(row["points"])
            assert len(loop.notes) == 3  # columns, resistor and period; no unit assumed
            assert loop.v_peak == pytest.approx(float(row["amplitude_V"]), rel=0.01)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "empty"),
        ("hello\nworld\n", {}, "no table"),
        ("\0\1\2", {}, "not a text file"),
        ("a,b\n1,2\n2,3\n", {}, "headings"),
        ("time_s,v_mem_V,i_A\n0,1,1\n1,2,2\n", {}, "at least 16"),
        ("time_s,v_mem_V\n" + "0,1\n" * 20, {}, "two are needed"),
        ("time_s,v_mem_V,i_A\n" + "0,1,2\n" * 20, {"series_resistor": "5"}, "does not rise"),
        ("time_s,v_mem_V,i_A\n0,1,2\n1,2,2\n2,x,2\n3,1,2\n", {}, "where a number is expected"),
        ("time_s,v_mem_V,i_A\n0,1,2\n1,2,3\n", {"series_resistor": "much"}, "series resistor"),
        ("time_s,v_mem_V,i_A\n0,1,2\n1,2,3\n", {"frequency": -1}, "frequency"),
        ("time_s,v_mem_V,i_A\n0,1,2\n1,2,3\n", {"columns": {"i": "nope"}}, "no column"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, text, options, words):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(FitError, match=words) as error:
        read_loop(path, **options)
    assert "\n" not in str(error.value)


def test_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(FitError, match="cannot be read"):
        read_loop(tmp_path / "nothing.csv")
    with pytest.raises(FitError, match="cannot be read"):
        read_loop(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"v_mem": V[:-1]}, "shape"),
        ({"i": np.full(N, np.nan)}, "finite"),
        ({"time": T[::-1]}, "rise"),
        ({"i": np.zeros(N)}, "same everywhere"),
        ({"r_s": -1.0}, "r_s"),
        ({"period": 0.0}, "period"),
    ],
)
def test_loops_of_arrays_are_checked(change, words):
    good = {"time": T, "v_mem": V, "i": I, "v_in": V_IN, "r_s": R, "period": 1 / F}
    Loop(**good)
    with pytest.raises(FitError, match=words):
        Loop(**(good | change))


# --- the command --------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[pytest.param("fitted", marks=pytest.mark.slow)])
def folder(tmp_path_factory):
    """A folder with a loop of a known device, fitted by the command."""
    from spicealif.design import Memristor, SeriesCircuit, Sine
    from spicealif.reference.series.solve import solve_series

    device = Memristor(r_on=3400, r_off=29000, v_on=0.32, v_off=0.15, tau=4e-5)
    circuit = SeriesCircuit(
        device=device, r_s=5000, drive=Sine(amplitude=0.8, frequency=1e3), t_stop=5e-3
    )
    trace = solve_series(circuit)
    t = np.arange(200) * 5e-6
    at = {n: np.interp(4e-3 + t, trace.time, trace[n]) for n in ("v_mem", "v_in", "i_mem")}
    home = tmp_path_factory.mktemp("fit")
    written(home / "loop.csv", "time_s,v_mem_V,v_in_V,i_A", (t, *at.values()))
    out = subprocess.run(
        [PROGRAM, "fit", "loop.csv", "--series-resistor", "5k", "--model", "mms", "-o",
         "device.toml", "--result", "fit.json", "--figures", "figures", "--hold", "v_off=150m",
         "--bound", "tau=1u:1m"],
        cwd=home, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    (home / "stdout").write_text(out.stdout)
    return home


@pytest.mark.slow
def test_the_table_names_values_units_and_what_was_held(folder):
    out = (folder / "stdout").read_text()
    assert "3.4 kohm" in out or "3.399 kohm" in out or "3.401 kohm" in out
    assert "150 mV" in out
    assert "held" in out
    assert "loss NMSE(v) + NMSE(i)" in out
    assert "leak.file=device.toml" in out


def test_a_neuron_takes_the_device(folder):
    preset = load_device(folder / "device.toml")
    assert preset.device.r_on == pytest.approx(3400, rel=0.01)
    assert preset.fit.held == {"v_off": 0.15}
    assert preset.fit.loops[0].file == "loop.csv"
    low, high = preset.fit.intervals["tau"]
    assert low < preset.device.tau < high
    neuron = load_preset("paper").replace({"leak.file": str(folder / "device.toml")})
    assert neuron.leak == preset.device


def test_json_and_figures_are_written(folder):
    data = json.loads((folder / "fit.json").read_text())
    assert data["parameters"]["tau"]["bounds"] == [1e-6, 1e-3]
    assert data["parameters"]["tau"]["unit"] == "s"
    assert data["model"] == "mms"
    assert {p.name for p in (folder / "figures").iterdir()} == {
        "loops.png", "traces.png", "residuals.png", "correlations.png",
    }  # fmt: skip
    assert all(p.read_bytes()[:4] == b"\x89PNG" for p in (folder / "figures").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "foo"], "choose one of mms"),
        (["--hold", "tau"], "NAME=VALUE"),
        (["--bound", "tau=1u"], "NAME=LOW:HIGH"),
        (["--hold", "tau=5k ohm"], "tau"),
        (["--hold", "zeta=1"], "no parameter"),
        (["--temperature", "cold"], "--temperature"),
    ],
)
def test_bad_options_are_one_sentence(folder, options, words):
    out = subprocess.run(
        [PROGRAM, "fit", "loop.csv", *options],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert out.returncode != 0
    assert words in out.stderr
    assert "Traceback" not in out.stderr
