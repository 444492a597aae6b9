"""What a path names: a file, a pipe, a device, standard output; and how errors tell of it."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from spicealif.errors import OutputError

__all__ = ["STANDARD_OUTPUT", "Place", "cannot", "locate", "shown_name"]

#: Where ``-o -`` goes.
STANDARD_OUTPUT = Path("/dev/stdout")

_LINKS = 40  # as many as Linux follows
_DESCRIPTORS = re.compile(r"/proc/(self|thread-self|\d+)(/task/\d+)?/fd|/dev/fd")

_REASONS = {
    errno.ENOTDIR: "a part of its path is a file and no folder",
    errno.EBADF: "it is not open for writing",
    errno.ECONNREFUSED: "nobody listens",
    errno.EPIPE: "its reader went away",
}
_REMEDIES = {
    errno.ENOTDIR: "choose another place",
    errno.ENOSPC: "free some space, or choose another place",
    errno.EDQUOT: "free some space, or choose another place",
    errno.EROFS: "choose another place",
    errno.EACCES: "choose another place, or get the right to write there",
    errno.EPERM: "choose another place, or get the right to write there",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "choose another place, or make its folder",
    errno.ENXIO: "start what is to read it",
    errno.ECONNREFUSED: "start what is to read it",
    errno.EPIPE: "keep what reads it running until the end",
}


@dataclass(frozen=True)
class Place:
    """What a path names.

    Attributes
    ----------
    shown : Path
        The path that was given.
    path : Path
        Where its links lead.
    kind : str
        ``"file"`` (there or not), ``"pipe"``, ``"device"``, ``"socket"``, or ``"open"`` for a
        file that this process has open.
    status : os.stat_result or None
        Of what is there; None if nothing is.
    descriptor : int
        Number of the open file; -1 for the other kinds.
    """

    shown: Path
    path: Path
    kind: str
    status: os.stat_result | None = None
    descriptor: int = -1

    @property
    def is_stdout(self) -> bool:
        """Whether it is this process's standard output."""
        return self.descriptor == 1

    def is_terminal(self) -> bool:
        """Whether a person would see what is written there."""
        try:
            if self.is_stdout:
                return sys.stdout is not None and sys.stdout.isatty()
            if self.kind == "open":
                return os.isatty(self.descriptor)
            if sys.platform == "win32" or self.kind != "device":
                return False
            opened = os.open(self.path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except (OSError, ValueError):
            return False
        try:
            return os.isatty(opened)
        finally:
            os.close(opened)


def locate(path: str | os.PathLike[str]) -> Place:
    """Return what a path names, after its links.

    Raises
    ------
    OutputError
        If nothing can be written there, whatever the rights: a folder, a disk, a loop of links, a
        name that is too long.
    """
    shown = Path(path)
    if shown == STANDARD_OUTPUT:
        return Place(shown, shown, "open", descriptor=1)
    try:
        descriptor = _descriptor(shown)
        if descriptor is not None:
            return Place(shown, shown, "open", os.fstat(descriptor), descriptor)
        status = shown.stat()
        real = Path(os.path.realpath(shown))
    except FileNotFoundError:
        return Place(shown, Path(os.path.realpath(shown)), "file")
    except (OSError, ValueError) as error:
        raise cannot(shown, error) from None
    if stat.S_ISDIR(status.st_mode):
        raise OutputError(
            f"{shown_name(shown)} cannot be written (it is a folder); give the name of a file, or "
            "choose another place."
        )
    if stat.S_ISBLK(status.st_mode):
        raise OutputError(
            f"{shown_name(shown)} cannot be written (it is a disk, and would lose what is on "
            "it); give the name of a file, or choose another place."
        )
    # A pipe or a device may have no other path than the one that was given.
    if stat.S_ISREG(status.st_mode):
        return Place(shown, real, "file", status)
    kinds = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    kind = next((name for test, name in kinds if test(status.st_mode)), "device")
    return Place(shown, shown, kind, status)


def shown_name(path: Path) -> str:
    return "Standard output" if path == STANDARD_OUTPUT else ascii(str(path))


def cannot(path: Path, error: OSError | ValueError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    number = getattr(error, "errno", None)
    if number == errno.ELOOP:
        return OutputError(
            f"{shown_name(path)} is a link that leads back to itself; mend the link."
        )
    reason = _REASONS.get(number or 0, "") or getattr(error, "strerror", None)
    reason = reason or ascii(str(error))[1:-1] or type(error).__name__
    remedy = _REMEDIES.get(number or 0, "choose another place, or free this one")
    return OutputError(f"{shown_name(path)} cannot be written ({reason}); {remedy}.")


def _descriptor(path: Path) -> int | None:
    """Return which of this process's open files a path names, as ``/dev/fd/1`` does."""
    step = os.path.abspath(path)  # noqa: PTH100 - links must be seen one by one
    for _ in range(_LINKS):
        folder, name = os.path.split(step)
        folder = os.path.realpath(folder)
        match = _DESCRIPTORS.fullmatch(folder)
        if match and name.isdigit():
            # Of another process: it is opened anew, by the path.
            mine = match.group(1) in (None, "self", "thread-self", str(os.getpid()))
            return int(name) if mine else None
        step = os.path.join(folder, name)  # noqa: PTH118
        if not os.path.islink(step):  # noqa: PTH114
            return None
        step = os.path.join(folder, os.readlink(step))  # noqa: PTH115, PTH118
    return None  # a loop, which stat tells
