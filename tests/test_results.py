"""Raw files that somebody else ran: their vectors named, compared with the reference."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from _standin_raw import write_raw
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from spicealif import compare, load_preset, load_result, simulate, solve_reference
from spicealif.cli.main import cli
from spicealif.errors import RawFileError, WaveformError
from spicealif.rawfile import second_reader
from spicealif.rawfile.vectors import canonical, parse_sum
from spicealif.simulators import RawPlot, read_raw

NEURON = load_preset("paper").replace(t_stop=1e-3)
#: How the file's vectors make our quantities.
NAMED = {"v_mem": "V(vc)-V(vs)", "v_c": "V(vc)", "x": "V(state)", "spike": "V(out)"}
NAMED |= {"i_in": "-I(I1)"}
TRANSIENT = "Transient Analysis"


@pytest.fixture(scope="module")
def circuit():
    return simulate(NEURON, "ngspice-batch").require()


@pytest.fixture(scope="module")
def vectors(circuit) -> dict[str, np.ndarray]:
    """The same circuit as somebody else would have drawn it."""
    return {
        "time": circuit.time,
        "V(vc)": circuit["v_c"],
        "V(vs)": circuit["v_c"] - circuit["v_mem"],
        "V(out)": circuit["spike"],
        "V(state)": circuit["x"],
        "I(I1)": -circuit["i_in"],
    }


@pytest.fixture
def raw(vectors, tmp_path) -> Path:
    path = tmp_path / "mine.raw"
    write_raw(path, "* mine", TRANSIENT, vectors, flavour="win24", double=True)
    return path


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(a) for a in arguments], standalone_mode=False)
    if done.exception is not None:
        return 1, str(done.exception)
    return done.exit_code, done.output


# --- the file's vectors ---------------------------------------------------------------------------


def test_somebody_else_s_names(raw, circuit):
    mine = load_result(raw, NEURON, signals=NAMED)
    np.testing.assert_array_equal(mine.time, circuit.time)
    np.testing.assert_array_equal(mine.t_spike, circuit.t_spike)
    assert len(mine.t_spike) == 8
    for name in ("v_c", "x", "spike", "i_in"):
        np.testing.assert_array_equal(mine[name], circuit[name])
    # v_c - (v_c - v_mem) is v_mem but for rounding
    np.testing.assert_allclose(mine["v_mem"], circuit["v_mem"], rtol=0, atol=1e-15)
    assert "caveat" not in mine.attrs
    assert mine.attrs["simulator"] == "ltspice"


def test_only_what_is_needed(raw, circuit):
    mine = load_result(raw, NEURON, signals={k: NAMED[k] for k in ("v_mem", "spike")})
    assert set(mine) == {"v_mem", "spike", "i_in"}
    reference = solve_reference(NEURON)
    ours, theirs = compare(circuit, reference, NEURON), compare(mine, reference, NEURON)
    for name, value in ours.of_a.items():
        if name in ("v_c_peak", "x_final", "energy_per_spike", "supply_energy_per_spike"):
            assert np.isnan(theirs.of_a[name])
        else:
            np.testing.assert_array_equal(theirs.of_a[name], value)
    assert "peak capacitor voltage" in str(theirs)  # of the reference


def test_our_own_names_need_no_mapping(circuit, tmp_path):
    """As LTspice writes them for our netlist."""
    columns = {"time": circuit.time, "V(v_c)": circuit["v_c"]}
    columns |= {"V(v_s)": circuit["v_c"] - circuit["v_mem"], "V(x)": circuit["x"]}
    columns |= {"V(spike)": circuit["spike"], "I(V_pos)": -circuit["i_pos"]}
    write_raw(tmp_path / "a.raw", "* a", TRANSIENT, columns, flavour="mac17", double=True)
    mine = load_result(tmp_path / "a.raw", NEURON)
    assert set(mine) == {"v_c", "v_mem", "x", "spike", "i_pos", "i_in"}
    np.testing.assert_array_equal(mine["i_pos"], circuit["i_pos"])
    # One of them may be called something else.
    mine = load_result(tmp_path / "a.raw", NEURON, signals={"v_mem": "2*V(v_c)"})
    np.testing.assert_array_equal(mine["v_mem"], 2 * circuit["v_c"])


def test_what_is_missing_is_named_with_the_file_s_vectors(raw):
    with pytest.raises(WaveformError) as caught:
        load_result(raw, NEURON)
    text = str(caught.value)
    assert "no vectors for spike and v_mem" in text
    assert "--spike 'V(...)' --v-mem 'V(...)'" in text
    assert "time, V(vc), V(vs), V(out), V(state), I(I1)" in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("V(vx)", "did you mean V(vs)?"),
        ("V(vc)-", "cannot be read as a sum"),
        ("V(vc)V(vs)", "cannot be read as a sum"),
        ("V(vc)*V(vs)", "cannot be read as a sum"),
        ("V(vc,nowhere)", "cannot be read as a sum"),
        ("", "cannot be read as a sum"),
        ("1", "cannot be read as a sum"),
        ("V(vc)\n", ""),
    ],
)
def test_sums_that_cannot_be_read(raw, text, words):
    signals = {**NAMED, "v_mem": text}
    if not words:  # white space around is nobody's mistake
        load_result(raw, NEURON, signals=signals)
        return
    with pytest.raises(WaveformError, match=re.escape(words)):
        load_result(raw, NEURON, signals=signals)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("V(vc)-V(vs)", ((1, "V(vc)"), (-1, "V(vs)"))),
        ("v(VC) - v(vs)", ((1, "V(vc)"), (-1, "V(vs)"))),
        ("vc-vs", ((1, "V(vc)"), (-1, "V(vs)"))),
        ("V(vc,vs)", ((1, "V(vc)"), (-1, "V(vs)"))),
        ("-V(vc, vs)", ((-1, "V(vc)"), (1, "V(vs)"))),
        ("V(vc,0)", ((1, "V(vc)"),)),
        ("2*V(vc) - 0.5 * V(vs)", ((2, "V(vc)"), (-0.5, "V(vs)"))),
        ("-I(I1)", ((-1, "I(I1)"),)),
        ("I(v1)", ((1, "v1#branch"),)),
        ("v1#branch", ((1, "v1#branch"),)),
        ("V(out-)-V(+5V)", ((1, "V(out-)"), (-1, "V(+5V)"))),
        ("V(out-)", ((1, "V(out-)"),)),
        ("V(x1:a)+V(x1.a)", ((1, "V(x1:a)"), (1, "V(x1.a)"))),
        ("Ix(u1:out)", ((1, "Ix(u1:out)"),)),
        ("V(out)", ((1, "V(out)"),)),
        ("1e-3*V(vc)", ((1e-3, "V(vc)"),)),
    ],
)
def test_sums(text, terms):
    names = ["time", "V(vc)", "V(vs)", "I(I1)", "v1#branch", "V(out-)", "V(+5V)", "V(out)"]
    names += ["V(x1:a)", "V(x1.a)", "Ix(u1:out)"]
    assert parse_sum(text, names) == terms


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-1e6, 1e6).filter(lambda k: k == 0 or abs(k) > 1e-300),
            st.sampled_from(["V(a)", "V(ab)", "I(V1)", "V(a-b)", "x1#branch"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_sum_that_was_written_is_read_back(terms):
    names = ["V(a)", "V(ab)", "I(V1)", "V(a-b)", "x1#branch"]
    text = "".join(f"{'-' if k < 0 else '+'}{abs(k)!r}*{name}" for k, name in terms)
    assert parse_sum(text, names) == tuple(terms)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40), st.lists(st.text(max_size=8), max_size=6))
def test_any_text_is_a_sum_or_a_sentence(text, names):
    try:
        terms = parse_sum(text, names)
    except WaveformError as error:
        assert str(error).endswith(".")
        assert len(str(error).splitlines()) == 1
    else:
        assert terms
        assert {name for _, name in terms} <= set(names)


def test_one_spelling():
    assert canonical("V(V_C)") == canonical("v_c") == "v_c"
    assert canonical("I(V_pos)") == canonical("v_pos#branch") == "v_pos#branch"


# --- spikes ---------------------------------------------------------------------------------------


def test_another_circuit_s_output_levels(vectors, circuit, tmp_path):
    swapped = {**vectors, "V(out)": 10 * vectors["V(out)"] - 12}  # -12 to 26 V
    write_raw(tmp_path / "a.raw", "* a", TRANSIENT, swapped, flavour="win24", double=True)
    middle = 10 * (NEURON.comparator.v_oh + NEURON.comparator.v_ol) / 2 - 12
    mine = load_result(tmp_path / "a.raw", NEURON, signals=NAMED, spike_level=middle)
    np.testing.assert_allclose(mine.t_spike, circuit.t_spike, rtol=1e-12)
    # A level near the output's lowest is crossed a little earlier, and as often.
    early = load_result(tmp_path / "a.raw", NEURON, signals=NAMED, spike_level=-10)
    assert len(early.t_spike) == len(circuit.t_spike)
    assert (early.t_spike < circuit.t_spike).all()
    assert np.abs(early.t_spike - circuit.t_spike).max() < 50e-9
    assert not len(load_result(tmp_path / "a.raw", NEURON, signals=NAMED, spike_level=99).t_spike)


def test_a_level_that_the_output_does_not_reach_is_said(vectors, tmp_path):
    low = {**vectors, "V(out)": 1.5 / NEURON.comparator.v_oh * vectors["V(out)"]}
    write_raw(tmp_path / "a.raw", "* a", TRANSIENT, low, flavour="win24", double=True)
    mine = load_result(tmp_path / "a.raw", NEURON, signals=NAMED)
    assert not len(mine.t_spike)
    assert "does not rise through 1.909 V; name another level" in mine.attrs["caveat"]
    mine = load_result(tmp_path / "a.raw", NEURON, signals=NAMED, spike_level=0.7)
    assert len(mine.t_spike) == 8 and "caveat" not in mine.attrs
    # One that is silent rests, and no level would help.
    silent = {**vectors, "V(out)": np.full(len(vectors["time"]), 0.018)}
    write_raw(tmp_path / "a.raw", "* a", TRANSIENT, silent, flavour="win24", double=True)
    assert "caveat" not in load_result(tmp_path / "a.raw", NEURON, signals=NAMED).attrs


# --- accuracy -------------------------------------------------------------------------------------


def test_float32_and_compression_are_said(vectors, circuit, tmp_path):
    path = tmp_path / "a.raw"
    write_raw(path, "* a", TRANSIENT, vectors, flavour="xvii")
    mine = load_result(path, NEURON, signals=NAMED)
    assert "numdgt=15" in mine.attrs["caveat"]
    assert "plotwinsize" not in mine.attrs["caveat"]
    # 7 digits of some volts: the edges of the spikes are steep, so their times hardly feel it.
    np.testing.assert_allclose(mine.t_spike, circuit.t_spike, rtol=0, atol=1e-12)
    np.testing.assert_allclose(mine["v_mem"], circuit["v_mem"], rtol=0, atol=1e-7)
    assert mine["v_mem"].dtype == np.float64

    write_raw(path, "* a", TRANSIENT, vectors, flavour="xvii", compressed=True)
    squeezed = load_result(path, NEURON, signals=NAMED)
    assert "plotwinsize=0" in squeezed.attrs["caveat"]
    assert len(read_raw(path)[0]["time"]) < len(circuit.time) / 2
    assert len(squeezed.t_spike) == len(circuit.t_spike)
    assert np.abs(squeezed.t_spike - circuit.t_spike).max() < 20e-9
    assert "plotwinsize=0" in str(compare(squeezed, circuit, NEURON))


def test_a_run_that_ended_early(vectors, circuit, tmp_path):
    cut = {name: values[: len(values) // 2] for name, values in vectors.items()}
    write_raw(tmp_path / "a.raw", "* a", TRANSIENT, cut, flavour="win24", double=True, points=0)
    mine = load_result(tmp_path / "a.raw", NEURON, signals=NAMED)
    assert "ends early" in mine.attrs["caveat"]
    np.testing.assert_array_equal(mine.t_spike, circuit.t_spike[circuit.t_spike < mine.time[-1]])
    assert f"up to {mine.time[-1] * 1e6:.4g} us only" in str(compare(mine, circuit, NEURON))


def test_another_input_current_is_said(vectors, tmp_path):
    doubled = {**vectors, "I(I1)": 1.1 * vectors["I(I1)"]}
    write_raw(tmp_path / "a.raw", "* a", TRANSIENT, doubled, flavour="win24", double=True)
    assert (
        "differs from the neuron's stimulus"
        in load_result(tmp_path / "a.raw", NEURON, signals=NAMED).attrs["caveat"]
    )
    # The sign is the commonest mistake.
    assert (
        "differs from"
        in load_result(tmp_path / "a.raw", NEURON, signals={**NAMED, "i_in": "I(I1)"}).attrs[
            "caveat"
        ]
    )


def test_another_input_current_is_said_however_short_its_pulses(tmp_path):
    """Of most points the current is 0, as it should be."""
    neuron = NEURON.replace({"stimulus.duty": 0.1})
    time = np.linspace(0, neuron.t_stop, 5001)
    columns = {"time": time, "V(v_c)": 0 * time, "V(v_s)": 0 * time, "V(spike)": 0 * time}
    for factor, told in ((1.0, False), (2.0, True)):
        columns["I(I1)"] = factor * neuron.stimulus.value(time)
        write_raw(tmp_path / "a.raw", "* a", TRANSIENT, columns, flavour="win24", double=True)
        mine = load_result(tmp_path / "a.raw", neuron, signals={"i_in": "I(I1)"})
        assert ("differs from" in mine.attrs.get("caveat", "")) == told


# --- steps, other files ---------------------------------------------------------------------------


def test_steps_are_chosen(vectors, circuit, tmp_path):
    steps = [len(circuit.time)] * 2
    both = {name: np.concatenate([values, values]) for name, values in vectors.items()}
    both["V(state)"][steps[0] :] = 0.5
    write_raw(tmp_path / "a.raw", "* a", TRANSIENT, both, flavour="xvii", steps=steps)
    with pytest.raises(WaveformError, match="holds 2 steps; choose one of them"):
        load_result(tmp_path / "a.raw", NEURON, signals=NAMED)
    for bad in (0, 3, -1):
        with pytest.raises(WaveformError, match="choose one from 1 to 2"):
            load_result(tmp_path / "a.raw", NEURON, signals=NAMED, step=bad)
    first = load_result(tmp_path / "a.raw", NEURON, signals=NAMED, step=1)
    second = load_result(tmp_path / "a.raw", NEURON, signals=NAMED, step=2)
    assert len(first) == len(second) == steps[0]
    assert (second["x"] == 0.5).all()
    assert first["x"][-1] == pytest.approx(circuit["x"][-1], rel=1e-6)


def test_files_of_ours_have_no_vectors_to_name(circuit, tmp_path):
    circuit.save(tmp_path / "c.nc")
    for options in ({"signals": NAMED}, {"step": 1}, {"spike_level": 1.0}):
        with pytest.raises(WaveformError, match="for raw files only"):
            load_result(tmp_path / "c.nc", **options)
    with pytest.raises(WaveformError, match="no quantity 'v_membrane'; choose one of v_mem"):
        load_result(_copy(circuit, tmp_path), NEURON, signals={"v_membrane": "V(a)"})


def _copy(circuit, folder: Path) -> Path:
    write_raw(folder / "b.raw", "* b", TRANSIENT, {"time": circuit.time}, flavour="iv")
    return folder / "b.raw"


@pytest.mark.parametrize("name", ["mine.raw", "mine.qraw", "mine.dat", "mine"])
@pytest.mark.parametrize("flavour", ["iv", "xvii"])
def test_a_raw_file_is_known_by_its_beginning(vectors, tmp_path, name, flavour):
    write_raw(tmp_path / name, "* mine", TRANSIENT, vectors, flavour=flavour)
    assert len(load_result(tmp_path / name, NEURON, signals=NAMED).t_spike) == 8


def test_a_netcdf_file_is_known_by_its_beginning(circuit, tmp_path):
    circuit.save(tmp_path / "c.nc").rename(tmp_path / "c.raw")
    np.testing.assert_array_equal(load_result(tmp_path / "c.raw").time, circuit.time)


def test_the_netlist_is_not_ours(raw):
    """So its digest is not known, and the neuron's edges may be ideal."""
    neuron = NEURON.replace({"stimulus.t_rise": 0.0, "stimulus.t_fall": 0.0})
    mine = load_result(raw, neuron, signals=NAMED)
    assert "netlist_digest" not in mine.attrs
    assert len(mine.t_spike) == 8


def test_what_is_not_needed_is_not_read(raw, monkeypatch):
    read = []
    find = RawPlot._column

    def spy(plot, name, points):
        read.append(name)
        return find(plot, name, points)

    monkeypatch.setattr(RawPlot, "_column", spy)
    monkeypatch.setattr(RawPlot, "columns", None)
    load_result(raw, NEURON, signals={k: NAMED[k] for k in ("v_mem", "spike")})
    assert sorted(read) == ["V(out)", "V(vc)", "V(vs)", "time"]


def test_no_transient(tmp_path):
    columns = {"frequency": np.array([1.0, 2.0]) + 0j, "V(a)": np.zeros(2) + 0j}
    write_raw(tmp_path / "ac.raw", "* a", "AC Analysis", columns, flavour="xvii")
    with pytest.raises(WaveformError, match="no transient analysis"):
        load_result(tmp_path / "ac.raw", NEURON)


def test_second_reader(raw, vectors, tmp_path, monkeypatch):
    assert "caveat" not in load_result(raw, NEURON, signals=NAMED, cross_check=True).attrs
    path = tmp_path / "f32.raw"
    write_raw(path, "* a", TRANSIENT, vectors, flavour="xvii")
    caveat = load_result(path, NEURON, signals=NAMED, cross_check=True).attrs["caveat"]
    assert "Not cross-checked: the package ltspice" in caveat
    read = second_reader._columns

    def wrong(other):
        columns = read(other)
        columns["V(out)"] = columns["V(out)"] + 1e-12
        return columns

    monkeypatch.setattr(second_reader, "_columns", wrong)
    with pytest.raises(RawFileError, match=r"other values of V\(out\)"):
        load_result(raw, NEURON, signals=NAMED, cross_check=True)
    load_result(raw, NEURON, signals=NAMED)


def test_the_second_reader_knows_one_plot_alone(raw, tmp_path):
    point = tmp_path / "op.raw"
    write_raw(point, "* a", "Operating Point", {"V(a)": np.ones(1)}, flavour="win24", double=True)
    both = tmp_path / "both.raw"
    both.write_bytes(point.read_bytes() + raw.read_bytes())
    caveat = load_result(both, NEURON, signals=NAMED, cross_check=True).attrs["caveat"]
    assert "fails on a file of several plots" in caveat


# --- the command ----------------------------------------------------------------------------------


def test_compare_with_the_reference(raw, tmp_path):
    (tmp_path / "mine.toml").write_text('preset = "paper"\nt_stop = "1m"\n')
    options = ["--v-mem", NAMED["v_mem"], "--spike", NAMED["spike"], "-x", NAMED["x"]]
    figure = tmp_path / "both.png"
    code, out = run(
        "compare", raw, "--neuron", tmp_path / "mine.toml", *options, "--figure", figure
    )
    assert code == 0, out
    assert "circuit (ltspice)" in out
    assert "reference (ideal)" in out
    assert figure.read_bytes().startswith(b"\x89PNG")
    code, out = run(
        *("compare", raw, "--neuron", "paper", "-s", "t_stop=1m", *options),
        *("--variant", "schmitt", "--json"),
    )
    assert code == 0, out
    data = json.loads(out)
    assert data["circuit (ltspice)"]["spike_count"] == 8
    assert data["reference (schmitt)"]["spike_count"] == 8


def test_a_variant_is_of_the_reference_alone(raw):
    code, text = run("compare", raw, raw, "--neuron", "paper", "--variant", "ideal")
    assert code == 1 and "only without SECOND" in text


def test_compare_says_what_is_missing(raw, tmp_path):
    assert "give the neuron (--neuron FILE)" in run("compare", raw)[1]
    assert "no vectors for spike and v_mem" in run("compare", raw, "--neuron", "paper")[1]
    assert "add --neuron" in run("compare", raw, "-s", "t_stop=1m")[1]
    circuit = tmp_path / "r.nc"
    solve_reference(NEURON).save(circuit)
    code, out = run("compare", circuit)  # says itself what it is of
    assert code == 0, out
    assert "reference (ideal) (a)" in out
