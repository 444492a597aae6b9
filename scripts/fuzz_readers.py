"""Fuzzing of the readers: millions of damaged files, guided by the code that they reach.

    .venv/bin/python scripts/fuzz_readers.py                        # each reader, a minute each
    .venv/bin/python scripts/fuzz_readers.py --target raw --runs 6000000 --jobs 2
    .venv/bin/python scripts/fuzz_readers.py --target raw --replay raw-0123456789ab

The readers take files that a killed or failed run left behind, and files of other people. Whatever
is in them, only the documented error may escape; its message is one line that says what to do; no
warning comes up; time and memory stay in proportion to the file; what is read does not depend on
chance, fits together, and of a file that was cut off is the beginning of what the whole one holds.
`_fuzz_checks.py` has the list, and the limits.

Targets:

raw
    `read_raw`, and everything that its plots can be asked for.
log
    `decode_log`, `parse_ltspice_log`, `read_ltspice_log`.
vectors
    `parse_sum`, which reads sums of vectors as a person writes them.

Every run starts from seeds of all flavours that it makes itself, files that ngspice writes, if it
is installed, and small files of LTspice, if they lie beside the checkout. Inputs are files in
memory (``/dev/shm``). A finding is written into the folder of ``--keep`` once for each place in the
code, with what happened beside it, and the run goes on. A process that dies (more than 10 s for one
input, or out of memory) leaves its input there as well, and another takes its place.

Exit code: 0 if nothing was found, 1 if something was, 2 if it cannot run. It can be interrupted
(Ctrl-C) at any time; ``--corpus FOLDER`` lets the next run go on from there. Needs atheris (in the
extra ``test``).
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import importlib
import importlib.util
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

SCRIPTS = Path(__file__).resolve().parent
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS.parent)]

from _fuzz_inputs import MUTATORS, SEEDS, dictionary  # noqa: E402  (the path comes first)

#: Modules with the checks of targets that another script adds.
CHECKED_IN: dict[str, str] = {}
_MAX_LEN = {"raw": 2048, "log": 2048, "vectors": 512}  # larger ones reach nothing new
_TIMEOUT = 10  # seconds for one input
_MEMORY = 3 << 30  # bytes that a process may ask for, in all
_DEATHS = 20  # of processes, after which a run gives up
_REPORT = 10.0  # seconds between lines of progress


# ---------------------------------------------------------------- a process that fuzzes


class _Worker:
    """What libFuzzer calls with every input."""

    def __init__(self, target: str, folder: Path, keep: Path) -> None:
        self.target, self.keep = target, keep
        self.check = _checks(target)[target](folder)
        self.executed = 0
        self.told = 0.0
        self.known: set[str] = set()

    def __call__(self, data: bytes) -> None:
        self.executed += 1
        try:
            self.check(data)
        except Exception as error:  # whatever escapes is a finding
            self._record(data, error)
        if self.executed % 256 == 0 and time.monotonic() > self.told + 1:
            self.told = time.monotonic()
            _tell(executed=self.executed)

    def _record(self, data: bytes, error: Exception) -> None:
        """Keep an input, unless one like it is kept already."""
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f"{Path(f.filename).name}:{f.lineno}" for f in frames if "spicealif" in f.filename]
        where = [f"{f.name}:{f.lineno}" for f in frames if f.name != "hold"]
        sign = " ".join((type(error).__name__, *ours[-1:], *where[-1:]))
        if sign in self.known:
            return
        self.known.add(sign)
        path = self.keep / f"{self.target}-{hashlib.sha256(data).hexdigest()[:12]}"
        path.write_bytes(data)
        what = "".join(traceback.format_exception(error))
        path.with_suffix(".txt").write_text(what, errors="backslashreplace")
        _tell(found=sign, file=str(path), what=f"{type(error).__name__}: {error}"[:300])


def _checks(target: str) -> dict[str, Any]:
    """Return the checks; they import what is fuzzed, which must not happen before."""
    return dict(importlib.import_module(CHECKED_IN.get(target, "_fuzz_checks")).CHECKS)


def _tell(**facts: Any) -> None:
    """Tell the parent process."""
    os.write(1, f"@{json.dumps(facts)}\n".encode())


def _work(target: str, folder: Path, keep: Path, flags: list[str]) -> NoReturn:
    """Fuzz in this process; never returns."""
    import atheris

    mutator = MUTATORS[target]

    def custom(data: bytes, max_size: int, seed: int) -> bytes:
        return mutator(data, max_size, seed, atheris.Mutate)

    with atheris.instrument_imports(include=["spicealif"]):
        worker = _Worker(target, folder, keep)
    warnings.simplefilter("error")
    gc.freeze()  # what is loaded by now stays
    with Path("/proc/self/statm").open() as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, resource.RLIM_INFINITY))
    atheris.Setup([sys.argv[0], *flags], worker, custom_mutator=custom)
    atheris.Fuzz()
    raise SystemExit


# ---------------------------------------------------------------- the processes of a target

_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_EXECUTED = re.compile(r"stat::number_of_executed_units: *(\d+)")


@dataclass
class _Job:
    """One process that fuzzes, and what it said so far."""

    process: subprocess.Popen[str]
    executed: int = 0
    coverage: tuple[int, ...] = (0, 0, 0)
    finished: bool = False
    tail: list[str] = field(default_factory=list)


class _Target:
    """The fuzzing of one reader.

    Parameters
    ----------
    name : str
    options : argparse.Namespace
    folder : Path
        For inputs; in memory, if possible.
    """

    def __init__(self, name: str, options: argparse.Namespace, folder: Path) -> None:
        self.name, self.options, self.folder = name, options, folder
        self.corpus = (options.corpus or folder) / name
        self.corpus.mkdir(parents=True, exist_ok=True)
        self.words = folder / f"{name}.dict"
        self.found: dict[str, str] = {}
        self.deaths = 0
        self.jobs: list[_Job] = []
        self.start = time.monotonic()
        self.lock = threading.Lock()

    @property
    def executed(self) -> int:
        """Inputs so far."""
        return sum(job.executed for job in self.jobs)

    def prepare(self) -> None:
        """Write seeds and words."""
        seeds = self.folder / f"{self.name}-seeds"
        seeds.mkdir()
        for content in SEEDS[self.name](self.folder):
            (seeds / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
        lines = ("".join(rf"\x{byte:02x}" for byte in word) for word in dictionary(self.name))
        self.words.write_text("".join(f'"{line}"\n' for line in lines))

    def run(self) -> None:
        """Fuzz until the inputs or the time are used up; an interruption ends all processes."""
        self.start = time.monotonic()
        share = -(-self.options.runs // self.options.jobs) if self.options.runs else 0
        threads = [
            threading.Thread(target=self._run_job, args=(number, share))
            for number in range(self.options.jobs)
        ]
        try:
            for thread in threads:
                thread.start()
            told = self.start
            while any(thread.is_alive() for thread in threads):
                time.sleep(0.2)
                if time.monotonic() > told + _REPORT:
                    told = time.monotonic()
                    self.report()
        finally:
            self.deaths = _DEATHS  # none is started any more
            for job in self.jobs:
                if job.process.poll() is None:
                    job.process.send_signal(signal.SIGINT)
            for thread in threads:
                thread.join(2 * _TIMEOUT)
            for job in self.jobs:
                if job.process.poll() is None:
                    job.process.kill()

    def _run_job(self, number: int, runs: int) -> None:
        """Fuzz with one process at a time."""
        attempt = 0
        while self.deaths < _DEATHS:
            job = self._started(number, attempt, runs)
            self.jobs.append(job)
            stdout = job.process.stdout
            assert stdout is not None
            for line in stdout:
                self._heard(job, line)
            if job.process.wait() in (0, -signal.SIGINT) or job.finished:
                return
            with self.lock:
                self.deaths += 1
                tail = "".join(job.tail)
                self.found[f"death {self.deaths}"] = tail
                print(f"{self.name}: a process died\n{tail}", flush=True)
            attempt += 1
            runs = max(1, runs - job.executed) if runs else 0

    def _started(self, number: int, attempt: int, runs: int) -> _Job:
        folder = self.folder / f"{self.name}-{number}"
        folder.mkdir(exist_ok=True)
        options = self.options
        flags = [
            f"-seed={options.seed + 1000 * attempt + number}",
            f"-max_len={_MAX_LEN.get(self.name, 2048)}",
            "-len_control=0",
            f"-timeout={_TIMEOUT}",
            "-rss_limit_mb=2048",
            f"-dict={self.words}",
            f"-artifact_prefix={options.keep}/{self.name}-",
            "-print_final_stats=1",
            f"-reload={int(options.jobs > 1)}",
            *([f"-runs={runs}"] if runs else []),
            *([f"-max_total_time={self._left()}"] if options.seconds else []),
            str(self.corpus),
            str(self.folder / f"{self.name}-seeds"),
        ]
        script = SCRIPTS / Path(sys.argv[0]).name  # this one, or one that adds targets
        command = [sys.executable, str(script), "--target", self.name]
        command += ["--keep", str(options.keep), "--worker", str(folder), *flags]
        return _Job(
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=os.environ | {"PYTHONHASHSEED": "0"},
            )
        )

    def _left(self) -> int:
        return max(1, int(self.options.seconds - (time.monotonic() - self.start)))

    def _heard(self, job: _Job, line: str) -> None:
        """Take in a line that a process wrote."""
        if line.startswith("@{"):
            facts = json.loads(line[1:])
            job.executed = facts.get("executed", job.executed)
            if "found" in facts:
                self._finding(facts)
        elif match := _COVERAGE.search(line):
            job.coverage = tuple(map(int, match.groups()))
        elif match := _EXECUTED.search(line):
            job.executed = int(match[1])
            job.finished = "Done " in "".join(job.tail) or "interrupted" in "".join(job.tail)
        if not line.startswith(("@{", "INFO: Instrumenting", "#")):
            job.tail = [*job.tail[-20:], line]

    def _finding(self, facts: dict[str, str]) -> None:
        with self.lock:
            if facts["found"] not in self.found:
                self.found[facts["found"]] = facts["file"]
                print(f"{self.name}: found {facts['file']}\n    {facts['what']}", flush=True)

    def report(self, end: str = "") -> None:
        """Print how far it has got."""
        took = time.monotonic() - self.start
        coverage, features, corpus = max((job.coverage for job in self.jobs), default=(0, 0, 0))
        print(
            f"{self.name}: {self.executed:,} inputs in {took:.0f} s, "
            f"{self.executed / max(took, 0.001):,.0f}/s, coverage {coverage}, "
            f"features {features}, corpus {corpus}, findings {len(self.found)}{end}",
            flush=True,
        )


# ---------------------------------------------------------------- command line


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n", maxsplit=1)[0],
        epilog="Without --runs and --seconds each reader is fuzzed for a minute.",
    )
    add = parser.add_argument
    add("--target", action="append", choices=list(SEEDS), help="a reader; all if not given")
    add("--runs", type=int, default=0, help="inputs for each target, all processes together")
    add("--seconds", type=float, default=0, help="time for each target")
    add("--jobs", type=int, default=1, help="processes (default: 1)")
    add("--seed", type=int, default=1, help="of the random choices (default: 1)")
    add("--keep", type=Path, metavar="FOLDER", help="for findings (default: fuzz-findings)")
    add("--corpus", type=Path, metavar="FOLDER", help="goes on from what is there, and adds to it")
    add("--replay", nargs="+", type=Path, metavar="FILE", help="check these inputs and no others")
    add("--worker", type=Path, help=argparse.SUPPRESS)
    options, flags = parser.parse_known_args()
    options.flags = flags
    if flags and options.worker is None:
        parser.error(f"unrecognized arguments: {' '.join(flags)}")
    if options.replay and len(options.target or ()) != 1:
        parser.error("--replay needs one --target")
    if options.jobs < 1 or options.runs < 0 or options.seconds < 0:
        parser.error("--jobs, --runs and --seconds are positive")
    if not options.runs and not options.seconds:
        options.seconds = 60.0
    options.target = options.target or list(SEEDS)
    options.keep = (options.keep or Path("fuzz-findings")).resolve()
    options.keep.mkdir(parents=True, exist_ok=True)
    return options


def _replay(target: str, files: list[Path]) -> int:
    """Check some inputs; print what happens."""
    warnings.simplefilter("error")
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        check = _checks(target)[target](Path(folder))
        for path in files:
            try:
                check(path.read_bytes())
                print(f"{path}: nothing found")
            except Exception:
                bad += 1
                print(f"{path}:\n{traceback.format_exc()}")
    return int(bad > 0)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """Fuzz the readers."""
    options = _options()
    if options.worker is not None:
        _work(options.target[0], options.worker, options.keep, options.flags)
    if options.replay:
        return _replay(options.target[0], options.replay)
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed; pip install '.[test]'.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    shm = Path("/dev/shm")
    place = shm if shm.is_dir() and os.access(shm, os.W_OK) else None
    done: list[_Target] = []
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=place) as folder:
        with contextlib.suppress(KeyboardInterrupt):
            for name in options.target:
                target = _Target(name, options, Path(folder))
                target.prepare()
                done.append(target)
                target.run()
        for target in done:
            target.report(end=", done")
    found = sum(len(target.found) for target in done)
    total = sum(target.executed for target in done)
    print(f"{total:,} inputs, {found} findings" + (f", see {options.keep}" if found else ""))
    with contextlib.suppress(OSError):
        options.keep.rmdir()  # if it is empty
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
