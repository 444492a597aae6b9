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
from spicealif._tables import figure, gap_figure, html_table, missing, plain, text_table
from spicealif.design import Neuron, parse_toml
from spicealif.errors import CompareError
from spicealif.measures import MEASURES, PULSE_MEASURES, Value, has_pulses, measure
from spicealif.waveforms import Waveforms

__all__ = ["Comparison", "compare", "design_of", "pair_measures"]

_Floats = NDArray[np.float64]

#: Samples of an inter-spike interval in which v_mem is compared, and of the run for x.
_PHASES = (np.arange(64) + 0.5) / 64
_X_SAMPLES = 4001

_NOT_CERTIFIED = (
    "The numerical error of these figures is not known: they come from one run of each side "
    "('spicealif run --certify' measures it)."
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
    lengths : tuple of float
        How long each result was before both were cut to the shorter, in s.
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
    lengths: tuple[float, float]
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
        return [*self.reading_notes, _CERTIFIED if self.certified else _NOT_CERTIFIED]

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
        short, long = sorted(self.lengths)
        if max(long, self.neuron.t_stop) > short * (1 + 1e-9):
            notes.append(
                f"Compared up to {figure(short, 's')} only, where one of the results ends."
            )
        digests = {w.attrs.get("design_digest") for w in (self.a, self.b)} - {None}
        if len(digests) > 1:
            notes.append("The two results are of different neurons; measured as the first.")
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
                notes.append(f"{label}: {caveat}")
        high, low = self.neuron.effective_thresholds
        if abs(high / self.neuron.v_th - 1) > 1e-6:
            notes.append(
                f"Slowly driven, the real parts switch at {figure(high, 'V')} and "
                f"{figure(low, 'V')} instead of v_th and v_low; delays move both further."
            )
        return notes

    @property
    def _cut_pulse(self) -> float | None:
        """When the pulse began that was cut off, if any was."""
        (stimulus, t_stop) = (self.neuron.stimulus, self.neuron.t_stop)
        end = min(*self.lengths, t_stop)
        begun = stimulus.windows(t_stop)[0]
        begun = begun[begun < end * (1 - 1e-9)]
        kept = len(stimulus.whole_windows(t_stop, end)[0])
        return float(begun[kept]) if kept < len(begun) else None

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
    lengths = (_length(a), _length(b))
    a, b = _same_time(a, b, neuron)
    return Comparison(
        neuron,
        a,
        b,
        labels or _labels(a, b),
        measure(a, neuron),
        measure(b, neuron),
        _pair(a, b, neuron),
        lengths,
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
    return _pair(*_same_time(a, b, neuron), neuron)


def _length(waveforms: Waveforms) -> float:
    return float(waveforms.time[-1]) if len(waveforms) else 0.0


def _same_time(a: Waveforms, b: Waveforms, neuron: Neuron) -> tuple[Waveforms, Waveforms]:
    """Check that two results can be compared, and return the time that both cover."""
    for waveforms in (a, b):
        if not len(waveforms) or not waveforms.time[-1] > 0:
            raise CompareError("One of the results has no samples after t = 0; run it again.")
        waveforms["v_mem"]  # whatever else is missing, this is what the two are about
    end = min(_length(a), _length(b))
    if end > neuron.t_stop * (1 + 1e-9):
        raise CompareError(
            f"The results last {end:g} s and the neuron only {neuron.t_stop:g} s; give the neuron "
            "that they are of (--neuron FILE)."
        )
    # A run that ended early says nothing of the rest.
    a, b = (w if w.time[-1] <= end * (1 + 1e-9) else w.until(end) for w in (a, b))
    if not (a.time[-1] > 0 and b.time[-1] > 0):
        raise CompareError(
            f"One of the results ends at {end:g} s, before the other's first step; run it longer."
        )
    return a, b


def design_of(*results: Waveforms) -> Neuron:
    """Return the neuron that was saved with the first result that has one.

    Raises
    ------
    CompareError
        If none of them says which neuron it is of.
    """
    for waveforms in results:
        if design := waveforms.attrs.get("design"):
            return parse_toml(str(design))
    who = "The result does not say" if len(results) == 1 else "Neither result says"
    raise CompareError(f"{who} which neuron it is of; give the neuron (--neuron FILE).")


def _pair(a: Waveforms, b: Waveforms, neuron: Neuron) -> dict[str, Value]:
    starts, ends = neuron.stimulus.windows(neuron.t_stop)
    end = min(float(a.time[-1]), float(b.time[-1]))
    # Without intervals any scale will do; the length of the run is one.
    scale, scale_of = end, 2
    for k, waveforms in ((1, b), (0, a)):
        isi = spikes.within_window_intervals(waveforms.t_spike, starts, ends)
        if len(isi):
            scale, scale_of = float(isi.mean()), k
            break
    window, q, tau = scale / 2, 4 / scale, scale
    i_a, i_b = spikes.match_spikes(a.t_spike, b.t_spike, window)
    error = a.t_spike[i_a] - b.t_spike[i_b]
    try:
        gamma = spikes.gamma_coincidence(b.t_spike, a.t_spike, scale / 4, end)
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
    end = min(a.time[-1], b.time[-1])
    t = np.linspace(0.0, end, _X_SAMPLES)
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
    first, second = _label(a), _label(b)
    return (first, second) if first != second else (f"{first} (a)", f"{second} (b)")


def _label(waveforms: Waveforms) -> str:
    attrs = waveforms.attrs
    side = str(attrs.get("side", "result"))
    detail = attrs.get("simulator") or attrs.get("variant")
    if "switches" in attrs:
        detail = f"{detail}, {attrs['switches']} switches, seed {attrs['seed']}"
    return f"{side} ({detail})" if detail else side
