"""How finely both sides are computed; nothing here is physics."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spicealif.design._base import Ampere, Coulomb, Farad, Number, Part, Second, Volt

__all__ = ["SAFE_RELTOL", "Numerics", "SeriesNumerics", "Tolerances", "too_long"]

#: What a netlist that nobody checks is written with, unless told. With it 23 of 24 random designs
#: were within 20 ns over 50 ms (`benchmarks/step_steering.py`).
SAFE_RELTOL = 1e-8


def too_long(name: str, h: float, limit: float) -> str | None:
    """Return why a step of the reference is too long for RK4, or None if it is not.

    A decay of time constant T turns into one by 1 - z + z^2/2 - z^3/6 + z^4/24 in a step of z T.
    That grows beyond z = 2.785, but it already falls too little from z = 1.6 on, where it turns
    round: with z = 2.5 a plain neuron misses half of its spikes. Up to z = 1, the limit here, a
    step is wrong by 0.7 % of what decays at most.

    Parameters
    ----------
    name : str
        What `h` is called.
    h, limit : float
        The step and the shortest time constant in s.
    """
    # What was computed from the limit itself may be off by a rounding error.
    if not h > limit * (1 + 1e-9):
        return None
    return (
        f"{name} = {h:g} s is longer than the shortest time constant of {limit:.3g} s, which RK4 "
        f"cannot follow (it is unstable beyond {2.785 * limit:.3g} s); give at most {limit:.3g} s, "
        "or leave it out for a hundredth"
    )


class Tolerances(Part):
    """What neuron and series circuit share of a SPICE's settings; see `Numerics` for each."""

    abstol: Ampere = Field(default=1e-12, gt=0, description="current tolerance in A")
    vntol: Volt = Field(default=1e-6, gt=0, description="voltage tolerance in V")
    chgtol: Coulomb = Field(default=1e-6, gt=0, description="charge tolerance in C")
    trtol: Number = Field(default=7.0, gt=0, description="truncation error factor")
    method: Literal["trap", "gear"] = Field(default="trap", description="integration method")


class Numerics(Tolerances):
    """Accuracy settings of the simulators and of the reference.

    The defaults were measured on the presets; docs/accuracy.md says how, and what came
    out.

    Attributes
    ----------
    accuracy : float
        Error of a spike time in s that is asked for. A run that is checked against the circuit's
        own differential equations begins loosely and is repeated more tightly until it has it.
    reltol : float, optional
        SPICE's relative tolerance. Where not given, `accuracy` decides it in a run that is
        checked, and it is 1e-8 in a netlist that nobody checks.
    abstol, vntol, chgtol, trtol
        SPICE's other tolerances: current (A), voltage (V), charge (C), and the factor by which the
        truncation error is overestimated.
    method : {"trap", "gear"}
        SPICE's integration method.
    t_step_max : float
        Largest step of the simulators in s; see `Neuron.t_step_max` for what else limits it.
    steps_per_charge : float
        Least number of steps in which the largest current charges from v_low to v_th.
    steering : bool
        Whether the netlist contains the step-steering elements, which make the simulator approach
        the comparator's thresholds in small steps and cross the hysteresis in equal ones.
    steering_delta : float
        Distance from a point of no return below which the steps no longer shrink, in units of the
        comparator's tail (see `Neuron.steering_scales`).
    steering_parts : float
        The hysteresis in units of the voltage over which the second element's phase grows by 1;
        more of them make the steps across the hysteresis smaller.
    steering_c : float
        Capacitance of the steering elements in F. Only its ratio to chgtol matters, and chgtol
        should be no smaller: then these elements and not the circuit's small, fast capacitances
        decide how long a step may be.
    h : float, optional
        Largest step of the reference in s; where not given, 1/100 of the shortest of tau, C R
        and a sine's period.
    """

    accuracy: Second = Field(
        default=20e-9, gt=0, le=1e-3, description="spike-time error asked for in s"
    )
    reltol: Number | None = Field(default=None, gt=0, lt=1, description="relative tolerance")
    t_step_max: Second = Field(default=5e-7, gt=0, description="largest simulator step in s")
    steps_per_charge: Number = Field(default=30.0, gt=0, description="least steps from v_low")
    steering: bool = Field(default=True, description="put the step-steering elements in")
    steering_delta: Number = Field(default=0.3, gt=0, description="steering distance in tails")
    steering_parts: Number = Field(default=16.0, gt=0, description="parts of the hysteresis")
    steering_c: Farad = Field(default=1e-6, gt=0, description="steering capacitance in F")
    h: Second | None = Field(default=None, gt=0, description="largest reference step in s")

    @property
    def safe_reltol(self) -> float:
        """Relative tolerance of a netlist that nobody checks."""
        return SAFE_RELTOL if self.reltol is None else self.reltol


class SeriesNumerics(Tolerances):
    """Accuracy settings of a series circuit's simulation and reference.

    With the defaults ngspice's x was within 2.6e-5 of the reference's over one period of a sine
    and of a pulse drive, for 150 random devices of each model; 9 of 10 were within 1e-6.

    Attributes
    ----------
    reltol : float
        SPICE's relative tolerance.
    abstol, vntol, chgtol, trtol, method
        As of `Numerics`.
    steps_per_period : float
        Least number of simulator steps in a sine's period, and in the run.
    t_step_max : float, optional
        Largest step of the simulators in s; where not given, only the other limits hold.
    h : float, optional
        Largest step of the reference in s; where not given, see `SeriesCircuit.default_h`.
    """

    reltol: Number = Field(default=1e-10, gt=0, lt=1, description="relative tolerance")
    vntol: Volt = Field(default=1e-9, gt=0, description="voltage tolerance in V")
    steps_per_period: Number = Field(default=1000.0, ge=10, description="least simulator steps")
    t_step_max: Second | None = Field(default=None, gt=0, description="largest simulator step in s")
    h: Second | None = Field(default=None, gt=0, description="largest reference step in s")

    @property
    def safe_reltol(self) -> float:
        """`reltol`; see `Numerics.safe_reltol`."""
        return self.reltol
