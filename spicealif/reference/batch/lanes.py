"""What the lanes of the batched reference are: the arrays, their fields, and what they hold.

Beyond the fields that a step reads and writes (`batch_step`), a lane has those that decide what
step comes next.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.reference.batch import step as at
from spicealif.reference.batch.step import LANES, SIZE
from spicealif.reference.kernel import DELAY_OFF, DISCHARGE, HELD, INTEGRATE

__all__ = [
    "BEGIN",
    "BUSY",
    "CROSSED",
    "CURRENT",
    "C_INV",
    "DELAY_OFF_S",
    "DELAY_ON_S",
    "DIVERGED",
    "D_0",
    "D_1",
    "END_ENERGY",
    "END_PEAK",
    "END_SPIKES",
    "END_STATUS",
    "END_STEPS",
    "END_TIME",
    "END_V",
    "END_X",
    "ESTIMATE",
    "EVENTS",
    "FINISHED",
    "FULL",
    "GOES_ON",
    "GRID",
    "G_0",
    "G_1",
    "G_DS",
    "H_DISCHARGE",
    "IDLE",
    "KIND",
    "LISTED",
    "LOG_K",
    "LOG_K_LIMIT",
    "NEURON",
    "NOTHING",
    "N_CONTROL",
    "N_ENDS",
    "N_FLOATS",
    "N_INTS",
    "N_PAR",
    "N_SINES",
    "OVERLONG",
    "PART",
    "PHASE",
    "PIECE",
    "RUNNING",
    "SCHMITT",
    "SLOPE",
    "STALLED",
    "START_V",
    "START_X",
    "STEPS",
    "STEPS_IN",
    "TAKEN",
    "TAU",
    "TIME",
    "TIMED",
    "TIMER",
    "TOO_SHORT",
    "TRIAL",
    "TRIALS",
    "T_EVENT",
    "T_LAST",
    "T_REF",
    "U_MAX",
    "U_ON",
    "VT_INV",
    "V_LOW",
    "V_RESET",
    "V_REST",
    "V_TH",
    "H",
    "J",
    "K",
    "S",
    "compiled",
    "end_lane",
    "enter_phase",
    "load_lane",
    "new_lanes",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
_F = TypeVar("_F", bound=Callable[..., Any])

# The arrays:
# w, ints: the work array of `batch_step`, and the lanes' integers.
# par: for each neuron `par` of `kernel.advance`, then v_c and x at t = 0.
# pieces: time, current, slope and number of steps of all pieces, one neuron after the other, each
#   closed by a row with the end of its run.
# sines: amplitude, angular frequency, phase and start of all sines, likewise.
# first: where the pieces and the sines of each neuron begin.
# ends: what becomes of each neuron, columns see below.
# spikes: neuron and time.
# control: see `advance`.

# What becomes of a neuron.
RUNNING, FINISHED, STALLED, DIVERGED, OVERLONG = -1, 0, 1, 2, 3

# The kinds of a stretch of steps: no neuron; whole grid steps; a part of one grid step; one trial
# of a shortened step.
IDLE, GRID, PART, TRIAL = 0, 1, 2, 3
# What happens at the start of a stretch: a neuron begins, nothing, a crossing, the timed event.
BEGIN, NOTHING, CROSSED, TIMER = 0, 1, 2, 3
GOES_ON = -1  # the lane is to take a step as it is
# Further floats of a lane, after those of `batch_step`: grid step; start of a part within its grid
# step; time of the timed event, of the last spike; of a trial: Hermite estimate, largest length
# known to be too short, length of the full step.
H, S, T_EVENT, T_LAST = SIZE, SIZE + LANES, SIZE + 2 * LANES, SIZE + 3 * LANES
ESTIMATE, TOO_SHORT, FULL = SIZE + 4 * LANES, SIZE + 5 * LANES, SIZE + 6 * LANES
N_FLOATS = SIZE + 7 * LANES
# Integers: neuron, kind, phase, row of the piece, grid step at the start of the stretch, whether
# the stretch ends with the timed event, events in this grid step, trials, steps taken before the
# stretch.
NEURON, KIND, PHASE, PIECE, J, TIMED, EVENTS, TRIALS, STEPS = 0, 1, 2, 3, 4, 5, 6, 7, 8
N_INTS = 9
# Columns of `ends`.
END_V, END_X, END_ENERGY, END_PEAK, END_TIME, END_STATUS, END_STEPS, END_SPIKES = range(8)
N_ENDS = 8
# Columns of `par` and `pieces`, the former as in `kernel.advance`.
C_INV, V_REST, D_0, D_1, G_0, G_1, U_ON, VT_INV, K, TAU, U_MAX, LOG_K = range(12)
V_TH, V_LOW, V_RESET, T_REF, G_DS, DELAY_ON_S, DELAY_OFF_S, H_DISCHARGE, SCHMITT = range(12, 21)
START_V, START_X = 21, 22
N_PAR = 23
TIME, CURRENT, SLOPE, STEPS_IN = range(4)
# Fields of `control`.
TAKEN, LISTED, N_SINES, BUSY = range(4)
N_CONTROL = 4

#: |ln K| up to which the lanes' exponential reaches; other neurons take the single kernel.
LOG_K_LIMIT = 100.0
LOG2_E = 1.0 / math.log(2.0)


def compiled(**options: Any) -> Callable[[_F], _F]:
    """Return numba's decorator without the counting of references to arrays.

    Counting cost more at every spike than all of its arithmetic; nothing here keeps an array.
    """
    options |= {"cache": True, "error_model": "numpy", "_nrt": False}
    return njit(**options)


def new_lanes() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64], FloatArray, IntArray]:
    """Return the arrays `flags`, `words`, `w` and `ints` of idle lanes."""
    # The processor's vectors are 64 bytes; one that straddles two cache lines costs twice.
    raw = np.zeros(N_FLOATS + 8)
    start = -raw.ctypes.data % 64 // 8
    w = raw[start : start + N_FLOATS]
    for field in (at.OFFSET, at.D_0, at.K):
        w[field : field + LANES] = 1.0
    w[at.END : at.END + LANES] = math.inf
    w[at.ROW : at.ROW + LANES] = -math.inf
    flags = np.zeros(LANES, dtype=np.uint8)
    return flags, flags.view(np.uint64), w, np.zeros((N_INTS, LANES), dtype=np.int64)


@compiled()
def end_lane(
    n: int,
    new: int,
    status: int,
    t: float,
    w: FloatArray,
    ints: IntArray,
    ends: FloatArray,
    control: IntArray,
) -> None:
    """Write down what became of lane n's neuron, and make the lane idle."""
    r = ints[NEURON, n]
    ends[r, END_V] = w[new + at.V + n]
    ends[r, END_X] = w[new + at.X + n]
    ends[r, END_ENERGY] = w[new + at.ENERGY + n]
    ends[r, END_PEAK] = max(w[at.PEAK + n], w[new + at.V + n])
    ends[r, END_TIME] = t
    ends[r, END_STATUS] = status
    ends[r, END_STEPS] = ints[STEPS, n]
    ints[KIND, n] = IDLE
    control[BUSY] -= 1
    # An idle lane goes on, with steps of length 0 from a state that stays where it is.
    w[at.LENGTH + n] = w[at.BASE + n] = w[at.COUNT + n] = 0.0
    (w[at.END + n], w[at.ROW + n]) = (math.inf, -math.inf)
    (w[at.SIGN + n], w[at.OFFSET + n]) = (0.0, 1.0)
    for q in range(at.MAX_SINES):
        w[at.SINES + 4 * q * LANES + n] = 0.0
    for q in range(at.N_STATE):
        w[new + q * LANES + n] = 0.0


@compiled()
def enter_phase(n: int, r: int, phase: int, w: FloatArray, par: FloatArray) -> None:
    """Set what lane n's equations and its threshold depend on."""
    w[at.SIGN + n] = 1.0 if phase == INTEGRATE else (-1.0 if phase == DISCHARGE else 0.0)
    below = -par[r, V_LOW] if phase == DISCHARGE else 1.0
    w[at.OFFSET + n] = par[r, V_TH] if phase == INTEGRATE else below
    w[at.C_INV + n] = 0.0 if phase == HELD else par[r, C_INV]
    w[at.G_SWITCH + n] = par[r, G_DS] if phase in (DISCHARGE, DELAY_OFF) else 0.0


@compiled()
def load_lane(
    n: int,
    r: int,
    new: int,
    w: FloatArray,
    ints: IntArray,
    par: FloatArray,
    pieces: FloatArray,
    sines: FloatArray,
    first: IntArray,
) -> None:
    """Put neuron r into lane n, at its beginning; its derivatives are still to be computed."""
    (w[new + at.V + n], w[new + at.X + n]) = (par[r, START_V], par[r, START_X])
    (w[new + at.ENERGY + n], w[at.PEAK + n]) = (0.0, par[r, START_V])
    (w[at.V_REST + n], w[at.D_0 + n], w[at.D_1 + n]) = (par[r, V_REST], par[r, D_0], par[r, D_1])
    (w[at.G_0 + n], w[at.G_1 + n], w[at.K + n]) = (par[r, G_0], par[r, G_1], par[r, K])
    (w[at.Z_ON + n], w[at.Z_INV + n]) = (par[r, U_ON] * LOG2_E, par[r, VT_INV] * LOG2_E)
    w[at.TAU_INV + n] = 1.0 / par[r, TAU]
    for q in range(at.MAX_SINES):
        mine = first[r, 1] + q
        for u in range(4):
            value = sines[mine, u] if mine < first[r + 1, 1] else 0.0
            w[at.SINES + (4 * q + u) * LANES + n] = value
    for q in range(N_INTS):
        ints[q, n] = 0
    k = first[r, 0]
    (ints[NEURON, n], ints[PHASE, n], ints[PIECE, n]) = (r, INTEGRATE, k)
    w[H + n] = (pieces[k + 1, TIME] - pieces[k, TIME]) / pieces[k, STEPS_IN]
    (w[at.I_PIECE + n], w[at.SLOPE + n]) = (pieces[k, CURRENT], pieces[k, SLOPE])
    (w[at.T_PIECE + n], w[T_LAST + n], w[S + n]) = (0.0, -1.0, 0.0)
    enter_phase(n, r, INTEGRATE, w, par)
