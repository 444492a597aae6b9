"""Whether a neuron would work: thresholds, length of the run, steps, discharge, ranges of parts.

What is refused here is known without a run: a circuit that would latch, fire without end or never
discharge, and a run that would take days. Each sentence says what to change.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from spicealif.design._vendor import vendor_doubts, with_defaults_named
from spicealif.design.numerics import too_long
from spicealif.design.parts import (
    Comparator,
    DifferenceAmplifier,
    EmbeddedModel,
    LibraryModel,
    OpAmp,
    VendorModel,
)
from spicealif.errors import DesignError
from spicealif.quantities.grammar import format_quantity

if TYPE_CHECKING:
    from spicealif.design import Neuron

__all__ = ["MAX_STEPS", "check_works", "doubts", "floor_factors"]

#: A run of more steps than this is refused as a slip of the pen (a day of computing).
MAX_STEPS = 1e9
#: Resistors beyond these are wires and gaps.
_LEAST_OHM, _MOST_OHM = 1e-3, 1e15


def check_works(neuron: Neuron) -> None:
    """Check that a neuron would fire and be discharged, in a run of ordinary length.

    Parameters
    ----------
    neuron : Neuron
        Whose single values are in range.

    Raises
    ------
    DesignError
        If it would not.
    """
    _check_names(neuron)
    _check_resistors(neuron)
    try:
        _check_thresholds(neuron)
        _check_length(neuron)
        _check_step(neuron)
        _check_discharge(neuron)
        _check_ranges(neuron)
    except DesignError as error:
        raise DesignError(with_defaults_named(neuron, str(error))) from None


def doubts(neuron: Neuron) -> list[str]:
    """Return what real parts would not do although their models do, a sentence each.

    Parameters
    ----------
    neuron : Neuron
    """
    out = vendor_doubts(neuron)
    supplies, amplifier = neuron.supplies, neuron.difference_amplifier
    firing = neuron.v_rest + neuron.v_th * (1 + neuron.r_s / neuron.leak.r_max(neuron.v_th))
    if neuron.uses_supplies and firing > supplies.v_pos:
        out.append(
            f"The capacitor has to reach {firing:.3g} V before the neuron fires, and the supply is "
            f"{supplies.v_pos:g} V: the parts' models know no limit of their inputs there, real "
            "parts do; lower r_s or v_th."
        )
    if isinstance(amplifier, DifferenceAmplifier) and isinstance(amplifier.opamp, OpAmp):
        opamp, divider = amplifier.opamp, amplifier.gain / (1 + amplifier.gain)
        low = supplies.v_neg + opamp.common_mode_low
        high = supplies.v_pos - opamp.common_mode_high
        least, most = divider * min(0.0, neuron.v_rest), divider * firing
        if least < low or most > high:
            out.append(
                f"The op-amp {opamp.name} senses {low:.3g} V to {high:.3g} V between its supplies, "
                f"and its inputs are at {least:.3g} V to {most:.3g} V: its model knows no such "
                "limit, the part does; change the supplies, or take another op-amp."
            )
    comparator = neuron.comparator
    peak = neuron.stimulus.peak(neuron.t_stop)
    interval = neuron.c * (neuron.v_th - neuron.v_low) / peak if peak > 0 else math.inf
    if not isinstance(comparator, Comparator):
        return out
    takes = f"The comparator {comparator.name} takes {_seconds(comparator.t_delay)}"
    if interval < comparator.t_delay:
        out.append(
            f"{takes}, in which the peak current charges the capacitor from v_low to v_th and "
            f"beyond ({_seconds(interval)}), so that its delay sets the rate; take a faster one, "
            "or a larger c."
        )
    # From v_th to v_low through the MOSFET alone.
    discharge = neuron.r_ds_on * neuron.c * math.log(neuron.v_th / neuron.v_low)
    if discharge < 0.5 * comparator.t_delay:
        out.append(
            f"{takes} and the MOSFET discharges the capacitor in {_seconds(discharge)}, so that "
            "the output may be sent back before it is half-way up, and a discharge without that "
            "counts as no spike; take a faster comparator, a larger c, or a MOSFET of higher "
            "resistance."
        )
    return out


def _seconds(time: float) -> str:
    return format_quantity(time, "s", 3)


def _check_resistors(neuron: Neuron) -> None:
    """Refuse resistors that are products and would be 0 or infinite in a netlist."""
    amplifier = neuron.difference_amplifier
    if isinstance(amplifier, DifferenceAmplifier):
        smaller, larger = sorted((amplifier.r, amplifier.r * amplifier.gain))
        if not _LEAST_OHM <= smaller <= larger <= _MOST_OHM:
            raise DesignError(
                f"The resistors of the difference amplifier are {smaller:.3g} and {larger:.3g} "
                f"ohm; choose r and gain so that both, r and gain * r, are from {_LEAST_OHM:g} to "
                f"{_MOST_OHM:g} ohm."
            )


def _check_names(neuron: Neuron) -> None:
    """Refuse parts that would be one and the same subcircuit or model in a netlist."""
    amplifier = neuron.difference_amplifier
    parts: list[object] = [neuron.comparator, neuron.mosfet]
    parts += [neuron.leak] if isinstance(neuron.leak, EmbeddedModel) else []
    parts += [amplifier.opamp] if isinstance(amplifier, DifferenceAmplifier) else []
    names = [part.netlist_name for part in parts if isinstance(part, EmbeddedModel)]
    prefixes = tuple(part.prefix for part in parts if isinstance(part, EmbeddedModel))
    # Two parts may be the same one of a library.
    names += {part.model.lower() for part in parts if isinstance(part, LibraryModel)}
    own = [p for p in parts if hasattr(p, "name") and not isinstance(p, VendorModel)]
    names += [str(part.name).lower() for part in own]
    device = f"{getattr(neuron.leak, 'kind', 'resistor')}_memristor"
    for name in names:
        # ngspice takes these for something else, and ends, or eats all memory.
        if name in ("gnd", "temper") or "vdmos" in name:
            raise DesignError(
                f"A part cannot be called {name!r}, which has a meaning of its own in a netlist; "
                "give it another name."
            )
        if prefixes and name.startswith(prefixes) and name in [str(p.name).lower() for p in own]:
            raise DesignError(
                f"A part is called {name!r}, as the subcircuits of a maker's model are; give it "
                "another name."
            )
        if names.count(name) > 1 or name == device:
            raise DesignError(
                f"Two parts are called {name!r}, and a netlist takes them for one; give one of "
                "them another name."
            )


def _check_thresholds(neuron: Neuron) -> None:
    if not neuron.v_low > 0:
        raise DesignError(
            f"v_low = {neuron.v_low:g} V is not above 0: the comparator would never switch the "
            "MOSFET off and the neuron would latch; raise v_low, for example to "
            f"{neuron.v_th / 8:.2g} V."
        )
    if not neuron.v_low < neuron.v_th:
        raise DesignError(
            f"v_low = {neuron.v_low:g} V is not below v_th = {neuron.v_th:g} V; lower v_low or "
            "raise v_th."
        )
    network = neuron.network
    if not network.v_low > 0:
        raise DesignError(
            f"With resistors of the series {neuron.hysteresis.series} the lower threshold "
            f"becomes {network.v_low:.3g} V and the neuron would latch; raise v_low, or use a "
            "finer series."
        )
    share = network.share
    if share * neuron.comparator.gain <= 1:
        raise DesignError(
            f"The comparator's gain of {neuron.comparator.gain:g} is too low for the feedback "
            f"of {share:.3g} to make a hysteresis; raise comparator.gain or the distance of "
            "v_th from v_low."
        )
    low = neuron.effective_thresholds[1]
    if not low > 0:
        raise DesignError(
            f"The comparator's bias current, offset and gain and the op-amp's offset move the "
            f"lower threshold from {neuron.v_low:g} V to {low:.3g} V, so the neuron would latch; "
            "raise v_low, or lower hysteresis.r_a, comparator.i_bias or the offsets."
        )
    v_m_reset = (neuron.v_reset - neuron.v_rest) * _divider_max(neuron)
    if v_m_reset >= neuron.v_th:
        raise DesignError(
            f"v_reset = {neuron.v_reset:g} V leaves the membrane at or above v_th = "
            f"{neuron.v_th:g} V, so the neuron would fire without end; lower v_reset."
        )


def _check_discharge(neuron: Neuron) -> None:
    v_gate = neuron.v_gate
    if not v_gate > neuron.mosfet.v_to:
        raise DesignError(
            f"The comparator's high level of {v_gate:.3g} V does not reach the MOSFET's "
            f"threshold v_to = {neuron.mosfet.v_to:g} V, so the capacitor would never be "
            "discharged; raise comparator.v_oh (of an open collector lower comparator.r_pull_up), "
            "or take a MOSFET with a lower v_to."
        )
    low = neuron.output_levels[0]
    if not low < neuron.mosfet.v_to:
        raise DesignError(
            f"The comparator's low level of {low:.3g} V already switches the MOSFET on (v_to = "
            f"{neuron.mosfet.v_to:g} V); lower comparator.v_ol, or raise the pull-up of an open "
            "collector (comparator.r_pull_up)."
        )
    i_peak = neuron.stimulus.peak(neuron.t_stop)
    v_floor = math.prod(floor_factors(neuron))
    if v_floor >= neuron.effective_thresholds[1]:
        raise DesignError(
            f"The peak input current of {i_peak:g} A holds the membrane at {v_floor:.3g} V "
            f"while the MOSFET ({neuron.r_ds_on:.3g} ohm) discharges it, not below the lower "
            f"threshold of {neuron.effective_thresholds[1]:.3g} V, so the neuron would latch; "
            "raise v_low, lower the current or take a MOSFET with a lower on-resistance."
        )


def floor_factors(neuron: Neuron) -> tuple[float, float]:
    """Return what v_mem's lowest value during a discharge is the product of.

    Where the discharge ends if the comparator did not stop it: the current shared by the MOSFET
    and the leak branch, with the largest share of voltage across the leak device.

    Parameters
    ----------
    neuron : Neuron

    Returns
    -------
    v_branch : float
        Voltage across the leak branch in V; rises with r_s.
    share : float
        Part of it across the leak device; falls with r_s.
    """
    i_peak = neuron.stimulus.peak(neuron.t_stop)
    g_leak = 1 / (neuron.leak.r_min(neuron.v_th) + neuron.r_s)
    v_c = (i_peak + neuron.v_rest * g_leak) / (1 / neuron.r_ds_on + g_leak)
    return v_c - neuron.v_rest, _divider_max(neuron)


def _check_ranges(neuron: Neuron) -> None:
    v_out = neuron.difference_amplifier.gain * neuron.v_th
    amplifier = neuron.difference_amplifier
    if isinstance(amplifier, DifferenceAmplifier) and isinstance(amplifier.opamp, OpAmp):
        _check_supply(
            amplifier.opamp.name, neuron.supplies.v_pos - neuron.supplies.v_neg,
            amplifier.opamp.supply_max, "supplies.v_pos and supplies.v_neg",
        )  # fmt: skip
        floor = neuron.supplies.v_neg + amplifier.opamp.headroom
        if floor >= neuron.network.v_low:
            raise DesignError(
                f"The op-amp's output ends {floor:g} V above ground and cannot fall to the "
                f"{neuron.network.v_low:.3g} V of the lower threshold, so the neuron would "
                "latch; lower supplies.v_neg."
            )
        room = neuron.supplies.v_pos - amplifier.opamp.headroom
        if v_out >= room:
            raise DesignError(
                f"The op-amp's output would have to reach {v_out:g} V but ends at {room:g} V; "
                "raise supplies.v_pos, or lower v_th or the difference amplifier's gain."
            )
    if isinstance(neuron.comparator, Comparator):
        _check_supply(
            neuron.comparator.name, neuron.supplies.v_comparator, neuron.comparator.supply_max,
            "supplies.v_comparator",
        )  # fmt: skip
        room = neuron.supplies.v_comparator - neuron.comparator.common_mode_headroom
        if neuron.comparator.output != "push-pull" and (
            neuron.comparator.v_oh != neuron.supplies.v_comparator
        ):
            raise DesignError(
                f"The open collector of the comparator {neuron.comparator.name} is pulled up "
                f"to its supply of {neuron.supplies.v_comparator:g} V, and v_oh is "
                f"{neuron.comparator.v_oh:g} V; give comparator.v_oh that voltage."
            )
        if neuron.network.v_ref < neuron.comparator.common_mode_low:
            raise DesignError(
                f"The comparator's reference of {neuron.network.v_ref:.3g} V is below its input "
                f"range, which begins at {neuron.comparator.common_mode_low:g} V; take another "
                "comparator, or raise v_th or the difference amplifier's gain."
            )
        if neuron.network.v_ref >= room:
            raise DesignError(
                f"The comparator's reference of {neuron.network.v_ref:.3g} V is outside its "
                f"input range, which ends at {room:g} V; lower v_th or the difference "
                "amplifier's gain, or raise supplies.v_comparator."
            )
        if neuron.comparator.v_oh > neuron.supplies.v_comparator:
            raise DesignError(
                f"The comparator's v_oh = {neuron.comparator.v_oh:g} V is above its supply of "
                f"{neuron.supplies.v_comparator:g} V; lower v_oh or raise "
                "supplies.v_comparator."
            )


def _check_supply(name: str, volts: float, most: float, names: str) -> None:
    if volts > most * (1 + 1e-9):
        raise DesignError(
            f"The {name} is supplied with {volts:g} V and stands {most:g} V; lower {names}, or "
            "take another part."
        )


def _check_length(neuron: Neuron) -> None:
    largest, count = neuron.usual_steps
    steps = max(neuron.t_stop / neuron.t_step_max, count * largest / neuron.default_h)
    if not steps <= MAX_STEPS:
        raise DesignError(
            f"t_stop = {neuron.t_stop:g} s would take at least {steps:.1g} steps of "
            f"{neuron.t_stop / steps:.2g} s; shorten the run, raise numerics.t_step_max and "
            "numerics.h, or look at c and the resistances, which set the step too."
        )


def _check_step(neuron: Neuron) -> None:
    h = neuron.numerics.h
    if h is not None and (said := too_long("numerics.h", h, neuron.shortest_time)):
        raise DesignError(f"{said}.")


def _divider_max(neuron: Neuron) -> float:
    """Return the largest share of the branch voltage that falls across the leak device."""
    r = neuron.leak.r_max(neuron.v_th)
    return 1.0 if math.isinf(r) else r / (r + neuron.r_s)
