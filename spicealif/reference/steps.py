"""How long the reference's steps are, from the neuron, its source and the step asked for."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from spicealif.design import MemristorModel, StimulusPieces
from spicealif.design._working import MAX_STEPS
from spicealif.design.steps import largest_steps
from spicealif.errors import IntegrationError
from spicealif.reference.parameters import KernelParameters

__all__ = ["DISCHARGE_STEPS", "count_steps", "discharge_step", "whole"]

_Floats = npt.NDArray[np.float64]

# Steps that a discharge takes per time constant r_ds_on C, at least.
DISCHARGE_STEPS = 20


def count_steps(
    params: KernelParameters, pieces: StimulusPieces, t_stop: float, h: float
) -> npt.NDArray[np.int64]:
    """Check stimulus and step, and return the number of steps in each piece."""
    t = np.asarray(pieces.t, dtype=np.float64)
    shapes = {np.shape(pieces.i), np.shape(pieces.slope)}
    if t.ndim != 1 or t.size < 2 or shapes != {(t.size - 1,)}:
        raise IntegrationError(
            f"The stimulus has {t.size} corners for pieces of shape {sorted(shapes)}; "
            "give K + 1 times, K currents and K slopes."
        )
    if not (t[0] == 0.0 and t[-1] == t_stop and np.all(np.diff(t) > 0.0) and t_stop < math.inf):
        raise IntegrationError(
            f"The stimulus' corners must increase from 0 to t_stop = {t_stop:g} s, "
            f"not from {t[0]:g} to {t[-1]:g} s; cut it at t_stop and remove equal corners."
        )
    if not all(np.isfinite(a).all() for a in (pieces.i, pieces.slope, pieces.sines)):
        raise IntegrationError("The stimulus has an infinite or undefined value; remove it.")
    if not (0.0 < h < math.inf):
        raise IntegrationError(f"The step h is {h} s; choose a finite step above 0.")
    allowed = largest_steps(params, pieces, _shortest_time(params))
    usual = float(np.minimum(allowed, np.diff(t)).max())
    with np.errstate(over="ignore"):
        # In proportion to h, and not by h alone: else pieces shorter than h would keep their one
        # step, and two levels of refinement would take the same steps and prove nothing.
        steps = whole(whole(np.diff(t) / allowed) * (usual / h))
    if not steps.sum() <= MAX_STEPS:
        raise IntegrationError(
            f"{steps.sum():.2g} steps of at most {h:g} s are too many (limit {MAX_STEPS:.0e}); "
            "choose a larger h or a shorter run."
        )
    return steps.astype(np.int64)


def whole(steps: _Floats) -> _Floats:
    """Round numbers of steps up; a whole number up to rounding is that number."""
    rounded: _Floats = np.maximum(np.ceil(steps * (1.0 - 1e-12)), 1.0)
    return rounded


def _shortest_time(params: KernelParameters) -> float:
    """Return the shortest time constant in s: of the membrane or of the device."""
    if params.shortest_time is not None:
        return params.shortest_time
    (leak, v) = (params.leak, params.v_th)
    scale = params.c * (leak.differential_r_min(-v, v) + params.r_s)
    return min(scale, leak.time_scale(v)) if isinstance(leak, MemristorModel) else scale


def discharge_step(params: KernelParameters, h: float) -> float:
    """Return the step for a closed switch.

    It is to its time constant as h is to the neuron's shortest one, C R or the device's, so that
    both errors fall with h alike. (To C R alone, it would become absurdly short where the device
    is far faster than C R.)
    """
    tau = params.r_ds_on * params.c
    return min(h, tau / DISCHARGE_STEPS, tau * h / _shortest_time(params))
