"""What ``--over`` and ``--vary`` say: a parameter with its values."""

from __future__ import annotations

import itertools
import re
from typing import Any

__all__ = ["read_values"]

#: Values that one option may ask for.
_MOST_VALUES = 1_000_000


def read_values(
    text: str, *, drawn: bool = False, unit: str | None = None, option: str = "--over",
    example: str = "c",
) -> tuple[str, Any]:  # fmt: skip
    """Read KEY=VALUES: values with commas, or a range and how many of it.

    Parameters
    ----------
    text : str
    drawn : bool
        Whether values are drawn from the range.
    unit : str, optional
        Of the ends of a range; without one, numbers of any.
    option, example : str
        The option and a parameter, for the sentences.

    Returns
    -------
    str, list or ndarray or Range
        The parameter's name, and its values.

    Raises
    ------
    SweepError
        If it cannot be read without doubt.
    """
    import numpy as np

    from spicealif.errors import SweepError
    from spicealif.quantities.grammar import parse_any, parse_count, quantity_of
    from spicealif.sweep import Range

    key, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not key or not values:
        raise SweepError(
            f"{option} {ascii(text)} is not KEY=VALUES; write {option} {example}=47n,100n."
        )
    if ":" not in values:
        return key, _listed(text, values, option)
    low, high, *more = (part.strip() for part in values.split(":"))
    log = bool(more) and more[-1] == "log"
    more = more[:-1] if log else more
    if drawn and not more:
        return key, Range(low, high, log)
    form = "low:high or low:high:log" if drawn else "low:high:n or low:high:n:log"
    wrong = f"{option} {ascii(text)} is not KEY={form}; write, say, {example}=47n:220n:5."
    if not drawn and not more and not log:
        wrong = (
            f"{option} {ascii(text)} does not say how many values; write {key}={low}:{high}:5"
            + (", or have them drawn (--sampling random -n 20)." if option == "--over" else ".")
        )
    if len(more) != 1:
        raise SweepError(wrong)
    try:
        count = parse_count(more[0])
        for end in (low, high):
            parse_any(end)
    except ValueError as error:
        # A comma, an unknown prefix: that is what is to be mended, if it looks like a number.
        number = all(end[:1].isdigit() for end in (low, high, more[0]))
        raise SweepError(f"{option} {ascii(text)}: a value {error}." if number else wrong) from None
    if not 1 <= count <= _MOST_VALUES:
        raise SweepError(
            f"{option} {ascii(text)} asks for {count} values; give a number from 1 to "
            f"{_MOST_VALUES}."
        )
    label = f"An end of the range of {key}"
    first, last = (
        parse_any(end) if unit is None else quantity_of(label, end, unit, SweepError)
        for end in (low, high)
    )
    if log and not min(first, last) > 0:
        raise SweepError(
            f"{option} {ascii(text)}: logarithmic steps go from one value above 0 to another; "
            "leave ':log' out, or change the ends."
        )
    spaced = (np.geomspace if log else np.linspace)(first, last, count)
    # They are in K, and outside the usual range the design would ask.
    return key, [f"{v!r} K" for v in spaced.tolist()] if unit == "K" else spaced


def _listed(text: str, values: str, option: str) -> list[str]:
    """Return values between commas, unless a comma may be meant as a decimal one."""
    from spicealif.errors import SweepError

    parts = [part.strip() for part in values.split(",")]
    for first, second in itertools.pairwise(parts):
        # "0,22u" could be 0.22u; "0, 22u" and "0u,22u" could not.
        if (
            re.fullmatch(r"[-+]?[0-9]+", first)
            and re.fullmatch(r"[0-9]+ ?[^-+0-9.eE].*", second)
            and f"{first},{second}" in values
        ):
            raise SweepError(
                f"{option} {ascii(text)} could mean the values {first} and {second} or the value "
                f"{first}.{second}; write {first}.{second}, or give every value its prefix or unit."
            )
    return parts
