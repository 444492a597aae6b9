"""The neuron: everything that both sides, circuit and reference, are made from."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from spicealif.design._base import Farad, Identifier, Kelvin, Ohm, Part, Second, Volt
from spicealif.design._shared import digest_of, thermal_voltage
from spicealif.design.devices import MemristorModel
from spicealif.design.hysteresis import Hysteresis, HysteresisNetwork, thresholds
from spicealif.design.leak import AnyLeak
from spicealif.design.numerics import Numerics, too_long
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
from spicealif.design.stimulus import AnyStimulus
from spicealif.errors import DesignError

__all__ = ["Neuron"]

#: A run of more steps than this is refused as a slip of the pen (a day of computing).
MAX_STEPS = 1e9


class Neuron(Part):
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
        In K; sets the memristor's thermal voltage. The other parts' values are taken to hold at
        this temperature (the netlist's temp and tnom are both set to it).
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
    difference_amplifier: AnyDifferenceAmplifier = Field(default=DifferenceAmplifier())
    comparator: AnyComparator = Field(default=Comparator())
    hysteresis: Hysteresis = Field(default=Hysteresis())
    mosfet: AnyMosfet = Field(default=Mosfet())
    supplies: Supplies = Field(default=Supplies())
    stimulus: AnyStimulus = Field(description="input current")
    t_stop: Second = Field(gt=0, description="length of the run in s")
    numerics: Numerics = Field(default=Numerics())

    @cached_property
    def network(self) -> HysteresisNetwork:
        """The solved hysteresis network, thresholds at the difference amplifier's output."""
        gain = self.difference_amplifier.gain
        return self.hysteresis.solve(
            gain * self.v_th, gain * self.v_low, self.comparator.v_oh, self.comparator.v_ol
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
    def r_ds_on(self) -> float:
        """On-resistance of the discharge MOSFET at the comparator's high level in ohm."""
        return self.mosfet.on_resistance(self.comparator.v_oh)

    @property
    def switch_delays(self) -> tuple[float, float]:
        """Time in s from a crossing of v_th until the MOSFET conducts, and of v_low until not."""
        comparator = self.comparator
        on = (self.mosfet.v_to - comparator.v_ol) / (comparator.v_oh - comparator.v_ol)
        return comparator.delay_to(on), comparator.delay_to(1 - on)

    @property
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
        return self._usual_steps[0]

    @cached_property
    def _usual_steps(self) -> tuple[float, float]:
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
        offset, finite gain and output resistance take from them.
        """
        network, comparator = self.network, self.comparator
        if not isinstance(comparator, Comparator):
            return network.v_high, network.v_low
        # The output resistance is in series with r_b.
        r_a, r_b = network.r_a, network.r_b + comparator.r_out
        high, low = thresholds(r_a, r_b, network.v_ref, comparator.v_oh, comparator.v_ol)
        share = r_a / (r_a + r_b)
        tail = comparator.tail(share)
        at_input = comparator.i_bias * r_a * (1 - share) + comparator.v_os
        return high - (at_input + tail) / (1 - share), low - (at_input - tail) / (1 - share)

    @property
    def effective_thresholds(self) -> tuple[float, float]:
        """Membrane voltages in V at which the real circuit switches up and down, slowly driven.

        `v_th` and `v_low` less what the comparator's bias current, offset, finite gain and output
        resistance and the op-amp's offset take from them; the network's own for ideal parts.
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

    def ideal(self) -> Self:
        """Return the same neuron with every part in its ideal variant."""
        parts: dict[str, Any] = {}
        if isinstance(self.difference_amplifier, DifferenceAmplifier):
            parts["difference_amplifier"] = self.difference_amplifier.ideal()
        if isinstance(self.comparator, Comparator):
            parts["comparator"] = self.comparator.ideal()
        if isinstance(self.mosfet, Mosfet):
            parts["mosfet"] = self.mosfet.ideal(self.comparator.v_oh)
        return self.replace(parts)

    @model_validator(mode="after")
    def _would_work(self) -> Self:
        try:
            self._check_thresholds()
            self._check_length()
            self._check_step()
            self._check_discharge()
            self._check_ranges()
        except DesignError as error:
            raise ValueError(str(error)) from None
        except ArithmeticError:
            raise ValueError(
                "A value is so large or so small that the circuit cannot be computed; use values "
                "of ordinary size."
            ) from None
        return self

    def _check_thresholds(self) -> None:
        if not self.v_low > 0:
            raise DesignError(
                f"v_low = {self.v_low:g} V is not above 0: the comparator would never switch the "
                "MOSFET off and the neuron would latch; raise v_low, for example to "
                f"{self.v_th / 8:.2g} V."
            )
        if not self.v_low < self.v_th:
            raise DesignError(
                f"v_low = {self.v_low:g} V is not below v_th = {self.v_th:g} V; lower v_low or "
                "raise v_th."
            )
        network = self.network
        if not network.v_low > 0:
            raise DesignError(
                f"With resistors of the series {self.hysteresis.series} the lower threshold "
                f"becomes {network.v_low:.3g} V and the neuron would latch; raise v_low, or use a "
                "finer series."
            )
        share = network.share
        if share * self.comparator.gain <= 1:
            raise DesignError(
                f"The comparator's gain of {self.comparator.gain:g} is too low for the feedback "
                f"of {share:.3g} to make a hysteresis; raise comparator.gain or the distance of "
                "v_th from v_low."
            )
        low = self.effective_thresholds[1]
        if not low > 0:
            raise DesignError(
                f"The comparator's bias current, offset and gain and the op-amp's offset move the "
                f"lower threshold from {self.v_low:g} V to {low:.3g} V, so the neuron would latch; "
                "raise v_low, or lower hysteresis.r_a, comparator.i_bias or the offsets."
            )
        v_m_reset = (self.v_reset - self.v_rest) * self._divider_max
        if v_m_reset >= self.v_th:
            raise DesignError(
                f"v_reset = {self.v_reset:g} V leaves the membrane at or above v_th = "
                f"{self.v_th:g} V, so the neuron would fire without end; lower v_reset."
            )

    def _check_discharge(self) -> None:
        v_gate = self.comparator.v_oh
        if not v_gate > self.mosfet.v_to:
            raise DesignError(
                f"The comparator's high level of {v_gate:g} V does not reach the MOSFET's "
                f"threshold v_to = {self.mosfet.v_to:g} V, so the capacitor would never be "
                "discharged; raise comparator.v_oh or take a MOSFET with a lower v_to."
            )
        if not self.comparator.v_ol < self.mosfet.v_to:
            raise DesignError(
                f"The comparator's low level of {self.comparator.v_ol:g} V already switches the "
                f"MOSFET on (v_to = {self.mosfet.v_to:g} V); lower comparator.v_ol."
            )
        # Where the discharge ends if the comparator did not stop it: the current shared by the
        # MOSFET and the leak branch, with the largest share of voltage across the leak device.
        i_peak = self.stimulus.peak(self.t_stop)
        g_leak = 1 / (self.leak.r_min(self.v_th) + self.r_s)
        v_c = (i_peak + self.v_rest * g_leak) / (1 / self.r_ds_on + g_leak)
        v_floor = (v_c - self.v_rest) * self._divider_max
        if v_floor >= self.effective_thresholds[1]:
            raise DesignError(
                f"The peak input current of {i_peak:g} A holds the membrane at {v_floor:.3g} V "
                f"while the MOSFET ({self.r_ds_on:.3g} ohm) discharges it, not below the lower "
                f"threshold of {self.effective_thresholds[1]:.3g} V, so the neuron would latch; "
                "raise v_low, lower the current or take a MOSFET with a lower on-resistance."
            )

    def _check_ranges(self) -> None:
        v_out = self.difference_amplifier.gain * self.v_th
        amplifier = self.difference_amplifier
        if isinstance(amplifier, DifferenceAmplifier) and isinstance(amplifier.opamp, OpAmp):
            floor = self.supplies.v_neg + amplifier.opamp.headroom
            if floor >= self.network.v_low:
                raise DesignError(
                    f"The op-amp's output ends {floor:g} V above ground and cannot fall to the "
                    f"{self.network.v_low:.3g} V of the lower threshold, so the neuron would "
                    "latch; lower supplies.v_neg."
                )
            room = self.supplies.v_pos - amplifier.opamp.headroom
            if v_out >= room:
                raise DesignError(
                    f"The op-amp's output would have to reach {v_out:g} V but ends at {room:g} V; "
                    "raise supplies.v_pos, or lower v_th or the difference amplifier's gain."
                )
        if isinstance(self.comparator, Comparator):
            room = self.supplies.v_comparator - self.comparator.common_mode_headroom
            if self.network.v_ref >= room:
                raise DesignError(
                    f"The comparator's reference of {self.network.v_ref:.3g} V is outside its "
                    f"input range, which ends at {room:g} V; lower v_th or the difference "
                    "amplifier's gain, or raise supplies.v_comparator."
                )
            if self.comparator.v_oh > self.supplies.v_comparator:
                raise DesignError(
                    f"The comparator's v_oh = {self.comparator.v_oh:g} V is above its supply of "
                    f"{self.supplies.v_comparator:g} V; lower v_oh or raise "
                    "supplies.v_comparator."
                )

    def _check_length(self) -> None:
        largest, count = self._usual_steps
        steps = max(self.t_stop / self.t_step_max, count * largest / self.default_h)
        if not steps <= MAX_STEPS:
            raise DesignError(
                f"t_stop = {self.t_stop:g} s would take at least {steps:.1g} steps of "
                f"{self.t_stop / steps:.2g} s; shorten the run, raise numerics.t_step_max and "
                "numerics.h, or look at c and the resistances, which set the step too."
            )

    def _check_step(self) -> None:
        h = self.numerics.h
        if h is not None and (said := too_long("numerics.h", h, self.shortest_time)):
            raise DesignError(f"{said}.")

    @property
    def _divider_max(self) -> float:
        """Largest share of the branch voltage that falls across the leak device."""
        r = self.leak.r_max(self.v_th)
        return 1.0 if math.isinf(r) else r / (r + self.r_s)
