"""The blocks of docs/networks.md do what the page says, one after the other."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest
from command_line import call
from doc_blocks import blocks, commands_of

from spicealif.network import load_network

PAGE = "docs/networks.md"


def written(folder: Path, t_stop: str = '"0.4m"') -> None:
    """Write the file of the page, with a shorter run."""
    (block,) = (b for b in blocks(PAGE) if b.language == "toml")
    assert tomllib.loads(block.text)["name"] == "three"
    text = block.text.replace('t_stop = "2m"', f"t_stop = {t_stop}")
    assert text != block.text
    (folder / "three.toml").write_text(text, encoding="utf-8")


def test_the_file_is_a_network(tmp_path):
    written(tmp_path)
    network = load_network(tmp_path / "three.toml")
    assert (network.n_neurons, network.n_synapses) == (3, 3)


@pytest.mark.slow
def test_the_commands(tmp_path):
    written(tmp_path)
    found = [words for b in blocks(PAGE) if b.language == "sh" for words in commands_of(b)]
    assert len(found) == 8
    said = {}
    for words in found:
        done = call(*words[1:], cwd=tmp_path)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
        said[" ".join(words[1:4])] = done.stdout
    shown = said["network verify results"].splitlines()
    head = next(b.text for b in blocks(PAGE) if b.language == "text").splitlines()[0]
    assert shown[0].split() == head.split()
    assert [line.split()[0] for line in shown[2:5]] == ["n_0", "n_1", "n_2"]
    names = {p.name for p in tmp_path.iterdir()}
    assert names >= {"results", "three.cir", "n_1.cir", "weaker", "swept"}
    with (tmp_path / "swept" / "sweep.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    assert len(rows) == 4  # a heading and three resistances


@pytest.mark.slow
def test_the_python(tmp_path, monkeypatch, capsys):
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    (block,) = (b for b in blocks(PAGE) if b.language == "python")
    space: dict[str, object] = {}
    exec(block.text, space)
    assert space["witness"].worst < 20e-9
    assert "n_1" in capsys.readouterr().out
