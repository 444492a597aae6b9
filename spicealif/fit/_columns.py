"""Which column is which: headings such as ``v_memristor_V``, ``t [ms]`` or ``Current(µA)``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicealif.errors import FitError
from spicealif.fit._table import Table

__all__ = ["QUANTITIES", "find_columns", "is_unit"]

#: What a file may hold, in messages.
QUANTITIES = {
    "time": "the time",
    "v_mem": "the voltage across the memristor",
    "v_in": "the voltage of the source, across resistor and memristor",
    "i": "the current",
}
_DIMENSION = {"time": "s", "v_mem": "V", "v_in": "V", "i": "A"}

_WORDS = {"seconds": "s", "second": "s", "sec": "s", "volts": "V", "volt": "V", "amps": "A",
          "ampere": "A", "amperes": "A", "amp": "A"}  # fmt: skip
# Not P, T and so on: no loop is measured in petavolts, and "TA" is a name.
_PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "\u00b5": 1e-6, "\u03bc": 1e-6, "n": 1e-9,
             "p": 1e-12, "k": 1e3}  # fmt: skip

# Headings without their unit, in small letters and without anything but letters and digits
_NAMES = {
    "time": {"t", "time", "timestamp", "elapsedtime", "xaxis"},
    "v_mem": {
        "vmem", "vmemristor", "vm", "vdut", "vdev", "vdevice", "vd", "umem", "umemristor", "um",
        "memristorvoltage", "devicevoltage", "voltagememristor", "voltagedevice", "vmr",
    },
    "v_in": {
        "vin", "vtotal", "vtot", "vt", "vsource", "vsrc", "vs", "vapplied", "vapp", "vdrive", "vg",
        "vgen", "vgenerator", "uin", "utotal", "us", "totalvoltage", "sourcevoltage",
        "appliedvoltage", "drivevoltage", "inputvoltage", "voltagesource", "voltagetotal",
        "voltageapplied", "voltagein",
    },
    "i": {
        "i", "current", "im", "imem", "imemristor", "idut", "idev", "idevice", "id", "iin",
        "memristorcurrent", "devicecurrent", "currentmemristor", "is", "imeas",
    },
}  # fmt: skip
#: A voltage, but whose?
_UNCLEAR = {"v", "u", "voltage", "v1", "v2", "ch1", "ch2", "channela", "channelb", "channel1",
            "channel2"}  # fmt: skip
_WITH_UNIT = re.compile(
    r"(?P<name>.*?)\s*(?:[\[(]\s*(?P<a>[^\[\]()]*?)\s*[\])]|(?:[_/,\s]|\bin\b)\s*(?P<b>[^\s_/,()\[\]]+))\Z"
)


@dataclass(frozen=True)
class _Heading:
    name: str
    unit: str


def is_unit(text: str) -> bool:
    """Return whether a text is a unit of time, voltage or current."""
    return _unit(text) is not None


def find_columns(
    table: Table,
    wanted: Mapping[str, str],
    name: str,
    *,
    one_voltage: bool,
) -> tuple[dict[str, npt.NDArray[np.float64]], list[str]]:
    """Return the columns of a table by quantity, in SI units.

    Parameters
    ----------
    table : Table
    wanted : mapping of str to str
        Which columns to take, by quantity: a heading or a number from 1, with the unit in brackets
        where the file does not say it, and a minus sign in front to turn the sign.
    name : str
        What the file is called in messages.
    one_voltage : bool
        Whether there is no series resistor, so that any voltage is the device's.

    Returns
    -------
    columns : dict of str to ndarray
        Of those in `QUANTITIES` that were found.
    notes : list of str
        What was assumed.

    Raises
    ------
    FitError
        If a column that is asked for is not there, or two could be the same quantity.
    """
    heads = [
        _Heading(h, unit) if unit else _parse(h)
        for h, unit in zip(table.headings, table.units, strict=True)
    ]
    if unknown := set(wanted) - set(_NAMES):
        raise FitError(
            f"There is no quantity {ascii(min(unknown))} to assign a column to; use one of "
            f"{', '.join(QUANTITIES)}."
        )
    found: dict[str, npt.NDArray[np.float64]] = {}
    notes = []
    taken = set()
    for quantity, text in wanted.items():
        column, unit, sign = _asked(text, heads, table.headings, name)
        taken.add(column)
        unit = unit or heads[column].unit
        found[quantity] = sign * _scale(quantity, unit, text) * table.values[:, column]
    for quantity in _NAMES:
        if quantity in found:
            continue
        which = [k for k in range(len(heads)) if k not in taken and _is(heads[k], quantity)]
        if len(which) > 1:
            both = " and ".join(ascii(table.headings[k]) for k in which[:2])
            raise FitError(
                f"{name}: {both} could both be {QUANTITIES[quantity]}; say which, such as "
                f"--column {quantity}={ascii(table.headings[which[0]])}."
            )
        for k in which:
            taken.add(k)
            head = heads[k]
            found[quantity] = _scale(quantity, head.unit, head.name) * table.values[:, k]
            if not head.unit:
                notes.append(
                    f"{name}: the heading {ascii(table.headings[k])} has no unit; "
                    f"{_DIMENSION[quantity]} is assumed."
                )
    unclear = [k for k in range(len(heads)) if k not in taken and _is_unclear(heads[k])]
    if unclear and "v_mem" not in found and "v_in" not in found:
        k = unclear[0]
        if not one_voltage:
            raise FitError(
                f"{name}: {ascii(table.headings[k])} may be the voltage of the source or of the "
                f"memristor; say which: --column v_in={ascii(table.headings[k])} or "
                f"--column v_mem={ascii(table.headings[k])}."
            )
        found["v_in"] = _scale("v_in", heads[k].unit, heads[k].name) * table.values[:, k]
    if not found:
        shown = ", ".join(ascii(h) for h in table.headings if h) or "none"
        raise FitError(
            f"{name}: no column is known by its heading (headings: {shown}); say which is which, "
            "such as --column v_mem=2 --column 'i=3 [uA]'."
        )
    return found, notes


def _unit(text: str) -> tuple[float, str] | None:
    """Return factor and SI unit."""
    text = _WORDS.get(text.lower(), text)
    for base in ("s", "V", "A"):
        for end in (base, base.lower()):
            if text.endswith(end) and text[: -len(end)] in _PREFIXES:
                return _PREFIXES[text[: -len(end)]], base
    return None


def _parse(heading: str) -> _Heading:
    match = _WITH_UNIT.match(heading)
    # "v_s" is a source's voltage, not a v in seconds.
    known = any(_key(heading) in names for names in _NAMES.values())
    if match and match["name"].strip("_ ") and not (known and match["a"] is None):
        unit = match["a"] if match["a"] is not None else match["b"]
        # Brackets hold a unit even where it is an unknown one, which is then said; but behind an
        # underscore only what is one: "v_in" is a name.
        if is_unit(unit) or match["a"]:
            return _Heading(match["name"].strip("_/, "), unit)
    return _Heading(heading.strip(), "")


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _fits(head: _Heading, quantity: str) -> bool:
    unit = _unit(head.unit) if head.unit else None
    return unit is None or unit[1] == _DIMENSION[quantity]


def _is(head: _Heading, quantity: str) -> bool:
    return _key(head.name) in _NAMES[quantity] and _fits(head, quantity)


def _is_unclear(head: _Heading) -> bool:
    return _key(head.name) in _UNCLEAR and _fits(head, "v_in")


def _scale(quantity: str, unit: str, heading: str) -> float:
    if not unit:
        return 1.0
    known = _unit(unit)
    if known is None or known[1] != _DIMENSION[quantity]:
        base = _DIMENSION[quantity]
        raise FitError(
            f"The column {ascii(heading)} is in {ascii(unit)}, which is not a unit of "
            f"{QUANTITIES[quantity].split(',')[0].removeprefix('the ')}; give it in {base}, "
            f"m{base} or u{base}, such as --column '{quantity}={heading} [m{base}]'."
        )
    return known[0]


def _asked(
    text: str, heads: list[_Heading], headings: tuple[str, ...], name: str
) -> tuple[int, str, float]:
    """Return column, unit if stated, and sign of a column that is asked for."""
    negative = text.startswith("-") and text not in headings
    plain = text[1:].strip() if negative else text.strip()
    sign = -1.0 if negative else 1.0
    for k, heading in enumerate(headings):
        if plain == heading:
            return k, "", sign
    wanted = _parse(plain)
    if wanted.name.isdigit():
        column = int(wanted.name) - 1
        if not 0 <= column < len(heads):
            raise FitError(
                f"{name} has {len(heads)} columns, no column {wanted.name}; give a number from 1 "
                f"to {len(heads)}."
            )
        return column, wanted.unit, sign
    for k, head in enumerate(heads):
        if wanted.name in (head.name, headings[k]):
            return k, wanted.unit, sign
    shown = ", ".join(ascii(h) for h in headings if h) or "none; use numbers from 1"
    raise FitError(f"{name} has no column {ascii(text)}; give one of its headings ({shown}).")
