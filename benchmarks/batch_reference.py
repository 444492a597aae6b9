"""Time the batched reference side by side with C, the single kernel, Brian2 and JAX.

Run ``python benchmarks/batch_reference.py`` (needs gcc; for the last two ``--brian2 PYTHON`` and
``--jax PYTHON``, interpreters of environments that have them). The work is the paper's neuron,
50 ms at 1 us, with C, tau and v_th spread by 20, 20 and 5 %. CPU times, medians of rounds in which
each side runs once; Brian2 and JAX do less work, since they leave spikes on the grid. Only the
comparison of one thread with two is by the clock, the best of all rounds: it needs an idle machine.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from spicealif import Neuron, load_preset
from spicealif.reference import driver
from spicealif.reference.batch import kernel as batch_kernel
from spicealif.reference.batch import lanes as batch_lanes
from spicealif.reference.batch import run as batch_run
from spicealif.reference.batch.run import Job, run_jobs
from spicealif.reference.batch.solve import _job

NEURONS, ALONE = 512, 4
H = 1e-6
FLAGS = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
EXPONENTIALS = {"C, table": [], "C, polynomial": ["-DLONG"]}


def neurons(count: int) -> list[Neuron]:
    paper = load_preset("paper").replace({"numerics.h": H})
    spread = np.random.default_rng(1).uniform(-1.0, 1.0, (count, 3)) * [0.2, 0.2, 0.05] + 1.0
    return [
        paper.replace({"c": paper.c * a, "leak.tau": paper.leak.tau * b, "v_th": paper.v_th * d})
        for a, b, d in spread.tolist()
    ]


def block(jobs: list[Job]) -> batch_run._Block:
    work = batch_run._Block(jobs)
    for r in range(len(jobs)):
        work.fill(r)
    return work


def in_lanes(jobs: list[Job]) -> tuple[float, int, np.ndarray]:
    """Return CPU seconds, steps and the kernel's results of the batched reference."""
    tables = block(jobs).tables
    control = np.zeros(batch_lanes.N_CONTROL, dtype=np.int64)
    arrays = (*batch_lanes.new_lanes(), *tables, np.empty((1_000_000, 2)), control)
    (queue, no_limit) = (np.arange(len(jobs)), 2**60)
    start = time.thread_time()
    batch_kernel.advance(queue, no_limit, False, *arrays, no_limit)
    return time.thread_time() - start, int(tables[-1][:, batch_lanes.END_STEPS].sum()), tables[-1]


def in_c(library: ctypes.CDLL, jobs: list[Job]) -> tuple[float, int, np.ndarray]:
    """Return the same of the C version, which takes the same tables."""
    (par, pieces, _, first, ends) = block(jobs).tables
    spikes = np.empty((1_000_000, 2))
    (p, q, f, e, s) = (
        a.ctypes.data_as(ctypes.c_void_p) for a in (par, pieces, first, ends, spikes)
    )
    start = time.thread_time()
    library.integrate(p, q, f, ctypes.c_int64(len(jobs)), e, s)
    return time.thread_time() - start, int(ends[:, 6].sum()), ends


def alone(jobs: list[Job]) -> tuple[float, int, None]:
    """Return CPU seconds and steps of the single kernel."""
    (start, steps) = (time.thread_time(), 0)
    for job in jobs[:ALONE]:
        t_stop = float(job.pieces.t[-1])
        steps += driver.integrate(
            job.params, job.pieces, variant=job.variant, t_stop=t_stop, h=job.h
        ).n_steps
    return time.thread_time() - start, steps, None


def other(process: subprocess.Popen[str], steps: int) -> tuple[float, int, None]:
    """Return CPU seconds and steps of Brian2 or JAX."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    answer = process.stdout.readline().split()
    return (float(answer[0]) if answer else math.nan), steps, None


def start_other(
    python: str | None, script: str, data: Path, form: str
) -> subprocess.Popen[str] | None:
    if python is None or not Path(python).exists():
        return None
    pipe = subprocess.PIPE
    path = str(Path(__file__).with_name(script))
    return subprocess.Popen([python, path, str(data), form], stdin=pipe, stdout=pipe, text=True)


def write_data(designs: list[Neuron], path: Path) -> None:
    leak = designs[0].leak
    (r_s, v_t) = (designs[0].r_s, designs[0].thermal_voltage)
    (g_0, g_1) = (1 / leak.r_off, 1 / leak.r_on - 1 / leak.r_off)
    np.savez(
        path,
        c_inv=[1 / n.c for n in designs],
        tau=[n.leak.tau for n in designs],
        v_th=[n.v_th for n in designs],
        **{"g_0": g_0, "g_1": g_1, "d_0": 1 + r_s * g_0, "d_1": r_s * g_1, "i_on": 1e-3},
        **{"k": math.exp((leak.v_on + leak.v_off) / v_t), "v_on": leak.v_on, "v_t": v_t},
        **{"v_off": leak.v_off, "r_on": leak.r_on, "r_off": leak.r_off, "r_s": r_s},
        **{"h": H, "t_stop": designs[0].t_stop},
    )


def compare(sides: dict[str, Callable[[], tuple]], rounds: int) -> None:
    """Print nanoseconds a step, medians, and how they compare."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    ends = {}
    for n in range(rounds + 1):
        for name, side in sides.items():
            (spent, steps, ends[name]) = side()
            if n:  # the first round warms up
                times[name].append(spent / steps * 1e9)
    own = statistics.median(times["batched"])
    print(f"{'':19}{'ns a step':>10}{'of all rounds':>17}{'over batched':>14}")
    for name, values in times.items():
        median = statistics.median(values)
        span = f"{min(values):.2f} to {max(values):.2f}"
        print(f"{name:19}{median:10.2f}{span:>17}{median / own:14.3f}")
    for name, end in ends.items():
        if name in EXPONENTIALS:
            off = np.abs(end[:, :3] - ends["batched"][:, :3]).max()
            same = np.array_equal(end[:, 5:], ends["batched"][:, 5:])
            print(
                f"{name}: steps and spikes {'equal' if same else 'DIFFER'}, state within {off:.1e}"
            )


def clock(jobs: list[Job], count: int) -> float:
    start = time.perf_counter()
    run_jobs(jobs, count)
    return time.perf_counter() - start


def threads(jobs: list[Job], rounds: int) -> None:
    (one, two) = (math.inf, math.inf)
    for _ in range(rounds):
        (one, two) = (min(one, clock(jobs, 1)), min(two, clock(jobs, 2)))
    print(f"two threads: {one / two:.2f} times one ({one:.2f} s, {two:.2f} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brian2", help="Python that has Brian2")
    parser.add_argument("--jax", help="Python that has JAX")
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    designs = neurons(NEURONS)
    with tempfile.TemporaryDirectory() as folder:
        libraries = {}
        for name, flags in EXPONENTIALS.items():
            target = Path(folder, f"batch{len(libraries)}.so")
            source = str(Path(__file__).with_suffix(".c"))
            command = ["gcc", *FLAGS, *flags, "-o", str(target), source, "-lm"]
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                libraries[name] = ctypes.CDLL(str(target))
            else:
                print(f"{name}: not compiled; it needs gcc and a processor with AVX-512")
        data = Path(folder, "neurons.npz")
        write_data(designs, data)
        others = {
            f"{name}, {form}": start_other(python, script, data, form)
            for name, python, script in (
                ("Brian2", options.brian2, "batch_brian2.py"),
                ("JAX", options.jax, "batch_jax.py"),
            )
            for form in ("as written", "reduced")
        }
        print(f"{platform.machine()}, Python {platform.python_version()}; {NEURONS} neurons")
        for variant in driver.VARIANTS:
            print(f"\n{variant}")
            jobs = [_job(neuron, variant, H) for neuron in designs]
            sides: dict[str, Callable[[], tuple]] = {"batched": partial(in_lanes, jobs)}
            sides |= {name: partial(in_c, lib, jobs) for name, lib in libraries.items()}
            sides["one at a time"] = partial(alone, jobs)
            if variant == "ideal":
                steps = NEURONS * round(designs[0].t_stop / H)
                for name, process in others.items():
                    if process is None:
                        print(f"{name}: not installed")
                    else:
                        sides[name] = partial(other, process, steps)
            compare(sides, options.rounds)
            threads(jobs * 2, options.rounds)
        for process in others.values():
            if process is not None:
                process.communicate()


if __name__ == "__main__":
    main()
