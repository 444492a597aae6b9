"""What a run needs is known before it starts: refused with both figures, or not at all."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spicealif import Neuron, load_preset
from spicealif.cosim import simulate
from spicealif.design import needs as _needs
from spicealif.design.needs import Needs, check_needs, circuit_needs, memory_left, reference_needs
from spicealif.errors import ResourceError
from spicealif.reference import solve_reference
from spicealif.sweep import Sweep

GB = 1e9


@pytest.mark.slow
def test_bounds_are_below_what_is_needed(paper: Neuron):
    """Of runs that were made, in number and in size, and not absurdly far below."""
    neuron = paper.replace(t_stop=2e-3)
    reference = solve_reference(neuron)
    needs = reference_needs(neuron)
    assert 0.8 * len(reference) < needs.points <= len(reference)
    size = sum(v.nbytes for v in (reference.time, *reference.signals.values()))
    assert needs.disk <= size <= 2 * needs.disk
    run = simulate(neuron)
    circuit = circuit_needs(neuron)
    assert run.cost.points / 20 < circuit.points < run.cost.points
    assert circuit.disk < sum(v.nbytes for v in run.require().signals.values())


def test_a_run_beyond_the_memory_is_refused_at_once(paper: Neuron):
    start = time.monotonic()
    # 10^9 steps are the most that a design may take: 80 GB and more.
    long = paper.replace({"t_stop": 300.0})
    for run in (simulate, lambda n: solve_reference(n, h=4e-7)):
        if memory_left(one=False)[0] > 50 * GB:
            pytest.skip("there is memory for all of it")
        with pytest.raises(ResourceError, match=r"At least .* of memory, and .* (is|are) "):
            run(long)
    assert time.monotonic() - start < 20


def test_what_a_timeout_ends_is_not_refused(paper: Neuron):
    long = paper.replace({"t_stop": 300.0})
    assert circuit_needs(long, 1.0).memory < 1e7
    assert circuit_needs(long).memory > 8e10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("RLIMIT_AS", "left of this process's limit (ulimit -v)"),
        ("RLIMIT_FSIZE", "the limit for one file (ulimit -f)"),
    ],
)
def test_limits_of_a_process(tmp_path: Path, limit: str, told: str):
    code = (
        "import resource, sys, pathlib\n"
        "from spicealif.design.needs import Needs, check_needs\n"
        f"n = getattr(resource, {limit!r})\n"
        "resource.setrlimit(n, (10**9, resource.getrlimit(n)[1]))\n"
        "check_needs(Needs(1e6, 2e8, 0, 2e8, 2e8), pathlib.Path(sys.argv[1]))\n"
        "check_needs(Needs(1e6, 1.01e9, 0, 1.01e9, 1.01e9), pathlib.Path(sys.argv[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert "ResourceError: At least 1e+06 points would take 1.01 GB" in done.stderr
    assert told in done.stderr


def test_room_on_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import shutil

    usage = shutil.disk_usage(tmp_path)
    small = Needs(1e6, 0, 0, 0.9e9, 0.9e9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**9))
    check_needs(small, tmp_path / "not" / "yet" / "there")
    with pytest.raises(ResourceError, match=r"1.8 GB on disk, and 1 GB is free for "):
        check_needs(small + small, tmp_path / "not" / "yet" / "there")


@pytest.mark.parametrize("version", [1, 2])
def test_limits_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int):
    """The group's own limit, and that of the one it is in; cached files do not count."""
    root = tmp_path if version == 2 else tmp_path / "memory"
    inner = root / "job" / "step"
    inner.mkdir(parents=True)
    limit, used, cached = (
        ("memory.max", "memory.current", "inactive_file")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    )
    for folder, most in ((inner, "max"), (inner.parent, str(500_000_000))):
        (folder / limit).write_text(f"{most}\n")
        (folder / used).write_text("400000000\n")
        (folder / "memory.stat").write_text(f"anon 5\n{cached} 300000000\n")
    line = "0::/job/step\n" if version == 2 else "4:cpu,memory:/job/step\n"
    read_text = Path.read_text
    monkeypatch.setattr(_needs, "_CGROUP", tmp_path)
    monkeypatch.setattr(
        Path,
        "read_text",
        lambda self, **k: line if str(self) == "/proc/self/cgroup" else read_text(self, **k),
    )
    assert memory_left(one=False) == (400e6, "is left of the container's or job's limit")


def test_a_sweep_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    neuron = load_preset("lif")
    sweep = Sweep(neuron, {"c": ["80n", "100n"]}, waveforms=True)
    one = circuit_needs(neuron.replace(c=1e-7), sweep.timeout)
    needs = sweep.needs(workers=2)
    assert needs.points == 2
    assert needs.disk >= 2 * one.disk
    monkeypatch.setattr(
        "spicealif.design.needs._room_left", lambda *_: (1e6, "is free for 'somewhere'")
    )
    monkeypatch.setattr("spicealif.design.needs._LITTLE", 1)
    with pytest.raises(ResourceError, match="is free for 'somewhere'"):
        sweep.run(store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_asking_costs_nothing_for_a_short_run(paper: Neuron, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_needs, "memory_left", lambda **_: pytest.fail("asked"))
    check_needs(reference_needs(paper) + circuit_needs(paper))


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_DATA"), reason="no such limit here")
def test_no_limit_is_no_limit():
    soft = [resource.getrlimit(getattr(resource, n))[0] for n in ("RLIMIT_AS", "RLIMIT_DATA")]
    with contextlib.suppress(AssertionError):
        assert soft == [resource.RLIM_INFINITY] * 2
        assert memory_left(one=True) == (float("inf"), "")
