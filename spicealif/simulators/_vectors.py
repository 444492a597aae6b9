"""Sums of a raw file's vectors, as a person writes them: ``V(vc)-V(vs)``, ``2*V(a,b)``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from spicealif.errors import WaveformError

__all__ = ["canonical", "parse_sum"]

_FACTOR = re.compile(r"((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\*\s*")
_DIFFERENCE = re.compile(r"[vV]\(([^()]*),([^()]*)\)")
_SHOWN = 12  # names of a file that an error lists


def canonical(name: str) -> str:
    """Return one spelling for ``v(x)``, ``V(X)``, ``x``; and for ``i(v_pos)``, ``v_pos#branch``."""
    name = name.strip().lower()
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
        for spelling in (name.lower(), node, f"v({node})"):
            known.setdefault(spelling, name)
        if node.endswith("#branch"):
            known.setdefault(f"i({node.removesuffix('#branch')})", name)
    terms: list[tuple[float, str]] = []
    rest = text.strip()
    while rest or not terms:
        sign = re.match(r"[-+]\s*", rest)
        if sign is None and terms:
            raise _unreadable(text, rest, known)
        factor = -1.0 if sign and rest[0] == "-" else 1.0
        rest = rest[sign.end() :] if sign else rest
        if number := _FACTOR.match(rest):
            factor *= float(number[1])
            rest = rest[number.end() :]
        vectors, rest = _vector(text, rest, known)
        terms += [(factor * k, name) for k, name in vectors]
    return tuple(terms)


def _vector(text: str, rest: str, known: dict[str, str]) -> tuple[list[tuple[float, str]], str]:
    """Take the vector off that `rest` begins with; return it as a sum, and what is left."""
    lower = rest.lower()
    # The longest first: "v(a)" is no beginning of "v(ab)", but "a" is one of "ab".
    for spelling in sorted(known, key=len, reverse=True):
        after = lower[len(spelling) :].lstrip()
        if spelling and lower.startswith(spelling) and after[:1] in ("", "+", "-"):
            return [(1.0, known[spelling])], rest[len(spelling) :].strip()
    if found := _DIFFERENCE.match(rest):
        nodes = [n.strip().lower() for n in found.groups()]
        if all(n == "0" or n in known for n in nodes):
            pair = [(k, known[n]) for k, n in zip((1.0, -1.0), nodes, strict=True) if n != "0"]
            return pair, rest[found.end() :].strip()
    raise _unreadable(text, rest, known)


def _unreadable(text: str, rest: str, known: dict[str, str]) -> WaveformError:
    names = sorted(set(known.values()))
    close = difflib.get_close_matches(rest.lower(), known, n=1)
    hint = f"did you mean {known[close[0]]}? " if close else ""
    listed = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    where = f" at {ascii(rest)}" if rest != text.strip() else ""
    return WaveformError(
        f"{ascii(text)} cannot be read as a sum of the file's vectors{where}; {hint}"
        f"the file has {ascii(listed)[1:-1]}."
    )
