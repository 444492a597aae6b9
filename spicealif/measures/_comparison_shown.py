"""What a comparison shows: rows, notes and plain figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from spicealif._support.text import counted, shown
from spicealif.design import Neuron
from spicealif.design._vendor import vendor_parts
from spicealif.measures.doubts import differing, doubts
from spicealif.measures.one_side import (
    MEASURES,
    PULSE_MEASURES,
    Value,
    has_pulses,
    pauses_within,
)
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.span import SAME
from spicealif.measures.tables import figure, gap_figure, main_rows, missing, plain
from spicealif.waveforms import Waveforms

__all__ = ["ComparisonShown", "SideError"]

#: A side that is silent for so many times its longest interval before the end has ceased to fire.
_SILENT = 3.0
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


class SideError(Protocol):
    """What is known of the numerical error of one side, see `spicealif.circuit.CircuitCheck`."""

    @property
    def errors(self) -> Mapping[str, float]:
        """The signed error of each figure."""
        ...

    @property
    def own_errors(self) -> Mapping[str, float]:
        """What is not known of these."""
        ...

    def note(self, label: str) -> str:
        """Return a sentence on it for the table's notes."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        ...


class ComparisonShown(ShownInNotebooks):
    """What of a `Comparison` is shown."""

    neuron: Neuron
    a: Waveforms
    b: Waveforms
    labels: tuple[str, str]
    of_a: dict[str, Value]
    of_b: dict[str, Value]
    of_pair: dict[str, Value]
    spans: tuple[tuple[float, float], tuple[float, float]]
    certified: bool
    check: SideError | None
    checked: int

    def _facts(self) -> list[tuple[str, str]]:
        a, b = self.labels
        return [
            ("of", f"'{self.neuron.name}'"),
            (f"{a} has", counted(int(self.of_a["spike_count"] or 0), "spike")),
            (f"{b} has", counted(int(self.of_b["spike_count"] or 0), "spike")),
            ("matched", str(self.of_pair["matched"])),
        ]

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
                    figure(a, info.unit) + self._error_of(name, 0, info.unit),
                    figure(b, info.unit) + self._error_of(name, 1, info.unit),
                    gap_figure(a, b, info.unit),
                )
            )
        return out

    def _error_of(self, name: str, side: int, unit: str) -> str:
        """Return the numerical error of a figure as it stands behind it; empty if not known."""
        if self.check is None or side != self.checked:
            return ""
        own = self.check.own_errors.get(name, math.nan)
        error = abs(self.check.errors.get(name, math.nan)) + own
        return f" +- {figure(float(f'{error:.2g}'), unit)}" if error > 0 else ""

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        if self.check is not None and not self.certified:
            known, other = self.labels[self.checked], (self.a, self.b)[1 - self.checked]
            note = self.check.note(known)
            if other.attrs.get("side") == "reference":
                note += " The reference's is not measured here ('spicealif run --certify' does)."
            else:
                note += f" That of {self.labels[1 - self.checked]} was not looked at."
            return [*self.reading_notes, note]
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
        if pauses := pauses_within(self.b.t_spike, self.neuron):
            notes.append(
                f"{pauses} of the intervals of {self.labels[1]} span a pause of the current and "
                "count as intervals, since only a pulse train says where its pulses begin: the "
                "intervals' figures are not those of firing."
            )
        notes += self._span_notes()
        notes += self._silence_notes()
        for waveforms, label in ((self.a, self.labels[0]), (self.b, self.labels[1])):
            if taken := waveforms.attrs.get("taken"):
                notes.append(f"{label}: {shown(taken)}")
        notes += self._other_neuron()
        for waveforms, label in ((self.a, self.labels[0]), (self.b, self.labels[1])):
            notes += doubts(waveforms, label, self.neuron)
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
        high, low = self.neuron.at_temperature.effective_thresholds
        # A maker's model has an offset and a gain of its own, which nobody has told.
        told = {"difference_amplifier.opamp", "comparator"}.isdisjoint(vendor_parts(self.neuron))
        if self._has_our_circuit and told and abs(high / self.neuron.v_th - 1) > 1e-6:
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

    @property
    def warnings(self) -> list[str]:
        """Of the notes those without which the figures would be taken for something else."""
        return [*self._other_neuron(), *self._span_notes(), *self._silence_notes()]

    def _other_neuron(self) -> list[str]:
        """Return that the results are of different designs, if they are."""
        digests = {w.attrs.get("design_digest") for w in (self.a, self.b)} - {None}
        if len(digests) < 2:
            return []
        name = shown(self.neuron.name, 60)
        keys = differing(self.a.attrs.get("design"), self.b.attrs.get("design"))
        apart = f" (they differ in {keys})" if keys else ""
        return [f"The two results are of different neurons{apart}; both measured as {name}."]

    def _silence_notes(self) -> list[str]:
        """Return which sides cease to fire, and that a rate is over the silence as well."""
        end = min(end for _, end in self.spans)
        # After the last pulse's current nobody expects spikes; other currents end with the run.
        begins, _ = self.neuron.stimulus.windows(self.neuron.t_stop)
        drives = self.neuron.stimulus.drive_ends(self.neuron.t_stop)[begins < end]
        last = min(end, float(drives[-1])) if len(drives) else 0.0
        silent = []
        for waveforms, label in ((self.a, self.labels[0]), (self.b, self.labels[1])):
            t = waveforms.t_spike[waveforms.t_spike <= end]
            # Longer than any pause between pulses, or between spikes of whatever stimulus.
            if len(t) > 2 and last - t[-1] > _SILENT * float(np.diff(t).max()):
                silent.append(f"{label} after {figure(float(t[-1]), 's')}")
        if not silent:
            return []
        return [
            f"No more spikes of {' and of '.join(silent)}; the mean rate is over all "
            f"{figure(end, 's')}."
        ]

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
            **({} if self.check is None else {"numerical_error": self.check.to_dict()}),
        }

    def _pages(self) -> list[Page]:
        head = ("", *self.labels, "difference")
        rows, left_out = main_rows([*self.rows])
        return [Page(((head, rows),), [*left_out, *self.notes])]


def _is_foreign(waveforms: Waveforms) -> bool:
    """Whether a result is of a circuit that somebody else drew."""
    return bool(waveforms.attrs.get("foreign"))
