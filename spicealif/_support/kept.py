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
import warnings
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path

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
]

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
    """Tell what the user should know and what stops nothing, as a `SpicealifWarning`."""
    warnings.warn(sentence, SpicealifWarning, stacklevel=3)


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
