"""Numbers, source functions and expressions that ngspice and LTspice read alike."""

from __future__ import annotations

import itertools
import math
import re

__all__ = ["NUMBER", "UNSIGNED", "Expression", "Unportable", "check_source", "read_number"]

# No digit is given back once it is matched (++, *+), or a long row of digits would take a time that
# grows with its square. Groups are not marked so: in Python 3.11.2, which is Debian 12's, such an
# optional group that fails half-way leaves the half behind ("1e" of "1e*x").
UNSIGNED = r"(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?"
#: A number written out. A leading '+' is none: in LTspice's PWL it counts from the time before.
NUMBER = "-?" + UNSIGNED
_NUMERIC = re.compile(NUMBER + r"\Z")
_LONGEST = 40  # characters; Python writes any float with 24

#: Functions of B sources that mean the same in both, and how many arguments they take. Both manuals
#: list them; ``limit``, ``if``, ``table``, ``pow``, ``log`` and ``idt`` are left out on purpose. So
#: is ``u``: u(0) is 0 in LTspice and 0.5 in ngspice.
_FUNCTIONS = {
    **dict.fromkeys(("abs", "asinh", "atan", "cos", "cosh", "exp", "ln", "sin"), 1),
    **dict.fromkeys(("sinh", "sqrt", "tan", "tanh", "uramp"), 1),
    **dict.fromkeys(("min", "max"), 2),
}
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{UNSIGNED})(?![\w.])|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/(),]))"
)
_DEPTH = 100  # of parentheses: more is nobody's netlist, and would exhaust the stack

_SOURCE = re.compile(r"(\w+)\(([^()]*)\)\s*\Z")


class Unportable(Exception):
    """What is wrong with the card at hand."""


def read_number(text: str) -> float:
    """Return the number that both simulators read in `text`.

    Raises
    ------
    Unportable
        If it is not one, written out and finite.
    """
    if len(text) > _LONGEST or not _NUMERIC.match(text):
        raise Unportable(
            f"{text[:_LONGEST]!r} is no number written out: suffixes, names and signs '+' differ"
        )
    value = float(text)
    if not math.isfinite(value):
        raise Unportable(f"{text!r} is beyond what a number can be")
    return value


def check_source(text: str) -> None:
    """Check what an independent source delivers: a number, or one of three functions of time.

    Raises
    ------
    Unportable
        If it is something else, or has fields that the two take differently.
    """
    fields = text.split()
    # DC is SPICE's own word; LTspice's help has the bare number only.
    if len(fields) == 1 and "(" not in text:
        read_number(fields[0])
        return
    if len(fields) == 2 and fields[0].lower() == "dc":
        read_number(fields[1])
        return
    found = _SOURCE.match(text)
    check = _SOURCES.get(found[1].lower()) if found else None
    if found is None or check is None:
        raise Unportable("a source is a number, or DC, PULSE, SIN or PWL with their fields")
    check([read_number(value) for value in found[2].split()])


def _pulse(values: list[float]) -> None:
    if len(values) != 7:
        raise Unportable("PULSE has seven fields: the number of pulses is not one that both have")
    rise, fall, width, period = values[3:]
    if min(rise, fall, width, period) <= 0:
        raise Unportable("PULSE's edges, width and period of 0 become defaults, which differ")
    if rise + width + fall > period * (1 + 1e-9):
        raise Unportable("PULSE's edges and width do not fit into its period")


def _sine(values: list[float]) -> None:
    if not 3 <= len(values) <= 6:
        raise Unportable("SIN has three to six fields: the number of cycles is not one of both")
    if values[2] <= 0:
        raise Unportable("SIN's frequency of 0 becomes a default, which differs")


def _piecewise(values: list[float]) -> None:
    times = values[::2]
    if not values or len(values) % 2 or times[0] < 0:
        raise Unportable("PWL is made of pairs of a time, 0 or later, and a value")
    if any(b <= a for a, b in itertools.pairwise(times)):
        raise Unportable("PWL's times do not increase")


# LTspice's help writes SINE, ngspice's manual SIN; both take both.
_SOURCES = {"pulse": _pulse, "sin": _sine, "sine": _sine, "pwl": _piecewise}


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
            if kind == "number":
                read_number(found[kind])
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
        # A sign of its own at the start only: neither manual says what "2*-3" is.
        if self._sign() in ("+", "-"):
            self.at += 1
        while True:
            self._operand(depth)
            if self._sign() not in ("+", "-", "*", "/"):
                return
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
            raise Unportable(f"{token[:_LONGEST]!r} is not a function or name that both have")
        else:
            self.at -= 1
            raise Unportable(f"{token!r} stands where an operand should")

    def _node(self) -> str:
        kind, token = self.tokens[self.at]
        if kind != "name" and token != "0":
            raise Unportable(f"{token!r} is no node")
        self.at += 1
        return token

    def _sign(self) -> str:
        kind, token = self.tokens[self.at]
        return token if kind == "sign" else ""

    def _need(self, sign: str) -> None:
        if self._sign() != sign:
            raise Unportable(f"{sign!r} is missing before {self.tokens[self.at][1]!r}")
        self.at += 1
