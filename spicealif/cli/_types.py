"""click types of the command line: numbers by the grammar of quantities, and files to write."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import click

__all__ = ["CountType", "OutputPath", "PictureType", "QuantityType"]

_NO_LIMIT = r"[-+]?(nan|inf|[0-9.]+e[0-9]{3,})"


class QuantityType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since 8.3
    """A quantity in a unit, as `spicealif.quantities.grammar.parse_quantity` reads it.

    Parameters
    ----------
    unit : str
        SI unit; empty for plain numbers.
    """

    def __init__(self, unit: str = "") -> None:
        self.unit = unit
        self.name = "quantity" if unit else "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the value in SI units; a refusal is a usage error."""
        from spicealif.quantities.grammar import parse_quantity

        if isinstance(value, str) and re.fullmatch(_NO_LIMIT, value.strip(), re.IGNORECASE):
            # Infinity and the like: what makes sense (no limit of time, say) knows who takes it.
            number = float(value)
            if not math.isfinite(number):
                return number
        try:
            return parse_quantity(value, self.unit)
        except ValueError as error:
            self.fail(f"the value {error}.", param, ctx)


class CountType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since 8.3
    """A whole number, such as ``100`` or ``1e6``."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; a refusal is a usage error."""
        from spicealif.quantities.grammar import parse_count

        try:
            return parse_count(value)
        except ValueError as error:
            self.fail(f"the value {error}.", param, ctx)


class PictureType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since 8.3
    """A format of pictures: png, svg or pdf, in small letters or capitals."""

    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the format in small letters; another one is refused with the list."""
        from spicealif._support.figures import check_format
        from spicealif.errors import OutputError

        wanted = str(value).lower().removeprefix(".")
        try:
            check_format(wanted)
        except OutputError as error:
            self.fail(str(error), param, ctx)
        return wanted


class OutputPath(click.Path):
    """A file to write; ``-`` is standard output, and ``./-`` a file of that name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        if value == "-":
            from spicealif._support.places import STANDARD_OUTPUT

            return STANDARD_OUTPUT
        if not str(value):
            self.fail("The name is empty; give one.", param, ctx)
        return Path(os.fsdecode(value))
