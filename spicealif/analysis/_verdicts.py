"""From figures at two levels of refinement to verdicts on the gaps; see `certificate`."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from spicealif.circuit import SPIKE_TIME_ERROR
from spicealif.measures import spikes
from spicealif.measures.comparison import Comparison
from spicealif.measures.one_side import MEASURES, PULSE_MEASURES, has_pulses
from spicealif.measures.tables import missing
from spicealif.waveforms import Waveforms

__all__ = [
    "RESOLUTION",
    "CertifiedMeasure",
    "Verdict",
    "certified_measures",
    "decide",
    "same_steps",
]

#: An error is small against a gap if it is at most this part of it: a gap is then known to two
#: digits, and a coarse run's error, which the change between the levels gives to about a third,
#: cannot be the gap.
RESOLUTION = 0.02

#: Measures of the pair that get a verdict: differences whose ideal is 0, in a unit whose scale is
#: known. The spike-train distances, the coincidence factor and the matches are sums over the run.
_TIME_GAPS = frozenset({"time_error_mean", "time_error_worst"})
_RELATIVE_GAPS = frozenset({"x_nrmse", "v_mem_nrmse"})
#: Measures made from single spike times, rather than from counts or from the traces as a whole.
_OF_TIMES = _TIME_GAPS | {
    *("isi_mean", "isi_first", "isi_last", "isi_growth", "adaptation_ratio", "adaptation_index"),
    "v_mem_nrmse",
}


class Verdict(enum.Enum):
    """What a gap between circuit and reference means; ``sentence`` says it to the user."""

    AGREE = (
        "agree",
        "the gap and the numerical error together are within the tolerance (0 for counts)",
    )
    DIFFER = (
        "differ",
        f"the gap is beyond the tolerance and the numerical error is at most {RESOLUTION:.0%} of "
        "it",
    )
    NOT_RESOLVED = (
        "not resolved",
        "the numerical error, or the movement of the spikes between the levels, is not small "
        "against the gap or the tolerance; lower numerics.reltol, with steering on, or numerics.h",
    )

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Verdict:
        """Make a member of its value and the sentence that a user reads."""
        member = object.__new__(cls)
        member._value_ = value
        member.sentence = sentence
        return member


@dataclass(frozen=True)
class CertifiedMeasure:
    """A figure of both sides with its numerical error.

    Attributes
    ----------
    name, label, unit : str
        As in `MEASURES`; SI.
    circuit, reference : float or int
        The figure of the runs as asked for; NaN where it does not exist, and for figures of the
        pair.
    gap : float or int
        Circuit minus reference; of a figure of the pair, the figure itself.
    circuit_error, reference_error : float or int
        By how much refining that side alone changes the figure.
    error : float or int
        The sum of both.
    tolerance : float
        Largest gap, error included, at which the sides agree, in the figure's unit; NaN where
        there is no verdict.
    verdict : Verdict or None
        None where a verdict makes no sense: see `Certificate`.
    """

    name: str
    label: str
    unit: str
    circuit: float | int
    reference: float | int
    gap: float | int
    circuit_error: float | int
    reference_error: float | int
    error: float | int
    tolerance: float
    verdict: Verdict | None


def decide(
    gap: float,
    error: float,
    tolerance: float,
    *,
    may_agree: bool = True,
    may_differ: bool = True,
) -> Verdict:
    """Return the verdict on a gap.

    Parameters
    ----------
    gap, error, tolerance : float
        In one unit; the error and the tolerance not negative.
    may_agree, may_differ : bool
        Whether the spikes are resolved well enough for that verdict.

    Returns
    -------
    Verdict
        ``DIFFER`` if ``|gap| - error > tolerance`` and ``error <= RESOLUTION * |gap|``;
        ``AGREE`` if ``|gap| + error <= tolerance``; otherwise, and for NaN, ``NOT_RESOLVED``.
    """
    size = abs(gap)
    if may_differ and size - error > tolerance and error <= RESOLUTION * size:
        return Verdict.DIFFER
    if may_agree and size + error <= tolerance:
        return Verdict.AGREE
    return Verdict.NOT_RESOLVED


def certified_measures(
    base: Comparison,
    fine_circuit: Comparison,
    fine_reference: Comparison,
    equations: Waveforms | None,
    tolerance: float,
) -> tuple[CertifiedMeasure, ...]:
    """Return the measures with errors and verdicts; see `Certificate` for the rules.

    Parameters
    ----------
    base : Comparison
        Of both sides as asked for.
    fine_circuit, fine_reference : Comparison
        The same with one side, `a` or `b`, at the finer level.
    equations : Waveforms or None
        The circuit by its own differential equations, if it has any.
    tolerance : float
        Relative.

    Returns
    -------
    tuple of CertifiedMeasure
        In the order of `MEASURES`, without those that neither side has.
    """
    judges = (fine_circuit.a,) if equations is None else (fine_circuit.a, equations)
    of_times, others = _may(base, judges, fine_reference.b, tolerance)
    pulses = has_pulses(base.neuron)
    out = []
    for name, info in MEASURES.items():
        if not pulses and name in PULSE_MEASURES:
            continue
        a: Any = math.nan
        b: Any = math.nan
        gap: Any
        if info.pair:
            gap = base.of_pair[name]
            if missing(gap):
                continue
            errors = [abs(c.of_pair[name] - gap) for c in (fine_circuit, fine_reference)]
            limit = tolerance if name in _RELATIVE_GAPS else math.nan
            if name in _TIME_GAPS:
                limit = tolerance * _mean_interval(base)
        else:
            a, b = base.of_a[name], base.of_b[name]
            if missing(a) and missing(b):
                continue
            gap = a - b
            errors = [abs(fine_circuit.of_a[name] - a), abs(fine_reference.of_b[name] - b)]
            limit = 0.0 if isinstance(b, int) else tolerance * abs(b)
        error = sum(errors)
        may_agree, may_differ = of_times if name in _OF_TIMES else others
        verdict = None
        if not math.isnan(limit) and not missing(gap):
            verdict = decide(gap, error, limit, may_agree=may_agree, may_differ=may_differ)
        out.append(
            CertifiedMeasure(
                *(name, info.label, info.unit),
                circuit=a,
                reference=b,
                gap=gap,
                circuit_error=errors[0],
                reference_error=errors[1],
                error=error,
                tolerance=limit,
                verdict=verdict,
            )
        )
    return tuple(out)


def _may(
    base: Comparison, finer_a: tuple[Waveforms, ...], fine_b: Waveforms, tolerance: float
) -> tuple[tuple[bool, bool], tuple[bool, bool]]:
    """Return whether figures may agree and differ: those made from spike times, and others.

    See `Certificate`. The time to the first spike counts as an interval. A level that took the
    very steps of the other is no evidence, and neither are equations that do not know their count.
    """
    moved = 0.0
    for coarse, finer in ((base.a, finer_a), (base.b, (fine_b,))):
        worst = 0.0
        for fine in finer:
            own = float(fine.attrs.get(SPIKE_TIME_ERROR, 0.0))
            counts = len(coarse.t_spike) != len(fine.t_spike) or math.isnan(own)
            if counts or same_steps(coarse, fine):
                return (False, False), (False, False)
            change = np.diff(coarse.t_spike, prepend=0.0) - np.diff(fine.t_spike, prepend=0.0)
            worst = max(worst, float(np.abs(change).max(initial=0.0)) + own)
        moved += worst
    interval = _mean_interval(base)
    same = moved <= RESOLUTION * interval
    i_a, i_b = spikes.match_spikes(base.a.t_spike, base.b.t_spike, interval / 2)
    follow = (np.diff(i_a) == 1) & (np.diff(i_b) == 1)
    gaps = np.abs(np.diff(base.a.t_spike[i_a]) - np.diff(base.b.t_spike[i_b]))[follow]
    # Without a pair of intervals to compare, the sides differ by whole intervals.
    gap = float(gaps.mean()) if len(gaps) else interval
    return (moved <= tolerance * interval, same and moved <= RESOLUTION * gap), (same, same)


def same_steps(coarse: Waveforms, fine: Waveforms) -> bool:
    """Return whether two levels of a side took the same steps, so that they prove nothing."""
    return np.array_equal(coarse.time, fine.time)


def _mean_interval(comparison: Comparison) -> float:
    """Return the mean interval in s that the comparison matches spikes by."""
    return 2 * float(comparison.of_pair["match_window"])
