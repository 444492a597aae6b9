"""A maker's model as text: its subcircuits, what a part needs of them, and how they are embedded.

What a design keeps of a model file is what the part needs, comments gone, so that a result can be
made again without the file.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from functools import lru_cache

from spicealif.design.parts.model_cards import Card, ModelProblem, read_cards

__all__ = ["ModelText", "model_text"]

#: Characters that a design keeps of a model, and devices that one part may be made of.
_LONGEST, _DEVICES = 1 << 16, 5000
#: Characters that are looked at at all.
_FILE = 1 << 20
#: What functions of a model may grow to when they are put in each other's places.
_GROWTH = 10_000
_TOKEN = re.compile(r"\{[^{}]*\}|[(),=]|[^\s(),={}]+")
_CALL = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?=\s*\()")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


@dataclass
class _Subcircuit:
    """One ``.subckt`` of the text and what is in it."""

    card: Card
    cards: list[Card] = field(default_factory=list)
    devices: int = 0
    calls: list[str] = field(default_factory=list)
    models: set[str] = field(default_factory=set)

    @property
    def pins(self) -> tuple[str, ...]:
        return tuple(self.card.plain[2:])


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
        for name in parsed.subcircuits:
            plain = f"{prefix}{_plain(name)}"
            names[name] = plain if plain not in names.values() else f"{plain}_{len(names)}"
        out: list[str] = []
        if self.kind:
            own = names.get(self.name.lower(), f"{prefix}{_plain(self.name)}")
            model = parsed.models[self.name.lower()]
            bulk = "" if self.kind == "vdmos" else " s"
            inner = [*parsed.shared, model]
            out = [f".subckt {own} d g s", *(c.text for c in inner)]
            out += [f"M_1 d g s{bulk} {model.words[1]}", ".ends"]
        for found in parsed.subcircuits.values():
            out.append(_renamed(found.card, 1, names))
            out += [card.text for card in (*parsed.shared, *parsed.models.values())]
            for card in found.cards:
                call = card.word[0] == "x"
                out.append(_renamed(card, _callee_at(card), names) if call else card.text)
            out.append(".ends")
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
    if wanted in parsed.subcircuits:
        found = parsed.subcircuits[wanted]
        kept = _needed(parsed, wanted)
        models = [card for key, card in parsed.models.items() if _uses(parsed, kept, key)]
        cards = [*parsed.shared, *models]
        for each in kept:
            one = parsed.subcircuits[each]
            cards += [one.card, *one.cards, Card(0, ".ends", (".ends",))]
        pins, kind = found.pins, ""
        name = found.card.words[1]
    elif wanted in parsed.models and parsed.models[wanted].plain[2].lower() in ("nmos", "vdmos"):
        model = parsed.models[wanted]
        cards, pins, kind = [*parsed.shared, model], (), model.plain[2].lower()
        name = model.words[1]
    else:
        there = [s.card.words[1] for s in parsed.subcircuits.values()]
        there += [m.words[1] for m in parsed.models.values() if m.plain[2].lower() in _MOS]
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


_MOS = ("nmos", "vdmos")


class _Parsed:
    """A text's subcircuits, models and what all of them share, by lower-case name."""

    def __init__(self, text: str) -> None:
        self.subcircuits: dict[str, _Subcircuit] = {}
        self.models: dict[str, Card] = {}
        self.shared: list[Card] = []
        self._open = ""
        cards = read_cards(text)
        for card in cards:
            if card.word == ".subckt":
                self._begin(card)
            elif card.word == ".ends":
                self._end(card)
            elif self._open:
                self._inside(card)
            elif card.word == ".model":
                self.models[_second(card)] = card
            elif card.word in (".param", ".func"):
                self.shared.append(card)
            else:
                raise ModelProblem(
                    f"{_shown(card)}, stands outside a subcircuit and would be in our circuit; "
                    "take it out, or put it between .subckt and .ends", card.line,
                )  # fmt: skip
        if self._open:
            card = self.subcircuits[self._open].card
            raise ModelProblem(f"{_shown(card)}, has no .ends; add it", card.line)
        _check_growth(self.shared)
        for found in self.subcircuits.values():
            _check_growth([*self.shared, *found.cards])
        self._check_references()

    def _begin(self, card: Card) -> None:
        name = _second(card)
        if name in self.subcircuits:
            raise ModelProblem(f"{_shown(card)}, is there twice; remove one of them", card.line)
        if self._open:
            raise ModelProblem(
                f"{_shown(card)}, stands within another subcircuit; put it beside that one",
                card.line,
            )
        pins = [pin.lower() for pin in card.plain[2:]]
        if not pins or len(set(pins)) < len(pins) or "0" in pins:
            raise ModelProblem(
                f"{_shown(card)}, has no pins, one of them twice, or node 0; mend that line",
                card.line,
            )
        self.subcircuits[name] = _Subcircuit(card)
        self._open = name

    def _end(self, card: Card) -> None:
        name = card.words[1].lower() if len(card.words) > 1 else ""
        if not self._open or name not in ("", self._open):
            raise ModelProblem(f"{_shown(card)}, ends no subcircuit; remove it", card.line)
        self._open = ""

    def _inside(self, card: Card) -> None:
        here = self.subcircuits[self._open]
        here.cards.append(card)
        if card.word == ".model":
            here.models.add(_second(card))
        elif not card.word.startswith("."):
            here.devices += 1
            if card.word[0] == "x":
                here.calls.append(card.plain[-1].lower())

    def _check_references(self) -> None:
        for found in self.subcircuits.values():
            visible = found.models | set(self.models)
            for card in found.cards:
                if card.word[0] == "x" and card.plain[-1].lower() not in self.subcircuits:
                    raise ModelProblem(
                        f"{_shown(card)}, calls a subcircuit that the text does not have; put it "
                        "into the same file", card.line,
                    )  # fmt: skip
                if card.needs_model and not visible.intersection(card.model_words()):
                    raise ModelProblem(
                        f"{_shown(card)}, names no model that the text has; put its .model card "
                        "into the same file", card.line,
                    )  # fmt: skip


def _needed(parsed: _Parsed, name: str) -> list[str]:
    """Return the subcircuits that one is made of, in the text's order; refuse too large a one."""
    sizes: dict[str, int] = {}

    def size(of: str, above: tuple[str, ...]) -> int:
        if of in above or len(above) > 50:
            card = parsed.subcircuits[of].card
            raise ModelProblem(f"{_shown(card)}, contains itself without end; mend it", card.line)
        if of not in sizes:
            one = parsed.subcircuits[of]
            sizes[of] = one.devices + sum(size(call, (*above, of)) for call in one.calls)
        return sizes[of]

    total = size(name, ())
    if total > _DEVICES:
        raise ModelProblem(
            f"{name} is made of more than {_DEVICES} devices; ask the maker for a simpler model"
        )
    return [n for n in parsed.subcircuits if n in sizes]


def _uses(parsed: _Parsed, kept: list[str], model: str) -> bool:
    return any(
        model in (word.lower() for word in card.words)
        for name in kept
        for card in parsed.subcircuits[name].cards
    )


def _check_growth(cards: list[Card]) -> None:
    """Refuse functions and parameters that contain themselves, or functions that grow too much.

    A simulator puts a function's text in the place of each call.
    """
    functions: dict[str, list[str]] = {}
    parameters: dict[str, list[str]] = {}
    for card in cards:
        if card.word == ".func":
            body = card.text.split(None, 1)[1].partition(")")[2]
            calls = [c.lower() for c in _CALL.findall(body)]
            functions.setdefault(_second(card), []).extend(calls)
        elif card.word == ".param":
            for name, value in re.findall(r"(\w+)\s*=\s*(\{[^{}]*\}|[^\s=]+)", card.text):
                words = [w.lower() for w in _NAME.findall(value)]
                parameters.setdefault(name.lower(), []).extend(words)
    for made_of, most in ((functions, _GROWTH), (parameters, 0)):
        sizes: dict[str, int] = {}
        for name in made_of:
            if _size(name, (), made_of, sizes) > most > 0:
                raise ModelProblem(
                    f"{name[:40]!r} grows to more than {most} terms; ask the maker for a simpler "
                    "model"
                )


def _size(of: str, above: tuple[str, ...], made_of: dict[str, list[str]], sizes: dict[str, int]
          ) -> int:  # fmt: skip
    if of in above or len(above) > 100:
        raise ModelProblem(f"{of[:40]!r} is made of itself; mend its .param or .func")
    if of not in sizes:
        inner = [c for c in made_of[of] if c in made_of]
        sizes[of] = min(1 << 40, 1 + sum(_size(c, (*above, of), made_of, sizes) for c in inner))
    return sizes[of]


def _second(card: Card) -> str:
    """Return the name that a card with a dot gives, in lower case."""
    if len(card.words) < 2 or not re.match(r"[A-Za-z0-9_]", card.words[1]):
        raise ModelProblem(f"{_shown(card)}, gives no name; mend that line", card.line)
    return card.words[1].lower()


def _callee_at(card: Card) -> int:
    """Return which of a call's words is the subcircuit's name."""
    wanted = len(card.plain)
    for k, word in enumerate(card.words):
        wanted -= word not in ("(", ")", ",")
        if not wanted:
            return k
    raise ModelProblem(f"{_shown(card)}, calls nothing; mend that line", card.line)


def _renamed(card: Card, at: int, names: dict[str, str]) -> str:
    begin, end = list(_TOKEN.finditer(card.text))[at].span()
    return f"{card.text[:begin]}{names[card.words[at].lower()]}{card.text[end:]}"


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name.lower(), flags=re.ASCII)


def _wrapped(card: str) -> list[str]:
    if len(card) <= 100:
        return [card]
    return textwrap.wrap(
        card, 100, subsequent_indent="+ ", break_long_words=False, break_on_hyphens=False
    )


def _shown(card: Card) -> str:
    return ascii(card.text if len(card.text) <= 48 else f"{card.text[:45]}...")
