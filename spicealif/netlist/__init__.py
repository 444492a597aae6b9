"""From a neuron to a netlist that a simulator can run and a person can read."""

from spicealif.netlist.netlist import Netlist, SourceLine
from spicealif.netlist.render import build_netlist, dialects

__all__ = ["Netlist", "SourceLine", "build_netlist", "dialects"]
