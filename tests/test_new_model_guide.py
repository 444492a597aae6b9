"""The worked example of docs/new_model.md, added to a copy of the project as the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spicealif.design import MODELS

NAME = "linear_drift"
#: What the shared test needs beside itself.
HELPERS = ("conftest.py", "_random_devices.py", "ltspice_standin.py")


def code_after(page: str, words: str, language: str) -> str:
    """Return the first block of code behind some words."""
    (_, behind) = page.split(words, 1)
    found = re.search(rf"^```{language}\n(.*?)^```$", behind, re.DOTALL | re.MULTILINE)
    assert found is not None, words
    return found[1]


@pytest.fixture
def extended(repository: Path, tmp_path: Path) -> Path:
    """Return a copy of the project with the guide's model."""
    page = (repository / "docs" / "new_model.md").read_text(encoding="utf-8")
    for folder in ("spicealif", "models", "netlists"):
        # With what numba has compiled, which is valid for files with the same time; but other
        # tests may be writing there now.
        passing = shutil.ignore_patterns("*.tmp.*", "*.pyc.*")
        shutil.copytree(repository / folder, tmp_path / folder, ignore=passing)
    shutil.copy(repository / "pyproject.toml", tmp_path)
    tests = repository / "tests"
    (tmp_path / "tests").mkdir()
    for path in (tests / "test_models.py", *(tests / n for n in HELPERS), *tests.glob("_stand*")):
        shutil.copy(path, tmp_path / "tests")

    for file, language in (
        (f"spicealif/design/devices/{NAME}.py", "python"),
        (f"models/parts/leak_{NAME}.cir.j2", "jinja"),
    ):
        assert not (tmp_path / file).exists()
        (tmp_path / file).write_text(code_after(page, f"`{file}`:\n", language), encoding="utf-8")
    table = tmp_path / "spicealif" / "design" / "devices" / "__init__.py"
    (line, entry) = code_after(page, "## The table", "python").splitlines()
    text = table.read_text(encoding="utf-8")
    marks = ("from spicealif.design.devices.mms import Memristor\n", '    "mms": Memristor,\n')
    for mark, added in zip(marks, (line, entry), strict=True):
        assert text.count(mark) == 1
        text = text.replace(mark, f"{mark}{added}\n")
    table.write_text(text, encoding="utf-8")
    return tmp_path


def test_the_guides_model_passes_the_shared_test(extended: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "tests/test_models.py", "-k", NAME, "-p", "no:xdist"]
    done = subprocess.run(
        command,
        cwd=extended,
        env={**environment, "PYTHONPATH": str(extended)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tests = re.findall(
        r"^def test_\w+\(\s*model: Model",
        (extended / "tests" / "test_models.py").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    (passed,) = re.findall(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert int(passed) >= len(tests) > 15
    assert "skipped" not in done.stdout
    assert NAME not in MODELS  # of the project itself: it was the copy that was tested


def test_the_guides_code_is_as_the_projects(extended: Path, repository: Path) -> None:
    """Ruff's rules and format hold on the page too."""
    file = extended / "spicealif" / "design" / "devices" / f"{NAME}.py"
    rules = ["--config", str(repository / "pyproject.toml")]
    for action in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *action, *rules, str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
