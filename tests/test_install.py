"""The wheel, installed into an empty virtual environment outside the checkout."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement


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
    for path in (repository / "spicealif" / "report" / "templates").iterdir():
        assert path.relative_to(repository).as_posix() in names
    assert "spicealif/py.typed" in names
    assert not [n for n in names if n.startswith(("tests/", "benchmarks/", "examples/"))]


def link_what_is_declared(declared: list[str] | None, site: Path, seen: set[str]) -> None:
    """Put in the distributions that are declared, and what those need: links to what is here.

    What is here and undeclared stays away, as it would with files that pip had unpacked.
    """
    for line in declared or ():
        requirement = Requirement(line)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if not wanted or requirement.name in seen:
            continue
        seen.add(requirement.name)
        distribution = importlib.metadata.distribution(requirement.name)
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution.locate_file(top))))
        link_what_is_declared(distribution.requires, site, seen)


@pytest.mark.slow
def test_wheel_works_in_an_empty_environment(wheel, tmp_path):
    home = tmp_path / "env"
    venv.create(home)
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

    (site,) = home.glob("lib/python*/site-packages")
    (distribution,) = importlib.metadata.distributions(path=[str(wheel)])
    link_what_is_declared(distribution.requires, site, set())
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
    run(*pip, "install", "-q", "--no-deps", "--no-index", str(wheel))
    assert "No broken requirements" in run(*pip, "check")
    where = run(str(python), "-c", "import spicealif; print(spicealif.__file__)")
    assert where.startswith(str(home))
    program = str(home / "bin" / "spicealif")
    assert "paper" in run(program, "presets")
    table = run(program, "run", "paper", "-s", "t_stop=1m", "--report")
    assert "spikes" in table
    assert (work / "spicealif-results" / "paper_t_stop_1m" / "overlay.png").exists()
    assert (work / "spicealif-results" / "paper_t_stop_1m" / "report.html").exists()
    assert "missing" not in run(program, "doctor")
