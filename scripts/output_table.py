"""Try every output of every command in every kind of place, and print what happened as a table.

    python scripts/output_table.py [--only netlist,fit] > table.md

Needs to be root (to make devices and mount file systems in a temporary folder) and takes some
minutes. Each cell is what was found, checked in the place itself; one that says WRONG makes the
exit code 1. A column's refusals are those of ``docs/output.md``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

# What the trials import, once for all of them.
import h5netcdf  # noqa: F401
import matplotlib.backends.backend_agg
import matplotlib.figure  # noqa: F401
import scipy.optimize  # noqa: F401
import xarray.backends.h5netcdf_  # noqa: F401

import spicealif.fit.figures
import spicealif.plots
import spicealif.propose
import spicealif.sweep.figures  # noqa: F401
from spicealif.cli.main import run
from spicealif.errors import OutputError

_TIMEOUT = 120
_STARTS = {
    ".nc": b"\x89HDF",
    ".png": b"\x89PNG",
    ".cir": b"* spicealif",
    ".toml": b"",
    ".json": b"{",
    ".txt": b"",
}


@dataclass(frozen=True)
class Writer:
    """One output of one command.

    Attributes
    ----------
    name : str
        As the table shows it.
    words : tuple of str
        The command; ``OUT`` stands for the output's path.
    ending : str
        Of a file; empty for a folder.
    inside : str
        A file that a folder gets.
    """

    name: str
    words: tuple[str, ...]
    ending: str
    inside: str = ""


_SHORT = ("-q", "-s", "t_stop=0.5m")
_FIT = ("fit", "loop.csv", "--series-resistor", "5k", "-q")
WRITERS = [
    Writer("netlist -o", ("netlist", "paper", "-o", "OUT"), ".cir"),
    Writer("simulate -o", ("simulate", "paper", *_SHORT, "-o", "OUT"), ".nc"),
    Writer("reference -o", ("reference", "paper", *_SHORT, "-o", "OUT"), ".nc"),
    Writer("compare --figure", ("compare", "a.nc", "b.nc", "--figure", "OUT"), ".png"),
    Writer("fit -o", (*_FIT, "-o", "OUT"), ".toml"),
    Writer("fit --result", (*_FIT, "--result", "OUT"), ".json"),
    Writer(
        "propose -o",
        ("propose", "w_sdc_5k_1khz_m2", "--rate", "5k", "--adaptation", "2", "-q", "-o", "OUT"),
        ".toml",
    ),
    Writer("sweep -o", ("sweep", "lif", *_SHORT, "--over", "c=47n,100n", "-o", "OUT"), ".nc"),
    Writer(
        "sweep --figure",
        ("sweep", "lif", *_SHORT, "--over", "c=47n,100n", "-o", "s2.nc", "--figure", "OUT"),
        ".png",
    ),
    Writer("schematic -o", ("schematic", "lif", "-q", "-o", "OUT"), ".png"),
    Writer("plot -o", ("plot", "s.nc", "-o", "OUT"), ".png"),
    Writer("report -o", ("report", "a.nc", "-q", "-o", "OUT"), ".html"),
    Writer("presets >", ("presets", "paper"), ".toml"),
    Writer("run -o", ("run", "paper", *_SHORT, "--no-figures", "-o", "OUT"), "", "circuit.nc"),
    Writer(
        "explain -o",
        ("explain", "paper", *_SHORT, "--orders", "2", "-o", "OUT"),
        "",
        "budget.json",
    ),
    Writer("fit --figures", (*_FIT, "--figures", "OUT"), "", "loops.png"),
    Writer("Waveforms.save", ("PY", "waveforms.save(OUT)"), ".nc"),
    Writer("save_figure", ("PY", "save_figure(figure, OUT)"), ".png"),
    Writer("save_toml", ("PY", "save_toml(neuron, OUT)"), ".toml"),
    Writer("Cosimulation.save", ("PY", "cosimulate(neuron).save(OUT)"), "", "circuit.nc"),
]

_PYTHON = """
from spicealif import *
from spicealif.plots import reference_figure, save_figure
neuron = load_preset("paper").replace(t_stop=5e-4)
waveforms = load_waveforms("a.nc")
figure = reference_figure(waveforms, neuron)
"""


@dataclass
class Trial:
    """A writer, its folder, and how it is run."""

    writer: Writer
    folder: Path
    extra: tuple[str, ...] = ()
    nobody: bool = False

    def run(self, output: str) -> tuple[int, str, bytes]:
        """Return exit code, what was said on standard error, what on standard output.

        In a process that is forked from this one, where everything is imported already.
        """
        words = [output if word == "OUT" else word for word in self.writer.words]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if not child:
                self._be_child(words, output, out.fileno(), err.fileno())
            deadline = time.monotonic() + _TIMEOUT
            while not (ended := os.waitpid(child, os.WNOHANG))[0]:
                if time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    return 255, "it did not end", b""
                time.sleep(0.01)
            out.seek(0)
            err.seek(0)
            code = os.waitstatus_to_exitcode(ended[1])
            return code, err.read().decode(errors="replace"), out.read()

    def _be_child(self, words: list[str], output: str, out: int, err: int) -> NoReturn:
        code = 254
        try:
            os.chdir(self.folder)
            scope: dict[str, object] = {"OUT": Path(output)}
            if words[0] == "PY":
                exec(_PYTHON, scope)  # while its modules may be read
            if self.nobody:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            if self.writer.name.endswith(">"):
                try:
                    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
                except OSError as error:  # as a shell would say
                    os.write(err, f"Error: {error}\n".encode())
                    os._exit(2)
            for number, to in enumerate((os.open(os.devnull, os.O_RDONLY), out, err)):
                os.dup2(to, number)
            sys.stdout = os.fdopen(1, "w", closefd=False)
            sys.stderr = os.fdopen(2, "w", closefd=False)
            if words[0] == "PY":
                try:
                    exec(words[1], scope)
                    code = 0
                except OutputError as error:
                    print(f"Error: {error}", file=sys.stderr)
                    code = 1
            else:
                code = run([*words, *self.extra])
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def refused(self, output: str, words: str = "") -> str:
        """Run what must be refused in one sentence."""
        code, said, _ = self.run(output)
        last = said.strip().splitlines()[-1:] or [""]
        good = code in (1, 2) and "Traceback" not in said and words in last[0]
        return "refused" if good else f"WRONG (exit {code}: {last[0]})"

    def written(self, output: str, into: Path | None = None) -> str:
        """Run what must work; look at what is there afterwards."""
        code, said, _ = self.run(output)
        if code or "Traceback" in said:
            return f"WRONG (exit {code}: {said.strip()[-200:]})"
        path = into or self.folder / output
        if self.writer.inside:
            path = path / self.writer.inside
        return self.judge(path.read_bytes(), path.suffix) or "written"

    def judge(self, content: bytes, ending: str = "") -> str:
        """Return what is wrong with a content; nothing if all is well."""
        ending = ending.lower()
        start = _STARTS.get(ending if ending in _STARTS else self.writer.ending or ".nc", b"")
        ok = len(content) > 100 and content.startswith(start)
        return "" if ok else f"WRONG ({len(content)} bytes)"


# --- the places -----------------------------------------------------------------------------------


def _new(trial: Trial) -> str:
    return trial.written("new" + trial.writer.ending)


def _device(trial: Trial) -> str:
    node = trial.folder / "null"
    os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    found = trial.refused("null") if trial.writer.inside else _code(trial, "null", 0)
    return found if _is(node, stat.S_ISCHR) else "WRONG (replaced)"


def _full_device(trial: Trial) -> str:
    node = trial.folder / "full"
    os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    found = trial.refused("full")
    return found if _is(node, stat.S_ISCHR) else "WRONG (replaced)"


def _fifo(trial: Trial) -> str:
    pipe = trial.folder / "pipe"
    os.mkfifo(pipe)
    if trial.writer.inside:
        return trial.refused("pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    found = _code(trial, "pipe", 0)
    reader.join(10)
    if not _is(pipe, stat.S_ISFIFO):
        return "WRONG (replaced)"
    return trial.judge(b"".join(got)) or found


def _socket(trial: Trial) -> str:
    name = trial.folder / "sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(name))
        listener.listen()
        if trial.writer.inside or trial.writer.name.endswith(">"):
            return trial.refused("sock")
        got: list[bytes] = []

        def serve() -> None:
            channel, _ = listener.accept()
            with channel:
                while some := channel.recv(1 << 16):
                    got.append(some)

        reader = threading.Thread(target=serve, daemon=True)
        reader.start()
        found = _code(trial, "sock", 0)
        reader.join(10)
    return trial.judge(b"".join(got)) or found if _is(name, stat.S_ISSOCK) else "WRONG (replaced)"


def _link(trial: Trial) -> str:
    target = trial.folder / ("real" + trial.writer.ending)
    target.mkdir() if trial.writer.inside else target.touch(0o640)
    link = trial.folder / ("link" + trial.writer.ending)
    link.symlink_to(target.name)
    found = trial.written(link.name, target)
    if not link.is_symlink():
        return "WRONG (link replaced)"
    mode = stat.S_IMODE(target.stat().st_mode)
    return found if trial.writer.inside or mode == 0o640 else f"WRONG (mode {mode:o})"


def _dangling(trial: Trial) -> str:
    target = trial.folder / ("not-yet" + trial.writer.ending)
    link = trial.folder / ("dangling" + trial.writer.ending)
    link.symlink_to(target.name)
    found = trial.written(link.name, target)
    return found if link.is_symlink() else "WRONG (link replaced)"


def _loop(trial: Trial) -> str:
    name = "loop" + trial.writer.ending
    (trial.folder / name).symlink_to(name)
    return trial.refused(name)


def _other_kind_of_place(trial: Trial) -> str:
    """Try a folder where a file is to go, a file where a folder is."""
    name = "other" + trial.writer.ending
    place = trial.folder / name
    place.write_text("mine") if trial.writer.inside else place.mkdir()
    found = trial.refused(name)
    kept = place.read_text() == "mine" if trial.writer.inside else not any(place.iterdir())
    return found if kept else "WRONG (changed)"


def _full(trial: Trial) -> str:
    return _on_full_disk(trial, 0)


def _nearly_full(trial: Trial) -> str:
    """Leave room for a beginning only."""
    return _on_full_disk(trial, 8192)


def _on_full_disk(trial: Trial, room: int) -> str:
    with _mounted(trial.folder / "disk", "size=64k") as disk:
        target = disk / ("x" + trial.writer.ending)
        if not trial.writer.inside:
            target.touch()  # empty, so that nothing is lost
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        # Any output that is smaller than this room would rightly be written.
        with (disk / "filler").open("wb") as filler, contextlib.suppress(OSError):
            filler.write(bytes(max(free - room, 0)))
        code, said, _ = trial.run(str(target))
        left = [p.name for p in disk.rglob("*") if p.name.startswith(".spicealif")]
        whole = code == 0 and not trial.judge(_content(trial, target))
        refused = code == 1 and "Error: " in said and "Traceback" not in said
        if left or not (refused or whole):
            return f"WRONG (exit {code}, {left}: {said.strip()[-200:]})"
        if refused and not trial.writer.inside and target.read_bytes():
            # What a shell has opened itself cannot be kept from being cut.
            return "refused" if trial.writer.name.endswith(">") else "WRONG (a part was left)"
        return "fits" if whole else "refused"


def _read_only(trial: Trial) -> str:
    with _mounted(trial.folder / "disk", "ro,size=64k") as disk:
        return trial.refused(str(disk / ("x" + trial.writer.ending)))


def _no_right(trial: Trial) -> str:
    """Try a folder of root's, as a user without rights."""
    trial.nobody = True
    folder = trial.folder / "private"
    folder.mkdir(0o755)
    found = trial.refused(str(folder / ("x" + trial.writer.ending)))
    return found if not any(folder.iterdir()) else "WRONG (written)"


def _longest(trial: Trial) -> str:
    return trial.written("n" * (255 - len(trial.writer.ending)) + trial.writer.ending)


def _too_long(trial: Trial) -> str:
    return trial.refused("n" * (256 - len(trial.writer.ending)) + trial.writer.ending)


def _protected(trial: Trial) -> str:
    name = "protected" + trial.writer.ending
    if trial.writer.inside or trial.writer.name.endswith(">"):
        return "-"
    (trial.folder / name).touch(0o444)
    return trial.refused(name)


def _foreign(trial: Trial) -> str:
    """Try to replace what somebody else made, without and with --force."""
    if trial.writer.words[0] in ("PY", "presets"):
        return "-"
    name = "foreign" + trial.writer.ending
    target = trial.folder / name
    if trial.writer.inside:
        target.mkdir()
        target = target / trial.writer.inside
    target.write_text("mine")
    found = trial.refused(name)
    if target.read_text() != "mine":
        return "WRONG (replaced)"
    trial.extra = ("--force",)
    return found + ", " + trial.written(name)


def _own(trial: Trial) -> str:
    """Replace an earlier result of the same command."""
    name = "again" + trial.writer.ending
    first = trial.written(name)
    return first if "WRONG" in first else trial.written(name)


def _minus(trial: Trial) -> str:
    if trial.writer.words[0] in ("PY", "presets"):
        return "-"
    if trial.writer.inside:
        return trial.refused("-")
    code, said, out = trial.run("-")
    if code:
        return f"WRONG (exit {code}: {said.strip()[-200:]})"
    return trial.judge(out) or "written"


def _wrong_ending(trial: Trial) -> str:
    if trial.writer.name.endswith(">"):
        return "-"
    name = "x.csv"
    found = trial.refused(name)
    exists = (trial.folder / name).exists()
    # In Python a folder may have any name.
    if trial.writer.words[0] == "PY" and trial.writer.inside:
        return "-"
    return "WRONG (written)" if exists else found


PLACES: dict[str, Callable[[Trial], str]] = {
    "new file": _new,
    "own earlier result": _own,
    "device": _device,
    "full device": _full_device,
    "FIFO": _fifo,
    "socket": _socket,
    "link": _link,
    "dangling link": _dangling,
    "loop of links": _loop,
    "folder for file": _other_kind_of_place,
    "full disk": _full,
    "8 kB left": _nearly_full,
    "read-only disk": _read_only,
    "no right": _no_right,
    "255 bytes": _longest,
    "256 bytes": _too_long,
    "write-protected": _protected,
    "other content": _foreign,
    "`-`": _minus,
    ".csv": _wrong_ending,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="Parts of writers' names, separated by commas.")
    wanted = parser.parse_args().only
    writers = [w for w in WRITERS if not wanted or any(o in w.name for o in wanted.split(","))]
    wrong = 0
    print("| output | " + " | ".join(PLACES) + " |")
    print("|---" * (len(PLACES) + 1) + "|")
    with tempfile.TemporaryDirectory() as work:
        Path(work).chmod(0o755)
        inputs = Path(work, "inputs")
        inputs.mkdir()
        os.environ["SPICEALIF_CACHE"] = str(Path(work, "cache"))
        _make_inputs(inputs)
        for writer in writers:
            cells = []
            for name, place in PLACES.items():
                folder = Path(work, "trial")
                shutil.copytree(inputs, folder)
                start = time.monotonic()
                cells.append(place(Trial(writer, folder)))
                left = [p for p in folder.rglob(".spicealif*") if not p.is_dir()]
                cells[-1] += f" WRONG (left {left})" if left else ""
                shutil.rmtree(folder)
                took = time.monotonic() - start
                print(f"{writer.name}, {name}: {cells[-1]} ({took:.1f} s)", file=sys.stderr)
            wrong += sum("WRONG" in cell for cell in cells)
            print(f"| {writer.name} | " + " | ".join(cells) + " |", flush=True)
    sys.exit(wrong > 0)


def _make_inputs(folder: Path) -> None:
    """Make a loop, two results and a sweep."""
    import numpy as np
    from scipy.integrate import solve_ivp

    # A device that follows its voltage behind a resistor, by SciPy: no part of ours in it.
    r_s, tau = 5e3, 2e-4

    def parts(t: float, x: float) -> tuple[float, float]:
        g = x / 600 + (1 - x) / 9000
        i = np.sin(2 * np.pi * 1e3 * t) / (r_s + 1 / g)
        return i / g, i

    def slope(t: float, x: np.ndarray) -> list[float]:
        v = parts(t, x[0])[0]
        up = 1 / (1 + np.exp(-(v - 0.25) / 0.0257))
        down = 1 - 1 / (1 + np.exp(-(v + 0.15) / 0.0257))
        return [(up * (1 - x[0]) - down * x[0]) / tau]

    t = np.linspace(0, 3e-3, 241)
    x = solve_ivp(slope, (0, t[-1]), [0.2], t_eval=t, rtol=1e-8, max_step=1e-5).y[0]
    rows = ["t [s],v_mem [V],i [A]"]
    for moment, state in list(zip(t, x, strict=True))[160:]:
        v, i = parts(moment, state)
        rows.append(f"{moment:.6e},{v:.6e},{i:.6e}")
    (folder / "loop.csv").write_text("\n".join(rows) + "\n")
    for words in (
        ("reference", "paper", *_SHORT, "-o", "a.nc"),
        ("reference", "paper", *_SHORT, "--variant", "schmitt", "-o", "b.nc"),
        ("sweep", "lif", *_SHORT, "--over", "c=47n,100n", "-o", "s.nc"),
    ):
        # In this process, so that the compiled kernels are there for all that is forked from it.
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
            assert run(words) == 0


@contextlib.contextmanager
def _mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def _code(trial: Trial, output: str, wanted: int) -> str:
    code, said, _ = trial.run(output)
    if code != wanted or "Traceback" in said:
        return f"WRONG (exit {code}: {said.strip()[-200:]})"
    return "written into"


def _content(trial: Trial, target: Path) -> bytes:
    path = target / trial.writer.inside if trial.writer.inside else target
    return path.read_bytes() if path.is_file() else b""


def _is(path: Path, test: Callable[[int], bool]) -> bool:
    return test(path.lstat().st_mode)


if __name__ == "__main__":
    main()
