"""How adaptation travels down a chain.

A chain of neurons as in the preset `chain`, the first of them driven: each fires because the one
before it did. Leaks are memristors or resistors, of the first neuron and of the others each, so
that what a neuron adapts to itself and what it is handed on are told apart.

Usage: python chain.py [--output FOLDER] [--quick] [--text]
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from study import Study, accuracy, claim, counts, quantity, table

from spicealif.measures.spikes import adaptation_index
from spicealif.network import (
    FromList,
    Network,
    Population,
    Projection,
    load_network_preset,
    solve_network,
)
from spicealif.plots import COLUMN_WIDTH, figure_style

SIZE, T_STOP, WINDOW = 5, 20e-3, 2e-3
#: Leaks of the first neuron and of the others. The resistor is what the memristor is at x = 0.
VARIANTS = {
    "all memristors": (True, True),
    "first memristor": (True, False),
    "others memristors": (False, True),
    "all resistors": (False, False),
}
#: The check is of the beginning, with these neurons' decks.
T_CHECK, WITNESSES = 4e-3, (0, 4)


def network(first: bool, others: bool, t_stop: float = T_STOP) -> Network:
    """Return the chain; true is a memristor."""
    preset = load_network_preset("chain")
    neuron, synapse = preset.population("n").neuron, preset.projections[0]
    resistor = {"kind": "resistor", "r": neuron.leak.r_off}

    def population(name: str, size: int, memristor: bool, drive: float) -> Population:
        leak = neuron.leak if memristor else resistor
        of = neuron.replace({"leak": leak, "stimulus.amplitude": drive})
        return Population(name=name, neuron=of, size=size)

    def joined(source: str, pairs: tuple[tuple[int, int], ...]) -> Projection:
        return Projection(
            source=source, target="n", synapse=synapse.synapse,
            connector=FromList(connections=pairs), charge=synapse.charge,
        )  # fmt: skip

    amplitude = preset.population("n").parameters["stimulus.amplitude"].tolist()
    return Network(
        name="chain",
        populations=(
            population("first", 1, first, amplitude[0]),
            population("n", SIZE - 1, others, amplitude[1]),
        ),
        projections=(
            joined("first", ((0, 0),)),
            joined("n", tuple((k, k + 1) for k in range(SIZE - 2))),
        ),
        t_stop=t_stop,
    )


def rows(variant: str) -> list[dict[str, Any]]:
    """Return what each neuron of a chain does."""
    solution = solve_network(network(*VARIANTS[variant]))
    out = []
    for k, t in enumerate(solution.t_spike):
        interval = np.diff(t)
        out.append(
            {
                "variant": variant,
                "position": k,
                "spikes": len(t),
                "first": float(t[0]),
                "last": float(t[-1]),
                "isi_first": float(interval[0]),
                "isi_last": float(interval[-1]),
                "adaptation_index": adaptation_index(interval),
                "rate": [n / WINDOW for n in counts(t, WINDOW, T_STOP)],
                "x_end": float(solution.x_end[k]),
            }
        )
    return out


def run(quick: bool) -> dict[str, Any]:
    """Run the study."""
    names = ["all memristors"] if quick else list(VARIANTS)
    result: dict[str, Any] = {"rows": [row for name in names for row in rows(name)]}
    if not quick:
        result["check"] = accuracy(network(True, True, T_CHECK), witnesses=WITNESSES)
        result["check_end"] = accuracy(network(True, True))
    return result


def of(result: dict[str, Any], variant: str) -> list[dict[str, Any]]:
    """Return the rows of one variant."""
    return [row for row in result["rows"] if row["variant"] == variant]


def text(result: dict[str, Any]) -> str:
    """Return the text."""

    def cell(row: dict[str, Any]) -> str:
        first, last = (row["rate"][j] / 1e3 for j in (0, -1))
        return f"{first:g} to {last:g} ({row['adaptation_index']:.3f})"

    parts = {name: of(result, name) for name in VARIANTS}
    lines = [
        [str(k), *(cell(rows[k]) for rows in parts.values())] for k in range(SIZE)
    ]  # fmt: skip
    both, first, others, none = parts.values()
    claim(all(abs(r["adaptation_index"]) < 0.01 for r in none), "Without memristors: none.")
    last = [r["last"] for r in both]
    claim(all(a > b for a, b in itertools.pairwise(last)), "They fall silent in order.")
    claim(all(r["rate"][-1] == 0 for r in both[1:]), "All but the first are silent at the end.")
    claim(both[0]["rate"][-1] > 0, "The first fires on.")
    claim(all(r["rate"][-1] > 0 for r in first), "With one memristor all fire on.")
    kept = [r["rate"][-1] / r["rate"][0] for r in first]
    own = [r["rate"][-1] / r["rate"][0] for r in others]
    claim(own[1] < 1, "A memristor behind a regular neuron adapts.")
    check, end = result["check"], result["check_end"]
    silent = ", ".join(quantity(t, "s") for t in last[1:])
    stop = (
        "fall silent too, the last of them at "
        + quantity(max(r["last"] for r in others if r["rate"][-1] == 0), "s")
        if any(r["rate"][-1] == 0 for r in others[1:])
        else "fire on"
    )
    claim("silent" not in stop or others[-1]["rate"][-1] == 0, "The end of the chain is silent.")
    return "\n".join(
        [
            f"Rate in kHz in the first and in the last {quantity(WINDOW, 's')} of "
            f"{quantity(T_STOP, 's')}, and the adaptation index of the whole train, by",
            "position:",
            "",
            table(["position", *parts], lines),
            "",
            "- With resistors nothing adapts, at any position.",
            "- With memristors everywhere adaptation adds up: the first neuron slows to "
            f"{both[0]['rate'][-1] / both[0]['rate'][0]:.0%} of its rate,",
            "  the others stop, each before the one that drives it (last spikes at "
            f"{silent}).",
            f"- One memristor, in the first neuron, is handed on by neurons without any: the rate "
            f"falls to {kept[0]:.0%}, and",
            f"  behind it to {', '.join(f'{k:.0%}' for k in kept[1:])}.",
            f"- Driven by a regular first neuron, memristors slow the second to {own[1]:.0%} of "
            "its rate; those behind it",
            f"  {stop}.",
            "",
            f"How sure: over {quantity(T_CHECK, 's')} the spikes are within "
            f"{quantity(check['finer'], 's')} of a solution with rtol 1e-7 and t_tol 1e-10,",
            f"and that within {quantity(check['witness'], 's')} of ngspice's witness decks of "
            f"{' and '.join(check['witnesses'])}; over all {quantity(T_STOP, 's')} within "
            f"{quantity(end['finer'], 's')}",
            f"({end['neuron']}), without a witness.",
        ]
    )  # fmt: skip


def draw(result: dict[str, Any]) -> Figure:
    """Draw the rates by time, a panel for each variant."""
    with figure_style():
        figure = Figure(figsize=(COLUMN_WIDTH / 25.4, 3.2), layout="constrained")
        axes = figure.subplots(2, 2, sharex=True, sharey=True)
        for ax, name in zip(axes.flat, VARIANTS, strict=True):
            for row in of(result, name):
                rate = np.array(row["rate"]) / 1e3
                t = 1e3 * WINDOW * (np.arange(len(rate)) + 0.5)
                ax.plot(t, rate, ".-", label=str(row["position"]), lw=0.8)
            ax.set_title(name, fontsize=7)
        figure.supxlabel("time in ms", fontsize=8)
        figure.supylabel("rate in kHz", fontsize=8)
        axes[0, 1].legend(fontsize=5, title="position", title_fontsize=5)
    return figure


STUDY = Study("chain", run, draw, text)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the study."""
    STUDY.main(__doc__ or "", argv)


if __name__ == "__main__":
    main()
