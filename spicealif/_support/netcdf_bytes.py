"""What is done before HDF5's library opens a netCDF-4 file: a look at its bytes, and no plug-ins.

The library reads some structures before anybody can ask it what they are, and does not survive, or
unpacks to any size, what a damaged or crafted file has there.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["NetcdfError", "check_bytes", "without_plugins"]

#: What a collection of texts begins with: its name and version.
_HEAP = b"GCOL\x01\0\0\0"
#: What a heap of links or attributes begins with; behind it, two bytes each, the length of what
#: refers to it, and that of how it is packed.
_LINKS = b"FRHP\0"


class NetcdfError(ValueError):
    """A file is no netCDF that can be read here; the text says why, in a few words."""


def check_bytes(path: Path, bound: Callable[[int], int]) -> int:
    """Refuse what HDF5's library does not survive, or unpacks before it can be asked.

    Parameters
    ----------
    path : Path
        A regular file.
    bound : callable
        How many bytes a file may stand for that holds so many.

    Returns
    -------
    int
        How many bytes are in the file, without its holes.
    """
    with path.open("rb") as file:
        size = _stored(file.fileno())
        if not size:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if len(data) > bound(size):
                raise NetcdfError("it declares far more data than it holds")
            _check_links(data)
            _check_heaps(data)
    return size


@contextlib.contextmanager
def without_plugins() -> Iterator[None]:
    """Keep HDF5 from its plug-ins while the block runs: none of our files needs any.

    It looks for one that knows a filter, and, for a file that it cannot open, through all of them.
    Where it looks is the whole process's; no other thread is in h5py meanwhile.
    """
    from h5py import h5pl
    from h5py._objects import phil

    with phil:
        folders = [h5pl.get(k) for k in range(h5pl.size())]
        for _ in folders:
            h5pl.remove(0)
        try:
            yield
        finally:
            for folder in folders:
                h5pl.append(folder)


def _stored(descriptor: int) -> int:
    """Return how many bytes of a file there are; a hole takes memory as soon as it is read."""
    size = os.fstat(descriptor).st_size
    if sys.platform == "win32" or not hasattr(os, "SEEK_DATA"):
        return size
    at = total = 0
    try:
        while at < size:
            begin = os.lseek(descriptor, at, os.SEEK_DATA)
            at = os.lseek(descriptor, begin, os.SEEK_HOLE)
            total += at - begin
    except OSError as error:
        if error.errno != errno.ENXIO:  # nothing but a hole from here
            return size
    return total


def _check_links(data: mmap.mmap) -> None:
    """Refuse lists of links and attributes that are packed: HDF5 unpacks them at the first look."""
    at = data.find(_LINKS)
    while at >= 0:
        if any(data[at + 7 : at + 9]):
            raise NetcdfError("it is packed in a way that results never are")
        at = data.find(_LINKS, at + 1)


def _check_heaps(data: mmap.mmap) -> None:
    """Refuse collections of texts on which HDF5 would work for ever, or this look at them would.

    It steps from object to object by the size that each states; in a damaged file that is nothing,
    and then it never arrives (met with HDF5 2.0.0 by ``scripts/fuzz_netcdf.py``). Collections do
    not overlap, so there are no more steps in all than fit into the file.
    """
    left = len(data) // 16
    at = data.find(_HEAP)
    while at >= 0:
        size = int.from_bytes(data[at + 8 : at + 16], "little")
        end = min(at + size, len(data))
        k = at + 16
        while k + 16 <= end:
            index = int.from_bytes(data[k : k + 2], "little")
            length = int.from_bytes(data[k + 8 : k + 16], "little")
            left -= 1
            if left < 0 or (index == 0 and length < 16):
                raise NetcdfError("it is damaged")
            k += length if index == 0 else 16 + -(-length // 8) * 8
        at = data.find(_HEAP, at + 8)
