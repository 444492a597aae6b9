"""Each example runs, and says what its text promises."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested(repository):
    assert {p.stem for p in (repository / "examples").glob("*.py")} == {
        "paper",
        "plain_lif",
        "my_neuron",
    }


def test_paper(repository, tmp_path, capsys):
    load(repository / "examples" / "paper.py").main(tmp_path / "out", t_stop=2e-3)
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names >= {
        "circuit.nc",
        "reference.nc",
        "neuron.cir",
        "fig5.png",
        "fig6.png",
        "overlay.png",
    }
    assert "x at the end" in capsys.readouterr().out


def test_plain_lif(repository):
    intervals = load(repository / "examples" / "plain_lif.py").main(t_stop=2e-3)
    assert intervals["reference (ideal)"] == pytest.approx(intervals["closed form"], rel=1e-9)
    # The discharge and the delays add to the closed form; the comparator adds little more.
    assert intervals["closed form from v_low"] < intervals["reference (schmitt)"]
    assert intervals["circuit, ideal parts"] == pytest.approx(
        intervals["reference (schmitt)"], abs=100e-9
    )


def test_my_neuron(repository):
    comparison = load(repository / "examples" / "my_neuron.py").main(t_stop=5e-3)
    assert comparison.neuron.name == "my_neuron"
    assert comparison.of_a["spike_count"] > 5
