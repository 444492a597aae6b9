"""Sums of a raw file's vectors, as a person writes them: ``V(vc)-V(vs)``, ``2*V(a,b)``."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable

from spicealif.errors import WaveformError

__all__ = ["canonical", "parse_sum"]

_FACTOR = re.compile(r"((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*\*\s*")
_SIGN = re.compile(r"([-+]?)\s*")
_SPACE = re.compile(r"\s*")
_DIFFERENCE = re.compile(r"v\(([^()]*)\)")
_SHOWN = 12  # names of a file that an error lists
_LONGEST = 200  # characters of anything that an error quotes


def canonical(name: str) -> str:
    """Return one spelling for ``v(x)``, ``V(X)``, ``x``; and for ``i(v_pos)``, ``v_pos#branch``."""
    name = _lower(name.strip())
    if name.startswith("v(") and name.endswith(")"):
        return name[2:-1]
    if name.startswith("i(") and name.endswith(")"):
        return f"{name[2:-1]}#branch"
    return name


def parse_sum(text: str, names: Iterable[str]) -> tuple[tuple[float, str], ...]:
    """Take a sum of vectors apart.

    Parameters
    ----------
    text : str
        Vectors with signs, each perhaps with a number and ``*`` in front. A vector is spelled as
        in the file, or as any SPICE spells it; ``V(a,b)`` is ``V(a)-V(b)``, and node 0 is 0.
    names : iterable of str
        The file's vectors. Names with signs in them are recognised, since they are compared as a
        whole.

    Returns
    -------
    tuple of (float, str)
        Factors and vectors, as the file spells them.

    Raises
    ------
    WaveformError
        If the text is no such sum, or the file has no such vector.
    """
    known: dict[str, str] = {}
    for name in names:
        node = canonical(name)
        for spelling in (_lower(name), node, f"v({node})"):
            known.setdefault(spelling, name)
        if node.endswith("#branch"):
            known.setdefault(f"i({node.removesuffix('#branch')})", name)
    known.pop("", None)
    # The longest first: "v(a)" is no beginning of "v(ab)", but "a" is one of "ab".
    lengths = sorted(set(map(len, known)), reverse=True)
    text = text.strip()
    lower = _lower(text)
    terms: list[tuple[float, str]] = []
    at = 0
    while at < len(text) or not terms:
        sign = _SIGN.match(text, at)
        if sign is None or (terms and not sign[1]):
            raise _unreadable(text, at, known)
        factor, at = -1.0 if sign[1] == "-" else 1.0, sign.end()
        if number := _FACTOR.match(text, at):
            factor *= float(number[1])
            if not math.isfinite(factor):
                raise _unreadable(text, at, known)
            at = number.end()
        found = _vector(lower, at, known, lengths)
        if found is None:
            raise _unreadable(text, at, known)
        vectors, at = found
        terms += [(factor * k, name) for k, name in vectors]
    return tuple(terms)


def _lower(text: str) -> str:
    """Return a text in small letters, as many as it has letters: only this capital makes two."""
    return text.replace("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "i").lower()


def _vector(
    text: str, at: int, known: dict[str, str], lengths: list[int]
) -> tuple[list[tuple[float, str]], int] | None:
    """Read the vector at `at` of a text in small letters; return it as a sum, and where it ends."""
    for length in lengths:
        name = known.get(text[at : at + length])
        if name is not None:
            end = _after(text, min(at + length, len(text)))
            if text[end : end + 1] in ("", "+", "-"):
                return [(1.0, name)], end
    if found := _DIFFERENCE.match(text, at):
        first, comma, second = found[1].rpartition(",")
        nodes = [first.strip(), second.strip()]
        if comma and all(n == "0" or n in known for n in nodes):
            pair = [(k, known[n]) for k, n in zip((1.0, -1.0), nodes, strict=True) if n != "0"]
            return pair, _after(text, found.end())
    return None


def _after(text: str, at: int) -> int:
    """Where the white space at `at` ends."""
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _unreadable(text: str, at: int, known: dict[str, str]) -> WaveformError:
    names = sorted(set(known.values()))
    # what is much longer than a name resembles none, and would take long to compare
    close = difflib.get_close_matches(_lower(text[at : at + _LONGEST]), known, n=1)
    hint = f"did you mean {_shown(known[close[0]])[1:-1]}? " if close else ""
    listed = ", ".join(_shown(name)[1:-1] for name in names[:_SHOWN])
    where = f" at {_shown(text[at:])}" if at else ""
    return WaveformError(
        f"{_shown(text)} cannot be read as a sum of the file's vectors{where}; {hint}"
        f"the file has {listed}{', ...' if len(names) > _SHOWN else ''}."
    )


def _shown(text: str) -> str:
    """Quote a text in an error."""
    return ascii(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...")
