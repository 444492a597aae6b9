"""Which part of a neuron's run two results have in common."""

from __future__ import annotations

import numpy as np

from spicealif._support.text import shown
from spicealif.design import Neuron
from spicealif.errors import CompareError
from spicealif.measures.tables import figure
from spicealif.waveforms import Waveforms

__all__ = ["SAME", "check_span", "common_span", "label_of", "span"]

#: How far the ends of two results may be apart and still be the same, as a part of the run.
SAME = 1e-9
#: Beyond this no trace is a voltage, a current or a time, and squares of it overflow.
_LARGEST = 1e60
_LONGEST_LABEL = 60  # characters of what a file says of itself that are shown


def check_span(waveforms: Waveforms, neuron: Neuron) -> None:
    """Check that a result can be compared with one of the whole run.

    Parameters
    ----------
    waveforms : Waveforms
    neuron : Neuron
        What it is of.

    Raises
    ------
    CompareError
        If it has no samples, or lies outside the neuron's run; a trace holds values that are no
        numbers or too large for any circuit; or two spikes are at one time.
    WaveformError
        If it has no ``v_mem``.
    """
    _check(waveforms)
    start, end = span(waveforms)
    _check_run(start, end, neuron)


def span(waveforms: Waveforms) -> tuple[float, float]:
    """Return when a result begins and ends, in s."""
    return (float(waveforms.time[0]), float(waveforms.time[-1])) if len(waveforms) else (0.0, 0.0)


def _check(waveforms: Waveforms) -> None:
    if not len(waveforms) or not waveforms.time[-1] > 0:
        raise CompareError("One of the results has no samples after t = 0; run it again.")
    waveforms["v_mem"]  # whatever else is missing, this is what the two are about
    for name in waveforms:
        values = waveforms[name]
        good = np.abs(values) < _LARGEST  # false for what is no number
        if not good.all():
            k = int(np.argmin(good))
            raise CompareError(
                f"The trace {shown(name, 40)} of {label_of(waveforms)} is {values[k]:g} at "
                f"{figure(float(waveforms.time[k]), 's')}, which no circuit reaches; run it again."
            )

    again = np.flatnonzero(np.diff(waveforms.t_spike) <= 0)
    if len(again):
        raise CompareError(
            f"Two spikes of {label_of(waveforms)} are at one time or out of order "
            f"({figure(float(waveforms.t_spike[again[0]]), 's')}), as no neuron fires; run it "
            "again, or name another level (--spike-level VOLT)."
        )


def _check_run(start: float, end: float, neuron: Neuron) -> None:
    if start >= neuron.t_stop * (1 - SAME):
        raise CompareError(
            f"One of the results begins at {figure(start, 's')}, and the neuron's run ends at "
            f"{figure(neuron.t_stop, 's')}; give the neuron that it is of (--neuron FILE), or a "
            "longer run (--set t_stop=...)."
        )
    if end > neuron.t_stop * (1 + SAME):
        raise CompareError(
            f"The results last {end:g} s and the neuron only {neuron.t_stop:g} s; give the neuron "
            "that they are of (--neuron FILE)."
        )


def common_span(a: Waveforms, b: Waveforms, neuron: Neuron) -> tuple[Waveforms, Waveforms]:
    """Check that two results can be compared, and return the time that both cover."""
    for waveforms in (a, b):
        _check(waveforms)
    start, end = max(span(a)[0], span(b)[0]), min(span(a)[1], span(b)[1])
    _check_run(start, end, neuron)
    if start >= end:
        raise CompareError(
            f"One of the results ends at {figure(end, 's')}, and the other begins at "
            f"{figure(start, 's')}; give two that have a part of the run in common."
        )
    # A run that began late or ended early says nothing of the rest.
    slack = SAME * (end - start)
    return tuple(  # type: ignore[return-value]
        w
        if w.time[0] >= start - slack and w.time[-1] <= end + slack
        else w.between(max(start, w.time[0]), min(end, w.time[-1]))
        for w in (a, b)
    )


def label_of(waveforms: Waveforms) -> str:
    """Return what a result is called, as it says itself."""
    attrs = waveforms.attrs
    side = attrs.get("side", "result")
    detail = attrs.get("simulator") or attrs.get("variant")
    if "switches" in attrs:
        detail = f"{detail}, {attrs['switches']} switches, seed {attrs.get('seed', 'unknown')}"
    return shown(f"{side} ({detail})" if detail else side, _LONGEST_LABEL)
