"""Numbers as people write them: the grammar, its page, SPICE beside it, and every door to it."""

# ruff: noqa: E501 (tables of one row a line)
from __future__ import annotations

import importlib.util
import math
import re
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spicealif import load_preset, parse_toml
from spicealif.cli._values import read_values
from spicealif.cli.main import cli
from spicealif.design import SeriesCircuit, load_toml
from spicealif.errors import DesignError, SpicealifError, SweepError
from spicealif.quantities.grammar import format_quantity, parse_any, parse_count, parse_quantity
from spicealif.quantities.units import PREFIXES, UNITS
from spicealif.sweep import Range, Sweep

REPOSITORY = Path(__file__).resolve().parent.parent.parent
CASES = REPOSITORY.parent / "shared" / "cases"
PAPER = load_preset("paper")


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


TABLE = _script("quantity_table")
ROWS = TABLE.rows()


# --- values, against arithmetic that is not the grammar's -----------------------------------------

#: Powers of ten of the SI brochure (and of SPICE's "meg").
POWER = {
    "f": -15, "p": -12, "n": -9, "u": -6, "\u00b5": -6, "\u03bc": -6, "m": -3, "": 0,
    "k": 3, "K": 3, "M": 6, "meg": 6, "Meg": 6, "MEG": 6, "G": 9, "T": 12,
}  # fmt: skip


@given(
    digits=st.from_regex(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?", fullmatch=True),
    prefix=st.sampled_from(sorted(POWER)),
    blank=st.sampled_from(["", " ", "\u00a0", "\u2009"]),
    unit=st.sampled_from(["", "ohm", "\u03a9", "\u2126"]),
)
def test_a_number_with_a_prefix_is_rounded_once(
    digits: str, prefix: str, blank: str, unit: str
) -> None:
    exact = Fraction(Decimal(digits)) * Fraction(10) ** POWER[prefix]
    assert parse_quantity(f"{digits}{blank}{prefix}{unit}", "ohm") == float(exact)


@given(whole=st.integers(0, 999), part=st.from_regex("[0-9]{1,3}", fullmatch=True))
def test_rkm_notation(whole: int, part: str) -> None:
    for unit, letters in (("ohm", {"R": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12}),
                          ("F", {"p": -12, "n": -9, "u": -6, "\u00b5": -6, "m": -3, "F": 0})):  # fmt: skip
        for letter, power in letters.items():
            exact = Fraction(Decimal(f"{whole}.{part}")) * Fraction(10) ** power
            assert parse_quantity(f"{whole}{letter}{part}", unit) == float(exact)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        # IEC 60062, table of resistance and capacitance codes
        ("R10", "ohm", 0.1), ("1R0", "ohm", 1.0), ("59R04", "ohm", 59.04), ("100R", "ohm", 100.0),
        ("1K0", "ohm", 1e3), ("332K", "ohm", 332e3), ("3M32", "ohm", 3.32e6), ("10G", "ohm", 10e9),
        ("p10", "F", 1e-13), ("3p32", "F", 3.32e-12), ("100n", "F", 1e-7), ("1u0", "F", 1e-6),
        # units as data sheets have them
        ("9 V/us", "V/s", 9e6), ("9 MV/s", "V/s", 9e6), ("5/ms", "1/s", 5e3), ("100k 1/s", "1/s", 1e5),
        ("170 mA/V^2", "A/V^2", 0.17), ("4 1/V", "1/V", 4.0), ("1 pC", "C", 1e-12),
        ("10uFarad", "F", 1e-5), ("5 sec", "s", 5.0), ("2 kHz", "Hz", 2e3),
        # temperatures
        ("27 degC", "K", 300.15), ("-40\u00b0C", "K", 233.15), ("300", "K", 300.0), ("77K", "K", 77.0),
        ("4.2 K", "K", 4.2), ("0 \u00b0C", "K", 273.15),
        ("\u22125 mV", "V", -5e-3), (" 5 ", "V", 5.0), (np.float32(0.5), "V", 0.5), (np.int64(3), "s", 3.0),
    ],
)  # fmt: skip
def test_values(text: Any, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == value


@pytest.mark.parametrize("row", [r for r in ROWS if r.value is None], ids=lambda r: ascii(r.text))
def test_a_refusal_is_a_sentence_whose_remedy_is_read(row: Any) -> None:
    assert row.refusal.startswith("is ")
    head, _, remedy = row.refusal.rpartition("; ")
    assert head and not row.refusal.endswith(".")
    assert row.refusal.isprintable() and row.refusal.isascii()
    assert re.match(r"(write|give)\b", remedy)
    for text in re.findall(r"'([^']+)'", remedy.partition("such as")[0]):
        if text not in ("-",) and text not in UNITS:  # names of a sign and of units
            assert math.isfinite(parse_quantity(text, row.unit)), text


def test_a_remedy_keeps_the_scale() -> None:
    for text, unit, remedies in (
        ("5c", "ohm", [0.05]), ("1P", "F", [1e-12, 1e15]), ("5k", "", [5000.0]), ("5%", "", [0.05]),
        ("300mK", "K", [0.3]), ("0,22u", "F", [0.22e-6]), ("1n5", "s", [1.5e-9]), ("3V3", "V", [3.3]),
        ("4,700", "ohm", [4.7, 4700.0]), ("5M", "s", [5e-3, 5e6]), ("1,5k", "ohm", [1500.0]),
        ("1h", "s", [100.0]), ("K47", "ohm", [470.0]), ("10uf", "F", [1e-5]),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="write") as caught:
            parse_quantity(text, unit)
        said = re.findall(r"'([^']+)'", str(caught.value).rpartition("; ")[2])
        assert [parse_quantity(remedy, unit) for remedy in said] == pytest.approx(remedies), said


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan"), True, None, [1], 1j])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^is .*; give"):
        parse_quantity(value, "V")


def test_no_spelling_of_a_unit_could_mean_two_things() -> None:
    for unit in UNITS.values():
        assert unit.suffixes  # built, or it says which could
    assert set(PREFIXES) == set(POWER) - {""}
    assert {PREFIXES[p] for p in PREFIXES} == {POWER[p] for p in POWER} - {0}


@given(
    value=st.floats(1e-12, 1e12), unit=st.sampled_from(["V", "ohm", "1/s", "V/s", "Hz", "K", ""])
)
def test_what_is_printed_is_read(value: float, unit: str) -> None:
    text = format_quantity(value, unit)
    assert not re.search(r"[a-zA-Z]1/", text)
    if unit == "K" or re.search(r"M[VK]$", text):
        return  # asked about, on purpose
    assert parse_quantity(text, unit) == pytest.approx(value, rel=6e-4)


def test_printed_quantities() -> None:
    assert format_quantity(1e5, "1/s") == "100000 1/s"
    assert format_quantity(4680, "Hz") == "4.68 kHz"
    assert format_quantity(999.96, "s") == "1 ks"
    assert format_quantity(-4.9284e-6, "s") == "-4.928 us"
    assert format_quantity(298.5, "K") == "298.5 K"
    assert format_quantity(0, "V") == "0 V"


def test_whole_numbers() -> None:
    assert parse_count("1e6") == 10**6
    assert parse_count("123456789012345678901") == 123456789012345678901
    for bad in ("2.5", "1_000", "\uff11", "ten", "1k", "", "nan", True):
        with pytest.raises(ValueError, match=r"^is "):
            parse_count(bad)


def test_a_first_look_reads_what_some_unit_reads() -> None:
    assert parse_any("100n") == 1e-7
    assert parse_any("27 degC") == 300.15
    with pytest.raises(ValueError, match="in percent; write '1'"):
        parse_any("100%")
    with pytest.raises(ValueError, match="comma"):
        parse_any("0,5")


# --- the page, and SPICE beside it ----------------------------------------------------------------


def test_the_page_is_up_to_date() -> None:
    assert TABLE.PAGE.read_text(encoding="utf-8") == TABLE.page(), (
        "write it anew: .venv/bin/python scripts/quantity_table.py"
    )
    assert len(ROWS) >= 120


def test_ngspice_reads_what_the_page_says_it_does() -> None:
    texts = [r.text for r in ROWS if re.fullmatch(r"[-+.0-9][-+.0-9A-Za-z]*", r.text)]
    texts = [text for text in dict.fromkeys(texts) if TABLE.spice_value(text)]
    assert len(texts) > 120
    said = [TABLE.spice_value(text) for text in texts]
    assert TABLE.ngspice_values(texts) == pytest.approx(said, rel=1e-12)


def test_where_spice_reads_something_else_it_is_known_why() -> None:
    """M, RKM notation, a blank before the prefix, and F for farad: nothing else differs."""
    for row in ROWS:
        spice = TABLE.spice_value(row.text)
        if row.value is None or spice is None or spice == pytest.approx(row.value, rel=1e-12):
            continue
        assert re.search(
            r"\d[M\u00b5\u03bc]|\d[RkKMGTpnumF]\d|\d [kmM]|\d ?(F|farad|Farad|K)|degC|\u00b0C|\u2103|"
            r"/(ms|us|\u00b5s|\u03bcs|ns|mV|\u00b5V|\u03bcV|uV)", row.text
        ), row  # fmt: skip


# --- every door -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('c = "0,22u"', "0.22u"),
        ('leak.x_0 = "5k"', "5000"),
        ("temperature = 27", "27 degC"),
        ("temperature = 600.0", "600 degC"),
        ('temperature = "85 C"', "degC"),
        ('t_stop = "5M"', "5meg"),
        ('numerics.chgtol = "1 V"', "instead of 'C'"),
        ('stimulus.n_pulses = "1_000"', "digits"),
        ('stimulus = {kind = "pwl", t = [0, "1,5m"], i = [0, 1e-3]}', "1.5m"),
    ],
)
def test_toml(text: str, says: str) -> None:
    with pytest.raises(DesignError, match=re.escape(says)):
        parse_toml(f'preset = "paper"\n{text}\n')


def test_a_temperature_is_kept_through_files_and_changes() -> None:
    cold = PAPER.replace(temperature="77 K")
    assert cold.temperature == 77.0
    assert cold.replace(c="220n").temperature == 77.0
    assert parse_toml(_dumped(cold)) == cold
    assert PAPER.replace(temperature="27 degC").to_dict()["temperature"] == 300.15
    assert Sweep(PAPER, {"temperature": ["77 K", 300]}, sides="reference").points.changes(0) == {
        "temperature": "77.0 K"
    }
    with pytest.raises(SweepError, match="77 degC"):
        Sweep(PAPER, {"temperature": [77, 300]}, sides="reference")


def _dumped(neuron: Any) -> str:
    from spicealif.design import dump_toml

    return dump_toml(neuron)


def test_a_series_circuit_reads_volts() -> None:
    drive = {"kind": "sine", "amplitude": "800m", "frequency": "1k"}
    device = {"preset": "w_sdc_5k_1khz_m2"}
    made = SeriesCircuit.from_dict({"device": device, "r_s": "4k7", "t_stop": "1m", "drive": drive})
    assert (made.r_s, made.drive.amplitude) == (4700.0, 0.8)  # type: ignore[attr-defined]
    with pytest.raises(DesignError, match=r"drive.amplitude .* instead of 'V'"):
        made.replace(drive={**drive, "amplitude": "1 mA"})


def test_over() -> None:
    assert read_values("c=47n,1u5", drawn=False) == ("c", ["47n", "1u5"])
    assert read_values("r_s=0,500", drawn=False) == ("r_s", ["0", "500"])
    for text in ("c=0,22u", "c=1,5n", "r_s=1,5k,2k"):
        with pytest.raises(SweepError, match="could mean"):
            read_values(text, drawn=False)
    with pytest.raises(SweepError, match=r"0\.1u"):
        read_values("c=0,1u:2u:5", drawn=False)
    with pytest.raises(SweepError, match="asks for 99999999999"):
        read_values("c=1n:2n:99999999999", drawn=False)
    name, values = read_values("temperature=-40 degC:85 degC:2", drawn=False, unit="K")
    assert (name, values) == ("temperature", ["233.15 K", "358.15 K"])
    drawn = Sweep(PAPER, {"temperature": Range("77 K", "400 K")}, "random", 3, sides="reference")
    assert all(77 <= t <= 400 for t in drawn.points.values["temperature"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["netlist", "paper", "-s", "c=0,22u"], "0.22u"),
        (["netlist", "paper", "-s", "c=1n", "-s", "c=2n"], "twice"),
        (["sweep", "paper", "--over", "c=1n,2n", "--over", "c=3n,4n"], "twice"),
        (["sweep", "paper", "--experiment", "prototypes", "-n", "99999999999"], "at most"),
        (["sweep", "paper", "--over", "c=1n:2n:99999999999"], "99999999999"),
        (["sweep", "paper", "--over", "c=1n:2n:100000", "--over", "v_th=0.2:0.3:100000"], "more than"),
        (["sweep", "paper", "--over", "c=1n:2n", "--sampling", "sobol", "-n", "99999999999"], "at most"),
        (["fit", "nothing.csv", "--temperature", "25"], "25 degC"),
        (["fit", "nothing.csv", "--hold", "tau=1,5m"], "1.5m"),
        (["propose", "w_sdc_5k_1khz_m2", "--rate", "2k5", "--adaptation", "2"], "2.5k"),
        (["verify", "paper", "--tolerance", "0,02u"], "0.02u"),
        (["run", "paper", "--timeout", "1_000"], "digits"),
        (["reference", "paper", "--switches", "\uff11"], "another script"),
    ],
)  # fmt: skip
def test_the_command_line(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((SpicealifError, click.UsageError)) as caught:
        cli.main(arguments, standalone_mode=False)
    told = caught.value
    assert says in (told.format_message() if isinstance(told, click.UsageError) else str(told))
    assert not list(tmp_path.iterdir())


# --- text files -----------------------------------------------------------------------------------


def test_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    path = tmp_path / "neuron.toml"
    path.write_bytes(mark + b'preset = "paper"\r\nc = "220n"\r\n')
    assert load_toml(path).c == 220e-9
    device = (REPOSITORY / "models/devices/gmms_knowm.toml").read_bytes()
    (tmp_path / "device.toml").write_bytes(mark + device)
    assert PAPER.replace({"leak.file": str(tmp_path / "device.toml")}).leak.kind == "gmms"  # type: ignore[union-attr]
    assert parse_toml('\ufeffpreset = "paper"\n') == PAPER
    if CASES.is_dir():
        assert load_toml(CASES / "13_bom_toml" / "bom.toml").c == 2.2e-7
    for encoding in ("utf-16", "utf-16-le", "utf-32", "latin-1"):
        path.write_bytes('preset = "paper" # \u00b5'.encode(encoding))
        with pytest.raises(DesignError, match="save it as UTF-8"):
            load_toml(path)


# --- fuzzing, briefly -----------------------------------------------------------------------------


@settings(max_examples=300)
@given(text=st.text(max_size=12), unit=st.sampled_from(sorted(UNITS)))
def test_any_text_is_a_number_or_refused(text: str, unit: str) -> None:
    _script_checks().quantity(text, unit)


def test_a_short_fuzzing() -> None:
    assert _script_checks().run("quantity", 5_000, seed=5) == (5_000, {})
    assert _script_checks().run("toml", 100, seed=5) == (100, {})


_CHECKS: list[ModuleType] = []


def _script_checks() -> ModuleType:
    if not _CHECKS:
        _CHECKS.append(_script("fuzz_descriptions"))
    return _CHECKS[0]
