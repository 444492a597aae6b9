"""Reading a maker's model file: bytes to text, whatever the maker's editor wrote."""

from __future__ import annotations

import os
import re
from pathlib import Path

from spicealif.design.parts.model_cards import ModelProblem
from spicealif.design.parts.model_text import model_text
from spicealif.errors import DesignError

__all__ = ["read_model_file", "without_dots"]

#: Bytes of a model file at most; libraries of many parts have some 100 kB.
_LARGEST = 1 << 20
#: What the beginning of an encrypted file or section looks like, and who can read it.
_ENCRYPTED = {
    rb"\*\s*LTspice Encrypted": "LTspice",
    rb"\$CDNENC(?:START|FINISH)": "PSpice",
    rb"\$ENCRYPTED_LIB": "PSpice",
    rb"(?m)^\s*\.PROT(?:ECT)?\b": "HSPICE",
}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_model_file(path: str | os.PathLike[str], name: str) -> str:
    """Return what a part needs of a maker's model file.

    The file is plain text, in UTF-8, UTF-16 with its mark, or Latin-1.

    Parameters
    ----------
    path : path-like
    name : str
        Of the ``.subckt`` (or, of a MOSFET, ``.model``) that the part is.

    Returns
    -------
    str
        Its cards, each on a line, comments gone; ASCII.

    Raises
    ------
    DesignError
        If the file cannot be read, is encrypted or no text, or has something in it that no model
        may have.
    """
    shown = ascii(os.fspath(path))
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as problem:
        raise DesignError(
            f"The model file {shown} cannot be read ({problem.strerror}); give the path of a "
            "maker's SPICE model."
        ) from None
    except ValueError:
        raise DesignError(
            f"The model file {shown} cannot be read (not a path); give the path of a maker's SPICE "
            "model."
        ) from None
    try:
        return model_text(_decoded(data), name).text
    except ModelProblem as problem:
        raise DesignError(
            f"The model file {shown} is not taken: {without_dots(problem)}."
        ) from None


def without_dots(problem: ModelProblem) -> str:
    """Return what is wrong as the end of a sentence, without its full stop."""
    return str(problem).rstrip(".")


def _decoded(data: bytes) -> str:
    if len(data) > _LARGEST:
        raise ModelProblem(
            f"it is longer than {_LARGEST >> 20} MB; copy the part's own .subckt and .model cards "
            "into a file"
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            raise ModelProblem("it is not whole UTF-16 text; save it as plain text") from None
        data = text.encode("latin-1", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    for mark, reader in _ENCRYPTED.items():
        if re.search(mark, data, re.IGNORECASE):
            own = ", take kind = 'library'" if reader == "LTspice" else ""
            raise ModelProblem(
                f"it is encrypted for {reader}, which alone can read it{own}; ask the maker for a "
                "plain SPICE model"
            )
    # Ctrl-Z ends a text of DOS.
    end = re.search("\x1a[\x1a\\s\0]*\\Z", text)
    if end:
        text = text[: end.start()]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if line.lstrip(" \t").startswith("*") and "\0" not in line:
            # What people write in comments is dropped, in whatever encoding.
            lines[number - 1] = "*" if not re.match(r"\s*\*ng_script", line, re.I) else line
        elif found := _CONTROL.search(line):
            raise ModelProblem(
                f"there is a control character ({ascii(found[0])}), so this is no plain text; save "
                "it as plain text", number,
            )  # fmt: skip
    return "\n".join(lines)
