"""A maker's model as text: its subcircuits, what a part needs of them, and how they are embedded.

What a design keeps of a model file is what the part needs, comments gone, so that a result can be
made again without the file.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import lru_cache

from spicealif.design.parts.model_cards import (
    BRACES,
    Card,
    ModelProblem,
    checked_card,
    shown_card,
    split_cards,
)
from spicealif.design.parts.model_growth import check_growth

__all__ = ["ModelText", "model_text"]

#: Characters that a design keeps of a model, and devices that one part may be made of.
_LONGEST, _DEVICES, _DEEPEST = 1 << 16, 5000, 8
#: Characters that are looked at at all.
_FILE = 1 << 20
_TOKEN = re.compile(BRACES + r"|[(),=]|[^\s(),={}]+")


class _Subcircuit:
    """The cards of one ``.subckt``, from that line to its ``.ends``, and what is in them.

    Attributes
    ----------
    cards : list of Card
    models : set of str
        Names of its ``.model`` cards.
    inner : dict of str to (int, list of str)
        Of the subcircuit and of those within it: number of devices, and calls.
    """

    def __init__(self, cards: list[Card]) -> None:
        self.cards = cards
        self.models: set[str] = set()
        self.inner: dict[str, tuple[int, list[str]]] = {}
        open_: list[str] = []
        for card in cards:
            if card.word == ".subckt":
                self._begin(card, open_)
            elif card.word == ".ends":
                open_.pop()
            elif card.word == ".model":
                self.models.add(_second(card))
            elif not card.word.startswith("."):
                devices, calls = self.inner[open_[-1]]
                if card.word[0] == "x":
                    calls.append(card.plain[-1].lower())
                self.inner[open_[-1]] = devices + 1, calls

    def _begin(self, card: Card, open_: list[str]) -> None:
        name = _second(card)
        pins = [pin.lower() for pin in card.plain[2:]]
        if not pins or len(set(pins)) < len(pins) or "0" in pins:
            raise ModelProblem(
                f"{shown_card(card)}, has no pins, one of them twice, or node 0; mend that line",
                card.line,
            )
        if name in self.inner:
            raise ModelProblem(f"{shown_card(card)}, is there twice; remove one of them", card.line)
        if len(open_) >= _DEEPEST:
            raise ModelProblem(
                f"subcircuits stand within each other more than {_DEEPEST} deep; put them beside "
                "each other", card.line,
            )  # fmt: skip
        self.inner[name] = 0, []
        open_.append(name)

    @property
    def pins(self) -> tuple[str, ...]:
        return tuple(self.cards[0].plain[2:])


@dataclass(frozen=True)
class ModelText:
    """What a part needs of a model.

    Attributes
    ----------
    text : str
        Its cards, a line each.
    name : str
        The subcircuit, or the ``.model`` card, that the part is.
    pins : tuple of str
        The subcircuit's nodes as its ``.subckt`` line has them; empty for a ``.model`` card.
    kind : str
        Type of a ``.model`` card in lower case; empty for a subcircuit.
    """

    text: str
    name: str
    pins: tuple[str, ...]
    kind: str

    def embedded(self, prefix: str) -> str:
        """Return the cards as they stand in a netlist, a name being ``prefix`` + its own.

        Subcircuits get the prefix; parameters, functions and models of the file are put into each
        subcircuit, where no other part sees them. Lines have 100 characters at most.

        Parameters
        ----------
        prefix : str
            Letters, digits and underscores.

        Returns
        -------
        str
            Without a newline at the end.
        """
        parsed = _Parsed(self.text)
        names: dict[str, str] = {}
        for name in parsed.names:
            for inner in parsed.subcircuit(name).inner:
                plain = f"{prefix}{_plain(inner)}"
                taken = plain in names.values() and inner not in names
                names[inner] = f"{plain}_{len(names)}" if taken else plain
        out: list[str] = []
        if self.kind:
            model = parsed.model(self.name.lower())
            assert model is not None  # `model_text` found it
            bulk = "" if self.kind == "vdmos" else " s"
            out = [f".subckt {prefix}{_plain(self.name)} d g s"]
            out += [card.text for card in (*parsed.shared, model)]
            out += [f"M_1 d g s{bulk} {model.words[1]}", ".ends"]
        models = [card.text for card in parsed.used_models(parsed.names)]
        for name in parsed.names:
            header, *cards = parsed.subcircuit(name).cards
            out.append(_renamed(header, 1, names))
            out += [*(card.text for card in parsed.shared), *models]
            out += [_with_names(card, names) for card in cards]
        return "\n".join(line for card in out for line in _wrapped(card))


@lru_cache(maxsize=64)
def model_text(text: str, name: str) -> ModelText:
    """Return what a part needs of a model's text, every card checked.

    Parameters
    ----------
    text : str
        Of the maker's file, or what was kept of one.
    name : str
        Of a ``.subckt`` in it, or of a ``.model`` card of a MOSFET; in any case.

    Returns
    -------
    ModelText

    Raises
    ------
    ModelProblem
        If it is not there, not whole, or has something that no model may have.
    """
    if len(text) > _FILE:
        raise ModelProblem(f"it is longer than {_FILE >> 20} MB; give the part's own cards alone")
    parsed = _Parsed(text)
    wanted = name.lower()
    model = parsed.model(wanted) if wanted in parsed.mosfets else None
    if wanted in parsed.names:
        kept = parsed.needed(wanted)
        cards = [*parsed.shared, *parsed.used_models(kept)]
        cards += [card for each in kept for card in parsed.subcircuit(each).cards]
        found = parsed.subcircuit(wanted)
        pins, kind, name = found.pins, "", found.cards[0].words[1]
    elif model is not None:
        cards, pins, kind = [*parsed.shared, model], (), model.plain[2].lower()
        name = model.words[1]
        check_growth(parsed.shared)
    else:
        there = parsed.as_written
        listed = ", ".join(ascii(n)[1:-1][:40] for n in there[:8]) or "no subcircuit at all"
        raise ModelProblem(
            f"there is no .subckt {ascii(name)[:40]} in it; take one of those that there are "
            f"({listed}{' and more' if len(there) > 8 else ''})"
        )
    kept_text = "\n".join(card.text for card in cards) + "\n"
    if len(kept_text) > _LONGEST:
        raise ModelProblem(
            f"{name} has {len(kept_text)} characters, and {_LONGEST} are taken; ask the maker for "
            "a simpler model"
        )
    return ModelText(kept_text, name, pins, kind)


_MOSFET = re.compile(r"\s(?:nmos|vdmos)\b", re.IGNORECASE)


class _Parsed:
    """A text's subcircuits, models and what all of them share, by lower-case name.

    Of a maker's library only what is asked for is looked at: the rest is neither kept nor checked.
    """

    def __init__(self, text: str) -> None:
        self.shared: list[Card] = []
        self._models: dict[str, tuple[int, str]] = {}
        self._blocks: dict[str, list[tuple[int, str]]] = {}
        self._read: dict[str, _Subcircuit] = {}
        self._twice: set[str] = set()
        self._twice_models: set[str] = set()
        block: list[tuple[int, str]] = []
        depth = 0
        for line, card in split_cards(text):
            word = card.lower().split(maxsplit=1)[0]
            if word == ".subckt":
                depth += 1
            if not depth:
                self._outside(word, line, card)
                continue
            block.append((line, card))
            if word == ".ends":
                depth -= 1
                if not depth:
                    self._add(block)
                    block = []
        if depth:
            line, card = block[0]
            raise ModelProblem(f"{ascii(card[:48])}, has no .ends; add it", line)

    def _outside(self, word: str, line: int, card: str) -> None:
        if word == ".model":
            name = (card.lower().split(maxsplit=2)[1:2] or [""])[0]
            if name in self._models:
                self._twice_models.add(name)
            self._models[name] = line, card
            return
        checked = checked_card(line, card)
        if word not in (".param", ".func"):
            raise ModelProblem(
                f"{shown_card(checked)}, stands outside a subcircuit and would be in our circuit; "
                "take it out, or put it between .subckt and .ends", line,
            )  # fmt: skip
        self.shared.append(checked)

    def _add(self, block: list[tuple[int, str]]) -> None:
        header = checked_card(*block[0])
        name = _second(header)
        if name in self._blocks:
            self._twice.add(name)
        self._blocks[name] = block

    @property
    def names(self) -> list[str]:
        """The subcircuits, in the text's order."""
        return list(self._blocks)

    @property
    def as_written(self) -> list[str]:
        """What a part can be, by the names as the text writes them."""
        cards = [block[0][1] for block in self._blocks.values()]
        cards += [self._models[name][1] for name in self.mosfets]
        return [card.split(maxsplit=2)[1] for card in cards]

    @property
    def mosfets(self) -> list[str]:
        """Names of models that a MOSFET can be."""
        return [n for n, (_, c) in self._models.items() if _MOSFET.search(c)]

    def model(self, name: str) -> Card | None:
        """Return a ``.model`` card that all share, checked; None if there is none."""
        if name not in self._models:
            return None
        line, text = self._models[name]
        card = checked_card(line, text)
        if name in self._twice_models:
            raise ModelProblem(f"{shown_card(card)}, is there twice; remove one of them", line)
        return card

    def subcircuit(self, name: str) -> _Subcircuit:
        """Return a subcircuit, every card of it checked."""
        if name in self._twice:
            line, header = self._blocks[name][0]
            raise ModelProblem(f"{ascii(header[:48])}, is there twice; remove one of them", line)
        if name not in self._read:
            self._read[name] = found = _Subcircuit([checked_card(*c) for c in self._blocks[name]])
            check_growth([*self.shared, *found.cards])
            visible = found.models | set(self._models)
            for card in found.cards:
                if card.word[0] == "x" and card.plain[-1].lower() not in (
                    *found.inner, *self._blocks
                ):  # fmt: skip
                    raise ModelProblem(
                        f"{shown_card(card)}, calls a subcircuit that the text does not have; put "
                        "it into the same file", card.line,
                    )  # fmt: skip
                if card.needs_model and not visible.intersection(card.model_words()):
                    raise ModelProblem(
                        f"{shown_card(card)}, names no model that the text has; put its .model "
                        "card into the same file", card.line,
                    )  # fmt: skip
        return self._read[name]

    def used_models(self, names: list[str]) -> list[Card]:
        """Return the shared models that subcircuits name, in the text's order."""
        words = {w.lower() for n in names for card in self.subcircuit(n).cards for w in card.words}
        found = [self.model(name) for name in self._models if name in words]
        return [card for card in found if card is not None]

    def needed(self, name: str) -> list[str]:
        """Return the subcircuits that one is made of, in the text's order."""
        sizes: dict[tuple[str, str], int] = {}

        def size(outer: str, of: str, above: tuple[tuple[str, str], ...]) -> int:
            found = self.subcircuit(outer)
            if (outer, of) in above or len(above) > 50:
                header = found.cards[0]
                raise ModelProblem(
                    f"{shown_card(header)}, contains itself without end; mend it", header.line
                )
            if (outer, of) not in sizes:
                devices, calls = found.inner[of]
                total = devices
                for call in calls:
                    where = outer if call in found.inner and call != outer else call
                    total += size(where, call, (*above, (outer, of)))
                sizes[outer, of] = total
            return sizes[outer, of]

        if size(name, name, ()) > _DEVICES:
            raise ModelProblem(
                f"{name} is made of more than {_DEVICES} devices; ask the maker for a simpler model"
            )
        wanted = {outer for outer, _ in sizes}
        return [n for n in self._blocks if n in wanted]


def _second(card: Card) -> str:
    """Return the name that a card with a dot gives, in lower case."""
    return card.words[1].lower()


def _callee_at(card: Card) -> int:
    """Return which of a call's words is the subcircuit's name."""
    wanted = len(card.plain)
    for k, word in enumerate(card.words):
        wanted -= word not in ("(", ")", ",")
        if not wanted:
            return k
    raise ModelProblem(f"{shown_card(card)}, calls nothing; mend that line", card.line)


def _with_names(card: Card, names: dict[str, str]) -> str:
    """Return a card of a subcircuit, the names of subcircuits in it changed."""
    if card.word == ".ends":
        return ".ends"
    if card.word == ".subckt":
        return _renamed(card, 1, names)
    return _renamed(card, _callee_at(card), names) if card.word[0] == "x" else card.text


def _renamed(card: Card, at: int, names: dict[str, str]) -> str:
    begin, end = list(_TOKEN.finditer(card.text))[at].span()
    first = card.word if card.word == ".subckt" else card.words[0]
    return f"{first}{card.text[len(first) : begin]}{names[card.words[at].lower()]}{card.text[end:]}"


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name.lower(), flags=re.ASCII)


def _wrapped(card: str) -> list[str]:
    if len(card) <= 100:
        return [card]
    return textwrap.wrap(
        card, 100, subsequent_indent="+ ", break_long_words=False, break_on_hyphens=False
    )
