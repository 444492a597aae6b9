"""The second level of refinement, which shows what the first is off by."""

from __future__ import annotations

from typing import Any

from spicealif.design.neuron import Neuron
from spicealif.design.numerics import Numerics

__all__ = ["refined"]


def refined(neuron: Neuron, reltol: float | None = None) -> Neuron:
    """Return a neuron at the second level of refinement.

    A tenth of the reltol (a hundredth of one that was found to be just accurate enough), half the
    largest step, a finer steering, and half the reference's step h; each from the default where
    the neuron's own setting is looser, so that the second level can be trusted whatever the first
    is. The steering changes too, so that both levels do not shorten their steps at the same places.

    Parameters
    ----------
    neuron : Neuron
    reltol : float, optional
        What the first level was found to need, see `run_accurately`.

    Returns
    -------
    Neuron
        Steering on.

    Raises
    ------
    DesignError
        If the run would take too many steps.
    """
    old, good = neuron.numerics, Numerics()
    changes: dict[str, Any] = {
        name: min(getattr(old, name), getattr(good, name))
        for name in ("abstol", "vntol", "chgtol", "trtol")
    }
    changes |= {
        "reltol": min(old.safe_reltol, good.safe_reltol) / 10 if reltol is None else reltol / 100,
        # Half of what it really is, which with a sine may be less than the setting.
        "t_step_max": min(neuron.t_step_max, good.t_step_max) / 2,
        "steering": True,
        "steering_delta": min(old.steering_delta, good.steering_delta) / 2,
        "steering_parts": max(old.steering_parts, good.steering_parts) * 1.5,
        "steps_per_charge": max(old.steps_per_charge, good.steps_per_charge) * 2,
        "steering_c": max(old.steering_c, good.steering_c),
        "h": min(neuron.default_h, neuron.replace({"numerics.h": None}).default_h) / 2,
    }
    return neuron.replace({f"numerics.{name}": value for name, value in changes.items()})
