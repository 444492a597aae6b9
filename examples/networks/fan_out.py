"""How many synapses an output can drive before its neuron changes.

One neuron of the preset `paper` at a constant current drives k synapses of a resistor and a diode,
each into a neuron at rest. What they draw lowers the output's high level, from which the feedback
makes the level at which the comparator releases, and which drives the MOSFET's gate.

Usage: python fan_out.py [--output FOLDER] [--quick] [--text]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from study import Study, accuracy, claim, quantity, table

from spicealif import load_preset
from spicealif.network import Network, NeuronTraces, Population, Projection, solve_network
from spicealif.plots import COLUMN_WIDTH, figure_style

#: Numbers of synapses, by resistance in ohm.
FANS = {
    10e3: (0, 1, 2, 4, 6, 8, 16, 24, 32, 40, 44, 48, 52, 56, 60, 64),
    2e3: (0, 1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 16),
}
QUICK = {10e3: (0, 2), 2e3: (1,)}
DRIVE, T_STOP = 1e-3, 1e-3
#: The point that is checked: resistance, number.
CHECKED = (10e3, 16)


def network(r: float, k: int) -> Network:
    """Return the network."""

    def population(name: str, amplitude: float, size: int) -> Population:
        stimulus = {"kind": "constant", "amplitude": amplitude}
        return Population(name=name, neuron={"preset": "paper", "stimulus": stimulus}, size=size)

    joined = Projection(
        source="driver", target="load", synapse={"kind": "diode"},
        connector={"kind": "all-to-all"}, resistance=r,
    )  # fmt: skip
    driver = population("driver", DRIVE, 1)
    if k == 0:
        return Network(name="fan_out", populations=(driver,), t_stop=T_STOP)
    return Network(
        name="fan_out", populations=(driver, population("load", 0.0, k)), projections=(joined,),
        t_stop=T_STOP,
    )  # fmt: skip


def released(traces: NeuronTraces) -> float:
    """Return v_d in V where the first pulse falls through the middle of its top."""
    spike, v_d = traces.signals["spike"], traces.signals["v_d"]
    middle = 0.5 * spike.max()
    above = np.flatnonzero(spike > middle)
    gap = np.flatnonzero(np.diff(above) > 1)
    last = above[gap[0]] if len(gap) else above[-1]
    if last + 1 == len(spike):
        return float("nan")
    here = slice(last, last + 2)
    return float(np.interp(-middle, -spike[here], v_d[here]))


def row(r: float, k: int) -> dict[str, Any]:
    """Return what the neuron does with k synapses."""
    solution = solve_network(network(r, k), keep=[0])
    t, traces = solution.t_spike[0], solution.traces[0]
    interval = np.diff(t)
    return {
        "r": r,
        "k": k,
        "spikes": len(t),
        "spikes_of_loads": sum(len(one) for one in solution.t_spike[1:]),
        "t_first": float(t[0]),
        "isi_first": float(interval[0]) if len(interval) else None,
        "isi_min": float(interval.min()) if len(interval) else None,
        "isi_max": float(interval.max()) if len(interval) else None,
        "v_high": float(traces.signals["spike"].max()),
        "v_end": float(traces.signals["spike"][-1]),
        "v_released": released(traces),
    }


def run(quick: bool) -> dict[str, Any]:
    """Run the study."""
    fans = QUICK if quick else FANS
    result: dict[str, Any] = {"rows": [row(r, k) for r, some in fans.items() for k in some]}
    result["v_to"] = load_preset("paper").mosfet.v_to
    if not quick:
        result["check"] = accuracy(network(*CHECKED), witnesses=[0, 1])
    return result


def of(result: dict[str, Any], r: float) -> list[dict[str, Any]]:
    """Return the rows of one resistance."""
    return [one for one in result["rows"] if one["r"] == r]


def alone(result: dict[str, Any]) -> float:
    """Return the first interval in s without synapses."""
    return float(of(result, 10e3)[0]["isi_first"])


def change(result: dict[str, Any], one: dict[str, Any]) -> float:
    """Return the relative change of the first interval."""
    return float(one["isi_first"] / alone(result) - 1)


def where(result: dict[str, Any], r: float, part: float) -> float:
    """Return at how many synapses the first interval is shorter by this part, interpolated."""
    rows = [one for one in of(result, r) if one["isi_first"]]
    shorter = [-change(result, one) for one in rows]
    first = next(j for j, one in enumerate(shorter) if one > part)
    here = slice(first - 1, first + 1)
    return float(np.interp(part, shorter[here], [one["k"] for one in rows[here]]))


def fails(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the last row that spikes on, and the first that does not."""
    stuck = next(j for j, one in enumerate(rows) if one["spikes"] == 1)
    return rows[stuck - 1], rows[stuck]


def text(result: dict[str, Any]) -> str:
    """Return the text."""
    shown = {10e3: (1, 4, 8, 16, 32, 40, 48), 2e3: (1, 3, 6, 8, 10, 12)}
    rows = [
        [
            quantity(r, "ohm"), str(one["k"]), quantity(one["v_high"], "V"),
            quantity(one["v_released"], "V"), quantity(one["isi_first"], "s"),
            f"{change(result, one):+.1%}", str(one["spikes"]),
        ]
        for r, some in shown.items()
        for one in of(result, r)
        if one["k"] in some and one["isi_first"]
    ]  # fmt: skip
    first = of(result, 10e3)[0]
    spiking = [one for one in result["rows"] if one["isi_first"]]
    shift = max(abs(one["t_first"] - first["t_first"]) for one in spiking)
    claim(shift < 5e-4 * first["t_first"], "The first spike stays.")
    (last_10, stuck_10), (last_2, stuck_2) = (fails(of(result, r)) for r in FANS)
    for stuck in (stuck_10, stuck_2):
        claim(stuck["v_end"] > 1.5, "The output stays high.")
        claim(stuck["v_high"] < 1.05 * result["v_to"], "The MOSFET is hardly driven.")
    regular = {r: [one for one in of(result, r) if one["isi_first"]] for r in FANS}
    least = {r: min(some, key=lambda one: one["isi_first"]) for r, some in regular.items()}
    for r in FANS:
        claim(least[r]["k"] < regular[r][-1]["k"], "Intervals grow again before it ends.")
    a, check = alone(result), result["check"]
    same = next(one for one in of(result, 2e3) if one["k"] == 3)
    like = next(one for one in of(result, 10e3) if one["k"] == 16)
    return "\n".join(
        [
            f"Without synapses the first interval is {quantity(a, 's')}, the output's high level",
            f"{quantity(first['v_high'], 'V')}, and the comparator releases at "
            f"{quantity(first['v_released'], 'V')} (v_d at its input).",
            "",
            table(
                ["resistance", "synapses", "high level", "released at", "first interval", "change",
                 f"spikes in {quantity(T_STOP, 's')}"], rows,
            ),
            "",
            f"- The first interval is 1 % shorter with {where(result, 10e3, 0.01):.1f} synapses of "
            f"10 kohm and 5 % with {where(result, 10e3, 0.05):.1f}; of 2 kohm with "
            f"{where(result, 2e3, 0.01):.1f}",
            f"  and {where(result, 2e3, 0.05):.1f} (between whole numbers by straight lines). It "
            "is the conductance of all",
            f"  that counts: 16 of 10 kohm (1.6 mS) change it by {change(result, like):+.1%}, 3 of "
            f"2 kohm (1.5 mS) by {change(result, same):+.1%}.",
            "- It is shorter because the neuron is released earlier, at a higher voltage, from "
            "which it charges",
            f"  again. The first spike, before which there is no pulse, moves by at most "
            f"{quantity(shift, 's')}.",
            f"- Intervals are shortest with {least[10e3]['k']} (10 kohm) and {least[2e3]['k']} "
            "(2 kohm) of the numbers tried. With more they grow again:",
            f"  the high level is also the gate's voltage of the MOSFET that discharges the "
            f"capacitor, whose threshold is {quantity(result['v_to'], 'V')}.",
            f"- It fails between {last_10['k']} and {stuck_10['k']} synapses of 10 kohm, and "
            f"between {last_2['k']} and {stuck_2['k']} of 2 kohm: after one spike the",
            f"  output stays at {quantity(stuck_10['v_end'], 'V')} (10 kohm) to the end. "
            f"The {stuck_2['k']} neurons behind 2 kohm then fire themselves",
            f"  ({stuck_2['spikes_of_loads']} spikes), driven by it.",
            "",
            f"How sure: with {CHECKED[1]} synapses of 10 kohm the spikes are within "
            f"{quantity(check['finer'], 's')} of a solution with rtol 1e-7 and",
            f"t_tol 1e-10, and that within {quantity(check['witness'], 's')} of ngspice's witness "
            f"decks of {' and '.join(check['witnesses'])} ({check['witness_spikes']} spikes).",
        ]
    )  # fmt: skip


def draw(result: dict[str, Any]) -> Figure:
    """Draw intervals and levels against the synapses' conductance."""
    with figure_style():
        figure = Figure(figsize=(COLUMN_WIDTH / 25.4, 2.9), layout="constrained")
        (upper, lower) = figure.subplots(2, 1, sharex=True)
        for r, mark in ((10e3, "o"), (2e3, "s")):
            rows = [one for one in of(result, r) if one["isi_first"]]
            g = [1e3 * one["k"] / r for one in rows]
            label = f"{r / 1e3:g} kohm"
            upper.plot(g, [1e6 * one["isi_first"] for one in rows], f"{mark}-", ms=3, label=label)
            lower.plot(g, [one["v_released"] for one in rows], f"{mark}-", ms=3, label=label)
        upper.set_ylabel("first interval in us")
        lower.set_ylabel("released at, in V")
        lower.set_xlabel("conductance of all synapses in mS")
        upper.legend()
    return figure


STUDY = Study("fan_out", run, draw, text)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the study."""
    STUDY.main(__doc__ or "", argv)


if __name__ == "__main__":
    main()
