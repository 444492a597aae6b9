"""The amplifier that senses the memristor's voltage: four resistors and an op-amp, or ideal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spicealif.design._base import Number, Ohm, Part
from spicealif.design.parts.opamp import AnyOpAmp, OpAmp

__all__ = ["AnyDifferenceAmplifier", "DifferenceAmplifier", "IdealDifferenceAmplifier"]


class IdealDifferenceAmplifier(Part):
    """A difference amplifier that loads nothing and follows at once.

    Attributes
    ----------
    gain : float
        Output per volt across the memristor.
    """

    kind: Literal["ideal"] = "ideal"
    gain: Number = Field(default=1.0, gt=0, description="gain in V/V")


class DifferenceAmplifier(Part):
    """The four-resistor difference amplifier that senses the memristor's voltage.

    Attributes
    ----------
    gain : float
        Output per volt across the memristor; set by the resistors r and gain * r.
    r : float
        The two input resistors in ohm. They load the neuron; with the op-amp's input capacitance
        they make a pole, which at 100 kohm lets the amplifier ring.
    opamp : OpAmp or IdealOpAmp
    """

    kind: Literal["four-resistor"] = "four-resistor"
    gain: Number = Field(default=1.0, gt=0, description="gain in V/V")
    r: Ohm = Field(default=2e4, gt=0, description="input resistors in ohm")
    opamp: AnyOpAmp = Field(default=OpAmp(), description="the amplifier")

    def ideal(self) -> IdealDifferenceAmplifier:
        """Return the ideal variant of the same gain."""
        return IdealDifferenceAmplifier(gain=self.gain)


AnyDifferenceAmplifier = Annotated[
    DifferenceAmplifier | IdealDifferenceAmplifier, Field(discriminator="kind")
]
