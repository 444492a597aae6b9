"""The files of ``scripts/crafted_netcdf.py``: what somebody could put into a netCDF file.

Each function changes a copy of a good file, whose digest is taken out: who crafts a file can write
a digest as well. `KINDS` lists them by name, with the file that they begin with.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

__all__ = ["ESCAPES", "KINDS", "VICTIMS"]

#: What would open a file if it were followed; ``{folder}`` is the study's.
VICTIMS = {
    "absolute": "{folder}/victim.csv",
    "relative": "victim.csv",
    "parent": "../victim.csv",
    "home": "~/victim.csv",
    "variable": "$HOME/victim.csv",
    "pipe": "{folder}/pipe",
    "proc": "/proc/self/environ",
    "zero": "/dev/zero",
    "terminal": "/dev/tty",
    "http": "http://127.0.0.1:9/victim.csv",
    "file": "file://{folder}/victim.csv",
    "unc": r"\\\\127.0.0.1\\share\\victim.csv",
}
#: What a terminal would obey, or a reader be misled by.
ESCAPES = {
    "CSI": "\x1b[2J\x1b[31mred",
    "OSC 8": "\x1b]8;;http://127.0.0.1/\x1b\\click\x1b]8;;\x1b\\",
    "OSC 52": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "BEL": "\x07\x07",
    "C1": "\x9b2J\x9d0;title\x9c\x85",
    "bidi": "\u202egnp.\u2066exe\u2069\u200f",
    "overprint": "good\r\x1b[Kbad\x08\x08\x7f\n\x0b\x0c",
    "separators": "a\u2028b\u2029c\ufeff\u00ad",
}

Change = Callable[[Path, Path], None]
#: By name: which file it begins with ("circuit", "reference" or "sweep"), and what is done to it.
KINDS: dict[str, tuple[str, Change]] = {}


def _kind(name: str, base: str = "reference") -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        KINDS[name] = (base, change)
        return change

    return add


def _said(name: str, base: str = "reference") -> Callable[[Callable[[Any], object]], None]:
    """Enter a change of what HDF5 says of a file."""

    def add(change: Callable[[Any], object]) -> None:
        def on_path(path: Path, folder: Path) -> None:
            with h5py.File(path, "r+") as file:
                change(file)

        KINDS[name] = (base, on_path)

    return add


def _attribute(name: str, key: str, value: Any, base: str = "reference", of: str = "/") -> None:
    """Enter a file with another attribute; texts have the study's folder put in."""

    def on_path(path: Path, folder: Path) -> None:
        put = value.replace("{folder}", str(folder)) if isinstance(value, str) else value
        with h5py.File(path, "r+") as file:
            file[of].attrs[key] = put

    KINDS[name] = (base, on_path)


def _replaced(file: Any, make: Callable[[int], Any], name: str = "x") -> None:
    """Put another array in a trace's place, along the same axis."""
    n = file[name].shape[0]
    del file[name]
    data = make(n)
    if data is not None:
        data.dims[0].attach_scale(file["time"])


def _alone(data: Any) -> Any:
    """Make an array its own axis, so that it is read whatever its length."""
    data.make_scale(data.name.lstrip("/"))
    return data


def _library() -> Any:
    """Return HDF5's C library, the one that h5py has loaded."""
    maps = Path("/proc/self/maps").read_text(encoding="ascii", errors="replace")
    return ctypes.CDLL(next(re.finditer(r"/\S*/libhdf5[-.]\S*", maps))[0])


# ------------------------------------------------------------------------------- other files

for _how, _where in VICTIMS.items():
    _attribute(f"design: leak.file {_how}", "design", f'preset="paper"\nleak.file="{_where}"')
    _attribute(
        f"design: stimulus.file {_how}", "design", f'preset="paper"\n[stimulus]\nfile="{_where}"'
    )
_attribute("design: leak.preset", "design", 'preset="paper"\nleak.preset="{folder}/victim.toml"')
_attribute("design: preset", "design", 'preset="{folder}/victim"')
_attribute("design: preset upwards", "design", 'preset="../../../../../../etc/passwd"')
_attribute(
    "design: a sum's term",
    "design",
    'preset="paper"\n[stimulus]\nkind="sum"\nterms=[{file="{folder}/victim.csv"}]',
)
_attribute("design: a part's kind", "design", 'preset="paper"\nopamp.kind="../../../etc/passwd"')
_attribute("design: kind of device", "design", 'preset="paper"\nleak.kind="{folder}/victim.py"')
_attribute("sweep: design.leak.file", "design", 'preset="paper"\nleak.file="/dev/zero"', "sweep")
for _key in ("simulator", "version", "variant", "neuron"):
    _attribute(f"attribute {_key}: a path", _key, "{folder}/victim.csv")
_attribute("attribute kind: a path", "kind", "{folder}/victim.csv", "sweep")
_attribute("attribute experiment: a path", "experiment", "{folder}/victim.csv", "sweep")


def _external(where: str) -> Change:
    def on_path(path: Path, folder: Path) -> None:
        place = where.format(folder=folder)
        with h5py.File(path, "r+") as file:
            _replaced(
                file,
                lambda n: file.create_dataset("x", (n,), "f8", external=[(place, 0, 8 * n)]),
            )

    return on_path


for _how in ("absolute", "relative", "pipe", "zero"):
    KINDS[f"external storage, {_how}"] = ("reference", _external(VICTIMS[_how]))
KINDS["external storage, $ORIGIN"] = ("reference", _external("${{ORIGIN}}/victim.csv"))


@_kind("external link")
def _external_link(path: Path, folder: Path) -> None:
    with h5py.File(path, "r+") as file:
        _replaced(file, lambda _: file.__setitem__("x", h5py.ExternalLink(folder / "v.h5", "/x")))


_said("soft link")(lambda f: _replaced(f, lambda _: f.__setitem__("x", h5py.SoftLink("/v_mem"))))
_said("soft link in a circle")(
    lambda f: _replaced(f, lambda _: f.__setitem__("x", h5py.SoftLink("/x")))
)


@_kind("soft link to an external link in a group")
def _soft_external(path: Path, folder: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_group("g")["e"] = h5py.ExternalLink(folder / "v.h5", "/x")
        _replaced(file, lambda _: file.__setitem__("x", h5py.SoftLink("/g/e")))


@_kind("link of a user's class")
def _user_link(path: Path, folder: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["x"]
        file["x"] = h5py.ExternalLink(folder / "v.h5", "/x")
    data = path.read_bytes()
    # The class of an external link is 64; there is no 100.
    at = data.index(b"\x00" + str(folder).encode())
    at = data.rindex(b"\x40", 0, at)
    path.write_bytes(data[:at] + b"\x64" + data[at + 1 :])


def _virtual(source: str) -> Change:
    def on_path(path: Path, folder: Path) -> None:
        with h5py.File(path, "r+") as file:

            def make(n: int) -> Any:
                layout = h5py.VirtualLayout((n,), "f8")
                layout[:] = h5py.VirtualSource(source.format(folder=folder), "x", (n,))
                return file.create_virtual_dataset("x", layout, fillvalue=0.0)

            _replaced(file, make)

    return on_path


KINDS["virtual data, absolute"] = ("reference", _virtual("{folder}/v.h5"))
KINDS["virtual data, relative"] = ("reference", _virtual("v.h5"))
KINDS["virtual data, of itself"] = ("reference", _virtual("."))


@_said("filter of a plug-in")
def _plugin(file: Any) -> None:
    def make(n: int) -> Any:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((n,))
        plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (1,))
        space = h5py.h5s.create_simple((n,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F64LE, space, plist)
        file["x"].id.write_direct_chunk((0,), bytes(100))
        return file["x"]

    _replaced(file, make)


@_kind("filter of a plug-in, of the root group")
def _group_plugin(path: Path, folder: Path) -> None:
    _filtered_group(path, 32015, (b"v%04d" % k for k in range(50)), 100)


@_kind("reference to another file as an axis")
def _foreign_reference(path: Path, folder: Path) -> None:
    lib = _library()
    lib.H5Rcreate_object.argtypes = [
        ctypes.c_int64,
        ctypes.c_char_p,
        ctypes.c_int64,
        ctypes.c_void_p,
    ]
    lib.H5Awrite.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    with h5py.File(path, "r+") as file, h5py.File(folder / "v.h5", "r") as other:
        reference = ctypes.create_string_buffer(64)
        assert lib.H5Rcreate_object(other.id.id, b"/x", 0, reference) >= 0
        kind = h5py.h5t.TypeID(ctypes.c_int64.in_dll(lib, "H5T_STD_REF_g").value).copy()
        del file["x"].attrs["DIMENSION_LIST"]
        about = h5py.h5a.create(
            file["x"].id,
            b"DIMENSION_LIST",
            h5py.h5t.vlen_create(kind),
            h5py.h5s.create_simple((1,)),
        )
        element = struct.pack("=QQ", 1, ctypes.addressof(reference))
        memory = h5py.h5t.vlen_create(kind)
        assert lib.H5Awrite(about.id, memory.id, element) >= 0


# ------------------------------------------------------------------------------- size


def _filtered_group(path: Path, code: int, names: Any, length: int) -> None:
    """Write a file whose list of links is packed: soft links to nowhere, each so long."""
    lib = _library()
    create = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    lib.H5Pset_link_phase_change.argtypes = [ctypes.c_int64, ctypes.c_uint, ctypes.c_uint]
    assert lib.H5Pset_link_phase_change(create.id, 0, 0) >= 0
    lib.H5Pset_filter.argtypes = [
        ctypes.c_int64, ctypes.c_int, ctypes.c_uint, ctypes.c_size_t, ctypes.c_void_p
    ]  # fmt: skip
    if code != 1:
        _register(lib, code)
    assert lib.H5Pset_filter(create.id, code, 0, 1, (ctypes.c_uint * 1)(9)) >= 0
    opened = h5py.h5f.create(os.fsencode(path), h5py.h5f.ACC_TRUNC, create, access)
    with h5py.File(opened) as file:
        for name in names:
            file.id.links.create_soft(name, b"x" * length)


_CALLED = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_uint, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t,
    ctypes.c_void_p, ctypes.c_void_p,
)  # fmt: skip


@_CALLED
def _unchanged(_flags: int, _n: int, _values: int, size: int, _room: int, _data: int) -> int:
    return size


class _Filter(ctypes.Structure):
    """HDF5's ``H5Z_class2_t``."""

    _fields_ = (
        ("version", ctypes.c_int), ("code", ctypes.c_int), ("encoder", ctypes.c_uint),
        ("decoder", ctypes.c_uint), ("name", ctypes.c_char_p), ("can_apply", ctypes.c_void_p),
        ("set_local", ctypes.c_void_p), ("filter", _CALLED),
    )  # fmt: skip


def _register(lib: Any, code: int) -> None:
    """Make a filter known here that nobody else has."""
    made = _Filter(1, code, 1, 1, b"crafted", None, None, _unchanged)
    assert lib.H5Zregister(ctypes.byref(made)) >= 0


def _packed_links(path: Path, folder: Path) -> None:
    _filtered_group(path, 1, (b"v%04d" % k for k in range(4000)), 60_000)


KINDS["packed list of links"] = ("reference", _packed_links)


def _huge(file: Any, chunks: Any, shape: tuple[int, ...] = (2**33,)) -> None:
    del file["x"]
    file.create_dataset("x", shape, "f8", fillvalue=1.0, chunks=chunks)


_said("no storage, contiguous")(lambda f: _huge(f, None))
_said("no storage, chunked")(lambda f: _huge(f, (2**20,)))
_said("no storage, eight dimensions")(lambda f: _huge(f, (1,) * 8, (2**8,) * 8))
_said("no storage, whose size overflows")(lambda f: _huge(f, (1, 1), (2**62, 2**62)))
_said("no storage, just under the bound")(
    lambda f: _alone(f.create_dataset("y", (2_200_000,), "f8", fillvalue=1.0, chunks=(1000,)))
)


@_said("one chunk far longer than the array")
def _long_chunk(file: Any) -> None:
    long = 2**26

    def make(n: int) -> Any:
        data = file.create_dataset(
            "x", (n,), "f8", chunks=(long,), maxshape=(None,), compression="gzip"
        )
        data.id.write_direct_chunk((0,), zlib.compress(bytes(8 * long)))
        return data

    _replaced(file, make)


@_said("deflated zeros, declared")
def _declared_bomb(file: Any) -> None:
    _alone(file.create_dataset("y", data=np.zeros(2**26), compression="gzip", chunks=(2**22,)))


@_said("deflated zeros behind a small chunk")
def _bomb(file: Any) -> None:
    def make(n: int) -> Any:
        data = file.create_dataset("x", (n,), "f8", compression="gzip", chunks=(n,))
        data.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 29)))
        return data

    _replaced(file, make)


@_said("deflated twice")
def _twice(file: Any) -> None:
    def make(n: int) -> Any:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((n,))
        plist.set_deflate(9)
        plist.set_deflate(9)
        space = h5py.h5s.create_simple((n,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F64LE, space, plist)
        file["x"].id.write_direct_chunk((0,), zlib.compress(zlib.compress(bytes(1 << 29))))
        return file["x"]

    _replaced(file, make)


def _times(file: Any, n: int) -> None:
    """Give all traces `n` samples, deflated as well as may be."""
    end = float(file["time"][-1])
    names = [k for k in file if file[k].attrs.get("DIMENSION_LIST") is not None and k != "t_spike"]
    kept = {k: dict(file[k].attrs) for k in ("time", *names)}
    for name in ("time", *names):
        del file[name]
    time = np.linspace(0, end, n).astype("f4")
    packing = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
    file.create_dataset("time", data=np.minimum(time, end), **packing).make_scale("time")
    for name in names:
        data = file.create_dataset(name, data=np.zeros(n, "f4"), **packing)
        data.attrs["units"] = kept[name].get("units", "")
        data.dims[0].attach_scale(file["time"])


_said("traces that pack well, as many as pass")(lambda f: _times(f, 130_000))


@_said("traces that pack well beside a large array")
def _beside(file: Any) -> None:
    noise = np.random.default_rng(1).bytes(8 << 20)
    _alone(file.create_dataset("y", data=np.frombuffer(noise, "u1")[: 1 << 20]))
    file.attrs["notes"] = "x" * (7 << 20)
    _times(file, 380_000)


def _patched(path: Path, name: bytes, length: int) -> None:
    """Make every text of a length the one long text, which follows `name` in the file."""
    data = bytearray(path.read_bytes())
    heaps = [m.start() for m in re.finditer(rb"GCOL\x01\0\0\0", data)]
    long = data.index(name)
    home = max(at for at in heaps if at < long)
    index = struct.unpack("<H", data[long - 16 : long - 14])[0]
    size = struct.unpack("<Q", data[long - 8 : long])[0]
    element = struct.pack("<IQI", size, home, index)
    for heap in heaps:
        short = struct.pack("<IQ", length, heap)
        at = data.find(short)
        while at >= 0:
            data[at : at + 16] = element
            at = data.find(short, at + 16)
    path.write_bytes(data)


@_kind("attributes that share one long text")
def _shared_attributes(path: Path, folder: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["long"] = "LONGTEXT" + "x" * 10**6
        # Headers of objects without an order of attributes have no checksum.
        for name in ("y0", "y1", "y2", "y3"):
            _alone(file.create_dataset(name, (1,), "f8", track_order=False))
            for k in range(200):
                file[name].attrs[f"a{k}"] = f"sevente{k:022d}"
    _patched(path, b"LONGTEXT", 29)


@_kind("names of axes that share one long text")
def _shared_names(path: Path, folder: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["long"] = "LONGTEXT" + "x" * 10**6
        texts = np.array([f"sevente{k:022d}" for k in range(1500)], object)
        for name in ("y0", "y1"):
            data = file.create_dataset(name, (file["time"].shape), "f8", track_order=False)
            data.dims[0].attach_scale(file["time"])
            data.attrs.create("NAME", texts, dtype=h5py.string_dtype())
    _patched(path, b"LONGTEXT", 29)


def _texts(layout: int) -> Change:
    def on_path(path: Path, folder: Path) -> None:
        with h5py.File(path, "r+") as file:
            file.attrs["long"] = "LONGTEXT" + "x" * 10**6
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_layout(layout)
            n = 1500
            if layout == h5py.h5d.CHUNKED:
                plist.set_chunk((n,))
            kind = h5py.h5t.py_create(h5py.string_dtype(), logical=True)
            h5py.h5d.create(file.id, b"y", kind, h5py.h5s.create_simple((n,)), plist)
            file["y"][...] = np.array([f"sevente{k:022d}" for k in range(n)], object)
            _alone(file["y"])
        _patched(path, b"LONGTEXT", 29)

    return on_path


for _layout in ("COMPACT", "CONTIGUOUS", "CHUNKED"):
    KINDS[f"texts that are one long text, {_layout.lower()}"] = (
        "sweep",
        _texts(getattr(h5py.h5d, _layout)),
    )
_said("texts that are a long fill value", "sweep")(
    lambda f: _alone(f.create_dataset("y", (50_000,), h5py.string_dtype(), fillvalue="x" * 20_000))
)
_said("texts of fixed length, none there", "sweep")(
    lambda f: _alone(f.create_dataset("y", (10,), "S1000000000"))
)
_said("texts of two letters, many", "sweep")(
    lambda f: _alone(
        f.create_dataset("y", data=np.full(1_500_000, b"ab"), compression="gzip", shuffle=True)
    )
)
_said("texts as long as the file", "sweep")(
    lambda f: _alone(f.create_dataset("y", data=["x" * 8_000_000], dtype=h5py.string_dtype()))
)
_said("lists of numbers of any length")(
    lambda f: f.create_dataset("y", (10,), h5py.vlen_dtype(np.float64))
)
_attribute("attribute of 8 MB", "notes", "x" * 8_000_000)
_attribute("attribute coordinates of 8 MB", "coordinates", "ab " * 2_700_000)
_attribute("attribute coordinates of 8 MB, sweep", "coordinates", "ab " * 2_700_000, "sweep")


@_said("attributes without number")
def _many_attributes(file: Any) -> None:
    for k in range(300):
        file["x"].attrs[f"a{k}"] = k


_attribute("attribute that is a list", "side", np.arange(4000.0))
_attribute("attribute that is empty", "side", h5py.Empty("f8"))
_attribute("design of 8 MB of lists", "design", "a=[" + "[]," * 2_700_000 + "]")
_attribute("design of 8 MB of tables", "design", "".join(f"[a{k}]\n" for k in range(900_000)))
_attribute("design, deep", "design", "a=" + "[" * 100_000)
_attribute("design, dotted", "design", "a." * 50_000 + "b=1")
_attribute("design of a run without end", "design", 'preset="paper"\nt_stop=1e9')
_attribute("design, steps without end", "design", 'preset="paper"\nt_stop="2m"\nnumerics.h=1e-18')
_attribute(
    "design, pulses without end",
    "design",
    'preset="paper"\nt_stop="2m"\n[stimulus]\nkind="pulse"\nfrequency=1e12',
)
_attribute("design, a name without end", "design", f'preset="paper"\nname="{"x" * 10**6}"')


@_said("variables without number")
def _many_variables(file: Any) -> None:
    for k in range(5000):
        file.create_dataset(f"v{k}", (1,), "f8")


@_said("variables, as many as pass")
def _some_variables(file: Any) -> None:
    for k in range(4000):
        _alone(file.create_dataset(f"v{k}", (1,), "f8", chunks=(1,)))


@_said("groups in groups")
def _deep(file: Any) -> None:
    group = file
    for _ in range(3000):
        group = group.create_group("g")


@_said("a circle of hard links")
def _circle(file: Any) -> None:
    file.create_group("g")["loop"] = file["/"]


_said("the file inside itself")(lambda f: f.__setitem__("self", f["/"]))
_said("one array under many names")(lambda f: [f.__setitem__(f"x{k}", f["x"]) for k in range(3000)])


@_said("a type in types")
def _deep_type(file: Any) -> None:
    kind = h5py.h5t.IEEE_F64LE
    for _ in range(1500):
        kind = h5py.h5t.vlen_create(kind)
    h5py.h5d.create(file.id, b"y", kind, h5py.h5s.create_simple((1,)))


@_said("an attribute's type in types")
def _deep_attribute(file: Any) -> None:
    kind = h5py.h5t.IEEE_F64LE
    for _ in range(1500):
        kind = h5py.h5t.vlen_create(kind)
    h5py.h5a.create(file.id, b"y", kind, h5py.h5s.create(h5py.h5s.SCALAR))


@_said("an attribute that is an array of numbers, huge")
def _array_attribute(file: Any) -> None:
    kind = h5py.h5t.array_create(h5py.h5t.IEEE_F64LE, (2**14, 2**14))
    h5py.h5a.create(file.id, b"y", kind, h5py.h5s.create(h5py.h5s.NULL))


@_kind("a tree of links whose branches are one")
def _tree(path: Path, folder: Path) -> None:
    path.unlink()
    with h5py.File(path, "w") as file:
        for k in range(300):
            file[f"v{k}"] = 0.0
    data = bytearray(path.read_bytes())
    root = data.index(b"TREE\0\x01")
    branch = data[root + 32 : root + 40]
    size, at = 24 + 33 * 8 + 32 * 8, root
    for level in range(2, 12):
        # Key, branch, key, ...: 32 times the one node below.
        below = struct.pack("<Q", at) if level > 2 else branch
        node = b"TREE\0" + bytes([level - 1]) + struct.pack("<H", 32) + b"\xff" * 16
        node += b"".join(bytes(8) + below for _ in range(32)) + bytes(8)
        at = len(data)
        data += node.ljust(size, b"\0")
    path.write_bytes(
        data[:40] + struct.pack("<Q", len(data))
        + data[48:].replace(struct.pack("<Q", root), struct.pack("<Q", at))
    )  # fmt: skip


_said("chunks without number")(
    lambda f: _alone(f.create_dataset("y", data=np.zeros(60_000), chunks=(1,), compression="gzip"))
)


@_kind("collections of texts in each other")
def _heaps(path: Path, folder: Path) -> None:
    size = 4 << 20
    piece = (
        struct.pack("<HHIQ", 1, 0, 0, 32)
        + b"GCOL\x01\0\0\0"
        + struct.pack("<Q", size)
        + struct.pack("<HHIQ", 1, 0, 0, 0) * 2
    )
    with h5py.File(path, "r+") as file:
        data = np.frombuffer(piece * (size // len(piece)), np.uint8)
        _alone(file.create_dataset("y", data=data))


@_kind("a hole of 100 GB")
def _hole(path: Path, folder: Path) -> None:
    with h5py.File(path, "r+") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((100 << 27,))
        h5py.h5d.create(file.id, b"y", h5py.h5t.IEEE_F64LE, space, plist)
        _alone(file["y"])
    os.truncate(path, 101 << 30)


@_said("spikes without number")
def _spikes(file: Any) -> None:
    end = float(file["time"][-1])
    for name in ("t_spike", "spike_index"):
        del file[name]
    n = 300_000
    axis = file.create_dataset("spike_index", (n,), ">f4")
    axis.make_scale(f"This is a netCDF dimension but not a netCDF variable. {n:10d}")
    file["t_spike"] = np.linspace(1e-9, end * 0.999, n)
    file["t_spike"].dims[0].attach_scale(axis)


@_said("a sweep of one long axis", "sweep")
def _long_axis(file: Any) -> None:
    n = 20_000
    for name in list(file):
        del file[name]
    file.attrs["parameters"] = "c"
    file["c"] = np.linspace(1e-8, 1e-6, n)
    file["c"].make_scale("c")
    for name in ("spike_count", "isi_mean", "mean_rate"):
        file[name] = np.linspace(1, 2, n)
        file[name].dims[0].attach_scale(file["c"])
    file.create_dataset("status", data=["finished"] * n, dtype=h5py.string_dtype())
    file["status"].dims[0].attach_scale(file["c"])


@_said("a sweep of many lines", "sweep")
def _many_lines(file: Any) -> None:
    n = 1000
    for name in list(file):
        del file[name]
    file["c"] = np.linspace(1e-8, 1e-6, n)
    file.create_dataset("leak.kind", data=[f"k{k}" for k in range(n)], dtype=h5py.string_dtype())
    for name in ("c", "leak.kind"):
        file[name].make_scale(name)
    file.attrs["parameters"] = "c leak.kind"
    for name in ("spike_count", "isi_mean", "mean_rate"):
        file[name] = np.ones((n, n))
    file.create_dataset("status", (n, n), h5py.string_dtype())
    for name in ("spike_count", "isi_mean", "mean_rate", "status"):
        file[name].dims[0].attach_scale(file["c"])
        file[name].dims[1].attach_scale(file["leak.kind"])


# ------------------------------------------------------------------------------- text

_ALL = "".join(ESCAPES.values())
for _how, _text in ESCAPES.items():

    def _everywhere(file: Any, text: str = _text) -> None:
        for key in ("side", "simulator", "version", "variant", "neuron", "caveat", "taken"):
            file.attrs[key] = text
        for key in ("notes", "history", "title", "Conventions", "netlist_digest"):
            file.attrs[key] = text
        for name in ("x", "v_mem", "time", "t_spike"):
            file[name].attrs["units"] = text
            file[name].attrs["long_name"] = text
            file[name].attrs[f"a{text}".replace("\0", "")] = text

    _said(f"{_how} in a run's attributes")(_everywhere)

    def _of_sweep(file: Any, text: str = _text) -> None:
        for key in ("experiment", "kind", "parameters", "sides", "varies", "variant", "failures"):
            file.attrs[key] = text if key not in ("kind", "parameters") else file.attrs[key]
        file["status"][...] = text
        file["reason"][...] = text
        file["simulator"][...] = text
        for name in ("c", "isi_mean", "spike_count"):
            file[name].attrs["units"] = text
            file[name].attrs["long_name"] = text

    _said(f"{_how} in a sweep", "sweep")(_of_sweep)
    _said(f"{_how} as a name")(lambda f, text=_text: f.move("x", f"x{text}".replace("/", "")))
    _attribute(
        f"{_how} in a design",
        "design",
        'preset="paper"\nname="'
        + "".join(f"\\U{ord(c):08x}" for c in _text)
        + '"\ndescription="'
        + "".join(f"\\U{ord(c):08x}" for c in _text)
        + '"',
    )
    _attribute(
        f"{_how} as a design's key",
        "design",
        'preset="paper"\n"' + "".join(f"\\U{ord(c):08x}" for c in _text) + '"=1',
    )
    _attribute(f"{_how} as a design", "design", _text)
_attribute("escapes as the kind of a sweep", "kind", _ALL, "sweep")
_attribute("escapes as a sweep's parameters", "parameters", _ALL, "sweep")
_attribute("bytes that are no text", "side", np.bytes_(b"\xff\xfe\x1b[2J"))
_said("a name that is no text")(lambda f: f.id.links.create_hard(b"\xff\x1b[2J", f.id, b"x"))
_said("escapes as a dimension", "sweep")(lambda f: f.move("c", "c\x1b[2J"))
_said("escapes as values of an axis", "sweep")(lambda f: f["side"].__setitem__(..., _ALL))
_attribute("a formula that is none", "units", "$\\frac{", "sweep", "isi_mean")
_attribute("a formula that writes a file", "units", "$\\input{/etc/passwd}$", "sweep", "isi_mean")

# ------------------------------------------------------------------------------- values


def _value(name: str, of: str, at: Any, value: float) -> None:
    _said(name)(lambda f: f[of].__setitem__(at, value))


_value("time: NaN", "time", 3, np.nan)
_value("time: infinity", "time", -1, np.inf)
_value("time: all minus infinity", "time", ..., -np.inf)
_value("time: negative", "time", 0, -1.0)
_value("time: 1e308", "time", -1, 1e308)
_value("t_spike: NaN", "t_spike", 0, np.nan)
_value("t_spike: all the same", "t_spike", ..., 1e-3)
_value("v_mem: NaN", "v_mem", 5, np.nan)
_value("x: 1e308", "x", ..., 1e308)


def _dtype(name: str, kind: Any) -> None:
    _said(f"dtype: {name}")(
        lambda f: _replaced(f, lambda n: f.create_dataset("x", (n,), kind)),
    )


for _name, _of in (
    ("complex", "c16"), ("text", "S5"), ("bool", "?"), ("uint8", "u1"), ("float16", "f2"),
    ("longdouble", np.longdouble), ("reference", h5py.ref_dtype),
    ("region", h5py.regionref_dtype), ("opaque", "V8"), ("enum", h5py.enum_dtype({"a": 1})),
    ("record", np.dtype([("a", "f8"), ("b", h5py.string_dtype())])),
    ("array", np.dtype(("f8", (100,)))),
):  # fmt: skip
    _dtype(_name, _of)
_said("committed type as a variable")(lambda f: f.__setitem__("y", np.dtype("f8")))
_said("shape: scalar")(lambda f: (f.__delitem__("x"), f.__setitem__("x", 1.0)))
_said("shape: none")(lambda f: f.create_dataset("y", data=h5py.Empty("f8")))
_said("shape: two lengths")(lambda f: _replaced(f, lambda n: f.create_dataset("x", (n - 1,), "f8")))
_said("nothing at all")(lambda f: [f.__delitem__(k) for k in list(f)])
_attribute("attribute t_stop: text", "t_stop", "x" * 10_000)
_attribute("attribute switches: huge", "switches", 2**63 - 1)
_attribute("attribute switches: text", "switches", _ALL)

# ------------------------------------------------------------------------------- other formats


def _bytes(name: str, make: Callable[[bytes], bytes]) -> None:
    def on_path(path: Path, folder: Path) -> None:
        path.write_bytes(make(path.read_bytes()))

    KINDS[name] = ("reference", on_path)


def _classic(version: int, records: int, length: int) -> bytes:
    """Return a file of netCDF-3 with one dimension and one variable along it."""
    number = ">q" if version == 5 else ">i"
    word, tag = (lambda n: struct.pack(number, n)), (lambda n: struct.pack(">i", n))
    name = word(4) + b"time"
    head = b"CDF" + bytes([version]) + word(records)
    head += tag(10) + word(1) + name + word(length)
    head += tag(0) + word(0)
    head += tag(11) + word(1) + name + word(1) + word(0) + tag(0) + word(0) + tag(6) + word(-1)
    return head + struct.pack(">q" if version != 1 else ">i", 200) + bytes(200)


_bytes("netCDF-3", lambda _: _classic(1, 0, 10))
_bytes("netCDF-3, absurd sizes", lambda _: _classic(1, 2**31 - 1, 2**31 - 1))
_bytes("netCDF-3, negative sizes", lambda _: _classic(2, -1, -5))
_bytes("netCDF-5, absurd sizes", lambda _: _classic(5, 2**63 - 1, 2**62))
_bytes("empty", lambda _: b"")
_bytes("signature only", lambda d: d[:8])
_bytes("half of it", lambda d: d[: len(d) // 2])
_bytes("behind a block of somebody's", lambda d: b"#!/bin/sh\nid\n".ljust(512, b"\x1b") + d)
_bytes("zip", lambda d: b"PK\x03\x04" + d)
_bytes("end of file far away", lambda d: d[:40] + struct.pack("<Q", 2**62) + d[48:])
_bytes("raw file in disguise", lambda _: b"Title: \x1b[2J\nPlotname: x\n.include /etc/passwd\n")
_bytes("escapes only", lambda _: _ALL.encode())
