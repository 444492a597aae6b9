"""A run of the circuit's equations by `rodas`: steps, corners, located events, what is kept.

Steps end on every corner of the stimulus. A sharp comparator's crossing is bracketed by steps of
the method itself, shortened until they end on the threshold; so is a spike of a smooth one.
"""

from __future__ import annotations

import math

import numpy as np

from spicealif._support.compiled import njit
from spicealif.circuit.layout import (
    COMPARATOR_SHARP,
    N_STATES,
    P_C,
    P_COMPARATOR,
    P_G_SWITCH,
    P_KP,
    P_PULL_UP,
    P_RESET,
    P_T_HOLD,
    P_V_HIGH,
    P_V_LEVEL,
    P_V_LOW,
    P_V_OH,
    P_V_OL,
    P_V_RESET,
    P_V_SWITCH,
    P_V_TO,
    P_VDMOS,
    P_WAIT,
    Y_V_C,
    Y_V_GD,
    Y_X,
)
from spicealif.circuit.linked import (
    N_ROWS,
    Z_END,
    Z_F,
    Z_NEW,
    Z_X,
    Links,
    checkpoint,
    evaluate,
    linearise,
    linked_step,
)
from spicealif.circuit.rates import drops
from spicealif.circuit.rodas import (
    N_WORK,
    Buffers,
    FloatArray,
    IntArray,
    Stimulus,
    drive,
    step,
)
from spicealif.reference.device import Device

__all__ = [
    "DONE",
    "N_FLOAT_STATE",
    "N_INT_STATE",
    "N_WORK",
    "PAUSED",
    "ROWS_A_STEP",
    "STALLED",
    "advance",
]

# What `advance` reports.
DONE, PAUSED, STALLED = 0, 1, 2

# Sizes of the arrays that carry the state.
N_FLOAT_STATE, N_INT_STATE = 9, 9
# The shortest step; below it the circuit has no solution that doubles could follow.
H_MIN = 1e-19
# Length of the first step after an event and after a corner.
H_EVENT, H_CORNER = 1e-12, 1e-9
EVENTS_AT_ONCE = 100
#: Rows that one step can write at most; with fewer left a buffer is full.
ROWS_A_STEP = 4


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _bracket(
    what: int | np.int64,
    low: float,
    g_low: float,
    high: float,
    g_high: float,
    y: FloatArray,
    s: float,
    k: int,
    stimulus: Stimulus,
    output: float,
    p: FloatArray,
    active: IntArray,
    pivot: IntArray,
    work: FloatArray,
    tol: float,
    wanted: tuple[float, float],
    device: Device | None,
    links: Links | None,
    z: FloatArray,
    rows: FloatArray,
) -> float:
    """Return the length of the step from s after which ``sign * voltage - level`` is just >= 0.

    `what` is the voltage: 1 for v_d, 2 for the comparator's output; `wanted` is (sign, level).
    Between a length where it is below and one where it is not, by the Illinois method on steps
    of the integrator itself. The new state for that length is left in `work`.
    """
    (new, end) = (work[20:30], work[10:20])
    (sign, level) = wanted
    side = 0
    for _ in range(60):
        if high - low <= 1e-9 * high or high - low <= 1e-15:
            break
        at = (low * g_high - high * g_low) / (g_high - g_low)
        if not (low < at < high):
            at = 0.5 * (low + high)
        _take(y, s, at, k, stimulus, output, p, active, pivot, work, tol, device, links)
        i_in, _ = drive(s + at, k, stimulus)
        volts = evaluate(
            new, rows[Z_NEW], stimulus[0][k] + s + at, i_in, output, p, end, rows[Z_END], device,
            links,
        )  # fmt: skip
        g = sign * (volts[1] if what == 1 else volts[2]) - level
        if g >= 0.0:
            (high, g_high) = (at, g)
            if g <= 1e-12:
                break
            if side == 1:
                g_low *= 0.5
            side = 1
        else:
            (low, g_low) = (at, g)
            if side == -1:
                g_high *= 0.5
            side = -1
    _take(y, s, high, k, stimulus, output, p, active, pivot, work, tol, device, links)
    return high


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _take(
    y: FloatArray,
    s: float,
    h: float,
    k: int,
    stimulus: Stimulus,
    output: float,
    p: FloatArray,
    active: IntArray,
    pivot: IntArray,
    work: FloatArray,
    tol: float,
    device: Device | None,
    links: Links | None,
) -> float:
    """Take one step, see `rodas.step`."""
    if links is None:
        return step(y, s, h, k, stimulus, output, p, active, pivot, work, tol, device)
    return linked_step(y, s, h, k, stimulus, output, p, active, pivot, work, tol, device, links)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _keep_knot(
    row: int, t: float, v_spike: float, y: FloatArray, f: FloatArray, links: Links | None
) -> None:  # fmt: skip
    """Write a knot of this neuron's waves, but for the output's derivative."""
    if links is None:
        return
    (times, out, _, v_c, v_c_slope) = links[11]
    (times[row], out[row]) = (t, v_spike)
    (v_c[row], v_c_slope[row]) = (y[Y_V_C], f[Y_V_C])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _slope_by_difference(
    row: int,
    t: float,
    s: float,
    length: float,
    k: int,
    stimulus: Stimulus,
    y: FloatArray,
    f: FloatArray,
    output: float,
    p: FloatArray,
    work: FloatArray,
    device: Device | None,
    links: Links | None,
) -> None:
    """Write the output's derivative just before the last knot, by a difference.

    The steps write that of a knot that they begin at; where what acts on the neuron has a corner,
    that is another one.
    """
    if links is None:
        return
    (z, rows, slopes) = (links[8], links[9], links[11][2])
    (arg, g) = (work[30:40], work[40:50])
    if p[P_COMPARATOR] == COMPARATOR_SHARP:
        slopes[row] = 0.0
        return
    e = max(1e-3 * length, 1e-18)
    (here, before) = (0.0, 0.0)
    for side in range(2):
        for j in range(N_STATES):
            arg[j] = y[j] - e * f[j]
        for j in range(z.size):
            rows[Z_X, j] = z[j] - e * rows[Z_F, j]
        i_in, _ = drive(max(s - e, 0.0), k, stimulus)
        v = evaluate(arg, rows[Z_X], t - e, i_in, output, p, g, rows[Z_END], device, links)[2]
        if side == 0:
            before = v
            slopes[row] = e
            e = 0.0
        else:
            here = v
    slopes[row] = (here - before) / slopes[row]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _area(a: float, b: float, rise_a: float, rise_b: float, length: float) -> float:
    """Return the integral of what is above 0 of a voltage with these values and derivatives."""
    middle = 0.5 * (a + b) + 0.125 * length * (rise_a - rise_b)
    return length / 6.0 * (max(a, 0.0) + 4.0 * max(middle, 0.0) + max(b, 0.0))


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def advance(  # noqa: PLR0912, PLR0915 - one state machine
    par: FloatArray,
    active: IntArray,
    stimulus: Stimulus,
    y: FloatArray,
    fs: FloatArray,
    ns: IntArray,
    out: Buffers,
    settings: FloatArray,
    max_steps: int,
    device: Device | None,
    links: Links | None,
) -> int:
    """Integrate until the end, a full buffer or `max_steps` steps.

    Parameters
    ----------
    par : array, shape (N_PARAMETERS,)
        The circuit, see `layout`.
    active : array of int
        The states that this circuit has.
    stimulus : tuple of arrays
        See `Stimulus`; sines with angular frequencies.
    y : array, shape (N_STATES,)
        The state, updated.
    fs, ns : array
        Where to resume, updated. fs: time in the piece, step, energy, end of a hold (or -1),
        time of the last row, comparator output of a sharp comparator; the integrals in V s of the
        op-amp's drop where it is above 0 and below, and of the comparator's above 0 (see
        `drops`). ns: piece, sharp
        comparator high, armed for a spike, rows, spikes, steps, rejected steps, discharge to be
        ended by a reset, MOSFET held off by a reset or until the spike.
    out : tuple of arrays
        See `Buffers`.
    settings : array
        Relative tolerance, largest step in s, time in s at which to stop before the end, interval
        of checkpoints in s.
    max_steps : int
        Steps to take at most.
    device : Device or None
        See `rates`.
    links : Links or None
        What joins the neuron to others, see `linked`; its states are updated too.

    Returns
    -------
    int
        DONE (the end or the time to stop), STALLED, or PAUSED (a buffer is full or the steps are
        taken).
    """
    t_piece = stimulus[0]
    (out_t, out_v, out_m, out_x, out_s, out_e, out_d, out_a, out_b, out_spike) = out
    (tol, h_max, until, interval) = (settings[0], settings[1], settings[2], settings[3])
    t_kept = fs[4]
    (s, h, energy, hold, t_row, output) = (fs[0], fs[1], fs[2], fs[3], fs[4], fs[5])
    (above, below, sourced) = (fs[6], fs[7], fs[8])
    (k, high, armed, row, spike) = (ns[0], ns[1], ns[2], ns[3], ns[4])
    (falling, off) = (ns[7], ns[8])
    p = par.copy()
    work = np.zeros(N_WORK)  # states that a circuit does not have count as 0
    pivot = np.empty(N_STATES, dtype=np.int64)
    (f, end, new, arg, g_work) = (work[0:10], work[10:20], work[20:30], work[30:40], work[40:50])
    (jac, edge) = (work[110:210], work[310:340])
    (z, rows, corners) = (work[0:0], np.empty((N_ROWS, 0)), work[0:0])
    if links is not None:
        (corners, z, rows) = (links[10], links[8], links[9])
    corner = 0
    sharp = p[P_COMPARATOR] == COMPARATOR_SHARP
    wait = p[P_WAIT] != 0.0 and not sharp
    swing = p[P_V_OH] - p[P_V_LEVEL]
    middle = p[P_V_LEVEL] + 0.5 * swing
    arming = middle - 0.25 * swing
    off_level = p[P_V_TO] if p[P_VDMOS] != 0.0 else p[P_V_SWITCH]
    # Not literals, for each of which numba would compile `_bracket` once.
    (of_amplifier, of_output) = (np.int64(1), np.int64(2))
    (n_pieces, left, status, at_once) = (t_piece.size - 1, max_steps, DONE, 0)
    (fresh, new_jacobian) = (True, True)
    (m, v_d, v_spike) = (0.0, 0.0, 0.0)
    # What a step that is not shortened ends on.
    (of_piece, of_hold, of_corner, of_run) = (0, 1, 2, 3)
    while k < n_pieces:
        length_of_piece = t_piece[k + 1] - t_piece[k]
        if fresh:
            p[P_C] = math.inf if hold >= 0.0 else par[P_C]
            # The discharge that a reset ends is over: what the gate still has to fall would pull
            # v_c away from v_reset, the faster the smaller the on-resistance.
            (p[P_KP], p[P_G_SWITCH]) = (0.0, 0.0) if off == 1 else (par[P_KP], par[P_G_SWITCH])
            i_in, _ = drive(s, k, stimulus)
            m, v_d, v_spike, _ = evaluate(
                y, z, t_piece[k] + s, i_in, output, p, f, rows[Z_F], device, links
            )
            (fresh, new_jacobian) = (False, True)
            if row > 0 and links is not None:
                # A second knot at the same time: derivatives may be others from here on.
                _keep_knot(row, t_row, v_spike, y, f, links)
                for column in out[:9]:
                    column[row] = column[row - 1]
                row += 1
            if row == 0:
                _keep_knot(0, t_piece[k] + s, v_spike, y, f, links)
                (out_t[0], out_v[0], out_m[0], out_x[0]) = (t_piece[k] + s, y[Y_V_C], m, y[Y_X])
                (out_s[0], out_e[0], out_d[0]) = (v_spike, energy, v_d)
                (out_a[0], out_b[0]) = drops(y, p)
                (row, t_row) = (1, t_piece[k] + s)
        if left <= 0 or row >= out_t.size - ROWS_A_STEP or spike >= out_spike.size:
            status = PAUSED
            break
        # A sharp comparator that is already beyond its threshold switches without a step.
        (sign, level) = (1.0, p[P_V_HIGH]) if high == 0 else (-1.0, -p[P_V_LOW])
        g_0 = sign * v_d - level
        fired = sharp and hold < 0.0 and g_0 >= 0.0
        (taken, event) = (0.0, 1 if fired else 0)
        if not fired:
            now = t_piece[k] + s
            (rest, end_of) = (length_of_piece - s, of_piece)
            last = True
            h_try = min(h, h_max)
            if until - now < rest:
                (rest, end_of) = (max(until - now, 0.0), of_run)
            if links is not None:
                while corner < corners.size and corners[corner] <= now:
                    corner += 1
                if corner < corners.size and corners[corner] - now < rest:
                    (rest, end_of) = (corners[corner] - now, of_corner)
            if hold >= 0.0 and hold - now <= rest:
                (rest, end_of) = (max(hold - now, 0.0), of_hold)
            if h_try < rest:
                # no crumb of a step at the end
                last = False
                h_try = min(h_try, 0.5 * rest)
            else:
                h_try = rest
            if new_jacobian:
                i_in, _ = drive(s, k, stimulus)
                linearise(
                    y, z, now, i_in, output, p, active, f, arg, g_work, end, jac, edge, device,
                    links,
                )  # fmt: skip
                new_jacobian = False
            left -= 1
            if h_try > 0.0:
                error = _take(
                    y, s, h_try, k, stimulus, output, p, active, pivot, work, tol, device, links
                )
                factor = max(0.1, min(5.0, 0.9 / max(error, 1e-12) ** 0.25))
                if links is not None and not sharp:
                    links[11][2][row - 1] = edge[23]
                if error > 1.0:
                    ns[6] += 1
                    h = h_try * min(factor, 0.8)
                    if h < H_MIN:
                        status = STALLED
                        break
                    continue
                i_1, _ = drive(s + h_try, k, stimulus)
                m_1, v_d1, v_spike1, _ = evaluate(
                    new, rows[Z_NEW], now + h_try, i_1, output, p, end, rows[Z_END], device, links
                )
                h = h_try * factor if not last or h_try * factor > h else h
                (taken, bracketed) = (h_try, False)
                if sharp and hold < 0.0 and sign * v_d1 - level >= 0.0:
                    (event, bracketed) = (1, True)
                    taken = _bracket(
                        of_amplifier, 0.0, g_0, h_try, sign * v_d1 - level, y, s, k, stimulus,
                        output, p, active, pivot, work, tol, (sign, level), device, links, z,
                        rows,
                    )  # fmt: skip
                elif not sharp and armed == 1 and v_spike < middle and v_spike1 >= middle:
                    bracketed = True
                    at = _bracket(
                        of_output, 0.0, v_spike - middle, h_try, v_spike1 - middle, y, s, k,
                        stimulus, output, p, active, pivot, work, tol, (1.0, middle), device, links,
                        z, rows,
                    )  # fmt: skip
                    out_spike[spike] = t_piece[k] + (s + at)
                    (spike, armed, falling) = (spike + 1, 0, 1)
                    if wait:
                        taken = at
                        (last, off, fresh, h) = (False, 0, True, H_EVENT)
                    else:
                        # the spike's own step was only for its time; on with the whole one
                        _take(
                            y, s, h_try, k, stimulus, output, p, active, pivot, work, tol, device,
                            links,
                        )  # fmt: skip
                elif (
                    not sharp
                    and falling == 1
                    and (p[P_RESET] != 0.0 or p[P_T_HOLD] > 0.0)
                    and v_spike > off_level
                    and v_spike1 <= off_level
                ):
                    (event, bracketed) = (2, True)
                    taken = _bracket(
                        of_output, 0.0, off_level - v_spike, h_try, off_level - v_spike1, y, s, k,
                        stimulus, output, p, active, pivot, work, tol, (-1.0, -off_level), device,
                        links, z, rows,
                    )  # fmt: skip
                if event > 0:
                    last = False
                i_0, _ = drive(s, k, stimulus)
                i_m, _ = drive(s + 0.5 * taken, k, stimulus)
                i_1, _ = drive(s + taken, k, stimulus)
                if links is None or taken != h_try or bracketed:
                    m_1, v_d1, v_spike1, _ = evaluate(
                        new, rows[Z_NEW], now + taken, i_1, output, p, end, rows[Z_END], device,
                        links,
                    )  # fmt: skip
                v_0, v_1 = y[Y_V_C], new[Y_V_C]
                v_m = 0.5 * (v_0 + v_1) + 0.125 * taken * (f[Y_V_C] - end[Y_V_C])
                energy += taken / 6.0 * (v_0 * i_0 + 4.0 * v_m * i_m + v_1 * i_1)
                (a_0, b_0), (a_1, b_1) = drops(y, p), drops(new, p)
                (rise_a0, rise_b0), (rise_a1, rise_b1) = drops(f, p), drops(end, p)
                if p[P_PULL_UP] > 0.0:  # that of an open collector is not linear in the state
                    (rise_b0, rise_b1) = (0.0, 0.0)
                above += _area(a_0, a_1, rise_a0, rise_a1, taken)
                below += _area(-a_0, -a_1, -rise_a0, -rise_a1, taken)
                sourced += _area(b_0, b_1, rise_b0, rise_b1, taken)
                if off == 1 and not wait and v_spike < arming <= v_spike1:
                    (off, fresh) = (0, True)
                y[:] = new
                f[:] = end
                z[:] = rows[Z_NEW]
                rows[Z_F, :] = rows[Z_END]
                (m, v_d, v_spike) = (m_1, v_d1, v_spike1)
                if v_spike < arming and armed == 0:
                    armed = 1
                    if wait:
                        (off, fresh) = (1, True)
                (s, new_jacobian, at_once) = (s + taken, True, 0)
                t = t_piece[k] + s
                if last and end_of == of_piece:
                    t = t_piece[k + 1]
                elif last and end_of == of_run:
                    t = until
                if t > t_row:
                    _keep_knot(row, t, v_spike, y, f, links)
                    (out_t[row], out_v[row], out_m[row]) = (t, y[Y_V_C], m)
                    (out_x[row], out_s[row], out_e[row]) = (y[Y_X], v_spike, energy)
                    (out_d[row], out_a[row], out_b[row]) = (v_d, a_1, b_1)
                    (row, t_row) = (row + 1, t)
            if links is not None and event == 0 and t_row - t_kept >= interval:
                t_kept = t_row
                (fs[0], fs[1], fs[2], fs[3], fs[4], fs[5]) = (s, h, energy, hold, t_row, output)
                (fs[6], fs[7], fs[8]) = (above, below, sourced)
                (ns[0], ns[1], ns[2], ns[3], ns[4]) = (k, high, armed, row, spike)
                (ns[7], ns[8]) = (falling, off)
                checkpoint(t_row, y, fs, ns, interval, links)
            if event == 0:  # after a step, or where nothing is left of what it was to end on
                if last or fresh:
                    _slope_by_difference(
                        row - 1, t_row, s, max(taken, 1e-15), k, stimulus, y, f, output, p, work,
                        device, links,
                    )  # fmt: skip
                if last:
                    if end_of == of_run:
                        break
                    if end_of == of_hold:
                        (hold, fresh, h) = (-1.0, True, H_EVENT)
                    elif end_of == of_corner:
                        (corner, fresh, h) = (corner + 1, True, min(h, H_CORNER))
                    else:
                        (k, s, fresh, h) = (k + 1, 0.0, True, min(h, H_CORNER))
                continue
        # --- an event: a sharp comparator switches, or a smooth one's discharge ends ---
        at_once += 1
        if at_once > EVENTS_AT_ONCE:
            status = STALLED
            break
        _slope_by_difference(
            row - 1, t_row, s, max(taken, 1e-15), k, stimulus, y, f, output, p, work, device, links
        )
        if sharp and high == 0:
            (high, output, off) = (1, p[P_V_OH], 0)
            out_spike[spike] = t_piece[k] + s
            spike += 1
        else:
            if sharp:
                (high, output) = (0, p[P_V_OL])
            falling = 0
            if p[P_RESET] != 0.0:
                # The drain moves with v_c, so that the jump itself pushes no charge into the gate.
                y[Y_V_GD] += y[Y_V_C] - p[P_V_RESET]
                y[Y_V_C] = p[P_V_RESET]
                off = 1
            if p[P_T_HOLD] > 0.0:
                hold = t_piece[k] + s + p[P_T_HOLD]
        (fresh, h) = (True, H_EVENT)
        i_in, _ = drive(s, k, stimulus)
        m, v_d, v_spike, _ = evaluate(
            y, z, t_piece[k] + s, i_in, output, p, f, rows[Z_F], device, links
        )
        t_after = np.nextafter(t_row, np.inf)
        _keep_knot(row, t_after, v_spike, y, f, links)
        (out_t[row], out_v[row], out_m[row]) = (t_after, y[Y_V_C], m)
        (out_x[row], out_s[row], out_e[row], out_d[row]) = (y[Y_X], v_spike, energy, v_d)
        (out_a[row], out_b[row]) = drops(y, p)
        (row, t_row) = (row + 1, t_after)
    (fs[0], fs[1], fs[2], fs[3], fs[4], fs[5]) = (s, h, energy, hold, t_row, output)
    (fs[6], fs[7], fs[8]) = (above, below, sourced)
    (ns[0], ns[1], ns[2], ns[3], ns[4]) = (k, high, armed, row, spike)
    ns[5] += max_steps - left
    (ns[7], ns[8]) = (falling, off)
    return status
