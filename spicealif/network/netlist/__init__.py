"""Networks as netlists: a flat deck of all, or one neuron with the others played back."""

from spicealif.network.netlist._thin import thin_pwl
from spicealif.network.netlist.estimate import FlatEstimate
from spicealif.network.netlist.network_netlist import (
    NetworkNetlist,
    build_network_netlist,
    build_witness_netlist,
)
from spicealif.network.netlist.played import Played, PlayedBack

__all__ = [
    "FlatEstimate",
    "NetworkNetlist",
    "Played",
    "PlayedBack",
    "build_network_netlist",
    "build_witness_netlist",
    "thin_pwl",
]
