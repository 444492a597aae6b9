"""Results are data: files that name others, lie of their size, or hold a terminal's commands."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from spicealif import compare, load_preset, load_result, load_waveforms, parse_toml, solve_reference
from spicealif._netcdf import read_netcdf
from spicealif._text import shown
from spicealif.cli.main import cli
from spicealif.cli.plot import _dataset, _load
from spicealif.errors import CompareError, DesignError, SpicealifError, SweepError, WaveformError

NEURON = load_preset("paper").replace(t_stop=0.3e-3)
SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


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
    "preset='paper'\n[stimulus]\nfile='{}'",
    "preset='paper'\nleak.file='{}'",
    "preset='paper'\nleak.preset='{}.toml'",
    "preset='paper'\n[stimulus]\nkind='sum'\nterms=[{{file='{}'}}]",
    "a.b.c.d.file='{}'",
]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_in_a_result_names_no_file(path, tmp_path, design, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("0,1\n1,2\n")
    with h5py.File(path, "r+") as file:
        file.attrs["design"] = design.format(victim)
    result = load_waveforms(path)
    opened = []
    monkeypatch.setattr(Path, "open", lambda self, *_, **__: opened.append(self))
    monkeypatch.setattr(Path, "read_text", lambda self, *_, **__: opened.append(self))
    with pytest.raises(DesignError, match="names a file or a device") as caught:
        compare(result, result)
    sentence(caught.value)
    assert not opened


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
        _load(path)


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


def test_long_texts_are_cut():
    assert len(shown("x" * 10**6)) == 300
    assert shown("x" * 10, 5) == "xx..."


@pytest.mark.parametrize("name", ["side", "simulator", "caveat", "taken"])
def test_a_terminal_obeys_nothing_that_a_file_says(path, reference, name):
    with h5py.File(path, "r+") as file:
        file.attrs[name] = "\x1b[2J\x1b]0;x\x07\u202e$\\frac{"
    command = ["compare", str(path)]
    command += ["--figure", str(path.with_suffix(".png"))] if name == "side" else []
    done = CliRunner().invoke(cli, command, standalone_mode=False)
    assert done.exception is None, done.exception
    assert all(line.isprintable() for line in done.output.split("\n"))


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
