"""Cost and power against size.

The preset `ring` with more neurons: what the circuit side and ngspice's flat deck take, and what
energy a spike takes. Seconds are of processor time of this machine, measured anew each time.

Usage: python cost.py [--output FOLDER] [--quick] [--text]
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from study import FINER, Study, accuracy, claim, quantity, table

from spicealif.network import (
    FromList,
    Network,
    Population,
    load_network_preset,
    solve_network,
)
from spicealif.network.spice import run_flat
from spicealif.plots import COLUMN_WIDTH, figure_style

SIZES, FLAT, T_STOP = (1, 2, 4, 8, 16, 32, 64, 128), (1, 2, 4), 2e-3
#: Drives are repeated after so many neurons, as in the preset.
DRIVES = 8
#: Flat decks of more neurons took so many seconds of processor time where this was designed:
#: ring of such neurons, 2 kohm, 2 ms, reltol 1e-8, ngspice 39, one core. Not measured here.
EARLIER = {8: 57.0, 16: 282.0}


def network(n: int) -> Network:
    """Return a ring of n neurons; of one alone without a synapse."""
    preset = load_network_preset("ring")
    population, projection = preset.population("n"), preset.projections[0]
    drives = population.parameters["stimulus.amplitude"].tolist()
    return Network(
        name="ring",
        populations=(
            Population(
                name="n", neuron=population.neuron, size=n,
                parameters={"stimulus.amplitude": tuple(drives[k % DRIVES] for k in range(n))},
            ),
        ),
        projections=() if n == 1 else (
            projection.replace(connector=FromList(
                connections=tuple((k, (k + 1) % n) for k in range(n)))),
        ),
        t_stop=T_STOP,
    )  # fmt: skip


def row(n: int) -> dict[str, Any]:
    """Return cost, energy and power of one size."""
    small = network(n)
    began = time.process_time()
    solution = solve_network(small)
    took = time.process_time() - began
    spikes = sum(len(t) for t in solution.t_spike)
    return {
        "n": n,
        "cpu_s": took,
        "solved": solution.solved,
        "windows": solution.windows,
        "spikes": spikes,
        "energy_stimulus": float(solution.energy.sum()),
        "energy_supply": float(solution.energy_supply.sum()),
    }


def flat(n: int) -> dict[str, Any]:
    """Return what ngspice took for the flat deck, and how far its spikes are."""
    run = run_flat(network(n)).require()
    better = solve_network(network(n), **FINER)
    worst = max(
        float(np.abs(a - b).max()) for a, b in zip(run.t_spike, better.t_spike, strict=True)
    )
    return {"n": n, "cpu_s": run.run.cost.cpu_s, "points": run.run.cost.points, "worst": worst}


def run(quick: bool) -> dict[str, Any]:
    """Run the study."""
    solve_network(network(2).replace(t_stop=1e-4))  # compiles
    result: dict[str, Any] = {"rows": [row(n) for n in (SIZES[:2] if quick else SIZES)]}
    if not quick:
        result["flat"] = [flat(n) for n in FLAT]
        result["check"] = accuracy(network(16), witnesses=(0, 7))
        neuron = network(1).population("n").neuron
        result["quiescent"] = quiescent(network(1).replace({"populations.n.parameters": {
            "stimulus.amplitude": [0.0]}}))  # fmt: skip
        result["v_pos"] = neuron.supplies.v_pos
    return result


def quiescent(silent: Network) -> float:
    """Return the power in W of a neuron that does not fire."""
    solution = solve_network(silent)
    return float(solution.energy_supply[0] / silent.t_stop)


def text(result: dict[str, Any]) -> str:
    """Return the text."""
    rows = {one["n"]: one for one in result["rows"]}
    flat_decks = {one["n"]: one for one in result["flat"]}

    def deck(n: int) -> str:
        if n in flat_decks:
            return f"{flat_decks[n]['cpu_s']:.2g}"
        return f"{EARLIER[n]:.0f} (not measured here)" if n in EARLIER else "-"

    lines = [
        [
            str(n), f"{one['cpu_s']:.2g}", f"{one['cpu_s'] / n:.2g}", deck(n), str(one["spikes"]),
            quantity(one["energy_supply"] / T_STOP / n, "W"),
            quantity(one["energy_supply"] / one["spikes"], "J"),
            quantity(one["energy_stimulus"] / one["spikes"], "J"),
        ]
        for n, one in rows.items()
    ]  # fmt: skip
    growth = rows[64]["cpu_s"] / rows[8]["cpu_s"]
    claim(growth < 9, "The cost is linear.")
    deck_4, deck_1 = flat_decks[4], flat_decks[1]
    claim(deck_4["cpu_s"] > 6 * deck_1["cpu_s"], "The flat deck's cost is more than linear.")
    power = [one["energy_supply"] / T_STOP / n for n, one in rows.items()]
    claim(max(power) < 1.02 * min(power), "Power goes with the number of neurons.")
    still = result["quiescent"] / np.mean(power)
    check = result["check"]
    return "\n".join(
        [
            f"Rings of the preset `ring` (2 kohm, drives of {DRIVES} neurons repeated), "
            f"{quantity(T_STOP, 's')}; one neuron is alone. Seconds of processor",
            "time of two busy cores, compiled code; energies with rtol 1e-6:",
            "",
            table(
                ["neurons", "circuit side, s", "s a neuron", "flat deck in ngspice, s", "spikes",
                 "power a neuron", "supplies, a spike", "stimulus, a spike"], lines,
            ),
            "",
            f"- From 8 to 64 neurons the circuit side takes {growth:.1f} times as long. The flat "
            f"deck takes {deck_4['cpu_s'] / deck_1['cpu_s']:.0f} times as long from",
            "  one neuron to four. Its rows of 8 and 16 are from the table of the design "
            "(`reltol` 1e-8), of an earlier prototype.",
            f"- The power does not depend on the size: neurons do not share a supply. A neuron "
            f"that does not fire takes {still:.1%} of it",
            f"  ({quantity(result['quiescent'], 'W')}: comparator, op-amp and the feedback's "
            "resistors), so that energy a spike is mostly the time between two.",
            "",
            "How sure: the spikes of the flat decks are within "
            f"{quantity(max(one['worst'] for one in result['flat']), 's')} of the circuit side "
            "with rtol 1e-7 and t_tol 1e-10.",
            f"Of 16 neurons, solved as above, they are within {quantity(check['finer'], 's')} of "
            f"that, and that within {quantity(check['witness'], 's')} of the witness",
            f"decks of {' and '.join(check['witnesses'])}. Seconds are of one run on a busy "
            "machine.",
        ]
    )  # fmt: skip


def draw(result: dict[str, Any]) -> Figure:
    """Draw the cost."""
    with figure_style():
        figure = Figure(figsize=(COLUMN_WIDTH / 25.4, 2.2), layout="constrained")
        ax = figure.subplots()
        for label, rows, mark in (
            ("circuit side", result["rows"], "o-"),
            ("flat deck, ngspice", result["flat"], "s-"),
        ):
            ax.loglog([r["n"] for r in rows], [r["cpu_s"] for r in rows], mark, ms=3, label=label)
        ax.loglog(list(EARLIER), list(EARLIER.values()), "C1s", mfc="none", ms=3,
                  label="flat deck, earlier")  # fmt: skip
        # The style has no mathematical text, in which powers of ten are written by themselves.
        ax.set_xticks(SIZES, [str(n) for n in SIZES])
        ax.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        ax.minorticks_off()
        ax.set_xlabel("neurons in the ring")
        ax.set_ylabel("processor time in s")
        ax.legend(loc="lower right")
    return figure


STUDY = Study("cost", run, draw, text)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the study."""
    STUDY.main(__doc__ or "", argv)


if __name__ == "__main__":
    main()
