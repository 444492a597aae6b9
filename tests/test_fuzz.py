"""Fuzzing of the readers: a short run of it, what it found, and that it finds things at all.

`scripts/fuzz_readers.py` does it at length.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from _standin_raw import raw_bytes

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
#: Checksums that make a check do all that it does to some inputs only.
KEYS = (*range(16), *range(4096, 4112))
#: Places in the code that the seeds alone reach are fewer; without instrumentation it is none.
COVERAGE = {"raw": 450, "log": 250, "vectors": 45}


@pytest.fixture(scope="module")
def checks() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        import _fuzz_checks
    return _fuzz_checks


def fuzz(folder: Path, scripts: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, str(scripts / "fuzz_readers.py"), "--keep", str(folder / "keep")]
    done = subprocess.run(
        [*command, "--seed", "1", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


# ---------------------------------------------------------------- a short run


@pytest.mark.slow
@pytest.mark.parametrize("target", ["raw", "log", "vectors"])
def test_fuzzing_finds_nothing(target: str, tmp_path: Path) -> None:
    code, said = fuzz(tmp_path, SCRIPTS, "--target", target, "--runs", "3000")
    assert code == 0, said
    match = re.search(r"([0-9,]+) inputs in .* coverage ([0-9]+), .* findings 0, done", said)
    assert match, said
    assert int(match[1].replace(",", "")) >= 3000
    assert int(match[2]) > COVERAGE[target]
    assert not (tmp_path / "keep").exists()


@pytest.mark.slow
def test_fuzzing_finds_a_fault(tmp_path: Path) -> None:
    """In a copy whose reader forgets the last of three terms, and with two processes."""
    top = SCRIPTS.parent
    shutil.copytree(SCRIPTS, tmp_path / "scripts")
    shutil.copytree(top / "spicealif", tmp_path / "spicealif")
    (tmp_path / "tests").symlink_to(top / "tests")
    reader = tmp_path / "spicealif" / "rawfile" / "vectors.py"
    text = reader.read_text()
    broken = text.replace("return tuple(terms)", "return tuple(terms) if len(terms) < 3 else 1 / 0")
    assert broken != text
    reader.write_text(broken)
    scripts = tmp_path / "scripts"
    options = ("--target", "vectors", "--runs", "6000", "--jobs", "2")
    code, said = fuzz(tmp_path, scripts, *options)
    assert code == 1, said
    assert "ZeroDivisionError" in said
    kept, *_ = (path for path in (tmp_path / "keep").iterdir() if not path.suffix)
    assert "ZeroDivisionError" in kept.with_suffix(".txt").read_text()
    code, said = fuzz(tmp_path, scripts, "--target", "vectors", "--replay", str(kept))
    assert code == 1, said
    code, said = fuzz(tmp_path, SCRIPTS, "--target", "vectors", "--replay", str(kept))
    assert (code, said.endswith("nothing found\n")) == (0, True)


# ---------------------------------------------------------------- what it found


def header(names: str, lines: str = "", flags: str = "real", points: int = 2) -> bytes:
    variables = names.split(" ")
    listed = "".join(f"\t{i}\t{name}\tvoltage\n" for i, name in enumerate(variables))
    return (
        f"Title: a\nPlotname: x\nFlags: {flags}\nNo. Variables: {len(variables)}\n"
        f"No. Points: {points}\n{lines}Variables:\n{listed}Binary:\n"
    ).encode()


def numbers(*values: float) -> bytes:
    return np.array(values).tobytes()


SIGNALLING = b"\1\0\0\0\0\0\xf0\x7f"  # a NaN that raises a flag when it is added to
STEPPED = raw_bytes(
    "* a",
    "Transient Analysis",
    {"time": np.array([0.0, np.inf, np.inf, 0.0, 1.0]), "V(a)": np.arange(5.0)},
    steps=[3, 2],
)[0]

FOUND = [
    # NumPy's warning of an invalid value, when the offset was added to the axis
    ("raw", header("a b", "Offset: 1\n") + SIGNALLING + numbers(1.0, 2.0, 3.0)),
    # ditto, in the difference of two infinite times
    ("raw", STEPPED),
    # ditto, in the length of the axis; which was infinite, and so a value was given anywhere
    ("raw", header("a b") + numbers(-1.7e308, 1.0, 1.7e308, 2.0)),
    # an error of several lines: "a\x85b" is two for str.splitlines()
    ("raw", header("a\x85b") + numbers(1.0, 2.0)),
    # 256 MB of memory for any log read from a file
    ("log", b"Circuit: * a\n"),
    # a message without text: what was not white space stood too far to the right
    ("log", b" " * 1001 + b"x\n"),
    # a factor of infinity
    ("vectors", b"a\n1e999*a"),
    # small letters were one more than capitals, so that a sign was lost
    ("vectors", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}\na\n\u0130+a\u0130-a".encode()),
    # an error that quoted a control character
    ("vectors", b"a\x1bb\na\x1bc"),
    # these took minutes, as the square of their length
    ("vectors", b"a\n" + b"0" * 65_000),
    ("vectors", b"a\nv(" + b"," * 65_000),
    ("vectors", b"a\n" + b"a+" * 32_000 + b"a"),
    ("vectors", b"\n".join(b"a%d" % i for i in range(5000)) + b"\n" + b"+".join([b"a1"] * 9000)),
]


@pytest.mark.slow
@pytest.mark.parametrize("case", range(len(FOUND)))
def test_found_inputs(case: int, checks: ModuleType, tmp_path: Path) -> None:
    target, content = FOUND[case]
    check = checks.CHECKS[target](tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(content)
        for key in (
            [*range(16), *range(4096, 4112)] if target == "raw" else range(4)
        ):  # what is checked of some inputs only
            check.check(content, key)
        check._peak(content, 0)


# ---------------------------------------------------------------- that its checks can fail

GOOD = raw_bytes(
    "* a",
    "Transient Analysis",
    {"time": np.linspace(0.0, 1.0, 9), "V(a)": np.linspace(0.0, 1.0, 9) ** 2},
    compressed=True,
)[0]


def test_checks_notice_what_the_raw_reader_gets_wrong(
    checks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spicealif.errors import RawFileError

    plot = checks.RawPlot
    check = checks.Raw(tmp_path)
    check(GOOD)

    def fails(message: str) -> object:
        def reader(*_: object, **__: object) -> object:
            raise RawFileError(message)

        return reader

    faults: list[tuple[object, str, object, str]] = [
        (checks, "read_raw", fails("no stop; try"), "no full stop"),
        (checks, "read_raw", fails("no remedy."), "no remedy"),
        (checks, "read_raw", fails("two\nlines; x."), "several lines"),
        (checks, "read_raw", lambda _: [], "no plot"),
        (plot, "read_all", lambda _: (np.zeros(1), np.zeros(1)), "not as long"),
        (plot, "columns", lambda self, *_, **__: dict.fromkeys(self, np.zeros(9)), "another type"),
        (plot, "n_steps", 3, "number of steps"),
        (plot, "last", 7.0, "last value"),
        (plot, "at", lambda *_, **__: np.zeros(()), "another shape"),
    ]
    for owner, name, fault, message in faults:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, fault)
            with pytest.raises(checks.Violated, match=message):
                for key in KEYS:
                    check.check(GOOD, key)


@pytest.mark.slow
def test_checks_notice_time_and_memory(
    checks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = checks.Vectors(tmp_path)
    monkeypatch.setattr(checks, "parse_sum", lambda *_: ((float(sum(range(3 * 10**7))), "a"),))
    with pytest.raises(checks.Violated, match=r"bytes took .* s$"):
        check(b"a\na")
    monkeypatch.setattr(checks, "parse_sum", lambda *_: bytes(1 << 21) and ((1.0, "a"),))
    with pytest.raises(checks.Violated, match=r"bytes took [0-9]+ bytes$"):
        check._peak(b"a\na", 0)


# ---------------------------------------------------------------- tables


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_fuzzing_of_tables_finds_nothing(seed: int, tmp_path: Path) -> None:
    """A short run of `scripts/fuzz_tables.py`, without coverage."""
    command = [sys.executable, str(SCRIPTS / "fuzz_tables.py"), "--blind", "--runs", "400"]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--keep", str(tmp_path / "keep")],
        capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "400 inputs" in done.stdout
    assert "findings 0" in done.stdout
