"""What the circuit side of a network gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spicealif._support.drawn import Drawn
from spicealif.network.expanded import Expanded
from spicealif.network.netlist import Played

__all__ = ["NetworkSolution", "NeuronTraces"]

_Floats = NDArray[np.float64]
#: Into how many parts a cubic is cut at most.
MOST_PARTS = 64


@dataclass(frozen=True, eq=False)
class NeuronTraces:
    """The traces of one neuron.

    Attributes
    ----------
    time : ndarray, shape (k,)
        In s, not decreasing; equal where a derivative is another one before and after.
    signals : mapping of str to ndarray, shape (k,)
        v_c, v_mem, spike, v_d in V, and x of a memristor; and ``spike_slope``, ``v_c_slope`` in
        V/s, with which cubics between the samples are the solution to its own tolerance.
    """

    time: _Floats
    signals: Mapping[str, _Floats]

    def linear(self, name: str, tolerance: float = 1e-6) -> tuple[_Floats, _Floats]:
        """Return points between which straight lines are the solution to a tolerance.

        Parameters
        ----------
        name : {"spike", "v_c"}
        tolerance : float
            In V.

        Returns
        -------
        t, v : ndarray
            In s and V.
        """
        (t, v, d) = (self.time, self.signals[name], self.signals[f"{name}_slope"])
        h = np.diff(t)
        # A cubic's second derivative is largest at an end; a line over h is off by h^2 / 8 of it.
        rise = np.diff(v)
        curvature = np.maximum(
            np.abs(6 * rise - h * (4 * d[:-1] + 2 * d[1:])),
            np.abs(-6 * rise + h * (2 * d[:-1] + 4 * d[1:])),
        )
        parts = np.ceil(np.sqrt(curvature / (8 * tolerance))).astype(np.int64)
        parts = np.clip(parts, 1, MOST_PARTS)
        which = np.repeat(np.arange(len(h)), parts)
        first = np.concatenate([[0], np.cumsum(parts)[:-1]])
        a = (np.arange(len(which)) - np.repeat(first, parts)) / parts[which]
        b = 1 - a
        between = (
            v[which] * (1 + 2 * a) * b * b
            + v[which + 1] * (1 + 2 * b) * a * a
            + h[which] * a * b * (d[which] * b - d[which + 1] * a)
        )
        return (
            np.append(t[which] + a * h[which], t[-1]),
            np.append(np.where(a == 0, v[which], between), v[-1]),
        )


@dataclass(frozen=True, eq=False)
class NetworkSolution(Drawn):
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
        Steps of all these.
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

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the neurons."""
        return self.expanded.names[: len(self.t_spike)]

    def played(self) -> dict[int, Played]:
        """Return the waveforms that are kept as witness decks take them."""
        return {
            k: Played(*traces.linear("spike"), *traces.linear("v_c"), self.t_spike[k])
            for k, traces in self.traces.items()
        }
