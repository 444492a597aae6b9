"""The network of a reservoir: neurons, random synapses, the crossbar of its input."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text_files import names_file
from spicealif.design import Constant, Neuron
from spicealif.errors import DesignError
from spicealif.network import (
    CrossbarSynapse,
    FixedProbability,
    Network,
    Population,
    Projection,
    SpikeSource,
    Synapse,
    Values,
    load_network,
    load_network_preset,
    load_synapse,
    network_preset_names,
)
from spicealif.network.synapses._device import READ_VOLTAGE
from spicealif.quantities import quantity_of

__all__ = ["Wiring", "made_network", "resolve_network", "with_crossbar", "with_own_drive"]

_Floats: TypeAlias = NDArray[np.float64]

#: Kinds of synapse that need no more than their weight: what else they are, and their usual weight.
_PLAIN: Mapping[str, tuple[dict[str, Any], float]] = {
    "current": ({"kind": "current", "tau_s": 100e-6}, 0.5e-9),
    "diode": ({"kind": "diode"}, 2e3),
}
#: What a weight is, by which of these a kind takes first, and its unit.
_UNITS = {"charge": "C", "resistance": "ohm", "conductance": "S"}
#: The memristor of a crossbar's cell: that of the preset ``crossbar-8x8``.
_CELL = {
    "kind": "mms", "r_on": 500.0, "r_off": 1500.0, "v_on": 0.27, "v_off": 0.27, "tau": 5e-3,
    "x_0": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Wiring:
    """How the neurons of a made network are joined; see `spicealif.learning.AlifReservoir`."""

    synapse: Any
    probability: float
    weight: Any
    inhibitory: float
    inhibition: float
    delay: float


def resolve_network(network: object) -> Network:
    """Return a network that is given by preset, TOML file, or itself.

    Raises
    ------
    DesignError
        If there is none.
    """
    if isinstance(network, Network):
        return network
    if isinstance(network, str) and network in network_preset_names():
        return load_network_preset(network)
    if isinstance(network, str | os.PathLike) and (
        str(network).lower().endswith(".toml") or names_file(os.fspath(network))
    ):
        return load_network(network)
    raise DesignError(
        f"{ascii(network)} is neither a network preset ({', '.join(network_preset_names())}) nor a "
        "TOML file; give one of these, or a Network."
    )


def made_network(
    neuron: Neuron, values: Mapping[str, _Floats], n: int, wiring: Wiring, seed: int
) -> Network:
    """Return n neurons joined at random.

    Parameters
    ----------
    neuron : Neuron
    values : mapping of str to ndarray, shape (n,)
        In what they differ.
    n : int
    wiring : Wiring
    seed : int
        Of the synapses.

    Raises
    ------
    ValueError, DesignError
        If the wiring makes no sense.
    """
    if not 0 <= wiring.inhibitory <= 1:
        raise ValueError(f"inhibitory is {wiring.inhibitory!r}; give a share from 0 to 1.")
    synapse = None if wiring.synapse is None else _synapse(wiring.synapse)
    n_inh = round(wiring.inhibitory * n) if synapse is not None else 0
    if n_inh and synapse is not None and not synapse["kind"].signed:
        raise ValueError(
            f"A synapse of kind {synapse['name']!r} cannot inhibit; give inhibitory=0, or a kind "
            "such as 'current'."
        )
    unscaled = synapse is not None and wiring.weight is None and synapse["weight"] is None
    if n_inh and unscaled and wiring.inhibition != 1:
        raise ValueError(
            "inhibition multiplies the weight, and none is given beside the synapse; give a "
            "weight, inhibition=1 or inhibitory=0."
        )
    sizes = {"exc": n - n_inh, "inh": n_inh} if n_inh else {"n": n}
    populations, begin = [], 0
    for name, size in sizes.items():
        own = {key: Values(array[begin : begin + size]) for key, array in values.items()}
        begin += size
        if size:
            populations.append(Population(name=name, neuron=neuron, size=size, parameters=own))
    joined: list[Projection] = []
    if synapse is not None and wiring.probability:
        for pre in populations:
            factor = wiring.inhibition if pre.name == "inh" else 1.0
            joined += [_projection(pre, post, synapse, wiring, factor) for post in populations]
    return Network(
        name="reservoir", populations=tuple(populations), projections=tuple(joined),
        t_stop=neuron.t_stop, seed=seed,
    )  # fmt: skip


def with_own_drive(network: Network, t_stop: float, i_low: float) -> Network:
    """Return a network without the currents that it has itself: a constant in their place."""
    populations = []
    for one in network.populations:
        kept = {k: v for k, v in one.parameters.items() if k.partition(".")[0] != "stimulus"}
        neuron = one.neuron.replace({"stimulus": Constant(amplitude=i_low), "t_stop": t_stop})
        populations.append(one.replace(neuron=neuron, parameters=kept, stimuli=None))
    return network.replace(populations=tuple(populations), t_stop=t_stop)


def with_crossbar(
    network: Network,
    inputs: int,
    crossbar: CrossbarSynapse | None,
    span: float,
    rate_high: float,
    seed: int,
) -> Network:
    """Return a network with spike sources for its inputs, and a crossbar where it has none.

    Parameters
    ----------
    network : Network
        If it has sources, these are the inputs, and its own synapses bring them in.
    inputs : int
    crossbar : CrossbarSynapse, optional
        The cell. If not given, that of the preset ``crossbar-8x8``, with the gain at which all
        inputs at `rate_high` bring `span` in the mean.
    span : float
        In A.
    rate_high : float
        In Hz.
    seed : int
        Of the conductances: evenly between those of the cell's states 0 and 1.

    Raises
    ------
    ValueError
        If the sources of the network are not as many as the inputs.
    """
    if network.sources:
        there = sum(source.size for source in network.sources)
        if there != inputs:
            raise ValueError(
                f"The network has {there} sources and the samples have {inputs} inputs; give a "
                "network with as many, or with none, which gets a crossbar."
            )
        silent = [_silent(source) for source in network.sources]
        for source in silent:
            _check_rate(source, rate_high)
        return network.replace(sources=tuple(silent))
    name = "in"
    while name in [population.name for population in network.populations]:
        name += "_"
    source = SpikeSource(name=name, size=inputs, times=[[]] * inputs, v_low=0.0)
    _check_rate(source, rate_high)
    cell = crossbar or CrossbarSynapse(device=_CELL)
    device = cell.memristor
    ends = [1 / device.resistance(READ_VOLTAGE, x) for x in (0.0, 1.0)]
    if crossbar is None:
        charge = 0.5 * sum(ends) * source.v_high * source.t_pulse
        cell = cell.replace(gain=min(span / (inputs * rate_high * charge), 1000.0))
    rng = np.random.default_rng([seed, 1])
    # A little inside: what a device has at its ends may round to beyond them.
    least, most = min(ends) * (1 + 1e-9), max(ends) * (1 - 1e-9)
    conductance = rng.uniform(least, most, (inputs, network.n_neurons))
    joined, begin = [], 0
    for population in network.populations:
        mine = conductance[:, begin : begin + population.size]
        begin += population.size
        joined.append(
            Projection(source=name, target=population.name, synapse=cell,
                       connector={"kind": "all-to-all"}, conductance=Values(mine))
        )  # fmt: skip
    return network.replace(sources=(source,), projections=(*network.projections, *joined))


def _silent(source: SpikeSource) -> SpikeSource:
    fields = {name: getattr(source, name) for name in type(source).model_fields}
    return SpikeSource(**{**fields, "times": [[]] * source.size, "rate": None, "seed": None})


def _check_rate(source: SpikeSource, rate_high: float) -> None:
    """Refuse a rate that the source's pulses do not allow."""
    fields = {name: getattr(source, name) for name in type(source).model_fields}
    SpikeSource(**{**fields, "times": (), "rate": rate_high})


def _synapse(given: Any) -> dict[str, Any]:
    """Return a synapse as its fields, its kind's class, its name, and its usual weight."""
    if isinstance(given, Synapse):
        return {"fields": given, "kind": type(given), "name": given.kind, "weight": None}
    if isinstance(given, str):
        if given not in _PLAIN:
            raise DesignError(
                f"A synapse of kind {ascii(given)} cannot be made from its name alone; choose one "
                f"of {', '.join(_PLAIN)}, or give a Synapse with its device."
            )
        fields, weight = _PLAIN[given]
        return {"fields": fields, "kind": load_synapse(given), "name": given, "weight": weight}
    raise DesignError(
        f"The synapse is {ascii(given)[:60]}; give the name of a kind, a Synapse, or None for none."
    )


def _projection(
    pre: Population, post: Population, synapse: Mapping[str, Any], wiring: Wiring, factor: float
) -> Projection:
    kind, fields = synapse["kind"], synapse["fields"]
    more: dict[str, Any] = {}
    given = synapse["weight"] if wiring.weight is None else wiring.weight
    if given is not None:
        unit = next(unit for unit in _UNITS if unit in kind.weights)
        weight = quantity_of("weight", given, _UNITS[unit], DesignError)
        more[unit] = weight / factor if unit == "resistance" else weight * factor
    if kind.signed:
        more["sign"] = -1 if pre.name == "inh" else 1
    return Projection(
        source=pre.name, target=post.name, synapse=fields,
        connector=FixedProbability(probability=wiring.probability), delay=wiring.delay, **more,
    )  # fmt: skip
