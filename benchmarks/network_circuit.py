"""Circuit side of networks: cost against size, and beside the flat deck in ngspice.

    python benchmarks/network_circuit.py [--flat 8] [--large] [--windows]

Rings of the paper's neurons (2 kohm and a diode, drives 3 % apart), 2 ms. CPU seconds of this
process and of ngspice, in one run; the compiled code is made before. ``--flat N`` runs N neurons
as one deck (reltol 1e-8) and compares spikes. ``--large``: 1,000 neurons, 10,000 synapses, 10 ms,
or as long as ``--t-stop`` says. ``--synapses``: 60 neurons, 0.2 ms, with 1, 3 and 10 each.
``--windows``: cost against the length of fixed windows.
"""

import argparse
import resource
import time

import numpy as np

from spicealif.design import load_preset
from spicealif.network import (
    DiodeSynapse,
    FixedInDegree,
    FromList,
    Network,
    Population,
    Projection,
    solve_network,
)
from spicealif.network.circuit import solve
from spicealif.network.spice import run_flat

PAPER = load_preset("paper")


def ring(n: int, t_stop: float = 2e-3) -> Network:
    amplitudes = tuple(1e-3 * (1 + 0.03 * ((7 * k) % n) / n) for k in range(n))
    return Network(
        populations=[
            Population(
                name="n", neuron=PAPER, size=n, parameters={"stimulus.amplitude": amplitudes}
            )
        ],
        projections=[
            Projection(
                source="n", target="n", synapse=DiodeSynapse(r=2e3),
                connector=FromList(connections=[(k, (k + 1) % n) for k in range(n)]),
            )
        ],
        t_stop=t_stop,
    )  # fmt: skip


def random_network(n: int, in_degree: int, t_stop: float) -> Network:
    amplitudes = tuple((0.8e-3 + 0.4e-3 * np.random.default_rng(1).random(n)).tolist())
    return Network(
        populations=[
            Population(
                name="n", neuron=PAPER, size=n, parameters={"stimulus.amplitude": amplitudes}
            )
        ],
        projections=[
            Projection(
                source="n", target="n", synapse=DiodeSynapse(r=20e3),
                connector=FixedInDegree(in_degree=in_degree),
            )
        ],
        t_stop=t_stop, seed=1,
    )  # fmt: skip


def cpu(who: int = resource.RUSAGE_SELF) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def measured(network: Network, **options: object) -> tuple[float, object]:
    began = cpu()
    solution = solve_network(network, **options)  # type: ignore[arg-type]
    return cpu() - began, solution


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flat", type=int, default=0)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--synapses", action="store_true")
    parser.add_argument("--t-stop", type=float, default=10e-3, help="of --large, in s")
    parser.add_argument("--windows", action="store_true")
    options = parser.parse_args()
    measured(ring(3, 2e-4))
    if options.windows:
        solve.FEW, solve.MANY = 0.0, 99.0
        for window in (5e-6, 10e-6, 20e-6, 50e-6, 100e-6):
            solve.FIRST_WINDOW = window
            took, solution = measured(ring(8))
            print(f"window {window:g} s: {took:.2f} s of CPU, {solution.n_steps} steps")
        return
    if options.synapses:
        for in_degree in (1, 3, 10):
            took, solution = measured(random_network(60, in_degree, 2e-4))
            print(
                f"60 neurons, {in_degree} synapses each: {took:.1f} s of CPU, {solution.windows}"
                f" windows, {solution.n_steps} steps, {1e6 * took / solution.n_steps:.0f} us a step"
            )
        return
    if options.large:
        began = time.perf_counter()
        took, solution = measured(
            random_network(1000, 10, options.t_stop),
            progress=lambda part: print(f"\r{part:.1%}", end="", flush=True),
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"\r1000 neurons, 10000 synapses, {1e3 * options.t_stop:g} ms:"
            f" {time.perf_counter() - began:.0f} s, {took:.0f} s of CPU, {peak:.0f} MiB,"
            f" {sum(map(len, solution.t_spike))} spikes,"
            f" {solution.windows} windows, {solution.n_steps} steps"
        )
        return
    for n in (8, 16, 32, 64):
        for rtol in (1e-6, 1e-5):
            took, solution = measured(ring(n), rtol=rtol)
            print(
                f"{n} neurons, rtol {rtol:g}: {took:.2f} s of CPU, {1e3 * took / n:.0f} ms a "
                f"neuron, {solution.windows} windows, {solution.n_steps} steps"
            )
    if options.flat:
        network = ring(options.flat)
        before = cpu(resource.RUSAGE_CHILDREN)
        flat = run_flat(network, reltol=1e-8)
        took = cpu(resource.RUSAGE_CHILDREN) - before
        print(f"{options.flat} neurons as one deck: {took:.1f} s of CPU")
        for rtol in (1e-7, 1e-6, 1e-5):
            ours, solution = measured(network, rtol=rtol)
            worst = max(
                float(np.abs(a - b).max()) if len(a) == len(b) else np.inf
                for a, b in zip(solution.t_spike, flat.t_spike, strict=True)
            )
            print(f"rtol {rtol:g}: {took / ours:.0f} times less, worst spike {worst * 1e9:.2f} ns")


if __name__ == "__main__":
    main()
