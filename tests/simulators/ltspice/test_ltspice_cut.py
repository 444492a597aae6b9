"""A raw file cut off at every byte: what the run is called, and exactly the whole points before."""

import numpy as np
import pytest
from _ltspice_runs import (
    FLAVOURS,
    PAPER,
    T_STOP,
    assert_beginning,
    assert_told,
    place,
    prepared,
    whole,
)
from _standin_log import write_log
from _standin_raw import raw_bytes

from spicealif.simulators import Status
from spicealif.simulators._common import finish
from spicealif.simulators.ltspice.runner import Ltspice
from spicealif.simulators.process.process import Finished

__all__ = ["place", "prepared", "whole"]

POINTS = 6
TIME = np.linspace(0, T_STOP, POINTS)
# Values that no float32 holds, different in every place.
COLUMNS = {"time": TIME} | {
    vector: np.sqrt(np.arange(2, POINTS + 2)) * (k + 1) - 3
    for k, vector in enumerate(PAPER.vectors)
}
KINDS = {
    "double": {"double": True},
    "float32": {},
    "ascii": {"ascii": True},
}


class Folder:
    """A run's folder in which a raw file is cut at one byte after the other."""

    def __init__(self, folder, flavour, *, finished=False):
        self.deck = folder / "neuron.net"
        self.deck.write_text(PAPER.text)
        write_log(self.deck.with_suffix(".log"), flavour, "x", finished=finished)
        program = folder / "LTspice"
        program.touch(0o755)
        self.simulator = Ltspice(program)

    def judge(self, content, done=None):
        """Return the run that left this raw file."""
        raw = self.deck.with_suffix(".raw")
        raw.write_bytes(content)
        output, version = self.simulator._output(PAPER, self.deck, done or Finished(1, 0.0, False))
        return finish(PAPER, "ltspice", version, output, 0.0)


def whole_points(content, start, n, kind):
    """Return how many points are whole in the first `n` bytes."""
    if kind != "ascii":
        return max(n - start, 0) // ((len(content) - start) // POINTS)
    # A point is whole when its last number is: the line's end tells.
    return content[start : max(n, start)].count(b"\r\n") // len(COLUMNS)


def assert_whole_points(waveforms, count, kind):
    def stored(values):
        return values.astype("f4").astype(float) if kind == "float32" else values

    if not count:
        assert waveforms is None
        return
    # text has 16 digits, one too few for some numbers
    np.testing.assert_allclose(waveforms.time, TIME[:count], rtol=3e-16 * (kind == "ascii"), atol=0)
    for name, terms in PAPER.signals.items():
        expected = sum(factor * stored(COLUMNS[vector])[:count] for factor, vector in terms)
        np.testing.assert_allclose(waveforms[name], expected, rtol=2e-15, atol=2e-15)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flavour", ["iv", "xvii", "win26"])  # the others write as XVII does
def test_every_byte_of_the_data(tmp_path, flavour, kind):
    content, start = raw_bytes("x", "Transient Analysis", COLUMNS, flavour=flavour, **KINDS[kind])
    folder = Folder(tmp_path, flavour)
    # text is long, and a number's last digit is as good as its line's end
    step = 1 if kind != "ascii" or flavour == "xvii" else 7
    for n in range(start, len(content), step):
        run = folder.judge(content[:n])
        count = whole_points(content, start, n, kind)
        got = 0 if run.waveforms is None else len(run.waveforms)
        if kind == "ascii" and got == count + 1:
            # All digits are there and the line's end is not.
            assert whole_points(content, start, n + 2, kind) == got
            count = got
        assert_whole_points(run.waveforms, count, kind)
        if count < 2:
            # the first point is the operating point
            assert_told(run, Status.CRASHED, "exit code 1 before it had computed anything")
        elif count < POINTS:
            reached = f"It ended at {TIME[count - 1]:.6g} s of {T_STOP:g} s"
            assert_told(run, Status.STOPPED_EARLY, reached)
    assert_told(folder.judge(content), Status.INCOMPLETE, "LTspice's log ends before the run does")


@pytest.mark.parametrize("flavour", ["iv", "xvii", "win26"])
def test_every_byte_of_the_header(tmp_path, flavour):
    content, start = raw_bytes("x", "Transient Analysis", COLUMNS, flavour=flavour, double=True)
    folder = Folder(tmp_path, flavour)
    for n in range(0, start, 1 if flavour == "iv" else 7):
        run = folder.judge(content[:n])
        assert_told(run, Status.CRASHED, "the raw file is of no use: it ")
        assert run.waveforms is None
        (error,) = run.errors
        assert str(error) in run.reason


def cut(folder, content, n, **how):
    return folder.judge(content[:n], Finished(-9, 0.0, **how))


def test_how_the_program_ended_at_every_byte(tmp_path):
    """The same data, called by what stopped it."""
    content, start = raw_bytes("x", "Transient Analysis", COLUMNS, flavour="iv", double=True)
    folder = Folder(tmp_path, "iv")
    row = (len(content) - start) // POINTS
    for n in [*range(0, start, 97), *range(start, len(content), 11)]:
        count = whole_points(content, start, n, "double")
        runs = [
            cut(folder, content, n, timed_out=True),
            cut(folder, content, n, timed_out=False, idle=True),
            cut(folder, content, n, timed_out=False),
        ]
        died = Status.CRASHED  # however far it had come: a signal is no word of the circuit
        for run, status in zip(runs, (Status.TIMEOUT, Status.STALLED, died), strict=True):
            assert_told(run, status, "SIGKILL" if status is died else "")
            assert_whole_points(run.waveforms, count, "double")
    assert row * POINTS + start == len(content)


@pytest.mark.slow
def test_every_byte_of_a_compressed_file(tmp_path):
    """Nobody asks for one, but a netlist may be edited: what is kept is always whole points."""
    t = np.linspace(0, T_STOP, 400)
    columns = {"time": t} | {
        vector: np.sin(t * (k + 1) * 2e5) for k, vector in enumerate(PAPER.vectors)
    }
    content, start = raw_bytes(
        "x", "Transient Analysis", columns, flavour="xvii", double=True, compressed=True,
        tolerance=0.02,
    )  # fmt: skip
    folder = Folder(tmp_path, "xvii")
    rows = np.frombuffer(content[start:], "<f8").reshape(-1, len(columns))
    assert (rows[:, 0] < 0).sum() > 10
    before = 0.0
    for n in range(start, len(content), 29):
        waveforms = folder.judge(content[:n]).waveforms
        kept = rows[: (n - start) // (8 * len(columns))]
        kept = kept[kept[:, 0] >= 0]
        if waveforms is None:
            assert len(kept) == 0
            continue
        assert np.all(np.diff(waveforms.time) > 0)
        assert np.isin(kept[:, 0], waveforms.time).all()
        assert before <= waveforms.time[-1] <= T_STOP
        before = waveforms.time[-1]
        assert np.isfinite(waveforms["v_c"]).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flavour", "part"), [(f, p) for f in FLAVOURS for p in (0.0, 0.005, 0.5, 0.95)]
)
def test_a_sample_by_the_whole_program(place, whole, flavour, part):
    # the header is of 1.0 (IV) to 2.0 kB, a point of 72 bytes
    size = 72 * len(whole) + (1000 if flavour == "iv" else 2000)
    run = place.ltspice(f"cut:{int(part * size)}", flavour=flavour).run(PAPER)
    if part < 0.1:
        assert_told(run, Status.CRASHED, "before it had computed anything")
        assert run.waveforms is None
    else:
        assert_told(run, Status.STOPPED_EARLY, f"s of {T_STOP:g} s")
        assert_beginning(run.waveforms, whole)
        assert len(run.waveforms) == pytest.approx(part * len(whole), abs=20)
