"""A bank whose features are told by a function of what is on, and a readout that reads them off.

No physics: for tests of what is made of features.
"""
# ruff: noqa: N803

import copy
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from spicealif import load_preset
from spicealif.circuit.parameters import ALL_CAUSES


@dataclass
class Runs:
    features: np.ndarray
    errors: dict = field(default_factory=dict)


class StubBank(BaseEstimator):
    """`rule(sample, causes, parameters that scatter, draw, neuron)` gives a sample's feature.

    Without causes and scatter, and for the reference, the feature is that of the ideal equations.
    """

    def __init__(
        self, rule, *, neuron=None, backend="reference", variant="ideal", causes=None,
        tolerances=None, draw=0, rtol=None, spread=None, progress=None, solved=None,
    ):  # fmt: skip
        self.rule = rule
        self.neuron = neuron
        self.backend = backend
        self.variant = variant
        self.causes = causes
        self.tolerances = tolerances
        self.draw = draw
        self.rtol = rtol
        self.spread = spread
        self.progress = progress
        #: A list that what is solved is noted in.
        self.solved = solved

    features, windows, n_neurons_, i_low_, duration_ = ("count",), 1, 1, 0.0, 1e-3

    def __sklearn_clone__(self):
        return copy.copy(self)

    def fit(self, X, y=None):
        neuron = load_preset("paper") if self.neuron is None else self.neuron
        self.neuron_ = neuron.replace(
            {"t_stop": 1e-3, "stimulus": {"kind": "constant", "amplitude": 1e-3}}
        )
        self.values_ = {}
        return self

    def with_(self, **changes):
        other = copy.copy(self)
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def solve(self, X):
        if self.backend == "reference":
            causes, scatter = frozenset(), frozenset()
        else:
            causes = ALL_CAUSES if self.causes is None else self.causes
            scatter = frozenset(t.parameter for t in self.tolerances or () if t.spread > 1e-200)
            if self.solved is not None:
                self.solved.append((causes, scatter, self.draw if scatter else None))
        neuron = self.neuron_
        rows = [self.rule(int(x), causes, scatter, self.draw, neuron) for x in np.ravel(X)]
        if self.progress is not None:
            self.progress(1.0)
        return Runs(np.array(rows, dtype=float)[:, None])

    def features_of(self, runs):
        return runs.features

    def transform(self, X):
        return self.features_of(self.solve(X))


class ReadsOff(ClassifierMixin, BaseEstimator):
    """Predicts class 1 where the feature is not 0; learns whether that is the wrong way round."""

    def fit(self, X, y):
        right = np.mean((np.ravel(X) != 0) == (np.asarray(y) != 0))
        self.flipped_ = right < 0.5
        return self

    def predict(self, X):
        return ((np.ravel(X) != 0) ^ self.flipped_).astype(int)
