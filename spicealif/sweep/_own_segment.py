"""The segment of a store that this process writes to: whole lines at its end, and nothing else."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO

from spicealif.sweep._segments import lock, segment_name

__all__ = ["OwnSegment"]


class OwnSegment:
    """A segment that is made when the first line comes, and made anew if it was taken away.

    Parameters
    ----------
    store : Path
        The store's folder.
    name : str
        Of its folder of segments.
    """

    def __init__(self, store: Path, name: str) -> None:
        self._store, self._name = store, name
        self._file: IO[bytes] | None = None
        #: Why nothing more is written; empty while all is well.
        self.trouble = ""

    def put(self, line: bytes) -> None:
        """Write a line; see `Store.put` for what becomes of trouble with the disk."""
        if self.trouble:
            return
        try:
            self._append(line)
            if self._taken_away():
                self.close()
                self._append(line)
        except OSError as error:
            self._in_trouble(error)

    def prepare(self) -> None:
        """Make the file, or find out why that cannot be."""
        try:
            self._opened()
        except OSError as error:
            self._in_trouble(error)

    def close(self) -> None:
        """Close the file; another line makes a new one."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                if not os.fstat(self._file.fileno()).st_size:
                    Path(self._file.name).unlink()  # nothing came
                self._file.close()
            self._file = None

    def _in_trouble(self, error: OSError) -> None:
        self.trouble = (
            f"The store {ascii(str(self._store))} cannot be written to "
            f"({error.strerror or error}), so results are kept in memory only; free some "
            "space, or choose another store."
        )

    def _append(self, line: bytes) -> None:
        file = self._opened()
        start = os.fstat(file.fileno()).st_size
        try:
            # One call for the whole line: a process that is killed leaves all of it or a part. Of
            # a disk that fills up only the second call tells.
            done = file.write(line)
            while done < len(line):
                done += file.write(line[done:])
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(start)
            raise

    def _taken_away(self) -> bool:
        """Whether our segment is gone, perhaps with the whole store."""
        file = self._file
        if file is None or os.fstat(file.fileno()).st_nlink:
            return False
        return not Path(file.name).exists()  # some file systems count no links

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            folder = self._store / self._name
            folder.mkdir(parents=True, exist_ok=True)
            # Unbuffered: a result that was put is not lost with this process.
            path = folder / segment_name()
            self._file = open(path, "xb", buffering=0, opener=_appending)  # noqa: SIM115
            lock(self._file, exclusive=False)
        return self._file


def _appending(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_APPEND, 0o666)
