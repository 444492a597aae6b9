"""How far the circuit's spikes move when the tolerances are tightened tenfold.

Runs each preset over its whole length at the default settings, at a tenth of the default reltol,
and at half the default largest step, and prints the spike counts and the worst movement of a
spike. With --ideal also the all-ideal circuit against the `schmitt` reference.

Usage: python benchmarks/refinement.py [--preset NAME ...] [--ideal]
"""

from __future__ import annotations

import argparse

import numpy as np

from spicealif import Neuron, load_preset, preset_names, simulate, solve_reference


def moved(a: np.ndarray, b: np.ndarray) -> str:
    """Return the worst difference of two spike trains as text."""
    if len(a) != len(b):
        return "count differs"
    return f"{np.abs(a - b).max() * 1e9:.2f} ns"


def refine(neuron: Neuron) -> None:
    """Print one preset's rows."""
    numerics = neuron.numerics
    variants = {
        "default": {},
        "reltol / 10": {"numerics.reltol": numerics.reltol / 10},
        "largest step / 2": {"numerics.t_step_max": numerics.t_step_max / 2},
    }
    base = None
    for name, change in variants.items():
        run = simulate(neuron.replace(change))
        spikes = run.require().t_spike
        base = spikes if base is None else base
        print(
            f"{neuron.name:14s} {name:18s} {len(spikes):5d} spikes {run.cost.points:9d} points "
            f"{run.cost.cpu_s:7.1f} s  moved {moved(spikes, base)}",
            flush=True,
        )


def against_schmitt(neuron: Neuron) -> None:
    """Print the all-ideal circuit against the reference with the same discharge."""
    ideal = neuron.ideal()
    circuit = simulate(ideal).require().t_spike
    reference = solve_reference(ideal, "schmitt").t_spike
    print(f"{neuron.name}: all-ideal circuit {len(circuit)}, schmitt reference {len(reference)}")
    if len(circuit) != len(reference):
        return
    intervals = np.diff(circuit) - np.diff(reference)
    starts, _ = neuron.stimulus.windows(neuron.t_stop)
    inside = np.diff(np.searchsorted(starts, reference, side="right")) == 0
    low, high = intervals[inside].min() * 1e9, intervals[inside].max() * 1e9
    print(f"  intervals within pulses differ by {low:.1f} to {high:.1f} ns")
    if not inside.all():
        low, high = intervals[~inside].min() * 1e9, intervals[~inside].max() * 1e9
        print(f"  intervals across a pause differ by {low:.1f} to {high:.1f} ns")
    print(f"  worst spike-time difference {moved(circuit, reference)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", action="append", choices=preset_names())
    parser.add_argument("--ideal", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.preset or preset_names():
        neuron = load_preset(name)
        refine(neuron)
        if arguments.ideal:
            against_schmitt(neuron)


if __name__ == "__main__":
    main()
