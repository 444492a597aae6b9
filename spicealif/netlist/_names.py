"""The parameters of a netlist: their names, what they are, and which of them are needed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from spicealif.design import Part
from spicealif.netlist._symbols import Symbol, engineering

__all__ = ["RESERVED", "Line", "Names", "View", "put"]

#: What is a constant, a function, a keyword or a quantity in one of the simulators, and so no name
#: of a parameter: ngspice takes "V_1 a 0 {ac}" for an error, LTspice has e, k and q.
RESERVED = frozenset(
    {
        "abs", "ac", "acos", "acosh", "agauss", "arccos", "arcsin", "arctan", "asin", "asinh",
        "atan", "atan2", "atanh", "aunif", "boltz", "buf", "ceil", "cos", "cosh", "dc", "ddt",
        "delay", "e", "echarge", "exp", "false", "flat", "floor", "fabs", "freq", "gauss", "gmin",
        "hertz", "hypot", "i", "idt", "idtmod", "if", "int", "inv", "j", "k", "kelvin", "lib",
        "limit", "ln", "log", "log10", "max", "mc", "min", "nint", "noise", "off", "on", "param",
        "params", "pi", "planck", "pow", "pwr", "pwrs", "q", "rand", "random", "round", "sgn",
        "sin", "sinh", "sqr", "sqrt", "table", "tan", "tanh", "temp", "temper", "ternary_fcn",
        "time", "tnom", "true", "u", "unif", "uramp", "v", "w", "white",
    }
)  # fmt: skip
_PRINTABLE = re.compile(r"[ -~]{1,80}\Z")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Line:
    """A parameter's line in a netlist.

    Attributes
    ----------
    name, text : str
        What stands before and after the sign of equality.
    about : str
        What it is, for people.
    value : float
        What it amounts to.
    """

    name: str
    text: str
    about: str
    value: float


@dataclass
class Names:
    """The parameters of a design by name, in order.

    Attributes
    ----------
    given : dict of str to Line
        Those that a person sets.
    derived : dict of str to Line
        Expressions of them.
    """

    given: dict[str, Line] = field(default_factory=dict)
    derived: dict[str, Line] = field(default_factory=dict)

    def give(self, name: str, value: float, about: str) -> Symbol:
        """Name a number; one whose name is taken, or means something else, gets another."""
        name = self._free(name)
        self.given[name] = Line(name, engineering(value), about, float(value))
        return Symbol(name, value)

    def derive(self, name: str, symbol: Symbol, about: str) -> Symbol:
        """Name an expression."""
        name = self._free(name)
        # LTspice wants the braces where one expression needs another.
        self.derived[name] = Line(name, f"{{{symbol.text}}}", about, symbol.value)
        return Symbol(name, symbol.value)

    def used(self, text: str) -> tuple[list[Line], list[Line]]:
        """Return those that the expressions of a netlist need: given ones, and derived ones."""
        every = {**self.given, **self.derived}
        waiting = _words_in_braces(text)
        needed: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in every and name not in needed:
                needed.add(name)
                waiting += _words_in_braces(every[name].text)
        given, derived = (
            [line for line in lines.values() if line.name in needed]
            for lines in (self.given, self.derived)
        )
        return given, derived

    def _free(self, name: str) -> str:
        # No simulator tells capitals from others.
        taken = {other.lower() for other in (*self.given, *self.derived)} | RESERVED
        while name.lower() in taken:
            name += "_"
        return name


class View:
    """A part of a design whose numbers are symbols; everything else of it is as it is.

    Parameters
    ----------
    part : Part
    names : Names
        Which each of its numbers is given a name in.
    prefix : str
        What the names begin with; those of the leak only where they are a letter alone.
    label : str
        What the words on each value begin with.
    **instead
        What is taken in place of a value.
    """

    def __init__(
        self, part: Part, names: Names, prefix: str = "", label: str = "", **instead: Any
    ) -> None:
        self._part, self._instead = part, instead
        ours = type(part).__module__.startswith("spicealif.")
        for name, about in type(part).model_fields.items():
            value = getattr(part, name)
            if name in instead or type(value) not in (float, int):
                continue
            said = about.description or ""
            # Another package's words could be any text.
            words = said if ours and _PRINTABLE.match(said) else f"the model's {name}"
            words = f"{label}: {words}" if label else words
            plain = prefix == "leak" and len(name) > 1
            named = name if plain or not prefix else f"{prefix}_{name}"
            instead[name] = names.give(named, value, words)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._instead[name] if name in self._instead else getattr(self._part, name)


def put(view: View, **instead: Any) -> View:
    """Return the view with further things taken in place of the part's own."""
    view._instead.update(instead)
    return view


def _words_in_braces(text: str) -> list[str]:
    return _WORD.findall(" ".join(re.findall(r"\{([^{}]*)\}", text)))
