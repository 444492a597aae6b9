"""The run of an `ideal` network: window by window, in lanes and one by one, on some threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Neuron
from spicealif.errors import IntegrationError
from spicealif.network.reference import lane_step, lanes, scalar
from spicealif.network.reference.mail import Mail
from spicealif.network.reference.plastic import Moving
from spicealif.network.reference.tables import Tables
from spicealif.reference.batch.step import LANES
from spicealif.reference.driver import leak_device

__all__ = ["Outcome", "run_ideal"]

_Floats: TypeAlias = NDArray[np.float64]

#: Lane-steps below which a second thread is not worth its waking.
WORTH_A_THREAD = 8_000
FIRST_SPIKES, FIRST_ROWS = 4096, 1 << 14


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run gives.

    Attributes
    ----------
    spikes : ndarray, shape (n, 2)
        Neuron and time, in no order.
    traces : dict of int to ndarray, shape (rows, 4)
        Time, v_c, v_mem, x.
    n_steps : int
        Of all neurons.
    n_arrived : int
        Spikes that arrived at a synapse's end.
    x : ndarray, shape (neurons,)
        States of the leaks at the end.
    """

    spikes: _Floats
    traces: dict[int, _Floats]
    n_steps: int
    n_arrived: int
    x: _Floats


class _Blocks:
    """The lanes' blocks from one to another, for one thread."""

    def __init__(self, whole: _Lanes, begin: int, end: int) -> None:
        self._whole, self._begin, self._end = whole, begin, end
        self._flags = np.zeros(LANES, dtype=np.uint8)
        self._spikes = np.empty((FIRST_SPIKES, 2))
        self._control = np.zeros(3, dtype=np.int64)

    def advance(self, arrivals: Any, j_end: int) -> list[_Floats]:
        """Go through a window; return the spikes, rows of slot and time."""
        it, found = self._whole, []
        while True:
            done = lanes.advance_blocks(
                self._begin, self._end, it.linear, it.used, it.w, it.ints, self._flags,
                self._flags.view(np.uint64), it.par, it.taus, it.decays, it.pieces,
                arrivals, j_end, it.h, self._spikes, self._control,
            )  # fmt: skip
            if self._control[lanes.LISTED]:
                found.append(self._spikes[: self._control[lanes.LISTED]].copy())
                self._control[lanes.LISTED] = 0
            if done:
                return found


class _Lanes:
    """All blocks."""

    def __init__(self, tables: Tables) -> None:
        n = tables.n_blocks * LANES
        self.linear, self.used, self.h = tables.linear, tables.used, tables.grid.h
        self.par, self.taus = tables.par[:n].copy(), tables.taus[:n].copy()
        self.n_blocks = tables.n_blocks
        # By the function that the compiled code uses: NumPy's own differs in the last bit.
        k = self.taus.shape[1]
        decays = [math.exp(-0.5 * self.h / tau) for tau in self.taus.ravel()]
        self.decays = np.array(decays, dtype=float).reshape(self.taus.shape)
        self.w = _aligned(tables.n_blocks, lanes.floats_of(k))
        self.ints = np.zeros((tables.n_blocks, lanes.N_INTS, LANES), dtype=np.int64)
        self.pieces = np.vstack([np.zeros((0, 3)), *tables.pieces[:n]])
        first = np.cumsum([0, *map(len, tables.pieces[:n])])[:-1]
        for b in range(tables.n_blocks):
            rows = slice(b * LANES, (b + 1) * LANES)
            lanes.new_block(self.w[b], self.par[rows], k)
            self.ints[b, lanes.PIECE] = first[rows]
            at_start = self.pieces[first[rows]]
            self.w[b, lane_step.I_PIECE : lane_step.I_PIECE + LANES] = at_start[:, 1]
            self.w[b, lane_step.SLOPE : lane_step.SLOPE + LANES] = at_start[:, 2]
            idle = np.arange(LANES) >= tables.used[b]
            self.w[b, lane_step.OFFSET : lane_step.OFFSET + LANES][idle] = math.inf

    def states(self) -> _Floats:
        """Return each slot's x; between two windows the state is the even one."""
        first = lane_step.EVEN + lane_step.X
        return self.w[:, first : first + LANES].ravel()

    def failed(self) -> list[tuple[int, int, float]]:
        """Return slot, status and time of each neuron that cannot go on."""
        status = self.ints[:, lanes.STATUS]
        return [
            (int(b * LANES + n), int(status[b, n]), float(self.ints[b, lanes.J, n] * self.h))
            for b, n in np.argwhere(status != lanes.FINE)
        ]


class _Single:
    """A neuron by itself."""

    def __init__(self, tables: Tables, slot: int, neuron: Neuron, traced: bool) -> None:
        self.slot, self._h = slot, tables.grid.h
        self._par, self._taus = tables.par[slot].copy(), tables.taus[slot].copy()
        self._pieces, self._sines = tables.pieces[slot], tables.sines[slot]
        self._fs = np.zeros(scalar.N_STATE + len(self._taus))
        self._fs[[scalar.V, scalar.X]] = self._par[[lanes.V_START, lanes.X_START]]
        self._fs[scalar.T_LAST] = -1.0
        self._ns = np.zeros(scalar.N_INTS, dtype=np.int64)
        self._device = leak_device(neuron.leak, neuron.thermal_voltage)
        self._spikes = np.empty(256)
        self._rows = np.empty((FIRST_ROWS if traced else 0, 4))
        self.rows: list[_Floats] = []

    def advance(self, arrivals: Any, j_end: int) -> list[_Floats]:
        """Go through a window; return the spikes, rows of slot and time."""
        found, begins, ns = [], True, self._ns
        while True:
            done = scalar.advance_one(
                begins, self.slot, self._par, self._taus, self._pieces, self._sines, self._fs, ns,
                arrivals, j_end, self._h, self._spikes, self._rows, self._device,
            )  # fmt: skip
            begins = False
            if count := int(ns[scalar.SPIKES]):
                found.append(
                    np.column_stack([np.full(count, float(self.slot)), self._spikes[:count]])
                )
                ns[scalar.SPIKES] = 0
            if done:
                return found
            self._take_rows()

    def _take_rows(self) -> None:
        """Take the rows out but the last one, which the next is compared with."""
        count = int(self._ns[scalar.ROWS])
        if count > 1:
            self.rows.append(self._rows[: count - 1].copy())
            self._rows[0] = self._rows[count - 1]
            self._ns[scalar.ROWS] = 1

    def trace(self) -> _Floats:
        """Return all rows."""
        return np.vstack([*self.rows, self._rows[: int(self._ns[scalar.ROWS])]])

    @property
    def x(self) -> float:
        """The leak's state."""
        return float(self._fs[scalar.X])

    @property
    def n_steps(self) -> int:
        """Steps taken."""
        return int(self._ns[scalar.STEPS])

    def failed(self) -> list[tuple[int, int, float]]:
        """See `_Lanes.failed`."""
        status = int(self._ns[scalar.STATUS])
        at = float(self._ns[scalar.J] * self._h + self._fs[scalar.S])
        return [(self.slot, status, at)] if status != lanes.FINE else []


def run_ideal(
    tables: Tables, neurons: Sequence[Neuron], names: Sequence[str], traced: Sequence[int],
    longest: float, threads: int, progress: Callable[[float], None] | None,
) -> Outcome:  # fmt: skip
    """Integrate an `ideal` network.

    Parameters
    ----------
    tables : Tables
    neurons : sequence of Neuron
        At their temperatures.
    names : sequence of str
    traced : sequence of int
        Neurons whose traces are kept; of those that are by themselves.
    longest : float
        Largest delay in s.
    threads : int
    progress : callable or None

    Raises
    ------
    IntegrationError
        If a neuron spikes without end or its solution diverges.
    """
    grid, n_slots = tables.grid, len(tables.neuron_of)
    t_stop, length = grid.n * grid.h, grid.window * grid.h
    mail = Mail(n_slots, length, longest, t_stop)
    blocks = _Lanes(tables)
    singles = [
        _Single(
            tables, slot, neurons[tables.neuron_of[slot]], int(tables.neuron_of[slot]) in traced
        )
        for slot in range(tables.n_blocks * LANES, n_slots)
    ]
    fixed, moving = tables.joined[0], [Moving(one) for one in tables.joined[1:]]
    (all_spikes, sources, sent) = ([np.zeros((0, 2))], tables.source_spikes, 0)

    def send(spikes: _Floats, window: int) -> None:
        mail.send(spikes, fixed.first, fixed.ints, fixed.delay, fixed.size, window)
        for devices in moving:
            one = devices.joined
            for k in range(len(spikes)):
                if one.first[int(spikes[k, 0])] == one.first[int(spikes[k, 0]) + 1]:
                    continue
                devices.spike(spikes[k])
                mail.send(spikes[k : k + 1], one.first, one.ints, one.delay, devices.size, window)

    work = tables.n_blocks * LANES * grid.window + 16 * len(singles) * grid.window
    threads = max(min(threads, work // WORTH_A_THREAD), 1)
    cuts = np.linspace(0, tables.n_blocks, threads + 1).astype(int).tolist()
    tasks: list[list[Any]] = [[_Blocks(blocks, begin, end)] for begin, end in pairwise(cuts)]
    for k, single in enumerate(singles):
        tasks[k % threads].append(single)

    def advance(task: list[Any]) -> list[_Floats]:
        return [spikes for part in task for spikes in part.advance(arrivals, j_end)]

    with ThreadPoolExecutor(max(threads - 1, 1)) as pool:
        for window in range(grid.n_windows):
            j_end = min((window + 1) * grid.window, grid.n)
            upto = sent + int(np.searchsorted(sources[sent:, 1], j_end * grid.h))
            if upto > sent:
                send(sources[sent:upto], window)
                sent = upto
            arrivals = mail.arrivals(window)
            # This thread works too, on the first part.
            others = [pool.submit(advance, task) for task in tasks[1:]]
            found = advance(tasks[0])
            for other in others:
                found += other.result()
            if found:
                spikes = np.vstack(found)
                spikes[:, 0] = tables.neuron_of[spikes[:, 0].astype(np.int64)]
                all_spikes.append(spikes)
                send(spikes, window + 1)
            _check(blocks, singles, tables, names)
            if progress is not None:
                progress(j_end / grid.n)
    steps = int(blocks.ints[:, lanes.STEPS].sum()) + sum(single.n_steps for single in singles)
    traces = {
        int(tables.neuron_of[single.slot]): single.trace()
        for single in singles
        if int(tables.neuron_of[single.slot]) in traced
    }
    ends = np.concatenate([blocks.states(), [single.x for single in singles]])
    x = np.empty(len(neurons))
    x[tables.neuron_of[tables.neuron_of >= 0]] = ends[tables.neuron_of >= 0]
    return Outcome(np.vstack(all_spikes), traces, steps, mail.arrived, x)


def _check(
    blocks: _Lanes, singles: list[_Single], tables: Tables, names: Sequence[str]
) -> None:  # fmt: skip
    """Raise IntegrationError for the first neuron that cannot go on."""
    failed = blocks.failed() if blocks.ints[:, lanes.STATUS].any() else []
    failed += [one for single in singles for one in single.failed()]
    if not failed:
        return
    slot, status, t = min(failed, key=lambda one: (one[2], one[0]))
    name = names[int(tables.neuron_of[slot])]
    if status == lanes.STALLED:
        raise IntegrationError(
            f"Neuron {name} spikes without end at t = {t:g} s; lower v_reset well below v_th, give "
            "a refractory time, or choose a smaller h."
        )
    raise IntegrationError(
        f"The solution of neuron {name} diverged before t = {t:g} s; choose a smaller h."
    )


def _aligned(rows: int, size: int) -> _Floats:
    """Return zeros whose rows begin at multiples of 64 bytes, as the processor's vectors do."""
    raw = np.zeros(rows * size + 8)
    start = -raw.ctypes.data % 64 // 8
    return raw[start : start + rows * size].reshape(rows, size)
