"""The samples of a bank: their values as arrays, validated where the values are at their ends."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.design import Constant, Memristor, MemristorModel, Neuron, PiecewiseLinear
from spicealif.design._working import floor_factors
from spicealif.errors import DesignError
from spicealif.reference import Variant

if TYPE_CHECKING:
    from spicealif.reference.batch.columns import Drive

__all__ = ["Samples"]

_Floats = NDArray[np.float64]

#: The key of a whole current for each sample.
_CURRENT = "stimulus"
#: Fields of a stimulus that its current is linear in.
_LINEAR = ("amplitude", "offset")
#: With more values than this, corners would be more than is worth it: every sample is validated.
_MOST_CORNERS = 7


class Samples:
    """The samples' values, and each one as a neuron if need be."""

    def __init__(
        self, neuron: Neuron, values: Mapping[str, ArrayLike], times: ArrayLike | None = None
    ) -> None:
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
        self.times = self._checked_times(times)

    def _checked_times(self, times: ArrayLike | None) -> _Floats:
        """Return when the currents hold, shape (K,)."""
        i, t_stop = self.columns.get(_CURRENT), self.neuron.t_stop
        k = 1 if i is None or i.ndim == 1 else i.shape[1]
        if times is None:
            return _times(k, t_stop)
        t = np.asarray(times, dtype=float)
        if i is None or i.ndim == 1:
            raise DesignError(
                "times are given, and no currents at these times; give 'stimulus' of shape (n, K)."
            )
        if t.shape != (k,):
            raise DesignError(
                f"times has the shape {t.shape} for {k} currents a sample; give one for each."
            )
        if not (np.all(np.diff(t) > 0) and t[0] == 0 and t[-1] == t_stop):
            raise DesignError(
                f"times do not rise from 0 to t_stop = {t_stop:g} s; give the first as 0, the last "
                "as t_stop, and none twice."
            )
        return t

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
            name: _stimulus(value, self.times) if name == _CURRENT else float(value)
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
            t = self.times
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


def _stimulus(value: Any, times: _Floats) -> Constant | PiecewiseLinear:
    """Return a sample's current as a stimulus."""
    i = np.atleast_1d(value)
    if len(i) == 1:
        return Constant(amplitude=float(i[0]))
    return PiecewiseLinear(t=tuple(times.tolist()), i=tuple(i.tolist()))


def _ends(array: _Floats) -> list[int]:
    """Return which samples have the least and the largest value."""
    rows = array.reshape(len(array), -1)
    return sorted({int(rows.min(axis=1).argmin()), int(rows.max(axis=1).argmax())})
