"""What the user describes: frozen, validated values, their presets and files."""

from spicealif.design._base import Part, parse_quantity
from spicealif.design.devices import GMMS, MODELS, VTEAM, Memristor, MemristorModel, Yakopcic
from spicealif.design.devices.store import DevicePreset, device_names, load_device
from spicealif.design.devices.subcircuit import SubcircuitMemristor
from spicealif.design.hysteresis import Hysteresis, HysteresisNetwork, nearest_in_series
from spicealif.design.leak import Resistor
from spicealif.design.neuron import Neuron
from spicealif.design.numerics import Numerics, SeriesNumerics
from spicealif.design.parts import (
    Comparator,
    DifferenceAmplifier,
    IdealComparator,
    IdealDifferenceAmplifier,
    IdealMosfet,
    IdealOpAmp,
    LibraryComparator,
    LibraryMosfet,
    LibraryOpAmp,
    Mosfet,
    OpAmp,
    SubcircuitComparator,
    SubcircuitMosfet,
    SubcircuitOpAmp,
    Supplies,
)
from spicealif.design.series import AnyDesign, SeriesCircuit
from spicealif.design.stimulus.sources import (
    Constant,
    PiecewiseLinear,
    PulseTrain,
    Sine,
    Step,
    Stimulus,
    StimulusPieces,
    Sum,
)
from spicealif.design.store import (
    dump_toml,
    load_preset,
    load_toml,
    parse_toml,
    preset_names,
    save_toml,
    schema,
)

__all__ = [
    "GMMS",
    "MODELS",
    "VTEAM",
    "AnyDesign",
    "Comparator",
    "Constant",
    "DevicePreset",
    "DifferenceAmplifier",
    "Hysteresis",
    "HysteresisNetwork",
    "IdealComparator",
    "IdealDifferenceAmplifier",
    "IdealMosfet",
    "IdealOpAmp",
    "LibraryComparator",
    "LibraryMosfet",
    "LibraryOpAmp",
    "Memristor",
    "MemristorModel",
    "Mosfet",
    "Neuron",
    "Numerics",
    "OpAmp",
    "Part",
    "PiecewiseLinear",
    "PulseTrain",
    "Resistor",
    "SeriesCircuit",
    "SeriesNumerics",
    "Sine",
    "Step",
    "Stimulus",
    "StimulusPieces",
    "SubcircuitComparator",
    "SubcircuitMemristor",
    "SubcircuitMosfet",
    "SubcircuitOpAmp",
    "Sum",
    "Supplies",
    "Yakopcic",
    "device_names",
    "dump_toml",
    "load_device",
    "load_preset",
    "load_toml",
    "nearest_in_series",
    "parse_quantity",
    "parse_toml",
    "preset_names",
    "save_toml",
    "schema",
]
