"""The netlist of a network, or of one of its neurons with the others played back."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spicealif.design import Stimulus
from spicealif.errors import NetlistError
from spicealif.netlist import Netlist
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, expand
from spicealif.network.netlist._deck import assemble
from spicealif.network.netlist.estimate import FlatEstimate, estimate_deck
from spicealif.network.netlist.played import JITTER, TOLERANCE, Playable, PlayedBack

__all__ = ["NetworkNetlist", "build_network_netlist", "build_witness_netlist"]

_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NetworkNetlist(Netlist):
    """A netlist of several neurons: a plan that any simulator of its dialect can run.

    Its signals are called after quantity and neuron, such as ``"v_c:exc_3"`` and
    ``"spike:exc_3"``; `design` is its first neuron's.

    Attributes
    ----------
    expanded : Expanded
        What it is of.
    neurons : tuple of int
        Indices of the neurons that are in it.
    knots : int
        Points of what is played back in it.
    owners : mapping of str to tuple of str
        Neurons by the names of elements and nodes, in lower case.
    """

    expanded: Expanded
    neurons: tuple[int, ...]
    knots: int = 0
    owners: Mapping[str, tuple[str, ...]]

    def _facts(self) -> list[tuple[str, str]]:
        return [("of the network", f"'{self.expanded.network.name}'"), *super()._facts()[1:]]

    @property
    def t_stop(self) -> float:
        """End of the run in s."""
        return self.expanded.network.t_stop

    @property
    def inputs(self) -> Mapping[str, Stimulus]:
        """Nothing: the currents of many neurons have no common name."""
        return {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the neurons that are in it."""
        return tuple(self.expanded.names[k] for k in self.neurons)

    def named(self, text: str) -> tuple[str, ...]:
        """Return the neurons whose elements or nodes a simulator's words name, in order.

        Parameters
        ----------
        text : str
            Such as ``trouble with node "x_exc_3.cp"``.
        """
        found: dict[str, None] = {}
        for word in _WORD.findall(text.lower()):
            # x_exc_3, v_exc_3, i_exc_3_1, d_exc_3_inh_1, x_syn_exc_3_inh_1
            rest = word.partition("_")[2].removeprefix("syn_")
            for name in (rest, rest.rpartition("_")[0]):
                if name in self.owners:
                    found |= dict.fromkeys(self.owners[name])
                    break
        return tuple(found)

    def estimate(self) -> FlatEstimate:
        """Return about how many points and seconds of CPU a run in SPICE takes."""
        return estimate_deck(self.expanded, self.neurons, self.knots, self.reltol)

    def write(self, folder: str | os.PathLike[str], name: str = "network.cir") -> Path:
        """Write the netlist into `folder`, created if need be; return the file's path.

        Raises
        ------
        OutputError
            If the folder or file cannot be written.
        """
        return super().write(folder, name)


def build_network_netlist(
    network: Network | Expanded,
    dialect: str = "ngspice",
    *,
    reltol: float | None = None,
    quantities: tuple[str, ...] = ("v_c", "spike"),
) -> NetworkNetlist:
    """Render a whole network as one flat deck.

    Every neuron is an instance ``X_exc_3`` of the subcircuit of its design, with its capacitor at
    node ``v_exc_3`` and its output at ``s_exc_3``; neurons that differ in their stimulus only share
    one subcircuit. Every neuron has its own step steering. Such a deck costs a simulator in
    proportion to the square of the number of neurons: ask `NetworkNetlist.estimate` before a run.

    Parameters
    ----------
    network : Network or Expanded
    dialect : str
        One of `spicealif.netlist.dialects()`.
    reltol : float, optional
        SPICE's relative tolerance; the tightest of the designs', or 1e-8.
    quantities : tuple of str
        What is kept of each neuron: ``v_c``, ``spike``, ``v_mem``, ``x``, ``v_d``.

    Returns
    -------
    NetworkNetlist

    Raises
    ------
    NetlistError
        If there is a delay, temperatures differ, two neurons have one name for SPICE, the dialect
        is unknown, or a neuron cannot be a subcircuit; see `spicealif.netlist.build_netlist`.
    """
    expanded = network if isinstance(network, Expanded) else expand(network)
    return _built(expanded, dialect, reltol, None, None, quantities)


def build_witness_netlist(
    expanded: Expanded,
    neuron: int,
    played: Mapping[int, Playable] | PlayedBack,
    dialect: str = "ngspice",
    *,
    reltol: float | None = None,
    tolerance: float = TOLERANCE,
    jitter: float = JITTER,
    quantities: tuple[str, ...] = ("v_c", "spike"),
) -> NetworkNetlist:
    """Render one neuron with all its synapses, and the neurons at their other ends played back.

    Parameters
    ----------
    expanded : Expanded
    neuron : int
        Its index.
    played : mapping of int to Playable
        The solution, of every neuron that has a synapse with it.
    dialect : str
    reltol : float, optional
        SPICE's relative tolerance; the design's, or 1e-8.
    tolerance, jitter : float
        How far what is played back may be from the solution, in V, and its edges in s.
    quantities : tuple of str
        What is kept of the neuron.

    Returns
    -------
    NetworkNetlist

    Raises
    ------
    NetlistError
        If there is no such neuron or no waveform of another; and as `build_network_netlist`.
    """
    if not 0 <= neuron < len(expanded.neurons):
        raise NetlistError(
            f"There is no neuron {neuron}; the network has {len(expanded.neurons)}, from 0 on."
        )
    back = played if isinstance(played, PlayedBack) else PlayedBack(played, tolerance, jitter)
    return _built(expanded, dialect, reltol, (neuron,), back, quantities)


def _built(
    expanded: Expanded,
    dialect: str,
    reltol: float | None,
    real: tuple[int, ...] | None,
    played: PlayedBack | None,
    quantities: tuple[str, ...],
) -> NetworkNetlist:
    inside = tuple(range(len(expanded.neurons))) if real is None else real
    if reltol is None:
        reltol = min(expanded.neurons[k].numerics.safe_reltol for k in inside)
    deck = assemble(
        expanded, dialect, reltol=reltol, real=real, played=played, quantities=quantities
    )
    return NetworkNetlist(
        text="".join(f"{text}\n" for text, _ in deck.lines),
        dialect=dialect,
        design=expanded.neurons[inside[0]],
        vectors=tuple(dict.fromkeys(v for terms in deck.signals.values() for _, v in terms)),
        signals=deck.signals,
        reltol=reltol,
        _origins=tuple(origin for _, origin in deck.lines),
        expanded=expanded,
        neurons=inside,
        knots=deck.knots,
        owners=deck.owners,
    )
