"""Quantities as people write them: one grammar, its tables, and what is said of the rest."""

from spicealif.quantities.grammar import (
    PLAIN_KELVIN,
    format_quantity,
    parse_any,
    parse_count,
    parse_quantity,
    quantity_of,
)

__all__ = [
    "PLAIN_KELVIN",
    "format_quantity",
    "parse_any",
    "parse_count",
    "parse_quantity",
    "quantity_of",
]
