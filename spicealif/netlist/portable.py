"""The subset of SPICE that ngspice and LTspice both understand, and whether a netlist is in it.

LTspice accepts much that ngspice does not, the other way round, and, worse, some texts mean
different things to the two (``^`` is a power in one and XOR in the other; ``limit`` is silently
wrong in ngspice). So what may stand in a netlist is listed here, card by card; everything else is
a finding. The check is static: it knows cards, names, numbers and expressions, not circuits.

Sources: the manual of ngspice and the help of LTspice (pages "B. Arbitrary Behavioral Voltage or
Current Sources", ".OPTIONS", ".TRAN", "M. MOSFET", "V. Voltage Source", "General Structure and
Conventions"); what differs was measured on ngspice 39.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from spicealif.netlist._card_lines import check_characters, is_comment, read_cards
from spicealif.netlist._expression import NUMBER, Expression, Unportable, check_source, read_number
from spicealif.netlist._parameter_cards import Parameters
from spicealif.netlist._topology import Call, Card, Scope, endless_calls, floating_nodes
from spicealif.netlist.dialect import find_dialect

__all__ = ["PortabilityFinding", "find_unportable"]

_OPTIONS = frozenset({"reltol", "abstol", "vntol", "chgtol", "trtol", "method", "temp", "tnom"})
#: Options that one of them alone has, and why they may stand in its netlists.
_METHODS = frozenset({"trap", "gear"})
#: Parameters of VDMOS models that both have, by both manuals.
_VDMOS = frozenset(
    {"vto", "kp", "rs", "rd", "rg", "cgdmax", "cgdmin", "cgs", "cjo", "is", "mtriode"}
)
#: Those that must be written out, because their defaults differ (ngspice, LTspice).
_VDMOS_STATED = {"ksubthres": ("0.1", "0"), "vj": ("0.8", "1")}

#: Parameters of junction diodes, whose meaning and defaults are SPICE2's in both.
_DIODE = frozenset({"is", "n", "cjo", "m", "vj", "tt"})
_MODEL = re.compile(r"\.model\s+(\w+)\s+(vdmos|d)\s*\((.*)\)\s*", re.IGNORECASE)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NODE = re.compile(r"(?:0|[A-Za-z_][A-Za-z0-9_]*)\Z")
_INITIAL = re.compile(rf"[vV]\(([A-Za-z_]\w*)\)=({NUMBER})\Z")
_PARAMETER = re.compile(r"\.param\s", re.IGNORECASE)
#: Cards besides elements that may have expressions of parameters in braces.
_WITH_NUMBERS = frozenset({".ic", ".model", ".tran"})
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
    # What is known at the end only, such as a node that floats, is put at its card.
    return tuple(sorted(_Check(text, dialect).findings(), key=lambda finding: finding.line))


class _Check:
    def __init__(self, text: str, dialect: str) -> None:
        spelling = find_dialect(dialect)
        self.text = text
        self.dialect = spelling
        self.options = _OPTIONS | spelling.options
        word, between = r"[A-Za-z_]\w*", re.escape(spelling.separator)
        voltage, current = (
            re.escape(form).replace(re.escape("{}"), name)
            for form, name in (
                (spelling.voltage, f"({word}(?:{between}{word})*)"),
                (spelling.current, f"({word})"),
            )
        )
        self.vector = re.compile(rf"(?:{voltage}|{current})\Z")
        self.top = Scope()
        self.scope = self.top
        self.subcircuits: dict[str, Scope] = {}
        self.open = ""
        self.models: set[str] = set()
        self.uses: list[tuple[Card, str]] = []
        self.saved: list[tuple[Card, list[str]]] = []
        self.given: set[str] = set()
        self.parameters = Parameters()
        self.analyses = 0
        self.ended = False

    def findings(self) -> Iterator[PortabilityFinding]:
        lines = self.text.split("\n")
        if not lines[0].startswith("*"):
            yield PortabilityFinding(1, lines[0], "the first line is a title: begin it with '*'")
        cards = list(read_cards(lines))
        for number, card in cards:
            # Wherever a parameter stands, expressions above it may name it.
            if _PARAMETER.match(card):
                try:
                    self.parameters.add(card)
                except Unportable as finding:
                    yield PortabilityFinding(number, card, str(finding))
        for number, card in cards:
            try:
                self._card(number, card)
            except Unportable as finding:
                yield PortabilityFinding(number, card, str(finding))
        if self.analyses != 1:
            yield PortabilityFinding(
                len(lines), "", f"{self.analyses} cards .tran: LTspice wants one analysis"
            )
        if not self.ended:
            yield PortabilityFinding(len(lines), "", "the last card is not .end: add it")
        if self.scope is not self.top:
            yield PortabilityFinding(len(lines), "", "a subcircuit does not end: add .ends")
        yield from self._unresolved()

    def _card(self, number: int, card: str) -> None:
        if is_comment(card):
            return
        if self.ended:
            raise Unportable("it stands after .end: LTspice ignores it, ngspice may not")
        word = card.split(maxsplit=1)[0].lower()
        if "{" in card and word != ".param" and (word in _WITH_NUMBERS or word[0] in _ELEMENTS):
            card = self.parameters.substitute(card)
        check_characters(card, braces=word == ".param")
        if word.startswith("."):
            handler = _DOT_CARDS.get(word)
            if handler is None:
                raise Unportable(f"the card {word} is not of the portable subset: leave it out")
            if self.scope is not self.top and word not in (".ends", ".ic", ".subckt"):
                raise Unportable(f"{word} within a subcircuit differs: put it at the top level")
        else:
            handler = _ELEMENTS.get(word[0])
            if handler is None:
                raise Unportable(f"elements that begin with {word[0]!r} are not portable")
            self._new_element(word)
        handler(self, number, card)

    def _unresolved(self) -> Iterator[PortabilityFinding]:
        for call in endless_calls(self.subcircuits):
            yield PortabilityFinding(*call.card, f"{call.name!r} contains itself without end")
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
        yield from self._unsaved()
        for card, name in self.uses:
            if name not in self.models:
                yield PortabilityFinding(*card, f"there is no model {name!r}")
        for node, card in floating_nodes(self.top, self.subcircuits):
            yield PortabilityFinding(
                *card,
                f"node {node!r} has no path to ground for direct current, which LTspice refuses: "
                "add a large resistor",
            )

    def _unsaved(self) -> Iterator[PortabilityFinding]:
        for card, (*instances, node) in self.saved:
            inner: Scope | None = self.top
            for instance in instances:
                inner = inner and self.subcircuits.get(inner.subcircuit_of(instance))
            if inner is None or node not in inner.nodes:
                name = self.dialect.separator.join([*instances, node])
                yield PortabilityFinding(*card, f"no element is connected to node {name!r}")

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
        if read_number(fields[3]) == 0 and card[0] in "rR":
            raise Unportable("a resistor of 0 ohm becomes a small one in ngspice: use a V source")

    def _controlled(self, number: int, card: str) -> None:
        fields = self._fields(card, 6, 6, "name, four nodes and one number")
        self._nodes((number, card), fields[1:3], conducting=card[0] in "eE")
        self._nodes((number, card), fields[3:5])
        read_number(fields[5])

    def _mirror(self, number: int, card: str) -> None:
        fields = self._fields(card, 5, 5, "name, two nodes, a V source and one number")
        self._nodes((number, card), fields[1:3])
        if fields[3][0] not in "vV" or fields[3].lower() not in self.scope.elements:
            raise Unportable(f"there is no voltage source {fields[3]!r} above this card")
        read_number(fields[4])

    def _diode(self, number: int, card: str) -> None:
        fields = self._fields(card, 4, 4, "name, anode, cathode and a model of kind D")
        self._nodes((number, card), fields[1:3], conducting=True)
        self.uses.append(((number, card), fields[3].lower()))

    def _source(self, number: int, card: str) -> None:
        fields = card.split(None, 3)
        if len(fields) < 4:
            raise Unportable("it must be name, two nodes and a number or source function")
        self._nodes((number, card), fields[1:3], conducting=card[0] in "vV")
        check_source(fields[3])

    def _behavioural(self, number: int, card: str) -> None:
        fields = card.split(None, 3)
        kind = re.match(r"([VvIi])=(.+)\Z", fields[3]) if len(fields) == 4 else None
        if kind is None:
            raise Unportable("a B source is a name, two nodes and V= or I=: R=, Q= are not")
        self._nodes((number, card), fields[1:3], conducting=kind[1] in "Vv")
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
        name, ports = fields[1].lower(), tuple(p.lower() for p in fields[2:])
        if name in self.subcircuits or not _NAME.match(name):
            raise Unportable(f"there are two subcircuits {name!r}, or that is no name")
        # Opened before its ports are checked, so that one fault is one finding.
        self.scope = self.subcircuits[name] = Scope(ports)
        self.open = name
        self._nodes((number, card), fields[2:])
        if "0" in ports or len(set(ports)) < len(ports):
            raise Unportable("a port is node 0, or two have one name: give each its own")

    def _ends(self, number: int, card: str) -> None:
        if self.scope is self.top:
            raise Unportable("no subcircuit is open")
        self.scope = self.top
        if card.lower().split() not in ([".ends"], [".ends", self.open]):
            raise Unportable(f"it ends {self.open!r}: write .ends alone")

    def _model(self, number: int, card: str) -> None:
        found = _MODEL.fullmatch(card)
        if found is None or not _NAME.match(found[1]):
            raise Unportable("of models only VDMOS and D with their parameters in () are portable")
        if found[1].lower() in self.models:
            raise Unportable(f"there are two models {found[1]!r}")
        self.models.add(found[1].lower())
        kind = found[2].upper()
        known = _DIODE if kind == "D" else _VDMOS | set(_VDMOS_STATED)
        given: set[str] = set()
        for pair in found[3].split():
            name, _, value = pair.lower().partition("=")
            if name not in known:
                raise Unportable(f"{kind}'s parameter {name!r} is not one that both have")
            if name in given:
                raise Unportable(f"{kind}'s parameter {name!r} is there twice")
            given.add(name)
            read_number(value)
        for name, (ngspice, ltspice) in _VDMOS_STATED.items() if kind == "VDMOS" else ():
            if name not in given:
                raise Unportable(
                    f"VDMOS's {name} is {ngspice} by default in ngspice and {ltspice} in LTspice: "
                    "write it out"
                )

    def _parameter(self, number: int, card: str) -> None:
        # A card that is none was told before.
        if found := re.match(r"\.param\s+(\w+)=\S+\s*\Z", card, re.IGNORECASE):
            self.parameters.value(found[1])

    def _initial(self, number: int, card: str) -> None:
        for pair in self._fields(card, 2, 1 << 30, ".ic with V(node)=number")[1:]:
            found = _INITIAL.match(pair)
            if found is None:
                raise Unportable(".ic is V(node)=number")
            read_number(found[2])
            self.scope.mentioned.append(((number, card), found[1].lower()))

    def _set_options(self, number: int, card: str) -> None:
        for pair in self._fields(card.lower(), 2, 1 << 30, ".options with name=value")[1:]:
            name, _, value = pair.partition("=")
            if name not in self.options:
                raise Unportable(f"the option {name!r} is not one that this dialect has")
            if name in self.given:
                raise Unportable(f"the option {name!r} is set twice: which one counts differs")
            self.given.add(name)
            if name != "method":
                read_number(value)
            elif value not in _METHODS:
                raise Unportable(f"the method {value!r} is not one that both have")

    def _save(self, number: int, card: str) -> None:
        vectors = card.split()[1:]
        if not vectors:
            raise Unportable("it names no vector")
        for vector in vectors:
            found = self.vector.match(vector)
            if found is None:
                raise Unportable(f"{vector!r} is not how our netlists name a vector here")
            if found[1] is not None:
                path = found[1].lower().split(self.dialect.separator)
                self.saved.append(((number, card), path))
            elif found[2][0] not in "vV" or found[2].lower() not in self.top.elements:
                # ngspice has the currents of voltage sources only.
                raise Unportable(f"there is no voltage source {found[2]!r} above this card")

    def _transient(self, number: int, card: str) -> None:
        fields = self._fields(card, 5, 5, ".tran with all four fields, without uic")
        step, stop, start, largest = (read_number(field) for field in fields[1:])
        self.analyses += 1
        if start != 0:
            raise Unportable("a start other than 0 moves the origin of time in LTspice alone")
        zero = step == 0 and not self.dialect.step_may_be_zero
        if step < 0 or stop <= 0 or largest <= 0 or zero:
            raise Unportable("a time of .tran is 0 or less")

    def _end(self, number: int, card: str) -> None:
        self.ended = True
        self._fields(card, 1, 1, ".end alone")

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
    "f": _Check._mirror,
    "d": _Check._diode,
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
    ".param": _Check._parameter,
    ".ic": _Check._initial,
    ".options": _Check._set_options,
    ".save": _Check._save,
    ".tran": _Check._transient,
    ".end": _Check._end,
}
