"""scikit-learn's own checks of an estimator."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from spicealif.learning import AlifBank

BANKS = [
    AlifBank(duration="2m", features=("count", "t_first", "isi_mean", "x_last", "energy")),
    AlifBank(duration="1m", encoding="series", windows=2, cache=False),
    AlifBank(duration="1m", n_neurons=3, spread={"leak.tau": ("1m", "5m")}, tolerances="default"),
]


@parametrize_with_checks(BANKS)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
