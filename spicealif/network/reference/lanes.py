"""Blocks of 64 neurons through one window of time: the lanes' events, and what comes next.

Within a window, which is no longer than the least delay, no neuron of the network can act on
another. All that arrives is known as the window begins, so that each lane goes through it by
itself, with its steps cut at its own events.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.network.reference import lane_step as at
from spicealif.network.reference.lane_step import (
    EVEN,
    ODD,
    SYNAPTIC,
    SYNAPTIC_FIELDS,
    memristors_even,
    memristors_odd,
    resistors_even,
    resistors_odd,
)
from spicealif.reference.batch.kernel import TOLERANCE, _root
from spicealif.reference.batch.step import LANES
from spicealif.reference.equations import rates
from spicealif.reference.kernel import EVENTS_PER_STEP, MAX_ITERATIONS

__all__ = [
    "DIVERGED",
    "FINE",
    "N_INTS",
    "N_PAR",
    "STALLED",
    "advance_blocks",
    "compiled",
    "floats_of",
    "new_block",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
#: What arrives in a window: where each slot's begin, times, time constant (-1 for a jump), sizes.
Arrivals: TypeAlias = tuple[IntArray, FloatArray, IntArray, FloatArray]
_F = TypeVar("_F", bound=Callable[..., Any])

# Columns of `par`, one row for each slot.
C_INV, V_REST, D_0, D_1, G_0, G_1, U_ON, VT_INV, K, TAU, U_MAX, LOG_K = range(12)
V_TH, V_RESET, T_REF, V_START, X_START = range(12, 17)
N_PAR = 17
# A lane's kind of stretch: none (window done), whole grid steps, a part of one, a trial.
IDLE, GRID, PART, TRIAL = 0, 1, 2, 3
# A lane's integers.
KIND, J, PIECE, NEXT, HELD, STOPS, EVENTS, TRIALS, STATUS, STEPS = range(10)
N_INTS = 10
# A lane's further floats, behind the synaptic ones: start of a part within its grid step, when v_c
# is let go, last spike, and of a trial: estimate, largest length too short, full length.
S, T_HELD, T_LAST, ESTIMATE, TOO_SHORT, FULL = (k * LANES for k in range(6))
EXTRA = 6
# Fields of `control`: spikes listed, block to go on with, whether it has begun the window.
LISTED, BLOCK, BEGUN = range(3)
#: Room for spikes that a round needs: two steps, and three spikes of a lane at each at most.
SPIKES_PER_ROUND = 9 * LANES
#: What became of a neuron.
FINE, STALLED, DIVERGED = 0, 1, 2
#: Synaptic current in A that is none.
NEGLIGIBLE = 1e-60
LOG2_E = 1.0 / math.log(2.0)


def compiled(**options: Any) -> Callable[[_F], _F]:
    """Return numba's decorator without the counting of references to arrays."""
    return njit(**(options | {"cache": True, "error_model": "numpy", "_nrt": False}))


def floats_of(n_synaptic: int) -> int:
    """Return the number of floats of a block."""
    return SYNAPTIC + (SYNAPTIC_FIELDS * n_synaptic + EXTRA) * LANES


def new_block(w: FloatArray, par: FloatArray, n_synaptic: int) -> None:
    """Set a block's work array to its neurons at t = 0; idle lanes have rows of neutral values."""

    def put(field: int, values: Any) -> None:
        w[field : field + LANES] = values

    w[:] = 0.0
    put(at.OFFSET, par[:, V_TH])
    for field, column in (
        (at.V_REST, V_REST), (at.D_0, D_0), (at.D_1, D_1), (at.G_0, G_0), (at.G_1, G_1),
        (at.C_INV, C_INV), (at.K, K),
    ):  # fmt: skip
        put(field, par[:, column])
    put(at.Z_ON, par[:, U_ON] * LOG2_E)
    put(at.Z_INV, par[:, VT_INV] * LOG2_E)
    put(at.TAU_INV, 1.0 / par[:, TAU])
    put(at.D_INV, 1.0 / par[:, D_0])  # of resistors
    put(at.END, math.inf)
    put(EVEN + at.V, par[:, V_START])
    put(EVEN + at.X, par[:, X_START])
    put(SYNAPTIC + SYNAPTIC_FIELDS * n_synaptic * LANES + T_LAST, -1.0)


@compiled(forceinline=True)
def _set_decays(n: int, length: float, taus: FloatArray, slot: int, w: FloatArray) -> None:
    """Set the synaptic currents' decays over steps of a length."""
    for k in range(taus.shape[1]):
        u = SYNAPTIC + k * SYNAPTIC_FIELDS * LANES
        half = math.exp(-0.5 * length / taus[slot, k])
        w[u + 2 * LANES + n] = half
        w[u + 3 * LANES + n] = half * half


@compiled(fastmath={"contract"}, forceinline=True)
def _settle(  # noqa: PLR0912, PLR0915 - one state machine, as in `spicealif.reference.kernel`
    n: int,
    slot: int,
    new: int,
    crossed: bool,
    stale: bool,
    w: FloatArray,
    ints: IntArray,
    extra: int,
    par: FloatArray,
    taus: FloatArray,
    decays: FloatArray,
    pieces: FloatArray,
    arrivals: Arrivals,
    j_end: int,
    h: float,
    spikes: FloatArray,
    listed: int,
) -> int:
    """Settle what happens where lane n stands and give it its next stretch; return the spikes."""
    (arrive, time, which, size) = arrivals
    (j, piece, s) = (ints[J, n], ints[PIECE, n], w[extra + S + n])
    odd = 1 if new == ODD else 0
    (v_th, last_arrival) = (par[slot, V_TH], arrive[slot + 1])
    while True:
        t = j * h + s
        if crossed:
            crossed = False
            ints[EVENTS, n] += 1
            spikes[listed, 0] = slot
            spikes[listed, 1] = t
            listed += 1
            w[new + at.V + n] = par[slot, V_RESET]
            stale = True
            if par[slot, T_REF] > 0.0:
                ints[HELD, n] = 1
                w[extra + T_HELD + n] = t + par[slot, T_REF]
                (w[at.C_INV + n], w[at.OFFSET + n]) = (0.0, math.inf)
            if t <= w[extra + T_LAST + n] or ints[EVENTS, n] > EVENTS_PER_STEP:
                ints[STATUS, n] = STALLED
            w[extra + T_LAST + n] = t
        held = ints[HELD, n] == 1
        next_arrival = time[ints[NEXT, n]] if ints[NEXT, n] < last_arrival else math.inf
        corner = pieces[piece + 1, 0]
        stop = min(next_arrival, corner)
        if held:
            stop = min(stop, w[extra + T_HELD + n])
        if stop <= t and ints[STATUS, n] == FINE:
            ints[EVENTS, n] += 1
            if held and w[extra + T_HELD + n] <= t:
                ints[HELD, n] = 0
                (w[at.C_INV + n], w[at.OFFSET + n]) = (par[slot, C_INV], v_th)
                stale = True
            elif corner <= t:
                piece += 1
                (w[at.I_PIECE + n], w[at.SLOPE + n]) = (pieces[piece, 1], pieces[piece, 2])
                stale = True
            else:
                added = 0.0
                while ints[NEXT, n] < last_arrival and time[ints[NEXT, n]] <= t:
                    (k, q) = (which[ints[NEXT, n]], size[ints[NEXT, n]])
                    if k >= 0:
                        w[SYNAPTIC + (k * SYNAPTIC_FIELDS + odd) * LANES + n] += q
                        added += q
                    elif not held:
                        w[new + at.V + n] += q
                        stale = True
                    ints[NEXT, n] += 1
                if added != 0.0:
                    w[new + at.I_0 + n] += added
                    kv = w[at.C_INV + n] * added
                    w[new + at.KV + n] += kv
                    d = par[slot, D_0] + par[slot, D_1] * w[new + at.X + n]
                    w[new + at.MD + n] += kv / d
            continue
        if stale:
            i = pieces[piece, 1] + pieces[piece, 2] * (t - pieces[piece, 0])
            for k in range(taus.shape[1]):
                i += w[SYNAPTIC + (k * SYNAPTIC_FIELDS + odd) * LANES + n]
            (v, x, d_1) = (w[new + at.V + n], w[new + at.X + n], par[slot, D_1])
            circuit = (par[slot, V_REST], par[slot, D_0], d_1, par[slot, G_0], par[slot, G_1])
            switching = (
                par[slot, U_ON], par[slot, VT_INV], par[slot, K], par[slot, TAU],
                par[slot, U_MAX], par[slot, LOG_K],
            )  # fmt: skip
            leak = (*circuit, w[at.C_INV + n], 0.0)
            (m, kv, kx) = rates(v, x, i, leak, switching, None)
            (w[new + at.M + n], w[new + at.KV + n], w[new + at.KX + n]) = (m, kv, kx)
            w[new + at.MD + n] = (kv - m * d_1 * kx) / (par[slot, D_0] + d_1 * x)
            w[new + at.I_0 + n] = i
            stale = False
        if ints[STATUS, n] == FINE and not held and w[new + at.M + n] >= v_th:
            crossed = True
            continue
        w[at.BASE + n] = t - pieces[piece, 0]
        w[at.COUNT + n] = 0.0
        if j == j_end or ints[STATUS, n] != FINE:
            if not math.isfinite(w[new + at.V + n]) and ints[STATUS, n] == FINE:
                ints[STATUS, n] = DIVERGED
            # An idle lane goes on, with steps of length 0.
            (ints[KIND, n], w[at.LENGTH + n], w[at.END + n]) = (IDLE, 0.0, math.inf)
            for k in range(taus.shape[1]):
                u = SYNAPTIC + k * SYNAPTIC_FIELDS * LANES
                (w[u + 2 * LANES + n], w[u + 3 * LANES + n]) = (1.0, 1.0)
            break
        steps = 0
        if s == 0.0:
            steps = j_end - j
            if stop < (j + steps) * h:
                steps = int((stop - t) / h)
                while steps > 0 and (j + steps) * h > stop:
                    steps -= 1
        if steps > 0:
            (ints[KIND, n], length) = (GRID, h)
            w[at.END + n] = steps
            ints[STOPS, n] = 0
        else:
            cut = stop < (j + 1) * h
            (ints[KIND, n], ints[STOPS, n]) = (PART, 1 if cut else 0)
            length = stop - t if cut else (j + 1) * h - t
            w[at.END + n] = 1.0
        if w[at.LENGTH + n] != length:
            w[at.LENGTH + n] = length
            if length == h:
                for k in range(taus.shape[1]):
                    u = SYNAPTIC + k * SYNAPTIC_FIELDS * LANES
                    half = decays[slot, k]
                    (w[u + 2 * LANES + n], w[u + 3 * LANES + n]) = (half, half * half)
            else:
                _set_decays(n, length, taus, slot, w)
        break
    (ints[J, n], ints[PIECE, n], w[extra + S + n]) = (j, piece, s)
    return listed


@compiled(fastmath={"contract"}, forceinline=True)
def _attend(  # noqa: PLR0912, PLR0915 - what may have happened, case by case
    n: int,
    slot: int,
    old: int,
    new: int,
    w: FloatArray,
    ints: IntArray,
    extra: int,
    taus: FloatArray,
    h: float,
    stop: float,
) -> int:
    """Look at what a step has done to lane n: 0 it goes on as it is, 1 settle, 2 a crossing."""
    kind = ints[KIND, n]
    length = w[at.LENGTH + n]
    (g, slope) = (w[new + at.M + n] - w[at.OFFSET + n], w[new + at.MD + n])
    odd = 1 if new == ODD else 0
    if kind == TRIAL:
        # Newton's iteration on the step's length, as in `spicealif.reference.kernel`.
        step = -g / slope if slope > 0.0 else math.inf
        full = w[extra + FULL + n]
        stands = ints[TRIALS, n] > MAX_ITERATIONS
        if stands or abs(step) <= TOLERANCE * full:
            if not stands:
                step = min(length + step, full) - length
                length += step
                w[new + at.V + n] += step * w[new + at.KV + n]
                w[new + at.X + n] += step * w[new + at.KX + n]
                for k in range(taus.shape[1]):
                    u = SYNAPTIC + (k * SYNAPTIC_FIELDS + odd) * LANES + n
                    w[u] -= step / taus[slot, k] * w[u]
            w[extra + S + n] = min(w[extra + S + n] + length, h)
            ints[STEPS, n] += 1
            return 2
        ints[TRIALS, n] += 1
        if ints[TRIALS, n] == MAX_ITERATIONS or not slope > 0.0:
            (ints[TRIALS, n], length) = (MAX_ITERATIONS + 1, w[extra + ESTIMATE + n])
        else:
            if g < 0.0:
                w[extra + TOO_SHORT + n] = max(w[extra + TOO_SHORT + n], length)
            short = w[extra + TOO_SHORT + n]
            length = min(length + step if length + step > short else 0.5 * (short + length), full)
    else:
        third = length * (1.0 / 3.0)
        g_0 = w[old + at.M + n] - w[at.OFFSET + n]
        (b_1, b_2) = (g_0 + third * w[old + at.MD + n], g - third * slope)
        root = -1.0
        if g >= 0.0 or b_1 >= 0.0 or b_2 >= 0.0:
            root = _root(g_0, b_1, b_2, g)
        count = int(w[at.COUNT + n])
        if root < 0.0:
            if w[at.COUNT + n] < w[at.END + n]:
                return 0
            ints[STEPS, n] += count
            if kind == GRID:
                ints[J, n] += count
                ints[EVENTS, n] = 0
            elif ints[STOPS, n] == 1:
                w[extra + S + n] = stop - ints[J, n] * h
            else:
                ints[J, n] += 1
                w[extra + S + n] = 0.0
                ints[EVENTS, n] = 0
            return 1
        # A crossing: back to where the step began, to try shorter ones.
        ints[STEPS, n] += count - 1
        if kind == GRID:
            ints[J, n] += count - 1
        w[at.BASE + n] += (count - 1) * length
        (ints[KIND, n], ints[TRIALS, n]) = (TRIAL, 0)
        (w[extra + FULL + n], w[extra + TOO_SHORT + n]) = (length, 0.0)
        length *= root
        w[extra + ESTIMATE + n] = length
    for q in range(at.N_STATE):
        w[new + q * LANES + n] = w[old + q * LANES + n]
    for k in range(taus.shape[1]):
        u = SYNAPTIC + k * SYNAPTIC_FIELDS * LANES + n
        w[u + odd * LANES] = w[u + (1 - odd) * LANES]
    (w[at.LENGTH + n], w[at.COUNT + n], w[at.END + n]) = (length, 0.0, 1.0)
    _set_decays(n, length, taus, slot, w)
    return 0


@compiled(nogil=True)
def advance_blocks(  # noqa: PLR0912 - which lanes have something to do
    begin: int,
    end: int,
    linear: npt.NDArray[np.bool_],
    used: IntArray,
    w_all: FloatArray,
    ints_all: IntArray,
    flags: npt.NDArray[np.uint8],
    words: npt.NDArray[np.uint64],
    par: FloatArray,
    taus: FloatArray,
    decays: FloatArray,
    pieces: FloatArray,
    arrivals: Arrivals,
    j_end: int,
    h: float,
    spikes: FloatArray,
    control: IntArray,
) -> bool:
    """Take the blocks from `begin` up to `end` through a window.

    Parameters
    ----------
    begin, end : int
        Blocks of this call.
    linear : array of bool, shape (B,)
        Whether all neurons of a block have resistors.
    used : array of int, shape (B,)
        Lanes of each block that have a neuron.
    w_all, ints_all : array, shapes (B, floats_of(K)) and (B, N_INTS, 64)
    flags, words : array
        Room for the flags of a block, and the same memory 8 to a word.
    par : array, shape (64 B, N_PAR)
    taus, decays : array, shape (64 B, K)
        Time constants of synaptic currents, and their decay over half a grid step.
    pieces : array
        Time, current and slope of each piece of all stimuli; each closed by a row at infinity.
    arrivals : Arrivals
    j_end : int
        Grid step with which the window ends.
    h : float
        Grid step in s.
    spikes : array, shape (n, 2)
        Slot and time; written to from `listed[0]` on.
    control : array of int, shape (3,)
        Spikes listed; block to go on with; whether that block has begun this window.

    Returns
    -------
    bool
        False if there is too little room for more spikes: the caller takes them and comes again.
    """
    extra = SYNAPTIC + SYNAPTIC_FIELDS * taus.shape[1] * LANES
    n_spikes = control[LISTED]
    for b in range(max(begin, control[BLOCK]), end):
        (w, ints) = (w_all[b], ints_all[b])
        if control[BEGUN] == 0:
            if spikes.shape[0] - n_spikes < SPIKES_PER_ROUND:
                (control[LISTED], control[BLOCK]) = (n_spikes, b)
                return False
            for n in range(used[b]):
                slot = b * LANES + n
                ints[NEXT, n] = arrivals[0][slot]
                # Denormal numbers would cost far more than they are worth.
                for k in range(taus.shape[1]):
                    u = SYNAPTIC + k * SYNAPTIC_FIELDS * LANES + n
                    w[u] = w[u] if abs(w[u]) > NEGLIGIBLE else 0.0
                if ints[STATUS, n] == FINE:
                    n_spikes = _settle(
                        n, slot, EVEN, False, ints[J, n] == 0, w, ints, extra, par, taus, decays,
                        pieces, arrivals, j_end, h, spikes, n_spikes,
                    )  # fmt: skip
        control[BEGUN] = 0
        busy = True
        while busy:
            if spikes.shape[0] - n_spikes < SPIKES_PER_ROUND:
                (control[LISTED], control[BLOCK], control[BEGUN]) = (n_spikes, b, 1)
                return False
            for half in range(2):
                (old, new) = (EVEN, ODD) if half == 0 else (ODD, EVEN)
                if linear[b]:
                    if half == 0:
                        resistors_even(w, flags, taus.shape[1])
                    else:
                        resistors_odd(w, flags, taus.shape[1])
                elif half == 0:
                    memristors_even(w, flags, taus.shape[1])
                else:
                    memristors_odd(w, flags, taus.shape[1])
                for q in range(words.size):
                    if words[q] == 0:
                        continue
                    for n in range(8 * q, 8 * q + 8):
                        if flags[n] == 0 or ints[KIND, n] == IDLE:
                            continue
                        slot = b * LANES + n
                        stop = 0.0
                        if ints[STOPS, n] == 1:
                            stop = pieces[ints[PIECE, n] + 1, 0]
                            if ints[NEXT, n] < arrivals[0][slot + 1]:
                                stop = min(stop, arrivals[1][ints[NEXT, n]])
                            if ints[HELD, n] == 1:
                                stop = min(stop, w[extra + T_HELD + n])
                        what = _attend(n, slot, old, new, w, ints, extra, taus, h, stop)
                        if what != 0:
                            n_spikes = _settle(
                                n, slot, new, what == 2, what == 2, w, ints, extra, par, taus,
                                decays, pieces, arrivals, j_end, h, spikes, n_spikes,
                            )  # fmt: skip
            busy = False
            for n in range(used[b]):
                if ints[KIND, n] != IDLE:
                    busy = True
                    break
    (control[LISTED], control[BLOCK]) = (n_spikes, 0)
    return True
