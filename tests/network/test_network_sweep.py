"""Sweeps of networks: the same bits whoever computes, and what was killed goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from spicealif.errors import SweepError
from spicealif.network import load_network_preset
from spicealif.network.sweep import NetworkSweep, network_parameter
from spicealif.sweep import Store
from spicealif.sweep.files import load_sweep, save_sweep

PAIR = load_network_preset("pair").replace(t_stop="0.1m")
RESISTANCE = "projections.0.resistance"


def sweep(over=None, **choices):
    return NetworkSweep(PAIR, over or {RESISTANCE: ["200", "2k", "20k"]}, **choices)


@pytest.mark.slow
def test_the_same_bits_with_any_number_of_workers(tmp_path):
    made = []
    for n in (1, 2, 3):
        store = tmp_path / f"store-{n}"
        made.append(sweep().run(store=store, workers=n))
        keys = sweep().keys()
        kept = Store(store).find(set(keys))
        made[-1].attrs["trains"] = str([kept[key]["t_spike"] for key in keys])
    assert made[0].identical(made[1])
    assert made[0].identical(made[2])
    assert made[0]["spike_count"].sel(side="circuit").values.min() > 0


def test_what_is_stored_is_not_computed_again(tmp_path, monkeypatch):
    seen = []
    over = {RESISTANCE: ["200", "2k"]}
    first = sweep(over).run(store=tmp_path, workers=1, progress=lambda *n: seen.append(n))
    assert seen[0] == (0, 2, 0)
    assert seen[-1] == (2, 2, 0)
    monkeypatch.setattr("spicealif.sweep.missing.run_jobs", lambda *_: 1 / 0)
    assert sweep(over).run(store=tmp_path).identical(first)
    assert sweep(over, rtol=1e-7).keys() != sweep(over).keys()
    assert first["spikes"].dims == ("side", RESISTANCE, "neuron")
    assert first[RESISTANCE].attrs["units"] == "ohm"


def test_a_point_that_fails_is_named_and_stops_no_other(tmp_path):
    result = sweep({"populations.n.neuron.c": ["100n", -1.0]}, sides=("reference",)).run(
        store=tmp_path, workers=1
    )
    assert result["status"].values.tolist() == ["OK", "INVALID"]
    assert "c = -1.0 must be greater than 0" in result["reason"].values[1]
    assert result.attrs["failures"] == "1 INVALID"
    assert np.isnan(result["spike_count"].values[0, 1])
    path = save_sweep(result, tmp_path / "sweep.nc")
    assert load_sweep(path)["status"].values.tolist() == ["OK", "INVALID"]
    rows = save_sweep(result, tmp_path / "sweep.csv").read_text().splitlines()
    assert rows[0].startswith("populations.n.neuron.c [F],side,status,reason,spike_count")
    assert len(rows) == 3


def test_sizes_may_differ(tmp_path):
    base = load_network_preset("pair").replace(
        {"t_stop": "0.1m", "populations.n.parameters.stimulus.amplitude": None}
    )
    made = NetworkSweep(base, {"populations.n.size": [2, 3]}, ("reference",)).run(
        store=tmp_path, workers=1
    )
    counts = made["spikes"].sel(side="reference").values
    assert counts.shape == (2, 3)
    assert np.isnan(counts[0, 2])
    assert counts[1, 2] > 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_sweep_that_was_killed_goes_on(tmp_path):
    """By SIGKILL, its process and nothing else; its workers end with it."""
    words = ["network", "sweep", "pair", "--t-stop", "0.1m", "--vary",
             f"{RESISTANCE}=200:20k:12", "--workers", "1", "--out", "out", "-q"]  # fmt: skip
    program = [sys.executable, "-m", "spicealif", *words]
    process = subprocess.Popen(program, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        segments = tmp_path / "out" / "store" / "segments"
        until = time.monotonic() + 120
        while sum(p.read_bytes().count(b"\n") for p in segments.glob("*.txt")) < 2:
            assert time.monotonic() < until, "nothing was computed"
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "out" / "sweep.nc").exists()
    there = sum(p.read_bytes().count(b"\n") for p in segments.glob("*.txt"))
    assert 2 <= there < 12
    done = subprocess.run([*program[:-1]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"Note: {there} of 12 points are there." in done.stderr
    lines = sum(p.read_bytes().count(b"\n") for p in segments.glob("*.txt"))
    assert lines == 12, "no point was computed twice"
    whole = load_sweep(tmp_path / "out" / "sweep.nc")
    values = np.linspace(200, 20e3, 12)
    again = NetworkSweep(PAIR.replace(name="pair_t_stop_0p0001"), {RESISTANCE: values})
    fresh = again.run(store=tmp_path / "fresh", workers=2)
    for name in ("spike_count", "energy", "spikes"):
        assert np.array_equal(whole[name].values, fresh[name].values, equal_nan=True), name


def test_names_are_looked_at_before_anything_is_computed():
    assert network_parameter(PAIR, RESISTANCE) == (200.0, "ohm")
    assert network_parameter(PAIR, "populations.n.neuron.leak.tau")[1] == "s"
    for name in ("nothing", "populations", "populations.n", "populations.m.size", "projections.9.x",
                 "populations.n.neuron", "populations.n.neuron.leak", "projections.0.resistence",
                 "", "populations..size", "populations.n.neuron.c.d"):  # fmt: skip
        with pytest.raises(SweepError, match="The network has no parameter"):
            network_parameter(PAIR, name)
    with pytest.raises(SweepError, match=r"has a value of its own of stimulus\.amplitude"):
        network_parameter(PAIR, "populations.n.neuron.stimulus.amplitude")


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({}, "Nothing is varied"),
        ({RESISTANCE: []}, "no values"),
        ({RESISTANCE: ["1k", 1000.0]}, "there twice"),
        ({RESISTANCE: ["many"]}, "A value of projections.0.resistance"),
        ({RESISTANCE: 5.0}, "give a list of values"),
        ({RESISTANCE: [float("inf")]}, "give finite numbers"),
        ({RESISTANCE: [None]}, "give numbers or names"),
        ({RESISTANCE: range(1, 20_000_000)}, "take fewer values"),
    ],
)
def test_values_that_make_no_sense(over, told):
    with pytest.raises(SweepError, match=told):
        NetworkSweep(PAIR, over)


def test_choices_that_make_no_sense():
    with pytest.raises(SweepError, match="The sides are"):
        sweep(sides=("spice",))
    with pytest.raises(SweepError, match="number of workers"):
        sweep().run(workers=0)
