"""An LTspice deck: read, and checked as strictly as LTspice would and more."""

import itertools
import math
import re
from dataclasses import dataclass, field


def _words(text):
    return frozenset(text.split())


# LTspice's own, from its help (.OPTIONS, XVII to 26).
OPTIONS = _words(
    "abstol baudrate chgtol cshunt cshuntintern debugtran defad defas defl defw delay fastaccess "
    "flagloads gfloat gmin gminsteps gshunt itl1 itl2 itl4 itl6 list logopinfo logparams maxclocks "
    "maxord maxstep meascplxfmt measdgt method minclocks mindeltagmin nomarch noopiter numdgt "
    "pivrel pivtol plotabstol plotreltol plotvntol plotwinsize ptranmax ptrantau reltol solver "
    "srcstepmethod srcsteps sstol startclocks ststclocks ststdelay temp tnom topologycheck trtol "
    "trytocompact vntol"
)
# What ngspice knows by the same name; every other option stays here.
SHARED_OPTIONS = _words(
    "abstol chgtol cshunt gmin gminsteps gshunt itl1 itl2 itl4 maxord method noopiter pivrel "
    "pivtol reltol srcsteps temp tnom trtol trytocompact vntol"
)
CARDS = _words(
    ".ac .backanno .dc .end .ends .ferret .four .fra .func .global .ic .inc .include .lib "
    ".loadbias .loadstate .machine .meas .measure .model .net .nodeset .noise .op .option .options "
    ".param .params .save .savebias .savestate .step .subckt .temp .text .tf .tran .wave"
)
# What LTspice does and this stand-in does not.
NOT_DONE = _words(
    ".ac .dc .ferret .four .fra .inc .include .lib .loadbias .loadstate .machine .net .noise "
    ".savebias .savestate .temp .tf .wave"
)
LETTERS = "ABCDEFGHIJKLMOQRSTUVWXZ@&"
SUFFIX = {"t": 12, "g": 9, "meg": 6, "k": 3, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}

# LTspice accepts these (or reads them as something else); a deck for both simulators must not
# have them, so a strict check refuses them.
PORTABLE = (
    (r"\blimit\s*\(", "limit() is not what it is in ngspice."),
    (r"\bif\s*\(", "if() is not known to ngspice's B sources."),
    (r"\{[^}]*\bpi\b[^}]*\}", "pi is not a constant everywhere."),
    (r"\^", "Note: The caret character means XOR, not exponentiation."),
    (r"\b(?:table|idt)\s*\(", "table() and idt() are not known to ngspice's B sources."),
    (r"\br(?:ser|par)\s*=", "Rser and Rpar are not known to ngspice."),
)


class DeckError(Exception):
    """What LTspice would say no to: a kind, where, and what is marked."""

    def __init__(self, kind, line=0, card="", word="", detail=""):
        super().__init__(kind)
        self.kind, self.line, self.card, self.word, self.detail = kind, line, card, word, detail


class NotDone(Exception):
    """What LTspice does and the stand-in does not."""


def value(text: str) -> float:
    """Return a number with SPICE's suffixes."""
    found = re.match(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(meg|[tgkmunpf])?", text.lower())
    if not found:
        raise ValueError(text)
    return float(found[1]) * 10.0 ** SUFFIX.get(found[2] or "", 0)


@dataclass
class Deck:
    """Cards with their line numbers, and what the run needs to know of them."""

    title: str
    cards: list  # (line number, text), continuation lines joined, comments gone
    options: dict = field(default_factory=dict)
    saves: list = field(default_factory=list)  # LTspice's spelling
    measures: list = field(default_factory=list)
    steps: list = field(default_factory=list)  # (name, values), the first varies fastest
    analysis: str = ""
    names: dict = field(default_factory=dict)  # lower case -> as the deck spells devices
    nodes: dict = field(default_factory=dict)  # node -> devices on it, top level
    source_lines: list = field(default_factory=list)

    @property
    def t_stop(self):
        """Return the end of the transient."""
        fields = self.analysis.split()[1:]
        return value(fields[1 if len(fields) > 1 and _is_number(fields[1]) else 0])

    def combinations(self):
        """Return one dict of parameters for each run."""
        if not self.steps:
            return []
        names = [name for name, _ in self.steps]
        lists = [values for _, values in self.steps]
        return [
            dict(zip(names, reversed(c), strict=True)) for c in itertools.product(*reversed(lists))
        ]


def _is_number(text):
    return re.match(r"[-+]?\.?\d", text) is not None


def read_deck(content: bytes, *, check="portable") -> Deck:
    """Read and check a deck.

    `check` is "portable" (LTspice's rules and those of a deck for both simulators), "ltspice" or
    "off".
    """
    lines = content.decode("latin-1").replace("\r\n", "\n").split("\n")
    if check == "portable":
        for number, line in enumerate(lines, 1):
            if not line.isascii():
                raise DeckError("character", number, line, next(c for c in line if not c.isascii()))
    deck = Deck(lines[0], _cards(lines), source_lines=lines)
    inside = 0
    for number, card in deck.cards:
        word = card.split()[0].lower()
        if check != "off":
            _check(number, card, word, check)
        if word == ".subckt":
            inside += 1
        elif word == ".ends":
            inside -= 1
        elif word.startswith("."):
            _directive(deck, number, card, word)
        else:
            _device(deck, number, card, inside)
    if not deck.analysis:
        raise DeckError("no analysis")
    return deck


def _cards(lines):
    cards = []
    for number, line in enumerate(lines[1:], 2):
        text = line.split(";")[0].rstrip()
        if not text.strip() or text.lstrip().startswith("*"):
            continue
        if text.startswith("+") and cards:
            cards[-1] = (cards[-1][0], f"{cards[-1][1]} {text[1:].strip()}")
            continue
        cards.append((number, text.strip()))
        if text.strip().lower() == ".end":
            break
    return cards


def _check(number, card, word, check):
    if word.startswith("."):
        if word not in CARDS:
            raise DeckError("directive", number, card, card.split()[0])
    elif card[0].upper() not in LETTERS:
        raise DeckError("device", number, card, card.split()[0])
    for mark in ("$", "//"):
        if mark in card:
            raise DeckError("syntax", number, card, mark)
    # LTspice has a colon between an instance and what is in it.
    dotted = re.search(r"\b[vi]\w?\s*\(\s*x\w*\.[^)]*\)", card, re.IGNORECASE)
    if dotted:
        raise DeckError("hierarchy", number, card, dotted[0])
    if word[0] in "rcl" and re.match(r"(?i)\d+\.?\d*(?!e[-+]?\d)[a-z]+\d", (card.split() * 4)[3]):
        raise DeckError("number", number, card, card.split()[3])
    if check == "portable":
        for pattern, reason in PORTABLE:
            found = re.search(pattern, card, re.IGNORECASE)
            if found:
                raise DeckError("portable", number, card, found[0], reason)


def _directive(deck, number, card, word):
    if word in NOT_DONE:
        raise NotDone(card)
    rest = card.split(None, 1)[1] if " " in card else ""
    if word in (".options", ".option"):
        for name, given in re.findall(r"([^\s=]+)((?:\s*=\s*\S+)?)", rest):
            if name.lower() not in OPTIONS:
                raise DeckError("option", number, card, name)
            deck.options[name.lower()] = given.partition("=")[2].strip() or "1"
    elif word == ".save":
        deck.saves += re.findall(r"[A-Za-z]+\([^)]*\)", rest)
    elif word in (".meas", ".measure"):
        deck.measures.append((number, rest))
    elif word == ".step":
        deck.steps.append(_step(number, card))
    elif word in (".tran", ".op"):
        if deck.analysis:
            raise DeckError("analyses")
        deck.analysis = card


def _step(number, card):
    found = re.match(
        r"\.step\s+(?:(dec|oct|lin)\s+)?param\s+(\w+)\s+(list\s+)?(.+)", card, re.IGNORECASE
    )
    if not found:
        raise NotDone(card)
    scale, name, is_list, rest = found.groups()
    numbers = [value(text) for text in rest.split()]
    if is_list:
        values = numbers
    else:
        start, stop, by = numbers[:3]
        if by == 0:
            raise DeckError("step", number, card, rest, "Increment must not be zero.")
        if scale and scale.lower() != "lin":
            base = 10 if scale.lower() == "dec" else 2
            count = round(math.log(stop / start, base) * by)
            values = [start * base ** (k / by) for k in range(count + 1)]
        else:
            by = math.copysign(by, stop - start)
            # LTspice ends exactly at the stop value, also with a shorter last step
            values = [start + k * by for k in range(math.ceil((stop - start) / by - 1e-9))] + [stop]
    if len(set(values)) < 2:
        raise DeckError("step", number, card, rest, "This results in only one step.")
    return name.lower(), values


def _device(deck, number, card, inside):
    fields = card.split()
    name, letter = fields[0], fields[0][0].lower()
    if letter in "rcl" and len(fields) < 4:
        raise DeckError("value", number, card, name)
    if inside:
        return
    if name.lower() in deck.names:
        raise DeckError("duplicate", number, card, name)
    deck.names[name.lower()] = name
    for node in nodes_of(fields):
        deck.nodes.setdefault(node.lower(), []).append(name)


def nodes_of(fields):
    """Return the nodes of a device's card."""
    letter = fields[0][0].lower()
    if letter == "x":
        plain = [f for f in fields[1:] if "=" not in f and f.lower() != "params:"]
        return plain[:-1]
    if letter in "eg":
        return fields[1:5] if len(fields) > 5 else fields[1:3]
    counts = {"m": len(fields) - 2, "q": 3, "j": 3, "s": 4, "t": 4, "a": 8}
    if letter == "m":
        return [f for f in fields[1:5] if "=" not in f][: 4 if len(fields) > 5 else 3]
    return fields[1 : 1 + counts.get(letter, 2)]
