"""Input currents against their definitions, and their SPICE text against ngspice itself."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from own_ngspice import with_home

from spicealif.design import (
    Constant,
    PiecewiseLinear,
    PulseTrain,
    Sine,
    Step,
    Stimulus,
    Sum,
    load_preset,
)
from spicealif.errors import DesignError, NetlistError
from spicealif.netlist import build_netlist
from spicealif.simulators import read_raw

Floats = NDArray[np.float64]


def expected(s: Stimulus, time: Floats) -> Floats:
    """Evaluate a stimulus from its definition, without its knots."""
    t = np.asarray(time, dtype=float)
    match s:
        case Constant():
            return np.full(t.shape, s.amplitude)
        case Step():
            return s.offset + s.amplitude * edge(t - s.delay, s.t_rise)
        case PulseTrain():
            period = 1 / s.frequency
            k = np.floor((t - s.delay) * s.frequency)
            # Rounding may put a time on the wrong side of a start; both neighbours are looked at.
            out = np.full(t.shape, s.offset)
            for n in (k - 1, k, k + 1):
                last = math.inf if s.n_pulses is None else s.n_pulses - 1
                u = t - (s.delay + n * period)
                pulse = edge(u, s.t_rise) - edge(u - s.duty * period, s.t_fall)
                out += np.where((n >= 0) & (n <= last), s.amplitude * pulse, 0.0)
            return out
        case Sine():
            angle = 2 * math.pi * s.frequency * np.maximum(t - s.delay, 0) + s.phase
            return s.offset + s.amplitude * np.sin(angle)
        case PiecewiseLinear():
            return np.interp(t, s.t, s.i)
        case Sum():
            return np.sum([expected(term, t) for term in s.terms], axis=0)
    raise AssertionError(s)


def edge(u: Floats, duration: float) -> Floats:
    """Rise from 0 to 1 within `duration`; an ideal edge has its end value at once."""
    return np.clip(u / duration, 0, 1) if duration > 0 else np.where(u >= 0, 1.0, 0.0)


def steepest(s: Stimulus, t_stop: float) -> float:
    """Bound the slope of the current: rounding of a time shows in the value by as much."""
    return float(np.abs(s.pieces(t_stop).slope).max())


# --- strategies ---------------------------------------------------------------------------------

T_STOP = 1e-2
AMPERE = st.floats(-1e-3, 1e-3).map(lambda v: round(v, 9))
DELAY = st.one_of(st.just(0.0), st.floats(0, 1.2 * T_STOP))
EDGE = st.one_of(st.just(0.0), st.floats(1e-8, 1e-4))


@st.composite
def stimuli(draw: st.DrawFn, *, ideal_edges: bool = True, depth: int = 0) -> Stimulus:
    kind = draw(st.integers(0, 5 if depth < 2 else 4))
    ideal = st.just(0.0) if ideal_edges else st.nothing()
    duration = st.one_of(ideal, st.floats(1e-8, 1e-4))
    match kind:
        case 0:
            return Constant(amplitude=draw(AMPERE))
        case 1:
            return Step(
                amplitude=draw(AMPERE),
                delay=draw(DELAY),
                t_rise=draw(duration),
                offset=draw(AMPERE),
            )
        case 2:
            frequency = draw(st.floats(50, 5e3))
            duty = draw(st.floats(0.05, 0.95))
            return PulseTrain(
                amplitude=draw(AMPERE),
                frequency=frequency,
                duty=duty,
                delay=draw(DELAY),
                t_rise=min(draw(duration), 0.9 * duty / frequency),
                t_fall=min(draw(duration), 0.9 * (1 - duty) / frequency),
                offset=draw(AMPERE),
                n_pulses=draw(st.one_of(st.none(), st.integers(1, 20))),
            )
        case 3:
            return Sine(
                amplitude=draw(AMPERE),
                frequency=draw(st.floats(1, 1e4)),
                offset=draw(AMPERE),
                delay=draw(DELAY),
                phase=draw(st.floats(-7, 7)),
            )
        case 4:
            t = np.unique(draw(st.lists(st.floats(0, 1.5 * T_STOP), min_size=1, max_size=8)))
            t = t[np.diff(t, prepend=-1.0) > 1e-8]
            return PiecewiseLinear(t=t.tolist(), i=[draw(AMPERE) for _ in t])
        case _:
            terms = st.lists(
                stimuli(ideal_edges=ideal_edges, depth=depth + 1), min_size=1, max_size=3
            )
            return Sum(terms=[term.to_dict() for term in draw(terms)])


def from_pieces(s: Stimulus, t_stop: float, t: Floats) -> Floats:
    """Evaluate the pieces as the reference integrator does."""
    pieces = s.pieces(t_stop)
    k = np.clip(np.searchsorted(pieces.t, t, side="right") - 1, 0, len(pieces.i) - 1)
    out = pieces.i[k] + pieces.slope[k] * (t - pieces.t[k])
    for amplitude, frequency, phase, start in pieces.sines:
        out += amplitude * np.sin(2 * math.pi * frequency * np.maximum(t - start, 0) + phase)
    return out


# --- value, pieces, corners ---------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(s=stimuli(), seed=st.integers(0, 2**32 - 1))
def test_value_and_pieces_are_the_definition(s: Stimulus, seed: int) -> None:
    t = np.random.default_rng(seed).uniform(0, T_STOP, 300)
    corners = s.corners(T_STOP)
    # At an ideal edge rounding decides the side; random times that near to one are not compared.
    t = t[np.abs(t[:, None] - corners).min(axis=1) > 1e-15]
    want = expected(s, t)
    tolerance = 1e-14 + 8 * np.spacing(T_STOP) * steepest(s, T_STOP)
    np.testing.assert_allclose(s.value(t), want, rtol=0, atol=tolerance)
    np.testing.assert_allclose(from_pieces(s, T_STOP, t), want, rtol=0, atol=tolerance)


@settings(max_examples=200, deadline=None)
@given(s=stimuli(), t_stop=st.floats(1e-6, 2 * T_STOP))
def test_pieces_are_well_formed(s: Stimulus, t_stop: float) -> None:
    pieces = s.pieces(t_stop)
    assert pieces.t[0] == 0
    assert pieces.t[-1] == t_stop
    assert (np.diff(pieces.t) > 0).all()
    assert len(pieces.t) == len(pieces.i) + 1 == len(pieces.slope) + 1
    assert np.isfinite(pieces.i).all()
    assert np.isfinite(pieces.slope).all()
    assert pieces.sines.shape[1] == 4
    # Where a sine starts, the slope jumps: the integrator must step on it.
    for start in pieces.sines[:, 3]:
        assert start in pieces.t or start > t_stop
    np.testing.assert_array_equal(pieces.t, s.corners(t_stop))
    # Without t_stop itself: there `value` is that after an ideal edge, which the run never sees.
    t = np.linspace(0, t_stop, 501)[:-1]
    peak = s.peak(t_stop)
    assert s.value(t).max() <= peak + 1e-12 * (1 + abs(peak))
    starts, ends = s.windows(t_stop)
    assert (ends > starts).all()
    assert (starts[1:] >= ends[:-1] - 1e-15).all()
    assert (ends <= t_stop).all()  # no window at all if the first pulse is after the end


@given(
    frequency=st.sampled_from([50, 300, 1e3, 3e3, 1e4, 41369.11360121806]),
    duty=st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.6, 0.7, 0.9]),
    ulps=st.integers(1, 4),
)
def test_a_fall_that_ends_where_the_next_rise_starts_makes_no_spike(
    frequency: float, duty: float, ulps: int
) -> None:
    # A saw tooth: the end of a fall and the next start are equal up to rounding, either way.
    t_fall = (1 - duty) / frequency
    for _ in range(ulps):
        t_fall = math.nextafter(t_fall, 0)
    try:
        s = PulseTrain(
            amplitude=1, frequency=frequency, duty=duty, t_rise=duty / frequency / 2, t_fall=t_fall
        )
    except DesignError:
        assume(False)
    t, before, after = s.knots(20.3 / frequency)
    assert (np.diff(t) > 0).all()
    np.testing.assert_allclose(before, after, atol=1e-9)


@pytest.mark.parametrize(
    ("s", "corners"),
    [
        (Constant(amplitude=1), [0, 5e-3]),
        (Step(amplitude=1, delay=1e-3, t_rise=1e-4), [0, 1e-3, 1.1e-3, 5e-3]),
        (Step(amplitude=1, delay=1e-3, t_rise=0), [0, 1e-3, 5e-3]),
        (Step(amplitude=1, delay=6e-3), [0, 5e-3]),
        (Step(amplitude=1), [0, 1e-8, 5e-3]),
        (
            PulseTrain(amplitude=1, frequency=500, duty=0.25, t_rise=1e-4, t_fall=2e-4),
            [0, 1e-4, 5e-4, 7e-4, 2e-3, 2.1e-3, 2.5e-3, 2.7e-3, 4e-3, 4.1e-3, 4.5e-3, 4.7e-3, 5e-3],
        ),
        (
            PulseTrain(amplitude=1, frequency=500, t_rise=0, t_fall=0, delay=1e-3, n_pulses=1),
            [0, 1e-3, 2e-3, 5e-3],
        ),
        (Sine(amplitude=1, frequency=50, delay=2e-3), [0, 2e-3, 5e-3]),
        (PiecewiseLinear(t=[1e-3, 2e-3, 9e-3], i=[1, 2, 3]), [0, 1e-3, 2e-3, 5e-3]),
        (
            Sum(
                terms=[
                    {"kind": "step", "amplitude": 1, "delay": 1e-3, "t_rise": 0},
                    {"kind": "sine", "amplitude": 1, "frequency": 50, "delay": 2e-3},
                ]
            ),
            [0, 1e-3, 2e-3, 5e-3],
        ),
    ],
)
def test_corners(s: Stimulus, corners: list[float]) -> None:
    got = s.corners(5e-3)
    np.testing.assert_allclose(got, corners, rtol=1e-12, atol=1e-18)


def test_value_takes_scalars_arrays_and_nothing() -> None:
    s = Step(amplitude=2e-3, delay=1e-3, t_rise=0, offset=1e-3)
    assert s.value(0.5e-3).shape == ()
    assert float(s.value(0.5e-3)) == 1e-3
    # At an ideal edge: the value after it.
    assert s.value(np.array([0, 1e-3, 2e-3])).tolist() == [1e-3, 3e-3, 3e-3]
    assert s.value(np.array([])).shape == (0,)
    assert float(Step(amplitude=1, t_rise=0).value(0.0)) == 1
    # Order does not matter.
    assert s.value(np.array([2e-3, 0.0])).tolist() == [3e-3, 1e-3]


@given(
    duty=st.floats(0.05, 0.95),
    frequency=st.floats(10, 1e4),
    amplitude=AMPERE,
    offset=AMPERE,
    part=st.one_of(st.just(0.0), st.floats(1e-3, 0.9)),
)
def test_equal_edges_leave_the_mean_current(
    duty: float, frequency: float, amplitude: float, offset: float, part: float
) -> None:
    both = part * min(duty, 1 - duty) / frequency
    s = PulseTrain(
        amplitude=amplitude,
        frequency=frequency,
        duty=duty,
        offset=offset,
        t_rise=both,
        t_fall=both,
    )
    pieces = s.pieces(4 / frequency)
    d = np.diff(pieces.t)
    mean = float(np.sum(d * (pieces.i + pieces.slope * d / 2))) * frequency / 4
    assert mean == pytest.approx(offset + amplitude * duty, abs=1e-12)


def test_windows() -> None:
    s = PulseTrain(amplitude=1e-3, frequency=1e3, delay=2e-4)
    starts, ends = s.windows(2.5e-3)
    np.testing.assert_allclose(starts, [2e-4, 1.2e-3, 2.2e-3])
    np.testing.assert_allclose(ends, [1.2e-3, 2.2e-3, 2.5e-3])
    # A sum has the pulses of its pulse train; what has no pulses has the whole run.
    mixed = Sum(terms=[{"kind": "constant", "amplitude": 1e-4}, s.to_dict()])
    np.testing.assert_allclose(mixed.windows(2.5e-3)[0], starts)
    assert [w.tolist() for w in Constant(amplitude=1).windows(2.0)] == [[0.0], [2.0]]


def test_too_many_pulses_are_refused_before_memory_is_taken() -> None:
    s = PulseTrain(amplitude=1e-3, frequency=1e9, t_rise=1e-12, t_fall=1e-12)
    for ask in (s.pieces, s.knots, s.corners, s.windows, s.peak):
        with pytest.raises(DesignError, match="shorten the run or lower the frequency"):
            ask(1.0)
    # A limited number of pulses is no problem however long the run.
    few = PulseTrain(amplitude=1e-3, frequency=1e6, n_pulses=3)
    assert len(few.corners(1e3)) <= 14


# --- SPICE --------------------------------------------------------------------------------------


def run_in_ngspice(s: Stimulus, t_stop: float, folder: Path) -> tuple[Floats, Floats]:
    """Return times and current of a stimulus that drives 1 ohm in ngspice."""
    sources = [f"I_{k} 0 a {text}" for k, text in enumerate(s.spice(t_stop))]
    deck = "\n".join(
        [
            "stimulus into 1 ohm",
            *sources,
            "R_1 a 0 1",
            f".tran {t_stop / 500!r} {t_stop!r} 0 {t_stop / 500!r}",
            ".save v(a)",
            ".end",
            "",
        ]
    )
    (folder / "deck.cir").write_text(deck)
    subprocess.run(
        ["ngspice", "-n", "-b", "-r", "out.raw", "-o", "out.log", "deck.cir"],
        cwd=folder,
        env=with_home(),
        check=True,
        timeout=60,
        capture_output=True,
    )
    columns = read_raw(folder / "out.raw")[0].columns()
    return columns["time"], columns["v(a)"]


PULSE = {"amplitude": 1e-3, "frequency": 1e3, "duty": 0.3, "t_rise": 1e-6, "t_fall": 3e-6}
SPICE = {
    "constant": Constant(amplitude=5e-4),
    "constant, negative": Constant(amplitude=-5e-4),
    "step": Step(amplitude=1e-3, delay=1e-3, t_rise=1e-6, offset=-2e-4),
    "step at once": Step(amplitude=1e-3),
    "step after the end": Step(amplitude=1e-3, delay=1.0, offset=1e-4),
    "step cut by the end": Step(amplitude=1e-3, delay=4e-3, t_rise=2e-3),
    "pulse": PulseTrain(**PULSE),
    "pulse, paper": load_preset("paper").stimulus,
    "pulse, delayed": PulseTrain(**PULSE, delay=7.3e-4, offset=1e-4),
    "pulse, negative": PulseTrain(**{**PULSE, "amplitude": -1e-3}, offset=2e-3),
    "pulse, odd period": PulseTrain(amplitude=1e-3, frequency=1234.567, duty=0.71, t_rise=1e-7),
    "pulse after the end": PulseTrain(**PULSE, delay=1.0, offset=1e-4),
    "pulse, triangle": PulseTrain(amplitude=1e-3, frequency=1e3, t_rise=4.99e-4, t_fall=4.99e-4),
    "finite pulse": PulseTrain(**PULSE, n_pulses=2, delay=1e-4),
    "finite pulse, longer than the run": PulseTrain(**PULSE, n_pulses=100),
    "one pulse": PulseTrain(**PULSE, n_pulses=1, offset=-1e-4),
    "sine": Sine(amplitude=1e-3, frequency=700),
    "sine, phase": Sine(amplitude=1e-3, frequency=700, phase=1.1, offset=2e-4),
    "sine, negative phase": Sine(amplitude=1e-3, frequency=700, phase=-2.5),
    "sine, delay": Sine(amplitude=1e-3, frequency=700, delay=1.3e-3),
    "sine, phase and delay": Sine(amplitude=1e-3, frequency=700, delay=1.3e-3, phase=0.7, offset=1),
    "pwl": PiecewiseLinear(t=[5e-4, 1e-3, 1.5e-3, 3e-3], i=[1e-4, 1e-3, -1e-3, 2e-4]),
    "pwl, one point": PiecewiseLinear(t=[1e-3], i=[3e-4]),
    "pwl, past the end": PiecewiseLinear(t=[0, 1.0], i=[0, 1.0]),
    "pwl, long": PiecewiseLinear(
        t=(np.arange(300) * 1.5e-5).tolist(), i=(1e-3 * np.cos(np.arange(300) / 7)).tolist()
    ),
    "sum": Sum(
        terms=[
            {"kind": "pulse", **PULSE},
            {"kind": "sine", "amplitude": 3e-4, "frequency": 2500, "phase": 0.3, "delay": 8e-4},
            {"kind": "step", "amplitude": -2e-4, "delay": 2e-3, "t_rise": 1e-4},
            {"kind": "sum", "terms": [{"kind": "pwl", "t": [0, 4e-3], "i": [0, 1e-4]}]},
            {"kind": "constant", "amplitude": 5e-5},
        ]
    ),
}


@pytest.mark.parametrize("case", SPICE)
def test_ngspice_plays_the_same_current(case: str, tmp_path: Path) -> None:
    s, t_stop = SPICE[case], 5e-3
    time, current = run_in_ngspice(s, t_stop, tmp_path)
    assert time[0] == 0
    assert time[-1] == pytest.approx(t_stop)
    assert len(time) > 50
    # 1e-9 of the largest current; ngspice's own rounding of times shows on steep edges.
    size = np.abs(expected(s, np.linspace(0, t_stop, 5001))).max()
    tolerance = 1e-9 * size + 4 * np.spacing(t_stop) * steepest(s, t_stop)
    np.testing.assert_allclose(current, s.value(time), rtol=0, atol=tolerance)
    np.testing.assert_allclose(current, expected(s, time), rtol=0, atol=tolerance)


@pytest.mark.parametrize("case", SPICE)
def test_ngspice_stops_at_every_corner(case: str, tmp_path: Path) -> None:
    # A corner that is stepped over is a wrong charge, however right the samples are.
    s, t_stop = SPICE[case], 5e-3
    time, current = run_in_ngspice(s, t_stop, tmp_path)
    charge = float(np.sum(np.diff(time) * (current[1:] + current[:-1]) / 2))
    t = np.union1d(np.linspace(0, t_stop, 200_001), s.corners(t_stop))
    value = expected(s, t)
    want = float(np.sum(np.diff(t) * (value[1:] + value[:-1]) / 2))
    size = float(np.abs(value).max()) * t_stop
    assert charge == pytest.approx(want, abs=2e-4 * size)


@settings(max_examples=15, deadline=None)
@given(s=stimuli(ideal_edges=False))
def test_ngspice_plays_any_current(s: Stimulus, tmp_path_factory: pytest.TempPathFactory) -> None:
    time, current = run_in_ngspice(s, T_STOP, tmp_path_factory.mktemp("stimulus"))
    tolerance = 1e-12 + 8 * np.spacing(T_STOP) * steepest(s, T_STOP)
    np.testing.assert_allclose(current, s.value(time), rtol=0, atol=tolerance)


IDEAL: dict[str, dict[str, Any]] = {
    "step": {"kind": "step", "amplitude": 1e-4, "t_rise": 0, "delay": 1e-4},
    "rise": {"kind": "pulse", "amplitude": 1e-4, "frequency": 1e3, "t_rise": 0, "delay": 1e-4},
    "fall": {"kind": "pulse", "amplitude": 1e-4, "frequency": 1e3, "t_fall": 0},
    "finite": {"kind": "pulse", "amplitude": 1e-4, "frequency": 1e3, "t_fall": 0, "n_pulses": 1},
}
IDEAL["sum"] = {"kind": "sum", "terms": [IDEAL["step"]]}


@pytest.mark.parametrize("case", IDEAL)
def test_ideal_edges_are_for_the_reference_only(case: str) -> None:
    neuron = load_preset("paper").replace({"stimulus": IDEAL[case], "t_stop": 2e-3})
    with pytest.raises(NetlistError, match=r"ideal edge.*set it to a duration.*\.$"):
        build_netlist(neuron)
    pieces = neuron.stimulus.pieces(2e-3)
    t = np.linspace(0, 2e-3, 999)
    np.testing.assert_allclose(
        from_pieces(neuron.stimulus, 2e-3, t), expected(neuron.stimulus, t), atol=1e-15
    )
    jumps = pieces.i[1:] - (pieces.i[:-1] + pieces.slope[:-1] * np.diff(pieces.t)[:-1])
    assert np.abs(jumps).max() == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("t", "i", "words"),
    [
        ([], [], "no points; give at least one"),
        ([0, 1], [0], "2 times and 1 currents; give as many"),
        ([0, 2, 1], [0, 0, 0], "do not increase strictly; sort them"),
        ([0, 1, 1], [0, 0, 1], "give each edge a duration"),
        ([-1, 1], [0, 1], "start at 0 or later"),
        ([0, math.nan], [0, 1], "not finite"),
        ([0, 1], [0, math.inf], "not finite"),
    ],
)
def test_bad_points_are_refused(t: list[float], i: list[float], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        PiecewiseLinear(t=t, i=i)


def test_a_slope_beyond_what_a_number_holds_is_refused() -> None:
    with pytest.raises(DesignError, match="slope that is not finite"):
        PiecewiseLinear(t=[0, 1e-300], i=[0, 1e30]).pieces(1e-3)


@pytest.mark.parametrize("seconds", [1e-320, 1e-300])
def test_a_source_never_holds_what_is_not_a_number(seconds: float) -> None:
    # The period overflows; a netlist that says "inf" is read as something else or not at all.
    neuron = load_preset("paper")
    with pytest.raises((DesignError, NetlistError)) as caught:
        text = build_netlist(neuron.replace({"stimulus.frequency": seconds})).text
        assert "inf" not in text
        raise NetlistError("a huge period written out is fine")
    assert str(caught.value)


def test_the_sum_of_offset_and_amplitude_must_be_finite() -> None:
    changes = {"stimulus.amplitude": -1e308, "stimulus.offset": -1e308}
    with pytest.raises((DesignError, NetlistError)):
        build_netlist(load_preset("paper").replace(changes))


def test_a_run_of_nine_periods_and_a_rounding_error_has_nine_pulses() -> None:
    train = PulseTrain(amplitude=1e-3, frequency=1e3)
    assert 9 * 1e-3 != 9e-3  # the case in question
    starts, ends = train.windows(9 * 1e-3)
    assert len(starts) == 9
    assert np.all(ends - starts > 0.99e-3)
