"""Text that somebody else wrote, made fit to be shown: one line, and nothing that a terminal obeys.

What a file says of itself (attributes, names of vectors, a simulator's words) may hold escape
sequences, line ends, or marks that turn the direction of writing. Whatever of it is printed goes
through `shown`.
"""

from __future__ import annotations

__all__ = ["continued", "counted", "shown", "shown_lines"]

_LONGEST = 300  # characters


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts: ``1 spike``, ``2 spikes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def continued(sentence: str) -> str:
    """Return a sentence as it may go on in the middle of another: a small letter first."""
    return sentence[:1].lower() + sentence[1:]


def shown(text: object, longest: int = _LONGEST) -> str:
    r"""Return a text in one printable line.

    Parameters
    ----------
    text : object
        Anything; what is no text is shown as `str` gives it.
    longest : int
        So many characters are kept, three points among them if more are left out.

    Returns
    -------
    str
        Characters that do not print (control characters, line and paragraph separators, marks of
        direction, lone surrogates) are written as escapes, such as ``\x1b``; other scripts stay.
    """
    line = str(text)
    if len(line) > longest:
        line = f"{line[: longest - 3]}..."
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def shown_lines(text: str) -> str:
    """Return a text of several lines, each as `shown` gives it, however long."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "\n".join(shown(line, len(line)) for line in text.split("\n"))
