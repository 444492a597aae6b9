"""A population's single neurons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from spicealif.design import Neuron, PiecewiseLinear
from spicealif.design._base import Part, written_kelvin
from spicealif.errors import DesignError
from spicealif.network.populations import Population

__all__ = ["changed", "neuron_maker", "stream"]

_P = TypeVar("_P", bound=Part)


def stream(seed: int, *key: int) -> np.random.SeedSequence:
    """Return the seeds of one of a network's parts, apart from those of all others.

    Parameters
    ----------
    seed : int
        The network's.
    *key : int
        0, 1 or 2 for a population, a projection or a source, and its place.
    """
    return np.random.SeedSequence(seed, spawn_key=key)


def neuron_maker(
    population: Population, t_stop: float, seed: int, index: int
) -> Callable[[int], Neuron]:
    """Return what makes a population's k-th neuron, validated.

    Neurons whose values are the same are one object, and all share the parts in which they do not
    differ, which are not validated again.

    Parameters
    ----------
    population : Population
    t_stop : float
        The network's.
    seed : int
        The network's.
    index : int
        The population's place in it.
    """
    try:
        base = population.neuron.replace(t_stop=t_stop)
    except DesignError as error:
        raise DesignError(f"The population {population.name!r}: {_small(error)}") from None
    columns = {name: values.array for name, values in population.parameters.items()}
    if population.tolerances is not None:
        own = int(stream(seed, 0, index).generate_state(2, np.uint64)[0])
        drawn = population.tolerances.draw(population.neuron, population.size, own)
        columns |= {name: values.array for name, values in drawn.items()}
    stimuli = population.stimuli
    times = None if stimuli is None else tuple(stimuli.t.tolist())
    made: dict[tuple[Any, ...], Neuron] = {}

    def make(k: int) -> Neuron:
        changes: dict[str, Any] = {name: column[k].item() for name, column in columns.items()}
        key = tuple(changes.values())
        if stimuli is not None:
            currents = stimuli.i.array[k]
            key = (*key, currents.tobytes())
        if key in made:
            return made[key]
        try:
            if stimuli is not None and times is not None:
                changes["stimulus"] = PiecewiseLinear(t=times, i=tuple(currents.tolist()))
            made[key] = changed(base, changes) if changes else base
        except DesignError as error:
            raise DesignError(f"The neuron {population.name}_{k}: {_small(error)}") from None
        return made[key]

    return make


def changed(part: _P, changes: Mapping[str, Any]) -> _P:
    """Return a part with numbers changed by dotted names; what is not named stays the same object.

    The same as `Part.replace`, which builds and validates all anew, at less than half the cost.
    """
    out: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        first, _, rest = name.partition(".")
        if rest:
            inner.setdefault(first, {})[rest] = value
        else:
            out[name] = _kelvin(name, value)
    for name, those in inner.items():
        out[name] = changed(getattr(part, name), those)
    own = {n: v for n in type(part).model_fields if (v := getattr(part, n)) is not None}
    return type(part)(**{**own, **out})


def _kelvin(name: str, value: Any) -> Any:
    """Return a temperature with its unit where the design would ask for it: K it is, here."""
    if name.startswith("temperature") and isinstance(value, int | float):
        return written_kelvin(value)
    return value


def _small(error: Exception) -> str:
    """Return a sentence as it goes on behind a colon."""
    return str(error)
