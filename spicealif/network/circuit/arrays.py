"""A network as the compiled code takes it: flat arrays, one row for each neuron or synapse."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.circuit import layout
from spicealif.circuit.parameters import Cause, circuit_parameters
from spicealif.circuit.solve import largest_step, settled
from spicealif.errors import IntegrationError
from spicealif.network.circuit.synapse_arrays import SynapseArrays, synapse_arrays
from spicealif.network.expanded import Expanded
from spicealif.reference.driver import leak_device

__all__ = ["NetworkArrays", "network_arrays"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NetworkArrays:
    """All neurons of a network as the compiled code takes them.

    Attributes
    ----------
    values : ndarray, shape (n, N_PARAMETERS)
    active, n_active : ndarray of int
        States of each, padded, and how many.
    pieces : tuple of ndarray
        Stimuli of all (times, currents, slopes), one after the other.
    piece_start : ndarray of int, shape (n + 1,)
        Where each stimulus begins among the times; it has one current less than times.
    sines, sine_start : ndarray
        Sines of all (amplitude, angular frequency, phase, start).
    h_max : ndarray, shape (n,)
    y, fs, ns : ndarray
        States at t = 0, see `circuit.run.advance`.
    model : ndarray of int, shape (n,)
        Which of `models` a neuron's leak is.
    models : tuple
        None for what is built in, else (current, rate).
    q : ndarray, shape (n, k)
        Coefficients of the leaks' devices.
    swing, level : ndarray, shape (n,)
        Swing and lower level of the output in V.
    synapses : SynapseArrays
    """

    values: _Floats
    active: _Ints
    n_active: _Ints
    pieces: tuple[_Floats, _Floats, _Floats]
    piece_start: _Ints
    sines: _Floats
    sine_start: _Ints
    h_max: _Floats
    y: _Floats
    fs: _Floats
    ns: _Ints
    model: _Ints
    models: tuple[Any, ...]
    q: _Floats
    swing: _Floats
    level: _Floats
    synapses: SynapseArrays


def network_arrays(expanded: Expanded, causes: AbstractSet[Cause]) -> NetworkArrays:
    """Return a network's arrays, its neurons settled.

    Parameters
    ----------
    expanded : Expanded
    causes : set of Cause
        On in all neurons at once.

    Raises
    ------
    IntegrationError
        If a neuron has a maker's model as a part, named by the neuron.
    """
    from spicealif.circuit import run

    n = len(expanded.neurons)
    values = np.zeros((n, layout.N_PARAMETERS))
    active = np.zeros((n, layout.N_STATES), dtype=np.int64)
    n_active = np.zeros(n, dtype=np.int64)
    y = np.zeros((n, layout.N_STATES))
    fs, ns = np.zeros((n, run.N_FLOAT_STATE)), np.zeros((n, run.N_INT_STATE), dtype=np.int64)
    model = np.zeros(n, dtype=np.int64)
    models: list[Any] = []
    known: dict[Any, int] = {}
    pieces: list[tuple[_Floats, _Floats, _Floats]] = []
    sines: list[_Floats] = []
    coefficients: list[tuple[float, ...]] = []
    (h_max, swing, level) = (np.zeros(n) for _ in range(3))
    rest: dict[bytes, _Floats] = {}
    for k, whole in enumerate(expanded.neurons):
        neuron = whole.at_temperature
        try:
            parameters = circuit_parameters(whole, causes)
        except IntegrationError as error:
            raise IntegrationError(f"In neuron {expanded.names[k]}: {error}") from None
        values[k] = parameters.values
        n_active[k] = len(parameters.active)
        active[k, : n_active[k]] = parameters.active
        device = leak_device(neuron.leak, neuron.thermal_voltage)
        of = None if device is None else type(neuron.leak)
        if of not in known:
            known[of] = len(models)
            models.append(None if device is None else device[:2])
        model[k] = known[of]
        coefficients.append(() if device is None else tuple(device[2].tolist()))
        key = values[k].tobytes() + parameters.y_0.tobytes() + repr(coefficients[k]).encode()
        if key not in rest:
            rest[key] = settled(parameters, device)
        y[k] = rest[key]
        stimulus = parameters.neuron.stimulus.pieces(neuron.t_stop)
        pieces.append((stimulus.t, stimulus.i, stimulus.slope))
        own = np.array(stimulus.sines, dtype=np.float64).reshape(-1, 4)
        own[:, 1] *= 2.0 * math.pi
        sines.append(own)
        h_max[k] = largest_step(neuron)
        (level[k], high) = neuron.output_levels
        swing[k] = high - level[k]
        (fs[k, 1], fs[k, 3], fs[k, 4], fs[k, 5]) = (
            run.H_CORNER, -1.0, -1.0, values[k, layout.P_V_OL],
        )  # fmt: skip
    q = _padded(coefficients)
    t_all = np.concatenate([p[0] for p in pieces])
    # One current and slope fewer than times: padded, so that all begin at the same places.
    i_all = np.concatenate([np.append(p[1], 0.0) for p in pieces])
    slope_all = np.concatenate([np.append(p[2], 0.0) for p in pieces])
    starts = np.concatenate([[0], np.cumsum([len(p[0]) for p in pieces])])
    sine_start = np.concatenate([[0], np.cumsum([len(s) for s in sines])])
    return NetworkArrays(
        values, active, n_active, (t_all, i_all, slope_all), starts.astype(np.int64),
        np.concatenate(sines), sine_start.astype(np.int64), h_max, y, fs, ns, model,
        tuple(models), q, swing, level, synapse_arrays(expanded, level, y),
    )  # fmt: skip


def _padded(rows: list[tuple[float, ...]]) -> _Floats:
    """Return rows of unequal lengths as an array, 0 behind each."""
    out = np.zeros((len(rows), max(1, max(map(len, rows), default=0))))
    for k, row in enumerate(rows):
        out[k, : len(row)] = row
    return out
