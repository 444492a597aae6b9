"""Two runs into one folder, and runs that are killed: whose files are there afterwards.

Of two runs started together one must be told that the other writes, or come after it; of a run
that is killed at a random moment the folder holds the earlier run or the new one. Whose a file is
shows the design in it: in neuron.toml and in both files of waveforms.

Usage: python scripts/folder_study.py [PAIRS] [KILLS] [SEED]
"""

from __future__ import annotations

import collections
import random
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from spicealif import load_waveforms

PROGRAM = "from spicealif.cli import main; main()"
RUN = [sys.executable, "-c", PROGRAM, *["run", "lif", "-q", "--no-figures", "-s", "t_stop=0.3m"]]
FILES = {"neuron.toml", "neuron.cir", "simulator.log", "circuit.nc", "reference.nc"}


def start(folder: Path, c: str) -> subprocess.Popen[bytes]:
    """Start a run of a neuron with a capacitance of its own."""
    command = [*RUN, "-s", f"c={c}", "-o", str(folder)]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def whose(folder: Path) -> set[float]:
    """Return the capacitances of the runs whose files are there, and 0 if some are missing."""
    found = set()
    for name in ("circuit.nc", "reference.nc"):
        if (folder / name).exists():
            found.add(float(tomllib.loads(str(load_waveforms(folder / name).attrs["design"]))["c"]))
    if (folder / "neuron.toml").exists():
        found.add(float(tomllib.loads((folder / "neuron.toml").read_text())["c"]))
    names = {p.name for p in folder.iterdir()} if folder.exists() else set()
    return found | ({0.0} if names & FILES and not names >= FILES else set())


def main() -> None:
    """Print how often what was left."""
    pairs, kills, seed = (int(a) for a in (sys.argv[1:] + ["10", "20", "1"][len(sys.argv) - 1 :]))
    draw = random.Random(seed)
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        for k in range(pairs):
            folder = Path(name) / f"pair{k}"
            runs = [start(folder, c) for c in ("90n", "110n")]
            said = [run.communicate()[1].decode() for run in runs]
            told = sum("Another run writes" in text for text in said)
            codes = sorted(run.returncode for run in runs)
            counts[f"two runs: {len(whose(folder))} run's files, {told} told, exit {codes}"] += 1
        folder = Path(name) / "killed"
        begin = time.monotonic()
        start(folder, "100n").communicate()
        length = time.monotonic() - begin
        before, user = 1e-7, folder / "mine.txt"
        user.write_text("mine")
        for k in range(kills):
            c = 80 + k % 40
            run = start(folder, f"{c}n")
            # Most of the time is before anything is written: half of the moments are near the end.
            time.sleep(length * draw.uniform(0.0 if k % 2 else 0.7, 1.2))
            run.kill()
            run.communicate()
            left = whose(folder)
            kind = "the old" if left == {before} else "the new" if len(left) == 1 else f"{left}"
            counts[f"killed: {kind} run's files"] += 1
            assert user.read_text() == "mine"
            before = left.pop() if len(left) == 1 else before
        start(folder, "100n").communicate()
        hidden = [p.name for p in folder.iterdir() if p.name.startswith(".")]
        counts[f"after the next run: files of {whose(folder)}, {len(hidden)} hidden left"] += 1
    for text, count in sorted(counts.items()):
        print(f"{count:4d}  {text}")


if __name__ == "__main__":
    main()
