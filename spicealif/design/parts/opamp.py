"""Op-amps: any one by its data sheet, and an ideal one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spicealif.design._base import (
    Ampere,
    Farad,
    Hertz,
    Identifier,
    Number,
    Ohm,
    Part,
    Volt,
    VoltPerKelvin,
    VoltPerSecond,
)
from spicealif.design.parts.store import part_choice
from spicealif.design.parts.vendor import EmbeddedModel, LibraryModel, VendorModel

__all__ = ["AnyOpAmp", "IdealOpAmp", "LibraryOpAmp", "OpAmp", "SubcircuitOpAmp"]


class IdealOpAmp(Part):
    """An op-amp without slew rate, offset, rails or input current, and very fast.

    It keeps one pole: a loop without any capacitance has no transient solution.

    Attributes
    ----------
    open_loop_gain : float
        In V/V.
    gain_bandwidth : float
        In Hz; 1 GHz is 250 times that of the OP482.
    """

    kind: Literal["ideal"] = "ideal"
    open_loop_gain: Number = Field(default=1e7, ge=1e3, description="open-loop gain in V/V")
    gain_bandwidth: Hertz = Field(default=1e9, gt=0, description="gain-bandwidth product in Hz")


class OpAmp(Part):
    """An op-amp by the figures of its data sheet; those of an OP482 where nothing is given.

    Attributes
    ----------
    name : str
        What the part is called; letters, digits and underscores.
    open_loop_gain : float
        In V/V; data sheet: 20 V/mV.
    gain_bandwidth : float
        In Hz; data sheet: 4 MHz.
    slew_rate : float
        In V/s; data sheet: 9 V/us.
    v_os : float
        Input offset voltage in V; data sheet: 4 mV at most, sign unknown, hence 0 here.
    tc_v_os : float
        What the offset changes by with temperature in V/K; of unknown sign, hence 0 here.
    i_bias : float
        Input bias current in A into each input; data sheet: some pA.
    headroom : float
        Distance of the output from each rail in V; data sheet: 1.5 V.
    c_in : float
        Capacitance of each input to ground in F; an assumption.
    r_out : float
        Open-loop output resistance in ohm; an assumption.
    i_quiescent : float
        Supply current in A; an assumption.
    common_mode_low, common_mode_high : float
        Distance of the input range from the negative and the positive rail in V; data sheet: -11 V
        to +15 V at +-15 V. Beyond it the model goes on, and a warning tells.
    supply_max : float
        Largest voltage between the rails in V; data sheet: 36 V.
    """

    kind: Literal["behavioural"] = "behavioural"
    name: Identifier = Field(default="op482", description="what the part is called")
    open_loop_gain: Number = Field(default=2e4, ge=100, description="open-loop gain in V/V")
    gain_bandwidth: Hertz = Field(default=4e6, gt=0, description="gain-bandwidth product in Hz")
    slew_rate: VoltPerSecond = Field(default=9e6, gt=0, description="slew rate in V/s")
    v_os: Volt = Field(default=0.0, ge=-1, le=1, description="input offset voltage in V")
    tc_v_os: VoltPerKelvin = Field(default=0.0, ge=-1e-2, le=1e-2, description="drift of v_os")
    i_bias: Ampere = Field(default=3e-12, ge=-1e-3, le=1e-3, description="input bias current in A")
    headroom: Volt = Field(default=1.5, ge=0, description="output's distance from a rail in V")
    c_in: Farad = Field(default=5e-12, gt=0, description="capacitance of each input in F")
    r_out: Ohm = Field(default=50.0, gt=0, description="open-loop output resistance in ohm")
    i_quiescent: Ampere = Field(default=2.1e-4, ge=0, description="supply current in A")
    common_mode_low: Volt = Field(default=4.0, description="input range above V- in V")
    common_mode_high: Volt = Field(default=0.0, description="input range below V+ in V")
    supply_max: Volt = Field(default=36.0, gt=0, description="largest V+ - V- in V")

    def ideal(self) -> IdealOpAmp:
        """Return the ideal variant."""
        return IdealOpAmp()


class _VendorOpAmp(OpAmp, VendorModel):
    label: ClassVar[str] = "op-amp"
    roles: ClassVar[tuple[str, ...]] = ("in+", "in-", "v+", "v-", "out")
    deciding: ClassVar[tuple[str, ...]] = (
        *("headroom", "common_mode_low", "common_mode_high", "supply_max", "v_os"),
    )
    decided: ClassVar[str] = "whether its ranges and its supply suffice"
    whose: ClassVar[str] = "an OP482"


class SubcircuitOpAmp(_VendorOpAmp, EmbeddedModel):
    """An op-amp by its maker's model, which is put into the netlist.

    Attributes
    ----------
    model, pins, text
        See `EmbeddedModel`; the pins' roles are in+, in-, v+, v- and out.

    The figures of `OpAmp` decide whether its ranges suffice, and nothing of what SPICE computes.
    """

    kind: Literal["subcircuit"] = "subcircuit"  # type: ignore[assignment]
    prefix: ClassVar[str] = "opamp__"


class LibraryOpAmp(_VendorOpAmp, LibraryModel):
    """An op-amp of LTspice's own library; see `SubcircuitOpAmp`.

    Attributes
    ----------
    model, pins, library
        See `LibraryModel`.
    """

    kind: Literal["library"] = "library"  # type: ignore[assignment]


AnyOpAmp = Annotated[
    Annotated[OpAmp | IdealOpAmp | SubcircuitOpAmp | LibraryOpAmp, Field(discriminator="kind")],
    part_choice("opamp", former="op482"),
]
