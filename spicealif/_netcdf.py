"""Reading netCDF-4 files that somebody else may have made: results are data, and open nothing else.

A netCDF-4 file is HDF5, which can name other files (external links and storage, virtual data sets),
declare arrays of any size that are not there, and pack gigabytes into a kilobyte. None of that is
in a file that spicealif writes, so a file with any of it is refused before its data are read, and
reading one takes no more memory than a few times its size.
"""

from __future__ import annotations

import math
import mmap
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spicealif._text import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NetcdfError", "NetcdfFile", "Variable", "read_netcdf"]

#: Bytes that a file's arrays may take together: so many a byte of the file, and so many whatever
#: its size (a constant packs well).
_PER_BYTE, _ALWAYS = 10, 1 << 24
#: What nobody's results exceed.
_LONGEST_NAME = 200
_MOST_MEMBERS, _MOST_DIMENSIONS, _MOST_ATTRIBUTES, _LONGEST_ATTRIBUTE = 4096, 8, 256, 1 << 20
#: HDF5's own filters that h5netcdf uses: deflate, shuffle, Fletcher's checksum.
_DEFLATE, _FILTERS = 1, (1, 2, 3)
#: Attributes by which netCDF-4 keeps its dimensions; the library reads them.
_HIDDEN = frozenset(
    {
        "CLASS",
        "NAME",
        "REFERENCE_LIST",
        "DIMENSION_LIST",
        "DIMENSION_LABELS",
        "_NCProperties",
        "_Netcdf4Coordinates",
        "_Netcdf4Dimid",
        "_nc3_strict",
    }
)
_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"
#: What a collection of texts begins with: its name and version.
_HEAP = b"GCOL\x01\0\0\0"
#: An element of a text array in the file: its length, and where the text is.
_TEXT_ELEMENT = np.dtype([("length", "<u4"), ("where", "V12")])


class NetcdfError(ValueError):
    """A file is no netCDF that can be read here; the text says why, in a few words."""


@dataclass(frozen=True, eq=False)
class Variable:
    """One array of a file.

    Attributes
    ----------
    dims : tuple of str
    values : ndarray
        Numbers, or objects that are texts.
    attrs : dict
        Texts and numbers.
    """

    dims: tuple[str, ...]
    values: NDArray[Any]
    attrs: dict[str, Any]


@dataclass(frozen=True, eq=False)
class NetcdfFile:
    """What a file holds: variables by name, and its own attributes (texts and numbers)."""

    variables: dict[str, Variable] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)


def read_netcdf(path: str | os.PathLike[str]) -> NetcdfFile:
    """Read all of a netCDF-4 file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    NetcdfFile

    Raises
    ------
    NetcdfError
        The file cannot be read, is no netCDF-4, or is one that spicealif does not write.
    """
    import h5py

    try:
        file_path = Path(path)
        if not file_path.is_file():
            raise NetcdfError(_why_not(file_path))
        size = file_path.stat().st_size
        _check_heaps(file_path)
        with h5py.File(file_path, "r") as file:
            return _read(file, _Budget(_PER_BYTE * size + _ALWAYS))
    except NetcdfError:
        raise
    except MemoryError:
        raise NetcdfError("there is not enough memory") from None
    except RecursionError:
        raise NetcdfError("it is damaged") from None
    except Exception as error:
        # h5py raises whatever it meets in a broken file, in several lines.
        number = getattr(error, "errno", None)
        raise NetcdfError(os.strerror(number).lower() if number else _not_netcdf(path)) from None


def _check_heaps(path: Path) -> None:
    """Refuse collections of texts on which HDF5 would work for ever.

    It steps from object to object by the size that each states; in a damaged file that is nothing,
    and then it never arrives (met with HDF5 2.0.0 by ``scripts/fuzz_netcdf.py``).
    """
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(_HEAP)
            while at >= 0:
                size = int.from_bytes(data[at + 8 : at + 16], "little")
                end = min(at + size, len(data))
                k = at + 16
                while k + 16 <= end:
                    index = int.from_bytes(data[k : k + 2], "little")
                    length = int.from_bytes(data[k + 8 : k + 16], "little")
                    if index == 0 and length < 16:
                        raise NetcdfError("it is damaged")
                    k += length if index == 0 else 16 + -(-length // 8) * 8
                at = data.find(_HEAP, at + 8)


def _why_not(path: Path) -> str:
    if path.is_dir():
        return "it is a folder"
    return "it is not a regular file" if path.exists() else "no such file or directory"


def _not_netcdf(path: str | os.PathLike[str]) -> str:
    """Say what a file is that HDF5 cannot read."""
    from spicealif.simulators._raw_foreign import HEAD, foreign

    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD)
    except (OSError, ValueError):
        return "it is not netCDF"
    if head.startswith(b"\x89HDF"):
        return "it is damaged"
    known = foreign(head) if head else ("it is empty", "")
    return known[0] if known else "it is not netCDF"


class _Budget:
    """Bytes that may still be read."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, n: int) -> None:
        if n > self.left:
            raise NetcdfError("it declares far more data than it holds")
        self.left -= n


def _read(file: Any, budget: _Budget) -> NetcdfFile:
    import h5py

    if len(file) > _MOST_MEMBERS:
        raise NetcdfError("it holds more variables than any result")
    names = {}
    for name in file:
        if not name.isprintable() or len(name) > _LONGEST_NAME:
            raise NetcdfError("it has names that no result has")
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise NetcdfError("it refers to data elsewhere, which results never do")
        member = file[name]
        if not isinstance(member, h5py.Dataset):
            raise NetcdfError("it holds groups, which results never do")
        names[name] = member
    for member in names.values():
        _check(member, budget)
    variables = {}
    for name, member in names.items():
        if bytes(np.bytes_(member.attrs.get("NAME", b""))).startswith(_NO_VARIABLE):
            continue
        attrs = _attributes(member)
        variables[str(name)] = Variable(_dims(member, str(name)), _values(member, attrs), attrs)
    sizes: dict[str, int] = {}
    for variable in variables.values():
        for dim, n in zip(variable.dims, variable.values.shape, strict=True):
            if sizes.setdefault(dim, n) != n:
                raise NetcdfError(f"its dimension {shown(dim, 40)} has two lengths")
    return NetcdfFile(variables, _attributes(file))


def _check(data: Any, budget: _Budget) -> None:
    """Refuse an array that is not in the file, or far larger than what is there of it."""
    import h5py

    if data.external or data.is_virtual:
        raise NetcdfError("it refers to data elsewhere, which results never do")
    if data.shape is None or len(data.shape) > _MOST_DIMENSIONS:
        raise NetcdfError("it holds an array of a shape that no result has")
    if len(data.attrs) > _MOST_ATTRIBUTES:
        raise NetcdfError("it holds more attributes than any result")
    texts = h5py.check_string_dtype(data.dtype) is not None
    if not texts and data.dtype.kind not in "fiu":
        raise NetcdfError("it holds data of a kind that no result has")
    count = math.prod(data.shape)
    budget.take(count * max(8, data.dtype.itemsize))
    filters = [data.id.get_create_plist().get_filter(k) for k in range(_n_filters(data))]
    if any(code not in _FILTERS for code, *_ in filters):
        raise NetcdfError("it is packed in a way that results never are")
    whole = data.dtype.itemsize * math.prod(data.chunks or (0,))
    if whole > budget.left:
        raise NetcdfError("it declares far more data than it holds")
    if any(code == _DEFLATE for code, *_ in filters):
        _check_packed(data, whole, [code for code, *_ in filters])
    if texts and data.dtype.kind == "O":
        if filters:
            raise NetcdfError("it is packed in a way that results never are")
        budget.take(_length_of_texts(data, count))


def _n_filters(data: Any) -> int:
    n = int(data.id.get_create_plist().get_nfilters())
    if n > len(_FILTERS):
        raise NetcdfError("it is packed in a way that results never are")
    return n


def _check_packed(data: Any, whole: int, codes: list[int]) -> None:
    """Refuse chunks that unpack to more than a chunk: HDF5 makes room for whatever comes out."""
    if codes.count(_DEFLATE) > 1:
        raise NetcdfError("it is packed in a way that results never are")
    place = codes.index(_DEFLATE)
    limit = whole + 4 * codes[:place].count(3)
    for k in range(data.id.get_num_chunks()):
        info = data.id.get_chunk_info(k)
        if info.filter_mask & (1 << place):
            continue
        packed = data.id.read_direct_chunk(info.chunk_offset)[1]
        try:
            out = zlib.decompressobj().decompress(packed, limit + 1)
        except zlib.error:
            raise NetcdfError("it is damaged") from None
        if len(out) > limit:
            raise NetcdfError("it declares far more data than it holds")


def _length_of_texts(data: Any, count: int) -> int:
    """Bytes of all texts of an array: many elements may share one long text."""
    if not count:
        return 0
    places: list[tuple[int, int]] = []
    if data.chunks is None:
        if (offset := data.id.get_offset()) is not None:
            places.append((offset, count * _TEXT_ELEMENT.itemsize))
    else:
        for k in range(data.id.get_num_chunks()):
            info = data.id.get_chunk_info(k)
            places.append((info.byte_offset, info.size))
    total = 0
    with Path(os.fsdecode(data.file.filename)).open("rb") as raw:
        for offset, size in places:
            raw.seek(offset)
            elements = np.frombuffer(raw.read(size)[: size // 16 * 16], _TEXT_ELEMENT)
            total += int(elements["length"].sum(dtype=np.uint64)) + 64 * len(elements)
    return total


def _dims(data: Any, name: str) -> tuple[str, ...]:
    """Return the names of an array's dimensions."""
    if "DIMENSION_LIST" not in data.attrs:
        if len(data.shape) == 0:
            return ()
        if len(data.shape) == 1 and bytes(np.bytes_(data.attrs.get("CLASS", b""))).startswith(
            b"DIMENSION_SCALE"
        ):
            return (name,)
        raise NetcdfError(f"its variable {shown(name, 40)} has no named dimensions")
    out = []
    for dimension in data.dims:
        if len(dimension) != 1:
            raise NetcdfError(f"its variable {shown(name, 40)} has no named dimensions")
        out.append(str(dimension[0].name).rpartition("/")[2])
    return tuple(out)


def _values(data: Any, attrs: dict[str, Any]) -> NDArray[Any]:
    import h5py

    string = h5py.check_string_dtype(data.dtype)
    if string is not None:
        texts = data.asstr("utf-8", errors="replace")[()]
        return np.asarray(texts, dtype=object)
    values = np.asarray(data[()])
    values = values.astype(values.dtype.newbyteorder("="))
    if str(attrs.pop("dtype", "")) == "bool" and values.dtype.kind in "iu":
        values = values.astype(np.bool_)
    filled = attrs.pop("_FillValue", None)
    if values.dtype.kind == "f" and isinstance(filled, float) and not math.isnan(filled):
        values = np.where(values == filled, np.nan, values)
    return values


def _attributes(of: Any) -> dict[str, Any]:
    """Return the attributes that are one text or one number; netCDF's own are left out."""
    out: dict[str, Any] = {}
    if len(of.attrs) > _MOST_ATTRIBUTES:
        raise NetcdfError("it holds more attributes than any result")
    for name in of.attrs:
        if name in _HIDDEN:
            continue
        about = of.attrs.get_id(name)
        if math.prod(about.shape or (1,)) != 1 or about.get_storage_size() > _LONGEST_ATTRIBUTE:
            continue  # no attribute of a result is a list
        value = of.attrs[name]
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, np.ndarray | np.generic):
            if np.asarray(value).dtype.kind not in "fiubSU":
                continue
            value = np.asarray(value).reshape(-1)[0].item()
            value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if isinstance(value, str | float | int):
            out[str(name)] = value
    return out
