"""A network as the compiled code takes it: flat arrays, one row for each neuron or synapse."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from spicealif._support.compiled import cfunc
from spicealif.circuit import layout
from spicealif.circuit.parameters import Cause, circuit_parameters
from spicealif.circuit.solve import largest_step, settled
from spicealif.design import Memristor
from spicealif.errors import IntegrationError
from spicealif.network.expanded import Expanded, Synapses
from spicealif.network.synapses import Synapse
from spicealif.reference.device import compiled_functions
from spicealif.reference.driver import leak_device

__all__ = ["NetworkArrays", "SynapseArrays", "network_arrays", "synapse_equations"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_ARRAY = types.float64[::1]
_CURRENT = types.FunctionType(types.void(types.float64, types.float64, _ARRAY, _ARRAY))
_RATE = types.FunctionType(types.float64(types.float64, types.float64, _ARRAY))
_EQUATIONS = types.void(
    types.float64, types.float64, _ARRAY, _ARRAY, _ARRAY, _CURRENT, _RATE, _ARRAY
)
_COMPILED: dict[type[Synapse], Any] = {}


def synapse_equations(kind: type[Synapse]) -> Any:
    """Return a kind's equations as a function pointer; compiled once."""
    if kind not in _COMPILED:
        _COMPILED[kind] = cfunc(_EQUATIONS, error_model="numpy")(kind.equations)
    return _COMPILED[kind]


@dataclass(frozen=True, eq=False)
class SynapseArrays:
    """All synapses, in the order of the projections.

    Attributes
    ----------
    equations, currents, rates : tuple
        Compiled functions of each group: a kind with a model of its memristor.
    group : ndarray of int, shape (m,)
    q, q_start : ndarray
        Coefficients of all, and where those of each begin, shape (m + 1,).
    n_states : ndarray of int, shape (m,)
    weights : ndarray, shape (m, 2)
        Of each state in the error of a step.
    blocks : ndarray of bool, shape (m,)
        See `Synapse`.
    effect : ndarray, shape (m,)
        By how many seconds a volt at the synapse's other end moves the next spike of the neuron
        that it begins at: synapse and output's resistance divide that volt, the feedback moves a
        threshold by its share, and half the stimulus' peak takes the time for it.
    pre, post : ndarray of int, shape (m,)
        Nodes.
    ins, in_start : ndarray of int
        Synapses by target and source, and where those of each neuron begin.
    outs, out_start : ndarray of int
        Synapses by source and target, and where those of each node begin.
    z : ndarray, shape (m, 2)
        States at t = 0.
    """

    equations: tuple[Any, ...]
    currents: tuple[Any, ...]
    rates: tuple[Any, ...]
    group: _Ints
    q: _Floats
    q_start: _Ints
    n_states: _Ints
    weights: _Floats
    blocks: NDArray[np.bool_]
    effect: _Floats
    pre: _Ints
    post: _Ints
    ins: _Ints
    in_start: _Ints
    outs: _Ints
    out_start: _Ints
    z: _Floats


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
    swing, v_th, level : ndarray, shape (n,)
        Swing of the output, threshold and lower level in V.
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
    v_th: _Floats
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
    (h_max, swing, v_th, level) = (np.zeros(n) for _ in range(4))
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
        swing[k], v_th[k] = high - level[k], neuron.v_th
        (fs[k, 1], fs[k, 3], fs[k, 4], fs[k, 5]) = (
            run.H_CORNER, -1.0, -1.0, values[k, layout.P_V_OL],
        )  # fmt: skip
    width = max((len(c) for c in coefficients), default=0)
    q = np.zeros((n, max(width, 1)))
    for k, own_q in enumerate(coefficients):
        q[k, : len(own_q)] = own_q
    t_all = np.concatenate([p[0] for p in pieces])
    # One current and slope fewer than times: padded, so that all begin at the same places.
    i_all = np.concatenate([np.append(p[1], 0.0) for p in pieces])
    slope_all = np.concatenate([np.append(p[2], 0.0) for p in pieces])
    starts = np.concatenate([[0], np.cumsum([len(p[0]) for p in pieces])])
    sine_start = np.concatenate([[0], np.cumsum([len(s) for s in sines])])
    return NetworkArrays(
        values, active, n_active, (t_all, i_all, slope_all), starts.astype(np.int64),
        np.concatenate(sines), sine_start.astype(np.int64), h_max, y, fs, ns, model,
        tuple(models), q, swing, v_th, level, _synapses(expanded, level, y),
    )  # fmt: skip


def _synapses(expanded: Expanded, level: _Floats, y: _Floats) -> SynapseArrays:
    n, nodes = len(expanded.neurons), len(expanded.names)
    low = np.concatenate([level, [source.v_low for source, _ in expanded.sources]])
    groups: dict[Any, int] = {}
    functions: list[tuple[Any, Any, Any]] = []
    (group, q, lengths, n_states, weights, z) = ([], [], [], [], [], [])  # type: ignore[var-annotated]
    (blocks, effect) = ([], [])  # type: ignore[var-annotated]
    for some in expanded.synapses:
        m, kind = len(some.pre), some.synapse
        device = kind.memristor
        key = (type(kind), type(device))
        if key not in groups:
            groups[key] = len(functions)
            functions.append(
                (synapse_equations(type(kind)), *compiled_functions(type(device or _NO_DEVICE)))
            )
        group.append(np.full(m, groups[key]))
        rows = _coefficients(expanded, some, m)
        q.append(rows.ravel())
        lengths.append(np.full(m, rows.shape[1]))
        n_states.append(np.full(m, kind.n_states))
        weights.append(np.tile(kind.state_weights, (m, 1)))
        blocks.append(np.full(m, kind.blocks))
        z.append(_states(some, low, y, m))
        effect.append(_effects(expanded, some, rows, z[-1]))
    if not functions:
        functions.append((synapse_equations(_any_kind()), *compiled_functions(Memristor)))
    counts = _joined(lengths, np.int64)
    pre = _joined([s.pre for s in expanded.synapses], np.int64)
    post = _joined([s.post for s in expanded.synapses], np.int64)
    ins = np.lexsort((np.arange(len(pre)), pre, post)).astype(np.int64)
    outs = np.lexsort((np.arange(len(pre)), post, pre)).astype(np.int64)
    in_start = np.searchsorted(post[ins], np.arange(n + 1)).astype(np.int64)
    out_start = np.searchsorted(pre[outs], np.arange(nodes + 1)).astype(np.int64)
    by_function = tuple(zip(*functions, strict=True))
    return SynapseArrays(
        by_function[0], by_function[1], by_function[2], _joined(group, np.int64),
        _joined(q, np.float64), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        _joined(n_states, np.int64), np.concatenate([*weights, np.zeros((0, 2))]),
        _joined(blocks, np.bool_), _joined(effect, np.float64), pre, post, ins, in_start, outs, out_start, np.concatenate([*z, np.zeros((0, 2))]),
    )  # fmt: skip


#: Time in s in which a neuron without a stimulus of its own is taken to charge to its threshold.
_SLOWLY = 1e-4
#: Stands for the memristor of a synapse that has none; it is never called.
_NO_DEVICE = Memristor(r_on=1.0, r_off=2.0, v_on=1.0, v_off=1.0, tau=1.0)


def _any_kind() -> type[Synapse]:
    from spicealif.network.synapses import DiodeSynapse

    return DiodeSynapse


def _joined(parts: list[Any], dtype: Any) -> Any:
    return np.concatenate([*parts, np.zeros(0)]).astype(dtype)


def _coefficients(expanded: Expanded, some: Synapses, m: int) -> _Floats:
    """Return q of each synapse of a projection, shape (m, k); at its target's temperature."""
    thermal = np.array([expanded.neurons[k].thermal_voltage for k in some.post])
    out: _Floats | None = None
    for v_t in np.unique(thermal):
        here = thermal == v_t
        values = {name: each[here] for name, each in some.values.items()}
        columns = some.synapse.coefficients(values, float(v_t))
        if out is None:
            out = np.zeros((m, len(columns)))
        for j, column in enumerate(columns):
            out[here, j] = column
    return np.zeros((0, 1)) if out is None else out


def _effects(expanded: Expanded, some: Synapses, rows: _Floats, z: _Floats) -> _Floats:
    """Return `SynapseArrays.effect` of a projection's synapses, as they are at t = 0."""
    out = np.zeros(len(some.pre))
    if some.synapse.one_way:
        return out
    device = some.synapse.memristor
    model = type(device or _NO_DEVICE)
    results, room = np.zeros(5), np.zeros(3)
    for k, pre in enumerate(some.pre):
        if pre < len(expanded.neurons):
            neuron = expanded.neurons[pre]
            comparator, share = neuron.comparator, neuron.network.share
            high = comparator.v_oh
            some.synapse.equations(
                high, 0.0, z[k], rows[k], results, model.current, model.rate, room
            )
            divided = results[1] * getattr(comparator, "r_source", 1.0)
            shift = divided * share / (1 - share) / neuron.difference_amplifier.gain
            peak = neuron.stimulus.peak(neuron.t_stop)
            out[k] = shift * (2 * neuron.c / peak if peak > 0 else _SLOWLY / neuron.v_th)
    return out


def _states(some: Synapses, low: _Floats, y: _Floats, m: int) -> _Floats:
    out = np.zeros((m, 2))
    n_states = some.synapse.n_states
    x_0 = some.values.get("device.x_0")
    seen: dict[tuple[float, ...], tuple[float, ...]] = {}
    for k in range(m):
        ends = (float(low[some.pre[k]]), float(y[some.post[k], layout.Y_V_C]))
        if ends not in seen:
            seen[ends] = some.synapse.initial(*ends)
        out[k, :n_states] = seen[ends]
        if x_0 is not None:
            out[k, n_states - 1] = x_0[k]
    return out
