"""Numbers with units as people write them: the one grammar for every place where one is read.

It stands below the design, so that readers of tables may use it too. docs/quantities.md has the
grammar and a table of spellings.
"""

from __future__ import annotations

import math
import numbers
import re
from decimal import Decimal

from spicealif.errors import SpicealifError
from spicealif.quantities.refusals import (
    either_mega,
    example,
    no_number,
    no_suffix,
    plain_minus,
    shown,
    split_suffix,
)
from spicealif.quantities.units import PREFIXES, UNITS, Unit, unit_named

__all__ = [
    "PLAIN_KELVIN",
    "format_quantity",
    "parse_any",
    "parse_count",
    "parse_quantity",
    "quantity_of",
]

#: Temperatures in K that a number without unit may state; outside it may be degrees Celsius.
PLAIN_KELVIN = (200.0, 450.0)

#: Longer texts are no numbers of people.
_LONGEST = 100
#: The prefixes that are printed.
_PRINTED = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_ZERO_CELSIUS = Decimal("273.15")
#: Between a number and its unit: blanks and the no-break spaces of typeset text.
_BLANK = "[ \t\u00a0\u2009\u202f]"
_BLANKS = re.compile(f"{_BLANK}+")
_NUMBER = re.compile(
    r"(?P<sign>[-+\u2212]?)(?P<digits>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?:[eE](?P<power>[-+\u2212]?[0-9]+))?(?P<rest>.*)",
    re.DOTALL,
)
_RKM = re.compile(
    "(?P<sign>[-+\u2212]?)(?P<whole>[0-9]*)(?P<letter>[A-Za-z\u00b5\u03bc])(?P<part>[0-9]+)"
    "(?P<rest>.*)",
    re.DOTALL,
)
_CELSIUS = frozenset(
    ("degC", "\u00b0C", "\u2103", "celsius", "Celsius", "deg C", "\u00b0 C", "degrees C")
)


def parse_quantity(value: object, unit: str = "") -> float:
    """Turn a number or a text such as ``"4.7k"`` or ``"100 nF"`` into a float in SI units.

    Parameters
    ----------
    value : float, int or str
        A number, or a text: a number with a decimal point, then at most one prefix from f to T
        (``meg`` and ``M`` are mega, while SPICE's own ``M`` is milli) and at most the unit. Of
        ohms and farads the notation of IEC 60062 is read as well: ``4k7``, ``2R2``, ``1n5``. A
        temperature states its unit (``"27 degC"``, ``"77 K"``) unless it is from 200 to 450.
    unit : str
        The SI unit that the value has; a plain number takes neither unit nor prefix.

    Returns
    -------
    float
        The value in SI units, the floating-point number nearest to what is written.

    Raises
    ------
    ValueError
        If it is not a finite quantity in this unit, or could mean two things. The message begins
        with "is", goes after the name of what was read, and ends in the remedy, without a stop.
    """
    if type(value) is float and unit != "K" and math.isfinite(value):
        return value  # as nearly all are
    known = unit_named(unit)
    if isinstance(value, str):
        return _text(value, known)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        what = str(value) if isinstance(value, bool) else _a(type(value).__name__)
        raise ValueError(f"is {what}, not a number; give a value such as {example(known)}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(
            "is an integer beyond the range of floating-point numbers; give a smaller number"
        ) from None
    if not math.isfinite(number):
        raise ValueError(f"is {number}, which is not finite; give a finite number")
    return _kelvin(number, f"{number:g}") if known.symbol == "K" else number


def parse_any(value: object) -> float:
    """Return what a value is in whatever unit it may have, for a first look at it.

    Raises
    ------
    ValueError
        If no unit would make a quantity of it; as `parse_quantity`.
    """
    if isinstance(value, str) and value.rstrip().endswith("%"):
        return parse_quantity(value)  # only what has no unit is given in percent
    for symbol in ("ohm", *UNITS):
        try:
            return parse_quantity(value, symbol)
        except ValueError as error:
            if symbol == "ohm":
                first = error
    raise first


def parse_count(value: object) -> int:
    """Turn a number or a text such as ``"100"`` or ``"1e6"`` into a whole number.

    Raises
    ------
    ValueError
        If it is not a whole number; as `parse_quantity`.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = parse_quantity(value)
    if number != int(number):
        raise ValueError(f"is {shown(value)}, not a whole number; give one such as 100")
    # The digits themselves where they are all there is: a seed may be longer than a float's.
    plain = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]+", value.strip())
    return int(str(value)) if plain else int(number)


def quantity_of(label: str, value: object, unit: str, error: type[SpicealifError]) -> float:
    """Return `parse_quantity` of a named value, its refusal as one sentence.

    Parameters
    ----------
    label : str
        What the value is of; begins the sentence.
    value : float, int or str
    unit : str
    error : type of SpicealifError
        What to raise.
    """
    try:
        return parse_quantity(value, unit)
    except ValueError as refused:
        raise error(f"{label} {refused}.") from None


def format_quantity(value: float, unit: str, digits: int = 4) -> str:
    """Return a value as text, with a prefix where its unit takes one.

    Parameters
    ----------
    value : float
        In the unit.
    unit : str
        SI unit; such as 1/s take no prefix, and neither does kelvin.
    digits : int
        Significant ones.

    Returns
    -------
    str
        ``4.68 kHz``, ``100000 1/s``, ``298.5 K``; `parse_quantity` reads it.
    """
    if not unit or unit == "1":
        return _digits(value, digits)
    if not math.isfinite(value) or value == 0:
        return f"{value:g} {unit}"
    known = unit_named(unit)
    if not known.prefixes or "/" in unit:
        return f"{_digits(value, digits)} {unit}"
    # Rounding first: 999.96 m is 1 and not 1000 m.
    power = int(f"{value:.{digits - 1}e}".partition("e")[2])
    power = 3 * (power // 3)
    if power not in _PRINTED:
        return f"{_digits(value, digits)} {unit}"
    prefix = _PRINTED[power]
    return f"{float(f'{value:.{digits - 1}e}') / 10.0**power:.{digits}g} {prefix}{unit}"


def _digits(value: float, digits: int) -> str:
    """Return a number without an exponent up to a million, and in its shortest form beyond."""
    text = f"{value:.{digits}g}"
    if "e" not in text or not math.isfinite(value):
        return text
    if 1 <= abs(value) < 1e7:
        return f"{float(text):.0f}"
    mantissa, _, power = text.partition("e")
    return f"{mantissa}e{int(power)}"


# --- texts ----------------------------------------------------------------------------------------


def _text(value: str, unit: Unit) -> float:
    text = _BLANKS.sub(" ", value).strip(" \r\n")
    if not text:
        raise ValueError(f"is empty, which is not a quantity; give a value such as {example(unit)}")
    if len(text) > _LONGEST:
        raise ValueError(f"is {len(text)} characters long; give a number such as {example(unit)}")
    found = _NUMBER.fullmatch(text)
    if found is None:
        if (rkm := _rkm(text, unit)) is not None:
            return rkm
        raise ValueError(no_number(text, unit, lambda other: _reads(other, unit)))
    rest = found["rest"].removeprefix(" ")
    parts = split_suffix(rest, unit)
    if parts is None:
        if unit.symbol == "K" and rest in _CELSIUS:
            return _from_celsius(text, found)
        if (rkm := _rkm(text, unit)) is not None:
            return rkm
        pieces = [piece.strip() for piece in text.split(",")]
        if len(pieces) > 1 and pieces[0][-1:].isalpha() and all(_reads(p, unit) for p in pieces):
            raise ValueError(
                f"is {shown(text)}, which is {len(pieces)} values; give one (several are for "
                "'spicealif sweep --over')"
            )
        raise ValueError(no_suffix(text, found, rest, unit, lambda other: _reads(other, unit)))
    prefix, spelling = parts
    if prefix and found["power"] is not None:
        raise ValueError(
            f"is {shown(text)}, with an exponent and the prefix {shown(prefix)}; give the "
            "exponent or the prefix, not both"
        )
    power = int(plain_minus(found["power"] or "0"))
    power += PREFIXES.get(prefix, 0) + unit.spellings.get(spelling, 0)
    if prefix == "M" and not unit.mega:
        remedy = either_mega(plain_minus(found["sign"]) + found["digits"], prefix, unit)
        raise ValueError(
            f"is {shown(text)}, which could be mega (as in SI) or milli (as in SPICE); "
            f"write {remedy}"
        )
    number = _number(text, found["sign"], found["digits"], power)
    if unit.symbol == "K" and not spelling:
        return _kelvin(number, text)
    return number


def _rkm(text: str, unit: Unit) -> float | None:
    """Read the notation of IEC 60062, such as 4k7 and R47; None if it is not that."""
    found = _RKM.fullmatch(text)
    if found is None:
        return None
    whole, letter, part, rest = (found[name] for name in ("whole", "letter", "part", "rest"))
    value = f"{plain_minus(found['sign'])}{whole or '0'}.{part}"
    plain = "u" if letter in "\u00b5\u03bc" else letter
    if letter in unit.rkm and (whole or letter in unit.rkm_first):
        rest = rest.removeprefix(" ")
        if rest and (rest not in unit.spellings or rest == "R"):
            raise ValueError(
                f"is {shown(text)}: in {shown(text[: len(text) - len(rest)].strip())} the letter "
                f"{shown(letter)} stands for the decimal point and the prefix, and nothing but "
                f"the unit may follow; write '{value}{'' if letter in 'RF' else plain}'"
            )
        power = 0 if letter in "RF" else PREFIXES[letter]
        return _number(text, found["sign"], f"{whole or '0'}.{part}", power)
    if letter in PREFIXES and unit.prefixes and not rest:
        why = (
            "with the letter first"
            if letter in unit.rkm
            else "which IEC 60062 has for resistances (R, k, M, G, T) and capacitances (p, n, u, "
            "m, F)"
        )
        remedy = either_mega(value, plain, unit)
        raise ValueError(f"is {shown(text)}, RKM notation {why}; write {remedy}")
    return None


def _number(text: str, sign: str, digits: str, power: int) -> float:
    # One conversion from decimal, so that nothing is rounded twice.
    number = float(f"{plain_minus(sign)}{digits}e{power}")
    if not math.isfinite(number):
        raise ValueError(
            f"is {shown(text)}, which is not finite; give a finite number, below 1.8e308"
        )
    if number == 0 and any(c not in "0." for c in digits):
        raise ValueError(
            f"is {shown(text)}, which is too small for a floating-point number; give 0 or a "
            "number above 1e-307"
        )
    return number


def _from_celsius(text: str, found: re.Match[str]) -> float:
    power = int(plain_minus(found["power"] or "0"))
    degrees = _number(text, found["sign"], found["digits"], power)
    if not degrees > -_ZERO_CELSIUS:
        raise ValueError(
            f"is {shown(text)}, not above absolute zero ({-_ZERO_CELSIUS} degC); give a warmer "
            "temperature"
        )
    # Decimal where it makes a difference: 27 degC is 300.15 K and not 300.15000000000003.
    return float(Decimal(repr(degrees)) + _ZERO_CELSIUS) if abs(degrees) < 1e9 else degrees + 273.15


def _kelvin(number: float, text: str) -> float:
    """Return a temperature that was given without a unit, or ask which it is in."""
    low, high = PLAIN_KELVIN
    if low <= number <= high:
        return number
    it = text if re.fullmatch(r"[-+.0-9e]+", text) else f"{number:g}"
    if not number > 1:
        raise ValueError(
            f"is {it} without a unit, and kelvin must be greater than 1; write "
            f"'{it} degC' if that is meant, else a temperature such as '300 K'"
        )
    raise ValueError(
        f"is {it} without a unit, which could be kelvin or degrees Celsius; write "
        f"'{it} K' or '{it} degC'"
    )


def _reads(text: str, unit: Unit) -> bool:
    try:
        _text(text, unit)
    except ValueError:
        return False
    return True


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
