"""``spicealif sweep`` and ``spicealif store``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from spicealif.cli._values import read_values
from spicealif.cli.main import cli
from spicealif.errors import SpicealifError, SweepError
from spicealif.sweep import Range

SHORT = ("-s", "t_stop=1m", "--sides", "reference", "--workers", "1", "--store", "kept")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    if isinstance(done.exception, SpicealifError):
        return 1, done.stdout, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    # Of click's Exit the code is returned.
    return done.exit_code or done.return_value or 0, done.stdout, done.stderr


def test_a_grid_is_written_and_kept():
    words = ("sweep", "lif", *SHORT, "--over", "leak.r=1k:2k:3", "--over", "c=47n,100n")
    code, out, err = run(*words, "-o", "out/a.nc")
    assert (code, err) == (0, "")
    assert "6 points. Wrote out/a.nc." in out
    first = xr.load_dataset("out/a.nc", engine="h5netcdf")
    assert dict(first.sizes)["leak.r"] == 3
    np.testing.assert_allclose(first["leak.r"], [1000, 1500, 2000])
    np.testing.assert_allclose(first["c"], [47e-9, 100e-9])
    assert first["c"].attrs["units"] == "F"
    assert (first["status"] == "OK").all()
    assert first["spike_count"].shape == (1, 3, 2)
    # Again: nothing is computed, and the file is the same.
    listed = run("store", "--store", "kept")[1]
    assert run(*words, "-o", "b.nc")[0] == 0
    assert xr.load_dataset("b.nc", engine="h5netcdf").identical(first)
    assert run("store", "--store", "kept")[1] == listed
    assert "kept: 6 results (0 of failed points)" in listed
    assert not [p for p in Path("out").iterdir() if p.name.startswith(".")]


@pytest.mark.slow
def test_refused_designs_are_told():
    words = ("sweep", "paper", *SHORT, "--over", "v_low=-1,0.05", "-o", "a.nc")
    code, out, err = run(*words)
    assert code == 0
    assert "2 points, 1 of them failed (1 INVALID)" in out
    assert "v_low = -1 V is not above 0" in err
    assert list(xr.load_dataset("a.nc", engine="h5netcdf")["status"].values) == ["INVALID", "OK"]
    assert "2 results (1 of failed points)" in run("store", "--store", "kept")[1]
    assert run("store", "prune", "--failed", "--store", "kept")[1] == "kept: 1 result left out.\n"
    assert "1 result (0 of failed points)" in run("store", "check", "--store", "kept")[1]


@pytest.mark.slow
def test_a_sweep_without_a_value_is_no_success():
    code, out, err = run("sweep", "paper", *SHORT, "--over", "c=-1n,-2n", "-o", "a.nc")
    assert code == 1
    assert "2 points, 2 of them failed (2 INVALID)" in out
    assert "c = -1e-09 must be greater than 0" in err


@pytest.mark.slow
def test_points_that_fail_otherwise_make_the_exit_code_1():
    """The neuron fires without end: its reset is a hair below the threshold."""
    words = ("sweep", "lif", *SHORT, "-s", "r_s=0", "-s", "v_reset=0.39999999999999")
    code, out, err = run(*words, "--over", "c=1p,100n", "-o", "a.nc")
    assert code == 1
    assert "ERROR" in out
    assert "The first reason: The neuron spikes without end" in err


@pytest.mark.slow
def test_experiments_and_drawn_points():
    code, out, _ = run("sweep", "lif", *SHORT, "--experiment", "f-i-curve", "-o", "a.nc")
    assert code == 0
    assert "f-i-curve" in out
    # Its figure needs to know whether a neuron still fires at the end.
    assert "t_spike" in xr.load_dataset("a.nc", engine="h5netcdf")
    words = ("--sampling", "sobol", "-n", "4", "--seed", "3", "--over", "c=47n:100n:log")
    assert run("sweep", "lif", *SHORT, *words, "-o", "b.nc")[0] == 0
    drawn = xr.load_dataset("b.nc", engine="h5netcdf")["c"]
    assert drawn.dims == ("point",)
    assert ((drawn > 47e-9) & (drawn < 100e-9)).all()
    words = ("--experiment", "prototypes", "-n", "5", "--seed", "1")
    run("sweep", "lif", *SHORT, *words, "-o", "c.nc")
    assert xr.load_dataset("c.nc", engine="h5netcdf").sizes["prototype"] == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "either --over"),
        (("--over", "c=1n", "--experiment", "f-i-curve"), "either --over"),
        (("--over", "c"), "is not KEY=VALUES"),
        (("--over", "c=1n:2n:x"), "is not KEY=low:high:n"),
        (("--over", "c=1n:2n"), "does not say how many values; write c=1n:2n:5"),
        (("--over", "c=0:2n:3:log"), "from one value above 0 to another"),
        (("--over", "nothing=1,2"), "has no parameter 'nothing'"),
        (("--over", "c=1 V,2 V"), "in 'V' instead of 'F'"),
        (("--over", "c=1n,2n", "-n", "3"), "leave n"),
        (("--over", "c=1n,1n"), "twice"),
        (("--over", "c=2n:1n", "--sampling", "random", "-n", "3"), "give low < high"),
        (("--over", "c=1n:2n", "--sampling", "random"), "say how many, a whole number"),
        (("--over", "c=1n,2n", "--sampling", "random", "-n", "3"), "draws from ranges"),
        (("--over", "c=1n,2n", "--sampling", "dice"), "no sampling 'dice'"),
        (("--experiment", "nothing"), "no experiment 'nothing'"),
        (("--experiment", "f-i-curve", "-n", "3"), "-n does not go with"),
        (("--experiment", "f-i-curve", "--sampling", "sobol"), "--sampling goes with --over"),
        (("--over", "c=1n,2n", "--sides", "left"), "choose one of circuit, reference, both"),
        (("--over", "c=1n,2n", "--varies", "circuit"), "compute both"),
        (("--over", "c=1n,2n", "--workers", "0"), "give 1 or more"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(here, arguments, words):
    # Each option once: what is tried takes the place of the usual.
    pairs = [SHORT[k : k + 2] for k in range(0, len(SHORT), 2)]
    options = [x for pair in pairs if pair[0] == "-s" or pair[0] not in arguments for x in pair]
    code, out, err = run("sweep", "paper", *options, *arguments)
    assert code == 1
    assert out == ""
    assert words in err
    assert err.endswith(".")
    assert len(err.splitlines()) == 1
    assert not list(here.glob("*.nc"))


def test_values():
    assert read_values("c=47n, 100n", drawn=False) == ("c", ["47n", "100n"])
    name, values = read_values(" leak.tau = 1m:100m:3:log", drawn=False)
    assert name == "leak.tau"
    np.testing.assert_allclose(values, [1e-3, 1e-2, 1e-1])
    assert read_values("c=1n:2n", drawn=True) == ("c", Range("1n", "2n"))
    assert read_values("c=1n:2n:log", drawn=True) == ("c", Range("1n", "2n", True))
    with pytest.raises(SweepError):
        read_values("c=1n:2n:3:4", drawn=False)


@pytest.mark.slow
def test_a_damaged_store_is_told(here):
    run("sweep", "lif", *SHORT, "--over", "c=47n,100n,220n", "-o", "a.nc")
    (segment,) = (here / "kept" / "segments").iterdir()
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    code, out, err = run("store", "check", "--store", "kept")
    assert code == 1
    assert "2 results" in out
    assert "1 damaged lines, ignored" in err
    code, _, err = run("store", "check", "--set-aside", "--store", "kept")
    assert code == 0
    assert "set aside in its folder 'damaged'" in err
    assert run("store", "check", "--store", "kept")[0] == 0
    assert "--set-aside goes with check" in run("store", "prune", "--set-aside")[2]
    assert "go with prune" in run("store", "list", "--failed")[2]


@pytest.mark.slow
def test_no_dask_scheduler():
    words = ("--over", "c=47n,100n", "--dask", "tcp://127.0.0.1:1")
    code, _, err = run("sweep", "lif", *SHORT, *words)
    assert code == 1
    assert "No Dask scheduler answers at 'tcp://127.0.0.1:1'" in err


def test_a_key_that_is_set_and_varied_is_refused():
    code, _, err = run("sweep", "lif", *SHORT, "--over", "c=47n,100n", "-s", "c=5n")
    assert (code, err) == (1, "'c' is in --set and in --over; leave it out of --set.")
