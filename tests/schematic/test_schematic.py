"""The sheet for LTspice: its nets by geometry, its texts, what spicelib reads of it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from asc_sheet import LTSPICE, Sheet, nets, read_sheet, text_boxes
from click.testing import CliRunner
from spicelib import AscEditor
from vendor_models import CMP2, COMPARATOR, MOSFET, OPAMP, TL072

from spicealif import Neuron, build_netlist, load_preset, preset_names, write_schematic
from spicealif.cli.main import cli, run
from spicealif.errors import NetlistError, OutputError
from spicealif.schematic.asc import asc_text, asy_text
from spicealif.schematic.cards import read_cards
from spicealif.schematic.layout import lay_out

PAPER = load_preset("paper")
SUM = {
    "kind": "sum",
    "terms": [
        {"kind": "constant", "amplitude": 1e-4},
        {"kind": "sine", "amplitude": 1e-4, "frequency": 100.0},
        {"kind": "pwl", "t": [k * 1e-4 for k in range(60)], "i": [k * 1e-5 for k in range(60)]},
    ],
}
NEURONS: dict[str, Neuron] = {
    **{name: load_preset(name) for name in preset_names()},
    **{f"{name} ideal": load_preset(name).ideal() for name in preset_names()},
    "without R_s": PAPER.replace(r_s=0),
    "without R_s, ideal": PAPER.ideal().replace(r_s=0),
    "sum": PAPER.replace(stimulus=SUM),
    "sum, ideal": PAPER.ideal().replace(stimulus=SUM),
    "op-amp ideal": PAPER.replace({"difference_amplifier.opamp.kind": "ideal"}),
    "amplifier ideal": PAPER.replace({"difference_amplifier.kind": "ideal"}),
    "comparator ideal": PAPER.replace({"comparator.kind": "ideal"}),
    "MOSFET ideal": PAPER.replace({"mosfet.kind": "ideal"}),
    "without steering": PAPER.replace({"numerics.steering": False}),
    "rest voltage": PAPER.replace(v_rest=-0.012345678901234567),
    "GMMS": PAPER.replace({"leak.preset": "gmms_knowm"}),
    "VTEAM": PAPER.replace({"leak.preset": "vteam_memtorch"}),
    "Yakopcic": PAPER.replace({"leak.preset": "yakopcic_oblea"}),
}
#: Drawn from the same places; their longer names may touch a flag.
MAKERS: dict[str, dict[str, object]] = {
    "usual order": {
        "difference_amplifier.opamp": {**OPAMP, "text": TL072},
        "mosfet": {
            **{"kind": "subcircuit", "model": "M7", "text": MOSFET},
            "pins": "drain gate source",
        },
    },
    "another order": {
        "difference_amplifier.opamp": {**OPAMP, "text": TL072, "pins": "in- in+ v- v+ out"},
    },
}
GRID = 16


@pytest.fixture(scope="module", params=NEURONS)
def written(request, tmp_path_factory) -> tuple[Neuron, Path, Sheet]:
    neuron = NEURONS[request.param]
    path = tmp_path_factory.mktemp("sheet") / "neuron.asc"
    assert write_schematic(neuron, path)[0] == path
    return neuron, path, read_sheet(path)


@pytest.fixture(scope="module")
def ltspice_symbols(tmp_path_factory) -> Path:
    """A folder with LTspice's own symbols as far as their pins go; spicelib looks for them."""
    folder = tmp_path_factory.mktemp("ltspice") / "sym"
    folder.mkdir()
    for name, (pins, _) in LTSPICE.items():
        lines = ["Version 4", "SymbolType CELL"]
        for number, (x, y) in enumerate(pins, start=1):
            lines += [f"PIN {x} {y} NONE 0", f"PINATTR SpiceOrder {number}"]
        (folder / f"{name}.asy").write_text("\n".join([*lines, ""]))
    return folder.parent


def _lines(neuron: Neuron) -> list[str]:
    """Return the netlist's lines, those that a source is continued on as one; not a model's."""
    lines: list[str] = []
    for line in build_netlist(neuron, "ltspice").text.splitlines():
        if line.startswith("+") and lines[-1].startswith("I_in"):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return lines


def _elements(neuron: Neuron) -> dict[str, tuple[tuple[str, ...], str]]:
    """Return nodes and value of the netlist's elements, read line by line."""
    found, inside = {}, False
    for line in _lines(neuron):
        inside = inside or line.startswith(".subckt")
        if not inside and line[:1].isalpha():
            name, *rest = line.split()
            count = {"X": len(rest) - 1, "M": 3, "E": 4, "G": 4}.get(name[0], 2)
            found[name] = (tuple(rest[:count]), " ".join(rest[count:]))
        inside = inside and not line.startswith(".ends")
    return found


def test_nets_of_the_geometry_are_those_of_the_netlist(written):
    neuron, _, sheet = written
    drawn = nets(sheet)
    assert len(drawn) == len(sheet.symbols)
    assert drawn == {name: nodes for name, (nodes, _) in _elements(neuron).items()}


@pytest.mark.parametrize("which", MAKERS)
def test_makers_models_are_drawn_whatever_their_pins_order(which, tmp_path):
    neuron = PAPER.replace(MAKERS[which])
    write_schematic(neuron, tmp_path / "n.asc")
    sheet = read_sheet(tmp_path / "n.asc")
    drawn = neuron, tmp_path / "n.asc", sheet
    test_nets_of_the_geometry_are_those_of_the_netlist(drawn)
    test_directives_are_those_of_the_netlist(drawn)
    (symbol,) = [s.kind for s in sheet.symbols if s.name == "X_op"]
    # a triangle whose + is the inverting input would mislead
    assert symbol == ("spicealif_opamp" if which == "usual order" else "spicealif_opamp__tl072")


def test_a_part_of_a_library_and_one_with_parameters_are_drawn(tmp_path):
    library = {**OPAMP, "kind": "library", "model": "OP482", "library": "ADI.lib"}
    inner = CMP2.replace(".ENDS\n.SUBCKT LAG", ".SUBCKT LAG")
    inner = inner.replace("0 1\n.ENDS", "0 1\n.ENDS\n.ENDS")
    neuron = PAPER.replace({
        "difference_amplifier.opamp": library, "comparator": {**COMPARATOR, "text": inner},
    })  # fmt: skip
    write_schematic(neuron, tmp_path / "n.asc")
    sheet = read_sheet(tmp_path / "n.asc")
    assert nets(sheet)["X_op"] == ("ap", "an", "v_pos", "v_neg", "v_d")
    assert nets(sheet)["X_cmp"] == ("cp", "ref", "v_cc", "0", "spike")
    directives = [text for _, text, _, mark in sheet.texts if mark == "!"]
    assert ".lib ADI.lib" in "\n".join(directives)
    (block,) = [text for text in directives if text.startswith(".subckt comparator__cmp2")]
    assert block.count(".subckt") == block.count(".ends") == 2


def test_values_and_symbols_are_those_of_the_netlist(written):
    neuron, _, sheet = written
    elements = _elements(neuron)
    assert {s.name: s.attributes["Value"] for s in sheet.symbols} == {
        name: value for name, (_, value) in elements.items()
    }
    kinds = {"R": "res", "C": "cap", "V": "voltage", "I": "current", "E": "e", "G": "g"}
    for symbol in sheet.symbols:
        value = elements[symbol.name][1]
        letter = symbol.name[0]
        if letter == "B":
            assert symbol.kind == {"V=": "bv", "I=": "bi"}[value[:2]]
        elif letter != "X":
            assert symbol.kind == (kinds | {"M": "nmos"})[letter]


def test_directives_are_those_of_the_netlist(written):
    neuron, _, sheet = written
    directives = "\n".join(t.replace("\\n", "\n") for _, t, _, mark in sheet.texts if mark == "!")
    lines = _lines(neuron)
    elements = set(_elements(neuron))
    wanted = [ln for ln in lines if ln.split()[0] not in elements | {".end"}]
    # comments outside of subcircuits are not the simulator's business
    assert [ln for ln in sorted(wanted) if not ln.startswith("*")] == [
        ln for ln in sorted(directives.splitlines()) if not ln.startswith("*")
    ]


def test_pins_and_wires_are_on_the_grid(written):
    _, _, sheet = written
    points = [p for wire in sheet.wires for p in wire] + [at for at, _ in sheet.flags]
    points += [pin for symbol in sheet.symbols for pin in symbol.pins]
    assert all(x % GRID == 0 and y % GRID == 0 for x, y in points)
    # A wire ends where another one does, as LTspice keeps them.
    for (a, b), (c, d) in sheet.wires:
        inner = [p for p in points if min(a, c) <= p[0] <= max(a, c)]
        inner = [p for p in inner if min(b, d) <= p[1] <= max(b, d)]
        assert set(inner) == {(a, b), (c, d)}


@pytest.mark.parametrize("beyond", [False, True])
def test_no_text_overlaps_another_a_wire_or_a_symbol(written, beyond):
    _, _, sheet = written
    boxes = text_boxes(sheet, beyond=beyond)
    for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
        assert not _overlap(a, b), (one, other)
    for name, box in boxes.items():
        for wire in sheet.wires:
            (a, b), (c, d) = wire
            line = (min(a, c), min(b, d), max(a, c), max(b, d))
            assert not _overlap(box, line), (name, wire)
        for symbol in sheet.symbols:
            if symbol.kind.startswith("spicealif_") and len(symbol.pins) == 5:
                continue  # a triangle, whose corners are free; seen in the picture
            assert not _overlap(box, symbol.box), (name, symbol.name)


def _overlap(a, b) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_spicelib_lists_every_component_and_value(written, ltspice_symbols, monkeypatch):
    neuron, path, _ = written
    monkeypatch.setattr(AscEditor, "simulator_lib_paths", [str(ltspice_symbols)])
    editor = AscEditor(path)
    elements = _elements(neuron)
    assert sorted(editor.get_components()) == sorted(elements)
    assert {n: editor.get_component_value(n) for n in elements} == {
        name: value for name, (_, value) in elements.items()
    }


def test_symbols_beside_it_have_the_subcircuits_ports_in_order(written):
    _, path, sheet = written
    ports = {}
    for _, text, _, _ in sheet.texts:
        if text.startswith(".subckt"):
            name, *names = text.split("\\n")[0].split()[1:]
            ports[name] = names
    for symbol in sheet.symbols:
        if symbol.name.startswith("X"):
            text = (path.parent / f"{symbol.kind}.asy").read_text(encoding="ascii")
            assert "SYMATTR Prefix X" in text
            pins = [ln.split()[2] for ln in text.splitlines() if "PinName" in ln]
            assert pins == ports[symbol.attributes["Value"]]


def test_a_long_value_is_whole_and_hidden():
    assert "Invisible" not in asc_text(lay_out(read_cards(build_netlist(PAPER, "ltspice").text)))
    text = asc_text(lay_out(read_cards(build_netlist(NEURONS["sum"], "ltspice").text)))
    assert text.count("Invisible") == 1
    assert "a value of" in text


def test_an_element_of_another_package_stands_by_its_nets_names(tmp_path):
    netlist = build_netlist(PAPER, "ltspice").text.replace(
        "X_leak v_c v_s x mms_memristor", "X_own v_c v_s x other own_device\nC_own other 0 1e-9"
    )
    netlist = netlist.replace("* --- supplies", ".subckt own_device p n x q\n.ends\n* --- supplies")
    sheet = lay_out(read_cards(netlist))
    path = tmp_path / "own.asc"
    path.write_text(asc_text(sheet))
    for placed in sheet.placed:
        if placed.symbol.is_ours:
            (tmp_path / f"{placed.symbol.name}.asy").write_text(asy_text(placed.symbol))
    drawn = nets(read_sheet(path))
    assert drawn["X_own"] == ("v_c", "v_s", "x", "other")
    assert drawn["C_own"] == ("other", "0")
    assert drawn["R_s"] == ("v_s", "v_r")


def test_an_element_of_unknown_kind_is_refused():
    with pytest.raises(NetlistError, match="'L_1' is of a kind that a schematic does not know"):
        read_cards("* title\n* ---\nL_1 a b 1e-3\n")


def test_the_command_writes_sheet_and_symbols(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["schematic", "paper", "-s", "c=220n", "-o", "d/n.asc"])
    assert done.exit_code == 0, done.output
    assert "d/n.asc, and beside it spicealif_memristor.asy" in done.output
    sheet = read_sheet(tmp_path / "d/n.asc")
    assert next(s for s in sheet.symbols if s.name == "C_m").attributes["Value"] == "2.2e-07"
    # the same again replaces it; what somebody has edited stays
    assert run(["schematic", "paper", "-o", "d/n.asc"]) == 0
    symbol = tmp_path / "d/spicealif_opamp.asy"
    symbol.write_text(symbol.read_text().replace("LINE Normal", "LINE Wide", 1))
    before = {p: p.read_bytes() for p in (tmp_path / "d").iterdir()}
    assert run(["schematic", "lif", "-o", "d/n.asc"]) == 1
    assert {p: p.read_bytes() for p in (tmp_path / "d").iterdir()} == before
    assert run(["schematic", "lif", "-o", "d/n.asc", "--force"]) == 0


@pytest.mark.parametrize("name", ["n.txt", "n.asy", "n", "n.cir"])
def test_other_endings_are_refused_in_a_sentence(name, tmp_path, capsys):
    assert run(["schematic", "lif", "-o", str(tmp_path / name)]) == 1
    assert "use .asc, .svg, .pdf or .png." in capsys.readouterr().err
    with pytest.raises(OutputError, match=r"use \.asc, \.svg, \.pdf or \.png"):
        write_schematic(PAPER, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_if_a_symbol_cannot_be(tmp_path):
    (tmp_path / "spicealif_opamp.asy").mkdir()
    with pytest.raises(OutputError):
        write_schematic(PAPER, tmp_path / "n.asc")
    assert [p.name for p in tmp_path.iterdir()] == ["spicealif_opamp.asy"]
