"""Results are data: files that name others, lie of their size, or hold a terminal's commands."""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from spicealif import compare, load_preset, load_result, load_waveforms, parse_toml, solve_reference
from spicealif._support.netcdf import NetcdfError, read_netcdf
from spicealif._support.netcdf_bytes import without_plugins
from spicealif._support.text import shown, shown_lines
from spicealif.cli.main import cli
from spicealif.design.store import dump_toml
from spicealif.errors import CompareError, DesignError, SpicealifError, SweepError, WaveformError
from spicealif.sweep.files import _dataset, load_sweep

NEURON = load_preset("paper").replace(t_stop=0.3e-3)
SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"


@pytest.fixture(scope="module")
def reference():
    return solve_reference(NEURON)


@pytest.fixture
def path(reference, tmp_path) -> Path:
    """A file without the digest of its content: what is made of it here is made on purpose."""
    file = reference.save(tmp_path / "r.nc")
    with h5py.File(file, "r+") as opened:
        del opened.attrs["content_sha256"]
    return file


@pytest.fixture(scope="module")
def sweep(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    options = ("--over", "c=47n,100n", "--sides", "reference", "--spikes", "--workers", "1", "-q")
    options += ("--store", str(folder / "store"))
    done = CliRunner().invoke(
        cli,
        ["sweep", "paper", "-s", "t_stop=0.3m", *options, "-o", str(folder / "s.nc")],
        standalone_mode=False,
    )
    assert done.exception is None
    return folder / "s.nc"


def sentence(error: Exception) -> str:
    text = str(error)
    assert len(text.splitlines()) == 1
    assert text.isprintable()
    assert text.endswith(".")
    assert "; " in text
    return text


def test_it_reads_what_xarray_reads(path, sweep):
    for file in (path, sweep):
        with xr.open_dataset(file, engine="h5netcdf") as opened:
            xr.testing.assert_identical(_dataset(read_netcdf(file)), opened.load())


def test_types_that_xarray_writes(tmp_path):
    wanted = xr.Dataset(
        {
            "flag": ("n", np.array([True, False])),
            "text": ("n", np.array(["\u00b5", ""], dtype=object)),
            "single": ("n", np.array([1, np.nan], dtype="f4")),
            "count": ("n", np.array([1, -2])),
            "table": (("n", "m"), np.ones((2, 3))),
            "none": ("z", np.zeros(0)),
            "number": ((), 3.5),
        },
        coords={"n": [10.0, 20.0], "label": ("n", np.array(["a", "b"], dtype=object))},
        attrs={"a": "b", "k": 1, "x": 0.5},
    )
    encoding = {"table": {"zlib": True, "shuffle": True, "fletcher32": True}}
    wanted.to_netcdf(tmp_path / "a.nc", engine="h5netcdf", encoding=encoding)
    xr.testing.assert_identical(_dataset(read_netcdf(tmp_path / "a.nc")), wanted)


# ------------------------------------------------------------------------------- other files


def replaced(file: h5py.File, make: Callable[[h5py.File, int], None]) -> None:
    n = file["x"].shape[0]
    del file["x"]
    make(file, n)
    if file.get("x", getlink=True).__class__ is h5py.HardLink:
        file["x"].dims[0].attach_scale(file["time"])


def external(file: h5py.File, n: int, victim: str) -> None:
    file.create_dataset("x", (n,), "f8", external=[(victim, 0, 8 * n)])


def virtual(file: h5py.File, n: int, victim: str) -> None:
    layout = h5py.VirtualLayout((n,), "f8")
    layout[:] = h5py.VirtualSource(victim, "x", (n,))
    file.create_virtual_dataset("x", layout)


def link(file: h5py.File, _: int, victim: str) -> None:
    file["x"] = h5py.ExternalLink(victim, "/x")


@pytest.mark.parametrize("make", [external, virtual, link])
def test_data_elsewhere_are_not_read(path, tmp_path, make, sweep):
    victim = tmp_path / "victim"
    victim.write_bytes(b"secret!!" * 10_000)
    with h5py.File(path, "r+") as file:
        replaced(file, lambda f, n: make(f, n, str(victim)))
    with pytest.raises(WaveformError, match="data elsewhere, which results never do") as caught:
        load_result(path)
    sentence(caught.value)


DESIGNS = [
    "preset='paper'\n[stimulus]\nfile={file}",
    "preset='paper'\nleak.file={file}",
    "preset='paper'\nleak.preset={preset}",
    "preset='paper'\n[stimulus]\nkind='sum'\nterms=[{{file={file}}}]",
    "a.b.c.d.file={file}",
]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_in_a_result_names_no_file(path, tmp_path, design, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("0,1\n1,2\n")
    with h5py.File(path, "r+") as file:
        # JSON's strings are TOML's too: a path may have a quote.
        names = {"file": json.dumps(str(victim)), "preset": json.dumps(f"{victim}.toml")}
        file.attrs["design"] = design.format(**names)
    result = load_waveforms(path)
    opened = []
    monkeypatch.setattr(Path, "open", lambda self, *_, **__: opened.append(self))
    monkeypatch.setattr(Path, "read_text", lambda self, *_, **__: opened.append(self))
    with pytest.raises(DesignError, match="names a file or a device") as caught:
        compare(result, result)
    sentence(caught.value)
    assert not opened


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ("a=[" + "[]," * 500_000 + "]", "more than any result's own design"),
        ("a=[" + "1," * 500_000 + "]", "more than any result's own design"),
        ("".join(f"[a{k}]\n" for k in range(100_000)), "more than any result's own design"),
        ("a." * 50_000 + "b=1", "nested too deeply"),
        ('a . "\\""\t.\'b\'.' * 20_000 + "b=1", "nested too deeply"),
        ("a=" + "[" * 10_000, "nested too deeply"),
    ],
    ids=["lists", "numbers", "tables", "dots", "quotes", "brackets"],
)
def test_a_design_in_a_result_takes_neither_memory_nor_time(design, words):
    begun = time.process_time()
    with pytest.raises(DesignError, match=words) as caught:
        parse_toml(design, files=False)
    sentence(caught.value)
    assert time.process_time() - begun < 3


def test_a_design_in_a_result_may_hold_a_long_stimulus():
    n = 20_000
    t, i = np.linspace(0, 1e-3, n), np.sin(np.arange(n)) * 1e-4
    neuron = NEURON.replace({"stimulus": {"kind": "pwl", "t": t.tolist(), "i": i.tolist()}})
    assert parse_toml(dump_toml(neuron), files=False) == neuron


def test_a_design_of_a_person_names_files_as_before(tmp_path):
    (tmp_path / "i.csv").write_text("0,0\n1e-3,1e-3\n")
    neuron = parse_toml("preset='paper'\n[stimulus]\nfile='i.csv'", folder=tmp_path)
    assert neuron.stimulus.kind == "pwl"


# ------------------------------------------------------------------------------- size


def huge(file: h5py.File, _: int) -> None:
    file.create_dataset("x", (2**34,), "f8", chunks=(2**16,))


def one_chunk(file: h5py.File, n: int) -> None:
    """A chunk that is far longer than the array."""
    long = 2**23
    data = file.create_dataset(
        "x", (n,), "f8", chunks=(long,), maxshape=(None,), compression="gzip"
    )
    data.id.write_direct_chunk((0,), zlib.compress(bytes(8 * long)))


def packed(file: h5py.File, _: int) -> None:
    n = 4 * 10**6
    file.create_dataset("x", data=np.zeros(n), compression="gzip", chunks=(10**5,))


def bomb(file: h5py.File, n: int) -> None:
    """A chunk that unpacks to far more than a chunk, for which HDF5 makes room."""
    data = file.create_dataset("x", (n,), "f8", compression="gzip", chunks=(n,))
    data.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 26)))


@pytest.mark.parametrize("make", [huge, one_chunk, packed, bomb])
def test_arrays_that_are_not_there(path, make):
    with h5py.File(path, "r+") as file:
        replaced(file, make)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WaveformError, match="far more data than it holds") as caught:
        load_result(path)
    sentence(caught.value)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < (10 << 20) + 10 * path.stat().st_size


def test_one_long_text_for_many_elements(sweep, tmp_path):
    path = tmp_path / "s.nc"
    path.write_bytes(sweep.read_bytes())
    with h5py.File(path, "r+") as file:
        data = file.create_dataset("long", (20_000,), h5py.string_dtype())
        data[0] = "x" * 60_000
        offset = data.id.get_offset()
    with path.open("r+b") as raw:
        raw.seek(offset)
        element = raw.read(16)
        raw.seek(offset)
        raw.write(element * 20_000)
    with pytest.raises(SweepError, match="far more data than it holds"):
        load_sweep(path)


def crafted() -> dict[str, tuple[str, Callable[[Path, Path], None]]]:
    spec = importlib.util.spec_from_file_location("_kinds", SCRIPTS / "_crafted_kinds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.KINDS


CRAFTED = crafted()
#: How files of these kinds got past what is asked of them, and what is said now.
SAID = {
    "filter of a plug-in, of the root group": "packed in a way that results never are",
    "packed list of links": "packed in a way that results never are",
    "reference to another file as an axis": "has no named dimensions",
    "no storage, just under the bound": "far more data than it holds",
    "attributes that share one long text": "far more data than it holds",
    "texts that are one long text, compact": "packed in a way that results never are",
    "texts that are a long fill value": "far more data than it holds",
    "texts of two letters, many": "far more data than it holds",
    "attribute coordinates of 8 MB, sweep": "lists more variables than any result",
    "a type in types": "kind that no result has",
    "chunks without number": "far more data than it holds",
    "a tree of links whose branches are one": "no order, as netCDF's have",
    "collections of texts in each other": "it is damaged",
    "a hole of 100 GB": "far more data than it holds",
    "behind a block of somebody's": "begins with something else",
    # These are read as if what is no result's were not there.
    "names of axes that share one long text": "",
    "an attribute's type in types": "",
}


@pytest.mark.parametrize("kind", ["empty", "half of it"])
def test_no_plug_in_is_looked_for(path, tmp_path, kind):
    """HDF5 would look through the folder, and say so where there is something to load."""
    before = [h5py.h5pl.get(k) for k in range(h5py.h5pl.size())]
    (tmp_path / "plug-ins").mkdir()
    (tmp_path / "plug-ins" / "libh5.so").write_bytes(b"no library")
    h5py.h5pl.prepend(os.fsencode(tmp_path / "plug-ins"))
    seen = [h5py.h5pl.get(k) for k in range(h5py.h5pl.size())]
    try:
        os.utime(tmp_path / "plug-ins", (0, 10**9))
        CRAFTED[kind][1](path, tmp_path)
        with pytest.raises(NetcdfError):
            read_netcdf(path)
        with pytest.raises(NetcdfError), without_plugins():
            assert not h5py.h5pl.size()
            raise NetcdfError
        assert [h5py.h5pl.get(k) for k in range(h5py.h5pl.size())] == seen
        # A read of the folder would have made it younger than its last change.
        assert (tmp_path / "plug-ins").stat().st_atime == 0
    finally:
        h5py.h5pl.remove(0)
    assert [h5py.h5pl.get(k) for k in range(h5py.h5pl.size())] == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAID)
def test_crafted_files_take_neither_memory_nor_time(path, sweep, tmp_path, kind):
    base, change = CRAFTED[kind]
    file = tmp_path / "crafted.nc"
    file.write_bytes((sweep if base == "sweep" else path).read_bytes())
    with h5py.File(tmp_path / "v.h5", "w") as other:
        other["x"] = np.zeros(10)
    if os.fork() == 0:  # what crafting takes is not counted
        try:
            change(file, tmp_path)
        finally:
            os._exit(0)
    os.wait()
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        read_netcdf(file)
        said = ""
    except NetcdfError as error:
        said = str(error)
    assert time.process_time() - begun < 10
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < (30 << 20) + 10 * min(file.stat().st_size, 1 << 24)
    assert SAID[kind] in said
    assert bool(said) == bool(SAID[kind])


# ------------------------------------------------------------------------------- damage


def test_what_is_no_result_is_named(path, tmp_path):
    cases: list[tuple[Callable[[h5py.File], object], str]] = [
        (lambda f: f.create_group("g"), "groups"),
        (lambda f: f.move("x", "x\x1b"), "names that no result has"),
        (lambda f: f.__delitem__("time"), "has no 'time'"),
        (lambda f: f.__delitem__("t_spike"), "has no 't_spike'"),
        (lambda f: f["time"].__setitem__(3, np.nan), "time does not increase"),
        (lambda f: f["time"].__setitem__(3, -1.0), "time does not increase"),
        (lambda f: f["t_spike"].__setitem__(0, 9.0), "t_spike does not increase"),
        (lambda f: f["t_spike"].__setitem__(-1, 9.0), "t_spike lies outside"),
        (lambda f: f.attrs.__setitem__("energy_source", "x"), "energy_source is no number"),
        (lambda f: f.attrs.__setitem__("side", 3), "side is no text"),
        (lambda f: f.__setitem__("y", np.zeros((3, 3))), "no named dimensions"),
        (lambda f: f.create_dataset("y", (2,), h5py.vlen_dtype(float)), "kind that no result"),
    ]
    original = path.read_bytes()
    for change, words in cases:
        path.write_bytes(original)
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(WaveformError, match=words) as caught:
            load_waveforms(path)
        sentence(caught.value)
    for content, words in (
        (b"", "it is empty"),
        (b"time,V\n0,1\n", "table of numbers"),
        (b"\x1f\x8b\x08", "gzip"),
        (original[:1000], "damaged"),
    ):
        path.write_bytes(content)
        with pytest.raises(WaveformError, match=words) as caught:
            load_waveforms(path)
        sentence(caught.value)
    os.mkfifo(tmp_path / "pipe.nc")
    with pytest.raises(WaveformError, match="not a regular file"):
        load_waveforms(tmp_path / "pipe.nc")


@pytest.mark.slow
def test_nothing_is_printed_behind_the_sentence(path, sweep):
    """Python tells of what goes wrong while objects are taken away, on standard error."""
    data = path.read_bytes()
    path.write_bytes(data[:2000])
    other = path.with_name("s.nc")
    other.write_bytes(sweep.read_bytes()[:3000])
    for command in (["compare", str(path)], ["plot", str(other)]):
        done = subprocess.run(
            [sys.executable, "-c", "from spicealif.cli.main import main; main()", *command],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.attrs.__delitem__("parameters"),
        lambda f: f.attrs.__setitem__("kind", np.arange(3)),
        lambda f: f.__delitem__("side"),
        lambda f: f.__delitem__("isi_mean"),
        lambda f: f["status"].__setitem__(Ellipsis, "\x1b[31m"),
        lambda f: f["c"].__setitem__(Ellipsis, np.nan),
        lambda f: f["isi_mean"].attrs.__setitem__("units", "$\\frac{"),
        lambda f: f.attrs.__setitem__("design", "["),
    ],
)
def test_damaged_sweeps(sweep, tmp_path, change):
    path = tmp_path / "s.nc"
    path.write_bytes(sweep.read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    done = CliRunner().invoke(
        cli, ["plot", str(path), "-o", str(tmp_path / "s.png")], standalone_mode=False
    )
    if done.exception is not None:
        assert isinstance(done.exception, SpicealifError), done.exception
        sentence(done.exception)
    assert "\x1b" not in done.output


@pytest.mark.slow
def test_a_short_run_of_the_fuzzer(tmp_path):
    command = [sys.executable, str(SCRIPTS / "fuzz_netcdf.py"), "--runs", "25", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain \u00b5\u03a9 \u6f22", "plain \u00b5\u03a9 \u6f22"),
        ("\x1b[2J\x1b[31mred", "\\x1b[2J\\x1b[31mred"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u202egnp", "\\u202egnp"),
        ("\u2028\x85\x9b", "\\u2028\\x85\\x9b"),
        ("\ud800", "\\ud800"),
        (3, "3"),
    ],
)
def test_shown(text, expected):
    assert shown(text) == expected


def test_lines_are_shown_one_by_one():
    assert shown_lines("a\n\u00b5\x1b[31m\n") == "a\n\u00b5\\x1b[31m\n"
    assert shown_lines("x" * 1000) == "x" * 1000


def test_long_texts_are_cut():
    assert len(shown("x" * 10**6)) == 300
    assert shown("x" * 10, 5) == "xx..."


@pytest.mark.slow
@pytest.mark.parametrize("name", ["side", "simulator", "caveat", "taken"])
def test_a_terminal_obeys_nothing_that_a_file_says(path, reference, name):
    with h5py.File(path, "r+") as file:
        file.attrs[name] = "\x1b[2J\x1b]0;x\x07\u202e$\\frac{"
    command = ["compare", str(path)]
    command += ["--figure", str(path.with_suffix(".png"))] if name == "side" else []
    done = CliRunner().invoke(cli, command, standalone_mode=False)
    assert done.exception is None, done.exception
    assert all(line.isprintable() for line in done.output.split("\n"))


def test_a_terminal_obeys_nothing_that_a_name_of_a_file_says(sweep, tmp_path):
    name = "a\x1b]52;c;eA==\x07\x9b31m"
    (tmp_path / f"{name}.nc").write_bytes(sweep.read_bytes())
    done = CliRunner().invoke(cli, ["plot", str(tmp_path / f"{name}.nc")], standalone_mode=False)
    assert done.exception is None, done.exception
    assert (tmp_path / f"{name}.png").exists()
    assert all(line.isprintable() for line in done.output.split("\n"))
    assert r"a\x1b]52;c;eA==\x07\x9b31m.png" in done.output


def test_a_design_that_is_no_text(path):
    with h5py.File(path, "r+") as file:
        del file.attrs["design"]
        file.attrs["design"] = np.arange(3)
    with pytest.raises(CompareError, match="Neither result says which neuron"):
        compare(load_waveforms(path), load_waveforms(path))


def test_a_collection_of_texts_that_never_ends(path):
    """On which HDF5 2.0.0 works for ever: an object of no size in its heap."""
    data = bytearray(path.read_bytes())
    at = data.find(b"GCOL\x01\0\0\0")
    assert at > 0
    data[at + 16 : at + 64] = bytes(48)
    path.write_bytes(data)
    with pytest.raises(WaveformError, match="it is damaged"):
        load_waveforms(path)
