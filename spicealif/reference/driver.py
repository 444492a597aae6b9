"""Run the compiled reference kernel: parameters in, waveforms and spike times out.

The classes hold plain numbers in SI units. The first integration imports the kernel and numba.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from spicealif.design import GMMS, Memristor, MemristorModel, Resistor, StimulusPieces
from spicealif.design._working import MAX_STEPS
from spicealif.design.numerics import too_long
from spicealif.errors import IntegrationError
from spicealif.reference.parameters import KernelParameters
from spicealif.reference.steps import count_steps, discharge_step

__all__ = [
    "VARIANTS",
    "KernelParameters",
    "ReferenceResult",
    "Variant",
    "check_step",
    "check_variant",
    "integrate",
    "leak_device",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
Variant: TypeAlias = Literal["ideal", "schmitt"]
_T = TypeVar("_T", bound=np.generic)

#: The variants of the reference.
VARIANTS: tuple[Variant, ...] = ("ideal", "schmitt")

# Steps in one call of the kernel: about a tenth of a second, then Ctrl-C and progress get a turn.
CHUNK_STEPS = 500_000
# The first buffers: room for these many rows besides the grid's, at most these many rows, and
# these many spikes. A full buffer is doubled.
EVENT_ROWS, MAX_FIRST_ROWS, FIRST_SPIKES = 4096, 100_000_000, 1024
#: Rows that are taken out at a time, where somebody takes them.
TAKEN_ROWS = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceResult:
    """Waveforms and spike times of one integration.

    Parameters
    ----------
    time : array
        Strictly increasing. Rows are the grid points (every `stride`-th within a piece of the
        stimulus), the corners and the events; a switching or reset has a row just before it
        and one at the next larger double, with the state just after it.
    v_c, v_mem : array
        Voltages.
    x : array or None
        State of the memristor; None with a resistor as leak.
    spike : array of uint8
        ``schmitt``: 1 while the switch is closed. ``ideal``: 1 at the instant of a spike and
        while v_c is held.
    t_spike : array
        Times at which v_c was reset (``ideal``) or the switch closed (``schmitt``).
    energy : array
        Energy in J that the source has delivered up to each row.
    n_steps, h, variant
        RK4 steps taken, the largest step allowed, ``ideal`` or ``schmitt``.
    """

    time: FloatArray
    v_c: FloatArray
    v_mem: FloatArray
    x: FloatArray | None
    spike: npt.NDArray[np.uint8]
    t_spike: FloatArray
    energy: FloatArray
    n_steps: int
    h: float
    variant: Variant


def integrate(
    params: KernelParameters,
    pieces: StimulusPieces,
    *,
    variant: Variant,
    t_stop: float,
    h: float,
    stride: int = 1,
    progress: Callable[[float], None] | None = None,
    switches: int | None = None,
    seed: int = 0,
    taken: Callable[[ReferenceResult], None] | None = None,
) -> ReferenceResult:
    """Integrate the reference equations from 0 to `t_stop` with RK4 steps of at most `h`.

    Parameters
    ----------
    params : KernelParameters
        The neuron.
    pieces : StimulusPieces
        The input current; its last time is `t_stop`.
    variant : {"ideal", "schmitt"}
        Reset of v_c at the threshold, or a discharge switch driven by a Schmitt trigger.
    t_stop : float
        End of the integration in s.
    h : float
        Largest step in s; each piece is cut into equal steps. What shortens steps further, the
        source and the corners, does so in proportion to h: half of h halves every step.
    stride : int
        Keep every `stride`-th grid point; corners and events are always kept.
    progress : callable, optional
        Called now and then with the fraction done, 0 to 1.
    switches : int, optional
        Number of metastable switches to draw (MMS and GMMS); their mean if not given.
    seed : int
        Of the draws.
    taken : callable, optional
        Called with the rows that are new whenever there are many; the result then has only the
        last one.

    Returns
    -------
    ReferenceResult
        Waveforms, spike times and energy.

    Raises
    ------
    IntegrationError
        If the step, the parameters, the stimulus or the switches make no sense, or the solution
        diverges.
    """
    from spicealif.reference import kernel

    _check_parameters(params, variant)
    if stride < 1:
        raise IntegrationError(f"stride is {stride}; choose 1 to keep every grid point, or more.")
    n_piece = count_steps(params, pieces, t_stop, h)
    par = _kernel_parameters(params, variant, h)
    (t, i, slope, sines) = (
        np.array(a, dtype=np.float64) for a in (pieces.t, pieces.i, pieces.slope, pieces.sines)
    )
    sines[:, 1] *= 2.0 * math.pi  # the kernel wants angular frequencies
    stimulus = (t, i, slope, n_piece, sines)
    memristor = isinstance(params.leak, MemristorModel)
    (fs, ns, drawn) = _start(params, stride, switches, seed)
    rows = int(n_piece.sum()) // stride + n_piece.size + kernel.ROWS_PER_STEP
    largest = MAX_FIRST_ROWS if taken is None else TAKEN_ROWS
    rows = max(min(rows + EVENT_ROWS, largest), kernel.ROWS_PER_STEP)
    device = leak_device(params.leak, params.thermal_voltage)
    try:
        (time, v_c, v_mem, x, energy) = (np.empty(rows) for _ in range(5))
        level = np.empty(rows, dtype=np.uint8)
        t_spike = np.empty(FIRST_SPIKES)
        first = 0  # row that has not been taken

        def made() -> ReferenceResult:
            cut = slice(first, int(ns[5]))
            return ReferenceResult(
                time[cut], v_c[cut], v_mem[cut], x[cut] if memristor else None, level[cut],
                t_spike[: ns[6]].copy(), energy[cut], int(ns[8]), h, variant,
            )  # fmt: skip

        status = kernel.PAUSED
        while status != kernel.DONE:
            out = (time, v_c, v_mem, x, energy, level, t_spike)
            status = kernel.advance(par, stimulus, fs, ns, out, CHUNK_STEPS, device, drawn)
            now = float(fs[10])
            full = ns[5] > time.size - kernel.ROWS_PER_STEP
            if taken is not None and (full or status == kernel.DONE):
                taken(made())
                for column in (time, v_c, v_mem, x, energy, level):
                    column[0] = column[ns[5] - 1]
                first = ns[5] = 1
            elif full:
                (time, v_c, v_mem, x, energy) = map(_grown, (time, v_c, v_mem, x, energy))
                level = _grown(level)
            if ns[6] >= t_spike.size:
                t_spike = _grown(t_spike)
            _check_progress(status == kernel.STALLED, fs, ns, now)
            if progress is not None:
                progress(1.0 if status == kernel.DONE else min(now / t_stop, 1.0))
    except MemoryError:
        raise IntegrationError(
            f"The waveforms of {n_piece.sum()} steps do not fit in memory; choose a larger stride."
        ) from None
    first = 0
    return made()


def _start(
    params: KernelParameters, stride: int, switches: int | None, seed: int
) -> tuple[FloatArray, npt.NDArray[np.int64], Any]:
    """Return the kernel's state at t = 0, and the switches that are drawn, if any."""
    from spicealif.reference import kernel

    x_0 = params.x_0 if isinstance(params.leak, MemristorModel) else 0.0
    drawn = None
    if switches is not None:
        from spicealif.reference.switches import check_switches

        check_switches(params.leak, switches, seed)
        drawn = (np.random.Generator(np.random.PCG64(seed)), switches)
        x_0 = math.floor(x_0 * switches + 0.5) / switches
    fs = np.zeros(kernel.N_FLOAT_STATE)
    fs[:2] = (params.v_c_0, x_0)
    fs[11] = -1.0  # no spike yet
    ns = np.zeros(kernel.N_INT_STATE, dtype=np.int64)
    (ns[1], ns[7]) = (-1, stride)
    return fs, ns, drawn


def check_step(h: float | None, shortest_time: float) -> None:
    """Raise `IntegrationError` if a step in s is longer than the shortest time constant."""
    if h is not None and (said := too_long("h", h, shortest_time)):
        raise IntegrationError(f"{said}.")


def check_variant(variant: str) -> None:
    """Raise `IntegrationError` unless `variant` is one of `VARIANTS`."""
    if variant not in VARIANTS:
        raise IntegrationError(
            f"There is no reference variant {ascii(variant)}; choose one of {', '.join(VARIANTS)}."
        )


def leak_device(leak: MemristorModel | Resistor, thermal_voltage: float) -> Any:
    """Return the argument `device` of the compiled code.

    Parameters
    ----------
    leak : MemristorModel or Resistor
    thermal_voltage : float
        kT/q in V.

    Returns
    -------
    Device or None
        None for a leak that is built in. A `Device` holds room to compute in: for one thread.
    """
    if isinstance(leak, Resistor) or _built_in(leak):
        return None
    from spicealif.reference.device import compiled_device

    return compiled_device(leak, thermal_voltage)


def _built_in(leak: MemristorModel | Resistor) -> bool:
    """Return whether the compiled code has this leak's equations built in."""
    return type(leak) in (Memristor, Resistor)


def _grown(a: npt.NDArray[_T]) -> npt.NDArray[_T]:
    """Return a copy of `a` with twice the room."""
    b = np.empty(2 * a.size, dtype=a.dtype)
    b[: a.size] = a
    return b


def _check_progress(stalled: bool, fs: FloatArray, ns: npt.NDArray[np.int64], t: float) -> None:
    """Raise IntegrationError if the integration cannot go on."""
    if stalled:
        raise IntegrationError(
            f"The neuron spikes without end at t = {t:g} s; "
            "lower v_reset well below v_th, give a refractory time, or choose a smaller h."
        )
    if not np.all(np.isfinite(fs[:3])):
        raise IntegrationError(f"The solution diverged before t = {t:g} s; choose a smaller h.")
    if ns[8] > 2 * MAX_STEPS:
        raise IntegrationError(
            f"The discharge takes too many steps at t = {t:g} s; "
            "raise v_low so that the switch opens again, or raise r_ds_on."
        )


def _check_parameters(params: KernelParameters, variant: str) -> None:
    """Raise IntegrationError for values the equations have no meaning for.

    The leak's own values were checked when it was made.
    """
    check_variant(variant)
    positive = {"c": params.c}
    not_negative = {"r_s": params.r_s, "t_ref": params.t_ref}
    finite = {n: getattr(params, n) for n in ("v_th", "v_rest", "v_reset", "v_c_0")}
    if isinstance(params.leak, MemristorModel):
        positive |= {"thermal_voltage": params.thermal_voltage}
        if not 0.0 <= params.x_0 <= 1.0:
            raise IntegrationError(f"x_0 is {params.x_0:g}; choose a value from 0 to 1.")
    if variant == "schmitt":
        positive["r_ds_on"] = params.r_ds_on
        not_negative |= {"delay_on": params.delay_on, "delay_off": params.delay_off}
        finite["v_low"] = params.v_low
    for name, value in (positive | not_negative | finite).items():
        if not math.isfinite(value):
            raise IntegrationError(f"{name} is {value}; give a finite number.")
        if name in positive and value <= 0.0:
            raise IntegrationError(f"{name} is {value:g}; choose a value above 0.")
        if name in not_negative and value < 0.0:
            raise IntegrationError(f"{name} is {value:g}; choose 0 or more.")
    if variant == "schmitt" and params.v_low >= params.v_th:
        raise IntegrationError(
            f"v_low ({params.v_low:g} V) is not below v_th ({params.v_th:g} V); lower v_low."
        )


def _kernel_parameters(params: KernelParameters, variant: Variant, h: float) -> FloatArray:
    """Return the array `par` of `kernel.advance`."""
    from spicealif.reference import equations

    (leak, r_s) = (params.leak, params.r_s)
    branch = [r_s, 0.0, 0.0, 0.0]  # d_0, d_1, g_0, g_1
    device = [0.0, 0.0, 1.0, math.inf, -1.0, 0.0]  # dx/dt = 0, without an exponential
    if isinstance(leak, Resistor):
        g_0 = 1.0 / leak.r
        branch = [1.0 + r_s * g_0, 0.0, g_0, 0.0]
    elif isinstance(leak, Memristor | GMMS):
        if _built_in(leak):
            (g_0, g_1) = (1.0 / leak.r_off, 1.0 / leak.r_on - 1.0 / leak.r_off)
            branch = [1.0 + r_s * g_0, r_s * g_1, g_0, g_1]
        v_t = params.thermal_voltage
        device = list(equations.mms_switching(leak.v_on, leak.v_off, v_t, leak.tau))
    schmitt = variant == "schmitt"
    return np.array(
        [1.0 / params.c, params.v_rest, *branch, *device]
        + [params.v_th, params.v_low, params.v_reset, params.t_ref]
        + ([1.0 / params.r_ds_on, params.delay_on, params.delay_off] if schmitt else [0.0] * 3)
        + [discharge_step(params, h) if schmitt else h, float(schmitt)]
    )
