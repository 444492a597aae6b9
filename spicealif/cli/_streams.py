"""Standard output and error, made so that printing cannot end a command before its work is done.

A result that took minutes must get to its file although whoever read the table has gone away, and
an unusual character must not be an error.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["Outlet", "close_streams", "open_streams", "outlets"]


class Outlet(io.TextIOWrapper):
    """A text stream that remembers the first write that failed, and from then on takes all.

    Attributes
    ----------
    trouble : OSError or None
        That failure.
    """

    trouble: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write a text, or pass over it."""
        if self.trouble is None:
            try:
                return super().write(text)
            except OSError as error:
                self.trouble = error
        return len(text)

    def flush(self) -> None:
        """Flush, or do not."""
        if self.trouble is None:
            try:
                super().flush()
            except OSError as error:
                self.trouble = error


@contextlib.contextmanager
def outlets() -> Iterator[tuple[Outlet | _Silent, Outlet | _Silent]]:
    """Put an `Outlet` in front of standard output and of standard error while the block runs."""
    before = sys.stdout, sys.stderr
    made = _outlet(sys.stdout), _outlet(sys.stderr)
    if isinstance(made[0], Outlet):
        sys.stdout = made[0]
    if isinstance(made[1], Outlet):
        sys.stderr = made[1]
    try:
        yield made
    finally:
        for outlet in made:
            if isinstance(outlet, Outlet):
                outlet.flush()
                with contextlib.suppress(OSError, ValueError):
                    outlet.detach()  # or it would close what it writes to
        sys.stdout, sys.stderr = before


def open_streams() -> None:
    """Make sure that the numbers 0 to 2 are taken, so that no file of ours gets one of them."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # Closed by whoever started us. What is printed is refused by one that is for reading.
            opened = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            if number == 1:
                sys.stdout = os.fdopen(1, "w", closefd=False)
            if number == 2:
                sys.stderr = os.fdopen(2, "w", closefd=False)


def close_streams() -> None:
    """Flush standard output and error; what cannot be written is let go, not told at the exit."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)


class _Silent:
    """What stands for a stream that is not there, or has no bytes behind it."""

    trouble: OSError | None = None


def _outlet(stream: Any) -> Outlet | _Silent:
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        return _Silent()
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
    encoding = (stream.encoding or "utf-8").lower().replace("-", "")
    return Outlet(
        buffer,
        # As click does: a locale without letters of its own does not keep anybody from UTF-8.
        encoding="utf-8" if encoding in ("ascii", "usascii", "ansi_x3.41968") else stream.encoding,
        errors="backslashreplace",
        line_buffering=getattr(stream, "line_buffering", False),
    )
