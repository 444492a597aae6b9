"""Results of points on disk, under the digest of everything that they depend on.

A store is a folder of *segments*. Every process that writes has a segment of its own and only ever
appends whole lines to it, each a record with its own digest (see `spicealif._support.kept`; what a
line says is made in `_segments`). So processes need not wait for each other, and a line that was
cut off by ``kill -9`` or a full disk, or that was changed later, is noticed and does not touch the
others. Looking results up is reading the segments from one end to the other, and taking apart only
the lines that are wanted.

::

    store/
        segments/20261125T021500.123456789-4242-3f9a2b1c.txt    records
        damaged/...                                             lines that were set aside
        waveforms/<key>-circuit.nc                              where they were asked for
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from spicealif._support.cache import NO_HOME, cache_folder
from spicealif._support.described import Described
from spicealif._support.files import make_folder, replacing
from spicealif._support.kept import set_aside, tell
from spicealif.errors import OutputError, StoreError
from spicealif.sweep._own_segment import OwnSegment
from spicealif.sweep._report import StoreReport, is_whole, remove_unfinished, waveforms_file
from spicealif.sweep._segments import (
    Brief,
    key_of,
    line_of,
    lines_of,
    locked,
    parts_of,
    segment_name,
    take_newest,
    value_of,
)

__all__ = ["Store", "StoreReport", "default_store"]

_SEGMENTS, _DAMAGED, WAVEFORMS = "segments", "damaged", "waveforms"
#: A longer line is no result of ours; without a limit a damaged file could fill the memory.
_LONGEST = 1 << 26


def default_store() -> Path:
    """Return where results are kept if nobody says otherwise: in the user's cache folder.

    Raises
    ------
    StoreError
        If this user has none.
    """
    folder = cache_folder()
    if folder is None:
        raise StoreError(f"There is no place for the results: {NO_HOME}")
    return folder / "store"


class Store(Described):
    """A folder of results.

    Parameters
    ----------
    folder : path-like
        Made when something is first written.

    Notes
    -----
    Safe for several processes at a time, not for several threads. One that cannot be written to
    can be read.

    Examples
    --------
    >>> Store("results").check().results
    0
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        #: Damaged lines that the last `find` met, and files that it could not read.
        self.damaged = 0
        self._damaged_segments: list[Path] = []
        self._own = OwnSegment(self.folder, _SEGMENTS)

    def _facts(self) -> list[tuple[str, str]]:
        return [("in", ascii(str(self.folder))), ("", self.trouble or "writable")]

    @property
    def trouble(self) -> str:
        """Why nothing more is written; empty while all is well."""
        return self._own.trouble

    @property
    def writable(self) -> bool:
        """Whether results are still being written."""
        return not self.trouble

    def find(
        self,
        keys: Collection[str],
        into: MutableMapping[str, dict[str, Any]] | None = None,
        *,
        failed: bool = True,
    ) -> MutableMapping[str, dict[str, Any]]:
        """Return the results that are there, by key; in `into`, if it is given.

        Where there are several the newest, but one that failed only if there is no other: the same
        point may have run out of time in one process and not in another. Without `failed` no
        result that failed is there.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        wanted = {key.encode("ascii"): key for key in keys}
        found: MutableMapping[str, dict[str, Any]] = {} if into is None else into
        self.damaged, self._damaged_segments = 0, []
        for path in self._paths():
            before = self.damaged
            for line in self._lines(path):
                key = key_of(line)
                if not key:
                    self.damaged += 1
                elif name := wanted.get(key):
                    value = value_of(line)
                    if value is None:
                        self.damaged += 1
                    elif value["status"] == "OK" or (
                        failed and found.get(name, value)["status"] != "OK"
                    ):
                        found[name] = value
            if self.damaged > before:
                self._damaged_segments.append(path)
        return found

    def tell_damage(self) -> None:
        """Tell what `find` and `has_waveforms` met that was damaged, and set the lines aside."""
        count = self.damaged
        if not count:
            return
        done = f"set aside in its folder '{_DAMAGED}'"
        for path in self._damaged_segments:
            try:
                with locked(path) as ours:
                    if ours is not False:
                        self._set_aside(path)
            except OutputError:
                done = "left out"
        entries = "a damaged entry" if count == 1 else f"{count} damaged entries"
        shown = ascii(str(self.folder))
        tell(f"The store {shown} held {entries}, {done}: what was lost is computed again.")
        self.damaged, self._damaged_segments = 0, []

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a result; it is on its way to the disk when this returns.

        Trouble with the disk raises nothing, since the result is still with the caller: it is
        remembered in ``trouble``, and nothing more is written.
        """
        self._own.put(line_of(key, value))

    def prepare(self) -> None:
        """Find out before anything is computed whether results can be kept: see ``trouble``."""
        self._own.prepare()

    def waveforms_path(self, key: str, side: str) -> Path:
        """Return where the waveforms of a result are, or would be."""
        return self.folder / WAVEFORMS / waveforms_file(key, side)

    def has_waveforms(self, key: str, value: Mapping[str, Any]) -> bool:
        """Whether a result's waveforms are there, bit by bit as they were written.

        What is not so is moved into the folder ``damaged``, and counted in ``damaged``.
        """
        stamps = value.get("waveforms") or {}
        whole = True
        for side in stamps:
            path = self.waveforms_path(key, side)
            if is_whole(path, stamps, side):
                continue
            whole = False
            if os.path.lexists(path):
                self.damaged += 1
                with contextlib.suppress(OSError):  # it is written anew in any case
                    set_aside(path, self.folder / _DAMAGED)
        return whole and bool(stamps)

    def close(self) -> None:
        """Close this process's segment."""
        self._own.close()

    def check(self, *, set_aside: bool = False) -> StoreReport:
        """Look through the whole store.

        Parameters
        ----------
        set_aside : bool
            Move damaged lines, damaged waveforms, and files that cannot be read into the folder
            ``damaged``. Files that somebody is writing to are left as they are.

        Returns
        -------
        StoreReport

        Raises
        ------
        OutputError
            If something cannot be set aside; it then is where it was.
        StoreError
            If the store cannot be read.
        """
        if set_aside:
            self.close()
        report = StoreReport()
        newest: dict[bytes, Brief] = {}
        for path in self._paths():
            report.segments += 1
            with contextlib.suppress(OSError):  # it is counted as damaged below
                report.size += path.stat().st_size
            self.damaged = 0
            damaged = take_newest(self._lines(path), newest)
            self.damaged += damaged  # a file that cannot be read has been counted there
            report.damaged += self.damaged
            if self.damaged and set_aside:
                with locked(path) as ours:
                    if ours is not False:
                        self._set_aside(path)
        report.count(newest.values())
        for path in report.look_at_waveforms(self.folder / WAVEFORMS, newest):
            if set_aside:
                self._move_away(path)
        return report

    def prune(self, *, failed: bool = False, experiment: str | None = None) -> int:
        """Write the store anew without what is not wanted.

        Files that somebody is writing to are left as they are.

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
        StoreError
            If the store cannot be read.
        """
        self.close()
        best: dict[bytes, tuple[Path, int, Brief]] = {}
        with contextlib.ExitStack() as locks:
            every = list(self._paths())
            paths = [path for path in every if locks.enter_context(locked(path))]
            for path in paths:
                for number, line in enumerate(self._lines(path)):
                    key, value = parts_of(line)
                    if value is not None:
                        brief = Brief(value)
                        if key not in best or not brief.failed or best[key][2].failed:
                            best[key] = path, number, brief
            unwanted = {
                key
                for key, (_, _, brief) in best.items()
                if (failed and brief.failed) or brief.experiment == experiment
            }
            places = {(path, n) for key, (path, n, _) in best.items() if key not in unwanted}
            if paths:
                # The new segment is whole before the old ones go: a result may be there twice.
                self._rewrite(self.folder / _SEGMENTS / segment_name(), paths, places)
            for path in paths:
                with contextlib.suppress(OSError):
                    path.unlink()
        left = {
            key for path in self._paths() for line in self._lines(path) if (key := key_of(line))
        }
        for file in self._waveforms():
            if file.stem.rpartition("-")[0].encode("ascii", "replace") not in left:
                with contextlib.suppress(OSError):
                    file.unlink()
        for name in (_SEGMENTS, WAVEFORMS):
            remove_unfinished(self.folder / name)
        return len(unwanted)

    def _paths(self) -> Iterator[Path]:
        """Give the segments, the oldest first: their names begin with the time."""
        folder = self.folder / _SEGMENTS
        try:
            names = os.listdir(folder)  # noqa: PTH208 - Path.glob passes over what it cannot read
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(
                f"The store {ascii(str(self.folder))} cannot be read ({error.strerror}); check the "
                "path and its rights."
            ) from None
        # A file that is being rewritten has a dot in front until it is whole.
        yield from (folder / n for n in sorted(names) if n.endswith(".txt") and n[0] != ".")

    def _lines(self, path: Path) -> Iterator[bytes]:
        """Give the lines of a segment, the last one even if it was cut off."""
        try:
            yield from lines_of(path, _LONGEST)
        except FileNotFoundError:
            return  # pruned by somebody else meanwhile
        except OSError:
            self.damaged += 1  # one file; the others are as good as ever

    def _waveforms(self) -> Iterator[Path]:
        return (self.folder / WAVEFORMS).glob("*.nc")

    def _set_aside(self, path: Path) -> None:
        """Take damaged lines out of a segment, or the whole of it away if it cannot be read."""
        folder = make_folder(self.folder / _DAMAGED)
        before = self.damaged
        good = {
            (path, n) for n, line in enumerate(self._lines(path)) if parts_of(line)[1] is not None
        }
        unreadable = self.damaged > before  # a line that was damaged would not have been counted
        if not unreadable:
            target = folder / f"{path.stem}-{secrets.token_hex(4)}.txt"
            bad = {(path, n) for n, _ in enumerate(self._lines(path))} - good
            self._rewrite(target, [path], bad)
            self._rewrite(path, [path], good)
            return
        if good:  # what could be read of it; first, so that it is there twice rather than lost
            part = path.with_name(f"{path.stem}-{secrets.token_hex(4)}.txt")
            self._rewrite(part, [path], good)
        self._move_away(path)

    def _move_away(self, path: Path) -> None:
        try:
            set_aside(path, self.folder / _DAMAGED)
        except OSError as error:
            raise OutputError(
                f"{ascii(str(path))} cannot be moved ({error.strerror}); move it away by hand."
            ) from None

    def _rewrite(self, target: Path, paths: list[Path], places: set[tuple[Path, int]]) -> None:
        """Write a file anew of some lines of others, whole or not at all."""
        with replacing(target) as file:
            for path in paths:
                for number, line in enumerate(self._lines(path)):
                    if (path, number) in places:
                        file.write(line)
