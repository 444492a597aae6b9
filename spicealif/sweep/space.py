"""Which points an experiment has: parameters of the design, and how their values are chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Neuron
from spicealif.design._base import written_kelvin
from spicealif.errors import SweepError
from spicealif.quantities.grammar import parse_any, quantity_of

__all__ = [
    "SAMPLINGS",
    "Points",
    "Range",
    "Sampling",
    "checked_count",
    "design_value",
    "sweep_points",
    "uniforms",
    "unit_of",
]

Sampling: TypeAlias = Literal["grid", "list", "random", "latin-hypercube", "sobol"]
SAMPLINGS: tuple[str, ...] = get_args(Sampling)
#: An experiment of more points than this is refused as a slip of the pen.
MAX_POINTS = 10_000_000
#: An experiment of more numbers (points times parameters) than this does not fit into the memory.
_MAX_NUMBERS = 100_000_000


@dataclass(frozen=True)
class Range:
    """An interval to draw a parameter's values from.

    Parameters
    ----------
    low, high : float or str
        Its ends, in the parameter's SI unit or as ``"4.7k"``.
    log : bool
        Draw evenly on a logarithmic scale.

    Raises
    ------
    SweepError
        If the ends are not numbers, not in order, or not positive for `log`.

    Examples
    --------
    >>> sweep = Sweep(load_preset("paper"), {"c": Range("47n", "220n", log=True)}, "sobol", n=8)
    >>> len(sweep)
    8
    """

    low: float | str
    high: float | str
    log: bool = False

    def __post_init__(self) -> None:
        low, high = (self._first_look(end) for end in (self.low, self.high))
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SweepError(f"A range from {self.low} to {self.high} is empty; give low < high.")
        if self.log and not low > 0:
            raise SweepError(
                f"A logarithmic range cannot begin at {self.low}; begin above 0, or leave log out."
            )

    @staticmethod
    def _first_look(end: float | str) -> float:
        """Return an end whose unit is not known yet."""
        if isinstance(end, float) and not math.isfinite(end):
            return end
        try:
            return parse_any(end)
        except ValueError as error:
            raise SweepError(f"An end of the range {error}.") from None

    def ends(self, name: str, unit: str) -> tuple[float, float]:
        """Return the ends as numbers in the SI unit of the parameter that they are of."""
        label = f"An end of the range of {name}"
        low, high = (quantity_of(label, end, unit, SweepError) for end in (self.low, self.high))
        return low, high

    def at(self, u: NDArray[np.float64], name: str, unit: str) -> NDArray[np.float64]:
        """Return a parameter's values at the fractions `u` (0 to 1) of the way from low to high."""
        low, high = self.ends(name, unit)
        if self.log:
            return np.asarray(low * (high / low) ** u)
        return np.asarray(low + (high - low) * u)


@dataclass(frozen=True, eq=False)
class Points:
    """The points of an experiment.

    Attributes
    ----------
    values : mapping of str to ndarray, shape (n_points,)
        Each parameter's values; numbers in SI units, or texts for choices such as ``"ideal"``.
    dims : mapping of str to int
        Dimensions of the result and their lengths, the last one varying fastest; their product is
        the number of points.
    """

    values: Mapping[str, NDArray[Any]]
    dims: Mapping[str, int]

    def __len__(self) -> int:
        return math.prod(self.dims.values())

    def changes(self, index: int) -> dict[str, float | str]:
        """Return the values of a point, as `Neuron.replace` takes them."""
        # As Python's own numbers and texts; an array of texts holds those already.
        return {
            name: _with_kelvin(name, column[index : index + 1].tolist()[0])
            for name, column in self.values.items()
        }


def sweep_points(
    neuron: Neuron,
    over: Mapping[str, Sequence[float | str] | NDArray[Any] | Range],
    sampling: Sampling = "grid",
    n: int | None = None,
    seed: int = 0,
) -> Points:
    """Choose the points of a sweep.

    Parameters
    ----------
    neuron : Neuron
        Where the points start from.
    over : mapping of str to values
        For each parameter (dotted name, such as ``"leak.tau"``) its values, or a `Range`.
    sampling : {"grid", "list", "random", "latin-hypercube", "sobol"}
        ``grid``: all combinations. ``list``: the k-th values of all parameters make the k-th
        point. The others draw `n` points from ranges.
    n : int, optional
        Number of points that are drawn.
    seed : int
        The same seed draws the same points.

    Returns
    -------
    Points

    Raises
    ------
    SweepError
        If there is no such parameter, or values, sampling and number do not fit each other.
    """
    if sampling not in SAMPLINGS:
        raise SweepError(
            f"There is no sampling {ascii(sampling)}; choose one of {', '.join(SAMPLINGS)}."
        )
    if not over:
        raise SweepError("Nothing is varied; name a parameter with its values.")
    for name in over:
        design_value(neuron, name)
    drawn = sampling not in ("grid", "list")
    if drawn:
        number = checked_count(n, "points to draw", len(over))
        return Points(_drawn(neuron, over, sampling, number, seed), {"point": number})
    if n is not None:
        raise SweepError(f"The number of points of a {sampling} follows from its values; leave n.")
    if sampling == "grid":
        # before anything of that size is made
        sizes = [len(v) for v in over.values() if not isinstance(v, Range | str | int | float)]
        points = math.prod(sizes)
        if points > MAX_POINTS or points * len(over) > _MAX_NUMBERS:
            raise SweepError(
                f"The grid would have {points} points of {len(over)} values, more than "
                f"{MAX_POINTS} points or what fits into the memory; take fewer values."
            )
    columns = {name: _column(neuron, name, values) for name, values in over.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if sampling == "list":
        if len(set(lengths.values())) != 1:
            told = ", ".join(f"{name} has {k}" for name, k in lengths.items())
            raise SweepError(f"A list needs as many values of each parameter, and {told}.")
        return Points(columns, {"point": next(iter(lengths.values()))})
    grids = np.meshgrid(*columns.values(), indexing="ij")
    return Points(
        {name: grid.ravel() for name, grid in zip(columns, grids, strict=True)},
        lengths,
    )


def uniforms(n: int, k: int, sampling: str, seed: int) -> NDArray[np.float64]:
    """Draw numbers from 0 to 1, both excluded, shape (n, k).

    Raises
    ------
    SweepError
        If the seed is no number of 0 or more.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SweepError(f"The seed is {ascii(seed)}; give a whole number of 0 or more.")
    if sampling == "random":
        u = np.random.Generator(np.random.PCG64(seed)).random((n, k))
    else:
        from scipy.stats import qmc

        if sampling == "sobol":
            import warnings

            with warnings.catch_warnings():
                # SciPy warns where n is no power of 2: the balance is then not perfect.
                warnings.simplefilter("ignore")
                u = qmc.Sobol(k, scramble=True, seed=seed).random(n)
        else:
            u = qmc.LatinHypercube(k, seed=seed).random(n)
    tiny = np.finfo(float).tiny
    return np.clip(u, tiny, 1 - np.finfo(float).epsneg)


def design_value(neuron: Neuron, name: str) -> Any:
    """Return the value of a parameter by its dotted name.

    Raises
    ------
    SweepError
        If there is none of this name, or it is a part rather than a value.
    """
    try:
        value = reduce(getattr, name.split("."), neuron)
    except AttributeError:
        value = neuron
    known = _names(neuron.to_dict())
    # What is not given is not among them, and can be varied all the same.
    known += [f"numerics.{key}" for key in ("reltol", "h") if getattr(neuron.numerics, key) is None]
    if name not in known or hasattr(value, "to_dict"):
        import difflib

        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise SweepError(
            f"The neuron has no parameter {ascii(name)}; {hint}'spicealif presets NAME' lists them."
        )
    return value


def _names(data: Mapping[str, Any], before: str = "") -> list[str]:
    out = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            out += _names(value, f"{before}{key}.")
        else:
            out.append(f"{before}{key}")
    return out


def checked_count(n: Any, what: str, columns: int = 1) -> int:
    """Return a number of points, of so many values each, if that many can be computed.

    Parameters
    ----------
    n : int
    what : str
        What is counted, for the sentence.
    columns : int
        Values that are drawn for each.

    Raises
    ------
    SweepError
        If it is not a whole number from 1 to `MAX_POINTS`, or the values do not fit into the
        memory.
    """
    most = min(MAX_POINTS, _MAX_NUMBERS // max(columns, 1))
    if isinstance(n, bool) or not isinstance(n, int) or not 0 < n <= most:
        raise SweepError(
            f"The number of {what} is {n}; say how many, a whole number such as n=100 (-n 100), at "
            f"most {most}."
        )
    return n


def _with_kelvin(name: str, value: Any) -> Any:
    """Return a temperature with its unit where the design would ask for it: K it is, here."""
    if not name.startswith("temperature") or not isinstance(value, int | float):
        return value
    return written_kelvin(value)


def _drawn(
    neuron: Neuron, over: Mapping[str, Any], sampling: str, n: int, seed: int
) -> dict[str, NDArray[Any]]:
    ranges = {name: r for name, r in over.items() if isinstance(r, Range)}
    if len(ranges) < len(over):
        name = next(iter(set(over) - set(ranges)))
        raise SweepError(
            f"The values of {name} are a list, and {sampling} draws from ranges; give a "
            "Range(low, high), or choose the sampling grid or list."
        )
    units = {name: unit_of(neuron, name) for name in ranges}
    for name, r in ranges.items():
        r.ends(name, units[name])
    u = uniforms(n, len(ranges), sampling, seed)
    return {name: r.at(u[:, k], name, units[name]) for k, (name, r) in enumerate(ranges.items())}


def _column(neuron: Neuron, name: str, values: Any) -> NDArray[Any]:
    if isinstance(values, Range):
        raise SweepError(
            f"The values of {name} are a range, and a grid or list needs values; give them, for "
            "example by numpy.linspace, or choose a sampling that draws."
        )
    if isinstance(values, str | int | float):
        raise SweepError(f"The values of {name} are {values!r}; give a list of values.")
    old, unit = design_value(neuron, name), unit_of(neuron, name)
    listed = [_number(name, old, unit, value) for value in list(values)]
    if not listed:
        raise SweepError(f"There are no values of {name}; give at least one.")
    kinds = {isinstance(v, str) for v in listed}
    if len(kinds) > 1:
        raise SweepError(f"The values of {name} are numbers and texts mixed; give one kind.")
    if kinds == {True}:
        return np.array(listed, dtype=object)
    if len(set(listed)) != len(listed):
        raise SweepError(f"A value of {name} is there twice; give each value once.")
    return np.array(listed)


def _number(name: str, old: Any, unit: str, value: Any) -> Any:
    """Return a value as the design holds it: ``"100n"`` as 1e-7, ``"ideal"`` as it is."""
    if isinstance(value, np.generic):
        value = value.item()
    numeric = old is None or isinstance(old, int | float)
    known = unit != "K" or isinstance(value, bool | None)
    if numeric and (isinstance(value, str) or not known) and not isinstance(old, bool):
        value = quantity_of(f"A value of {name}", value, unit, SweepError)
    if isinstance(value, bool) or value is None or not isinstance(value, str | int | float):
        if isinstance(value, bool) and isinstance(old, bool):
            return value
        raise SweepError(f"A value of {name} is {value!r}; give numbers or names.")
    if isinstance(value, float) and not math.isfinite(value):
        raise SweepError(f"A value of {name} is {value}; give finite numbers.")
    return value


def unit_of(neuron: Neuron, name: str) -> str:
    """Return the SI unit of a parameter, from its field's description for JSON Schema."""
    *path, last = name.split(".")
    try:
        part = reduce(getattr, path, neuron)
        extra = type(part).model_fields[last].json_schema_extra
    except (AttributeError, KeyError):
        return ""
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return "" if unit == "1" else unit
