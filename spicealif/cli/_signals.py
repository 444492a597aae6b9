"""Ctrl-C and its kin: one sentence, whenever they come and however often."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

__all__ = ["INTERRUPTED", "end_quietly", "one_interrupt", "quiet_start"]

INTERRUPTED = "Interrupted; files already written are whole."
#: What ends a program politely: Ctrl-C, a closed terminal, a batch system.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
#: Seconds that are left to tidy up; who then asks once more is obeyed at once.
_PATIENCE = 5.0


def quiet_start() -> None:
    """Until a command runs there is nothing to tidy up: end at once, without a traceback.

    Only for the program ``spicealif``; who imports this package keeps what they have.
    """
    if Path(sys.argv[0] if sys.argv else "").stem == "spicealif":
        _set(_leave)


def one_interrupt() -> None:
    """Make the first signal a `KeyboardInterrupt` and pass over those that come after it.

    A second Ctrl-C would cut short what the first one set going: simulators that are ended, files
    that are removed.
    """
    first: list[float] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not first:
            first.append(time.monotonic())
            raise KeyboardInterrupt
        if time.monotonic() - first[0] > _PATIENCE:
            _leave(number, frame)

    _set(interrupt)


def end_quietly() -> None:
    """Let nothing interrupt Python's own end, where nobody would catch it."""
    if Path(sys.argv[0] if sys.argv else "").stem == "spicealif":
        _set(signal.SIG_IGN)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    # Not through a stream of Python's, which may be in the middle of something.
    try:
        os.write(2, f"Error: {INTERRUPTED}\n".encode())
    finally:
        os._exit(130)


def _set(handler: signal._HANDLER) -> None:
    for name in _NAMES:
        number = getattr(signal, name, None)
        # What was ignored on purpose (nohup) stays so.
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)
