"""What every described thing shares: frozen values, quantities with units, errors as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from pydantic import ValidationError as _ValidationError
from pydantic_core import PydanticSerializationError

from spicealif.design._changes import Whole, nest, with_changes
from spicealif.design._sentences import sentence
from spicealif.errors import DesignError
from spicealif.quantities.grammar import PLAIN_KELVIN, parse_count, parse_quantity

if TYPE_CHECKING:
    # The class of pydantic's classes is public only as ``type(BaseModel)``, which a type
    # checker cannot subclass.
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

__all__ = [
    "Ampere",
    "AmperePerSquareVolt",
    "Coulomb",
    "Count",
    "Farad",
    "Hertz",
    "Identifier",
    "Kelvin",
    "Number",
    "Ohm",
    "Part",
    "PerKelvin",
    "PerSecond",
    "PerVolt",
    "Radian",
    "Second",
    "Volt",
    "VoltPerKelvin",
    "VoltPerSecond",
    "parse_quantity",
    "written_kelvin",
]


def _quantity(unit: str) -> Any:
    return Annotated[
        float,
        BeforeValidator(lambda v: parse_quantity(v, unit), json_schema_input_type=float | str),
        Field(allow_inf_nan=False, json_schema_extra={"unit": unit or "1"}),
    ]


def written_kelvin(temperature: float | None) -> float | str | None:
    """Return a temperature as a file states it: with its unit where it would else be asked for."""
    if temperature is None or PLAIN_KELVIN[0] <= temperature <= PLAIN_KELVIN[1]:
        return temperature
    return f"{temperature!r} K"


# A type checker sees plain floats; pydantic sees floats that also take "4.7k" and know a unit.
if TYPE_CHECKING:
    Ampere: TypeAlias = float
    AmperePerSquareVolt: TypeAlias = float
    Coulomb: TypeAlias = float
    Count: TypeAlias = int
    Farad: TypeAlias = float
    Hertz: TypeAlias = float
    Kelvin: TypeAlias = float
    Number: TypeAlias = float
    Ohm: TypeAlias = float
    PerSecond: TypeAlias = float
    PerKelvin: TypeAlias = float
    PerVolt: TypeAlias = float
    Radian: TypeAlias = float
    Second: TypeAlias = float
    Volt: TypeAlias = float
    VoltPerKelvin: TypeAlias = float
    VoltPerSecond: TypeAlias = float
    Identifier: TypeAlias = str
else:
    Ampere = _quantity("A")
    AmperePerSquareVolt = _quantity("A/V^2")
    Coulomb = _quantity("C")
    Count = Annotated[int, BeforeValidator(parse_count, json_schema_input_type=int | str)]
    Farad = _quantity("F")
    Hertz = _quantity("Hz")
    Kelvin = Annotated[_quantity("K"), PlainSerializer(written_kelvin, when_used="json")]
    Number = _quantity("")
    Ohm = _quantity("ohm")
    PerSecond = _quantity("1/s")
    PerKelvin = _quantity("1/K")
    PerVolt = _quantity("1/V")
    Radian = _quantity("rad")
    Second = _quantity("s")
    Volt = _quantity("V")
    VoltPerKelvin = _quantity("V/K")
    VoltPerSecond = _quantity("V/s")
    # pydantic matches with Rust's engine, where '$' is the very end of the text; Python's '$'
    # would let a final newline pass.
    Identifier = Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)
    ]


class _PartMeta(ModelMetaclass):
    """Turns pydantic's report into one sentence, for whoever calls a class directly."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 (of a metaclass)
        try:
            return super().__call__(*args, **kwargs)
        except _ValidationError as error:
            model = cast("type[BaseModel]", cls)
            raise DesignError(sentence(error, model)) from None


class Part(BaseModel, metaclass=_PartMeta):
    """A frozen, validated description; the base of everything in a design.

    Raises
    ------
    DesignError
        If a value is missing, unknown, or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build from nested dictionaries, as a TOML or JSON file holds them.

        Parameters
        ----------
        data : mapping
            The fields, nested parts as mappings.

        Returns
        -------
        Part

        Raises
        ------
        DesignError
            If a value is missing, unknown, or out of range.
        """
        try:
            return cls.model_validate(dict(data))
        except _ValidationError as error:
            raise DesignError(sentence(error, cls)) from None

    def __setattr__(self, name: str, value: object) -> None:
        # functools.cached_property writes to __dict__ and does not come by here.
        raise DesignError(f"{name} cannot be changed in place; use .replace({name}=...) instead.")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as nested dictionaries of plain numbers and texts."""
        try:
            return self.model_dump(mode="json", exclude_none=True)
        except PydanticSerializationError as error:
            if "KeyboardInterrupt" in str(error):  # swallowed, with no other trace of it
                raise KeyboardInterrupt from None
            raise

    def replace(self, changes: Mapping[str, Any] | None = None, /, **fields: Any) -> Self:
        """Return a copy with some fields changed and everything validated again.

        Parameters
        ----------
        changes : mapping, optional
            New values by dotted name, such as ``{"leak.tau": 1e-3, "c": "220n"}``.
        **fields
            New values of top-level fields.

        Returns
        -------
        Part

        Raises
        ------
        DesignError
            If a name is unknown or a value is out of range.
        """
        old = self.to_dict()
        named = {**(changes or {}), **fields}
        nested: dict[str, Any] = {}
        # Whole parts come before the fields in them, whatever the order.
        for name in sorted(named, key=lambda n: n.count(".")):
            nest(nested, name, _plain(named[name]), old)
        return type(self).from_dict(with_changes(old, nested))


def _plain(value: Any) -> Any:
    """Return a value as a mapping has it; a part is given whole."""
    if isinstance(value, Part):
        return Whole(value.to_dict())
    return Whole(value) if isinstance(value, Mapping) else value
