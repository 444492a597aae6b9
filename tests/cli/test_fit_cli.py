"""``spicealif fit`` on several files, and where it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spicealif.design import Memristor, SeriesCircuit, Sine, load_device, load_preset
from spicealif.reference.series.solve import solve_series

PROGRAM = Path(sys.executable).with_name("spicealif")
DEVICE = Memristor(r_on=3400, r_off=29000, v_on=0.32, v_off=0.15, tau=4e-5)
NOISE = 0.003


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with two loops of devices that differ in tau; the current is in microampere."""
    folder = tmp_path_factory.mktemp("fit")
    rng = np.random.default_rng(0)
    for name, tau in (("slow.csv", 8e-5), ("fast loop.csv", 4e-5)):
        circuit = SeriesCircuit(
            device=DEVICE.replace(tau=tau),
            r_s=5000,
            drive=Sine(amplitude=0.8, frequency=1e3),
            t_stop=5e-3,
        )
        trace = solve_series(circuit)
        t = np.arange(150) / 150e3
        v_mem, v_in, i = (
            np.interp(4e-3 + t, trace.time, trace[n]) for n in ("v_mem", "v_in", "i_mem")
        )
        v_mem = v_mem + NOISE * 0.8 * rng.standard_normal(len(t))
        i = i + NOISE * np.abs(i).max() * rng.standard_normal(len(t))
        rows = np.column_stack([t, v_mem, v_in, i * 1e6])
        head = "time_s,v_mem_V,v_in_V,I1"
        np.savetxt(folder / name, rows, delimiter=",", header=head, comments="")
    return folder


def fit(home, *arguments):
    return subprocess.run(
        [PROGRAM, "fit", *arguments],
        cwd=home, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module", params=[pytest.param("fitted", marks=pytest.mark.slow)])
def several(home):
    """Both files, with about every option there is."""
    out = fit(
        home, "slow.csv", "fast loop.csv", "--per-file", "tau", "--series-resistor", "5k",
        "--column", "i=I1 [uA]", "--temperature", "298.5", "--frequency", "1k", "--periodic",
        "--bound", "tau=1u:1m", "--bound", "r_on=1k:10kohm", "--hold", "v_off=150m",
        "--seed", "2", "--level", "0.9", "-o", "new folder/device.toml", "--result", "out/fit.json",
        "--figures", "out/figures",
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert out.stderr == ""
    return home, out.stdout


@pytest.mark.slow
def test_each_file_has_its_own_parameter_and_shares_the_others(several):
    data = json.loads((several[0] / "out" / "fit.json").read_text())
    found = {name: entry["value"] for name, entry in data["parameters"].items()}
    assert found["tau[0]"] == pytest.approx(8e-5, rel=0.05)
    assert found["tau[1]"] == pytest.approx(4e-5, rel=0.05)
    assert found["r_on"] == pytest.approx(3400, rel=0.02)
    assert found["v_on"] == pytest.approx(0.32, abs=0.01)
    assert data["held"] == {"v_off": 0.15}


@pytest.mark.slow
def test_options_reach_the_fit(several):
    data = json.loads((several[0] / "out" / "fit.json").read_text())
    assert data["parameters"]["tau[1]"]["bounds"] == [1e-6, 1e-3]
    assert data["parameters"]["r_on"]["bounds"] == [1e3, 1e4]
    assert (data["seed"], data["level"], data["temperature"]) == (2, 0.9, 298.5)
    assert data["series_resistor"] == 5000
    assert [loop["file"] for loop in data["loops"]] == ["slow.csv", "fast loop.csv"]
    assert "90% interval" in several[1]


def test_what_was_written_is_listed_and_there(several):
    home, out = several
    listed = [line.removeprefix("Wrote ") for line in out.splitlines() if line.startswith("Wrote")]
    assert [Path(path).name for path in listed] == [
        "device.toml", "fit.json", "loops.png", "traces.png", "residuals.png", "correlations.png",
    ]  # fmt: skip
    assert all((home / path).stat().st_size > 0 for path in listed)


def test_a_neuron_takes_the_first_files_device_as_the_hint_says(several):
    home, out = several
    path = home / "new folder" / "device.toml"
    hint = out.splitlines()[-1].split("spicealif ", 1)[1]
    change = Path("new folder", "device.toml")
    assert hint == f'run paper -s "leak.file={change}"'
    device = load_device(path).device
    assert device.tau == pytest.approx(8e-5, rel=0.05)
    netlist = subprocess.run(
        [PROGRAM, "netlist", "paper", "-s", f"leak.file={change}"],
        cwd=home, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert netlist.returncode == 0, netlist.stderr
    neuron = load_preset("paper").replace({"leak.file": str(path)})
    assert neuron.leak == device


@pytest.mark.slow
def test_quiet_prints_the_table_alone(home):
    out = fit(home, "slow.csv", "--column", "i=I1 [uA]", "-q", "-o", "quiet.toml")
    assert out.returncode == 0, out.stderr
    assert "r_on" in out.stdout
    assert "Wrote" not in out.stdout
    assert "leak.file" not in out.stdout
    assert out.stderr == ""
    preset = load_device(home / "quiet.toml")
    assert preset.name == "slow_mms"
    # found from the columns, whose noise it must not carry into a fourth digit
    assert preset.fit.series_resistor == pytest.approx(5000, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--hold", "tau=1u", "--hold", "tau=2u"], 2, "--hold names tau twice"),
        (["--bound", "tau=1u:1m", "--bound", "tau=1u:2m"], 2, "--bound names tau twice"),
        (["--column", "i=I1", "--column", "i=4"], 2, "--column names i twice"),
        (["--bound", "tau=1m:1u"], 1, "not a range"),
        (["--per-file", "zeta"], 1, "no parameter 'zeta'"),
        (["--level", "95"], 1, "between 0 and 1"),
        (["--series-resistor", "-5k"], 1, "negative"),
        (["-o", "slow.csv/device.toml"], 1, "cannot be written"),
        (["--result", "slow.csv/fit.json"], 1, "cannot be written"),
        (["--figures", "slow.csv"], 1, "cannot be written"),
    ],
)
def test_bad_options_are_said_before_the_fit_and_leave_no_folder(home, options, code, words):
    before = sorted(home.iterdir())
    out = fit(
        home, "slow.csv", *options,
        *([] if "--series-resistor" in options else ["--series-resistor", "5k"]),
        *([] if "--result" in options else ["--result", "unused/fit.json"]),
    )  # fmt: skip
    assert out.returncode == code
    assert words in out.stderr
    assert out.stdout == ""
    assert "Traceback" not in out.stderr
    assert sorted(home.iterdir()) == before
