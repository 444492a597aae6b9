"""Cards ``.param`` and expressions in braces, as ngspice and LTspice both read them.

The check replaces each expression by its number and goes on as if that stood there. Measured on
ngspice 39: names such as ``ac`` are a syntax error, and in B sources the braces fall away, so that
``x/{2*y}`` is x/2*y there. LTspice wants the braces where one parameter's expression needs another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from spicealif.netlist._expression import UNSIGNED, Unportable
from spicealif.netlist._names import RESERVED

__all__ = ["Parameters"]

_CARD = re.compile(r"\.param\s+([A-Za-z_]\w*)=(\{[^{}\s]+\}|[^{}\s=]+)\s*\Z", re.IGNORECASE)
_BRACES = re.compile(r"\{([^{}]*)\}")
_POWERS = {"t": 12, "g": 9, "meg": 6, "k": 3, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_VALUE = re.compile(rf"-?{UNSIGNED}(?:meg|[tgkmunpf])?\Z", re.IGNORECASE)
_TOKEN = re.compile(
    rf"(?P<number>{UNSIGNED})(?P<suffix>meg|[tgkmunpf])?(?![\w.])|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>[-+*/(),])",
    re.IGNORECASE,
)
#: Functions of a parameter's expression that both have, and how many arguments they take.
_FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    **{
        name: (1, getattr(math, name))
        for name in ("acosh", "asinh", "atan", "cos", "cosh", "exp", "sin", "sinh", "sqrt", "tan")
    },
    **{"abs": (1, abs), "ln": (1, math.log), "tanh": (1, math.tanh)},
    **{"max": (2, max), "min": (2, min)},
}
_DEPTH = 100  # of parentheses
_LONGEST = 40  # characters of what is quoted


class Parameters:
    """The parameters of a netlist: cards first, then what expressions in braces amount to."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._values: dict[str, float] = {}

    def add(self, card: str) -> str:
        """Take a card ``.param``; return the parameter's name.

        Raises
        ------
        Unportable
            If it is not one parameter and its value, or there is one of that name.
        """
        found = _CARD.match(card)
        if found is None:
            raise Unportable(
                "one parameter a card, without blanks: .param name=number or .param name={...}"
            )
        name, text = found[1].lower(), found[2]
        if name in RESERVED:
            raise Unportable(f"{name!r} has a meaning of its own: rename the parameter")
        if name in self._texts:
            raise Unportable(f"there are two parameters {name!r}: which one counts differs")
        if not text.startswith("{") and not _VALUE.match(text):
            raise Unportable(
                f"{text[:_LONGEST]!r} is no number: LTspice wants braces around others"
            )
        self._texts[name] = text.strip("{}")
        return name

    def value(self, name: str) -> float:
        """Return what a parameter amounts to.

        Raises
        ------
        Unportable
            If there is no such parameter, it needs itself, or it is no number.
        """
        waiting, begun = [name.lower()], set[str]()
        while waiting:
            current = waiting[-1]
            if current in self._values:
                waiting.pop()
                continue
            if current not in self._texts:
                raise Unportable(f"there is no parameter {current[:_LONGEST]!r}")
            text = self._texts[current]
            needed = [n for n in _names_in(text) if n in self._texts and n not in self._values]
            if not needed:
                self._values[current] = self.evaluate(text)
            elif current in begun:
                raise Unportable(f"the parameter {current[:_LONGEST]!r} needs itself")
            begun.add(current)
            waiting += needed
        return self._values[name.lower()]

    def evaluate(self, text: str) -> float:
        """Return what an expression amounts to.

        Raises
        ------
        Unportable
            If it holds something that not both read alike, or is no number.
        """
        try:
            value = _Evaluation(text, self._known).result()
        except (ArithmeticError, ValueError):
            raise Unportable(f"{text[:_LONGEST]!r} cannot be computed") from None
        if not math.isfinite(value):
            raise Unportable(f"{text[:_LONGEST]!r} is beyond what a number can be")
        return value

    def _known(self, name: str) -> float:
        # Within a parameter's own expression all others have been computed.
        return self._values[name] if name in self._values else self.value(name)

    def substitute(self, card: str) -> str:
        """Return an element's or analysis' card with numbers in place of what is in braces.

        Raises
        ------
        Unportable
            As `evaluate`; and if a B source's expression would not stay together.
        """
        if card[0] in "bB":
            for inside in _BRACES.findall(card):
                if not re.fullmatch(r"\w+", inside) and not _in_parentheses(inside):
                    raise Unportable(
                        "ngspice takes the braces away in a B source: put parentheses inside them"
                    )
        return _BRACES.sub(lambda found: repr(self.evaluate(found[1])), card)


def _names_in(text: str) -> list[str]:
    return [name.lower() for name in re.findall(r"(?<![\w.])[A-Za-z_]\w*", text)]


def _in_parentheses(text: str) -> bool:
    """Return whether the first parenthesis closes at the end."""
    depth = 0
    for k, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return k == len(text) - 1 and k > 0
    return False


class _Evaluation:
    """One expression's value: sums, products, listed functions, parameters."""

    def __init__(self, text: str, value: Callable[[str], float]) -> None:
        self._value = value
        self._tokens: list[tuple[str, str, float]] = []
        position = 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise Unportable(
                    f"{text[position : position + 12]!r}: a parameter is made of numbers, names, "
                    "+ - * / and (), without blanks"
                )
            number = 0.0
            if found["number"]:
                power = _POWERS[found["suffix"].lower()] if found["suffix"] else 0
                number = float(Decimal(found["number"]).scaleb(power))
            self._tokens.append((str(found.lastgroup), found[0].lower(), number))
            position = found.end()
        self._tokens.append(("end", "the end", 0.0))
        self._at = 0

    def result(self) -> float:
        """Return the value."""
        value = self._sum(0)
        if self._tokens[self._at][0] != "end":
            raise Unportable(f"{self._tokens[self._at][1]!r} stands where an expression should end")
        return value

    def _sum(self, depth: int) -> float:
        if depth > _DEPTH:
            raise Unportable(f"more than {_DEPTH} parentheses within each other")
        negative = self._take("-")
        value = self._product(depth)
        value = -value if negative else value
        while True:
            if self._take("+"):
                value += self._product(depth)
            elif self._take("-"):
                value -= self._product(depth)
            else:
                return value

    def _product(self, depth: int) -> float:
        value = self._operand(depth)
        while True:
            if self._take("*"):
                value *= self._operand(depth)
            elif self._take("/"):
                value /= self._operand(depth)
            else:
                return value

    def _operand(self, depth: int) -> float:
        kind, text, number = self._tokens[self._at]
        if self._take("("):
            value = self._sum(depth + 1)
            self._need(")")
            return value
        if kind in ("number", "suffix"):
            self._at += 1
            return number
        if kind != "name":
            raise Unportable(f"{text!r} stands where an operand should")
        self._at += 1
        if not self._take("("):
            return self._value(text)
        if text not in _FUNCTIONS:
            raise Unportable(f"{text[:_LONGEST]!r} is not a function that both have")
        count, function = _FUNCTIONS[text]
        arguments = [self._sum(depth + 1)]
        for _ in range(count - 1):
            self._need(",")
            arguments.append(self._sum(depth + 1))
        self._need(")")
        return float(function(*arguments))

    def _take(self, sign: str) -> bool:
        if self._tokens[self._at][:2] != ("sign", sign):
            return False
        self._at += 1
        return True

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise Unportable(f"{sign!r} is missing before {self._tokens[self._at][1]!r}")
