"""Where results go, what they may replace, and what is refused before anything is computed.

``scripts/output_table.py`` tries every output of every command in every kind of place; here are the
mechanism in every kind of place, and that every command uses it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from spicealif import Waveforms, load_preset, load_toml, load_waveforms, save_toml
from spicealif._support.files import replacing, write_text
from spicealif.cli.main import cli, run
from spicealif.errors import OutputError

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="devices and mounts need root")
PROGRAM = str(Path(sys.executable).with_name("spicealif"))
HDF5 = b"\x89HDF\r\n\x1a\n"

#: Every option that names a file or folder to write: the command with a place OUT, the ending.
WRITERS = {
    "netlist": (("netlist", "paper", "-o", "OUT"), ".cir"),
    "simulate": (("simulate", "paper", "-o", "OUT"), ".nc"),
    "reference": (("reference", "paper", "-o", "OUT"), ".nc"),
    "compare": (("compare", "a.nc", "a.nc", "--figure", "OUT"), ".png"),
    "fit": (("fit", "loop.csv", "-o", "OUT"), ".toml"),
    "fit --result": (("fit", "loop.csv", "--result", "OUT"), ".json"),
    "propose": (
        ("propose", "w_sdc_5k_1khz_m2", "--rate", "5k", "--adaptation", "2", "-o", "OUT"), ".toml"
    ),
    "sweep": (("sweep", "lif", "--over", "c=1n,2n", "-o", "OUT"), ".nc"),
    "sweep --figure": (
        ("sweep", "lif", "--over", "c=1n,2n", "-o", "s.nc", "--figure", "OUT"), ".png"
    ),
    "report": (("report", "results", "-o", "OUT"), ".html"),
    "run": (("run", "paper", "-o", "OUT"), ""),
    "explain": (("explain", "paper", "-o", "OUT"), ""),
    "fit --figures": (("fit", "loop.csv", "--figures", "OUT"), ""),
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def some() -> Waveforms:
    time = np.linspace(0, 1, 2000)
    return Waveforms(time, {"v_c": time, "x": time}, np.array([0.5]), {"side": "reference"})


@pytest.fixture
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def computed(*_: object, **__: object) -> None:
        raise AssertionError("computed before the output was checked")

    # What is imported for the first time below would keep the replaced function for good.
    for module in ("schematic", "simulators.accurate", "report.write", "bank"):
        importlib.import_module(f"spicealif.{module}")
    for module, path in (
        ("cosim", "simulate"), ("cosim", "cosimulate"), ("analysis.attribution", "explain"),
        ("reference", "solve_reference"), ("results", "load_result"), ("fit", "read_loop"),
        ("propose", "propose_neuron"), ("netlist", "build_netlist"),
        ("sweep.experiment", "Experiment.run"), ("report", "write_report"),
    ):  # fmt: skip
        owner = importlib.import_module(f"spicealif.{module}")
        *outer, name = path.split(".")
        for part in outer:
            owner = getattr(owner, part)
        monkeypatch.setattr(owner, name, computed)


def call(name: str, output: str, *more: str) -> int:
    return run([output if word == "OUT" else word for word in WRITERS[name][0]] + list(more))


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one sentence that was said."""
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    (line,) = err.splitlines()
    assert line.startswith("Error: ")
    return line


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if not path.is_dir()]


# --- kinds of places ------------------------------------------------------------------------------


@as_root
@pytest.mark.parametrize("save", ["text", "netcdf"])
def test_a_device_stays_a_device(here, some, save):
    os.mknod(here / "null.nc", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(here / "full.nc", 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    write: Callable[[Path], object] = (
        some.save if save == "netcdf" else lambda path: write_text(path, "some")
    )
    write(here / "null.nc")
    with pytest.raises(OutputError, match="No space left on device"):
        write(here / "full.nc")
    for name in ("null.nc", "full.nc"):
        assert stat.S_ISCHR((here / name).lstat().st_mode)
    assert not left_over(here)


def test_a_disk_is_refused_without_opening_it(here):
    if not ROOT:
        pytest.skip("a block device needs root")
    # Of a number that no driver has: were it opened, the error would be another one.
    os.mknod(here / "disk.nc", 0o666 | stat.S_IFBLK, os.makedev(239, 200))
    with pytest.raises(OutputError, match="it is a disk"):
        write_text(here / "disk.nc", "some")
    assert stat.S_ISBLK((here / "disk.nc").lstat().st_mode)


def test_into_a_pipe_goes_the_whole(here, some):
    os.mkfifo(here / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((here / "pipe").read_bytes()))
    reader.start()
    some.save("pipe")
    reader.join(10)
    assert stat.S_ISFIFO((here / "pipe").lstat().st_mode)
    (here / "got.nc").write_bytes(got[0])
    assert load_waveforms("got.nc").signals["x"] == pytest.approx(some["x"])


def test_a_pipe_whose_reader_leaves_is_one_sentence(here, some):
    os.mkfifo(here / "pipe")
    # Big enough not to fit into what the system holds for the reader.
    time = np.linspace(0, 1, 50_000)
    big = Waveforms(time, {"x": time}, np.empty(0))

    def leave() -> None:
        with (here / "pipe").open("rb") as file:
            file.read(10)

    reader = threading.Thread(target=leave)
    reader.start()
    with pytest.raises(OutputError, match="its reader went away"):
        big.save("pipe")
    reader.join(10)


def test_into_a_socket(here, some):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock")
        with pytest.raises(OutputError, match=r"nobody listens.*start what is to read it"):
            some.save("sock")
        listener.listen()
        got: list[bytes] = []

        def serve() -> None:
            channel, _ = listener.accept()
            with channel:
                while part := channel.recv(1 << 16):
                    got.append(part)

        reader = threading.Thread(target=serve)
        reader.start()
        some.save("sock")
        reader.join(10)
    assert b"".join(got).startswith(HDF5)
    assert stat.S_ISSOCK((here / "sock").lstat().st_mode)


def test_links_are_followed(here, some):
    (here / "store").mkdir()
    (here / "store" / "real.nc").write_bytes(b"")
    (here / "one.nc").symlink_to("two.nc")
    (here / "two.nc").symlink_to("store/real.nc")
    (here / "new.nc").symlink_to("store/new.nc")
    for name, target in (("one.nc", "real.nc"), ("new.nc", "new.nc")):
        some.save(name)
        assert (here / name).is_symlink()
        assert load_waveforms(here / "store" / target).t_spike == pytest.approx([0.5])
    (here / "loop.nc").symlink_to("pool.nc")
    (here / "pool.nc").symlink_to("loop.nc")
    with pytest.raises(OutputError, match="leads back to itself; mend the link"):
        some.save("loop.nc")


def test_other_names_of_a_file_keep_what_they_had(here):
    (here / "a.toml").write_text("mine")
    (here / "b.toml").hardlink_to(here / "a.toml")
    save_toml(load_preset("lif"), "a.toml")
    assert (here / "b.toml").read_text() == "mine"
    assert load_toml("a.toml").name == "lif"


def test_mode_owner_and_attributes_stay(here):
    path = here / "n.toml"
    path.write_text("")
    path.chmod(0o640)
    if ROOT:
        os.chown(path, 65534, 65534)
    attributes = True
    try:
        os.setxattr(path, "user.note", b"mine")
    except OSError:
        attributes = False  # this file system has none
    before = path.stat()
    save_toml(load_preset("lif"), path)
    after = path.stat()
    assert after.st_ino != before.st_ino
    for what in ("st_mode", "st_uid", "st_gid"):
        assert getattr(after, what) == getattr(before, what)
    assert not attributes or os.getxattr(path, "user.note") == b"mine"


def test_a_write_protected_file_stays(here):
    path = here / "n.toml"
    path.write_text("mine")
    path.chmod(0o444)
    with pytest.raises(OutputError, match="write-protected"):
        save_toml(load_preset("lif"), path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("length", [255, 256])
def test_names_as_long_as_the_file_system_takes(here, length):
    name = "n" * (length - 5) + ".toml"
    if length > 255:
        with pytest.raises(OutputError, match="choose a shorter name"):
            save_toml(load_preset("lif"), name)
        assert not list(here.iterdir())
    else:
        assert load_toml(save_toml(load_preset("lif"), name)).name == "lif"


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@as_root
def test_a_disk_that_fills_up_anywhere_leaves_the_earlier_file(here):
    """In a process of its own: HDF5 used to take it down when it ended."""
    script = """
import sys
import numpy as np
from spicealif import Waveforms
from spicealif.errors import OutputError
said = []
for count in (300, 3000, 6000, 7300, 7500, 7690, 8000, 20_000):
    for note in (10, 3000, 50_000):
        time = np.linspace(0, 1, count)
        try:
            Waveforms(time, {"x": time}, time[:3], {"note": "n" * note}).save(sys.argv[1])
            said.append("whole")
        except OutputError as error:
            assert "No space left on device" in str(error)
            said.append("refused")
print(*said)
"""
    with mounted(here / "disk", "size=120k") as disk:
        target = disk / "w.nc"
        done = subprocess.run(
            [sys.executable, "-c", script, str(target)], capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert set(done.stdout.split()) == {"whole", "refused"}
        assert [path.name for path in disk.iterdir()] == ["w.nc"]
        with h5py.File(target) as file:  # the last that fitted
            assert len(file["x"]) in (300, 3000, 6000)


@as_root
def test_full_and_read_only_disks_are_found_before_computing(here, nothing_is_computed, capsys):
    with mounted(here / "full", "size=16k") as full:
        with contextlib.suppress(OSError):
            (full / "filler").write_bytes(bytes(1 << 20))
        subprocess.run(["mount", "-o", "remount,rw", str(full)], check=True)
        for name, (_, ending) in WRITERS.items():
            assert call(name, f"full/x{ending}") == 1, name
            assert "(No space left on device); free some space" in sentence(capsys), name
        subprocess.run(["mount", "-o", "remount,ro", str(full)], check=True)
        for name, (_, ending) in WRITERS.items():
            assert call(name, f"full/x{ending}") == 1, name
            assert "(Read-only file system); choose another place" in sentence(capsys), name
        assert [path.name for path in full.iterdir()] == ["filler"]


# --- before computing -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, (_, ending) in WRITERS.items() if ending])
def test_every_file_is_checked_before_computing(here, nothing_is_computed, capsys, name):
    ending = WRITERS[name][1]
    (here / "folder").mkdir()
    (here / f"loop{ending}").symlink_to(f"loop{ending}")
    (here / "file").write_text("mine")
    (here / f"other{ending}").write_text("mine, and by hand")
    for output, said in {
        "out.xlsx": "whose ending says something else; use",
        "out.asc": "whose ending says something else; use",
        f"out{ending}.gz": "whose ending says something else; use",
        "folder": "it is a folder",
        f"loop{ending}": "leads back to itself",
        f"file/x{ending}": "a part of its path is a file and no folder",
        "n" * 250 + ".extremely" + ending: "choose a shorter name",
        f"zero\0byte{ending}": "cannot be written",
        f"other{ending}": "as spicealif writes it; give the result another name, or add --force",
    }.items():
        assert call(name, output) == 1, output
        assert said in sentence(capsys), output
    assert (here / f"other{ending}").read_text() == "mine, and by hand"
    with pytest.raises(AssertionError, match="computed before"):  # a good place is let pass
        words = [f"good{ending.upper()}" if w == "OUT" else w for w in WRITERS[name][0]]
        cli.main(words, standalone_mode=False)
    assert not (here / f"good{ending.upper()}").exists()


@pytest.mark.parametrize("name", ["run", "explain", "fit --figures"])
def test_every_folder_is_checked_before_computing(here, nothing_is_computed, capsys, name):
    inside = {"run": "neuron.toml", "explain": "budget.json", "fit --figures": "loops.png"}[name]
    (here / "file").write_text("mine")
    (here / "mine").mkdir()
    (here / "mine" / inside).write_text('name = "by hand" # mine\n')
    os.mkfifo(here / "pipe")
    for output, said in {
        "file": "give the name of a folder",
        "pipe": "give the name of a folder",
        "-": "do not go to standard output",
        "results.nc": "reads like the name of one file",
        "results.PNG": "reads like the name of one file",
        "mine": f"'mine/{inside}' exists and is not ",
    }.items():
        assert call(name, output) == 1, output
        assert said in sentence(capsys), output
    assert {p.name for p in here.iterdir()} == {"file", "mine", "pipe"}
    assert (here / "mine" / inside).read_text().endswith("# mine\n")


def test_inputs_are_not_replaced_even_by_force(here, nothing_is_computed, capsys):
    save_toml(load_preset("lif"), "neuron.toml")
    before = (here / "neuron.toml").read_bytes()
    (here / "link.toml").symlink_to("neuron.toml")
    (here / "link.html").symlink_to("neuron.toml")
    for words in (
        ("run", "neuron.toml", "-o", "."),
        ("run", "link.toml", "-o", "."),
        ("propose", "neuron.toml", "--rate", "5k", "--adaptation", "2", "-o", "link.toml"),
        ("fit", "neuron.toml", "-o", "neuron.toml"),
        ("netlist", "lif", "-s", "leak.file=neuron.net", "-o", "neuron.net"),
        ("report", "neuron.toml", "-o", "link.html"),
    ):
        if words[-1] == "neuron.net":
            (here / "neuron.net").write_text("mine")
        assert run([*words, "--force"]) == 1
        assert "is read by this command" in sentence(capsys)
    assert (here / "neuron.toml").read_bytes() == before


def test_one_place_takes_one_result(here, nothing_is_computed, capsys):
    assert run(["fit", "loop.csv", "-o", "-", "--result", "-"]) == 1
    assert "the same place" in sentence(capsys)
    assert run(["compare", "a.nc", "b.nc", "--json", "--figure", "/dev/stdout"]) == 1
    assert "give the file a name" in sentence(capsys)


# --- what may be replaced -------------------------------------------------------------------------


def test_own_results_are_replaced_silently_and_others_by_force(here, capsys):
    words = ["netlist", "lif", "-o", "n.cir"]
    for _ in range(2):
        assert run(words) == 0
    (here / "n.cir").write_text("* my own circuit\nR1 a 0 1k\n.end\n")
    assert run(words) == 1
    assert run([*words, "--force"]) == 0
    assert (here / "n.cir").read_text().startswith("* spicealif")
    # An empty file, as mktemp makes it, holds nothing to lose.
    (here / "empty.cir").touch()
    assert run(["netlist", "lif", "-o", "empty.cir"]) == 0


def test_a_neuron_that_was_edited_is_not_an_earlier_result(here):
    from spicealif._support.kinds import DEVICE, NEURON

    path = save_toml(load_preset("paper"), "n.toml")
    assert NEURON.is_one(path, ".toml")
    assert not DEVICE.is_one(path, ".toml")
    text = path.read_text()
    path.write_text(text.replace("c = 1e-07", "c = 2e-07"))
    assert load_toml(path).c == 2e-7
    assert not NEURON.is_one(path, ".toml")
    # As earlier versions wrote it, and as people do.
    path.write_text(text.partition("\n")[2])
    assert NEURON.is_one(path, ".toml")
    path.write_text(text.partition("\n")[2] + "# mine\n")
    assert not NEURON.is_one(path, ".toml")


def test_a_sweep_is_no_file_of_waveforms(here, some, capsys):
    from spicealif._support.kinds import SWEEP, WAVEFORMS

    assert run(["sweep", "lif", "-s", "t_stop=0.2m", "--sides", "reference", "--over",
                "c=47n,100n", "-o", "s.nc", "-q"]) == 0  # fmt: skip
    some.save("w.nc")
    with h5py.File("foreign.nc", "w") as file:
        file["data"] = np.arange(5)
    judged = {n: (WAVEFORMS.is_one(Path(n), ".nc"), SWEEP.is_one(Path(n), ".nc"))
              for n in ("w.nc", "s.nc", "foreign.nc")}  # fmt: skip
    assert judged == {
        "w.nc": (True, False), "s.nc": (False, True), "foreign.nc": (False, False)
    }  # fmt: skip
    capsys.readouterr()
    assert run(["reference", "lif", "-s", "t_stop=0.2m", "-o", "s.nc"]) == 1
    assert "'s.nc' exists and is not a file of waveforms" in sentence(capsys)


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_a_terminal_is_asked(here, answer, code):
    pty = pytest.importorskip("pty")
    (here / "n.cir").write_text("mine")
    child, terminal = pty.fork()
    if not child:
        os.execv(PROGRAM, [PROGRAM, "netlist", "lif", "-o", "n.cir"])
    os.write(terminal, answer.encode())
    said = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(terminal, 1000):
            said += part
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code
    assert b"Replace it? [y/N]" in said
    assert ((here / "n.cir").read_text() == "mine") == bool(code)


# --- Python ---------------------------------------------------------------------------------------


def test_python_refuses_other_endings_too(here, some):
    for save in (some.save, lambda path: save_toml(load_preset("lif"), path)):
        with pytest.raises(OutputError, match="ending says something else"):
            save("out.xlsx")
    with pytest.raises(OutputError, match=r"needs a name with an ending; use \.nc, \.csv or"):
        some.save("out")
    assert load_waveforms(some.save("OUT.NC")).t_spike == pytest.approx([0.5])
    assert [path.name for path in here.iterdir()] == ["OUT.NC"]


@pytest.mark.parametrize("name", [r"cost $\frac{ of.png", "a $5 and $6.svg", "100 %$^{.pdf"])
def test_dollars_in_names_are_no_mathematics(here, name):
    from spicealif._support.figures import figure_style, new_figure, readable, save_figure

    figure = new_figure(51, 25)
    with figure_style():
        figure.suptitle(readable(name))
    assert save_figure(figure, name).stat().st_size > 300  # an empty PNG of 2 x 1 inches


def test_an_interrupted_write_leaves_what_was_there(here):
    write_text(here / "a.txt", "before")
    with pytest.raises(KeyboardInterrupt), replacing(here / "a.txt") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert (here / "a.txt").read_text() == "before"
    assert [path.name for path in here.iterdir()] == ["a.txt"]


# --- formats of pictures --------------------------------------------------------------------------

#: Every command that draws, with a place for its picture.
DRAWING = {
    "run": ("run", "paper", "-o", "out"),
    "explain": ("explain", "paper", "-o", "out"),
    "fit": ("fit", "loop.csv", "--figures", "out"),
    "compare": ("compare", "a.nc", "b.nc", "--figure", "out.png"),
    "sweep": ("sweep", "lif", "--over", "c=1n,2n", "-o", "s.nc", "--figure", "out.png"),
    "plot": ("plot", "s.nc", "-o", "out.png"),
    "schematic": ("schematic", "paper", "-o", "out.png"),
}


@pytest.mark.parametrize("name", DRAWING)
def test_an_unknown_format_is_refused_with_the_list(here, nothing_is_computed, capsys, name):
    assert run([*DRAWING[name], "--format", "gif"]) == 2
    assert "as 'gif'; choose one of png, svg, pdf." in capsys.readouterr().err
    assert not list(here.iterdir())


@pytest.mark.parametrize("name", ["compare", "sweep", "plot", "schematic"])
def test_a_name_of_another_format_is_refused(here, nothing_is_computed, capsys, name):
    words = list(DRAWING[name])
    assert run([*words, "--format", "svg"]) == 1
    assert "'out.png' is the name of another format than svg" in sentence(capsys)
    words[-1] = "out.gif"
    assert run(words) == 1
    assert "use" in (told := sentence(capsys))
    assert all(ending in told for ending in (".png", ".svg", ".pdf"))
    assert not list(here.iterdir())


@pytest.mark.parametrize("option", [("--format", "pdf"), ("--title",)])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run", "paper", "--no-figures"), 1),
        (("compare", "a.nc", "b.nc"), 1),
        (("sweep", "lif", "--over", "c=1n,2n"), 1),
        (("fit", "loop.csv"), 2),
    ],
)
def test_the_look_of_figures_that_are_not_drawn_is_refused(
    here, nothing_is_computed, capsys, words, option, code
):
    assert run([*words, *option]) == code
    assert f"{option[0]} is for" in capsys.readouterr().err
    assert not list(here.iterdir())


@pytest.mark.parametrize("format", ["svg", "pdf"])
def test_the_format_decides_what_no_name_says(here, format):
    assert run(["schematic", "lif", "-q", "--format", format, "--title"]) == 0
    (drawn,) = here.iterdir()
    assert drawn.name == f"lif.{format}"
    os.mkfifo(here / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((here / "pipe").read_bytes()))
    reader.start()
    assert run(["schematic", "lif", "-q", "--format", format, "--title", "-o", "pipe"]) == 0
    reader.join(10)
    assert got == [drawn.read_bytes()]


# --- standard output ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "link"])
def test_standard_output(here, name):
    """Also where it is a file that has something in it already, and what is said goes beside."""
    (here / "link").symlink_to("/dev/stdout")
    with (here / "got").open("wb") as file:
        file.write(b"before\n")
        file.flush()
        done = subprocess.run(
            [PROGRAM, "netlist", "lif", "-o", name], stdout=file,
            stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0
    first, second, *_, last = (here / "got").read_text().splitlines()
    assert (first, last) == ("before", ".end")
    assert second.startswith("* spicealif")
    assert done.stderr.startswith(b"Wrote ")
    assert (here / "link").is_symlink()


def test_a_file_may_be_called_minus(here):
    assert run(["netlist", "lif", "-o", "./-"]) == 0
    assert (here / "-").read_text().endswith(".end\n")
