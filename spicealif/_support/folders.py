"""Folders of results: filled beside and exchanged whole, by one run at a time.

Files are first written into a hidden folder inside the folder they are for. When all are there,
that folder is renamed, which is the moment at which the new results count; then the earlier run's
files are taken away, and the new ones are moved to their places. Every step is a renaming. A
process that is killed before that moment leaves the old files as they were; one that is killed
behind it leaves files of one run only, and the next that writes there does the rest. Files of other
names are the user's and are not touched.

While a run writes, or will write, into a folder, the folder itself is locked. The kernel takes the
lock away with its owner, however that ended. On a file system without locks there is none.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from spicealif._support.files import make_folder
from spicealif.errors import OutputError

__all__ = ["exchanging"]

#: Being filled; complete, with the old files still in their places; without old files.
_NEW, _READY, _MOVING = ".spicealif-new-", ".spicealif-ready", ".spicealif-moving"
#: Within such a folder: the old files, and all names that are exchanged.
_OLD, _NAMES = ".old", ".names"
#: Seconds to wait for another process that is just exchanging, and between two looks.
_PATIENCE, _LOOK = 10.0, 0.05
#: Seconds after which a folder counts as left over where there are no locks.
_DAY = 86400.0


@contextlib.contextmanager
def exchanging(
    folder: Path, names: Collection[str], *, patience: float = _PATIENCE
) -> Iterator[Path]:
    """Give a hidden folder to be filled, and put its files into `folder` if the block succeeds.

    If the block leaves nothing in it, what is in `folder` stays as it is.

    Parameters
    ----------
    folder : Path
        Made if need be.
    names : collection of str
        What a run may write: files of these names that are in `folder` and that this run does not
        have are removed.
    patience : float
        Seconds to wait for another process that writes there; 0 to be told at once.

    Yields
    ------
    Path
        The hidden folder, inside `folder`.

    Raises
    ------
    OutputError
        If another process writes there, or something cannot be written or replaced. The earlier
        files then are as they were.
    """
    make_folder(folder)
    with _locked(folder, patience) as alone:
        try:
            _recover(folder, alone)
            _check(folder, names)
            beside = folder / f"{_NEW}{secrets.token_hex(4)}"
            beside.mkdir()
        except OSError as error:
            raise _cannot(folder, error) from None
        try:
            yield beside
            if any(beside.iterdir()):
                _exchange(folder, beside, names)
        except OutputError as error:
            # The user knows nothing of the hidden folder.
            hidden, shown = (ascii(str(path))[1:-1] for path in (beside, folder))
            raise OutputError(str(error).replace(hidden, shown)) from None
        finally:
            shutil.rmtree(beside, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path, patience: float) -> Iterator[bool]:
    """Lock a folder; gives whether that is sure to keep others out."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows, or a folder that may only be written to
        yield False
        return
    try:
        yield _lock(number, folder, time.monotonic() + patience)
    finally:
        os.close(number)


def _lock(number: int, folder: Path, until: float) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl

    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                raise OutputError(
                    f"Another run writes into the folder {ascii(str(folder))}; wait for its end, "
                    "or choose another folder."
                ) from None
        except OSError:  # a file system without locks
            return False
        time.sleep(_LOOK)


def _check(folder: Path, names: Collection[str]) -> None:
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            raise OutputError(
                f"{ascii(str(path))} is a folder where a result goes; move it, or choose another "
                "folder for the results."
            )


def _recover(folder: Path, alone: bool) -> None:
    """Finish what a process that was killed has begun, and remove what it has not."""
    ready, moving = folder / _READY, folder / _MOVING
    for path in folder.glob(f"{_NEW}*"):
        with contextlib.suppress(OSError):
            if alone or abs(time.time() - path.stat().st_mtime) > _DAY:
                shutil.rmtree(path)
    if moving.is_dir():
        _move_in(folder, moving)
    if ready.is_dir():
        listed = ready / _NAMES
        names = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
        _move_out(folder, ready, names)
        _move_in(folder, ready.rename(moving))


def _exchange(folder: Path, beside: Path, names: Collection[str]) -> None:
    """Put the files of the hidden folder in the place of those of `names`."""
    ready, moving = folder / _READY, folder / _MOVING
    every = sorted({*names, *(path.name for path in beside.iterdir())})
    _check(folder, every)
    (beside / _NAMES).write_text("".join(f"{name}\n" for name in every), encoding="utf-8")
    try:
        beside.rename(ready)  # from here on the new files count
        _move_out(folder, ready, every)
        ready.rename(moving)
        _move_in(folder, moving)
    except BaseException as error:
        if not _go_back(folder, beside):
            return  # only what is hidden was still to be removed
        if isinstance(error, OSError):
            kept = beside.rename(folder / f"new-results-{secrets.token_hex(4)}")
            raise OutputError(
                f"The files in {ascii(str(folder))} cannot be replaced "
                f"({error.strerror or error}); the new ones are in {ascii(str(kept))}: move them "
                "by hand."
            ) from None
        raise


def _move_out(folder: Path, ready: Path, names: Collection[str]) -> None:
    old = ready / _OLD
    old.mkdir(exist_ok=True)
    for name in names:
        path = folder / name
        if os.path.lexists(path):
            path.rename(old / name)


def _move_in(folder: Path, moving: Path) -> None:
    for path in sorted(moving.iterdir()):
        if path.name not in (_OLD, _NAMES):
            path.rename(folder / path.name)
    # From here on it is known that all is done.
    done = moving.rename(folder / f"{_NEW}{secrets.token_hex(4)}")
    shutil.rmtree(done, ignore_errors=True)


def _go_back(folder: Path, beside: Path) -> bool:
    """Bring the old files back, and the new ones to `beside`; return False if all was done."""
    ready, moving = folder / _READY, folder / _MOVING
    where = next((path for path in (ready, moving, beside) if path.is_dir()), None)
    if where is None:
        return False
    if where == moving:
        for name in (moving / _NAMES).read_text(encoding="utf-8").splitlines():
            if os.path.lexists(folder / name):
                (folder / name).rename(moving / name)
        where = moving.rename(ready)
    if where == ready:
        old = ready / _OLD
        for path in old.iterdir() if old.is_dir() else ():
            path.rename(folder / path.name)
        ready.rename(beside)
    with contextlib.suppress(OSError):
        (beside / _NAMES).unlink()
        (beside / _OLD).rmdir()
    return True


def _cannot(folder: Path, error: OSError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    return OutputError(
        f"The folder {ascii(str(folder))} cannot be written to ({error.strerror or error}); choose "
        "another one."
    )
