"""How often a fit doubts loops that are right, and how often it names what is wrong with others.

Random devices of each model (within a factor of 3.2 of the example's parameters) behind 100 ohm to
10 kohm are solved by this project's integrator under sine and pulse drives, as a steady state and
as a single shot, and 1 % of noise is added to each signal. The checks before a fit must let all of
them pass; then one thing is made wrong at a time. The measured loops beside the project, if they
are there, pass the same way.

    python benchmarks/fit_faults.py [DEVICES] [NOISE]
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spicealif.design import MODELS
from spicealif.errors import FitError
from spicealif.fit import Loop, read_loop
from spicealif.fit._checks import check_loops
from spicealif.reference.series.solve import solve_series

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT / "tests" / "_helpers"))
from _random_devices import random_circuit  # noqa: E402 - the tests' folder is no package

#: What is made wrong: name, what is done to (v_mem, i, v_in), whether nothing but a refusal counts
FAULTS: dict[str, tuple[Callable, str]] = {
    "wired in reverse": (lambda v, i, u, r: (-v, -i, -u, r), "reverse"),
    "|I|": (lambda v, i, u, r: (v, np.abs(i), u, r), "magnitude"),
    "|I|, v_in made of it": (lambda v, i, u, r: (v, np.abs(i), v + r * np.abs(i), r), "magnitude"),
    "|I|, v_mem made of it": (lambda v, i, u, r: (u - r * np.abs(i), np.abs(i), u, r), "magnitude"),
    "current's sign": (lambda v, i, u, r: (v, -i, u, r), "sign"),
    "channels exchanged": (lambda v, i, u, r: (u, (v - u) / r, v, r), "exchanged"),
    "mV as V": (lambda v, i, u, r: (v * 1e3, i * 1e3, u * 1e3, r), "unit"),
    "mA as A, v_in made of it": (lambda v, i, u, r: (v, i * 1e3, v + r * i * 1e3, r), "unit"),
    "mA as A, v_mem made of it": (lambda v, i, u, r: (u - r * i * 1e3, i * 1e3, u, r), "unit"),
    "A as mA, v_mem made of it": (lambda v, i, u, r: (u - r * i / 1e3, i / 1e3, u, r), "unit"),
    "mA as A, all three": (lambda v, i, u, r: (v, i * 1e3, u, r), "unit"),
    "times 1e200": (lambda v, i, u, r: (v * 1e200, i * 1e200, u * 1e200, r), "unit"),
}


def doubts(*loops: Loop) -> tuple[str, str]:
    """Return "refused", "warned" or "passed", and the words."""
    try:
        said = check_loops(loops)
    except FitError as error:
        return "refused", str(error)
    return ("warned", " ".join(said)) if said else ("passed", "")


def drawn(model: type, rng: np.random.Generator, noise: float, drive: str, steady: bool) -> Loop:
    """Return a loop of a random device."""
    circuit = random_circuit(model, rng, drive)
    period = circuit.t_stop
    periods = 8 if steady else int(rng.integers(1, 4))
    trace = solve_series(circuit.replace(t_stop=periods * period))
    n = int(rng.integers(150, 400))
    begin = (periods - 1) * period if steady else 0.0
    t = begin + np.arange(n) / n * (periods * period - begin)
    clean = [np.interp(t, trace.time, trace[name]) for name in ("v_mem", "i_mem", "v_in")]
    v, i, u = (y + noise * np.abs(y).max() * rng.standard_normal(n) for y in clean)
    return Loop(t - t[0], v, i, u, circuit.r_s, period if steady else None)


def main(devices: int = 300, noise: float = 0.01) -> None:
    for name, model in MODELS.items():
        rng = np.random.default_rng(12)
        loops = [
            drawn(model, rng, noise, ("sine", "pulse")[k % 2], k % 4 < 2) for k in range(devices)
        ]
        report(name, loops)
    folder = _ROOT.parent / "shared" / "measured"
    if folder.exists():
        with (folder / "index.csv").open(encoding="utf-8") as file:
            report("measured", [read_loop(folder / row["file"]) for row in csv.DictReader(file)])


def report(name: str, loops: list[Loop]) -> None:
    """Print how the checks judge right loops and wrong ones."""
    counts = Counter()
    for loop in loops:
        (what, words) = doubts(loop)
        counts[what] += 1
        if what != "passed":
            print(f"  false alarm: {words}")
    print(f"{name}: {len(loops)} right loops, {dict(counts)}", flush=True)
    for fault, (change, word) in FAULTS.items():
        counts = Counter()
        for loop in loops:
            (v, i, u, r) = change(loop.v_mem, loop.i, loop.v_in, loop.r_s)
            (what, words) = doubts(Loop(loop.time, v, i, u, r, loop.period))
            counts[what] += 1
            counts["cause named"] += word in words
        print(f"  {fault:28} {dict(counts)}", flush=True)
    periodic = [loop for loop in loops if loop.period]
    for fault, factor in (("twice the frequency", 0.5), ("1e300 Hz", 1e-300)):
        counts = Counter()
        for loop in periodic:
            wrong = Loop(loop.time, loop.v_mem, loop.i, loop.v_in, loop.r_s, loop.period * factor
                         if factor > 1e-9 else factor)  # fmt: skip
            counts[doubts(wrong)[0]] += 1
        print(f"  {fault:28} {dict(counts)}", flush=True)
    twice = Counter(doubts(loop, loop)[0] for loop in loops[:30])
    other = Counter(doubts(*pair)[0] for pair in itertools.pairwise(loops[:31]))
    print(f"  {'the same twice':28} {dict(twice)}; two records: {dict(other)}", flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*(int(a) for a in arguments[:1]), *(float(a) for a in arguments[1:]))
