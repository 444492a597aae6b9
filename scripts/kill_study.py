"""Kill or stop parent, worker and simulator at random moments: what is left, what comes next.

    python scripts/kill_study.py [--moments 20] [--only run,sweep,sweep-batch,explain]
                                 [--signal KILL]

Each try has an empty temporary folder, an empty cache of results and a folder for its output, and
kills one process of the command at a random moment of its life. Then it is looked for processes
(whatever has the try's TMPDIR in its environment) and temporary folders, the same command is given
again, and its result is compared with that of a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

#: One of the measured loops beside the checkout.
LOOP = Path(__file__).resolve().parents[2] / "shared/measured/w_sdc/5k_0.8V_1000Hz_M1.csv"
SHORT = ("-s", "t_stop=0.3m")
SWEEP = ("sweep", "lif", "-s", "t_stop=1m", "--over", "c=80n,90n,100n,110n,120n,130n", "-q")
COMMANDS = {
    "run": ("run", "paper", *SHORT, "-q", "--no-figures", "-o", "out"),
    "sweep": (*SWEEP, "--store", "store", "--workers", "2", "-o", "out.nc"),
    "sweep-batch": (
        *(*SWEEP, "--store", "store", "--workers", "2", "-o", "out.nc"),
        *("--simulator", "ngspice-batch"),
    ),
    "explain": ("explain", "lif", *SHORT, "-q"),
    "fit": ("fit", str(LOOP), "-q", "-o", "device.toml"),
}
TARGETS = {
    "run": ("parent", "simulator"),
    "sweep": ("parent", "worker", "simulator"),
    "sweep-batch": ("parent", "worker", "simulator"),
    "explain": ("parent", "simulator"),
    "fit": ("parent",),
}
#: How often it is tried to hit a process before it has ended.
TRIES = 5
HEADING = (
    "| command | killed | tries | hit | processes left | folders left at once "
    "| folders left by the next call | same result | first call's exit codes |\n"
    f"{'|---' * 9}|"
)
#: Seconds that what is left may take to go, and that a command may take at most.
GRACE, LONGEST = 4.0, 900.0


def main() -> None:
    """Run the study and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--only", default="run,sweep,sweep-batch,explain")
    parser.add_argument("--signal", choices=("KILL", "STOP"), default="KILL")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    print(HEADING, flush=True)
    for name in chosen.only.split(","):
        with Try(name) as undisturbed:
            undisturbed.start()
            undisturbed.wait()  # it may have had something to compile
            undisturbed.start()
            code = undisturbed.wait()
            if code:
                sys.exit(f"{name} fails undisturbed: {undisturbed.said()}")
            duration, expected = undisturbed.duration, undisturbed.result()
        for target in TARGETS[name]:
            row = Row()
            for _ in range(chosen.moments):
                for _ in range(TRIES):
                    moment = rng.random() * duration
                    found = one_try(name, target, moment, chosen.signal, expected)
                    if found["hit"]:
                        break
                    duration = min(duration, found["duration"])
                row.add(found)
            print(f"| {name} ({duration:.0f} s) | {target} | {row} |", flush=True)
            for complaint in row.complaints:
                print(f"<!-- {complaint} -->", flush=True)


class Row:
    """What the tries of one kind found."""

    def __init__(self) -> None:
        self.tries = self.hit = self.processes = self.folders = self.after = self.same = 0
        self.codes: dict[int, int] = {}
        self.complaints: list[str] = []

    def add(self, found: dict[str, Any]) -> None:
        """Count a try."""
        self.tries += 1
        self.hit += found["hit"]
        self.processes += found["processes"] > 0
        self.folders += found["folders"] > 0
        self.after += found["after"] > 0
        self.same += found["same"]
        self.codes[found["code"]] = self.codes.get(found["code"], 0) + 1
        if found["processes"] or found["after"] or not found["same"]:
            self.complaints.append(json.dumps(found))

    def __str__(self) -> str:
        codes = ", ".join(f"{n} x {code}" for code, n in sorted(self.codes.items()))
        return (f"{self.tries} | {self.hit} | {self.processes} | {self.folders} | {self.after} | "
                f"{self.same} | {codes}")  # fmt: skip


def one_try(name: str, target: str, moment: float, what: str, expected: str) -> dict[str, Any]:
    """Kill one process of a command, look what is left, and give the command again."""
    number = getattr(signal, f"SIG{what}")
    with Try(name) as it:
        it.start()
        hit = it.strike(target, moment, number)
        if what == "STOP" and target == "parent" and hit:
            # It is stopped like any job; who stopped it lets it go on.
            time.sleep(2)
            os.kill(it.process.pid, signal.SIGCONT)
        code = it.wait()
        duration = it.duration
        left = it.left()
        folders = it.folders()
        it.start()
        again = it.wait()
        same = again == 0 and it.result() == expected
        found = {
            "name": name, "target": target, "moment": round(moment, 3), "hit": hit, "code": code,
            "processes": len(left), "folders": len(folders), "after": len(it.folders()),
            "same": same, "left": left, "duration": duration,
        }  # fmt: skip
        if not same:
            found["said"] = it.said()[-400:]
        for pid in [p for p, _ in left]:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        return found


class Try:
    """A command with folders of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.duration = 0.0

    def __enter__(self) -> Try:
        self.base = tempfile.TemporaryDirectory(prefix="kill-study-")
        self.folder = Path(self.base.name)
        for sub in ("tmp", "work", "cache"):
            (self.folder / sub).mkdir()
        return self

    def __exit__(self, *error: object) -> None:
        self.base.cleanup()

    def start(self, *before: str, **changes: str | None) -> None:
        """Start the command, after the words `before`, with other variables or (None) without."""
        compiled = os.environ.get("NUMBA_CACHE_DIR", str(Path.home() / ".cache" / "numba"))
        environment = {
            **os.environ,
            "TMPDIR": str(self.folder / "tmp"),
            "SPICEALIF_CACHE": str(self.folder / "cache"),
            "NUMBA_CACHE_DIR": compiled,
        }
        environment |= {k: v for k, v in changes.items() if v is not None}
        for name in [k for k, v in changes.items() if v is None]:
            environment.pop(name, None)
        self.begun = time.monotonic()
        program = "import sys; from spicealif.cli import main; sys.exit(main())"
        with (self.folder / "said.txt").open("wb") as said:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-c", program, *COMMANDS[self.name]],
                cwd=self.folder / "work", env=environment, stdin=subprocess.DEVNULL, stdout=said,
                stderr=said,
            )  # fmt: skip

    def wait(self) -> int:
        """Return its exit code."""
        try:
            code = self.process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = 999
        self.duration = time.monotonic() - self.begun
        return code

    def strike(self, target: str, moment: float, number: int) -> bool:
        """Send a signal at a moment, or at the first one after it at which the target is there."""
        time.sleep(max(self.begun + moment - time.monotonic(), 0.0))
        while self.process.poll() is None:
            pid = self._find(target)
            if pid is not None:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
                    return True
            time.sleep(0.002)
        return False

    def _find(self, target: str) -> int | None:
        if target == "parent":
            return self.process.pid
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            return None
        for child in children:
            with contextlib.suppress(psutil.Error):
                line = " ".join(child.cmdline())
                simulator = "ngspice._worker" in line or "-b -r out.raw" in line
                worker = "spicealif.sweep.worker" in line
                if (target == "simulator" and simulator) or (target == "worker" and worker):
                    return child.pid
        return None

    def left(self) -> list[tuple[int, str]]:
        """Return the processes that are left, after some seconds at most."""
        mark = str(self.folder / "tmp")
        end = time.monotonic() + GRACE
        while True:
            found = []
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    ours = process.environ().get("TMPDIR") == mark
                    if ours and process.status() != psutil.STATUS_ZOMBIE:
                        found.append((process.pid, " ".join(process.cmdline())[:120]))
            if not found or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def folders(self) -> list[str]:
        """Return what is in the folder for temporary files."""
        return sorted(p.name for p in (self.folder / "tmp").iterdir())

    def said(self) -> str:
        """Return what it printed."""
        return (self.folder / "said.txt").read_text(errors="replace")

    def result(self) -> str:
        """Return a digest of the result: data and figures, no times of computing."""
        work = self.folder / "work"
        if self.name == "run":
            parts = [(work / "out" / "comparison.json").read_text(), *map(data, (
                work / "out" / "circuit.nc", work / "out" / "reference.nc"))]  # fmt: skip
        elif self.name.startswith("sweep"):
            parts = [data(work / "out.nc")]
        elif self.name == "fit":
            lines = (work / "device.toml").read_text().splitlines()
            parts = [line for line in lines if "s of CPU" not in line]
        else:
            lines = self.said().splitlines()
            parts = [line for line in lines if " s of CPU" not in line and "runs" not in line]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def data(path: Path) -> str:
    """Return a digest of all values of a netCDF file but the CPU times."""
    import xarray as xr

    digest = hashlib.sha256()
    with xr.open_dataset(path, engine="h5netcdf") as file:
        for name in sorted(map(str, file.variables)):
            if "cpu" not in name:
                values = file[name].values
                plain = (
                    values.tobytes() if values.dtype != object else repr(values.tolist()).encode()
                )
                digest.update(name.encode() + plain)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
