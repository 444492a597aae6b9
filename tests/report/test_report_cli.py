"""``spicealif report`` and ``run --report``."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from report_page import ReportPage

from spicealif import load_preset, save_toml
from spicealif.cli.main import run

PROGRAM = str(Path(sys.executable).with_name("spicealif"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_folder_gets_its_report_where_it_is_told_or_beside_its_files(saved, here, capsys):
    shutil.copytree(saved, here / "run")
    assert run(["report", "run"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"Wrote run/report\.html \([\d,]+ kB\)\.\n", out) and err == ""
    # Again, as any result of ours.
    assert run(["report", "run", "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["report", "run", "-o", "new/paper.html", "-q"]) == 0
    page = ReportPage((here / "new" / "paper.html").read_text(encoding="utf-8"))
    assert "spicealif report run" in page.words("provenance")
    (here / "run" / "report.html").write_text("<html>mine</html>")
    assert run(["report", "run"]) == 1
    assert "exists and is not a report as spicealif writes it" in capsys.readouterr().err


@pytest.mark.slow
def test_a_file_gets_a_report_of_its_name(saved, here):
    shutil.copy(saved / "circuit.nc", here / "c.nc")
    assert run(["report", "c.nc", "-q"]) == 0
    assert (here / "c.html").stat().st_size > 10_000


@pytest.mark.slow
def test_a_budget_from_elsewhere(saved, here, capsys):
    folder = shutil.copytree(saved, here / "run")
    (folder / "budget.json").rename(here / "budget.json")
    (here / "other").mkdir()
    for given in ("budget.json", "."):
        assert run(["report", "run", "--budget", given, "-q", "-o", "r.html"]) == 0
        text = (here / "r.html").read_text(encoding="utf-8")
        assert "Shapley" in ReportPage(text).words("budget")
    capsys.readouterr()
    for given, said in (("nix.json", "cannot be read"), ("other", "cannot be read"),
                        ("run/certificate.json", "damaged or of another version")):  # fmt: skip
        assert run(["report", "run", "--budget", given, "-o", "n.html"]) == 1
        out, err = capsys.readouterr()
        assert out == "" and said in err and err.count("\n") == 1
    assert not (here / "n.html").exists()


@pytest.mark.slow
def test_a_raw_file_needs_its_neuron(here, capsys):
    from spicealif import build_netlist

    if shutil.which("ngspice") is None:
        pytest.skip("needs ngspice")
    neuron = load_preset("paper").replace(t_stop=3e-4)
    save_toml(neuron, "n.toml")
    (here / "n.cir").write_text(build_netlist(neuron).text)
    subprocess.run(
        ["ngspice", "-n", "-b", "-r", "mine.raw", "n.cir"],
        check=True, capture_output=True, timeout=60, env={**os.environ, "HOME": str(here)},
    )  # fmt: skip
    assert run(["report", "mine.raw"]) == 1
    assert "give the neuron (--neuron FILE)" in capsys.readouterr().err
    assert run(["report", "mine.raw", "--set", "c=1n"]) == 1
    assert "add --neuron NEURON" in capsys.readouterr().err
    assert run(["report", "mine.raw", "--neuron", "n.toml"]) == 0
    page = ReportPage((here / "mine.html").read_text(encoding="utf-8"))
    assert "The circuit fires" in page.words("answer")


def test_a_report_goes_to_standard_output_and_what_is_said_beside(here):
    save_toml(load_preset("lif").replace(t_stop=2e-4), "n.toml")
    done = subprocess.run(
        [PROGRAM, "report", "n.toml", "-o", "-"], capture_output=True, check=False, timeout=100
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"<!doctype html>") and done.stdout.rstrip().endswith(b"</html>")
    assert done.stderr.startswith(b"Wrote ")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("report",), 2, "Missing argument"),
        (("report", "nix"), 1, "'nix' cannot be read (No such file or directory)"),
        (("report", "."), 1, "holds no result"),
        (("report", "some.txt"), 1, "is no result that a report can be made of"),
        (("report", "some.txt", "-o", "r.pdf"), 1, "A report is not written to 'r.pdf'"),
        (("report", "some.txt", "-o", "r"), 1, "A report needs a name with an ending"),
        (("report", "some.txt", "--neuron", "nix"), 1, "neither a preset"),
        (("report", "some.txt", "--nix"), 2, "No such option"),
    ],
)
def test_bad_input_is_one_sentence(here, words, code, said, capsys):
    (here / "some.txt").write_text("some")
    assert run(words) == code
    out, err = capsys.readouterr()
    assert said in err and "Traceback" not in err
    assert out == ""
    assert sorted(p.name for p in here.iterdir()) == ["some.txt"]


@pytest.mark.slow
def test_run_writes_its_report_too(here, capsys):
    words = ["run", "lif", "-s", "t_stop=1m", "--simulator", "equations", "--no-figures", "-o",
             "results"]  # fmt: skip
    assert run([*words, "--report"]) == 0
    assert "report.html" in capsys.readouterr().out
    folder = here / "results"
    page = ReportPage((folder / "report.html").read_text(encoding="utf-8"))
    assert "spicealif run results/neuron.toml --simulator equations" in page.words("provenance")
    assert ".spicealif" not in page.words()  # where it was written before all was there
    # An earlier run's is not left beside this one's files.
    assert run([*words, "-q"]) == 0
    assert not (folder / "report.html").exists()
    assert (folder / "provenance.json").exists()


@pytest.mark.slow
def test_a_run_that_ends_early_has_a_report_that_says_so(here, capsys):
    if shutil.which("ngspice") is None:
        pytest.skip("needs ngspice")
    words = ["run", "paper", "-s", "t_stop=2", "--simulator", "ngspice-batch", "--timeout", "4",
             "--yes", "--no-figures", "--no-check", "--report", "-q", "-o", "r"]  # fmt: skip
    assert run(words) == 1
    capsys.readouterr()
    if not (here / "r" / "report.html").exists():
        pytest.skip("nothing was computed in the time")
    page = ReportPage((here / "r" / "report.html").read_text(encoding="utf-8"))
    assert "The circuit's run is not complete." in page.words("traces")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_an_interrupted_report_leaves_nothing(saved, here):
    started = subprocess.Popen(
        [PROGRAM, "report", str(saved), "-o", "r.html"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        started.wait(1.0)
    except subprocess.TimeoutExpired:
        started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    if started.returncode == 0:
        pytest.skip("it was faster")
    assert started.returncode == 130
    assert "Interrupted" in err
    assert list(here.iterdir()) == []
