"""A netlist taken apart: elements, subcircuits, models and directives."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from spicealif.errors import NetlistError

__all__ = ["Cards", "Element", "read_cards"]

#: How many nodes an element has, by the first letter of its name. Of a subcircuit's instance the
#: last word is the subcircuit and all before it are nodes.
_NODES = {"R": 2, "C": 2, "V": 2, "I": 2, "B": 2, "E": 4, "G": 4, "M": 3}


@dataclass(frozen=True)
class Element:
    """One element of the circuit.

    Attributes
    ----------
    name : str
    nodes : tuple of str
        In the order of the netlist.
    value : str
        What stands behind the nodes: a value, an expression, a model, a subcircuit.
    ports : tuple of str
        Of a subcircuit's instance: what the subcircuit calls the nodes.
    """

    name: str
    nodes: tuple[str, ...]
    value: str
    ports: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The first letter of the name, which says what it is to SPICE."""
        return self.name[0].upper()


@dataclass(frozen=True)
class Cards:
    """A netlist's parts.

    Attributes
    ----------
    heading : tuple of str
        The comments that it begins with, without their asterisks.
    elements : tuple of Element
        Those of the circuit, not of its subcircuits.
    blocks : tuple of str
        Subcircuits' and models' definitions, whole, each of one line or several.
    directives : tuple of str
        The others, a line each; not the last one, ``.end``.
    """

    heading: tuple[str, ...]
    elements: tuple[Element, ...]
    blocks: tuple[str, ...]
    directives: tuple[str, ...]

    def element(self, name: str) -> Element | None:
        """Return the element of that name, or None."""
        return next((e for e in self.elements if e.name == name), None)


def read_cards(text: str) -> Cards:
    """Take a netlist of ours apart.

    Parameters
    ----------
    text : str
        As `spicealif.netlist.build_netlist` makes it.

    Raises
    ------
    NetlistError
        If it has an element of a kind that a schematic does not know.
    """
    heading, lines, blocks = _parted(text)
    directives = [line for line in lines if line.startswith(".") and line.lower() != ".end"]
    cards: list[list[str]] = []
    for line in lines:
        if line.startswith("+") and cards:  # many points of a source
            cards[-1] += line[1:].split()
        elif not line.startswith("."):
            cards.append(line.split())
    ports = {b.split()[1]: _ports(b) for b in blocks if _is_subckt(b)}
    elements = tuple(_element(words, ports) for words in cards)
    return Cards(tuple(heading), elements, tuple(blocks), tuple(directives))


def _parted(text: str) -> tuple[list[str], list[str], list[str]]:
    """Return the heading, the lines of the circuit, and the blocks."""
    heading: list[str] = []
    lines: list[str] = []
    blocks: list[str] = []
    begun = False
    inside = ""  # the word that began the block that a line may belong to
    depth = 0  # of subcircuits within each other
    for line in filter(str.strip, text.splitlines()):
        word = line.split(maxsplit=1)[0].lower()
        if inside == ".subckt" or (inside == ".model" and word.startswith("+")):
            blocks[-1] += "\n" + line
            depth += (word == ".subckt") - (word == ".ends")
            inside = "" if inside == ".subckt" and not depth else inside
        elif line.startswith("*"):
            begun = begun or line.startswith("* ---")
            if not begun and line.strip("* "):
                heading.append(line[1:].strip())
        else:
            inside, depth = word, 1
            (blocks if word in (".subckt", ".model") else lines).append(line)
    return heading, lines, blocks


def _ports(block: str) -> tuple[str, ...]:
    """Return a subcircuit's ports; its parameters, which a maker's model may have, are none."""
    words = block.replace("\n+", " ").splitlines()[0].split()[2:]
    plain = itertools.takewhile(lambda w: "=" not in w and w.lower() != "params:", words)
    return tuple(plain)


def _is_subckt(block: str) -> bool:
    return block.lower().startswith(".subckt")


def _element(words: list[str], ports: dict[str, tuple[str, ...]]) -> Element:
    name = words[0]
    kind = name[0].upper()
    count = len(words) - 2 if kind == "X" else _NODES.get(kind)
    if count is None or len(words) < count + 2:
        raise NetlistError(
            f"The netlist's element {ascii(name[:40])} is of a kind that a schematic does not "
            "know; write the netlist itself."
        )
    value = " ".join(words[count + 1 :])
    return Element(name, tuple(words[1 : count + 1]), value, ports.get(value, ()))
