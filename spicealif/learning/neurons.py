"""The neurons of a stage: one design, values that differ, the scatter of parts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text_files import names_file
from spicealif.design import Constant, Neuron, load_preset, load_toml, preset_names
from spicealif.errors import DesignError
from spicealif.quantities import parse_quantity
from spicealif.sweep.space import design_value, unit_of
from spicealif.sweep.tolerances import MonteCarlo, Tolerance, tolerances_of

__all__ = ["neuron_values", "resolve_neuron"]

_Floats: TypeAlias = NDArray[np.float64]


def resolve_neuron(neuron: object, duration: float, i_high: float) -> Neuron:
    """Return the design of a stage's neurons.

    Parameters
    ----------
    neuron : str, path-like or Neuron
        A preset, a TOML file, or the design itself; its stimulus and t_stop are exchanged.
    duration : float
        Of a sample in s.
    i_high : float
        The largest current in A, at which the design is checked.

    Raises
    ------
    DesignError
        If there is no such design, or it would not work at that current.
    """
    if isinstance(neuron, Neuron):
        design = neuron
    elif isinstance(neuron, str) and neuron in preset_names():
        design = load_preset(neuron)
    elif isinstance(neuron, str | os.PathLike) and (
        str(neuron).lower().endswith(".toml") or names_file(os.fspath(neuron))
    ):
        design = load_toml(neuron)
    else:
        raise DesignError(
            f"{ascii(neuron)} is neither a preset ({', '.join(preset_names())}) nor a TOML file; "
            "give one of these, or a Neuron."
        )
    return design.replace({"t_stop": duration, "stimulus": Constant(amplitude=i_high)})


def neuron_values(
    neuron: Neuron,
    m: int,
    spread: Mapping[str, Any] | None,
    seed: int,
    tolerances: str | Sequence[Tolerance] | None,
    draw: int,
) -> dict[str, _Floats]:
    """Return the values in which m neurons differ, by dotted name, shape (m,), SI.

    Parameters
    ----------
    neuron : Neuron
    m : int
    spread : mapping of str to (low, high), or None
        Meant differences: each neuron's value is drawn from these bounds, evenly in its logarithm
        (evenly where a bound is not above 0).
    seed : int
        Of the spread.
    tolerances : None, "default" or sequence of Tolerance
        Scatter of the parts around what is meant; ``"default"``: `tolerances_of` the neuron. All
        neurons have one temperature.
    draw : int
        Seed of the scatter.

    Raises
    ------
    DesignError, SweepError
        If a parameter is not there, or its bounds make no sense.
    """
    if spread is not None and not isinstance(spread, Mapping):
        raise DesignError(
            f"spread is {ascii(spread)[:60]}; give a table of parameters, each with its least and "
            "largest value."
        )
    out: dict[str, _Floats] = {}
    for k, (name, bounds) in enumerate((spread or {}).items()):
        low, high = _bounds(neuron, name, bounds)
        u = np.random.default_rng([seed, k]).random(m)
        logarithmic = low > 0
        out[name] = low * (high / low) ** u if logarithmic else low + u * (high - low)
    if tolerances is None:
        return out
    if isinstance(tolerances, str):
        if tolerances != "default":
            raise DesignError(
                f"tolerances is {ascii(tolerances)}; give 'default', or a list of Tolerance."
            )
        chosen = tolerances_of(neuron)
    else:
        chosen = tuple(tolerances)
    if not chosen:
        return out
    seed_of_draw = int(draw) if isinstance(draw, np.integer) else draw
    points = MonteCarlo(neuron, m, chosen, seed_of_draw, sides="reference").points
    for tolerance in chosen:
        name = tolerance.parameter
        drawn = np.asarray(points.values[name], dtype=float)
        if name == "temperature":
            drawn = np.full(m, drawn[0])
        meant = out.get(name)
        if meant is not None:
            nominal = float(design_value(neuron, name))
            relative = tolerance.relative or tolerance.distribution == "lognormal"
            drawn = meant * (drawn / nominal) if relative else meant + (drawn - nominal)
        out[name] = drawn
    return out


def _bounds(neuron: Neuron, name: str, bounds: Any) -> tuple[float, float]:
    if name == "t_stop" or name.startswith("stimulus."):
        raise DesignError(
            f"{name} is what a sample gives and nothing that neurons differ in; leave it out of "
            "spread."
        )
    value = design_value(neuron, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DesignError(f"{name} is {value!r}, which cannot be spread; name a number.")
    unit = unit_of(neuron, name)
    try:
        if isinstance(bounds, str):  # whose letters would be the bounds
            raise TypeError
        low, high = bounds
        low, high = parse_quantity(low, unit), parse_quantity(high, unit)
    except (TypeError, ValueError):
        raise DesignError(
            f"The spread of {name} is {bounds!r}; give two values in {unit or 'numbers'}, the "
            "least and the largest."
        ) from None
    if not low <= high:
        raise DesignError(f"The spread of {name} goes from {low:g} to {high:g}; exchange them.")
    return low, high
