"""The one way of keeping anything: records that say themselves whether they are whole.

A record is one line::

    kept1 000000a7 <SHA-256 of all that follows> <key> <content>

The length, in hexadecimal digits, is that of key and content together, and the SHA-256 is of both,
so that neither a changed bit nor a cut nor another record's name goes unnoticed. A file of a cache
holds one record, a segment of a store many. What is a file of its own (waveforms) has its stamp,
which is its size and SHA-256, in the record that names it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from io import BufferedReader
from pathlib import Path
from types import FrameType

from spicealif.errors import SpicealifWarning

__all__ = [
    "has_stamp",
    "open_regular",
    "read_record",
    "record",
    "set_aside",
    "stamp_of",
    "tell",
    "told_in_sentences",
    "told_once",
]

#: Packages between the user's line and a warning of ours, as a pipeline of scikit-learn is.
_BETWEEN = frozenset(
    {"spicealif", "sklearn", "joblib", "pydantic", "click", "contextlib", "threading", "concurrent"}
)
#: Files, lines and sentences that were told.
_SHOWN: set[tuple[str, int, str]] = set()
#: What was told already, where each sentence is told once.
_TOLD: ContextVar[set[str] | None] = ContextVar("told", default=None)
_HEAD = re.compile(rb"kept1 ([0-9a-f]{8}) ([0-9a-f]{64}) ")
_HEAD_LENGTH = len("kept1 ") + 8 + 1 + 64 + 1


def record(key: str, content: bytes) -> bytes:
    """Return the record of a content.

    Parameters
    ----------
    key : str
        ASCII without spaces.
    content : bytes
        Without line ends.
    """
    body = key.encode("ascii") + b" " + content
    head = f"kept1 {len(body):08x} {hashlib.sha256(body).hexdigest()} "
    return head.encode("ascii") + body + b"\n"


def read_record(line: bytes) -> tuple[bytes, bytes] | None:
    """Return key and content of a record; None if it is damaged, cut, or none."""
    head = _HEAD.match(line)
    if head is None or not line.endswith(b"\n"):
        return None
    body = line[_HEAD_LENGTH:-1]
    if len(body) != int(head[1], 16) or hashlib.sha256(body).hexdigest().encode() != head[2]:
        return None
    key, _, content = body.partition(b" ")
    return key, content


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading if it is a file.

    A pipe that nobody writes to would wait for ever, and a device may have no end.

    Raises
    ------
    OSError
        If it cannot be opened, or is a folder, a pipe, a device or a socket.
    """
    # Without O_NONBLOCK opening a pipe would wait; of a file it makes no difference.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    number = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(None, "not a file")
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def stamp_of(path: Path) -> tuple[int, str]:
    """Return the size of a file in bytes and its SHA-256; `OSError` if it is no file."""
    with open_regular(path) as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()


def has_stamp(path: Path, stamp: Sequence[object]) -> bool:
    """Whether a file is there and is, bit by bit, the one that `stamp_of` was taken of."""
    try:
        with open_regular(path) as file:
            # The size first: what has grown without an end is not read at all.
            if os.fstat(file.fileno()).st_size != stamp[0]:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == stamp[1]
    except (OSError, IndexError, TypeError):
        return False


def set_aside(path: Path, folder: Path) -> Path:
    """Move a damaged file into a folder, made if need be; return its new path.

    Raises
    ------
    OSError
        If it cannot be moved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.stem}-{secrets.token_hex(4)}{path.suffix}"
    path.rename(target)
    return target


def tell(sentence: str) -> None:
    """Tell what the user should know and what stops nothing, as a `SpicealifWarning`.

    It is of the user's line, and by Python's usual filter shown once for a line and a text.
    """
    told = _TOLD.get()
    if told is not None and sentence in told:
        return
    if told is not None:
        told.add(sentence)
    frame = _line_of_the_user(sys._getframe(1))
    file, line, module = frame.f_code.co_filename, frame.f_lineno, str(_module_of(frame))
    # Python forgets what it has shown whenever somebody changes the filters for a while, as
    # scikit-learn does in each of its checks.
    if (file, line, sentence) in _SHOWN and _action(sentence, module, line) == "default":
        return
    _SHOWN.add((file, line, sentence))
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(sentence, SpicealifWarning, file, line, module, registry)


def _action(sentence: str, module: str, line: int) -> str:
    """Return what Python's filters do with a warning of ours."""
    for action, message, category, of, at in warnings.filters:
        texts = ((message, sentence), (of, module))
        fits = all(pattern is None or re.match(pattern, text) for pattern, text in texts)
        if fits and issubclass(SpicealifWarning, category) and at in (0, line):
            return str(action)
    return str(getattr(warnings, "defaultaction", "default"))


def _module_of(frame: FrameType) -> object:
    return frame.f_globals.get("__name__", "")


def _line_of_the_user(frame: FrameType) -> FrameType:
    """Return the nearest frame that is neither ours nor of what calls us for the user."""
    found: FrameType | None = frame
    while found is not None:  # `skip_file_prefixes` does it from Python 3.12 on
        if str(_module_of(found)).partition(".")[0] not in _BETWEEN:
            return found
        found = found.f_back
    return frame


@contextlib.contextmanager
def told_once() -> Iterator[None]:
    """Tell each sentence once while the block runs, whatever Python's filter says."""
    token = _TOLD.set(set())
    try:
        yield
    finally:
        _TOLD.reset(token)


@contextlib.contextmanager
def told_in_sentences() -> Iterator[None]:
    """Print our warnings as the command line prints sentences, each once."""
    import click

    with warnings.catch_warnings():
        warnings.simplefilter("always", SpicealifWarning)
        other, told = warnings.showwarning, set[str]()

        def show(message, category, filename, lineno, file=None, line=None):  # type: ignore[no-untyped-def]
            if not issubclass(category, SpicealifWarning):
                other(message, category, filename, lineno, file, line)
            elif str(message) not in told:
                told.add(str(message))
                click.echo(f"Warning: {message}", err=True)

        warnings.showwarning = show
        yield
