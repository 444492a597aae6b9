"""Many runs of one neuron with other currents and parameters, given as arrays.

A validated `Neuron` for each sample would take longer than its reference takes to integrate. Here
the design is validated where the values are at their ends, and the samples go to the batched kernel
as columns.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif._support.cores import usable_cores
from spicealif.bank._samples import Samples
from spicealif.circuit.parameters import ALL_CAUSES, Cause
from spicealif.design import Neuron, Resistor
from spicealif.errors import IntegrationError
from spicealif.reference import Variant, check_variant, solve_references

__all__ = ["Bank", "BankSide", "solve_bank"]

_Floats = NDArray[np.float64]
BankSide: TypeAlias = Literal["reference", "equations"]

_SIDES = ("reference", "equations")
#: Seconds between two looks at the threads of the equations.
_LOOK = 0.1


@dataclass(frozen=True, eq=False)
class Bank:
    """What became of n samples; they have no traces.

    Attributes
    ----------
    times : ndarray
        Spike times in s of all samples, one after the other; `t_spike` has them by sample.
    spike_count : ndarray of int, shape (n,)
    v_c_final, v_c_peak : ndarray, shape (n,)
        Capacitor voltage at the end, and its largest value, in V.
    x_final : ndarray, shape (n,)
        State of the memristor at the end; NaN with a resistor as leak.
    energy_source, energy_supply : ndarray, shape (n,)
        Energy that the source and the supplies have delivered in J; NaN for supplies that are not
        there: of the reference, and of a circuit whose parts are ideal.
    errors : mapping of int to str
        Why a sample could not be integrated to its end, by its number; its figures are NaN and its
        spikes those up to there.
    side : {"reference", "equations"}
    """

    times: _Floats
    spike_count: NDArray[np.int64]
    v_c_final: _Floats
    v_c_peak: _Floats
    x_final: _Floats
    energy_source: _Floats
    energy_supply: _Floats
    errors: Mapping[int, str]
    side: BankSide

    def __len__(self) -> int:
        return len(self.spike_count)

    def __repr__(self) -> str:
        failed = f", {len(self.errors)} failed" if self.errors else ""
        return f"<Bank {self.side}: {len(self)} samples, {len(self.times)} spikes{failed}>"

    @cached_property
    def t_spike(self) -> tuple[_Floats, ...]:
        """Spike times in s of each sample."""
        if not len(self):
            return ()
        return tuple(np.split(self.times, np.cumsum(self.spike_count)[:-1]))

    @cached_property
    def t_first(self) -> _Floats:
        """Time of each sample's first spike in s, shape (n,); NaN without one."""
        out = np.full(len(self), math.nan)
        fired = self.spike_count > 0
        begin = np.cumsum(self.spike_count) - self.spike_count
        out[fired] = self.times[begin[fired]]
        return out


def solve_bank(
    neuron: Neuron,
    values: Mapping[str, ArrayLike],
    *,
    side: BankSide = "reference",
    times: ArrayLike | None = None,
    variant: Variant = "ideal",
    causes: AbstractSet[Cause] = ALL_CAUSES,
    rtol: float | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Bank:
    """Solve one neuron many times, with other currents and parameters.

    The answers are those of `solve_reference` or `solve_circuit` for each sample, to rounding.

    Parameters
    ----------
    neuron : Neuron
        What all samples have in common.
    values : mapping of str to array_like
        For each parameter (dotted name, such as ``"leak.tau"`` or ``"stimulus.amplitude"``) its
        values, shape (n,), SI units. ``"stimulus"`` is the current itself in A instead of the
        neuron's: shape (n,) for currents that do not change, shape (n, K) for K currents at
        `times`, joined by straight lines.
    side : {"reference", "equations"}
        The paper's equations by RK4, or the circuit's own.
    times : array_like, shape (K,), optional
        When the currents of ``"stimulus"`` hold, in s, from 0 to t_stop; equally spaced if not
        given.
    variant : {"ideal", "schmitt"}
        The reference, see `solve_reference`.
    causes : set of Cause
        Of the circuit's equations, see `solve_circuit`.
    rtol : float, optional
        Of the circuit's equations, see `solve_circuit`.
    threads : int, optional
        As many as usable cores if not given. No bit depends on it.
    progress : callable, optional
        Called by the calling thread with the fraction of the samples that are done.

    Returns
    -------
    Bank

    Raises
    ------
    DesignError
        If a name is unknown, arrays are not as long as each other, or a sample's design is refused:
        the sentence says which one.
    IntegrationError
        If the side, the variant, rtol or the number of threads makes no sense.

    Notes
    -----
    Fast are the currents, the stimulus' amplitude and offset, c, r_s, v_rest, v_reset, t_ref,
    temperature, the values of an MMS memristor or a resistor as leak, and v_th for the ``ideal``
    reference: their overhead is below a tenth of the integration of 8 ms. With any other name each
    sample is a validated `Neuron`, 1 to 2 ms.

    Examples
    --------
    >>> bank = solve_bank(load_preset("paper"), {"stimulus.amplitude": [5e-4, 1e-3, 2e-3]})
    >>> bank.spike_count
    array([ 18, 223, 611])
    """
    if side not in _SIDES:
        raise IntegrationError(
            f"There is no side {ascii(side)}; choose one of {', '.join(_SIDES)}."
        )
    check_variant(variant)
    if threads is not None and (type(threads) is not int or threads < 1):
        raise IntegrationError(f"threads is {threads!r}; give a whole number from 1 up.")
    if rtol is not None and not 1e-14 < rtol < 1e-2:
        raise IntegrationError(f"rtol is {rtol}; choose one between 1e-14 and 1e-2.")
    samples = Samples(neuron, values, times)
    workers = usable_cores() if threads is None else threads
    if side == "equations":
        return _by_equations(samples, causes, rtol, workers, progress)
    if not samples.fast(variant):
        return _by_reference(samples, variant, workers, progress)
    samples.validate()
    return _by_columns(samples, variant, workers, progress)


def _by_columns(
    samples: Samples, variant: Variant, threads: int, progress: Callable[[float], None] | None
) -> Bank:
    from spicealif.reference.batch import lanes as of
    from spicealif.reference.batch.columns import tables
    from spicealif.reference.batch.run import failure, run_tables

    assert samples.drive is not None
    made = tables(samples.neuron, samples.columns, samples.drive, samples.n, variant)
    if not made.fits.all():  # the lanes' exponential does not reach as far
        return _by_reference(samples, variant, threads, progress)
    ends, times, counts = run_tables(made, threads, progress)
    bad = np.flatnonzero(ends[:, of.END_STATUS] != of.FINISHED)
    errors = {int(k): failure(ends[k]) or "" for k in bad}
    figures = np.full((5, len(ends)), math.nan)
    figures[:4] = ends[:, [of.END_V, of.END_PEAK, of.END_X, of.END_ENERGY]].T
    if isinstance(samples.neuron.leak, Resistor):
        figures[2] = math.nan
    figures[:, bad] = math.nan
    return _made(times, counts, figures, errors, "reference")


def _by_reference(
    samples: Samples, variant: Variant, threads: int, progress: Callable[[float], None] | None
) -> Bank:
    neurons = [samples.neuron_of(k) for k in range(samples.n)]
    found = solve_references(neurons, variant, threads=threads, progress=progress)
    rows = [(s.v_c_final, s.v_c_peak, s.x_final, s.energy_source, math.nan) for s in found]
    errors = {k: s.error for k, s in enumerate(found) if s.error is not None}
    return _bank([s.t_spike for s in found], rows, errors, "reference")


def _by_equations(
    samples: Samples,
    causes: AbstractSet[Cause],
    rtol: float | None,
    threads: int,
    progress: Callable[[float], None] | None,
) -> Bank:
    from spicealif.circuit import solve_circuit

    neurons = [samples.neuron_of(k) for k in range(samples.n)]
    stop = threading.Event()

    def go_on(_: float) -> None:
        if stop.is_set():
            raise _Stopped

    def one(neuron: Neuron) -> tuple[_Floats, tuple[float, ...], str | None]:
        try:
            w = solve_circuit(neuron, causes=causes, rtol=rtol, progress=go_on)
        except IntegrationError as error:
            return np.empty(0), (math.nan,) * 5, str(error)
        v_c, x = w["v_c"], float(w["x"][-1]) if "x" in w else math.nan
        energies = float(w.attrs["energy_source"]), float(w.attrs.get("energy_supply", math.nan))
        return w.t_spike, (float(v_c[-1]), float(v_c.max()), x, *energies), None

    # The compiled integrator lets other threads run.
    with ThreadPoolExecutor(threads) as pool:
        tasks = [pool.submit(one, neuron) for neuron in neurons]
        try:
            _watch(tasks, progress)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    found = [task.result() for task in tasks]
    errors = {k: error for k, (_, _, error) in enumerate(found) if error is not None}
    return _bank([t for t, _, _ in found], [row for _, row, _ in found], errors, "equations")


class _Stopped(Exception):
    """Ends a solution that nobody waits for any more."""


def _watch(tasks: Sequence[Future[Any]], progress: Callable[[float], None] | None) -> None:
    """Wait until all are done; raise what the first to fail raised."""
    waiting = set(tasks)
    while waiting:
        finished, waiting = wait(waiting, _LOOK, FIRST_COMPLETED)
        for task in finished:
            task.result()
        if progress is not None:
            progress(1 - len(waiting) / len(tasks))


def _bank(
    trains: Sequence[_Floats],
    rows: Sequence[tuple[float, ...]],
    errors: Mapping[int, str],
    side: BankSide,
) -> Bank:
    counts = np.array([len(train) for train in trains], dtype=np.int64)
    figures = np.array(rows, dtype=float).T.copy()
    figures[:, list(errors)] = math.nan
    times = np.concatenate(trains) if trains else np.empty(0)
    return _made(times, counts, figures, errors, side)


def _made(
    times: _Floats,
    counts: NDArray[np.int64],
    figures: _Floats,
    errors: Mapping[int, str],
    side: BankSide,
) -> Bank:
    (v_c, peak, x, source, supply) = figures
    return Bank(times, counts, v_c, peak, x, source, supply, errors, side)
