"""What a certificate shows: rows, notes and plain figures."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spicealif.analysis._verdicts import RESOLUTION, CertifiedMeasure, Verdict, same_steps
from spicealif.design import Neuron
from spicealif.measures.comparison import Comparison
from spicealif.measures.one_side import MEASURES
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, gap_figure, main_rows, plain
from spicealif.simulators import Run
from spicealif.simulators.equations import rtol_of
from spicealif.waveforms import Waveforms

__all__ = ["CertificateShown"]


class CertificateShown(ShownInNotebooks):
    """What of a `Certificate` is shown."""

    neuron: Neuron
    fine_neuron: Neuron
    run: Run
    fine_run: Run | None
    reference: Waveforms
    fine_reference: Waveforms
    equations: Waveforms | None
    comparison: Comparison | None
    measures: tuple[CertifiedMeasure, ...]
    circuit_movement: float
    reference_movement: float
    equations_difference: float
    tolerance: float

    if TYPE_CHECKING:  # what the certificate makes of them

        @property
        def equations_error(self) -> float: ...

    def _facts(self) -> list[tuple[str, str]]:
        verdicts = Counter(m.verdict.value for m in self.measures if m.verdict)
        told = ", ".join(f"{n} {verdict}" for verdict, n in verdicts.items())
        return [
            ("of", f"'{self.neuron.name}'"),
            ("circuit by", self.run.version),
            ("verdicts:", told or "none, a run is not complete"),
        ]

    @cached_property
    def rows(self) -> list[tuple[str, ...]]:
        """Rows of the table: label, circuit, reference, gap, errors and verdict, as texts."""
        out: list[tuple[str, ...]] = []
        for m in self.measures:
            pair = MEASURES[m.name].pair
            gap = figure(m.gap, m.unit) if pair else gap_figure(m.circuit, m.reference, m.unit)
            sides = ("", "") if pair else (figure(m.circuit, m.unit), figure(m.reference, m.unit))
            errors = (figure(m.circuit_error, m.unit), figure(m.reference_error, m.unit))
            out.append((m.label, *sides, gap, *errors, m.verdict.value if m.verdict else "-"))
        return out

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        notes = self.comparison.reading_notes if self.comparison else []
        if not self.measures:
            return [*notes, self._failure]
        assert self.fine_run is not None  # or there were no measures
        old, new = self.neuron.numerics, self.fine_neuron.numerics
        reltol = self.run.netlist.reltol, self.fine_run.netlist.reltol
        steered = f"steering {old.steering_delta:g}" if old.steering else "no steering"
        of_circuit = (
            f"reltol {reltol[0]:g}, largest step {figure(self.neuron.t_step_max, 's')} and "
            f"{steered} to reltol {reltol[1]:g}, {figure(self.fine_neuron.t_step_max, 's')} and "
            f"steering {new.steering_delta:g}"
        )
        if self.run.simulator == "equations":
            rtol = [rtol_of(neuron) for neuron in (self.neuron, self.fine_neuron)]
            of_circuit = f"a relative tolerance of {rtol[0]:g} to {rtol[1]:g}"
        notes += [
            "A numerical error is what a figure changes by when that side alone is refined: the "
            f"circuit from {of_circuit}, the reference from h = "
            f"{figure(self.neuron.default_h, 's')} to {figure(self.fine_neuron.default_h, 's')}.",
            *(
                _movement_note(side, _count(a), _count(b), moved, _differ(a, b))
                for side, a, b, moved in (
                    ("circuit", self.run, self.fine_run, self.circuit_movement),
                    ("reference", self.reference, self.fine_reference, self.reference_movement),
                )
            ),
        ]
        notes.append(self._of_equations())
        if self.run.simulator == "equations":
            notes.append(
                "The circuit side is these equations themselves: no SPICE has looked at it "
                "(--simulator ngspice does)."
            )
        given = {m.verdict for m in self.measures}
        notes += [f"'{v.value}': {v.sentence}." for v in Verdict if v in given]
        notes.append(
            f"The tolerance is {self.tolerance:.3g} of the reference's figure (of its mean "
            "interval for spike-time differences). A count's error of 0 says that no spike is in "
            "doubt, not that each is exact."
        )
        return notes

    def _of_equations(self) -> str:
        """Return what the circuit's own equations say of its run."""
        if self.equations is None:
            return (
                "The circuit's figures rest on two levels of SPICE alone, since "
                f"{self.neuron.no_equations}: what both levels have wrong does not show."
            )
        count, expected = _count(self.run), len(self.equations.t_spike)
        return (
            "No spike of the circuit is further than "
            f"{figure(self.equations_difference, 's')} from its own differential equations, "
            f"whose own error is {figure(self.equations_error, 's')}."
            if count == expected
            else f"The circuit has {count} spikes and its own differential equations {expected}, "
            "so no figure of it is resolved."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON.

        NaN becomes None, since JSON has no NaN.
        """
        old, new = self.neuron.numerics, self.fine_neuron.numerics
        return {
            "neuron": self.neuron.name,
            "simulator": self.run.version,
            "variant": self.reference.attrs.get("variant"),
            "complete": bool(self.measures),
            "tolerance": self.tolerance,
            "resolution": RESOLUTION,
            "levels": [
                {
                    **numerics.model_dump(mode="json"),
                    "reltol": None if run is None else run.netlist.reltol,
                    "h": neuron.default_h,
                }
                for numerics, run, neuron in (
                    (old, self.run, self.neuron),
                    (new, self.fine_run, self.fine_neuron),
                )
            ],
            "movement": {
                "circuit": plain(self.circuit_movement),
                "reference": plain(self.reference_movement),
            },
            "equations_difference": plain(self.equations_difference),
            "equations_error": plain(self.equations_error),
            "measures": {
                m.name: {
                    **{k: plain(v) for k, v in vars(m).items() if k not in ("name", "verdict")},
                    "verdict": m.verdict.value if m.verdict else None,
                }
                for m in self.measures
            },
            "notes": self.notes,
        }

    def _pages(self) -> list[Page]:
        head: tuple[str, ...] = ("", "circuit", "reference", "difference")
        rows: list[tuple[str, ...]] = []
        if self.comparison is not None:
            head = ("", *self.comparison.labels, "difference")
            rows += self.comparison.rows
        if self.measures:
            head = (*head, "circuit error", "reference error", "verdict")
            rows = self.rows
        rows, left_out = main_rows(rows)
        return [Page(((head, rows),), [*left_out, *self.notes])]

    @property
    def _failure(self) -> str:
        """Why there are no measures."""
        if self.fine_run is None or not self.run.ok:
            return f"There is no certificate, since the run is not complete: {self.run.message}"
        return (
            "There is no certificate, since the circuit's run at the finer level is not complete: "
            f"{self.fine_run.message}"
        )


def _differ(a: Run | Waveforms, b: Run | Waveforms | None) -> bool:
    """Return whether two levels of a side took other steps."""
    (one, two) = (side.waveforms if isinstance(side, Run) else side for side in (a, b))
    return one is None or two is None or not same_steps(one, two)


def _count(side: Run | Waveforms | None) -> int:
    waveforms = side.waveforms if isinstance(side, Run) else side
    return 0 if waveforms is None else len(waveforms.t_spike)


def _movement_note(
    side: str, count: int, fine_count: int, moved: float, levels_differ: bool
) -> str:
    if not levels_differ:
        return (
            f"Both levels of the {side} took the same steps, which proves nothing: no figure of it "
            "is resolved."
        )
    if count != fine_count:
        return (
            f"The {side} has {count} spikes as asked for and {fine_count} at the finer level, so "
            "no figure of it is resolved."
        )
    if not count:
        return f"The {side} has no spikes at either level."
    return f"No spike of the {side} moves by more than {figure(moved, 's')} between the levels."
