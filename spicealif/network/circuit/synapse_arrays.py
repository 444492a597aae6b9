"""The synapses of a network as the compiled code takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from spicealif._support.compiled import cfunc
from spicealif._support.plugins import careful
from spicealif.circuit import layout
from spicealif.design import Memristor, Neuron
from spicealif.errors import IntegrationError
from spicealif.network.expanded import Expanded, Synapses
from spicealif.network.synapses import DiodeSynapse, Synapse
from spicealif.network.synapses.registry import OWN
from spicealif.reference.device import compiled_functions

__all__ = ["SynapseArrays", "synapse_arrays", "synapse_equations"]

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
    blocks, follows : ndarray of bool, shape (m,)
        See `Synapse`.
    gain : ndarray, shape (m,)
        By how many seconds a change of the output of 1 V s moves the next spike of the neuron that
        the synapse ends in, in 1/V: its conductance over half the stimulus' peak; at least 1 over
        the output's swing.
    lag : ndarray, shape (m,)
        Time in s in which a state that follows does so; 0 without one.
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
    follows: NDArray[np.bool_]
    gain: _Floats
    lag: _Floats
    effect: _Floats
    pre: _Ints
    post: _Ints
    ins: _Ints
    in_start: _Ints
    outs: _Ints
    out_start: _Ints
    z: _Floats


def synapse_arrays(expanded: Expanded, level: _Floats, y: _Floats) -> SynapseArrays:
    """Return all synapses of a network.

    Parameters
    ----------
    expanded : Expanded
    level : ndarray, shape (n,)
        Low level of each neuron's output in V.
    y : ndarray, shape (n, N_STATES)
        The neurons' states at t = 0.
    """
    n, nodes = len(expanded.neurons), len(expanded.names)
    low = np.concatenate([level, [source.v_low for source, _ in expanded.sources]])
    groups: dict[Any, int] = {}
    functions: list[tuple[Any, Any, Any]] = []
    parts: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for some in expanded.synapses:
        kind = some.synapse

        def prepared(some: Synapses = some) -> tuple[Any, ...]:
            m, kind = len(some.pre), some.synapse
            device = kind.memristor
            key = (type(kind), type(device))
            if key not in groups:
                compiled = synapse_equations(type(kind))
                functions.append((compiled, *compiled_functions(type(device or _NO_DEVICE))))
                groups[key] = len(functions) - 1
            rows, states = _coefficients(expanded, some, m), _states(some, low, y, m)
            return (
                np.full(m, groups[key]), rows.ravel(), np.full(m, rows.shape[1]),
                np.full(m, kind.n_states), np.tile(kind.state_weights, (m, 1)),
                np.full(m, kind.blocks), np.full(m, kind.follows),
                *_effects(expanded, some, rows, states), states,
            )  # fmt: skip

        ours = type(kind) in OWN.values()
        columns = prepared() if ours else careful(
            prepared,
            f"The synapses of kind {ascii(kind.kind)}, which is another package's, cannot be "
            "computed with",
            "ask those who make it",
            IntegrationError,
        )  # fmt: skip
        for name, column in zip(_COLUMNS, columns, strict=True):
            parts[name].append(column)
    if not functions:
        functions.append((synapse_equations(DiodeSynapse), *compiled_functions(Memristor)))
    counts = _joined(parts["length"], np.int64)
    pre = _joined([s.pre for s in expanded.synapses], np.int64)
    post = _joined([s.post for s in expanded.synapses], np.int64)
    ins = np.lexsort((np.arange(len(pre)), pre, post)).astype(np.int64)
    outs = np.lexsort((np.arange(len(pre)), post, pre)).astype(np.int64)
    in_start = np.searchsorted(post[ins], np.arange(n + 1)).astype(np.int64)
    out_start = np.searchsorted(pre[outs], np.arange(nodes + 1)).astype(np.int64)
    by_function = tuple(zip(*functions, strict=True))
    pairs = np.zeros((0, 2))
    return SynapseArrays(
        by_function[0], by_function[1], by_function[2], _joined(parts["group"], np.int64),
        _joined(parts["q"], np.float64), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        _joined(parts["n_states"], np.int64), np.concatenate([*parts["weights"], pairs]),
        _joined(parts["blocks"], np.bool_), _joined(parts["follows"], np.bool_),
        _joined(parts["gain"], np.float64), _joined(parts["lag"], np.float64),
        _joined(parts["effect"], np.float64), pre, post, ins,
        in_start, outs, out_start, np.concatenate([*parts["z"], pairs]),
    )  # fmt: skip


#: What is put together of the projections.
_COLUMNS = (
    "group",
    "q",
    "length",
    "n_states",
    "weights",
    "blocks",
    "follows",
    "gain",
    "lag",
    "effect",
    "z",
)
#: Difference of a state for a derivative.
_PROBE = 1e-5
#: Difference of an output in V for its synapse's conductance.
_MORE = 0.01
#: Time in s in which a neuron without a stimulus of its own is taken to charge to its threshold.
_SLOWLY = 1e-4
#: Stands for the memristor of a synapse that has none; it is never called.
_NO_DEVICE = Memristor(r_on=1.0, r_off=2.0, v_on=1.0, v_off=1.0, tau=1.0)


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


def _effects(
    expanded: Expanded, some: Synapses, rows: _Floats, z: _Floats
) -> tuple[_Floats, _Floats, _Floats]:
    """Return `gain`, `lag` and `effect` of a projection's synapses, as they are at t = 0."""
    kind, n = some.synapse, len(expanded.neurons)
    (gain, lag, effect) = (np.zeros(len(some.pre)) for _ in range(3))
    model = type(kind.memristor or _NO_DEVICE)
    results: Any = np.zeros(5)
    room: Any = np.zeros(3)

    def evaluated(v_pre: float, states: Any, q: Any) -> tuple[float, float, float]:
        """Return d i_pre / d v_pre, i_post and the first state's rate."""
        kind.equations(v_pre, 0.0, states, q, results, model.current, model.rate, room)
        return float(results[1]), float(results[2]), float(results[3])

    for k, pre in enumerate(some.pre):
        if pre < n:
            low, high = expanded.neurons[pre].output_levels
        else:
            source = expanded.sources[pre - n][0]
            low, high = source.v_low, source.v_high
        conductance, _, rate = evaluated(high, z[k], rows[k])
        target = expanded.neurons[some.post[k]]
        if kind.follows:
            through = conductance
            moved = z[k] + np.array([_PROBE, 0.0])
            lag[k] = _PROBE / (rate - evaluated(high, moved, rows[k])[2])
        else:  # settled, since a low-pass hands on what lasts
            ends = [z[k].copy(), z[k].copy()]
            for v, states in zip((low, low + _MORE), ends, strict=True):
                if kind.memristor is None:
                    states[: kind.n_states] = kind.initial(v, 0.0)
            before = evaluated(low, ends[0], rows[k])[1]
            through = abs(evaluated(low + _MORE, ends[1], rows[k])[1] - before) / _MORE
        gain[k] = max(1 / (high - low), through * _slowness(target) / target.c)
        if pre < n and not kind.one_way:
            neuron = expanded.neurons[pre]
            share = neuron.network.share
            divided = conductance * getattr(neuron.comparator, "r_source", 1.0)
            shift = divided * share / (1 - share) / neuron.difference_amplifier.gain
            effect[k] = shift * _slowness(neuron)
    return gain, lag, effect


def _slowness(neuron: Neuron) -> float:
    """Return s/V: the time that half the stimulus' peak takes to charge the capacitor by a volt."""
    peak = neuron.stimulus.peak(neuron.t_stop)
    return 2 * neuron.c / peak if peak > 0 else _SLOWLY / neuron.v_th


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
