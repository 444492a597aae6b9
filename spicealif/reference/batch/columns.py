"""One neuron's design with some values as columns, as the batched kernel's tables.

What `driver` and `steps` compute for one neuron, for all samples at once; the tests compare the
tables with theirs. Nothing is checked here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Memristor, Neuron, Resistor
from spicealif.design._shared import thermal_voltage
from spicealif.design.steps import SOURCE_SHARE, STEPS_PER_TIME
from spicealif.reference.driver import Variant
from spicealif.reference.steps import DISCHARGE_STEPS, whole

__all__ = ["COLUMNS", "Drive", "Tables", "tables"]

_Floats = NDArray[np.float64]

#: Values of a neuron that may be columns. Others change the parts that `Neuron.network`,
#: `Neuron.r_ds_on` and the like are made from.
COLUMNS = frozenset(
    name
    for names in (
        "c r_s v_rest v_reset t_ref temperature v_th",
        "leak.r leak.r_on leak.r_off leak.v_on leak.v_off leak.tau leak.x_0",
    )
    for name in names.split()
)


@dataclass(frozen=True, eq=False)
class Drive:
    """The stimuli of all samples: pieces at the same times.

    Attributes
    ----------
    t : ndarray, shape (K + 1,)
        Boundaries in s.
    i, slope : ndarray, shape (n, K) or (1, K)
        Current at the start of each piece in A, and slope in A/s.
    sines : ndarray, shape (n, S, 4) or (1, S, 4)
        As in `StimulusPieces`.
    """

    t: _Floats
    i: _Floats
    slope: _Floats
    sines: _Floats


@dataclass(frozen=True, eq=False)
class Tables:
    """What the kernel integrates.

    Attributes
    ----------
    par : ndarray, shape (n, N_PAR)
    pieces, sines : ndarray
        Rows of all samples, one after the other.
    first : ndarray, shape (n + 1, 2)
        Where the rows of each begin.
    h : ndarray, shape (n,)
        Largest step in s.
    fits : ndarray of bool, shape (n,)
        Whether the lanes can take it.
    """

    par: _Floats
    pieces: _Floats
    sines: _Floats
    first: NDArray[np.int64]
    h: _Floats
    fits: NDArray[np.bool_]


def tables(
    neuron: Neuron, columns: Mapping[str, _Floats], drive: Drive, n: int, variant: Variant
) -> Tables:
    """Return the tables of n samples.

    Parameters
    ----------
    neuron : Neuron
        What all have in common; its leak is a memristor of the MMS model or a resistor.
    columns : mapping of str to ndarray, shape (n,)
        Values of those in `COLUMNS`, SI units.
    drive : Drive
    n : int
    variant : {"ideal", "schmitt"}
    """
    from spicealif.reference.batch import lanes as at
    from spicealif.reference.equations import LOG_K_LIMIT, U_LIMIT

    leak = neuron.leak
    assert isinstance(leak, Memristor | Resistor)
    memristor = isinstance(leak, Memristor)

    def of(name: str) -> _Floats:
        owner: object = neuron
        for part in name.split("."):
            owner = getattr(owner, part)
        return np.asarray(columns.get(name, float(owner)), dtype=float)  # type: ignore[arg-type]

    c, r_s, v_th = of("c"), of("r_s"), of("v_th")
    v_t = thermal_voltage(of("temperature"))
    r_off, r_on = (of("leak.r_off"), of("leak.r_on")) if memristor else (of("leak.r"), of("leak.r"))
    shortest = c * (r_on + r_s)
    if memristor:
        shortest = np.minimum(of("leak.tau"), shortest)
    drop = (v_t, r_off, r_s) if memristor else None
    h, steps = _steps(neuron, drive, np.asarray(shortest), c, drop, n)
    par = np.empty((n, at.N_PAR))
    g_0, g_1 = 1.0 / r_off, (1.0 / r_on - 1.0 / r_off if memristor else 0.0)
    log_k = np.zeros(1)
    device: list[_Floats | float] = [0.0, 0.0, 1.0, math.inf, -1.0, 0.0]
    if memristor:
        v_on, v_off = of("leak.v_on"), of("leak.v_off")
        log_k = np.atleast_1d((v_on + v_off) / v_t)
        safe = np.abs(log_k) <= LOG_K_LIMIT
        # By the function that the compiled one uses: NumPy's own differs in the last bit.
        k = np.array([math.exp(u) if good else 1.0 for u, good in zip(log_k, safe, strict=True)])
        limit = np.where(safe, U_LIMIT, -1.0)
        device = [v_on / v_t, 1.0 / v_t, k, of("leak.tau"), limit, log_k]
    delay_on, delay_off = neuron.switch_delays
    schmitt = variant == "schmitt"
    tau_d = neuron.r_ds_on * c
    closed = np.minimum(np.minimum(h, tau_d / DISCHARGE_STEPS), tau_d * h / shortest)
    row: list[_Floats | float] = [
        1.0 / c, of("v_rest"), *([1.0 + r_s * g_0, r_s * g_1, g_0, g_1]), *device,
        v_th, neuron.network.v_low / neuron.difference_amplifier.gain, of("v_reset"), of("t_ref"),
        *([1.0 / neuron.r_ds_on, delay_on, delay_off] if schmitt else [0.0] * 3),
        closed if schmitt else h, float(schmitt),
        of("v_rest"), of("leak.x_0") if memristor else 0.0,
    ]  # fmt: skip
    for k_column, value in enumerate(row):
        par[:, k_column] = value
    pieces, sines, first = _rows(drive, steps, n)
    fits = np.abs(np.broadcast_to(log_k, n)) <= at.LOG_K_LIMIT
    return Tables(par, pieces, sines, first, h, fits & _sines_fit(drive, n))


def _steps(
    neuron: Neuron, drive: Drive, shortest: _Floats, c: _Floats,
    drop: tuple[_Floats, _Floats, _Floats] | None, n: int,
) -> tuple[_Floats, _Floats]:  # fmt: skip
    """Return the largest step in s, shape (n,), and the steps of each piece, shape (n, K)."""
    lengths = np.diff(drive.t)
    frequency = drive.sines[:, :, 1].max(axis=1, initial=0.0)
    with np.errstate(divide="ignore"):
        period = np.where(frequency > 0.0, 1.0 / frequency, math.inf)
    times = np.broadcast_to(np.minimum(shortest, period) / STEPS_PER_TIME, n)[:, None]
    allowed = np.broadcast_to(times, (n, len(lengths)))
    if drop is not None:
        v_t, r_off, r_s = drop
        end = drive.i + drive.slope * lengths
        largest = np.maximum(np.abs(drive.i), np.abs(end))
        largest = largest + np.abs(drive.sines[:, :, 0]).sum(axis=1)[:, None]
        divider = r_off / (r_off + r_s)
        moved = np.broadcast_to(SOURCE_SHARE * v_t * c / divider, n)[:, None]
        with np.errstate(divide="ignore"):
            allowed = np.minimum(allowed, moved / largest)
    usual = np.minimum(allowed, lengths).max(axis=1)
    h = usual if neuron.numerics.h is None else np.full(n, neuron.numerics.h)
    return h, whole(whole(lengths / allowed) * (usual / h)[:, None])


def _rows(drive: Drive, steps: _Floats, n: int) -> tuple[_Floats, _Floats, NDArray[np.int64]]:
    from spicealif.reference.batch import lanes as at

    k, s = len(drive.t), drive.sines.shape[1]
    pieces = np.zeros((n, k, 4))
    pieces[:, :, at.TIME] = drive.t
    pieces[:, :-1, at.CURRENT] = drive.i
    pieces[:, :-1, at.SLOPE] = drive.slope
    pieces[:, :-1, at.STEPS_IN] = steps
    sines = np.array(np.broadcast_to(drive.sines, (n, s, 4)))
    sines[:, :, 1] *= 2.0 * math.pi  # the kernel wants angular frequencies
    first = np.arange(n + 1)[:, None] * np.array([k, s])
    return pieces.reshape(-1, 4), sines.reshape(-1, 4), first


def _sines_fit(drive: Drive, n: int) -> NDArray[np.bool_]:
    from spicealif.reference.batch import step

    if not drive.sines.shape[1]:
        return np.ones(n, dtype=bool)
    angle = 2.0 * math.pi * np.abs(drive.sines[:, :, 1]) * drive.t[-1]
    good = (angle + np.abs(drive.sines[:, :, 2]) <= step.MAX_ANGLE).all(axis=1)
    return np.broadcast_to(good & (drive.sines.shape[1] <= step.MAX_SINES), n)
