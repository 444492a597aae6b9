"""The reference of networks: many neurons by RK4 with located events, joined by synapses."""

from spicealif.network.reference.point import PointForm, point_form
from spicealif.network.reference.solve import (
    NetworkReference,
    NetworkTrace,
    solve_network_reference,
)

__all__ = [
    "NetworkReference",
    "NetworkTrace",
    "PointForm",
    "point_form",
    "solve_network_reference",
]
