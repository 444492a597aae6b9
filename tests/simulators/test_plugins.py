"""Plug-ins that are broken: named with the reason where simulators are listed, and no harm else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from spicealif.cli import cli
from spicealif.errors import SimulatorError
from spicealif.simulators import get_simulator, simulator_names

#: A simulator that is whole, to be spoilt.
WHOLE = """
class Tool:
    name, dialect, version = "fine", "ngspice", "fine 1"
    def run(self, netlist, *, timeout=None, progress=None): ...
    def close(self): ...
"""
#: What a plug-in's module holds, and what is said of it.
BROKEN = {
    "import": ("import a_module_that_there_is_not", "cannot be loaded (ModuleNotFoundError: "),
    "syntax": ("def (", "cannot be loaded (SyntaxError: "),
    "attribute": ("", "cannot be loaded (AttributeError: "),
    "exit": ("raise SystemExit(0)", "cannot be loaded (SystemExit: 0)"),
    "leave": ("import sys\nsys.exit('bye.')", "cannot be loaded (SystemExit: bye)"),
    "base": ("class Odd(BaseException): ...\nraise Odd", "cannot be loaded (Odd)"),
    "nothing": ("Tool = None", "is no class but None"),
    "text": ("Tool = 'x' * 1000", "is no class but 'xxx"),
    "constructor": (WHOLE + "    def __init__(self): 1 / 0", "cannot be made (ZeroDivisionError: "),
    "needs": (WHOLE + "    def __init__(self, port): ...", "cannot be made (TypeError: "),
    "empty": ("class Tool: ...", "is no simulator, since it has no run, close, name, dialect, "),
    "module": ("Tool = dict", "is no simulator, since it has no run, close, name, "),
    "half": (WHOLE + "    run = None", "is no simulator, since it has no run;"),
    "version": (
        WHOLE + "    @property\n    def version(self): raise OSError(2, 'gone')",
        "cannot tell its version (FileNotFoundError: [Errno 2] gone)",
    ),
    "number": (WHOLE + "    version = 4", "gives 4 for its version instead of a text"),
    "hangs": (
        WHOLE + "    @property\n    def version(self):\n        import time; time.sleep(60)",
        "has not answered after 5 s",
    ),
    "slow_import": ("import time\ntime.sleep(60)", "has not answered after 5 s"),
    "fails_to_close": (WHOLE + "    def close(self): 1 / 0", "fails_to_close (of dist-"),
}


def announce(folder: Path, package: str, **entries: str) -> None:
    """Install a package by hand that announces simulators."""
    info = folder / f"{package.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (info / "entry_points.txt").write_text("\n".join(["[spicealif.simulators]", *lines, ""]))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("spicealif._support.plugins._PATIENCE", 5.0)
    return tmp_path


def doctor() -> str:
    done = CliRunner().invoke(cli, ["doctor"])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.slow
def test_broken_plug_ins_are_named_and_break_nothing_else(place):
    for name, (source, _) in BROKEN.items():
        (place / f"plug_{name}.py").write_text(source)
        announce(place, f"dist-{name}", **{name: f"plug_{name}:Tool"})
    (place / "plug_fine.py").write_text(WHOLE)
    announce(place, "fine-simulator", fine="plug_fine:Tool")
    names = simulator_names()
    assert {*BROKEN, "fine", "ngspice", "ngspice-batch", "ltspice"} <= set(names)
    said = doctor()
    lines = said.splitlines()
    for name, (_, reason) in BROKEN.items():
        (line,) = [text for text in lines if f"simulator {name} (of dist-{name} 1.2)" in text]
        assert reason in line, line
        assert line.startswith("ok " if name == "fails_to_close" else "absent"), line
    assert "ok       simulator fine (of fine-simulator 1.2): fine 1" in lines
    assert any(text.startswith("ok       simulator ngspice-batch: ngspice-") for text in lines)
    assert get_simulator("ngspice-batch").name == "ngspice-batch"
    assert get_simulator("fine").version == "fine 1"
    never_made = {"version", "number", "hangs", "slow_import", "fails_to_close"}
    for name in set(BROKEN) - never_made:
        with pytest.raises(SimulatorError, match=rf"^The simulator {name} "):
            get_simulator(name)


@pytest.mark.slow
def test_two_of_one_name_are_named_and_neither_is_taken(place):
    (place / "plug_fine.py").write_text(WHOLE)
    announce(place, "first-one", twin="plug_fine:Tool")
    announce(place, "second-one", twin="plug_fine:Tool")
    said = "first-one 1.2 and second-one 1.2 both announce it; uninstall one of them"
    assert doctor().count(said) == 2
    with pytest.raises(SimulatorError, match=f"The simulator twin cannot be used: {said}"):
        get_simulator("twin")


@pytest.mark.slow
def test_our_own_names_stay_ours(place):
    (place / "plug_fine.py").write_text(WHOLE)
    announce(place, "usurper", ngspice="plug_fine:Tool")
    assert type(get_simulator("ngspice")).__module__ == "spicealif.simulators.ngspice.shared"
    assert "usurper 1.2 announces it too, and spicealif's own counts" in doctor()


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        b"[spicealif.simulators]\nno equals sign\n",
        b"[spicealif.simulators]\nx = \xff\xfe\x00\n",
        b"[spicealif.simulators]\n = :\n[\n",
    ],
)
def test_an_announcement_that_cannot_be_read(content, place):
    announce(place, "garbled")
    (place / "garbled-1.2.dist-info" / "entry_points.txt").write_bytes(content)
    assert {"ngspice", "ngspice-batch", "ltspice"} <= set(simulator_names())
    get_simulator("ngspice-batch")
    assert "garbled 1.2" in doctor()


@pytest.mark.slow
def test_packages_of_others_are_no_matter(place):
    (place / "nothing-1.dist-info").mkdir()
    (place / "foreign-1.dist-info").mkdir()
    (place / "foreign-1.dist-info" / "METADATA").write_text("Name: foreign\nVersion: 1\n")
    (place / "foreign-1.dist-info" / "entry_points.txt").write_text("[console_scripts]\nbad\n")
    assert "foreign" not in doctor()


def test_a_broken_plug_in_leaves_the_commands_alone(place):
    (place / "plug_exit.py").write_text("raise SystemExit(7)")
    announce(place, "leaver", leaver="plug_exit:Tool")
    start = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from spicealif.cli import main; main()"
    )
    command = [sys.executable, "-c", start, str(place), "netlist", "paper"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    command[-2:] = ["simulate", "paper", "--simulator", "leaver"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=place)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: The simulator leaver cannot be loaded (SystemExit: 7); install leaver 1.2 again.\n"
    )
    assert not list(place.glob("*.nc"))
