"""Raw files of ngspice, LTspice, Qspice and Xyce. Nothing here knows what is in them."""

from spicealif.rawfile.raw import RawPlot, RawVariable, read_raw

__all__ = ["RawPlot", "RawVariable", "read_raw"]
