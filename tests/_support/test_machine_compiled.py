"""Where compiled functions are kept, and whatever may be wrong with that place."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from spicealif._support import compiled as _compiled

PROGRAM = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import outer
    from spicealif._support.compiled import watched
    heard = []
    with watched(lambda: heard.append(1)):
        results = [outer.twice(float(x)) for x in range(3)]
print(results, [str(w.message) for w in caught], len(heard))
"""
OUTER = """
from spicealif._support.compiled import njit
from inner import shifted, SCALE

@njit(cache=True)
def twice(x):
    return SCALE * shifted(x)
"""
INNER = """
from spicealif._support.compiled import njit
SCALE = 2.0

@njit(cache=True)
def shifted(x):
    return x + 1.0
"""


@pytest.fixture
def machine(tmp_path):
    """A small package with compiled functions; give what runs it as a new process."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "outer.py").write_text(OUTER)
    (tmp_path / "code" / "inner.py").write_text(INNER)
    environment = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "HOME")}
    environment |= {"HOME": str(tmp_path / "home"), "SPICEALIF_CACHE": str(tmp_path / "cache")}
    # Python itself takes a file for unchanged that is rewritten within its second.
    environment |= {"PYTHONDONTWRITEBYTECODE": "1"}

    def run(**more):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "code")],
            env={**environment, **more}, capture_output=True, text=True, check=False, timeout=200,
        )  # fmt: skip
        assert not done.stderr, done.stderr
        results, told = done.stdout.strip().split("] [")
        run.told, _, compiled = told.rpartition(" ")
        run.compiled = int(compiled)
        return [float(x) for x in results.strip("[").split(",")]

    run.folder = tmp_path / "cache" / "compiled"
    return run


def test_who_waits_hears_of_what_is_compiled(machine):
    machine()
    assert machine.compiled == 2
    machine()
    assert machine.compiled == 0


def files(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.mark.slow
def test_damage_and_strangers(machine):
    assert machine() == [2.0, 4.0, 6.0]
    good = files(machine.folder)
    assert len(good) == 2
    assert machine.folder.stat().st_mode & 0o777 == 0o700
    # Cut, emptied, one bit changed in the head, in the middle, at the end; another function's.
    names = sorted(good)
    for name, content in good.items():
        for damaged in (
            b"", content[:40], content[:-1], bytes([content[0] ^ 1]) + content[1:],
            content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 16])
            + content[len(content) // 2 + 1 :],
            good[names[names.index(name) - 1]],
        ):  # fmt: skip
            path = machine.folder / name
            path.write_bytes(damaged)
            key = name.rpartition("-")[2][:32]
            assert _compiled._read(path, key) is None
    assert machine() == [2.0, 4.0, 6.0]
    # What was damaged is whole again.
    for name, content in files(machine.folder).items():
        assert len(content) == len(good[name])
    # Files that others can write to are code of theirs.
    key = next(iter(good.values()))[len(_compiled._MAGIC) :][:64].decode()
    path = machine.folder / next(iter(good))
    assert _compiled._read(path, key)
    path.chmod(0o666)
    assert _compiled._read(path, key) is None
    path.chmod(0o600)
    machine.folder.chmod(0o777)
    assert _compiled._read(path, key) is None
    assert not _compiled._write(machine.folder, "other.bin", key, b"payload")
    if not os.geteuid():
        machine.folder.chmod(0o700)
        os.chown(path, 65534, 65534)
        assert _compiled._read(path, key) is None


@pytest.mark.slow
def test_a_change_elsewhere_counts(machine, tmp_path):
    """numba looks at a function's own file only: what it calls, and constants, may be elsewhere."""
    assert machine() == [2.0, 4.0, 6.0]
    inner = tmp_path / "code" / "inner.py"
    inner.write_text(INNER.replace("x + 1.0", "x + 2.0"))
    assert machine() == [4.0, 6.0, 8.0]
    inner.write_text(INNER.replace("2.0", "3.0"))
    assert machine() == [3.0, 6.0, 9.0]
    # The old ones are still there, for the checkout that has the old files.
    assert len(files(machine.folder)) >= 5


@pytest.mark.slow
def test_no_place_at_all(machine, tmp_path):
    """It runs all the same, and says so once."""
    (tmp_path / "file").write_text("")
    # Folders below a file can be made by nobody, not even root.
    nowhere = str(tmp_path / "file" / "x")
    code = (
        "from spicealif._support import compiled as _compiled; from pathlib import Path; "
        f"_compiled.places = lambda: iter([Path({nowhere!r}, 'a'), Path({nowhere!r}, 'b')])\n"
    )
    (tmp_path / "code" / "inner.py").write_text(code + INNER)
    assert machine() == [2.0, 4.0, 6.0]
    assert machine.told.count("Compiled functions cannot be kept") == 1
    assert "set SPICEALIF_CACHE" in machine.told


def test_the_places(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("SPICEALIF_CACHE", raising=False)
    user = tmp_path / "home" / ".cache" / "spicealif" / "compiled"
    first, beside, temporary = _compiled.places()
    assert first == user
    assert beside == Path(_compiled.__file__).parents[1] / "__pycache__" / "compiled"
    assert temporary.name == f"spicealif-compiled-{os.geteuid()}"
    monkeypatch.setenv("SPICEALIF_CACHE", str(tmp_path / "chosen"))
    assert list(_compiled.places())[:2] == [tmp_path / "chosen" / "compiled", user]
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    assert next(_compiled.places()) == tmp_path / "numba" / "spicealif"


def test_a_user_without_account_and_home(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("SPICEALIF_CACHE", raising=False)
    monkeypatch.setattr(
        Path, "home", classmethod(lambda cls: (_ for _ in ()).throw(RuntimeError()))
    )
    assert all(isinstance(place, Path) for place in _compiled.places())


def test_every_compiled_function_takes_this_way(repository):
    for path in (repository / "spicealif").rglob("*.py"):
        if path.name != "compiled.py":
            text = path.read_text()
            assert not re.search(r"from numba import .*\b(njit|jit|cfunc|vectorize)\b", text), path
            assert not re.search(r"numba\.(njit|jit|cfunc|vectorize|guvectorize)\(", text), path


def test_files_do_not_pile_up(tmp_path):
    folder = tmp_path / "kept"
    for k in range(_compiled._KEPT + 5):
        assert _compiled._write(folder, f"a.b-{k:032x}.bin", "k" * 64, b"x")
        os.utime(folder / f"a.b-{k:032x}.bin", (k, k))
    assert _compiled._write(folder, f"a.bc-{0:032x}.bin", "k" * 64, b"x")
    names = {p.name for p in folder.iterdir()}
    assert len(names) == _compiled._KEPT + 1
    assert f"a.b-{4:032x}.bin" not in names


def test_a_warning_is_one_sentence_on_the_command_line():
    from spicealif.cli.main import _warning_text

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _compiled._tell.__wrapped__()
    (warning,) = caught
    text = _warning_text(warning.message, warning.category, warning.filename, warning.lineno)
    assert text == f"Note: {warning.message}\n"
    assert "x.py:3" in _warning_text("plain", UserWarning, "x.py", 3)
