"""What a proposal is."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spicealif.design import Neuron, store
from spicealif.propose._result_shown import ProposalShown

if TYPE_CHECKING:
    from spicealif.simulators import Simulator

__all__ = ["Proposal", "run_figures"]


@dataclass(frozen=True, eq=False, repr=False)
class Proposal(ProposalShown):
    """A neuron around a device, what it reaches, and what cannot be had.

    Attributes
    ----------
    neuron : Neuron
        The design; if `met` is False, the nearest one.
    rate, adaptation : float
        The wish: initial rate in Hz (1 / `isi_first`) and `adaptation_ratio`, both as
        `spicealif.measures.one_side.measure` defines them.
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
        from spicealif.measures.one_side import measure

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


def run_figures(measures: Mapping[str, Any]) -> dict[str, float]:
    """Return ``rate`` (Hz) and ``adaptation`` from the measures of a side."""
    interval = float(measures["isi_first"])
    return {
        "rate": 1 / interval if interval > 0 else math.nan,
        "adaptation": float(measures["adaptation_ratio"]),
    }
