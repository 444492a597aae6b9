"""Segments of a store: their lines with checksums, their names, and who writes to them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

if sys.platform != "win32":
    import fcntl

__all__ = ["Brief", "key_of", "line_of", "lock", "locked", "parts_of", "segment_name", "value_of"]

#: Hexadecimal digits of a line's checksum: 64 bits, against accidents.
_DIGITS = 16


def segment_name() -> str:
    """Return a name that no other segment has; later ones sort behind earlier ones."""
    now = time.time_ns()
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 10**9))
    return f"{stamp}.{now % 10**9:09d}-{os.getpid()}-{secrets.token_hex(4)}.txt"


class Brief:
    """What a look through a store keeps of a result."""

    __slots__ = ("experiment", "failed")

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.failed = value["status"] != "OK"
        self.experiment = str(value.get("experiment", ""))


def line_of(key: str, value: Mapping[str, Any]) -> bytes:
    """Return the line of a result."""
    body = f"{key} {json.dumps(value, allow_nan=False, separators=(',', ':'))}".encode("ascii")
    return _checksum(body) + b" " + body + b"\n"


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest()[:_DIGITS].encode("ascii")


def key_of(line: bytes) -> bytes:
    """Return the key of a line; nothing if the line is not whole."""
    whole = line.endswith(b"\n") and line[_DIGITS : _DIGITS + 1] == b" "
    body = line[_DIGITS + 1 : -1]
    if not whole or line[:_DIGITS] != _checksum(body):
        return b""
    return body.partition(b" ")[0]


def value_of(line: bytes) -> dict[str, Any] | None:
    """Return the result of a line whose checksum is right; None if it is none of ours."""
    try:
        value = json.loads(line[_DIGITS + 1 :].partition(b" ")[2])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("status"), str) else None


def parts_of(line: bytes) -> tuple[bytes, dict[str, Any] | None]:
    """Return key and result of a line; the result is None if the line is damaged."""
    key = key_of(line)
    return key, value_of(line) if key else None


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
        file = path.open("rb")
    except OSError as error:
        yield False if isinstance(error, FileNotFoundError) else None
        return
    with file:
        yield lock(file, exclusive=True)
