"""Sections that reports of several kinds have: schematic, netlist, design, provenance."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spicealif._support.kinds import signed
from spicealif._support.origin import origin
from spicealif._support.text import shown
from spicealif.design import Neuron, dump_toml, load_preset, preset_names
from spicealif.errors import SpicealifError
from spicealif.quantities.grammar import format_quantity
from spicealif.report._blocks import (
    Block,
    Cell,
    Code,
    Command,
    Facts,
    Listing,
    Section,
    Table,
    Tabs,
    Text,
)
from spicealif.report._drawings import drawing
from spicealif.report._material import Json, NetlistText
from spicealif.report._words import si, typeset
from spicealif.schematic import draw_schematic
from spicealif.sweep.space import unit_of

__all__ = [
    "design_section",
    "flat",
    "netlist_section",
    "provenance_section",
    "schematic_section",
]

_PEOPLE = ("name", "description", "source")
_HEADING = re.compile(r"\* --- (.*?) ---\s*\Z")
_MOST_LINES = 3000
#: Characters of a value in a table, and of a design's text.
_LONGEST_VALUE = 160


def schematic_section(neuron: Neuron) -> Section:
    """Return the section with the circuit's drawing."""
    title = f"Circuit of {typeset(neuron.name)}"
    said = (
        "Membrane capacitor, leak device and series resistor; difference amplifier; comparator "
        "with its hysteresis network; the MOSFET that discharges the capacitor. What only the "
        "simulator wants (step steering, paths to ground) is not drawn."
    )
    block: Block
    try:
        block = drawing(draw_schematic(neuron), "schematic", title, said, ink=True)
    except SpicealifError as error:
        block = Text([f"The circuit cannot be drawn: {typeset(error)}"], "missing")
    return Section("schematic", "Schematic", [block])


def netlist_section(netlist: NetlistText | None, why: str = "") -> Section:
    """Return the section with the netlist, its lines in the colours of their components."""
    if netlist is None:
        return Section("netlist", "Netlist", [Text([why or "There is no netlist."], "missing")])
    components: list[str] = []
    lines = []
    current = -1
    texts = netlist.text.splitlines()
    for number, text in enumerate(texts[:_MOST_LINES], start=1):
        kind = "note" if text.startswith("*") else ""
        if heading := _HEADING.match(text):
            name = shown(heading[1], 80)
            if name not in components:
                components.append(name)
            current, kind = components.index(name), "note head"
        lines.append((number, shown(text, 400), current, kind))
    blocks: list[Block] = [
        Text([f"{netlist.remark} Each component has its colour; notes are in italics."]),
        Listing(lines, components),
    ]
    if len(texts) > _MOST_LINES:
        blocks.append(Text([f"The first {_MOST_LINES} of {len(texts)} lines."], "notes"))
    blocks.append(
        Facts([("SHA-256", hashlib.sha256(netlist.text.encode()).hexdigest())], code=True)
    )
    return Section("netlist", "Netlist", blocks)


#: How a description begins of a neuron that was made of a preset; see `changed_from`.
_MADE_OF = re.compile(r"([\w-]+), changed: ")


def design_section(neuron: Neuron) -> Section:
    """Return the section with what differs from the nearest preset, then with all values."""
    own = flat(neuron.to_dict())
    name, base, differing = _nearest(own)
    made_of = "the nearest of those that come along"
    if (stated := _MADE_OF.match(neuron.description)) and stated[1] in preset_names():
        name, made_of = stated[1], "which it was made of"
        base, differing = _against(own, name)
    units = {key: unit_of(neuron, key) for key in own}
    rows = [
        (key, _value(own.get(key), units.get(key, "")), _value(base.get(key), units.get(key, "")))
        for key in differing
    ]
    first: list[Block] = []
    if neuron.description:
        first.append(Text([typeset(neuron.description)]))
    if rows:
        caption = f"What differs from the preset {name}, {made_of}"
        head = ("parameter", typeset(neuron.name), f"preset {name}")
        first.append(Table(caption, head, rows, "words"))
    else:
        first.append(Text([f"Nothing differs from the preset {name}."]))
    if neuron.source:
        first.append(Text([f"Where the values come from: {typeset(neuron.source)}"], "notes"))
    whole = [(key, _value(own[key], units[key])) for key in own if key not in _PEOPLE]
    every = Table("Every value of the design, in SI units", ("parameter", "value"), whole,
                  "words long")  # fmt: skip
    text = signed(_visible(dump_toml(neuron)))
    network = neuron.network
    follows = Facts(
        [
            ("Hysteresis: R_a", si(float(network.r_a), "ohm")),
            ("Hysteresis: R_b", si(float(network.r_b), "ohm")),
            ("Hysteresis: V_ref", si(float(network.v_ref), "V")),
            ("Largest step in SPICE", si(neuron.t_step_max, "s")),
            ("Step of the reference", si(neuron.default_h, "s")),
        ]
    )
    return Section(
        "design",
        "Design",
        [
            Tabs(
                "Which values",
                [
                    ("What differs", first),
                    ("All values", [every]),
                    ("What follows", [follows]),
                    ("As a file", [Code(text, "neuron.toml")]),
                ],
            )
        ],
    )


def provenance_section(
    made: Json,
    digests: Sequence[tuple[str, str]],
    commands: Sequence[tuple[str, str]],
    facts: Sequence[tuple[str, str]] = (),
) -> Section:
    """Return the section that says where the result comes from and how it is made again.

    Parameters
    ----------
    made : mapping
        As ``provenance.json`` has it; empty if that is not known.
    digests, commands : sequence of (str, str)
    facts : sequence of (str, str)
        What else is known.
    """
    here = origin()
    labels = {
        "date": "Computed",
        "version": "Simulator",
        "spicealif": "spicealif",
        "python": "Python",
        "system": "System",
        "machine": "Processor",
        "packages": "Packages",
    }
    rows = [(label, typeset(made[key])) for key, label in labels.items() if made.get(key)]
    rows = [(a, _date(b) if a == labels["date"] else b) for a, b in rows]
    if (cpu := made.get("cpu_s")) is not None and (wall := made.get("wall_s")) is not None:
        rows.append(
            ("Cost of the simulator", f"{si(_float(cpu), 's')} of CPU, {si(_float(wall), 's')} in "
             f"all, {_float(made.get('points', 0)):,.0f} points")
        )  # fmt: skip
    rows += facts
    blocks: list[Block] = []
    if not made:
        said = (
            "The result does not say on which machine and when it was computed; results that this "
            "version saves as folders do."
        )
        blocks.append(Text([said], "notes"))
    if rows:
        blocks.append(Facts(rows))
    blocks.append(
        Facts(
            [
                (
                    "Report",
                    f"{_date(here['date'])}, spicealif {here['spicealif']}, {here['python']}, "
                    f"{here['system']}, {here['machine']}",
                )
            ]
        )
    )
    told = made.get("warnings")
    warnings = [typeset(text) for text in told] if isinstance(told, list) else []
    if warnings:
        rows = [(str(k), text) for k, text in enumerate(warnings, 1)]
        blocks.append(Table("Warnings of the simulator", ("", "warning"), rows, "words"))
    blocks += [Command(sentence, command) for sentence, command in commands]
    if digests:
        blocks.append(Facts([(shown(label, 80), value) for label, value in digests], code=True))
    return Section("provenance", "Provenance", blocks)


def _visible(text: str) -> str:
    """Return TOML with what cannot be seen as TOML's escapes, which mean the same."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else f"\\U{ord(c):08X}" for c in text)


def flat(data: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested tables as one, with dotted keys."""
    return dict(_flat(data, before))


def _flat(data: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _against(own: Mapping[str, Any], name: str) -> tuple[dict[str, Any], list[str]]:
    """Return a preset's values, and the names of those that differ from one's own."""
    base = flat(load_preset(name).to_dict())
    return base, [k for k in {**own, **base} if k not in _PEOPLE and own.get(k) != base.get(k)]


def _nearest(own: Mapping[str, Any]) -> tuple[str, dict[str, Any], list[str]]:
    """Return the preset that differs in the fewest values, and in which."""
    best: tuple[str, dict[str, Any], list[str]] | None = None
    for name in preset_names():
        base, keys = _against(own, name)
        if best is None or len(keys) < len(best[2]):
            best = name, base, keys
    assert best is not None  # presets come along
    return best


def _value(value: Any, unit: str) -> str | Cell:
    if value is None:
        return Cell("not set", "none")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        text = typeset(format_quantity(float(value), unit)) if unit else f"{value:g}"
        exact = f"{value!r}"
        return text if len(exact) <= 8 else f"{text} ({exact})"
    if isinstance(value, list):
        few = ", ".join(f"{v:g}" if isinstance(v, float) else shown(v, 40) for v in value[:6])
        return f"{few}, \u2026 ({len(value)} values)" if len(value) > 6 else few
    return shown(value, _LONGEST_VALUE)


def _date(text: str) -> str:
    """Return a date of ISO 8601 as people write it."""
    return text.replace("T", " ").replace("+00:00", " UTC")


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
