"""From a device and a wish to a neuron."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from spicealif.design import (
    Constant,
    DevicePreset,
    MemristorModel,
    Neuron,
    PulseTrain,
    Step,
    Stimulus,
    load_device,
    load_preset,
)
from spicealif.errors import DesignError
from spicealif.propose._problem import Limits, Point, Problem
from spicealif.propose._reasons import reasons, trace_facts
from spicealif.propose._rounding import rounded
from spicealif.propose._search import explore, nearest_rate, pick
from spicealif.propose.result import Proposal, run_figures
from spicealif.quantities.grammar import quantity_of

if TYPE_CHECKING:
    from spicealif.fit import FitResult

__all__ = ["propose_neuron"]

#: v_th is sought up to this if neither the user nor the device's fit says how far it may go, ...
V_MAX = 0.8
#: ... and from this on: below, the discharge ends too near to the threshold.
V_MIN = 0.1
#: Intervals that the default run holds at the wanted adaptation, time scales of the device, and
#: periods of a pulse train.
_INTERVALS, _TIME_SCALES, _PERIODS = 40, 10, 20
_MOST_INTERVALS = 4000
#: Rates in Hz and adaptations that a wish may have; beyond, nothing needs to be searched.
_RATES, _ADAPTATIONS = (1e-3, 1e12), (1e-3, 1e4)
#: A rate is looked for if it is less than so many times beyond the reachable ones.
_FAR = 10.0
#: A rate beyond the reachable ones is moved this far inside.
_INSIDE = 0.9


def propose_neuron(
    device: str | os.PathLike[str] | DevicePreset | MemristorModel | FitResult,
    *,
    rate: float | str,
    adaptation: float,
    i_peak: float | str | None = None,
    stimulus: Stimulus | None = None,
    t_stop: float | str | None = None,
    tolerance: float = 0.01,
    variant: str = "ideal",
    i_max: float | str = 1e-3,
    v_max: float | str | None = None,
    c_max: float | str = 1e-5,
    margin: float = 1.1,
    load: float = 0.05,
    series: str | None = None,
    base: Neuron | None = None,
    progress: Callable[[float], None] | None = None,
) -> Proposal:
    """Propose a neuron around a device for a wanted initial rate and adaptation.

    r_s, C, v_th, v_low, the current and the difference amplifier's resistors are chosen, the rest
    comes from the preset `paper`. A first guess of C is the charging time at the first state; then
    designs all over the range of v_th, of current over leak and of r_s are tried by the
    reference, each with its C corrected until the first interval is as wanted, and the search
    narrows until the adaptation is as wanted too.

    Rate and adaptation are those of `spicealif.measures.measure`: the rate is 1 / `isi_first` and
    the adaptation is `adaptation_ratio`, the last over the first interval. With a constant
    current (or a step) these are the last interval of the run and the first; with a pulse train
    they are the mean intervals of the last and of the first pulse, which must hold two spikes.

    Parameters
    ----------
    device : str, path, DevicePreset, MemristorModel or FitResult
        A device preset's name, a device's TOML file, the device itself, or what `fit_device` found.
    rate : float or str
        Wanted initial rate in Hz.
    adaptation : float
        Wanted last interval over first interval; 1 is none.
    i_peak : float or str, optional
        The current in A (of a pulse: its top), if it is given; else it is chosen.
    stimulus : Constant, Step or PulseTrain, optional
        Shape of the current, scaled to the amplitude that is chosen; a constant current if not
        given, which shows adaptation without pauses in which x could fall back.
    t_stop : float or str, optional
        Length of the run in s, which says what the last interval is. If not given, the longer of
        40 adapted intervals and 10 times the device's fastest time constant (at most 4000
        intervals), for pulses in whole periods and at least 20.
    tolerance : float
        Relative, of rate and adaptation by the reference.
    variant : {"ideal", "schmitt"}
        Of the reference.
    i_max : float or str
        The device's rated current in A, which the input current must not pass; 1 mA for Knowm's W.
    v_max : float or str, optional
        Highest v_th in V: where the device's model is known to hold. If not given, the smallest
        amplitude of the loops that the device was fitted to, or 0.8 V.
    c_max : float or str
        Largest C in F.
    margin : float
        The current is at least this many times the device's current at v_th, at the largest x
        that can occur there, so that no state can silence the neuron.
    load : float
        The difference amplifier's resistors may draw at most this part of the input current. They
        are chosen so high that they draw 1 %, less where they would let the op-amp ring with its
        input capacitance or its bias current would matter; at least 20 kohm.
    series : {"E24", "E96"}, optional
        Round r_s, C and the hysteresis resistors to preferred values (C to E24). v_th, which
        the comparator's reference voltage sets, and the current, unless it is given, are then
        trimmed to the wish.
    base : Neuron, optional
        Where everything that is not proposed comes from; the preset `paper` if not given.
    progress : callable, optional
        Called with the fraction of the search that is done.

    Returns
    -------
    Proposal
        If the wish cannot be met it says so, with the range of adaptations found, the reason, and
        the nearest design.

    Raises
    ------
    DesignError
        If a value makes no sense, or no neuron at all can be built around the device within the
        limits, or the loops of a fit have parameters of their own.
    FitError
        If a fitted device does not describe its loop.

    Examples
    --------
    >>> device = load_device("gmms_knowm")
    >>> proposal = propose_neuron(device, rate="10k", adaptation=2.0)
    >>> proposal.met
    True
    """
    name, model, fitted_to = _device(device)
    wish = _positive("rate", rate, "Hz"), _positive("adaptation", adaptation, "")
    _check_wish(*wish)
    if not 1e-4 <= tolerance <= 0.5:
        raise DesignError(f"tolerance = {tolerance:g} is not sensible; choose 1e-4 to 0.5.")
    if variant not in ("ideal", "schmitt"):
        raise DesignError(f"The variant {variant!r} is unknown; choose ideal or schmitt.")
    if series not in (None, "E24", "E96"):
        raise DesignError(f"The series {series!r} is unknown; choose E24 or E96.")
    base = (base or load_preset("paper")).replace({"leak": model})
    top = _positive("v_max", v_max, "V") if v_max is not None else fitted_to
    if top <= V_MIN:
        raise DesignError(f"v_max = {top:g} V leaves no threshold; give more than {V_MIN:g} V.")
    limits = Limits(
        i_max=_positive("i_max", i_max, "A"),
        v_min=V_MIN,
        v_max=top,
        c_max=_positive("c_max", c_max, "F"),
        margin=_positive("margin", margin, ""),
        v_c_max=base.supplies.v_pos,
        load=_positive("load", load, ""),
    )
    current = None if i_peak is None else _positive("i_peak", i_peak, "A")
    if current is not None and current > limits.i_max:
        raise DesignError(
            f"The current of {current:g} A (i_peak, --current) is above the device's rated "
            f"{limits.i_max:g} A (i_max, --max-current); lower it, or raise the rated one if the "
            "device bears it."
        )
    shape = _shape(stimulus)
    length = _positive("t_stop", t_stop, "s") if t_stop is not None else None
    problem = Problem(
        device=model,
        rate=wish[0],
        base=base,
        stimulus=shape,
        t_stop=length or _length(shape, model, *wish, top),
        variant=variant,
        limits=limits,
        i_peak=current,
        tolerance=tolerance,
    )
    (low, high) = nearest_rate(problem)
    # Far beyond what can be reached a search would find nothing, slowly.
    near = low / _FAR <= wish[0] <= high * _FAR
    found = explore(problem, progress) if near else []
    asked = problem
    if not found:
        given = length is not None
        problem, found = _at_another_rate(problem, None if given else (wish[1], top), progress)
    point = pick(problem, found, wish[1], tolerance)
    return _proposal(asked, problem, found, point, wish, series, name)


def _proposal(
    asked: Problem,
    problem: Problem,
    found: list[Point],
    point: Point,
    wish: tuple[float, float],
    series: str | None,
    name: str,
) -> Proposal:
    from spicealif.measures.one_side import measure
    from spicealif.reference import solve_reference

    reach = (min(p.adaptation for p in found), max(p.adaptation for p in found))
    notes: list[str] = []
    if series is not None:
        point, problem = rounded(problem, point, series)
        notes.append(f"r_s, C and the hysteresis resistors are {series} values (C from E24).")
    neuron = problem.neuron(point, problem.t_stop, coarse=False)
    neuron = neuron.replace(
        name="proposal",
        description=f"Proposed for an initial rate of {wish[0]:g} Hz and a last interval "
        f"{wish[1]:g} times the first.",
        source=f"Device: {name}. Everything else: spicealif's design helper, and "
        f"{problem.base.name}."[:2000],
    )
    waveforms = solve_reference(neuron, problem.variant)  # type: ignore[arg-type]
    reached = run_figures(measure(waveforms, neuron))
    facts = trace_facts(problem, neuron, waveforms)
    proposal = Proposal(
        neuron, *wish, problem.tolerance, reached, problem.variant, reach, facts, (), tuple(notes)
    )
    if proposal.met:
        return proposal
    return replace(proposal, cannot=reasons(asked, problem, point, proposal))


def _at_another_rate(
    problem: Problem,
    wish: tuple[float, float] | None,
    progress: Callable[[float], None] | None,
) -> tuple[Problem, list[Point]]:
    """Return the nearest rate at which there are designs, and these.

    `wish` is adaptation and highest v_th if the run's length may follow the rate: that of a far
    lower rate would take millions of intervals of this one.
    """
    low, high = nearest_rate(problem)
    if low > high:
        raise DesignError(
            "No neuron can be built around this device: the current must pass the device's at "
            f"v_th by {problem.limits.margin:g}, and none up to "
            f"{problem.i_peak or problem.limits.i_max:g} A does; raise "
            f"{'i_max' if problem.i_peak is None else 'i_peak'}, or allow a lower threshold or a "
            "smaller margin."
        )
    rates = [min(max(problem.rate, low / _INSIDE), high * _INSIDE)]
    # Pulses must hold two spikes; a faster rate makes room for them.
    rates += [problem.rate * factor for factor in (1.5, 2.2, 3.3, 5, 8, 13, 20)]
    rates += [high * factor for factor in (0.7, 0.5, 0.3, 0.1)]
    for rate in rates:
        if not low <= rate <= high:
            continue
        other = replace(problem, rate=rate, refused={})
        if wish is not None:
            t_stop = _length(problem.stimulus, problem.device, rate, *wish)
            other = replace(other, t_stop=t_stop)
        if found := explore(other, progress):
            return other, found
    most = max(problem.refused, key=lambda key: problem.refused[key], default="")
    raise DesignError(
        f"No neuron with an initial rate near {problem.rate:g} Hz can be built around this device "
        f"(most designs fail for: {most or 'no current'}); allow more current, a longer run or "
        "longer pulses."
    )


def _fitted(fit: FitResult) -> DevicePreset:
    """Return the one device that a fit found."""
    own = [name for name in fit.names if name.endswith("]")]
    if own:
        raise DesignError(
            f"Each loop of this fit has parameters of its own ({', '.join(own)}); say which loop's "
            "device is meant: fit.preset(loop=0)."
        )
    return fit.preset()


def _device(
    device: str | os.PathLike[str] | DevicePreset | MemristorModel | FitResult,
) -> tuple[str, MemristorModel, float]:
    """Return a name for the device, the device, and the voltage up to which it was fitted."""
    if isinstance(device, MemristorModel):
        return f"a {device.title} memristor with given values", device, V_MAX
    if isinstance(device, DevicePreset):
        preset = device
    elif isinstance(device, str | os.PathLike):
        preset = load_device(device)
    else:
        preset = _fitted(device)
    loops = preset.fit.loops if preset.fit else []
    driven = [loop.amplitude for loop in loops if loop.amplitude]
    text = f"{preset.name} ({preset.source})" if preset.source else preset.name
    return text, preset.device, min(driven, default=V_MAX)


def _shape(stimulus: Stimulus | None) -> Stimulus:
    shape = stimulus if stimulus is not None else Constant(amplitude=1e-3)
    if not isinstance(shape, Constant | Step | PulseTrain):
        raise DesignError(
            "A proposal is made for a constant current, a step or a pulse train, not for "
            f"{getattr(shape, 'kind', type(shape).__name__)!r}; give one of these."
        )
    if not shape.amplitude > 0 or getattr(shape, "offset", 0.0) < 0:
        raise DesignError(
            "The stimulus' amplitude must be above 0 and its offset not below; a neuron fires "
            "from positive current."
        )
    return shape


def _length(
    stimulus: Stimulus, device: MemristorModel, rate: float, adaptation: float, v: float
) -> float:
    time = max(_INTERVALS * max(adaptation, 1.0) / rate, _TIME_SCALES * device.time_scale(v))
    time = min(time, _MOST_INTERVALS / rate)
    if isinstance(stimulus, PulseTrain):
        periods = max(_PERIODS, math.ceil(time * stimulus.frequency - 1e-9))
        periods = min(periods, stimulus.n_pulses or periods)
        return stimulus.delay + periods / stimulus.frequency
    return time + (stimulus.delay if isinstance(stimulus, Step) else 0.0)


def _check_wish(rate: float, adaptation: float) -> None:
    """Raise `DesignError` if no neuron whatever its device does what is wished."""
    if not _RATES[0] <= rate <= _RATES[1]:
        raise DesignError(
            f"A rate of {rate:g} Hz is not to be had with any device; give {_RATES[0]:g} to "
            f"{_RATES[1]:g} Hz."
        )
    if not _ADAPTATIONS[0] <= adaptation <= _ADAPTATIONS[1]:
        raise DesignError(
            f"An adaptation of {adaptation:g} is not to be had with any device; it is the last "
            f"interval over the first, give {_ADAPTATIONS[0]:g} to {_ADAPTATIONS[1]:g}, such as 2."
        )


def _positive(name: str, value: float | str, unit: str) -> float:
    number = quantity_of(name, value, unit, DesignError)
    if not 0 < number < math.inf:
        shown = f"{number:g}{f' {unit}' if unit else ''}"
        raise DesignError(f"{name} = {shown} is not above 0 and finite; give such a value.")
    return number
