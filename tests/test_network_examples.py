"""The studies of networks: their texts are those of their results, and a part of each is run."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "networks"
NAMES = ("fan_out", "chain", "winner_take_all", "ring_synchrony", "cost")
#: Which rows are the same, and what of them two runs have in common to a part of themselves. A
#: change of winners multiplies errors: see the text.
SAME: dict[str, tuple[tuple[str, ...], tuple[str, ...], float]] = {
    "fan_out": (("r", "k"), ("t_first", "isi_first", "v_high", "v_released"), 1e-4),
    "chain": (("variant", "position"), ("spikes", "first", "isi_first"), 1e-3),
    "winner_take_all": (("which", "neuron"), ("alone", "first", "x_end"), 0.05),
    "ring_synchrony": (("r", "seed"), ("spikes", "rate", "order"), 1e-2),
    "cost": (("n",), ("spikes", "energy_supply", "energy_stimulus"), 1e-4),
}


@pytest.fixture
def study(request, monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("study", *NAMES):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(request.param)


def kept(name: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return result


def test_every_study_is_tested():
    assert {p.stem for p in FOLDER.glob("*.py")} == {"study", *NAMES}
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"<!-- study: (\w+) -->", page) == list(NAMES)


@pytest.mark.parametrize("study", NAMES, indirect=True)
def test_the_text_is_what_the_result_says(study):
    """Every figure in it; and each sentence holds, or `text` ends."""
    name = study.STUDY.name
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"<!-- study: {name} -->\n(.*?)\n<!-- end -->", page, re.DOTALL)
    assert block == study.text(kept(name))


@pytest.mark.parametrize("study", ["fan_out"], indirect=True)
def test_a_sentence_that_does_not_hold_is_noticed(study):
    result = kept("fan_out")
    for row in result["rows"]:
        row["v_end"] = 0.02  # no output stays high
    with pytest.raises(SystemExit, match="write it anew: The output stays high"):
        study.text(result)


@pytest.mark.slow
@pytest.mark.parametrize("study", NAMES, indirect=True)
def test_a_part_of_the_study_gives_what_is_kept(study, tmp_path):
    name = study.STUDY.name
    study.main(["--quick", "--output", str(tmp_path)])
    found = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    keys, values, part = SAME[name]
    whole = {tuple(row[k] for k in keys): row for row in kept(name)["rows"]}
    assert found
    for row in found:
        there = whole[tuple(row[k] for k in keys)]
        for value in values:
            assert row[value] == pytest.approx(there[value], rel=part), (row, value)
