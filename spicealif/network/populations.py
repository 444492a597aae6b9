"""Neurons of one design, and what differs from one of them to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    SerializationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from spicealif.design import Neuron, load_preset
from spicealif.design._base import Identifier, Number, Part
from spicealif.design.store import from_table
from spicealif.errors import DesignError, SweepError
from spicealif.network.arrays import KEEP, Currents, Times, Values, quantities

if TYPE_CHECKING:
    from spicealif.sweep.tolerances import Tolerance

__all__ = ["MAX_SIZE", "Population", "Scatter", "StimulusArrays", "Tolerances"]

#: Neurons in a population; more are a slip of the pen.
MAX_SIZE = 1_000_000


class Scatter(Part):
    """How one parameter scatters around the design's value; see `spicealif.Tolerance`.

    Attributes
    ----------
    parameter : str
        Dotted name, such as ``"c"`` or ``"leak.r_on"``.
    spread : float
    distribution : {"uniform", "normal", "lognormal"}
    relative : bool
    source : str
    """

    parameter: str = Field(description="dotted name")
    spread: Number = Field(gt=0, description="a part of the value, or in the parameter's unit")
    distribution: Literal["uniform", "normal", "lognormal"] = "uniform"
    relative: bool = Field(default=True, description="whether the spread is a part of the value")
    source: str = Field(default="", description="where the figure comes from")

    @property
    def tolerance(self) -> Tolerance:
        """The same as the class that draws it."""
        from spicealif.sweep.tolerances import Tolerance

        return Tolerance(self.parameter, self.spread, self.distribution, self.relative, self.source)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        _ = self.tolerance
        return self


class Tolerances(Part):
    """That the parts of a population's neurons scatter, each neuron's for itself.

    Attributes
    ----------
    of : sequence of Scatter, optional
        What scatters; `spicealif.sweep.tolerances_of` the neuron where it is not given, but for
        the temperature: neurons of a network are in one room.
    seed : int, optional
        Of these values; from the network's where it is not given.
    """

    of: tuple[Scatter, ...] | None = Field(default=None, description="what scatters")
    seed: int | None = Field(default=None, ge=0, description="of these values")

    def chosen(self, neuron: Neuron) -> tuple[Tolerance, ...]:
        """Return what scatters of a neuron."""
        from spicealif.sweep.tolerances import tolerances_of

        if self.of is not None:
            return tuple(scatter.tolerance for scatter in self.of)
        return tuple(t for t in tolerances_of(neuron) if t.parameter != "temperature")

    def draw(self, neuron: Neuron, size: int, seed: int) -> dict[str, Values]:
        """Return the values of `size` neurons by dotted name.

        Raises
        ------
        SweepError
            If a parameter is not there, is no number, or scatters twice.
        """
        from spicealif.sweep.tolerances import MonteCarlo

        drawn = MonteCarlo(
            neuron, size, self.chosen(neuron), seed if self.seed is None else self.seed,
            sides="reference",
        )  # fmt: skip
        return {name: Values(values) for name, values in drawn.points.values.items()}


class StimulusArrays(Part):
    """The input current of each neuron as an array, straight lines between its points.

    Attributes
    ----------
    t : array, shape (k,)
        Times in s, as of a stimulus of kind ``pwl``.
    i : array, shape (size, k)
        Currents in A.
    """

    t: Times = Field(description="times in s")
    i: Currents = Field(description="currents in A, a row for each neuron")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        n = self.t.shape[0]
        if self.i.shape[1] != n:
            raise ValueError(
                f"stimuli.i has {self.i.shape[1]} currents for each neuron and stimuli.t {n} "
                "times; give as many"
            )
        return self


def _neuron(value: object) -> object:
    """Take a preset by name, and a table that starts from one."""
    if isinstance(value, str):
        if value.endswith(".toml"):
            raise ValueError(
                f"neuron = {ascii(value)} is a file, which only a network's own file can name; "
                "give load_toml of it"
            )
        return load_preset(value)
    if isinstance(value, Mapping) and "preset" in value:
        return from_table(dict(value))
    return value


if TYPE_CHECKING:
    _AnyNeuron: TypeAlias = Neuron
else:
    _AnyNeuron = Annotated[Neuron, BeforeValidator(_neuron)]


class Population(Part):
    """Neurons of one design.

    Attributes
    ----------
    name : str
        The k-th neuron, from 0, is called ``name_k``.
    neuron : Neuron
        The design, or the name of a preset, or a table that starts from one; its ``t_stop`` is
        the network's.
    size : int
    parameters : mapping of str to array
        What differs from neuron to neuron, by dotted name, such as ``"stimulus.amplitude"``: as
        many numbers as there are neurons, in SI units, or texts with units.
    stimuli : StimulusArrays, optional
        Input currents that differ in more than parameters; instead of the design's stimulus.
    tolerances : Tolerances, optional
    """

    name: Identifier = Field(description="letters, digits and underscores")
    neuron: _AnyNeuron = Field(description="the design")
    size: int = Field(ge=1, le=MAX_SIZE, description="number of neurons")
    parameters: Mapping[str, Values] = Field(
        default={},
        description="arrays by dotted name",
        json_schema_extra={"additionalProperties": {"type": ["array", "object"]}},
    )
    stimuli: StimulusArrays | None = Field(default=None, description="input currents as arrays")
    tolerances: Tolerances | None = Field(default=None, description="how its parts scatter")

    @field_validator("parameters", mode="plain")
    @classmethod
    def _with_units(cls, value: Any, info: Any) -> dict[str, Values]:
        from spicealif.sweep.space import design_value, unit_of

        if not isinstance(value, Mapping):
            raise ValueError("is no table; write parameters = { c = [...] }")
        neuron = info.data.get("neuron")
        if neuron is None:  # which has been refused itself
            return {}
        out = {}
        for name, numbers in _flat(value).items():
            try:
                old = design_value(neuron, name)
            except SweepError as error:
                raise ValueError(str(error)) from None
            if isinstance(old, bool) or not isinstance(old, int | float | None):
                raise ValueError(
                    f"parameters.{name} is {old!r} in the design, no number; give arrays of "
                    "numbers only"
                )
            if name == "t_stop":
                raise ValueError("The neurons of a network end together; set the network's t_stop.")
            try:
                out[name] = quantities(numbers, unit_of(neuron, name), (1,))
            except ValueError as error:
                raise ValueError(f"parameters.{name} {error}") from None
        return out

    @field_serializer("parameters")
    def _arrays(self, value: Mapping[str, Values], info: SerializationInfo) -> dict[str, Any]:
        keep = (info.context or {}).get(KEEP, Values.tolist) if info.context else Values.tolist
        return {name: keep(numbers) for name, numbers in value.items()}

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        for name, numbers in self.parameters.items():
            if len(numbers) != self.size:
                raise ValueError(
                    f"parameters.{name} of the population {self.name!r} has {len(numbers)} values "
                    f"for {self.size} neurons; give one for each"
                )
        if self.stimuli is not None:
            rows = self.stimuli.i.shape[0]
            if rows != self.size:
                raise ValueError(
                    f"stimuli.i of the population {self.name!r} has {rows} rows for {self.size} "
                    "neurons; give one for each"
                )
            if named := [n for n in self.parameters if n.partition(".")[0] == "stimulus"]:
                raise ValueError(
                    f"The population {self.name!r} has stimuli as arrays and {named[0]} among its "
                    "parameters; give one of the two"
                )
        if self.tolerances is not None:
            chosen = [t.parameter for t in self.tolerances.chosen(self.neuron)]
            if both := set(chosen) & set(self.parameters):
                raise ValueError(
                    f"{min(both)} of the population {self.name!r} has values and a tolerance; give "
                    "one of the two"
                )
            self.tolerances.draw(self.neuron, 1, 0)
        return self

    def __hash__(self) -> int:
        return hash((self.name, self.size, self.neuron))

    def replace(self, changes: Mapping[str, Any] | None = None, /, **fields: Any) -> Self:
        """See `Part.replace`; ``parameters.stimulus.amplitude`` names one of the arrays."""
        named = {**(changes or {}), **fields}
        arrays = {n.partition(".")[2]: v for n, v in named.items() if n.startswith("parameters.")}
        rest = {n: v for n, v in named.items() if not n.startswith("parameters.")}
        if arrays:
            if "parameters" in rest:
                raise DesignError("parameters is given as a whole and in part; give one of these.")
            kept = {**self.parameters, **arrays}
            rest["parameters"] = {n: v for n, v in kept.items() if v is not None}
        out = {name: getattr(self, name) for name in type(self).model_fields}
        own = {n: v for n, v in rest.items() if "." not in n}
        inner: dict[str, dict[str, Any]] = {}
        for name, value in rest.items():
            if "." in name:
                part, _, behind = name.partition(".")
                inner.setdefault(part, {})[behind] = value
        out |= own
        for part, changed in inner.items():
            there = out.get(part)
            if not isinstance(there, Part):
                raise DesignError(
                    f"A population has no {ascii(f'{part}.{next(iter(changed))}')}; use a name "
                    "such as neuron.c or parameters.c."
                )
            out[part] = there.replace(changed)
        return type(self)(**out)


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return tables in tables (``stimulus = {amplitude = [...]}``) by dotted names."""
    out: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping) and set(value) != {"array"}:
            out |= _flat(value, f"{before}{key}.")
        else:
            out[f"{before}{key}"] = value
    return out
