"""Whether functions and parameters of a model end, and how much they grow to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from spicealif.design.parts.model_cards import Card, ModelProblem

__all__ = ["check_growth"]

#: What functions of a model may grow to when they are put in each other's places.
_GROWTH = 10_000
_CALL = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?=\s*\()")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


def check_growth(cards: Iterable[Card]) -> None:
    """Refuse functions and parameters that contain themselves, or functions that grow too much.

    A simulator puts a function's text in the place of each call.
    """
    functions: dict[str, list[str]] = {}
    parameters: dict[str, list[str]] = {}
    for card in cards:
        if card.word == ".func":
            body = card.text.split(None, 1)[1].partition(")")[2]
            calls = [c.lower() for c in _CALL.findall(body)]
            functions.setdefault(card.words[1].lower(), []).extend(calls)
        elif card.word == ".param":
            for name, value in re.findall(r"(\w+)\s*=\s*(\{[^{}]*\}|[^\s=]+)", card.text):
                words = [w.lower() for w in _NAME.findall(value)]
                parameters.setdefault(name.lower(), []).extend(words)
    for made_of, most in ((functions, _GROWTH), (parameters, 0)):
        sizes: dict[str, int] = {}
        for name in made_of:
            if _size(name, (), made_of, sizes) > most > 0:
                raise ModelProblem(
                    f"{name[:40]!r} grows to more than {most} terms; ask the maker for a simpler "
                    "model"
                )


def _size(of: str, above: tuple[str, ...], made_of: dict[str, list[str]], sizes: dict[str, int]
          ) -> int:  # fmt: skip
    if of in above or len(above) > 100:
        raise ModelProblem(f"{of[:40]!r} is made of itself; mend its .param or .func")
    if of not in sizes:
        inner = [c for c in made_of[of] if c in made_of]
        sizes[of] = min(1 << 40, 1 + sum(_size(c, (*above, of), made_of, sizes) for c in inner))
    return sizes[of]
