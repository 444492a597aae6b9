"""The circuit's active parts, each in a real and an ideal variant, a file each.

Figures are typical values of the data sheets (Analog Devices OP282/OP482 and AD8561, onsemi
2N7002) unless a field says otherwise; the data sheets do not give all of them.
"""

from spicealif.design._sentences import register_tags
from spicealif.design.parts.comparator import (
    TWO_POLE_DELAY,
    AnyComparator,
    Comparator,
    IdealComparator,
    run_away,
)
from spicealif.design.parts.difference_amplifier import (
    AnyDifferenceAmplifier,
    DifferenceAmplifier,
    IdealDifferenceAmplifier,
)
from spicealif.design.parts.mosfet import AnyMosfet, IdealMosfet, Mosfet
from spicealif.design.parts.opamp import AnyOpAmp, IdealOpAmp, OpAmp
from spicealif.design.parts.supplies import Supplies

__all__ = [
    "TWO_POLE_DELAY",
    "AnyComparator",
    "AnyDifferenceAmplifier",
    "AnyMosfet",
    "AnyOpAmp",
    "Comparator",
    "DifferenceAmplifier",
    "IdealComparator",
    "IdealDifferenceAmplifier",
    "IdealMosfet",
    "IdealOpAmp",
    "Mosfet",
    "OpAmp",
    "Supplies",
    "run_away",
]

register_tags(
    OpAmp,
    IdealOpAmp,
    DifferenceAmplifier,
    IdealDifferenceAmplifier,
    Comparator,
    IdealComparator,
    Mosfet,
    IdealMosfet,
)
