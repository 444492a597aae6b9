"""The README's tables of the presets say what the presets do."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from spicealif import Comparison, load_preset

SCRIPT = Path(__file__).parents[1] / "scripts" / "readme_tables.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("readme_tables", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["readme_tables"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_tables_that_cost_a_run_of_each_preset(script, shared_runs, monkeypatch, capsys):
    def compared(preset: str) -> Comparison | None:
        return shared_runs.cosimulated(load_preset(preset)).comparison

    monkeypatch.setattr(script, "compared", compared)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--check", "comparison", "sentences"])
    script.main()
    assert tuple(capsys.readouterr()) == ("", "")


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        ("first 59.95 us", "first  59.95 us", True),
        ("first 59.95 us", "first 59.96 us", True),
        ("first 59.95 us", "first 62 us", False),
        ("yes: 8 to 3", "no: 8 to 3", False),
        ("+0.7%", "-0.7%", False),
        ("a 1 b", "a b", False),
        ("x 0 to 1", "x 0 to 1", True),
        ("94.4 us +- 20 ps", "94.4 us +- 900 fs", True),
        ("2.2 +- 8.9e-07 -------", "2.2 +- 1e-06 ------", True),
        ("94.4 us +- 20 ps", "99.4 us +- 20 ps", False),
        ("94.4 us +- 20 ps", "94.4 us", False),
    ],
)
def test_what_counts_as_the_same(script, old: str, new: str, equal: bool):
    assert script.same(old, new) is equal
