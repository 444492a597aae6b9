"""The neuron's circuit as a drawing: a sheet for LTspice, or a picture.

What is on the sheet is what the netlist has: `read_cards` reads its elements, subcircuits and
directives, `lay_out` gives each a place, and the sheet is written for LTspice (`asc_text`) or drawn
with schemdraw (`draw_schematic`). Nothing of the circuit is described here a second time.
"""

from __future__ import annotations

from spicealif.schematic.files import symbol_files, write_schematic
from spicealif.schematic.picture import draw_schematic

__all__ = ["draw_schematic", "symbol_files", "write_schematic"]
