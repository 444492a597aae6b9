"""Refinement certificates: how much of the gap between circuit and reference is numerical error.

Both sides run at two levels of refinement. What a figure changes by between the levels is its
numerical error, and with it the gap between the sides gets a verdict.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from spicealif._files import write_text
from spicealif._folders import exchanging
from spicealif._levels import Levels, refined
from spicealif._tables import figure, gap_figure, html_table, plain, text_table
from spicealif._verdicts import (
    RESOLUTION,
    CertifiedMeasure,
    Verdict,
    certified_measures,
    decide,
    same_steps,
)
from spicealif.circuit import SPIKE_TIME_ERROR, sharpened, spike_movement
from spicealif.comparison import Comparison, compare
from spicealif.cosim import RESULT_FILES, Cosimulation, compare_run
from spicealif.design import Neuron
from spicealif.errors import CompareError, RunFailed
from spicealif.measures import MEASURES
from spicealif.reference import Variant, check_variant
from spicealif.simulators import Run, Simulator
from spicealif.waveforms import Waveforms

__all__ = ["Certificate", "CertifiedMeasure", "Verdict", "certify", "decide", "refined"]

#: The gap, relative to the reference's figure, below which two figures agree, unless told.
TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Certificate:
    """A comparison with its numerical error and a verdict for each measure.

    The error of a figure is what it changes by when its side alone is refined. It is an estimate,
    not a bound: the finer level has an error of its own.

    A verdict other than ``not resolved`` also asks that the spikes themselves are resolved, since
    a figure may come out equal on two levels by chance, and two levels may both be wrong. Both
    levels of a side, and for the circuit also its own differential equations (`solve_circuit`),
    must have as many spikes, and no interval may change between them by more than `RESOLUTION`
    times the mean interval. For figures made from spike times (intervals, adaptation, time
    differences), it may change by no more than `RESOLUTION` times what the intervals of the two
    sides differ by in the mean (to ``differ``), or the tolerance times the mean interval (to
    ``agree``).

    Counts agree only if they are equal. Of the figures of the pair, the spike-time differences are
    judged against the tolerance times the mean interval, and the errors of x and v_mem, which are
    relative already, against the tolerance itself. Matches, distances and the coincidence factor
    have no natural tolerance: they get their error and no verdict, as does a figure that only one
    side has. The mean interval is the one that sets the comparison's ``match_window``.

    A certificate finds errors that depend on tolerances, steps and steering, such as a run that
    triggers early; the finer level is one to trust whatever was asked for, and the equations know
    neither SPICE nor the netlist. It cannot find a mistake that all of them share, in the design
    or in the measures. That a count is equal on both levels shows that no
    spike is in doubt, not that the spikes are in the right place.

    Attributes
    ----------
    neuron : Neuron
        As asked for.
    fine_neuron : Neuron
        With the settings of the finer level, see `refined`.
    run, fine_run : Run or None
        The circuit's runs; `fine_run` is None if there was no use in it because `run` failed.
    reference, fine_reference : Waveforms
    equations : Waveforms
        The circuit as asked for by its own differential equations.
    comparison : Comparison or None
        The run as asked for against the reference; None if it computed nothing.
    measures : tuple of CertifiedMeasure
        Empty if one of the circuit's runs is not complete: see `require`.
    circuit_movement, reference_movement : float
        Worst movement of a spike between the levels in s; NaN if the counts differ, or if one of
        the circuit's runs is not complete.
    equations_difference : float
        Worst difference of a spike time of the run as asked for from the equations, in s; NaN as
        above.
    tolerance : float
        Relative.
    """

    neuron: Neuron
    fine_neuron: Neuron
    run: Run
    fine_run: Run | None
    reference: Waveforms
    fine_reference: Waveforms
    equations: Waveforms
    comparison: Comparison | None
    measures: tuple[CertifiedMeasure, ...]
    circuit_movement: float
    reference_movement: float
    equations_difference: float
    tolerance: float

    @property
    def equations_error(self) -> float:
        """Error of the equations' own spike times in s; NaN if it changes their number."""
        return float(self.equations.attrs[SPIKE_TIME_ERROR])

    def require(self) -> tuple[CertifiedMeasure, ...]:
        """Return the measures of a certificate whose runs are complete.

        Raises
        ------
        RunFailed
            If one of the circuit's runs is not complete; its ``run`` has what there is.
        """
        self.run.require()
        if self.fine_run is not None and not self.fine_run.ok:
            raise RunFailed(self._failure, self.fine_run)
        return self.measures

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
        old, new = self.neuron.numerics, self.fine_neuron.numerics
        steered = f"steering {old.steering_delta:g}" if old.steering else "no steering"
        notes += [
            "A numerical error is what a figure changes by when that side alone is refined: the "
            f"circuit from reltol {old.reltol:g}, largest step "
            f"{figure(self.neuron.t_step_max, 's')} and {steered} to reltol {new.reltol:g}, "
            f"{figure(self.fine_neuron.t_step_max, 's')} and steering "
            f"{new.steering_delta:g}, the reference from h = "
            f"{figure(self.neuron.default_h, 's')} to {figure(self.fine_neuron.default_h, 's')}.",
            *(
                _movement_note(side, _count(a), _count(b), moved, _differ(a, b))
                for side, a, b, moved in (
                    ("circuit", self.run, self.fine_run, self.circuit_movement),
                    ("reference", self.reference, self.fine_reference, self.reference_movement),
                )
            ),
        ]
        count, expected = _count(self.run), len(self.equations.t_spike)
        notes.append(
            "No spike of the circuit is further than "
            f"{figure(self.equations_difference, 's')} from its own differential equations, "
            f"whose own error is {figure(self.equations_error, 's')}."
            if count == expected
            else f"The circuit has {count} spikes and its own differential equations {expected}, "
            "so no figure of it is resolved."
        )
        given = {m.verdict for m in self.measures}
        notes += [f"'{v.value}': {v.sentence}." for v in Verdict if v in given]
        notes.append(
            f"The tolerance is {self.tolerance:.3g} of the reference's figure (of its mean "
            "interval for spike-time differences). A count's error of 0 says that no spike is in "
            "doubt, not that each is exact."
        )
        return notes

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
                {**old.model_dump(mode="json"), "h": self.neuron.default_h},
                {**new.model_dump(mode="json"), "h": self.fine_neuron.default_h},
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

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write what `Cosimulation.save` writes, and the certificate as JSON and text.

        Parameters
        ----------
        folder : path-like
            As in `Cosimulation.save`. The finer level's waveforms are not written.

        Returns
        -------
        list of Path
            The files written; without a certificate's if there are no measures.

        Raises
        ------
        OutputError
            If something cannot be written.
        """
        import json

        whole = Cosimulation(self.neuron, self.run, self.reference, self.comparison)
        target = Path(folder)
        with exchanging(target, RESULT_FILES) as beside:
            files = whole.save(beside)
            if self.measures:
                text = json.dumps(self.to_dict(), indent=1, allow_nan=False)
                files.append(write_text(beside / "certificate.json", text + "\n"))
                files.append(write_text(beside / "certificate.txt", f"{self}\n"))
        return [target / file.name for file in files]

    def __str__(self) -> str:
        return self._drawn(text_table)

    def _repr_html_(self) -> str:
        return self._drawn(html_table)

    def _drawn(self, table: Callable[..., str]) -> str:
        head: tuple[str, ...] = ("", "circuit", "reference", "difference")
        if self.comparison is not None:
            head = ("", *self.comparison.labels, "difference")
        if self.measures:
            head = (*head, "circuit error", "reference error", "verdict")
            return table(head, self.rows, self.notes)
        return table(head, self.comparison.rows if self.comparison else [], self.notes)

    @property
    def _failure(self) -> str:
        """Why there are no measures."""
        if self.fine_run is None or not self.run.ok:
            return f"There is no certificate, since the run is not complete: {self.run.message}"
        return (
            "There is no certificate, since the circuit's run at the finer level is not complete: "
            f"{self.fine_run.message}"
        )


def certify(
    neuron: Neuron,
    simulator: str | Simulator = "ngspice",
    *,
    variant: Variant = "ideal",
    tolerance: float = TOLERANCE,
    timeout: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Certificate:
    """Run circuit and reference at two levels of refinement, compare, and judge the gaps.

    Parameters
    ----------
    neuron : Neuron
    simulator : str or Simulator
        With a name the circuit's two levels run side by side; a simulator runs them one after
        the other.
    variant : {"ideal", "schmitt"}
        The reference, see `solve_reference`.
    tolerance : float
        Relative to the reference's figure; counts have none. See `Certificate`.
    timeout : float, optional
        Seconds of wall time for each of the circuit's runs.
    progress : callable, optional
        Called in this thread with the fraction of the circuit's runs that is done.

    Returns
    -------
    Certificate
        Without measures if one of the circuit's runs is not complete; its ``require()`` then
        raises the reason.

    Raises
    ------
    CompareError
        If the tolerance is not a number from 0 up.
    DesignError, NetlistError, IntegrationError, SimulatorNotFound
        If one side cannot be run at all.
    """
    if not 0 <= tolerance < math.inf:
        raise CompareError(
            f"The tolerance is {tolerance:g}; give a number from 0 up, such as 1e-3."
        )
    check_variant(variant)
    fine = refined(neuron)
    named = isinstance(simulator, str)
    job = Levels((neuron, fine), simulator, variant, timeout)
    try:
        (run, fine_run), (reference, fine_reference, equations) = job.work(progress)
    finally:
        if named:
            job.close()
    assert run is not None  # only the finer run is ever left out
    comparison = compare_run(run, reference, neuron)
    parts = (neuron, fine, run, fine_run, reference, fine_reference, equations)
    moved = spike_movement(reference, fine_reference)
    if comparison is None or not run.ok or fine_run is None or not fine_run.ok:
        return Certificate(*parts, comparison, (), math.nan, moved, math.nan, tolerance)
    coarse, good = run.require(), fine_run.require()
    equations = sharpened(equations, neuron, coarse.t_spike)
    parts = (*parts[:-1], equations)
    measures = certified_measures(
        comparison,
        compare(good, reference, neuron),
        compare(coarse, fine_reference, neuron),
        equations,
        tolerance,
    )
    return Certificate(
        *parts,
        replace(comparison, certified=True),
        measures,
        spike_movement(coarse, good),
        moved,
        spike_movement(coarse, equations),
        tolerance,
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
