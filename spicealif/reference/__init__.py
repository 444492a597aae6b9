"""The reference: the paper's equations by RK4 with located events."""

from spicealif.reference.reference import VARIANTS, check_variant, solve_reference

__all__ = ["VARIANTS", "check_variant", "solve_reference"]
