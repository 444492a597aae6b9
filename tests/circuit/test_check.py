"""The numerical error of a run, from the circuit's own equations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from independent import three_state_spikes

from spicealif import compare, cosimulate, load_preset, simulate, solve_reference
from spicealif.circuit import check_circuit, with_check
from spicealif.errors import IntegrationError
from spicealif.measures.one_side import measure

NEURON = load_preset("paper").replace(t_stop=1e-3)


@pytest.fixture(scope="module")
def run():
    return simulate(NEURON).require()


def test_a_run_of_known_error_has_it():
    """The all-ideal circuit, whose spikes SciPy's solvers give; ngspice with a coarse tolerance."""
    neuron = NEURON.ideal().replace({"numerics.reltol": 1e-5, "numerics.steering": False})
    waveforms = simulate(neuron).require()
    exact = three_state_spikes(neuron)[0]
    true = np.abs(waveforms.t_spike - exact)
    check = check_circuit(waveforms, neuron)
    assert true.max() > 1e-9
    assert check.worst == pytest.approx(true.max(), abs=1e-10)
    assert check.median == pytest.approx(np.median(true), abs=1e-10)
    assert check.own_error < check.worst / 3
    first = measure(waveforms, neuron)["isi_first"] - (exact[1] - exact[0])
    assert check.errors["isi_first"] == pytest.approx(first, abs=1e-10)


def test_a_planted_error_is_found_and_named(run):
    moved = replace(run, t_spike=run.t_spike + 5e-9 * np.arange(len(run.t_spike)))
    check = check_circuit(moved, NEURON)
    assert check.worst == pytest.approx(5e-9 * (len(run.t_spike) - 1), abs=1e-9)
    assert check.errors["isi_mean"] == pytest.approx(5e-9, abs=1e-9)
    lost = check_circuit(replace(run, t_spike=run.t_spike[1:]), NEURON)
    assert np.isnan(lost.worst)
    assert lost.errors["spike_count"] == -1
    assert lost.note("it").startswith(f"Do not rely on it: it has {len(run.t_spike) - 1} spikes")


def test_the_equations_are_judged_by_a_tighter_tolerance():
    waveforms = simulate(NEURON, "equations").require()
    check = check_circuit(waveforms, NEURON)
    assert 0 < check.worst < 1e-9
    assert check.errors["isi_mean"] != 0


def test_the_table_has_it_behind_the_figures():
    result = cosimulate(NEURON, "equations")
    assert result.check is not None
    rows = {label: circuit for label, circuit, *_ in result.comparison.rows}
    error = abs(result.check.errors["isi_mean"])
    assert rows["mean interval"].endswith("s") and " +- " in rows["mean interval"]
    assert "+-" not in rows["spikes"]  # none is in doubt
    assert 0 < error < 1e-11
    assert "spike times within" in result.comparison.notes[-1]
    assert "The reference's is not measured here" in result.comparison.notes[-1]
    told = result.comparison.to_dict()["numerical_error"]
    assert told["spike_time_worst"] == result.check.worst
    without = cosimulate(NEURON, "equations", check=False)
    assert without.check is None
    assert "is not known" in without.comparison.notes[-1]
    assert "numerical_error" not in without.comparison.to_dict()


def test_equations_that_cannot_be_solved_are_no_error(monkeypatch, run):
    def refuse(*_, **__):
        raise IntegrationError("The integration stops at t = 0; use values of ordinary size.")

    monkeypatch.setattr("spicealif.circuit.check.solve_twice", refuse)
    check = check_circuit(run, NEURON)
    assert check.note("it") == (
        "The numerical error of it is not known: the integration stops at t = 0; use values of "
        "ordinary size."
    )
    assert check.errors == {}


def test_only_a_whole_run_of_ours_is_checked(run):
    reference = solve_reference(NEURON)
    checked = with_check(compare(run, reference, NEURON))
    assert checked.check is not None and checked.checked == 0
    other_way = with_check(compare(reference, run, NEURON))
    assert other_way.check is not None and other_way.checked == 1
    foreign = replace(run, attrs={**run.attrs, "foreign": 1})
    assert with_check(compare(foreign, reference, NEURON)).check is None
    cut = with_check(compare(run.until(5e-4), reference, NEURON))
    assert cut.check is not None and not cut.check.errors
    assert "there are 0 s to 500 us of it, and the neuron runs for" in str(cut)
    assert "(--set t_stop=...)" in " ".join(str(cut).split())
    assert with_check(compare(run, reference, NEURON.replace(c=110e-9))).check is None
    assert with_check(compare(reference, reference, NEURON)).check is None


def test_a_run_at_the_tightest_tolerance_has_no_judge_and_says_so():
    fine = NEURON.replace({"t_stop": 1e-4, "numerics.reltol": 1e-10})
    known = check_circuit(simulate(fine, "equations").require(), fine)
    assert 0 < known.own_error < 1e-11
    finer = fine.replace({"numerics.reltol": 1e-11})
    unknown = check_circuit(simulate(finer, "equations").require(), finer)
    assert "rounding decides" in unknown.note("it")
    assert unknown.errors == {}


def test_a_coarse_run_is_judged_as_tightly_as_any_other():
    """Energies stay the same from 1e-5 to 1e-7, a microjoule's millionth off."""
    coarse = NEURON.replace({"t_stop": 4e-4, "numerics.reltol": 1e-5})
    waveforms = simulate(coarse, "equations").require()
    check = check_circuit(waveforms, coarse)
    best = simulate(coarse.replace({"numerics.reltol": 1e-11}), "equations").require()
    for name in ("supply_energy_per_spike", "v_c_peak", "isi_mean"):
        true = abs(measure(waveforms, coarse)[name] - measure(best, coarse)[name])
        shown = abs(check.errors[name]) + check.own_errors[name]
        assert 0.8 * true < shown < 2 * true, name


def test_a_file_that_does_not_say_what_it_is_of_is_told_so(run):
    attrs = {k: v for k, v in run.attrs.items() if not k.startswith("design")}
    check = check_circuit(replace(run, attrs=attrs), NEURON)
    assert check.note("it").endswith("if the file is of this very design.")
    lost = check_circuit(replace(run, attrs=attrs, t_spike=run.t_spike[1:]), NEURON)
    assert "does not say which design it is of" in lost.note("it")
