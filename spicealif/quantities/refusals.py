"""Why a text is no quantity: sentences for `spicealif.quantities.grammar`, each with its remedy.

A remedy never changes what was written by a power of ten, unless it says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from spicealif.quantities.units import PREFIXES, UNITS, Unit

__all__ = [
    "either_mega",
    "example",
    "no_number",
    "no_suffix",
    "plain_minus",
    "shown",
    "split_suffix",
]

_KNOWN = "f, p, n, u, m, k, meg or M (mega), G and T"
#: Powers of ten that a remedy is worked out for.
_LARGEST_POWER = 150
_TYPED = {
    "\u2212": "-", "\u00b5": "u", "\u03bc": "u", "\u03a9": "ohm", "\u2126": "ohm",
    "\u00b0C": "degC", "\u2103": "degC", "\u00b2": "^2",
}  # fmt: skip
#: Prefixes of the SI that are not read: a slip is likelier than their size.
_OTHER_PREFIXES = {
    "da": ("deca", 1), "h": ("hecto", 2), "d": ("deci", -1), "c": ("centi", -2),
    "a": ("atto", -18), "z": ("zepto", -21), "y": ("yocto", -24),
    "P": ("peta", 15), "E": ("exa", 18), "Z": ("zetta", 21), "Y": ("yotta", 24),
}  # fmt: skip


def split_suffix(rest: str, unit: Unit) -> tuple[str, str] | None:
    """Return prefix and unit of what follows a number; None if it is nothing of the unit's."""
    first, blank, second = rest.partition(" ")
    if not blank:
        return unit.suffixes.get(rest)
    if unit.prefixes and first in PREFIXES and second in unit.spellings:
        return first, second
    return None


def no_number(text: str, unit: Unit, reads: Callable[[str], bool]) -> str:
    """Say why a text does not begin with a number."""
    it = shown(text)
    if plain_minus(text).casefold().lstrip("+-") in ("nan", "inf", "infinity"):
        return f"is {it}, which is not finite; give a finite number"
    if text[0] in "\u2010\u2011\u2012\u2013\u2014":
        return f"is {it}, with a dash in front; write the minus as '-'"
    if any(c.isdigit() and not "0" <= c <= "9" for c in text):
        return f"is {it}, with digits of another script; write them as 0 to 9"
    if "," in text:
        return _comma(text, unit, reads)
    return f"is {it}, which is not a number; write one such as {example(unit)}"


def no_suffix(
    text: str, found: re.Match[str], rest: str, unit: Unit, reads: Callable[[str], bool]
) -> str:
    """Say why what follows the number is refused."""
    it, number = shown(text), plain_minus(found["sign"]) + found["digits"]
    if found["power"] and abs(int(plain_minus(found["power"]))) > _LARGEST_POWER:
        # What to write instead would leave the range of numbers as well.
        return f"is {it}, far beyond the sizes of quantities; give a number such as {example(unit)}"
    if said := _odd_digits(text, number, found["rest"].removeprefix(" "), unit, reads):
        return said
    if rest in ("e", "E"):
        exa = f", or '{number}e18' if exa is meant" if rest == "E" and unit.prefixes else ""
        return f"is {it}, an exponent without its digits; write them, or leave it out{exa}"
    if rest == "%" and not unit.symbol:
        return f"is {it}, in percent; write '{_decimal(number, -2, found['power'])}'"
    if unit.symbol == "K" and rest in ("C", "c", "deg", "\u00b0"):
        return (
            f"is {it}, and {shown(rest)} could be degrees of more than one scale; write "
            f"'{number} degC' or '{number} K'"
        )
    if not unit.prefixes:
        for prefix, power in PREFIXES.items():
            tail = rest.removeprefix(prefix).removeprefix(" ")
            if rest.startswith(prefix) and (not tail or tail in unit.spellings):
                plain = f"{_decimal(number, power, found['power'])} {unit.symbol}".rstrip()
                return f"is {it}, and {_kind(unit)} takes no prefix; write '{plain}'"
    for other in UNITS.values():
        parts = split_suffix(rest, other)
        if parts is not None and parts[1] and other.symbol != unit.symbol:
            if not unit.symbol:
                return (
                    f"is {it}, in '{other.symbol}', and a plain number is wanted; give it "
                    "without a unit"
                )
            return (
                f"is {it}, in '{other.symbol}' instead of '{unit.symbol}'; give it in {unit.symbol}"
            )
    return _unknown_suffix(text, number, rest, unit)


def _odd_digits(
    text: str, number: str, rest: str, unit: Unit, reads: Callable[[str], bool]
) -> str | None:
    """Say what is odd about the digits, if that is what makes the text no number."""
    if any(c.isdigit() and not c.isascii() for c in rest if c not in "\u00b2\u00b3\u00b9"):
        return f"is {shown(text)}, with digits of another script; write them as 0 to 9"
    if rest.startswith(","):
        return _comma(text, unit, reads)
    if rest[:1] in ("_", "'", "\u2019") or rest[:1].isdigit():
        return f"is {shown(text)}, with something between its digits; write them together"
    if re.match(r"[xXbBoO][0-9a-fA-F]+\Z", rest) and number == "0":
        return f"is {shown(text)}, a number to another base; write it as a decimal number"
    return None


def _unknown_suffix(text: str, number: str, rest: str, unit: Unit) -> str:
    """Say what to write instead of a suffix that is no unit's."""
    it, said = shown(text), shown(rest)
    known = f"{said} is none of the prefixes {_KNOWN}"
    close = [f"'{number}{key}'" for key in unit.folded.get(rest.casefold(), ())]
    for prefix, (name, power) in _OTHER_PREFIXES.items():
        tail = rest.removeprefix(prefix).removeprefix(" ")
        if unit.prefixes and rest.startswith(prefix) and (not tail or tail in unit.spellings):
            # The remedy keeps the scale that was written, and names the slip of the shift key.
            other = f"{' or '.join(close)}, or " if close else ""
            return f"is {it}, and {known}; write {other}'{number}e{power}' if {name} is meant"
    if close:
        return f"is {it}, and capital and small letters differ; write {' or '.join(close[:2])}"
    if "." not in number and (split := re.fullmatch(r"([A-Za-z\u00b5\u03bc]{1,3})([0-9]+)", rest)):
        letters, part = split[1], split[2]
        if (letters, "") in unit.suffixes.values() or letters in unit.spellings:
            return (
                f"is {it}, with {shown(letters)} in place of the decimal point; write "
                f"{either_mega(f'{number}.{part}', _in_ascii(letters), unit)}"
            )
    if not unit.prefixes:
        alone = f"the number and {unit.symbol}" if unit.symbol else "the number alone"
        if "ppm/K" in unit.spellings:
            alone += ", or ppm/K"
        return f"is {it}, and {said} does not go with {_kind(unit)}; give {alone}"
    return (
        f"is {it}, and {said} is not the unit {unit.symbol} or one of the prefixes {_KNOWN}; "
        f"write a value such as {example(unit)}"
    )


def either_mega(number: str, prefix: str, unit: Unit) -> str:
    """Return a number with its prefix, or both readings of it where M could be milli."""
    if prefix == "M" and not unit.mega:
        return f"'{number}m' for milli or '{number}meg' for mega"
    return f"'{number}{prefix}'"


def _kind(unit: Unit) -> str:
    return f"a value in {unit.symbol}" if unit.symbol else "a plain number"


def _comma(text: str, unit: Unit, reads: Callable[[str], bool]) -> str:
    said = f"is {shown(text)}, and a comma is no decimal point here"
    if text.count(",") == 1:
        readings = [text.replace(",", ".")]
        if re.search(r"[0-9],[0-9]{3}(?![0-9])", text):
            readings.append(text.replace(",", ""))
        readings = [_in_ascii(reading) for reading in readings]
        good = [f"'{reading}'" for reading in readings if reads(reading)]
        if good:
            return f"{said}; write {' or '.join(good)}"
    return f"{said}; write one number with a decimal point, such as {example(unit)}"


def example(unit: Unit) -> str:
    """Return a value with this unit, as it may be written."""
    return f"'{unit.example}'"


def _in_ascii(text: str) -> str:
    """Return a text as it can be typed anywhere."""
    for typeset, plain in _TYPED.items():
        text = text.replace(typeset, plain)
    return text


def _decimal(number: str, power: int, exponent: str | None) -> str:
    """Return a number times a power of ten as short decimal text."""
    return f"{float(Decimal(number).scaleb(power + int(plain_minus(exponent or '0')))):.12g}"


def plain_minus(text: str) -> str:
    """Return a text with the typographic minus as Python reads it."""
    return text.replace("\u2212", "-")


def shown(value: object) -> str:
    """Return a value as a message shows it."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
