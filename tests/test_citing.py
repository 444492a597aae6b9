"""What to cite: exactly what a result rests on, as BibTeX that other programs read."""

import re
from dataclasses import replace

import pytest

import spicealif
from spicealif import (
    MonteCarlo,
    SeriesCircuit,
    Sweep,
    certify,
    citation,
    compare,
    explain,
    load_device,
    load_preset,
    solve_circuit,
    solve_reference,
    verify,
)
from spicealif._support.resources import models_dir
from spicealif.design import MODELS
from spicealif.errors import CompareError, LearningError, WaveformError

NEURON = load_preset("paper").replace(t_stop="1m")
ALWAYS = ["spicealif", "alif"]
MMS = [*ALWAYS, "nugent2014", "molter2016"]


def keys(text):
    return re.findall(r"^@\w+\{(\w+),$", text, re.M)


def of_leak(kind):
    device = next(d for d in map(load_device, spicealif.device_names()) if d.device.kind == kind)
    return NEURON.replace({"leak": device.device.to_dict()})


def test_a_neuron_rests_on_its_model():
    assert keys(citation(NEURON)) == MMS
    assert keys(citation(load_preset("lif"))) == ALWAYS
    assert keys(citation(of_leak("vteam"))) == [*ALWAYS, "kvatinsky2015", "biolek2009"]
    assert keys(citation(of_leak("yakopcic"))) == [*ALWAYS, "yakopcic2013"]
    assert keys(citation(of_leak("gmms"))) == [*ALWAYS, "molter2016"]


def test_every_model_of_ours_is_known():
    from spicealif.citing import _MODELS

    assert set(_MODELS) == {*MODELS, "resistor"}


def test_a_model_of_another_package_is_named():
    class Leak:
        def to_dict(self):
            return {"kind": "theirs"}

    class Neuron:
        leak, source = Leak(), "Somebody,\n2020"

    Neuron.__module__ = "spicealif.design"
    text = citation(Neuron())
    assert "% The memristor model theirs is another package's; see Somebody, 2020.\n" in text
    assert keys(text) == ALWAYS


def test_traces_rest_on_what_made_them():
    reference, circuit = solve_reference(NEURON), solve_circuit(NEURON)
    assert keys(citation(reference)) == MMS
    run = replace_version(circuit, "ngspice-39", "ngspice")
    assert keys(citation(run)) == [*MMS, "ngspice", "pyspice"]
    assert "note = {Version 39}," in citation(run)
    assert keys(citation(replace_version(circuit, "LTspice 24.1.9", "ltspice"))) == [
        *MMS, "ltspice",
    ]  # fmt: skip
    foreign = citation(replace_version(circuit, "Xyce 7\n{", "xyce"))
    assert "% The circuit was run by Xyce 7 {.\n" in foreign
    both = keys(citation(compare(circuit, reference)))
    assert both[len(MMS) :] == ["victor1996", "vanrossum2001", "kistler1997", "jolivet2008"]


def replace_version(waveforms, version, simulator):
    return replace(waveforms, attrs={**waveforms.attrs, "version": version, "simulator": simulator})


@pytest.mark.slow
def test_analyses_rest_on_their_methods():
    assert "hairer1996" in keys(citation(certify(NEURON, "equations")))
    by_lsoda = keys(citation(verify(NEURON, "equations", method="LSODA")))
    assert {"petzold1983", "virtanen2020"} <= set(by_lsoda)
    assert "shapley1953" in keys(citation(explain(NEURON, "equations", orders=2, cache=False)))


def test_sweeps_and_devices(tmp_path):
    sweep = Sweep(NEURON, {"c": ["47n", "100n"]}, sides="reference")
    assert keys(citation(sweep)) == MMS
    assert keys(citation(MonteCarlo(NEURON, 3, simulator="equations"))) == [*MMS, "hairer1996"]
    result = sweep.run(store=tmp_path, workers=1)
    assert keys(citation(result)) == MMS
    assert keys(citation(result.assign_attrs(kind="f-i-curve"))) == [*MMS, "benda2003"]
    device = load_device("yakopcic_oblea")
    assert keys(citation(device)) == [*ALWAYS, "yakopcic2013"]
    drive = {"kind": "sine", "amplitude": "0.8 V", "frequency": 100.0}
    series = SeriesCircuit(device=device.device, drive=drive, t_stop="10m")
    assert keys(citation(series)) == [*ALWAYS, "yakopcic2013"]


def test_saved_results(tmp_path):
    reference, circuit = solve_reference(NEURON), solve_circuit(NEURON)
    assert keys(citation(reference.save(tmp_path / "reference.nc"))) == MMS
    assert keys(citation(tmp_path)) == MMS
    circuit.save(tmp_path / "circuit.nc")
    assert "jolivet2008" in keys(citation(str(tmp_path)))
    path = tmp_path / "sweep.nc"
    result = Sweep(NEURON, {"c": ["47n"]}, sides="reference").run(store=tmp_path / "s", workers=1)
    spicealif.save_sweep(result, path)
    assert keys(citation(path)) == MMS
    (tmp_path / "empty").mkdir()
    with pytest.raises(CompareError, match=r"neither circuit\.nc nor reference\.nc"):
        citation(tmp_path / "empty")
    with pytest.raises(WaveformError, match=r"nothing\.nc"):
        citation(tmp_path / "nothing.nc")
    with pytest.raises(CompareError, match="nothing to cite for a int"):
        citation(3)


def study_of(accuracies, n_test=20):
    from spicealif.learning import Cell, StudyResult, load_task

    cells = tuple(
        Cell(method, seed, accuracy=a, balanced_accuracy=a, inner_accuracy=a, n_train=80,
             n_test=n_test, stage_s=0.0, fit_s=0.0, predictions=(0,) * n_test,
             wrong=tuple(range(round((1 - a) * n_test))))
        for method, values in accuracies.items() for seed, a in enumerate(values)
    )  # fmt: skip
    return StudyResult(load_task("iris"), cells, ("a", "b"), (60, 40), "Fisher, 1936.")


def test_studies_of_learning_rest_on_their_tests(tmp_path):
    alif, other = [0.9, 0.85, 0.95], [0.8, 0.7, 0.75]
    study = study_of({"alif-ridge": alif, "k-nn": other})
    expected = [*MMS, "pedregosa2011", "nadeau2003", "holm1979"]
    assert keys(citation(study)) == expected
    assert "% Cite for the data: Fisher, 1936." in citation(study)
    assert keys(citation(study.save(tmp_path / "study.json"))) == expected
    # Of one method nothing is tested, though its interval is of that kind; of one split neither is.
    assert keys(citation(study_of({"alif-ridge": alif}))) == expected[:-1]
    assert keys(citation(study_of({"k-nn": alif[:1]}))) == [*ALWAYS, "pedregosa2011", "wilson1927"]
    # The bank that does not adapt has the circuit, and a resistor for the memristor.
    assert keys(citation(study_of({"lif-ridge": alif}))) == [
        *keys(citation(load_preset("lif"))), "pedregosa2011", "nadeau2003",
    ]  # fmt: skip
    several = study_of({"rocket": alif, "minirocket": other, "1nn-dtw": other})
    assert keys(citation(several)) == [
        *ALWAYS, "pedregosa2011", "dempster2020", "dempster2021", "nadeau2003",
    ]  # fmt: skip


def test_a_study_of_a_circuit_rests_on_its_parts(tmp_path):
    from circuit_studies import made_circuit_study

    study, always = made_circuit_study(), [*MMS, "hairer1996"]
    expected = [*always, "ngspice", "pyspice", "pedregosa2011", "shapley1953", "wilson1927",
                "mcnemar1947"]  # fmt: skip
    assert keys(citation(study)) == expected
    assert keys(citation(study.save(tmp_path / "circuit.json"))) == expected
    few = keys(citation(made_circuit_study("energy")))
    assert few == [*always, "pedregosa2011", "wilson1927", "mcnemar1947"]
    (tmp_path / "none.json").write_text("{}")
    with pytest.raises(LearningError, match="no study's result"):
        citation(tmp_path / "none.json")


def test_the_file_is_bibtex_and_every_entry_is_used():
    """Entries are closed, keys are single, and braces are balanced in each line."""
    import inspect

    from spicealif import citing

    text = (models_dir() / "references.bib").read_text()
    found = keys(text)
    assert len(found) == len(set(found)) == text.count("\n@") == text.count("\n}\n")
    for line in text.splitlines():
        if line.startswith("  "):
            assert line.count("{") == line.count("}"), line
            assert re.fullmatch(r"  \w+ = \{.*\},", line), line
    assert all(f'"{key}"' in inspect.getsource(citing) for key in found)
    assert set(citing._entries()) == set(found)


def test_what_a_file_says_makes_no_entry_and_no_escape(tmp_path):
    circuit = solve_circuit(NEURON)
    hostile = replace_version(circuit, "ngspice-45},\n}\n@misc{evil,a={b", "ngspice-batch")
    text = citation(hostile)
    assert keys(text) == [*MMS, "ngspice"]
    assert "note = {Version 45miscevilab}," in text
    text = citation(replace_version(circuit, "sim \x1b[31m\x07\n@misc{evil,", "x"))
    assert keys(text) == MMS
    assert "\x1b" not in text


def test_waveforms_that_do_not_say_of_what_they_are():
    reference = solve_reference(NEURON)
    attrs = {k: v for k, v in reference.attrs.items() if k != "design"}
    text = citation(replace(reference, attrs=attrs))
    assert keys(text) == ALWAYS
    assert "% The waveforms do not say which neuron they are of" in text
