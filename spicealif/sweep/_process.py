"""One worker process of a sweep: how it is started, asked, watched and ended; see `pool`."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys

from spicealif.errors import SweepError
from spicealif.simulators.process.environment import python_path
from spicealif.simulators.process.stopped import StopWatch
from spicealif.sweep.worker import Job, Value

__all__ = ["WorkerProcess"]

#: Seconds that a worker has to end what it has started, before it is killed.
_GRACE = 3.0
#: What a worker runs. Not ``-m``, which would look for modules in the working directory first.
_START = """
import sys
sys.path[:] = sys.argv[1:]
try:
    from spicealif.sweep.worker import serve
except BaseException as error:
    print("spicealif", type(error).__name__, ascii(str(error)))
else:
    serve()
"""


class WorkerProcess:
    """A process that computes the jobs it is sent, see `worker.serve`."""

    def __init__(self) -> None:
        # The workers are as many as the cores, so that threads inside them only get in the way.
        environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, *python_path()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                # Ctrl-C, which a terminal sends to its foreground group, is for the parent. No
                # session of its own: the kernel then ends it if it is stopped and we die.
                process_group=None if sys.platform == "win32" else 0,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            raise SweepError(
                f"A worker process cannot be started ({error.strerror}); check that "
                f"{ascii(sys.executable)} can be run, and that there is memory for it."
            ) from None
        self._watch = StopWatch(self._process.pid)
        #: How it came to its end, if it did not end by itself.
        self.ending = "died"

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def killed(self) -> bool:
        """Whether a signal ended it."""
        return (self._process.returncode or 0) < 0

    def look(self) -> None:
        """End it if it was stopped and does not go on, which whoever waits for it then notices."""
        if self._watch.too_long() and self.alive():
            self.ending = "was stopped (SIGSTOP) and did not go on"
            self._process.kill()

    def first_word(self) -> str:
        """Return `READY`, or why it does not start."""
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            # A user's own start-up file may have printed something first.
            for line in self._process.stdout:
                greeting, _, word = line.decode("ascii", "replace").strip().partition(" ")
                if greeting == "spicealif" and word:
                    return word
        return "it ended before it said anything"

    def ask(self, job: Job) -> list[Value]:
        """Return the values of a job's points; what the pipe raises if it dies with them."""
        assert self._process.stdin is not None and self._process.stdout is not None
        pickle.dump(job, self._process.stdin)
        self._process.stdin.flush()
        values: list[Value] = pickle.load(self._process.stdout)
        return values

    def hang_up(self) -> None:
        """Tell it to end itself and whatever it has started."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.close()

    def end(self) -> None:
        """Wait until it has ended itself, and kill it if that takes long."""
        self.hang_up()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Close what is left of it; only when no thread reads from it any more."""
        if self._process.stdout is not None:
            self._process.stdout.close()
