"""Device presets: files of memristors, and neurons that take one by name."""

from __future__ import annotations

import math
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from spicealif import (
    Neuron,
    cosimulate,
    device_names,
    dump_toml,
    load_device,
    load_preset,
    load_toml,
    parse_toml,
)
from spicealif.cli.main import cli
from spicealif.design import GMMS, Memristor, schema
from spicealif.design._comments import commented_toml
from spicealif.design.devices import store as device_store
from spicealif.errors import DesignError

FITTED = """
name = "provisional_w"
description = "A W-SDC memristor."
source = "A fit, for this test only."

[device]
kind = "mms"
r_on = "4k"
r_off = 5e4
v_on = 0.33
v_off = 0.1
tau = "30u"

[fit]
loss = 0.0031
nmse_v = 0.0011
nmse_i = 0.0020
series_resistor = 5000.0
temperature = 298.5
level = 0.95
seed = 7
spicealif = "0.1.0"
warnings = ["tau is not identifiable apart from v_on."]
residual_rank = 5

[[fit.loops]]
file = "loop.csv"
amplitude = 0.8
frequency = 1000.0
points = 200
sha256 = "00ff"

[fit.intervals]
r_on = [3900.0, 4100.0]
tau = [2e-5, inf]

[fit.held]
x_0 = 0.0
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give spicealif's device presets: those of a folder of the test's own."""
    folder = tmp_path / "models" / "devices"
    folder.mkdir(parents=True)
    (folder / "provisional_w.toml").write_text(FITTED, encoding="utf-8")
    gmms = GMMS(**GMMS.example).to_dict()
    lines = "\n".join(f"{key} = {value!r}" for key, value in gmms.items())
    (folder / "other.toml").write_text(f'name = "other"\n[device]\n{lines}\n', encoding="utf-8")
    monkeypatch.setattr(device_store, "models_dir", lambda: tmp_path / "models")
    device_store._shipped.cache_clear()
    yield folder
    device_store._shipped.cache_clear()


DEVICE = Memristor(r_on=4e3, r_off=5e4, v_on=0.33, v_off=0.1, tau=3e-5)


def test_presets_that_come_with_the_package_load_and_say_where_they_come_from():
    for name in device_names():
        preset = load_device(name)
        assert preset.name == name
        assert preset.source
        assert load_preset("paper").replace({"leak.preset": name}).leak == preset.device


def test_a_preset_keeps_what_the_fit_said(shelf):
    assert device_names() == ["other", "provisional_w"]
    preset = load_device("provisional_w")
    assert preset.device == DEVICE
    assert load_device(shelf / "provisional_w.toml") == preset
    assert load_device(str(shelf / "provisional_w.toml")) == preset
    fit = preset.fit
    assert (fit.loss, fit.nmse_v, fit.nmse_i, fit.seed) == (0.0031, 0.0011, 0.0020, 7)
    assert fit.intervals["r_on"] == (3900, 4100)
    assert fit.intervals["tau"] == (2e-5, math.inf)
    assert fit.held == {"x_0": 0.0}
    assert fit.loops[0].frequency == 1000
    # What a later version writes is kept, not refused and not lost.
    assert preset.to_dict()["fit"]["residual_rank"] == 5
    with pytest.raises(DesignError, match="cannot be changed in place"):
        preset.name = "x"


def test_a_preset_needs_no_fit_and_no_name(tmp_path):
    path = tmp_path / "my own.toml"
    path.write_text('[device]\nkind = "memristor"\nr_on=1\nr_off=2\nv_on=0\nv_off=0\ntau=1')
    preset = load_device(path)
    assert (preset.name, preset.fit, preset.device.kind) == ("my_own", None, "mms")


@pytest.mark.parametrize(
    ("changes", "device"),
    [
        ({"leak.preset": "provisional_w"}, DEVICE),
        ({"leak.preset": "provisional_w", "leak.x_0": 0.5}, DEVICE.replace(x_0=0.5)),
        ({"leak.x_0": "0.5", "leak.preset": "provisional_w"}, DEVICE.replace(x_0=0.5)),
        ({"leak.preset": "provisional_w", "leak.kind": "memristor"}, DEVICE),
        ({"leak": {"preset": "provisional_w", "tau": "1m"}}, DEVICE.replace(tau=1e-3)),
        ({"leak.preset": "other"}, GMMS(**GMMS.example)),
        ({"leak.preset": None}, load_preset("paper").leak),
    ],
)
def test_replacing_the_device(shelf, changes, device):
    # The old leak's x_0 is not the new device's: a preset replaces the whole of it.
    neuron = load_preset("paper").replace({"leak.x_0": 0.9}).replace(changes)
    assert neuron.leak == (device.replace(x_0=0.9) if None in changes.values() else device)


def test_from_a_resistor_to_a_device_and_back(shelf):
    neuron = load_preset("lif").replace({"leak.preset": "provisional_w"})
    assert neuron.leak == DEVICE
    assert neuron.replace({"leak.kind": "resistor", "leak.r": 1e3}).leak.r == 1e3


def test_a_resolved_neuron_holds_plain_values(shelf):
    named = load_preset("paper").replace({"leak.preset": "provisional_w"})
    plain = load_preset("paper").replace(leak=DEVICE)
    assert named == plain
    assert named.to_dict() == plain.to_dict()
    assert named.digest == plain.digest
    assert parse_toml(dump_toml(named)) == plain
    assert "preset" not in dump_toml(named)


def test_a_neurons_file_names_a_device(shelf, tmp_path):
    path = tmp_path / "neuron.toml"
    path.write_text('preset = "paper"\n[leak]\npreset = "provisional_w"\nx_0 = 0.25\n')
    assert load_toml(path).leak == DEVICE.replace(x_0=0.25)


def test_a_neurons_file_names_a_device_file_beside_it(tmp_path, monkeypatch):
    folder = tmp_path / "designs"
    folder.mkdir()
    (folder / "fit.toml").write_text(FITTED)
    monkeypatch.chdir(tmp_path)
    for head in ('preset = "paper"\n', dump_toml(load_preset("paper")).split("[leak]")[0]):
        stimulus = '[stimulus]\nkind = "constant"\namplitude = "1m"\n'
        (folder / "neuron.toml").write_text(f'{head}[leak]\nfile = "fit.toml"\n{stimulus}')
        assert load_toml(folder / "neuron.toml").leak == DEVICE
    changed = load_preset("paper").replace({"leak.file": str(folder / "fit.toml")})
    assert changed.leak == DEVICE
    relative = load_preset("paper").replace({"leak.file": "designs/fit.toml"})
    assert relative.leak == DEVICE


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"leak.preset": "provisional_v"}, "did you mean 'provisional_w'"),
        ({"leak.preset": "nothing"}, r"device preset \(other, provisional_w\)"),
        ({"leak.preset": 3}, "named by a text"),
        ({"leak.file": "absent.toml"}, "cannot be read"),
        ({"leak.file": 3}, "not a path"),
        ({"leak.preset": "other", "leak.file": "x.toml"}, "remove one of them"),
        ({"leak.preset": "other", "leak.kind": "mms"}, "is of kind 'gmms'"),
        ({"leak.preset": "other", "leak.r": 1}, "Unknown key 'r'"),
        ({"leak.preset": "provisional_w", "leak.tau": -1}, "must be greater than 0"),
        ({"leak.preset": "a\nb"}, "'a\\\\nb' is neither"),
        ({"leak.preset": "x" * 5000}, "is neither"),
    ],
)
def test_bad_choices_get_one_sentence(shelf, changes, says):
    with pytest.raises(DesignError, match=says) as caught:
        load_preset("paper").replace(changes)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 500


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 'x'", "has no table"),
        ('preset = "paper"', "is a neuron's file"),
        ("[device", "not valid TOML"),
        ("[device]\nkind = 'resistor'\nr = 1", "not a kind of device"),
        ("[device]\nr_on = 1", "has no 'kind'"),
        ("[device]\nkind = 'mms'\nr_on = 1", "is missing"),
        ("device = 3", "device"),
        (FITTED.replace("loss = 0.0031", "loss = -1"), "fit.loss"),
        (FITTED.replace("level = 0.95", "level = 95"), "fit.level"),
        (FITTED.replace("[3900.0, 4100.0]", "[1.0]"), "fit.intervals.r_on"),
        (FITTED.replace('source = "A', 'sauce = "A'), "did you mean 'source'"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, text, says):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(DesignError, match=says) as caught:
        load_device(path)
    assert "bad.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_text(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DesignError, match="not UTF-8"):
        load_device(path)
    for name in ("nothing.toml", tmp_path, "a\0b", "a\0b.toml", 3):
        with pytest.raises(DesignError):
            load_device(name)


# --- command line -------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert out.exit_code == 0
    return out.output


def test_presets_lists_neurons_and_devices_apart(shelf):
    neurons, devices = run("presets").split("Devices")
    assert "\npaper\n" in neurons
    assert "provisional_w" not in neurons
    assert "\nprovisional_w\n" in devices
    assert "loss 0.0031" in devices
    assert "Source: A fit, for this test only." in devices


def test_presets_prints_a_device_with_units_that_reads_back(shelf, tmp_path):
    text = run("presets", "provisional_w")
    assert "r_on = 4000.0  # resistance at x = 1 in ohm" in text
    assert "r_on = [3900.0, 4100.0]  # resistance at x = 1 in ohm" in text
    assert "loss = 0.0031  # NMSE(v) + NMSE(i)" in text
    assert "frequency = 1000.0" in text
    path = tmp_path / "copy.toml"
    path.write_text(text)
    assert load_device(path) == load_device("provisional_w")


def test_presets_names_both_kinds_when_there_is_none_such(shelf):
    with pytest.raises(DesignError, match=r"paper-volatile \(neurons\), of other, provisional_w"):
        run("presets", "nothing")


@pytest.mark.parametrize("name", ["paper", "paper-volatile", "lif", "knowm-generic"])
def test_printed_neurons_state_their_units_and_read_back(name):
    neuron = load_preset(name)
    text = commented_toml(neuron)
    assert parse_toml(text) == neuron
    assert "c = 1e-07  # membrane capacitance in F" in text
    assert "c_in = 3e-12  # capacitance of each input in F" in text


def test_comments_leave_texts_alone():
    tricky = load_preset("paper").replace(
        description='c = 1 # x\n[leak]\nc = 2\n[[fit]] = [\n    1,\n]"', name="c"
    )
    assert parse_toml(commented_toml(tricky)) == tricky


def test_set_on_the_command_line(shelf, tmp_path):
    out = tmp_path / "n.cir"
    run(
        "netlist", "paper", "-s", "leak.preset=provisional_w", "-s", "leak.x_0=0.25", "-o", str(out)
    )
    copy = tmp_path / "fit.toml"
    copy.write_text(FITTED)
    named = out.read_text().splitlines()[1:]
    run("netlist", "paper", "-s", f"leak.file={copy}", "-s", "leak.x_0=0.25", "-o", str(out))
    assert out.read_text().splitlines()[1:] == named
    assert any("4000.0" in line for line in named)


# --- JSON Schema --------------------------------------------------------------------------------


def test_the_schema_knows_devices(shelf):
    validator = jsonschema.Draft202012Validator(schema())
    data = load_preset("paper").to_dict()
    for leak, valid in [
        (data["leak"], True),
        ({"preset": "provisional_w"}, True),
        ({"preset": "provisional_w", "x_0": 0.5}, True),
        ({"preset": "nothing"}, False),
        ({"preset": 3}, False),
        ({"file": "fit.toml"}, True),
        ({"file": 3}, False),
        ({"x_0": 0.5}, False),
    ]:
        assert validator.is_valid({**data, "leak": leak}) == valid, leak


def test_what_the_schema_takes_the_design_takes(shelf):
    data = load_preset("paper").to_dict()
    neuron = Neuron.from_dict({**data, "leak": {"preset": "provisional_w", "x_0": 0.5}})
    assert neuron.leak == DEVICE.replace(x_0=0.5)


# --- published parameters -------------------------------------------------------------------------

PUBLISHED = {"gmms_knowm": "gmms", "vteam_memtorch": "vteam", "yakopcic_oblea": "yakopcic"}


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_device_makes_a_neuron_that_fires(name):
    preset = load_device(name)
    assert preset.device.kind == PUBLISHED[name]
    assert "Scaled here" in preset.source
    neuron = load_preset("paper").replace({"leak.preset": name, "t_stop": "0.5m"})
    both = cosimulate(neuron)
    fired = len(both.reference.t_spike), len(both.run.require().t_spike)
    assert min(fired) >= 3
    assert abs(fired[0] - fired[1]) <= 2
    assert both.reference["x"][-1] > both.reference["x"][0]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_kind_alone_names_what_is_missing_and_offers_a_device(name):
    with pytest.raises(DesignError) as caught:
        load_preset("paper").replace({"leak.kind": PUBLISHED[name]})
    told = str(caught.value)
    fields = load_device(name).device.to_dict()
    needed = [
        f for f, info in type(load_device(name).device).model_fields.items() if info.is_required()
    ]
    assert all(f in told for f in needed) and set(needed) <= set(fields)
    assert f"leak.preset={name}" in told
    # The offer is taken as it is written.
    load_preset("paper").replace({"leak.preset": name})
