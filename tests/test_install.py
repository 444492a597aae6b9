"""The wheel, installed into an empty virtual environment outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "-w",
            str(folder),
            str(repository),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_holds_templates_models_and_type_marker(wheel, repository):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("netlists", "models"):
        for path in (repository / folder).rglob("*"):
            if path.is_file():
                inside = f"spicealif/_data/{path.relative_to(repository).as_posix()}"
                assert inside in names
    assert "spicealif/py.typed" in names
    assert not [n for n in names if n.startswith(("tests/", "benchmarks/", "examples/"))]


def test_wheel_works_in_an_empty_environment(wheel, tmp_path):
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_"))}
    environment["PYTHONNOUSERSITE"] = "1"
    work = tmp_path / "elsewhere"
    work.mkdir()

    def run(*command: str) -> str:
        out = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, timeout=600,
            check=False,
        )  # fmt: skip
        assert out.returncode == 0, out.stdout + out.stderr
        return out.stdout

    run(str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel))
    where = run(str(python), "-c", "import spicealif; print(spicealif.__file__)")
    assert where.startswith(str(home))
    program = str(home / "bin" / "spicealif")
    assert "paper" in run(program, "presets")
    table = run(program, "run", "paper", "-s", "t_stop=1m")
    assert "spikes" in table
    assert (work / "spicealif-results" / "paper_t_stop_1m" / "overlay.png").exists()
    assert "missing" not in run(program, "doctor")
