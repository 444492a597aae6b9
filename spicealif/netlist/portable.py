"""The subset of SPICE that ngspice and LTspice both understand, and whether a netlist is in it.

LTspice accepts much that ngspice does not, the other way round, and, worse, some texts mean
different things to the two (``^`` is a power in one and XOR in the other; ``limit`` is silently
wrong in ngspice). So what may stand in a netlist is listed here, card by card; everything else is
a finding. The check is static: it knows cards, names, numbers and expressions, not circuits.

Sources: the manual of ngspice and the help of LTspice (pages "B. Arbitrary Behavioral Voltage or
Current Sources", ".OPTIONS", ".TRAN", "M. MOSFET"); what differs was measured on ngspice 39.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from spicealif.netlist._expression import Expression, Unportable
from spicealif.netlist._topology import Call, Card, Scope, floating_nodes
from spicealif.netlist.dialect import find_dialect

__all__ = ["PortabilityFinding", "find_unportable"]

_OPTIONS = frozenset({"reltol", "abstol", "vntol", "chgtol", "trtol", "method", "temp", "tnom"})
#: Options that one of them alone has, and why they may stand in its netlists.
_OWN_OPTIONS = {"ngspice": frozenset[str](), "ltspice": frozenset({"plotwinsize", "numdgt"})}
_METHODS = frozenset({"trap", "gear"})
#: Source functions, and how many fields both read alike (the number of pulses is not one of them).
_SOURCES = {"pulse": (7, 7), "sin": (3, 6), "pwl": (2, 1 << 30)}
#: Parameters of VDMOS models that both have, by both manuals.
_VDMOS = frozenset(
    {"vto", "kp", "rs", "rd", "rg", "cgdmax", "cgdmin", "cgs", "cjo", "is", "mtriode"}
)

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NODE = re.compile(r"(?:0|[A-Za-z_][A-Za-z0-9_]*)\Z")
_NUMERIC = re.compile(_NUMBER + r"\Z")
#: LTspice takes this name for node 0 wherever it stands, in subcircuits too.
_GROUND = "gnd"


@dataclass(frozen=True)
class PortabilityFinding:
    """Something in a netlist that not both simulators read alike.

    Attributes
    ----------
    line : int
        Line of the netlist, from 1; of a card that goes on over several lines, its first.
    text : str
        The card.
    reason : str
        What is not portable about it, and what to write instead.
    """

    line: int
    text: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason} ({self.text[:60]})"


def find_unportable(text: str, dialect: str = "ltspice") -> tuple[PortabilityFinding, ...]:
    """Check a netlist against the subset that ngspice and LTspice read alike.

    Parameters
    ----------
    text : str
        A flat netlist.
    dialect : str
        The dialect it is written in: its spelling of vectors and its own options are allowed.

    Returns
    -------
    tuple of PortabilityFinding
        In the order of the netlist; empty if it is portable.

    Raises
    ------
    NetlistError
        If there is no such dialect.
    """
    return tuple(_Check(text, dialect).findings())


class _Check:
    def __init__(self, text: str, dialect: str) -> None:
        spelling = find_dialect(dialect)
        self.text = text
        self.options = _OPTIONS | _OWN_OPTIONS[spelling.name]
        self.vector = re.compile(
            "|".join(
                re.escape(form).replace(re.escape("{}"), r"([A-Za-z_]\w*)")
                for form in (spelling.voltage, spelling.current)
            )
            + r"\Z"
        )
        self.top = Scope()
        self.scope = self.top
        self.subcircuits: dict[str, Scope] = {}
        self.models: set[str] = set()
        self.uses: list[tuple[Card, str]] = []
        self.ended = False

    def findings(self) -> Iterator[PortabilityFinding]:
        lines = self.text.split("\n")
        if not lines[0].startswith("*"):
            yield PortabilityFinding(1, lines[0], "the first line is a title: begin it with '*'")
        for number, card in _cards(lines):
            try:
                self._card(number, card)
            except Unportable as finding:
                yield PortabilityFinding(number, card, str(finding))
        if not self.ended:
            yield PortabilityFinding(len(lines), "", "the last card is not .end: add it")
        if self.scope is not self.top:
            yield PortabilityFinding(len(lines), "", "a subcircuit does not end: add .ends")
        yield from self._unresolved()

    def _card(self, number: int, card: str) -> None:
        if not re.fullmatch(r"[ -~]*", card):
            raise Unportable("it holds characters that are not printable ASCII: spell them out")
        if card.startswith("*") or not card.strip():
            return
        if self.ended:
            raise Unportable("it stands after .end: LTspice ignores it, ngspice may not")
        if "$" in card or "//" in card or ";" in card:
            raise Unportable("comments within a card differ by mode: put them on a '*' line")
        if "{" in card or "}" in card or "'" in card or '"' in card or "`" in card:
            raise Unportable("expressions in braces or quotes differ: write the number out")
        word = card.split(maxsplit=1)[0].lower()
        if word.startswith("."):
            handler = _DOT_CARDS.get(word)
            if handler is None:
                raise Unportable(f"the card {word} is not of the portable subset: leave it out")
        else:
            handler = _ELEMENTS.get(word[0])
            if handler is None:
                raise Unportable(f"elements that begin with {word[0]!r} are not portable")
            self._new_element(word)
        handler(self, number, card)

    def _unresolved(self) -> Iterator[PortabilityFinding]:
        for scope in (self.top, *self.subcircuits.values()):
            for call in scope.calls:
                ports = self.subcircuits[call.name].ports if call.name in self.subcircuits else None
                if ports is None:
                    yield PortabilityFinding(*call.card, f"there is no subcircuit {call.name!r}")
                elif len(ports) != len(call.nodes):
                    yield PortabilityFinding(
                        *call.card, f"{call.name!r} has {len(ports)} ports, not {len(call.nodes)}"
                    )
            for card, node in scope.mentioned:
                if node not in scope.nodes and node != "0":
                    yield PortabilityFinding(*card, f"no element is connected to node {node!r}")
        for card, name in self.uses:
            if name not in self.models:
                yield PortabilityFinding(*card, f"there is no model {name!r}")
        for node, card in floating_nodes(self.top, self.subcircuits):
            yield PortabilityFinding(
                *card,
                f"node {node!r} has no path to ground for direct current, which LTspice refuses: "
                "add a large resistor",
            )

    # --- elements

    def _new_element(self, name: str) -> None:
        if not _NAME.match(name):
            raise Unportable("names are letters, digits and '_': rename the element")
        if name in self.scope.elements:
            raise Unportable(f"there are two elements {name!r}: case does not tell them apart")
        self.scope.elements.add(name)

    def _nodes(self, card: Card, names: list[str], *, conducting: bool = False) -> None:
        for name in names:
            if not _NODE.match(name):
                raise Unportable(f"{name!r} is no node name: use letters, digits and '_'")
            if name.lower() == _GROUND:
                raise Unportable("'gnd' is node 0 for LTspice, even as a port: rename it")
            self.scope.nodes.setdefault(name.lower(), card)
        if conducting:
            self.scope.conducting.append((names[0].lower(), names[1].lower()))

    def _two_terminal(self, number: int, card: str) -> None:
        fields = self._fields(card, 4, 4, "name, two nodes and one number")
        self._nodes((number, card), fields[1:3], conducting=card[0] in "rR")
        _need_number(fields[3])

    def _controlled(self, number: int, card: str) -> None:
        fields = self._fields(card, 6, 6, "name, four nodes and one number")
        self._nodes((number, card), fields[1:3], conducting=card[0] in "eE")
        self._nodes((number, card), fields[3:5])
        _need_number(fields[5])

    def _source(self, number: int, card: str) -> None:
        head, _, inside = card.partition("(")
        fields = head.split()
        if len(fields) < 4:
            raise Unportable("it must be name, two nodes and a number or source function")
        self._nodes((number, card), fields[1:3], conducting=card[0] in "vV")
        if not inside and len(fields) == 4:
            _need_number(fields[3])
            return
        if not inside and len(fields) == 5 and fields[3].lower() == "dc":
            _need_number(fields[4])
            return
        low, high = _SOURCES.get(fields[3].lower(), (1, 0)) if len(fields) == 4 else (1, 0)
        values = inside.rstrip().removesuffix(")").split()
        if not inside.rstrip().endswith(")") or not low <= len(values) <= high:
            raise Unportable("a source is a number, or DC, PULSE, SIN or PWL with their fields")
        for value in values:
            _need_number(value)

    def _behavioural(self, number: int, card: str) -> None:
        fields = card.split(None, 3)
        kind = re.match(r"([VI])=(.+)\Z", fields[3]) if len(fields) == 4 else None
        if kind is None:
            raise Unportable("a B source is a name, two nodes and V= or I=: R=, Q= are not")
        self._nodes((number, card), fields[1:3], conducting=kind[1] == "V")
        self.scope.mentioned += [((number, card), n) for n in Expression(kind[2]).nodes()]

    def _mosfet(self, number: int, card: str) -> None:
        fields = self._fields(card, 5, 5, "name, drain, gate, source and a VDMOS model")
        # The channel, and the body diode beside it; the gate only charges.
        self._nodes((number, card), [fields[1], fields[3]], conducting=True)
        self._nodes((number, card), [fields[2]])
        self.uses.append(((number, card), fields[4].lower()))

    def _call(self, number: int, card: str) -> None:
        fields = self._fields(card, 3, 1 << 30, "name, nodes and a subcircuit")
        if "=" in card:
            raise Unportable("parameters of a call are written differently: write numbers out")
        self._nodes((number, card), fields[1:-1])
        nodes = tuple(name.lower() for name in fields[1:-1])
        self.scope.calls.append(Call((number, card), fields[-1].lower(), nodes))

    # --- cards with a dot

    def _subckt(self, number: int, card: str) -> None:
        fields = self._fields(card, 3, 1 << 30, ".subckt, a name and ports")
        if self.scope is not self.top:
            raise Unportable("a subcircuit within a subcircuit: put it beside")
        if "=" in card:
            raise Unportable("parameters of a subcircuit differ: write numbers out")
        if fields[1].lower() in self.subcircuits:
            raise Unportable(f"there are two subcircuits {fields[1]!r}")
        ports = fields[2:]
        self.scope = Scope(tuple(p.lower() for p in ports))
        self._nodes((number, card), ports)
        self.subcircuits[fields[1].lower()] = self.scope

    def _ends(self, number: int, card: str) -> None:
        if self.scope is self.top:
            raise Unportable("no subcircuit is open")
        self.scope = self.top

    def _model(self, number: int, card: str) -> None:
        found = re.fullmatch(r"\.model\s+(\w+)\s+vdmos\s*\((.*)\)\s*", card, re.IGNORECASE)
        if found is None or not _NAME.match(found[1]):
            raise Unportable("of models only VDMOS with its parameters in () is portable")
        for pair in found[2].split():
            name, _, value = pair.partition("=")
            if name.lower() not in _VDMOS:
                raise Unportable(f"VDMOS's parameter {name!r} is not one that both have")
            _need_number(value)
        self.models.add(found[1].lower())

    def _initial(self, number: int, card: str) -> None:
        for pair in card.split()[1:]:
            found = re.fullmatch(rf"[vV]\((\w+)\)=({_NUMBER})", pair)
            if found is None:
                raise Unportable(".ic is V(node)=number")
            self.scope.mentioned.append(((number, card), found[1].lower()))

    def _set_options(self, number: int, card: str) -> None:
        for pair in card.split()[1:]:
            name, _, value = pair.partition("=")
            if name not in self.options:
                raise Unportable(f"the option {name!r} is not one that this dialect has")
            if name != "method":
                _need_number(value)
            elif value not in _METHODS:
                raise Unportable(f"the method {value!r} is not one that both have")

    def _save(self, number: int, card: str) -> None:
        vectors = card.split()[1:]
        for vector in vectors:
            found = self.vector.match(vector)
            if found is None:
                raise Unportable(f"{vector!r} is not how this dialect spells a vector")
            if found[1] is not None:
                self.scope.mentioned.append(((number, card), found[1].lower()))
            elif found[2].lower() not in self.top.elements:
                raise Unportable(f"there is no source {found[2]!r} above this card")

    def _transient(self, number: int, card: str) -> None:
        for value in self._fields(card, 5, 5, ".tran with all four fields, without uic")[1:]:
            _need_number(value)

    def _end(self, number: int, card: str) -> None:
        self.ended = True

    @staticmethod
    def _fields(card: str, low: int, high: int, form: str) -> list[str]:
        fields = card.split()
        if not low <= len(fields) <= high:
            raise Unportable(f"it must be {form}")
        return fields


_Handler = Callable[[_Check, int, str], None]

_ELEMENTS: dict[str, _Handler] = {
    "r": _Check._two_terminal,
    "c": _Check._two_terminal,
    "e": _Check._controlled,
    "g": _Check._controlled,
    "v": _Check._source,
    "i": _Check._source,
    "b": _Check._behavioural,
    "m": _Check._mosfet,
    "x": _Check._call,
}
_DOT_CARDS: dict[str, _Handler] = {
    ".subckt": _Check._subckt,
    ".ends": _Check._ends,
    ".model": _Check._model,
    ".ic": _Check._initial,
    ".options": _Check._set_options,
    ".save": _Check._save,
    ".tran": _Check._transient,
    ".end": _Check._end,
}


def _cards(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Give each card with its first line's number, continuation lines joined."""
    number, parts = 0, [""]
    for k, line in enumerate(lines, start=1):
        if line.startswith("+"):
            parts.append(line[1:])
            continue
        yield number, " ".join(parts)
        number, parts = k, [line]
    yield number, " ".join(parts)


def _need_number(text: str) -> None:
    if not _NUMERIC.match(text):
        raise Unportable(f"{text!r} is no number written out: suffixes and names differ")
