"""From a neuron to a netlist that a simulator can run and a person can read."""

from spicealif.netlist.dialect import Dialect, dialects, find_dialect
from spicealif.netlist.netlist import Netlist, SourceLine
from spicealif.netlist.portable import PortabilityFinding, find_unportable
from spicealif.netlist.render import build_netlist

__all__ = [
    "Dialect",
    "Netlist",
    "PortabilityFinding",
    "SourceLine",
    "build_netlist",
    "dialects",
    "find_dialect",
    "find_unportable",
]
