"""What a run costs that is as accurate as `numerics.accuracy` asks for, and whether it is.

The random designs of `benchmarks/step_steering.py` (50 ms, real parts), and the preset paper. Each
is run as `spicealif run` does, and once with the fixed settings that were the default before: a
reltol of 1e-8 and 100 steps per charge. Errors are against the circuit's own equations at a rtol
of 1e-9, which is not what the run itself was judged by. CPU times are the simulator's, of
all runs of a design together, measured one after the other in one process.

Usage: python benchmarks/accuracy.py [--seeds 7 11] [--designs 24] [--accuracy 20e-9] [--no-fixed]
"""

from __future__ import annotations

import argparse

import numpy as np
from step_steering import random_designs

from spicealif import load_preset
from spicealif.circuit import solve_circuit
from spicealif.netlist import build_netlist
from spicealif.simulators import get_simulator
from spicealif.simulators.accurate import run_accurately, solve_spike_judge, spikes_of

#: The fixed settings that are compared with.
BEFORE = {"numerics.reltol": 1e-8, "numerics.steps_per_charge": 100}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[7, 11])
    parser.add_argument("--designs", type=int, default=24)
    parser.add_argument("--accuracy", type=float, default=20e-9)
    parser.add_argument("--no-fixed", action="store_true", help="leave out the fixed settings")
    arguments = parser.parse_args()
    print(
        "design    spikes  runs    reltol  judged  error   points     CPU  fixed: CPU   error  "
        "ratio\n"
        "                                      ns     ns                s           s      ns"
    )
    tool = get_simulator("ngspice-batch")
    errors, judged, ratios, runs = [], [], [], []
    designs = {"paper": load_preset("paper")}
    for seed in arguments.seeds:
        found = random_designs(seed, arguments.designs)
        designs |= {f"{seed:2d} {k:3d}": n for k, n in enumerate(found)}
    for name, design in designs.items():
        neuron = design.replace({"numerics.accuracy": arguments.accuracy})
        exact = solve_circuit(neuron, rtol=1e-9).t_spike
        done = run_accurately(
            neuron, tool, lambda neuron=neuron: spikes_of(solve_spike_judge(neuron))
        )
        last = done.attempts[-1]
        error = worst(done.run.require().t_spike, exact)
        row = (
            f"{name:9s} {len(exact):6d} {len(done.attempts):5d} {last.reltol:9.1e} "
            f"{last.error * 1e9:7.2f} {error * 1e9:6.2f} {done.run.cost.points:8d} "
            f"{done.run.cost.cpu_s:7.2f}"
        )
        if not arguments.no_fixed:
            fixed = tool.run(build_netlist(neuron.replace(BEFORE), tool.dialect))
            ratio = done.run.cost.cpu_s / fixed.cost.cpu_s
            other = worst(fixed.require().t_spike, exact)
            row += f" {fixed.cost.cpu_s:11.2f} {other * 1e9:7.2f} {ratio:6.2f}"
            ratios.append(ratio)
        print(row, flush=True)
        errors.append(error)
        judged.append(last.error)
        runs.append(len(done.attempts))
    within = sum(e <= arguments.accuracy for e in errors)
    print(
        f"{within} of {len(errors)} within {arguments.accuracy * 1e9:g} ns (judged to be: "
        f"{sum(e <= arguments.accuracy for e in judged)}); runs: "
        + ", ".join(f"{k}: {runs.count(k)}" for k in sorted(set(runs)))
        + (f"; CPU against fixed: median {np.median(ratios):.2f}, most {max(ratios):.2f}"
           if ratios else "")
    )  # fmt: skip


def worst(found: np.ndarray, exact: np.ndarray) -> float:
    """Return the worst distance of a spike in s; infinite if the counts differ."""
    return float(np.abs(found - exact).max(initial=0.0)) if len(found) == len(exact) else np.inf


if __name__ == "__main__":
    main()
