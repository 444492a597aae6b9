"""Writing files so that they are whole or not there at all, wherever they are to go.

Every file that spicealif writes goes through `replacing`, which decides by what there is:

==============================  ===================================================================
what the path names             what is done
==============================  ===================================================================
nothing, or a file              written beside it under a short name of its own, then renamed over
                                it; mode, owner and extended attributes of a file are kept
a symbolic link                 followed, also where it leads to nothing yet; the link stays
a pipe, a device, a socket      the whole content is made first, then written into it
standard output, ``/dev/fd/N``  written into the open file
a folder, a disk, a loop of     refused
links, a write-protected file
==============================  ===================================================================

A file with several names (hard links) is replaced under the one that was given; its other names
keep what they had. That is what makes a write that fails harmless.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import secrets
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from spicealif._support.places import Place, cannot, locate, shown_name
from spicealif.errors import OutputError

__all__ = [
    "make_folder",
    "output_folder",
    "output_place",
    "remove",
    "replacing",
    "write_text",
]

_LOG = logging.getLogger(__name__)
_PROBE = 4096  # bytes; what a full disk has no room for
_NAMES = 100  # attempts at a name that is free


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write into; what was written gets to `path` if the block succeeds.

    Parameters
    ----------
    path : Path
        Where it is to go; see the table at the top of this module.

    Yields
    ------
    binary file
        Can be read and sought as well. For anything but an ordinary file it is in memory.

    Raises
    ------
    OutputError
        If it cannot be written; what was there before is as it was.
    BrokenPipeError
        If it goes to standard output, and nobody reads that any more.
    """
    place = locate(path)
    if place.kind != "file":
        buffer = io.BytesIO()
        yield buffer
        with buffer.getbuffer() as content:
            _write_into(place, content)
        return
    try:
        _check_file(place)
        file, temporary = _beside(place)
    except OSError as error:
        raise cannot(path, error) from None
    try:
        with file:
            yield file
            file.flush()
            if place.status is not None:
                _take_over(file.fileno(), place)
            size = file.tell()
        temporary.replace(place.path)
        _LOG.info("wrote %s (%d bytes)", ascii(str(place.shown)), size)
    except OSError as error:
        raise cannot(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            file.close()  # what it holds and could not write comes up again
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """Write `text` as UTF-8 to `path`, whole or not at all; return `path`."""
    # An undecodable byte of a file name, which the text may tell, is no UTF-8.
    content = text.encode("utf-8", "backslashreplace")
    with replacing(path) as file:
        file.write(content)
    return path


def remove(path: Path) -> None:
    """Take an earlier result away; links to it, and what is no ordinary file, stay.

    Raises
    ------
    OutputError
        If it cannot be taken away.
    """
    place = locate(path)
    try:
        if place.kind == "file":
            place.path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot(path, error) from None


def make_folder(path: Path) -> Path:
    """Create a folder with its parents and check that files can be made in it.

    Raises
    ------
    OutputError
        If it cannot be created or written to.
    """
    try:
        # Through a link that leads to nothing yet.
        Path(os.path.realpath(path)).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(_PROBE))
    except FileExistsError:
        raise _no_folder(path) from None
    except NotADirectoryError:
        raise _no_folder(next(p for p in path.parents if p.exists() or p == p.parent)) from None
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None
    return path


@contextlib.contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """Make a folder for results, and take it away again if the block fails and it is empty.

    Parameters
    ----------
    path : Path
        Created with its parents if need be.

    Yields
    ------
    Path

    Raises
    ------
    OutputError
        If it cannot be created or written to.
    """
    new = []
    with contextlib.suppress(OSError, ValueError):  # make_folder says what is wrong with it
        real = Path(os.path.realpath(path))
        new = [folder for folder in (real, *real.parents) if not folder.exists()]
    try:
        yield make_folder(path)
    except BaseException:
        for folder in new:
            with contextlib.suppress(OSError):  # not empty: it holds what was finished
                folder.rmdir()
        raise


@contextlib.contextmanager
def output_place(path: Path) -> Iterator[Place]:
    """Check that a file can be written, and make its folder, before it is computed what is in it.

    Parameters
    ----------
    path : Path
        As in `replacing`.

    Yields
    ------
    Place

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    place = locate(path)
    if place.kind == "file":
        with output_folder(place.path.parent):
            try:
                _check_file(place)
            except OSError as error:
                raise cannot(path, error) from None
            yield place
        return
    try:
        if place.kind == "open":
            _check_open(place)
        elif not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise cannot(path, error) from None
    yield place


def _check_open(place: Place) -> None:
    """Raise OSError if an open file is not open for writing."""
    if sys.platform == "win32":  # where no file goes by a number
        return
    import fcntl

    mode = fcntl.fcntl(place.descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    if mode == os.O_RDONLY or (place.is_stdout and sys.stdout is None):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _check_file(place: Place) -> None:
    """Raise what would stop the renaming, or should: a write-protected file is meant to stay."""
    if place.status is None:
        return
    protected = not place.status.st_mode & 0o222
    if protected or not os.access(place.path, os.W_OK):
        raise OutputError(
            f"{shown_name(place.shown)} is write-protected; choose another name, or make it "
            "writable."
        )
    if sys.platform == "win32":
        return
    folder = place.path.parent.stat()
    user = os.geteuid()
    if folder.st_mode & stat.S_ISVTX and user not in (0, place.status.st_uid, folder.st_uid):
        raise OutputError(
            f"{shown_name(place.shown)} is somebody else's, in a folder where only the "
            "owner of a file may replace it; choose another name."
        )


def _beside(place: Place) -> tuple[IO[bytes], Path]:
    """Open a new file in the target's folder, under a name that fits wherever any name does."""
    mode = 0o666 if place.status is None else stat.S_IMODE(place.status.st_mode) & 0o777
    for _ in range(_NAMES):
        temporary = place.path.parent / f".spicealif-{secrets.token_hex(4)}"
        with contextlib.suppress(FileExistsError):
            # The kernel takes the umask off, and adds what the folder gives to new files.
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
            return os.fdopen(os.open(temporary, flags, mode | 0o200), "w+b"), temporary
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _take_over(descriptor: int, place: Place) -> None:
    """Give the new file what the old one had: owner, extended attributes, mode."""
    assert place.status is not None
    if sys.platform == "win32":  # a new file there has the folder's rights
        return
    with contextlib.suppress(OSError):  # only the administrator may give files away
        os.fchown(descriptor, place.status.st_uid, place.status.st_gid)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for name in os.listxattr(place.path):
                os.setxattr(descriptor, name, os.getxattr(place.path, name))
    os.fchmod(descriptor, stat.S_IMODE(place.status.st_mode))


def _write_into(place: Place, content: memoryview) -> None:
    """Write the whole content into something that is no ordinary file."""
    try:
        if place.is_stdout:
            _print(content)
            return
        if sys.platform != "win32" and place.kind == "socket":
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
                channel.connect(os.fspath(place.path))
                channel.sendall(content)
            return
        if place.kind == "open":
            opened = os.dup(place.descriptor)
        else:
            # A pipe waits here for its reader, as it does for a shell's ">".
            opened = os.open(place.path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
        with os.fdopen(opened, "wb", buffering=0) as file:
            while content:
                written = file.write(content)
                if written is None:
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                content = content[written:]
    except BrokenPipeError as error:
        if place.is_stdout:
            raise
        raise cannot(place.shown, error) from None
    except OSError as error:
        raise cannot(place.shown, error) from None


def _print(content: memoryview) -> None:
    if sys.stdout is None:
        raise OutputError("Standard output is closed; write to a file.")
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:  # a notebook's, for example
        raise OutputError("Standard output takes no files here; write to a file.")
    stream: Any = sys.stdout
    try:
        buffer.write(content)
        buffer.flush()
    except OSError as error:
        if not hasattr(stream, "trouble"):
            raise
        stream.trouble = error  # of the command line, which tells at its end


def _no_folder(path: Path) -> OutputError:
    return OutputError(
        f"{shown_name(path)} cannot be written as a folder (it is something else); give the "
        "name of a folder, or choose another place."
    )
