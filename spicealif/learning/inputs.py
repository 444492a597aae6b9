"""How samples become inputs between 0 and 1: ranges, polarity, mixing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["POLARITIES", "Inputs", "Polarity", "as_samples", "check_inputs", "fit_inputs"]

_Floats: TypeAlias = NDArray[np.float64]
Polarity: TypeAlias = Literal["offset", "split"]
POLARITIES: tuple[Polarity, ...] = get_args(Polarity)
#: What the weights of a random mixture would have as standard deviation with a single input.
_SPREAD = 2.0


@dataclass(frozen=True, eq=False)
class Inputs:
    """What was learned of the samples: where each channel's values lie, and what mixes them.

    Attributes
    ----------
    low, high : ndarray, shape (d,)
        The values that become 0 and 1; values beyond them are taken as these.
    polarity : {"offset", "split"}
        ``offset``: u = (value - low) / (high - low). ``split``: two inputs for each channel, its
        values above 0 over `high` and its values below 0 over `low`.
    copies : int
        Neurons for each input.
    weights : ndarray, shape (m, d), or None
        Of a mixture: u of a neuron is 1/2 + sum of weight times (u of the channel - 1/2), between
        0 and 1.
    """

    low: _Floats
    high: _Floats
    polarity: str
    copies: int
    weights: _Floats | None

    @property
    def n_neurons(self) -> int:
        """Neurons that the inputs reach."""
        if self.weights is not None:
            return len(self.weights)
        return len(self.low) * (2 if self.polarity == "split" else 1) * self.copies

    def scaled(self, x: _Floats) -> tuple[_Floats, float]:
        """Return each neuron's input, and which share of the values lay beyond the range.

        Parameters
        ----------
        x : ndarray, shape (n, d, K)

        Returns
        -------
        u : ndarray, shape (n, m, K)
        beyond : float
        """
        low, high = self.low[:, None], self.high[:, None]
        beyond = float(np.mean((x < low) | (x > high))) if x.size else 0.0
        if self.polarity == "split":
            parts = [_over(x, high), _over(-x, -low)]
            u = np.stack(parts, axis=2).reshape(len(x), -1, x.shape[2])
        else:
            u = _over(x - low, high - low)
        if self.weights is not None:
            mixed = 0.5 + np.einsum("md,ndk->nmk", self.weights, u - 0.5)
            return np.clip(mixed, 0.0, 1.0), beyond
        return np.repeat(u, self.copies, axis=1), beyond

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return the names of the neurons."""
        if self.weights is not None:
            return [f"n{j}" for j in range(len(self.weights))]
        signs = ("_pos", "_neg") if self.polarity == "split" else ("",)
        copies = [f"_{c}" for c in range(self.copies)] if self.copies > 1 else [""]
        return [f"{name}{sign}{copy}" for name in channels for sign in signs for copy in copies]


def _over(x: _Floats, span: _Floats) -> _Floats:
    """Return x over a span, between 0 and 1; 0 where the span is none."""
    usable = span > 0
    u: _Floats = np.clip(np.divide(x, span, out=np.zeros_like(x), where=usable), 0.0, 1.0)
    return u + 0.0  # no -0, which would be another run


def as_samples(x: _Floats, over_time: bool, channels: int) -> _Floats:
    """Return samples as an array of shape (n, channels, K).

    Parameters
    ----------
    x : ndarray, shape (n, d) or (n, channels, K)
    over_time : bool
        Whether a channel has several values over time. If not, each of d features is a channel.
    channels : int
        Of samples of shape (n, d), where d is channels times K: one channel after the other.

    Raises
    ------
    ValueError
        If the shape does not fit.
    """
    if x.ndim == 3:
        if not over_time:
            raise ValueError(
                f"X has the shape {x.shape}, and this encoding takes one number for each input; "
                "choose the encoding series or steps, or give X of shape (n, d)."
            )
        if not x.size:
            raise ValueError(f"X has the shape {x.shape}; give at least one value of each channel.")
        return x
    if x.ndim != 2:
        raise ValueError(f"X has the shape {x.shape}; give (n, d), or (n, channels, K) for series.")
    if not over_time:
        return x[:, :, None]
    whole = isinstance(channels, int | np.integer) and not isinstance(channels, bool)
    if not whole or channels < 1:
        raise ValueError(f"channels is {channels!r}; give a whole number from 1 up.")
    if x.shape[1] % channels:
        raise ValueError(
            f"X has {x.shape[1]} columns, which are not {channels} channels of the same length; "
            "give a number of channels that divides them."
        )
    return x.reshape(len(x), channels, -1)


def fit_inputs(
    x: _Floats,
    input_range: Any,
    polarity: str,
    copies: int,
    n_neurons: int | None,
    rng: np.random.RandomState,
) -> Inputs:
    """Return what samples say of their scaling.

    Parameters
    ----------
    x : ndarray, shape (n, d, K)
        Training samples.
    input_range : None, or pair of array_like, each a number or of shape (d,)
        If None, each channel's least and largest value; with ``split`` the largest magnitude
        stands for both signs.
    polarity, copies
        See `Inputs`.
    n_neurons : int or None
        Neurons of a random mixture: weights are normal with standard deviation 2 / sqrt(d). None:
        each input has its own neurons.
    rng : RandomState

    Raises
    ------
    ValueError
        If a choice makes no sense.
    """
    d = x.shape[1]
    given = check_inputs(input_range, polarity, copies, n_neurons, d)
    low, high = _range_of(x, polarity) if given is None else given
    weights = None
    if n_neurons is not None:
        weights = rng.normal(0.0, _SPREAD / np.sqrt(d), (int(n_neurons), d))
    return Inputs(low, high, polarity, int(copies), weights)


def check_inputs(
    input_range: Any, polarity: str, copies: int, n_neurons: int | None, d: int
) -> tuple[_Floats, _Floats] | None:
    """Return the ends of a range that is given, each of shape (d,); None without one.

    Parameters
    ----------
    input_range, polarity, copies, n_neurons
        See `fit_inputs`.
    d : int
        Number of channels.

    Raises
    ------
    ValueError
        If a choice makes no sense.
    """
    if polarity not in POLARITIES:
        raise ValueError(
            f"There is no polarity {polarity!r}; choose one of {', '.join(POLARITIES)}."
        )
    for name, value in (("neurons_per_input", copies), ("n_neurons", n_neurons)):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if value is not None and not (whole and value >= 1):
            raise ValueError(f"{name} is {value!r}; give a whole number from 1 up.")
    if n_neurons is not None and (copies != 1 or polarity == "split"):
        raise ValueError(
            "n_neurons mixes all inputs, and neurons_per_input or polarity 'split' keeps them "
            "apart; choose one of the two."
        )
    if input_range is None:
        return None
    try:
        if isinstance(input_range, str | Mapping | Set):  # of which something else would be taken
            raise TypeError
        low, high = (
            np.broadcast_to(np.asarray(end, dtype=float), (d,)).copy() for end in input_range
        )
    except (TypeError, ValueError):
        raise ValueError(
            f"input_range is {input_range!r}; give the least and the largest value, each a number "
            f"or one for each of the {d} inputs."
        ) from None
    if not (np.isfinite(low).all() and np.isfinite(high).all() and np.all(low < high)):
        raise ValueError("input_range does not rise from a finite low to a finite high; exchange.")
    if polarity == "split" and not (np.all(low < 0) and np.all(high > 0)):
        raise ValueError(
            "polarity 'split' needs an input_range from below 0 to above 0; give such a one."
        )
    _check_span(low, high)
    return low, high


def _range_of(x: _Floats, polarity: str) -> tuple[_Floats, _Floats]:
    """Return the ends of samples' own range."""
    low, high = x.min(axis=(0, 2)), x.max(axis=(0, 2))
    if polarity == "split":
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    _check_span(low, high)
    return low, high


def _check_span(low: _Floats, high: _Floats) -> None:
    """Refuse ranges that are wider than numbers go: all values would come out the same."""
    with np.errstate(over="ignore"):
        wide = ~np.isfinite(high - low)
    if wide.any():
        k = int(wide.argmax())
        raise ValueError(
            f"The values of input {k} go from {low[k]:g} to {high[k]:g}, wider than numbers go; "
            "give smaller ones."
        )
