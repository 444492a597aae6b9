"""Results of points on disk, under the digest of everything that they depend on.

A store is a folder of *segments*. Every process that writes has a segment of its own and only ever
appends whole lines to it, each with the checksum of what follows; so processes need no locks, and a
line that was cut off by ``kill -9`` or a full disk, or that was changed later, is noticed and does
not touch the others. Looking results up is reading the segments from one end to the other, and
taking apart only the lines that are wanted.

::

    store/
        segments/20261125T021500-4242-3f9a.txt      checksum, key, {...}
        damaged/...                                 lines that were set aside
        waveforms/<key>-circuit.nc                  where they were asked for
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from spicealif._cache import cache_folder
from spicealif._files import make_folder, write_text
from spicealif.errors import OutputError, StoreError

__all__ = ["Store", "StoreReport", "default_store"]

_SEGMENTS, _DAMAGED, WAVEFORMS = "segments", "damaged", "waveforms"
#: Hexadecimal digits of a line's checksum: 64 bits, against accidents.
_DIGITS = 16
#: A longer line is no result of ours; without a limit a damaged file could fill the memory.
_LONGEST = 1 << 26


def default_store() -> Path:
    """Return where results are kept if nobody says otherwise: in the user's cache folder."""
    return cache_folder() / "store"


@dataclass
class StoreReport:
    """What a look through a store found.

    Attributes
    ----------
    results, failed : int
        Results, and how many of them are of points that failed.
    damaged : int
        Lines that are no whole result.
    segments, size : int
        Files, and their bytes.
    waveforms, waveforms_size : int
        Files of waveforms, and their bytes.
    by_experiment : dict of str to int
        Results by the experiment that first asked for them.
    """

    results: int = 0
    failed: int = 0
    damaged: int = 0
    segments: int = 0
    size: int = 0
    waveforms: int = 0
    waveforms_size: int = 0
    by_experiment: dict[str, int] = field(default_factory=dict)


class Store:
    """A folder of results.

    Parameters
    ----------
    folder : path-like
        Made when something is first written.

    Notes
    -----
    Safe for several processes at a time, not for several threads. A store in a folder that cannot
    be written to can be read; ``writable`` then is False after the first attempt.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        #: Damaged lines that the last `find` met.
        self.damaged = 0
        self._file: IO[bytes] | None = None
        #: Why nothing more is written; empty while all is well.
        self.trouble = ""

    @property
    def writable(self) -> bool:
        """Whether results are still being written."""
        return not self.trouble

    def find(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the results that are there, by key; the newest where there are several.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        wanted = {key.encode("ascii"): key for key in keys}
        found: dict[str, dict[str, Any]] = {}
        self.damaged = 0
        for path in self._paths():
            for line in _lines(path):
                key = _key(line)
                if key is None:
                    self.damaged += 1
                elif key in wanted:
                    value = _value(line)
                    if value is None:
                        self.damaged += 1
                    else:
                        found[wanted[key]] = value
        return found

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a result; it is on its way to the disk when this returns.

        Trouble with the disk raises nothing, since the result is still with the caller: it is
        remembered in ``trouble``, and nothing more is written.
        """
        if self.trouble:
            return
        line = _line(key, value)
        try:
            file = self._segment()
            start = file.tell()
            try:
                # One call for the whole line: a process that is killed leaves all of it or a part.
                if file.write(line) != len(line):
                    raise OSError(28, "No space left on device")
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(start)
                raise
        except (OSError, OutputError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.trouble = (
                f"The store {ascii(str(self.folder))} cannot be written to ({reason}), so results "
                "are kept in memory only; free some space, or choose another store."
            )

    def waveforms_path(self, key: str, side: str) -> Path:
        """Return where the waveforms of a result are, or would be."""
        return self.folder / WAVEFORMS / f"{key}-{side}.nc"

    def close(self) -> None:
        """Close this process's segment."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def check(self, *, set_aside: bool = False) -> StoreReport:
        """Look through the whole store.

        Parameters
        ----------
        set_aside : bool
            Copy damaged lines into the folder ``damaged`` and take them out of the segments. Only
            while nobody writes to the store.

        Returns
        -------
        StoreReport
        """
        report = StoreReport()
        newest: dict[bytes, _Brief] = {}
        for path in self._paths():
            report.segments += 1
            report.size += path.stat().st_size
            good, bad = [], []
            for line in _lines(path):
                key, value = _key(line), _value(line)
                if key is None or value is None:
                    bad.append(line)
                else:
                    good.append(line)
                    newest[key] = _Brief(value)
            report.damaged += len(bad)
            if bad and set_aside:
                make_folder(self.folder / _DAMAGED)
                kept = self.folder / _DAMAGED / f"{path.stem}-{secrets.token_hex(4)}.txt"
                kept.write_bytes(b"".join(bad))
                _rewrite(path, good)
        report.results = len(newest)
        report.failed = sum(brief.failed for brief in newest.values())
        for brief in newest.values():
            name = brief.experiment
            report.by_experiment[name] = report.by_experiment.get(name, 0) + 1
        for file in (self.folder / WAVEFORMS).glob("*.nc"):
            report.waveforms += 1
            report.waveforms_size += file.stat().st_size
        return report

    def prune(self, *, failed: bool = False, experiment: str | None = None) -> int:
        """Write the store anew without what is not wanted; only while nobody writes to it.

        Parameters
        ----------
        failed : bool
            Leave out points that failed.
        experiment : str, optional
            Leave out the results that this experiment first asked for.

        Returns
        -------
        int
            Results left out. Older results of the same points and damaged lines go as well.

        Raises
        ------
        OutputError
            If the store cannot be written to; it then is as it was.
        """
        self.close()
        paths = list(self._paths())
        lines: dict[bytes, bytes] = {}
        unwanted: set[bytes] = set()
        for path in paths:
            for line in _lines(path):
                key, value = _key(line), _value(line)
                if key is None or value is None:
                    continue
                brief = _Brief(value)
                lines.pop(key, None)
                unwanted.discard(key)
                if (failed and brief.failed) or brief.experiment == experiment:
                    unwanted.add(key)
                else:
                    lines[key] = line
        folder = make_folder(self.folder / _SEGMENTS)
        # The new segment is whole before the old ones go: a result may then be there twice.
        _rewrite(folder / _segment_name(), list(lines.values()))
        for path in paths:
            path.unlink(missing_ok=True)
        for file in (self.folder / WAVEFORMS).glob("*.nc"):
            if file.stem.rpartition("-")[0].encode("ascii", "replace") not in lines:
                file.unlink(missing_ok=True)
        return len(unwanted)

    def _paths(self) -> Iterator[Path]:
        """Give the segments, the oldest first: their names begin with the time."""
        folder = self.folder / _SEGMENTS
        try:
            yield from sorted(folder.glob("*.txt"))
        except OSError as error:
            raise StoreError(
                f"The store {ascii(str(self.folder))} cannot be read ({error.strerror}); check the "
                "path and its rights."
            ) from None

    def _segment(self) -> IO[bytes]:
        if self._file is None:
            folder = make_folder(self.folder / _SEGMENTS)
            # Unbuffered: a result that was put is not lost with this process.
            self._file = (folder / _segment_name()).open("xb", buffering=0)
        return self._file


def _segment_name() -> str:
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    return f"{stamp}-{os.getpid()}-{secrets.token_hex(4)}.txt"


class _Brief:
    """What a look through the store keeps of a result."""

    __slots__ = ("experiment", "failed")

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.failed = value.get("status") != "OK"
        self.experiment = str(value.get("experiment", ""))


def _line(key: str, value: Mapping[str, Any]) -> bytes:
    body = f"{key} {json.dumps(value, allow_nan=False, separators=(',', ':'))}".encode("ascii")
    return _checksum(body) + b" " + body + b"\n"


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest()[:_DIGITS].encode("ascii")


def _lines(path: Path) -> Iterator[bytes]:
    """Give the lines of a segment, the last one even if it was cut off."""
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST):
                yield line
    except FileNotFoundError:
        return  # pruned by somebody else meanwhile
    except OSError as error:
        raise StoreError(
            f"The store's file {ascii(str(path))} cannot be read ({error.strerror}); check its "
            "rights, or move it away: its results will be computed again."
        ) from None


def _key(line: bytes) -> bytes | None:
    """Return the key of a line; None if the line is not whole."""
    whole = line.endswith(b"\n") and line[_DIGITS : _DIGITS + 1] == b" "
    body = line[_DIGITS + 1 : -1]
    if not whole or line[:_DIGITS] != _checksum(body):
        return None
    return body.partition(b" ")[0]


def _value(line: bytes) -> dict[str, Any] | None:
    """Return the result of a line whose checksum is right; None if it is none of ours."""
    try:
        value = json.loads(line[_DIGITS + 1 :].partition(b" ")[2])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _rewrite(path: Path, lines: list[bytes]) -> None:
    write_text(path, b"".join(lines).decode("ascii"))
