"""A deck put together: neurons that are in it, others played back, synapses, and the analysis."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.design import MemristorModel, Neuron, Numerics
from spicealif.errors import NetlistError
from spicealif.netlist._environment import SAFE_TEXT
from spicealif.netlist._spice import Spice
from spicealif.netlist.dialect import Dialect, find_dialect
from spicealif.network.expanded import Expanded
from spicealif.network.netlist._connections import connections, print_connections
from spicealif.network.netlist._neurons import Neurons
from spicealif.network.netlist._shared import Line, Shared, rendered
from spicealif.network.netlist.played import PlayedBack, source_points

__all__ = ["Deck", "assemble"]

_Floats = NDArray[np.float64]
#: Quantities of a neuron that a deck can keep, as sums of factors times nodes: at the top level
#: with the neuron's name for ``{}``, or within its subcircuit.
QUANTITIES: dict[str, tuple[tuple[float, str], ...]] = {
    "v_c": ((1.0, "v_{}"),),
    "spike": ((1.0, "s_{}"),),
    "v_mem": ((1.0, "v_{}"), (-1.0, "x_{}/v_s")),
    "x": ((1.0, "x_{}/x"),),
    "v_d": ((1.0, "x_{}/v_d"),),
}


@dataclass(frozen=True, eq=False)
class Deck:
    """A rendered deck, before it is a netlist.

    Attributes
    ----------
    lines : tuple of Line
    signals : dict of str to tuple of (float, str)
        By quantity and neuron, such as ``"v_c:exc_3"``.
    owners : dict of str to tuple of str
        The neurons that an element or node of the top level belongs to, by its name in lower case.
    knots : int
        Points of what is played back.
    """

    lines: tuple[Line, ...]
    signals: dict[str, tuple[tuple[float, str], ...]]
    owners: dict[str, tuple[str, ...]]
    knots: int


def assemble(
    expanded: Expanded,
    dialect: str,
    *,
    reltol: float,
    real: tuple[int, ...] | None = None,
    played: PlayedBack | None = None,
    quantities: tuple[str, ...] = ("v_c", "spike"),
) -> Deck:
    """Put a deck together.

    Parameters
    ----------
    expanded : Expanded
    dialect : str
    reltol : float
    real : tuple of int, optional
        The neurons that are in the deck; the others that have a synapse with one of them are
        played back. All, if not given.
    played : PlayedBack, optional
    quantities : tuple of str
        What is kept of each neuron, of `QUANTITIES`.

    Raises
    ------
    NetlistError
        If the network has what no deck can have; see `build_network_netlist`.
    """
    spelling = find_dialect(dialect)
    inside = tuple(range(len(expanded.neurons))) if real is None else real
    _check(expanded, reltol, quantities)
    neurons = [expanded.neurons[k] for k in inside] or list(expanded.neurons[:1])
    celsius = _common_temperature(neurons)
    shared = Shared(spelling, neurons[0].thermal_voltage)
    for name in expanded.names:
        shared.free(name)

    cells = Neurons(shared)
    populations = [
        {
            "name": Spice(stem),
            "neurons": [
                cells.instance(expanded.neurons[k], expanded.names[k]) for k in list(members)
            ],
        }
        for stem, members in itertools.groupby(
            inside, key=lambda k: expanded.names[k].rpartition("_")[0]
        )
    ]

    # They say who has to be played back.
    printed: list[Line] = []
    owners: dict[str, tuple[str, ...]] = {}
    outputs: dict[int, None] = {}
    capacitors: dict[int, None] = {}
    within = set(inside)
    found_count = 0
    for number, group, found, ends in connections(
        expanded, None if real is None else frozenset(real), shared
    ):
        printed += print_connections(shared, number, group, found)
        found_count += len(found)
        for one, (pre, post) in zip(found, ends, strict=True):
            owners[one.name.lower()] = (expanded.names[pre], expanded.names[post])
            if pre not in within:
                outputs[pre] = None
            if post not in within and not type(one.synapse).one_way:
                capacitors[post] = None
    sources, played_lines, knots = _driven(expanded, outputs, capacitors, played)
    numerics, t_step_max = _numerics(neurons)
    initial = [
        {"node": f"v_{expanded.names[k]}", "value": float(expanded.neurons[k].v_rest)}
        for k in inside
    ]
    signals = _signals(expanded, inside, quantities, spelling)
    vectors = list(dict.fromkeys(v for terms in signals.values() for _, v in terms))
    for k in range(len(expanded.names)):
        owners[expanded.names[k].lower()] = (expanded.names[k],)
    t_stop = expanded.network.t_stop
    example = expanded.names[inside[0]] if inside else expanded.names[0]
    values = {
        "name": expanded.network.name,
        "neurons": len(inside),
        "sources": len(expanded.sources),
        "synapses": found_count,
        "witness": Spice(example) if real is not None else None,
        "tolerance": played.tolerance if played else 0.0,
        "jitter": played.jitter if played else 0.0,
        "example_c": Spice(spelling.voltage.format(f"v_{example}")),
        "example_s": Spice(spelling.voltage.format(f"s_{example}")),
    }
    analysis = {
        "initial": initial,
        "voltage": lambda node: Spice(spelling.voltage.format(node)),
        "reltol": reltol,
        "numerics": numerics,
        "celsius": celsius,
        "vectors": [Spice(v) for v in vectors],
        "t_stop": t_stop,
        "t_step_max": t_step_max,
        "t_step_first": t_step_max,
    }
    bench = {
        "supplies": cells.supplies,
        "sources": sources,
        "played": played_lines,
        "populations": populations,
    }
    lines = [
        *rendered(spelling, "network.cir.j2", values),
        *shared.lines,
        *cells.lines,
        *rendered(spelling, "network_neurons.cir.j2", bench),
        *printed,
        *rendered(spelling, "network_analysis.cir.j2", analysis),
    ]
    if not SAFE_TEXT.match("\n".join(text for text, _ in lines)):
        raise NetlistError(
            "The netlist has a character that is not printable ASCII; check the templates."
        )
    return Deck(tuple(lines), signals, owners, knots)


def _check(expanded: Expanded, reltol: float, quantities: tuple[str, ...]) -> None:
    if not 0 < reltol < 1:
        raise NetlistError(f"The reltol is {reltol}; give one above 0 and below 1, such as 1e-6.")
    if unknown := [q for q in quantities if q not in QUANTITIES]:
        raise NetlistError(
            f"{ascii(unknown[0])[:40]} is nothing that a network's netlist keeps; choose of "
            f"{', '.join(QUANTITIES)}."
        )
    lower: dict[str, str] = {}
    for name in expanded.names:
        other = lower.setdefault(name.lower(), name)
        if other != name:
            raise NetlistError(
                f"The neurons {other} and {name} have one name for SPICE, which does not tell "
                "capitals from small letters; rename a population."
            )
    for group in expanded.synapses:
        if np.any(group.delay != 0):
            late = float(group.delay[group.delay != 0][0])
            raise NetlistError(
                f"The projection from {group.projection.source} to {group.projection.target} has "
                f"a delay of {late:g} s, which no circuit has; leave it out (a synapse of kind "
                "current is late by its tau_s), or solve the network by the reference."
            )


def _common_temperature(neurons: list[Neuron]) -> float:
    temperatures = {neuron.temperature for neuron in neurons}
    if len(temperatures) > 1:
        raise NetlistError(
            f"The neurons are at {min(temperatures):g} to {max(temperatures):g} K, and a netlist "
            "has one temperature; give all populations the same."
        )
    return round(temperatures.pop() - 273.15, 9)


def _numerics(neurons: list[Neuron]) -> tuple[Numerics, float]:
    """Return the tightest of the neurons' tolerances, and their least largest step in s."""
    all_of = list({repr(n.numerics): n.numerics for n in neurons}.values())
    tightest = {
        name: min(getattr(numerics, name) for numerics in all_of)
        for name in ("abstol", "vntol", "chgtol", "trtol")
    }
    return all_of[0].replace(tightest), min(n.at_temperature.t_step_max for n in neurons)


def _driven(
    expanded: Expanded,
    outputs: dict[int, None],
    capacitors: dict[int, None],
    played: PlayedBack | None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Return the sources of spikes and of what is played back, and their points."""
    sources: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    n, knots = len(expanded.neurons), 0
    for k in sorted(outputs):
        name = expanded.names[k]
        if k >= n:
            points = source_points(*expanded.sources[k - n], expanded.network.t_stop)
            sources.append(_source(f"V_{name}", f"s_{name}", points))
        else:
            points = _points(played, k, "out")
            others.append(_source(f"V_s_{name}", f"s_{name}", points))
        knots += len(points[0])
    for k in sorted(capacitors):
        points = _points(played, k, "c")
        name = expanded.names[k]
        others.append(_source(f"V_v_{name}", f"v_{name}", points))
        knots += len(points[0])
    return sources, others, knots


def _points(played: PlayedBack | None, neuron: int, which: str) -> tuple[_Floats, _Floats]:
    assert played is not None
    return played.points(neuron, which)


def _source(element: str, node: str, points: tuple[_Floats, _Floats]) -> dict[str, Any]:
    pairs = [f"{t!r} {v!r}" for t, v in zip(points[0].tolist(), points[1].tolist(), strict=True)]
    rows = [" ".join(pairs[k : k + 4]) for k in range(0, len(pairs), 4)]
    function = Spice("PWL(" + "\n+ ".join(rows) + ")")
    return {"element": Spice(element), "node": Spice(node), "function": function}


def _signals(
    expanded: Expanded, inside: tuple[int, ...], quantities: tuple[str, ...], spelling: Dialect
) -> dict[str, tuple[tuple[float, str], ...]]:
    signals = {}
    for k in inside:
        name = expanded.names[k]
        for quantity in quantities:
            if quantity == "x" and not isinstance(expanded.neurons[k].leak, MemristorModel):
                continue
            signals[f"{quantity}:{name}"] = tuple(
                (
                    factor,
                    spelling.voltage.format(node.format(name).replace("/", spelling.separator)),
                )
                for factor, node in QUANTITIES[quantity]
            )
    return signals
