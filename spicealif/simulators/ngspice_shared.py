"""ngspice as a shared library, through PySpice, in a disposable worker process."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from spicealif.errors import SimulatorError, SimulatorNotFound
from spicealif.netlist import Netlist
from spicealif.simulators._common import Output, check_timeout, finish, private_folder
from spicealif.simulators._process import kill_group
from spicealif.simulators.run import Progress, Run, Status

__all__ = ["NgspiceShared"]

INSTALL = "install it with: apt-get install libngspice0"
#: Seconds a worker has to start, and to hand over its data after a halt, before it is killed.
_START_GRACE = 60.0
_HALT_GRACE = 10.0
#: Longest single wait, s: the system call takes no infinite or very long one.
_LONGEST_WAIT = 3600.0


class NgspiceShared:
    """The shared library ``libngspice`` in a worker process that is kept warm between runs.

    The worker is killed after a timeout and after any run that is not OK, because the library
    then may carry state into the next run. Not to be shared between threads.

    Parameters
    ----------
    cross_check : bool
        Not to be had here, since there is no raw file.

    Raises
    ------
    SimulatorError
        If `cross_check` is asked for.
    """

    name = "ngspice"
    dialect = "ngspice"

    def __init__(self, *, cross_check: bool = False) -> None:
        if cross_check:
            raise SimulatorError(
                "The simulator ngspice hands its data over in memory, so there is no raw file for "
                "two readers; use ngspice-batch or ltspice to cross-check."
            )
        self._worker: _Worker | None = None

    @property
    def version(self) -> str:
        """The library's version, such as ``"ngspice-39"``.

        Raises
        ------
        SimulatorNotFound
            If the library is not on this machine.
        """
        return self._started().version()

    def start(self) -> None:
        """Start the worker without waiting for it, so that it is ready when it is needed."""
        self._started()

    def run(
        self, netlist: Netlist, *, timeout: float | None = None, progress: Progress | None = None
    ) -> Run:
        """Run a netlist.

        Parameters
        ----------
        netlist : Netlist
            In the dialect ngspice.
        timeout : float, optional
            Seconds of wall time after which the run is halted; what it has computed is kept.
        progress : callable, optional
            Called with the fraction done.

        Returns
        -------
        Run

        Raises
        ------
        SimulatorNotFound
            If the library is not on this machine.
        SimulatorError
            If the timeout is not positive, or there is no room for temporary files.
        """
        check_timeout(timeout)
        start = time.perf_counter()
        worker = self._started()
        try:
            version = worker.version()
            answer = worker.run(netlist.text, timeout, progress)
        except BaseException:
            self.close()
            raise
        run = finish(netlist, self.name, version, answer, start)
        if not run.ok:
            self.close()
        return run

    def close(self) -> None:
        """Kill the worker, if there is one; the next run starts another."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def _started(self) -> _Worker:
        if self._worker is None or not self._worker.alive():
            self.close()
            self._worker = _Worker()
        return self._worker


class _Worker:
    """The parent's end of one worker process."""

    def __init__(self) -> None:
        # Private and empty: ngspice looks for .spiceinit in its working directory.
        folder = private_folder()
        ours, theirs = socket.socketpair()
        environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
        try:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "spicealif.simulators._ngspice_worker",
                    str(theirs.fileno()),
                ],
                pass_fds=[theirs.fileno()],
                cwd=folder.name,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            folder.cleanup()
            raise SimulatorError(
                f"The ngspice worker cannot be started ({error.strerror}); check that "
                f"{sys.executable!r} can be run."
            ) from None
        finally:
            theirs.close()
        self._process = process
        self._connection: Connection[Any, Any] = Connection(ours.detach())
        self._version: str | None = None
        self._finalizer = weakref.finalize(self, _end, process, self._connection, folder)

    def alive(self) -> bool:
        return self._finalizer.alive and self._process.poll() is None

    def kill(self) -> None:
        self._finalizer()

    def version(self) -> str:
        if self._version is None:
            kind, detail = self._first_word()
            if kind == "broken":
                self.kill()
                raise SimulatorError(
                    f"The ngspice worker does not start ({detail}); install spicealif again, or "
                    "use the simulator ngspice-batch."
                )
            if kind != "ready":
                self.kill()
                raise SimulatorNotFound(
                    f"ngspice's shared library cannot be loaded ({detail}); {INSTALL}, or set "
                    "NGSPICE_LIBRARY_PATH to its file."
                )
            self._version = detail
        return self._version

    def _first_word(self) -> tuple[str, str]:
        with contextlib.suppress(EOFError, OSError):
            if self._connection.poll(_START_GRACE):
                kind, detail = self._connection.recv()
                return kind, detail
        return "broken", "its process ended before it said anything"

    def run(self, text: str, timeout: float | None, progress: Progress | None) -> Output:
        answer = Output()
        # The callback is called out here, so that its exceptions are not taken for the worker's.
        for percent in self._percents(text, timeout, answer):
            if progress is not None:
                progress(min(max(percent / 100, 0.0), 1.0))
        return answer

    def _percents(self, text: str, timeout: float | None, answer: Output) -> Iterator[float]:
        """Run `text`, give the progress as it comes, and fill `answer` in the end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            self._connection.send(("run", text))
            while True:
                left = _LONGEST_WAIT if deadline is None else deadline - time.monotonic()
                if not self._connection.poll(min(max(left, 0.0), _LONGEST_WAIT)):
                    if deadline is None or time.monotonic() < deadline:
                        continue
                    if answer.stopped:
                        answer.exit_code = None  # it did not even halt
                        return
                    answer.stopped = Status.TIMEOUT
                    self._connection.send(("halt",))
                    deadline = time.monotonic() + _HALT_GRACE
                    continue
                word = self._connection.recv()
                if word[0] == "progress":
                    yield word[1]
                    continue
                _, halted, answer.log, answer.cpu_s, shape = word
                answer.stopped = Status.TIMEOUT if halted else None
                for name, length in shape:
                    values = np.empty(length)
                    self._connection.recv_bytes_into(memoryview(values.data).cast("B"))
                    answer.columns[name] = values
                return
        except (EOFError, OSError):
            answer.exit_code = None


def _end(
    process: subprocess.Popen[bytes],
    connection: Connection[Any, Any],
    folder: tempfile.TemporaryDirectory[str],
) -> None:
    kill_group(process)
    process.wait()
    connection.close()
    with contextlib.suppress(OSError):
        folder.cleanup()
