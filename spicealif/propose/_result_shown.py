"""What a proposal shows: the wish and what is reached, the design's values, and facts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spicealif.design import DifferenceAmplifier, Neuron
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, plain

__all__ = ["ProposalShown"]


class ProposalShown(ShownInNotebooks):
    """What of a `Proposal` is shown."""

    neuron: Neuron
    rate: float
    adaptation: float
    reached: Mapping[str, float]
    variant: str
    range: tuple[float, float]
    facts: Mapping[str, float]
    cannot: tuple[str, ...]
    notes: tuple[str, ...]
    circuit: Mapping[str, float] | None
    simulator: str

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("", f"'{self.neuron.name}'"),
            ("rate", figure(self.reached["rate"], "Hz")),
            ("adaptation", figure(self.reached["adaptation"])),
            ("", "as wanted" if not self.cannot else "not as wanted"),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "neuron": self.neuron.to_dict(),
            "wanted": {"rate": self.rate, "adaptation": self.adaptation},
            "reached": {name: plain(value) for name, value in self.reached.items()},
            "variant": self.variant,
            "met": not self.cannot,
            "range": [plain(end) for end in self.range],
            "facts": {name: plain(value) for name, value in self.facts.items()},
            "cannot": list(self.cannot),
            "notes": list(self.notes),
            "circuit": None
            if self.circuit is None
            else {name: plain(value) for name, value in self.circuit.items()},
            "simulator": self.simulator,
        }

    def _pages(self) -> list[Page]:
        head = ["", "wanted", f"reference ({self.variant})", "off by"]
        if self.circuit is not None:
            head += [f"circuit ({self.simulator.split()[0]})", "off by"]
        rows = []
        for name, label, unit, wish in (
            ("rate", "initial rate (1 / first interval)", "Hz", self.rate),
            ("adaptation", "last / first interval", "", self.adaptation),
        ):
            row = [label, figure(wish, unit)]
            for side in (self.reached, self.circuit):
                if side is not None:
                    row += [figure(side[name], unit), _percent(side[name], wish)]
            rows.append(row)
        low, high = self.range
        notes = [
            f"Adaptation found for this device at {figure(self.reached['rate'], 'Hz')}: "
            f"{low:.4g} to {high:.4g}.",
            *(f"Not to be had: {text}" for text in self.cannot),
        ]
        if self.cannot:
            notes.append("The values below are the nearest design.")
        design = (("design", "value"), self._values())
        facts = [*self._remarks(), *self.notes]
        return [Page(((head, rows),), notes), Page((design,), facts, close=True)]

    def _values(self) -> list[list[str]]:
        neuron = self.neuron
        network, amplifier = neuron.network, neuron.difference_amplifier
        values: list[tuple[str, float, str, str]] = [
            ("r_s", neuron.r_s, "ohm", "in series with the device"),
            ("c", neuron.c, "F", "membrane capacitance"),
            ("v_th", neuron.v_th, "V", "fires at this membrane voltage"),
            ("v_low", neuron.v_low, "V", "discharge ends"),
            ("i_peak", neuron.stimulus.peak(neuron.t_stop), "A", f"{neuron.stimulus.kind} current"),
        ]
        if isinstance(amplifier, DifferenceAmplifier):
            values.append(
                ("difference_amplifier.r", amplifier.r, "ohm", "high, not to load the device")
            )
        values += [
            ("hysteresis r_a", network.r_a, "ohm", "comparator's feedback"),
            ("hysteresis r_b", network.r_b, "ohm", "from its output"),
            ("hysteresis v_ref", network.v_ref, "V", "comparator's reference"),
            ("t_stop", neuron.t_stop, "s", "length of the run"),
        ]
        width = max(len(name) for name, *_ in values)
        return [
            [f"{name.ljust(width)}  {text}", figure(float(value), unit)]
            for name, value, unit, text in values
        ]

    def _remarks(self) -> list[str]:
        f = self.facts
        lines = [
            f"x is {f['x_first']:.3g} at the first spike and {f['x_last']:.3g} at the last; it "
            f"stays within {f['x_low']:.3g} and {f['x_high']:.3g}.",
            f"The current is {f['margin']:.3g} times the device's at v_th and the largest x. v_c "
            f"reaches {figure(f['v_c_peak'], 'V')}.",
        ]
        if not math.isnan(f["load"]):
            lines.append(
                f"The difference amplifier draws at most {f['load']:.1%} of the input current, "
                "which the reference does not know."
            )
        return lines


def _percent(value: float, wish: float) -> str:
    return "-" if math.isnan(value) else f"{value / wish - 1:+.2%}"
