"""A reservoir as a transformer of scikit-learn: a bank whose neurons act upon each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.circuit.parameters import ALL_CAUSES
from spicealif.errors import IntegrationError
from spicealif.learning._reservoir_network import (
    Wiring,
    made_network,
    resolve_network,
    with_crossbar,
    with_own_drive,
)
from spicealif.learning._reservoir_runs import Drive, Way, driven_network, solve_samples
from spicealif.learning._sklearn import check_is_fitted
from spicealif.learning.bank_checks import threads_of
from spicealif.learning.encoding import ENCODINGS
from spicealif.learning.inputs import Inputs, fit_inputs
from spicealif.learning.neurons import neuron_values, resolve_neuron
from spicealif.learning.runs import BankRuns, open_kept
from spicealif.learning.stage import Stage
from spicealif.learning.trains import TRAIN_ENCODINGS
from spicealif.network.choices import chosen_variant
from spicealif.network.circuit import DEFAULT_RTOL
from spicealif.quantities import quantity_of
from spicealif.reference import Variant, check_variant
from spicealif.sweep.worker import OK

if TYPE_CHECKING:
    import os

    from spicealif.design import Neuron
    from spicealif.network import CrossbarSynapse, Network, Synapse

__all__ = ["AlifReservoir"]

_Floats: TypeAlias = NDArray[np.float64]
_INPUTS = ("current", "crossbar")
_MIXING = ("random", "direct")
#: Parameters that only a network that is made takes, and their defaults.
_OF_MADE = {"spread": None, "tolerances": None}


class AlifReservoir(Stage):
    """Features of the spikes of a network of neurons that samples drive.

    Like a bank (`AlifBank`), but its neurons are joined by synapses. Nothing of the network is
    learned; a classifier that follows reads it. Every sample is a run of the whole network from its
    beginning.

    Parameters
    ----------
    network : str, path-like or Network, optional
        Preset, TOML file, or a description; its currents are replaced by the encoded inputs, its
        synapses and seed are its own. If not given one is made of the parameters from `n_neurons`
        to `delay`.
    n_neurons : int or None
        Neurons of a network that is made; None with ``mixing="direct"`` is one for each input.
    neuron : str, path-like or Neuron
        Preset, TOML file, or design.
    synapse : {"current", "diode"}, Synapse or None
        Between the neurons; ``current`` is a low-pass of 0.1 ms and a transconductor. None: there
        are none, and the features are those of `AlifBank`.
    probability : float
        Of each possible synapse.
    weight : float or str, optional
        Charge in C of a spike where the synapse takes one (``current``), else resistance in ohm.
        If not given 0.5 nC or 2 kohm, and what a `Synapse` says itself.
    inhibitory : float
        Share of neurons whose synapses inhibit; 0 where the synapse has no sign.
    inhibition : float
        Factor of the weight of those.
    delay : float or str
        Of synapses in s, of the ``ideal`` reference only, which needs one: circuits have none.
    input : {"current", "crossbar"}
        Inputs are currents of the neurons; or trains of spike sources, which the network's own
        synapses or else a crossbar of memristors brings to all neurons.
    mixing : {"random", "direct"}
        Of currents: all inputs are mixed at random for each neuron, or each input has a neuron.
    encoding : str
        Of currents as in `AlifBank`; of trains ``rate``, ``first-spike``, ``series`` or ``steps``,
        see `spicealif.learning.trains.spike_trains`.
    crossbar : CrossbarSynapse, optional
        Its cell. If not given that of the preset ``crossbar-8x8``, with the gain at which all
        inputs at `rate_high` bring ``i_high - i_low`` in the mean.
    rate_high : float or str
        Rate of a source in Hz at the largest input.
    duration, i_low, i_high, input_range, polarity, channels, spread, tolerances, draw
        See `AlifBank`. With a crossbar all neurons have the constant current i_low.
    features : sequence of {"count", "t_first", "isi_mean", "x_last", "energy"}
        ``energy`` is of the equations only, ``x_last`` of these and the reference.
    windows : int
        Equal windows in which spikes are counted.
    backend : {"reference", "equations", "ngspice", "ltspice"}
        See `AlifBank`. The simulators solve the network as one deck, whose cost goes with the
        square of its neurons: for spot checks.
    variant : {"ideal", "schmitt"}, optional
        Of the reference. If not given ``ideal`` for a network that is made, and for another what
        `run_network` takes.
    causes, rtol
        Of the circuit's equations.
    random_state : int, RandomState or None
        Of mixing, spread, synapses and crossbar.
    n_jobs : int, optional
        Processes; None is 1, -1 all usable cores. No bit depends on it.
    cache : bool or path-like or None
        Where samples that are solved are kept; True is the user's cache folder.
    progress : callable, optional
        Called with the fraction of the samples that are done.

    Attributes
    ----------
    network_ : Network
        As it is without a sample.
    inputs_ : Inputs
        Ranges and weights.
    n_neurons_ : int
    feature_units_ : tuple of str
        Unit of each feature.
    n_features_in_ : int
    feature_names_in_ : ndarray
        Where X has names.

    Warns
    -----
    SpicealifWarning
        Before samples are solved that will take more than ten minutes, by the time of the first.

    Examples
    --------
    >>> reservoir = AlifReservoir(n_neurons=5, duration="2m", cache=None)
    >>> reservoir.fit_transform([[0.0, 1.0], [0.5, 0.2]]).shape
    (2, 5)
    """

    _exchangeable = frozenset(
        {"neuron", "tolerances", "draw", "backend", "variant", "causes", "rtol", "delay", "n_jobs",
         "cache", "progress"}
    )  # fmt: skip

    def __init__(
        self,
        network: str | os.PathLike[str] | Network | None = None,
        *,
        n_neurons: int | None = 20,
        neuron: str | os.PathLike[str] | Neuron = "paper",
        synapse: str | Synapse | None = "current",
        probability: float = 0.1,
        weight: float | str | None = None,
        inhibitory: float = 0.2,
        inhibition: float = 4.0,
        delay: float | str = "20u",
        input: str = "current",
        mixing: str = "random",
        encoding: str = "amplitude",
        crossbar: CrossbarSynapse | None = None,
        rate_high: float | str = "4k",
        duration: float | str = "8m",
        i_low: float | str = 0.0,
        i_high: float | str = "1m",
        input_range: Any = None,
        polarity: str = "offset",
        channels: int = 1,
        spread: Mapping[str, Any] | None = None,
        tolerances: Any = None,
        draw: int = 0,
        features: Sequence[str] = ("count",),
        windows: int = 1,
        backend: str = "reference",
        variant: str | None = None,
        causes: Any = None,
        rtol: float | None = None,
        random_state: Any = 0,
        n_jobs: int | None = None,
        cache: Any = True,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self.network = network
        self.n_neurons = n_neurons
        self.neuron = neuron
        self.synapse = synapse
        self.probability = probability
        self.weight = weight
        self.inhibitory = inhibitory
        self.inhibition = inhibition
        self.delay = delay
        self.input = input
        self.mixing = mixing
        self.encoding = encoding
        self.crossbar = crossbar
        self.rate_high = rate_high
        self.duration = duration
        self.i_low = i_low
        self.i_high = i_high
        self.input_range = input_range
        self.polarity = polarity
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

    def network_of(self, X: ArrayLike) -> Network:  # noqa: N803
        """Return the network under one sample, written out: for `run_network`, a file, a deck.

        Parameters
        ----------
        X : array_like, shape (1, d), or (1, channels, K) for series and steps

        Raises
        ------
        ValueError
            If X is not one sample.
        """
        check_is_fitted(self)
        u, _ = self.inputs_.scaled(self._samples(X, reset=False))
        if len(u) != 1:
            raise ValueError(f"X has {len(u)} samples; give one, such as X[:1].")
        return driven_network(self.network_, u[0], self._drive)

    @property
    def _encodings(self) -> Sequence[str]:
        return TRAIN_ENCODINGS if self.input == "crossbar" else ENCODINGS

    @property
    def _encoded(self) -> str:
        return f" with input={self.input!r}"

    def _check(self) -> None:
        for name, value, choices in (
            ("input", self.input, _INPUTS), ("mixing", self.mixing, _MIXING),
        ):  # fmt: skip
            if value not in choices:
                raise ValueError(
                    f"There is no {name} {value!r}; choose one of {', '.join(choices)}."
                )
        super()._check()
        if self.variant is not None:
            check_variant(self.variant)
        self.rate_high_ = quantity_of("rate_high", self.rate_high, "Hz", IntegrationError)
        self.delay_ = quantity_of("delay", self.delay, "s", IntegrationError)
        if not self.rate_high_ > 0:
            raise ValueError(f"rate_high is {self.rate_high_:g} Hz; give a rate above 0.")
        lacking = {"reference": {"energy"}, "equations": set()}.get(
            self.backend, {"energy", "x_last"}
        )
        if given := lacking & set(self.features):
            raise ValueError(
                f"The backend {self.backend} does not say {min(given)} of a network's neurons; "
                "leave it out of the features, or choose the backend equations."
            )
        if self.network is None:
            return
        for name, default in _OF_MADE.items():
            if getattr(self, name) is not default:
                raise ValueError(
                    f"The neurons of a network differ as it says itself; leave {name} out, or "
                    "write it into the network's populations."
                )

    def _fit_inputs(self, x: _Floats, rng: np.random.RandomState) -> Inputs:
        if self.input == "crossbar" or self.mixing == "direct":
            return fit_inputs(x, self.input_range, self.polarity, 1, None, rng)
        n = self.n_neurons if self.network is None else resolve_network(self.network).n_neurons
        if n is None:
            raise ValueError(
                "n_neurons is None, which is one for each input; give a number, or mixing='direct'."
            )
        return fit_inputs(x, self.input_range, self.polarity, 1, n, rng)

    def _make_neurons(self) -> None:
        """Make the network as it is without a sample."""
        inputs = self.inputs_.n_neurons
        if self.network is None:
            made = self._made(inputs)
        else:
            made = with_own_drive(resolve_network(self.network), self.duration_, self.i_low_)
        if self.input == "crossbar":
            made = with_crossbar(
                made, inputs, self.crossbar, self.i_high_ - self.i_low_, self.rate_high_, self.seed_
            )
        elif made.n_neurons != inputs:
            raise ValueError(
                f"There are {made.n_neurons} neurons for {inputs} inputs, each with one of its "
                "own; give as many (n_neurons=None), or mixing='random'."
            )
        self.network_, self.n_neurons_ = made, made.n_neurons
        usual: Variant = "ideal" if self.network is None else chosen_variant(made)
        self.variant_ = usual if self.variant is None else cast("Variant", self.variant)

    def _made(self, inputs: int) -> Network:
        neuron = resolve_neuron(self.neuron, self.duration_, self.i_high_)
        n = inputs if self.n_neurons is None else int(self.n_neurons)
        values = neuron_values(neuron, n, self.spread, self.seed_, self.tolerances, self.draw)
        point = self.backend == "reference" and self.variant in (None, "ideal")
        wiring = Wiring(
            self.synapse, self.probability, self.weight, self.inhibitory, self.inhibition,
            self.delay_ if point else 0.0,
        )  # fmt: skip
        return with_own_drive(
            made_network(neuron, values, n, wiring, self.seed_), self.duration_, self.i_low_
        )

    def _neuron_names(self, channels: Sequence[str]) -> list[str]:
        return [f"{p.name}_{k}" for p in self.network_.populations for k in range(p.size)]

    @property
    def _drive(self) -> Drive:
        return Drive(
            self.input == "crossbar", self.encoding, self.i_low_, self.i_high_, self.rate_high_,
            self.duration_,
        )  # fmt: skip

    def _solve(self, u: _Floats, progress: Callable[[float], None] | None = None) -> BankRuns:
        """Solve inputs of shape (n, m, K), each distinct sample once."""
        flat = np.ascontiguousarray(u.reshape(len(u), -1))
        distinct, which = np.unique(flat, axis=0, return_inverse=True)
        way = Way(
            self.backend, self.variant_,
            ALL_CAUSES if self.causes is None else frozenset(self.causes),
            DEFAULT_RTOL if self.rtol is None else float(self.rtol),
        )  # fmt: skip
        values = solve_samples(
            self.network_, list(distinct.reshape(-1, *u.shape[1:])), self._drive, way,
            threads_of(self.n_jobs), open_kept(self.cache), progress,
        )  # fmt: skip
        m = self.n_neurons_
        unique = which.reshape(-1, 1) * m + np.arange(m)
        good = [value["status"] == OK for value in values]
        trains = [
            np.frombuffer(bytes.fromhex(train))
            for value, ok in zip(values, good, strict=True)
            for train in (value["t_spike"] if ok else [""] * m)
        ]
        nothing = np.full(m, np.nan).tobytes().hex()

        def every(name: str) -> _Floats:
            texts = (v[name] if ok else nothing for v, ok in zip(values, good, strict=True))
            return np.concatenate([np.frombuffer(bytes.fromhex(text)) for text in texts])

        errors = {
            k * m + j: str(value["reason"])
            for k, (value, ok) in enumerate(zip(values, good, strict=True))
            if not ok
            for j in range(m)
        }
        counts = np.array([len(train) for train in trains], dtype=np.int64)
        return BankRuns(
            unique, np.concatenate(trains), counts, every("x_last"), every("energy_source"),
            every("energy_supply"), errors, self.duration_, self.backend,
        )  # fmt: skip
