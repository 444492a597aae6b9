"""Why a wish cannot be met, from the traces of the nearest design and the limits it stands at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from spicealif.design import DifferenceAmplifier, Neuron, PulseTrain
from spicealif.measures.tables import figure
from spicealif.propose._problem import INJECTION_SHARE, Point, Problem
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    from spicealif.propose.result import Proposal

__all__ = ["reasons", "trace_facts"]

#: A limit counts as reached within this part of its range.
_AT = 0.02


def trace_facts(problem: Problem, neuron: Neuron, waveforms: Waveforms) -> dict[str, float]:
    """Return `Proposal.facts` of a reference's traces."""
    x, t = waveforms["x"], waveforms.t_spike
    at_spikes = waveforms.at("x", t) if len(t) else np.array([x[0]])
    late = max(int(np.searchsorted(t, 0.8 * neuron.t_stop)) - 1, 0)
    x_high = float(x.max())
    i_peak = neuron.stimulus.peak(neuron.t_stop)
    ideal = not isinstance(neuron.difference_amplifier, DifferenceAmplifier)
    return {
        "x_first": float(at_spikes[0]),
        "x_late": float(at_spikes[min(late, len(at_spikes) - 1)]),
        "x_last": float(at_spikes[-1]),
        "x_low": float(x.min()),
        "x_high": x_high,
        "margin": i_peak / problem.branch.current(neuron.v_th, x_high),
        "v_c_peak": float(waveforms["v_c"].max()),
        "load": math.nan
        if ideal
        else problem.amplifier(neuron.v_th, i_peak, neuron.r_s, x_high)[1],
    }


def reasons(asked: Problem, problem: Problem, point: Point, proposal: Proposal) -> tuple[str, ...]:
    """Return sentences on what cannot be had.

    Parameters
    ----------
    asked : Problem
        With the wanted rate.
    problem : Problem
        With the rate at which designs were found; the same object if that is the wanted one.
    point : Point
        The nearest design.
    proposal : Proposal
    """
    out = []
    other_rate = asked.rate != problem.rate
    if other_rate:
        out.append(_rate(asked, problem))
    low, high = proposal.range
    wish, got = proposal.adaptation, proposal.reached["adaptation"]
    where = f"at {figure(problem.rate, 'Hz')}"
    if wish > high:
        out.append(
            f"an adaptation of {wish:.4g}; {where} this device reaches at most {high:.4g}. "
            + " ".join(_bounds(problem, point, proposal))
        )
    elif wish < low:
        out.append(
            f"an adaptation of {wish:.4g}; {where} this device gives at least {low:.4g}, since "
            "its x rises while the neuron fires and stretches the intervals."
        )
    elif not abs(got / wish - 1) <= proposal.tolerance:
        out.append(
            f"an adaptation of {wish:.4g} to {proposal.tolerance:.2g}, though {low:.4g} to "
            f"{high:.4g} can be had: " + _between(problem, proposal)
        )
    if not other_rate and not abs(proposal.reached["rate"] / proposal.rate - 1) <= (
        proposal.tolerance
    ):
        out.append(
            f"an initial rate of {figure(proposal.rate, 'Hz')} to {proposal.tolerance:.2g} with "
            "these preferred values; take a finer series or none."
        )
    return tuple(out)


def _between(problem: Problem, proposal: Proposal) -> str:
    if proposal.notes:
        return "the preferred values are too coarse; take a finer series or none."
    if isinstance(problem.stimulus, PulseTrain):
        return (
            "the mean interval of a pulse jumps with its number of spikes; take longer pulses or "
            "a constant current."
        )
    return "the designs that were tried do not join up there; allow a wider tolerance."


def _rate(asked: Problem, problem: Problem) -> str:
    from spicealif.propose._search import nearest_rate

    low, high = nearest_rate(asked)
    wish = figure(asked.rate, "Hz")
    if asked.rate > high:
        return (
            f"an initial rate of {wish}: with currents up to "
            f"{figure(asked.i_peak or asked.limits.i_max, 'A')} and the smallest C (the MOSFET's "
            f"gate charge moves it by {INJECTION_SHARE:.0%} of v_th) it ends near "
            f"{figure(high, 'Hz')}; {figure(problem.rate, 'Hz')} was taken."
        )
    if asked.rate < low:
        return (
            f"an initial rate of {wish}: with C up to {figure(asked.limits.c_max, 'F')} it starts "
            f"near {figure(low, 'Hz')}; {figure(problem.rate, 'Hz')} was taken."
        )
    if isinstance(asked.stimulus, PulseTrain):
        width = asked.stimulus.duty / asked.stimulus.frequency
        return (
            f"an initial rate of {wish} with pulses of {figure(width, 's')}: the first and the "
            "last pulse must hold two spikes for an interval, and no design has them; "
            f"{figure(problem.rate, 'Hz')} was taken. Longer pulses, or a constant current, allow "
            "lower rates."
        )
    return (
        f"an initial rate of {wish}: no design within the limits keeps firing at it; "
        f"{figure(problem.rate, 'Hz')} was taken."
    )


def _bounds(problem: Problem, point: Point, proposal: Proposal) -> list[str]:
    """Return what bounds the adaptation from above, the device's own reasons first."""
    facts, neuron, limits = proposal.facts, proposal.neuron, problem.limits
    device, branch = problem.device, problem.branch
    interval = 1 / proposal.reached["rate"]
    tau_x = branch.time_constant(neuron.v_th)
    out = []
    if branch.largest_state(limits.v_max) < 0.5:
        out.append(
            f"v_mem may rise to {figure(limits.v_max, 'V')} (v_max), which hardly sets this "
            "device: x cannot pass "
            f"{branch.largest_state(limits.v_max):.2g} there."
        )
    span = facts["x_last"] - device.x_0
    if span > 0 and facts["x_first"] - device.x_0 > 0.8 * span:
        out.append(
            f"x follows v_mem within an interval (it settles in {figure(tau_x, 's')} at v_th, the "
            f"first interval takes {figure(interval, 's')}): it is {facts['x_first']:.2g} at the "
            f"first spike already and {facts['x_last']:.2g} at the last."
        )
    elif abs(facts["x_last"] - facts["x_late"]) > 0.05 * abs(facts["x_last"] - facts["x_first"]):
        out.append(
            f"x is {facts['x_first']:.2g} at the first spike, {facts['x_last']:.2g} at the last, "
            f"and has not settled when the run of {figure(neuron.t_stop, 's')} ends; a longer "
            "t_stop may adapt more."
        )
    elif facts["x_last"] < 0.9 * branch.largest_state(neuron.v_th):
        out.append(
            f"x settles at {facts['x_last']:.2g}: while v_mem is low, after a spike, it falls back "
            "by as much as it rises near v_th."
        )
    else:
        low = neuron.v_th / branch.current(neuron.v_th, facts["x_last"])
        high = neuron.v_th / branch.current(neuron.v_th, facts["x_first"])
        out.append(
            f"The device's resistance at v_th falls from {figure(high, 'ohm')} at the first spike "
            f"to {figure(low, 'ohm')} at the last, which bounds the ratio."
        )
    if point.u[1] < _AT or (problem.i_peak is not None and facts["margin"] < limits.margin * 1.05):
        out.append(
            f"The current is at its least, {limits.margin:g} times the leak at v_th (margin); a "
            "lower one would adapt more, but could leave the neuron silent."
        )
    elif problem.i_peak is not None:
        out.append("The current is given; a lower one would adapt more.")
    if point.u[2] > 1 - _AT:
        out.append(f"r_s is at its most: v_c reaches the supply of {figure(limits.v_c_max, 'V')}.")
    if facts["load"] > 0.95 * limits.load:
        out.append(
            f"The difference amplifier draws {facts['load']:.1%} of the current, as much as it may "
            "(load), which bounds r_s and the current from below."
        )
    if neuron.c < 1.05 * problem.c_min(neuron.v_th):
        out.append(
            f"C is at its least, where the gate's charge moves it by {INJECTION_SHARE:.0%} of v_th."
        )
    return out
