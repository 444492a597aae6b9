"""Values that a netlist knows by name: each is a number and the expression that gives it.

Templates compute with them as with numbers (``2 * device.r_on``), so that one set of templates
writes a netlist of numbers or one of parameters. The text of an expression is put together here
and nowhere else, from names, numbers, four operators and a few functions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

__all__ = [
    "Symbol",
    "acosh",
    "engineering",
    "logarithm",
    "magnitude",
    "maximum",
    "minimum",
    "sqrt",
    "tanh",
]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SUM, _PRODUCT, _ATOM = 1, 2, 3
#: Powers of ten that ngspice and LTspice write alike; 'm' is milli, in capitals too.
_SUFFIXES = {9: "g", 6: "meg", 3: "k", 0: "", -3: "m", -6: "u", -9: "n", -12: "p", -15: "f"}


def engineering(value: float) -> str:
    """Return the shortest text that is exactly this number: ``100n``, ``0.4``, ``1.5k``.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    str
        With a suffix that both simulators read alike, where that is shorter than Python's own way
        of writing the number; as decimal numbers both are the same.
    """
    plain = repr(float(value))
    exact = Decimal(plain)
    candidates = [plain, plain.removesuffix(".0")]
    for power, suffix in _SUFFIXES.items():
        scaled = exact.scaleb(-power).normalize()
        if 1 <= abs(scaled) < 1000:
            candidates.append(f"{scaled:f}{suffix}")
    return min(candidates, key=len)


class Symbol:
    """A value and the expression of parameters that it is.

    Attributes
    ----------
    text : str
        The expression.
    value : float
        What it is with the parameters' present values.
    """

    __slots__ = ("_level", "text", "value")
    text: Final[str]
    value: Final[float]

    def __init__(self, name: str, value: float) -> None:
        if not _NAME.match(name):
            raise ValueError(f"{name!r} is no name of a parameter")
        self.text, self.value, self._level = name, float(value), _ATOM

    @property
    def braced(self) -> str:
        """The expression as a netlist's element has it.

        All but a name has parentheses of its own: ngspice takes the braces away in B sources, and
        what stands before them would bind one operand only.
        """
        return f"{{{self.text}}}" if _NAME.match(self.text) else f"{{({self.text})}}"

    def __float__(self) -> float:
        return self.value

    def __bool__(self) -> bool:
        return self.value != 0

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Symbol | int | float):
            return self.value == float(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: Symbol | float) -> bool:
        return self.value < float(other)

    def __le__(self, other: Symbol | float) -> bool:
        return self.value <= float(other)

    def __gt__(self, other: Symbol | float) -> bool:
        return self.value > float(other)

    def __ge__(self, other: Symbol | float) -> bool:
        return self.value >= float(other)

    def __add__(self, other: Symbol | float) -> Symbol:
        return _join("+", self, other)

    def __radd__(self, other: float) -> Symbol:
        return _join("+", other, self)

    def __sub__(self, other: Symbol | float) -> Symbol:
        return _join("-", self, other)

    def __rsub__(self, other: float) -> Symbol:
        return _join("-", other, self)

    def __mul__(self, other: Symbol | float) -> Symbol:
        return _join("*", self, other)

    def __rmul__(self, other: float) -> Symbol:
        return _join("*", other, self)

    def __truediv__(self, other: Symbol | float) -> Symbol:
        return _join("/", self, other)

    def __rtruediv__(self, other: float) -> Symbol:
        return _join("/", other, self)

    def __neg__(self) -> Symbol:
        return _join("-", 0.0, self)


def sqrt(x: Symbol) -> Symbol:
    """Return the square root."""
    return _apply("sqrt", math.sqrt, x)


def logarithm(x: Symbol) -> Symbol:
    """Return the natural logarithm."""
    return _apply("ln", math.log, x)


def acosh(x: Symbol) -> Symbol:
    """Return the inverse hyperbolic cosine."""
    return _apply("acosh", math.acosh, x)


def tanh(x: Symbol) -> Symbol:
    """Return the hyperbolic tangent."""
    return _apply("tanh", math.tanh, x)


def magnitude(x: Symbol) -> Symbol:
    """Return the absolute value."""
    return _apply("abs", abs, x)


def minimum(x: Symbol, y: Symbol | float) -> Symbol:
    """Return the smaller of two."""
    return _apply("min", min, x, y)


def maximum(x: Symbol, y: Symbol | float) -> Symbol:
    """Return the larger of two."""
    return _apply("max", max, x, y)


_OPERATORS: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "+": (_SUM, lambda a, b: a + b),
    "-": (_SUM, lambda a, b: a - b),
    "*": (_PRODUCT, lambda a, b: a * b),
    "/": (_PRODUCT, lambda a, b: a / b),
}


def _made(text: str, value: float, level: int) -> Symbol:
    out = Symbol("_", value)
    out.text, out._level = text, level  # type: ignore[misc]
    return out


def _as_symbol(x: Symbol | float) -> Symbol:
    # type() and not isinstance(), as where the text is printed: nothing else is a number here.
    if type(x) is Symbol:
        return x
    if type(x) is not float and type(x) is not int:
        raise TypeError(f"a parameter and a {type(x).__name__} make no expression")
    text = repr(float(x)).removesuffix(".0")
    return _made(f"({text})" if text.startswith("-") else text, float(x), _ATOM)


def _join(operator: str, a: Symbol | float, b: Symbol | float) -> Symbol:
    level, compute = _OPERATORS[operator]
    left, right = _as_symbol(a), _as_symbol(b)
    first = left.text if left._level >= level else f"({left.text})"
    # As Python computed it: a+(b+c) is not a+b+c to the last digit.
    second = right.text if right._level > level else f"({right.text})"
    return _made(f"{first}{operator}{second}", compute(left.value, right.value), level)


def _apply(name: str, function: Callable[..., float], *arguments: Symbol | float) -> Symbol:
    symbols = [_as_symbol(x) for x in arguments]
    text = f"{name}({','.join(s.text for s in symbols)})"
    return _made(text, function(*(s.value for s in symbols)), _ATOM)
