"""scikit-learn's own checks of an estimator, for a network per sample."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from spicealif.learning import AlifReservoir

SMALL = {"n_neurons": 3, "duration": "0.5m", "i_high": "2m", "probability": 0.5, "cache": None}
RESERVOIRS = [
    AlifReservoir(**SMALL, features=("count", "t_first", "isi_mean", "x_last")),
    AlifReservoir(**SMALL, input="crossbar", encoding="rate", rate_high="50k"),
]


@pytest.mark.slow
@parametrize_with_checks(RESERVOIRS)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
