"""The MOSFET that discharges the capacitor: any one by its card, and a switch."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spicealif.design._base import (
    Ampere,
    AmperePerSquareVolt,
    Farad,
    Identifier,
    Number,
    Ohm,
    Part,
    Volt,
    VoltPerKelvin,
)
from spicealif.design.parts.store import part_choice
from spicealif.design.parts.vendor import EmbeddedModel, LibraryModel, VendorModel

__all__ = ["AnyMosfet", "IdealMosfet", "LibraryMosfet", "Mosfet", "SubcircuitMosfet"]


class IdealMosfet(Part):
    """A switch: a conductance that follows the gate voltage smoothly, without capacitance.

    Attributes
    ----------
    r_ds_on : float
        On-resistance in ohm.
    v_to : float
        Gate voltage at which half the conductance is reached in V.
    v_gs_width : float
        Gate voltage in V over which the conductance goes from 12 % to 50 %.
    """

    kind: Literal["ideal"] = "ideal"
    r_ds_on: Ohm = Field(default=3.0, gt=0, description="on-resistance in ohm")
    v_to: Volt = Field(default=1.9, gt=0, description="threshold of the gate voltage in V")
    v_gs_width: Volt = Field(default=0.05, gt=0, description="width of the transition in V")

    def on_resistance(self, v_gs: float) -> float:
        """Return the resistance in ohm at the gate voltage `v_gs` in V."""
        s = 0.5 * (1 + math.tanh((v_gs - self.v_to) / self.v_gs_width))
        return self.r_ds_on / s if s > 0 else math.inf


class Mosfet(Part):
    """An n-channel MOSFET by SPICE's VDMOS model; a 2N7002 where nothing is given.

    The defaults meet the typical figures of the onsemi data sheet (NDS7002A/D), as
    `docs/parts.md` shows: threshold at 250 uA 2.1 V (1.0 to 2.5), on-resistance 1.7 ohm at 5 V and
    1.2 ohm at 10 V (at most 7.5), transconductance 320 mS (at least 80), input, output and reverse
    capacitance at 25 V 20, 11 and 4 pF (at most 50, 25 and 5).

    Attributes
    ----------
    name : str
        What the part is called; letters, digits and underscores.
    v_to : float
        Threshold in V; with VDMOS' subthreshold region 0.09 V above the voltage at 250 uA.
    kp : float
        Transconductance parameter in A/V^2.
    r_s, r_d, r_g : float
        Source, drain and gate resistance in ohm; r_g is an assumption.
    c_gd_max, c_gd_min : float
        Limits of the gate-drain capacitance in F; the larger one is that of a card in wide use.
    c_gs : float
        Gate-source capacitance in F.
    c_jo : float
        Zero-bias capacitance of the body diode in F.
    i_s : float
        Saturation current of the body diode in A, of the card in wide use.
    m_triode : float
        Conductance multiplier in the triode region.
    tc_v_to : float
        What the threshold changes by with temperature in V/K; onsemi's data sheet of the 2N7002W
        says -4 mV/K (Supertex' of the 2N7002: -5.5 mV/K at most).
    mobility_exponent : float
        kp goes with this power of the absolute temperature, r_s and r_d with its inverse; an
        assumption between SPICE's -1.5 and the -2.4 of lightly doped silicon (the BSS123's data
        sheet, 1.2 ohm at 25 degC and 2.2 ohm at 125 degC, asks for -2.1).

    The body diode's current follows SPICE's law with a band gap of 1.11 eV and an exponent of 3.
    """

    kind: Literal["vdmos"] = "vdmos"
    name: Identifier = Field(default="n2n7002", description="what the part is called")
    v_to: Volt = Field(default=2.19, gt=0, description="threshold in V")
    kp: AmperePerSquareVolt = Field(
        default=0.46, gt=0, description="transconductance parameter in A/V^2"
    )
    r_s: Ohm = Field(default=0.9, gt=0, description="source resistance in ohm")
    r_d: Ohm = Field(default=1e-3, gt=0, description="drain resistance in ohm")
    r_g: Ohm = Field(default=3.0, gt=0, description="gate resistance in ohm")
    c_gd_max: Farad = Field(default=80e-12, gt=0, description="largest gate-drain capacitance")
    c_gd_min: Farad = Field(default=2.8e-12, gt=0, description="smallest gate-drain capacitance")
    c_gs: Farad = Field(default=16e-12, gt=0, description="gate-source capacitance in F")
    c_jo: Farad = Field(default=40e-12, gt=0, description="body diode's capacitance in F")
    i_s: Ampere = Field(default=4e-14, gt=0, description="body diode's saturation current in A")
    m_triode: Number = Field(default=1.0, gt=0, description="triode conductance multiplier")
    tc_v_to: VoltPerKelvin = Field(
        default=-4e-3, ge=-0.1, le=0.1, description="change of v_to with temperature in V/K"
    )
    mobility_exponent: Number = Field(
        default=-2.0, ge=-5, le=0, description="power of temperature that kp goes with"
    )

    def on_resistance(self, v_gs: float) -> float:
        """Return the resistance in ohm at small drain voltage and the gate voltage `v_gs` in V."""
        overdrive = v_gs - self.v_to
        if overdrive <= 0:
            return math.inf
        return self.r_s + self.r_d + 1 / (self.m_triode * self.kp * overdrive)

    def ideal(self, v_gs: float = 3.74) -> IdealMosfet:
        """Return the ideal variant with the on-resistance at the gate voltage `v_gs` in V."""
        r = self.on_resistance(v_gs)
        return IdealMosfet(r_ds_on=r if math.isfinite(r) else 3.0, v_to=v_gs / 2)


class _VendorMosfet(Mosfet, VendorModel):
    label: ClassVar[str] = "MOSFET"
    roles: ClassVar[tuple[str, ...]] = ("drain", "gate", "source")
    more_roles: ClassVar[tuple[str, ...]] = ("bulk",)
    deciding: ClassVar[tuple[str, ...]] = ("v_to", "kp", "r_s")
    decided: ClassVar[str] = "the references' discharge, and whether the capacitor is discharged"
    whose: ClassVar[str] = "a 2N7002"


class SubcircuitMosfet(_VendorMosfet, EmbeddedModel):
    """An n-channel MOSFET by its maker's model, which is put into the netlist.

    Attributes
    ----------
    model, pins, text
        See `EmbeddedModel`; the pins' roles are drain, gate, source and, where there is one, bulk,
        which is grounded. ``model`` may also be a ``.model`` card of type NMOS or VDMOS; it needs
        no pins.

    The figures of `Mosfet` decide what the references take for its discharge (``v_to``, ``kp``,
    ``r_s``) and nothing of what SPICE computes.
    """

    kind: Literal["subcircuit"] = "subcircuit"  # type: ignore[assignment]
    prefix: ClassVar[str] = "mosfet__"


class LibraryMosfet(_VendorMosfet, LibraryModel):
    """An n-channel MOSFET of LTspice's own library, as a subcircuit; see `SubcircuitMosfet`.

    Attributes
    ----------
    model, pins, library
        See `LibraryModel`.
    """

    kind: Literal["library"] = "library"  # type: ignore[assignment]


AnyMosfet = Annotated[
    Annotated[Mosfet | IdealMosfet | SubcircuitMosfet | LibraryMosfet, Field(discriminator="kind")],
    part_choice("mosfet"),
]
