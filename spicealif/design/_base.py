"""What every described thing shares: frozen values, quantities with units, errors as sentences."""

from __future__ import annotations

import difflib
import math
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

from spicealif.errors import DesignError
from spicealif.quantities import PLAIN_KELVIN, parse_count, parse_quantity

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
    "PerSecond",
    "PerVolt",
    "Radian",
    "Second",
    "Volt",
    "VoltPerSecond",
    "current_kind",
    "parse_quantity",
]


def _quantity(unit: str) -> Any:
    return Annotated[
        float,
        BeforeValidator(lambda v: parse_quantity(v, unit), json_schema_input_type=float | str),
        Field(allow_inf_nan=False, json_schema_extra={"unit": unit or "1"}),
    ]


def _written_kelvin(temperature: float | None) -> float | str | None:
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
    PerVolt: TypeAlias = float
    Radian: TypeAlias = float
    Second: TypeAlias = float
    Volt: TypeAlias = float
    VoltPerSecond: TypeAlias = float
    Identifier: TypeAlias = str
else:
    Ampere = _quantity("A")
    AmperePerSquareVolt = _quantity("A/V^2")
    Coulomb = _quantity("C")
    Count = Annotated[int, BeforeValidator(parse_count, json_schema_input_type=int | str)]
    Farad = _quantity("F")
    Hertz = _quantity("Hz")
    Kelvin = Annotated[_quantity("K"), PlainSerializer(_written_kelvin, when_used="json")]
    Number = _quantity("")
    Ohm = _quantity("ohm")
    PerSecond = _quantity("1/s")
    PerVolt = _quantity("1/V")
    Radian = _quantity("rad")
    Second = _quantity("s")
    Volt = _quantity("V")
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
        return self.model_dump(mode="json", exclude_none=True)

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
        data = self.to_dict()
        named = {**(changes or {}), **fields}
        if any(named.get(name) is not None for name in WHOLE_DEVICE):
            data["leak"] = {}
        # A new kind comes first, whatever the order: the fields are then those of the new kind.
        for name in sorted(named, key=lambda n: not n.endswith("kind")):
            _assign(data, name, named[name])
        return type(self).from_dict(data)


#: Names that stand for a whole device (see `load_device`); nothing of the old one is left then.
WHOLE_DEVICE = frozenset({"leak.preset", "leak.file"})


def current_kind(kind: Any) -> Any:
    """Return today's name of a kind of part: "memristor" was the only memristor model, MMS."""
    return "mms" if isinstance(kind, str) and kind == "memristor" else kind


def _assign(data: dict[str, Any], dotted: str, value: Any) -> None:
    if isinstance(value, Part):
        value = value.to_dict()
    *path, last = dotted.split(".")
    target = data
    for step in path:
        inner = target.setdefault(step, {})
        if not isinstance(inner, dict):
            raise DesignError(
                f"{ascii(dotted)} does not name a field, since {ascii(step)} is a single value; "
                "use a name such as leak.tau."
            )
        target = inner
    if last == "kind":
        value = current_kind(value)
    # None means "not given", which a TOML file writes by leaving the key out.
    if value is None:
        target.pop(last, None)
    elif last == "kind" and target.get(last) != value:
        target.clear()  # another kind of part has other fields
        target[last] = value
    else:
        target[last] = value


# --- pydantic's errors as sentences -------------------------------------------------------------

_BOUNDS = {
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
}


def sentence(error: _ValidationError, model: type[BaseModel]) -> str:
    """Return pydantic's error as one sentence that names the field and the remedy.

    Parameters
    ----------
    error : pydantic.ValidationError
        What pydantic found.
    model : type
        The class that was being built; its fields give the known names.

    Returns
    -------
    str
        The first finding, and how many more there are.
    """
    errors = error.errors(include_url=False)
    first = errors[0]
    lacking = [e for e in errors if e["type"] == "missing" and e["loc"][:-1] == first["loc"][:-1]]
    if first["type"] == "missing" and first["loc"][-2:-1]:
        text = _missing(first["loc"][:-1], [str(e["loc"][-1]) for e in lacking])
        rest = len(errors) - len(lacking)
    else:
        text, rest = _one(first, model), len(errors) - 1
    return f"{text[:-1]} ({rest} more like this)." if rest else text


def _missing(place: tuple[int | str, ...], names: list[str]) -> str:
    """Say which values a part lacks, and which devices have them."""
    where = _dotted(place)
    kind, others = str(place[-1]), ", ".join(names[1:])
    text = f"{where}.{names[0]} is missing{f', and so are {others}' if len(names) > 2 else ''}"
    if len(names) == 2:
        text += f", and so is {others}"
    text += f"; give {'it a value' if len(names) == 1 else 'them values'}"
    if kind not in _TAGS:
        return f"{text}."
    # What the presets are is known above this module, which only a refusal has to ask.
    from spicealif.design.device_store import devices_of_kind

    presets = " or ".join(devices_of_kind(kind)[:3])
    offer = f", or take a device preset that has them ({where}.preset={presets})" if presets else ""
    return f"{text}{offer}."


def _one(item: Any, model: type[BaseModel]) -> str:
    # Discriminated unions put the tag between two names; tags of ours are field values.
    where = _dotted(item["loc"])
    kind, ctx, value = item["type"], item.get("ctx", {}), item.get("input")
    label = where or model.__name__
    if isinstance(value, float) and not math.isfinite(value):
        kind = "finite_number"
    if kind in _BOUNDS:
        rule = _BOUNDS[kind].format(**ctx)
        return f"{label} = {_show(value)} {rule}; give such a value."
    match kind:
        case "finite_number":
            return f"{label} = {_show(value)} is not finite; give a finite number."
        case "extra_forbidden":
            return _unknown(item["loc"], model)
        case "missing":
            return f"{label} is missing; give it a value."
        case "value_error":
            message = str(ctx.get("error", item["msg"]))
            if message.startswith("is ") and "which is not finite" in message:
                return f"{label} = {_show(value)} is not finite; give a finite number."
            return _stop(f"{where} {message}" if where and message.startswith("is ") else message)
        case "union_tag_invalid" | "union_tag_not_found":
            tags = str(ctx.get("expected_tags", "")) or "the known kinds, see the JSON Schema"
            tag = ctx.get("tag")
            got = f"{tag!r} is not a kind of {label}" if tag else f"{label} has no 'kind'"
            return f"{got}; set kind to one of {tags}."
        case "model_attributes_type" | "model_type" | "dict_type":
            return f"{label} = {_show(value)} is a single value; give a table with its keys."
        case "string_pattern_mismatch":
            return (
                f"{label} = {_show(value)} is not a plain name; use letters, digits and "
                "underscores only, starting with a letter or an underscore."
            )
        case "literal_error":
            return f"{label} = {_show(value)} is not known; use one of {ctx.get('expected')}."
        case _:
            detail = item["msg"][0].lower() + item["msg"][1:]
            return _stop(f"{label} = {_show(value)} is not valid: {detail}; see the JSON Schema")


def _unknown(loc: tuple[int | str, ...], model: type[BaseModel]) -> str:
    name = str(loc[-1])
    owner = _owner(loc[:-1], model)
    known = list(owner.model_fields) if owner else []
    close = difflib.get_close_matches(name, known, n=1)
    where = _dotted(loc[:-1])
    place = f" in {where}" if where else ""
    hint = f"did you mean {close[0]!r}" if close else "remove it"
    return f"Unknown key {_show(name)}{place}; {hint} (known keys: {', '.join(known)})."


def _owner(loc: tuple[int | str, ...], model: type[BaseModel] | None) -> type[BaseModel] | None:
    """Follow pydantic's path to the class whose field it ends in."""
    current: type[BaseModel] | None = model
    options: dict[str, type[BaseModel]] = {}
    for step in loc:
        if isinstance(step, int):
            continue
        if step in options:
            current, options = options[step], {}
            continue
        field = current.model_fields.get(step) if current else None
        if field is None:
            return None
        classes = _models_in(field.annotation)
        options = {
            str(c.model_fields["kind"].default): c for c in classes if "kind" in c.model_fields
        }
        current = classes[0] if classes else None
    return current


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for inner in getattr(annotation, "__args__", ()):
        found += _models_in(inner)
    return found


def _dotted(loc: tuple[int | str, ...]) -> str:
    names: list[str] = []
    after_name = False
    for step in loc:
        if isinstance(step, int):
            if names:
                names[-1] += f"[{step}]"
            after_name = True
        elif after_name and _is_tag(step):
            after_name = False
        else:
            names.append(str(step))
            after_name = True
    return ".".join(names)


def _is_tag(step: str) -> bool:
    return step in _TAGS


#: Values of ``kind`` seen so far; pydantic puts them into its error paths.
_TAGS: set[str] = set()


def register_tags(*classes: type[BaseModel]) -> None:
    """Note the ``kind`` of classes that are members of a discriminated union."""
    _TAGS.update(str(c.model_fields["kind"].default) for c in classes)


def _show(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _stop(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
