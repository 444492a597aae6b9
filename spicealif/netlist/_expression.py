"""Expressions of behavioural sources that ngspice and LTspice read alike."""

from __future__ import annotations

import re

__all__ = ["Expression", "Unportable"]

#: Functions of B sources that mean the same in both, and how many arguments they take. Both manuals
#: list them; ``limit``, ``if``, ``table``, ``pow``, ``log`` and ``idt`` are left out on purpose.
_FUNCTIONS = {
    **dict.fromkeys(("abs", "asinh", "atan", "cos", "cosh", "exp", "ln", "sin"), 1),
    **dict.fromkeys(("sinh", "sqrt", "tan", "tanh", "u", "uramp"), 1),
    **dict.fromkeys(("min", "max"), 2),
}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/(),]))"
)
_DEPTH = 100  # of parentheses: more is nobody's netlist, and would exhaust the stack


class Unportable(Exception):
    """What is wrong with the card at hand."""


class Expression:
    """A B source's expression: sums, products, listed functions, voltages of nodes."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise Unportable(
                    f"{text[position : position + 12]!r}: an expression is made of numbers without "
                    "suffix, names, + - * / and ()"
                )
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind].lower()))
            position = found.end()
        self.tokens.append(("end", ""))
        self.at = 0
        self._found: list[str] = []

    def nodes(self) -> list[str]:
        """Check the expression and return the nodes that it names, in lower case."""
        self._sum(0)
        if self.tokens[self.at][0] != "end":
            raise Unportable(f"{self.tokens[self.at][1]!r} stands where an expression should end")
        return self._found

    def _sum(self, depth: int) -> None:
        if depth > _DEPTH:
            raise Unportable(f"more than {_DEPTH} parentheses within each other")
        while True:
            if self._sign() in ("+", "-"):
                self.at += 1
            self._operand(depth)
            if self._sign() not in ("+", "-", "*", "/"):
                return
            # "2*-3" is read alike; "2**3" is not, and is no operand
            self.at += 1

    def _operand(self, depth: int) -> None:
        kind, token = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return
        if (kind, token) == ("sign", "("):
            self._sum(depth + 1)
            self._need(")")
        elif kind == "name" and token == "v":
            self._need("(")
            self._found.append(self._node())
            if self._sign() == ",":
                self.at += 1
                self._found.append(self._node())
            self._need(")")
        elif kind == "name" and token in _FUNCTIONS:
            self._need("(")
            for k in range(_FUNCTIONS[token]):
                if k:
                    self._need(",")
                self._sum(depth + 1)
            self._need(")")
        elif kind == "name":
            raise Unportable(f"{token!r} is not a function or name that both have")
        else:
            raise Unportable(f"{token!r} stands where an operand should")

    def _node(self) -> str:
        kind, token = self.tokens[self.at]
        self.at += 1
        if kind != "name" and token != "0":
            raise Unportable(f"{token!r} is no node")
        return token

    def _sign(self) -> str:
        kind, token = self.tokens[self.at]
        return token if kind == "sign" else ""

    def _need(self, sign: str) -> None:
        if self._sign() != sign:
            raise Unportable(f"{sign!r} is missing before {self.tokens[self.at][1]!r}")
        self.at += 1
