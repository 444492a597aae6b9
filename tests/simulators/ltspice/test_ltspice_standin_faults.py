"""The stand-in's misbehaviours: each leaves on disk, and running, what it says."""

import os
import signal
import subprocess
import time

import psutil
import pytest
from ltspice_standin import install
from test_ltspice_standin_program import DECK, left_of, log_of, prepared, simulate, start

__all__ = ["simulate"]


def told(log, word="Total elapsed time"):
    return word in log


@pytest.mark.slow
@pytest.mark.parametrize(
    ("do", "code", "raw", "finished"),
    [
        ("", 0, "whole", True),
        ("nothing", 0, None, None),
        ("log-only", 0, None, True),
        ("cut", 1, "half", False),
        ("cut:1000", 1, 1000, False),
        ("cut:0", 1, 0, False),
        ("cut-done:1500", 0, 1500, True),
        ("singular", 0, "whole", True),
        ("kill", -9, "half", False),
        ("segv:900", -11, 900, False),
        ("full:1200", 1, 1200, False),
        ("stale", 0, "whole", True),
        ("slow:0.2", 0, "whole", True),
    ],
)
def test_what_each_misbehaviour_leaves(simulate, tmp_path, do, code, raw, finished):
    folder = simulate(do=do, raw=prepared(tmp_path), expect=code)
    path = folder / "deck.raw"
    if raw is None:
        assert not path.exists()
    else:
        content = path.read_bytes()
        head = content.decode("utf-16-le", "replace").split("Binary:")[0]
        size = 2 * len(head + "Binary:\n") + 200 * 16
        expected = {"whole": size, "half": size - 1600}.get(raw, raw)
        assert len(content) == expected
        if len(content) > 800:
            # an unfinished file does not know its points
            points = 0 if not finished else 200
            assert f"No. Points: {points:12d}\n" in head
    if finished is None:
        assert not (folder / "deck.log").exists()
    else:
        assert told(log_of(folder)) == finished
    assert told(log_of(folder) if finished else "", "Matrix is singular") == (do == "singular")
    if do == "stale":
        assert time.time() - path.stat().st_mtime > 3000


def test_exit_code_and_encodings(simulate, tmp_path):
    raw = prepared(tmp_path)
    assert told(log_of(simulate(raw=raw, exit=7, expect=7)))
    assert (simulate(raw=raw, log="utf-16-le") / "deck.log").read_bytes().startswith(b"L\0T\0")
    mixed = (simulate(raw=raw, log="mixed") / "deck.log").read_bytes()
    assert b"27 \xb0C" in mixed
    assert b"L\0T\0" in mixed
    assert b"solver = Normal" in mixed


def run_on(folder, do, **settings):
    """Start a run that does not end by itself."""
    (folder / "deck.net").write_text(DECK)
    program = install(folder, do=do, raw=prepared(folder), life=30, **settings)
    return start(program, "-b", "deck.net", cwd=folder, MARK=str(folder))


def until(condition, seconds=20):
    """Wait until something is so; the machine may be busy."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def cpu(process):
    return sum(psutil.Process(process.pid).cpu_times()[:2])


def asleep(process):
    return psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING


def end(process):
    for left in left_of(process.pid):
        left.kill()
    process.communicate(timeout=10)


def read_log(folder):
    log = folder / "deck.log"
    return log.read_text() if log.exists() else ""


@pytest.mark.parametrize("do", ["hang", "hang,ignore-term"])
def test_behind_a_modal_dialog(tmp_path, do):
    process = run_on(tmp_path, do)
    # asleep for good: imports are over when the CPU time stands still
    until(lambda: asleep(process) and cpu(process) > 0)
    before = cpu(process)
    time.sleep(0.3)
    assert process.poll() is None
    assert cpu(process) - before < 0.1
    assert not (tmp_path / "deck.raw").exists()
    assert not (tmp_path / "deck.log").exists()
    process.terminate()
    if "ignore-term" in do:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
    end(process)
    assert process.returncode == -(signal.SIGKILL if "ignore-term" in do else signal.SIGTERM)


def test_burning_cpu(tmp_path):
    process = run_on(tmp_path, "burn")
    until(lambda: cpu(process) > 0.5)
    assert not (tmp_path / "deck.raw").exists()
    end(process)


def test_complete_but_never_ending(tmp_path):
    process = run_on(tmp_path, "linger")
    until(lambda: told(read_log(tmp_path)))
    time.sleep(0.1)
    assert process.poll() is None
    assert (tmp_path / "deck.raw").stat().st_size > 200 * 16
    end(process)


def test_stopping_half_way_without_an_end(tmp_path):
    process = run_on(tmp_path, "cut:1500,linger")
    raw = tmp_path / "deck.raw"
    until(lambda: raw.exists() and raw.stat().st_size == 1500)
    time.sleep(0.1)
    assert process.poll() is None
    assert not told(read_log(tmp_path))
    end(process)


def test_a_wrong_command_line_can_hang_as_it_does_in_ltspice(tmp_path):
    program = install(tmp_path, window="hang", life=0.4)
    assert start(program, "deck.net", cwd=tmp_path).wait(20) == 70


def marked(folder):
    """Return processes with our mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARK") == str(folder):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_children_and_a_grandchild_in_a_session_of_its_own(tmp_path):
    process = run_on(tmp_path, "fork")
    try:
        until(lambda: len(marked(tmp_path)) == 3)
        until(lambda: [p for p in marked(tmp_path) if os.getsid(p.pid) != process.pid])
        apart = [p for p in marked(tmp_path) if os.getsid(p.pid) != process.pid]
        assert len(apart) == 1
        until(lambda: apart[0].cwd() == "/")
    finally:
        for left in marked(tmp_path):
            left.kill()
    process.communicate(timeout=10)


def test_a_good_run_that_leaves_a_daemon(tmp_path):
    process = run_on(tmp_path, "daemon")
    assert process.wait(20) == 0
    left = marked(tmp_path)
    for daemon in left:
        daemon.kill()
    process.communicate(timeout=10)
    assert len(left) == 1
    assert told(read_log(tmp_path))


def test_a_raw_file_that_grows_slowly(tmp_path):
    raw = tmp_path / "deck.raw"
    process = run_on(tmp_path, "slow:20")
    until(raw.exists)
    size = raw.stat().st_size
    until(lambda: raw.stat().st_size > size + 100)
    assert process.poll() is None
    assert not told(read_log(tmp_path))
    end(process)
