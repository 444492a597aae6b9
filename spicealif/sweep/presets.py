"""Experiments that the paper claims or plans, ready to run on any neuron."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spicealif.design import (
    GMMS,
    Comparator,
    DifferenceAmplifier,
    Memristor,
    Mosfet,
    Neuron,
    OpAmp,
)
from spicealif.design._vendor import vendor_parts
from spicealif.errors import SweepError
from spicealif.quantities.grammar import quantity_of
from spicealif.sweep.experiment import Experiment, Sweep
from spicealif.sweep.space import Points, checked_count, design_value, sweep_points
from spicealif.sweep.tolerances import MonteCarlo

__all__ = [
    "EXPERIMENTS",
    "adaptation_map",
    "experiment",
    "f_i_curve",
    "frequency_response",
    "prototypes",
    "temperature",
]

#: Coefficients of `temperature` where the design has none: thin or metal film and C0G as makers
#: limit them, in 1/K, and the offset of an ordinary op-amp or comparator in V/K.
_TC_R, _TC_C, _TC_V_OS = 25e-6, 30e-6, 10e-6


def frequency_response(
    neuron: Neuron, *, frequencies: int = 13, amplitudes: int = 5, **choices: Any
) -> Experiment:
    """Return a sweep of the stimulus' frequency and amplitude around the design's.

    Frequencies from a tenth to ten times, amplitudes from a half to the whole of the design's; each
    point lasts as many periods as the design's run.

    Parameters
    ----------
    neuron : Neuron
        With pulses or a sine as stimulus.
    frequencies, amplitudes : int
        How many.
    **choices
        See `Experiment`.

    Returns
    -------
    Experiment

    Raises
    ------
    SweepError
        If the stimulus has no frequency.
    """
    checked_count(frequencies, "frequencies")
    checked_count(amplitudes, "amplitudes", frequencies)
    f = _stimulus(neuron, "frequency")
    a = _stimulus(neuron, "amplitude")
    over = {
        "stimulus.frequency": f * np.geomspace(0.1, 10, frequencies),
        "stimulus.amplitude": a * np.linspace(0.5, 1, amplitudes),
    }
    grid = sweep_points(neuron, over)
    # The length of a run follows from its frequency: a coordinate, and no dimension of its own.
    lengths = neuron.t_stop * f / grid.values["stimulus.frequency"]
    points = Points({**grid.values, "t_stop": lengths}, grid.dims)
    return Experiment(neuron, points, kind="frequency-response", **choices)


def f_i_curve(
    neuron: Neuron, *, points: int = 40, peak: float | str | None = None, **choices: Any
) -> Sweep:
    """Return a sweep of a constant current: onset rate (first interval) and steady-state rate.

    ``1 / isi_first`` is the onset f-I curve and ``1 / isi_last`` the steady one (Benda and Herz
    2003), provided that the run is much longer than the adaptation and the neuron still fires at
    its end; so spike times are kept.

    Parameters
    ----------
    neuron : Neuron
        Its stimulus is replaced by a step at t = 0.
    points : int
        How many currents, from peak/points to peak.
    peak : float or str, optional
        The largest current in A; the peak of the design's stimulus if not given.
    **choices
        See `Experiment`.

    Returns
    -------
    Sweep

    Raises
    ------
    SweepError
        If the design's stimulus gives no positive peak.
    """
    checked_count(points, "currents")
    if peak is None:
        top = neuron.stimulus.peak(neuron.t_stop)
    else:
        top = quantity_of("The peak", peak, "A", SweepError)
    if not top > 0:
        raise SweepError("The stimulus has no positive peak; give peak, the largest current.")
    steady = neuron.replace(stimulus={"kind": "constant", "amplitude": top})
    currents = top * np.arange(1, points + 1) / points
    choices.setdefault("spikes", True)
    return Sweep(steady, {"stimulus.amplitude": currents}, kind="f-i-curve", **choices)


def adaptation_map(neuron: Neuron, *, points: int = 9, **choices: Any) -> Sweep:
    """Return a sweep of the memristor's time scale and of the series resistor.

    tau from a tenth to ten times the design's, r_s from a quarter to four times. Its figure also
    shows what adaptation costs: the energy per spike against the ratio of last to first interval.

    Parameters
    ----------
    neuron : Neuron
        With a memristor as leak and an r_s above 0.
    points : int
        How many of each.
    **choices
        See `Experiment`.

    Returns
    -------
    Sweep

    Raises
    ------
    SweepError
        If there is no memristor, or r_s is 0.
    """
    if not isinstance(neuron.leak, Memristor | GMMS) or neuron.r_s == 0:
        raise SweepError(
            "An adaptation map needs a memristor with a tau (mms or gmms) as leak and an r_s above "
            "0; take another neuron."
        )
    checked_count(points, "values of each parameter", points)
    over = {
        "leak.tau": neuron.leak.tau * np.geomspace(0.1, 10, points),
        "r_s": neuron.r_s * np.geomspace(0.25, 4, points),
    }
    return Sweep(neuron, over, kind="adaptation-map", **choices)


def prototypes(neuron: Neuron, *, n: int = 100, seed: int = 0, **choices: Any) -> MonteCarlo:
    """Return a Monte Carlo experiment of built neurons against the equations as designed.

    Parameters
    ----------
    neuron : Neuron
    n : int
        How many prototypes.
    seed : int
    **choices
        See `MonteCarlo`.

    Returns
    -------
    MonteCarlo
    """
    choices.setdefault("varies", "circuit" if choices.get("sides", "both") == "both" else "both")
    return MonteCarlo(neuron, n, seed=seed, kind="prototypes", **choices)


def temperature(
    neuron: Neuron, *, points: int = 13, low: float = 253.15, high: float = 373.15, **choices: Any
) -> Experiment:
    """Return a sweep of the temperature, with all that drifts and with one kind of part at a time.

    The dimension ``drift`` has five values, which the coordinate ``description`` names: the leak
    device alone (its thermal voltage), with it the MOSFET, the resistors and the capacitor, or the
    offsets and the delay, and all of them. A coefficient that the design does not have (0) is
    taken as makers' limits are: 25 ppm/K of resistors, 30 ppm/K of the capacitor, 10 uV/K of either
    offset (assumptions, all of one sign).

    Parameters
    ----------
    neuron : Neuron
    points : int
        How many temperatures, evenly from `low` to `high`.
    low, high : float
        In K; -20 to 100 degC.
    **choices
        See `Experiment`.

    Returns
    -------
    Experiment

    Raises
    ------
    SweepError
        If there are no points.
    """
    checked_count(points, "temperatures", 5)
    kinds = _drifting(neuron)
    temperatures = np.linspace(low, high, points)
    labels = ["leak device alone", *(f"with {kind}" for kind in kinds), "all of them"]
    values: dict[str, Any] = {"temperature": np.tile(temperatures, len(labels))}
    values["description"] = np.repeat(np.array(labels, dtype=object), points)
    for kind, coefficients in kinds.items():
        on = np.array([label in (f"with {kind}", "all of them") for label in labels], dtype=float)
        for name, coefficient in coefficients.items():
            values[name] = np.repeat(coefficient * on, points)
    grid = Points(values, {"drift": len(labels), "temperature": points})
    return Experiment(neuron, grid, kind="temperature", **choices)


def _drifting(neuron: Neuron) -> dict[str, dict[str, float]]:
    """Return the coefficients of each kind of part, by their names in the design."""
    mosfet, amplifier, comparator = neuron.mosfet, neuron.difference_amplifier, neuron.comparator
    makers = vendor_parts(neuron)  # which keep their values
    out: dict[str, dict[str, float]] = {"the MOSFET": {}, "R and C": {}, "offsets and delay": {}}
    if isinstance(mosfet, Mosfet) and "mosfet" not in makers:
        out["the MOSFET"] = {
            "mosfet.tc_v_to": mosfet.tc_v_to,
            "mosfet.mobility_exponent": mosfet.mobility_exponent,
        }
    out["R and C"] = {"tc_r": neuron.tc_r or _TC_R, "tc_c": neuron.tc_c or _TC_C}
    opamp = amplifier.opamp if isinstance(amplifier, DifferenceAmplifier) else None
    if isinstance(opamp, OpAmp) and "difference_amplifier.opamp" not in makers:
        drift = opamp.tc_v_os or _TC_V_OS
        out["offsets and delay"]["difference_amplifier.opamp.tc_v_os"] = drift
    if isinstance(comparator, Comparator) and "comparator" not in makers:
        out["offsets and delay"]["comparator.tc_v_os"] = comparator.tc_v_os or _TC_V_OS
        out["offsets and delay"]["comparator.tc_t_delay"] = comparator.tc_t_delay
    return {kind: coefficients for kind, coefficients in out.items() if coefficients}


def experiment(name: str, neuron: Neuron, **choices: Any) -> Experiment:
    """Return one of `EXPERIMENTS` by its name.

    Raises
    ------
    SweepError
        If there is none of this name.
    """
    if name not in EXPERIMENTS:
        raise SweepError(
            f"There is no experiment {ascii(name)}; choose one of {', '.join(EXPERIMENTS)}."
        )
    return EXPERIMENTS[name](neuron, **choices)


#: The experiments by name.
EXPERIMENTS: dict[str, Callable[..., Experiment]] = {
    "frequency-response": frequency_response,
    "f-i-curve": f_i_curve,
    "adaptation-map": adaptation_map,
    "prototypes": prototypes,
    "temperature": temperature,
}


def _stimulus(neuron: Neuron, name: str) -> float:
    try:
        value = design_value(neuron, f"stimulus.{name}")
    except SweepError:
        raise SweepError(
            f"The stimulus has no {name}; take a neuron driven by pulses or a sine."
        ) from None
    return float(value)
