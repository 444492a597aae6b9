"""Ctrl-C, a closed terminal, a batch system's kill: one sentence, exit code 130, no traceback.

Python raises `KeyboardInterrupt` wherever it is at that moment. Where it is cleaning up already, a
second Ctrl-C would leave half of it undone and print a traceback; impatient people press twice.
So the first one interrupts and those that follow it at once do nothing. This is for the command
line's own process: a program that imports spicealif keeps its own ways.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import PurePath
from types import FrameType
from typing import Any, NoReturn

__all__ = ["MESSAGE", "allow", "end_at_once", "exit_code"]

MESSAGE = "Interrupted; files already written are whole."
#: So long after an interrupt another one counts as the same, s: what stops needs no longer.
_SAME = 2.0
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

_last = -_SAME


def allow() -> None:
    """Let signals raise `KeyboardInterrupt` from here on, those that follow at once excepted."""
    _handle(_raise)
    if _is_program():
        sys.unraisablehook = _swallowed


def end_at_once(message: bool = False) -> None:
    """Let signals end the program from here on, where there is nothing left to clean up.

    Parameters
    ----------
    message : bool
        Whether to say that it was interrupted.
    """
    # In a process that goes on, such as a test's, the next command must not end it.
    if _is_program():
        _handle(_end_with_message if message else _end)


def _is_program() -> bool:
    """Return whether this process is the command ``spicealif`` and nothing else."""
    script = PurePath(sys.argv[0] if sys.argv else "")
    return script.stem == "spicealif" or script.parts[-2:] == ("spicealif", "__main__.py")


def _handle(handler: Any) -> None:
    # Only the main thread may; signals that are ignored (nohup) stay so.
    if threading.current_thread() is not threading.main_thread():
        return
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _raise(signum: int, frame: FrameType | None) -> None:
    if _is_new():
        raise KeyboardInterrupt


def _is_new() -> bool:
    """Return whether an interrupt is another one, and not the last one pressed twice."""
    global _last  # noqa: PLW0603  # signals are a matter of the whole process
    now = time.monotonic()
    if now - _last < _SAME:
        return False
    _last = now
    return True


def _end(signum: int, frame: FrameType | None) -> None:
    if _is_new():
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(INTERRUPTED)


def _end_with_message(signum: int, frame: FrameType | None) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(2, _MESSAGE)
    os._exit(INTERRUPTED)


def _swallowed(of: sys.UnraisableHookArgs) -> None:
    """Send an interrupt again that came where Python can pass on no exception."""
    if of.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(of)
        return
    global _last  # noqa: PLW0603
    _last = -_SAME
    again = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    again.daemon = True
    again.start()
