"""The process in which ngspice's shared library lives; started by `ngspice_shared`.

One instance a process, and a process for nothing else: the library cannot be loaded twice,
carries a poisoned state after some failures, and can take the process down with it. The parent
talks over a socket and kills the process whenever in doubt. It makes the environment too, see
`process.environment`: ngspice runs ``~/.spiceinit``, which is somebody's program.

Protocol (pickled tuples, then raw bytes):

- worker -> parent ``("ready", version)``, ``("missing", reason)`` (the library) or
  ``("broken", reason)`` (an import)
- parent -> worker ``("run", text, mode)``, the mode being ngspice's ``ngbehavior`` and the same in
  all runs, or empty; while it runs also ``("halt",)``
- worker -> parent ``("progress", percent)`` any number of times, then
  ``("done", halted, log, cpu_s, [(name, length), ...])`` followed by one message of float64
  bytes for each name
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

_PERCENT = re.compile(r"([0-9.]+)%")
_PROGRESS_INTERVAL = 0.2
#: How often a halt is tried, 2 s each; the parent kills this process meanwhile.
_HALTS = 5
#: Names under which the library is looked for; Debian's link without a number is in -dev.
_LIBRARIES = ("libngspice.so.0", "libngspice.so", "libngspice.0.dylib", "libngspice.dylib")


def main(descriptor: int) -> None:
    """Serve runs until the parent closes the socket."""
    connection = Connection(descriptor)
    # The library prints to the C streams; nothing of it may reach the parent's terminal.
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    logging.disable(logging.CRITICAL)
    try:
        instance = _load()
    except ImportError as error:
        connection.send(("broken", f"{type(error).__name__}: {error}"))
        return
    except Exception as error:
        connection.send(("missing", f"{type(error).__name__}: {error}"))
        return
    connection.send(("ready", f"ngspice-{instance.version_number}"))
    with contextlib.suppress(EOFError, OSError):
        while True:
            word = connection.recv()
            # A halt that crossed with the end of a run comes here: it is late, and no request.
            if word[0] == "run":
                _serve(connection, instance, word[1], word[2])
    _leave()


def _leave() -> NoReturn:
    """End at once, since the parent is gone, and take the private folder away in its place."""
    shutil.rmtree(Path.cwd(), ignore_errors=True)
    os._exit(1)


def _load() -> Any:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from PySpice.Spice.NgSpice import Shared

    class Instance(Shared.NgSpiceShared):  # type: ignore[misc]
        """PySpice's instance, with its output collected and its thread's end announced."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.lines: list[str] = []
            self.percent = 0.0
            self.began = threading.Event()
            self.ended = threading.Event()
            super().__init__(*args, **kwargs)

        @property
        def version_number(self) -> str:
            return str(self._ngspice_version)

        def send_char(self, message: str, ngspice_id: int) -> int:
            self.lines.append(message.partition(" ")[2])
            return 0

        def send_stat(self, message: str, ngspice_id: int) -> int:
            found = _PERCENT.search(message)
            if found:
                self.percent = float(found[1])
            return 0

        @staticmethod
        def _background_thread_running(not_running: bool, ngspice_id: int, user_data: Any) -> int:
            # PySpice's own returns None, which cffi reports as an error on each call.
            self = Shared.ffi.from_handle(user_data)
            (self.ended if not_running else self.began).set()
            return 0

    names = [os.environ["NGSPICE_LIBRARY_PATH"]] if "NGSPICE_LIBRARY_PATH" in os.environ else None
    error: Exception = OSError("no library found")
    for name in names or _LIBRARIES:
        Instance.LIBRARY_PATH = name
        try:
            Shared.ffi.dlopen(name)
        except OSError as failure:
            error = failure
            continue
        instance = Instance.new_instance()
        # Or it asks for the CPU time of all threads at every point, to print how far it is: a
        # fifth of a short run.
        _command(instance, "set norefvalue")
        return instance
    raise error


def _serve(connection: Connection, instance: Any, text: str, mode: str) -> None:
    start = time.process_time()
    instance.lines.clear()
    instance.percent = 0.0
    instance.began.clear()
    instance.ended.clear()
    halted = False
    # What an earlier run left would be re-run silently if this netlist did not load.
    _command(instance, "destroy all")
    _command(instance, "remcirc")
    if mode:
        _command(instance, f"set ngbehavior={mode}")
    instance.lines.clear()
    try:
        instance.load_circuit(text)
        loaded = True
    except Exception as error:
        # PySpice also raises for harmless lines (then not a NameError, which stands for the
        # library's own return code); whether it loaded shows in the data.
        instance.lines.append(f"{type(error).__name__}: {error}")
        loaded = not isinstance(error, NameError)
    if loaded:
        _command(instance, "bg_run")
        halted = _wait(connection, instance)
    columns = _vectors(instance)
    cpu = time.process_time() - start
    log = "\n".join(instance.lines)
    shape = [(name, len(values)) for name, values in columns]
    connection.send(("done", halted, log, cpu, shape))
    for _, values in columns:
        connection.send_bytes(memoryview(values).cast("B"))
    del columns
    _command(instance, "destroy all")
    _command(instance, "remcirc")


def _wait(connection: Connection, instance: Any) -> bool:
    """Wait for the end of the run; return whether it was halted on the parent's word."""
    pause = 0.001
    reported = time.monotonic()
    while not instance.ended.wait(pause):
        pause = min(pause * 1.5, 0.05)
        if connection.poll():
            try:
                connection.recv()
            except (EOFError, OSError):
                _leave()
            # Halted before its thread has begun, the library takes the run for over and can
            # never halt it again.
            instance.began.wait(5)
            for _ in range(_HALTS):
                _command(instance, "bg_halt")
                if instance.ended.wait(0.1):
                    return True
            os._exit(1)  # its data cannot be read while it runs
        if time.monotonic() - reported > _PROGRESS_INTERVAL:
            reported = time.monotonic()
            connection.send(("progress", instance.percent))
    return False


def _vectors(instance: Any) -> list[tuple[str, Any]]:
    import numpy as np

    name = instance.last_plot
    if name == "const":
        return []
    plot = instance.plot(None, name)
    if "time" not in plot:
        return []
    # A run halted between two vectors leaves some one sample longer. A vector that is shorter than
    # that was asked for and never filled: as good as missing.
    full = len(plot["time"]._data) - 1
    filled = {key: vector._data for key, vector in plot.items() if len(vector._data) >= full}
    length = min(map(len, filled.values()))
    if not length:  # halted before the first point
        return []
    return [
        (key, np.ascontiguousarray(values[:length], dtype=float)) for key, values in filled.items()
    ]


def _command(instance: Any, command: str) -> None:
    # PySpice raises on any output that has "error" in it, harmless or not; the log is read by
    # the parent, and the data decide.
    with contextlib.suppress(Exception):
        instance.exec_command(command)
