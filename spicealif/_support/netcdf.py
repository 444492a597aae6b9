"""Reading netCDF-4 files that somebody else may have made: results are data, and open nothing else.

A netCDF-4 file is HDF5, which can name other files (external links and storage, virtual data sets),
declare arrays of any size that are not there, and pack gigabytes into a kilobyte. None of that is
in a file that spicealif writes, so a file with any of it is refused before its data are read, and
reading one takes no more memory than a few times its size.

Three rules make that so, whatever else HDF5 can say. What its library does before anybody can ask
it (list of links, collections of texts) is looked at in the file's bytes. What kind of thing it is
(class of a type, of a link, layout, filters) is asked before h5py makes anything of it. And every
array, text and attribute is taken from one budget, which the bytes that are really there set.
``scripts/crafted_netcdf.py`` tries them on some 200 files.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spicealif._support.netcdf_bytes import NetcdfError, check_bytes, without_plugins
from spicealif._support.text import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NetcdfError", "NetcdfFile", "Variable", "read_netcdf"]

#: Bytes that all of a file may take together: so many a byte of the file, and so many whatever its
#: size (a constant packs well). What is made of them (differences, copies) takes as much again.
_PER_BYTE, _ALWAYS = 4, 1 << 23
#: Bytes that Python takes for a text beside its letters, and for an array beside its numbers; and
#: HDF5 for a chunk beside what is in it.
_TEXT, _ARRAY, _CHUNK = 64, 2048, 4096
#: What nobody's results exceed.
_LONGEST_NAME = 200
_MOST_MEMBERS, _MOST_DIMENSIONS, _MOST_ATTRIBUTES, _MOST_CHUNKS = 4096, 8, 256, 1 << 16
#: The attribute that lists variables, and its longest.
_LIST, _LONGEST_LIST = "coordinates", _MOST_MEMBERS * 20
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
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable"
#: An element of a text array in the file: its length, and where the text is.
_TEXT_ELEMENT = np.dtype([("length", "<u4"), ("where", "V12")])


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
        most = _most(check_bytes(file_path, _most))
        # Everything is read once and whole: a cache of chunks would only take memory.
        caches = {"rdcc_nbytes": 0, "rdcc_nslots": 1}
        with without_plugins(), h5py.File(file_path, "r", **caches) as file:
            return _read(file, _Budget(most))
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


def _most(size: int) -> int:
    """Return how many bytes all of a file of a size may take."""
    return _PER_BYTE * size + _ALWAYS


def _why_not(path: Path) -> str:
    if path.is_dir():
        return "it is a folder"
    return "it is not a regular file" if path.exists() else "no such file or directory"


def _not_netcdf(path: str | os.PathLike[str]) -> str:
    """Say what a file is that HDF5 cannot read."""
    from spicealif._support.foreign import HEAD, foreign

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

    if file.userblock_size:
        raise NetcdfError("it begins with something else")
    if not h5py.h5g.open(file.id, b"/").get_create_plist().get_link_creation_order():
        # As netCDF-4 always has it. Links in the older way are in a tree of any depth.
        raise NetcdfError("its variables have no order, as netCDF's have")
    if len(file) > _MOST_MEMBERS:
        raise NetcdfError("it holds more variables than any result")
    names = list(file)
    for name in names:
        if not name.isprintable() or len(name) > _LONGEST_NAME:
            raise NetcdfError("it has names that no result has")
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise NetcdfError("it refers to data elsewhere, which results never do")
        member = file[name]
        if not isinstance(member, h5py.Dataset):
            raise NetcdfError("it holds groups, which results never do")
        _check(member, budget)
    variables = {}
    for name in names:
        member = file[name]
        if _own_text(member, "NAME", budget).startswith(_NO_VARIABLE):
            continue
        attrs = _attributes(member, budget)
        dims = _dims(member, name, budget)
        variables[name] = Variable(dims, _values(member, attrs), attrs)
    sizes: dict[str, int] = {}
    for variable in variables.values():
        for dim, n in zip(variable.dims, variable.values.shape, strict=True):
            if sizes.setdefault(dim, n) != n:
                raise NetcdfError(f"its dimension {shown(dim, 40)} has two lengths")
    return NetcdfFile(variables, _attributes(file, budget))


def _check(data: Any, budget: _Budget) -> None:
    """Refuse an array that is not in the file, or far larger than what is there of it."""
    import h5py

    if data.external or data.is_virtual:
        raise NetcdfError("it refers to data elsewhere, which results never do")
    if data.shape is None or len(data.shape) > _MOST_DIMENSIONS:
        raise NetcdfError("it holds an array of a shape that no result has")
    _check_number_of_attributes(data)
    # Asked of HDF5: h5py would first make something of a type of types of types.
    kind = data.id.get_type()
    texts = kind.get_class() == h5py.h5t.STRING
    if not texts and kind.get_class() not in (h5py.h5t.INTEGER, h5py.h5t.FLOAT):
        raise NetcdfError("it holds data of a kind that no result has")
    count = math.prod(data.shape)
    budget.take(_ARRAY + count * (max(8, kind.get_size()) + (_TEXT if texts else 0)))
    plist = data.id.get_create_plist()
    n_filters = int(plist.get_nfilters())
    codes = [plist.get_filter(k)[0] for k in range(min(n_filters, len(_FILTERS) + 1))]
    if n_filters > len(_FILTERS) or any(code not in _FILTERS for code in codes):
        raise NetcdfError("it is packed in a way that results never are")
    if data.chunks:
        budget.take(_CHUNK * _most_chunks(data))
    whole = kind.get_size() * math.prod(data.chunks or (0,))
    if whole > budget.left:
        raise NetcdfError("it declares far more data than it holds")
    if _DEFLATE in codes:
        _check_packed(data, whole, codes)
    if texts and kind.is_variable_str():
        if codes:
            raise NetcdfError("it is packed in a way that results never are")
        budget.take(_length_of_texts(data, plist, count))


def _check_number_of_attributes(of: Any) -> None:
    if len(of.attrs) > _MOST_ATTRIBUTES:
        raise NetcdfError("it holds more attributes than any result")


def _check_packed(data: Any, whole: int, codes: list[int]) -> None:
    """Refuse chunks that unpack to more than a chunk: HDF5 makes room for whatever comes out."""
    if codes.count(_DEFLATE) > 1:
        raise NetcdfError("it is packed in a way that results never are")
    place = codes.index(_DEFLATE)
    limit = whole + 4 * codes[:place].count(3)
    for mask, packed in _chunks(data):
        if mask & (1 << place):
            continue
        try:
            out = zlib.decompressobj().decompress(packed, limit + 1)
        except zlib.error:
            raise NetcdfError("it is damaged") from None
        if len(out) > limit:
            raise NetcdfError("it declares far more data than it holds")


def _most_chunks(data: Any) -> int:
    """Return of how many chunks an array is made."""
    most = int(math.prod(-(-n // k) for n, k in zip(data.shape, data.chunks, strict=True)))
    if most > _MOST_CHUNKS:
        raise NetcdfError("it is packed in a way that results never are")
    return most


def _chunks(data: Any) -> Iterator[tuple[int, bytes]]:
    """Give the filters that each chunk of an array is without, and its bytes in the file."""
    most = _most_chunks(data)
    found: list[Any] = []

    def note(info: Any) -> bool | None:
        found.append(info)
        return True if len(found) > most else None  # the same again and again

    if hasattr(data.id, "chunk_iter"):
        data.id.chunk_iter(note)
    else:
        # HDF5 before 1.14 walks from the first chunk to each.
        found += map(data.id.get_chunk_info, range(min(data.id.get_num_chunks(), most + 1)))
    if len(found) > most:
        raise NetcdfError("it is damaged")
    with Path(os.fsdecode(data.file.filename)).open("rb") as raw:
        for info in found:
            raw.seek(info.byte_offset)
            yield info.filter_mask, raw.read(info.size)


def _length_of_texts(data: Any, plist: Any, count: int) -> int:
    """Return the bytes of all texts of an array: many elements may share one long text."""
    import h5py

    if not count:
        return 0
    # Elements that were never written are the fill value.
    filled = plist.fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED
    total = count * len(data.fillvalue or b"") if filled else 0
    layout = plist.get_layout()
    if layout == h5py.h5d.CHUNKED:
        pieces: Iterable[bytes] = (piece for _, piece in _chunks(data))
    elif layout == h5py.h5d.CONTIGUOUS:
        pieces = _contiguous(data, count)
    else:
        raise NetcdfError("it is packed in a way that results never are")
    for piece in pieces:
        elements = np.frombuffer(piece[: len(piece) // 16 * 16], _TEXT_ELEMENT)
        total += int(elements["length"].sum(dtype=np.uint64))
    return total


def _contiguous(data: Any, count: int) -> Iterator[bytes]:
    """Give the elements of a text array that lies in one piece, if it was ever written."""
    offset = data.id.get_offset()
    if offset is not None:
        with Path(os.fsdecode(data.file.filename)).open("rb") as raw:
            raw.seek(offset)
            yield raw.read(count * _TEXT_ELEMENT.itemsize)


def _dims(data: Any, name: str, budget: _Budget) -> tuple[str, ...]:
    """Return the names of an array's dimensions."""
    import h5py

    nameless = NetcdfError(f"its variable {shown(name, 40)} has no named dimensions")
    if "DIMENSION_LIST" not in data.attrs:
        if len(data.shape) == 0:
            return ()
        if len(data.shape) == 1 and _own_text(data, "CLASS", budget) == "DIMENSION_SCALE":
            return (name,)
        raise nameless
    # References of the newer kind can name another file.
    kind = data.attrs.get_id("DIMENSION_LIST").get_type()
    if kind.get_class() != h5py.h5t.VLEN or not kind.get_super().equal(h5py.h5t.STD_REF_OBJ):
        raise nameless
    out = []
    for dimension in data.dims:
        if len(dimension) != 1:
            raise nameless
        out.append(str(dimension[0].name).rpartition("/")[2])
    return tuple(out)


def _values(data: Any, attrs: dict[str, Any]) -> NDArray[Any]:
    import h5py

    if data.id.get_type().get_class() == h5py.h5t.STRING:
        texts = data.asstr("utf-8", errors="replace")[()]
        return np.asarray(texts, dtype=object)
    values = np.asarray(data[()])
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if str(attrs.pop("dtype", "")) == "bool" and values.dtype.kind in "iu":
        values = values.astype(np.bool_)
    filled = attrs.pop("_FillValue", None)
    if values.dtype.kind == "f" and isinstance(filled, float) and not math.isnan(filled):
        values = np.where(values == filled, np.nan, values)
    return values


def _attributes(of: Any, budget: _Budget) -> dict[str, Any]:
    """Return the attributes that are one text or one number; netCDF's own are left out."""
    _check_number_of_attributes(of)
    values = ((str(name), _attribute(of, name, budget)) for name in of.attrs if name not in _HIDDEN)
    out = {name: value for name, value in values if value is not None}
    if len(str(out.get(_LIST, ""))) > _LONGEST_LIST:
        raise NetcdfError("it lists more variables than any result")
    return out


def _own_text(of: Any, name: str, budget: _Budget) -> str:
    """Return an attribute by which netCDF-4 keeps its dimensions; empty if it is no text."""
    value = _attribute(of, name, budget) if name in of.attrs else None
    return value if isinstance(value, str) else ""


def _attribute(of: Any, name: str, budget: _Budget) -> str | float | int | None:
    """Return an attribute; None if it is not one text or number, as no attribute of a result is."""
    import h5py

    about = of.attrs.get_id(name)
    kind = about.get_type()
    known = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING, h5py.h5t.ENUM)
    if kind.get_class() not in known or math.prod(about.shape or (1,)) != 1:
        return None
    budget.take(_TEXT + kind.get_size())
    value = of.attrs[name]
    if isinstance(value, np.ndarray | np.generic):
        if np.asarray(value).dtype.kind not in "fiubSU":
            return None
        value = np.asarray(value).reshape(-1)[0].item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        # Known only now, since it may lie anywhere in the file; but one is not longer than that.
        budget.take(len(value))
    return value if isinstance(value, str | float | int) else None
