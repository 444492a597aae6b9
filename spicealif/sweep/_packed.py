"""Results of very many points in little memory.

The results of an experiment's points are dictionaries of the same names with other numbers. Here
the names and texts are kept once for all points that have the same, and the numbers as bytes: about
an eighth of what the dictionaries take.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, MutableMapping
from typing import Any, TypeAlias

__all__ = ["Packed"]

#: What a value is without its numbers: see `_layout`.
_Layout: TypeAlias = Any
_FLOAT, _INT = "float", "int"
#: Larger whole numbers are no longer exact as floating-point numbers.
_EXACT = 1 << 53


class Packed(MutableMapping[str, dict[str, Any]]):
    """Plain values (as JSON has them) by key; what is taken out is a new object each time."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[_Layout, bytes]] = {}
        self._layouts: dict[_Layout, _Layout] = {}

    def __getitem__(self, key: str) -> dict[str, Any]:
        layout, numbers = self._rows[key]
        value: dict[str, Any] = _value(layout, iter(array("d", numbers)))
        return value

    def __setitem__(self, key: str, value: dict[str, Any]) -> None:
        numbers = array("d")
        layout = _layout(value, numbers)
        self._rows[key] = self._layouts.setdefault(layout, layout), numbers.tobytes()

    def __delitem__(self, key: str) -> None:
        del self._rows[key]

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _layout(value: Any, numbers: array[float]) -> _Layout:
    """Return what there is beside the numbers, which are appended, as something hashable."""
    kind = type(value)
    if kind is float:
        numbers.append(value)
        return _FLOAT
    if kind is int and -_EXACT < value < _EXACT:
        numbers.append(value)
        return _INT
    if kind is dict:
        return dict, tuple(value), tuple([_layout(v, numbers) for v in value.values()])
    if kind is list or kind is tuple:
        inner = [_layout(v, numbers) for v in value]
        same = len(inner) > 0 and inner[0] in (_FLOAT, _INT) and inner.count(inner[0]) == len(inner)
        return list, len(inner), inner[0] if same else tuple(inner)
    # A text, True, None and the like; beside its type, since 1 and True are equal.
    return kind, value


def _value(layout: _Layout, numbers: Iterator[float]) -> Any:
    if layout == _FLOAT:
        return next(numbers)
    if layout == _INT:
        return int(next(numbers))
    kind, *rest = layout
    if kind is dict:
        return {k: _value(v, numbers) for k, v in zip(rest[0], rest[1], strict=True)}
    if kind is list:
        count, inner = rest
        inner = [inner] * count if isinstance(inner, str) else inner
        return [_value(v, numbers) for v in inner]
    return rest[0]
