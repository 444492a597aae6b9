"""Segments of a store: their lines, which are records, their names, and who writes to them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from spicealif._support.kept import open_regular, read_record, record

if sys.platform != "win32":
    import fcntl

__all__ = [
    "Brief",
    "key_of",
    "line_of",
    "lines_of",
    "lock",
    "locked",
    "parts_of",
    "segment_name",
    "take_newest",
    "value_of",
]

#: Hexadecimal digits of the checksum that lines of former versions begin with.
_DIGITS = 16
#: So many pieces without a line's end are enough to know that a file is no segment.
_PIECES = 16


def segment_name() -> str:
    """Return a name that no other segment has; later ones sort behind earlier ones."""
    now = time.time_ns()
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 10**9))
    return f"{stamp}.{now % 10**9:09d}-{os.getpid()}-{secrets.token_hex(4)}.txt"


class Brief:
    """What a look through a store keeps of a result."""

    __slots__ = ("experiment", "failed", "waveforms")

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.failed = value["status"] != "OK"
        self.waveforms = value.get("waveforms") or {}
        self.experiment = str(value.get("experiment", ""))


def line_of(key: str, value: Mapping[str, Any]) -> bytes:
    """Return the line of a result."""
    return record(key, json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii"))


def lines_of(path: Path, longest: int) -> Iterator[bytes]:
    """Give the lines of a segment, the last one even if it was cut off.

    A line that is longer than `longest` comes in pieces; what was never written of it (the hole in
    a sparse file) is passed over.

    Raises
    ------
    OSError
        If it cannot be read, is no file, or goes on and on without a line's end.
    """
    with open_regular(path) as file:
        pieces = 0
        while line := file.readline(longest):
            yield line
            if line.endswith(b"\n") or len(line) < longest:
                pieces = 0
                continue
            pieces += 1
            if pieces == _PIECES:
                raise OSError(None, "not a segment")
            _pass_hole(file)


def _pass_hole(file: IO[bytes]) -> None:
    if not hasattr(os, "SEEK_DATA"):
        return
    at = file.tell()
    try:
        at = os.lseek(file.fileno(), at, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but a hole from here
            at = os.fstat(file.fileno()).st_size
    file.seek(at)


def key_of(line: bytes) -> bytes:
    """Return the key of a line; nothing if the line is not whole."""
    found = read_record(line) or _former(line)
    return found[0] if found else b""


def value_of(line: bytes) -> dict[str, Any] | None:
    """Return the result of a line that is whole; None if it is damaged or none of ours."""
    return parts_of(line)[1]


def _former(line: bytes) -> tuple[bytes, bytes] | None:
    """Return key and content of a whole line of a former version."""
    whole = line.endswith(b"\n") and line[_DIGITS : _DIGITS + 1] == b" "
    body = line[_DIGITS + 1 : -1]
    if not whole or line[:_DIGITS] != _checksum(body):
        return None
    key, _, content = body.partition(b" ")
    return key, content


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest()[:_DIGITS].encode("ascii")


def parts_of(line: bytes) -> tuple[bytes, dict[str, Any] | None]:
    """Return key and result of a line; the result is None if the line is damaged."""
    key, content = read_record(line) or _former(line) or (b"", b"")
    try:
        value = json.loads(content) if key else None
    except (ValueError, RecursionError):
        value = None
    ours = isinstance(value, dict) and isinstance(value.get("status"), str)
    return key, value if ours else None


def take_newest(lines: Iterator[bytes], newest: dict[bytes, Brief]) -> int:
    """Note the newest result of each key, older ones first; return how many lines are damaged."""
    damaged = 0
    for line in lines:
        key, value = parts_of(line)
        if value is None:
            damaged += 1
        elif value["status"] == "OK" or key not in newest or newest[key].failed:
            newest[key] = Brief(value)
    return damaged


def lock(file: IO[bytes], *, exclusive: bool) -> bool:
    """Lock a file until it is closed; return False if somebody else has locked it.

    Who writes to a segment shares its lock; who wants to take it away asks for all of it.
    """
    if sys.platform != "win32":  # where a file that is open cannot be taken away in any case
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a file system without locks
    return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool | None]:
    """Hold a segment so that nobody writes to it.

    Gives False if somebody does, or it is gone; None if it cannot be opened.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        yield False if isinstance(error, FileNotFoundError) else None
        return
    with file:
        yield lock(file, exclusive=True)
