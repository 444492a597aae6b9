"""Headings such as ``v_memristor_V``, ``t [ms]``, ``Current(µA)`` or ``Smu1.V[1][1]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spicealif.csvfile.units import Unit, find_unit, is_ambiguous

__all__ = ["GENERIC", "Heading", "key_of", "names", "parse_heading"]


def names(text: str) -> frozenset[str]:
    """Return the words of a text: names as `key_of` writes them."""
    return frozenset(text.split())


#: Names that say what a column is in and not of what: letters and digits of them, in small letters.
GENERIC = {
    "s": names(
        "t time timestamp elapsedtime elapsed reltime relativetime timerelative "
        "xaxis timeaxis timebase zeit temps tiempo tempo \u65f6\u95f4 \u6642\u9593 "
        "\uc2dc\uac04"
    ),
    "V": names(
        "v u vol voltage volt volts spannung tension tensione tensi\u00f3n \u7535\u538b "
        "\u96fb\u5727 \uc804\uc555"
    ),
    "A": names(
        "i current strom courant corriente corrente intensit\u00e9 intensite "
        "intensidad intensit\u00e0 \u7535\u6d41 \u96fb\u6d41 \uc804\ub958"
    ),
}
#: Names that say nothing: channels, numbers, "value".
_NEUTRAL = re.compile(
    r"|x|y|z|source|signal|value|val|ampl|amplitude|data|input|output|trace|probe|reading|measure"
    r"|(?:x?ch|chan|channel|c|trace|math|m|ref|r|analog|ai|input|signal|y|col|column|var|smu|wave"
    r"|ampl|amplitude|waveform|probe|dev\d*ai|untitled|plot)?\d+|(?:channel|ch|smu|trace)?[a-d]|(?:v|u|i|volt"
    r"|voltage|current)(?:ch|channel)?(?:\d+|[a-d])|ch\d+(?:voltage|current|value|volts?|v|i)"
    r"|v[a-z]?n\d+|(?:v|u|i)(?:ai|out)?\d+|f\d|measured(?:value|voltage|current)|x?y?value"
)
#: What stands in front of a name without changing it.
_INSTRUMENT = re.compile(
    r"(?:smu|sourcemeter|dmm|keithley|meas(?:ured)?|dev)[-_ ]?\d*[\s._:/-]+(?=\w)", re.IGNORECASE
)
_INDEX = re.compile(r"(?:\[\d+\]|\(\d+\))+\s*\Z")
_BRACKETS = re.compile(r"[\[(]([^\[\]()]*)[\])]")
_SPICE = re.compile(r"\s*[vi]\([^()]*\)\s*\Z", re.IGNORECASE)
#: In brackets these are units that nothing here is measured in.
_FOREIGN = re.compile(
    r"[%\u00b0]|.*/.*|[\u00b0]?[cf]|[kmg]?(?:ohms?|\u03a9|\u2126|hz|w|f|h|k|j|b|pa|s|v|a)(?:pp|rms|"
    r"ac)?|db[mv\u00b5u]?|div|a\.?u\.?|arb\.?|counts?|samples?|bits?|pts?|points?|codes?|lsb|adc|"
    r"days?|min|mins|minutes?|hours?|hrs?|rad|deg|na|n/a|[mgt]?(?:volts?|amps?|sec|secs|seconds?|amperes?)",
    re.IGNORECASE,
)
#: Units of time that nothing here is measured in; behind the name of a time they are no name.
_LONG_TIMES = re.compile(r"days?|min|mins|minutes?|h|hours?|hrs?", re.IGNORECASE)
#: What R's data.frame makes of "Time (ms)".
_R_NAME = re.compile(r"\A(?P<name>[^.]+(?:\.[^.]+)*)\.\.(?P<unit>[^.]+)\.\Z")
_IN = re.compile(r"[_\s]in\Z", re.IGNORECASE)
_LAST = re.compile(r"(?P<name>.*?)\s*(?:\bin\s+|[_/,\s:]\s*)(?P<unit>[^\s_/,:()\[\]]+)\Z")


@dataclass(frozen=True)
class Heading:
    """A heading, taken apart.

    Attributes
    ----------
    name : str
        Without its unit.
    unit : str
        As it is written; empty if there is none.
    """

    name: str
    unit: str = ""

    @property
    def base(self) -> str:
        """What it is in: ``s``, ``V``, ``A``, ``?`` for an unknown unit, or empty without one."""
        known = self.known
        if known is not None:
            return known.base
        if is_ambiguous(self.unit):
            return {"s": "s", "v": "V", "a": "A"}[_letters(self.unit)[1:2].lower()]
        return "?" if self.unit else ""

    @property
    def known(self) -> Unit | None:
        """The unit, if it is one of time, voltage or current beyond doubt."""
        return find_unit(self.unit) if self.unit else None

    @property
    def keys(self) -> tuple[str, ...]:
        """What to look the name up by: the whole, and without an instrument in front."""
        bare = _INSTRUMENT.sub("", self.name, count=1)
        return tuple(dict.fromkeys((key_of(self.name), key_of(bare))))

    @property
    def is_neutral(self) -> bool:
        """Whether the name says nothing of what the column holds."""
        return any(_NEUTRAL.fullmatch(key) for key in self.keys)

    def is_generic(self, base: str) -> bool:
        """Return whether the name says that it is a time, a voltage or a current, of nothing."""
        return any(key in GENERIC[base] for key in self.keys)


def key_of(name: str) -> str:
    """Return a name in small letters, without anything but letters and digits."""
    return _letters(name.casefold())


def parse_heading(text: str, names: frozenset[str] = frozenset()) -> Heading:
    """Take a heading apart.

    Parameters
    ----------
    text : str
    names : frozenset of str
        Keys (see `key_of`) of names that are known: ``v_s`` is a source's voltage and not a v in
        seconds.

    Returns
    -------
    Heading
    """
    text = _R_NAME.sub(r"\g<name> (\g<unit>)", " ".join(text.split()).strip("\"' "))
    if find_unit(text) is not None or is_ambiguous(text):
        # "s", "Volts", "mA"; but "V" is a name as well, and "A" may be a channel.
        if text in ("A", "a"):
            return Heading(text)
        return Heading("V" if text in ("V", "v") else "", text)
    bare = _INDEX.sub("", text).strip() if text.endswith("]") else text
    for inner in reversed(list(_BRACKETS.finditer(bare))):
        unit = inner[1].strip().removeprefix("in ").strip()
        rest = (bare[: inner.start()] + " " + bare[inner.end() :]).strip(" _/,:;")
        name = " ".join(rest.split())
        if find_unit(unit) is not None or is_ambiguous(unit):
            # V(s) may be the voltage of a node s.
            if not (_SPICE.match(bare) and _contradicts(name, unit)):
                return Heading(name, unit)
        elif not _SPICE.match(bare) and key_of(bare) not in names and _FOREIGN.fullmatch(unit):
            return Heading(name, unit)
    if bare.lower().startswith("in ") and find_unit(bare[3:]) is not None:
        return Heading("", bare[3:].strip())
    if _SPICE.match(bare):
        return Heading(bare, "V" if bare.lstrip()[0] in "vV" else "A")
    if key_of(bare) in names:
        return Heading(bare)
    match = _LAST.match(bare)
    if match is not None:
        name, unit = match["name"].strip("_/,: "), match["unit"]
        name = _without_in(name, names)
        known = find_unit(unit) is not None or is_ambiguous(unit)
        if name and known and not _contradicts(name, unit):
            return Heading(name, unit)
        # t_min; but v_min is the least one
        long = key_of(name) in GENERIC["s"] and _LONG_TIMES.fullmatch(unit)
        if name and (long or ("/" in bare and _FOREIGN.fullmatch(unit) and not known)):
            return Heading(name, unit)
    return Heading(bare)


def _without_in(name: str, names: frozenset[str]) -> str:
    """Return t of ``t_in_ms``; but ``v_in_mV`` is the voltage v_in."""
    said = _IN.sub("", name)
    return said if key_of(name) not in names and key_of(said) in GENERIC["s"] | names else name


def _contradicts(name: str, unit: str) -> bool:
    """Return whether a name of one kind stands with a unit of another, as in ``v_a``."""
    found = Heading("", unit).base
    key = key_of(name)
    return any(key in keys and base != found for base, keys in GENERIC.items())


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)
