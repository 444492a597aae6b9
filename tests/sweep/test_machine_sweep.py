"""What the machine does to a sweep's workers, and what is kept of it."""

import contextlib
import os
import signal
import time

import numpy as np
import psutil
import pytest
from test_sweep_faults import LIF, nobody_left, our_children, scripted, statuses

from spicealif.errors import SweepError
from spicealif.simulators import Status
from spicealif.simulators.process import stopped as _stopped
from spicealif.sweep import Store, Sweep
from spicealif.sweep import _process as process_module

__all__ = ["scripted"]

POINTS = {"c": np.linspace(9e-8, 1.1e-7, 12)}

DIES = """
import os, signal
from pathlib import Path
mark = Path({mark!r})
with mark.open("a") as file:
    file.write("x")
if mark.stat().st_size <= {times}:
    os.kill(os.getpid(), signal.{name})
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSTOP"])
def test_a_worker_that_is_hit_while_it_starts(monkeypatch, tmp_path, name):
    monkeypatch.setattr(_stopped.StopWatch.__init__, "__defaults__", (0.8,))
    start = process_module._START
    dies = DIES.format(mark=str(tmp_path / "starts"), times=1, name=name)
    monkeypatch.setattr(process_module, "_START", dies + start)
    with nobody_left():
        result = Sweep(LIF, POINTS, sides="reference").run(store=tmp_path / "a", workers=1)
    assert (result["status"] == "OK").all()
    assert (tmp_path / "starts").read_text() == "xx"
    # Not for ever.
    dies = DIES.format(mark=str(tmp_path / "more"), times=99, name=name)
    monkeypatch.setattr(process_module, "_START", dies + start)
    with nobody_left(), pytest.raises(SweepError, match="A worker process does not start"):
        Sweep(LIF, POINTS, sides="reference").run(store=tmp_path / "b", workers=1)
    assert (tmp_path / "more").read_text() == "xxx"


@pytest.mark.slow
def test_a_worker_that_is_stopped(monkeypatch, tmp_path, scripted):
    monkeypatch.setattr(_stopped.StopWatch.__init__, "__defaults__", (0.8,))
    sweep = scripted(**{f"_{nf}": "slow" for nf in range(100, 108)})
    stopped = []

    def stop(done, total, failed):
        if done >= 2 and not stopped:
            # Workers alone: other children may be those of tests that came before.
            stopped.extend(
                p.pid for p in our_children() if "spicealif.sweep.worker" in " ".join(p.cmdline())
            )
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)

    begun = time.monotonic()
    with nobody_left():
        result = sweep.run(store=tmp_path, workers=2, progress=stop)
    assert time.monotonic() - begun < 60
    assert len(stopped) == 2
    assert not any(psutil.pid_exists(pid) for pid in stopped)
    assert not statuses(result)


@pytest.mark.slow
def test_what_died_is_tried_again(scripted, tmp_path):
    """A process that died says nothing of the point: memory may have run out."""
    result = scripted(_101="die", _102="crashed").run(store=tmp_path, workers=1)
    assert statuses(result) == {101: "CRASHED", 102: "CRASHED"}
    assert Store(tmp_path).check().results == 6
    before = len(scripted.calls())
    assert not statuses(scripted().run(store=tmp_path, workers=1))
    assert scripted.calls()[before:] == [101, 102]


def test_what_passes():
    assert {s for s in Status if s.passing} == {Status.CRASHED, Status.NO_ROOM}


def test_a_stopped_worker_goes_with_its_parent(tmp_path):
    """kill -9 of the parent while a worker is stopped: the kernel ends it."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            process = process_module.WorkerProcess()
            process.first_word()
            os.kill(process._process.pid, signal.SIGSTOP)
            (tmp_path / "pid").write_text(str(process._process.pid))
            time.sleep(60)
        os._exit(0)
    end = time.monotonic() + 60
    while not (tmp_path / "pid").exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.2)
    pid = int((tmp_path / "pid").read_text())
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    end = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < end:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
