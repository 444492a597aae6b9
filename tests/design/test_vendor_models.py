"""Parts by their makers' models: what is read of a file, what is refused, what a design keeps."""

from __future__ import annotations

import random
import sys

import jsonschema
import pytest
from vendor_models import CMP2, COMPARATOR, HOSTILE, MEMRISTOR, MOSFET, OPAMP, TL072

from spicealif import load_preset, load_toml, parse_toml
from spicealif.design import SubcircuitOpAmp, dump_toml, schema
from spicealif.design.parts.model_cards import DOT_CARDS, ModelProblem
from spicealif.design.parts.model_text import model_text
from spicealif.errors import DesignError

PAPER = load_preset("paper").replace(t_stop=1e-3)
#: Events of Python's audit that read nothing and only begin, write or fetch something.
BEGUN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn")
BEGUN += ("socket.connect", "urllib.Request", "ctypes.dlopen", "os.mkdir", "os.rename")
_seen: list[tuple[str, str]] | None = None


def _watch(event, arguments):
    if _seen is not None and (event == "open" or event in BEGUN):
        _seen.append((event, str(arguments[0])))


sys.addaudithook(_watch)  # which cannot be taken away again


def op_amp(text=TL072, **more):
    return PAPER.replace({"difference_amplifier.opamp": {**OPAMP, "text": text, **more}})


def refusal(**changes):
    with pytest.raises(DesignError) as caught:
        PAPER.replace({"difference_amplifier.opamp": changes})
    return said(caught)


def said(caught):
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert sentence.isascii()
    return sentence


def test_no_hostile_file_is_taken_and_none_does_anything(tmp_path, monkeypatch):
    global _seen  # noqa: PLW0603 (an audit hook has nowhere else to look)
    assert len(HOSTILE) >= 60
    monkeypatch.chdir(tmp_path)
    table = {"kind": "subcircuit", "file": "model.lib", "model": "OK", "pins": OPAMP["pins"]}
    path = tmp_path / "model.lib"
    for name, (text, word) in HOSTILE.items():
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        _seen = []
        with pytest.raises(DesignError) as caught:
            PAPER.replace({"difference_amplifier.opamp": table})
        seen, _seen = _seen, None
        assert word in said(caught), name
        assert seen == [("open", "model.lib")], name
        assert [p.name for p in tmp_path.iterdir()] == ["model.lib"], name
        if "in a comment" in name:  # which is dropped
            continue
        # given as text, as a result has it, it is no more welcome
        with pytest.raises(DesignError):
            op_amp(text, model="OK")


def test_a_result_is_made_again_without_the_file(tmp_path):
    path = tmp_path / "parts" / "TL072.cir"
    path.parent.mkdir()
    # makers' editors: Latin-1, a micro sign in a value, DOS line ends
    latin = TL072.replace("* TL072", "* 25 \xb0C, 13 V/\xb5s; TL072").replace("18E-12", "18E-6\xb5")
    path.write_bytes(latin.replace("\n", "\r\n").encode("latin-1"))
    (tmp_path / "n.toml").write_text(
        'preset = "paper"\n[difference_amplifier.opamp]\nkind = "subcircuit"\n'
        'file = "parts/TL072.cir"\nmodel = "tl072"\npins = "in+ in- v+ v- out"\n'
    )
    neuron = load_toml(tmp_path / "n.toml")
    opamp = neuron.difference_amplifier.opamp
    assert isinstance(opamp, SubcircuitOpAmp)
    assert (opamp.model, opamp.name) == ("TL072", "tl072")
    assert "18E-6u" in opamp.text
    assert "*" not in opamp.text
    assert ";" not in opamp.text
    path.unlink()
    again = parse_toml(dump_toml(neuron), files=False)
    assert again == neuron
    assert "\nGA 6 0 11 12 2.5E-4\n" in dump_toml(neuron)
    returns = neuron.replace(description="a\r\nb")
    assert parse_toml(dump_toml(returns), files=False) == returns
    assert again.digest == neuron.digest
    assert neuron.replace({"difference_amplifier.opamp.v_os": 1e-3}).digest != neuron.digest
    other = neuron.replace({"difference_amplifier.opamp.text": opamp.text.replace("4K", "3K")})
    assert other.digest != neuron.digest
    # UTF-16, as some of LTspice's own files are
    path.write_text(TL072, encoding="utf-16")
    assert load_toml(tmp_path / "n.toml").difference_amplifier.opamp.kept.name == "TL072"


def test_only_what_the_part_needs_is_kept():
    text = CMP2 + TL072 + MOSFET
    kept = model_text(text, "cmp2")
    assert kept.text == model_text(kept.text, "CMP2").text
    assert {"LAG", "RUNIT", "QP"} <= set(kept.text.replace("=", " ").replace("(", " ").split())
    assert "JP" not in kept.text
    assert "N7" not in kept.text
    assert kept.pins == ("INP", "INN", "VCC", "VEE", "OUT")
    assert model_text(text, "n7").kind == "vdmos"
    with pytest.raises(ModelProblem, match=r"take one of those that there are \(CMP2, LAG, TL072"):
        model_text(text, "LM358")


def test_only_what_is_asked_for_must_be_taken():
    """A maker's library of many parts has some that no part of ours is; they are dropped."""
    other = ".subckt LOGIC 1 2\na1 [1] 2 gate\n.ic v(1)=1\n.ends\n.model gate d_and(x=1)\n"
    text = "*#ASSOC Category=Opamp\n" + other + TL072.replace(".ENDS", ".ENDS TL072X")
    assert model_text(text, "TL072").text == model_text(TL072, "TL072").text.replace(
        ".ENDS", ".ENDS TL072X"
    )
    with pytest.raises(ModelProblem, match="line 3, '\\[' has no place"):
        model_text(text, "logic")


def test_subcircuits_within_another_stay_in_it():
    text = (
        ".subckt A 1 2\n.param r=1k\nX1 1 2 B\n.subckt B 1 2\nR1 1 2 {r*{2}}\n.ends B\n.ends\n"
        ".subckt C 1 2\nX1 1 2 A\nX2 1 2 B\n.ends\n.subckt B 1 2\nR1 1 2 5\n.ends\n"
    )
    kept = model_text(text, "A")
    assert kept.text == "".join(text.partition(".subckt C")[0]).replace(".ends B", ".ends B")
    assert model_text(text, "C").embedded("m__").splitlines()[0] == ".subckt m__a 1 2"
    assert "X1 1 2 m__b" in kept.embedded("m__")


def test_names_of_a_file_stay_within_its_subcircuits():
    lines = model_text(CMP2, "cmp2").embedded("comparator__").lower().splitlines()
    assert [line for line in lines if line.startswith(".subckt")] == [
        ".subckt comparator__cmp2 inp inn vcc vee out params: voh=3.8 vol=18m "
        "tp=4.170770431643883n",
        ".subckt comparator__lag a b params: t=1n",
    ]
    depth = 0
    for line in lines:
        depth += line.startswith(".subckt") - line.startswith(".ends")
        assert depth or line == ".ends"
    assert lines.count(".param runit=1k") == 2
    assert [line.split()[3] for line in lines if line.startswith("x")] == ["comparator__lag"] * 2


@pytest.mark.parametrize(
    ("pins", "word"),
    [
        ("in+ in- v+ out", "lacks v-"),
        ("in+ in- v+ v- out out", "has out twice"),
        ("in+ in- v+ v- out nc", "has 6 pins, and the .subckt line of TL072 has 5 (1, 2, 3, 4, 5)"),
        ("in+ in- v+ v- q", "has 'q', and the roles are in+, in-, v+, v-, out, gnd, nc"),
        ("", "lacks in+, in-, v+, v-, out"),
    ],
)
def test_pins_are_checked(pins, word):
    assert word in refusal(**{**OPAMP, "text": TL072, "pins": pins})


def test_pins_may_be_a_list_or_have_commas():
    for pins in (OPAMP["pins"].split(), OPAMP["pins"].replace(" ", ", ")):
        opamp = op_amp(pins=pins).difference_amplifier.opamp
        assert " ".join(opamp.pin_list) == OPAMP["pins"]


def test_pins_that_a_file_names_otherwise_are_refused():
    named = TL072.replace("TL072 1 2 3 4 5", "TL072 IN+ IN- OUT VEE VCC")
    assert "calls pin 3 of TL072 v+, and its .subckt line calls it OUT" in refusal(
        **OPAMP, text=named
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kind": "subcircuit"}, "asks for model, the name of the .subckt"),
        ({"kind": "subcircuit", "model": "A"}, "asks for file, the maker's"),
        ({"kind": "library", "model": "A"}, "asks for library, a file of LTspice's own"),
        ({"kind": "library", "model": "A", "file": "x.lib"}, "in place of file"),
        ({"kind": "subcircuit", "model": "A", "preset": "tl072"}, "remove one of them"),
        ({"kind": "subcircuit", "model": "A", "file": "no such.cir"}, "cannot be read"),
        ({"kind": "subcircuit", "model": "A", "file": 3}, "maker's model file"),
        ({"kind": "subcircuit", "model": "A", "file": "a", "text": "b"}, "both give a model"),
        ({**OPAMP, "model": "A B", "text": TL072}, "there is no .subckt 'A B'"),
        ({**OPAMP, "kind": "library", "library": "../x.lib"}, "is not a plain name"),
        ({**OPAMP, "kind": "library", "library": "x..lib"}, "without a path"),
        ({**OPAMP, "kind": "library", "library": "x.lib\n.control"}, "is not a plain name"),
        ({**OPAMP, "kind": "library", "model": "A\n.control", "library": "x"}, "not a plain name"),
        ({**OPAMP, "kind": "macro"}, "'subcircuit' or 'library'"),
    ],
)
def test_what_is_missing_or_wrong_is_said(changes, word):
    assert word in refusal(**changes)


def test_the_schema_takes_a_makers_file_and_its_text():
    validator = jsonschema.Draft202012Validator(schema())
    whole = op_amp().to_dict()
    named = {**OPAMP, "file": "TL072.cir"}
    for opamp in (whole["difference_amplifier"]["opamp"], named):
        amplifier = {**whole["difference_amplifier"], "opamp": opamp}
        assert not list(validator.iter_errors({**whole, "difference_amplifier": amplifier}))


def test_a_design_of_a_result_names_no_file():
    text = dump_toml(op_amp()).replace('kind = "subcircuit"', 'kind = "subcircuit"\nfile = "a.cir"')
    with pytest.raises(
        DesignError, match=r"names a file or a device \(difference_amplifier.file\)"
    ):
        parse_toml(text, files=False)


def test_levels_are_asked_for_and_defaults_that_decide_are_named():
    bare = {k: v for k, v in COMPARATOR.items() if k not in ("v_oh", "v_ol")}
    with pytest.raises(DesignError, match=r"comparator\.v_oh is missing, and so is v_ol"):
        PAPER.replace({"comparator": bare})
    neuron = PAPER.replace({"comparator": COMPARATOR})
    (doubt,) = neuron.doubts
    assert "those of an AD8561 (r_out, gain, t_delay," in doubt
    assert "comparator.r_out" in doubt
    given = {"r_out": 181, "gain": 1.1e4, "t_delay": 8e-9, "i_bias": 2e-6, "v_os": 1e-6}
    given |= {"common_mode_headroom": 2.0, "common_mode_low": -0.1, "supply_max": 12}
    assert PAPER.replace({"comparator": {**COMPARATOR, **given}}).doubts == []
    # a refusal that may rest on a default says so
    with pytest.raises(
        DesignError, match=r"of the op-amp TL072 nobody gave headroom.*an OP482\)\."
    ):
        op_amp().replace({"supplies.v_pos": 1.8})


def test_a_model_keeps_its_values_at_another_temperature():
    warm = PAPER.replace({"mosfet": {"kind": "subcircuit", "model": "N7", "text": MOSFET}}).replace(
        temperature=330
    )
    assert warm.at_temperature.mosfet == warm.mosfet
    assert any("runs at 330 K with the values of 298.5 K" in doubt for doubt in warm.doubts)


def test_two_parts_of_one_file_do_not_meet():
    both = op_amp(TL072).replace({"comparator": COMPARATOR})
    assert both.no_equations == (
        "the op-amp TL072 and the comparator CMP2 are makers' models, which have no differential "
        "equations here"
    )
    with pytest.raises(DesignError, match="A part is called 'opamp__x', as the subcircuits of a"):
        op_amp(TL072).replace({"mosfet.name": "opamp__x"})
    library = {"kind": "library", "model": "AD8561", "library": "ADI.lib", "pins": OPAMP["pins"]}
    twice = {"difference_amplifier.opamp": library, "comparator": {**library, "v_oh": 4, "v_ol": 0}}
    assert PAPER.replace(twice).comparator.model == "AD8561"
    with pytest.raises(DesignError, match="Two parts are called 'ad8561'"):
        PAPER.replace({"difference_amplifier.opamp": library})


def test_whatever_a_file_holds_only_what_is_allowed_comes_out():
    """Cards of good and of hostile files, cut and mixed at random."""
    draw = random.Random(7)
    good = [TL072, CMP2, MOSFET, MEMRISTOR]
    texts = [*good, *(t for t, _ in HOSTILE.values() if len(t) < 3000)]
    signs = [*"{}()=,;", "\n+ ", "\n.subckt ", "\n.ends\n", "\nx1 ", "\n*", " .end\n"]
    letters = "rclvidefghkbwqjmstx+"
    taken = 0
    for _ in range(1500):
        text = draw.choice(good)
        for _ in range(draw.randint(1, 2)):
            at = draw.randrange(len(text) + 1)
            cut = at + draw.choice((0, 0, 5))
            line = draw.choice(draw.choice(texts).splitlines() or [""])
            text = text[:at] + draw.choice((*signs, f"\n{line}\n")) + text[cut:]
        for name in ("TL072", "CMP2", "N7", "M7", "MEM"):
            try:
                kept = model_text(text, name)
            except ModelProblem as problem:
                assert str(problem).isascii()
                assert "\n" not in str(problem)
                continue
            taken += 1
            assert model_text(kept.text, kept.name).text == kept.text
            depth = 0
            for card in kept.embedded("opamp__").lower().splitlines():
                word = card.split()[0]
                assert word in DOT_CARDS if word.startswith(".") else word[0] in letters
                depth += (word == ".subckt") - (word == ".ends")
                assert depth > 0 or word == ".ends"
            assert depth == 0
    assert taken > 100
