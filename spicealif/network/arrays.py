"""Arrays in a description: frozen, comparable, with units where people write them.

pydantic's tuples of numbers take 32 bytes and a validation a number; a network's weights may be
millions. A `Values` is an array that cannot be changed, equal to another of the same numbers, so
that the descriptions that hold it stay what descriptions are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator, SerializationInfo, WithJsonSchema

from spicealif.quantities.grammar import parse_quantity

__all__ = [
    "KEEP",
    "Charges",
    "Conductances",
    "Currents",
    "Pairs",
    "Rates",
    "Resistances",
    "Seconds",
    "Times",
    "Values",
    "as_array",
    "quantities",
]

#: Key of a serialization's context under which stands what becomes of arrays; see `store`.
KEEP = "keep_array"


class Values:
    """An array of numbers that cannot be changed.

    Parameters
    ----------
    numbers : array_like
        Copied.

    Attributes
    ----------
    shape : tuple of int
    """

    __slots__ = ("_array",)

    def __init__(self, numbers: Any) -> None:
        array = np.array(numbers, order="C")
        array.setflags(write=False)
        self._array = array

    @property
    def array(self) -> NDArray[Any]:
        """The array itself, read-only."""
        return self._array

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._array.shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy or (dtype is not None and np.dtype(dtype) != self._array.dtype):
            return self._array.astype(dtype or self._array.dtype)
        return self._array

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._array.tolist())

    def __getitem__(self, index: Any) -> Any:
        value = self._array[index]
        return value.item() if np.ndim(value) == 0 else value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Values):
            return bool(np.array_equal(self._array, other._array))
        if isinstance(other, list | tuple | np.ndarray):
            return bool(np.array_equal(self._array, np.asarray(other)))
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self._array.shape, self._array.tobytes()))

    def __repr__(self) -> str:
        if self._array.size <= 6:
            return f"Values({self._array.tolist()})"
        return f"Values({' x '.join(map(str, self._array.shape))} numbers)"

    def tolist(self) -> list[Any]:
        """Return the numbers as nested lists."""
        return self._array.tolist()  # type: ignore[no-any-return]


def as_array(value: float | Values) -> NDArray[np.float64]:
    """Return a number or an array as an array of floats."""
    return np.asarray(value.array if isinstance(value, Values) else value, dtype=float)


def quantities(value: Any, unit: str, ndims: tuple[int, ...] = (1, 2)) -> Values:
    """Return a list of quantities, or a list of such lists, as numbers in SI units.

    Parameters
    ----------
    value : array_like
        Numbers, or texts with units such as ``"10k ohm"``.
    unit : str
        SI unit.
    ndims : tuple of int
        Numbers of dimensions that it may have.

    Raises
    ------
    ValueError
        If it is no such array; the message begins with "is", as that of `parse_quantity`.
    """
    if isinstance(value, Values):
        value = value.array
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        array = value.astype(float)
    elif isinstance(value, list | tuple | np.ndarray | range):
        array = _from_lists(value, unit)
    else:
        raise ValueError(f"is {_a(value)}; give a list of numbers")
    if array.ndim not in ndims:
        told = " or ".join(str(n) for n in ndims)
        raise ValueError(f"is an array of {array.ndim} dimensions; give one of {told}")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"is an array whose value {_place(array, bad[0])} is {array.flat[bad[0]]}; give finite "
            "numbers"
        )
    return Values(array)


def _from_lists(value: Any, unit: str) -> NDArray[np.float64]:
    flat: list[Any] = list(value)
    rows = [isinstance(item, list | tuple | np.ndarray | Values) for item in flat]
    if any(rows):
        if not all(rows):
            raise ValueError("is a list of lists and numbers mixed; give one or the other")
        inner = [_from_lists(item, unit) for item in flat]
        if len({row.shape for row in inner}) > 1:
            raise ValueError("is a list of lists of different lengths; give rows of one length")
        return np.array(inner, dtype=float)
    if {type(item) for item in flat} <= {float, int}:
        return np.array(flat, dtype=float)
    out = np.empty(len(flat))
    for k, item in enumerate(flat):
        try:
            out[k] = parse_quantity(item.item() if isinstance(item, np.generic) else item, unit)
        except ValueError as error:
            raise ValueError(f"is an array whose value {k} {error}") from None
    return out


def _place(array: NDArray[Any], flat: int) -> str:
    where = tuple(int(k) for k in np.unravel_index(flat, array.shape))
    return str(where[0]) if len(where) == 1 else str(where)


def _a(value: Any) -> str:
    if isinstance(value, str):
        text = ascii(value)
        return f"the text {text if len(text) <= 40 else f'{text[:37]}...'}"
    return f"a single value, {value!r}" if isinstance(value, int | float) else type(value).__name__


def _kept(value: Any, info: SerializationInfo) -> Any:
    """Write an array as lists, or as whoever serializes wants it."""
    if not isinstance(value, Values):
        return value
    keep = (info.context or {}).get(KEEP) if isinstance(info.context, dict) else None
    return value.tolist() if keep is None else keep(value)


_SCALAR = {"anyOf": [{"type": "number"}, {"type": "string"}]}
_LIST = {"type": "array", "items": _SCALAR}
#: An array that stands in the file beside the TOML; see `save_network`.
_ASIDE = {
    "type": "object",
    "properties": {"array": {"type": "string", "description": "a variable of the arrays' file"}},
    "required": ["array"],
    "additionalProperties": False,
}


def _schema(unit: str, *shapes: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*shapes, _ASIDE], "unit": unit or "1"})


def _one_or_many(unit: str, ndims: tuple[int, ...]) -> Callable[[Any], float | Values]:
    def choose(value: Any) -> float | Values:
        if isinstance(value, Values | list | tuple | range):
            return quantities(value, unit, ndims)
        if isinstance(value, np.ndarray) and value.ndim:
            return quantities(value, unit, ndims)
        return parse_quantity(value.item() if isinstance(value, np.ndarray) else value, unit)

    return choose


def _array_of(unit: str, *ndims: int) -> Any:
    return Annotated[
        Any,
        PlainValidator(lambda value: quantities(value, unit, ndims)),
        PlainSerializer(_kept),
        _schema(unit, _LIST, {"type": "array", "items": _LIST}),
    ]


def _one_or_array(unit: str) -> Any:
    return Annotated[
        Any,
        PlainValidator(_one_or_many(unit, (1, 2))),
        PlainSerializer(_kept),
        _schema(unit, *_SCALAR["anyOf"], _LIST, {"type": "array", "items": _LIST}),
    ]


def _pairs(value: Any) -> Values:
    """Return pairs of indices, whole numbers of 0 or more, shape (m, 2)."""
    if isinstance(value, Values):
        value = value.array
    elif not isinstance(value, np.ndarray):
        if not isinstance(value, list | tuple):
            raise ValueError(f"is {_a(value)}; give a list of pairs such as [[0, 1], [1, 2]]")
        value = _from_lists(value, "") if len(value) else np.empty((0, 2))
    if value.ndim != 2 or value.shape[1] != 2:
        raise ValueError(
            f"is an array of shape {value.shape}; give a list of pairs such as [[0, 1], [1, 2]]"
        )
    if value.dtype.kind not in "fiu" or not np.all(np.isfinite(value)):
        raise ValueError("is a list that is not of numbers; give pairs of whole numbers")
    whole = value.astype(np.int64)
    if np.any(whole != value):
        bad = np.argwhere(whole != value)[0]
        raise ValueError(
            f"is a list whose pair {bad[0]} has {value[tuple(bad)]:g}; give whole numbers"
        )
    return Values(whole)


# A type checker sees numbers and arrays; pydantic sees what also takes texts with units.
if TYPE_CHECKING:
    Conductances: TypeAlias = float | Values
    Resistances: TypeAlias = float | Values
    Charges: TypeAlias = float | Values
    Seconds: TypeAlias = float | Values
    Rates: TypeAlias = float | Values
    Times: TypeAlias = Values
    Currents: TypeAlias = Values
    Pairs: TypeAlias = Values
else:
    Conductances = _one_or_array("S")
    Resistances = _one_or_array("ohm")
    Charges = _one_or_array("C")
    Seconds = _one_or_array("s")
    Rates = _one_or_array("Hz")
    Times = _array_of("s", 1)
    Currents = _array_of("A", 2)
    Pairs = Annotated[
        Values,
        PlainValidator(_pairs),
        PlainSerializer(_kept),
        WithJsonSchema(
            {
                "anyOf": [
                    {
                        "type": "array",
                        "items": {
                            "type": "array",
                            "items": {"type": "integer", "minimum": 0},
                            "minItems": 2,
                            "maxItems": 2,
                        },
                    },
                    _ASIDE,
                ]
            }
        ),
    ]
