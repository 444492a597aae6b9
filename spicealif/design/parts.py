"""The circuit's active parts, each in a real and an ideal variant.

Figures are typical values of the data sheets (Analog Devices OP282/OP482 and AD8561, onsemi
2N7002) unless a field says otherwise; the data sheets do not give all of them.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from spicealif.design._base import (
    Ampere,
    AmperePerSquareVolt,
    Farad,
    Hertz,
    Number,
    Ohm,
    Part,
    Second,
    Volt,
    VoltPerSecond,
    register_tags,
)

__all__ = [
    "AnyComparator",
    "AnyDifferenceAmplifier",
    "AnyMosfet",
    "AnyOpAmp",
    "Comparator",
    "DifferenceAmplifier",
    "IdealComparator",
    "IdealDifferenceAmplifier",
    "IdealMosfet",
    "IdealOpAmp",
    "Mosfet",
    "OpAmp",
    "Supplies",
    "run_away",
]


#: Time constants that two equal poles take to half of a step: (1 + u) exp(-u) = 1/2.
TWO_POLE_DELAY = 1.6783469900166605


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
    """One amplifier of an OP482.

    Attributes
    ----------
    open_loop_gain : float
        In V/V; data sheet: 20 V/mV.
    gain_bandwidth : float
        In Hz; data sheet: 4 MHz.
    slew_rate : float
        In V/s; data sheet: 9 V/us.
    v_os : float
        Input offset voltage in V; data sheet: 4 mV at most, sign unknown, hence 0 here.
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
    """

    kind: Literal["op482"] = "op482"
    open_loop_gain: Number = Field(default=2e4, ge=100, description="open-loop gain in V/V")
    gain_bandwidth: Hertz = Field(default=4e6, gt=0, description="gain-bandwidth product in Hz")
    slew_rate: VoltPerSecond = Field(default=9e6, gt=0, description="slew rate in V/s")
    v_os: Volt = Field(default=0.0, ge=-1, le=1, description="input offset voltage in V")
    i_bias: Ampere = Field(default=3e-12, ge=-1e-3, le=1e-3, description="input bias current in A")
    headroom: Volt = Field(default=1.5, ge=0, description="output's distance from a rail in V")
    c_in: Farad = Field(default=5e-12, gt=0, description="capacitance of each input in F")
    r_out: Ohm = Field(default=50.0, gt=0, description="open-loop output resistance in ohm")
    i_quiescent: Ampere = Field(default=2.1e-4, ge=0, description="supply current in A")

    def ideal(self) -> IdealOpAmp:
        """Return the ideal variant."""
        return IdealOpAmp()


AnyOpAmp = Annotated[OpAmp | IdealOpAmp, Field(discriminator="kind")]


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
    """An AD8561 comparator at a 5 V single supply.

    Attributes
    ----------
    v_oh, v_ol : float
        Output levels in V; a public macro-model in ngspice at 5 V: 3.84 V and 18 mV.
    t_delay : float
        Propagation delay in s to half the swing; data sheet: 7 ns.
    gain : float
        Voltage gain in V/V; an assumption of the size usual for such comparators.
    v_os : float
        Input offset voltage in V, added at the non-inverting input.
    i_bias : float
        Current in A out of each input (PNP inputs); data sheet: 3 uA.
    c_in : float
        Capacitance of each input to ground in F; data sheet: 3 pF.
    r_out : float
        Output resistance in ohm; an assumption.
    common_mode_headroom : float
        Distance of the input range from the positive supply in V; data sheet: 2.2 V.
    i_quiescent : float
        Supply current in A; an assumption.
    """

    kind: Literal["ad8561"] = "ad8561"
    v_oh: Volt = Field(default=3.84, description="high output level in V")
    v_ol: Volt = Field(default=0.018, description="low output level in V")
    t_delay: Second = Field(default=7e-9, gt=0, description="propagation delay in s")
    gain: Number = Field(default=3e3, ge=100, description="voltage gain in V/V")
    v_os: Volt = Field(default=0.0, ge=-1, le=1, description="input offset voltage in V")
    i_bias: Ampere = Field(default=3e-6, ge=-1e-3, le=1e-3, description="current out of an input")
    c_in: Farad = Field(default=3e-12, gt=0, description="capacitance of each input in F")
    r_out: Ohm = Field(default=50.0, gt=0, description="output resistance in ohm")
    common_mode_headroom: Volt = Field(default=2.2, ge=0, description="input range below V+ in V")
    i_quiescent: Ampere = Field(default=5e-3, ge=0, description="supply current in A")

    def delay_to(self, fraction: float) -> float:
        """Return the time in s from a crossing until `fraction` of the output swing is done.

        Two equal poles answer a step with ``1 - (1 + u) exp(-u)``, u in time constants.
        """
        low, high = 0.0, 50.0
        while high - low > 1e-12:
            middle = (low + high) / 2
            if 1 - (1 + middle) * math.exp(-middle) < fraction:
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


AnyComparator = Annotated[Comparator | IdealComparator, Field(discriminator="kind")]


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
    """A 2N7002 by SPICE's VDMOS model.

    The defaults are the values of a card in wide use; the data sheet gives limits only
    (threshold 1.0 to 2.5 V, input/output/reverse capacitance 50/25/5 pF at most).

    Attributes
    ----------
    v_to : float
        Threshold in V.
    kp : float
        Transconductance parameter in A/V^2.
    r_s, r_d, r_g : float
        Source, drain and gate resistance in ohm.
    c_gd_max, c_gd_min : float
        Limits of the gate-drain capacitance in F.
    c_gs : float
        Gate-source capacitance in F.
    c_jo : float
        Zero-bias capacitance of the body diode in F.
    i_s : float
        Saturation current of the body diode in A.
    m_triode : float
        Conductance multiplier in the triode region.
    """

    kind: Literal["vdmos"] = "vdmos"
    v_to: Volt = Field(default=1.6, gt=0, description="threshold in V")
    kp: AmperePerSquareVolt = Field(
        default=0.17, gt=0, description="transconductance parameter in A/V^2"
    )
    r_s: Ohm = Field(default=0.75, gt=0, description="source resistance in ohm")
    r_d: Ohm = Field(default=1e-3, gt=0, description="drain resistance in ohm")
    r_g: Ohm = Field(default=3.0, gt=0, description="gate resistance in ohm")
    c_gd_max: Farad = Field(default=80e-12, gt=0, description="largest gate-drain capacitance")
    c_gd_min: Farad = Field(default=12e-12, gt=0, description="smallest gate-drain capacitance")
    c_gs: Farad = Field(default=50e-12, gt=0, description="gate-source capacitance in F")
    c_jo: Farad = Field(default=50e-12, gt=0, description="body diode's capacitance in F")
    i_s: Ampere = Field(default=4e-14, gt=0, description="body diode's saturation current in A")
    m_triode: Number = Field(default=1.25, gt=0, description="triode conductance multiplier")

    def on_resistance(self, v_gs: float) -> float:
        """Return the resistance in ohm at small drain voltage and the gate voltage `v_gs` in V."""
        overdrive = v_gs - self.v_to
        if overdrive <= 0:
            return math.inf
        return self.r_s + self.r_d + 1 / (self.m_triode * self.kp * overdrive)

    def ideal(self, v_gs: float = 3.84) -> IdealMosfet:
        """Return the ideal variant with the on-resistance at the gate voltage `v_gs` in V."""
        r = self.on_resistance(v_gs)
        return IdealMosfet(r_ds_on=r if math.isfinite(r) else 3.0, v_to=v_gs / 2)


AnyMosfet = Annotated[Mosfet | IdealMosfet, Field(discriminator="kind")]


class Supplies(Part):
    """The supply voltages.

    Attributes
    ----------
    v_pos, v_neg : float
        Supplies of the op-amp in V.
    v_comparator : float
        Supply of the comparator in V.
    """

    v_pos: Volt = Field(default=5.0, gt=0, description="op-amp's positive supply in V")
    v_neg: Volt = Field(default=-5.0, le=0, description="op-amp's negative supply in V")
    v_comparator: Volt = Field(default=5.0, gt=0, description="comparator's supply in V")


register_tags(
    OpAmp,
    IdealOpAmp,
    DifferenceAmplifier,
    IdealDifferenceAmplifier,
    Comparator,
    IdealComparator,
    Mosfet,
    IdealMosfet,
)


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
