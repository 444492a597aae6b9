"""Simulators: a netlist in, a `Run` out, whatever happens in between."""

from spicealif.ltspice_log.log import LtspiceLog, read_ltspice_log
from spicealif.rawfile.raw import RawPlot, RawVariable, read_raw
from spicealif.simulators.registry import get_simulator, simulator_names
from spicealif.simulators.run import Cost, Message, Run, Simulator, Status

__all__ = [
    "Cost",
    "LtspiceLog",
    "Message",
    "RawPlot",
    "RawVariable",
    "Run",
    "Simulator",
    "Status",
    "get_simulator",
    "read_ltspice_log",
    "read_raw",
    "simulator_names",
]
