"""Crafted netCDF files through everything that reads results: what is opened, taken and printed.

A good file of each kind (both sides of a run, a sweep) is changed in each of the ways that
``_crafted_kinds.py`` lists, and every command and function that reads such a file is given it, in a
process of its own: once with a pipe, under ``strace``, and once in a pseudo-terminal. For each:

- no file is opened that the good file's run does not open as well (Python's own modules apart), not
  even in vain; no program is started, no connection made;
- no more memory is taken than by the good file's run and ten times the file's size, or `FLOOR` if
  that is more;
- nothing is printed that a terminal obeys, in either way of running;
- it ends within `PATIENCE` with a documented exit code, without a traceback or a word behind it.

Usage: python scripts/crafted_netcdf.py [--only TEXT] [--command NAME] [--skip N] [--workers N]
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from _crafted_kinds import ESCAPES, KINDS

from spicealif._support.digest import CONTENT

ROOT = Path(__file__).resolve().parent.parent
#: Memory that is not counted, in bytes: what a file holds may take 8 MB whatever its size (a
#: constant packs well), three times while it is compared; the same command differs by 5 MB from run
#: to run; and other libraries, where a file leads to them, take some 20 MB.
FLOOR, PER_BYTE = 50 << 20, 10
PATIENCE = 60.0
#: Exit codes of ``docs/exit_codes.md`` that a file may lead to.
CODES = (0, 1)
CALLS = "open,openat,openat2,creat,execve,execveat,connect,sendto,bind"
_CALL = re.compile(r'^\d+ +(\w+)\((?:AT_FDCWD, |\d+<?[^,]*, )?"((?:[^"\\]|\\.)*)"')
#: What a program of ours prints on a terminal by itself: colours, and how progress is wiped.
_OWN = re.compile(r"\x1b\[[0-9;]*[mKA]|\x1b\[\?25[hl]")
_TOLD = ("Traceback", "Exception ignored", "not foresee", "SPICEALIF_TRACEBACK")

_PROGRAM = "import sys; sys.argv[0] = 'spicealif'; from spicealif.cli import main; sys.exit(main())"
#: Everything that a Python program does with a file.
_LIBRARY = """
import sys
from spicealif import compare, load_result, load_waveforms
from spicealif.errors import SpicealifError
from spicealif._support.netcdf import NetcdfError, read_netcdf
from spicealif.plots import overlay_figure
def told(make):
    try:
        print(make())
    except (SpicealifError, NetcdfError) as error:
        print(error, file=sys.stderr)
told(lambda: len(read_netcdf(sys.argv[1]).variables))
def whole():
    w = load_waveforms(sys.argv[1])
    print(w, len(w.dataset.variables), len(w._repr_html_()))
    c = compare(w, load_result(sys.argv[2]))
    print(c, len(c._repr_html_()), overlay_figure(c) is not None)
    return len(compare(w, w).to_dict())
told(whole)
"""


@dataclass(frozen=True)
class Command:
    """A way to read a file: arguments with ``{file}``, ``{good}``, ``{picture}``, ``{store}``."""

    name: str
    arguments: tuple[str, ...]
    bases: tuple[str, ...] = ("circuit", "reference", "sweep")
    #: Tried on every so-manieth file.
    every: int = 1
    program: str = _PROGRAM


_RUN = ("circuit", "reference")
COMMANDS = (
    Command("compare FILE GOOD", ("compare", "{file}", "{good}")),
    Command("compare GOOD FILE --json", ("compare", "{good}", "{file}", "--json"), _RUN, 3),
    Command("compare FILE", ("compare", "{file}"), _RUN),
    Command(
        "compare FILE GOOD --figure",
        ("compare", "{file}", "{good}", "--figure", "{picture}", "--force"),
        _RUN,
        every=3,
    ),
    Command("plot FILE", ("plot", "{file}", "-o", "{picture}", "--force"), ("sweep",)),
    Command(
        "plot FILE --at --limit",
        ("plot", "{file}", "--at", "c=47n", "--limit", "isi_mean=1u:1m", "-o", "{picture}"),
        ("sweep",),
    ),
    Command("in Python", ("{file}", "{good}"), program=_LIBRARY),
    Command(
        "reference -o FILE",
        ("reference", "lif", "-s", "t_stop=0.1m", "-q", "-o", "{copy}"),
        every=4,
    ),
    Command("store check", ("store", "check", "--store", "{store}"), _RUN, 4),
    Command("explain FILE", ("explain", "{file}"), every=4),
    Command("fit FILE", ("fit", "{file}"), every=4),
)


@dataclass
class Seen:
    """What one run did."""

    code: int = 0
    memory: int = 0
    seconds: float = 0.0
    printed: str = ""
    opened: frozenset[str] = frozenset()


def run(command: Command, values: dict[str, str], folder: Path, terminal: bool) -> Seen:
    """Run a command on a file, under strace or in a terminal."""
    arguments = [a.format_map(values) for a in command.arguments]
    line = [sys.executable, "-c", command.program, *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SPICEALIF")}
    environment |= {"PYTHONPATH": str(ROOT), "HOME": values["home"], "TERM": "xterm-256color"}
    environment |= {"SPICEALIF_CACHE": values["cache"], "COLUMNS": "100", "MPLBACKEND": "agg"}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1", "LANG": "C.UTF-8"}
    environment["MPLCONFIGDIR"] = values["cache"]
    trace = folder / "trace"
    if not terminal:
        trace.unlink(missing_ok=True)
        strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-s", "4096", "-o", str(trace)]
        line = [*strace, "-e", f"trace={CALLS}", *line]
    mine, theirs = pty.openpty() if terminal else os.pipe()
    begun = time.monotonic()
    process = subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=values["work"],
        env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    printed = bytearray()
    while True:
        if not select.select([mine], [], [], 1.0)[0]:
            if time.monotonic() - begun > PATIENCE:
                os.killpg(process.pid, signal.SIGKILL)
                break
            continue
        try:
            piece = os.read(mine, 1 << 16)
        except OSError:  # how a terminal ends
            break
        if not piece:
            break
        printed += piece
    os.close(mine)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = printed.decode("utf-8", "backslashreplace")
    seen = Seen(process.returncode, used.ru_maxrss << 10, time.monotonic() - begun, text)
    if not terminal and trace.exists():
        seen.opened = frozenset(_calls(trace.read_text("utf-8", "backslashreplace"), values))
    return seen


def _calls(trace: str, values: dict[str, str]) -> set[str]:
    """Return what a trace opened, started or connected to, without what any run may."""
    out = set()
    own = (
        sys.prefix,
        sys.base_prefix,
        str(ROOT / "spicealif"),
        f"{ROOT}/netlists",
        f"{ROOT}/models",
    )
    for text in trace.splitlines():
        found = _CALL.match(text)
        if found is None:
            if re.match(r"^\d+ +(connect|sendto|bind|exec)", text):
                out.add(text[:200])
            continue
        call, path = found.groups()
        if call.startswith("exec"):
            out.add(f"{call} {path}")
        elif not path.startswith(tuple(f"{p}/" for p in own)) or "/plugin" in path:
            # Temporary names, process numbers and the file itself differ from run to run.
            path = path.replace(values["file"], "FILE").replace(values["work"], "WORK")
            path = re.sub(r"/proc/\d+/", "/proc/N/", path)
            path = re.sub(r"\.spicealif-[0-9a-f]+|tmp[a-z0-9_]{8}|[0-9a-f]{32}", "TEMPORARY", path)
            out.add(path)
    return out


def findings(seen: Seen, good: Seen, size: int, terminal: bool) -> list[str]:
    """Return what is wrong with a run."""
    out = []
    if seen.seconds > PATIENCE:
        return [f"took over {PATIENCE:g} s"]
    if seen.code not in CODES:
        out.append(f"exit code {seen.code}")
    text = _OWN.sub("", seen.printed.replace("\r\n", "\n")) if terminal else seen.printed
    bad = sorted({c for c in text if not c.isprintable() and c not in "\n\t"})
    if bad:
        out.append(f"printed {ascii(''.join(bad))} in {ascii(text[:300])}")
    out += [f"told {word!r}: {ascii(text[-300:])}" for word in _TOLD if word in text]
    if seen.code == 1 and len(text.strip().splitlines()) > 12:
        out.append(f"more than a sentence: {ascii(text[:300])}")
    new = seen.opened - good.opened
    if new and not terminal:
        out.append(f"opened {sorted(new)[:5]}")
    grown = seen.memory - good.memory
    if not terminal and grown > max(PER_BYTE * size, FLOOR):
        out.append(f"took {grown >> 20} MB for a file of {size >> 10} kB")
    return out


def prepare(folder: Path) -> dict[str, Path]:
    """Make the good files, and what no file may lead to; return the good ones by name."""
    from click.testing import CliRunner

    from spicealif.cli.main import cli

    os.environ["SPICEALIF_CACHE"] = str(folder / "cache")
    for sub in ("cache", "home", "work"):
        (folder / sub).mkdir()
    for line in (
        ["run", "paper", "-s", "t_stop=2m", "-q", "-o", str(folder / "run")],
        ["sweep", "paper", "-s", "t_stop=0.3m", "--over", "c=47n,100n", "--over", "leak.tau=1m,2m",
         "--spikes", "--workers", "1", "-q", "-o", str(folder / "sweep.nc"),
         "--store", str(folder / "store")],
    ):  # fmt: skip
        done = CliRunner().invoke(cli, line, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
    for where in (folder, folder / "home", folder / "work"):
        (where / "victim.csv").write_text("time (s),current (A)\n0,0\n1e-3,1e-3\n")
    (folder / "victim.toml").write_text("")
    os.mkfifo(folder / "pipe")
    with h5py.File(folder / "v.h5", "w") as file:
        file["x"] = np.zeros(10_000)
    good = {name: folder / "run" / f"{name}.nc" for name in _RUN} | {"sweep": folder / "sweep.nc"}
    for path in good.values():
        with h5py.File(path, "r+") as opened:
            del opened.attrs[CONTENT]
    return good


def old_store(folder: Path, file: Path) -> Path:
    """Make a store of a former version, which looks into its waveforms, with a file as such."""
    from spicealif.sweep._segments import line_of

    key = "ab" * 32
    for sub in ("segments", "waveforms"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    if not any((folder / "segments").iterdir()):
        value = {"status": "OK", "waveforms": ["reference"]}
        (folder / "segments" / "20260101T000000.000000000-1-0.txt").write_bytes(line_of(key, value))
    place = folder / "waveforms" / f"{key}-reference.nc"
    place.unlink(missing_ok=True)
    os.link(file, place)
    return folder


class Study:
    """The good files, and what their runs did."""

    def __init__(self, folder: Path, commands: list[Command]) -> None:
        self.folder, self.commands = folder, commands
        self.good = prepare(folder)
        self.baseline: dict[tuple[str, str], Seen] = {}
        for base, path in self.good.items():
            for command in self.commands_of(base):
                # The first run compiles, and writes what is kept.
                for _ in range(2):
                    seen = self.look(command, path, folder / "work", False)
                self.baseline[base, command.name] = seen

    def commands_of(self, base: str) -> list[Command]:
        """Return the commands that are tried on a kind of file."""
        return [c for c in self.commands if base in c.bases]

    def look(self, command: Command, file: Path, work: Path, terminal: bool) -> Seen:
        """Run a command on a file."""
        for name in ("picture.png", "copy.nc"):
            (work / name).unlink(missing_ok=True)
        os.link(file, work / "copy.nc")
        values = {
            "file": str(file), "good": str(self.good["circuit"]), "work": str(work),
            "picture": str(work / "picture.png"), "copy": str(work / "copy.nc"),
            "home": str(self.folder / "home"), "cache": str(self.folder / "cache"),
            "store": str(old_store(work / "store", file)) if "{store}" in command.arguments else "",
        }  # fmt: skip
        return run(command, values, work, terminal)

    def try_kind(self, k: int) -> tuple[int, list[str]]:
        """Craft a file and give it to all commands; return how many runs, and what was found."""
        name = list(KINDS)[k]
        base = KINDS[name][0]
        work = self.folder / f"work-{k}"
        work.mkdir()
        (work / "victim.csv").write_text("0,0\n1e-3,1e-3\n")
        file = work / "crafted.nc"
        shutil.copy(self.good[base], file)
        done = subprocess.run(
            [sys.executable, __file__, "--craft", name, str(file), str(self.folder)], check=False
        )
        if done.returncode:
            return 0, [f"{name}: could not be crafted"]
        size, out, runs = file.stat().st_size, [], 0
        for command in self.commands_of(base):
            if k % command.every:
                continue
            for terminal in (False, True) if _is_text(name) else (False,):
                good = self.baseline[base, command.name]
                seen = self.look(command, file, work, terminal)
                runs += 1
                out += [
                    f"{name} | {command.name}{' (terminal)' if terminal else ''} | {what}"
                    for what in findings(seen, good, size, terminal)
                ]
        shutil.rmtree(work)
        return runs, out


def _is_text(name: str) -> bool:
    return any(word in name for word in (*ESCAPES, "escapes", "text", "name", "formula", "path"))


def main() -> int:
    """Craft everything, and print what was found; return 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="kinds whose name has this in it")
    parser.add_argument(
        "--command", action="append", help="only this one, by name; may be repeated"
    )
    parser.add_argument("--skip", type=int, default=0, help="leave out so many kinds")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--craft", nargs=3, metavar=("KIND", "FILE", "FOLDER"))
    options = parser.parse_args()
    if options.craft:
        name, file, folder = options.craft
        KINDS[name][1](Path(file), Path(folder))
        return 0
    commands = [c for c in COMMANDS if not options.command or c.name in options.command]
    chosen = [k for k, name in enumerate(KINDS) if options.only in name and k >= options.skip]
    begun, runs, found = time.monotonic(), 0, []
    with tempfile.TemporaryDirectory(prefix="crafted-") as folder:
        study = Study(Path(folder), commands)
        with ThreadPoolExecutor(options.workers) as pool:
            for n, lines in pool.map(study.try_kind, chosen):
                runs += n
                found += lines
                if lines:
                    print(*lines, sep="\n", flush=True)
    took = time.monotonic() - begun
    print(f"{len(chosen)} files, {runs} runs in {took:.0f} s, {len(found)} findings")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
