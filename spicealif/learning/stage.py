"""From samples to features of spikes: what transformers of scikit-learn that do so share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif._support.kept import tell
from spicealif.learning._sklearn import (
    BaseEstimator,
    TransformerMixin,
    check_is_fitted,
    check_random_state,
    validate_data,
)
from spicealif.learning.bank_checks import checked_quantities
from spicealif.learning.encoding import ENCODINGS, OVER_TIME
from spicealif.learning.features import checked_features, feature_columns, feature_matrix
from spicealif.learning.inputs import Inputs, as_samples
from spicealif.learning.runs import BankRuns

__all__ = ["Stage"]

_Floats: TypeAlias = NDArray[np.float64]
#: Share of values beyond the fitted range from which on it is told.
_BEYOND = 0.05


class Stage(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """From samples to features of spikes: what a bank and a reservoir have in common.

    Which neurons there are, what an input does to them and how they are solved is theirs; what a
    fit keeps, which samples are taken and what may be exchanged afterwards stands here. Of their
    parameters those are read that both have: scikit-learn wants each listed by its own class.
    """

    #: What may change of a fitted one without another fit.
    _exchangeable: frozenset[str]

    def _fit_inputs(self, x: _Floats, rng: np.random.RandomState) -> Inputs:
        """Return ranges and weights of the inputs, of the samples that are fitted."""
        raise NotImplementedError

    def _make_neurons(self) -> None:
        """Make the neurons from the parameters and what was drawn."""
        raise NotImplementedError

    def _neuron_names(self, channels: Sequence[str]) -> list[str]:
        raise NotImplementedError

    def _solve(self, u: _Floats, progress: Callable[[float], None] | None = None) -> BankRuns:
        """Solve scaled inputs of shape (n, m, K)."""
        raise NotImplementedError

    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn the range of the inputs, and draw what is random.

        Parameters
        ----------
        X : array_like, shape (n, d), or (n, channels, K) for series and steps
        y : ignored

        Returns
        -------
        Stage
            Itself.

        Raises
        ------
        ValueError, DesignError, IntegrationError
            If X or a parameter makes no sense.
        """
        x = self._samples(X, reset=True)
        self._check()
        rng = check_random_state(self.random_state)
        self.inputs_ = self._fit_inputs(x, rng)
        self.seed_ = int(rng.randint(np.iinfo(np.int32).max))
        self.n_neurons_ = self.inputs_.n_neurons
        self._make_neurons()
        names = self._neuron_names([f"x{k}" for k in range(x.shape[1])])
        _, units = feature_columns(names, self.features, self.windows)
        self.feature_units_ = tuple(units)
        self._fitted_with = self._of_fit()
        return self

    def transform(self, X: ArrayLike) -> _Floats:  # noqa: N803
        """Return the features of samples.

        Parameters
        ----------
        X : array_like, as in `fit`

        Returns
        -------
        ndarray, shape (n, features)
            In the order and the units of `get_feature_names_out` and `feature_units_`.

        Raises
        ------
        ValueError
            If X does not fit, or a parameter was changed that would need another fit.
        DesignError, IntegrationError, SimulatorNotFound
            If a run is refused or cannot be solved; the sentence says which.

        Warns
        -----
        SpicealifWarning
            If more than 5 % of the values lie beyond the range of the inputs. As other warnings it
            is of the line outside of spicealif and scikit-learn that asks for the features.
        """
        return self.features_of(self.solve(X).require())

    def solve(self, X: ArrayLike) -> BankRuns:  # noqa: N803
        """Return what every neuron does for every sample; see `transform`."""
        return self._solve(self._scaled(X), self.progress)

    def _scaled(self, X: ArrayLike) -> _Floats:  # noqa: N803
        """Return samples as inputs from 0 to 1, shape (n, m, K)."""
        check_is_fitted(self)
        self._check_unchanged()
        u, beyond = self.inputs_.scaled(self._samples(X, reset=False))
        if beyond > _BEYOND:
            tell(
                f"More than {100 * _BEYOND:.0f} % of the values lie beyond the range of the inputs "
                "and are taken as its ends; give input_range if the training samples do not span "
                "it."
            )
        return u

    def features_of(self, runs: BankRuns) -> _Floats:
        """Return the features of runs that were solved; see `transform`."""
        checked_features(self.features, self.windows)
        return feature_matrix(runs, self.features, self.windows)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the features' names: input, neuron, feature, window."""
        from spicealif.learning._sklearn import feature_names_in

        check_is_fitted(self)
        if self.encoding in OVER_TIME:
            channels = [f"x{k}" for k in range(len(self.inputs_.low))]
        else:
            channels = [str(name) for name in feature_names_in(self, input_features)]
        neurons = self._neuron_names(channels)
        names, _ = feature_columns(neurons, self.features, self.windows)
        return np.asarray(names, dtype=object)

    def with_(self, **changes: Any) -> Self:
        """Return a fitted copy solved in another way, with the same ranges, spread and weights.

        Parameters
        ----------
        **changes
            Among ``neuron`` (another device, say), ``tolerances``, ``draw``, ``backend``,
            ``variant``, ``causes``, ``rtol``, ``n_jobs``, ``cache``, ``progress``.

        Raises
        ------
        ValueError
            If something else is to change, or was changed since the fit: that would need another.
        """
        check_is_fitted(self)
        unknown = set(changes) - self._exchangeable
        if unknown:
            raise ValueError(
                f"{', '.join(sorted(unknown))} cannot change without another fit; choose among "
                f"{', '.join(sorted(self._exchangeable))}."
            )
        self._check_unchanged()
        other = copy.copy(self)
        for name, value in changes.items():
            setattr(other, name, value)
        other._check()
        other._make_neurons()
        return other

    def _of_fit(self) -> dict[str, Any]:
        """Return the parameters that a fit depends on."""
        others = {*self._exchangeable, "features", "windows"}
        return {k: v for k, v in self.get_params(deep=False).items() if k not in others}

    def _check_unchanged(self) -> None:
        """Refuse to mix parameters of two fits."""
        of_fit = self._of_fit()
        for name, value in self._fitted_with.items():
            if of_fit[name] is not value and repr(of_fit[name]) != repr(value):
                raise ValueError(
                    f"{name} was changed after the fit, of which ranges, spread and weights are; "
                    "fit again."
                )

    def _samples(self, X: ArrayLike, reset: bool) -> _Floats:  # noqa: N803
        over_time = self.encoding in OVER_TIME
        x = validate_data(self, X, reset=reset, dtype=np.float64, allow_nd=True)
        x = as_samples(x, over_time, self.channels)
        if reset:
            self.n_times_ = x.shape[2]
        elif x.shape[2] != self.n_times_:
            raise ValueError(
                f"X has {x.shape[2]} values over time, and the bank was fitted with "
                f"{self.n_times_}; give as many."
            )
        return x

    def _check(self) -> None:
        found = checked_quantities(self, self._encodings, self._encoded)
        self.duration_, self.i_low_, self.i_high_ = found.duration, found.i_low, found.i_high

    @property
    def _encodings(self) -> Sequence[str]:
        return ENCODINGS

    @property
    def _encoded(self) -> str:
        """What the encodings hang on, for a sentence."""
        return ""
