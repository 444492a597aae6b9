"""``--json`` of every command: one JSON text on standard output, and nothing else there.

A command says what it found by `answer`; what it prints for people is left out then. Notes,
warnings and errors go to standard error as ever.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

__all__ = ["answer", "answering", "only_the_answer", "want"]

_WANTED, _FOUND = "spicealif.json.wanted", "spicealif.json.found"


def answering() -> bool:
    """Return whether the command that runs was given ``--json``."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_WANTED))


def answer(
    found: Mapping[str, Any] | Sequence[Any] | Callable[[], Mapping[str, Any] | Sequence[Any]],
) -> None:
    """Have something printed as JSON at the command's end, if that is asked for.

    Parameters
    ----------
    found : mapping or sequence, or a function that returns one
        Plain numbers, texts, lists and mappings, in SI units; NaN becomes null. A function is only
        called if JSON is asked for. Of several answers the last counts.
    """
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(_WANTED):
        context.meta[_FOUND] = found() if callable(found) else found


@contextlib.contextmanager
def only_the_answer(context: click.Context) -> Iterator[None]:
    """Keep standard output clear for the answer; print it even if the command fails after it."""
    if not context.meta.get(_WANTED):
        yield
        return
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        if _FOUND in context.meta:
            click.echo(json.dumps(_plain(context.meta[_FOUND]), indent=1, allow_nan=False))


def want(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Remember that JSON is asked for."""
    context.meta[_WANTED] = value


def _plain(found: Any) -> Any:
    """Return what JSON knows: paths and other things as texts, NaN and infinity as null."""
    if isinstance(found, Mapping):
        return {str(key): _plain(value) for key, value in found.items()}
    if isinstance(found, bool | int | str) or found is None:
        return found
    if isinstance(found, float):
        return found if found - found == 0 else None
    if hasattr(found, "tolist"):  # of NumPy
        return _plain(found.tolist())
    if isinstance(found, Sequence):
        return [_plain(value) for value in found]
    return str(found)
