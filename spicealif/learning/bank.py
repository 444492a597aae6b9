"""A bank of neurons as a transformer of scikit-learn: from samples to features of spikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif._support.kept import tell
from spicealif.circuit.parameters import ALL_CAUSES
from spicealif.learning.bank_checks import threads_of
from spicealif.learning.encoding import OVER_TIME, currents
from spicealif.learning.inputs import Inputs, fit_inputs
from spicealif.learning.neurons import neuron_values, resolve_neuron
from spicealif.learning.runs import BankRuns, Distinct, How, gathered, solve_runs
from spicealif.learning.stage import Stage

if TYPE_CHECKING:
    import os

    from spicealif.design import Neuron

__all__ = ["AlifBank"]

_Floats: TypeAlias = NDArray[np.float64]
#: From inputs, shape (n, K), to times in s (None if constant) and currents in A.
_Encode: TypeAlias = Callable[[_Floats], tuple[_Floats | None, _Floats]]
#: Inputs at which a bank's neurons are tried when it is fitted.
_TRIED = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
#: So many neurons with different values are tried at most.
_TRIED_NEURONS = 16


class AlifBank(Stage):
    """Features of the spikes that neurons give when samples are their input currents.

    A transformer of scikit-learn that learns nothing but the range of its inputs. Each input (a
    feature, or a channel of a series) drives a neuron of its own, or several, or all inputs are
    mixed at random. Neurons do not act upon each other (`AlifReservoir` for those that do).

    Parameters
    ----------
    neuron : str, path-like or Neuron
        Preset, TOML file, or design.
    encoding : {"amplitude", "rate", "first-spike", "series", "steps"}
        How inputs become currents, see `spicealif.learning.encoding.currents`.
    duration : float or str
        Of a sample, in s.
    i_low, i_high : float or str
        Current in A of the least and the largest input.
    input_range : None or (low, high)
        Values of X that are the least and the largest input, numbers or one for each input; values
        beyond are taken as these. If None, those of each input in the training samples.
    polarity : {"offset", "split"}
        ``split``: values above and below 0 drive neurons of their own.
    neurons_per_input : int
    n_neurons : int, optional
        Mix all inputs at random to so many neurons.
    channels : int
        Of X with the shape (n, d) for ``series`` and ``steps``: d values are so many channels, one
        after the other.
    spread : mapping of str to (low, high), optional
        Parameters (dotted names) in which the neurons differ on purpose, drawn evenly in their
        logarithm by `random_state`.
    tolerances : None, "default" or sequence of Tolerance
        Scatter of the neurons' parts.
    draw : int
        Seed of that scatter.
    features : sequence of {"count", "t_first", "isi_mean", "x_last", "energy"}
        See `spicealif.learning.features.feature_matrix`.
    windows : int
        Equal windows in which spikes are counted.
    backend : {"reference", "equations", "ngspice", "ltspice"}
        The ideal equations by RK4, the circuit's own equations, or its netlist in a simulator
        (seconds for each run).
    variant : {"ideal", "schmitt"}
        Of the reference.
    causes : set of Cause, optional
        Of the circuit's equations; all if not given.
    rtol : float, optional
        Of the circuit's equations.
    random_state : int, RandomState or None
        Of spread and mixing.
    n_jobs : int, optional
        Threads; None is 1, -1 all usable cores. No bit depends on it.
    cache : bool or path-like or None
        Where runs are kept that are not the reference's; True is the user's cache folder.
    progress : callable, optional
        Called with the fraction of the runs that are done.

    Attributes
    ----------
    neuron_ : Neuron
        The design, with the largest current as stimulus.
    values_ : dict of str to ndarray, shape (n_neurons,)
        In what the neurons differ, SI.
    inputs_ : Inputs
        Ranges and weights.
    n_neurons_ : int
    feature_units_ : tuple of str
        Unit of each feature.
    n_features_in_ : int
    feature_names_in_ : ndarray
        Where X has names.

    Notes
    -----
    A run, one neuron's values under one current, is solved once however many samples have it.

    Examples
    --------
    >>> bank = AlifBank(duration="4m", features=("count", "x_last"), n_jobs=-1)
    >>> bank.fit_transform([[0.0], [0.5], [1.0]])[:, 0]
    array([ 0., 19., 57.])
    """

    #: What may change of a fitted one without another fit.
    _exchangeable = frozenset(
        {"neuron", "tolerances", "draw", "backend", "variant", "causes", "rtol", "n_jobs", "cache",
         "progress"}
    )  # fmt: skip

    def __init__(
        self,
        neuron: str | os.PathLike[str] | Neuron = "paper",
        *,
        encoding: str = "amplitude",
        duration: float | str = "8m",
        i_low: float | str = 0.0,
        i_high: float | str = "1m",
        input_range: Any = None,
        polarity: str = "offset",
        neurons_per_input: int = 1,
        n_neurons: int | None = None,
        channels: int = 1,
        spread: Mapping[str, Any] | None = None,
        tolerances: Any = None,
        draw: int = 0,
        features: Sequence[str] = ("count",),
        windows: int = 1,
        backend: str = "reference",
        variant: str | None = "ideal",
        causes: Any = None,
        rtol: float | None = None,
        random_state: Any = 0,
        n_jobs: int | None = None,
        cache: Any = True,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self.neuron = neuron
        self.encoding = encoding
        self.duration = duration
        self.i_low = i_low
        self.i_high = i_high
        self.input_range = input_range
        self.polarity = polarity
        self.neurons_per_input = neurons_per_input
        self.n_neurons = n_neurons
        self.channels = channels
        self.spread = spread
        self.tolerances = tolerances
        self.draw = draw
        self.features = features
        self.windows = windows
        self.backend = backend
        self.variant = variant
        self.causes = causes
        self.rtol = rtol
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.cache = cache
        self.progress = progress

    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn the range of the inputs, and draw what is random.

        Parameters
        ----------
        X : array_like, shape (n, d), or (n, channels, K) for series and steps
        y : ignored

        Returns
        -------
        AlifBank
            Itself.

        Raises
        ------
        ValueError, DesignError, IntegrationError
            If X or a parameter makes no sense.

        Warns
        -----
        SpicealifWarning
            If a neuron is silent at the largest input, or its spikes grow no more towards it.
        """
        super().fit(X, y)
        self._try()
        return self

    def _fit_inputs(self, x: _Floats, rng: np.random.RandomState) -> Inputs:
        return fit_inputs(
            x, self.input_range, self.polarity, self.neurons_per_input, self.n_neurons, rng
        )

    def _neuron_names(self, channels: Sequence[str]) -> list[str]:
        return self.inputs_.names(channels)

    def _make_neurons(self) -> None:
        """Make the design and the neurons' values from the parameters and what was drawn."""
        self.neuron_ = resolve_neuron(self.neuron, self.duration_, self.i_high_)
        self.values_ = neuron_values(
            self.neuron_, self.n_neurons_, self.spread, self.seed_, self.tolerances, self.draw
        )

    @property
    def _encode(self) -> _Encode:
        over_time, bounds = self.encoding in OVER_TIME, (self.i_low_, self.i_high_, self.duration_)

        def encode(u: _Floats) -> tuple[_Floats | None, _Floats]:
            return currents(u if over_time else u[:, 0], self.encoding, *bounds)  # type: ignore[arg-type]

        return encode

    def _solve(
        self,
        u: _Floats,
        progress: Callable[[float], None] | None = None,
        *,
        neurons: NDArray[np.int64] | None = None,
        until: float | None = None,
    ) -> BankRuns:
        """Solve inputs of shape (n, m, K), each distinct run once.

        Of these neurons, all if not given. With `until`, a time in s behind the duration, runs go
        on to there, the current staying as it is at its end.
        """
        n, m, k = u.shape
        neuron, encode = self.neuron_, self._encode
        if until is not None:
            neuron, encode = neuron.replace({"t_stop": until}), _held(encode, until)
        which = np.arange(m) if neurons is None else neurons
        values = {name: array[which] for name, array in self.values_.items()}
        # Neurons with the same values are one.
        kind = np.zeros(m, dtype=np.int64)
        if values:
            _, kind = np.unique(np.column_stack(list(values.values())), axis=0, return_inverse=True)
        rows = np.empty((n, m, k + 1))
        rows[:, :, 0] = kind.reshape(m)
        rows[:, :, 1:] = u
        flat = rows.reshape(n * m, k + 1)
        bits = flat.view(np.dtype((np.void, flat.dtype.itemsize * (k + 1)))).ravel()
        _, first, unique = np.unique(bits, return_index=True, return_inverse=True)
        of = first % m
        runs = Distinct(
            {name: array[of] for name, array in values.items()},
            flat[first, 1:],
            encode,
            (self.encoding, self.i_low_, self.i_high_, self.duration_),
        )
        how = How(
            self.backend,  # type: ignore[arg-type]
            self.variant,  # type: ignore[arg-type]
            ALL_CAUSES if self.causes is None else frozenset(self.causes),
            None if self.rtol is None else float(self.rtol),
            threads_of(self.n_jobs),
            self.cache,
        )
        parts = solve_runs(neuron, runs, how, progress)
        return gathered(parts, unique.reshape(n, m), self.duration_, self.backend)

    def _try(self) -> None:
        """Tell of neurons that say nothing, or nothing more, of large inputs."""
        some = np.arange(min(self.n_neurons_, _TRIED_NEURONS))
        bank = self.with_(backend="reference", causes=None, cache=None)
        u = np.repeat(_TRIED[:, None, None], len(some), axis=1)
        counts = bank._solve(np.repeat(u, self.n_times_, axis=2), neurons=some).counts
        silent = counts[-1] == 0
        flat = ~silent & (counts[-1] <= counts[-2])
        if silent.any():
            tell(
                f"{int(silent.sum())} of {len(some)} neurons tried do not spike in "
                f"{self.duration_:g} s at the largest input (i_high = {self.i_high_:g} A); give a "
                "larger i_high or a longer duration."
            )
        if flat.any():
            tell(
                f"{int(flat.sum())} of {len(some)} neurons tried are saturated: they spike no more "
                f"often at the largest input (i_high = {self.i_high_:g} A) than at three quarters "
                "of it; give a smaller i_high, or a longer duration."
            )


def _held(encode: _Encode, until: float) -> _Encode:
    """Return the same currents until a later time, each staying as it is at its end."""

    def held(u: _Floats) -> tuple[_Floats | None, _Floats]:
        times, i = encode(u)
        if times is None:
            return None, i
        return np.append(times, until), np.column_stack([i, i[:, -1]])

    return held
