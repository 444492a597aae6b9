"""The text of LTspice's logs: bytes to characters, characters to numbers.

LTspice writes logs in whatever encoding its version, its system and the run happen to have: IV and
most runs of XVII in the system's 8-bit code page, XVII in UTF-16 where a name is not ASCII or the
run failed early, macOS 17 always in UTF-16, all without a byte order mark; 24 and later in UTF-8.
"""

from __future__ import annotations

import codecs
import math
import re

__all__ = ["decode_log", "parse_number", "point"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 1 << 16  # bytes looked at to tell UTF-16 from the rest

_NUMBER = re.compile(
    r"([+-]?(?:[0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})(?:[Ee][+-]?[0-9]{1,9})?)([A-Za-zµμ]{0,4})"
)
# LTspice's suffixes know no capitals: M is milli. A letter behind them, as in 5V, says nothing.
_SUFFIXES = {
    "t": 1e12,
    "g": 1e9,
    "meg": 1e6,
    "k": 1e3,
    "m": 1e-3,
    "mil": 25.4e-6,
    "u": 1e-6,
    "\u00b5": 1e-6,  # micro sign
    "\u03bc": 1e-6,  # Greek mu
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
}
# How the C libraries that LTspice was built with print what is no number.
_SPECIAL = {
    "inf": math.inf,
    "infinity": math.inf,
    "1.#inf": math.inf,
    "nan": math.nan,
    "nan(ind)": math.nan,
    "nan(snan)": math.nan,
    "1.#ind": math.nan,
    "1.#qnan": math.nan,
    "1.#snan": math.nan,
}


def decode_log(data: bytes) -> tuple[str, str]:
    r"""Decode the bytes of a log, whatever they are.

    Parameters
    ----------
    data : bytes
        The log, or its beginning: a character cut in two at the end is left out.

    Returns
    -------
    text : str
        The text; every line ends in ``\n``.
    encoding : str
        ``"utf-8"``, ``"utf-16-le"``, ``"utf-16-be"``, ``"cp1252"`` or ``"latin-1"``. In a UTF-8
        log, lines that are not UTF-8 (a name in the system's code page) are read as cp1252.
    """
    marked = next((pair for pair in _BOMS if data.startswith(pair[0])), None)
    if marked is None:
        encoding = _guess_utf16(data)
    else:
        data = data[len(marked[0]) :]
        encoding = marked[1]
    if encoding == "utf-8":
        text, encoding = _decode_8bit(data)
    else:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(data)
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding


def parse_number(text: str) -> float | None:
    """Read a number as LTspice writes it.

    Parameters
    ----------
    text : str
        For example ``4.5e-005``, ``2.2k``, ``-1.#INF``, ``nan``.

    Returns
    -------
    float or None
        None if it is no number. NaN stands for the indefinite values.
    """
    match = _NUMBER.fullmatch(text)
    if match:
        value, suffix = float(match[1]), match[2].lower()
        if not suffix:
            return value
        factor = _SUFFIXES.get(suffix)
        return None if factor is None else value * factor
    negative = text.startswith("-")
    bare = text[1:] if text[:1] in {"-", "+"} else text
    special = _SPECIAL.get(bare.lower().rstrip("0")) if len(bare) < 20 else None
    return -special if special is not None and negative else special


def point(text: str) -> str:
    """Return a number with a decimal point, where it has a decimal comma.

    Parameters
    ----------
    text : str
        As LTspice writes it where the system's language asks for a comma: ``0,119``.

    Returns
    -------
    str
        The text itself if it has a point, or more than one comma.
    """
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def _guess_utf16(data: bytes) -> str:
    """Tell UTF-16 by its zeros: most characters of a log, in any language, are ASCII."""
    sample = data[:_SAMPLE]
    units = len(sample) // 2
    if units:
        first, second = sample[0::2].count(0), sample[1::2].count(0)
        if second > 0.4 * units and second > 2 * first:
            return "utf-16-le"
        if first > 0.4 * units and first > 2 * second:
            return "utf-16-be"
    return "utf-8"


def _decode_8bit(data: bytes) -> tuple[str, str]:
    """Decode UTF-8 or, line by line, what is not UTF-8."""
    try:
        # "not final": a sequence cut off at the end waits for its rest and is left out
        return codecs.getincrementaldecoder("utf-8")().decode(data), "utf-8"
    except UnicodeDecodeError:
        pass
    parts: list[str] = []
    any_utf8 = latin = False
    for line in data.split(b"\n"):
        try:
            parts.append(line.decode("utf-8"))
            any_utf8 = any_utf8 or not line.isascii()
        except UnicodeDecodeError:
            try:
                parts.append(line.decode("cp1252"))
            except UnicodeDecodeError:  # five bytes mean nothing in cp1252
                parts.append(line.decode("latin-1"))
                latin = True
    return "\n".join(parts), "utf-8" if any_utf8 else "latin-1" if latin else "cp1252"
