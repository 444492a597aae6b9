"""What is kept says itself whether it is whole: records, caches, waveforms, netCDF, TOML."""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from spicealif import Neuron, Waveforms, load_preset, load_toml, load_waveforms
from spicealif._support.cache import Cache, cache_folder, digest_of
from spicealif._support.digest import CONTENT, check_digest, content_digest, with_digest
from spicealif._support.kept import has_stamp, open_regular, read_record, record, stamp_of
from spicealif._support.kinds import signed
from spicealif.cli.main import cli
from spicealif.design import load_device
from spicealif.design.store import dump_toml, save_toml
from spicealif.errors import SpicealifWarning, StoreError, SweepError, WaveformError
from spicealif.sweep import Store, Sweep, default_store
from spicealif.sweep._packed import Packed
from spicealif.sweep.worker import OK, PASSING, Settings, _keep

KEY = digest_of("a")
VALUE = {"a": 0.1 + 0.2, "b": None, "c": "text"}


@pytest.fixture
def waveforms() -> Waveforms:
    time = np.linspace(0.0, 1e-3, 50)
    attrs: dict[str, str | float | int] = {"side": "circuit", "n_steps": 7, "t_stop": 1e-3}
    return Waveforms(time, {"v_mem": np.sin(time), "x": time}, np.array([1e-4, 5e-4]), attrs)


# --- records --------------------------------------------------------------------------------------


def test_every_flip_and_every_cut_of_a_record_is_noticed():
    line = record(KEY, b'{"a":1.5}')
    assert read_record(line) == (KEY.encode(), b'{"a":1.5}')
    body = KEY.encode() + b' {"a":1.5}'
    assert line == b"kept1 %08x %s %s\n" % (
        len(body),
        hashlib.sha256(body).hexdigest().encode(),
        body,
    )
    for k in range(len(line)):
        for bit in range(8):
            damaged = bytearray(line)
            damaged[k] ^= 1 << bit
            assert read_record(bytes(damaged)) is None
        assert read_record(line[:k]) is None
    assert read_record(line + line) is None


@pytest.mark.parametrize("kind", ["pipe", "folder", "endless device", "socket"])
def test_only_files_are_read(tmp_path: Path, kind: str):
    path = tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "endless device":
        path.symlink_to("/dev/zero")
    else:
        import socket

        socket.socket(socket.AF_UNIX).bind(str(path))
    with pytest.raises(OSError):
        open_regular(path)
    assert not has_stamp(path, (0, ""))


# --- the cache ------------------------------------------------------------------------------------


def told(cache: Cache) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        cache.tell_trouble()
    assert all(w.category is SpicealifWarning for w in found)
    return [str(w.message) for w in found]


def test_flips_in_a_cache_are_told_and_set_aside(tmp_path: Path):
    cache = Cache(tmp_path)
    cache.put(KEY, VALUE)
    (path,) = tmp_path.glob("*/*.kept")
    whole, draw = path.read_bytes(), random.Random(1)
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        assert cache.get(KEY) is None
        assert not path.exists()
        path.write_bytes(whole)
    assert cache.get(KEY) == VALUE
    (sentence,) = told(cache)
    assert "200 entries of the cache" in sentence
    assert told(cache) == []
    assert len(list((tmp_path / "damaged").iterdir())) == 200


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "endless"])
def test_what_is_no_file_in_a_cache_does_not_hold_it_up(tmp_path: Path, kind: str):
    cache = Cache(tmp_path)
    cache.put(KEY, VALUE)
    (path,) = tmp_path.glob("*/*.kept")
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    assert cache.get(KEY) is None
    cache.put(KEY, VALUE)
    assert cache.get(KEY) == VALUE
    assert "computed again" in told(cache)[0]


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing"])
def test_a_cache_that_cannot_be_written_is_told_once(tmp_path: Path, place: str):
    (tmp_path / "file").write_text("mine")
    cache = Cache(tmp_path / place)
    for k in range(3):
        assert cache.get(digest_of(k)) is None
        cache.put(digest_of(k), VALUE)
    (sentence,) = told(cache)
    assert "cannot be written (" in sentence and "SPICEALIF_CACHE" in sentence
    assert (tmp_path / "file").read_text() == "mine"


def test_strange_names_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("relative", "with a ' and a \"", os.fsdecode(b"x\xffy")):
        monkeypatch.setenv("SPICEALIF_CACHE", name)
        folder = cache_folder()
        assert folder == tmp_path / name
        Cache(folder).put(KEY, VALUE)
        assert Cache(folder).get(KEY) == VALUE
    monkeypatch.setenv("SPICEALIF_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "spicealif"

    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    assert cache_folder() is None
    with pytest.raises(StoreError, match="no home folder; name a folder"):
        default_store()


# --- the store ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_segment_without_an_end(tmp_path: Path, kind: str):
    store = Store(tmp_path)
    store.put(KEY, {"status": OK, "reason": ""})
    store.close()
    path = tmp_path / "segments" / "20000101T000000-1-aa.txt"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    assert set(store.find([KEY])) == {KEY} and store.damaged == 1
    with pytest.warns(SpicealifWarning, match="held a damaged entry, set aside in its folder"):
        store.tell_damage()
    assert set(store.find([KEY])) == {KEY} and store.damaged == 0
    assert len(list((tmp_path / "damaged").iterdir())) == 1


DAMAGES = {
    "emptied": lambda path: path.write_bytes(b""),
    "a flip": lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 4]) + b"bc"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "another's": lambda path: path.write_bytes(b"xyz"),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_waveforms_are_no_waveforms(tmp_path: Path, damage: str):
    store = Store(tmp_path)
    path = store.waveforms_path(KEY, "circuit")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"abc")
    value = {"status": OK, "reason": "", "waveforms": {"circuit": stamp_of(path)}}
    store.put(KEY, value)
    value = store.find([KEY])[KEY]
    assert store.has_waveforms(KEY, value)
    assert store.check().damaged_waveforms == store.check().lost_waveforms == 0
    DAMAGES[damage](path)
    report = store.check()
    gone = damage == "gone"
    assert (report.damaged_waveforms, report.lost_waveforms) == (not gone, gone)
    out = CliRunner().invoke(cli, ["store", "check", "--store", str(tmp_path)])
    assert out.exit_code == 1
    assert ("files of waveforms that are gone" if gone else "damaged files of wave") in out.output
    assert not store.has_waveforms(KEY, value)
    assert store.damaged == (not gone)
    assert len(list(tmp_path.glob("damaged/*"))) == (not gone)


@pytest.mark.slow
def test_a_sweep_computes_damaged_waveforms_again(tmp_path: Path):
    neuron = load_preset("lif").replace(t_stop=2e-4)
    sweep = Sweep(neuron, {"c": [9e-8, 1e-7]}, sides="reference", waveforms=True)
    first = sweep.run(store=tmp_path, workers=1)
    files = sorted((tmp_path / "waveforms").iterdir())
    contents = [f.read_bytes() for f in files]
    files[0].write_bytes(b"")
    with pytest.warns(SpicealifWarning, match="damaged entry"):
        again = sweep.run(store=tmp_path, workers=1)
    assert [f.read_bytes() for f in files] == contents
    assert again.identical(first)


def test_waveforms_that_cannot_be_kept_are_not_the_points_fault(tmp_path, monkeypatch, waveforms):
    def full(*_: object) -> None:
        raise RuntimeError("Can't decrement id ref count (file write failed: ...)")

    monkeypatch.setattr(Waveforms, "save", full)
    settings = Settings("circuit", "both", "ideal", "", None, False, str(tmp_path / "w"), "e")
    value = {"status": OK, "reason": ""}
    _keep(value, {"circuit": waveforms}, settings, KEY)
    assert value[PASSING] and value["status"] == OK
    assert value["reason"].startswith("The waveforms could not be kept")


def test_packed_results_come_out_as_they_went_in():
    values = {
        "a": {"status": "OK", "n": 3, "x": 0.1, "rows": [1, 2, 3], "t": {"c": [0.5], "r": []}},
        "b": {"status": "OK", "n": 4, "x": None, "rows": [], "t": {"c": [0.5, 1e-9], "r": [1]}},
        "c": {"true": True, "one": 1, "mixed": [1, 2.5, None, "x"], "big": 2**70, "inf": 1e308},
    }
    packed = Packed()
    packed.update(values)
    assert dict(packed) == values
    assert json.dumps(dict(packed)) == json.dumps(values)
    del packed["a"]
    assert "a" not in packed and len(packed) == 2


# --- netCDF ---------------------------------------------------------------------------------------


def test_a_digest_covers_all_that_a_dataset_says(waveforms: Waveforms):
    dataset = waveforms.dataset
    digest = content_digest(dataset)
    changed = [
        dataset.assign(v_mem=dataset.v_mem + 1e-300 * (dataset.v_mem == 0)),
        dataset.assign_attrs(n_steps=8),
        dataset.assign_attrs(more=1),
        dataset.drop_attrs(deep=False),
        dataset.rename(x="y"),
        dataset.rename(spike_index="spike_indez"),
        dataset.reset_index("time").reset_coords("time"),
        dataset.assign(x=dataset.x.assign_attrs(units="V")),
        dataset.isel(time=slice(49)),
        dataset.astype("float32"),
    ]
    assert len({digest, *map(content_digest, changed)}) == 1 + len(changed)
    assert content_digest(dataset.copy(deep=True)) == digest


def test_a_digest_survives_other_programs(waveforms: Waveforms, tmp_path: Path):
    waveforms.save(tmp_path / "a.nc")
    copied = xr.load_dataset(tmp_path / "a.nc", engine="h5netcdf")
    assert len(copied.attrs[CONTENT]) == 64
    copied.to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    assert load_waveforms(tmp_path / "b.nc").attrs == dict(waveforms.attrs)
    # A change is refused with its remedy, which works; a file without a digest is taken.
    copied["v_mem"] = copied.v_mem * 1.01
    copied.to_netcdf(tmp_path / "c.nc", engine="h5netcdf")
    with pytest.raises(WaveformError, match=f"changed since; .* remove its attribute {CONTENT}"):
        load_waveforms(tmp_path / "c.nc")
    del copied.attrs[CONTENT]
    copied.to_netcdf(tmp_path / "d.nc", engine="h5netcdf")
    assert load_waveforms(tmp_path / "d.nc")["v_mem"][1] == copied.v_mem[1]


def test_a_digest_of_texts_and_truths(tmp_path: Path):
    dataset = xr.Dataset(
        {"t": ("p", np.array(["a", "\u00e9"], dtype=object)), "b": ("p", [True, False])},
        coords={"p": [1, 2], "q": ("p", [0.5, np.nan])},
        attrs={"one": 1, "many": [1.0, 2.0], "text": "\u00e9"},
    )
    with_digest(dataset).to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    assert check_digest(xr.load_dataset(tmp_path / "x.nc", engine="h5netcdf")) == ""


@pytest.mark.slow
def test_a_changed_sweep_is_not_drawn(tmp_path: Path):
    from spicealif.sweep.files import load_sweep

    neuron = load_preset("lif").replace(t_stop=2e-4)
    result = Sweep(neuron, {"c": [9e-8, 1e-7]}, sides="reference").run(store=tmp_path, workers=1)
    kept = with_digest(result)
    kept.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    assert load_sweep(tmp_path / "a.nc").equals(result)
    kept["mean_rate"] = kept.mean_rate * 2
    kept.to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with pytest.raises(SweepError, match="its content is not what was saved"):
        load_sweep(tmp_path / "b.nc")


# --- TOML -----------------------------------------------------------------------------------------


def test_an_edited_design_is_told_and_taken(paper: Neuron, tmp_path: Path):
    path = save_toml(paper, tmp_path / "n.toml")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_toml(path) == paper
    text = path.read_text()
    path.write_text(text.replace("c = 1e-07", "c = 2e-07"))
    with pytest.warns(
        SpicealifWarning, match=r"'n.toml' was edited since .* remove its first line"
    ):
        assert load_toml(path).c == 2e-7
    path.write_text(dump_toml(paper.replace(c=2e-7)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_toml(path).c == 2e-7
    # The first line's own end: with it the name would go into the comment.
    path.write_text(text.replace("\nname", "Jname", 1))
    with pytest.warns(SpicealifWarning):
        load_toml(path)


def test_an_edited_device_is_told_and_taken(tmp_path: Path):
    import tomli_w

    from spicealif.design import device_names

    device = load_device(device_names()[0])
    path = tmp_path / "d.toml"
    path.write_text(signed(tomli_w.dumps(device.to_dict())))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_device(path) == device
    path.write_text(path.read_text().replace("x_0 = 0.0", "x_0 = 0.5"))
    with pytest.warns(SpicealifWarning, match="'d.toml' was edited since"):
        assert load_device(path).device.x_0 == 0.5


def test_the_command_line_tells_in_one_sentence(paper: Neuron, tmp_path: Path):
    path = save_toml(paper, tmp_path / "n.toml")
    path.write_text(path.read_text().replace("c = 1e-07", "c = 2e-07"))
    out = CliRunner().invoke(cli, ["netlist", str(path), "--output", str(tmp_path / "n.cir")])
    assert out.exit_code == 0
    (line,) = [x for x in out.output.splitlines() if "edited" in x]
    assert line.startswith("Warning: 'n.toml' was edited since spicealif wrote it")


def test_threads_share_a_cache(tmp_path: Path):
    cache = Cache(tmp_path)
    found = []

    def work(k: int) -> None:
        cache.put(digest_of(k % 5), {"k": k % 5})
        found.append(cache.get(digest_of(k % 5)) == {"k": k % 5})

    threads = [threading.Thread(target=work, args=(k,)) for k in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(found) and cache.damaged == 0


def test_what_is_too_long_to_be_read_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("spicealif._support.cache._LONGEST", 1000)
    cache = Cache(tmp_path)
    cache.put(KEY, {"long": "x" * 1000})
    assert cache.get(KEY) is None
    assert (cache.damaged, cache.trouble) == (0, "")
