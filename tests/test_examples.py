"""Each example runs, and says what its text promises."""

from __future__ import annotations

import importlib.util
import re
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_why_the_circuit_adapts_less(repository, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SPICEALIF_CACHE", str(tmp_path / "cache"))
    folder = repository / "examples" / "why_the_circuit_adapts_less"
    arguments = ["--output", str(tmp_path), "--set", "t_stop=1.5m", "--orders", "2"]
    load(folder / "why.py").main(arguments)
    assert "loading by the difference amplifier" in capsys.readouterr().out
    assert {p.name for p in tmp_path.iterdir()} >= {"budget.json", "budget.txt", "budget.png"}


def test_the_text_on_adaptation_states_what_the_run_showed(repository):
    folder = repository / "examples" / "why_the_circuit_adapts_less"
    table = (folder / "budget.txt").read_text(encoding="utf-8")
    text = (folder / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 10
    for cause, share in rows:
        (line,) = (one for one in table.splitlines() if share.strip() in one.split("   ")[-1])
        assert line.strip().startswith(cause.strip())
        # of the growth: the last column of the first table
        assert line.split("  ")[-1].split(" (")[0].strip() == share.strip()


UNITS = {"us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15, "%": 1.0}
QUANTITY = re.compile(r"([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?) ?(us|ns|ps|fs|%)(?![a-z])")


def test_every_figure_of_the_text_on_adaptation_is_one_of_the_run_s(repository):
    """Each interval, share and percentage is a figure of the output, rounded as the text has it."""
    folder = repository / "examples" / "why_the_circuit_adapts_less"
    files = ("budget.txt", "tolerances.txt")
    output = "\n".join((folder / name).read_text(encoding="utf-8") for name in files)
    known: dict[bool, list[float]] = {False: [], True: []}
    for number, unit in QUANTITY.findall(output):
        known[unit == "%"].append(abs(float(number)) * UNITS[unit])
    text = (folder / "README.md").read_text(encoding="utf-8")
    found = QUANTITY.findall(text)
    assert len(found) > 30
    for number, unit in found:
        decimals = len(number.partition(".")[2])
        half = 0.5 * 10**-decimals * UNITS[unit] * (1 + 1e-9)
        value = abs(float(number)) * UNITS[unit]
        assert any(abs(value - one) <= half for one in known[unit == "%"]), f"{number} {unit}"


@pytest.mark.slow
@pytest.mark.parametrize("measured", [True, False])
def test_measured_device_to_neuron(repository, tmp_path, capsys, monkeypatch, measured):
    example = load(repository / "examples/measured_device_to_neuron/from_device_to_neuron.py")
    if measured and not example.MEASURED.exists():
        pytest.skip("the measured loops are not beside the project (../shared/measured)")
    if not measured:
        monkeypatch.setattr(example, "MEASURED", tmp_path / "nothing")
    comparison = example.main(["--output", str(tmp_path / "out")])
    out = capsys.readouterr().out
    assert ("synthetic one is fitted" in out) != measured
    assert 1 / comparison.of_b["isi_first"] == pytest.approx(5e3, rel=0.01)
    assert comparison.of_b["adaptation_ratio"] == pytest.approx(2.0, rel=0.01)
    # the circuit, whose interval begins at v_low and whose amplifier loads the device a little
    assert 1 / comparison.of_a["isi_first"] == pytest.approx(5e3, rel=0.2)
    assert comparison.of_a["adaptation_ratio"] == pytest.approx(2.0, rel=0.15)
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names >= {"device.toml", "loop.png", "neuron.toml", "circuit.nc", "overlay.png"}
