"""The synapses of a deck: names that a person finds, and the templates of their kinds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from spicealif.netlist._spice import Spice
from spicealif.network.expanded import Expanded, Synapses
from spicealif.network.netlist._shared import Line, Shared, rendered
from spicealif.network.synapses import Synapse

__all__ = ["Connection", "connections", "print_connections", "rest_levels"]


@dataclass(frozen=True, eq=False)
class Connection:
    """One synapse, as the template of its kind sees it.

    Attributes
    ----------
    name : str
        Of both neurons, such as ``exc_3_inh_1``; with the projection's number where another
        projection joins the same two.
    target, column : str
        Name of the target, and with what tells apart the columns of a crossbar's targets.
    pre, post : str
        Nodes: output of the one, capacitor of the other.
    synapse : Synapse
        With this connection's own values.
    initial : tuple of float
        Its states at t = 0.
    v_post : float
        V of the target's capacitor at t = 0.
    drives : bool
        Whether the target is in the deck.
    """

    name: Spice
    target: Spice
    column: Spice
    pre: Spice
    post: Spice
    synapse: Synapse
    initial: tuple[float, ...]
    v_post: float
    drives: bool


def rest_levels(expanded: Expanded, neuron: int) -> tuple[float, float]:
    """Return the voltages in V of an output and a capacitor before anything happens.

    Parameters
    ----------
    expanded : Expanded
    neuron : int
        Index of a neuron or, from ``len(neurons)`` on, of a source, which has no capacitor.
    """
    n = len(expanded.neurons)
    if neuron >= n:
        return float(expanded.sources[neuron - n][0].v_low), 0.0
    one = expanded.neurons[neuron]
    return float(one.output_levels[0]), float(one.v_rest)


def connections(
    expanded: Expanded, real: frozenset[int] | None, shared: Shared
) -> Iterator[tuple[int, Synapses, list[Connection], list[tuple[int, int]]]]:
    """Give the synapses of each projection that touch a neuron of the deck.

    Parameters
    ----------
    expanded : Expanded
    real : frozenset of int or None
        The neurons that are in the deck; None for all.
    shared : Shared
        Gives names that nothing else has.

    Yields
    ------
    number : int
        Of the projection, from 1.
    group : Synapses
    found : list of Connection
    ends : list of (int, int)
        Neurons of each.
    """
    wanted = None if real is None else np.fromiter(real, dtype=np.int64)
    names = expanded.names
    for number, group in enumerate(expanded.synapses, start=1):
        if wanted is None:
            indices = np.arange(len(group.pre))
        else:
            indices = np.flatnonzero(np.isin(group.pre, wanted) | np.isin(group.post, wanted))
        found: list[Connection] = []
        ends: list[tuple[int, int]] = []
        columns: dict[int, list[Any]] = {}
        made: dict[tuple[float, ...], Synapse] = {}
        for k in indices.tolist():
            pre, post = int(group.pre[k]), int(group.post[k])
            values = {name: float(each[k]) for name, each in group.values.items()}
            key = tuple(values.values())
            if key not in made:
                made[key] = group.synapse.with_values(values) if values else group.synapse
            synapse = made[key]
            v_pre, v_post = rest_levels(expanded, pre)[0], rest_levels(expanded, post)[1]
            mirror = (getattr(synapse, "sign", 1), getattr(synapse, "gain", 1.0))
            mirrors = columns.setdefault(post, [])
            if mirror not in mirrors:
                mirrors.append(mirror)
            nth = mirrors.index(mirror)
            found.append(
                Connection(
                    _named(shared, f"{names[pre]}_{names[post]}", number),
                    Spice(names[post]),
                    Spice(names[post] if not nth else f"{names[post]}_g{nth + 1}"),
                    Spice(f"s_{names[pre]}"),
                    Spice(f"v_{names[post]}"),
                    synapse,
                    tuple(float(s) for s in synapse.initial(v_pre, v_post)),
                    v_post,
                    real is None or post in real,
                )
            )
            ends.append((pre, post))
        if found:
            yield number, group, found, ends


def print_connections(
    shared: Shared, number: int, group: Synapses, found: list[Connection]
) -> list[Line]:
    """Return the lines of a projection's synapses, under a heading."""
    projection, synapse = group.projection, group.synapse
    voltage = shared.dialect.voltage
    values = {
        "number": number,
        "synapses": found,
        "voltage": lambda node: Spice(voltage.format(node)),
        "diode": shared.diode,
        "device": shared.device,
    }
    heading = (
        f"* --- projection {number}: {projection.source} to {projection.target}, {synapse.kind} ---"
    )
    name = f"synapse_{synapse.kind}.cir.j2"
    lines = rendered(shared.dialect, name, values, type(synapse).template_folder())
    return [(heading, ("", 0)), *lines]


def _named(shared: Shared, both: str, number: int) -> Spice:
    label = f"syn_{both}"
    if shared.is_free(label):
        return Spice(shared.free(label)[4:])
    # No neuron's name ends in a letter and digits.
    return Spice(shared.free(f"{label}_p{number}")[4:])
