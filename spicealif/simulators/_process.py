"""Running another program so that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Finished", "kill_group", "run_program"]

#: How often a running program is looked at, s; the first looks are closer together.
_POLL_MAX = 0.1


@dataclass(frozen=True)
class Finished:
    """How a program ended: exit code (negative: the signal), CPU time in s."""

    exit_code: int
    cpu_s: float
    timed_out: bool


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    timeout: float | None,
    poll: Callable[[], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program in its own session and wait for it.

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

    Returns
    -------
    Finished

    Raises
    ------
    OSError
        If the program cannot be started.
    """
    start = time.perf_counter()
    # A session of its own: a Ctrl-C in the terminal reaches us alone, and the whole tree can be
    # killed by its group.
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    timed_out = False
    pause = 0.002
    try:
        while True:
            # wait4 instead of Popen.wait, because it tells the CPU time of this child alone.
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            elapsed = time.perf_counter() - start
            if timeout is not None and elapsed > timeout:
                timed_out = True
                kill_group(process.pid)
                _, status, usage = os.wait4(process.pid, 0)
                break
            if poll is not None:
                poll()
            time.sleep(pause)
            pause = min(pause * 1.5, _POLL_MAX)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            kill_group(process.pid)
            process.wait()
    return Finished(
        process.returncode,
        usage.ru_utime + usage.ru_stime,
        timed_out,
    )


def kill_group(pid: int) -> None:
    """Kill the process `pid` and its group, if they are still there."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        # On macOS a group of which only zombies are left answers so.
        pass
