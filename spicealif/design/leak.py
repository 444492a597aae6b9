"""The leak branch: an MMS memristor (the ALIF neuron) or a resistor (the plain LIF neuron)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from spicealif.design._base import Number, Ohm, Part, Second, Volt, register_tags

__all__ = ["AnyLeak", "Memristor", "Resistor"]


class Memristor(Part):
    """A memristor by the mean metastable switch (MMS) model.

    Conductance ``G = x / r_on + (1 - x) / r_off``; state
    ``dx/dt = (s(v - v_on) (1 - x) - (1 - s(v + v_off)) x) / tau`` with the logistic function
    ``s(u) = 1 / (1 + exp(-u / V_T))``. Source: Molter and Nugent, "The Generalized Metastable
    Switch Memristor Model", CNNA 2016, with the parameter names of Knowm's LTspice model.

    Attributes
    ----------
    r_on, r_off : float
        Resistance at x = 1 and at x = 0 in ohm.
    v_on : float
        Voltage in V around which the device sets.
    v_off : float
        Reset voltage in V in Knowm's convention: the device resets around v = -v_off, so a
        bipolar device has v_off > 0. A negative value is a volatile device that resets already
        at v >= 0.
    tau : float
        Time scale of the state in s.
    x_0 : float
        State at t = 0, between 0 and 1.
    """

    kind: Literal["memristor"] = "memristor"
    r_on: Ohm = Field(gt=0, description="resistance at x = 1 in ohm")
    r_off: Ohm = Field(gt=0, description="resistance at x = 0 in ohm")
    v_on: Volt = Field(ge=-100, le=100, description="set voltage in V")
    v_off: Volt = Field(
        ge=-100, le=100, description="reset voltage in V; resets around v = -v_off (Knowm)"
    )
    tau: Second = Field(gt=0, description="time scale of the state in s")
    x_0: Number = Field(default=0.0, ge=0, le=1, description="state at t = 0")

    @model_validator(mode="after")
    def _on_below_off(self) -> Self:
        if self.r_on > self.r_off:
            raise ValueError(
                f"The memristor's r_on = {self.r_on:g} ohm is above r_off = {self.r_off:g} ohm; "
                "exchange them (x = 1 is the low-resistance state)."
            )
        return self

    @property
    def r_min(self) -> float:
        """The lowest resistance in ohm."""
        return self.r_on


class Resistor(Part):
    """A resistor as leak: the plain LIF neuron of the paper's Eq. 1.

    Attributes
    ----------
    r : float
        Resistance in ohm.
    """

    kind: Literal["resistor"] = "resistor"
    r: Ohm = Field(gt=0, description="resistance in ohm")

    @property
    def r_min(self) -> float:
        """The lowest resistance in ohm."""
        return self.r


AnyLeak = Annotated[Memristor | Resistor, Field(discriminator="kind")]
register_tags(Memristor, Resistor)
