"""Units of time, voltage and current as instruments and people spell them in headings."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Unit", "find_unit", "is_ambiguous"]

#: Powers of ten. Not T, P and so on: no loop is measured in petavolts, and "TA" is a name.
_PREFIXES = {"": 0, "m": -3, "u": -6, "\u00b5": -6, "\u03bc": -6, "n": -9, "p": -12, "f": -15,
             "k": 3}  # fmt: skip
#: Capitals that can mean one thing only; M may be milli or mega, and is asked about.
_CAPITALS = {"U": -6, "K": 3}
_NAMES = {"milli": -3, "micro": -6, "nano": -9, "pico": -12, "femto": -15, "kilo": 3}
_WORDS = {
    "s": "s sec secs second seconds sekunde sekunden seconde secondes segundo segundos secondi",
    "V": "v volt volts",
    "A": "a amp amps ampere amperes amp\u00e8re amp\u00e8res",
}
_BASES = {word: base for base, words in _WORDS.items() for word in words.split()}
_SHAPE = re.compile(
    r"(?P<prefix>milli|micro|nano|pico|femto|kilo|[fpnmkMUK\u00b5\u03bcu])?[ -]?"
    rf"(?P<word>{'|'.join(sorted(_BASES, key=len, reverse=True))})\.?(?:[ _]?dc|\s+vs\.? .*)?",
    re.IGNORECASE,
)
#: Also other things: not available, pascal.
_NOT = frozenset({"na", "NA", "pa", "Pa", "PA"})


@dataclass(frozen=True)
class Unit:
    """A unit and its scale.

    Attributes
    ----------
    base : str
        ``s``, ``V`` or ``A``.
    power : int
        Of ten; what is read is divided by a power of ten rather than multiplied by a fraction, so
        that 15.625 ms are 0.015625 s to the last bit.
    """

    base: str
    power: int = 0


def find_unit(text: str) -> Unit | None:
    """Return what a text means as a unit, or None if it is none (or could be two).

    Parameters
    ----------
    text : str
        Such as ``mV``, ``S``, ``usec``, ``Volts``, ``milliseconds``, ``V DC``.
    """
    text = text.strip()
    match = _shape(text)
    if match is None:
        return None
    prefix = match["prefix"] or ""
    base = _BASES[match["word"].lower()]
    if len(prefix) > 1:
        return Unit(base, _NAMES[prefix.lower()])
    power = _PREFIXES.get(prefix, _CAPITALS.get(prefix))
    return None if power is None else Unit(base, power)


def is_ambiguous(text: str) -> bool:
    """Return whether a text is a unit whose prefix M may be milli or mega."""
    match = _shape(text.strip())
    return match is not None and match["prefix"] == "M"


def _shape(text: str) -> re.Match[str] | None:
    return None if text in _NOT or len(text) > 30 else _SHAPE.fullmatch(text)
