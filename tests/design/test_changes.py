"""Changes by dotted names and in a TOML file give the same neuron, or the same sentence."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import tomli_w
from vendor_models import COMPARATOR, MEMRISTOR, MOSFET, OPAMP, TL072

from spicealif.design import MODELS, Neuron, Part, load_device, load_preset, parse_toml, store
from spicealif.design.devices.subcircuit import SubcircuitMemristor
from spicealif.design.leak import Resistor
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
)
from spicealif.design.stimulus.sources import Constant, PiecewiseLinear, PulseTrain, Sine, Step, Sum
from spicealif.errors import DesignError

PAPER = load_preset("paper")
_SINE = {"kind": "sine", "amplitude": 1e-4, "frequency": 1e3}
#: One of every kind of part, by its place in a neuron.
KINDS: dict[str, list[Part]] = {
    "leak": [
        PAPER.leak,
        Resistor(r=2e4),
        *(load_device(n).device for n in ("gmms_knowm", "vteam_memtorch", "yakopcic_oblea")),
        SubcircuitMemristor(
            model="MEM", pins="p n x", text=MEMRISTOR, r_on=1, r_off=2, v_on=1, v_off=1, tau=1e-3
        ),
    ],
    "difference_amplifier": [DifferenceAmplifier(r=3e4), IdealDifferenceAmplifier()],
    "difference_amplifier.opamp": [
        OpAmp(v_os=1e-4),
        IdealOpAmp(open_loop_gain=1e6),
        SubcircuitOpAmp(**OPAMP, text=TL072),
        LibraryOpAmp(model="OP482", library="ADI.lib", pins=OPAMP["pins"]),
    ],
    "comparator": [
        Comparator(t_delay=8e-9),
        IdealComparator(t_delay=5e-9),
        SubcircuitComparator(**COMPARATOR),
        LibraryComparator(
            model="AD8561", library="ADI.lib", pins=OPAMP["pins"], v_oh=3.8, v_ol=0.018
        ),
    ],
    "mosfet": [
        Mosfet(r_s=0.8),
        IdealMosfet(v_gs_width=0.06),
        SubcircuitMosfet(model="N7", text=MOSFET),
        LibraryMosfet(model="2N7002", library="a.lib", pins="drain gate source"),
    ],
    "stimulus": [
        Constant(amplitude=1e-4),
        Step(amplitude=1e-4, delay=1e-3),
        PulseTrain(amplitude=1e-4, frequency=50.0, duty=0.4),
        Sine(**_SINE),
        PiecewiseLinear(t=(0.0, 1e-3), i=(0.0, 1e-4)),
        Sum.from_dict({"terms": [_SINE, {"kind": "constant", "amplitude": 1e-4}]}),
    ],
}
PAIRS = [
    pytest.param(place, old, new, id=f"{place}, {old.kind} to {new.kind}")
    for place, parts in KINDS.items()
    for old, new in itertools.product(parts, repeat=2)
]


def nested(place: str, fields: dict[str, Any]) -> dict[str, Any]:
    for name in reversed(place.split(".")):
        fields = {name: fields}
    return fields


def both(monkeypatch, base: Neuron, place: str, fields: dict[str, Any]) -> list[Any]:
    """Make the changes both ways; return what comes of each."""
    monkeypatch.setattr(store, "load_preset", lambda name: base)
    text = tomli_w.dumps({"preset": "base", **nested(place, fields)})
    dotted = {f"{place}.{name}": value for name, value in fields.items()}
    out: list[Any] = []
    for way in (
        lambda: base.replace(dotted),
        lambda: base.replace(dict(reversed(dotted.items()))),
        lambda: parse_toml(text),
    ):
        try:
            made = way()
            out.append(made.replace(name=base.name, description="", source="").to_dict())
        except DesignError as error:
            out.append(str(error))
    return out


@pytest.mark.parametrize(("place", "old", "new"), PAIRS)
@pytest.mark.parametrize("what", ["everything", "kind", "no kind", "one field", "old field"])
def test_both_ways_keep_and_drop_the_same(monkeypatch, place, old, new, what):
    base = PAPER.replace({place: old})
    fields = new.to_dict()
    first = next(name for name in fields if name != "kind")
    if what == "kind":
        fields = {"kind": fields["kind"]}
    elif what == "no kind":
        del fields["kind"]
    elif what == "one field":
        fields = {"kind": fields["kind"], first: fields[first]}
    elif what == "old field":  # which goes with the new kind only if that is the old one
        name, value = list(old.to_dict().items())[-1]
        fields = {"kind": fields["kind"], name: value}
    one, reverse, toml = both(monkeypatch, base, place, fields)
    assert one == toml
    # of several keys that are not known, the first is told
    assert reverse == one or (isinstance(one, str) and isinstance(reverse, str))
    if what == "everything":
        part = one
        for name in place.split("."):
            part = part[name]
        # of the same kind too: all its fields are given
        assert part == new.to_dict()


@pytest.mark.parametrize("key", ["leak.preset", "leak.file"])
def test_a_device_that_is_named_leaves_nothing_of_the_old_one(monkeypatch, tmp_path, key):
    value = "w_sdc_5k_1khz_m2"
    if key == "leak.file":
        from spicealif.design._comments import commented_toml

        path = tmp_path / "device.toml"
        path.write_text(commented_toml(load_device(value)))
        value = str(path)
    fields = {key.partition(".")[2]: value, "tau": 1e-3}
    one, reverse, toml = both(monkeypatch, PAPER, "leak", fields)
    assert one == reverse == toml
    assert one["leak"]["r_on"] != PAPER.to_dict()["leak"]["r_on"]
    assert one["leak"]["tau"] == 1e-3


def test_the_former_name_of_a_kind_is_the_same_kind(monkeypatch):
    one, reverse, toml = both(monkeypatch, PAPER, "leak", {"kind": "memristor", "tau": 1e-3})
    assert one == reverse == toml
    assert one["leak"] == {**PAPER.to_dict()["leak"], "tau": 1e-3}


def test_every_kind_is_tried():
    tried = {model for parts in KINDS.values() for model in map(type, parts)}
    kinds = {model for model in classes(Part) if "kind" in model.model_fields}
    kinds = {model for model in kinds if not model.__name__.startswith("_")}
    # of neurons; those of networks may have been loaded by another test
    assert tried == {k for k in kinds if k.__module__.startswith("spicealif.design.")}
    assert {p.kind for p in KINDS["leak"]} == {*MODELS, "resistor", "subcircuit"}


def classes(model: type[Part]) -> list[type[Part]]:
    children = model.__subclasses__()
    return [*children, *(found for child in children for found in classes(child))]


def test_parts_of_parts_change_whatever_the_order():
    """An op-amp's kind that was named before its amplifier's was lost."""
    ideal = PAPER.ideal()
    changes = {
        "difference_amplifier.opamp.kind": "ideal",
        "difference_amplifier.kind": "four-resistor",
    }
    for order in (changes, dict(reversed(changes.items()))):
        assert ideal.replace(order).difference_amplifier.opamp == IdealOpAmp()


def test_a_mapping_that_is_given_stays_as_it_was():
    given = {"kind": "four-resistor", "opamp": {"kind": "op482"}}
    made = PAPER.replace({
        "difference_amplifier.opamp.v_os": 1e-4,
        "difference_amplifier": given,
        "difference_amplifier.r": 3e4,
    })  # fmt: skip
    assert made.difference_amplifier == DifferenceAmplifier(r=3e4, opamp=OpAmp(v_os=1e-4))
    assert given == {"kind": "four-resistor", "opamp": {"kind": "op482"}}
