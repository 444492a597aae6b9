"""Two results of one neuron side by side: measures of each, differences, distances.

Pointwise errors of spiking traces mean nothing after the first missed spike, so the traces are
compared inside matched inter-spike intervals, and the drift of the spikes is told apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spicealif._support.drawn import Drawn
from spicealif.design import Neuron, parse_toml
from spicealif.errors import CompareError, DesignError
from spicealif.measures import spikes
from spicealif.measures._comparison_shown import ComparisonShown, SideError
from spicealif.measures.one_side import Value, measure
from spicealif.measures.span import common_span, label_of, span
from spicealif.waveforms import Waveforms

__all__ = ["Comparison", "SideError", "compare", "design_of", "pair_measures"]

_Floats = NDArray[np.float64]

#: Samples of an inter-spike interval in which v_mem is compared, and of the run for x.
_PHASES = (np.arange(64) + 0.5) / 64
_X_SAMPLES = 4001
#: Intervals that are compared at a time.
_BLOCK = 1 << 13


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(ComparisonShown, Drawn):
    """Two results of one neuron, compared.

    Attributes
    ----------
    neuron : Neuron
    a, b : Waveforms
        The results, usually circuit and reference.
    labels : tuple of str
        What `a` and `b` are called.
    of_a, of_b : dict
        Measures of each side, see `measure`.
    of_pair : dict
        Measures of the pair: ``matched`` (spikes of `a` with a partner nearer than
        ``match_window``, which comes from the mean interval of ``match_window_from``: 0 for `a`,
        1 for `b`, 2 for neither), ``time_error_*`` (of matched spikes, a minus b; worst by
        magnitude),
        ``victor_purpura`` (at ``victor_purpura_q``, 1/s), ``van_rossum`` (at ``van_rossum_tau``,
        s), ``gamma``, ``x_nrmse`` (RMS difference over the range of b's x) and ``v_mem_nrmse``
        (RMS difference inside intervals between matched spikes, each stretched to the same
        phase, over v_th).
    spans : tuple of (float, float)
        When each result begins and ends, in s, before both were cut to what they have in common.
    certified : bool
        Whether the numerical error of the figures is known from a `Certificate` made with them.
    check : SideError or None
        The numerical error of the circuit's figures, where it was looked at; see `check_circuit`.
    checked : int
        Which side it is of: 0 for `a`, 1 for `b`.
    """

    neuron: Neuron
    a: Waveforms
    b: Waveforms
    labels: tuple[str, str]
    of_a: dict[str, Value]
    of_b: dict[str, Value]
    of_pair: dict[str, Value]
    spans: tuple[tuple[float, float], tuple[float, float]]
    certified: bool = False
    check: SideError | None = None
    checked: int = 0


def compare(
    a: Waveforms,
    b: Waveforms,
    neuron: Neuron | None = None,
    *,
    labels: tuple[str, str] | None = None,
) -> Comparison:
    """Compare two results of one neuron.

    Parameters
    ----------
    a, b : Waveforms
        Usually the circuit's and the reference's.
    neuron : Neuron, optional
        What they are of; if not given, the design saved with one of them.
    labels : tuple of str, optional
        What to call them.

    Returns
    -------
    Comparison
        Over the time that both cover.

    Raises
    ------
    CompareError
        If the neuron is not known, or the results have no samples.
    WaveformError
        If one of them has no ``v_mem``; what else is missing is left out.

    Examples
    --------
    >>> neuron = load_preset("paper").replace(t_stop="2m")
    >>> ideal, schmitt = solve_reference(neuron), solve_reference(neuron, variant="schmitt")
    >>> comparison = compare(schmitt, ideal)
    >>> comparison.of_a["spike_count"], comparison.of_b["spike_count"]
    (16, 14)
    """
    if neuron is None:
        neuron = design_of(a, b)
    spans = (span(a), span(b))
    a, b = common_span(a, b, neuron)
    return Comparison(
        neuron,
        a,
        b,
        labels or _labels(a, b),
        measure(a, neuron),
        measure(b, neuron),
        _pair(a, b, neuron),
        spans,
    )


def pair_measures(a: Waveforms, b: Waveforms, neuron: Neuron) -> dict[str, Value]:
    """Return the measures of the pair alone, those of `compare` without each side's own.

    Parameters
    ----------
    a, b : Waveforms
        Usually the circuit's and the reference's.
    neuron : Neuron
        What they are of.

    Returns
    -------
    dict
        ``Comparison.of_pair``.

    Raises
    ------
    CompareError, WaveformError
        As `compare` does.
    """
    return _pair(*common_span(a, b, neuron), neuron)


def design_of(*results: Waveforms) -> Neuron:
    """Return the neuron that was saved with the first result that has one.

    Raises
    ------
    CompareError
        If none of them says which neuron it is of.
    DesignError
        If what it says is no neuron, or names files.
    """
    for waveforms in results:
        if design := waveforms.attrs.get("design"):
            try:
                return parse_toml(str(design), files=False)
            except DesignError as error:
                text = str(error)
                where = "" if text[:1].isupper() else "In the result's own design "
                raise DesignError(f"{where}{text}") from None
    who = "The result does not say" if len(results) == 1 else "Neither result says"
    raise CompareError(f"{who} which neuron it is of; give the neuron (--neuron FILE).")


def _pair(a: Waveforms, b: Waveforms, neuron: Neuron) -> dict[str, Value]:
    starts, ends = neuron.stimulus.windows(neuron.t_stop)
    end = min(float(a.time[-1]), float(b.time[-1]))
    length = end - max(float(a.time[0]), float(b.time[0]))
    # Without intervals any scale will do; the length of the run is one.
    scale, scale_of = length, 2
    for k, waveforms in ((1, b), (0, a)):
        isi = spikes.within_window_intervals(waveforms.t_spike, starts, ends)
        if len(isi):
            scale, scale_of = float(isi.mean()), k
            break
    window, q, tau = scale / 2, 4 / scale, scale
    i_a, i_b = spikes.match_spikes(a.t_spike, b.t_spike, window)
    error = a.t_spike[i_a] - b.t_spike[i_b]
    try:
        gamma = spikes.gamma_coincidence(b.t_spike, a.t_spike, scale / 4, length)
    except CompareError:
        gamma = math.nan  # so many spikes that chance alone pairs them all
    return {
        "matched": len(i_a),
        "match_window": window,
        "match_window_from": scale_of,
        "time_error_mean": float(error.mean()) if len(error) else math.nan,
        "time_error_worst": float(error[np.argmax(np.abs(error))]) if len(error) else math.nan,
        "victor_purpura": spikes.victor_purpura(a.t_spike, b.t_spike, q),
        "victor_purpura_q": q,
        "van_rossum": spikes.van_rossum(a.t_spike, b.t_spike, tau),
        "van_rossum_tau": tau,
        "gamma": gamma,
        "x_nrmse": _x_error(a, b),
        "v_mem_nrmse": _v_mem_error(a, b, i_a, i_b, (starts, ends), neuron.v_th),
    }


def _x_error(a: Waveforms, b: Waveforms) -> float:
    if "x" not in a or "x" not in b:
        return math.nan
    start, end = max(a.time[0], b.time[0]), min(a.time[-1], b.time[-1])
    t = np.linspace(start, end, _X_SAMPLES)
    x_a, x_b = a.at("x", t), b.at("x", t)
    span = float(np.ptp(x_b))
    rms = float(np.sqrt(np.mean((x_a - x_b) ** 2)))
    return rms / span if span > 0 else math.nan


def _v_mem_error(
    a: Waveforms,
    b: Waveforms,
    i_a: NDArray[np.intp],
    i_b: NDArray[np.intp],
    windows: tuple[_Floats, _Floats],
    v_th: float,
) -> float:
    """Return the RMS difference of v_mem between neighbouring matched spikes, over v_th."""
    if "v_mem" not in a or "v_mem" not in b or len(i_a) < 2:
        return math.nan
    starts, _ = windows
    t_a, t_b = a.t_spike[i_a], b.t_spike[i_b]
    same_pulse = np.diff(np.searchsorted(starts, t_b, side="right")) == 0
    follow = (np.diff(i_a) == 1) & (np.diff(i_b) == 1) & same_pulse
    k = np.flatnonzero(follow)
    if not len(k):
        return math.nan
    squares = 0.0
    for start in range(0, len(k), _BLOCK):  # a spike takes 8 bytes in a file, and here 100 numbers
        at = k[start : start + _BLOCK, None]
        grid_a = t_a[at] + (t_a[at + 1] - t_a[at]) * _PHASES
        grid_b = t_b[at] + (t_b[at + 1] - t_b[at]) * _PHASES
        squares += float(np.sum((a.at("v_mem", grid_a) - b.at("v_mem", grid_b)) ** 2))
    return math.sqrt(squares / (len(k) * _PHASES.size)) / v_th


def _labels(a: Waveforms, b: Waveforms) -> tuple[str, str]:
    first, second = label_of(a), label_of(b)
    return (first, second) if first != second else (f"{first} (a)", f"{second} (b)")
