"""What a sweep costs beside ngspice itself: points a second, overhead, workers, spicelib.

All ways run the same short decks in turn, round by round, so that the ratios within a round hold on
a machine that others use; medians of the rounds are printed. Rates are those of warm workers: from
the first quarter of the points to the last. CPU times are of all processes together.

- bare: ``ngspice -n -b`` on decks that lie ready, as many at a time as there are workers
- sweep: the same points through `Sweep.run`: netlist, run, measures, store
- spicelib: its SimRunner on the same decks, without reading what comes out

Usage: python benchmarks/sweep.py [--points N] [--rounds N] [--t-stop S] [--no-spicelib]
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from spicealif import Neuron, build_netlist, load_preset
from spicealif.sweep import MonteCarlo, Sweep, Tolerance


@dataclass
class Cost:
    """Of one way through all points: a point's wall time and CPU time, in s."""

    wall: float
    cpu: float


def design(t_stop: float) -> Neuron:
    changes = {"numerics.steering": False, "numerics.reltol": 1e-4, "t_stop": t_stop}
    return load_preset("lif").ideal().replace(changes)


def sweep_of(neuron: Neuron, n: int) -> Sweep:
    return Sweep(neuron, {"c": np.linspace(90e-9, 110e-9, n)}, sides="circuit")


def decks(neuron: Neuron, n: int, folder: Path) -> list[Path]:
    sweep = sweep_of(neuron, n)
    out = []
    for k in range(n):
        netlist = build_netlist(neuron.replace(sweep.points.changes(k)))
        out.append(netlist.write(folder / str(k)))
    return out


def bare(paths: list[Path], workers: int) -> Cost:
    """Run the program on each deck, and nothing else."""

    def one(path: Path) -> None:
        command = ["ngspice", "-n", "-b", "-r", "out.raw", "-o", "out.log", path.name]
        subprocess.run(
            command,
            cwd=path.parent,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    first = len(paths) // 4
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(one, paths[:first]))
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        list(threads.map(one, paths[first:]))
        wall = time.perf_counter() - start
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = now.ru_utime + now.ru_stime - cpu.ru_utime - cpu.ru_stime
    return Cost(wall / (len(paths) - first), used / (len(paths) - first))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep what programs print off the terminal."""
    sys.stdout.flush()
    saved, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)


def spicelib(paths: list[Path], workers: int) -> Cost:
    """Let spicelib's SimRunner run the decks."""
    from spicelib import SimRunner
    from spicelib.simulators.ngspice_simulator import NGspiceSimulator

    logging.getLogger("spicelib").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, silence():
        runner = SimRunner(simulator=NGspiceSimulator, parallel_sims=workers, output_folder=folder)
        cpu, start = os.times(), time.perf_counter()
        for k, path in enumerate(paths):
            runner.run(path, run_filename=f"run{k}.cir")
        runner.wait_completion()
        wall, now = time.perf_counter() - start, os.times()
    used = sum(now[:4]) - sum(cpu[:4])
    assert runner.okSim == len(paths), f"{runner.okSim} of {len(paths)}"
    return Cost(wall / len(paths), used / len(paths))


class Watch:
    """What a sweep's processes use, and how large they are, as its progress goes."""

    def __init__(self) -> None:
        #: Points done, and when.
        self.rows: list[tuple[int, float]] = []
        #: For each process: points done, CPU in s, bytes.
        self.processes: dict[str, list[tuple[int, float, int]]] = {}
        self.looked = -1.0

    def __call__(self, done: int, total: int, failed: int) -> None:
        """Take a sample; of the processes only now and then, since that takes milliseconds."""
        if failed:
            raise SystemExit("a point failed")
        self.rows.append((done, time.perf_counter()))
        if done / total < self.looked + 0.1:
            return
        self.looked = done / total
        own = psutil.Process()
        for process in (own, *own.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                words = " ".join(process.cmdline())
                kind = "simulator" if "_ngspice_worker" in words else "worker"
                kind = "parent" if process.pid == own.pid else kind
                times = process.cpu_times()
                used = times.user + times.system
                if kind == "worker":
                    # Of programs that have ended only their parent knows.
                    used += times.children_user + times.children_system
                row = (done, used, process.memory_info().rss)
                self.processes.setdefault(f"{kind} {process.pid}", []).append(row)

    def cost(self) -> Cost:
        """Per point, once the workers are warm."""
        total = self.rows[-1][0]
        first = next(row for row in self.rows if row[0] >= total / 4)
        last = next(row for row in self.rows if row[0] == total)
        wall = (last[1] - first[1]) / (last[0] - first[0])
        return Cost(wall, sum(map(self.cpu_of, ("parent", "worker", "simulator"))))

    def cpu_of(self, kind: str) -> float:
        """CPU of one kind of processes per point, once the workers are warm."""
        total = 0.0
        for rows in self._of(kind):
            warm = [row for row in rows if row[0] >= self.rows[-1][0] / 4]
            if len(warm) > 1:
                total += (warm[-1][1] - warm[0][1]) / (warm[-1][0] - warm[0][0])
        return total

    def growth(self, kind: str) -> str:
        """How large the largest of a kind was after a quarter of the points, and at the end."""
        sizes = [(0.0, 0.0)]
        for rows in self._of(kind):
            if rows[-1][0] > rows[0][0]:
                quarter = next(row for row in rows if row[0] >= rows[-1][0] / 4)
                sizes.append((quarter[2] / 1e6, rows[-1][2] / 1e6))
        early, late = max(sizes, key=lambda size: size[1])
        return f"{early:8.1f} {late:8.1f} MB"

    def _of(self, kind: str) -> list[list[tuple[int, float, int]]]:
        return [rows for name, rows in self.processes.items() if name.startswith(kind)]


def swept(neuron: Neuron, n: int, workers: int, simulator: str = "ngspice") -> Watch:
    watch = Watch()
    sweep = Sweep(
        neuron, {"c": np.linspace(90e-9, 110e-9, n)}, sides="circuit", simulator=simulator
    )
    with tempfile.TemporaryDirectory() as folder:
        sweep.run(store=folder, workers=workers, progress=watch)
    return watch


def short_decks(arguments: argparse.Namespace) -> None:
    n, workers = arguments.points, arguments.workers
    neuron = design(arguments.t_stop)
    rows: dict[str, list[Cost]] = {}
    kinds: dict[str, list[float]] = {"parent": [], "worker": [], "simulator": []}
    with tempfile.TemporaryDirectory() as folder:
        paths = decks(neuron, n, Path(folder))
        for _ in range(arguments.rounds):
            rows.setdefault("bare", []).append(bare(paths, workers))
            watch = swept(neuron, n, workers)
            rows.setdefault("sweep", []).append(watch.cost())
            for kind, values in kinds.items():
                values.append(watch.cpu_of(kind))
            rows.setdefault("sweep, one worker", []).append(swept(neuron, n, 1).cost())
            program = swept(neuron, n, workers, "ngspice-batch")
            rows.setdefault("sweep, the program", []).append(program.cost())
            if arguments.spicelib:
                rows.setdefault("spicelib", []).append(spicelib(paths, workers))
    print(f"short decks, {arguments.t_stop:g} s of circuit time, {workers} workers, {n} points")
    print("                           wall per point     CPU per point")
    for name, costs in rows.items():
        wall = statistics.median(c.wall for c in costs)
        cpu = statistics.median(c.cpu for c in costs)
        print(f"{name:24s} {1e3 * wall:13.2f} ms  {1e3 * cpu:13.2f} ms")
    print("of a sweep's CPU per point:")
    for kind, values in kinds.items():
        print(f"  {kind:22s} {'':13s}     {1e3 * statistics.median(values):13.2f} ms")

    def ratio(a: str, b: str) -> str:
        values = [x.wall / y.wall for x, y in zip(rows[a], rows[b], strict=True)]
        return f"{statistics.median(values):6.2f}   ({', '.join(f'{v:.2f}' for v in values)})"

    def beyond(a: str, what: str) -> str:
        values = [
            1e3 * (getattr(x, what) - getattr(y, what))
            for x, y in zip(rows[a], rows["bare"], strict=True)
        ]
        return f"{statistics.median(values):6.2f} ms ({', '.join(f'{v:.2f}' for v in values)})"

    print("\npoints a second, ratios of each round")
    print(f"sweep / bare               {ratio('bare', 'sweep')}")
    print(f"{workers} workers / 1              {ratio('sweep, one worker', 'sweep')}")
    if arguments.spicelib:
        print(f"sweep / spicelib           {ratio('spicelib', 'sweep')}")
    print("\noverhead over bare ngspice per point")
    print(f"sweep, wall                {beyond('sweep', 'wall')}")
    print(f"sweep, CPU                 {beyond('sweep', 'cpu')}")
    print(f"sweep, the program, wall   {beyond('sweep, the program', 'wall')}")
    print(f"sweep, the program, CPU    {beyond('sweep, the program', 'cpu')}")


def many(arguments: argparse.Namespace) -> None:
    """Ten thousand points of the reference, opened again; a thousand runs of a tiny deck."""
    neuron = load_preset("lif").replace(t_stop=1e-3)
    tolerances = [Tolerance("c", 0.05), Tolerance("leak.r", 0.05)]

    def experiment() -> MonteCarlo:
        return MonteCarlo(neuron, arguments.many, tolerances, sides="reference")

    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = experiment().run(store=folder, workers=arguments.workers, progress=watch)
        wall = time.perf_counter() - start
        start, cpu = time.perf_counter(), time.process_time()
        again = experiment().run(store=folder)
        assert again.identical(result)
        print(f"\n{arguments.many} points, reference alone: {wall:.2f} s, all included")
        print(
            f"opened again: {time.perf_counter() - start:.2f} s, of it CPU "
            f"{time.process_time() - cpu:.2f} s"
        )
    tiny = swept(design(1e-5), max(300, arguments.many // 10), arguments.workers)
    print("memory after a quarter of the points and at the end")
    for kind in ("parent", "worker"):
        print(f"reference, {kind:10s} {watch.growth(kind)}")
    for kind in ("parent", "worker", "simulator"):
        print(f"tiny decks, {kind:9s} {tiny.growth(kind)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--t-stop", type=float, default=2e-3)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--no-spicelib", dest="spicelib", action="store_false")
    arguments = parser.parse_args()
    # Without one ngspice dies, whether we start it here or spicelib does.
    os.environ.setdefault("HOME", os.sep)
    print(f"load before: {', '.join(f'{x:.1f}' for x in os.getloadavg())}", file=sys.stderr)
    short_decks(arguments)
    many(arguments)


if __name__ == "__main__":
    main()
