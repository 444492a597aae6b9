"""Whatever goes wrong at a point is that point's: the sweep ends, says what failed, and goes on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from test_sweep_run import all_gone, marked

from spicealif import load_preset, load_waveforms
from spicealif.errors import SimulatorError, SweepError
from spicealif.sweep import Store, Sweep
from spicealif.sweep import _process as process_module

# With a reltol of its own there is one run a point: what the scripted simulator gives is not as
# accurate as is asked for.
LIF = load_preset("lif").replace({"t_stop": 5e-4, "numerics.reltol": 1e-8})
#: Real ngspice on a deck of a few milliseconds.
SHORT = LIF.ideal().replace({"numerics.steering": False, "numerics.reltol": 1e-4})
C = [k * 1e-9 for k in range(100, 108)]


# --- a simulator that does what it is told to -----------------------------------------------------

SCRIPTED = '''
"""A simulator that acts by the capacitor's value in nF, as the environment says."""
import json, os, signal, time
from pathlib import Path
from spicealif.errors import SimulatorError
from spicealif.reference import solve_reference
from spicealif.simulators import Cost, Run, Status

FOLDER = Path(__file__).parent


class Scripted:
    name, dialect, version = "scripted", "ngspice", "scripted-1"

    def close(self):
        pass

    def run(self, netlist, *, timeout=None, progress=None):
        nf = round(netlist.neuron.c * 1e9)
        status = Status.OK
        what = json.loads((FOLDER / "script.json").read_text()).get(str(nf), "")
        with (FOLDER / "calls.txt").open("a") as file:
            file.write(f"{nf} {os.getpid()}\\n")
        if what.startswith("once "):
            mark = FOLDER / f"{nf}.mark"
            what = "" if mark.exists() else what[5:]
            mark.touch()
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "exit":
            raise SystemExit(3)
        elif what == "raise":
            raise ZeroDivisionError("by n\\u00f6thing")
        elif what == "no room":
            raise OSError(28, "No space left on device")
        elif what == "no simulator":
            raise SimulatorError("It is not here; install it.")
        elif what == "crashed":
            status = Status.CRASHED
        elif what == "print":
            print("chatter")
            os.write(1, b"chatter" * 1000)
            os.write(2, b"chatter" * 1000)
        elif what == "slow":
            time.sleep(0.3)
        waveforms = solve_reference(netlist.neuron) if status.ok else None
        return Run(
            status=status, reason="", netlist=netlist, waveforms=waveforms, log="", errors=(),
            warnings=(), cost=Cost(0.0, 0.0, 0), simulator=self.name, version=self.version,
        )
'''


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """Install the simulator where Python finds it; give a function that writes its script."""
    import json

    folder = tmp_path / "plugin"
    info = folder / "scripted_simulator-1.dist-info"
    info.mkdir(parents=True)
    (folder / "scripted_simulator.py").write_text(SCRIPTED)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scripted-simulator\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[spicealif.simulators]\nscripted = scripted_simulator:Scripted\n"
    )
    monkeypatch.syspath_prepend(str(folder))

    def script(**actions):
        (folder / "script.json").write_text(json.dumps({k[1:]: v for k, v in actions.items()}))
        return Sweep(LIF, {"c": C}, sides="circuit", simulator="scripted")

    script.calls = lambda: [
        int(line.split()[0]) for line in (folder / "calls.txt").read_text().splitlines()
    ]
    yield script
    sys.modules.pop("scripted_simulator", None)


def statuses(result):
    """Statuses by nF, the OK ones left out."""
    out = {}
    for c, status in zip(result["c"].values, result["status"].values, strict=True):
        if status != "OK":
            out[round(c * 1e9)] = status
    isi = result["isi_mean"].sel(side="circuit").values
    # Whoever is OK has the right figures, whoever failed has none.
    ok = result["status"].values == "OK"
    expected = 1500 * result["c"].values * np.log(0.75 / (0.75 - 0.4))
    np.testing.assert_allclose(isi[ok], expected[ok], rtol=0.05)
    assert np.isnan(isi[~ok]).all()
    assert result.attrs["failed"] == len(out)
    assert all(r for r in result["reason"].values[~ok])
    return out


def reasons(result):
    pairs = zip(result["c"].values, result["reason"].values, strict=True)
    return {round(c * 1e9): r for c, r in pairs if r}


def our_children():
    return [
        p
        for p in psutil.Process().children(recursive=True)
        if p.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(p.cmdline())
    ]


@contextlib.contextmanager
def nobody_left():
    before = {p.pid for p in our_children()}
    yield
    end = time.monotonic() + 10
    while {p.pid for p in our_children()} - before and time.monotonic() < end:
        time.sleep(0.05)
    assert not {p.pid for p in our_children()} - before


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_points_that_kill_their_worker(scripted, tmp_path, workers):
    sweep = scripted(_101="die", _104="once die", _105="die", _107="exit")
    with nobody_left():
        result = sweep.run(store=tmp_path, workers=workers)
    assert statuses(result) == {101: "CRASHED", 105: "CRASHED", 107: "CRASHED"}
    assert "died while it computed this point, twice" in reasons(result)[101]
    assert result.attrs["failures"] == "3 CRASHED"
    # Nobody else was computed twice.
    calls = scripted.calls()
    assert {nf: calls.count(nf) for nf in set(calls)} == {
        nf: 2 if nf in (101, 104, 105, 107) else 1 for nf in range(100, 108)
    }


@pytest.mark.slow
def test_points_that_raise(scripted, tmp_path):
    sweep = scripted(_100="raise", _102="no room", _103="no simulator", _106="print")
    result = sweep.run(store=tmp_path, workers=2)
    assert statuses(result) == {100: "ERROR", 102: "ERROR", 103: "ERROR"}
    assert reasons(result) == {
        100: "ZeroDivisionError: by n\u00f6thing.",
        102: "OSError: [Errno 28] No space left on device.",
        103: "It is not here; install it.",
    }
    # What was the machine's fault is tried again without being asked, the rest is not.
    before = len(scripted.calls())
    again = scripted().run(store=tmp_path, workers=1)
    assert statuses(again) == {100: "ERROR"}
    assert scripted.calls()[before:] == [102, 103]
    assert not statuses(scripted().run(store=tmp_path, workers=1, retry_failed=True))
    assert scripted.calls()[before + 2 :] == [100]
    # And from then on it is a success.
    assert not statuses(scripted().run(store=tmp_path, workers=1))


def test_a_simulator_that_dies_is_asked_once_more(scripted, tmp_path):
    result = scripted(_101="once crashed", _102="crashed").run(store=tmp_path, workers=1)
    assert statuses(result) == {102: "CRASHED"}
    assert "simulator's process died" in reasons(result)[102]


@pytest.mark.slow
def test_a_worker_killed_from_outside(tmp_path):
    """Whoever is killed, at whatever moment, the result is the same."""
    sweep = Sweep(SHORT, {"c": np.linspace(9e-8, 1.1e-7, 40)}, sides="circuit")
    expected = sweep.run(store=tmp_path / "a", workers=2)
    assert (expected["status"] == "OK").all()
    killed = []

    def kill(done, total, failed):
        """A worker, then a simulator, then a worker that has nothing to do with it, and so on."""
        if done in (5, 10, 15, 20, 25) and done not in [d for d, _ in killed]:
            word = "ngspice._worker" if done % 10 else "spicealif.sweep.worker"
            for process in our_children():
                with contextlib.suppress(psutil.Error):
                    if word in " ".join(process.cmdline()):
                        process.kill()
                        killed.append((done, word))
                        break

    with nobody_left():
        result = sweep.run(store=tmp_path / "b", workers=2, progress=kill)
    assert {word for _, word in killed} == {"ngspice._worker", "spicealif.sweep.worker"}
    assert result.identical(expected)


@pytest.mark.slow
def test_all_workers_killed_at_once(scripted, tmp_path):
    killed = []

    def kill(done, total, failed):
        if done >= 2 and not killed:
            for process in our_children():
                process.kill()
                killed.append(process.pid)

    sweep = scripted(**{f"_{nf}": "slow" for nf in range(100, 108)})
    result = sweep.run(store=tmp_path, workers=3, progress=kill)
    assert killed
    assert not statuses(result)


@pytest.mark.slow
def test_points_that_take_too_long(tmp_path):
    sweep = Sweep(
        SHORT, {"t_stop": [5e-4, 50.0, 6e-4, 7e-4]}, sides="both", varies="circuit", timeout=2.0
    )
    begun = time.monotonic()
    with nobody_left():
        result = sweep.run(store=tmp_path, workers=1)
    assert time.monotonic() - begun < 30
    assert list(result["status"].values) == ["OK", "TIMEOUT", "OK", "OK"]
    assert "--timeout" in result["reason"].values[1]
    # More time is another question; the same one is not asked again.
    assert sweep.run(store=tmp_path, workers=1).identical(result)


@pytest.mark.slow
def test_designs_that_cannot_work(tmp_path):
    sweep = Sweep(SHORT, {"v_low": [0.04, 0.05, 0.45, -1.0]})
    result = sweep.run(store=tmp_path, workers=1)
    assert list(result["status"].values) == ["OK", "OK", "INVALID", "INVALID"]
    for k in (2, 3):
        with pytest.raises(ValueError, match="v_low") as caught:
            SHORT.replace(v_low=[0.45, -1.0][k - 2])
        assert result["reason"].values[k] == str(caught.value)
    # In batches of the reference as well.
    alone = Sweep(SHORT, {"v_low": [0.04, 0.45, 0.05]}, sides="reference")
    result = alone.run(store=tmp_path, workers=1)
    assert list(result["status"].values) == ["OK", "INVALID", "OK"]
    assert np.isfinite(result["isi_mean"].values[0, [0, 2]]).all()


@pytest.mark.slow
def test_no_simulator(monkeypatch, tmp_path):
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/no/such/libngspice.so")
    with nobody_left(), pytest.raises(SimulatorError, match="apt-get install"):
        Sweep(SHORT, {"c": C}).run(store=tmp_path / "store")
    assert not (tmp_path / "store").exists()
    with pytest.raises(SimulatorError, match="no simulator 'spectre'"):
        Sweep(SHORT, {"c": C}, simulator="spectre").run(store=tmp_path)
    # The reference needs none.
    assert (Sweep(SHORT, {"c": C}, sides="reference").run(store=tmp_path)["status"] == "OK").all()


@pytest.mark.slow
def test_a_worker_that_does_not_start(monkeypatch, tmp_path):
    monkeypatch.setattr(
        process_module, "_START", process_module._START.replace("import serve", "import nothing")
    )
    with nobody_left(), pytest.raises(SweepError, match=r"process does not start .*nothing"):
        Sweep(LIF, {"c": C}, sides="reference").run(store=tmp_path, workers=2)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(SweepError, match="cannot be started"):
        Sweep(LIF, {"c": C}, sides="reference").run(store=tmp_path, workers=2)


@pytest.mark.slow
def test_a_start_that_prints(monkeypatch, tmp_path):
    """Somebody's sitecustomize says good morning."""
    monkeypatch.setattr(
        process_module,
        "_START",
        "print('Good morning'); print('spicealif')" + process_module._START,
    )
    result = Sweep(LIF, {"c": C}, sides="reference").run(store=tmp_path, workers=1)
    assert (result["status"] == "OK").all()


# --- the caller's own -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt()])
def test_a_progress_callback_that_raises(scripted, tmp_path, error):
    def progress(done, total, failed):
        if done >= 3:  # two points may be done at one look
            raise error

    sweep = scripted()
    with nobody_left():
        begun = time.monotonic()
        with pytest.raises(type(error)) as caught:
            sweep.run(store=tmp_path, workers=2, progress=progress)
        assert caught.value is error
        assert time.monotonic() - begun < 30
        # While the exception, and with it the frames, are still there.
        time.sleep(0.5)
        assert not our_children()
    calls = []
    assert not statuses(sweep.run(store=tmp_path, progress=lambda *a: calls.append(a)))
    assert calls[0][0] >= 3
    assert len(scripted.calls()) <= 8 + 2 * 2


class Breaking(Executor):
    """Computes some jobs at once, then breaks in one way or another."""

    def __init__(self, after, error):
        self.left, self.error = after, error

    def submit(self, function, *arguments):
        future = Future()
        self.left -= 1
        if self.left >= 0:
            future.set_result(function(*arguments))
        elif isinstance(self.error, BrokenExecutor | ValueError):
            future.set_exception(self.error)
        elif self.error is None:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            raise self.error
        return future


@pytest.mark.slow
def test_an_executor_that_breaks(scripted, tmp_path):
    sweep = scripted()
    with pytest.raises(SweepError, match=r"The executor broke \(gone\).*run the same again"):
        sweep.run(store=tmp_path, executor=Breaking(3, BrokenExecutor("gone")), workers=4)
    # The broken jobs came in the same handful as the good ones; those are kept.
    assert Store(tmp_path).check().results == 3
    with pytest.raises(SweepError, match=r"takes no more work \(shut\)"):
        sweep.run(store=tmp_path, executor=Breaking(2, RuntimeError("shut")), workers=4)
    assert Store(tmp_path).check().results == 5
    # Cancelled jobs, and exceptions of an executor's own, are failures of no point's doing.
    for error, words in ((None, "was cancelled"), (ValueError("lost it"), "lost it")):
        result = sweep.run(store=tmp_path, executor=Breaking(0, error), workers=4)
        assert set(statuses(result).values()) == {"ERROR"}
        assert all(words in r for r in reasons(result).values())
        assert Store(tmp_path).check().results == 5
    assert not statuses(sweep.run(store=tmp_path, workers=1))


def test_an_executor_that_is_shut_down_meanwhile(scripted, tmp_path):
    executor = ThreadPoolExecutor(1)

    def progress(done, total, failed):
        if done >= 2:
            executor.shutdown(wait=False)

    with pytest.raises(SweepError, match="takes no more work"):
        scripted(**{f"_{n}": "slow" for n in range(100, 108)}).run(
            store=tmp_path, executor=executor, progress=progress
        )
    # What was under way was still computed, and is kept.
    assert Store(tmp_path).check().results >= 3


@pytest.mark.slow
def test_threads_let_go_of_their_simulators(tmp_path):
    sweep = Sweep(SHORT, {"c": C}, sides="circuit")
    with nobody_left(), ThreadPoolExecutor(2) as executor:
        sweep.run(store=tmp_path, executor=executor)
        # The threads are gone and, without any exit of this process, so are their simulators.


# --- scripts --------------------------------------------------------------------------------------

SWEEP = """
from spicealif import load_preset
from spicealif.sweep import Sweep
neuron = load_preset("lif").ideal()
neuron = neuron.replace({"t_stop": 1e-3, "numerics.steering": False, "numerics.reltol": 1e-4})
sweep = Sweep(neuron, {"c": [k * 1e-9 for k in range(80, 120)]}, sides=SIDES)
"""


def script(text, folder, **named):
    return subprocess.run(
        [sys.executable, *text],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=120,
        **named,
    )


@pytest.mark.slow
def test_a_script_without_a_main_guard(tmp_path):
    """Workers have no need of the script, so it may be written as one likes, or not be there."""
    text = SWEEP.replace("SIDES", "'reference'") + (
        "print(sweep.run(store='st\u00f6re of mine', workers=2).attrs['failed'])\n"
    )
    folder = tmp_path / "a folder, \u00fcnicode"
    folder.mkdir()
    (folder / "my script.py").write_text(text, encoding="utf-8")
    # A file of the user's that has the name of a module is none of the workers' business.
    (folder / "numpy.py").write_text("raise SystemExit('not this one')")
    safe = os.environ | {"PYTHONSAFEPATH": "1"}
    for arguments, given in ((["my script.py"], None), (["-c", text], None), (["-"], text)):
        done = script(arguments, folder, input=given, env=safe)
        assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)
    assert Store(folder / "st\u00f6re of mine").check().results == 40


@pytest.mark.slow
def test_in_a_session_without_a_main_module(tmp_path):
    """As in a notebook, whose __main__ has no file and whose first place to look is ''."""
    text = SWEEP.replace("SIDES", "'reference'") + (
        "import sys, __main__\n"
        "sys.path.insert(0, '')\n"
        "__main__.__dict__.pop('__file__', None)\n"
        "print(sweep.run(store='store', workers=2).attrs['failed'])\n"
    )
    done = script(["-c", text], tmp_path)
    assert (done.stdout, done.stderr) == ("0\n", "")


INTERRUPTED = SWEEP.replace("SIDES", "'circuit'") + (
    """
import sys
try:
    sweep.run(store=sys.argv[1], workers=2)
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(130)
"""
)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["starting", "computing"])
def test_interrupted_from_the_keyboard(tmp_path, moment):
    """As a terminal does it: the signal goes to the whole group, and nobody says a word."""
    store = tmp_path / "store"
    with all_gone(10, tmp_path) as environment:
        process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, str(store)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        end = time.monotonic() + 60
        workers = []
        while time.monotonic() < end and not (
            workers if moment == "starting" else list(store.glob("segments/*"))
        ):
            time.sleep(0.01)
            workers = [
                p for p in marked(environment) if "spicealif.sweep.worker" in " ".join(p.cmdline())
            ]
        begun = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - begun < 10
        assert (out, err, process.returncode) == ("interrupted\n", "", 130)
    report = Store(store).check()
    assert report.damaged == 0
    assert report.results < 40
    done = script(["-c", INTERRUPTED, str(store)], tmp_path)
    assert (done.stdout, done.stderr) == ("", "")
    assert Store(store).check().results == 40


# --- waveforms ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_waveforms_that_are_gone_are_computed_again(tmp_path):
    folder = tmp_path / "st\u00f6re, with blanks"
    sweep = Sweep(LIF, {"c": C}, sides="reference", waveforms=True)
    result = sweep.run(store=folder, workers=1)
    files = [folder / "waveforms" / name for name in result["waveforms"].values.ravel()]
    assert result["waveforms"].attrs["folder"] == str(folder / "waveforms")
    whole = files[3].read_bytes()
    files[3].unlink()
    calls = []
    again = sweep.run(store=folder, workers=1, progress=lambda *a: calls.append(a))
    assert calls[0] == (7, 8, 0)
    assert again.identical(result)
    assert len(load_waveforms(files[3])) > 100
    assert len(files[3].read_bytes()) == len(whole)
    # Without the folder, all of them.
    for file in files:
        file.unlink()
    (folder / "waveforms").rmdir()
    assert sweep.run(store=folder, workers=1).identical(result)
    assert all(file.exists() for file in files)


@pytest.mark.slow
def test_waveforms_that_cannot_be_kept(tmp_path):
    (tmp_path / "waveforms").write_text("in the way")
    sweep = Sweep(LIF, {"c": C[:2]}, sides="reference", waveforms=True)
    result = sweep.run(store=tmp_path, workers=1)
    assert (result["status"] == "OK").all()
    assert np.isfinite(result["isi_mean"]).all()
    assert all("could not be kept" in r for r in result["reason"].values)
    assert set(result["waveforms"].values.ravel()) == {""}
    (tmp_path / "waveforms").unlink()
    again = sweep.run(store=tmp_path, workers=1)
    assert all(Path(tmp_path / "waveforms" / n).exists() for n in again["waveforms"].values[0])
    assert not list((tmp_path / "waveforms").glob(".*"))


@pytest.mark.slow
def test_nothing_is_printed(tmp_path, capfd):
    Sweep(SHORT, {"v_low": [0.04, 0.45]}).run(store=tmp_path, workers=1)
    out = capfd.readouterr()
    assert (out.out, out.err) == ("", "")
