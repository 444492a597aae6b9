"""The circuit's equations as a judge: solved at two tolerances, so that their error is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spicealif.circuit.solve import DEFAULT_RTOL, Method, check_method, solve_circuit
from spicealif.design import Neuron
from spicealif.waveforms import Waveforms

__all__ = ["SPIKE_TIME_ERROR", "sharpened", "solve_as_judge", "solve_twice", "spike_movement"]

#: Attribute of the equations' waveforms: the worst spike-time difference in s between the last two
#: tolerances, NaN if the counts differ.
SPIKE_TIME_ERROR = "spike_time_error"
#: What two tolerances differ by, and how large the judge's error may be against what it judges.
_RATIO, _SHARE = 10.0, 1 / 3
#: Tolerances that a method is not taken below: there rounding decides, or it crawls.
_TIGHTEST: dict[str, float] = {"rodas": 1e-11, "LSODA": 1e-12, "Radau": 1e-8, "BDF": 1e-8}


def solve_as_judge(
    neuron: Neuron,
    *,
    method: Method = "rodas",
    rtol: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Waveforms:
    """Solve the circuit's equations at two tolerances.

    Parameters
    ----------
    neuron : Neuron
    method, rtol
        As in `solve_circuit`; `rtol` is that of the solution returned.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    Waveforms
        The tighter solution. Its attribute ``spike_time_error`` is the worst difference in s of a
        spike time between the two: an upper estimate of the error of this one, whose own is
        smaller by about the order of the method.

    Raises
    ------
    IntegrationError
        As `solve_circuit`.
    """
    check_method(method)
    tight = DEFAULT_RTOL[method] if rtol is None else rtol
    after, before = solve_twice(neuron, (tight, tight * _RATIO), method, progress)
    return _with_error(after, spike_movement(before, after))


def solve_twice(
    neuron: Neuron,
    tolerances: tuple[float, float],
    method: Method = "rodas",
    progress: Callable[[float], None] | None = None,
    interpolation_error: float = 0.0,
) -> tuple[Waveforms, Waveforms]:
    """Solve the circuit's equations at two relative tolerances; see `solve_circuit`."""

    def part(first: float) -> Callable[[float], None] | None:
        return None if progress is None else lambda done: progress(first + 0.5 * done)

    (one, other) = (
        solve_circuit(
            neuron, method=method, rtol=rtol, interpolation_error=interpolation_error,
            progress=part(begin),
        )
        for rtol, begin in zip(tolerances, (0.0, 0.5), strict=True)
    )  # fmt: skip
    return one, other


def sharpened(
    equations: Waveforms,
    neuron: Neuron,
    t_spike: NDArray[np.float64],
    *,
    enough: float = 0.0,
    progress: Callable[[float], None] | None = None,
) -> Waveforms:
    """Solve the equations more tightly until they can judge these spikes.

    Parameters
    ----------
    equations : Waveforms
        Of `solve_as_judge`.
    neuron : Neuron
    t_spike : ndarray, shape (K,)
        The spike times in s that are judged.
    enough : float
        An error in s that is small enough whatever the difference.
    progress : callable, optional
        Called with the fraction done of each solution; it may raise to end the work.

    Returns
    -------
    Waveforms
        With an own error of at most a third of the worst difference from those spikes, or the
        tightest that the method gives.
    """
    method: Method = equations.attrs["method"]  # type: ignore[assignment]
    while not _can_judge(equations, t_spike, enough):
        rtol = float(equations.attrs["rtol"]) / _RATIO
        if rtol < _TIGHTEST[method] * (1 - 1e-9):
            break
        after = solve_circuit(neuron, method=method, rtol=rtol, progress=progress)
        equations = _with_error(after, spike_movement(equations, after))
    return equations


def spike_movement(a: Waveforms, b: Waveforms) -> float:
    """Return the worst movement of a spike in s; NaN if the counts differ."""
    return _worst(a.t_spike, b.t_spike)


def _worst(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.abs(a - b).max(initial=0.0)) if len(a) == len(b) else math.nan


def _can_judge(equations: Waveforms, t_spike: NDArray[np.float64], enough: float) -> bool:
    error = float(equations.attrs[SPIKE_TIME_ERROR])
    if math.isnan(error):
        return False
    difference = _worst(equations.t_spike, t_spike)
    # With other counts no tolerance brings the spikes together.
    return error <= enough or math.isnan(difference) or error <= _SHARE * difference


def _with_error(waveforms: Waveforms, error: float) -> Waveforms:
    return replace(waveforms, attrs={**waveforms.attrs, SPIKE_TIME_ERROR: error})
