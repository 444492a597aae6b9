"""Refinement certificates: how much of the gap between circuit and reference is numerical error.

Both sides run at two levels of refinement. What a figure changes by between the levels is its
numerical error, and with it the gap between the sides gets a verdict.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from spicealif._support.drawn import Drawn
from spicealif._support.files import write_text
from spicealif._support.folders import exchanging
from spicealif.analysis._certificate_shown import CertificateShown
from spicealif.analysis._levels import Levels, refined
from spicealif.analysis._verdicts import (
    CertifiedMeasure,
    Verdict,
    certified_measures,
    decide,
)
from spicealif.circuit import SPIKE_TIME_ERROR, sharpened, spike_movement
from spicealif.cosim import RESULT_FILES, Cosimulation, compare_run
from spicealif.design import Neuron
from spicealif.errors import CompareError, RunFailed
from spicealif.measures.comparison import Comparison, compare
from spicealif.measures.shown import json_text
from spicealif.reference import Variant, check_variant
from spicealif.simulators import Run, Simulator
from spicealif.waveforms import Waveforms

__all__ = ["Certificate", "CertifiedMeasure", "Verdict", "certify", "decide", "refined"]

#: The gap, relative to the reference's figure, below which two figures agree, unless told.
TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(CertificateShown, Drawn):
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
    equations : Waveforms or None
        The circuit as asked for by its own differential equations; None if it has none
        (`Neuron.no_equations`), and the certificate rests on two levels of SPICE alone.
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
    equations: Waveforms | None
    comparison: Comparison | None
    measures: tuple[CertifiedMeasure, ...]
    circuit_movement: float
    reference_movement: float
    equations_difference: float
    tolerance: float

    def __getitem__(self, name: str) -> CertifiedMeasure:
        """Return a measure by its name."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        known = ", ".join(m.name for m in self.measures) or "none, since a run is not complete"
        raise CompareError(f"There is no verdict on {ascii(name)}; choose one of {known}.")

    @property
    def equations_error(self) -> float:
        """Error of the equations' own spike times in s; NaN if it changes their number."""
        if self.equations is None:
            return math.nan
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

    def save(
        self, folder: str | os.PathLike[str], *, interpolation_error: float = 0.0
    ) -> list[Path]:
        """Write what `Cosimulation.save` writes, and the certificate as JSON and text.

        Parameters
        ----------
        folder : path-like
            As in `Cosimulation.save`. The finer level's waveforms are not written.
        interpolation_error : float
            As in `Cosimulation.save`.

        Returns
        -------
        list of Path
            The files written; without a certificate's if there are no measures.

        Raises
        ------
        OutputError
            If something cannot be written.
        """
        whole = Cosimulation(self.neuron, self.run, self.reference, self.comparison)
        target = Path(folder)
        with exchanging(target, RESULT_FILES) as beside:
            files = whole.save(beside, interpolation_error=interpolation_error)
            if self.measures:
                files.append(write_text(beside / "certificate.json", f"{json_text(self)}\n"))
                files.append(write_text(beside / "certificate.txt", f"{self}\n"))
        return [target / file.name for file in files]


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

    Examples
    --------
    >>> certificate = certify(load_preset("paper").replace(t_stop="2m"), "equations")
    >>> certificate["isi_mean"].verdict
    <Verdict.DIFFER: 'differ'>
    """
    if not 0 <= tolerance < 1:
        raise CompareError(
            f"The tolerance is {tolerance:g}, and it is a part of each reference figure; give a "
            "number from 0 to below 1, such as 1e-3."
        )
    check_variant(variant)
    named = isinstance(simulator, str)
    job = Levels((neuron, refined(neuron)), simulator, variant, timeout)
    try:
        (run, fine_run), (reference, fine_reference), equations = job.work(progress)
    finally:
        if named:
            job.close()
    assert run is not None  # only the finer run is ever left out
    comparison = compare_run(run, reference, neuron)
    fine = job.levels[1]
    parts = (neuron, fine, run, fine_run, reference, fine_reference, equations)
    moved = spike_movement(reference, fine_reference)
    if comparison is None or not run.ok or fine_run is None or not fine_run.ok:
        return Certificate(*parts, comparison, (), math.nan, moved, math.nan, tolerance)
    coarse, good = run.require(), fine_run.require()
    if equations is not None:
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
        math.nan if equations is None else spike_movement(coarse, equations),
        tolerance,
    )
