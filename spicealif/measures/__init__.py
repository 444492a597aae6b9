"""What is measured of spikes and traces: of one side, of two against each other, and as tables."""

from spicealif.measures.one_side import MEASURES, energies, measure

__all__ = ["MEASURES", "energies", "measure"]
