"""The run of a `schmitt` network, grid step by grid step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif.design import MemristorModel, Neuron, StimulusPieces
from spicealif.errors import IntegrationError
from spicealif.network.expanded import Expanded, Synapses
from spicealif.network.reference import pulse_rates as of
from spicealif.network.reference import pulses as at
from spicealif.network.reference.ideal import Outcome
from spicealif.network.reference.mail import Mail
from spicealif.network.reference.tables import Grid, chosen_grid, usual_step
from spicealif.network.synapses import (
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    MemristorSynapse,
)
from spicealif.reference.driver import _check_parameters
from spicealif.reference.reference import kernel_parameters
from spicealif.reference.steps import discharge_step

__all__ = ["run_schmitt"]

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]

_KINDS: dict[type, int] = {
    DiodeSynapse: of.DIODE, MemristorSynapse: of.MEMRISTOR,
    CurrentSynapse: of.CURRENT, CrossbarSynapse: of.CROSSBAR,
}  # fmt: skip
#: Steps per time constant with which a conducting synapse charges its target.
STEPS_PER_TIME = 50
#: Grid steps between two looks at Ctrl-C at most.
CHUNK_STEPS = 2000


class _Ohm:
    """A resistor as a model of a device."""

    @staticmethod
    def current(v: float, x: float, q: Any, out: Any) -> None:
        """See `MemristorModel.current`."""
        out[0] = q[0] * v
        out[1] = q[0]
        out[2] = 0.0

    @staticmethod
    def rate(v: float, x: float, q: Any) -> float:
        """See `MemristorModel.rate`."""
        return 0.0 * v


class _Models:
    """The models of all devices, each once."""

    def __init__(self) -> None:
        self._models: list[Any] = [_Ohm]

    def place(self, model: Any) -> int:
        """Return a model's place."""
        if model not in self._models:
            self._models.append(model)
        return self._models.index(model)

    def compiled(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the currents and the rates."""
        from spicealif.reference.device import compiled_functions

        # In fours: each number of models is another type, which takes half a minute to compile.
        padded = self._models + [_Ohm] * (-len(self._models) % 4)
        both = [compiled_functions(model) for model in padded]
        return tuple(a for a, _ in both), tuple(b for _, b in both)


def run_schmitt(  # noqa: PLR0915 - what is handed over between steps
    expanded: Expanded, h: float | None, traced: Sequence[int],
    progress: Callable[[float], None] | None,
) -> tuple[Outcome, Grid]:  # fmt: skip
    """Integrate a `schmitt` network.

    Parameters
    ----------
    expanded : Expanded
    h : float or None
        Largest step in s.
    traced : sequence of int
        Neurons whose traces are kept.
    progress : callable or None

    Raises
    ------
    IntegrationError
        If a kind of synapse is not known here, the step makes no sense, or a neuron cannot go on.
    """
    neurons = [neuron.at_temperature for neuron in expanded.neurons]
    (n, t_stop, names) = (len(neurons), expanded.network.t_stop, expanded.names)
    pieces = [neuron.stimulus.pieces(t_stop) for neuron in neurons]
    models = _Models()
    synapses, targets, least = _synapses(expanded, neurons, models)
    usual = min(map(usual_step, neurons, pieces, [0.0] * n))
    grid = chosen_grid(h, min(usual, least), math.inf, t_stop, n)
    state = _neurons(neurons, names, pieces, grid.h, models)
    (fs, ns) = (state[4], state[5])
    sources = _pulses(expanded)
    n_out, m = n + len(sources), len(synapses[1])
    made = np.zeros((n_out, at.EDGES, 2))
    n_made = np.zeros(n_out, dtype=np.int64)
    kept = (fs.copy(), ns.copy(), synapses[4].copy(), synapses[5].copy())
    most = int(np.diff(synapses[0]).max(initial=0))
    room = max(most, 1) * 2 * at.EDGES
    scratch = (np.empty((room, 2)), np.empty(room, dtype=np.int64), np.empty((at.EDGES, 2)))
    width = max(most + 2, 4)
    work = (np.zeros(width), np.zeros(width), np.zeros((9, width)))
    compiled = models.compiled()
    row_of = np.full(n, -1, dtype=np.int64)
    row_of[list(traced)] = np.arange(len(traced))
    rows = np.empty((max(len(traced), 1), at.MOST_ROWS if traced else 0, 4))
    taken: list[list[_Floats]] = [[] for _ in traced]
    mail = Mail(n, grid.h, float(targets[4].max(initial=0.0)), t_stop)
    ints = np.column_stack([targets[3], np.arange(m), np.arange(m)])[targets[1]].copy()
    delay, low, high = (targets[k][targets[1]].copy() for k in (4, 5, 6))
    spikes: list[_Floats] = [np.zeros((0, 2))]
    place = [0] * len(sources)
    (j, dirty, nothing) = (0, np.zeros(n, dtype=bool), np.zeros(n + 1, dtype=np.int64))
    while j < grid.n:
        (t_0, t_1) = (j * grid.h, (j + 1) * grid.h)
        j_stop = min(grid.n, j + CHUNK_STEPS)
        for k, edges in enumerate(sources):
            upto = int(np.searchsorted(edges[:, 0], t_1, side="right"))
            if upto - place[k] > at.EDGES:
                raise IntegrationError(
                    f"Source {names[n + k]} has more than {at.EDGES // 2} pulses in one step at "
                    f"t = {t_0:g} s; choose a smaller h, or pulses further apart."
                )
            n_made[n + k] = upto - place[k]
            made[n + k, : n_made[n + k]] = edges[place[k] : upto]
            place[k] = upto
            if upto < len(edges):
                j_stop = min(j_stop, max(int(edges[upto, 0] / grid.h) - 1, j + 1))
        status, j_next = at.run_steps(
            j, j_stop, grid.h, mail.heads, nothing, mail.arrivals(j), targets, made, n_made, kept,
            dirty, *scratch, *work, state, synapses, compiled, row_of, rows,
        )  # fmt: skip
        (j, t_1) = (j_next, j_next * grid.h)
        if status != at.FINE:
            _fail(status, ns, names, t_1)
        if n_made.any():
            numbers = np.repeat(np.arange(n_out), n_made)
            found = np.vstack([made[p, : n_made[p]] for p in np.flatnonzero(n_made)])
            found = np.column_stack([numbers, found])
            for rising, levels in ((True, high), (False, low)):
                some = found[(found[:, 2] > 0.0) == rising, :2].copy()
                mail.send(some, targets[0], ints, delay, levels, j, t_1)
                if rising:
                    spikes.append(some[some[:, 0] < n])
        for k, r in enumerate(traced):
            if (count := int(ns[r, of.ROWS])) > at.MOST_ROWS // 2 or j == grid.n:
                taken[k].append(rows[k, : count - 1].copy())
                rows[k, 0] = rows[k, count - 1]
                ns[r, of.ROWS] = 1
        if progress is not None:
            progress(j / grid.n)
    traces = {
        r: np.vstack([*taken[k], rows[k, :1]]) for k, r in enumerate(traced)
    }  # fmt: skip
    steps, x = int(ns[:, of.STEPS].sum()), fs[:, of.X].copy()
    return Outcome(np.vstack(spikes), traces, steps, mail.arrived, x), grid


def _fail(status: int, ns: _Ints, names: Sequence[str], t: float) -> None:
    if status == at.UNSETTLED:
        raise IntegrationError(
            f"The pulses at t = {t:g} s act on each other without end within one step; give the "
            "synapses a delay, or choose a smaller h."
        )
    name = names[int(np.flatnonzero(ns[:, of.STATUS])[0])]
    if status == at.STALLED:
        raise IntegrationError(
            f"Neuron {name} spikes without end at t = {t:g} s; lower v_low well below v_th, or "
            "choose a smaller h."
        )
    raise IntegrationError(
        f"The solution of neuron {name} diverged at t = {t:g} s; choose a smaller h."
    )


def _neurons(
    neurons: list[Neuron], names: Sequence[str], pieces: list[StimulusPieces], h: float,
    models: _Models,
) -> tuple[Any, ...]:  # fmt: skip
    """Return the tuple `neurons` of `pulses._rates`."""
    n = len(neurons)
    par = np.empty((n, of.N_PAR))
    (fs, ns) = (np.zeros((n, 4)), np.zeros((n, 5), dtype=np.int64))
    fs[:, of.T_LAST] = -1.0
    model_of = np.zeros(n, dtype=np.int64)
    coefficients: list[list[float]] = []
    for k, neuron in enumerate(neurons):
        p = kernel_parameters(neuron)
        try:
            _check_parameters(p, "schmitt")
        except IntegrationError as error:
            raise IntegrationError(f"Neuron {names[k]}: {error}") from None
        par[k] = (
            1.0 / p.c, p.v_rest, p.r_s, p.v_th, p.v_low, 1.0 / p.r_ds_on, p.delay_on,
            p.delay_off, discharge_step(p, h),
        )  # fmt: skip
        (fs[k, of.V], fs[k, of.X]) = (p.v_c_0, p.x_0)
        leak = neuron.leak
        if isinstance(leak, MemristorModel):
            model_of[k] = models.place(type(leak))
            coefficients.append(list(leak.numbers(neuron.thermal_voltage)))
        else:
            coefficients.append([1.0 / leak.r])
    q = np.zeros((n, max(map(len, coefficients))))
    for k, row in enumerate(coefficients):
        q[k, : len(row)] = row
    longest = max(len(p.i) for p in pieces) + 1
    table = np.full((n, longest + 1, 3), math.inf)
    sines = np.zeros((n, max(len(p.sines) for p in pieces), 4))
    n_sines = np.array([len(p.sines) for p in pieces], dtype=np.int64)
    for k, one in enumerate(pieces):
        m = len(one.i)
        table[k, :m] = np.column_stack([one.t[:-1], one.i, one.slope])
        table[k, m, 1:] = 0.0
        if n_sines[k]:
            sines[k, : n_sines[k]] = one.sines
    sines[:, :, 1] *= 2.0 * math.pi
    return par, model_of, q, np.zeros((n, 4)), fs, ns, table, sines, n_sines


def _synapses(
    expanded: Expanded, neurons: list[Neuron], models: _Models
) -> tuple[tuple[Any, ...], tuple[Any, ...], float]:
    """Return the tuples of `pulses.run_step`, and the longest step that conduction allows in s."""
    n, n_out = len(neurons), len(neurons) + len(expanded.sources)
    levels = [neuron.output_levels for neuron in neurons]
    levels += [(source.v_low, source.v_high) for source, _ in expanded.sources]
    level = np.array(levels, dtype=float).reshape(-1, 2)
    thermal = np.array([neuron.thermal_voltage for neuron in neurons])
    c = np.array([neuron.c for neuron in neurons])
    conductance, least = np.zeros(n), math.inf
    parts: list[tuple[Any, ...]] = []
    for s in expanded.synapses:
        if type(s.synapse) not in _KINDS:
            raise IntegrationError(
                f"The schmitt reference has no equations of synapses of kind {s.synapse.kind!r} "
                "without their junctions' capacitance; take variant='ideal', or another kind."
            )
        m = len(s.pre)
        q, x = _coefficients(s, thermal), level[s.pre, 0]
        device = s.synapse.memristor
        model = 0
        if device is not None:
            model = models.place(type(device))
            x = np.broadcast_to(np.asarray(s.values.get("device.x_0", device.x_0), float), m)
            top = float(level[s.pre, 1].max(initial=0.0))
            least = min(least, device.time_scale(top) / STEPS_PER_TIME)
            if isinstance(s.synapse, MemristorSynapse):
                np.add.at(conductance, s.post, 1.0 / device.r_min(top))
        elif isinstance(s.synapse, DiodeSynapse):
            np.add.at(conductance, s.post, q[:, 0])
        parts.append((np.full(m, _KINDS[type(s.synapse)]), np.full(m, model), q, x, s))
    with np.errstate(divide="ignore"):
        least = min(least, float((c / conductance).min() / STEPS_PER_TIME))
    width = max((part[2].shape[1] for part in parts), default=2)
    q = np.zeros((sum(len(part[0]) for part in parts), width))
    row = 0
    for part in parts:
        (here, columns) = (part[2], part[2].shape[1])
        q[row : row + len(here), : columns - 1] = here[:, :-1]
        q[row : row + len(here), -1] = here[:, -1]
        if columns == width or isinstance(part[4].synapse, DiodeSynapse | CurrentSynapse):
            q[row : row + len(here), :columns] = here
        row += len(here)

    def joined(k: int, of: type) -> Any:
        return np.concatenate([np.zeros(0, of), *(np.asarray(part[k], of) for part in parts)])

    every = expanded.synapses
    pre = np.concatenate([np.zeros(0, np.int64), *(s.pre for s in every)])
    post = np.concatenate([np.zeros(0, np.int64), *(s.post for s in every)])
    delay = np.concatenate([np.zeros(0), *(s.delay for s in every)])
    order = np.argsort(post, kind="stable")
    (pre, post, delay) = (pre[order], post[order], delay[order])
    first = np.zeros(n + 1, dtype=np.int64)
    first[1:] = np.cumsum(np.bincount(post, minlength=n))
    out_synapse = np.argsort(pre, kind="stable").astype(np.int64)
    out_first = np.zeros(n_out + 1, dtype=np.int64)
    out_first[1:] = np.cumsum(np.bincount(pre, minlength=n_out))
    (low, high) = (level[pre, 0], level[pre, 1])
    v_d = np.minimum(low - np.array([neuron.v_rest for neuron in neurons])[post], 0.0)
    return (
        (first, joined(0, np.int64)[order], joined(1, np.int64)[order], q[order], low.copy(),
         joined(3, float)[order], v_d),
        (out_first, out_synapse, pre, post, delay, low, high),
        least,
    )  # fmt: skip


def _coefficients(s: Synapses, thermal: _Floats) -> _Floats:
    """Return what the synapses' equations take as q, shape (m, width)."""
    rows = []
    for k in range(len(s.pre)):
        values = {name: float(each[k]) for name, each in s.values.items()}
        rows.append(s.synapse.coefficients(values, float(thermal[s.post[k]])))
    width = len(rows[0]) if rows else 2
    return np.array(rows, dtype=float).reshape(-1, width)


def _pulses(expanded: Expanded) -> list[_Floats]:
    """Return each source's edges: time, and 1 where it rises; overlapping pulses are one."""
    out = []
    for source, times in expanded.sources:
        edges: list[list[float]] = []
        for t in np.sort(times).tolist():
            if edges and t <= edges[-1][0]:
                edges[-1][0] = t + source.t_pulse
            else:
                edges += [[t, 1.0], [t + source.t_pulse, 0.0]]
        out.append(np.array(edges, dtype=float).reshape(-1, 2))
    return out
