"""Lines of LTspice's logs that hold more than one message.

LTspice ends its progress marks without a line end: plus signs while it tries ever smaller steps,
and whatever comes next stands behind them on the same line (IV to 24)::

    Heightened Def Con from 9e-010 ++++++++++Fatal Error: Analysis:  Time step too small; ...
    +++to 9.1e-010
    +Changing Tseed to 1e-008
    Heightened Def Con from 0.1 Changing Tseed to 1e-008
"""

from __future__ import annotations

import re

__all__ = ["split_glued"]

#: A progress mark at the beginning of a line, with the white space behind it.
_PROGRESS = re.compile(
    r"(?:Heightened Def ?Con from \S{1,40}(?:[ \t]+\+*[ \t]*(?:to [-+.\deE]{1,40})?)?|"
    r"\++[ \t]*(?:to [-+.\deE]{1,40})?|to [-+.\d][-+.\deE]{0,40}(?=[A-Z])|"
    r"Changing Tseed to [-+.\deE]{1,40}|(?:Gmin|vernier|Source Step) = [-+.\deE]{1,40}%?)[ \t]*",
    re.IGNORECASE,
)
#: A shorter line has no room for a message behind something else.
_SHORTEST = 9
#: What begins a message of its own wherever it stands.
_ANYWHERE = re.compile(r"(?<![\"'(\\/])(?=Fatal Error\b)", re.IGNORECASE)
#: What begins a message of its own right behind another character. Behind a quote, a bracket or a
#: mark of a path it is part of a name.
_BEHIND = re.compile(
    r"(?<=[\w.%!?;)\]])(?=(?:Fatal Error\b|Simulation Failed:|Convergence Failure:|"
    r"Analysis: {1,2}[Tt]ime|Singular matrix\b|(?:WARNING|Warning|ERROR): |"
    r"Heightened Def ?Con from|"
    r"Direct Newton iteration|Changing Tseed to|Starting (?:Gmin|source) stepping|"
    r"(?:Gmin|Source) stepping (?:failed|succeeded)|Pseudo Transient (?:failed|succeeded)|"
    r"Total elapsed time:|Measurement(?:: | \")|\.step [\w.:()]{1,60}=))"
)
_SHORTEST = 6  # characters of two messages, or of a mark and what follows it
#: Lines that quote what a person wrote.
_QUOTES = ("Circuit:", "*", "Files loaded", "Questionable use of")


def split_glued(lines: list[str]) -> list[str]:
    """Give each message a line of its own.

    Parameters
    ----------
    lines : list of str
        A log's lines.

    Returns
    -------
    list of str
        The same text; progress marks that something stands behind are lines as well.
    """
    out: list[str] = []
    for line in lines:
        # most of a log is too short to hold two messages, and may be a million lines
        if len(line) < _SHORTEST or line.startswith(_QUOTES):
            out.append(line)
        else:
            out += _split(line)
    return out


def _split(line: str) -> list[str]:
    """Split one line."""
    if len(line) < _SHORTEST:
        return [line]
    parts: list[str] = []
    at = 0
    while (match := _PROGRESS.match(line, at)) and match.end() > at:
        parts.append(line[at : match.end()])
        at = match.end()
    rest = line[at:]
    if parts and not rest:
        return parts
    if "fatal error" in rest.lower():
        head, *tail = _ANYWHERE.split(rest)
        pieces = [head, *tail] if head.strip() else tail
    else:
        pieces = [rest]
    for piece in pieces:
        parts += [p for p in _BEHIND.split(piece) if p] or [piece]
    return parts
