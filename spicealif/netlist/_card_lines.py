"""The lines of a netlist as cards, and what no card may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spicealif.netlist._expression import Unportable

__all__ = ["check_characters", "is_comment", "read_cards"]


def is_comment(card: str) -> bool:
    """Return whether a card is a comment or blank."""
    if not re.fullmatch(r"[ -~]*", card):
        raise Unportable("it holds characters that are not printable ASCII: spell them out")
    if card.startswith("*") and card != "*" and not card.startswith("* "):
        # ngspice runs a file that begins with *ng_script, and SPICE3 what stands after *#.
        raise Unportable("a comment is '*' and a blank: '*#' and '*ng_script' are commands")
    return card.startswith("*") or not card.strip()


def check_characters(card: str, *, braces: bool = False) -> None:
    """Refuse what begins a card, or is part of one, and is read in two ways."""
    if card.startswith("+"):
        raise Unportable("a comment or blank line before a continuation line: move it away")
    if card.startswith(" "):
        raise Unportable(
            "it begins with a blank, which some take for a comment: begin at the margin"
        )
    if "$" in card or "//" in card or ";" in card:
        raise Unportable("comments within a card differ by mode: put them on a '*' line")
    if re.search(r"['\"`]" if braces else r"[{}'\"`]", card):
        raise Unportable("expressions in braces or quotes differ: write the number out")


def read_cards(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Give each card with its first line's number, continuation lines joined.

    A continuation line without a card right before it is given as it is: ngspice adds it to the
    last card, however many comments stand between.
    """
    at, parts = 1, lines[:1]
    for k, line in enumerate(lines[1:], start=2):
        if line.startswith("+") and parts[0].strip() and not parts[0].startswith(("*", "+")):
            parts.append(line[1:])
            continue
        yield at, " ".join(parts)
        at, parts = k, [line]
    yield at, " ".join(parts)
