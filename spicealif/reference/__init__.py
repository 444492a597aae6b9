"""The reference: the paper's equations by RK4 with located events."""

from spicealif.reference.batch.solve import ReferenceSummary, solve_references
from spicealif.reference.driver import VARIANTS, Variant, check_variant
from spicealif.reference.reference import solve_reference
from spicealif.reference.series.solve import solve_series

__all__ = [
    "VARIANTS",
    "ReferenceSummary",
    "Variant",
    "check_variant",
    "solve_reference",
    "solve_references",
    "solve_series",
]
