"""Ctrl-C, a closed terminal, a batch system's kill: one sentence and a shell's exit code.

Python raises `KeyboardInterrupt` wherever it is at that moment. Where it is cleaning up already, a
second Ctrl-C would leave half of it undone and print a traceback; impatient people press twice.
So the first one interrupts and those that follow it at once do nothing. This is for the command
line's own process: a program that imports spicealif keeps its own ways.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import PurePath
from types import FrameType, TracebackType
from typing import Any, NoReturn

__all__ = [
    "MESSAGE",
    "allow",
    "begin",
    "end_at_once",
    "exit_code",
    "kept_what_was_done",
    "leave",
    "raised",
]

MESSAGE = "Interrupted; files already written are whole."
#: So long after an interrupt another one counts as the same, s: what stops needs no longer.
_SAME = 2.0
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

#: An interrupt that comes at a bad moment is sent again so much later, s, but not for longer than
#: this.
_MOMENT, _LONGEST_IMPORT = 0.05, 20.0

_last = -_SAME
_put_off = 0
_number = 0
_raised = False


def allow() -> None:
    """Let signals raise `KeyboardInterrupt` from here on, those that follow at once excepted."""
    _handle(_raise)
    if _is_program():
        sys.excepthook, sys.unraisablehook = _printed, _swallowed
        # Python's last steps, in which it would be killed by the signal: the exit code stands.
        atexit.register(_handle, signal.SIG_IGN)


def begin() -> None:
    """Forget an interrupt of a command before."""
    global _raised  # noqa: PLW0603
    _raised = False


@contextlib.contextmanager
def kept_what_was_done() -> Iterator[None]:
    """Say of what is interrupted in the block that the same command goes on with it."""
    try:
        yield
    except KeyboardInterrupt:
        import click

        click.echo("What was done is kept; the same command goes on from there.", err=True)
        raise


def raised() -> bool:
    """Return whether this command was interrupted.

    Compiled libraries make an error of their own of an interrupt that comes while they call Python
    (pydantic a PydanticSerializationError), and what called them one of ours of that.
    """
    return _raised


def end_at_once(message: bool = False) -> None:
    """Let signals end the program from here on, where there is nothing left to clean up.

    Parameters
    ----------
    message : bool
        Whether to say that it was interrupted.
    """
    if sys.platform != "win32" and _put_off:
        signal.setitimer(signal.ITIMER_REAL, 0)
    # In a process that goes on, such as a test's, the next command must not end it.
    if _is_program():
        _handle(_end_with_message if message else _end)


def exit_code() -> int:
    """Return the exit code after an interrupt: 128 and the signal's number, as of a shell."""
    return 128 + (_number or int(signal.SIGINT))


def leave() -> NoReturn:
    """End the program after an interrupt, when its blocks have cleaned up behind them.

    Without Python's own end: compiled code that was interrupted half-way can crash in it.
    """
    if _is_program():
        # Temporary folders and the simulators' processes, where no block held them.
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(exit_code())
    sys.exit(exit_code())


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
    global _raised  # noqa: PLW0603
    _note(signum)
    if _is_new() and not (_importing(frame) and _later()):
        _raised = True
        raise KeyboardInterrupt


def _note(signum: int) -> None:
    """Remember which signal it was; the alarm that sends one again is none of its own."""
    global _number  # noqa: PLW0603
    if signum != getattr(signal, "SIGALRM", None):
        _number = signum


def _importing(frame: FrameType | None) -> bool:
    """Return whether Python is loading a module.

    Compiled modules swallow exceptions while they are loaded, or print them; others are left half
    loaded.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _later() -> bool:
    """Have the interrupt sent again in a moment; return whether that can be done."""
    global _put_off  # noqa: PLW0603
    if sys.platform == "win32" or _put_off * _MOMENT > _LONGEST_IMPORT:
        return False
    _put_off += 1
    # No thread: one cannot be started safely where a signal may have come.
    signal.signal(signal.SIGALRM, _again)
    signal.setitimer(signal.ITIMER_REAL, _MOMENT)
    return True


def _again(signum: int, frame: FrameType | None) -> None:
    global _last  # noqa: PLW0603
    _last = -_SAME
    _raise(signum, frame)


def _is_new() -> bool:
    """Return whether an interrupt is another one, and not the last one pressed twice."""
    global _last  # noqa: PLW0603  # signals are a matter of the whole process
    now = time.monotonic()
    if now - _last < _SAME:
        return False
    _last = now
    return True


def _end(signum: int, frame: FrameType | None) -> None:
    _note(signum)
    if _is_new():
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(exit_code())


def _end_with_message(signum: int, frame: FrameType | None) -> NoReturn:
    _note(signum)
    with contextlib.suppress(OSError):
        os.write(2, f"\nError: {MESSAGE}\n".encode())
    os._exit(exit_code())


def _printed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an exception that nobody caught; compiled code so prints interrupts it swallows."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


def _swallowed(of: sys.UnraisableHookArgs) -> None:
    """Send an interrupt again that came where Python can pass on no exception."""
    if of.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(of)
        return
    _later()
