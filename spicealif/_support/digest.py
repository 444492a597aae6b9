"""Digests in files that people keep: of what a netCDF file says, and of a TOML file's text.

A netCDF file has checksums for its blocks of numbers at most, and none for names, units and
attributes. So what we save holds the SHA-256 of all it says, as its attribute ``content_sha256``,
and what we load is compared with it. TOML that we write begins with a comment that holds a digest
of the rest; a person may edit such a file, so that another digest is told and not refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spicealif._support.kept import tell
from spicealif._support.kinds import SIGN, SIGNATURE, text_digest

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "CONTENT",
    "Content",
    "check_digest",
    "check_signature",
    "content_digest",
    "signature_holds",
    "with_digest",
]

#: The attribute that holds a dataset's digest.
CONTENT = "content_sha256"
#: Where netCDF keeps which variables are coordinates.
_COORDINATES = "coordinates"


class Content(Protocol):
    """An `xarray.Dataset`, or whatever else has its variables (``dims``, ``values``, ``attrs``)."""

    @property
    def variables(self) -> Mapping[Any, Any]:
        """The variables by name."""

    @property
    def attrs(self) -> dict[Any, Any]:
        """The attributes of the whole."""


def content_digest(content: Content) -> str:
    """Return the SHA-256 of all that a dataset says, as hexadecimal text.

    That is each variable's name, dimensions, values and attributes, which of them are coordinates,
    and the dataset's attributes, in the order of their names; not how they lie in a file. It is the
    same before saving as netCDF and after loading, in whatever version of xarray or without it.
    """
    digest = hashlib.sha256()
    coordinates = _coordinates(content)
    for name in sorted(map(str, content.variables)):
        variable = content.variables[name]
        values = np.asarray(variable.values)
        _add(digest, "variable", name, name in coordinates, list(variable.dims), values.shape)
        _add_values(digest, values)
        _add_attributes(digest, variable.attrs)
    _add(digest, "all")
    _add_attributes(digest, content.attrs)
    return digest.hexdigest()


def with_digest(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset with its digest as an attribute, to be saved."""
    return dataset.assign_attrs({CONTENT: content_digest(dataset)})


def check_digest(content: Content) -> str:
    """Return what is wrong with the content of a loaded file; nothing if all is well.

    Parameters
    ----------
    content : xarray.Dataset or the like
        With its values loaded. Its digest is taken out: whatever is made of it has another one.
        Content without a digest, from a former version or another program, has nothing to be
        compared with and is taken as it is.

    Returns
    -------
    str
        The reason for a sentence, with its remedy and without a full stop; or empty.
    """
    told = content.attrs.pop(CONTENT, None)
    if told is None or told == content_digest(content):
        return ""
    return (
        "its content is not what was saved: it was damaged or changed since; compute it again or "
        f"restore it from a copy, or, if the change was meant, remove its attribute {CONTENT}"
    )


def signature_holds(text: str) -> bool | None:
    """Return whether a TOML file that we wrote is as it was written; None if it is none of ours."""
    if not text.startswith(SIGN):
        return None
    found = SIGNATURE.match(text)
    return found is not None and found[1] == text_digest(text[found.end() :])


def check_signature(text: str, shown: str) -> None:
    """Tell if a TOML file that we wrote is not as it was written.

    Parameters
    ----------
    text : str
        The file's. One without our first line, made by hand for example, is taken as it is.
    shown : str
        The file's name, for the sentence.
    """
    if signature_holds(text) is False:
        tell(
            f"{shown} was edited since spicealif wrote it, or is damaged, and is taken as it is "
            "now; if the edit was meant, remove its first line."
        )


def _coordinates(content: Content) -> set[str]:
    """Return the names of the variables that are coordinates, as netCDF or as xarray tells."""
    known = getattr(content, "coords", None)
    if known is not None:
        return set(map(str, known))
    told = [content.attrs, *(v.attrs for v in content.variables.values())]
    named = {name for attrs in told for name in str(attrs.get(_COORDINATES, "")).split()}
    return named | {str(n) for n, v in content.variables.items() if tuple(v.dims) == (n,)}


def _add(digest: Any, *parts: object) -> None:
    # JSON and a line's end: no two lists of parts have the same bytes.
    digest.update(json.dumps(parts, default=str).encode("ascii") + b"\n")


def _add_values(digest: Any, values: np.ndarray[Any, Any]) -> None:
    if values.dtype.kind in "fiub":
        # In one order of bytes and without gaps, whatever the machine and the file have.
        plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        _add(digest, plain.dtype.str)
        digest.update(plain.reshape(-1).data)
    else:
        _add(digest, "texts", [_plain(text) for text in values.ravel().tolist()])


def _add_attributes(digest: Any, attributes: Mapping[Any, Any]) -> None:
    for name in sorted(map(str, attributes)):
        if name not in (CONTENT, _COORDINATES):
            _add(digest, "attribute", name, _plain(attributes[name]))


def _plain(value: Any) -> Any:
    """Return an attribute or a text as JSON has it, the same before and after netCDF."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        # netCDF cannot tell a number from a list of one.
        return _plain(value[0]) if len(value) == 1 else [_plain(v) for v in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return int(value) if isinstance(value, bool) else value
