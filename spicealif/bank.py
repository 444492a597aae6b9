"""Many runs of one neuron with other currents and parameters, given as arrays.

A validated `Neuron` for each sample would take longer than its reference takes to integrate. Here
the design is validated where the values are at their ends, and the samples go to the batched kernel
as columns.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif._support.cores import usable_cores
from spicealif.design import Constant, Memristor, MemristorModel, Neuron, PiecewiseLinear, Resistor
from spicealif.design._working import floor_factors
from spicealif.errors import DesignError, IntegrationError
from spicealif.reference import Variant, check_variant, solve_references

if TYPE_CHECKING:
    from spicealif.reference.batch.columns import Drive

__all__ = ["Bank", "BankSide", "solve_bank"]

_Floats = NDArray[np.float64]
BankSide: TypeAlias = Literal["reference", "equations"]

_SIDES = ("reference", "equations")
#: The key of a whole current for each sample.
_CURRENT = "stimulus"
#: Fields of a stimulus that its current is linear in.
_LINEAR = ("amplitude", "offset")
#: With more values than this, corners would be more than is worth it: every sample is validated.
_MOST_CORNERS = 7
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
    energy_source : ndarray, shape (n,)
        Energy that the source has delivered in J.
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
    variant: Variant = "ideal",
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
        neuron's: shape (n,) for currents that do not change, shape (n, K) for K currents at equally
        spaced times from 0 to t_stop, joined by straight lines.
    side : {"reference", "equations"}
        The paper's equations by RK4, or the circuit's own.
    variant : {"ideal", "schmitt"}
        The reference, see `solve_reference`.
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
    samples = _Samples(neuron, values)
    workers = usable_cores() if threads is None else threads
    if side == "equations":
        return _by_equations(samples, rtol, workers, progress)
    if not samples.fast(variant):
        return _by_reference(samples, variant, workers, progress)
    samples.validate()
    return _by_columns(samples, variant, workers, progress)


class _Samples:
    """The samples' values, and each one as a neuron if need be."""

    def __init__(self, neuron: Neuron, values: Mapping[str, ArrayLike]) -> None:
        if not values:
            raise DesignError("There are no values; give at least one array, such as leak.tau.")
        self.neuron = neuron
        self.columns = {str(name): _column(str(name), array) for name, array in values.items()}
        inner = [name for name in self.columns if name.startswith(f"{_CURRENT}.")]
        if _CURRENT in self.columns and inner:
            raise DesignError(
                f"The current is given as a whole and {inner[0]} too; leave one of them out."
            )
        lengths = {name: len(array) for name, array in self.columns.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {count}" for name, count in lengths.items())
            raise DesignError(f"The arrays differ in length ({told}); give one value a sample.")
        self.n = next(iter(lengths.values()))
        if not self.n:
            raise DesignError("The arrays are empty; give at least one sample.")

    def neuron_of(self, k: int) -> Neuron:
        """Return sample k as a neuron.

        Raises
        ------
        DesignError
            Which begins with the number of the sample.
        """
        try:
            return self._changed({name: array[k] for name, array in self.columns.items()})
        except DesignError as error:
            raise DesignError(f"Sample {k}: {error}") from None

    def _changed(self, values: Mapping[str, Any]) -> Neuron:
        changes: dict[str, Any] = {
            name: _stimulus(value, self.neuron.t_stop) if name == _CURRENT else float(value)
            for name, value in values.items()
        }
        return self.neuron.replace(changes)

    def fast(self, variant: Variant) -> bool:
        """Return whether all of it can be columns of the batched kernel."""
        from spicealif.reference.batch.columns import COLUMNS

        known = COLUMNS - ({"v_th"} if variant == "schmitt" else set())
        here = self.neuron.temperature == self.neuron.temperature_nominal
        moved = not here or "temperature" in self.columns
        # The columns know no coefficients; the MOSFET, which has some, is of one variant.
        if moved and (variant == "schmitt" or self.neuron.tc_r or self.neuron.tc_c):
            return False
        if isinstance(self.neuron.leak, MemristorModel) and type(self.neuron.leak) is not Memristor:
            return False
        for name in self.columns:
            linear = name.removeprefix(f"{_CURRENT}.") in _LINEAR
            if name not in known and name != _CURRENT and not linear:
                return False
        return self.drive is not None

    @cached_property
    def drive(self) -> Drive | None:
        """The stimuli as the kernel takes them; None if their corners differ."""
        from spicealif.reference.batch.columns import Drive

        t_stop = self.neuron.t_stop
        if _CURRENT in self.columns:
            i = self.columns[_CURRENT]
            none = np.empty((1, 0, 4))
            if i.ndim == 1 or i.shape[1] == 1:
                i = i.reshape(-1, 1)
                return Drive(np.array([0.0, t_stop]), i, np.zeros((1, 1)), none)
            t = _times(i.shape[1], t_stop)
            return Drive(t, i[:, :-1], np.diff(i, axis=1) / np.diff(t), none)
        varied = [f for f in _LINEAR if f"{_CURRENT}.{f}" in self.columns]
        base = self.neuron.stimulus
        zero = base.replace(dict.fromkeys(varied, 0.0)).pieces(t_stop) if varied else None
        first = zero or base.pieces(t_stop)
        i, slope, sines = first.i[None], first.slope[None], first.sines[None]
        for field in varied:
            one = base.replace({**dict.fromkeys(varied, 0.0), field: 1.0}).pieces(t_stop)
            if not np.array_equal(one.t, first.t) or one.sines.shape != first.sines.shape:
                return None
            factor = self.columns[f"{_CURRENT}.{field}"][:, None]
            i = i + factor * (one.i - first.i)
            slope = slope + factor * (one.slope - first.slope)
            sines = sines + factor[:, :, None] * (one.sines - first.sines)
        return Drive(first.t, i, slope, sines)

    def validate(self) -> None:
        """Check every sample's design.

        What a design is refused for is a bound of one value, or of something that rises or falls
        with each of them, or, where a discharge ends, a product of such; so all are good if those
        at the corners are. Where one is not, the samples are looked at one by one.
        """
        bad = [array.reshape(self.n, -1) for array in self.columns.values()]
        finite = np.all([np.isfinite(array).all(axis=1) for array in bad], axis=0)
        if not finite.all():
            self.neuron_of(int(np.argmin(finite)))  # which says what is wrong
        ends = [[array[k] for k in _ends(array)] for array in self.columns.values()]
        if 2 ** len(ends) < min(self.n, 2**_MOST_CORNERS):
            try:
                corners = [
                    self._changed(dict(zip(self.columns, corner, strict=True)))
                    for corner in itertools.product(*ends)
                ]
            except DesignError:
                corners = []
            if corners and not _may_latch(corners):
                return
        for k in range(self.n):
            self.neuron_of(k)


def _may_latch(corners: Sequence[Neuron]) -> bool:
    """Return whether a sample between the corners might hold its MOSFET on."""
    factors = [floor_factors(neuron) for neuron in corners]
    most = max(v for v, _ in factors) * max(share for _, share in factors)
    return not most < min(neuron.effective_thresholds[1] for neuron in corners)


def _column(name: str, values: ArrayLike) -> _Floats:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise DesignError(
            f"The values of {ascii(name)} are no array of numbers; give SI numbers, one a sample."
        ) from None
    if array.ndim != 1 and not (name == _CURRENT and array.ndim == 2 and array.shape[1]):
        form = "(n,) or (n, K)" if name == _CURRENT else "(n,)"
        raise DesignError(f"The values of {ascii(name)} have the shape {array.shape}; give {form}.")
    return array


def _times(k: int, t_stop: float) -> _Floats:
    t = np.linspace(0.0, t_stop, k)
    t[-1] = t_stop
    return t


def _stimulus(value: Any, t_stop: float) -> Constant | PiecewiseLinear:
    """Return a sample's current as a stimulus."""
    i = np.atleast_1d(value)
    if len(i) == 1:
        return Constant(amplitude=float(i[0]))
    return PiecewiseLinear(t=tuple(_times(len(i), t_stop).tolist()), i=tuple(i.tolist()))


def _ends(array: _Floats) -> list[int]:
    """Return which samples have the least and the largest value."""
    rows = array.reshape(len(array), -1)
    return sorted({int(rows.min(axis=1).argmin()), int(rows.max(axis=1).argmax())})


def _by_columns(
    samples: _Samples, variant: Variant, threads: int, progress: Callable[[float], None] | None
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
    figures = ends[:, [of.END_V, of.END_PEAK, of.END_X, of.END_ENERGY]].T.copy()
    if isinstance(samples.neuron.leak, Resistor):
        figures[2] = math.nan
    figures[:, bad] = math.nan
    return _made(times, counts, figures, errors, "reference")


def _by_reference(
    samples: _Samples, variant: Variant, threads: int, progress: Callable[[float], None] | None
) -> Bank:
    neurons = [samples.neuron_of(k) for k in range(samples.n)]
    found = solve_references(neurons, variant, threads=threads, progress=progress)
    rows = [(s.v_c_final, s.v_c_peak, s.x_final, s.energy_source) for s in found]
    errors = {k: s.error for k, s in enumerate(found) if s.error is not None}
    return _bank([s.t_spike for s in found], rows, errors, "reference")


def _by_equations(
    samples: _Samples,
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
            w = solve_circuit(neuron, rtol=rtol, progress=go_on)
        except IntegrationError as error:
            return np.empty(0), (math.nan,) * 4, str(error)
        v_c, x = w["v_c"], float(w["x"][-1]) if "x" in w else math.nan
        energy = float(w.attrs["energy_source"])
        return w.t_spike, (float(v_c[-1]), float(v_c.max()), x, energy), None

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
    (v_c, peak, x, energy) = figures
    return Bank(times, counts, v_c, peak, x, energy, errors, side)
