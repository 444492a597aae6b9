"""The reference of many neurons at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.cores import usable_cores
from spicealif.design import MemristorModel, Neuron, store
from spicealif.errors import IntegrationError
from spicealif.reference import driver
from spicealif.reference.batch.run import Job, run_jobs
from spicealif.reference.driver import Variant
from spicealif.reference.reference import kernel_parameters
from spicealif.waveforms import Waveforms

__all__ = ["ReferenceSummary", "solve_references"]

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceSummary:
    """What remains of one neuron's reference if its traces are not kept.

    Attributes
    ----------
    t_spike : ndarray, shape (K,)
        Spike times in s, as `solve_reference` defines them.
    x_final : float
        State of the memristor at the end; NaN with a resistor as leak.
    v_c_final, v_c_peak : float
        Capacitor voltage at the end, and its largest value over grid points and events, in V.
    energy_source : float
        Energy that the source has delivered, in J.
    t_end : float
        How far the integration came in s; t_stop if it did not fail.
    n_steps : int
        RK4 steps taken; repeated attempts at the step that ends on a spike count once.
    h : float
        Largest step allowed in s.
    variant : str
        ``ideal`` or ``schmitt``.
    error : str or None
        Why the integration failed, if it did; the numbers are then those at `t_end`.
    """

    t_spike: FloatArray
    x_final: float
    v_c_final: float
    v_c_peak: float
    energy_source: float
    t_end: float
    n_steps: int
    h: float
    variant: Variant
    error: str | None = None

    def waveforms(self, neuron: Neuron) -> Waveforms:
        """Return what `spicealif.measures.one_side.measure` needs as waveforms of two samples.

        Both are at the end of the run; the first holds the peak of v_c. There are no traces
        to compare or to plot in it.

        Parameters
        ----------
        neuron : Neuron
            What this is the reference of.

        Returns
        -------
        Waveforms
            Quantities v_c and x (memristor only), spike times and the attributes of
            `solve_reference`.

        Raises
        ------
        IntegrationError
            If the integration failed.
        """
        if self.error is not None:
            raise IntegrationError(self.error)
        signals = {"v_c": np.array([self.v_c_peak, self.v_c_final])}
        if isinstance(neuron.leak, MemristorModel):
            signals["x"] = np.full(2, self.x_final)
        attrs = {
            "side": "reference",
            "variant": self.variant,
            "h": self.h,
            "n_steps": self.n_steps,
            "energy_source": self.energy_source,
            **store.provenance(neuron),
        }
        return Waveforms(np.full(2, self.t_end), signals, self.t_spike, attrs)


def solve_references(
    neurons: Sequence[Neuron],
    variant: Variant = "ideal",
    *,
    h: float | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[ReferenceSummary]:
    """Integrate the reference of many neurons at once, without keeping traces.

    The method is that of `solve_reference` and so are the answers, to rounding. They do not
    depend, not by a bit, on the other neurons, on their order or on the number of threads.

    Parameters
    ----------
    neurons : sequence of Neuron
        What to integrate; each has its own stimulus, step and length.
    variant : {"ideal", "schmitt"}
        See `solve_reference`.
    h : float, optional
        Largest step in s, for all; each neuron's `Neuron.default_h` if not given.
    threads : int, optional
        Threads to use; as many as processors if not given.
    progress : callable, optional
        Called now and then with the fraction of the neurons that are done, by the calling thread.

    Returns
    -------
    list of ReferenceSummary
        In the order of the neurons. A neuron whose integration fails has an `error` and does not
        disturb the others.

    Raises
    ------
    IntegrationError
        If the variant is unknown, or h or the number of threads does not make sense.
    """
    driver.check_variant(variant)
    if h is not None and not 0.0 < h < math.inf:
        raise IntegrationError(f"The step h is {h} s; choose a finite step above 0.")
    if threads is not None and threads < 1:
        raise IntegrationError(f"{threads} threads cannot compute; choose 1 or more.")
    for neuron in neurons if h is not None else ():
        driver.check_step(h, neuron.at_temperature.shortest_time)
    jobs = [_job(neuron.at_temperature, variant, h) for neuron in neurons]
    outcomes = run_jobs(jobs, threads or usable_cores(), progress)
    return [
        ReferenceSummary(
            t_spike=outcome.t_spike,
            x_final=outcome.x if isinstance(neuron.leak, MemristorModel) else math.nan,
            v_c_final=outcome.v_c,
            v_c_peak=outcome.v_c_peak,
            energy_source=outcome.energy,
            t_end=outcome.t,
            n_steps=outcome.n_steps,
            h=job.h,
            variant=variant,
            error=outcome.error,
        )
        for neuron, job, outcome in zip(neurons, jobs, outcomes, strict=True)
    ]


def _job(neuron: Neuron, variant: Variant, h: float | None) -> Job:
    step = neuron.default_h if h is None else h
    return Job(kernel_parameters(neuron), neuron.stimulus.pieces(neuron.t_stop), variant, step)
