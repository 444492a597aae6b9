"""The dataset of a sweep as figures and statistics need it: plain arrays by name and side."""

from __future__ import annotations

import difflib
import math
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_symbols import measure_label, parameter_label, plain
from spicealif.errors import SweepError
from spicealif.measures.one_side import MEASURES
from spicealif.sweep.worker import OK

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MAIN_MEASURES", "PROTOTYPE", "Results"]

_Floats = NDArray[np.float64]

#: What is drawn unless a measure is named.
MAIN_MEASURES = ("isi_mean", "adaptation_ratio", "isi_growth", "mean_rate")
#: The dimension of a Monte Carlo experiment.
PROTOTYPE = "prototype"
#: Dimensions that are not the points'.
_INNER = ("side", "pulse", "spike")


@dataclass(frozen=True, eq=False)
class Results:
    """A sweep's dataset, checked.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `Experiment.run` returns it, or a slice of one.

    Raises
    ------
    SweepError
        If it is no such dataset.
    """

    dataset: xr.Dataset

    def __post_init__(self) -> None:
        missing = [n for n in ("kind", "parameters") if n not in self.dataset.attrs]
        if missing or "status" not in self.dataset or "side" not in self.dataset.coords:
            raise SweepError(
                "The dataset is not a sweep's; give what Experiment.run returned, or a file that "
                "'spicealif sweep' wrote."
            )
        if 0 in self.dataset["status"].shape:
            raise SweepError("The dataset has no points; take a larger slice of the sweep.")

    @property
    def kind(self) -> str:
        """What the experiment is."""
        return str(self.dataset.attrs["kind"])

    @cached_property
    def name(self) -> str:
        """The neuron's name; empty if the dataset does not tell."""
        try:
            return str(tomllib.loads(str(self.dataset.attrs["design"]))["name"])
        except (KeyError, tomllib.TOMLDecodeError):
            return ""

    @cached_property
    def t_stop(self) -> float:
        """Length of the base design's run in s; NaN if the dataset does not tell."""
        try:
            return float(tomllib.loads(str(self.dataset.attrs["design"]))["t_stop"])
        except (KeyError, TypeError, ValueError):
            return math.nan

    def quiet_at_end(self, side: str) -> NDArray[np.bool_]:
        """Whether a neuron had stopped firing long before the end of its run, shape of the points.

        That is, no spike for more than twice its last interval. Only told where spike times were
        kept; False otherwise.
        """
        if "t_spike" not in self.dataset:
            return np.zeros(self.failed.shape, dtype=bool)
        times = self._reduced("t_spike", side).transpose(*self.dims, "spike").values
        last = np.where(np.isnan(times), -math.inf, times).max(axis=-1)
        return np.asarray(self.t_stop - last > 2 * self.values("isi_last", side))

    @cached_property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the points, without parameters that have one value (unless all have)."""
        shape = {str(d): k for d, k in self.dataset["status"].sizes.items() if d not in _INNER}
        long = tuple(d for d, k in shape.items() if k > 1 or d == PROTOTYPE)
        return long or tuple(shape)[-1:]

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters whose values differ between the points."""
        names = str(self.dataset.attrs["parameters"]).split()
        return tuple(n for n in names if n in self.dataset.coords and self._coord(n).ndim)

    @cached_property
    def fixed(self) -> dict[str, Any]:
        """The parameters that have one value in this slice of the sweep, with their values."""
        names = str(self.dataset.attrs["parameters"]).split()
        there = [n for n in names if n in self.dataset.coords and not self._coord(n).ndim]
        return {n: self._coord(n).values.item() for n in there}

    @cached_property
    def sides(self) -> tuple[str, ...]:
        """The sides that were computed."""
        return tuple(str(s) for s in np.atleast_1d(self.dataset["side"].values))

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Names of the variables that have one number for each point, or each point and side."""
        known = {"side", *map(str, self.dataset["status"].dims)}
        return tuple(
            str(n)
            for n, v in self.dataset.data_vars.items()
            if v.dtype.kind in "fiu" and set(map(str, v.dims)) <= known
        )

    @cached_property
    def failed(self) -> NDArray[np.bool_]:
        """Whether a point failed, shape of the points."""
        return np.asarray(self._plain("status") != OK)

    @property
    def size(self) -> int:
        """The number of points."""
        return int(self.failed.size)

    def check(self, measure: str) -> str:
        """Return the measure's name.

        Raises
        ------
        SweepError
            If the dataset has no such measure, or it is no single number.
        """
        if measure in self.measures:
            return measure
        if measure in self.dataset.data_vars:
            raise SweepError(
                f"{measure} is not one number for each point; choose one of "
                f"{', '.join(self.measures)}."
            )
        close = difflib.get_close_matches(measure, self.measures, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise SweepError(
            f"The sweep has no measure {ascii(measure)}; {hint}"
            f"There are {', '.join(self.measures)}."
        )

    def side(self, wanted: str | None = None) -> str:
        """Return the side wanted, or the first one that the points' values apply to.

        Raises
        ------
        SweepError
            If that side was not computed.
        """
        if wanted is None:
            varied = self.dataset.attrs.get("varies", "both")
            return varied if varied in self.sides else self.sides[0]
        if wanted not in self.sides:
            raise SweepError(
                f"The sweep has no side {ascii(wanted)}; choose {' or '.join(self.sides)}."
            )
        return wanted

    def sides_of(self, measure: str) -> tuple[str | None, ...]:
        """Return the sides that a measure has; None stands for a measure of the pair."""
        # A slice of one side keeps its name beside every variable, those of the pair included.
        pair = measure in MEASURES and MEASURES[measure].pair
        return (None,) if pair or "side" not in self.dataset[measure].coords else self.sides

    def values(self, measure: str, side: str | None = None) -> _Floats:
        """Return a measure of a side, shape of the points; NaN where there is none."""
        return np.asarray(self._plain(measure, side), dtype=np.float64)

    def gap(self, measure: str) -> _Floats:
        """Return circuit minus reference, shape of the points."""
        return self.values(measure, "circuit") - self.values(measure, "reference")

    def exists(self, measure: str) -> bool:
        """Return whether a measure has a value somewhere."""
        return any(np.isfinite(self.values(measure, s)).any() for s in self.sides_of(measure))

    def without(self, measure: str) -> int:
        """Return how many points did not fail and yet lack a measure, on one side at least."""
        lacking = [np.isnan(self.values(measure, s)) for s in self.sides_of(measure)]
        return int((np.any(lacking, axis=0) & ~self.failed).sum())

    @cached_property
    def main(self) -> tuple[str, ...]:
        """The main measures that have a value somewhere, or the first of them."""
        there = tuple(m for m in MAIN_MEASURES if m in self.measures)
        return tuple(m for m in there if self.exists(m)) or there[:1]

    def coordinate(self, name: str) -> NDArray[Any]:
        """Return a parameter's values along its dimension; 0, 1, ... for a dimension without."""
        if name not in self.dataset.coords:
            return np.arange(self.dataset.sizes[name])
        return np.asarray(self._coord(name).values)

    def of_points(self, name: str) -> NDArray[Any]:
        """Return a parameter's values, shape of the points."""
        coord = self._coord(name)
        template = self._reduced("status")
        return np.asarray(coord.broadcast_like(template).transpose(*self.dims).values)

    def label(self, name: str) -> str:
        """Return what a variable or a dimension is called in a figure; may hold formulas."""
        given = str(self._attrs(name).get("long_name", name))
        if name in self.dataset.data_vars:
            return measure_label(name, given)
        return parameter_label(name) if given == name else plain(given)

    def unit(self, name: str) -> str:
        """Return a variable's unit; empty for plain numbers."""
        unit = str(self._attrs(name).get("units", ""))
        return "" if unit == "1" else unit

    @cached_property
    def nominal_side(self) -> str | None:
        """The side that stays at the base design while the other one varies, if there is one."""
        varies = str(self.dataset.attrs.get("varies", "both"))
        others = [s for s in self.sides if s != varies]
        return others[0] if varies in self.sides and others else None

    def nominal(self, measure: str) -> float:
        """Return a measure of `nominal_side`; NaN if there is none."""
        if self.nominal_side is None or self.sides_of(measure) == (None,):
            return math.nan
        values = self.values(measure, self.nominal_side)
        good = values[np.isfinite(values)]
        return float(good[0]) if len(good) else math.nan

    def _attrs(self, name: str) -> dict[Any, Any]:
        return self.dataset[name].attrs if name in self.dataset.variables else {}

    def _plain(self, name: str, side: str | None = None) -> NDArray[Any]:
        return np.asarray(self._reduced(name, side).transpose(*self.dims).values)

    def _reduced(self, name: str, side: str | None = None) -> xr.DataArray:
        variable = self.dataset[name]
        if "side" in variable.dims:
            variable = variable.sel(side=self.side(side))
        return self._squeezed(variable)

    def _coord(self, name: str) -> xr.DataArray:
        return self._squeezed(self.dataset[name])

    def _squeezed(self, variable: xr.DataArray) -> xr.DataArray:
        short = [d for d in variable.dims if str(d) not in self.dims and variable.sizes[d] == 1]
        return variable.isel(dict.fromkeys(short, 0))
