"""What a look through a store finds, and the files beside its segments."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spicealif._support.kept import has_stamp
from spicealif.errors import SpicealifError
from spicealif.sweep._segments import Brief
from spicealif.waveforms import load_waveforms

__all__ = ["StoreReport", "is_whole", "remove_unfinished", "waveforms_file"]

#: Seconds after which nobody is still writing a file that has no name yet.
_DAY = 86400.0


@dataclass
class StoreReport:
    """What a look through a store found.

    Attributes
    ----------
    results, failed : int
        Results, and how many of them are of points that failed.
    damaged : int
        Lines that are no whole result, and files that cannot be read.
    segments, size : int
        Files, and their bytes.
    waveforms, waveforms_size : int
        Files of waveforms, and their bytes.
    damaged_waveforms, lost_waveforms : int
        Files of waveforms that are not what was written, and such that are not there.
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
    damaged_waveforms: int = 0
    lost_waveforms: int = 0
    by_experiment: dict[str, int] = field(default_factory=dict)

    def count(self, briefs: Collection[Brief]) -> None:
        """Count results, each point once."""
        self.results = len(briefs)
        self.failed = sum(brief.failed for brief in briefs)
        for brief in briefs:
            name = brief.experiment
            self.by_experiment[name] = self.by_experiment.get(name, 0) + 1

    def look_at_waveforms(self, folder: Path, briefs: Mapping[bytes, Brief]) -> Iterator[Path]:
        """Count the files of waveforms and give those that are damaged; all must be taken."""
        for file in folder.glob("*.nc"):
            with contextlib.suppress(OSError):  # taken away meanwhile
                self.waveforms_size += file.lstat().st_size
                self.waveforms += 1
        for key, brief in briefs.items():
            for side in brief.waveforms:
                path = folder / waveforms_file(key.decode("ascii"), side)
                if not os.path.lexists(path):
                    self.lost_waveforms += 1
                elif not is_whole(path, brief.waveforms, side):
                    self.damaged_waveforms += 1
                    yield path


def waveforms_file(key: str, side: str) -> str:
    """Return the name of the file of a result's waveforms."""
    return f"{key}-{side}.nc"


def is_whole(path: Path, stamps: Any, side: str) -> bool:
    """Whether a file of waveforms is what was written, as far as its result tells.

    Parameters
    ----------
    path : Path
        The file.
    stamps : mapping or sequence
        The result's ``waveforms``: stamps by side (see `kept.stamp_of`), or only the sides.
    side : str
    """
    if isinstance(stamps, Mapping):
        return has_stamp(path, stamps[side])
    # Former versions kept the names of the sides only.
    try:
        load_waveforms(path)
    except SpicealifError:
        return False
    return True


def remove_unfinished(folder: Path) -> None:
    """Remove the half-written files of processes that were killed, which begin with a dot."""
    for file in folder.glob(".*"):
        with contextlib.suppress(OSError):
            if abs(time.time() - file.lstat().st_mtime) > _DAY:
                file.unlink()
