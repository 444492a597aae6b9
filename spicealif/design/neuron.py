"""The neuron: everything that both sides, circuit and reference, are made from."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from spicealif._support.described import Described
from spicealif.design._base import (
    Farad,
    Identifier,
    Kelvin,
    Ohm,
    Part,
    PerKelvin,
    Second,
    Volt,
)
from spicealif.design._shared import digest_of, thermal_voltage
from spicealif.design._temperature import at_temperature
from spicealif.design._vendor import no_equations, temperature_doubts
from spicealif.design._working import check_works, doubts
from spicealif.design.devices import MemristorModel
from spicealif.design.hysteresis import Hysteresis, HysteresisNetwork
from spicealif.design.leak import AnyLeak
from spicealif.design.numerics import Numerics
from spicealif.design.parts import (
    AnyComparator,
    AnyDifferenceAmplifier,
    AnyMosfet,
    Comparator,
    DifferenceAmplifier,
    IdealComparator,
    Mosfet,
    OpAmp,
    Supplies,
    run_away,
)
from spicealif.design.steps import largest_steps
from spicealif.design.stimulus.sources import AnyStimulus
from spicealif.errors import DesignError
from spicealif.quantities.grammar import format_quantity

__all__ = ["Neuron"]


class Neuron(Described, Part):
    """A leaky integrate-and-fire neuron, adaptive if its leak is a memristor.

    The circuit is the paper's Fig. 4b; the reference is its Eq. 1 (resistor) or Eq. 2
    (memristor).

    Attributes
    ----------
    name : str
        Letters, digits and underscores.
    description, source : str
        Free text for people; never part of a netlist.
    leak : MemristorModel or Resistor
        From the capacitor to r_s.
    c : float
        Membrane capacitance in F.
    r_s : float
        Resistance in series with the leak in ohm; may be 0.
    v_rest : float
        Voltage in V to which the leak branch returns.
    v_th : float
        Membrane voltage (across the leak device) at which the neuron fires, in V; the
        comparator's upper threshold.
    v_low : float
        Membrane voltage at which the discharge ends, in V; the comparator's lower threshold.
        The `ideal` reference does not use it.
    v_reset : float
        Capacitor voltage in V after a spike, in the `ideal` reference only.
    t_ref : float
        Refractory time in s, in the `ideal` reference only.
    temperature : float
        In K; sets the memristor's thermal voltage, and by their coefficients what the parts'
        values are; see `at_temperature`.
    temperature_nominal : float
        In K; where the parts' values hold (25 degC, to a third of a degree).
    tc_r, tc_c : float
        What resistors and capacitor change by with temperature, as parts of their values, in 1/K.
        Makers state limits (25 or 50 ppm/K of a metal film, 30 ppm/K of C0G) and no sign, hence 0.
    difference_amplifier, comparator, mosfet : parts
        Each real or ideal.
    hysteresis : Hysteresis
        The comparator's feedback network.
    supplies : Supplies
    stimulus : stimulus
        The input current.
    t_stop : float
        Length of the run in s.
    numerics : Numerics
        How finely both sides are computed.

    Raises
    ------
    DesignError
        If a value is out of range, or the circuit would latch or could never discharge.
    """

    name: Identifier = Field(default="neuron", description="letters, digits and underscores")
    description: str = Field(default="", max_length=2000, description="for people")
    source: str = Field(default="", max_length=2000, description="where the values come from")
    leak: AnyLeak = Field(description="memristor or resistor")
    c: Farad = Field(gt=0, description="membrane capacitance in F")
    r_s: Ohm = Field(default=0.0, ge=0, description="resistance in series with the leak in ohm")
    v_rest: Volt = Field(default=0.0, ge=-100, le=100, description="resting voltage in V")
    v_th: Volt = Field(gt=0, description="firing threshold of the membrane voltage in V")
    v_low: Volt = Field(description="membrane voltage at which the discharge ends in V")
    v_reset: Volt = Field(default=0.0, description="capacitor voltage after a spike in V (ideal)")
    t_ref: Second = Field(default=0.0, ge=0, description="refractory time in s (ideal)")
    temperature: Kelvin = Field(default=298.5, gt=1, lt=1000, description="in K")
    temperature_nominal: Kelvin = Field(
        default=298.5, gt=1, lt=1000, description="where the parts' values hold in K"
    )
    tc_r: PerKelvin = Field(default=0.0, ge=-0.01, le=0.01, description="of the resistors")
    tc_c: PerKelvin = Field(default=0.0, ge=-0.01, le=0.01, description="of the capacitor")
    difference_amplifier: AnyDifferenceAmplifier = Field(default=DifferenceAmplifier())
    comparator: AnyComparator = Field(default=Comparator())
    hysteresis: Hysteresis = Field(default=Hysteresis())
    mosfet: AnyMosfet = Field(default=Mosfet())
    supplies: Supplies = Field(default=Supplies())
    stimulus: AnyStimulus = Field(description="input current")
    t_stop: Second = Field(gt=0, description="length of the run in s")
    numerics: Numerics = Field(default=Numerics())

    def _facts(self) -> list[tuple[str, str]]:
        leak = self.leak.to_dict()
        stimulus = self.stimulus
        peak = format_quantity(stimulus.peak(self.t_stop), "A")
        return [
            ("", f"'{self.name}'"),
            ("leak", leak["kind"]),
            ("c", format_quantity(self.c, "F")),
            ("r_s", format_quantity(self.r_s, "ohm")),
            ("v_th", format_quantity(self.v_th, "V")),
            ("v_low", format_quantity(self.v_low, "V")),
            ("difference amplifier", self.difference_amplifier.kind),
            ("comparator", self.comparator.kind),
            ("mosfet", self.mosfet.kind),
            ("stimulus", f"{stimulus.kind} up to {peak}"),
            ("t_stop", format_quantity(self.t_stop, "s")),
            *([("", self.description)] if self.description else []),
        ]

    @property
    def at_temperature(self) -> Neuron:
        """The neuron with the values that its parts have at its temperature.

        Netlists, equations and references are made of it. Itself where the temperature is nominal.
        """
        # A neuron that kept itself could not be compared with another, nor be freed.
        return self if self.temperature == self.temperature_nominal else self._elsewhere

    @cached_property
    def _elsewhere(self) -> Neuron:
        return at_temperature(self)

    @property
    def uses_supplies(self) -> bool:
        """Whether a part draws current from the supplies; ideal parts draw none."""
        amplifier = self.difference_amplifier
        return isinstance(self.comparator, Comparator) or (
            isinstance(amplifier, DifferenceAmplifier) and isinstance(amplifier.opamp, OpAmp)
        )

    @cached_property
    def network(self) -> HysteresisNetwork:
        """The solved hysteresis network, thresholds at the difference amplifier's output."""
        gain, comparator = self.difference_amplifier.gain, self.comparator
        low, r_low, r_high = comparator.v_ol, 0.0, 0.0
        if isinstance(comparator, Comparator):
            (low, r_low), r_high = comparator.low_source, comparator.r_source
        return self.hysteresis.solve(
            gain * self.v_th, gain * self.v_low, comparator.v_oh, low, r_high, r_low
        )

    @cached_property
    def ideal_feedback(self) -> tuple[float, float, float]:
        """Factors (of v_d, of the output) and offset in V of the ideal comparator's input u.

        ``u = f_d v_d + f_o v_spike - v_0``; see `IdealComparator.tail` for why f_o and v_0 differ
        from those of the resistors.
        """
        network, comparator = self.network, self.comparator
        share = network.share
        tail = comparator.tail(share) if isinstance(comparator, IdealComparator) else 0.0
        extra = 2 * tail / (comparator.v_oh - comparator.v_ol)
        return 1 - share, share + extra, network.v_ref + tail + extra * comparator.v_ol

    @property
    def thermal_voltage(self) -> float:
        """The thermal voltage kT/q in V."""
        return thermal_voltage(self.temperature)

    @property
    def v_gate(self) -> float:
        """The comparator's high level in V with the network's load, as a discharge begins."""
        network, v_oh = self.network, self.comparator.v_oh
        loop = network.r_a + network.r_b + network.r_out
        return v_oh - network.r_out * (v_oh - network.v_high) / loop

    @property
    def output_levels(self) -> tuple[float, float]:
        """Low and high level of the comparator's output without a load in V."""
        comparator = self.comparator
        if isinstance(comparator, Comparator):
            return comparator.low_source[0], comparator.v_oh
        return comparator.v_ol, comparator.v_oh

    @property
    def r_ds_on(self) -> float:
        """On-resistance of the discharge MOSFET at the comparator's high level in ohm."""
        return self.mosfet.on_resistance(self.v_gate)

    @property
    def switch_delays(self) -> tuple[float, float]:
        """Time in s from a crossing of v_th until the MOSFET conducts, and of v_low until not."""
        comparator = self.comparator
        low, high = self.output_levels
        on = (self.mosfet.v_to - low) / (high - low)
        if isinstance(comparator, Comparator):
            on = comparator.drive_at(on)
        return comparator.delay_to(on), comparator.delay_to(1 - on)

    @cached_property
    def shortest_time(self) -> float:
        """Shortest time constant in s between discharges: min(tau, C R).

        tau is the time in which the state moves fastest, and R the least resistance to a change of
        v_c, both at voltages that v_mem reaches below v_th.
        """
        leak, low, high, tau = self.leak, -self.v_th, self.v_th, math.inf
        if isinstance(leak, MemristorModel):
            # where a spike or the discharge leaves it, and what the source can push it to
            left = (0.0, self.v_reset - self.v_rest, -self.v_rest)
            reached = leak.v_reach(self._i_largest, self.v_th)
            low, high = max(low, min(reached[0], *left)), min(high, max(reached[1], *left))
            tau = leak.time_scale(max(-low, high))
        return min(tau, self.c * (leak.differential_r_min(low, high) + self.r_s))

    @property
    def default_h(self) -> float:
        """Largest reference step in s: numerics.h, else what `largest_steps` allows.

        1/100 of `shortest_time` and of a sine's period, less where the source moves v_mem fast and
        where the stimulus' corners are nearer than that throughout.
        """
        if self.numerics.h is not None:
            return self.numerics.h
        return self.usual_steps[0]

    @cached_property
    def usual_steps(self) -> tuple[float, float]:
        """The largest reference step in s without numerics.h, and about how many there are."""
        pieces = self.stimulus.pieces(self.t_stop)
        lengths = np.diff(pieces.t)
        allowed = largest_steps(self, pieces, self.shortest_time)
        with np.errstate(all="ignore"):  # what comes out of absurd values is too many steps
            return float(np.minimum(allowed, lengths).max()), float(np.sum(lengths / allowed))

    @property
    def t_step_max(self) -> float:
        """Largest simulator step in s.

        `Numerics.t_step_max`, 1/100 of a sine's period, and the time in which the peak current
        charges the capacitor from v_low to v_th over `Numerics.steps_per_charge`: the error of
        the integration method grows with the square of the steps' share of an interval.
        """
        peak = self.stimulus.peak(self.t_stop)
        charge = self.c * (self.v_th - self.v_low) / peak if peak > 0 else math.inf
        return min(
            self.numerics.t_step_max,
            self._sine_step / 100,
            charge / self.numerics.steps_per_charge,
        )

    @property
    def steering_scales(self) -> tuple[float, float, float, float]:
        """Scales in V of the netlist's step-steering elements: low, high, delta, width.

        The comparator's output runs away where its loop gain passes 1, which it does at the
        voltages `low` and `high` between its inputs (see `IdealComparator.tail`); there the steps
        shrink down to `delta`. Over the hysteresis they are a part of `width` of the amplifier's
        output each.
        """
        network, comparator, numerics = self.network, self.comparator, self.numerics
        w = (comparator.v_oh - comparator.v_ol) / (2 * comparator.gain)
        tail = w * run_away(comparator.gain, network.share)
        width = (network.v_high - network.v_low) / numerics.steering_parts
        v_os = comparator.v_os if isinstance(comparator, Comparator) else 0.0
        return -v_os - tail, -v_os + tail, numerics.steering_delta * tail, width

    @property
    def _i_largest(self) -> float:
        """An upper bound of the input current's magnitude in A."""
        _, before, after = self.stimulus.knots(self.t_stop)
        linear = float(max(abs(before).max(), abs(after).max()))
        return linear + sum(abs(amplitude) for amplitude, *_ in self.stimulus.sines())

    @property
    def _sine_step(self) -> float:
        """The shortest period of a sine in the stimulus in s, or infinity."""
        return min((1 / sine[1] for sine in self.stimulus.sines()), default=math.inf)

    @property
    def comparator_thresholds(self) -> tuple[float, float]:
        """Voltages in V at the difference amplifier's output at which the comparator switches.

        Slowly driven; the network's thresholds less what the real comparator's bias current,
        offset and finite gain take from them. (Its output resistance is allowed for in the
        network's resistors.)
        """
        network, comparator = self.network, self.comparator
        if not isinstance(comparator, Comparator):
            return network.v_high, network.v_low
        share = network.share
        tail = comparator.tail(share)
        at_input = comparator.i_bias * network.r_a * (1 - share) + comparator.v_os
        up, down = (at_input + tail) / (1 - share), (at_input - tail) / (1 - share)
        return network.v_high - up, network.v_low - down

    @property
    def effective_thresholds(self) -> tuple[float, float]:
        """Membrane voltages in V at which the real circuit switches up and down, slowly driven.

        `v_th` and `v_low` less what the comparator's bias current, offset and finite gain and the
        op-amp's offset take from them; the network's own for ideal parts.
        """
        gain = self.difference_amplifier.gain
        high, low = self.comparator_thresholds
        amplifier = self.difference_amplifier
        if isinstance(amplifier, DifferenceAmplifier) and isinstance(amplifier.opamp, OpAmp):
            offset = (1 + gain) * amplifier.opamp.v_os
            high, low = high - offset, low - offset
        return high / gain, low / gain

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that can change a result, as hexadecimal text."""
        return digest_of(self)

    @property
    def doubts(self) -> list[str]:
        """What real parts would not do although their models do, a sentence each.

        Inputs outside a part's range, a comparator slower than the interval, and what is not known
        of makers' models.
        """
        return doubts(self.at_temperature) + temperature_doubts(self)

    @property
    def no_equations(self) -> str:
        """Why the circuit has no differential equations, without a full stop; empty if it has.

        A part that its maker's model stands for has none: SPICE alone can run it.
        """
        return no_equations(self)

    def ideal(self) -> Self:
        """Return the same neuron with every part in its ideal variant."""
        parts: dict[str, Any] = {}
        if isinstance(self.difference_amplifier, DifferenceAmplifier):
            parts["difference_amplifier"] = self.difference_amplifier.ideal()
        if isinstance(self.comparator, Comparator):
            parts["comparator"] = self.comparator.ideal()
        if isinstance(self.mosfet, Mosfet):
            parts["mosfet"] = self.mosfet.ideal(self.v_gate)
        return self.replace(parts)

    @model_validator(mode="after")
    def _would_work(self) -> Self:
        try:
            check_works(self)
            _ = self.at_temperature  # which is checked as it is made
        except DesignError as error:
            raise ValueError(str(error)) from None
        except ArithmeticError:
            raise ValueError(
                "A value is so large or so small that the circuit cannot be computed; use values "
                "of ordinary size."
            ) from None
        return self
