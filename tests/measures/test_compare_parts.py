"""``compare`` on files that hold several plots, a part of the run, or somebody else's circuit."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from _standin_raw import raw_bytes
from click.testing import CliRunner
from raw_files import header, rows, utf16

from spicealif import Waveforms, compare, load_preset, load_result, solve_reference
from spicealif.cli.main import cli
from spicealif.errors import CompareError, WaveformError
from spicealif.plots import overlay_figure

NEURON = load_preset("paper").replace(t_stop=6e-3)
TRANSIENT = "Transient Analysis"
NAMED = {"v_mem": "V(m)", "spike": "V(o)"}


@pytest.fixture(scope="module")
def whole() -> Waveforms:
    return solve_reference(NEURON)


def ours(of: Waveforms) -> dict[str, np.ndarray]:
    """Return the vectors of a netlist of ours."""
    vectors = {"time": of.time, "V(v_c)": of["v_c"], "V(v_s)": of["v_c"] - of["v_mem"]}
    return {**vectors, "V(x)": of["x"], "V(spike)": pulses(of)}


def pulses(of: Waveforms) -> np.ndarray:
    """Return an output that rises a sample before each spike."""
    out = np.zeros(len(of))
    out[np.searchsorted(of.time, of.t_spike)] = 3.8
    return out


def theirs(of: Waveforms) -> dict[str, np.ndarray]:
    return {"time": of.time, "V(m)": of["v_mem"], "V(o)": pulses(of)}


def plot(columns: dict[str, np.ndarray], name: str = TRANSIENT, **options) -> bytes:
    return raw_bytes("* mine", name, columns, flavour="win24", double=True, **options)[0]


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(a) for a in arguments], standalone_mode=False)
    return (1, str(done.exception)) if done.exception is not None else (0, done.output)


def write(path: Path, *plots: bytes) -> Path:
    path.write_bytes(b"".join(plots))
    return path


# ------------------------------------------------------------------------------- which plot


def test_the_only_transient_of_several_plots_is_taken_and_said(whole, tmp_path):
    op = plot({"V(v_c)": np.zeros(1)}, "Operating Point")
    ac = plot({"frequency": np.array([1.0, 2]) + 0j, "V(a)": np.ones(2) + 0j}, "AC Analysis")
    path = write(tmp_path / "a.raw", op, plot(ours(whole)), ac)
    mine = load_result(path, NEURON)
    assert mine.attrs["taken"].startswith("This is plot 2 of 3 ('Transient Analysis'")
    assert "plot 2 of 3" in str(compare(mine, whole, NEURON))
    alone = load_result(write(tmp_path / "b.raw", plot(ours(whole))), NEURON)
    assert "taken" not in alone.attrs


def test_of_several_transients_one_must_be_named(whole, tmp_path):
    part = whole.until(4e-3)
    path = write(tmp_path / "a.raw", plot(ours(whole)), plot(ours(part), "Transient Analysis of b"))
    with pytest.raises(WaveformError) as caught:
        load_result(path, NEURON)
    text = str(caught.value)
    assert "holds 2 transient analyses; choose one of them (--plot N)" in text
    assert "1 is 'Transient Analysis'" in text
    assert "2 is 'Transient Analysis of b'" in text
    for name, length in ((1, 6e-3), ("1", 6e-3), (2, 4e-3), ("of b", 4e-3), (TRANSIENT, 6e-3)):
        taken = load_result(path, NEURON, plot=name)
        assert taken.time[-1] == pytest.approx(length, rel=1e-3)
        assert "of 2" in taken.attrs["taken"]
    for name, words in (
        (0, "no plot 0; choose one from 1 to 2"),
        (3, "no plot 3; choose one from 1 to 2"),
        ("9" * 50, "no plot 999999999"),
        ("transient", "2 plots named 'transient'"),
        ("ac", "no plot named 'ac'"),
        ("\x1b[2J", "no plot named"),
        ("", "no plot named"),
    ):
        with pytest.raises(WaveformError, match=re.escape(words)) as caught:
            load_result(path, NEURON, plot=name)
        assert str(caught.value).isprintable()


def test_a_plot_that_is_no_transient_is_refused(whole, tmp_path):
    op = plot({"V(v_c)": np.zeros(1)}, "Operating Point")
    path = write(tmp_path / "a.raw", op, plot(ours(whole)))
    with pytest.raises(WaveformError, match=r"Plot 1 .* is no transient analysis; choose one \(2"):
        load_result(path, NEURON, plot=1)
    write(tmp_path / "b.raw", op)
    with pytest.raises(WaveformError, match=r"holds no transient analysis; .* 1 is 'Operating"):
        load_result(tmp_path / "b.raw", NEURON)


def test_steps_of_xyce_are_chosen_as_steps(whole, tmp_path):
    names = [
        f"Step Analysis: Step {k} of 2 params:  name = R value = {k}  {TRANSIENT}" for k in (1, 2)
    ]
    path = write(
        tmp_path / "a.raw", plot(ours(whole.until(3e-3)), names[0]), plot(ours(whole), names[1])
    )
    with pytest.raises(WaveformError, match="holds 2 steps; choose one of them"):
        load_result(path, NEURON)
    with pytest.raises(WaveformError, match="no step 3; choose one from 1 to 2"):
        load_result(path, NEURON, step=3)
    second = load_result(path, NEURON, step=2)
    assert second.time[-1] == pytest.approx(6e-3)
    assert "value = 2" in second.attrs["taken"]


def test_a_step_is_said_with_its_values(whole, tmp_path):
    both = {k: np.concatenate([v, v]) for k, v in ours(whole).items()}
    path = write(tmp_path / "a.raw", plot(both, steps=[len(whole)] * 2))
    (tmp_path / "a.log").write_text("Circuit: * a\n.step r=1000\n.step r=2k\n")
    assert "step 2 of 2 (r=2000)" in load_result(path, NEURON, step=2).attrs["taken"]


def test_the_command_has_an_option_for_the_plot(whole, tmp_path):
    path = write(tmp_path / "a.raw", plot(ours(whole.until(4e-3))), plot(ours(whole)))
    options = ("--neuron", "paper", "-s", "t_stop=6m")
    assert "choose one of them (--plot N)" in run("compare", path, *options)[1]
    code, text = run("compare", path, *options, "--plot", "1")
    assert code == 0
    assert "plot 1 of 2" in text
    assert "Compared up to 4 ms only" in text


# ------------------------------------------------------------------------------- which part


def test_a_file_that_begins_late_is_compared_from_there(whole, tmp_path):
    """With itself, all differences are none, and what came before counts on neither side."""
    late = whole.between(2e-3, 6e-3)
    names = ("time\ttime", "V(m)\tvoltage", "V(o)\tvoltage")
    head = header(names, len(late), flags="real forward double", offset="2.0e-003")
    columns = (late.time - 2e-3, late["v_mem"], pulses(late))
    path = write(tmp_path / "a.raw", utf16(head), rows(*columns, rest="f8"))
    mine = load_result(path, NEURON, signals=NAMED)
    assert mine.time[0] == pytest.approx(2e-3)
    result = compare(mine, whole, NEURON)
    inside = (whole.t_spike >= 2e-3).sum()
    assert 0 < inside < len(whole.t_spike)
    assert result.of_a["spike_count"] == result.of_b["spike_count"] == inside
    assert result.of_pair["matched"] == inside
    assert abs(result.of_pair["time_error_worst"]) < 2e-6  # a sample
    assert result.of_b["mean_rate"] == pytest.approx(inside / 4e-3)
    assert list(result.of_a["spikes_per_pulse"]) == list(result.of_b["spikes_per_pulse"])
    first = compare(whole, whole, NEURON).of_a["spikes_per_pulse"]
    assert list(result.of_b["spikes_per_pulse"]) == list(first[2:])
    assert any("Compared from 2 ms to 6 ms only" in note for note in result.notes)
    axes = overlay_figure(result).axes
    assert axes[0].get_xlim()[0] == pytest.approx(2.0)
    assert axes[-1].get_xlim() == pytest.approx((2.0, 6.0))
    # begun late on the other side
    turned = compare(whole, mine, NEURON)
    assert turned.of_a["spike_count"] == inside
    assert turned.of_pair["gamma"] == pytest.approx(1)


def test_parts_without_a_common_time(whole):
    early, late = whole.between(0.0, 2e-3), whole.between(3e-3, 6e-3)
    with pytest.raises(CompareError, match="ends at 2 ms, and the other begins at 3 ms; give"):
        compare(early, late, NEURON)
    short = NEURON.replace(t_stop=2e-3)
    with pytest.raises(CompareError, match="begins at 3 ms, and the neuron's run ends at 2 ms; "):
        compare(late, late, short)


def test_a_file_beyond_the_run_is_refused_before_anything_is_computed(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("spicealif.reference.solve_reference", None)
    late = whole.between(3e-3, 6e-3)
    path = write(tmp_path / "a.raw", plot(theirs(late)))
    code, text = run(
        *("compare", path, "--neuron", "paper", "-s", "t_stop=2m", "--v-mem", "V(m)"),
        *("--spike", "V(o)"),
    )
    assert code == 1
    assert text.startswith("One of the results begins at 3 ms")
    assert len(text.splitlines()) == 1


def test_between_puts_samples_at_its_ends(whole):
    part = whole.between(1.00005e-3, 2.00003e-3)
    assert (part.time[0], part.time[-1]) == (1.00005e-3, 2.00003e-3)
    assert (np.diff(part.time) > 0).all()
    for name in part:
        np.testing.assert_allclose(part[name], whole.at(name, part.time), rtol=0, atol=1e-15)
    assert set(part.t_spike) <= set(whole.t_spike)
    again = whole.between(float(whole.time[10]), float(whole.time[20]))
    np.testing.assert_array_equal(again.time, whole.time[10:21])
    inner = whole.between(1.00001e-3, 1.00002e-3)
    assert list(inner.time) == [1.00001e-3, 1.00002e-3]


# ------------------------------------------------------------------------------- true notes


def test_notes_of_somebody_else_s_circuit(whole, tmp_path):
    foreign = load_result(write(tmp_path / "a.raw", plot(theirs(whole))), NEURON, signals=NAMED)
    text = str(compare(foreign, whole, NEURON))
    assert "real parts switch at" not in text
    assert "run --certify" not in text
    assert "run the circuit again with a tenth of its tolerance" in " ".join(text.split())
    own = load_result(write(tmp_path / "b.raw", plot(ours(whole))), NEURON)
    text = str(compare(own, whole, NEURON))
    assert "real parts switch at" in text
    assert "run --certify" in text
    # two references have no parts
    assert "real parts switch at" not in str(compare(whole, whole))


def test_results_of_different_neurons_say_as_which_they_are_measured(whole):
    other = solve_reference(NEURON.replace({"leak.tau": 1e-3, "name": "other"}))
    notes = compare(whole, other, NEURON).notes
    assert any("both measured as paper" in note for note in notes)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200, -1e308])
@pytest.mark.parametrize("name", ["v_mem", "x", "v_c"])
def test_values_that_no_circuit_reaches(whole, bad, name):
    values = whole[name].copy()
    values[7] = bad
    broken = Waveforms(whole.time, {**whole.signals, name: values}, whole.t_spike, whole.attrs)
    with pytest.raises(CompareError, match=f"The trace {name} of reference .* which no circuit"):
        compare(broken, whole, NEURON)


def test_a_growing_file_is_said(whole, tmp_path):
    path = write(tmp_path / "a.raw", plot(ours(whole), points=len(whole) - 5))
    assert "its run was still going" in load_result(path, NEURON).attrs["caveat"]


def test_spikes_at_one_and_the_same_time(whole):
    for count in (2, len(whole.t_spike)):
        spikes = whole.t_spike.copy()
        spikes[:count] = spikes[0]
        same = Waveforms(whole.time, whole.signals, spikes, whole.attrs)
        with pytest.raises(CompareError, match="at one time or out of order"):
            compare(same, whole, NEURON)
