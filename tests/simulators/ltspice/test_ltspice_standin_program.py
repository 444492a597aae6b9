"""The stand-in as a program: its command line, its runs, its words.

What it writes is read by `ltspice` and spicelib, which know nothing of this project.
"""

import os
import subprocess
import time

import ltspice
import numpy as np
import psutil
import pytest
from ltspice_standin import install
from spicelib import RawRead
from spicelib.log.ltsteps import LTSpiceLogReader
from test_ltspice_standin import RealRaw, restore

R, C = 1e3, 1e-7
DECK = """* RC low-pass
V1 in 0 PWL(0 0 1u 1 5m 1)
R1 in Out {r}
C1 out 0 100n
.param r=1k
.options plotwinsize=0 numdgt=15 reltol=1e-6
.tran 0 1m 0 2u
.end
"""
LOSSY = DECK.replace("plotwinsize=0 numdgt=15 ", "")


def start(program, *words, cwd, **environment):
    """Start the stand-in with nothing of this process's environment."""
    return subprocess.Popen(
        [str(program), *map(str, words)],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def simulate(tmp_path):
    """Run a deck and return the exit code; the files are beside the deck."""

    def run(deck=DECK, *words, flavour="win26", expect=0, **settings):
        (tmp_path / "deck.net").write_bytes(deck.encode())
        program = install(tmp_path / "bin", flavour=flavour, **settings)
        words = words or ("-b", "deck.net")
        process = start(program, *words, cwd=tmp_path)
        out, err = process.communicate(timeout=60)
        assert process.returncode == expect, err
        assert out == ""
        assert not left_of(process.pid)
        return tmp_path

    return run


def left_of(pid):
    """Return what is left of a program's session and children."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


def prepared(folder, points=200):
    """Return an ngspice raw file, so that no run takes time."""
    t = np.linspace(0, 1e-3, points)
    head = (
        "Title: x\nPlotname: Transient Analysis\nFlags: real\nNo. Variables: 2\n"
        f"No. Points: {points}\nVariables:\n\t0\ttime\ttime\n\t1\tv(out)\tvoltage\nBinary:\n"
    )
    path = folder / "prepared.raw"
    path.write_bytes(head.encode() + np.column_stack([t, charging(t)]).tobytes())
    return path


def opened(path):
    return RawRead(path, "*", dialect="ltspice", verbose=False)


def log_of(folder):
    content = (folder / "deck.log").read_bytes()
    return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-8")


def charging(t, r=R):
    """Return the capacitor's voltage while the source rises for 1 us and then stays."""
    tau, rise = r * C, 1e-6
    ramp = (t - tau * (1 - np.exp(-t / tau))) / rise
    end = (rise - tau * (1 - np.exp(-rise / tau))) / rise
    return np.where(t < rise, ramp, 1 - (1 - end) * np.exp(-(t - rise) / tau))


@pytest.mark.slow
@pytest.mark.parametrize("flavour", ["iv", "xvii", "mac17", "win24", "win26"])
def test_both_readers_read_a_whole_result(simulate, flavour):
    folder = simulate(flavour=flavour)
    raw = opened(folder / "deck.raw")
    names = ["time", "V(in)", "V(out)", "I(C1)", "I(R1)", "I(V1)"]
    assert raw.get_trace_names() == names
    t, v = np.asarray(raw.get_axis()), np.asarray(raw.get_wave("V(out)"))
    assert t[0] == 0
    assert t[-1] == pytest.approx(1e-3, rel=1e-12)
    assert v == pytest.approx(charging(t), abs=2e-5)
    # into R1 at its first node, out of the source's plus
    assert raw.get_wave("I(R1)") == pytest.approx((raw.get_wave("V(in)") - v) / R, abs=1e-9)
    assert raw.get_wave("I(V1)") == pytest.approx(-raw.get_wave("I(R1)"), abs=1e-9)
    flags = raw.get_raw_property("Flags")
    assert ("nocompression" in flags) == (flavour != "iv")
    assert "double" in flags
    other = ltspice.Ltspice(folder / "deck.raw").parse()
    assert other.get_data("V(out)") == pytest.approx(v)
    assert other.get_time() == pytest.approx(t)
    point = opened(folder / "deck.op.raw")
    assert point.get_trace_names() == names[1:]
    assert point.nPoints == 1
    log = log_of(folder)
    assert "Total elapsed time" in log
    assert ("Start Time" in log) == (flavour not in ("iv", "xvii"))
    assert sorted(p.name for p in folder.iterdir()) == [
        "bin",
        "deck.log",
        "deck.net",
        "deck.op.raw",
        "deck.raw",
    ]


def test_without_options_the_result_is_lossy(simulate):
    whole = opened(simulate() / "deck.raw")
    t, v = np.asarray(whole.get_axis()), np.asarray(whole.get_wave("V(out)"))
    raw = opened(simulate(LOSSY, flavour="xvii") / "deck.raw")
    assert raw.get_raw_property("Flags") == "real forward"
    thin, values = (np.asarray(raw.get_trace(n).data) for n in ("time", "V(out)"))
    assert len(thin) < len(t) / 5
    assert (thin < 0).any()
    assert restore(thin, values, t) == pytest.approx(v, abs=1.1e-3)
    assert not np.allclose(np.interp(t, np.abs(thin), values), v, atol=1e-3)


@pytest.mark.parametrize(("flavour", "digits"), [("xvii", "e+000,"), ("win26", "e+00,")])
def test_text_files(simulate, flavour, digits):
    folder = simulate(LOSSY, "-ascii", "-b", "deck.net", flavour=flavour)
    content = (folder / "deck.raw").read_bytes()
    assert content.startswith(b"Title: * RC low-pass\r\n")
    assert digits[:-1].encode() in content
    raw = opened(folder / "deck.raw")
    other = ltspice.Ltspice(folder / "deck.raw").parse()
    t = other.get_time()
    assert other.get_data("V(out)") == pytest.approx(charging(t), abs=2e-5)
    assert np.asarray(raw.get_wave("V(out)")) == pytest.approx(charging(t), abs=2e-5)


def test_fast_access(simulate):
    deck = DECK.replace("numdgt=15", "fastaccess")
    raw = opened(simulate(deck) / "deck.raw")
    t = np.asarray(raw.get_axis())
    assert np.asarray(raw.get_wave("V(out)")) == pytest.approx(charging(t), abs=2e-5)


STEPS = """.step param r list 1k 2k
.meas tran top max V(out)
.meas late find V(out) at 0.5m
.meas twice param 2*late
.meas nosuch find V(nosuch) at 0
.end
"""


@pytest.mark.parametrize("flavour", ["xvii", "win26"])
def test_steps_and_measurements(simulate, flavour):
    folder = simulate(DECK.replace(".end\n", STEPS), flavour=flavour)
    raw = opened(folder / "deck.raw")
    assert list(raw.get_steps()) == [0, 1]
    assert "stepped" in raw.get_raw_property("Flags")
    for step, r in enumerate((1e3, 2e3)):
        t = np.asarray(raw.get_axis(step))
        assert np.asarray(raw.get_wave("V(out)", step)) == pytest.approx(charging(t, r), abs=2e-5)
    log = LTSpiceLogReader(str(folder / "deck.log"))
    assert log.stepset == {"r": [1000, 2000]}
    late, top = (np.array([charging(at, r) for r in (1e3, 2e3)]) for at in (5e-4, 1e-3))
    assert log.dataset["late"] == pytest.approx(late, abs=2e-5)
    assert log.dataset["twice"] == pytest.approx(2 * late, abs=4e-5)
    assert log.dataset["top"] == pytest.approx(top, abs=2e-5)
    assert 'Measurement "nosuch" FAIL\'ed' in log_of(folder)


def test_the_fourth_version_repeats_the_first_point_of_a_step(simulate):
    """So spicelib counts one step too many; LTspice IV's own file has this as well."""
    file = RealRaw(simulate(DECK.replace(".end\n", STEPS), flavour="iv") / "deck.raw")
    starts = np.flatnonzero(file.columns["time"] == 0)
    assert len(starts) == 3
    assert starts[2] == starts[1] + 1
    t, v = (file.columns[name][starts[2] :] for name in ("time", "V(out)"))
    assert v == pytest.approx(charging(t, 2e3), abs=2e-5)


def test_saved_vectors_and_the_inside_of_a_subcircuit(simulate):
    deck = """* divider
V1 in 0 2
X1 in out half
.subckt half a b
R1 a m 1k
R2 m b 1k
.ends
R3 OUT 0 2k
.op
.save I(r3) V(x1:m) V(OUT) V(nosuch) I(X1:R1)
.meas tran m max V(out)
.end
"""
    folder = simulate(deck)
    raw = opened(folder / "deck.raw")
    assert raw.get_raw_property("Plotname") == "Operating Point"
    values = {name: float(raw.get_wave(name)[0]) for name in raw.get_trace_names()}
    # voltages first; nodes in lower case, devices as the deck spells them
    assert list(values) == ["V(x1:m)", "V(out)", "I(R3)", "I(x1:r1)"]
    assert list(values.values()) == pytest.approx([1.5, 1, 5e-4, 5e-4], rel=1e-6)
    assert 'Measurement "m" FAIL\'ed' in log_of(folder)


def test_a_prepared_raw_file_is_converted(simulate, tmp_path):
    t = np.array([0.0, 1.0, 2.0])
    body = np.column_stack([t, t + 1, -t]).tobytes()
    head = (
        "Title: x\nPlotname: Transient Analysis\nFlags: real\nNo. Variables: 3\nNo. Points: 0\n"
        "Variables:\n\t0\ttime\ttime\n\t1\tv(out)\tvoltage\n\t2\ti(v1)\tcurrent\nBinary:\n"
    )
    (tmp_path / "made.raw").write_bytes(head.encode() + body)
    began = time.perf_counter()
    folder = simulate(raw=tmp_path / "made.raw", ngspice="/nowhere")
    assert time.perf_counter() - began < 3
    raw = opened(folder / "deck.raw")
    assert raw.get_trace_names() == ["time", "V(out)", "I(V1)"]
    assert np.asarray(raw.get_wave("V(out)")) == pytest.approx([1, 2, 3])


# --- the command line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "flavour"),
    [
        ((), "win26"),
        (("deck.net",), "win26"),
        (("-Run", "deck.net"), "win26"),
        (("-b",), "win26"),
        (("-b", "deck.net", "other.net"), "win26"),
        (("-b", "-I/lib", "deck.net"), "win26"),
        (("-b", "deck.net", "-I", "/lib"), "win26"),
        (("-b", "deck.net", "-ini"), "win26"),
        (("-b", "-nosuch", "deck.net"), "win26"),
        (("-b", r"C:\deck.net"), "win26"),
        (("-version",), "xvii"),
        (("-Run", "-b", "deck.net"), "mac17"),
        (("-b", "-ascii", "deck.net"), "mac17"),
        (("deck.net",), "mac17"),
    ],
)
def test_a_wrong_command_line_is_no_run(simulate, words, flavour):
    folder = simulate(DECK, *(words or ("-b",)), flavour=flavour, expect=64)
    assert sorted(p.name for p in folder.iterdir()) == ["bin", "deck.net"]


def test_right_command_lines(simulate, tmp_path):
    raw = prepared(tmp_path)
    here = tmp_path / "deck.net"
    windows = "Z:" + str(here).replace("/", "\\")
    for words in (
        ("-Run", "-b", here),
        ("-b", "-Run", "-alt", "-ini", "my.ini", windows, "-I/some/lib"),
        ("-b", f"Z:{here}"),
    ):
        folder = simulate(DECK, *words, raw=raw)
        assert f"Circuit: {words[-2] if words[-1] == '-I/some/lib' else words[-1]}" in log_of(
            folder
        )
    (tmp_path / "deck.raw").unlink()
    simulate(DECK, "-b", "nosuch.net")
    assert not (tmp_path / "nosuch.log").exists()


def test_version_and_wine(tmp_path):
    out = subprocess.run(
        [install(tmp_path), "-version"], capture_output=True, text=True, check=True
    )
    assert out.stdout == "26.0.2\n"
    wine = install(tmp_path, "wine", wine=1, raw=prepared(tmp_path))
    (tmp_path / "LTspice.exe").touch()
    (tmp_path / "deck.net").write_text(DECK)
    codes = [
        subprocess.run([wine, *words], check=False, capture_output=True).returncode
        for words in (
            (tmp_path / "LTspice.exe", "-Run", "-b", f"Z:{tmp_path}/deck.net"),
            (tmp_path / "LTspice.exe", "-Run", "-b", f"{tmp_path}/deck.net"),
            (tmp_path / "nosuch.exe", "-Run", "-b", f"Z:{tmp_path}/deck.net"),
        )
    ]
    assert codes == [0, 64, 64]


def test_settings_that_do_not_exist_are_refused(simulate, tmp_path):
    with pytest.raises(ValueError, match="no setting"):
        install(tmp_path, flavor="xvii")
    for wrong in ({"do": "dance"}, {"flavour": "v"}, {"log": "utf-7"}):
        simulate(expect=65, **wrong)
    process = start(install(tmp_path), "-b", "x.net", cwd=tmp_path, STANDIN_NOSUCH="1")
    assert process.wait(20) == 65


# --- what LTspice says


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flavour", "card", "words", "code"),
    [
        ("xvii", "X1 in none", "Fatal Error: Unknown subcircuit called in: x1 in none", 255),
        ("xvii", "D1 in 0 no", 'line 8 : d1 in 0 no Unable to find definition of model "no"', 255),
        ("win26", "D1 in 0 No", '(8): Undefined model "no".\r\nD1 in 0 No\r\n        ^^', 1),
        ("win26", "X1 in nosuch", '(8): Unknown subcircuit called "nosuch".', 1),
        ("win26", "R2 in 0 {foo}", "No such parameter defined.", 1),
        ("win26", ".control", "(8): Unknown simulation directive.", 1),
        ("win26", "V2 in 0 1", "Voltage source V2 and voltage source V1 are paralleled", 1),
        ("mac17", "V2 q 0 1\nE1 q 0 in 0 1", "Singular matrix:", 0),
        ("win26", "V2 q 0 1\nE1 q 0 in 0 1", "Simulation Failed: Matrix is singular", 1),
        ("win26", ".op", "More than one analysis specified.", 1),
    ],
)  # fmt: skip
def test_what_a_refused_deck_leaves(simulate, flavour, card, words, code):
    deck = DECK.replace(".end\n", f"{card}\n.end\n")
    folder = simulate(deck, flavour=flavour, expect=code)
    assert words in log_of(folder)
    finished = "singular" in words.lower() or "paralleled" in words
    assert ("Total elapsed time" in log_of(folder)) == finished
    if (folder / "deck.raw").exists():
        assert "Binary" not in (folder / "deck.raw").read_bytes().decode("utf-16-le")


@pytest.mark.parametrize(
    ("flavour", "words", "code"),
    [
        ("xvii", "Fatal Error: Analysis: Time step too small; time = 0.0005, timestep = ", 255),
        ("win26", "Simulation Failed: Iteration limit reached", 1),
    ],
)
def test_a_run_that_ends_early_keeps_what_it_has(simulate, flavour, words, code):
    loop = "B1 o 0 V=5*u(V(in)-0.5+V(o)-2.5*V(o)*V(o)*V(in))\nR1 o 0 1k\nC1 o 0 1e-18\n"
    deck = f"* t\nV1 in 0 PWL(0 0 1m 1)\n{loop}.tran 0 1m 0 1u\n.end\n"
    folder = simulate(deck, flavour=flavour, expect=code)
    assert words in log_of(folder)
    assert 'trouble with node "o"' in log_of(folder)
    assert "Total elapsed time" in log_of(folder)
    raw = RealRaw(folder / "deck.raw")
    t = np.abs(raw.columns["time"])
    assert t[-1] == pytest.approx(0.5e-3, rel=1e-2)
    assert int(raw.fields["No. Points"]) == len(t)


def test_floating_nodes_are_told_and_the_run_goes_on(simulate):
    folder = simulate(DECK.replace(".tran", "C8 in q 1n\nC9 q 0 1n\nI9 0 p 1u\nC7 p 0 1\n.tran"))
    assert "WARNING: Node q is floating.\r\n" in log_of(folder)
    assert "ERROR: Node p is floating and connected to current source I9\r\n" in log_of(folder)


def test_a_fault_of_the_stand_in_looks_like_no_end_of_ltspices(simulate):
    simulate(ngspice="/nowhere", expect=66)


def test_what_ltspice_does_and_the_stand_in_does_not(simulate):
    simulate(DECK.replace(".tran", ".ac dec 1 1 2\n.tran"), expect=67)
