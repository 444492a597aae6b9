"""Classes by name, ours and those of other packages: memristor models, kinds of synapses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from spicealif._support.plugins import Addition
from spicealif.errors import SpicealifError

__all__ = ["ClassesByName", "checked_class"]

_T = TypeVar("_T")


class ClassesByName(Mapping[str, type[_T]], Generic[_T]):
    """All classes that can be had; a package's broken one is none of them.

    Parameters
    ----------
    title : str
        What the mapping is called.
    added : Addition
    load : callable
        Gives the class of a name, or raises a `SpicealifError`.
    """

    def __init__(self, title: str, added: Addition, load: Callable[[str], type[_T]]) -> None:
        self._title, self._added, self._load = title, added, load

    def __getitem__(self, name: str) -> type[_T]:
        try:
            return self._load(name)
        except SpicealifError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._added.names() if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"{self._title}({', '.join(self)})"


def checked_class(
    added: Addition,
    name: str,
    base: Any,
    shown: str,
    attributes: tuple[str, ...],
    template: str,
) -> tuple[Any, str]:
    """Return the class that a package brings under a name, and what it is called in a sentence.

    Parameters
    ----------
    added : Addition
    name : str
        Its ``kind``.
    base : type
        What it is to be a subclass of: a description with a field ``kind`` and a
        ``template_folder``.
    shown : str
        The base's address.
    attributes : tuple of str
        What else it has to have.
    template : str
        The file that has to be in its folder.

    Raises
    ------
    SpicealifError
        Of the kind of `added`, if there is none, it cannot be loaded, or it is no such class.
    """
    (kind, label), ask = added.load(name), "ask those who make it"
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise added.kind(f"{label} is no subclass of {shown} but {ascii(kind)[:60]}; {ask}.")
    made: Any = kind
    lacking = sorted(made.__abstractmethods__)
    lacking += [one for one in attributes if not hasattr(kind, one)]
    if lacking:
        raise added.kind(f"{label} has no {', '.join(lacking)}; {ask}.")
    field = made.model_fields.get("kind")
    if field is None or field.default != name:
        raise added.kind(
            f"{label} is announced under another name than its kind "
            f"({ascii(field.default if field else None)}); {ask}."
        )
    if not (made.template_folder() / template).is_file():
        raise added.kind(f"{label} has no template {template} in its folder 'templates'; {ask}.")
    return kind, label
