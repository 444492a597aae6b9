"""What a fit says before it computes: names, places and options that cannot be."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from spicealif.cli.main import cli
from spicealif.design import load_device
from spicealif.errors import SpicealifError
from spicealif.fit import Loop, fit_device, fitting, read_loop

FAST = {"r_on": 1000.0, "v_on": 0.3, "v_off": 0.2, "tau": 1e-4}
T = np.arange(100) / 100e3
V_IN = 0.8 * np.sin(2e3 * np.pi * T)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.column_stack([T, 0.5 * V_IN, V_IN])
    head = "time_s,v_mem_V,v_in_V"
    np.savetxt("loop.csv", rows, delimiter=",", header=head, comments="")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "pictures" / "loops.png").mkdir(parents=True)

    def no_fit(*_, **__):
        pytest.fail("a fit was begun")

    monkeypatch.setattr(fitting, "minimise", no_fit)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("-o device.csv", "whose ending says something else; use .toml"),
        ("-o device", "needs a name with an ending; use .toml"),
        ("--result fit.toml", "whose ending says something else; use .json"),
        ("-o folder.toml", "is a folder"),
        ("--result .", "is a folder"),
        (f"-o {'a' * 256}.toml", "File name too long"),
        ("--figures pictures", "cannot be written (it is a folder)"),
        ("--temperature 25", "write '25 K' or '25 degC'"),
        ("--temperature -3", "write '-3 degC' if that is meant"),
        ("--model memristor", "no memristor model"),
        ("--hold zeta=1", "no parameter 'zeta'"),
        ("--bound tau=-1:1", "the bound -1 of tau"),
        ("--bound v_on=-500:1", "the bound -500 of v_on"),
        ("--hold tau=-1", "tau = -1"),
        ("--hold r_on=2k --hold r_off=1k", "r_on = 2000 ohm is above r_off = 1000 ohm"),
        ("--bound r_on=2k:3k --hold r_off=1k", "r_on is 2000 ohm at least and r_off 1000 ohm"),
        ("--hold tau=1u --bound tau=1u:2u", "held and has bounds"),
        ("--hold tau=1u --per-file tau", "cannot have their own"),
        ("--hold x_0=0.5", "no loop is a single shot"),
        ("--hold x_0=2 --single-shot", "x_0 = 2"),
        ("--frequency 2k", "repeats itself at 1000 Hz, not at 2000 Hz"),
        ("--frequency 1e300", "cannot be seen in samples at 1e"),
        ("--column v_mem=3 --column v_in=2", "channels are exchanged"),
        ("loop.csv", "hold the same samples"),
        ("--seed -1", "seed"),
        ("--level 95", "between 0 and 1"),
    ],
)
def test_bad_options_are_said_before_the_fit(home, options, words):
    before = sorted(home.rglob("*"))
    arguments = ["fit", "loop.csv", "--series-resistor", "5k", *options.split()]
    out = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert isinstance(out.exception, SpicealifError), out.output
    assert words in str(out.exception)
    assert out.output == ""
    assert sorted(home.rglob("*")) == before


def test_what_needs_no_file_is_said_before_one_is_read(home):
    out = CliRunner().invoke(cli, ["fit", "nonesuch.csv", "--hold", "zeta=1"])
    assert "zeta" in str(out.exception)
    out = CliRunner().invoke(cli, ["fit", "nonesuch.csv", "-o", "a.png"])
    assert "whose ending says something else; use .toml" in str(out.exception)


def test_a_file_that_is_read_is_not_written_over(home):
    (home / "loop.csv").rename(home / "loop.toml")
    (home / "link.toml").symlink_to("loop.toml")
    for name in ("loop.toml", "link.toml", "./loop.toml"):
        out = CliRunner().invoke(cli, ["fit", "loop.toml", "--series-resistor", "5k", "-o", name])
        assert "is read by this command" in str(out.exception)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
@pytest.mark.parametrize("name", [b"loop_\xb5A.csv", b"loop\n\x07.csv", b"3 \xff'\"\\.csv"])
def test_a_file_name_of_any_bytes_makes_a_preset(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    rows = np.column_stack([T, 0.5 * V_IN, V_IN])
    with path.open("wb") as file:
        np.savetxt(file, rows, delimiter=",", header="time_s,v_mem_V,v_in_V", comments="")
    loop = read_loop(path, series_resistor="1k")
    assert loop.label.isprintable()
    str(loop.notes).encode()
    # r_off alone is searched, so that it is quick
    result = fit_device(loop, held={**FAST, "v_on": 5.0, "v_off": 5.0})
    preset = load_device(result.save_preset(tmp_path / "device.toml"))
    assert preset.fit.loops[0].file == loop.file
    str(result).encode()


def test_counts_must_be_one_for_each_sample():
    with pytest.raises(SpicealifError, match="counts must be 100 positive numbers"):
        Loop(T, 0.5 * V_IN, V_IN / 1e4, V_IN, 5000.0, counts=np.zeros(100))
