"""From a neuron to the waveforms of its differential equations."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spicealif._support.decimation import Thinner
from spicealif.design import MemristorModel, Neuron, store
from spicealif.design.needs import check_needs, reference_needs
from spicealif.reference.driver import (
    KernelParameters,
    ReferenceResult,
    Variant,
    check_step,
    integrate,
)
from spicealif.waveforms import Waveforms

__all__ = ["kernel_parameters", "solve_reference"]

_LOG = logging.getLogger(__name__)


def solve_reference(
    neuron: Neuron,
    variant: Variant = "ideal",
    *,
    h: float | None = None,
    stride: int = 1,
    progress: Callable[[float], None] | None = None,
    switches: int | None = None,
    seed: int = 0,
    interpolation_error: float = 0.0,
) -> Waveforms:
    """Integrate the paper's equation 1 (resistor) or 2 (memristor) by RK4.

    With `switches` the memristor is as many metastable switches, which turn at random
    (`spicealif.reference.switches`), instead of their mean. Then x is a multiple of 1/switches at
    every sample and jumps from one to the next. The memristor's x_0 is rounded to such a multiple.

    Parameters
    ----------
    neuron : Neuron
        What to integrate; its parts count only through v_th and, in ``schmitt``, v_low, the
        MOSFET's on-resistance and the comparator's delay.
    variant : {"ideal", "schmitt"}
        ``ideal``: at v_th the capacitor is set to v_reset and held there for t_ref.
        ``schmitt``: from v_th the MOSFET discharges the capacitor until v_mem falls to v_low.
    h : float, optional
        Largest step in s; `Neuron.default_h` if not given.
    stride : int
        Keep every `stride`-th step of the traces; spikes are always kept.
    progress : callable, optional
        Called with the fraction done.
    switches : int, optional
        Number N of metastable switches, of a memristor of kind mms or gmms. Deviations from the
        mean fall with 1/sqrt(N).
    seed : int
        Same seed, same waveforms, bit for bit, with the same versions of numba and NumPy: NumPy
        keeps the bits of its generator PCG64, but neither keeps the draws made of them for ever.
        It counts with `switches` only.
    interpolation_error : float
        Above 0, as many samples are kept as straight lines between them need to be within this
        part of each trace's span of the others, while it is integrated; see `Waveforms.decimated`.

    Returns
    -------
    Waveforms
        Quantities v_c, v_mem, x (memristor only), spike and i_in. At a jump there are two
        samples, one at the event and one at the next floating-point number. The attributes tell
        how it was made, `switches` and `seed` among them if there are switches.

    Raises
    ------
    IntegrationError
        If the variant is unknown, h does not make sense or is longer than the shortest time
        constant, or the leak has no such switches.
    ResourceError
        If there is less memory than the waveforms take at least.

    Examples
    --------
    >>> reference = solve_reference(load_preset("paper"))
    >>> len(reference.t_spike), round(float(reference["x"][-1]), 4)
    (223, 0.8853)
    """
    here = neuron.at_temperature
    check_step(h, here.shortest_time)
    step = here.default_h if h is None else h
    thinner = Thinner(interpolation_error) if interpolation_error > 0 else None
    if stride > 0 and 0 < step < neuron.t_stop and thinner is None:
        check_needs(reference_needs(here, stride * step / here.default_h))
    result = integrate(
        kernel_parameters(here),
        neuron.stimulus.pieces(neuron.t_stop),
        variant=variant,
        t_stop=neuron.t_stop,
        h=step,
        stride=stride,
        progress=progress,
        switches=switches,
        seed=seed,
        taken=None
        if thinner is None
        else lambda rows: thinner.feed(rows.time, _quantities(rows, neuron)),
    )
    time, signals = (
        (result.time, _quantities(result, neuron)) if thinner is None else thinner.result()
    )
    attrs = {
        "side": "reference",
        "variant": variant,
        "h": step,
        "n_steps": result.n_steps,
        "energy_source": float(result.energy[-1]),
        **({} if switches is None else {"switches": switches, "seed": seed}),
        **store.provenance(neuron),
    }
    if thinner is not None:
        attrs |= {"interpolation_error": thinner.part, "samples": thinner.samples}
    _LOG.info("RK4 (%s): %d steps, %d spikes", variant, result.n_steps, len(result.t_spike))
    return Waveforms(time, signals, result.t_spike, attrs)


def _quantities(rows: ReferenceResult, neuron: Neuron) -> dict[str, NDArray[np.float64]]:
    comparator = neuron.comparator
    signals = {
        "v_c": rows.v_c,
        "v_mem": rows.v_mem,
        "spike": np.where(rows.spike > 0, comparator.v_oh, comparator.v_ol),
        "i_in": neuron.stimulus.value(rows.time),
    }
    if rows.x is not None:
        signals["x"] = rows.x
    return signals


def kernel_parameters(neuron: Neuron) -> KernelParameters:
    """Return a neuron as the reference equations see it."""
    delay_on, delay_off = neuron.switch_delays
    leak = neuron.leak
    return KernelParameters(
        c=neuron.c,
        r_s=neuron.r_s,
        leak=leak,
        thermal_voltage=neuron.thermal_voltage,
        v_th=neuron.v_th,
        v_low=neuron.network.v_low / neuron.difference_amplifier.gain,
        r_ds_on=neuron.r_ds_on,
        v_rest=neuron.v_rest,
        v_reset=neuron.v_reset,
        t_ref=neuron.t_ref,
        delay_on=delay_on,
        delay_off=delay_off,
        x_0=leak.x_0 if isinstance(leak, MemristorModel) else 0.0,
        v_c_0=neuron.v_rest,
        shortest_time=neuron.shortest_time,
    )
