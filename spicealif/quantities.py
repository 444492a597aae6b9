"""Numbers with units as people write them: the one grammar for every place where one is read.

It stands below the design, so that readers of tables may use it too.
"""

from __future__ import annotations

import re

__all__ = ["parse_quantity"]


def parse_quantity(value: object, unit: str = "") -> float:
    """Turn a number or a text such as ``"4.7k"`` or ``"100 nF"`` into a float in SI units.

    Parameters
    ----------
    value : float, int or str
        A number, or a text with an SI prefix and, if wanted, the unit. ``M`` is mega and ``m``
        is milli, as in SI; SPICE's ``meg`` is not accepted.
    unit : str
        The SI unit the value must have when it states one.

    Returns
    -------
    float
        The value in SI units.

    Raises
    ------
    ValueError
        If the text is not a quantity, or has another unit.
    """
    if isinstance(value, bool):
        raise ValueError(f"is {value}, not a number; give a value such as 1e-7 or '100n'")
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(
                "is an integer beyond the range of floating-point numbers; give a smaller number"
            ) from None
    if not isinstance(value, str):
        raise ValueError(
            f"is a {type(value).__name__}, not a number; give a value such as 1e-7 or '100n'"
        )
    from quantiphy import QuantiPhyError, Quantity

    text = value
    if unit == "K" and re.search(r"[0-9.]\s*K\s*\Z", value):
        text = value.rstrip()[:-1]  # in "300 K" the K is kelvin, not kilo
    try:
        quantity = Quantity(text)
    except QuantiPhyError:
        raise ValueError(
            f"is {value!r}, which is not a quantity; write a number, an SI prefix and at most "
            f"the unit, such as '4.7k' or '100 n{unit}'"
        ) from None
    # Greek omega, and the ohm sign, which Unicode keeps apart
    units = quantity.units.replace("\u03a9", "ohm").replace("\u2126", "ohm")
    if units and units.lower() != unit.lower():
        raise ValueError(
            f"is {value!r}, in {units!r} instead of {unit!r}; give it in {unit or 'plain numbers'}"
        )
    return float(quantity)
