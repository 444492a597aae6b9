"""Sweeps give the same bits whoever computes them and however often they are interrupted."""

import contextlib
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray as xr

from spicealif import Waveforms, load_preset, load_waveforms
from spicealif.measures.one_side import measure
from spicealif.sweep import MonteCarlo, Store, Sweep, Tolerance

# A deck that takes ngspice a few milliseconds: what is tested here is not ngspice.
SHORT = (
    load_preset("paper")
    .ideal()
    .replace({"t_stop": 3e-4, "numerics.steering": False, "numerics.reltol": 1e-4})
)
LIF = load_preset("lif").replace(t_stop=1e-3)


def both(**choices):
    """Both sides, with everything that a result can hold."""
    tolerances = [Tolerance("c", 0.05), Tolerance("leak.tau", 0.4, "lognormal")]
    return MonteCarlo(SHORT, 7, tolerances, seed=3, spikes=True, **choices)


def references(n=23):
    tolerances = [Tolerance("c", 0.05), Tolerance("leak.tau", 0.4, "lognormal")]
    return MonteCarlo(SHORT, n, tolerances, seed=4, spikes=True, sides="reference")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Both experiments as one worker computes them."""
    folder = tmp_path_factory.mktemp("expected")
    result = both().run(store=folder, workers=1)
    assert (result["status"] == "OK").all(), result["reason"].values
    assert result["spike_count"].values.min() > 2
    assert len(np.unique(result["isi_mean"])) == 14
    return result, references().run(store=folder, workers=1)


@contextlib.contextmanager
def dask():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client.get_executor()


EXECUTORS = {
    "three processes": lambda: contextlib.nullcontext(None),
    "two threads": lambda: ThreadPoolExecutor(2),
    "another pool of processes": lambda: ProcessPoolExecutor(2),
    "Dask": dask,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXECUTORS)
def test_the_same_bits_whoever_computes(name, expected, tmp_path):
    workers = 3 if name == "three processes" else None
    with EXECUTORS[name]() as executor:
        result = both().run(store=tmp_path, executor=executor, workers=workers)
        alone = references().run(store=tmp_path, executor=executor, workers=workers)
    assert result.identical(expected[0])
    assert alone.identical(expected[1])
    # From the store it is the same as well.
    assert both().run(store=tmp_path).identical(expected[0])


@pytest.mark.slow
def test_a_part_first_then_the_whole(expected, tmp_path):
    """Batches of the reference are then of other points, and the bits are the same."""
    references(10).run(store=tmp_path, workers=1)
    calls = []
    result = references().run(store=tmp_path, workers=2, progress=lambda *a: calls.append(a))
    assert calls[0] == (10, 23, 0)
    assert calls[-1] == (23, 23, 0)
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
    assert result.identical(expected[1])


@pytest.mark.slow
def test_the_dataset_is_what_each_side_gives_alone(expected, tmp_path):
    """Against the simulator and the reference called by hand, point by point."""
    from spicealif import cosimulate

    result = both(waveforms=True).run(store=tmp_path, workers=1)
    files = result["waveforms"]
    for k in (0, 6):
        one = result.isel(prototype=k)
        neuron = SHORT.replace({"c": one["c"].item(), "leak.tau": one["leak.tau"].item()})
        run = cosimulate(neuron)
        comparison = run.comparison
        for side, figures in (("circuit", comparison.of_a), ("reference", comparison.of_b)):
            for name, value in figures.items():
                if name != "spikes_per_pulse":
                    np.testing.assert_equal(one[name].sel(side=side).item(), value)
            path = Path(files.attrs["folder"]) / files.sel(side=side).values[k]
            waveforms = load_waveforms(path)
            assert isinstance(waveforms, Waveforms)
            assert measure(waveforms, neuron)["isi_mean"] == one["isi_mean"].sel(side=side).item()
            spikes = one["t_spike"].sel(side=side).values
            np.testing.assert_array_equal(spikes[np.isfinite(spikes)], waveforms.t_spike)
        for name in ("gamma", "x_nrmse", "v_mem_nrmse", "victor_purpura"):
            assert one[name].item() == comparison.of_pair[name]
    names = sorted(files.values.ravel())
    assert sorted(p.name for p in Path(files.attrs["folder"]).iterdir()) == names
    assert len(names) == 14


def test_units_and_dimensions(tmp_path):
    sweep = Sweep(LIF, {"c": ["90n", "100n"], "mosfet.kind": ["ideal", "vdmos"]}, sides="reference")
    result = sweep.run(store=tmp_path, workers=1)
    assert result["isi_mean"].dims == ("side", "c", "mosfet.kind")
    assert result["isi_mean"].attrs["units"] == "s"
    assert result["c"].attrs["units"] == "F"
    slow = result["isi_mean"].sel({"side": "reference", "mosfet.kind": "vdmos"})
    assert slow.sel(c=100e-9) / slow.sel(c=90e-9) == pytest.approx(100 / 90)
    assert "gamma" not in result
    # It survives a file.
    result.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "a.nc", engine="h5netcdf").identical(result)


def test_the_same_points_are_computed_once(tmp_path):
    calls = []
    sweep = Sweep(LIF, {"c": [1e-7, 2e-7], "leak.r": [1500.0, 1600.0]}, "list", sides="reference")
    points = sweep.points
    object.__setattr__(points, "values", {n: v[[0, 1, 0]] for n, v in points.values.items()})
    object.__setattr__(points, "dims", {"point": 3})
    result = sweep.run(store=tmp_path, workers=1, progress=lambda *a: calls.append(a))
    assert calls[-1] == (2, 2, 0)
    isi = result["isi_mean"].values[0]
    assert isi[0] == isi[2] != isi[1]


# --- kill -9 --------------------------------------------------------------------------------------

#: Forks a sweep some times and kills each at a moment that only chance knows.
KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from test_sweep_run import long_sweep

store, n = Path(sys.argv[1]), int(sys.argv[2])
chance = random.Random(int(sys.argv[3]))

def size():
    return sum(p.stat().st_size for p in store.glob("segments/*.txt"))

long_sweep().name  # what a sweep imports, once
for k in range(n):
    before = size()
    pid = os.fork()
    if not pid:
        try:
            long_sweep().run(store=store, workers=1)
        finally:
            os._exit(0)
    # A third at any moment, starting up included, the others when something has been written.
    if k % 3:
        while size() == before and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0.001)
        time.sleep(chance.random() * 0.15)
    else:
        time.sleep(chance.random() * 1.5)
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        break  # it was done
    print(size(), flush=True)
"""


def long_sweep():
    return Sweep(SHORT.replace(t_stop=2e-4), {"c": np.linspace(80e-9, 120e-9, 90)}, spikes=True)


def marked(environment):
    """Processes that were told of a temporary folder: simulators inherit little else."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (
                process.environ().get("TMPDIR") == environment["TMPDIR"]
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def simulates(process):
    """Whether this is ngspice, or the process that has its library."""
    with contextlib.suppress(psutil.Error):
        return process.name() == "ngspice" or "simulators.ngspice._worker" in " ".join(
            process.cmdline()
        )
    return False


@contextlib.contextmanager
def all_gone(seconds, tmp_path):
    """Give an environment; when the block is over, whatever was started with it is to end soon.

    Its temporary folder is then empty too.
    """
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent),
        "TMPDIR": str(temporary.resolve()),
    }
    described = []
    try:
        yield environment
        end = time.monotonic() + seconds
        while marked(environment) and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        for process in marked(environment):
            with contextlib.suppress(psutil.Error):
                described.append(process.cmdline())
                process.kill()
    assert not described
    assert not list(temporary.iterdir())


@pytest.mark.slow
def test_killed_again_and_again_and_resumed(tmp_path):
    """Eight times; `scripts/kill_study.py` kills parent, worker and simulator twenty times each."""
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)  # shown if it fails
    store = tmp_path / "store"
    with all_gone(10, tmp_path) as environment:
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(store), "8", str(seed)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    sizes = [int(line) for line in done.stdout.split()]
    print(sizes, done.stderr)
    assert sizes == sorted(sizes)
    assert len(set(sizes)) >= 5
    report = Store(store).check()
    begun = report.results
    assert begun > 0
    calls = []
    resumed = long_sweep().run(store=store, workers=2, progress=lambda *a: calls.append(a))
    assert calls[0][0] == begun
    assert Store(store).check().results == 90
    undisturbed = long_sweep().run(store=tmp_path / "other", workers=2)
    assert (undisturbed["status"] == "OK").all()
    assert resumed.identical(undisturbed)


ONE = """
import sys
from spicealif.sweep import Sweep
from test_sweep_run import LIF
values = {"c": [1e-7, 1.1e-7, 1.2e-7]}
sweep = Sweep(LIF.replace(t_stop=1.0), values, simulator=sys.argv[2], sides="circuit")
sweep.run(store=sys.argv[1], workers=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["ngspice", "ngspice-batch"])
def test_nothing_outlives_a_parent_that_is_killed(simulator, tmp_path):
    """In the middle of runs that would take minutes; the temporary folders go as well."""
    with all_gone(10, tmp_path) as environment:
        process = subprocess.Popen(
            [sys.executable, "-c", ONE, str(tmp_path / "store"), simulator],
            env=environment,
        )
        try:
            # A simulator for each of two workers. Counted by what they run: a process that a worker
            # has forked a moment ago counts as a second worker, and is another one when looked at
            # again.
            simulating = []
            end = time.monotonic() + 60
            while len(simulating) < 2 and time.monotonic() < end:
                time.sleep(0.1)
                simulating = [p for p in marked(environment) if simulates(p)]
            assert len(simulating) == 2
            time.sleep(0.5)
        finally:
            process.kill()
            process.wait()


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_memory_does_not_grow(tmp_path):
    """Here and in the worker, over two thousand points of the reference."""
    seen = []

    def look(done, total, failed):
        own = psutil.Process()
        workers = [p for p in own.children() if "spicealif.sweep.worker" in " ".join(p.cmdline())]
        rss = []
        for process in (own, *workers):
            with contextlib.suppress(psutil.Error):
                rss.append(process.memory_info().rss)
        seen.append((done, *rss))

    tolerances = [Tolerance("c", 0.05), Tolerance("leak.r", 0.05)]
    MonteCarlo(LIF.replace(t_stop=3e-4), 3000, tolerances, sides="reference").run(
        store=tmp_path, workers=1, progress=look
    )
    early = next(row for row in seen if row[0] >= 1000 and len(row) == 3)
    late = [row for row in seen if len(row) == 3][-1]
    assert late[0] > 2000
    # Results are kept here until they are put together: 5 KB a point is far above what they take.
    assert late[1] - early[1] < 2000 * 5e3
    assert late[2] - early[2] < 4e6


@pytest.mark.slow
def test_memory_of_the_simulator_does_not_grow(tmp_path):
    seen = []

    def look(done, total, failed):
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "ngspice._worker" in " ".join(process.cmdline()):
                    seen.append((done, process.memory_info().rss))

    sweep = Sweep(
        SHORT.replace(t_stop=3e-5), {"c": np.linspace(9e-8, 1.1e-7, 120)}, sides="circuit"
    )
    sweep.run(store=tmp_path, workers=1, progress=look)
    early = next(rss for done, rss in seen if done >= 40)
    assert seen[-1][0] > 100
    assert seen[-1][1] - early < 2e6
