"""Whether a netlist in parameters is the neuron in numbers, and stays one when it is stepped.

Two tables, all by ngspice:

- Styles: for each preset (real and ideal parts) and for random designs (those of
  `step_steering.py`), the worst distance of spikes between ``style="numbers"`` and
  ``style="parameters"``, and the same with the neuron as a subcircuit.
- Steps: c, tau (r of a plain leak) and v_th of the deck in parameters are changed in ngspice
  (``alterparam``, ``reset``, ``run``) and compared with a deck of numbers that is rendered for that
  value, for the presets and some of the random designs. Values at which the neuron would not work
  are left out.

Usage: python benchmarks/deck_to_edit.py [--quick] [--designs N] [--stepped N] [--t-stop S]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from step_steering import random_designs

from spicealif import Neuron, load_preset
from spicealif.design import MemristorModel, preset_names
from spicealif.errors import DesignError
from spicealif.netlist import build_netlist
from spicealif.rawfile.raw import read_raw
from spicealif.simulators.judge import spike_times
from spicealif.simulators.ngspice.batch import NgspiceBatch

Floats = NDArray[np.float64]
#: What a parameter is multiplied by.
FACTORS = {"c": (0.47, 2.2), "tau": (0.2, 3.0), "leak_r": (1.5,), "v_th": (0.8, 1.25)}
SIMULATOR = NgspiceBatch()


def spikes(neuron: Neuron, **kind: object) -> Floats:
    """Return the spikes of a netlist in s."""
    run = SIMULATOR.run(build_netlist(neuron, **kind), timeout=600)  # type: ignore[arg-type]
    assert run.ok and run.waveforms is not None, run.message
    return run.waveforms.t_spike


def apart(a: Floats, b: Floats) -> float:
    """Return the worst distance of two trains in s; infinite if they differ in number."""
    return float(np.abs(a - b).max(initial=0.0)) if len(a) == len(b) else float("inf")


def steps(neuron: Neuron) -> Iterator[tuple[str, str, float, float]]:
    """Give a parameter's name, the design's, its value and the value that it is stepped to."""
    leak = neuron.leak
    if isinstance(leak, MemristorModel):
        inner = ("tau", "leak.tau", getattr(leak, "tau", 0.0))
    else:
        inner = ("leak_r", "leak.r", leak.r)
    for name, path, value in (("c", "c", neuron.c), inner, ("v_th", "v_th", neuron.v_th)):
        for factor in FACTORS[name]:
            yield name, path, value, value * factor


def stepped(neuron: Neuron, changes: list[tuple[str, float, float]]) -> list[tuple[Floats, Floats]]:
    """Return time and output of the deck in parameters after each change, in one ngspice."""
    commands = [".control"]
    for k, (name, usual, value) in enumerate(changes):
        commands += [f"alterparam {name}={value!r}", "reset", "run", f"write {k}.raw"]
        commands += ["destroy all", f"alterparam {name}={usual!r}"]
    control = "\n".join([*commands, ".endc"])
    text = build_netlist(neuron, style="parameters").text
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "deck.cir").write_text(text.replace("\n.end\n", f"\n{control}\n.end\n"))
        subprocess.run(
            ["ngspice", "-n", "-b", "deck.cir"],
            cwd=folder, env={"HOME": os.sep, **os.environ}, capture_output=True, check=False,
        )  # fmt: skip
        out = []
        for k in range(len(changes)):
            (plot,) = read_raw(folder / f"{k}.raw")
            out.append((np.array(plot["time"]), np.array(plot["v(spike)"])))
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", type=int, default=20, help="number of random designs")
    parser.add_argument("--stepped", type=int, default=4, help="how many of them are stepped")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--t-stop", type=float, default=2e-3, help="length of the runs in s")
    parser.add_argument("--quick", action="store_true", help="short runs, two designs")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.designs, arguments.stepped, arguments.t_stop = 2, 1, 5e-4
    found = {name: load_preset(name).replace(t_stop=arguments.t_stop) for name in preset_names()}
    neurons = found | {f"{name}, ideal": neuron.ideal() for name, neuron in found.items()}
    random = random_designs(arguments.seed, arguments.designs, arguments.t_stop)
    neurons |= {f"random {k}": neuron for k, neuron in enumerate(random)}
    print(f"ngspice, {arguments.t_stop * 1e3:g} ms, seed {arguments.seed}; distances in ns\n")
    print(f"{'neuron':22s} spikes  parameters  subcircuit", flush=True)
    named, inside = [], []
    for name, neuron in neurons.items():
        plain = spikes(neuron)
        named.append(apart(plain, spikes(neuron, style="parameters")))
        inside.append(apart(plain, spikes(neuron, style="parameters", subcircuit=True)))
        print(
            f"{name:22s} {len(plain):6d} {named[-1] * 1e9:11.5f} {inside[-1] * 1e9:11.5f}",
            flush=True,
        )
    print(f"{'worst':22s}        {max(named) * 1e9:11.5f} {max(inside) * 1e9:11.5f}\n")
    print(f"{'neuron':22s} step to          spikes  distance", flush=True)
    worst, count, refused = 0.0, 0, 0
    left_out = [f"random {k}" for k in range(arguments.stepped, arguments.designs)]
    for name, neuron in neurons.items():
        if name in left_out:
            continue
        changes, others = [], []
        for parameter, path, usual, value in steps(neuron):
            try:
                others.append(neuron.replace({path: value}))
            except DesignError:
                refused += 1
                continue
            changes.append((parameter, usual, value))
        for other, (parameter, _, value), (time, output) in zip(
            others, changes, stepped(neuron, changes), strict=True
        ):
            plain = spikes(other)
            distance = apart(plain, spike_times(time, output, other))
            worst, count = max(worst, distance), count + 1
            step = f"{parameter} = {value:.4g}"
            print(f"{name:22s} {step:16s} {len(plain):6d} {distance * 1e9:9.5f}", flush=True)
    print(f"{count} steps, {refused} refused by the design; worst {worst * 1e9:.5f} ns")


if __name__ == "__main__":
    main()
