"""Which points an experiment has: grids, lists, drawn points, and what is refused."""

import itertools

import numpy as np
import pytest

from spicealif import load_preset
from spicealif.errors import SweepError
from spicealif.sweep import SAMPLINGS, Points, Range, Sweep
from spicealif.sweep.space import design_value, sweep_points, uniforms, unit_of

LIF = load_preset("lif")
DRAWN = [s for s in SAMPLINGS if s not in ("grid", "list")]


def test_grid_is_all_combinations_the_last_parameter_fastest():
    points = sweep_points(LIF, {"c": ["47n", 1e-7], "leak.r": ["1.4k", 1500, 1600.0]})
    assert dict(points.dims) == {"c": 2, "leak.r": 3}
    assert len(points) == 6
    expected = itertools.product([47e-9, 100e-9], [1400.0, 1500.0, 1600.0])
    assert [tuple(points.changes(k).values()) for k in range(6)] == list(expected)


def test_list_takes_the_values_together():
    points = sweep_points(LIF, {"c": [1e-7, 2e-7], "leak.r": [1400, 1500]}, "list")
    assert dict(points.dims) == {"point": 2}
    assert points.changes(1) == {"c": 2e-7, "leak.r": 1500}
    # A list may hold the same value twice: the other parameters differ.
    with pytest.raises(SweepError, match="as many values"):
        sweep_points(LIF, {"c": [1e-7], "leak.r": [1400, 1500]}, "list")


def test_values_are_plain_python_values():
    """They go into keys, jobs and `Neuron.replace`, which know nothing of NumPy's types."""
    over = {
        "mosfet.kind": ["ideal", "vdmos"],
        "numerics.steering": [True, False],
        "c": np.array([1e-7, 2e-7]),
    }
    points = sweep_points(LIF, over)
    kinds = {tuple(map(type, points.changes(k).values())) for k in range(len(points))}
    assert kinds == {(str, bool, float)}
    for k in range(len(points)):
        LIF.replace(points.changes(k))


@pytest.mark.parametrize("sampling", DRAWN)
def test_drawn_points(sampling):
    over = {"c": Range("50n", "200n", log=True), "leak.r": Range(1400, 1600)}
    n = 256
    points = sweep_points(LIF, over, sampling, n, seed=7)
    assert dict(points.dims) == {"point": n}
    c, r = points.values["c"], points.values["leak.r"]
    assert c.min() >= 50e-9
    assert c.max() <= 200e-9
    assert r.min() >= 1400
    assert r.max() <= 1600
    # Evenly spread on its own scale: the median of a logarithmic range is the geometric mean.
    error = 0.05 if sampling == "random" else 0.01
    assert np.mean(c < 100e-9) == pytest.approx(0.5, abs=2 * error)
    assert r.mean() == pytest.approx(1500, abs=400 * error)
    assert abs(np.corrcoef(np.log(c), r)[0, 1]) < 0.2

    again = sweep_points(LIF, over, sampling, n, seed=7)
    other = sweep_points(LIF, over, sampling, n, seed=8)
    np.testing.assert_array_equal(again.values["c"], c)
    assert not np.array_equal(other.values["c"], c)


def test_latin_hypercube_and_sobol_fill_every_row():
    """What they are chosen for: each of n equal parts of a range is drawn from once."""
    for sampling in ("latin-hypercube", "sobol"):
        u = uniforms(64, 3, sampling, 3)
        for column in u.T:
            assert sorted(np.floor(column * 64)) == list(range(64))


@pytest.mark.parametrize("sampling", DRAWN)
def test_uniforms_are_never_0_or_1(sampling):
    u = uniforms(4096, 2, sampling, 0)
    assert u.shape == (4096, 2)
    assert (u > 0).all()
    assert (u < 1).all()


def test_more_random_points_begin_with_the_same_ones():
    """So a Monte Carlo experiment can be made longer, and only the new points are computed."""
    np.testing.assert_array_equal(uniforms(100, 3, "random", 1)[:40], uniforms(40, 3, "random", 1))
    over = {"c": Range("50n", "200n")}
    short = Sweep(LIF, over, "random", 3, sides="reference").keys()
    long = Sweep(LIF, over, "random", 9, sides="reference").keys()
    assert long[:3] == short


def test_the_seed_known_by_heart():
    """Points may not change under a user with a version of NumPy or of ours."""
    np.testing.assert_array_equal(
        uniforms(2, 2, "random", 42),
        [[0.7739560485559633, 0.4388784397520523], [0.8585979199113825, 0.6973680290593639]],
    )


def test_names_and_units():
    assert design_value(LIF, "leak.r") == 1500.0
    assert unit_of(LIF, "leak.r") == "ohm"
    assert unit_of(LIF, "c") == "F"
    assert unit_of(LIF, "mosfet.kind") == ""
    assert unit_of(LIF, "no.such") == ""


R = Range(1, 2)
REFUSED = {
    "unknown parameter": ({"leak.rr": [1]}, {}, "did you mean leak.r?"),
    "a part": ({"leak": [1]}, {}, "no parameter 'leak'"),
    "a method": ({"replace": [1]}, {}, "no parameter"),
    "nothing": ({}, {}, "Nothing is varied"),
    "no values": ({"c": []}, {}, "There are no values of c"),
    "one value": ({"c": 1e-7}, {}, "give a list"),
    "one text": ({"c": "1e-7"}, {}, "give a list"),
    "twice": ({"c": ["100n", 1e-7]}, {}, "there twice"),
    "not finite": ({"c": [float("nan")]}, {}, "finite"),
    "a switch for a number": ({"c": [True]}, {}, "numbers or names"),
    "none": ({"c": [None]}, {}, "numbers or names"),
    "a wrong unit": ({"c": ["3 V"]}, {}, "A value of c"),
    "no number": ({"c": ["three"]}, {}, "A value of c"),
    "a range in a grid": ({"c": R}, {}, "need"),
    "values to draw": ({"c": [1, 2]}, {"sampling": "random", "n": 3}, "draws from ranges"),
    "drawn without number": ({"c": R}, {"sampling": "random"}, "whole number"),
    "no point": ({"c": R}, {"sampling": "sobol", "n": 0}, "whole number"),
    "half a point": ({"c": R}, {"sampling": "sobol", "n": 1.5}, "whole number"),
    "too many": ({"c": R}, {"sampling": "random", "n": 10**8}, "whole number"),
    "too large a grid": (
        {name: np.linspace(1, 2, 400) for name in ("c", "leak.r", "v_th")},
        {},
        "more than",
    ),
    "a number in a grid": ({"c": [1]}, {"n": 3}, "leave n"),
    "a seed below 0": ({"c": R}, {"sampling": "random", "n": 2, "seed": -1}, "seed"),
    "a seed that is none": ({"c": R}, {"sampling": "random", "n": 2, "seed": "x"}, "seed"),
    "unknown sampling": ({"c": R}, {"sampling": "monte"}, "choose one of grid"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    over, choices, words = REFUSED[case]
    with pytest.raises(SweepError, match=words.replace("?", r"\?")):
        sweep_points(LIF, over, **choices)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((2, 1), "is empty"),
        ((1, 1), "is empty"),
        ((1, float("inf")), "is empty"),
        ((0, 1, True), "logarithmic"),
        (("a", 1), "An end of the range"),
    ],
)
def test_ranges_refused(ends, words):
    with pytest.raises(SweepError, match=words):
        Range(*ends)


def test_choices_refused():
    over = {"c": [1e-7]}
    with pytest.raises(SweepError, match="sides is 'left'"):
        Sweep(LIF, over, sides="left")
    with pytest.raises(SweepError, match="only the reference is computed"):
        Sweep(LIF, over, sides="reference", varies="circuit")
    with pytest.raises(SweepError, match="timeout is 0 s"):
        Sweep(LIF, over, timeout=0)
    with pytest.raises(SweepError, match="number of workers is 0"):
        Sweep(LIF, over, sides="reference").run(workers=0)


@pytest.mark.slow
def test_keys_depend_on_what_the_results_depend_on():
    over = {"c": [1e-7, 2e-7]}

    def keys(neuron=LIF, over=over, **choices):
        return Sweep(neuron, over, **{"sides": "reference", **choices}).keys()

    first = keys()
    assert len(set(first)) == 2
    assert keys() == first
    # The same values in another order, or among others, are the same points.
    assert keys(over={"c": [3e-7, 2e-7, 1e-7]})[1:] == first[::-1]
    for other in (
        keys(LIF.replace(v_th=0.41)),
        keys(variant="schmitt"),
        keys(spikes=True),
        keys(waveforms=True),
        keys(sides="circuit"),
        keys(sides="both"),
    ):
        assert not set(other) & set(first)


def test_points_of_ones_own():
    points = Points({"c": np.array([1e-7, 2e-7]), "t_stop": np.array([1e-3, 2e-3])}, {"c": 2})
    assert points.changes(1) == {"c": 2e-7, "t_stop": 2e-3}
