"""SPICE as witness of a network's solution: neuron by neuron, or the whole as one deck."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spicealif._support.described import Described
from spicealif._support.text import counted
from spicealif.errors import CompareError
from spicealif.measures.tables import figure, text_table
from spicealif.network.circuit import NetworkSolution
from spicealif.network.expanded import Expanded
from spicealif.network.netlist import PlayedBack, build_network_netlist, build_witness_netlist
from spicealif.network.netlist.estimate import FlatEstimate
from spicealif.network.spice import run_flat, run_witnesses, worst_difference

__all__ = [
    "NetworkVerification",
    "Witnessed",
    "estimate_flat",
    "estimate_witnesses",
    "needed_neurons",
    "verify_flat",
    "verify_neurons",
]


@dataclass(frozen=True)
class Witnessed:
    """What SPICE says of one neuron.

    Attributes
    ----------
    name : str
    spikes, spikes_spice : int
        Of the network's solution, and of SPICE.
    worst : float
        Largest difference of a spike time in s; infinite where the numbers differ, NaN where the
        run failed.
    cpu_s : float
        Of its deck in s; NaN where all are in one deck.
    status : str
    message : str
        Why it failed, or what is wrong; empty if nothing is.
    """

    name: str
    spikes: int
    spikes_spice: int
    worst: float
    cpu_s: float
    status: str
    message: str

    def agrees(self, tolerance: float) -> bool:
        """Return whether it ran to its end, and every spike is within the tolerance in s."""
        return self.worst <= tolerance


@dataclass(frozen=True, eq=False, repr=False)
class NetworkVerification(Described):
    """A network's solution against SPICE.

    Attributes
    ----------
    simulator : str
    flat : bool
        Whether the whole network ran as one deck.
    neurons : tuple of Witnessed
    tolerance : float
        In s.
    cpu_s : float
        Of all decks in s.
    """

    simulator: str
    flat: bool
    neurons: tuple[Witnessed, ...]
    tolerance: float
    cpu_s: float

    @property
    def disagreeing(self) -> tuple[Witnessed, ...]:
        """The neurons whose deck failed, or differs by more than the tolerance."""
        return tuple(one for one in self.neurons if not one.agrees(self.tolerance))

    @property
    def ok(self) -> bool:
        """Whether all agree."""
        return not self.disagreeing

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("by", self.simulator),
            ("", f"{len(self.neurons) - len(self.disagreeing)} of "
             f"{counted(len(self.neurons), 'neuron')} agree"),
        ]  # fmt: skip

    def to_dict(self) -> dict[str, object]:
        """Return plain numbers and texts, in SI units."""
        return {
            "simulator": self.simulator, "flat": self.flat, "tolerance": self.tolerance,
            "cpu_s": self.cpu_s, "ok": self.ok,
            "disagreeing": [one.name for one in self.disagreeing],
            "neurons": [vars(one) for one in self.neurons],
        }  # fmt: skip

    def __str__(self) -> str:
        rows = [
            [
                one.name, str(one.spikes), str(one.spikes_spice),
                _time(one.worst), "" if math.isnan(one.cpu_s) else f"{one.cpu_s:.2f} s",
                "yes" if one.agrees(self.tolerance) else "NO",
            ]
            for one in self.neurons
        ]  # fmt: skip
        head = ["neuron", "spikes", f"({self.simulator})", "worst difference", "CPU", "agrees"]
        what = "one deck" if self.flat else counted(len(self.neurons), "deck")
        worst = max((one.worst for one in self.neurons if one.worst == one.worst), default=math.nan)
        notes = [
            f"{what[0].upper()}{what[1:]} in {self.simulator}, {self.cpu_s:.3g} s of CPU; worst "
            f"difference {_time(worst)}, tolerance {figure(self.tolerance, 's')}.",
        ]
        notes += [_sentence(one, self.tolerance) for one in self.disagreeing]
        return text_table(head, rows, notes)


def needed_neurons(expanded: Expanded, chosen: Sequence[int]) -> list[int]:
    """Return the neurons whose waveforms the witness decks of some need: these and neighbours."""
    n = len(expanded.neurons)
    wanted = np.zeros(len(expanded.names), dtype=bool)
    wanted[list(chosen)] = True
    out = wanted.copy()
    for some in expanded.synapses:
        out[some.pre[wanted[some.post]]] = True
        out[some.post[wanted[some.pre]]] = True
    found: list[int] = np.flatnonzero(out[:n]).tolist()
    return found


def verify_neurons(
    solution: NetworkSolution,
    chosen: Sequence[int],
    simulator: str = "ngspice-batch",
    *,
    tolerance: float = 20e-9,
    workers: int | None = None,
    timeout: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> NetworkVerification:
    """Run the witness deck of each chosen neuron, and compare its spikes with the solution's.

    Parameters
    ----------
    solution : NetworkSolution
        With the traces of `needed_neurons`.
    chosen : sequence of int
    simulator : str
    tolerance : float
        Largest difference of a spike time that agrees, in s.
    workers : int, optional
        Decks at a time; no result depends on it.
    timeout : float, optional
        Seconds of wall time for each deck.
    progress : callable, optional
        Called with the fraction of the decks that are done.

    Returns
    -------
    NetworkVerification
        A neuron whose deck failed is among its neurons, with the reason.

    Raises
    ------
    CompareError
        If the solution lacks traces.
    SimulatorError, SimulatorNotFound
        If there is no such simulator.
    """
    expanded = solution.expanded
    if missing := [k for k in needed_neurons(expanded, chosen) if k not in solution.traces]:
        raise CompareError(
            f"The solution has no traces of {expanded.names[missing[0]]}, which are played back; "
            "keep those of all neurons (--keep all)."
        )
    found = run_witnesses(
        expanded, list(chosen), solution.played(), simulator, workers=workers, timeout=timeout,
        progress=progress,
    )  # fmt: skip
    rows = tuple(
        Witnessed(
            one.name, len(solution.t_spike[one.index]), len(one.t_spike), one.worst, one.cpu_s,
            one.status.name, one.message,
        )
        for one in found
    )  # fmt: skip
    return NetworkVerification(simulator, False, rows, tolerance, sum(one.cpu_s for one in found))


def verify_flat(
    solution: NetworkSolution,
    simulator: str = "ngspice-batch",
    *,
    tolerance: float = 20e-9,
    timeout: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> NetworkVerification:
    """Run the whole network as one deck, and compare every neuron's spikes; see `verify_neurons`.

    Raises
    ------
    RunFailed
        If the deck does not reach its end; the neurons that the simulator blames are named.
    """
    expanded = solution.expanded
    flat = run_flat(
        expanded, simulator, keep=("spike",), timeout=timeout, progress=progress
    ).require()
    rows = []
    for name, own, spice in zip(flat.netlist.names, solution.t_spike, flat.t_spike, strict=True):
        worst = worst_difference(own, spice, expanded.network.t_stop)
        told = ""
        if math.isinf(worst):
            told = f"{name} has {len(spice)} spikes instead of {len(own)}."
        rows.append(Witnessed(name, len(own), len(spice), worst, math.nan, "OK", told))
    return NetworkVerification(simulator, True, tuple(rows), tolerance, flat.run.cost.cpu_s)


def estimate_witnesses(solution: NetworkSolution, chosen: Sequence[int]) -> float:
    """Return about how many seconds of CPU the witness decks of some neurons take.

    One of them is built for it, and the others are taken to be like it.
    """
    back = PlayedBack(solution.played())
    middle = chosen[len(chosen) // 2]
    return len(chosen) * build_witness_netlist(solution.expanded, middle, back).estimate().cpu_s


def estimate_flat(expanded: Expanded) -> FlatEstimate:
    """Return about what a run of the whole network as one deck takes."""
    return build_network_netlist(expanded, quantities=("spike",)).estimate()


def _sentence(one: Witnessed, tolerance: float) -> str:
    if one.message:
        return one.message
    return (
        f"{one.name} differs by {_time(one.worst)}, more than {figure(tolerance, 's')}: solve the "
        "network more finely (--rtol 1e-7), or allow more (--tolerance)."
    )


def _time(value: float) -> str:
    if math.isnan(value):
        return "failed"
    return "other number" if math.isinf(value) else figure(value, "s")
