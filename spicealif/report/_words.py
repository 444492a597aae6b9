"""Figures and sentences as a report prints them."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence
from typing import Any

from spicealif._support.text import shown
from spicealif.measures.tables import figure, missing

__all__ = [
    "listed",
    "percent",
    "plain_name",
    "quoted",
    "si",
    "signed",
    "typeset",
    "value_with_error",
]

#: Figures are written with a "u" in files, which are ASCII.
_MICRO = re.compile(r"(?<=\d )u(?=(?:s|V|A|J|F|Hz|ohm|W|m)\b)")
_POWER = re.compile(r"(?<=\d)e([+-])0*(\d+)")
_RAISED = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_OHM = re.compile(r"(?<=\d )([pnum\u00b5kMG]?)ohm\b")
#: Characters of a foreign text that a page shows.
_LONGEST = 2000


def typeset(text: object) -> str:
    r"""Return a text in one printable line, its figures with µ, ± and Ω.

    What would turn the direction of writing, or not be seen, is written as an escape (`shown`).
    """
    out = shown(text, _LONGEST).replace(" +- ", " \u00b1 ")
    return _OHM.sub("\\1\u03a9", _MICRO.sub("\u00b5", out))


def si(value: Any, unit: str = "") -> str:
    """Return a figure with its unit; a dash if there is none."""
    if value is None or missing(value):
        return "\u2013"
    return _spelled(figure(value, unit))


def _spelled(text: str) -> str:
    """Return a figure with a minus and a power of ten as they are printed."""
    found = _POWER.search(text)
    if found:
        power = f"{'-' if found[1] == '-' else ''}{found[2]}".translate(_RAISED)
        text = f"{text[: found.start()]}\u00b710{power}{text[found.end() :]}"
    return typeset(f"\N{MINUS SIGN}{text[1:]}" if text.startswith("-") else text)


def value_with_error(value: Any, error: float | None, unit: str = "") -> str:
    """Return a figure and its numerical error, where that is known."""
    text = si(value, unit)
    if error is None or math.isnan(error) or value is None or missing(value):
        return text
    if not error:
        return f"{text} \u00b1 0"
    return f"{text} \u00b1 {si(float(f'{abs(error):.2g}'), unit)}"


def signed(value: float, unit: str = "") -> str:
    """Return a figure with its sign, if it has one."""
    text = si(value, unit)
    return text if text.startswith("\N{MINUS SIGN}") or not value else f"+{text}"


def percent(part: float, of: float) -> str:
    """Return a part in percent, with its sign; empty where that says nothing."""
    if not of or not math.isfinite(part) or abs(part) >= 10 * abs(of):
        return ""
    return f"{part / of:+.1%}".replace("-", "\N{MINUS SIGN}").replace("%", "\u00a0%")


def listed(words: Sequence[str], most: int = 6) -> str:
    """Return words as a list in a sentence, some of them if there are many."""
    some = list(words[:most])
    if len(words) > most:
        return f"{', '.join(some)} and {len(words) - most} more"
    return " and ".join([", ".join(some[:-1]), some[-1]]) if len(some) > 1 else "".join(some)


def quoted(*words: str) -> str:
    """Return words as a shell takes them, in one line and with nothing that cannot be seen."""
    text = shlex.join(words)
    return shown(text, len(text))


def plain_name(text: object, otherwise: str) -> str:
    """Return a name that a result's file says as an option's value, if it is one.

    People copy commands into their shells; a text of somebody else has no place in them.
    """
    name = str(text)
    return name if _NAME.fullmatch(name) else otherwise
