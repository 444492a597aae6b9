"""Intervals and the paired test against SciPy and simulation."""

import numpy as np
import pytest
from scipy.stats import binomtest, t

from spicealif.learning._chance import combined, mcnemar, of_draws, wilson


@pytest.mark.parametrize(("right", "n"), [(0, 12), (3, 12), (95, 100), (40, 40)])
def test_wilson_s_interval(right, n):
    theirs = binomtest(right, n).proportion_ci(method="wilson")
    ours = wilson(right, n)
    assert [ours.value, ours.low, ours.high] == pytest.approx([right / n, theirs.low, theirs.high])


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (5, 5), (1, 9), (0, 6), (30, 12)])
def test_mcnemar_s_exact_test(worse, better):
    expected = binomtest(worse, worse + better).pvalue if worse + better else 1.0
    assert mcnemar(worse, better) == pytest.approx(expected, rel=1e-12)


def test_one_source_of_error_gives_student_s_interval():
    found = combined(0.5, (0.1, 7))
    assert found.high - 0.5 == pytest.approx(0.1 * t.ppf(0.975, 7))
    both = combined(0.5, (0.1, 7), (0.0, 3))
    assert both == found  # what has no error has no say
    assert combined(0.2, (0.0, 3)).within_chance is False
    assert combined(0.0).within_chance


def test_an_interval_over_draws_and_samples_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        of_sample, of_draw = rng.standard_normal((1, 60)), rng.standard_normal((5, 1))
        values = 0.3 + 0.5 * of_sample + 0.1 * of_draw + 0.3 * rng.standard_normal((5, 60))
        found = of_draws(values)
        held += found.low <= 0.3 <= found.high
    assert 0.93 <= held / 400 <= 0.995
