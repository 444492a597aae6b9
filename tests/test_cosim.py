"""The whole job in one call, and what becomes of it when something goes wrong."""

from __future__ import annotations

import threading
import time

import pytest

from spicealif import Neuron, Status, cosimulate
from spicealif.errors import OutputError


@pytest.mark.parametrize("simulator", ["ngspice", "ngspice-batch"])
@pytest.mark.parametrize("timeout", [1e-3, 1e-2, 0.1])
def test_a_timeout_never_raises(paper: Neuron, simulator: str, timeout: float) -> None:
    result = cosimulate(paper, simulator, timeout=timeout)
    assert result.run.status is Status.TIMEOUT
    assert len(result.reference.t_spike) == 223
    if result.run.waveforms is None or result.run.waveforms.time[-1] == 0:
        assert result.comparison is None


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
