"""The tables of the grammar of quantities: prefixes, units, and how both may be written.

`spicealif.quantities.grammar` reads numbers by these tables; ``scripts/quantity_table.py`` lists
what follows from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

__all__ = ["PREFIXES", "UNITS", "Unit", "unit_named"]

#: Prefixes and their powers of ten. Two characters look like micro: U+00B5 and the Greek mu,
#: U+03BC. ``K`` is how kilo stands on parts and in SPICE; kelvin takes no prefix, so that the two
#: never meet.
PREFIXES: Mapping[str, int] = {
    "f": -15, "p": -12, "n": -9, "u": -6, "\u00b5": -6, "\u03bc": -6, "m": -3,
    "k": 3, "K": 3, "M": 6, "meg": 6, "Meg": 6, "MEG": 6, "G": 9, "T": 12,
}  # fmt: skip

_MICRO = ("u", "\u00b5", "\u03bc")
#: A time below a fraction bar, as in V/us, and the power of ten that it gives.
_PER_TIME = {"s": 0, "ms": 3, "ns": 9, **dict.fromkeys((f"{mu}s" for mu in _MICRO), 6)}
_PER_VOLT = {"V": 0, "mV": 3, **dict.fromkeys((f"{mu}V" for mu in _MICRO), 6)}


@dataclass(frozen=True)
class Unit:
    """A unit, and what may be written with it.

    Attributes
    ----------
    symbol : str
        As the package prints it; empty for plain numbers.
    name : str
        For sentences.
    spellings : mapping of str to int
        Each with the power of ten that it stands for beyond the unit.
    prefixes : bool
        Whether it takes prefixes.
    mega : bool
        Whether ``M`` may be taken as mega without asking. Nobody means a megafarad or a
        megasecond, while SPICE reads ``M`` as milli.
    rkm : str
        Letters of IEC 60062 that may stand in place of the decimal point.
    rkm_first : str
        Those of them that may come first, as in ``R47``.
    example : str
        How a value is written.
    """

    symbol: str
    name: str
    spellings: Mapping[str, int] = field(default_factory=dict)
    prefixes: bool = True
    mega: bool = False
    rkm: str = ""
    rkm_first: str = ""
    example: str = "1e-3"

    @cached_property
    def suffixes(self) -> dict[str, tuple[str, str]]:
        """Everything that may follow a number, with the prefix and the unit that it is made of."""
        out: dict[str, tuple[str, str]] = {"": ("", "")}
        prefixes = ["", *(PREFIXES if self.prefixes else ())]
        for spelling in ("", *self.spellings):
            for prefix in prefixes:
                # "5k1/s" would read like RKM: a unit that begins with a digit stands apart.
                if prefix and spelling[:1].isdigit():
                    continue
                key = prefix + spelling
                if key in out and out[key] != (prefix, spelling):
                    raise AssertionError(f"{key!r} of {self.symbol!r} could mean two things")
                out[key] = (prefix, spelling)
        return out

    @cached_property
    def folded(self) -> dict[str, list[str]]:
        """`suffixes` by their text in small letters, to find what differs by case alone."""
        out: dict[str, list[str]] = {}
        for key, (prefix, _) in self.suffixes.items():
            if key.isascii() and prefix not in ("M", "K", "Meg", "MEG"):
                out.setdefault(key.casefold(), []).append(key)
        return out


def _words(*names: str) -> dict[str, int]:
    return dict.fromkeys(names, 0)


_ALL = (
    Unit("", "a plain number", prefixes=False, example="0.5"),
    Unit(
        "ohm",
        "ohms",
        # Greek omega and the ohm sign, which Unicode keeps apart
        _words("ohm", "ohms", "Ohm", "Ohms", "OHM", "OHMS", "\u03a9", "\u2126", "R"),
        mega=True,
        rkm="RkKMGT",
        rkm_first="R",
        example="4.7k",
    ),
    Unit(
        "F",
        "farads",
        _words("F", "farad", "farads", "Farad", "Farads"),
        rkm="pnu\u00b5\u03bcmF",
        rkm_first="p",
        example="100n",
    ),
    Unit("V", "volts", _words("V", "v", "volt", "volts", "Volt", "Volts"), example="350m"),
    Unit("A", "amperes", _words("A", "amp", "amps", "ampere", "amperes", "Ampere"), example="1m"),
    Unit("s", "seconds", _words("s", "sec", "second", "seconds", "Second"), example="2m"),
    Unit("Hz", "hertz", _words("Hz", "hz", "HZ", "hertz", "Hertz"), mega=True, example="1k"),
    Unit("K", "kelvin", _words("K", "kelvin", "Kelvin"), prefixes=False, example="300 K"),
    Unit("S", "siemens", _words("S", "siemens", "Siemens"), example="1m"),
    Unit("C", "coulombs", _words("C", "coulomb", "coulombs", "Coulomb"), example="1u"),
    Unit("H", "henries", _words("H", "henry", "henries"), example="1m"),
    Unit("W", "watts", _words("W", "watt", "watts", "Watt"), example="1m"),
    Unit("J", "joules", _words("J", "joule", "joules", "Joule"), example="1n"),
    Unit(
        "1/s",
        "1/s",
        {f"{one}/{s}": power for s, power in _PER_TIME.items() for one in ("1", "")}
        | {"s^-1": 0, "s-1": 0},
        mega=True,
        example="5k",
    ),
    Unit(
        "1/V",
        "1/V",
        {f"{one}/{v}": power for v, power in _PER_VOLT.items() for one in ("1", "")}
        | {"V^-1": 0, "V-1": 0},
        mega=True,
        example="4",
    ),
    Unit(
        "V/s", "V/s", {f"V/{s}": p for s, p in _PER_TIME.items()}, mega=True, example="9M"
    ),
    Unit("V/K", "V/K", _words("V/K", "V/degC", "V/\u00b0C"), example="-4m"),
    Unit("1/K", "1/K", dict.fromkeys(("1/K", "/K", "1/degC", "/degC", "K^-1"), 0)
         | dict.fromkeys(("ppm/K", "ppm/degC", "ppm/°C"), -6), prefixes=False,
         example="25 ppm/K"),
    Unit("A/V^2", "A/V^2", _words("A/V^2", "A/V2", "A/V\u00b2", "A/V**2"), example="170m"),
    Unit("rad", "radians", _words("rad"), prefixes=False, example="1.57"),
)  # fmt: skip

#: Every unit of the design by its symbol; "" is a plain number.
UNITS: Mapping[str, Unit] = {unit.symbol: unit for unit in _ALL}


def unit_named(symbol: str) -> Unit:
    """Return a unit; one that is not in the table is written by its symbol alone."""
    if symbol == "1":
        symbol = ""
    return UNITS.get(symbol) or Unit(symbol, symbol, {symbol: 0})
