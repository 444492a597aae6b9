"""What the machine does to a simulator: environments, signals, stops, full disks, dead owners."""

import contextlib
import fcntl
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from netlist_runs import children, netlist_of, worker_of

from spicealif.errors import SimulatorError
from spicealif.simulators import Status, get_simulator
from spicealif.simulators.ngspice import shared as ngspice_shared
from spicealif.simulators.ngspice.batch import NgspiceBatch
from spicealif.simulators.process import stopped as _stopped
from spicealif.simulators.process.folders import PrivateFolder, clear_leftovers

BOTH = ("ngspice", "ngspice-batch")
PAPER = netlist_of()
LONG = netlist_of(t_stop=0.05)


@pytest.fixture(params=BOTH)
def fresh(request):
    simulator = get_simulator(request.param)
    yield simulator
    simulator.close()


def simulating(simulator, number, netlist=LONG, **choices):
    """Run a netlist, and send a signal to the simulator's process when it is well under way."""
    simulator.run(PAPER)
    before = children() - ({worker_of(simulator)} if simulator.name == "ngspice" else set())
    sent = []

    def strike(fraction):
        if fraction > 0 and not sent:
            sent.extend(children() - before)
            os.kill(sent[0], number)

    run = simulator.run(netlist, progress=strike, **choices)
    assert len(sent) == 1
    assert not psutil.pid_exists(sent[0])
    return run


# --- the environment ------------------------------------------------------------------------------


@pytest.fixture
def hostile(plain_folder, monkeypatch):
    """Set everything by which ngspice runs somebody's commands; return the file they would make."""
    mark = plain_folder / "mark"
    scripts = plain_folder / "share" / "scripts"
    scripts.mkdir(parents=True)
    text = f"* commands\nshell touch {mark}\n.control\nshell touch {mark}\n.endc\n"
    for name in ("spinit", "tclspinit", ".spiceinit", "spice.rc"):
        for folder in (scripts, scripts.parent, plain_folder):
            (folder / name).write_text(text)
    for name in ("SPICE_SCRIPTS", "SPICE_LIB_DIR", "SPICE_EXEC_DIR", "SPICE_PATH"):
        monkeypatch.setenv(name, str(scripts if name == "SPICE_SCRIPTS" else scripts.parent))
    for name in ("HOME", "USERPROFILE", "NGSPICE_INPUT_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(plain_folder))
    monkeypatch.setenv("SPICE_ASCIIRAWFILE", "1")
    monkeypatch.chdir(plain_folder)
    return mark


def test_nobodys_commands_are_run(fresh, hostile):
    assert fresh.run(PAPER).ok
    assert not hostile.exists()


def test_the_trap_works(hostile):
    """What the test above looks for is what ngspice does if it is left to itself."""
    Path("deck.cir").write_text("* none\nr1 1 0 1\nv1 1 0 1\n.op\n.end\n")
    subprocess.run(["ngspice", "-b", "deck.cir"], capture_output=True, check=False)
    assert hostile.exists()


def test_what_the_program_inherits(tmp_path, monkeypatch):
    program = tmp_path / "program"
    seen_file = shlex.quote(str(tmp_path / "seen"))
    program.write_text(f"#!/bin/sh\n/usr/bin/env >{seen_file}\npwd >>{seen_file}\n")
    program.chmod(0o755)
    for name in ("SPICE_SCRIPTS", "LC_NUMERIC", "LANG", "LANGUAGE", "SECRET_TOKEN", "BASH_ENV"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/lib")
    NgspiceBatch(str(program)).run(PAPER)
    *lines, folder = (tmp_path / "seen").read_text().splitlines()
    seen = dict(line.split("=", 1) for line in lines)
    assert seen.pop("LC_ALL") == "C"
    assert seen.pop("HOME") == folder
    assert seen.pop("SPICEALIF_RUN") == Path(folder).name
    # PWD, OLDPWD and _ are the shell's own.
    assert set(seen) <= {"PATH", "LD_LIBRARY_PATH", "TMPDIR", "PWD", "OLDPWD", "_", "SHLVL"}


def test_without_a_home(fresh, monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    assert fresh.run(PAPER).ok


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("localedef"), reason="there is no localedef to make a locale")
@pytest.mark.parametrize("language", ["tr_TR", "de_DE"])
def test_in_another_language(fresh, tmp_path, monkeypatch, language):
    """The letter I has another small letter in Turkish; Germans write a decimal comma."""
    made = tmp_path / f"{language}.UTF-8"
    command = ["localedef", "-i", language, "-f", "UTF-8", str(made)]
    if subprocess.run(command, capture_output=True, check=False).returncode > 1:
        pytest.skip(f"localedef cannot make {language}: the package locales is missing")
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    monkeypatch.setenv("LC_ALL", made.name)
    expected = "i" if language == "de_DE" else "\u0131"
    small = "import locale, ctypes; locale.setlocale(locale.LC_ALL, ''); "
    small += "print(chr(ctypes.CDLL(None).towlower(ord('I'))))"
    # The locale is there and is what it is said to be.
    told = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", small], capture_output=True, check=True
    )
    assert told.stdout.decode().strip() == expected
    assert fresh.run(PAPER).ok


def test_modules_from_a_path_added_at_run_time(tmp_path, monkeypatch):
    """What is imported there is what is imported here: a stand-in for spicealif's own folder."""
    (tmp_path / "PySpice.py").write_text("raise ImportError('from the path of ' + 'run time')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SimulatorError, match="from the path of run time"):
        get_simulator("ngspice").run(PAPER)


# --- signals --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGBUS", "SIGXCPU"])
def test_ended_by_a_signal(fresh, name):
    run = simulating(fresh, getattr(signal, name))
    assert run.status is Status.CRASHED
    assert run.status.passing
    # ngspice the program catches this one, says so, and exits with 1.
    caught = fresh.name == "ngspice-batch" and name == "SIGBUS"
    assert (
        "an internal error -- bus error at" if caught else f"was ended by {name}"
    ) in run.message
    assert "reltol" not in run.message
    assert fresh.run(PAPER).ok


@pytest.mark.slow
def test_stopped_and_not_let_go_on(fresh, monkeypatch):
    monkeypatch.setattr(_stopped.StopWatch.__init__, "__defaults__", (0.8,))
    begun = time.monotonic()
    run = simulating(fresh, signal.SIGSTOP)
    assert time.monotonic() - begun < 60
    assert run.status is Status.CRASHED
    assert "was stopped (SIGSTOP), did not go on" in run.message
    assert fresh.run(PAPER).ok


@pytest.mark.slow
def test_stopped_for_a_moment(fresh):
    """Who lets it go on again finds nothing lost."""
    expected = fresh.run(netlist_of(t_stop=1e-3)).require()

    def let_go(number=None):
        for pid in children():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.status() == psutil.STATUS_STOPPED:
                    process.send_signal(signal.SIGCONT)

    timer = threading.Timer(1.5, let_go)
    timer.start()
    sent = []

    def stop(fraction):
        if not sent:
            (pid,) = children()
            sent.append(os.kill(pid, signal.SIGSTOP))

    run = fresh.run(netlist_of(t_stop=1e-3), progress=stop)
    timer.join()
    assert run.ok
    assert (run.waveforms.t_spike == expected.t_spike).all()


def test_a_worker_killed_while_it_starts(monkeypatch, tmp_path):
    dies = f"""
import os, signal
from pathlib import Path
mark = Path({str(tmp_path)!r}, "tries")
mark.write_text(mark.read_text() + "x" if mark.exists() else "x")
if len(mark.read_text()) <= {{}}:
    os.kill(os.getpid(), signal.SIGKILL)
"""
    start = ngspice_shared._START
    monkeypatch.setattr(ngspice_shared, "_START", dies.format(2) + start)
    simulator = get_simulator("ngspice")
    assert simulator.run(PAPER).ok
    simulator.close()
    (tmp_path / "tries").unlink()
    monkeypatch.setattr(ngspice_shared, "_START", dies.format(99) + start)
    with pytest.raises(SimulatorError, match="before it said anything"):
        simulator.run(PAPER)
    assert (tmp_path / "tries").read_text() == "xxx"


# --- threads and forks ----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_second_thread_is_refused():
    simulator = get_simulator("ngspice")
    simulator.run(PAPER)
    caught, runs = [], []

    def other(fraction):
        if not caught:
            for ask in (lambda: simulator.run(PAPER), simulator.start):
                thread = threading.Thread(target=lambda ask=ask: runs.append(attempt(ask)))
                thread.start()
                thread.join()
            caught.append(True)

    def attempt(ask):
        try:
            return ask()
        except SimulatorError as error:
            return str(error)

    assert simulator.run(netlist_of(t_stop=2e-3), progress=other).ok
    assert len(runs) == 2
    assert all("in use by another thread; give each thread one of its own" in r for r in runs)
    assert simulator.run(PAPER).ok
    simulator.close()


@pytest.mark.slow
def test_after_a_fork():
    simulator = get_simulator("ngspice")
    assert simulator.run(PAPER).ok
    ours = worker_of(simulator)
    child = os.fork()
    if not child:
        code = 1
        with contextlib.suppress(BaseException):
            good = simulator.run(PAPER).ok
            code = 0 if good and worker_of(simulator) != ours else 2
            simulator.close()
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert worker_of(simulator) == ours
    assert simulator.run(PAPER).ok
    simulator.close()


# --- disks ----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(small_disk, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    simulator = NgspiceBatch()
    run = simulator.run(netlist_of(t_stop=1e-3))
    assert run.status is Status.NO_ROOM
    assert run.status.passing
    assert "No space left on device" in run.message
    assert "TMPDIR" in run.message
    assert "reltol" not in run.message
    assert not list(small_disk.iterdir())
    # From the first byte on.
    (small_disk / "ballast").write_bytes(bytes(290 << 10))
    with contextlib.suppress(OSError), (small_disk / "more").open("wb", buffering=0) as file:
        while file.write(bytes(512)):
            pass
    with pytest.raises(SimulatorError, match="TMPDIR"):
        simulator.run(PAPER)
    for name in ("ballast", "more"):
        (small_disk / name).unlink()
    assert simulator.run(PAPER).ok


@pytest.mark.slow
def test_room_that_came_back(monkeypatch, tmp_path):
    """The disk was full while ngspice wrote, and is not when we look."""
    monkeypatch.chdir(tmp_path)  # where it is asked for its version, it leaves its files too
    cut = '#!/bin/sh\nngspice "$@"\ncode=$?\n'
    for what in ("truncate -s 100000 out.raw", ": >out.raw; : >out.log"):
        with PrivateFolder() as folder:
            program = Path(folder, "cutting")
            program.write_text(f"{cut}{what}\nexit $code\n")
            program.chmod(0o755)
            run = NgspiceBatch(str(program)).run(netlist_of(t_stop=1e-3))
        assert run.status is Status.NO_ROOM
        assert "cut off, as on a disk that was full" in run.reason


def test_a_limit_of_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        run = NgspiceBatch().run(netlist_of(t_stop=1e-3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert run.status is Status.NO_ROOM
    assert "ulimit -f" in run.message


@pytest.mark.slow
def test_too_many_open_files(fresh):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fresh.run(PAPER)
    fresh.close()
    files = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                files.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises(SimulatorError, match=r"Too many open files.*; "):
            fresh.run(PAPER)
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert fresh.run(PAPER).ok


# --- what is left ---------------------------------------------------------------------------------

OWNER = """
import os, subprocess, sys, time
from pathlib import Path
from spicealif.simulators.process.environment import ngspice_environment
from spicealif.simulators.process.folders import PrivateFolder
folder = PrivateFolder()
child = subprocess.Popen(["sleep", "300"], env=ngspice_environment(Path(folder.name)))
print(folder.name, child.pid, flush=True)
time.sleep(300)
"""


@pytest.fixture
def owner(tmp_path):
    """Return a process that owns a folder and has a child; both are ended whatever happens.

    Another test would take what a failure leaves for its own.
    """
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER], env=environment, stdout=subprocess.PIPE, text=True
    )
    process.line = process.stdout.readline()
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
    yield process
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.kill()
    process.wait()
    process.stdout.close()


def test_a_folder_that_is_being_removed_is_not_taken(tmp_path, monkeypatch):
    """Another process may find a new folder before its maker has locked it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    make, names, locks = tempfile.mkdtemp, [], []

    def found_by_another(**kw):
        names.append(make(**kw))
        if len(names) == 1:
            locks.append(os.open(names[0], os.O_RDONLY))
            fcntl.flock(locks[0], fcntl.LOCK_EX)
        return names[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", found_by_another)
    try:
        with PrivateFolder() as name:
            assert [name] == names[1:]
    finally:
        os.close(locks[0])


def test_leftovers_of_a_dead_owner(owner, tmp_path):
    # A blank may be in the path.
    name, pid = owner.line.rstrip("\n").rsplit(" ", 1)
    (tmp_path / "spicealif-not-ours").mkdir()
    (tmp_path / "spicealif-1-link").symlink_to(tmp_path / "spicealif-not-ours")
    # While it lives nothing of its is touched, whatever its process number is here.
    other = Path(name).rename(tmp_path / "spicealif-99999999-abc")
    assert clear_leftovers(tmp_path) == 0
    other.rename(name)
    owner.kill()
    owner.wait()
    assert Path(name).is_dir()
    assert psutil.pid_exists(int(pid))
    assert clear_leftovers(tmp_path) == 1
    assert not Path(name).exists()
    assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == "zombie"
    assert (tmp_path / "spicealif-not-ours").is_dir()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give away")
def test_leftovers_of_another_user(tmp_path):
    theirs = tmp_path / "spicealif-99999999-abc"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    assert clear_leftovers(tmp_path) == 0
    os.chown(theirs, 0, 0)
    assert clear_leftovers(tmp_path) == 1


def test_a_forked_child_takes_no_folder_away():
    folder = PrivateFolder()
    child = os.fork()
    if not child:
        folder.cleanup()
        os._exit(0)
    os.waitpid(child, 0)
    assert Path(folder.name).is_dir()
    folder.cleanup()
    assert not Path(folder.name).exists()


RUNNING = """
import sys
from spicealif import load_preset, simulate
simulate(load_preset("paper").replace(t_stop=1.0), sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("stopped", [False, True])
def test_no_orphans(name, stopped, tmp_path):
    """kill -9 of the program that simulates, its simulator running or stopped."""
    owner = subprocess.Popen(
        [sys.executable, "-c", RUNNING, name], env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    word = "ngspice._worker" if name == "ngspice" else "out.raw"
    simulator = None
    end = time.monotonic() + 60
    while simulator is None and time.monotonic() < end and owner.poll() is None:
        time.sleep(0.05)
        for process in psutil.Process(owner.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if word in " ".join(process.cmdline()) and sum(process.cpu_times()[:2]) > 0.5:
                    simulator = process
    assert simulator is not None
    if stopped:
        simulator.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
    owner.kill()
    owner.wait()
    end = time.monotonic() + 10
    while alive(simulator) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(simulator)
    clear_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())


def alive(process):
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_run_that_fails_says_what_the_log_says():
    """A signal is no excuse where the netlist is to blame: ngspice ends by itself."""
    text = PAPER.text.replace(".tran", ".nosuch")
    run = NgspiceBatch().run(replace(PAPER, text=text))
    assert run.status is Status.REJECTED
    assert not run.status.passing
