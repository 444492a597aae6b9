"""The banks behind a transfer: ideal equations, circuit, drawn parts, another device."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.design import Constant, MemristorModel, Neuron, load_device
from spicealif.errors import CompareError, DesignError, SweepError
from spicealif.learning.control import without_adaptation
from spicealif.sweep.space import design_value
from spicealif.sweep.tolerances import Tolerance, tolerances_of

__all__ = [
    "DEVICE",
    "LEVELS",
    "Level",
    "accepted_draws",
    "as_equations",
    "check_samples",
    "driven_neuron",
    "feature_kinds",
    "fitted_bank",
    "levels_of",
    "part",
    "scatter_of",
    "solved_features",
    "trained",
    "with_neuron",
]

_Floats: TypeAlias = NDArray[np.float64]
_Progress: TypeAlias = Callable[[float], None]

#: What a readout may be applied to; the first is what it was trained on.
LEVELS = ("ideal", "circuit", "tolerances", "device", "resistor")
#: The measured device that is taken unless told.
DEVICE = "w_sdc_5k_1khz_m1"
#: Draws that are tried for each that is wanted.
_PATIENCE = 20


@dataclass(frozen=True, eq=False)
class Level:
    """Banks of one kind: for each draw a function that makes one, given where progress is told."""

    name: str
    label: str
    banks: tuple[Callable[[_Progress | None], Any], ...]


def part(progress: _Progress | None, begin: float, share: float) -> _Progress | None:
    """Return what tells the progress of a part of the work."""
    if progress is None:
        return None
    return lambda done: progress(begin + share * min(max(done, 0.0), 1.0))


def check_samples(samples: ArrayLike, labels: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return samples and labels as arrays of the same length.

    Raises
    ------
    CompareError
        If there is none, or not a label for each.
    """
    x, y = np.asarray(samples), np.asarray(labels)
    if y.ndim != 1 or len(x) != len(y) or not len(y):
        raise CompareError(
            f"There are samples of shape {x.shape} and labels of shape {y.shape}; give one label "
            "for each sample, and at least one sample."
        )
    return x, y


def fitted_bank(bank: Any, samples: ArrayLike, labels: ArrayLike) -> Any:
    """Return a copy of a bank, fitted and of the ideal equations, nothing drawn."""
    from sklearn.base import clone

    check_samples(samples, labels)
    fresh = clone(bank).set_params(
        backend="reference", variant="ideal", causes=None, tolerances=None
    )
    return fresh.fit(samples)


def trained(
    readout: Any,
    bank: Any,
    samples: ArrayLike,
    labels: ArrayLike,
    *,
    features: _Floats | None = None,
) -> Any:
    """Return a copy of a readout, trained on a bank's features of some samples."""
    from sklearn.base import clone

    return clone(readout).fit(
        bank.transform(samples) if features is None else features, np.asarray(labels)
    )


def solved_features(bank: Any, samples: ArrayLike) -> tuple[_Floats, int]:
    """Return a bank's features of some samples, and how many runs did not reach their end.

    Those have no energy and no last state; they count as 0.
    """
    runs = bank.solve(samples)
    return np.nan_to_num(bank.features_of(runs)), len(runs.errors)


def driven_neuron(bank: Any) -> Neuron:
    """Return a fitted bank's design with a current that shows which causes it has."""
    neuron: Neuron = bank.neuron_
    if bank.i_low_ < 0:  # then v_c may be below ground, where the body diode conducts
        return neuron.replace({"stimulus": Constant(amplitude=bank.i_low_)})
    return neuron


def scatter_of(
    neuron: Neuron, tolerances: str | Sequence[Tolerance] | None
) -> tuple[Tolerance, ...]:
    """Return what is drawn.

    Raises
    ------
    CompareError
        If it is a text other than "default".
    """
    if tolerances is None:
        return ()
    if isinstance(tolerances, str):
        if tolerances != "default":
            raise CompareError(
                f"tolerances is {ascii(tolerances)}; give 'default', a list of Tolerance, or None."
            )
        return tolerances_of(neuron)
    return tuple(tolerances)


def feature_kinds(bank: Any) -> NDArray[Any]:
    """Return what kind of feature each column is, such as ``"count"``."""
    of_neuron = [
        kind for kind in bank.features for _ in range(bank.windows if kind == "count" else 1)
    ]
    return np.array(of_neuron * bank.n_neurons_)


def as_equations(bank: Any, **changes: Any) -> Any:
    """Return a fitted bank solved by the circuit's own equations, or as `changes` say.

    An rtol of None leaves the bank its own.
    """
    every = {"backend": "equations", "causes": None, **changes}
    if every.get("rtol", 0) is None:
        del every["rtol"]
    if not getattr(bank, "exchanged_", False):
        return bank.with_(**every)
    # `with_` would draw the spread anew, of names that another device may not have.
    other = copy.copy(bank)
    for name, value in every.items():
        setattr(other, name, value)
    return other


def accepted_draws(
    bank: Any, tolerances: tuple[Tolerance, ...], count: int, seed: int
) -> tuple[list[int], int]:
    """Return draws whose neurons the design accepts, and how many had to be passed over.

    A neuron that would latch, say, is no neuron; whoever builds a bank exchanges it.

    Raises
    ------
    CompareError
        If hardly any draw is accepted.
    """
    found: list[int] = []
    for draw in range(seed, seed + _PATIENCE * count):
        if not tolerances or _accepted(bank.with_(tolerances=tolerances, draw=draw)):
            found.append(draw)
        if len(found) == count:
            return found, draw + 1 - seed - count
    raise CompareError(
        f"Of {_PATIENCE * count} draws of the tolerances the design refuses all but {len(found)}; "
        "give smaller tolerances."
    )


def _accepted(bank: Any) -> bool:
    names = list(bank.values_)
    try:
        for row in zip(*bank.values_.values(), strict=True):
            bank.neuron_.replace({n: float(v) for n, v in zip(names, row, strict=True)})
    except DesignError:
        return False
    return True


def with_neuron(bank: Any, neuron: Neuron, *, own_leak: bool = False) -> tuple[Any, list[str]]:
    """Return a fitted bank with another design, and the parameters whose spread is left out.

    Parameters
    ----------
    bank : AlifBank
        Nothing drawn.
    neuron : Neuron
    own_leak : bool
        Whether its leak is what it is, so that no spread of the leak's applies to it.

    Returns
    -------
    bank, lost : AlifBank, list of str
        Parameters that both designs have keep their values, neuron by neuron.
    """
    kept = {
        name: values
        for name, values in bank.values_.items()
        if _has(neuron, name) and not (own_leak and name.startswith("leak."))
    }
    other = copy.copy(bank)
    other.exchanged_ = True
    other.neuron = neuron
    other.neuron_ = neuron.replace(
        {"t_stop": bank.neuron_.t_stop, "stimulus": bank.neuron_.stimulus.to_dict()}
    )
    other.values_ = kept
    return other, [name for name in bank.values_ if name not in kept]


def _has(neuron: Neuron, name: str) -> bool:
    try:
        design_value(neuron, name)
    except SweepError:
        return False
    return True


def levels_of(
    bank: Any,
    names: Sequence[str],
    device: str | os.PathLike[str] | MemristorModel | Neuron | None,
    tolerances: tuple[Tolerance, ...],
    draws: int,
    seed: int,
    rtol: float | None = None,
) -> tuple[list[Level], tuple[str, ...]]:
    """Return the levels but the ideal one, and what has to be said of them.

    Raises
    ------
    CompareError
        If there is no such level, or nothing scatters and draws are asked for.
    """
    remarks: list[str] = []
    out: list[Level] = []
    for name in dict.fromkeys(names):
        if name not in LEVELS:
            raise CompareError(
                f"There is no level {ascii(name)}; choose among {', '.join(LEVELS)}."
            )
        if name == "circuit":
            out.append(Level(name, "circuit", (_maker(bank, rtol),)))
        elif name == "tolerances":
            if not tolerances:
                raise CompareError("Nothing scatters; give tolerances, or leave the level out.")
            accepted, refused = accepted_draws(bank, tolerances, draws, seed)
            if refused:
                remarks.append(
                    f"Draws that the design refuses and that were passed over: {refused}."
                )
            makers = tuple(_maker(bank, rtol, tolerances=tolerances, draw=d) for d in accepted)
            out.append(Level(name, "circuit with tolerances", makers))
        elif name == "device":
            neuron, label = _other_device(bank.neuron_, DEVICE if device is None else device)
            other, lost = with_neuron(bank, neuron, own_leak=True)
            out.append(Level(name, f"circuit with {label}", (_maker(other, rtol),)))
            remarks += _lost(lost, label)
        elif name == "resistor":
            other, lost = with_neuron(bank, without_adaptation(bank.neuron_))
            out.append(Level(name, "circuit, adaptation off", (_maker(other, rtol),)))
            remarks += _lost(lost, "the resistor")
    return out, tuple(remarks)


def _maker(bank: Any, rtol: float | None, **changes: Any) -> Callable[[_Progress | None], Any]:
    return lambda progress: as_equations(bank, rtol=rtol, progress=progress, **changes)


def _lost(names: Sequence[str], label: str) -> list[str]:
    if not names:
        return []
    return [f"The spread of {', '.join(names)} does not apply to {label} and is left out there."]


def _other_device(
    neuron: Neuron, device: str | os.PathLike[str] | MemristorModel | Neuron
) -> tuple[Neuron, str]:
    if isinstance(device, Neuron):
        return device, f"'{device.name}'"
    if isinstance(device, MemristorModel):
        return neuron.replace({"leak": device.to_dict()}), "another memristor"
    found = load_device(os.fspath(device))
    return neuron.replace({"leak": found.device.to_dict()}), f"device {found.name}"
