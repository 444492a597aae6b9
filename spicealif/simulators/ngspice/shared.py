"""ngspice as a shared library, through PySpice, in a disposable worker process."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from spicealif.errors import SimulatorError, SimulatorNotFound
from spicealif.netlist import Netlist
from spicealif.simulators._common import (
    SUSPENDED,
    Output,
    check_timeout,
    death,
    finish,
    private_folder,
)
from spicealif.simulators.process.environment import ngspice_environment, python_path
from spicealif.simulators.process.folders import PrivateFolder
from spicealif.simulators.process.process import kill_group
from spicealif.simulators.process.stopped import StopWatch
from spicealif.simulators.process.turn import Turn
from spicealif.simulators.run import Progress, Run, Status

__all__ = ["NgspiceShared"]

INSTALL = (
    "take the simulator 'equations', which needs none, or install it with: "
    "apt-get install libngspice0"
)
#: Seconds a worker has to start, and to hand over its data after a halt, before it is killed.
_START_GRACE = 60.0
_HALT_GRACE = 10.0
#: Seconds that a worker whose socket has closed may take to be gone.
_EXIT_GRACE = 2.0
#: Longest single wait, s; then it is looked whether the worker is stopped.
_LONGEST_WAIT = 0.5
#: How often a worker is started that was killed before it could say anything.
_STARTS = 3
#: What the worker's Python runs; see `spicealif.sweep._process`.
_START = """
import sys
sys.path[:] = sys.argv[2:]
from spicealif.simulators.ngspice._worker import main
main(int(sys.argv[1]))
"""


class NgspiceShared:
    """The shared library ``libngspice`` in a worker process that is kept warm between runs.

    The worker is killed after a timeout and after any run that is not OK, because the library
    then may carry state into the next run. One thread at a time: a second one is refused. After a
    fork the child has a worker of its own.

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
        self._turn = Turn(self.name)

    @property
    def version(self) -> str:
        """The library's version, such as ``"ngspice-39"``.

        Raises
        ------
        SimulatorNotFound
            If the library is not on this machine.
        SimulatorError
            If another thread is using it, and the version is not known yet.
        """
        worker = self._worker
        if worker is not None and worker.told and not self._turn.forked:
            return worker.version()
        with self._alone():
            return self._ready().version()

    def start(self) -> None:
        """Start the worker without waiting for it, so that it is ready when it is needed."""
        with self._alone():
            self._started()

    def run(
        self, netlist: Netlist, *, timeout: float | None = None, progress: Progress | None = None
    ) -> Run:
        """Run a netlist in the dialect ngspice; see `Simulator.run`.

        A second thread that asks for a run meanwhile gets a `SimulatorError`.
        """
        check_timeout(timeout)
        start = time.perf_counter()
        with self._alone():
            try:
                if self._worker is not None and self._worker.mode not in (
                    None,
                    netlist.compatibility,
                ):
                    self.close()  # another mode reads expressions differently
                worker = self._ready()
                version = worker.version()
                answer = worker.run(netlist.text, timeout, progress, netlist.compatibility)
            except BaseException:
                self.close()
                raise
            answer.timeout = timeout
            run = finish(netlist, self.name, version, answer, start)
            if not run.ok:
                self.close()
        return run

    def close(self) -> None:
        """Kill the worker, if there is one; the next run starts another."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Refuse a second thread; after a fork begin anew, since the worker is the parent's."""
        if self._turn.forked:
            self._worker = None
        with self._turn.taken():
            yield

    def _ready(self) -> _Worker:
        """Return a worker that has said that it is ready; raise `SimulatorError` if none does."""
        for _ in range(_STARTS - 1):
            worker = self._started()
            if worker.begins():
                return worker
            self.close()
        worker = self._started()
        worker.version()
        return worker

    def _started(self) -> _Worker:
        if self._worker is None or not self._worker.alive():
            self.close()
            self._worker = _Worker()
        return self._worker


#: What a worker "says" that died first, or was stopped.
_SILENT = ("broken", "its process ended before it said anything")


class _Worker:
    """The parent's end of one worker process."""

    def __init__(self) -> None:
        # Private and empty: ngspice looks for .spiceinit in its working directory.
        folder = private_folder()
        with contextlib.ExitStack() as undo:
            undo.callback(folder.cleanup)
            try:
                ours, theirs = socket.socketpair()
                with theirs:
                    undo.callback(ours.close)
                    # A worker that is stopped in the middle of its data must not hold us for ever.
                    wait = struct.pack("@ll", int(_HALT_GRACE), 0)
                    for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                        ours.setsockopt(socket.SOL_SOCKET, way, wait)
                    process = _process(theirs.fileno(), Path(folder.name))
            except OSError as error:
                raise SimulatorError(
                    f"The ngspice worker cannot be started ({error.strerror}); check that "
                    f"{ascii(sys.executable)} can be run, and that there is memory for it."
                ) from None
            undo.pop_all()
        self._process = process
        self._connection: Connection[Any, Any] = Connection(ours.detach())
        self._version: str | None = None
        self.mode: str | None = None
        self._watch = StopWatch(process.pid)
        self._word: tuple[str, str] | None = None
        parts = process, self._connection, folder, os.getpid()
        self._finalizer = weakref.finalize(self, _end, *parts)

    def alive(self) -> bool:
        return self._finalizer.alive and self._process.poll() is None

    def kill(self) -> None:
        self._finalizer()

    def begins(self) -> bool:
        """Return whether it has said anything: it may have been killed, by whomever, before."""
        return self._first_word() != _SILENT

    @property
    def told(self) -> bool:
        """Whether its version is known, so that nothing has to be waited for."""
        return self._version is not None

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
        if self._word is None:
            self._word = _SILENT
            end = time.monotonic() + _START_GRACE
            with contextlib.suppress(EOFError, OSError):
                while time.monotonic() < end and not self._watch.too_long():
                    if self._connection.poll(_LONGEST_WAIT):
                        self._word = self._connection.recv()
                        break
        return self._word

    def run(
        self, text: str, timeout: float | None, progress: Progress | None, mode: str = ""
    ) -> Output:
        answer = Output()
        self.mode = mode
        # The callback is called out here, so that its exceptions are not taken for the worker's.
        for percent in self._percents(text, timeout, answer):
            if progress is not None:
                progress(min(max(percent / 100, 0.0), 1.0))
        return answer

    def _percents(self, text: str, timeout: float | None, answer: Output) -> Iterator[float]:
        """Run `text`, give the progress as it comes, and fill `answer` in the end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            self._connection.send(("run", text, self.mode))
            while True:
                left = _LONGEST_WAIT if deadline is None else deadline - time.monotonic()
                if not self._connection.poll(min(max(left, 0.0), _LONGEST_WAIT)):
                    if self._watch.too_long():
                        answer.exit_code, answer.died = None, SUSPENDED
                        return
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
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_EXIT_GRACE)
            answer.died = death(self._process.returncode, "The ngspice worker")
            if not answer.died:
                # The library ends its process when it cannot go on, for want of memory mostly.
                answer.died = f"The ngspice worker ended with exit code {self._process.returncode}"


def _process(descriptor: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # Not -m, which would look for modules in the working directory first.
        [sys.executable, "-c", _START, str(descriptor), *python_path()],
        pass_fds=[descriptor],
        cwd=folder,
        env=ngspice_environment(folder, python=True),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Not a session of its own, see `spicealif.simulators.process.process`.
        process_group=None if sys.platform == "win32" else 0,
    )


def _end(
    process: subprocess.Popen[bytes],
    connection: Connection[Any, Any],
    folder: PrivateFolder,
    owner: int,
) -> None:
    connection.close()
    if owner != os.getpid():  # a forked child ends; the worker is its parent's
        return
    kill_group(process)
    process.wait()
    folder.cleanup()
