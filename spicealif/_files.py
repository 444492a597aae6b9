"""Writing files so that they are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from spicealif.errors import OutputError

__all__ = ["make_folder", "output_folder", "replacing", "write_text"]

#: The umask can only be read by setting it, which threads must not do at the same time.
_UMASK = threading.Lock()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` if the block succeeds.

    Parameters
    ----------
    path : Path
        The file to be written.

    Yields
    ------
    Path
        Where to write; removed if the block fails.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise _cannot(path, error) from None
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp's files are private; give the usual rights of a new file.
        with _UMASK:
            umask = os.umask(0)
            os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise _cannot(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """Write `text` as UTF-8 to `path`, whole or not at all; return `path`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def make_folder(path: Path) -> Path:
    """Create a folder with its parents and check that files can be made in it.

    Raises
    ------
    OutputError
        If it cannot be created or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise _cannot(path, error) from None
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
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        yield make_folder(path)
    except BaseException:
        for folder in new:
            with contextlib.suppress(OSError):  # not empty: it holds what was finished
                folder.rmdir()
        raise


def _cannot(path: Path, error: OSError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    reason = error.strerror or type(error).__name__
    return OutputError(
        f"{ascii(str(path))} cannot be written ({reason}); choose another place, or free this one."
    )
