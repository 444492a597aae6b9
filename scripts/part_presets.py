"""Run the paper's neuron with each of the parts that come with spicealif, and print a table.

    python scripts/part_presets.py [-o docs/part_presets.md] [--t-stop 50e-3]

Each preset replaces the paper's part of its kind; op-amps that stand less than 10 V are supplied
with what they stand. A row says whether ngspice is within `numerics.accuracy` of the circuit's own
equations (which know nothing of the netlist), what the neuron does, or why the part is refused.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from spicealif import load_preset
from spicealif.cosim import cosimulate
from spicealif.design.parts.store import PARTS, PartKind, load_part, part_names
from spicealif.errors import DesignError

TABLES: dict[PartKind, str] = {
    "opamp": "difference_amplifier.opamp",
    "comparator": "comparator",
    "mosfet": "mosfet",
}
HEAD = (
    "| part | spikes | reference | first interval | last / first | error | reltol | runs | told |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def row(kind: PartKind, name: str, t_stop: float) -> str:
    """Return the table's row of a part."""
    part = load_part(kind, name)
    changes: dict[str, object] = {"t_stop": t_stop, f"{TABLES[kind]}.preset": name}
    stands = float(part.values.get("supply_max", 36.0))
    if kind == "opamp" and stands < 10:
        changes |= {"supplies.v_pos": stands / 2, "supplies.v_neg": -stands / 2}
    try:
        neuron = load_preset("paper").replace(changes)
    except DesignError as error:
        return f"| {part.title} | | | | | | | | refused: {error} |"
    result = cosimulate(neuron, "ngspice-batch", variant="schmitt")
    told = " ".join(neuron.doubts)
    if not result.run.ok or result.check is None or result.comparison is None:
        return f"| {part.title} | | | | | | | | {result.run.message} {told} |"
    of = result.comparison.of_a
    last = result.check.attempts[-1]
    error = f"{last.error * 1e9:.2f} ns" if np.isfinite(last.error) else "other count"
    return (
        f"| {part.title} | {of['spike_count']} | {result.comparison.of_b['spike_count']} | "
        f"{of['isi_first'] * 1e6:.2f} us | {of['adaptation_ratio']:.3f} | {error} | "
        f"{last.reltol:.2g} | {len(result.check.attempts)} | {told} |"
    )


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--t-stop", type=float, default=50e-3)
    arguments = parser.parse_args()
    lines = []
    for kind in PARTS:
        lines += [f"\n### {PARTS[kind].capitalize()}\n", HEAD]
        print("\n".join(lines[-2:]), flush=True)
        for name in part_names(kind):
            lines.append(row(kind, name, arguments.t_stop))
            print(lines[-1], flush=True)
    if arguments.output is not None:
        text = arguments.output.read_text(encoding="utf-8")
        start, end = "<!-- table: presets -->", "<!-- end -->"
        begin = text.index(start) + len(start)
        stop = text.index(end, begin)
        body = "\n".join(lines)
        arguments.output.write_text(f"{text[:begin]}\n{body}\n\n{text[stop:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
