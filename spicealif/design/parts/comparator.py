"""Comparators: any one by its data sheet, and one as sharp as a simulator can follow."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spicealif.design._base import (
    Ampere,
    Farad,
    Identifier,
    Number,
    Ohm,
    Part,
    PerKelvin,
    Second,
    Volt,
    VoltPerKelvin,
)
from spicealif.design.parts.store import part_choice
from spicealif.design.parts.vendor import EmbeddedModel, LibraryModel, VendorModel

__all__ = [
    "TWO_POLE_DELAY",
    "AnyComparator",
    "Comparator",
    "IdealComparator",
    "LibraryComparator",
    "SubcircuitComparator",
    "run_away",
]

#: Time constants that two equal poles take to half of a step: (1 + u) exp(-u) = 1/2.
TWO_POLE_DELAY = 1.6783469900166605


class IdealComparator(Part):
    """A comparator with one pole and exact feedback: the sharpest that a simulator can follow.

    Its output is ``v_ol + (v_oh - v_ol) s`` with s following
    ``(1 + tanh(2 gain u / (v_oh - v_ol))) / 2`` through one pole of ``t_delay / ln 2``, where u
    is the voltage between the inputs. The finite gain is what keeps the regenerative loop
    solvable. With it the output would run away before u = 0, where the loop gain passes 1; the
    feedback is widened by as much (see `tail`), so that it does at the thresholds.

    Attributes
    ----------
    v_oh, v_ol : float
        Output levels in V.
    t_delay : float
        Time from a sharp crossing to half the output swing in s.
    gain : float
        Largest slope of output against input in V/V.
    """

    kind: Literal["ideal"] = "ideal"
    v_oh: Volt = Field(default=5.0, description="high output level in V")
    v_ol: Volt = Field(default=0.0, description="low output level in V")
    t_delay: Second = Field(default=6e-9, gt=0, description="delay to half the swing in s")
    gain: Number = Field(default=1e5, ge=100, description="largest slope in V/V")

    def tail(self, share: float) -> float:
        """Return by how much in V the output runs away before u = 0.

        The loop gain is ``share * gain * sech(u / w)**2`` with ``w = (v_oh - v_ol)/(2 gain)``; it
        passes 1 at ``u = -w acosh(sqrt(share * gain))``, where the output has already moved u a
        little.

        Parameters
        ----------
        share : float
            Part of the output swing that is fed back to the input, r_a / (r_a + r_b).

        Returns
        -------
        float
            In V; 0 if the loop gain never reaches 1.
        """
        return _tail(self.v_oh - self.v_ol, self.gain, share)

    def delay_to(self, fraction: float) -> float:
        """Return the time in s from a crossing until `fraction` of the output swing is done."""
        return self.t_delay * math.log1p(-fraction) / math.log(0.5)


class Comparator(Part):
    """A comparator by the figures of its data sheet.

    Where nothing is given, those of an AD8561 at a 5 V single supply. The electrical tables of its
    data sheet were not at hand; output and gain are those of the maker's macro-model as the Qucs-S
    library carries it, measured in ngspice.

    Attributes
    ----------
    name : str
        What the part is called; letters, digits and underscores.
    v_oh, v_ol : float
        Output levels in V without a load, as the tangent at the network's load gives them;
        macro-model at 5 V: 4.26 V unloaded, 3.76, 3.74 and 3.73 V at 0.2, 0.3 and 0.4 mA, hence
        3.80 V behind 180 ohm; 18 mV.
    t_delay : float
        Propagation delay in s to half the swing; data sheet: 7 ns.
    gain : float
        Voltage gain in V/V; macro-model: 11,400 at most, unloaded.
    v_os : float
        Input offset voltage in V, added at the non-inverting input.
    tc_v_os : float
        What the offset changes by with temperature in V/K; of unknown sign, hence 0 here.
    tc_t_delay : float
        What the delay changes by with temperature, as a part of it, in 1/K; the AD8561's was not at
        hand, hence 0 here.
    i_bias : float
        Current in A out of each input where both are at one voltage (below 0: into it); data sheet:
        3 uA.
    input : {"pnp", "npn", "cmos"}
        The input pair. Of a PNP pair the bias current goes to zero at the higher input and doubles
        at the lower one, of an NPN pair the other way round; of MOSFETs it does not change.
    c_in : float
        Capacitance of each input to ground in F; data sheet: 3 pF.
    r_out : float
        Output resistance in ohm at the network's load; macro-model, see v_oh (500 ohm for the low
        level, where the load is a tenth of that).
    common_mode_headroom, common_mode_low : float
        Distance of the input range from the positive supply and from ground in V; data sheet: 2.2 V
        and 0.
    output : {"push-pull", "open-collector"}
        An open collector's transistor is a conductance of 1 / r_out to v_ol that goes to 0 (see
        `turn_off`); a resistor pulls the output up to the supply, whose voltage v_oh then is.
    r_pull_up : float
        That resistor in ohm.
    i_quiescent : float
        Supply current in A; an assumption.
    supply_max : float
        Largest supply voltage in V; data sheet: 10 V.
    """

    kind: Literal["behavioural"] = "behavioural"
    name: Identifier = Field(default="ad8561", description="what the part is called")
    v_oh: Volt = Field(default=3.80, description="high output level in V")
    v_ol: Volt = Field(default=0.018, description="low output level in V")
    t_delay: Second = Field(default=7e-9, gt=0, description="propagation delay in s")
    gain: Number = Field(default=1.14e4, ge=100, description="voltage gain in V/V")
    v_os: Volt = Field(default=0.0, ge=-1, le=1, description="input offset voltage in V")
    tc_v_os: VoltPerKelvin = Field(default=0.0, ge=-1e-2, le=1e-2, description="drift of v_os")
    tc_t_delay: PerKelvin = Field(default=0.0, ge=-0.01, le=0.01, description="of the delay")
    i_bias: Ampere = Field(default=3e-6, ge=-1e-3, le=1e-3, description="current out of an input")
    input: Literal["pnp", "npn", "cmos"] = Field(default="pnp", description="the input pair")
    c_in: Farad = Field(default=3e-12, gt=0, description="capacitance of each input in F")
    r_out: Ohm = Field(default=180.0, gt=0, description="output resistance in ohm")
    common_mode_headroom: Volt = Field(default=2.2, description="input range below V+ in V")
    common_mode_low: Volt = Field(default=0.0, description="input range above ground in V")
    i_quiescent: Ampere = Field(default=5e-3, ge=0, description="supply current in A")
    supply_max: Volt = Field(default=10.0, gt=0, description="largest supply voltage in V")
    output: Literal["push-pull", "open-collector"] = Field(
        default="push-pull", description="kind of output"
    )
    r_pull_up: Ohm = Field(default=1e3, gt=0, description="pull-up of an open collector in ohm")

    @property
    def bias_slope(self) -> float:
        """By what part the bias current changes with the inputs' difference: 1, -1 or 0."""
        return {"pnp": 1.0, "npn": -1.0, "cmos": 0.0}[self.input]

    @property
    def r_source(self) -> float:
        """Resistance in ohm through which the supply delivers the output's current."""
        return self.r_out if self.output == "push-pull" else self.r_pull_up

    @property
    def low_source(self) -> tuple[float, float]:
        """Voltage in V and resistance in ohm of the low output without a load."""
        if self.output == "push-pull":
            return self.v_ol, self.r_out
        both = 1 / self.r_out + 1 / self.r_pull_up
        return (self.v_ol / self.r_out + self.v_oh / self.r_pull_up) / both, 1 / both

    @property
    def turn_off(self) -> float:
        """How an open collector's conductance goes: as this power of what the drive has yet to do.

        Such that the output is half-way between its levels when the drive is, so that it is
        t_delay after a crossing in either direction. As its first power the transistor, whose
        resistance is far below the pull-up's, would let go at the very end only.
        """
        return math.log2(2 + self.r_pull_up / self.r_out)

    def drive_at(self, fraction: float) -> float:
        """Return the drive, from 0 to 1, at which `fraction` of the output swing is done."""
        if self.output == "push-pull":
            return fraction
        ratio = self.r_out / self.r_pull_up
        left = (1 - fraction) / (1 + ratio)
        conductance = left * ratio / (1 - left)  # as a part of 1 / r_out
        return float(1 - conductance ** (1 / self.turn_off))

    def delay_to(self, drive: float) -> float:
        """Return the time in s from a crossing until the drive has done this part of its way.

        Two equal poles answer a step with ``1 - (1 + u) exp(-u)``, u in time constants.
        """
        low, high = 0.0, 50.0
        while high - low > 1e-12:
            middle = (low + high) / 2
            if 1 - (1 + middle) * math.exp(-middle) < drive:
                low = middle
            else:
                high = middle
        return self.t_delay * high / TWO_POLE_DELAY

    def tail(self, share: float) -> float:
        """Return by how much in V the output runs away before u = 0; see `IdealComparator.tail`."""
        return _tail(self.v_oh - self.v_ol, self.gain, share)

    def ideal(self) -> IdealComparator:
        """Return the ideal variant with the same output levels, sharper and a little faster."""
        return IdealComparator(v_oh=self.v_oh, v_ol=self.v_ol)


class _VendorComparator(Comparator, VendorModel):
    v_oh: Volt = Field(description="high output level in V")
    v_ol: Volt = Field(description="low output level in V")

    label: ClassVar[str] = "comparator"
    roles: ClassVar[tuple[str, ...]] = ("in+", "in-", "v+", "v-", "out")
    deciding: ClassVar[tuple[str, ...]] = (
        *("r_out", "gain", "t_delay", "i_bias", "v_os", "common_mode_headroom"),
        *("common_mode_low", "supply_max"),
    )
    decided: ClassVar[str] = (
        "the resistors of its feedback, the references, the steering, and whether its ranges and "
        "its supply suffice"
    )
    whose: ClassVar[str] = "an AD8561"


class SubcircuitComparator(_VendorComparator, EmbeddedModel):
    """A comparator by its maker's model, which is put into the netlist.

    Attributes
    ----------
    model, pins, text
        See `EmbeddedModel`; the pins' roles are in+, in-, v+, v- (which is grounded) and out.
    v_oh, v_ol : float
        As of `Comparator`, and to be given: the feedback's resistors are made for them. The low
        level without a load, the high one as the tangent at the network's load, with `r_out`.

    Of the other figures of `Comparator`, ``r_out`` goes into the feedback's resistors too, and an
    open collector's ``r_pull_up`` is in the netlist beside the model.
    """

    kind: Literal["subcircuit"] = "subcircuit"  # type: ignore[assignment]
    prefix: ClassVar[str] = "comparator__"


class LibraryComparator(_VendorComparator, LibraryModel):
    """A comparator of LTspice's own library; see `SubcircuitComparator`.

    Attributes
    ----------
    model, pins, library
        See `LibraryModel`.
    v_oh, v_ol : float
        As of `SubcircuitComparator`.
    """

    kind: Literal["library"] = "library"  # type: ignore[assignment]


AnyComparator = Annotated[
    Annotated[
        Comparator | IdealComparator | SubcircuitComparator | LibraryComparator,
        Field(discriminator="kind"),
    ],
    part_choice("comparator", former="ad8561"),
]


def run_away(gain: float, share: float) -> float:
    """Return the distance from u = 0 at which the regenerative loop's gain passes 1.

    In units of w = (v_oh - v_ol)/(2 gain); see `IdealComparator.tail`.

    Parameters
    ----------
    gain, share : float
        The comparator's gain and the part of its swing that is fed back; their product above 1.
    """
    return math.acosh(math.sqrt(share * gain))


def _tail(swing: float, gain: float, share: float) -> float:
    if share * gain <= 1:
        return 0.0
    u = run_away(gain, share)
    return swing / (2 * gain) * u + share * swing * 0.5 * (1 - math.tanh(u))
