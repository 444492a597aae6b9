"""How finely both sides are computed; nothing here is physics."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spicealif.design._base import Ampere, Farad, Number, Part, Second, Volt

__all__ = ["Numerics"]


class Numerics(Part):
    """Accuracy settings of the simulators and of the reference.

    The defaults were measured on the presets; the README says how and what came out.

    Attributes
    ----------
    reltol, abstol, vntol, chgtol, trtol
        SPICE's tolerances: relative, current (A), voltage (V), charge (C), and the factor by
        which the truncation error is overestimated.
    method : {"trap", "gear"}
        SPICE's integration method.
    t_step_max : float
        Largest step of the simulators in s; with a sine, also at most 1/100 of its period.
    steering : bool
        Whether the netlist contains the step-steering element, which makes the simulator
        approach the comparator's thresholds in small steps.
    steering_delta : float
        Distance in V from the threshold below which the steps no longer shrink.
    steering_c : float
        Capacitance of the steering element in F; only its ratio to chgtol matters.
    h : float, optional
        Largest step of the reference in s; where not given, 1/100 of the shortest of tau, C R
        and a sine's period.
    """

    reltol: Number = Field(default=1e-7, gt=0, lt=1, description="relative tolerance")
    abstol: Ampere = Field(default=1e-12, gt=0, description="current tolerance in A")
    vntol: Volt = Field(default=1e-6, gt=0, description="voltage tolerance in V")
    chgtol: Number = Field(default=1e-14, gt=0, description="charge tolerance in C")
    trtol: Number = Field(default=7.0, gt=0, description="truncation error factor")
    method: Literal["trap", "gear"] = Field(default="trap", description="integration method")
    t_step_max: Second = Field(default=5e-7, gt=0, description="largest simulator step in s")
    steering: bool = Field(default=True, description="put the step-steering element in")
    steering_delta: Volt = Field(default=1e-3, gt=0, description="steering distance in V")
    steering_c: Farad = Field(default=1e-6, gt=0, description="steering capacitance in F")
    h: Second | None = Field(default=None, gt=0, description="largest reference step in s")
