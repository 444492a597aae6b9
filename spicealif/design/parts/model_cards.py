"""The cards that a maker's model may have: an allow-list, since a netlist is code.

A simulator runs what a netlist says: ``.control`` starts programs, ``.include`` and ``file=`` read
files, a code model loads a library. So nothing passes that is not listed here: kinds of elements,
cards with a dot, types of models, functions of sources, characters.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "BRACES",
    "DOT_CARDS",
    "MODEL_TYPES",
    "Card",
    "ModelProblem",
    "checked_card",
    "shown_card",
    "split_cards",
]

#: Longest card in characters, continuation lines included.
_LONGEST = 8000
#: Cards with a dot. ``.end`` may stand at the end.
DOT_CARDS = frozenset({".model", ".subckt", ".ends", ".param", ".func"})
#: Types of ``.model`` cards: SPICE's own devices, no code models.
MODEL_TYPES = frozenset(
    (
        *("r", "res", "c", "cap", "l", "ind", "d", "npn", "pnp", "lpnp", "njf", "pjf"),
        *("nmos", "pmos", "vdmos", "sw", "csw", "vswitch", "iswitch"),
    )
)
#: First letters of elements, and how many words each has at least.
_ELEMENTS = {
    **dict.fromkeys("rcl", 4),
    **dict.fromkeys("vi", 3),
    **dict.fromkeys("defghkbw", 4),
    **dict.fromkeys("qjmst", 5),
    "x": 3,
}
#: Those that look for a model by its name, and where it may stand.
_MODEL_AT = {"d": (3, 4), "q": (4, 6), "j": (4, 5), "m": (4, 6), "s": (5, 6), "w": (4, 5)}
#: What an independent source may say beside numbers and expressions.
_SOURCE_WORDS = frozenset(
    ("dc", "ac", "pulse", "sin", "sine", "exp", "pwl", "sffm", "am", "tc", "tc1", "tc2")
)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[A-Za-z]*\Z")
#: What makes a source wait for the program around it, or differ from run to run.
_ANYWHERE = {
    re.compile(r"\b\w*file\s*=", re.IGNORECASE): "a source that reads a file",
    re.compile(r"\bexternal\b", re.IGNORECASE): "a source that another program drives",
    re.compile(r"\btr(?:noise|random)\b", re.IGNORECASE): "a random source",
    re.compile(r"\b(?:a?gauss|a?unif|mc|flat)\s*\(", re.IGNORECASE): "a value drawn at random",
}
#: What ngspice has under such a name it takes in place of a parameter, in its modes for LTspice and
#: PSpice (measured: without a word, but for hertz).
_TAKEN = frozenset({"vt", "temp", "temper", "time", "hertz"})
#: Cards in which a comma has no place outside parentheses: ngspice hangs at one in ``.param`` and
#: reads ``4,7k`` as 7k.
_NO_COMMA = frozenset({".param", ".subckt"})
#: Frequency-domain sources.
_FREQUENCY = re.compile(r"\b(laplace|freq|chebyshev)\b\s*[{=(]", re.IGNORECASE)
#: An expression in braces, which may hold others, two deep.
BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_CHARACTERS = re.compile(r"[^A-Za-z0-9_.+\-*/=(){},<>!&|~?:^# \t]")
_TOKEN = re.compile(BRACES + r"|[(),=]|[^\s(),={}]+|[{}]")
#: The micro sign and the Greek letter, behind a number.
_MICRO = re.compile("(?<=[0-9.])[\u00b5\u03bc]")
_WORDS = {
    ".include": "it reads another file",
    ".inc": "it reads another file",
    ".lib": "it reads another file",
    ".control": "it runs commands",
    ".endc": "it belongs to commands",
    ".exec": "it runs commands",
    ".hdl": "it loads a compiled model",
    ".pre_osdi": "it loads a compiled model",
    ".wave": "it writes a file",
    ".global": "it would join nodes with those of our circuit",
    ".step": "only the circuit around a model may say it, and ngspice does not know it",
}
_LETTERS = {
    "a": "an XSPICE device or one of LTspice's own functions, of which there is no common set",
    "n": "a compiled model",
    "u": "a digital device of PSpice",
    "y": "a compiled model or a digital device",
}
_REMEDY = "take it out, or ask the maker for a plain SPICE model of one file"


class ModelProblem(Exception):
    """What is wrong with a model's text, as the middle of a sentence; `line` counts from 1."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line

    def __str__(self) -> str:
        what = str(self.args[0])
        return f"line {self.line}, {what}" if self.line else what


@dataclass(frozen=True)
class Card:
    """A card of a model, its continuation lines joined and its comments gone.

    Attributes
    ----------
    line : int
        Where it begins, from 1.
    text : str
        One blank between words.
    words : tuple of str
        Its parts: an expression in braces is one, and so are ``(``, ``)``, ``,`` and ``=``.
    """

    line: int
    text: str
    words: tuple[str, ...]

    @property
    def word(self) -> str:
        """Its first word in lower case."""
        return self.words[0].lower()

    @property
    def plain(self) -> list[str]:
        """The words before the first parameter (``name=value`` or ``params:``), without signs."""
        out: list[str] = []
        for k, word in enumerate(self.words):
            if word.lower() == "params:" or self.words[k + 1 : k + 2] == ("=",):
                break
            if word not in ("(", ")", ","):
                out.append(word)
        return out

    def model_words(self) -> list[str]:
        """Return the words of an element one of which names its model, in lower case."""
        begin, end = _MODEL_AT.get(self.word[0], (0, 0))
        return [word.lower() for word in self.plain[begin:end]]

    @property
    def needs_model(self) -> bool:
        """Whether it is an element that cannot be without a model."""
        return self.word[0] in _MODEL_AT


def split_cards(text: str) -> Iterator[tuple[int, str]]:
    """Give each card of a model's text with its line, comments gone, continuation lines joined.

    Nothing of it has been checked; see `checked_card`.

    Parameters
    ----------
    text : str
        Lines ended by a newline.

    Yields
    ------
    line : int
        From 1.
    text : str

    Raises
    ------
    ModelProblem
        If a card is too long, or goes on from nothing, or something stands after ``.end``.
    """
    ended = False
    for line, joined in _joined(text):
        if ended:
            raise ModelProblem(f"{_shown(joined)}, stands after .end; remove what follows it", line)
        ended = joined.lower().split(maxsplit=1)[0] == ".end"
        if not ended:
            yield line, joined


def checked_card(line: int, text: str) -> Card:
    """Return a card that is allowed.

    Parameters
    ----------
    line : int
    text : str
        Of `split_cards`.

    Raises
    ------
    ModelProblem
        If something of it is not on the lists.
    """
    word = text.lower().split(maxsplit=1)[0]
    if word.startswith(".") and word not in DOT_CARDS:
        why = _WORDS.get(word, "it is no part of a model")
        raise ModelProblem(f"{_shown(word)} is not taken, since {why}; {_REMEDY}", line)
    card = _card(line, text)
    _check(card)
    return card


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Give each card with its line, comments gone, continuation lines joined."""
    at, parts = 0, [""]
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip(" \t")
        if line.startswith("*"):
            if re.match(r"\*ng_script", line, re.IGNORECASE):
                raise ModelProblem(f"{_shown(line)}, is a comment that ngspice runs; {_REMEDY}",
                                   number)  # fmt: skip
            continue
        line = re.split(r";|(?:^|(?<=[ \t]))\$(?=[ \t]|$)", line, maxsplit=1)[0].strip(" \t")
        if not line:
            continue
        if line.startswith("+"):
            if not at:
                raise ModelProblem("'+' goes on from nothing; remove that line", number)
            parts.append(line[1:])
            if sum(map(len, parts)) > _LONGEST:
                raise ModelProblem(f"a card is longer than {_LONGEST} characters; {_REMEDY}", at)
            continue
        if at:
            yield at, " ".join(parts)
        at, parts = number, [line]
    if at:
        yield at, " ".join(parts)


def _card(line: int, text: str) -> Card:
    if len(text) > _LONGEST:
        raise ModelProblem(f"a card is longer than {_LONGEST} characters; {_REMEDY}", line)
    text = _MICRO.sub("u", text)
    if not text.isascii():
        odd = next(c for c in text if not c.isascii())
        raise ModelProblem(
            f"{ascii(odd)} is no ASCII character outside a comment; spell it out", line
        )
    odd_one = _CHARACTERS.search(text)
    if odd_one or "//" in text:
        sign = odd_one[0] if odd_one else "//"
        raise ModelProblem(
            f"{ascii(sign)} has no place in a model's card (names of files, quoted texts and "
            f"commands have it); {_REMEDY}",
            line,
        )
    text = " ".join(text.split())
    words = tuple(_TOKEN.findall(text))
    if "{" in words or "}" in words:
        raise ModelProblem(
            "braces do not match, or stand three deep and more; mend that line", line
        )
    if not words or words[0] in ("(", ")", ",", "=") or words[0].startswith("{"):
        raise ModelProblem(f"{_shown(text)}, is no card; {_REMEDY}", line)
    return Card(line, text, words)


def _check(card: Card) -> None:
    word = card.word
    for k, name in enumerate(card.words):
        trap = name.lower()
        kind = word == ".model" and k == 2 and trap == "vdmos"
        if ("vdmos" in trap and not kind) or (word == ".model" and trap in ("gnd", "temper")):
            # ngspice searches texts for these, and ends, or eats all memory.
            raise ModelProblem(
                f"{ascii(name)[:40]} is a name that ngspice takes for something else; change it",
                card.line,
            )
    for pattern, what in _ANYWHERE.items():
        if pattern.search(card.text):
            raise ModelProblem(f"{_shown(card.text)}, is {what}; {_REMEDY}", card.line)
    _check_commas(card)
    _check_parameters(card)
    if word[0] in "egb" and (found := _FREQUENCY.search(card.text)):
        raise ModelProblem(
            f"{_shown(card.text)}, uses PSpice's {found[1].upper()}, which ngspice cannot read; "
            "ask the maker for a model without it",
            card.line,
        )
    if word.startswith("."):
        named = len(card.words) > 1 and re.match(r"[A-Za-z0-9_]", card.words[1])
        if not named and word != ".ends":
            raise ModelProblem(f"{_shown(card.text)}, gives no name; mend that line", card.line)
        if word == ".model":
            _check_model(card)
        return
    if not re.match(r"[a-z]\S*\Z", word) or word[0] not in _ELEMENTS:
        what = _LETTERS.get(word[0], "no element that is taken, nor a comment, which begins with *")
        raise ModelProblem(f"{_shown(card.text)}, is {what}; {_REMEDY}", card.line)
    signs = sum(w in ("(", ")", ",", "=") for w in card.words)
    few = len(card.words) - signs < _ELEMENTS[word[0]]
    if few or len(card.plain) < (3 if word[0] in "xvi" else 2):
        raise ModelProblem(f"{_shown(card.text)}, lacks a node or a value; mend that line",
                           card.line)  # fmt: skip
    if word[0] in "vi":
        _check_source(card)


def _check_commas(card: Card) -> None:
    if card.word not in _NO_COMMA and card.word[0] not in "rclx":
        return
    depth = 0
    for word in card.words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and depth <= 0:
            raise ModelProblem(
                f"{_shown(card.text)}, has a comma outside parentheses, which ngspice does not "
                "take for a decimal point or a blank; write a point or a blank",
                card.line,
            )


def _check_parameters(card: Card) -> None:
    """Check the names of parameters that a card gives."""
    if card.word not in (".param", ".subckt", ".func") and card.word[0] != "x":
        return
    if card.word == ".subckt" and "optional:" in (w.lower() for w in card.words):
        raise ModelProblem(
            f"{_shown(card.text)}, has PSpice's optional nodes, which ngspice cannot read; write "
            "them as ordinary pins",
            card.line,
        )
    given = [w for w, sign in itertools.pairwise(card.words) if sign == "="]
    if card.word == ".func":
        given += list(itertools.takewhile(lambda word: word != ")", card.words[1:]))
    for name in given:
        if name.lower() in _TAKEN:
            raise ModelProblem(
                f"{_shown(card.text)}, gives a value to {ascii(name)}, and ngspice takes its own "
                "of that name instead; rename it throughout the model",
                card.line,
            )


def _check_model(card: Card) -> None:
    words = card.plain
    kind = words[2].lower() if len(words) > 2 else ""
    if kind.startswith("ako:"):
        raise ModelProblem(
            f"{_shown(card.text)}, begins with another model (AKO); write its values out", card.line
        )
    if kind not in MODEL_TYPES:
        raise ModelProblem(
            f"{_shown(card.text)}, is a model of a type that is not taken (those are "
            f"{', '.join(sorted(MODEL_TYPES))}); {_REMEDY}",
            card.line,
        )
    below = re.search(r"\bvh\s*=\s*\{?\s*-", card.text, re.IGNORECASE)
    if kind in ("sw", "vswitch") and below:
        raise ModelProblem(
            f"{_shown(card.text)}, has a hysteresis below 0: LTspice then switches smoothly, and "
            "ngspice does not; write it as a VSWITCH with Von and Voff",
            card.line,
        )


def _check_source(card: Card) -> None:
    """Check what an independent source says behind its nodes."""
    for word in card.words[3:]:
        plain = word in ("(", ")", ",", "=") or word.startswith("{") or word in "+-"
        if plain or word.lower() in _SOURCE_WORDS or _NUMBER.match(word):
            continue
        raise ModelProblem(
            f"{_shown(card.text)}, has {ascii(word)[:40]}, which no source of ngspice and LTspice "
            "alike has; write it with DC, PULSE, SIN, EXP or PWL and numbers or {expressions}",
            card.line,
        )


def shown_card(card: Card) -> str:
    """Return the beginning of a card for a sentence."""
    return _shown(card.text)


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 48 else f"{text[:45]}...")
