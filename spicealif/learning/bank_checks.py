"""What is asked of a bank's parameters: of all that can be told without samples.

`AlifBank` asks it when it is fitted, and a task's description when it is made, by the same rules.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from spicealif._support.cores import usable_cores
from spicealif.circuit.parameters import Cause
from spicealif.circuit.solve import check_rtol
from spicealif.errors import IntegrationError
from spicealif.learning.encoding import ENCODINGS
from spicealif.learning.features import checked_features
from spicealif.learning.inputs import check_inputs
from spicealif.learning.neurons import neuron_values, resolve_neuron
from spicealif.learning.runs import BACKENDS
from spicealif.quantities import quantity_of

__all__ = ["Quantities", "check_description", "checked_quantities", "threads_of"]


@dataclass(frozen=True)
class Quantities:
    """A bank's quantities in SI units.

    Attributes
    ----------
    duration : float
        Of a sample in s.
    i_low, i_high : float
        In A.
    """

    duration: float
    i_low: float
    i_high: float


def checked_quantities(
    bank: Any, encodings: Sequence[str] = ENCODINGS, encoded: str = ""
) -> Quantities:
    """Return a bank's quantities, if they and the choices beside them make sense.

    Parameters
    ----------
    bank : object
        With the parameters of `AlifBank` as attributes.
    encodings : sequence of str
        Those that there are.
    encoded : str
        What they hang on, for a sentence.

    Raises
    ------
    ValueError, IntegrationError
        If one makes no sense.
    """
    if bank.encoding not in encodings:
        raise ValueError(
            f"There is no encoding {bank.encoding!r}{encoded}; choose one of "
            f"{', '.join(encodings)}."
        )
    if bank.backend not in BACKENDS:
        raise ValueError(
            f"There is no backend {bank.backend!r}; choose one of {', '.join(BACKENDS)}."
        )
    checked_features(bank.features, bank.windows)
    found = Quantities(
        quantity_of("duration", bank.duration, "s", IntegrationError),
        quantity_of("i_low", bank.i_low, "A", IntegrationError),
        quantity_of("i_high", bank.i_high, "A", IntegrationError),
    )
    if not found.duration > 0:
        raise ValueError(f"duration is {found.duration:g} s; give a time above 0.")
    if not found.i_low < found.i_high:
        raise ValueError(
            f"i_low is {found.i_low:g} A and i_high {found.i_high:g} A; give the lower first."
        )
    _check_solution(bank)
    threads_of(bank.n_jobs)
    return found


def _check_solution(bank: Any) -> None:
    """Refuse causes and a tolerance that the backend cannot be asked for."""
    if bank.causes is not None and bank.backend != "equations":
        raise ValueError(
            f"causes are of the circuit's equations, not of {bank.backend}; choose the backend "
            "equations, or leave them out."
        )
    if bank.causes is not None and not _are_causes(bank.causes):
        raise ValueError(
            f"causes is {ascii(bank.causes)[:60]}; give a set of spicealif.circuit.Cause."
        )
    if bank.rtol is None:
        return
    if not isinstance(bank.rtol, numbers.Real) or isinstance(bank.rtol, bool):
        raise ValueError(f"rtol is {bank.rtol!r}; give a number such as 1e-6.")
    # Of whatever backend: the circuit of a bank of ideal equations is solved with it.
    check_rtol(float(bank.rtol))


def _are_causes(given: Any) -> bool:
    try:
        return all(isinstance(cause, Cause) for cause in given)
    except TypeError:
        return False


def threads_of(n_jobs: int | None) -> int:
    """Return a number of threads for scikit-learn's n_jobs."""
    if n_jobs is None:
        return 1
    whole = isinstance(n_jobs, int | np.integer) and not isinstance(n_jobs, bool)
    if not whole or n_jobs == 0:
        raise ValueError(f"n_jobs is {n_jobs!r}; give a number of threads, or -1 for all cores.")
    return int(n_jobs) if n_jobs > 0 else max(1, usable_cores() + 1 + int(n_jobs))


def check_description(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters of an `AlifBank` that no samples would make sense of.

    Parameters
    ----------
    parameters : mapping
        Those of a task's description.

    Raises
    ------
    ValueError, IntegrationError, DesignError, SweepError
        As the fit of such a bank does.
    """
    bank = SimpleNamespace(**{"causes": None, "n_jobs": None, **parameters})
    found = checked_quantities(bank)
    # A task's range is of all inputs: how many there are makes no difference.
    check_inputs(bank.input_range, bank.polarity, bank.neurons_per_input, bank.n_neurons, 1)
    neuron = resolve_neuron(bank.neuron, found.duration, found.i_high)
    neuron_values(neuron, 1, bank.spread, 0, bank.tolerances, bank.draw)
