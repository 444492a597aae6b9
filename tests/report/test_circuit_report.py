"""The report of a study of a circuit, live and saved."""

from __future__ import annotations

import json

import pytest
from circuit_studies import made_circuit_study
from report_page import ReportPage

from spicealif.cli.main import run
from spicealif.errors import LearningError
from spicealif.report import report_html, write_report

SECTIONS = {"transfer": "Levels", "budget": "Accuracy budget", "certified": "Certified predictions",
            "spot-checks": "Spot checks", "energy": "Energy", "task": "Task",
            "provenance": "Provenance"}  # fmt: skip


@pytest.fixture(scope="module")
def page():
    return ReportPage(report_html(made_circuit_study()))


def test_every_part_has_its_section(page):
    for name, title in SECTIONS.items():
        assert title in page.words(name)
    study = made_circuit_study()
    for name, found in (("transfer", study.transfer), ("budget", study.budget),
                        ("certified", study.certified), ("energy", study.energy),
                        ("spot-checks", study.spot_checks)):  # fmt: skip
        words = page.words(name)
        for row in found.rows():
            assert row[0].strip() in words
        # The last column of a wide table is there too.
        assert found.rows()[1][-1].replace(" uJ", " \u00b5J") in words
        assert found.notes[0].split(",")[0].split(";")[0] in words
    drawings = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert [svg["aria-label"] for svg in drawings] == ["Levels", "Accuracy budget", "Energy"]
    assert not page.unclosed
    assert "unexplained" in page.words("spot-checks")
    assert "sample 2, neuron 1, window 0" in page.words("spot-checks")


def test_the_answer_is_in_its_figures(page):
    words = page.words("answer")
    for sentence in (
        "On ideal equations the readout names 100.0 % (51.0 to 100.0 %) of 4 test samples right.",
        "It keeps 75.0 % (30.1 to 95.4 %) on the circuit and 37.5 % (0.0 to 100.0 %) with its "
        "tolerances.",
        "50.0 points are lost, the most by reset level (40.0 points).",
        "No numerical error within its bounds changes 2 of 4 predictions of the circuit.",
    ):
        assert sentence in words


def test_a_saved_study_has_the_same_report(page, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made_circuit_study().save("circuit.json")
    assert run(["report", "circuit.json"]) == 0
    assert "Wrote circuit.html" in capsys.readouterr().out
    saved = ReportPage((tmp_path / "circuit.html").read_text(encoding="utf-8"))
    for name in SECTIONS.keys() - {"provenance"}:
        assert saved.words(name) == page.words(name)
    told = saved.words("provenance")
    assert "spicealif report circuit.json" in told
    assert "spicealif learn-circuit iris --readout ridge --samples 4 --seed 3" in told


def test_parts_that_are_not_there_are_left_out(tmp_path):
    study = made_circuit_study("none")
    found = ReportPage(write_report(study, tmp_path / "few.html").read_text(encoding="utf-8"))
    assert "Accuracy budget" not in found.words("answer")
    assert "37.5 %" in found.words("answer")
    assert found.words("energy") == found.words("budget") == ""


def test_a_damaged_study_has_none(tmp_path):
    data = made_circuit_study().to_dict()
    data["budget"]["lost_by_sample"].pop()
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(data))
    with pytest.raises(LearningError, match="make it again with 'spicealif learn-circuit'"):
        report_html(path)
