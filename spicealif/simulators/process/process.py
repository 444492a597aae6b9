"""Running another program so that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spicealif.simulators.process.guard import NO_PROGRAM, guarded_command, guarding
from spicealif.simulators.process.stopped import StopWatch
from spicealif.simulators.process.windows_job import end_with_us

if TYPE_CHECKING:
    from spicealif.simulators.process.tree import ProcessTree

__all__ = ["Finished", "NotStarted", "kill_group", "run_program"]

#: How often a running program is looked at, s; the first looks are closer together.
_POLL_MAX = 0.1
#: How often it is checked whether a program does anything, s; that looks at all processes.
_IDLE_POLL = 2.0
#: A process that waits for a person still draws its window: less CPU than this fraction is idle.
_IDLE_SHARE = 0.005


class NotStarted(Exception):
    """A program cannot be started; the text says why.

    No OSError: the caller's `poll` may raise one, which is none of the program's.
    """


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes
    ----------
    exit_code : int
        Negative if it did not end by itself: the signal that ended it, or on Windows the
        exception's code as a signed number.
    cpu_s : float
        CPU time of the program and its children in s.
    timed_out : bool
        Whether it was killed at the timeout.
    idle : bool
        Whether it was killed because it did nothing for too long.
    stragglers : bool
        Whether something that it had started outlived it and was killed.
    suspended : bool
        Whether it was killed because somebody had stopped it (SIGSTOP) and it did not go on.
    """

    exit_code: int
    cpu_s: float
    timed_out: bool
    idle: bool = False
    stragglers: bool = False
    suspended: bool = False

    @property
    def stopped(self) -> bool:
        """Whether it was killed by us."""
        return self.timed_out or self.idle or self.suspended


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    timeout: float | None,
    poll: Callable[[], None] | None = None,
    environment: Mapping[str, str] | None = None,
    tree: ProcessTree | None = None,
    idle_limit: float | None = None,
) -> Finished:
    """Run a program in its own process group and wait for it.

    It does not outlive this process, see `guard`.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    folder : Path
        Working directory.
    timeout : float or None
        Seconds after which the program and all its children are killed.
    poll : callable, optional
        Called a few times a second while the program runs.
    environment : mapping, optional
        The program's environment; ours if not given.
    tree : ProcessTree, optional
        Finds and kills processes that left the program's group; without it the group is killed.
    idle_limit : float, optional
        Seconds after which a program is killed that neither computes nor writes; needs `tree`.

    Returns
    -------
    Finished

    Raises
    ------
    NotStarted
        If the program cannot be started.
    """
    start = time.monotonic()
    if tree is not None:
        environment = tree.marked(os.environ if environment is None else environment)
    elif not os.access(command[0], os.X_OK):
        raise NotStarted("it is not there, or no program")
    with guarding(folder, tree=tree is not None):
        process = _started(command if tree else guarded_command(command), folder, environment)
        timed_out = idle = suspended = False
        pause = 0.002
        waiter, stop_watch = _Waiter(process, tree), StopWatch(process.pid)
        try:
            watch = None
            if tree and idle_limit:
                watch = _IdleWatch(tree, process.pid, folder, idle_limit)
            while not waiter.ended():
                timed_out = timeout is not None and time.monotonic() - start > timeout
                idle = not timed_out and watch is not None and watch.too_long()
                suspended = not timed_out and stop_watch.too_long()
                if timed_out or idle or suspended:
                    # Of killed children nobody gives account, so theirs is taken before.
                    used = tree.cpu_seconds(process.pid) if tree is not None else 0.0
                    _kill(process, tree)
                    waiter.wait()
                    waiter.cpu_s = max(waiter.cpu_s, used)
                    break
                if poll is not None:
                    poll()
                time.sleep(pause)
                pause = min(pause * 1.5, _POLL_MAX)
            stragglers = tree is not None and tree.tidy()
        except BaseException:
            # Ours, the poll's or the user's: whatever it is, nothing may be left.
            _kill(process, tree)
            process.wait()
            raise
    code = _exit_code(process.returncode)
    if tree is None and code in NO_PROGRAM:
        raise NotStarted("it cannot be executed")
    return Finished(code, waiter.cpu_s, timed_out, idle, stragglers, suspended)


def _started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    # A group of its own: a Ctrl-C in the terminal reaches us alone, and the whole group can be
    # killed. In our session all the same: if we die while it is stopped, the kernel then ends it.
    try:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=None if sys.platform == "win32" else 0,
        )
    except OSError as error:
        raise NotStarted(error.strerror or type(error).__name__) from None
    end_with_us(process)
    return process


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group, if they are still there; on Windows, the process alone."""
    if sys.platform == "win32":
        process.kill()
        return
    # Not Popen.kill, which would take the exit code of a process that has just died, and with it
    # what its waiter has to tell.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        # On macOS a group of which only zombies are left answers so.
        pass


def _kill(process: subprocess.Popen[bytes], tree: ProcessTree | None) -> None:
    if tree is not None:
        tree.kill(process.pid if process.returncode is None else None)
    if process.returncode is None:
        kill_group(process)


def _exit_code(code: int) -> int:
    """Make the code of an exception that ended a program on Windows negative."""
    # 0xC0000005 and its like, 0xE06D7363 (C++), 0xE0434352 (.NET); 0xFFFFFFFF is exit(-1).
    return code - (1 << 32) if 0xC0000000 <= code < 0xF0000000 else code


class _Waiter:
    """Waits for a process and learns its CPU time."""

    def __init__(self, process: subprocess.Popen[bytes], tree: ProcessTree | None) -> None:
        self.process = process
        self.tree = tree
        self.cpu_s = 0.0

    def ended(self) -> bool:
        return self._look(wait=False)

    def wait(self) -> None:
        self._look(wait=True)

    def _look(self, *, wait: bool) -> bool:
        if sys.platform == "win32":
            # Windows keeps no account of a process that has ended. Its descendants alone: to look
            # at all processes for the run's mark takes too long for each look.
            if self.tree is not None:
                used = self.tree.cpu_seconds(self.process.pid, marked=False)
                self.cpu_s = max(self.cpu_s, used)
            if wait:
                self.process.wait()
            return self.process.poll() is not None
        # wait4 instead of Popen.wait, because it tells the CPU time of this child alone.
        pid, status, usage = os.wait4(self.process.pid, 0 if wait else os.WNOHANG)
        if not pid:
            return False
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_s = usage.ru_utime + usage.ru_stime
        return True


class _IdleWatch:
    """Tells when a program has neither computed nor written for too long."""

    def __init__(self, tree: ProcessTree, pid: int, folder: Path, limit: float) -> None:
        self.tree, self.pid, self.folder, self.limit = tree, pid, folder, limit
        self.looked = self.busy = time.monotonic()
        self.seen = self._sign()

    def too_long(self) -> bool:
        now = time.monotonic()
        if now - self.looked < min(_IDLE_POLL, self.limit / 4):
            return False
        (cpu, sizes), (old_cpu, old_sizes) = self._sign(), self.seen
        # CPU time is compared since the last sign of life, so that a trickle is no such sign.
        # One that fell is of other processes: some have ended.
        active = cpu < old_cpu or cpu - old_cpu > _IDLE_SHARE * max(now - self.busy, 1.0)
        if sizes != old_sizes or active:
            self.seen, self.busy = (cpu, sizes), now
        self.looked = now
        return now - self.busy > self.limit

    def _sign(self) -> tuple[float, tuple[tuple[str, int], ...]]:
        sizes = []
        try:
            for path in self.folder.iterdir():
                # Not os.scandir's, which on Windows are late with files that are being written.
                sizes.append((path.name, path.stat().st_size))
        except OSError:
            pass  # a file that went away while we looked
        return self.tree.cpu_seconds(self.pid), tuple(sorted(sizes))
