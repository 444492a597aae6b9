"""The circuit's equations as a side, against ngspice at a tight tolerance, figure by figure.

Random neurons (`benchmarks/step_steering.py`) with random devices of each memristor model
(`tests/_helpers/_random_devices.py`). Of each figure of the table: what the two sides differ by,
the error that the equations' run prints, and what ngspice's figure changes by between a reltol of
1e-8 and 1e-9, which is about its own error. A figure agrees if the difference is within the sum.

Usage: python benchmarks/equations_spice.py [--designs 20] [--t-stop 5e-3] [--models mms gmms ...]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from step_steering import random_designs

from spicealif import Neuron, simulate
from spicealif.circuit import check_circuit
from spicealif.design.devices.registry import OWN
from spicealif.errors import DesignError, SpicealifError
from spicealif.measures.one_side import MEASURES, measure
from spicealif.reference import solve_reference
from spicealif.simulators.ngspice.batch import NgspiceBatch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "_helpers"))
from _random_devices import random_device

NAMES = [name for name, info in MEASURES.items() if not info.pair]


def neurons(model: str, count: int, t_stop: float) -> list[Neuron]:
    """Return random neurons around random devices of a model, which fire at least 5 times."""
    if model == "mms":
        return random_designs(1, count, t_stop)
    found: list[Neuron] = []
    seed = 0
    while len(found) < count:
        seed += 1
        rng = np.random.default_rng(seed)
        base = random_designs(seed, 1, t_stop)[0]
        try:
            neuron = base.replace(leak=random_device(OWN[model], rng))
            if 5 <= len(solve_reference(neuron, "schmitt").t_spike) <= 500:
                found.append(neuron)
        except (DesignError, SpicealifError):
            continue
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=20)
    parser.add_argument("--t-stop", type=float, default=5e-3)
    parser.add_argument("--models", nargs="*", default=list(OWN))
    arguments = parser.parse_args()
    tool = NgspiceBatch()
    print("model     figures  within  worst: figure, difference, printed error, ngspice's own")
    for model in arguments.models:
        rows: list[tuple[float, str, float, float, float]] = []
        for neuron in neurons(model, arguments.designs, arguments.t_stop):
            equations = simulate(neuron, "equations").require()
            check = check_circuit(equations, neuron)
            tight, loose = (
                measure(simulate(neuron.replace({"numerics.reltol": r}), tool).require(), neuron)
                for r in (1e-9, 1e-8)
            )
            ours = measure(equations, neuron)
            for name in NAMES:
                if np.ndim(ours[name]) or not np.isfinite(float(ours[name])):
                    continue
                gap = abs(float(ours[name]) - float(tight[name]))
                printed = abs(check.errors[name]) + check.own_errors[name]
                own = abs(float(tight[name]) - float(loose[name]))
                rows.append((gap / (printed + own) if gap else 0.0, name, gap, printed, own))
        worst = max(rows)
        print(
            f"{model:9s} {len(rows):7d} {sum(r[0] <= 1 for r in rows):7d}  {worst[1]}: "
            f"{worst[2]:.3g}, {worst[3]:.3g}, {worst[4]:.3g} (ratio {worst[0]:.2f}); by figure: "
            + ", ".join(
                f"{name} {max((r[0] for r in rows if r[1] == name), default=0):.2g}"
                for name in NAMES if any(r[1] == name and r[0] > 1 for r in rows)
            ), flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
