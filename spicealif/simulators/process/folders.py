"""Private temporary folders that do not outlive the process that made them by more than one call.

A folder is locked while its owner lives. The kernel takes the lock away with the owner, however
that ended, so that the next process that makes a folder knows which ones nobody owns any more and
removes them, with whatever process of such a run is still there. A lock tells the truth where a
process number does not: in a container that shares ``/tmp`` with others, and when numbers come
round again.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import weakref
from itertools import islice
from pathlib import Path
from types import TracebackType

from spicealif.errors import SimulatorError

__all__ = ["PrivateFolder", "clear_leftovers"]

#: The owner's process number is for people and for Windows; elsewhere the lock counts.
_NAME = re.compile(r"spicealif-(\d+)-\w+")
#: A folder for temporary files may hold a great many; so many names are looked at.
_NAMES = 20_000


class PrivateFolder:
    """A new temporary folder of this process, removed when it is closed or collected.

    Raises
    ------
    SimulatorError
        If it cannot be made.
    """

    #: Folders for temporary files that have been looked through by this process.
    _cleared: set[str] = set()  # noqa: RUF012 - of the class on purpose

    def __init__(self) -> None:
        try:
            base = tempfile.gettempdir()
            if base not in self._cleared:
                self._cleared.add(base)
                clear_leftovers(Path(base))
            self.name, lock = _made(base)
        except OSError as error:
            raise SimulatorError(
                f"A temporary folder cannot be made ({error.strerror or error}); free some space, "
                "or set TMPDIR to a folder that can be written to."
            ) from None
        self._finalizer = weakref.finalize(self, _remove, self.name, lock, os.getpid())

    def cleanup(self) -> None:
        """Remove it."""
        self._finalizer()

    def __enter__(self) -> str:
        return self.name

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cleanup()


def clear_leftovers(base: Path) -> int:
    """Remove private folders whose owner is gone, and end the processes of their runs.

    Only folders of this user count, and only where it is certain that nobody owns them.

    Parameters
    ----------
    base : Path
        The folder for temporary files.

    Returns
    -------
    int
        Folders removed.
    """
    removed = 0
    with contextlib.suppress(OSError), os.scandir(base) as entries:
        for entry in islice(entries, _NAMES):
            if (found := _NAME.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    removed += _clear(entry.path, int(found[1]))
    return removed


def _made(base: str) -> tuple[str, int | None]:
    while True:
        name = tempfile.mkdtemp(prefix=f"spicealif-{os.getpid()}-", dir=base)
        # Between the two steps another process may take it for a leftover: it holds the lock
        # then, and removes the folder, or has done so.
        try:
            lock = _locked(name)
        except (BlockingIOError, FileNotFoundError):
            continue
        except OSError:  # a file system without locks, where nobody clears
            return name, None
        if lock is None or Path(name).is_dir():
            return name, lock
        os.close(lock)


def _locked(name: str) -> int | None:
    """Lock a folder; return what holds the lock, None where there are none.

    Raises
    ------
    OSError
        BlockingIOError if somebody else has it.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _clear(name: str, pid: int) -> bool:
    lock = None
    if sys.platform == "win32":
        import psutil

        if psutil.pid_exists(pid):
            return False
    elif os.lstat(name).st_uid != os.geteuid():
        return False
    else:
        lock = _locked(name)  # or else its owner lives
    try:
        from spicealif.simulators.process.tree import ProcessTree

        ProcessTree(Path(name).name).kill()
        shutil.rmtree(name, ignore_errors=True)
    finally:
        if lock is not None:
            os.close(lock)
    return True


def _remove(name: str, lock: int | None, owner: int) -> None:
    # A forked child has the object too, and ends it when it ends; the folder is not its.
    if os.getpid() == owner:
        # A file still open in it must not turn a good run into an error.
        shutil.rmtree(name, ignore_errors=True)
    if lock is not None:
        with contextlib.suppress(OSError):
            os.close(lock)
