"""A network as the compiled code of the `ideal` reference takes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Memristor, Neuron, Resistor, StimulusPieces
from spicealif.design._working import MAX_STEPS
from spicealif.design.steps import largest_steps
from spicealif.errors import IntegrationError
from spicealif.network.expanded import Expanded
from spicealif.network.reference.point import Plastic, point_form
from spicealif.reference.driver import _check_parameters, _kernel_parameters
from spicealif.reference.reference import kernel_parameters

__all__ = ["Grid", "Joined", "Tables", "chosen_grid", "ideal_tables", "usual_step"]

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]

#: |ln K| up to which the lanes' exponential reaches.
LOG_K_LIMIT = 100.0
#: Neuron-steps in a window at most: a tenth of a second or so, then Ctrl-C gets a turn.
WINDOW_WORK = 8_000_000


@dataclass(frozen=True)
class Grid:
    """The common grid of all neurons.

    Attributes
    ----------
    h : float
        Step in s; the run is a whole number of them.
    n : int
        Steps of the run.
    window : int
        Steps of a window.
    """

    h: float
    n: int
    window: int

    @property
    def n_windows(self) -> int:
        """Windows of the run."""
        return -(-self.n // self.window)


@dataclass(frozen=True, eq=False)
class Joined:
    """Synapses sorted by their presynaptic neuron, as `mail.post` takes them.

    Attributes
    ----------
    first : ndarray of int, shape (neurons and sources + 1,)
    ints : ndarray of int, shape (m, 3)
    delay, size : ndarray, shape (m,)
    plastic : Plastic or None
        In the same order; the size is then what a charge of 1 C gives.
    """

    first: _Ints
    ints: _Ints
    delay: _Floats
    size: _Floats
    plastic: Plastic | None = None


@dataclass(frozen=True, eq=False)
class Tables:
    """What the compiled code integrates.

    Attributes
    ----------
    grid : Grid
    neuron_of : ndarray of int, shape (slots,)
        The neuron of each slot, -1 for none; the lanes' blocks first, then single neurons.
    n_blocks : int
    linear, used : ndarray, shape (n_blocks,)
    par, taus : ndarray, shapes (slots, N_PAR) and (slots, K)
    pieces : list of ndarray
        Of each slot, closed by a row at infinity.
    sines : list of ndarray
    joined : tuple of Joined
        What does not change, then each projection of plastic synapses.
    source_spikes : ndarray, shape (n, 2)
        Number (behind the neurons) and time, in the order of times.
    """

    grid: Grid
    neuron_of: _Ints
    n_blocks: int
    linear: NDArray[np.bool_]
    used: _Ints
    par: _Floats
    taus: _Floats
    pieces: list[_Floats]
    sines: list[_Floats]
    joined: tuple[Joined, ...]
    source_spikes: _Floats


def usual_step(neuron: Neuron, pieces: StimulusPieces, jump: float) -> float:
    """Return the largest step in s of a neuron into which spikes bring currents up to `jump`."""
    if neuron.numerics.h is not None:
        return neuron.numerics.h
    length = np.diff(np.asarray(pieces.t, dtype=float))
    ends = np.abs(pieces.i), np.abs(np.asarray(pieces.i) + np.asarray(pieces.slope) * length)
    most = replace(pieces, i=np.maximum(*ends) + jump, slope=np.zeros(len(length)))
    return float(largest_steps(neuron, most, neuron.shortest_time).min())


def chosen_grid(
    h: float | None, usual: float, least_delay: float, t_stop: float, neurons: int
) -> Grid:
    """Return the grid for a step that is asked for, or the usual one.

    Raises
    ------
    IntegrationError
        If it is longer than the least delay, or the steps are too many.
    """
    if h is None:
        h = min(usual, least_delay, t_stop)
    elif not 0.0 < h < math.inf:
        raise IntegrationError(f"The step h is {h} s; choose a finite step above 0.")
    elif h > least_delay * (1.0 + 1e-12):
        raise IntegrationError(
            f"The step h of {h:g} s is longer than the shortest delay between neurons, "
            f"{least_delay:g} s; choose h of that or less, or longer delays."
        )
    if not t_stop / h <= MAX_STEPS:
        raise IntegrationError(
            f"{t_stop / h:.2g} steps of {h:g} s are too many (limit {MAX_STEPS:.0e}); choose a "
            "larger h with longer delays, or a shorter run."
        )
    n = max(math.ceil(t_stop / h * (1.0 - 1e-12)), 1)
    step = t_stop / n
    window = n if least_delay == math.inf else max(int(least_delay / step * (1.0 + 1e-12)), 1)
    return Grid(step, n, min(window, n, max(WINDOW_WORK // max(neurons, 1), 1)))


def ideal_tables(expanded: Expanded, h: float | None, apart: Sequence[int]) -> Tables:
    """Return the tables of a network's `ideal` reference.

    Parameters
    ----------
    expanded : Expanded
    h : float or None
        Largest step in s.
    apart : sequence of int
        Neurons that the lanes are not to take.

    Raises
    ------
    IntegrationError
        If a delay between neurons is 0, or the step makes no sense.
    """
    neurons = [neuron.at_temperature for neuron in expanded.neurons]
    n = len(neurons)
    t_stop = expanded.network.t_stop
    forms = [point_form(s, expanded) for s in expanded.synapses]
    least, jump = math.inf, np.zeros(n)
    for s, form in zip(expanded.synapses, forms, strict=True):
        between = s.delay[s.pre < n]
        if between.size and not between.min() > 0.0:
            raise IntegrationError(
                f"A delay of {s.projection.source} to {s.projection.target} is "
                f"{between.min():g} s; the ideal reference needs delays above 0 between neurons: "
                "give one, or take variant='schmitt'."
            )
        least = min(least, float(between.min(initial=math.inf)))
        current = np.divide(
            form.charge, form.tau_s, out=np.zeros(len(form.charge)), where=form.tau_s > 0
        )
        np.maximum.at(jump, s.post, np.abs(current))
    pieces = [neuron.stimulus.pieces(t_stop) for neuron in neurons]
    usual = min(map(usual_step, neurons, pieces, jump.tolist()))
    grid = chosen_grid(h, usual, least, t_stop, n)
    return _tables(expanded, neurons, pieces, forms, grid, set(apart))


def _tables(
    expanded: Expanded, neurons: list[Neuron], pieces: list[StimulusPieces], forms: list[Any],
    grid: Grid, apart: set[int],
) -> Tables:  # fmt: skip
    from spicealif.network.reference import lanes
    from spicealif.reference.batch.step import LANES

    n = len(neurons)
    rows = np.zeros((n, lanes.N_PAR))
    kinds = np.zeros(n, dtype=int)  # 0 resistor, 1 memristor, 2 by itself
    for k, neuron in enumerate(neurons):
        params = kernel_parameters(neuron)
        try:
            _check_parameters(params, "ideal")
        except IntegrationError as error:
            raise IntegrationError(f"Neuron {expanded.names[k]}: {error}") from None
        row = _kernel_parameters(params, "ideal", grid.h)
        rows[k] = [*row[:12], row[12], row[14], row[15], params.v_c_0, params.x_0]
        fits = type(neuron.leak) in (Memristor, Resistor) and not len(pieces[k].sines)
        fits = fits and abs(rows[k, lanes.LOG_K]) <= LOG_K_LIMIT and k not in apart
        kinds[k] = (0 if isinstance(neuron.leak, Resistor) else 1) if fits else 2
    neuron_of: list[int] = []
    linear, used = [], []
    for kind in (0, 1):
        of_kind = np.flatnonzero(kinds == kind).tolist()
        for start in range(0, len(of_kind), LANES):
            block = of_kind[start : start + LANES]
            neuron_of += block + [-1] * (LANES - len(block))
            linear.append(kind == 0)
            used.append(len(block))
    neuron_of += np.flatnonzero(kinds == 2).tolist()
    slots = np.array(neuron_of, dtype=np.int64)
    slot_of = np.empty(n, dtype=np.int64)
    slot_of[slots[slots >= 0]] = np.flatnonzero(slots >= 0)
    neutral = np.zeros(lanes.N_PAR)
    neutral[[lanes.D_0, lanes.K]] = 1.0
    neutral[[lanes.TAU, lanes.V_TH]] = math.inf
    par = np.where(slots[:, None] >= 0, rows[slots], neutral)
    taus, which = _time_constants(expanded, forms, slot_of, len(slots))
    empty = np.array([[math.inf, 0.0, 0.0]])
    closed = [
        np.vstack([np.column_stack([p.t[:-1], p.i, p.slope]), empty]) for p in pieces
    ]  # fmt: skip
    angular = []
    for p in pieces:
        sines = np.array(p.sines, dtype=float).reshape(-1, 4)
        sines[:, 1] *= 2.0 * math.pi
        angular.append(sines)
    return Tables(
        grid, slots, len(linear), np.array(linear, dtype=bool), np.array(used, dtype=np.int64),
        par, taus,
        [closed[k] if k >= 0 else np.vstack([empty, empty]) for k in neuron_of],
        [angular[k] if k >= 0 else np.zeros((0, 4)) for k in neuron_of],
        _joined(expanded, forms, slot_of, which, [neuron.c for neuron in neurons]),
        _source_spikes(expanded),
    )  # fmt: skip


def _time_constants(
    expanded: Expanded, forms: list[Any], slot_of: _Ints, n_slots: int
) -> tuple[_Floats, list[_Ints]]:
    """Return each slot's distinct time constants, and which of them each synapse has (-1: none)."""
    posts = [slot_of[s.post] for s in expanded.synapses]
    found: dict[tuple[int, float], int] = {}
    count = np.zeros(n_slots, dtype=np.int64)
    pairs = [
        np.column_stack([post, form.tau_s])[form.tau_s > 0.0]
        for post, form in zip(posts, forms, strict=True)
    ]
    unique = np.unique(np.vstack(pairs), axis=0) if pairs else np.zeros((0, 2))
    for slot, tau in unique.tolist():
        found[int(slot), tau] = count[int(slot)]
        count[int(slot)] += 1
    taus = np.ones((n_slots, int(count.max(initial=0))))
    for (slot, tau), k in found.items():
        taus[slot, k] = tau
    which = []
    for post, form in zip(posts, forms, strict=True):
        keys = zip(post.tolist(), form.tau_s.tolist(), strict=True)
        which.append(np.array([found.get(key, -1) for key in keys], dtype=np.int64))
    return taus, which


def _joined(
    expanded: Expanded, forms: list[Any], slot_of: _Ints, which: list[_Ints], c: list[float]
) -> tuple[Joined, ...]:
    n_pre = len(expanded.neurons) + len(expanded.sources)
    capacity = np.array(c)
    fixed: list[tuple[Any, ...]] = []
    plastic: list[Joined] = []
    number = 0
    for s, form, k in zip(expanded.synapses, forms, which, strict=True):
        m = len(s.pre)
        unit = np.where(k >= 0, 1.0 / np.where(k >= 0, form.tau_s, 1.0), 1.0 / capacity[s.post])
        ints = np.column_stack([slot_of[s.post], k, np.arange(number, number + m)])
        number += m
        if form.plastic is None:
            fixed.append((s.pre, ints, s.delay, form.charge * unit))
            continue
        order = np.argsort(s.pre, kind="stable")
        p = form.plastic
        moved = Plastic(
            p.model, p.q[order].copy(), p.x[order].copy(), p.v_pulse[order], p.v_rest[order],
            p.t_pulse[order], p.t_rest, p.factor[order],
        )  # fmt: skip
        plastic.append(
            Joined(_first(s.pre, n_pre), ints[order], s.delay[order], unit[order], moved)
        )
    none = (np.zeros(0, np.int64), np.zeros((0, 3), np.int64), np.zeros(0), np.zeros(0))
    (pre, ints, delay, size) = (
        np.concatenate(columns) for columns in zip(none, *fixed, strict=True)
    )
    order = np.argsort(pre, kind="stable")
    one = Joined(_first(pre, n_pre), ints[order], delay[order], size[order])
    return (one, *plastic)


def _first(pre: _Ints, n_pre: int) -> _Ints:
    first = np.zeros(n_pre + 1, dtype=np.int64)
    first[1:] = np.cumsum(np.bincount(pre, minlength=n_pre))
    return first


def _source_spikes(expanded: Expanded) -> _Floats:
    n = len(expanded.neurons)
    rows = [
        np.column_stack([np.full(len(times), n + k), times])
        for k, (_, times) in enumerate(expanded.sources)
    ]
    every = np.vstack([np.zeros((0, 2)), *rows])
    every = every[np.lexsort((every[:, 0], every[:, 1]))]
    early: _Floats = every[every[:, 1] < expanded.network.t_stop]
    return early
