"""The code of docs/networks_description.md does what the page says."""

from __future__ import annotations

import doctest
import re
import tomllib
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import spicealif
from spicealif import network as networks
from spicealif.network import expand, load_network, network_schema

PAGE = Path(__file__).parents[2] / "docs" / "networks_description.md"


@pytest.fixture
def blocks() -> dict[str, list[str]]:
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)
    return {language: [b for name, b in found if name == language] for language, _ in found}


def test_the_page(blocks, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks["toml"]
    Path("two_layers.toml").write_text(text, encoding="utf-8")
    jsonschema.Draft202012Validator(network_schema()).validate(tomllib.loads(text))
    names: dict[str, object] = {}
    for code in blocks["python"]:
        exec(code, names)
    said = capsys.readouterr().out
    assert "<Network 'two_layers', 10 neurons" in repr(names["network"])
    assert "exc_3" in said
    assert "The adaptation of n" in said
    stronger = load_network("stronger.toml")
    assert stronger == names["stronger"]
    one, other = (expand(names[n]).synapses[1].values["g_m"] for n in ("network", "stronger"))
    assert np.all(other > one)
    # zeros of the matrix are no synapses: each inhibitory neuron has four
    assert np.bincount(expand(stronger).synapses[2].pre)[8:10].tolist() == [4, 4]


@pytest.mark.parametrize(
    "name", [n for n in networks.__all__ if ">>>" in (getattr(networks, n).__doc__ or "")]
)
def test_an_example_of_a_docstring_shows_what_it_says(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    known = {n: getattr(networks, n) for n in networks.__all__}
    known["load_preset"] = spicealif.load_preset
    value = getattr(networks, name)
    test = doctest.DocTestParser().get_doctest(value.__doc__, known, name, None, 0)
    failed, tried = doctest.DocTestRunner().run(test)
    assert (failed, tried) == (0, len(test.examples)), capsys.readouterr().out
