"""The kinds of files that are written: their endings, and how an earlier one is known again.

A result may be replaced without a question by the same command's next result. What somebody made
by hand, or another program, may not; so an existing file is judged by what is in it:

- netCDF, netlists, JSON and pictures by how they begin and by the names in them;
- TOML files, which people write and edit, by the first line that `signed` puts on them, with the
  digest of the rest. One without that line, as earlier versions wrote it, counts as a result if it
  reads exactly as a program writes it: without comments, every value written out;
- schematics and symbols, which people edit in LTspice, by the digest that `sealed` puts in them.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from spicealif._support.places import locate
from spicealif.errors import OutputError

__all__ = [
    "BUDGET_FILES",
    "CIRCUIT_STUDY",
    "DEVICE",
    "FIT_FIGURES",
    "FIT_JSON",
    "NETLIST",
    "NETWORK",
    "NETWORK_RUN_FILES",
    "NEURON",
    "PICTURE",
    "REPORT",
    "RUN_FILES",
    "SCHEMATIC",
    "SEAL",
    "SIGN",
    "SIGNATURE",
    "STUDY",
    "SWEEP",
    "SYMBOL",
    "TABLE",
    "TABLE_MARK",
    "TASK",
    "WAVEFORMS",
    "Kind",
    "beside_good",
    "check_ending",
    "sealed",
    "signed",
    "text_digest",
]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEAD = 4096
_LARGEST_TEXT = 1 << 26  # no TOML or JSON of ours is as large
#: How TOML that we write begins, and its whole first line.
SIGN = "# Written by spicealif; "
SIGNATURE = re.compile(r"# Written by spicealif; [^\n]*\b([0-9a-f]{16})\n")

#: What stands in LTspice's files of ours where `sealed` puts the digest.
#: The attribute that a table as netCDF has: it is no result, but was made of one.
TABLE_MARK = "spicealif_table"
SEAL = f"digest {'-' * 16}"
_SEALED = re.compile(r"digest [0-9a-f]{16}")


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes
    ----------
    name : str
        With an article, such as ``"a picture"``.
    endings : tuple of str
        Those that are written, the usual one first, lower case; ``""`` stands for none at all.
    binary : bool
        Whether a terminal is no place for it.
    is_one : callable
        Whether an existing file is a result of this kind; takes its path and the ending (lower
        case) of the name that it goes by.
    """

    name: str
    endings: tuple[str, ...]
    binary: bool
    is_one: Callable[[Path, str], bool]


def check_ending(path: Path, kind: Kind) -> None:
    """Refuse a name whose ending says that something else is in the file.

    Pipes, devices and open files may have any name.

    Raises
    ------
    OutputError
        If it is not one of ``kind.endings``.
    """
    ending = path.suffix.lower()
    if ending in kind.endings or locate(path).kind != "file":
        return
    *some, last = (e for e in kind.endings if e)
    listed = f"{', '.join(some)} or {last}" if some else last
    what = kind.name[0].upper() + kind.name[1:]
    if not ending:
        raise OutputError(f"{what} needs a name with an ending; use {listed}.")
    raise OutputError(
        f"{what} is not written to {ascii(path.name)}, whose ending says something else; use "
        f"{listed}."
    )


def beside_good(path: Path, ending: str = "") -> Path:
    """Return where half a result goes while a good one is at `path`: ``NAME-stopped`` there."""
    return path.with_name(f"{path.name.removesuffix(ending)}-stopped{ending}")


def signed(text: str) -> str:
    """Return TOML text with a first line by which it is known again as long as nobody edits it."""
    return (
        "# Written by spicealif; an edited file is not replaced unasked, which this tells: "
        f"{text_digest(text)}\n{text}"
    )


def sealed(text: str) -> str:
    """Return LTspice's file with the digest of all of it where it has `SEAL`.

    By it a schematic or symbol is known again as long as nobody edits it.
    """
    return text.replace(SEAL, f"digest {text_digest(text)}")


def text_digest(text: str) -> str:
    """Return the digest that stands in a signed text's first line."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _netcdf(sweep: bool) -> Callable[[Path, str], bool]:
    """Return a judge of netCDF files, which looks for names of variables and attributes.

    HDF5's own library is not asked: the file may be anything, and it does not survive all of that.
    """

    def is_one(path: Path, ending: str) -> bool:
        with path.open("rb") as file:
            if file.read(len(_HDF5)) != _HDF5:
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                names = {n for n in (b"failures", b"status", b"t_spike") if content.find(n) >= 0}
                ours = content.find(b"_NCProperties") >= 0
        is_sweep = {b"failures", b"status"} <= names
        return ours and (is_sweep if sweep else not is_sweep and b"t_spike" in names)

    return is_one


def _toml(*keys: str) -> Callable[[Path, str], bool]:
    """Return a judge of TOML files that have some keys and that nobody has edited."""

    def is_one(path: Path, ending: str) -> bool:
        import tomli_w

        text = _text(path)
        data = tomllib.loads(text)
        if not set(keys) <= set(data):
            return False
        signature = SIGNATURE.match(text)
        if signature:
            return signature.group(1) == text_digest(text[signature.end() :])
        return tomli_w.dumps(data) == text

    return is_one


def _json(*keys: str) -> Callable[[Path, str], bool]:
    """Return a judge of JSON files that have some keys."""

    def is_one(path: Path, ending: str) -> bool:
        data = json.loads(_text(path))
        return isinstance(data, dict) and set(keys) <= set(data)

    return is_one


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LARGEST_TEXT).decode("utf-8")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _is_picture(path: Path, ending: str) -> bool:
    head = _head(path)
    starts = {".png": b"\x89PNG\r\n\x1a\n", ".pdf": b"%PDF-"}
    if ending == ".svg":
        return b"<svg" in head
    return head.startswith(starts.get(ending, starts[".png"]))


def _is_report(path: Path, ending: str) -> bool:
    return b'<meta name="generator" content="spicealif ' in _head(path)


def _is_netlist(path: Path, ending: str) -> bool:
    return _head(path).startswith(b"* spicealif")


def _is_sealed(path: Path, ending: str) -> bool:
    text = _text(path)
    return "spicealif" in text and any(
        text == sealed(text.replace(seal, SEAL)) for seal in set(_SEALED.findall(text))
    )


def _is_schematic(path: Path, ending: str) -> bool:
    return (_is_sealed if ending == ".asc" else _is_picture)(path, ending)


def _is_text(path: Path, ending: str) -> bool:
    """Judge nothing: of a plain text only its neighbours in the folder tell what it is."""
    return False


#: First lines of the tables that are written as CSV. A file of somebody else would have to have the
#: same columns of the same names with the same units in the same order.
_TABLES = (
    re.compile(rb"(side,)?time \[s\],v_c \[V\],v_mem \[V\],(\w+( \[\w+\])?,)*\w+( \[\w+\])?\r?\n"),
    re.compile(rb"(side,)?spike,t_spike \[s\]\r?\n"),
    re.compile(rb"measure,label,unit,[^\n]*\r?\nspike_count,spikes,,"),
    re.compile(rb"[^\n]*,status,reason,[^\n]*\bspike_count,"),
    re.compile(rb"method,label,accuracy,accuracy_low,accuracy_high,"),
)


def _or_table(
    other: Callable[[Path, str], bool], tables: Sequence[re.Pattern[bytes]]
) -> Callable[[Path, str], bool]:
    """Return a judge of tables, by what their names end in, and of something else."""

    def is_one(path: Path, ending: str) -> bool:
        if ending == ".csv":
            head = _head(path)
            return any(table.match(head) for table in tables)
        if ending == ".parquet":
            with (
                path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            ):
                return content[:4] == b"PAR1" and content.rfind(b"spicealif") >= 0
        return other(path, ending)

    return is_one


def _is_netcdf_table(path: Path, ending: str) -> bool:
    """Judge netCDF by the attribute that only tables have: they can be made again."""
    with path.open("rb") as file:
        if file.read(len(_HDF5)) != _HDF5:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(TABLE_MARK.encode()) >= 0


_DATA = (".nc", ".csv", ".parquet")
WAVEFORMS = Kind(
    "a file of waveforms",
    (".nc", ".csv", ".parquet"),
    True,
    _or_table(_netcdf(sweep=False), _TABLES[:1]),
)
SWEEP = Kind(
    "a file of a sweep",
    (".nc", ".csv", ".parquet"),
    True,
    _or_table(_netcdf(sweep=True), _TABLES[3:4]),
)
TABLE = Kind("a table", (".csv", ".parquet", ".nc"), False, _or_table(_is_netcdf_table, _TABLES))
NETLIST = Kind(
    "a netlist", (".cir", ".net", ".sp", ".spi", ".spice", ".ckt", ""), False, _is_netlist
)
NEURON = Kind("a neuron's file", (".toml",), False, _toml("leak", "stimulus"))
NETWORK = Kind("a network's file", (".toml",), False, _toml("populations", "t_stop"))
TASK = Kind("a task's file", (".toml",), False, _toml("data", "readouts"))
STUDY = Kind(
    "a study's result", (".json", ".csv"), False, _or_table(_json("task", "cells"), _TABLES[4:])
)
CIRCUIT_STUDY = Kind("a study of a circuit", (".json",), False, _json("task", "transfer", "test"))
DEVICE = Kind("a device's file", (".toml",), False, _toml("device", "fit"))
FIT_JSON = Kind("a fit's JSON", (".json",), False, _json("model", "device", "parameters"))
PICTURE = Kind("a picture", (".png", ".svg", ".pdf"), True, _is_picture)
SCHEMATIC = Kind("a schematic", (".asc", ".svg", ".pdf", ".png"), True, _is_schematic)
SYMBOL = Kind("a symbol", (".asy",), False, _is_sealed)
REPORT = Kind("a report", (".html",), False, _is_report)
_TEXT = Kind("a text", (".txt", ".log"), False, _is_text)


def _pictures(*names: str) -> dict[str, Kind]:
    """Return the files that figures of these names may be, one for each format."""
    return {f"{name}{ending}": PICTURE for name in names for ending in PICTURE.endings}


#: Names of the files that a run may leave; what is left of an earlier run would be mistaken for
#: its own.
RUN_FILES: Mapping[str, Kind] = MappingProxyType(
    {
        "neuron.toml": NEURON,
        "neuron.cir": NETLIST,
        "simulator.log": _TEXT,
        "circuit.nc": WAVEFORMS,
        "reference.nc": WAVEFORMS,
        "comparison.json": Kind("a comparison", (".json",), False, _json("labels", "pair")),
        "comparison.txt": _TEXT,
        "certificate.json": Kind("a certificate", (".json",), False, _json("levels", "movement")),
        "certificate.txt": _TEXT,
        "provenance.json": Kind("a run's provenance", (".json",), False, _json("date", "python")),
        "report.html": REPORT,
        **_pictures("fig5", "fig6", "overlay"),
    }
)

#: Names of the files that a run of a network may leave, but for the one of its long arrays, whose
#: name has a part of its digest.
NETWORK_RUN_FILES: Mapping[str, Kind] = MappingProxyType(
    {
        "network.toml": NETWORK,
        "circuit.nc": WAVEFORMS,
        "reference.nc": WAVEFORMS,
        "measures.json": Kind("a network's measures", (".json",), False, _json("sides")),
        "comparison.json": Kind("a comparison", (".json",), False, _json("network")),
        "comparison.txt": _TEXT,
        "certificate.json": Kind("a certificate", (".json",), False, _json("network")),
        "certificate.txt": _TEXT,
        "provenance.json": Kind("a run's provenance", (".json",), False, _json("date", "python")),
        **_pictures("raster", "weights", "phase", "propagation", "comparison"),
    }
)

#: Names of the files of a gap budget.
BUDGET_FILES: Mapping[str, Kind] = MappingProxyType(
    {
        "budget.json": Kind("a gap budget", (".json",), False, _json("causes", "measures")),
        "budget.txt": _TEXT,
        **_pictures("budget"),
    }
)

#: Names of the figures of a fit.
FIT_FIGURES: Mapping[str, Kind] = MappingProxyType(
    _pictures("loops", "traces", "residuals", "correlations")
)
