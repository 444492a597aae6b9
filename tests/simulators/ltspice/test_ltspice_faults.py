"""What becomes of an LTspice run that goes wrong: status, words, data, and what is left behind."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from _ltspice_runs import (
    PAPER,
    T_STOP,
    assert_beginning,
    assert_told,
    ours,
    place,
    prepared,
    whole,
)

from spicealif.errors import RunFailed, SimulatorError, SimulatorNotFound
from spicealif.simulators import Status
from spicealif.simulators.ltspice._program import Host
from spicealif.simulators.ltspice.runner import Ltspice
from spicealif.simulators.process import tree as _process_tree

__all__ = ["place", "prepared", "whole"]

ALL, PART, NONE = "all", "part", "none"

# Misbehaviour and settings: status, what there is, words of the reason.
ENDED = {
    "": (Status.OK, ALL),
    "slow:0.3": (Status.OK, ALL),
    "wait:0.2": (Status.OK, ALL),
    "exit=1": (Status.OK, ALL),
    "exit=255": (Status.OK, ALL),
    "log=utf-16-le": (Status.OK, ALL),
    "log=cp1252": (Status.OK, ALL),
    "log=mixed": (Status.OK, ALL),
    "daemon": (Status.OK, ALL),
    "daemon,ignore-term": (Status.OK, ALL),
    "nothing": (Status.NO_OUTPUT, NONE, "exit code 0, without a raw file or a log"),
    "nothing exit=3": (Status.NO_OUTPUT, NONE, "exit code 3,"),
    "stale": (Status.NO_OUTPUT, NONE, "without a raw file or a log"),
    "log-only": (Status.INCOMPLETE, NONE, "says that the run ended, but there is no raw file"),
    "cut": (Status.STOPPED_EARLY, PART, f"s of {T_STOP:g} s"),
    "cut exit=0": (Status.STOPPED_EARLY, PART, f"s of {T_STOP:g} s"),
    "cut:0": (Status.CRASHED, NONE, "exit code 1 before it had computed", "it is empty"),
    "cut:100": (Status.CRASHED, NONE, "before it had computed anything", "before its data begin"),
    "cut:10000000": (Status.INCOMPLETE, ALL, "LTspice's log ends before the run does"),
    "cut-done": (Status.STOPPED_EARLY, PART, f"s of {T_STOP:g} s"),
    "cut-done:0": (Status.INCOMPLETE, NONE, "says that the run ended, but", "it is empty"),
    "cut-done:300": (Status.INCOMPLETE, NONE, "but the raw file is of no use"),
    "singular": (Status.UNSOLVED, ALL, "LTspice says: ", "atrix"),
    "singular exit=0 log=utf-16-le": (Status.UNSOLVED, ALL, "LTspice says: "),
    "singular log=mixed": (Status.UNSOLVED, ALL, "Simulation Failed: Matrix is singular"),
    "kill": (Status.CRASHED, PART, "LTspice was ended by SIGKILL"),
    "kill:0": (Status.CRASHED, NONE, "LTspice was ended by SIGKILL"),
    "kill:10000000": (Status.CRASHED, ALL, "LTspice was ended by SIGKILL"),
    "segv": (Status.CRASHED, PART, "LTspice was ended by SIGSEGV"),
    "segv:50": (Status.CRASHED, NONE, "LTspice was ended by SIGSEGV"),
    "full:20000": (Status.STOPPED_EARLY, PART, f"s of {T_STOP:g} s"),
    "full:0": (Status.CRASHED, NONE, "exit code 1", "it is empty"),
    "slow:0.2,cut": (Status.STOPPED_EARLY, PART),
    "daemon,kill": (Status.CRASHED, PART, "SIGKILL"),
    "daemon,nothing": (Status.NO_OUTPUT, NONE),
    "ignore-term,cut": (Status.STOPPED_EARLY, PART),
}  # fmt: skip


def settings_of(text):
    """Return the misbehaviour and the settings of a case's name."""
    words = text.split()
    do = [w for w in words if "=" not in w]
    return (do or [""])[0], dict(w.split("=") for w in words if "=" in w)


def assert_data(run, what, whole):
    if what == NONE:
        assert run.waveforms is None
        assert run.cost.points == 0
        return
    assert_beginning(run.waveforms, whole)
    assert (len(run.waveforms) == len(whole)) == (what == ALL)
    assert run.cost.points == len(run.waveforms)


def assert_good_run_follows(place, whole):
    assert_beginning(place.ltspice().run(PAPER).require(), whole)


@pytest.mark.slow
@pytest.mark.parametrize("case", ENDED, ids=[case or "good" for case in ENDED])
def test_what_a_run_that_ends_is_called(place, whole, case):
    status, what, *words = ENDED[case]
    do, settings = settings_of(case)
    run = place.ltspice(do, **settings).run(PAPER, timeout=60)
    place.assert_clean()
    assert_told(run, status, *words)
    assert_data(run, what, whole)
    if status is Status.OK:
        assert run.errors == ()
        told = "exit" in settings or settings.get("log") == "mixed" or "daemon" in do
        assert len(run.warnings) == told
    else:
        with pytest.raises(RunFailed) as caught:
            run.require()
        assert caught.value.run is run


# Misbehaviour that does not end: what it is called when its time is up, and when it is found idle
# (None: it never is); what there is.
ENDLESS = {
    "hang": (Status.TIMEOUT, Status.STALLED, NONE),
    "hang,ignore-term": (Status.TIMEOUT, Status.STALLED, NONE),
    "fork": (Status.TIMEOUT, Status.STALLED, NONE),
    "fork,ignore-term": (Status.TIMEOUT, Status.STALLED, NONE),
    "burn,ignore-term": (Status.TIMEOUT, None, NONE),
    "daemon,hang": (Status.TIMEOUT, Status.STALLED, NONE),
    "cut,linger": (Status.TIMEOUT, Status.STALLED, PART),
    "cut,linger,ignore-term": (Status.TIMEOUT, Status.STALLED, PART),
    "cut:10000000,linger": (Status.TIMEOUT, Status.STALLED, ALL),
    "cut:0,linger": (Status.TIMEOUT, Status.STALLED, NONE),
    "singular,linger": (Status.UNSOLVED, Status.UNSOLVED, ALL),
    "slow:40": (Status.TIMEOUT, None, PART),
    # All is written and the log says so: that it did not end is no matter.
    "linger": (Status.OK, Status.OK, ALL),
    "linger,fork": (Status.TIMEOUT, Status.STALLED, NONE),
}


@pytest.mark.slow
@pytest.mark.parametrize("why", ["timeout", "idle"])
@pytest.mark.parametrize("case", ENDLESS)
def test_what_a_run_that_is_stopped_is_called(place, whole, case, why):
    by_timeout, by_idling, what = ENDLESS[case]
    status = by_timeout if why == "timeout" else by_idling
    if status is None:
        # That it counts as busy is to be seen while it does not end: with a timeout after all.
        status, limits = by_timeout, {"idle": 1.0}
    else:
        limits = {"idle": 1.0 if why == "idle" else None}
    # Time enough to write what it writes; nothing else is waited for.
    seconds = 2.5 if what != NONE else 2.0 if limits["idle"] else 0.5
    begun = time.perf_counter()
    run = place.ltspice(case, **limits).run(
        PAPER, timeout=60 if why == "idle" and by_idling else seconds
    )
    took = time.perf_counter() - begun
    place.assert_clean()
    words = {
        Status.STALLED: ("LTspice did nothing for 1 s; ",) if what == NONE else (),
        Status.TIMEOUT: ("Stopped at 0 s",) if what == NONE else (),
    }.get(status, ())
    assert_told(run, status, *words)
    assert_data(run, what, whole)
    assert took < 20
    if status is Status.OK:
        (warning,) = run.warnings
        assert "did not end" in str(warning)
    if why == "timeout":
        assert_good_run_follows(place, whole)


def test_wines_server_is_not_killed(place, whole):
    """It serves other runs: killed by name it must not be, nor waited for.

    The stand-in's daemon, which nobody knows, is: see above.
    """
    server = shlex.quote(str(shutil.copy("/bin/sleep", place.programs.parent / "wineserver")))
    program = place.ltspice().program.path
    text = program.read_text()
    program.write_text(text.replace("exec ", f"setsid {server} 30 </dev/null &\nexec ", 1))
    begun = time.perf_counter()
    run = Ltspice(program).run(PAPER)
    (left,) = ours()
    assert left.name() == "wineserver"
    left.kill()
    psutil.wait_procs([left], timeout=5)
    assert_told(run, Status.OK)
    assert time.perf_counter() - begun < 10


@pytest.mark.slow
def test_a_program_that_is_no_descendant_is_not_idle(place, whole):
    """Wine's bottles have somebody else start the program: its mark alone tells whose it is."""
    inner = shlex.quote(str(place.ltspice("burn").program.path))
    outer = place.programs / "outer"
    # the middle one ends at once, so the burning one is nobody's child
    start = f"""sh -c 'setsid "$@" </dev/null &' sh {inner} "$@"\n"""
    outer.write_text(f"#!/bin/sh\n{start}sleep 50\n")
    outer.chmod(0o755)
    run = Ltspice(outer, idle_limit=0.7).run(PAPER, timeout=3)
    assert_told(run, Status.TIMEOUT)
    place.assert_clean()


# --- not LTspice ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("program", "code"), [("/bin/true", 0), ("/bin/false", 1)])
def test_another_program(place, program, code):
    run = Ltspice(program).run(PAPER)
    assert_told(run, Status.NO_OUTPUT, f"exit code {code}, without a raw file or a log")
    assert run.version == "LTspice (unknown version)"


def test_a_program_that_only_computes(place):
    place.programs.mkdir()
    program = place.programs / "busy"
    program.write_text("#!/bin/sh\nwhile :; do :; done\n")
    program.chmod(0o755)
    run = Ltspice(program, idle_limit=0.5).run(PAPER, timeout=1.2)
    assert_told(run, Status.TIMEOUT)


WRITES = """#!/bin/sh
printf '%s' "$LTSPICE_TEST_RAW" >neuron.raw
printf '%s' "$LTSPICE_TEST_LOG" >neuron.log
"""


RAW = "Title: x\nPlotname: {}\nFlags: real\nNo. Variables: 1\nNo. Points: {}\nVariables:\n{}"
OPERATING_POINT = RAW.format("Operating Point", 1, "\t0\tv\tvoltage\nValues:\n0\t1\n")
NO_POINTS = RAW.format("Transient Analysis", 0, "\t0\ttime\ttime\nValues:\n")
FINISHED = "Total elapsed time: 1 seconds."


@pytest.mark.parametrize(
    ("raw", "log", "status", "words"),
    [
        ("nonsense", "nonsense", Status.REJECTED, "nonsense"),  # its only word is the reason
        ("nonsense", FINISHED, Status.INCOMPLETE, "the raw file is of no use: "),
        (OPERATING_POINT, FINISHED, Status.INCOMPLETE, "holds no transient analysis"),
        (NO_POINTS, FINISHED, Status.INCOMPLETE, "holds no point after the first"),
        ("", "", Status.CRASHED, "it is empty"),
    ],
)
def test_files_that_are_not_ltspices(place, monkeypatch, raw, log, status, words):
    program = place.programs / "writes"
    program.parent.mkdir()
    program.write_text(WRITES)
    program.chmod(0o755)
    monkeypatch.setenv("LTSPICE_TEST_RAW", raw)
    monkeypatch.setenv("LTSPICE_TEST_LOG", log)
    run = Ltspice(program).run(PAPER)
    assert_told(run, status, words)
    assert run.waveforms is None


def test_folders_where_files_should_be(place):
    program = place.programs / "folders"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nmkdir neuron.raw neuron.log\n")
    program.chmod(0o755)
    run = Ltspice(program).run(PAPER)
    assert_told(run, Status.CRASHED, "it is not a regular file")


def test_what_cannot_be_started(place):
    place.programs.mkdir()
    text = place.programs / "LTspice"
    text.write_text("no program\n")
    with pytest.raises(SimulatorError, match=r"cannot be started \(Permission denied\); check"):
        Ltspice(text).run(PAPER)
    text.chmod(0o755)
    with pytest.raises(SimulatorError, match=r"cannot be started \(Exec format error\); check"):
        Ltspice(text).run(PAPER)
    text.write_text("#!/no/such/interpreter\n")
    with pytest.raises(SimulatorError, match=r"cannot be started \(No such file"):
        Ltspice(text).run(PAPER)


def test_what_is_not_there(place):
    place.programs.mkdir()
    (place.programs / "link").symlink_to(place.programs / "nowhere")
    os.mkfifo(place.programs / "pipe")
    for name in ("", "nosuch", "link", "pipe"):
        with pytest.raises(SimulatorNotFound, match="LTspice is not there; correct it"):
            Ltspice(place.programs / name).run(PAPER)


# --- interrupted ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, OSError])
@pytest.mark.parametrize("do", ["slow:40", "slow:40,ignore-term", "slow:40,daemon"])
def test_an_exception_from_progress_stops_the_program(place, do, error):

    def interrupt(fraction):
        assert ours()
        raise error("planted")

    with pytest.raises(error, match="planted"):
        place.ltspice(do).run(PAPER, progress=interrupt)
    place.assert_clean()


def test_an_interrupt_while_waiting_for_a_straggler(place, monkeypatch):
    """The program has ended, its daemon has not: Ctrl-C must not leave it."""
    real = _process_tree._wait

    def interrupted(processes, limit):
        monkeypatch.setattr(_process_tree, "_wait", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(_process_tree, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place.ltspice("daemon").run(PAPER)
    place.assert_clean()


INTERRUPTED = """
import sys, tempfile
from spicealif import load_preset
from spicealif.cosim import simulate
from spicealif.simulators.ltspice.runner import Ltspice
tempfile.tempdir = sys.argv[2]
neuron = load_preset("paper").replace({"t_stop": 5e-5})
try:
    simulate(neuron, Ltspice(sys.argv[1]), progress=lambda f: print("running", flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.slow
def test_ctrl_c_in_the_terminal(place, repository):
    """A real signal, at whatever the runner is doing."""
    program = place.ltspice("slow:40").program.path
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, program, place.temporary],
        stdout=subprocess.PIPE,
        text=True,
        cwd=repository,
    ) as process:
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert rest.endswith("interrupted\n")
    assert process.returncode == 0


# --- room -----------------------------------------------------------------------------------------


@pytest.fixture
def small(place, tmp_path, monkeypatch):
    """Return a function that makes a small file system the temporary folder."""
    mounted = []

    def mount(size):
        folder = tmp_path / "small"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
            check=False,
            capture_output=True,
        )
        if done.returncode:
            pytest.skip("a file system can be mounted by root alone")
        mounted.append(folder)
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_file_system(place, whole, small):
    folder = small("128k")
    # the raw file is of 57 kB, the netlist of 5: the rest is taken
    (folder / "other").write_bytes(bytes(90_000))
    run = place.ltspice("full").run(PAPER)
    assert_told(run, Status.NO_ROOM, "no room is left in the folder for temporary")
    assert "TMPDIR" in run.message
    assert_data(run, PART, whole)
    assert [p.name for p in folder.iterdir()] == ["other"]


def test_no_room_for_the_netlist(place, small):
    folder = small("16k")
    (folder / "other").write_bytes(bytes(16_000))
    with pytest.raises(SimulatorError, match=r"No space left on device\); free some space, or set"):
        place.ltspice().run(PAPER)
    assert [p.name for p in folder.iterdir()] == ["other"]


def test_no_temporary_folder(place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(place.temporary / "nosuch"))
        with pytest.raises(SimulatorError, match="TMPDIR"):
            place.ltspice().run(PAPER)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["with a blank", "Größe µ €", 'it\'s "quoted" $HOME `x`'])
@pytest.mark.parametrize("flavour", ["xvii", "mac17", "win26"])
def test_odd_names_of_the_temporary_folder(place, whole, monkeypatch, name, flavour):
    folder = place.temporary.parent / name
    folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        run = place.ltspice(flavour=flavour).run(PAPER)
    assert_told(run, Status.OK)
    assert_data(run, ALL, whole)
    assert list(folder.iterdir()) == []


def test_the_current_folder_is_gone(place, whole, monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    simulator = place.ltspice()
    with monkeypatch.context() as patch:
        patch.chdir(gone)
        gone.rmdir()
        assert_data(simulator.run(PAPER), ALL, whole)
        with pytest.raises(SimulatorNotFound):
            Ltspice("nosuch").run(PAPER)
        with pytest.raises(SimulatorNotFound):
            Ltspice(host=Host(home=tmp_path, root=tmp_path, environ={})).run(PAPER)
        assert Host().root.is_absolute()


def test_a_clock_that_is_behind(place, whole, monkeypatch):
    """A file server's clock is not ours: what was written is fresh by its own."""
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert_data(place.ltspice().run(PAPER), ALL, whole)
