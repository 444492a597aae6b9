"""The whole job in one call, and what becomes of it when something goes wrong."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from spicealif import Neuron, Status, cosimulate
from spicealif.errors import OutputError


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["ngspice", "ngspice-batch"])
@pytest.mark.parametrize("timeout", [1e-3, 1e-2, 0.1])
def test_a_timeout_never_raises(paper: Neuron, simulator: str, timeout: float) -> None:
    result = cosimulate(paper, simulator, timeout=timeout)
    assert result.run.status is Status.TIMEOUT
    assert len(result.reference.t_spike) == 223
    if result.run.waveforms is None or result.run.waveforms.time[-1] == 0:
        assert result.comparison is None


@pytest.mark.slow
def test_an_interrupt_does_not_wait_for_the_reference(paper: Neuron, monkeypatch) -> None:
    # The reference alone takes a minute; the interrupt comes from the simulator's progress.
    # It would not fit in memory, which is told before, were it asked for.
    monkeypatch.setattr("spicealif.cosim.check_needs", lambda *_: None)
    monkeypatch.setattr("spicealif.reference.reference.check_needs", lambda *_: None)
    neuron = paper.replace({"t_stop": 300.0, "numerics.t_step_max": 1e-6})

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        cosimulate(neuron, "ngspice-batch", progress=interrupt)
    assert time.monotonic() - start < 20
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]


def _for_ever(neuron: Neuron, rtol: float | None, progress: Callable[[float], None]) -> None:
    while True:
        progress(0.0)
        time.sleep(1e-3)


def test_the_time_limit_holds_for_the_check(paper: Neuron, monkeypatch) -> None:
    monkeypatch.setattr("spicealif.cosim.solve_judges", _for_ever)
    neuron = paper.replace(t_stop=1e-3)
    assert cosimulate(neuron, "equations", check=False).run.ok  # from here on compiled
    result = cosimulate(neuron, "equations", timeout=3.0)
    assert result.run.ok
    assert result.check is not None
    assert "the time limit of 3 s ended" in str(result.comparison)
    assert math.isnan(result.check.worst)


def test_an_interrupt_does_not_wait_for_the_check(paper: Neuron, monkeypatch) -> None:
    judging = threading.Event()

    def judges(*args: Any) -> None:
        judging.set()
        _for_ever(*args)

    monkeypatch.setattr("spicealif.cosim.solve_judges", judges)

    def interrupt() -> None:
        assert judging.wait(60)
        time.sleep(0.5)  # the equations' run of 1 ms is long done
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        cosimulate(paper.replace(t_stop=1e-3), "equations")
    assert time.monotonic() - begin < 30
    thread.join()


@pytest.mark.slow
def test_a_failed_save_does_not_mix_two_runs(paper: Neuron, tmp_path, monkeypatch) -> None:
    first = cosimulate(paper.replace(t_stop=2e-4))
    first.save(tmp_path)
    assert (tmp_path / "circuit.nc").exists()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xarray.Dataset.dump_to_store", full_disk)
    second = cosimulate(paper.replace({"t_stop": 2e-4, "c": 2e-7}))
    with pytest.raises(OutputError, match="No space left"):
        second.save(tmp_path)
    # The earlier run is there as it was, the whole of it.
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
