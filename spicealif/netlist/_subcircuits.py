"""Subcircuits and models within a subcircuit, moved before it: within it they are not portable."""

from __future__ import annotations

__all__ = ["apart"]

_Origins = tuple[tuple[str, int], ...]


def apart(text: str, origins: _Origins) -> tuple[str, _Origins]:
    """Return a netlist whose first subcircuit holds no subcircuits and no models.

    Parameters
    ----------
    text : str
        Its first subcircuit is the one that holds others, which hold none.
    origins : tuple of (str, int)
        Of each line: template, and line of the template.

    Returns
    -------
    text : str
        The others stand before it, each under the heading (``* --- ... ---``) that it had.
    origins : tuple of (str, int)
    """
    lines = list(zip(text.splitlines(), origins, strict=True))
    words = [(line.split() or [""])[0].lower() for line, _ in lines]
    start = words.index(".subckt")
    top = start
    while not lines[top][0].startswith("* --- "):
        top -= 1
    moved: list[tuple[str, tuple[str, int]]] = []
    kept: list[tuple[str, tuple[str, int]]] = []
    heading, told = lines[top], None
    k = start + 1
    while k < len(lines):
        if lines[k][0].startswith("* --- "):
            heading = lines[k]
        if words[k] not in (".subckt", ".model"):
            kept.append(lines[k])
            k += 1
            continue
        end = k + 1
        if words[k] == ".subckt":
            end += words[k:].index(".ends")
        else:
            while words[end].startswith("+"):
                end += 1
        moved += [] if told is heading else [heading]
        moved += lines[k:end]
        told, k = heading, end
    out = [*lines[:top], *moved, *lines[top : start + 1], *kept]
    return "\n".join(line for line, _ in out) + "\n", tuple(origin for _, origin in out)
