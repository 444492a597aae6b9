"""The store: several processes at a time, damage of every kind, disks that fill up or go away."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from spicealif import load_preset
from spicealif.errors import OutputError, StoreError
from spicealif.sweep import Range, Store, Sweep, _segments, default_store

LIF = load_preset("lif").replace(t_stop=5e-4)


def key(k):
    return f"{k:064x}"


def result(k, status="OK", experiment="one"):
    return {"status": status, "reason": "", "experiment": experiment, "k": k}


def filled(folder, n=10, **values):
    """A store with one segment of n results."""
    store = Store(folder)
    for k in range(n):
        store.put(key(k), result(k, **values))
    store.close()
    return store


def segments(folder):
    return sorted((folder / "segments").iterdir())


def found(folder):
    """Which results a new look finds, and how many damaged lines."""
    store = Store(folder)
    values = store.find({key(k) for k in range(100)})
    assert all(values[key(v["k"])] == v for v in values.values())
    return {v["k"] for v in values.values()}, store.damaged


def experiment(**choices):
    return Sweep(LIF, {"c": np.linspace(80e-9, 120e-9, 9)}, sides="reference", **choices)


# --- what is put is found -------------------------------------------------------------------------


def test_put_and_find(tmp_path):
    store = Store(tmp_path / "not there yet" / "st\u00f6re \U0001f9e0")
    assert store.find([key(1)]) == {}
    value = {"status": "OK", "reason": 'a "word", \u00e9', "isi": [1.5, None, 1e-300], "n": 3}
    store.put(key(1), value)
    # At once, and for others: nothing waits in this process.
    assert Store(store.folder).find([key(1), key(2)]) == {key(1): value}
    assert store.writable
    store.close()
    store.close()


def test_newest_wins_but_a_failure_never_hides_a_success(tmp_path):
    for status, expected in (
        ("TIMEOUT", "TIMEOUT"),
        ("CRASHED", "CRASHED"),
        ("OK", "OK"),
        ("TIMEOUT", "OK"),
    ):
        # A new segment each time, all within a moment: the order is not that of whole seconds.
        store = Store(tmp_path)
        store.put(key(1), result(1, status))
        store.close()
        assert Store(tmp_path).find([key(1)])[key(1)]["status"] == expected
        assert store.check().failed == (expected != "OK")


def test_numbers_survive_to_the_last_bit(tmp_path):
    numbers = np.random.default_rng(1).random(1000).tolist()
    numbers += [5e-324, 1.7976931348623157e308]
    store = Store(tmp_path)
    store.put(key(1), {"status": "OK", "numbers": numbers})
    assert store.find([key(1)])[key(1)]["numbers"] == numbers


@pytest.mark.slow
def test_default_store_is_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SPICEALIF_CACHE", str(tmp_path))
    assert default_store() == tmp_path / "store"
    experiment().run(workers=1)
    assert Store(tmp_path / "store").check().results == 9


# --- damage ---------------------------------------------------------------------------------------


def flip(path):
    data = bytearray(path.read_bytes())
    line = data.index(b"\n") + 40  # in the second line's key
    data[line] ^= 0x01
    path.write_bytes(data)


def cut(path):
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b'"k"')])


def insert(junk):
    def damage(path):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([*lines[:3], junk, *lines[3:]]))

    return damage


def append(junk):
    return lambda path: path.write_bytes(path.read_bytes() + junk)


def checked(body):
    """A line whose checksum is right and whose content is none of ours."""
    return _segments._checksum(body) + b" " + body + b"\n"


# Name: what is done to a segment of ten results, results lost, damaged lines.
DAMAGE = {
    "a byte flipped": (flip, 1, 1),
    "the last line cut off": (cut, 1, 1),
    "a line of text": (insert(b"what is this?\n"), 0, 1),
    "an empty line": (insert(b"\n"), 0, 1),
    "two lines run together": (
        lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"", 1)),
        2,
        1,
    ),
    "zeros at the end, as after a loss of power": (append(bytes(5000)), 0, 1),
    "zeros in the middle swallow a line": (insert(bytes(5000)), 1, 1),
    "random bytes": (insert(np.random.default_rng(0).bytes(3000) + b"\n"), 0, None),
    "brackets that no parser should count": (insert(b"[" * 200_000 + b"\n"), 0, 1),
    "a checked line that is no JSON": (insert(checked(key(50).encode() + b" {")), 0, 1),
    "a checked line without status": (insert(checked(key(50).encode() + b" {}")), 0, 1),
    "a checked line of brackets": (insert(checked(key(50).encode() + b" " + b"[" * 9999)), 0, 1),
    "a checked line that is not ASCII": (
        insert(checked(key(50).encode() + b' {"status":1,"a":"\xff"}')),
        0,
        1,
    ),
    "a checked line without key": (insert(checked(b"")), 0, 1),
    "emptied": (lambda path: path.write_bytes(b""), 10, 0),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_touches_nothing_else(tmp_path, name):
    damage, lost, lines = DAMAGE[name]
    filled(tmp_path)
    (path,) = segments(tmp_path)
    damage(path)

    values, damaged = found(tmp_path)
    assert len(values) == 10 - lost
    assert lines is None or damaged == lines
    assert (damaged > 0) == (lines != 0)

    store = Store(tmp_path)
    report = store.check()
    assert (report.results, report.damaged, report.segments) == (10 - lost, damaged, 1)
    before = path.read_bytes()
    report = store.check(set_aside=True)
    assert report.damaged == damaged
    assert found(tmp_path) == (values, 0)
    assert store.check().damaged == 0
    if damaged:
        # Every byte is in one of the two files.
        (aside,) = (tmp_path / "damaged").iterdir()
        assert len(aside.read_bytes()) + len(path.read_bytes()) == len(before)
    # What was lost is put anew, and is then there.
    for k in set(range(10)) - values:
        store.put(key(k), result(k))
    assert found(tmp_path) == (set(range(10)), 0)


@pytest.mark.slow
def test_a_segment_with_a_hole(tmp_path):
    """A sparse file of a terabyte: what was never written is passed over, not read."""
    filled(tmp_path)
    (path,) = segments(tmp_path)
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    start = time.process_time()
    values, damaged = found(tmp_path)
    assert len(values) == 10
    assert damaged >= 1
    Store(tmp_path).check(set_aside=True)
    assert time.process_time() - start < 20
    assert found(tmp_path) == (values, 0)
    assert path.stat().st_size < 1 << 20


@pytest.mark.parametrize("kind", ["folder", "link to nowhere", "link to itself", "unreadable"])
def test_a_segment_that_is_no_file(tmp_path, kind, monkeypatch):
    filled(tmp_path)
    path = tmp_path / "segments" / "20000101T000000-1-aa.txt"
    if kind == "folder":
        path.mkdir()
        (path / "something").write_text("here")
    elif kind == "link to nowhere":
        path.symlink_to("/dev/tty-that-is-not-there/x")
    elif kind == "link to itself":
        path.symlink_to(path)
    else:
        # Root may read everything, so the refusal is planted.
        path.write_bytes(b"x\n")
        path_open = type(path).open

        def refuse(self, *arguments, **named):
            if self == path:
                raise PermissionError(errno.EACCES, "Permission denied")
            return path_open(self, *arguments, **named)

        monkeypatch.setattr(type(path), "open", refuse)
    dangling = kind == "link to nowhere"  # as good as not there
    assert found(tmp_path) == (set(range(10)), 0 if dangling else 1)
    store = Store(tmp_path)
    assert store.check(set_aside=True).damaged == (not dangling)
    monkeypatch.undo()
    assert found(tmp_path) == (set(range(10)), 0)
    assert path.is_symlink() == dangling
    if not dangling:
        (aside,) = (tmp_path / "damaged").iterdir()
        assert kind != "folder" or (aside / "something").read_text() == "here"


@pytest.mark.slow
def test_damaged_points_are_computed_again(tmp_path):
    whole = experiment().run(store=tmp_path, workers=1)
    (path,) = segments(tmp_path)
    flip(path)
    Store(tmp_path).check(set_aside=True)
    calls = []
    again = experiment().run(store=tmp_path, workers=1, progress=lambda *a: calls.append(a))
    assert calls[0] == (8, 9, 0)
    assert again.identical(whole)
    # And without anybody having set anything aside:
    flip(segments(tmp_path)[0])
    assert experiment().run(store=tmp_path, workers=1).identical(whole)


# --- a store that cannot be read or written -------------------------------------------------------


def test_a_store_that_is_a_file(tmp_path):
    path = tmp_path / "store"
    path.write_text("mine")
    with pytest.raises(StoreError, match=r"cannot be read \(Not a directory\); check the path"):
        experiment().run(store=path)
    assert path.read_text() == "mine"


def test_a_folder_that_may_not_be_listed(tmp_path, monkeypatch):
    filled(tmp_path)

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(StoreError, match="Permission denied"):
        Store(tmp_path).find([key(1)])


@pytest.fixture
def tmpfs(tmp_path):
    """A disk of 64 KiB; it needs root, without whom the next test has the limit of a process."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk(tmpfs):
    whole = experiment(spikes=True).run(store=tmpfs / "other", workers=1)
    shutil.rmtree(tmpfs / "other")
    store = Store(tmpfs)
    store.put(key(0), result(0))
    room = os.statvfs(tmpfs)
    (tmpfs / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize))
    result_ = experiment(spikes=True).run(store=store, workers=1)
    # Nothing is lost but the keeping, and that is told.
    assert "No space left on device" in result_.attrs.pop("store")
    assert not store.writable
    assert result_.identical(whole)
    store.close()
    assert found(tmpfs)[0] == {0}
    with pytest.raises(OutputError, match="No space left"):
        Store(tmpfs).prune(experiment="one")
    assert found(tmpfs)[0] == {0}
    # With room again, a new run keeps what the first one could not.
    (tmpfs / "ballast").unlink()
    assert experiment(spikes=True).run(store=tmpfs, workers=1).identical(whole)
    assert Store(tmpfs).check().results == 10


LIMITED = """
import resource, sys
from spicealif.sweep import Store
store = Store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
for k in range(100):
    store.put(f"{k:064x}", {"status": "OK", "k": k})
print(store.trouble)
"""


def test_a_limit_in_the_middle_of_a_line(tmp_path):
    """A line that is written in part is taken back, and nothing is written behind it."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "File too large" in done.stdout
    values, damaged = found(tmp_path)
    assert values and values == set(range(len(values)))
    assert damaged == 0
    (size,) = [p.stat().st_size for p in segments(tmp_path)]
    assert size % len(values) == 0  # whole lines, all of one length
    assert size <= 1000 < size + size // len(values)


@pytest.mark.slow
def test_a_read_only_store(tmp_path):
    """Read-only for root as well."""
    whole = experiment().run(store=tmp_path / "a", workers=1)
    store = tmp_path / "b"
    shutil.copytree(tmp_path / "a", store)
    mount = ["mount", "--bind", "-o", "ro", str(store), str(store)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a folder read-only for root")
    try:
        more = Sweep(LIF, {"c": [*np.linspace(80e-9, 120e-9, 9), 1.3e-7]}, sides="reference")
        result_ = more.run(store=store, workers=1)
        assert "Read-only file system" in result_.attrs["store"]
        assert (result_["status"] == "OK").all()
        # What is all there asks for no writing.
        assert experiment().run(store=store, workers=1).identical(whole)
        with pytest.raises(OutputError, match="Read-only"):
            Store(store).prune(failed=True)
    finally:
        subprocess.run(["umount", "-l", str(store)], check=True)


def test_a_store_that_is_deleted_while_it_is_written(tmp_path):
    folder = tmp_path / "store"
    store = filled(folder, 5)
    store.put(key(5), result(5))
    shutil.rmtree(folder)
    for k in range(6, 10):
        store.put(key(k), result(k))
    assert store.writable
    assert found(folder) == ({6, 7, 8, 9}, 0)


# --- tidying --------------------------------------------------------------------------------------


def test_prune(tmp_path):
    filled(tmp_path, 4)
    filled(tmp_path, 6, status="TIMEOUT")  # 0 to 3 are there as successes
    store = Store(tmp_path)
    for k in range(6, 9):
        store.put(key(k), result(k, experiment="two"))
    store.close()
    waveforms = store.waveforms_path(key(8), "circuit")
    waveforms.parent.mkdir()
    waveforms.write_bytes(b"x" * 10)
    store.waveforms_path(key(50), "circuit").write_bytes(b"")

    report = store.check()
    assert (report.results, report.failed, report.damaged, report.segments) == (9, 2, 0, 3)
    assert report.by_experiment == {"one": 6, "two": 3}
    assert (report.waveforms, report.waveforms_size) == (2, 10)

    assert store.prune() == 0
    assert (store.check().results, len(segments(tmp_path))) == (9, 1)
    assert [p.name for p in waveforms.parent.iterdir()] == [waveforms.name]
    assert store.prune(failed=True) == 2
    assert found(tmp_path) == ({0, 1, 2, 3, 6, 7, 8}, 0)
    assert store.prune(experiment="two") == 3
    assert found(tmp_path) == ({0, 1, 2, 3}, 0)
    assert not waveforms.exists()
    # And it can be written to afterwards.
    store.put(key(20), result(20))
    assert found(tmp_path)[0] == {0, 1, 2, 3, 20}


def test_what_is_being_written_is_left_alone(tmp_path):
    """Another process' segment is neither pruned nor rewritten under its hands."""
    filled(tmp_path, 3, status="TIMEOUT")
    writer = Store(tmp_path)
    writer.put(key(3), result(3, "TIMEOUT"))
    (segment,) = [p for p in segments(tmp_path) if str(3).zfill(64).encode() in p.read_bytes()]
    with segment.open("ab") as file:
        file.write(b"junk\n")
    other = Store(tmp_path)
    assert other.prune(failed=True) == 3
    assert other.check(set_aside=True).damaged == 1
    writer.put(key(4), result(4))
    assert found(tmp_path) == ({3, 4}, 1)
    writer.close()
    assert other.check(set_aside=True).damaged == 1
    assert other.prune(failed=True) == 1
    assert found(tmp_path) == ({4}, 0)


# --- several at a time ----------------------------------------------------------------------------

WRITER = """
import sys
from spicealif.sweep import Store
store = Store(sys.argv[1])
for k in range(int(sys.argv[2]), int(sys.argv[3])):
    store.put(f"{k:064x}", {"status": "OK", "k": k, "filling": "x" * (k * 37 % 5000)})
"""


@pytest.mark.slow
def test_processes_write_and_read_at_the_same_time(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(a), str(a + 400)])
        for a in (0, 200, 400)
    ]
    seen, most = 0, 0
    wanted = {key(k) for k in range(800)}
    while any(p.poll() is None for p in processes):
        store = Store(tmp_path)
        seen = len(store.find(wanted))
        # A line that is being written may look cut off, one for each writer.
        assert store.damaged <= len(processes)
        assert seen >= most
        most = seen
        time.sleep(0.01)
    assert [p.returncode for p in processes] == [0, 0, 0]
    store = Store(tmp_path)
    values = store.find(wanted)
    assert {v["k"] for v in values.values()} == set(range(800))
    assert store.damaged == 0
    assert len(segments(tmp_path)) == 3


SWEEPER = """
import sys
import numpy as np
from spicealif import load_preset
from spicealif.sweep import Sweep
from concurrent.futures import ThreadPoolExecutor
neuron = load_preset("lif").replace(t_stop=5e-4)
sweep = Sweep(neuron, {"c": np.linspace(80e-9, 120e-9, 200)}, sides="reference")
with ThreadPoolExecutor(1) as executor:
    sweep.run(store=sys.argv[1], executor=executor, workers=8).to_netcdf(sys.argv[2])
"""


@pytest.mark.slow
def test_two_processes_share_a_store(tmp_path):
    import xarray as xr

    files = [tmp_path / "a.nc", tmp_path / "b.nc"]
    processes = [
        subprocess.Popen([sys.executable, "-c", SWEEPER, str(tmp_path / "store"), str(file)])
        for file in files
    ]
    assert [p.wait() for p in processes] == [0, 0]
    a, b = (xr.load_dataset(file, engine="h5netcdf") for file in files)
    assert a.identical(b)
    report = Store(tmp_path / "store").check()
    assert (report.results, report.damaged) == (200, 0)


@pytest.mark.slow
def test_ten_thousand_points_reopen_in_two_seconds(tmp_path):
    """Of CPU, since the tests share their cores."""

    def sweep():
        over = {"c": Range("80n", "120n"), "leak.r": Range(1400, 1600)}
        return Sweep(LIF, over, "random", n=10_000, sides="reference")

    one = Sweep(LIF, {"c": [1e-7]}, sides="reference")
    one.run(store=tmp_path / "one", workers=1)
    (value,) = Store(tmp_path / "one").find(one.keys()).values()
    store = Store(tmp_path / "many")
    for k in sweep().keys():  # noqa: SIM118 - no dictionary
        store.put(k, value)
    store.close()
    start = time.process_time()
    result_ = sweep().run(store=store)
    assert time.process_time() - start < 2.0
    assert result_.sizes["point"] == 10_000
    assert np.isfinite(result_["isi_mean"]).all()


def test_lines_are_what_the_module_says(tmp_path):
    """Version, length, SHA-256, key and JSON, so that others can read them."""
    import hashlib

    filled(tmp_path, 1)
    (line,) = segments(tmp_path)[0].read_bytes().splitlines()
    version, length, digest, body = line.split(b" ", 3)
    assert version == b"kept1"
    assert int(length, 16) == len(body)
    assert digest == hashlib.sha256(body).hexdigest().encode()
    name, value = body.split(b" ", 1)
    assert name.decode() == key(0)
    assert json.loads(value) == result(0)


def test_lines_of_former_versions_are_read(tmp_path):
    """Sixteen digits of the SHA-256, key and JSON; such stores stay readable beside new lines."""
    import hashlib

    filled(tmp_path, 2)
    old = tmp_path / "segments" / "20200101T000000.0-1-aa.txt"
    body = f'{key(7)} {{"status":"OK","reason":"","experiment":"one","k":7}}'.encode()
    line = hashlib.sha256(body).hexdigest()[:16].encode() + b" " + body + b"\n"
    old.write_bytes(line + line.replace(b'"k":7', b'"k":8'))
    assert found(tmp_path) == ({0, 1, 7}, 1)
    assert Store(tmp_path).check().results == 3
