"""What a picture says of the elements: names with indices, values with units."""

from __future__ import annotations

import re

from spicealif.design import Comparator, MemristorModel, Neuron
from spicealif.quantities import format_quantity
from spicealif.schematic.cards import Element

__all__ = ["element_words", "formula_name", "note_of", "part_note", "quantity", "value_words"]

_UNITS = {"R": "ohm", "C": "F", "V": "V", "I": "A", "G": "A/V"}
#: A name with more characters than this runs into what stands beside it, and is told below.
_ROOM = 7
_LONG = {"X_op": "op-amp", "X_cmp": "comp.", "M_sw": "MOSFET"}
_PART = {**_LONG, "X_cmp": "comparator"}
_NUMBER = re.compile(r"(?<![\w.])(\d+\.?\d*(?:[eE][-+]?\d+)?)(?![\w.])")

_BRACKETED = re.compile(r"(?<!\w)\(([\d.]+)\)")


def quantity(value: float, unit: str) -> str:
    """Return a value of three digits with its unit, in the characters of print."""
    text = format_quantity(value, unit, 3)
    number, _, rest = text.partition(" ")
    if rest.startswith("u"):
        rest = "\N{MICRO SIGN}" + rest[1:]
    rest = rest.replace("ohm", "\N{GREEK CAPITAL LETTER OMEGA}")
    return f"{number.replace('-', chr(0x2212))} {rest}"


def formula_name(name: str) -> str:
    """Return ``R_d1`` as a formula, with an index; a word as it is."""
    first, _, index = name.partition("_")
    if index:
        return rf"${first}_\mathrm{{{index.replace('_', '')}}}$"
    return f"${name}$" if len(name) == 1 else name


def value_words(element: Element) -> str:
    """Return an element's value with its unit, or its model's name as it is sold."""
    if element.kind in _UNITS:
        try:
            return quantity(float(element.value), _UNITS[element.kind])
        except ValueError:
            return element.value
    if element.kind == "E":
        return f"gain {float(element.value):.3g}"
    # A model's name begins with a letter, where the part's may begin with a digit.
    return re.sub(r"^N(?=\d)", "", element.value.upper())


def element_words(element: Element, neuron: Neuron) -> tuple[str, str]:
    """Return what stands beside an element: two lines, of which one may be empty."""
    if element.name == "X_leak" and isinstance(neuron.leak, MemristorModel):
        title = neuron.leak.title
        short = title[title.find("(") + 1 : -1] if title.endswith(")") else title
        return f"memristor ({short})", _span(neuron.leak, neuron.v_th)
    if element.kind in "XM":
        return (_LONG[element.name] if _too_long(element) else value_words(element)), ""
    if note_of(element):
        return formula_name(element.name), ""
    return formula_name(element.name), value_words(element)


def _span(device: MemristorModel, v: float) -> str:
    low, high = quantity(device.r_min(v), "ohm"), quantity(device.r_max(v), "ohm")
    return low if low == high else f"{low} to {high}"


def _too_long(element: Element) -> bool:
    return element.name in _LONG and len(value_words(element)) > _ROOM


def part_note(element: Element, neuron: Neuron) -> str:
    """Return what is told of a part below the circuit, or an empty text."""
    comparator = neuron.comparator
    said = value_words(element) if _too_long(element) else ""
    if (
        element.name == "X_cmp"
        and isinstance(comparator, Comparator)
        and comparator.output == "open-collector"
    ):
        said = said or value_words(element)
        said += f", open collector, pulled up by {quantity(comparator.r_pull_up, 'ohm')}"
    return f"{_PART[element.name]}:  {said}" if said else ""


def note_of(element: Element) -> str:
    """Return what is told of an element below the circuit, or an empty text."""
    if element.kind == "B":
        letter, _, formula = element.value.partition("=")
        rounded = _NUMBER.sub(lambda m: f"{float(f'{float(m[1]):.4g}'):g}", formula)
        plain = _BRACKETED.sub(r"\1", rounded).replace("*", "\N{MIDDLE DOT}")
        return f"{formula_name(element.name)}:  {letter} = {plain}"
    source = re.match(r"(\w+)\((.*)\)\Z", element.value)
    if element.kind not in "IV" or source is None:
        return ""
    numbers = [float(word) for word in source[2].split()]
    unit = _UNITS[element.kind]
    return f"{formula_name(element.name)}:  {_course(source[1], numbers, unit)}"


def _course(function: str, numbers: list[float], unit: str) -> str:
    """Return how a source goes with time, in words."""
    if function == "PULSE":
        low, high, _, rise, _, on, period = numbers
        return (
            f"pulses from {quantity(low, unit)} to {quantity(high, unit)}, "
            f"{quantity(on + rise, 's')} long, every {quantity(period, 's')}"
        )
    if function == "SINE":
        offset, amplitude, frequency, *_ = numbers
        return (
            f"sine of {quantity(amplitude, unit)} around {quantity(offset, unit)}, "
            f"{quantity(frequency, 'Hz')}"
        )
    values = numbers[1::2]
    return (
        f"{len(values)} points from {quantity(min(values), unit)} to "
        f"{quantity(max(values), unit)}, joined by lines"
    )
