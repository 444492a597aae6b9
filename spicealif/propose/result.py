"""What a proposal is, and how it reads."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spicealif.design import DifferenceAmplifier, Neuron, store

if TYPE_CHECKING:
    from spicealif.simulators import Simulator

__all__ = ["Proposal", "run_figures"]


@dataclass(frozen=True, eq=False)
class Proposal:
    """A neuron around a device, what it reaches, and what cannot be had.

    Attributes
    ----------
    neuron : Neuron
        The design; if `met` is False, the nearest one.
    rate, adaptation : float
        The wish: initial rate in Hz (1 / `isi_first`) and `adaptation_ratio`, both as
        `spicealif.measures.measure` defines them.
    tolerance : float
        Relative; within it a wish counts as met.
    reached : mapping of str to float
        ``rate`` and ``adaptation`` by the reference at its own step, of `variant`.
    variant : str
        Of the reference: ideal or schmitt.
    range : (float, float)
        Smallest and largest adaptation found for this device at the rate of `reached`.
    facts : mapping of str to float
        ``x_first`` and ``x_last`` (state at the first and the last spike), ``x_low`` and
        ``x_high`` (its extremes), ``margin`` (input current over the device's current at v_th and
        ``x_high``), ``v_c_peak`` (V), ``load`` (largest current into the difference amplifier's
        resistors over the input current; NaN if it is ideal), ``x_late`` (state at the spike
        before the last fifth of the run).
    cannot : tuple of str
        Sentences on what cannot be had and why; empty if the wish is met.
    notes : tuple of str
        Sentences on the design.
    circuit : mapping of str to float or None
        ``rate`` and ``adaptation`` of the circuit, once `check` has run it.
    simulator : str
        What ran the circuit.
    """

    neuron: Neuron
    rate: float
    adaptation: float
    tolerance: float
    reached: Mapping[str, float]
    variant: str
    range: tuple[float, float]
    facts: Mapping[str, float]
    cannot: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    circuit: Mapping[str, float] | None = None
    simulator: str = ""

    @property
    def met(self) -> bool:
        """Whether rate and adaptation are within the tolerance, by the reference."""
        return all(
            abs(self.reached[name] / wish - 1) <= self.tolerance
            for name, wish in (("rate", self.rate), ("adaptation", self.adaptation))
        )

    def check(
        self, simulator: str | Simulator = "ngspice", *, timeout: float | None = None
    ) -> Proposal:
        """Run the circuit too.

        Parameters
        ----------
        simulator : str or Simulator
            As in `simulate`.
        timeout : float, optional
            Seconds of wall time.

        Returns
        -------
        Proposal
            The same with `circuit`.

        Raises
        ------
        RunFailed
            If the run does not complete.
        SimulatorNotFound
            If the simulator is not on this machine.
        """
        from spicealif.cosim import simulate
        from spicealif.measures import measure

        run = simulate(self.neuron, simulator, timeout=timeout)
        circuit = run_figures(measure(run.require(), self.neuron))
        return replace(self, circuit=circuit, simulator=run.version)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the neuron as TOML; return the path.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        return store.save_toml(self.neuron, path)

    def __str__(self) -> str:
        from spicealif._tables import figure, note_lines, text_table

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
        parts = text_table(["design", "value"], self._values()).rstrip()
        facts = [*self._facts(), *self.notes]
        return "\n".join([text_table(head, rows, notes), "", parts, *note_lines(facts)])

    def _values(self) -> list[list[str]]:
        from spicealif._tables import figure

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

    def _facts(self) -> list[str]:
        from spicealif._tables import figure

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


def run_figures(measures: Mapping[str, Any]) -> dict[str, float]:
    """Return ``rate`` (Hz) and ``adaptation`` from the measures of a side."""
    interval = float(measures["isi_first"])
    return {
        "rate": 1 / interval if interval > 0 else math.nan,
        "adaptation": float(measures["adaptation_ratio"]),
    }


def _percent(value: float, wish: float) -> str:
    return "-" if math.isnan(value) else f"{value / wish - 1:+.2%}"
