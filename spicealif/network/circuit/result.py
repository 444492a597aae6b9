"""What the circuit side of a network gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.network.expanded import Expanded

__all__ = ["NetworkSolution", "NeuronTraces"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NeuronTraces:
    """The traces of one neuron.

    Attributes
    ----------
    time : ndarray, shape (k,)
        In s, increasing.
    signals : mapping of str to ndarray, shape (k,)
        v_c, v_mem, spike, v_d in V, and x of a memristor; and ``spike_slope``, ``v_c_slope`` in
        V/s, with which cubics between the samples are the solution to its own tolerance.
    """

    time: _Floats
    signals: Mapping[str, _Floats]


@dataclass(frozen=True, eq=False)
class NetworkSolution:
    """The circuit side of a network.

    Attributes
    ----------
    expanded : Expanded
    t_spike : tuple of ndarray
        Spike times of each neuron in s: outputs rising through half their swing.
    traces : mapping of int to NeuronTraces
        Of the neurons that were asked for.
    energy : ndarray, shape (n,)
        Energy in J that each neuron's stimulus has delivered.
    energy_supply : ndarray, shape (n,)
        Energy in J from each neuron's supplies, what its synapses draw included; NaN without.
    x_end, weights_end : ndarray
        States of the leaks' memristors and of the synapses, shape (m, 2), at the end.
    rtol, t_tol : float
        Relative tolerance of each neuron's solution, and that of the iteration in s.
    iteration_error : float
        The largest change in s that any wave had in the last sweep over its window.
    windows, sweeps, solved : int
        Windows taken, sweeps through the network, and neurons times windows that were solved.
    n_steps : int
    attrs : mapping
    """

    expanded: Expanded
    t_spike: tuple[_Floats, ...]
    traces: Mapping[int, NeuronTraces]
    energy: _Floats
    energy_supply: _Floats
    x_end: _Floats
    weights_end: _Floats
    rtol: float
    t_tol: float
    iteration_error: float
    windows: int
    sweeps: int
    solved: int
    n_steps: int
    attrs: Mapping[str, Any] = field(default_factory=dict)
