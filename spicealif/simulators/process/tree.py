"""A program and everything that it started, wherever that went.

A process group is not enough: a program can start others in sessions of their own, as Wine does
with Windows programs. What they all keep is the environment that they were started with, so it
carries a mark.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath

import psutil

from spicealif.simulators.process.environment import MARK

__all__ = ["ProcessTree"]

#: Processes that serve every program of a Wine prefix. The first program to come starts them, so
#: they carry its mark; killing them would take other runs down. They end by themselves, a few
#: seconds after the last program.
_SHARED = frozenset(
    {
        *("wineserver", "wineserver64", "wineserver32", "services.exe", "winedevice.exe"),
        *("plugplay.exe", "svchost.exe", "rpcss.exe", "explorer.exe", "wineboot.exe"),
        *("winemenubuilder.exe", "rundll32.exe"),  # of wineboot, which waits for them
    }
)
#: Wine's loader is called so until its Windows program begins.
_LOADERS = frozenset({"wine", "wine64", "wine-preloader", "wine64-preloader"})
#: The first program of a prefix waits for Wine to be started; if it is killed meanwhile, all others
#: of the prefix wait for minutes. How long it is left alone, s; it takes less than a second.
_BOOT = 30.0
#: How long a process may take to end when it is asked to, s: a virtual screen then removes its
#: lock and its folder.
_GRACE = 0.3
#: A process may start another while its tree is being killed; so long it is tried again, s.
_PATIENCE = 5.0
#: How long what outlives the program may take to end by itself, s.
_LINGER = 2.0


class ProcessTree:
    """The processes of one run.

    Parameters
    ----------
    mark : str, optional
        What the run's processes have in their environment, such as its folder; something that
        nobody else has if not given.

    Notes
    -----
    A process is of the run if it descends from the program, or if it was started with an
    environment that holds the run's mark. The mark is found on Linux, macOS and Windows for
    processes of the same user; descendants are found everywhere.
    """

    def __init__(self, mark: str | None = None) -> None:
        self.mark = mark or secrets.token_hex(16)

    def marked(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment with the run's mark."""
        return {**environment, MARK: self.mark}

    def cpu_seconds(self, pid: int, *, marked: bool = True) -> float:
        """Return the CPU time of the run's living processes.

        Parameters
        ----------
        pid : int
            The program.
        marked : bool
            Whether to count processes too that do not descend from the program: Wine's bottles
            start such. It means looking at all processes of the machine.

        Returns
        -------
        float
            In s.
        """
        total = 0.0
        for process in self.members(pid) if marked else self._descendants(pid):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                # What has ended is counted by its parent, on POSIX.
                total += sum(times[:2]) + sum(times[2:4])
        return total

    def members(self, pid: int | None = None) -> list[psutil.Process]:
        """Return the run's living processes; with `pid`, its descendants without a mark too."""
        found = {p.pid: p for p in self._marked()}
        if pid is not None:
            found |= {p.pid: p for p in self._descendants(pid)}
        return [p for p in found.values() if not _shared(p) and _alive(p)]

    def kill(self, pid: int | None = None) -> None:
        """End every process of the run, with `pid` its descendants too: asked once, then killed."""
        boot = time.monotonic() + _BOOT
        while any(map(_starting, self.members(pid))) and time.monotonic() < boot:
            time.sleep(0.05)
        end = time.monotonic() + _PATIENCE
        asked = False
        while members := self.members(pid):
            for process in members:
                with contextlib.suppress(psutil.Error):
                    if asked:
                        process.kill()
                    else:
                        process.terminate()
            _wait(members, _GRACE)
            asked = True
            if time.monotonic() > end:
                return

    def tidy(self) -> bool:
        """Wait a little for what outlived the program, then kill it; return whether it had to."""
        end = time.monotonic() + _LINGER
        while members := self.members():
            _wait(members, min(_GRACE, _LINGER))
            if time.monotonic() > end:
                self.kill()
                return True
        return False

    def _marked(self) -> Iterator[psutil.Process]:
        # Not process_iter: its table is shared by all threads.
        for pid in psutil.pids():
            with contextlib.suppress(psutil.Error, OSError):
                process = psutil.Process(pid)
                if process.environ().get(MARK) == self.mark:
                    yield process

    @staticmethod
    def _descendants(pid: int) -> list[psutil.Process]:
        try:
            root = psutil.Process(pid)
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []


def _wait(processes: list[psutil.Process], limit: float) -> None:
    """Wait until all have ended, or `limit` s.

    Without psutil's own waiting, which would take the program's exit code from us.
    """
    end = time.monotonic() + limit
    pause = 0.001
    while any(map(_alive, processes)) and time.monotonic() < end:
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _shared(process: psutil.Process) -> bool:
    try:
        # In its first moments each is called "wine64"; what it will be stands behind that.
        words = [process.name(), *process.cmdline()[:3]]
    except psutil.Error:
        return False
    return any(PureWindowsPath(word).name.lower() in _SHARED for word in words)


def _starting(process: psutil.Process) -> bool:
    """Whether a process is Wine's loader, with its Windows program not begun yet."""
    # Only Linux has it change its name when that begins. A script called "wine" is no loader.
    if sys.platform != "linux":
        return False
    try:
        return process.name() in _LOADERS and Path(process.exe()).name in _LOADERS
    except psutil.Error:
        return False
