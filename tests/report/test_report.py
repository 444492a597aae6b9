"""What stands in a report, of every kind of result, from memory and from files."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from shlex import quote

import numpy as np
import pytest
from report_page import ReportPage

from spicealif import (
    Waveforms,
    compare,
    dump_toml,
    fit_device,
    load_preset,
    load_waveforms,
    parse_toml,
    propose_neuron,
    report_html,
    save_toml,
    solve_reference,
    write_report,
)
from spicealif.analysis._budget_text import RANGE_NOTE
from spicealif.errors import (
    CompareError,
    DesignError,
    FitError,
    OutputError,
    SweepError,
    WaveformError,
)
from spicealif.fit.loop import Loop
from spicealif.report._words import percent, si, typeset, value_with_error
from spicealif.sweep import Sweep

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202e"
SECTIONS = ["answer", "schematic", "figures", "traces", "certificate", "budget", "netlist",
            "design", "provenance"]  # fmt: skip


def check(text: str) -> ReportPage:
    """Check what holds for every report, and return it read."""
    page = ReportPage(text)
    assert page.unclosed == []
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for a in page.all("a")]
    assert links and all(link[0] == "#" and link[1:] in ids for link in links)
    # Nothing is loaded: whatever has an address is in the page itself.
    for tag, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "data", "action", "srcset", "poster"):
            value = attributes.get(name, "#")
            assert value[0] == "#" or value.startswith("data:"), (tag, name, value[:40])
        assert not [name for name in attributes if name.startswith("on")], tag
    assert not re.search(r"url\((?!#)|@import", text)
    # Two scripts at most are code, and one of them is data.
    kinds = [a.get("type", "") for a in page.all("script")]
    assert kinds.count("") == 1 and set(kinds) <= {"", "application/json"}
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(headings))
    labelled = [a for a in page.all("svg") if a.get("aria-hidden") != "true"]
    assert all(a.get("role") == "img" and a.get("aria-label") for a in labelled)
    assert page.all("html")[0]["lang"] == "en"
    assert "nan" not in re.findall(r"[a-z]+", page.words("answer").lower())
    return page


def three_sentences(page: ReportPage, text: str) -> list[str]:
    part = text[text.index('<section id="answer"') :]
    paragraphs = re.findall(r"<p>(.*?)</p>", part[: part.index("</section>")], re.DOTALL)
    assert len(paragraphs) == 3
    return paragraphs


# --- runs -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_with_certificate_and_budget_has_everything(saved, certificate, budget):
    text = report_html(saved)
    page = check(text)
    assert [a["id"] for a in page.all("section") if "-" not in a["id"]] == SECTIONS
    pair = certificate.comparison
    counts = pair.of_a["spike_count"], pair.of_b["spike_count"]
    first, second, third = three_sentences(page, text)
    assert f"fires {counts[0]} spikes and the reference {counts[1]}" in first
    assert si(pair.of_a["isi_mean"], "s") in first
    assert si(pair.of_b["isi_mean"], "s") in first
    assert si(pair.of_a["isi_last"], "s") in second
    verdicts = [m.verdict.value for m in certificate.measures if m.verdict]
    assert f"Of {len(verdicts)} figures" in third
    assert f"{verdicts.count('differ')} differ" in third
    isi = budget["isi_mean"]
    largest = max((s for s in isi.shares if s.applies), key=lambda s: abs(s.value))
    assert largest.cause.label.partition(" (")[0].partition(",")[0] in third
    # Figures with their units and numerical errors.
    words = page.words("figures")
    for m in certificate.measures:
        assert m.label in words
    assert value_with_error(pair.of_a["isi_mean"],
                            {m.name: m for m in certificate.measures}["isi_mean"].circuit_error,
                            "s") in words  # fmt: skip
    assert "\u00b1" in words
    for m in budget.measures:
        assert m.label in page.words("budget")
    for share in isi.shares:
        assert share.cause.label in page.words("budget")
    for note in budget.notes:
        assert (typeset(note) in page.words("budget")) != (note == RANGE_NOTE)
    netlist = (saved / "neuron.cir").read_text()
    for line in netlist.splitlines():
        assert " ".join(line.split()) in page.words("netlist")
    assert "letter by letter" in page.words("netlist")
    assert "* --- leak: MMS memristor ---" in page.words("netlist")
    provenance = page.words("provenance")
    for digest in (certificate.neuron.digest, hashlib.sha256(netlist.encode()).hexdigest()):
        assert digest in provenance
    made = json.loads((saved / "provenance.json").read_text())
    assert made["date"][:19].replace("T", " ") in provenance
    for key in ("python", "machine", "system", "packages"):
        assert made[key] in provenance
    assert f"spicealif run {quote(f'{saved}/neuron.toml')}" in provenance
    assert "--certify" in provenance


@pytest.mark.slow
def test_memory_and_files_give_the_same_figures(saved, certificate, budget):
    live, stored = (check(text) for text in (report_html(certificate, budget=budget),
                                             report_html(saved)))  # fmt: skip
    for section in ("answer", "certificate", "budget", "design"):
        assert live.words(section) == stored.words(section), section
    apart = set(live.words("figures").split()) ^ set(stored.words("figures").split())
    # The waveforms on disk are thinned, which shows in the last digits of two errors at most.
    assert len(apart) <= 4


@pytest.mark.slow
def test_the_answer_is_computed(certificate):
    """Of two results that are alike, another, and one in which nothing fires."""
    neuron, reference = certificate.neuron, certificate.reference
    same = compare(reference, reference, neuron, labels=("first", "second"))
    text = report_html(same)
    (first, second, third) = three_sentences(check(text), text)
    assert "the mean interval is the same" in first and "as much as in the second" in second
    assert "not known" in third
    silent = neuron.replace({"stimulus.amplitude": 1e-6})
    quiet = solve_reference(silent)
    text = report_html(compare(quiet, quiet, silent, labels=("a", "b")))
    assert "Neither the a nor the b fires." in three_sentences(check(text), text)[0]
    text = report_html(quiet)
    alone = three_sentences(check(text), text)
    assert alone[0] == "The reference does not fire." and "400 mV" in alone[1]


@pytest.mark.slow
def test_one_side_alone_says_what_is_missing(saved):
    for name, words in (("circuit.nc", "simulate"), ("reference.nc", "reference")):
        text = report_html(saved / name)
        page = check(text)
        assert "Only this side was computed" in three_sentences(page, text)[2]
        assert "certificate" not in page.texts
        assert f"spicealif {words} neuron.toml" in page.words("provenance")
        assert "There is no budget" in page.words("budget")


@pytest.mark.slow
def test_missing_pieces_are_told_with_the_command_that_makes_them(saved, tmp_path):
    folder = shutil.copytree(saved, tmp_path / "run")
    for name in ("certificate.json", "budget.json", "provenance.json", "neuron.cir",
                 "simulator.log"):  # fmt: skip
        (folder / name).unlink()
    page = check(report_html(folder))
    neuron = f"{folder}/neuron.toml"
    assert f"spicealif run {quote(neuron)} --certify" in page.words("certificate")
    assert f"spicealif explain {quote(neuron)} -o {quote(str(folder))}" in page.words("budget")
    assert "does not say on which machine" in page.words("provenance")
    # Without its file it is built again, and by its digest the same.
    assert "The netlist that ran, letter by letter" in page.words("netlist")
    (folder / "circuit.nc").unlink()
    page = check(report_html(folder))
    assert "no circuit.nc in the folder" in page.words("traces")
    (folder / "reference.nc").unlink()
    with pytest.raises(CompareError, match="holds no result"):
        report_html(folder)


@pytest.mark.slow
def test_pieces_of_other_results_are_left_out_and_told(saved, tmp_path):
    folder = shutil.copytree(saved, tmp_path / "run")
    for name, change in (
        ("budget.json", lambda d: d | {"design_digest": "0" * 64}),
        ("certificate.json", _more_spikes),
    ):
        data = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(change(data)))
    text = (folder / "neuron.cir").read_text()
    (folder / "neuron.cir").write_text(text.replace("1e-07", "2e-07"))
    page = check(report_html(folder))
    assert "is of another design" in page.words("budget")
    assert "is of other waveforms" in page.words("certificate")
    assert "It is not the netlist that the waveforms are of" in page.words("netlist")
    with pytest.raises(CompareError, match="of another design than the run"):
        report_html(saved, budget=folder / "budget.json")


def _more_spikes(data):
    data["measures"]["spike_count"]["circuit"] += 1
    return data


@pytest.mark.slow
@pytest.mark.parametrize("name", ["certificate.json", "budget.json", "comparison.json"])
@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"measures": {"a": 1}}', ""])
def test_damaged_pieces_are_refused_in_one_sentence(saved, tmp_path, name, damage):
    folder = tmp_path / "run"
    folder.mkdir()
    for part in ("circuit.nc", "reference.nc"):
        (folder / part).symlink_to(saved / part)
    (folder / name).write_text(damage)
    with pytest.raises(CompareError) as error:
        report_html(folder)
    assert "\n" not in str(error.value) and "take the file away" in str(error.value)


@pytest.mark.slow
def test_the_numerical_error_of_a_run_is_kept_with_it(saved, tmp_path, certificate):
    """Of a run without a certificate it stands in comparison.json."""
    from spicealif import cosimulate
    from spicealif.circuit import CircuitCheck

    result = cosimulate(certificate.neuron.replace(t_stop=1e-3), "equations")
    result.save(tmp_path / "run")
    text = report_html(tmp_path / "run")
    page = check(text)
    assert si(result.check.worst, "s") in three_sentences(page, text)[2]
    assert "\u00b1" in page.words("figures")
    assert three_sentences(page, text) == three_sentences(page, report_html(result))
    saved_check = json.loads((tmp_path / "run" / "comparison.json").read_text())
    again = CircuitCheck.from_dict(saved_check["numerical_error"])
    assert again.to_dict() == result.check.to_dict()
    assert again.note("x") == result.check.note("x")
    with pytest.raises(CompareError, match="run it again"):
        CircuitCheck.from_dict({"figures": 3})


# --- texts of others ------------------------------------------------------------------------------


@pytest.mark.slow
def test_no_text_of_a_result_becomes_markup(saved, tmp_path, certificate):
    """Names, descriptions, versions, labels, notes, log lines: whatever somebody else wrote."""
    folder = shutil.copytree(saved, tmp_path / "run")
    neuron = certificate.neuron.replace(description=HOSTILE, source=HOSTILE)
    for side in ("circuit", "reference"):
        w = load_waveforms(folder / f"{side}.nc")
        attrs = {**w.attrs, "version": HOSTILE, "variant": HOSTILE, "caveat": HOSTILE,
                 "taken": HOSTILE, "design": dump_toml(neuron), "simulator": HOSTILE}  # fmt: skip
        Waveforms(w.time, w.signals, w.t_spike, attrs).save(folder / f"{side}.nc")
    for name in ("certificate.json", "budget.json", "provenance.json"):
        data = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(_poisoned(data)))
    cir = (folder / "neuron.cir").read_text()
    (folder / "neuron.cir").write_text(cir + f"* --- {HOSTILE.encode('ascii', 'ignore').decode()}"
                                       " ---\n")  # fmt: skip
    text = report_html(folder)
    page = check(text)
    assert not page.all("img")
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") > 10
    assert "\u202e" not in text  # which would turn what follows
    assert "\\U0000202E" in page.words("design")  # as TOML has it, in the file to copy


def _poisoned(data):
    if isinstance(data, dict):
        keep = ("status", "verdict", "design", "design_digest", "unit", "date")
        return {k: v if k in keep else _poisoned(v) for k, v in data.items()}
    if isinstance(data, list):
        return [_poisoned(v) for v in data]
    return HOSTILE if isinstance(data, str) else data


# --- other results --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_sweep(tmp_path):
    from spicealif._support.digest import with_digest
    from spicealif._support.netcdf_write import write_netcdf

    neuron = load_preset("lif").replace(t_stop=2e-3)
    sweep = Sweep(neuron, {"c": [47e-9, 100e-9, 1.0]}, sides="reference")
    dataset = sweep.run(store=tmp_path / "store", workers=1)
    write_netcdf(with_digest(dataset), tmp_path / "s.nc")
    live, text = report_html(dataset), report_html(tmp_path / "s.nc")
    page = check(text)
    values = dataset["isi_mean"].sel(side="reference").values
    assert three_sentences(check(live), live) == three_sentences(page, text)
    assert si(float(np.nanmin(values)), "s") in three_sentences(page, text)[1]
    assert "47 nF" in page.words("points") and len(page.all("tr")) > 4
    assert len([a for a in page.all("svg") if a.get("role") == "img"]) >= 2
    hostile = dataset.copy()
    hostile.attrs |= {"witness": HOSTILE, "experiment": HOSTILE, "kind": HOSTILE}
    hostile["reason"].values[...] = HOSTILE
    assert not check(report_html(hostile)).all("img")
    broken = dataset.drop_vars("reason")
    with pytest.raises(SweepError, match="compute the sweep again"):
        report_html(broken)


def loop(**changes):
    """A resistor that falls with its charge, behind 5 kohm."""
    t = np.arange(100) * 1e-5
    v_in = 0.8 * np.sin(2 * np.pi * 1e3 * t)
    x = 0.5 * (1 - np.cos(2 * np.pi * 1e3 * t))
    r = 1 / (x / 4e3 + (1 - x) / 40e3)
    i = v_in / (r + 5e3)
    fields = {"r_s": 5e3, "period": 1e-3, "name": "loop", "file": "loop.csv", "sha256": "ab" * 32}
    return Loop(t, i * r, i, v_in, **(fields | changes))


@pytest.mark.slow
def test_a_fit_with_and_without_its_traces(tmp_path):
    from spicealif.fit import load_fit
    from spicealif.measures.shown import json_text

    result = fit_device(loop(file=HOSTILE), "mms")
    file = tmp_path / "fit.json"
    file.write_text(json_text(result))
    text = report_html(file)
    page = check(text)
    assert not page.all("img")
    assert three_sentences(page, text) == three_sentences(page, report_html(result))
    for name, value in zip(result.names, result.values, strict=True):
        assert f"{name} {si(float(value), result.unit(name))}" in page.words("parameters")
    assert {"Loops", "Traces", "Residuals", "Correlations"} <= set(page.words("figures").split())
    again = load_fit(file)
    assert again.device == result.device
    np.testing.assert_allclose(again.loops[0].v_mem, result.loops[0].v_mem, rtol=1e-6, atol=1e-9)
    assert (again.names, again.at_bound, again.not_identifiable, again.loss) == (
        result.names, result.at_bound, result.not_identifiable, result.loss
    )  # fmt: skip
    data = json.loads(file.read_text())
    old = {k: v for k, v in data.items() if k not in ("traces", "notes")}
    file.write_text(json.dumps(old))
    assert "saved without its traces" in check(report_html(file)).words("figures")
    with pytest.raises(FitError, match="fit again"):
        load_fit(file)
    for wrong in ({**data, "correlation": 3}, {**data, "traces": [{}]}, {**data, "model": "nix"}):
        file.write_text(json.dumps(wrong))
        with pytest.raises(FitError, match="fit again"):
            report_html(file)
    device = result.save_preset(tmp_path / "device.toml", "made")
    page = check(report_html(device))
    assert "keeps no traces" in page.words("figures") and "tau" in page.words("parameters")


@pytest.mark.slow
def test_a_proposal_and_the_neuron_it_writes(tmp_path):
    proposal = propose_neuron("w_sdc_5k_1khz_m2", rate=5e3, adaptation=1.5)
    text = report_html(proposal)
    page = check(text)
    assert three_sentences(page, text)[0].startswith("Yes: by the ideal reference it reaches")
    assert si(proposal.reached["rate"], "Hz") in page.words("wish")
    failed = replace(proposal, adaptation=9.0, cannot=(HOSTILE,))
    text = report_html(failed)
    assert three_sentences(check(text), text)[0].startswith("No: the nearest design")
    proposal.save(tmp_path / "neuron.toml")
    page = check(report_html(tmp_path / "neuron.toml"))
    assert "Proposed for an initial rate of 5000 Hz" in page.words("design")


@pytest.mark.slow
def test_a_budget_alone(budget, saved, tmp_path):
    file = tmp_path / "budget.json"
    shutil.copy(saved / "budget.json", file)
    text = report_html(tmp_path)
    page = check(text)
    assert text.count("Shapley") >= 1 and "schematic" in page.texts
    assert three_sentences(page, text) == three_sentences(page, report_html(budget))
    data = json.loads(file.read_text())
    file.write_text(json.dumps({k: v for k, v in data.items() if k not in ("design", "notes")}))
    assert "an earlier version wrote" in check(report_html(file)).words("design")
    with pytest.raises(CompareError, match="goes with the report of a run"):
        report_html(file, budget=file)


# --- the design, words, refusals ------------------------------------------------------------------


def test_the_design_shows_what_differs_from_the_nearest_preset():
    neuron = load_preset("paper").replace({"c": 220e-9, "leak.tau": 8e-3, "t_stop": 1e-3,
                                           "name": "wide"})  # fmt: skip
    page = check(report_html(neuron))
    words = page.words("design")
    begin = words.index("What differs from the preset paper")
    table = words[begin : words.index("All values")]
    assert re.search(r"leak\.tau 8 ms 5 ms", table)
    assert re.search(r"\bc 220 nF 100 nF", table)
    assert "v_th" not in table and "r_s" not in table
    assert "v_th 400 mV" in words  # among all values
    assert 'name = "wide"' in words


@pytest.mark.parametrize(
    ("text", "shown"),
    [("5 us and 3 ohm, 2 kohm", "5 \u00b5s and 3 \u03a9, 2 k\u03a9"), ("use us", "use us"),
     ("a +- b", "a \u00b1 b"), ("x\u202ey\n", "x\\u202ey\\n"), ("10 Mohm", "10 M\u03a9"),
     ("4.087e+04 1/s, 1e-05", "4.087\u00b710\u2074 1/s, 10\u207b\u2075"),
     ("x1e-05.csv", "x1e-05.csv")],
)  # fmt: skip
def test_words(text, shown):
    assert typeset(text) == shown


def test_figures():
    assert si(-3.47e-6, "s") == "\u22123.47 \u00b5s"
    assert si(float("nan"), "s") == si(None) == "\u2013"
    assert si(5.7e-6) == "5.7\u00b710\u207b\u2076"
    assert si(5.622e-18, "J") == "5.622\u00b710\u207b\u00b9\u2078 J"
    assert value_with_error(1e-3, 1.26e-9, "s") == "1 ms \u00b1 1.3 ns"
    assert value_with_error(229, 0) == "229 \u00b1 0"
    assert value_with_error(1e-3, None, "s") == "1 ms"
    assert percent(-1, 20) == "\u22125.0\u00a0%"
    assert percent(1e-9, 1) == percent(-1e-9, 1) == "0.0\u00a0%"
    assert percent(1, 0) == percent(30, 1) == ""


def test_what_there_is_no_report_of(tmp_path):
    with pytest.raises(CompareError, match="no report of a int"):
        report_html(3)
    for name, content, said in (
        ("nix.json", None, "cannot be read"),
        ("a.json", "{}", "is no result of spicealif"),
        ("b.json", '{"labels": 1, "pair": 2}', "a part of a run's results"),
        ("c.txt", "some", "no result that a report can be made of"),
        ("d.json", "{", "damaged or no JSON"),
        ("e.nc", "CDF", "no result that a report can be made of"),
        ("f.nc", "\x89HDF\r\n\x1a\nrest", "cannot be loaded"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content.encode("latin-1"))
        with pytest.raises(CompareError, match=said) as error:
            report_html(path)
        assert "\n" not in str(error.value)
    (tmp_path / "g.toml").write_text("x = 1\n")
    with pytest.raises(DesignError):
        report_html(tmp_path / "g.toml")
    (tmp_path / "h.raw").write_text("Title: x\n")
    with pytest.raises(WaveformError, match="give the neuron"):
        report_html(tmp_path / "h.raw")
    shipped = Path(__file__).parents[2] / "models" / "devices"
    device = next(p for p in shipped.glob("*.toml") if "[fit]" not in p.read_text())
    with pytest.raises(CompareError, match="no fit wrote"):
        report_html(device)


def test_a_report_is_written_as_every_file_is(tmp_path):
    neuron = load_preset("lif").replace(t_stop=2e-4)
    with pytest.raises(OutputError, match=r"use \.html"):
        write_report(neuron, tmp_path / "r.pdf")
    path = write_report(neuron, tmp_path / "r.html")
    assert check(path.read_text(encoding="utf-8")).words("answer") == check(
        report_html(neuron)
    ).words("answer")
    from spicealif._support.kinds import REPORT

    assert REPORT.is_one(path, ".html")
    path.write_text("<html>mine</html>")
    assert not REPORT.is_one(path, ".html")
    save_toml(neuron, tmp_path / "n.toml")
    assert check(report_html(str(tmp_path / "n.toml"))).words("answer")


def _places(data, path=()):
    """Return the way to every value of nested JSON."""
    yield path
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _places(value, (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["certificate.json", "budget.json", "provenance.json"])
def test_whatever_a_json_file_holds_is_shown_or_refused(saved, tmp_path, name, monkeypatch):
    """Values of other kinds at drawn places: a report, or one sentence, and no other error."""
    from spicealif.errors import SpicealifError
    from spicealif.report import _run
    from spicealif.report._blocks import Section

    # Both are of the waveforms and the design, which stay as they are, and take the time.
    for section in ("schematic_section", "traces_section"):
        monkeypatch.setattr(_run, section, lambda _: Section("some", "Some", []))
    folder = shutil.copytree(saved, tmp_path / "run")
    good = (folder / name).read_text()
    places = list(_places(json.loads(good)))
    rng = np.random.default_rng(3)
    ends = {"shown": 0, "refused": 0}
    for _ in range(25):
        data = json.loads(good)
        *way, last = places[rng.integers(1, len(places))]
        inner = data
        for key in way:
            inner = inner[key]
        inner[last] = [None, "x", [], {}, -1, True, 3.5, ["a"], {"a": 1}][rng.integers(9)]
        (folder / name).write_text(json.dumps(data))
        try:
            assert "</html>" in report_html(folder)
            ends["shown"] += 1
        except SpicealifError as error:
            assert "\n" not in str(error)
            ends["refused"] += 1
    assert ends["shown"]
    assert ends["refused"] or name == "provenance.json"


def test_the_design_is_compared_with_the_preset_that_it_was_made_of():
    values = "c = '47n'\nv_th = 0.42\nt_stop = '2m'\n[leak]\ntau = '3m'\nr_off = '2k2'\n"
    neuron = parse_toml(f"preset = 'paper'\n{values}", name="mine")
    page = report_html(solve_reference(neuron))
    assert "What differs from the preset paper, which it was made of" in page
    assert "knowm-generic" not in page


def test_a_neuron_is_not_taken_for_a_file_that_says_its_own(tmp_path):
    path = solve_reference(load_preset("lif").replace(t_stop="1m")).save(tmp_path / "r.nc")
    with pytest.raises(CompareError, match="--neuron and --set are for raw files"):
        report_html(path, neuron=load_preset("paper"))


def test_a_side_that_ends_early_or_falls_silent_is_told_in_the_answer():
    neuron = load_preset("lif").replace(t_stop="2m")
    reference, other = solve_reference(neuron), solve_reference(neuron, "schmitt")
    page = report_html(compare(other.until(5e-4), reference, neuron))
    answer = page[page.index("How closely") : page.index("Schematic</h2>")]
    assert "that both cover of 2" in answer
    assert "where one of the results ends" in answer
    step = {"kind": "pwl", "t": [0.0, 5e-4, 5.1e-4], "i": [1e-3, 1e-3, 0.0]}
    fading = load_preset("paper").replace({"stimulus": step, "t_stop": 5e-3})
    pair = compare(solve_reference(fading, "schmitt"), solve_reference(fading))
    (note,) = [n for n in pair.notes if n.startswith("No more spikes of")]
    assert note in pair.warnings
    assert "the mean rate is over all 5 ms" in note
    assert not compare(reference, reference, neuron).warnings
