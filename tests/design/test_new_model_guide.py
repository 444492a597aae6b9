"""The package of docs/new_model.md: built, installed into a fresh environment, and used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from spicealif.design import MODELS

pytestmark = pytest.mark.slow

NAME = "linear_drift"
FILES = (
    ("pyproject.toml", "toml"),
    ("spicealif_drift/__init__.py", "python"),
    (f"spicealif_drift/templates/leak_{NAME}.cir.j2", "jinja"),
)
#: A second package, everything about which is wrong.
BROKEN = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "spicealif-broken"
version = "0.1"

[project.entry-points."spicealif.devices"]
mms = "spicealif_broken:Model"
nowhere = "spicealif_nowhere:Model"
none = "spicealif_broken:NONE"
other = "spicealif_broken:Model"
leaves = "spicealif_broken.leaves:Model"
talks = "spicealif_broken.talks:Model"

[project.entry-points."spicealif.dialects"]
hspice = "spicealif_broken:NONE"
spectre = "spicealif_broken:DIALECT"
xyce = "spicealif_broken:XYCE"
"""
BROKEN_CODE = """
from pathlib import Path
from spicealif.design import Memristor
from spicealif.netlist import Dialect
NONE = None
DIALECT = Dialect("other")
XYCE = Dialect(
    "xyce", "V({})", "I({})", options=frozenset({"plotwinsize", "numdgt"}), step_may_be_zero=True,
    templates=Path(__file__).parent / "templates",
)
class Model(Memristor):
    kind: str = "elsewhere"
"""


def code_after(page: str, words: str, language: str) -> str:
    """Return the first block of code behind some words."""
    (_, behind) = page.split(words, 1)
    found = re.search(rf"^```{language}\n(.*?)^```$", behind, re.DOTALL | re.MULTILINE)
    assert found is not None, words
    return found[1]


@pytest.fixture(scope="module")
def package(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = (repository / "docs" / "new_model.md").read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("package") / "spicealif-drift"
    for name, language in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code_after(page, f"`{name}`:\n", language), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def python(package: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the packages from their wheels.

    What spicealif needs is found where it is installed already (see `tests/test_install.py`).
    """
    home = tmp_path_factory.mktemp("env")
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    # Its .pth files count as well, which lead to spicealif itself.
    base = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "base.pth").write_text(f"import site; site.addsitedir({base!r})\n", encoding="utf-8")
    broken = package.parent / "broken"
    (broken / "spicealif_broken" / "templates").mkdir(parents=True)
    (broken / "pyproject.toml").write_text(BROKEN, encoding="utf-8")
    (broken / "spicealif_broken" / "__init__.py").write_text(BROKEN_CODE, encoding="utf-8")
    (broken / "spicealif_broken" / "leaves.py").write_text("raise SystemExit(3)\n")
    (broken / "spicealif_broken" / "talks.py").write_text("print('hello')\n")
    for template in (repository / "netlists" / "ltspice").glob("*.j2"):
        (broken / "spicealif_broken" / "templates" / template.name).write_text(
            template.read_text(encoding="utf-8"), encoding="utf-8"
        )
    wheels = package.parent / "wheels"
    for command in (
        ("wheel", "-q", "--no-deps", "-w", str(wheels), str(package), str(broken)),
        ("install", "-q", "--no-deps", "--target", str(site), "--no-index", "--find-links",
         str(wheels), "spicealif-drift", "spicealif-broken"),
    ):  # fmt: skip
        subprocess.run(
            [sys.executable, "-m", "pip", *command], check=True, capture_output=True, timeout=300
        )
    return home / "bin" / "python"


def ran(python: Path, folder: Path, *arguments: str, code: int = 0) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHON"))}
    environment |= {"SPICEALIF_CACHE": str(folder / "cache"), "PYTHONNOUSERSITE": "1"}
    done = subprocess.run(
        [str(python), "-m", *arguments], cwd=folder, env=environment, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_model_passes_the_shared_test(python: Path, repository: Path) -> None:
    tests = repository / "tests" / "reference" / "test_models.py"
    said = ran(python, repository, "pytest", str(tests), "-k", NAME, "-p", "no:xdist", "-p",
               "no:cacheprovider", "-v")  # fmt: skip
    count = len(re.findall(r"^def test_\w+\(\s*model: Model", tests.read_text(), re.MULTILINE))
    (passed,) = re.findall(r"(\d+) passed", said)
    assert int(passed) >= count > 15
    assert "skipped" not in said
    assert NAME not in MODELS  # of this environment


def test_the_model_runs_in_neuron_fit_and_sweep(python: Path, tmp_path: Path) -> None:
    page = 'preset = "paper"\nt_stop = "2m"\n[leak]\nkind = "linear_drift"\n'
    values = 'r_on = "1k"\nr_off = "8k"\ntau = "10m"\nx_0 = 0.2\n'
    (tmp_path / "n.toml").write_text(page + values, encoding="utf-8")
    ran(python, tmp_path, "spicealif", "run", "n.toml", "--ideal", "--variant", "schmitt", "-q",
        "-o", "out")  # fmt: skip
    table = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    counts = [table[label]["spike_count"] for label in table["labels"]]
    assert counts[0] == counts[1] > 3
    ran(python, tmp_path, "spicealif", "sweep", "n.toml", "--over", "leak.tau=5m:20m:3", "-q",
        "-o", "sweep.nc", "--sides", "reference")  # fmt: skip
    assert (tmp_path / "sweep.nc").exists()
    # A loop of the model itself: the fit finds the device again.
    made = (
        "import numpy as np\n"
        "from spicealif.design import MODELS, SeriesCircuit, Sine\n"
        "from spicealif.reference.series.solve import solve_series\n"
        "device = MODELS['linear_drift'](r_on=1e3, r_off=8e3, tau=10e-3, x_0=0.2)\n"
        "drive = Sine(amplitude=1.0, frequency=100.0)\n"
        "q = solve_series(SeriesCircuit(device=device, r_s=1e3, drive=drive, t_stop=10e-3))\n"
        "t = np.arange(1, 400) * 2.5e-5\n"
        "table = np.c_[t, *(np.interp(t, q.time, q[k]) for k in ('v_mem', 'v_in'))]\n"
        "np.savetxt('loop.csv', table, delimiter=',', header='t_s,v_mem_V,v_in_V', comments='')\n"
    )
    (tmp_path / "made.py").write_text(made, encoding="utf-8")
    ran(python, tmp_path, "made")
    ran(python, tmp_path, "spicealif", "fit", "loop.csv", "--model", NAME, "--single-shot",
        "--series-resistor", "1k", "-q", "-o", "device.toml")  # fmt: skip
    device = tomllib.loads((tmp_path / "device.toml").read_text(encoding="utf-8"))["device"]
    fitted = {name: device[name] for name in ("r_on", "r_off", "tau")}
    assert fitted == pytest.approx({"r_on": 1e3, "r_off": 8e3, "tau": 10e-3}, rel=0.02)
    wrong = ran(python, tmp_path, "spicealif", "run", "n.toml", "-s", "leak.tau=-1", code=1)
    assert "In the device of kind 'linear_drift', tau = -1.0 must be greater than 0" in wrong
    schema = json.loads(ran(python, tmp_path, "spicealif", "schema").removesuffix("hello\n"))
    assert NAME in json.dumps(schema["properties"]["leak"])


def test_what_is_broken_is_named_and_breaks_nothing_else(python: Path, tmp_path: Path) -> None:
    said = ran(python, tmp_path, "spicealif", "plugins", "--json", code=1)
    rows = json.loads(said.removesuffix("hello\n"))  # which went to standard error
    found = {(row["what"], row["name"]): row for row in rows if "broken" in row["package"]}
    for key, words in {
        ("model", "mms"): "spicealif's own model of that name counts",
        ("model", "nowhere"): "cannot be loaded (ModuleNotFoundError",
        ("model", "none"): "is no subclass of spicealif.design.MemristorModel but None",
        ("model", "other"): "announced under another name than its kind ('elsewhere')",
        ("model", "leaves"): "cannot be loaded (SystemExit: 3)",
        ("dialect", "hspice"): "is no spicealif.netlist.Dialect but None",
        ("dialect", "spectre"): "announced under another name than its own ('other')",
    }.items():
        assert words in found[key]["trouble"], found[key]
    assert found[("dialect", "xyce")]["trouble"] == ""
    fine = {row["name"] for row in rows if not row["trouble"]}
    assert {"mms", NAME, "ngspice", "ltspice", "ngspice-batch", "xyce"} <= fine
    named = ran(python, tmp_path, "spicealif", "reference", "paper", "-s", "leak.kind=nowhere",
                code=1)  # fmt: skip
    assert "The memristor model 'nowhere' of spicealif-broken 0.1 cannot be loaded" in named
    wrong = ran(python, tmp_path, "spicealif", "reference", "paper", "-s", "leak.kind=x", code=1)
    assert "set kind to one of mms, gmms, vteam, yakopcic, " in wrong
    assert f"{NAME}, " in wrong
    assert wrong.endswith("or install the package that brings it ('spicealif plugins').\n")
    netlist = ran(python, tmp_path, "spicealif", "netlist", "paper", "--dialect", "xyce")
    theirs = ran(python, tmp_path, "spicealif", "netlist", "paper", "--dialect", "ltspice")
    assert netlist.count("\n") > 50
    assert len(set(netlist.splitlines()) ^ set(theirs.splitlines())) < 30


def test_a_new_version_of_a_package_is_another_digest(python: Path, tmp_path: Path) -> None:
    code = (
        "import pathlib, spicealif_drift\n"
        "from spicealif.design import load_toml\n"
        "print(load_toml('n.toml').digest)\n"
    )
    page = 'preset = "paper"\n[leak]\nkind = "linear_drift"\nr_on = 1e3\nr_off = 8e3\ntau = 0.01\n'
    (tmp_path / "n.toml").write_text(page, encoding="utf-8")
    (tmp_path / "digest.py").write_text(code, encoding="utf-8")
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    digests = []
    for change in ("", "# a change\n", ""):
        file = site / "spicealif_drift" / "__init__.py"
        text = file.read_text(encoding="utf-8").removesuffix("# a change\n")
        file.write_text(text + change, encoding="utf-8")
        digests.append(ran(python, tmp_path, "digest").strip())
    assert digests[0] == digests[2] != digests[1]


def test_the_guides_code_is_as_the_projects(package: Path, repository: Path) -> None:
    """Ruff's rules and format hold on the page too."""
    rules = ["--config", str(repository / "pyproject.toml")]
    for action in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *action, *rules, str(package / FILES[1][0])],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
