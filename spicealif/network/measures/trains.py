"""Any result of a network as spike trains, with what else it knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.errors import CompareError
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, expand

__all__ = ["Trains", "trains_of"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trains:
    """The spikes of a network's neurons.

    Attributes
    ----------
    label : str
        What the result is called, such as ``"circuit"``.
    names : tuple of str
    t_spike : tuple of ndarray
        Spike times of each in s, sorted.
    t_stop : float
        Length of the run in s.
    expanded : Expanded or None
        The network, where it is known.
    neurons : ndarray of int
        Numbers of these neurons in the network.
    energy, energy_supply : ndarray or None
        In J, of the stimuli and from the supplies, where they are known.
    """

    label: str
    names: tuple[str, ...]
    t_spike: tuple[_Floats, ...]
    t_stop: float
    expanded: Expanded | None
    neurons: NDArray[np.int64]
    energy: _Floats | None = None
    energy_supply: _Floats | None = None

    @property
    def interval(self) -> float:
        """Mean interval between a neuron's spikes in s, over all neurons; NaN without any."""
        counts = np.array([max(len(t) - 1, 0) for t in self.t_spike])
        if not counts.sum():
            return math.nan
        spans = [t[-1] - t[0] for t in self.t_spike if len(t) > 1]
        return float(np.sum(spans) / counts.sum())


def trains_of(
    result: Any, network: Network | Expanded | None = None, t_stop: float | None = None
) -> Trains:
    """Return a result's spikes and what else it knows.

    Parameters
    ----------
    result : NetworkSolution, NetworkReference, FlatRun or Trains
        Or anything else with ``names`` and ``t_spike``.
    network : Network or Expanded, optional
        What it is of, where it does not say so itself.
    t_stop : float, optional
        Length of the run in s, where neither it nor a network says it.

    Returns
    -------
    Trains

    Raises
    ------
    CompareError
        If the result has no spikes of named neurons, its length is not known, or the network is
        another one.
    """
    if isinstance(result, Trains):
        return result
    netlist = getattr(result, "netlist", None)
    names = getattr(result, "names", None) or getattr(netlist, "names", None)
    t_spike = getattr(result, "t_spike", None)
    if names is None or t_spike is None or len(names) != len(t_spike):
        raise CompareError(
            f"A {type(result).__name__} has no spikes of named neurons; give a NetworkSolution, a "
            "NetworkReference or a FlatRun."
        )
    own = getattr(result, "expanded", None) or getattr(netlist, "expanded", None)
    if own is None and network is not None:
        own = network if isinstance(network, Expanded) else expand(network)
    end = t_stop if own is None else own.network.t_stop
    if end is None:
        raise CompareError(
            "The result does not say how long the run is; give the network that it is of "
            "(network=...)."
        )
    numbers = getattr(netlist, "neurons", None)
    neurons = np.arange(len(names)) if numbers is None else np.asarray(numbers, dtype=np.int64)
    if own is not None and not _same(own, neurons, tuple(names), numbers is None):
        raise CompareError(
            f"The result's neurons ({names[0]} ...) are not those of the network "
            f"'{own.network.name}'; give the network that it is of."
        )
    return Trains(
        _label(result),
        tuple(names),
        tuple(np.asarray(t, dtype=float) for t in t_spike),
        float(end),
        own,
        neurons,
        getattr(result, "energy", None),
        getattr(result, "energy_supply", None),
    )


def _same(own: Expanded, neurons: NDArray[np.int64], names: tuple[str, ...], all_of: bool) -> bool:
    """Return whether these are names of a network's neurons, and of all where they must be."""
    n = len(own.neurons)
    if all_of and len(names) != n:
        return False
    return names == tuple(own.names[k] for k in neurons if k < n)


def _label(result: Any) -> str:
    attrs = getattr(result, "attrs", {})
    if attrs.get("side") == "reference":
        return f"reference ({attrs.get('variant', '?')})"
    run = getattr(result, "run", None)
    if run is not None:
        return f"flat deck ({getattr(run, 'simulator', 'SPICE')})"
    return "circuit"
