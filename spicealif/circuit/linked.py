"""A neuron's equations while synapses join it to others, whose waveforms are given.

A neuron is solved together with all its synapses: those that end in it, whose presynaptic outputs
are known functions of time, and those that begin at it, which end in capacitors whose voltages are.
The states of a synapse are thus solved twice, once on each side.

- A synapse that ends here adds its current to the input current.
- One that begins here draws current from the output, which is linear in the circuit's states but
  for what the synapse draws: Newton's iteration on that one voltage, the synapses being replaced by
  a conductance and a current each time (one step where they are linear).

A step (RODAS, see `rodas`) needs the solution of ``(gamma I - J) x = r``. J has the circuit's ten
states, and each synapse's one or two. These act on the circuit through two numbers only, the
current into the capacitor and the current out of the output, so that they are eliminated one by
one, and what is decomposed stays as small as for one neuron. With V the change of the output's
voltage, ``V = w x + rho L``, L that of the current drawn from it, ``L = sum b_k s_k``, and
``(gamma - A_k) s_k = r_k + c_k V``::

    L = R + kappa V,  R = sum b_k D_k r_k,  kappa = sum b_k D_k c_k,  D_k = (gamma - A_k)^-1
    (gamma I - J_circuit - u w' kappa / (1 - rho kappa)) x = r + u R / (1 - rho kappa)

with u the derivative of the circuit's rates with respect to L.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from spicealif._support.compiled import njit
from spicealif.circuit.layout import (
    N_STATES,
    P_COMPARATOR_R_OUT,
    P_G_OUT,
    P_I_OUT,
    P_PULL_UP,
    Y_V_C,
)
from spicealif.circuit.partials import has_partials, write_load_partials
from spicealif.circuit.rates import Voltages, rates
from spicealif.circuit.rodas import (
    ALPHA,
    DIFFERENCE,
    GAMMA,
    A,
    C,
    D,
    FloatArray,
    IntArray,
    Stimulus,
    copy,
    drive,
    factor,
    jacobian,
    shift,
    solve,
)
from spicealif.reference.device import Device

__all__ = [
    "N_ROWS",
    "PARTS",
    "RECORD",
    "ROOM",
    "Links",
    "across",
    "checkpoint",
    "evaluate",
    "linearise",
    "linked_step",
]

#: What joins a neuron to others, in few pieces, since they are passed on by value:
#: 0 to 2: equations, currents and rates of the groups of synapses (tuples of compiled functions);
#: 3: integers: numbers of synapses that end here and that begin here, then for each in this order
#: RECORD numbers: its group, where its coefficients begin and end, its number of states, the node
#: at its other end, which of that node's waves counts, how many knots that has, and a cursor;
#: 4: numbers: a room of ROOM (results of equations and devices; see R_*), the voltages that
#: synapses end in, the partial derivatives (PARTS each), the states' weights in the error (2 each);
#: 5, 6: times of the waves, shape (2, nodes, knots), and their values and derivatives, outputs
#: before capacitors, shape (2, 4, nodes, knots); 7: coefficients;
#: 8: states, 9: their work space, shape (N_ROWS, 2 n); 10: corners in s; 11: this neuron's knots
#: (time, the output and its derivative, the capacitor and its); 12, 13: checkpoints, see
#: `checkpoint`.
Links: TypeAlias = tuple[Any, ...]

RECORD, ROOM, PARTS = 8, 12, 16
(I_GROUP, I_BEGIN, I_END, I_STATES, I_NODE, I_SIDE, I_COUNT, I_CURSOR) = range(RECORD)
#: In the room: the output's last voltage, the current into the capacitor, the output's voltage
#: where the equations were linearised.
R_OUTPUT, R_CURRENT, R_HERE = 8, 9, 10

#: Rows of the work space of the synapses' states.
N_ROWS = 16
(Z_F, Z_END, Z_NEW, Z_ARG, Z_G, Z_T) = (0, 1, 2, 3, 4, 5)
Z_K = 6  # six stages from here
Z_X = 12  # a probe
#: Newton's iterations on the output's voltage, and when it is found (V).
ITERATIONS, FOUND = 30, 1e-11
#: Columns of the partial derivatives: A (4), c (2), b (2), D (4), D c (2).
(J_A, J_C, J_B, J_D, J_DC) = (0, 4, 6, 8, 12)


@njit(cache=True, _nrt=False, error_model="numpy")
def wave_at(t: float, column: int, a: int, links: Links) -> float:
    """Return a wave's value: cubic through its knots with their derivatives, straight beyond.

    Parameters
    ----------
    t : float
        Time in s.
    column : int
        0: the output, 1: the capacitor.
    a : int
        The synapse at whose other end it is; its cursor is left where t is.
    links : Links
    """
    (whole, times, values) = (links[3], links[5], links[6])
    record = 2 + RECORD * a
    (node, side, n) = (whole[record + I_NODE], whole[record + I_SIDE], whole[record + I_COUNT])
    k = whole[record + I_CURSOR]
    if k > n - 2:
        k = max(n - 2, 0)
    while k > 0 and times[side, node, k] > t:
        k -= 1
    while k < n - 2 and times[side, node, k + 1] <= t:
        k += 1
    whole[record + I_CURSOR] = k
    (t_0, t_1) = (times[side, node, k], times[side, node, k + 1])
    (v_0, v_1) = (values[side, 2 * column, node, k], values[side, 2 * column, node, k + 1])
    (d_0, d_1) = (values[side, 2 * column + 1, node, k], values[side, 2 * column + 1, node, k + 1])
    if t >= t_1:
        return float(v_1 + (t - t_1) * d_1)
    if t <= t_0:
        return float(v_0 + (t - t_0) * d_0)
    h = t_1 - t_0
    part = (t - t_0) / h
    rest = 1.0 - part
    return float(
        v_0 * (1.0 + 2.0 * part) * rest * rest
        + v_1 * (1.0 + 2.0 * rest) * part * part
        + h * part * rest * (d_0 * rest - d_1 * part)
    )


@njit(cache=True, _nrt=False, error_model="numpy")
def _call(a: int, v_pre: float, v_post: float, s: FloatArray, links: Links) -> None:
    """Evaluate the equations of synapse a of this neuron; the results are left in the room."""
    (whole, room, record) = (links[3], links[4], 2 + RECORD * a)
    group = whole[record + I_GROUP]
    links[0][group](
        v_pre, v_post, s, links[7][whole[record + I_BEGIN] : whole[record + I_END]], room[0:5],
        links[1][group], links[2][group], room[5:8],
    )  # fmt: skip


@njit(cache=True, _nrt=False, error_model="numpy")
def _incoming(t: float, v_c: float, z: FloatArray, dz: FloatArray, links: Links) -> float:
    """Return the current in A that the synapses drive into the capacitor, and their rates."""
    (whole, room) = (links[3], links[4])
    (total, at, v_pre) = (0.0, -1, 0.0)
    for a in range(whole[0]):
        node = whole[2 + RECORD * a + I_NODE]
        if node != at:
            (at, v_pre) = (node, wave_at(t, 0, a, links))
        _call(a, v_pre, v_c, z[2 * a : 2 * a + 2], links)
        total += room[2]
        (dz[2 * a], dz[2 * a + 1]) = (room[3], room[4])
    return total


@njit(cache=True, _nrt=False, error_model="numpy")
def _outgoing(v: float, z: FloatArray, dz: FloatArray, links: Links) -> tuple[float, float]:
    """Return current and conductance that the output at the voltage v meets, and the rates."""
    (whole, room) = (links[3], links[4])
    (total, slope, n_in) = (0.0, 0.0, whole[0])
    for b in range(whole[1]):
        a = n_in + b
        _call(a, v, room[ROOM + b], z[2 * a : 2 * a + 2], links)
        total += room[0]
        slope += room[1]
        (dz[2 * a], dz[2 * a + 1]) = (room[3], room[4])
    return total, slope


@njit(cache=True, _nrt=False, error_model="numpy")
def _set_targets(t: float, links: Links) -> None:
    """Find the capacitor voltages in which the synapses that begin here end."""
    (whole, room) = (links[3], links[4])
    (at, v, n_in) = (-1, 0.0, whole[0])
    for b in range(whole[1]):
        node = whole[2 + RECORD * (n_in + b) + I_NODE]
        if node != at:
            (at, v) = (node, wave_at(t, 1, n_in + b, links))
        room[ROOM + b] = v


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def evaluate(
    y: FloatArray,
    z: FloatArray,
    t: float,
    i_in: float,
    output: float,
    p: FloatArray,
    dy: FloatArray,
    dz: FloatArray,
    device: Device | None,
    links: Links | None,
) -> Voltages:
    """Write the derivatives of all states at the time t; see `rates.rates`.

    Without links it is `rates`. The loads are left in `p`, and the current that came in through
    synapses in the room.
    """
    if links is None:
        return rates(y, i_in, output, p, dy, device)
    room = links[4]
    i = i_in + _incoming(t, y[Y_V_C], z, dz, links)
    room[R_CURRENT] = i
    if links[3][1] == 0:
        return rates(y, i, output, p, dy, device)
    _set_targets(t, links)
    v = room[R_OUTPUT]
    result = (0.0, 0.0, 0.0, 0.0)
    most = p[P_PULL_UP] if p[P_PULL_UP] > 0.0 else p[P_COMPARATOR_R_OUT]
    for k in range(ITERATIONS):
        (drawn, slope) = _outgoing(v, z, dz, links)
        # Where the load was linear, v is the solution as it stands.
        if k > 0 and not most * abs(drawn - (p[P_G_OUT] * v + p[P_I_OUT])) > FOUND:
            break
        (p[P_G_OUT], p[P_I_OUT]) = (slope, drawn - slope * v)
        result = rates(y, i, output, p, dy, device)
        change = abs(result[2] - v)
        v = result[2]
        if not change > FOUND:
            break
    room[R_OUTPUT] = v
    return result


@njit(cache=True, _nrt=False, error_model="numpy")
def across(t: float, v_c: float, a: int, links: Links) -> float:
    """Return v_pre - v_post of synapse a of this neuron in V, the output being as it was last."""
    if a < links[3][0]:
        return wave_at(t, 0, a, links) - v_c
    return float(links[4][R_OUTPUT] - wave_at(t, 1, a, links))


@njit(cache=True, _nrt=False, error_model="numpy")
def checkpoint(
    t: float, y: FloatArray, fs: FloatArray, ns: IntArray, interval: float, links: Links | None
) -> None:
    """Keep the state, if the last one that is kept is older than `interval` (s).

    Checkpoints are rows of numbers (time, y, fs, the synapses' states, the voltage across each of
    them) and of integers (ns); how many there are is the first row's last integer. A run that is
    repeated with other waves can begin at one, where these are still the same.
    """
    if links is None:
        return
    (numbers, whole, z) = (links[12], links[13], links[8])
    (n, m) = (y.size, y.size + fs.size)
    count = whole[0, ns.size]
    if count >= numbers.shape[0] or (count > 0 and t - numbers[count - 1, 0] < interval):
        return
    numbers[count, 0] = t
    for j in range(y.size):
        numbers[count, 1 + j] = y[j]
    for j in range(fs.size):
        numbers[count, 1 + n + j] = fs[j]
    for j in range(z.size):
        numbers[count, 1 + m + j] = z[j]
    for a in range(z.size // 2):
        numbers[count, 1 + m + z.size + a] = across(t, y[0], a, links)
    for j in range(ns.size):
        whole[count, j] = ns[j]
    whole[0, ns.size] = count + 1


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def linearise(
    y: FloatArray,
    z: FloatArray,
    t: float,
    i_in: float,
    output: float,
    p: FloatArray,
    active: IntArray,
    f: FloatArray,
    arg: FloatArray,
    g: FloatArray,
    f_low: FloatArray,
    jac: FloatArray,
    edge: FloatArray,
    device: Device | None,
    links: Links | None,
) -> None:
    """Fill the circuit's Jacobian, and with links the synapses' parts of it.

    `edge` gets w, u, and in `linked_step`'s order what else it needs: the rate of v_c for an
    ampere, rho, and the derivative of the synapses' current with respect to v_c.
    """
    if links is None:
        jacobian(y, i_in, output, p, active, f, arg, g, f_low, jac, edge, device)
        return
    (whole, room, work) = (links[3], links[4], links[9])
    (n_in, n) = (whole[0], whole[0] + whole[1])
    first = ROOM + whole[1]
    # Leaves the loads in `p`, which hold while only the circuit's states are changed.
    v = evaluate(y, z, t, i_in, output, p, f, work[Z_F], device, links)[2]
    i = room[R_CURRENT]
    room[R_HERE] = v
    (edge[20], edge[21]) = jacobian(
        y, i, output, p, active, f, arg, g, f_low, jac, edge, device
    )  # fmt: skip
    if has_partials(p):
        write_load_partials(y, p, edge[20], edge[21], edge[10:20])
    else:
        rates(y, i + 1.0, output, p, g, device)
        edge[20] = g[Y_V_C] - f[Y_V_C]
        p[P_I_OUT] += 1e-6
        v_1 = rates(y, i, output, p, g, device)[2]
        p[P_I_OUT] -= 1e-6
        edge[21] = (v_1 - v) / 1e-6
        for j in range(N_STATES):
            edge[10 + j] = (g[j] - f[j]) / 1e-6
    edge[22] = 0.0
    probe = work[Z_X]
    for a in range(n):
        incoming = a < n_in
        part = room[first + PARTS * a : first + PARTS * (a + 1)]
        s = probe[2 * a : 2 * a + 2]
        (s[0], s[1]) = (z[2 * a], z[2 * a + 1])
        (v_pre, v_post) = (v, y[Y_V_C])
        if incoming:
            v_pre = wave_at(t, 0, a, links)
        else:
            v_post = room[ROOM + a - n_in]
        _call(a, v_pre, v_post, s, links)
        which = 2 if incoming else 0
        (i_0, r_0, r_1) = (room[which], room[3], room[4])
        if incoming:
            _call(a, v_pre, v_post + DIFFERENCE, s, links)
            edge[22] += (room[2] - i_0) / DIFFERENCE
        else:
            _call(a, v_pre + DIFFERENCE, v_post, s, links)
        part[J_C] = (room[3] - r_0) / DIFFERENCE
        part[J_C + 1] = (room[4] - r_1) / DIFFERENCE
        for c in range(2):
            (part[J_A + c], part[J_A + 2 + c], part[J_B + c]) = (0.0, 0.0, 0.0)
            if c < whole[2 + RECORD * a + I_STATES]:
                s[c] += DIFFERENCE
                _call(a, v_pre, v_post, s, links)
                s[c] = z[2 * a + c]
                part[J_A + c] = (room[3] - r_0) / DIFFERENCE
                part[J_A + 2 + c] = (room[4] - r_1) / DIFFERENCE
                part[J_B + c] = (room[which] - i_0) / DIFFERENCE


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _eliminate(
    gamma: float, lu: FloatArray, active: IntArray, edge: FloatArray, links: Links
) -> float:
    """Take the synapses' states out of ``gamma I - J``; return 1 / (1 - rho kappa)."""
    (whole, room, n) = (links[3], links[4], active.size)
    (n_in, first) = (whole[0], ROOM + whole[1])
    (kappa, own) = (0.0, edge[22])
    for a in range(n_in + whole[1]):
        q = room[first + PARTS * a : first + PARTS * (a + 1)]
        (a_00, a_01) = (gamma - q[J_A], -q[J_A + 1])
        (a_10, a_11) = (-q[J_A + 2], gamma - q[J_A + 3])
        determinant = a_00 * a_11 - a_01 * a_10
        (q[J_D], q[J_D + 1]) = (a_11 / determinant, -a_01 / determinant)
        (q[J_D + 2], q[J_D + 3]) = (-a_10 / determinant, a_00 / determinant)
        q[J_DC] = q[J_D] * q[J_C] + q[J_D + 1] * q[J_C + 1]
        q[J_DC + 1] = q[J_D + 2] * q[J_C] + q[J_D + 3] * q[J_C + 1]
        part = q[J_B] * q[J_DC] + q[J_B + 1] * q[J_DC + 1]
        if a < n_in:
            own += part
        else:
            kappa += part
    scale = 1.0 / (1.0 - edge[21] * kappa)
    for a in range(n):
        for b in range(n):
            lu[a * N_STATES + b] -= edge[10 + active[a]] * kappa * scale * edge[active[b]]
            if active[a] == Y_V_C and active[b] == Y_V_C:
                lu[a * N_STATES + b] -= edge[20] * own
    return float(scale)


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _solve_all(
    lu: FloatArray,
    active: IntArray,
    pivot: IntArray,
    right: FloatArray,
    z: FloatArray,
    edge: FloatArray,
    scale: float,
    links: Links,
) -> None:
    """Solve in place: the circuit's right side, and that of the synapses in `z`."""
    (whole, room, n) = (links[3], links[4], active.size)
    (n_in, total, first) = (whole[0], whole[0] + whole[1], ROOM + whole[1])
    (into, drawn) = (0.0, 0.0)
    for a in range(total):
        q = room[first + PARTS * a : first + PARTS * (a + 1)]
        (r_0, r_1) = (z[2 * a], z[2 * a + 1])
        (z[2 * a], z[2 * a + 1]) = (
            q[J_D] * r_0 + q[J_D + 1] * r_1,
            q[J_D + 2] * r_0 + q[J_D + 3] * r_1,
        )
        part = q[J_B] * z[2 * a] + q[J_B + 1] * z[2 * a + 1]
        if a < n_in:
            into += part
        else:
            drawn += part
    for a in range(n):
        right[a] += edge[10 + active[a]] * drawn * scale
        if active[a] == Y_V_C:
            right[a] += edge[20] * into
    solve(lu, n, pivot, right)
    (change, v_c) = (edge[21] * drawn, 0.0)
    for a in range(n):
        change += edge[active[a]] * right[a]
        if active[a] == Y_V_C:
            v_c = right[a]
    change *= scale
    for a in range(total):
        by = v_c if a < n_in else change
        z[2 * a] += room[first + PARTS * a + J_DC] * by
        z[2 * a + 1] += room[first + PARTS * a + J_DC + 1] * by


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def linked_step(  # noqa: PLR0912, PLR0915 - six stages
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
    links: Links,
) -> float:
    """Take one step as `rodas.step` does, with the synapses; their new states in row Z_NEW."""
    n = active.size
    (f, new, arg, g) = (work[0:10], work[20:30], work[30:40], work[40:50])
    (jac, lu, edge) = (work[110:210], work[210:310], work[310:340])
    (whole, room, z, rows) = (links[3], links[4], links[8], links[9])
    (n_in, first) = (whole[0], ROOM + whole[1])
    nz = z.size
    t = stimulus[0][k] + s
    gamma = 1.0 / (h * GAMMA)
    shift(jac, lu, n, gamma)
    scale = _eliminate(gamma, lu, active, edge, links)
    if not factor(lu, n, pivot):
        return math.inf
    # What depends on time itself: the drive and the waves.
    delta = 1e-3 * h
    room[R_OUTPUT] = room[R_HERE]  # a step that was far too long has left no number there
    i_t, _ = drive(s + delta, k, stimulus)
    v_t = evaluate(y, z, t + delta, i_t, output, p, g, rows[Z_T], device, links)[2]
    f_t = work[340:350]
    # The output's own derivative, as a by-product: by the states, and by what depends on time.
    slope = (v_t - room[R_HERE]) / delta
    for j in range(N_STATES):
        slope += edge[j] * f[j]
    change = 0.0
    for a in range(n_in, n_in + whole[1]):
        part = room[first + PARTS * a : first + PARTS * (a + 1)]
        change += part[J_B] * rows[Z_F, 2 * a] + part[J_B + 1] * rows[Z_F, 2 * a + 1]
    edge[23] = slope + edge[21] * change
    for j in range(N_STATES):
        f_t[j] = (g[j] - f[j]) / delta
    for j in range(nz):
        rows[Z_T, j] = (rows[Z_T, j] - rows[Z_F, j]) / delta
    c = 1.0 / h
    for stage in range(6):
        k_now = work[50 + 10 * stage : 60 + 10 * stage]
        k_z = rows[Z_K + stage]
        if stage == 0:
            for a in range(n):
                k_now[a] = f[active[a]] + h * D[0] * f_t[active[a]]
            for j in range(nz):
                k_z[j] = rows[Z_F, j] + h * D[0] * rows[Z_T, j]
        else:
            copy(arg, y)
            for a in range(n):
                total = 0.0
                for m in range(stage):
                    total += A[stage, m] * work[50 + 10 * m + a]
                arg[active[a]] += total
            for j in range(nz):
                total = z[j]
                for m in range(stage):
                    total += A[stage, m] * rows[Z_K + m, j]
                rows[Z_ARG, j] = total
            i_a, _ = drive(s + ALPHA[stage] * h, k, stimulus)
            evaluate(
                arg, rows[Z_ARG], t + ALPHA[stage] * h, i_a, output, p, g, rows[Z_G], device, links
            )
            for a in range(n):
                total = 0.0
                for m in range(stage):
                    total += C[stage, m] * work[50 + 10 * m + a]
                k_now[a] = g[active[a]] + h * D[stage] * f_t[active[a]] + c * total
            for j in range(nz):
                total = 0.0
                for m in range(stage):
                    total += C[stage, m] * rows[Z_K + m, j]
                k_z[j] = rows[Z_G, j] + h * D[stage] * rows[Z_T, j] + c * total
        _solve_all(lu, active, pivot, k_now, k_z, edge, scale, links)
    copy(new, arg)
    (total, last) = (0.0, work[100:110])
    for a in range(n):
        j = active[a]
        new[j] += last[a]
        size = 1e-2 + max(abs(y[j]), abs(new[j]))
        total += (last[a] / size) ** 2
    total /= n
    worst = 0.0
    weights = first + PARTS * (nz // 2)
    for j in range(nz):
        rows[Z_NEW, j] = rows[Z_ARG, j] + rows[Z_K + 5, j]
        size = 1e-2 + max(abs(z[j]), abs(rows[Z_NEW, j]))
        worst = max(worst, (room[weights + j] * rows[Z_K + 5, j] / size) ** 2)
    error = math.sqrt(total + worst) / tol
    return error if error < math.inf else math.inf  # NaN too
