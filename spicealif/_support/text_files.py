"""Text files that people write: how they are read, whatever an editor put in front of them."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from spicealif.errors import SpicealifError

__all__ = ["names_file", "read_person_text", "toml_table"]

#: Longer files are no text that a person wrote; a device such as /dev/zero would never end.
_LONGEST = 64 << 20
#: A key of more parts than anybody's tables have; Python's reader takes minutes for 50,000.
_DOTTED = re.compile(r"""(?:\.[ \t]*(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*){32}""")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # UTF-32 begins with the first as well


def names_file(name: str | os.PathLike[str]) -> bool:
    """Return whether a word that may be a name or a path is the path of something."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long, or a zero byte: no file has such a name
        return False


def read_person_text(
    path: str | os.PathLike[str], what: str, remedy: str, error: type[SpicealifError]
) -> str:
    """Return the text of a file that a person wrote.

    It is UTF-8, with or without a byte order mark, which Notepad and PowerShell put there. Line
    ends are left as they are.

    Parameters
    ----------
    path : path-like
    what : str
        What the file is, for the sentence: ``"design file"``.
    remedy : str
        What to do where there is no such file: ``"give the path of a TOML file"``.
    error : type of SpicealifError
        What to raise.

    Raises
    ------
    SpicealifError
        If it cannot be read or is not such a text.
    """
    shown = ascii(os.fspath(path))
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as problem:
        raise error(f"The {what} {shown} cannot be read ({problem.strerror}); {remedy}.") from None
    except ValueError:
        raise error(f"The {what} {shown} cannot be read (not a path); {remedy}.") from None
    if len(data) > _LONGEST:
        raise error(f"The {what} {shown} is longer than 64 MB and no text of a person; {remedy}.")
    if data.startswith(_UTF_16):
        raise error(
            f"The {what} {shown} is not UTF-8 but UTF-16 or UTF-32 text, as PowerShell's '>' "
            "writes it; save it as UTF-8."
        )
    if b"\0" in data:
        raise error(
            f"The {what} {shown} holds zero bytes: it is UTF-16 or UTF-32 that does not say so, or "
            "no text at all; save it as UTF-8."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"The {what} {shown} is not UTF-8 text; save it as UTF-8.") from None


def toml_table(text: str, what: str, whose: str, error: type[SpicealifError]) -> dict[str, Any]:
    """Return TOML text as a dictionary.

    Parameters
    ----------
    text : str
        A byte order mark in front is left out.
    what : str
        Subject of the sentence, such as ``"This"``.
    whose : str
        Whose tables belong there: ``"a neuron's"``.
    error : type of SpicealifError
        What to raise.

    Raises
    ------
    SpicealifError
        If it is not TOML.
    """
    deep = error(f"{what} is nested too deeply; use {whose} own tables.")
    if _DOTTED.search(text):
        raise deep
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise deep from None
    except ValueError as problem:  # TOMLDecodeError, and integers of thousands of digits
        reason = ascii(str(problem).splitlines()[0])[1:-1]
        raise error(f"{what} is not valid TOML ({reason}); mend that line.") from None
