"""The neurons of a deck: a subcircuit for each design among them."""

from __future__ import annotations

from typing import Any

from spicealif.design import Neuron
from spicealif.netlist import build_netlist
from spicealif.netlist._spice import Spice
from spicealif.network.netlist._shared import Line, Shared, renamed

__all__ = ["Neurons"]

#: What of a neuron's design its subcircuit does not hold.
_OUTSIDE = {"name", "description", "source", "stimulus", "t_stop", "numerics"}
#: And of its numerics, what it does: the elements of the step steering.
_STEERING = {"steering", "steering_delta", "steering_parts", "steering_c"}


class Neurons:
    """The subcircuits and instances of a deck's neurons.

    Parameters
    ----------
    shared : Shared
        Where the parts' subcircuits and models are kept.
    """

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.lines: list[Line] = []
        self.supplies: list[list[dict[str, Any]]] = []
        self._designs: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._supplied: dict[tuple[float, float, float], list[str]] = {}
        self._stems: set[str] = set()

    def instance(self, neuron: Neuron, name: str) -> dict[str, Any]:
        """Return what network_neurons.cir.j2 prints of one neuron."""
        key = _key(neuron)
        if key not in self._designs:
            self._designs[key] = self._new(neuron, name)
        subcircuit, ports = self._designs[key]
        nodes = {"v_c": f"v_{name}", "spike": f"s_{name}"}
        if neuron.uses_supplies:
            nodes |= dict(zip(("v_pos", "v_neg", "v_cc"), self._supply(neuron), strict=True))
        return {
            "name": Spice(name),
            "ports": [Spice(nodes[port]) for port in ports],
            "subcircuit": Spice(subcircuit),
            "functions": [Spice(text) for text in neuron.stimulus.spice(neuron.t_stop)],
        }

    def _new(self, neuron: Neuron, name: str) -> tuple[str, tuple[str, ...]]:
        netlist = build_netlist(neuron, self.shared.dialect.name, subcircuit=True)
        lines: list[Line] = list(zip(netlist.text.splitlines(), netlist._origins, strict=True))
        texts = [text for text, _ in lines]
        begin = next(k for k, text in enumerate(texts) if text.startswith("* --- "))
        body = texts.index("* --- the neuron ---")
        end = texts.index("* --- test bench ---")
        # Only the parts are kept of what stands before the neuron: headings come with them.
        _, names = self.shared.take(lines[begin:body])
        start = next(k for k in range(body, end) if texts[k].startswith(".subckt "))
        _, own, *ports = texts[start].split()
        # The first of a population gives its name to all that are like it.
        stem = name.rpartition("_")[0]
        wanted = f"{own}_{name}" if stem in self._stems else f"{own}_{stem}"
        self._stems.add(stem)
        own = self.shared.free(wanted)
        self.lines.append((f"* --- neurons as {name} ---", lines[body][1]))
        self.lines.append((" ".join([".subckt", own, *ports]), lines[start][1]))
        self.lines += [(renamed(text, names), origin) for text, origin in lines[start + 1 : end]]
        return own, tuple(ports)

    def _supply(self, neuron: Neuron) -> list[str]:
        """Return the nodes of a neuron's supplies, which neurons with the same voltages share."""
        supplies = neuron.supplies
        volts = (supplies.v_pos, supplies.v_neg, supplies.v_comparator)
        if volts not in self._supplied:
            # No neuron's node ends in a letter and digits.
            end = f"_s{len(self._supplied) + 1}" if self._supplied else ""
            nodes = [f"{node}{end}" for node in ("v_pos", "v_neg", "v_cc")]
            elements = [f"{name}{end}" for name in ("V_pos", "V_neg", "V_comparator")]
            self._supplied[volts] = nodes
            self.supplies.append(
                [
                    {"element": Spice(e), "node": Spice(n), "voltage": float(v)}
                    for e, n, v in zip(elements, nodes, volts, strict=True)
                ]
            )
        return self._supplied[volts]


def _key(neuron: Neuron) -> str:
    steering = {name: getattr(neuron.numerics, name) for name in sorted(_STEERING)}
    return repr((neuron.model_dump(exclude=_OUTSIDE), steering))
