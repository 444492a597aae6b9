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
    LibraryComparator,
    SubcircuitComparator,
    run_away,
)
from spicealif.design.parts.difference_amplifier import (
    AnyDifferenceAmplifier,
    DifferenceAmplifier,
    IdealDifferenceAmplifier,
)
from spicealif.design.parts.mosfet import (
    AnyMosfet,
    IdealMosfet,
    LibraryMosfet,
    Mosfet,
    SubcircuitMosfet,
)
from spicealif.design.parts.opamp import (
    AnyOpAmp,
    IdealOpAmp,
    LibraryOpAmp,
    OpAmp,
    SubcircuitOpAmp,
)
from spicealif.design.parts.supplies import Supplies
from spicealif.design.parts.vendor import EmbeddedModel, LibraryModel, VendorModel, pin_roles

__all__ = [
    "TWO_POLE_DELAY",
    "AnyComparator",
    "AnyDifferenceAmplifier",
    "AnyMosfet",
    "AnyOpAmp",
    "Comparator",
    "DifferenceAmplifier",
    "EmbeddedModel",
    "IdealComparator",
    "IdealDifferenceAmplifier",
    "IdealMosfet",
    "IdealOpAmp",
    "LibraryComparator",
    "LibraryModel",
    "LibraryMosfet",
    "LibraryOpAmp",
    "Mosfet",
    "OpAmp",
    "SubcircuitComparator",
    "SubcircuitMosfet",
    "SubcircuitOpAmp",
    "Supplies",
    "VendorModel",
    "pin_roles",
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
    SubcircuitOpAmp,
    LibraryOpAmp,
)
