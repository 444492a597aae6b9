"""A design in parameters: what templates print for the style ``parameters`` in place of numbers.

Every number of the design is a parameter, and what the design computes of several of them is
written down once more here, as expressions. They must give what the design's own properties give,
which the tests compare for many designs. What cannot be written so stays a number, and a note of
the netlist says what.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spicealif.design import (
    Comparator,
    Constant,
    DifferenceAmplifier,
    HysteresisNetwork,
    IdealComparator,
    MemristorModel,
    Neuron,
    PulseTrain,
    SeriesCircuit,
    Sine,
    Stimulus,
    Sum,
)
from spicealif.netlist._names import Names, View, put
from spicealif.netlist._symbols import (
    Symbol,
    acosh,
    logarithm,
    magnitude,
    maximum,
    minimum,
    sqrt,
    tanh,
)

__all__ = ["Named", "name_neuron", "name_series"]

#: Below any current in A that matters; keeps a quotient finite where there is none.
_NO_CURRENT = 1e-30


@dataclass(frozen=True)
class Named:
    """A design in parameters.

    Attributes
    ----------
    names : Names
        Its parameters.
    values : dict of str to object
        What templates print, by the name that they know it by; of sources the text.
    notes : tuple of str
        What does not follow the parameters, a sentence each.
    """

    names: Names
    values: dict[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Sources:
    """A stimulus: SPICE's source functions, its peak if it is an expression, its frequencies."""

    texts: list[str]
    peak: Symbol | None
    frequencies: list[Symbol]


@dataclass(frozen=True)
class _Network:
    """The hysteresis network in parameters; see `HysteresisNetwork`."""

    r_a: Symbol
    r_b: Symbol
    v_ref: Symbol
    v_high: Symbol
    v_low: Symbol
    share: Symbol


def name_neuron(neuron: Neuron, series: str | None) -> Named:
    """Return a neuron in parameters.

    Parameters
    ----------
    neuron : Neuron
        With the values at its temperature.
    series : str or None
        What the design rounds its hysteresis network's resistors to.

    Returns
    -------
    Named
    """
    names = Names()
    # What the rounded resistors give, v_th would not move.
    still: dict[str, Any] = {"v_th": neuron.v_th, "v_low": neuron.v_low} if series else {}
    top = View(neuron, names, **still)
    leak = View(neuron.leak, names, "leak", "leak")
    source = _stimulus(neuron.stimulus, neuron.t_stop, names, "in")
    amplifier = View(neuron.difference_amplifier, names, "amp", "difference amplifier")
    if isinstance(neuron.difference_amplifier, DifferenceAmplifier):
        put(amplifier, opamp=View(neuron.difference_amplifier.opamp, names, "op", "op-amp"))
    supplies = View(neuron.supplies, names, "supply", "supplies")
    # An open collector is pulled up to the comparator's supply.
    collector = getattr(neuron.comparator, "output", "") == "open-collector"
    tied = {"v_oh": supplies.v_comparator} if collector else {}
    comparator = View(neuron.comparator, names, "cmp", "comparator", **tied)
    if collector:
        power = logarithm(2.0 + comparator.r_pull_up / comparator.r_out) / math.log(2)
        about = "the open collector's power, so that its delay is the comparator's"
        put(comparator, turn_off=names.derive("cmp_turn_off", power, about))
    put(
        top,
        leak=leak,
        difference_amplifier=amplifier,
        supplies=supplies,
        comparator=comparator,
        hysteresis=View(neuron.hysteresis, names, label="hysteresis"),
        mosfet=View(neuron.mosfet, names, "mos", "MOSFET"),
        numerics=View(neuron.numerics, names, "num", "numerics"),
    )
    network = neuron.network if series else _network(neuron, top, names)
    if isinstance(neuron.comparator, IdealComparator):
        put(top, ideal_feedback=_ideal_feedback(comparator, network, names))
    put(top, steering_scales=_steering_scales(neuron, top, network, names))
    notes = _notes(neuron, series, source)
    peak = source.peak
    if peak is None:
        peak = names.give("i_peak", neuron.stimulus.peak(neuron.t_stop), "largest current in A")
    step = _neuron_step(top, peak, source.frequencies, names)
    state = [("x", leak.x_0)] if isinstance(neuron.leak, MemristorModel) else []
    values = {
        "neuron": top,
        "network": network,
        "device": leak,
        "initial": [("v_c", top.v_rest), *state],
        "stimulus_sources": source.texts,
        "t_stop": top.t_stop,
        "t_step_max": step,
        "t_step_first": step,
    }
    return Named(names, values, notes)


def name_series(circuit: SeriesCircuit) -> Named:
    """Return a series circuit in parameters; see `name_neuron`."""
    names = Names()
    device = View(circuit.device, names, "leak", "device")
    top = View(circuit, names)
    numerics = View(circuit.numerics, names, "num", "numerics")
    source = _stimulus(circuit.drive, circuit.t_stop, names, "in")
    period = top.t_stop
    for frequency in source.frequencies:
        period = minimum(period, 1.0 / frequency)
    step = period / numerics.steps_per_period
    if circuit.numerics.t_step_max is not None:
        step = minimum(step, numerics.t_step_max)
    step = names.derive("t_step", step, "largest step in s")
    first = step
    if circuit.t_step_first < circuit.t_step_max:
        first = names.derive(
            "t_first", minimum(step, circuit.t_step_first), "limit of the first step in s"
        )
    values = {
        "circuit": top,
        "device": device,
        "initial": [("x", device.x_0)],
        "drive_sources": source.texts,
        "t_stop": top.t_stop,
        "t_step_max": step,
        "t_step_first": first,
    }
    return Named(names, values, ())


def _notes(neuron: Neuron, series: str | None, source: _Sources) -> tuple[str, ...]:
    out = []
    if series:
        out.append(
            f"The hysteresis network's resistors are of the series {series}: they are numbers, and "
            "v_th and v_low with them."
        )
    if neuron.r_s == 0:
        out.append("r_s is 0, and no parameter: it is a source.")
    if source.peak is None:
        out.append("The current is numbers in part: if it is changed, i_peak is to be too.")
    return tuple(out)


# --- the hysteresis network, the feedback, the steps: as the design computes them ---


def _network(neuron: Neuron, top: View, names: Names) -> _Network:
    """Return the network of `Neuron.network`, its resistors not rounded."""
    comparator, r_a = top.comparator, top.hysteresis.r_a
    high = names.derive(
        "net_high", top.difference_amplifier.gain * top.v_th, "upper threshold after the amplifier"
    )
    low = names.derive(
        "net_low", top.difference_amplifier.gain * top.v_low, "lower threshold after the amplifier"
    )
    swing, width = comparator.v_oh - comparator.v_ol, high - low
    if not isinstance(neuron.comparator, Comparator):
        # Only the ratio of the resistors counts, so that r_a is no parameter.
        share = _share(width / (width + swing), names)
        v_ref = high * (1.0 - share) + comparator.v_ol * share
        return _Network(r_a, r_a, names.derive("v_ref", v_ref, "reference"), high, low, share)
    if neuron.comparator.output == "push-pull":
        v_down, r_down, r_up = comparator.v_ol, comparator.r_out, comparator.r_out
        r_b = r_a * swing / width - r_up
    else:
        v_down, r_down = _pulled_low(comparator, names)
        r_up = comparator.r_pull_up
        r_b = _feedback(r_a, (high, low), (comparator.v_oh, r_up), (v_down, r_down), names)
    r_b = names.derive("r_b", r_b, "feedback resistor in ohm")
    r_f = r_b + r_down
    v_ref = (high * r_f + v_down * r_a) / (r_a + r_f)
    v_ref = names.derive("v_ref", v_ref, "the comparator's reference in V")
    share = _share(r_a / (r_a + r_b + r_up), names)
    return _Network(r_a, r_b, v_ref, high, low, share)


def _share(share: Symbol, names: Names) -> Symbol:
    return names.derive("net_share", share, "part of the comparator's swing that is fed back")


def _pulled_low(comparator: View, names: Names) -> tuple[Symbol, Symbol]:
    """Return voltage and resistance of an open collector's low level; `Comparator.low_source`."""
    both = 1.0 / comparator.r_out + 1.0 / comparator.r_pull_up
    r = names.derive("cmp_r_low", 1.0 / both, "resistance of the low level in ohm")
    level = comparator.v_ol / comparator.r_out + comparator.v_oh / comparator.r_pull_up
    return names.derive("cmp_v_low", level * r, "the low level without a load in V"), r


def _feedback(
    r_a: Symbol,
    levels: tuple[Symbol, Symbol],
    high: tuple[Symbol, Symbol],
    low: tuple[Symbol, Symbol],
    names: Names,
) -> Symbol:
    """Return r_b for output levels that have resistances of their own.

    With v_ref from the upper threshold, the lower one asks for ``(v_h (b + r_l) + v_ol a) (a + b +
    r_h) = (v_l (b + r_h) + v_oh a) (a + b + r_l)``, a quadratic equation with one root above 0.
    """
    (v_h, v_l), (v_oh, r_h), (v_ol, r_l) = levels, high, low
    square = v_h - v_l
    linear = square * (r_a + r_h + r_l) - (v_oh - v_ol) * r_a
    rest = (v_h * r_l + v_ol * r_a) * (r_a + r_h) - (v_l * r_h + v_oh * r_a) * (r_a + r_l)
    about = "of the quadratic equation that gives r_b"
    linear = names.derive("net_linear", linear, f"linear term {about}")
    rest = names.derive("net_rest", rest, f"constant term {about}")
    return (sqrt(linear * linear - 4.0 * square * rest) - linear) / (2.0 * square)


def _ideal_feedback(
    comparator: View, network: _Network | HysteresisNetwork, names: Names
) -> tuple[Any, Symbol, Symbol]:
    """Return `Neuron.ideal_feedback`."""
    swing, share = comparator.v_oh - comparator.v_ol, network.share
    u = names.derive("cmp_away", acosh(sqrt(share * comparator.gain)), "where the output runs away")
    tail = swing / (2.0 * comparator.gain) * u + share * swing * 0.5 * (1.0 - tanh(u))
    tail = names.derive("cmp_tail", tail, "by how much it does so before the threshold in V")
    extra = 2.0 * tail / swing
    fed = names.derive("cmp_fed", share + extra, "part of the output that is fed back")
    zero = names.derive("cmp_zero", network.v_ref + tail + extra * comparator.v_ol, "offset in V")
    return 1.0 - share, fed, zero


def _steering_scales(
    neuron: Neuron, top: View, network: _Network | HysteresisNetwork, names: Names
) -> tuple[Symbol, Symbol, Symbol, Symbol]:
    """Return `Neuron.steering_scales`."""
    comparator, numerics = top.comparator, top.numerics
    w = (comparator.v_oh - comparator.v_ol) / (2.0 * comparator.gain)
    tail = names.derive(
        "steer_tail", w * acosh(sqrt(comparator.gain * network.share)), "the comparator's tail in V"
    )
    width = (network.v_high - network.v_low) / numerics.steering_parts
    low, high = 0.0 - tail, tail
    if isinstance(neuron.comparator, Comparator):
        low, high = low - comparator.v_os, high - comparator.v_os
    return (
        names.derive("steer_low", low, "where the output runs away upwards in V"),
        names.derive("steer_high", high, "where the output runs away downwards in V"),
        names.derive(
            "steer_delta", numerics.steering_delta * tail, "where steps end to shrink in V"
        ),
        names.derive("steer_width", width, "part of the hysteresis for a phase of 1 in V"),
    )


def _neuron_step(top: View, peak: Symbol, frequencies: list[Symbol], names: Names) -> Symbol:
    """Return `Neuron.t_step_max`."""
    charge = top.c * (top.v_th - top.v_low) / maximum(peak, _NO_CURRENT)
    step = minimum(top.numerics.t_step_max, charge / top.numerics.steps_per_charge)
    for frequency in frequencies:
        step = minimum(step, 1.0 / frequency / 100.0)
    return names.derive("t_step", step, "largest step in s")


# --- the stimulus ---


def _stimulus(stimulus: Stimulus, t_stop: float, names: Names, prefix: str) -> _Sources:
    """Return `Stimulus.spice` in parameters, as far as its fields are no points of a curve."""
    numbers = stimulus.spice(t_stop)  # what SPICE cannot follow is refused here
    if isinstance(stimulus, Sum):
        parts = [
            _stimulus(term, t_stop, names, f"{prefix}{k}")
            for k, term in enumerate(stimulus.terms, start=1)
        ]
        texts = [text for part in parts for text in part.texts]
        return _Sources(texts, None, [f for part in parts for f in part.frequencies])
    if isinstance(stimulus, Constant):
        view = View(stimulus, names, prefix, "stimulus")
        return _Sources([view.amplitude.braced], view.amplitude, [])
    if isinstance(stimulus, Sine):
        view = View(stimulus, names, prefix, "stimulus")
        degrees = view.phase * (180.0 / math.pi)
        fields = (view.offset, view.amplitude, view.frequency, view.delay, 0.0, degrees)
        peak = view.offset + magnitude(view.amplitude)
        return _Sources([_source("SINE", *fields)], peak, [view.frequency])
    if isinstance(stimulus, PulseTrain) and stimulus.n_pulses is None:
        view = View(stimulus, names, prefix, "stimulus")
        top, period = view.offset + view.amplitude, 1.0 / view.frequency
        width = view.duty * period - view.t_rise
        edges = (view.delay, view.t_rise, view.t_fall)
        peak = maximum(top, view.offset)
        if not math.isclose(peak.value, stimulus.peak(t_stop), rel_tol=1e-12):
            peak = None  # the run ends before it
        return _Sources([_source("PULSE", view.offset, top, *edges, width, period)], peak, [])
    return _Sources(numbers, None, [])


def _source(function: str, *fields: Symbol | float) -> str:
    texts = [f.braced if type(f) is Symbol else repr(f) for f in fields]
    return f"{function}({' '.join(texts)})"
