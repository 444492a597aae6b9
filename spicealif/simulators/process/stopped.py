"""Telling a process that was stopped (SIGSTOP) from one that computes for a long time."""

from __future__ import annotations

import sys
import time
from pathlib import Path

__all__ = ["STOP_LIMIT", "StopWatch"]

#: Seconds after which a stopped process is given up.
STOP_LIMIT = 5.0
#: Seconds between two looks, and between two looks at most if we were not stopped ourselves.
_LOOK, _GAP = 0.25, 2.0


class StopWatch:
    """Tells when a process has been stopped for too long.

    A process that computes runs or waits, whatever it computes; one that was stopped does neither
    until somebody lets it go on, and the kernel says which it is. Time counts only while we look:
    who stops a whole batch job, us among it, and later goes on with it finds everything in place.

    Parameters
    ----------
    pid : int
        The process.
    limit : float
        In s.
    """

    def __init__(self, pid: int, limit: float = STOP_LIMIT) -> None:
        self.pid, self.limit = pid, limit
        self._looked = time.monotonic()
        self._stopped = 0.0

    def too_long(self) -> bool:
        """Return whether it has been stopped for the limit; to be called several times a second."""
        now = time.monotonic()
        passed = now - self._looked
        if passed < _LOOK:
            return False
        self._looked = now
        if not _is_stopped(self.pid):
            self._stopped = 0.0
        else:
            self._stopped += passed if passed < _GAP else 0.0
        return self._stopped >= self.limit


def _is_stopped(pid: int) -> bool:
    if sys.platform == "linux":
        try:
            # The name may hold anything; the state is the first word behind its bracket.
            text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except OSError:
            return False
        return text.rpartition(")")[2].split()[:1] == ["T"]
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
