"""What a run will need at least, known before it starts.

The numbers of points are lower bounds that a design gives: a simulator takes at least t_stop over
its largest step (with steering some 7 to 14 times as many), the reference at least t_stop over its
step. So what is refused here could not have ended well; what is not refused may still need more.
The bytes for each point were measured (ngspice 39, h5netcdf 1.4; at the low end of what was seen).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spicealif.errors import ResourceError

if TYPE_CHECKING:
    from spicealif.design import AnyDesign

__all__ = ["Needs", "check_needs", "circuit_needs", "memory_left", "reference_needs", "sweep_needs"]

#: Bytes for each point: in this process, in a simulator's, and in a netCDF file.
_CIRCUIT, _SIMULATOR, _CIRCUIT_FILE = 150, 30, 64
_REFERENCE, _REFERENCE_FILE = 80, 40
#: Bytes for each point of a sweep and each side: in this process, and in the store.
_POINT, _POINT_FILE = 400, 600
#: Points of a second that the slowest machine's simulator gets done at least.
_SLOWEST = 1e4
#: Less is never refused: no limit is so exact, and asking takes time.
_LITTLE = 1 << 27
_FILE_LIMIT = "is the limit for one file (ulimit -f)"
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Needs:
    """What something needs at least.

    Attributes
    ----------
    points : float
        Of time, or of a sweep.
    memory : float
        Bytes in this process.
    others : float
        Bytes in other processes at the same time.
    disk : float
        Bytes of all files.
    largest : float
        Bytes of the largest file.
    """

    points: float = 0.0
    memory: float = 0.0
    others: float = 0.0
    disk: float = 0.0
    largest: float = 0.0

    def __add__(self, other: Needs) -> Needs:
        return Needs(
            self.points + other.points,
            self.memory + other.memory,
            self.others + other.others,
            self.disk + other.disk,
            max(self.largest, other.largest),
        )


def circuit_needs(design: AnyDesign, timeout: float | None = None) -> Needs:
    """Return what a simulator's run of a design and its waveforms need at least.

    Parameters
    ----------
    design : Neuron or SeriesCircuit
    timeout : float, optional
        Seconds of wall time after which the run ends early.
    """
    n = design.t_stop / design.t_step_max
    if timeout is not None:
        n = min(n, _SLOWEST * max(timeout, 0.0))
    size = n * _CIRCUIT_FILE
    return Needs(n, n * _CIRCUIT, n * _SIMULATOR, size, size)


def reference_needs(design: AnyDesign, stride: float = 1.0) -> Needs:
    """Return what the reference's integration and its waveforms need at least."""
    n = design.t_stop / design.default_h / stride
    size = n * _REFERENCE_FILE
    return Needs(n, n * _REFERENCE, 0.0, size, size)


def sweep_needs(
    points: int,
    sides: int,
    designs: Iterable[AnyDesign],
    circuit: bool,
    timeout: float | None,
    workers: int,
    kept: bool,
) -> Needs:
    """Return what a sweep needs at least.

    Parameters
    ----------
    points : int
    sides : int
        Sides computed of each point, 1 or 2.
    designs : iterable of Neuron
        Some of the points'; the smallest of each need counts.
    circuit : bool
        Whether the circuit is computed.
    timeout : float or None
        Of a circuit's run.
    workers : int
        Points at a time.
    kept : bool
        Whether waveforms are kept.
    """
    one = [circuit_needs(d, timeout) if circuit else reference_needs(d) for d in designs]
    each = min((n.memory + n.others for n in one), default=0.0)
    file = min((n.disk for n in one), default=0.0) if kept else 0.0
    return Needs(
        points=points,
        memory=points * sides * _POINT,
        others=min(points, workers) * each,
        disk=points * (sides * _POINT_FILE + file),
        largest=file,
    )


def check_needs(needs: Needs, folder: Path | None = None) -> None:
    """Refuse what cannot end well.

    Parameters
    ----------
    needs : Needs
    folder : Path, optional
        Where the files go; nothing about files is checked without.

    Raises
    ------
    ResourceError
        If there is less memory or room than is needed, with both figures.
    """
    if needs.memory + needs.others > _LITTLE:
        for need, (left, what) in (
            (needs.memory, memory_left(one=True)),
            (needs.memory + needs.others, memory_left(one=False)),
        ):
            if need > left:
                raise ResourceError(
                    f"At least {needs.points:.2g} points would take {_size(need)} of memory, and "
                    f"{_size(left)} {what}; shorten the run, take larger steps or fewer points, "
                    "or find more memory."
                )
    if folder is not None and needs.disk > _LITTLE:
        left, what = _room_left(folder, needs)
        need = needs.largest if what == _FILE_LIMIT else needs.disk
        if need > left:
            raise ResourceError(
                f"At least {needs.points:.2g} points would take {_size(need)} on disk, and "
                f"{_size(left)} {what}; shorten the run, take larger steps or fewer points, or "
                "choose another place."
            )


def memory_left(*, one: bool) -> tuple[float, str]:
    """Return how many bytes this process may still take, or it and others, and what limits that.

    Parameters
    ----------
    one : bool
        Whether what limits single processes counts, or what limits all together.
    """
    import psutil

    if one:
        if sys.platform == "win32":
            return float("inf"), ""
        import resource

        used = psutil.Process().memory_info()
        told = {
            "RLIMIT_AS": (used.vms, "is left of this process's limit (ulimit -v)"),
            "RLIMIT_DATA": (0, "is the limit of this process's data (ulimit -d)"),
        }
        limits = [
            (float(max(0, limit - taken)), what)
            for name, (taken, what) in told.items()
            if (limit := resource.getrlimit(getattr(resource, name))[0]) != resource.RLIM_INFINITY
        ]
        return min(limits, default=(float("inf"), ""))
    free = psutil.virtual_memory().available + psutil.swap_memory().free
    limits = [(float(free), "is free on this machine")]
    limits += [(left, "is left of the container's or job's limit") for left in _cgroup_left()]
    return min(limits)


def _cgroup_left() -> list[float]:
    """Return what the control groups of this process, and those they are in, leave of memory."""
    found = []
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
    for line in lines:
        _, controllers, name = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            root, limit, used = _CGROUP, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            root, limit = _CGROUP / "memory", "memory.limit_in_bytes"
            used = "memory.usage_in_bytes"
        else:
            continue
        folder = root / name.strip("/")
        while True:
            most, now = _number(folder / limit), _number(folder / used)
            if most is not None:
                # What files occupy is given back when it is asked for.
                cached = _number(folder / "memory.stat", ("inactive_file", "total_inactive_file"))
                found.append(max(0.0, most - max(0.0, (now or 0.0) - (cached or 0.0))))
            if folder == root or root not in folder.parents:
                break
            folder = folder.parent
    return found


def _number(path: Path, keys: tuple[str, ...] = ()) -> float | None:
    """Return the number in a file, or behind one of some keys; None for "max" or no file."""
    try:
        words = path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return None
    if keys:
        pairs = dict(zip(words[::2], words[1::2], strict=False))
        words = [pairs[k] for k in keys if k in pairs]
    return float(words[0]) if words and words[0].isdigit() else None


def _room_left(folder: Path, needs: Needs) -> tuple[float, str]:
    """Return how many bytes may still be written into a folder, and what limits that."""
    import shutil

    if sys.platform != "win32":
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        if soft != resource.RLIM_INFINITY and soft < needs.largest:
            return float(soft), _FILE_LIMIT
    place = folder.absolute()
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    try:
        return float(shutil.disk_usage(place).free), f"is free for {ascii(str(folder))}"
    except OSError:
        return float("inf"), ""  # writing will tell


def _size(size: float) -> str:
    for factor, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size / 1e3:.3g} kB"
