"""Two results of one neuron side by side: measures of each, differences, distances.

Pointwise errors of spiking traces mean nothing after the first missed spike, so the traces are
compared inside matched inter-spike intervals, and the drift of the spikes is told apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif import spikes
from spicealif._span import SAME, common_span, label_of, span
from spicealif._tables import figure, gap_figure, html_table, missing, plain, text_table
from spicealif._text import shown
from spicealif.design import Neuron, parse_toml
from spicealif.errors import CompareError, DesignError
from spicealif.measures import MEASURES, PULSE_MEASURES, Value, has_pulses, measure
from spicealif.waveforms import Waveforms

__all__ = ["Comparison", "compare", "design_of", "pair_measures"]

_Floats = NDArray[np.float64]

#: Samples of an inter-spike interval in which v_mem is compared, and of the run for x.
_PHASES = (np.arange(64) + 0.5) / 64
_X_SAMPLES = 4001
#: Characters of what a file says of itself that are shown.
_LONGEST_CAVEAT = 2000

_NOT_CERTIFIED = (
    "The numerical error of these figures is not known: they come from one run of each side "
    "('spicealif run --certify' measures it)."
)
#: Of a circuit that is not ours, which 'run --certify' cannot run.
_NOT_REPEATED = (
    "The numerical error of these figures is not known: they come from one run of each side; run "
    "the circuit again with a tenth of its tolerance and of its largest step to see it."
)
_CERTIFIED = "The numerical error of these figures is in the certificate that was made with them."


@dataclass(frozen=True, eq=False)
class Comparison:
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

    @cached_property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Rows of the table: label, `a`, `b`, difference, as texts with units."""
        out = []
        pulses = has_pulses(self.neuron)
        for name, info in MEASURES.items():
            if not pulses and name in PULSE_MEASURES:
                continue
            if info.pair:
                out.append((info.label, "", "", figure(self.of_pair[name], info.unit)))
                continue
            a, b = self.of_a[name], self.of_b[name]
            if missing(a) and missing(b):
                continue
            out.append(
                (
                    info.label,
                    figure(a, info.unit),
                    figure(b, info.unit),
                    gap_figure(a, b, info.unit),
                )
            )
        return out

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        foreign = any(_is_foreign(w) for w in (self.a, self.b))
        unknown = _NOT_REPEATED if foreign else _NOT_CERTIFIED
        return [*self.reading_notes, _CERTIFIED if self.certified else unknown]

    @property
    def reading_notes(self) -> list[str]:
        """The notes without the one on the numerical error."""
        window = figure(self.of_pair["match_window"], "s")
        tau = figure(self.of_pair["van_rossum_tau"], "s")
        origin = int(self.of_pair["match_window_from"])
        scale = f"mean interval of {self.labels[origin]}" if origin < 2 else "length of the run"
        notes = []
        if has_pulses(self.neuron):
            notes.append(
                "Intervals are counted within pulses; the first and the last interval are the "
                "means over the first and the last pulse that have intervals."
            )
            if (at := self._cut_pulse) is not None:
                notes.append(
                    f"The pulse that begins at {figure(at, 's')} is cut off by the end of the run "
                    "and left out of the figures per pulse."
                )
        notes += self._span_notes()
        for waveforms, label in ((self.a, self.labels[0]), (self.b, self.labels[1])):
            if taken := waveforms.attrs.get("taken"):
                notes.append(f"{label}: {shown(taken)}")
        digests = {w.attrs.get("design_digest") for w in (self.a, self.b)} - {None}
        if len(digests) > 1:
            name = shown(self.neuron.name, 60)
            notes.append(f"The two results are of different neurons; both measured as {name}.")
        notes.append(
            f"Spikes are matched if nearer than {window} (half the {scale}); Victor-Purpura cost "
            f"{self.of_pair['victor_purpura_q']:.4g} 1/s, van Rossum time constant {tau}."
        )
        gamma = float(self.of_pair["gamma"])
        if gamma < 0.5:
            notes.append(
                f"With a coincidence factor of {gamma:.2g} the spikes coincide little more than by "
                "chance: the matched pairs and their time differences then mean little."
            )
        if not len(self.a.t_spike) and not len(self.b.t_spike):
            top = max(float(w["v_mem"].max()) for w in (self.a, self.b))
            notes.append(
                f"Neither side fires: v_mem reaches {figure(top, 'V')} and v_th is "
                f"{figure(self.neuron.v_th, 'V')}."
            )
        for waveforms, label in ((self.a, self.labels[0]), (self.b, self.labels[1])):
            if caveat := waveforms.attrs.get("caveat"):
                notes.append(f"{label}: {shown(caveat, _LONGEST_CAVEAT)}")
        high, low = self.neuron.effective_thresholds
        if self._has_our_circuit and abs(high / self.neuron.v_th - 1) > 1e-6:
            notes.append(
                f"Slowly driven, the real parts switch at {figure(high, 'V')} and "
                f"{figure(low, 'V')} instead of v_th and v_low; delays move both further."
            )
        return notes

    @property
    def _has_our_circuit(self) -> bool:
        """Whether one side is the circuit that the neuron describes, part by part."""
        return any(
            w.attrs.get("side", "circuit") == "circuit" and not _is_foreign(w)
            for w in (self.a, self.b)
        )

    @property
    def _cut_pulse(self) -> float | None:
        """When the pulse began that was cut off at the end, if any was."""
        (stimulus, t_stop) = (self.neuron.stimulus, self.neuron.t_stop)
        begin = max(start for start, _ in self.spans)
        end = min(*(end for _, end in self.spans), t_stop)
        begun = stimulus.windows(t_stop)[0]
        begun = begun[begun < end * (1 - 1e-9)]
        kept = stimulus.whole_windows(t_stop, begin, end)[0]
        return float(begun[-1]) if len(begun) and len(kept) and kept[-1] < begun[-1] else None

    def _span_notes(self) -> list[str]:
        """Return which part of the run was compared, unless it was all of it."""
        begin = max(start for start, _ in self.spans)
        end = min(end for _, end in self.spans)
        late = begin > SAME * self.neuron.t_stop
        early = self.neuron.t_stop > end * (1 + SAME)
        if late:
            return [
                f"Compared from {figure(begin, 's')} to {figure(end, 's')} only, where both "
                "results have data; what lies before or after is left out of both."
            ]
        if early or max(end for _, end in self.spans) > end * (1 + SAME):
            return [f"Compared up to {figure(end, 's')} only, where one of the results ends."]
        return []

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and lists, for JSON.

        NaN becomes None, since JSON has no NaN.
        """
        return {
            "neuron": self.neuron.name,
            "labels": list(self.labels),
            self.labels[0]: {k: plain(v) for k, v in self.of_a.items()},
            self.labels[1]: {k: plain(v) for k, v in self.of_b.items()},
            "pair": {k: plain(v) for k, v in self.of_pair.items()},
        }

    def __str__(self) -> str:
        return text_table(self._head, self.rows, self.notes)

    def _repr_html_(self) -> str:
        return html_table(self._head, self.rows, self.notes)

    @property
    def _head(self) -> tuple[str, ...]:
        return ("", *self.labels, "difference")


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
    grid_a = t_a[k, None] + np.diff(t_a)[k, None] * _PHASES
    grid_b = t_b[k, None] + np.diff(t_b)[k, None] * _PHASES
    error = a.at("v_mem", grid_a) - b.at("v_mem", grid_b)
    return float(np.sqrt(np.mean(error**2))) / v_th


def _labels(a: Waveforms, b: Waveforms) -> tuple[str, str]:
    first, second = label_of(a), label_of(b)
    return (first, second) if first != second else (f"{first} (a)", f"{second} (b)")


def _is_foreign(waveforms: Waveforms) -> bool:
    """Whether a result is of a circuit that somebody else drew."""
    return bool(waveforms.attrs.get("foreign"))
