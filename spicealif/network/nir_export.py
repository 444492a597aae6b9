"""A network as a NIR graph, and what the graph cannot say."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.described import Described
from spicealif._support.files import replacing
from spicealif._support.text import counted
from spicealif.design import Comparator, MemristorModel, Neuron, Resistor
from spicealif.errors import DesignError, OutputError
from spicealif.network._nir_charges import spike_charges
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, Synapses, expand
from spicealif.network.nir_files import nir_module

__all__ = ["NirExport", "export_nir", "nir_graph"]

_Floats = NDArray[np.float64]
#: Weights of one matrix; NIR has no sparse ones.
_MOST = 100_000_000
_ENDINGS = (".nir", ".h5", ".hdf5")


@dataclass(frozen=True, eq=False, repr=False)
class NirExport(Described):
    """What became of a network as NIR.

    Attributes
    ----------
    graph : nir.NIRGraph
    lost : tuple of str
        What the graph does not say, a sentence each.
    path : Path or None
        The file written.
    """

    graph: Any
    lost: tuple[str, ...]
    path: Path | None = None

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("", counted(len(self.graph.nodes), "node")),
            *([("", ascii(self.path.name))] if self.path else []),
            ("lost:", f"{len(self.lost)}: {' '.join(self.lost)}" if self.lost else "nothing"),
        ]

    def __str__(self) -> str:
        head = "The graph says all that the network is." if not self.lost else "Lost in NIR:"
        return "\n".join([head, *(f"- {sentence}" for sentence in self.lost)])


def export_nir(network: Network, path: str | os.PathLike[str]) -> NirExport:
    """Write a network as a NIR file.

    Parameters
    ----------
    network : Network
    path : path-like
        Ends in ``.nir``, ``.h5`` or ``.hdf5``; written whole or not at all.

    Returns
    -------
    NirExport
        See `nir_graph`.

    Raises
    ------
    DesignError
        If the package ``nir`` is missing, or a matrix of weights would be too large.
    OutputError
        If the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in _ENDINGS:
        raise OutputError(
            f"A NIR file is not written to {ascii(target.name)}; use a name that ends in "
            f"{', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}."
        )
    exported = nir_graph(network)
    buffer = io.BytesIO()
    nir_module().write(buffer, exported.graph)
    with replacing(target) as file:
        file.write(buffer.getvalue())
    return NirExport(exported.graph, exported.lost, target)


def nir_graph(network: Network) -> NirExport:
    """Return a network as a NIR graph, in V, ohm and A s, with what it does not say.

    A population becomes a ``LIF``: ``r`` is the leak's resistance (a memristor's at x_0) and r_s
    together, ``tau = c r``, ``v_leak = v_rest``, and ``v_threshold`` the capacitor's voltage at
    which v_mem reaches v_th. A projection becomes a ``Linear`` of the charges that a spike moves,
    with a ``Delay`` ahead of it or behind it.

    Parameters
    ----------
    network : Network

    Returns
    -------
    NirExport

    Raises
    ------
    DesignError
        If the package ``nir`` is missing, or a matrix of weights would be too large.
    """
    nir = nir_module()
    expanded = expand(network)
    lost: list[str] = []
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    first = 0
    for population in network.populations:
        members = expanded.neurons[first : first + population.size]
        first += population.size
        nodes[population.name] = _lif(nir, members)
        lost += _lost_of(population.name, members)
    for source in network.sources:
        nodes[source.name] = nir.Input(input_type=np.array([source.size]))
        lost.append(
            f"The spike times of {source.name}, and the height and width of its pulses: an Input "
            "has a size only."
        )
    for k, synapses in enumerate(expanded.synapses):
        _join(nir, k, expanded, synapses, nodes, edges, lost)
    for population in network.populations:
        name = _free(f"{population.name}_output", nodes)
        nodes[name] = nir.Output(output_type=np.array([population.size]))
        edges.append((population.name, name))
    if not network.sources:
        # nir reads no graph without an Input: one that gives nothing
        target = network.populations[0]
        entry, silent = _free("input", nodes), _free("input_weight", nodes)
        nodes[entry] = nir.Input(input_type=np.array([1]))
        nodes[silent] = nir.Linear(weight=np.zeros((target.size, 1)))
        edges += [(entry, silent), (silent, target.name)]
    graph = nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)
    return NirExport(graph, tuple(dict.fromkeys(lost)))


def _lif(nir: Any, members: tuple[Neuron, ...]) -> Any:
    leaks = np.array([_leak(neuron) for neuron in members])
    c = np.array([neuron.c for neuron in members])
    v_rest = np.array([neuron.v_rest for neuron in members])
    r = leaks + np.array([neuron.r_s for neuron in members])
    v_th = np.array([neuron.v_th for neuron in members])
    return nir.LIF(
        tau=c * r,
        r=r,
        v_leak=v_rest,
        v_threshold=v_rest + v_th * r / leaks,
        v_reset=np.array([neuron.v_reset for neuron in members]),
    )


def _leak(neuron: Neuron) -> float:
    leak = neuron.leak
    if isinstance(leak, Resistor):
        return leak.r
    if isinstance(leak, MemristorModel):
        return leak.resistance(neuron.v_th, leak.x_0)
    return float(leak.r_max(neuron.v_th))


def _lost_of(name: str, members: tuple[Neuron, ...]) -> list[str]:
    """Say what a LIF node leaves out of a population's neurons."""
    lost = []
    if any(not isinstance(neuron.leak, Resistor) for neuron in members):
        lost.append(
            f"The adaptation of {name}: its memristor is a resistor of its value at x_0 in a LIF."
        )
    lost.append(
        f"The parts of {name}'s circuit"
        f"{' (real ones)' if isinstance(members[0].comparator, Comparator) else ''}: comparator, "
        "lower threshold v_low, discharge and output pulse; a LIF is reset in no time."
    )
    if any(neuron.stimulus.peak(neuron.t_stop) != 0 for neuron in members):
        lost.append(f"The input currents of {name}: a LIF has none of its own.")
    if any(neuron.t_ref > 0 for neuron in members):
        lost.append(f"The refractory time of {name}.")
    return lost


def _join(
    nir: Any,
    k: int,
    expanded: Expanded,
    synapses: Synapses,
    nodes: dict[str, Any],
    edges: list[tuple[str, str]],
    lost: list[str],
) -> None:
    """Add a projection's nodes and edges."""
    projection, network = synapses.projection, expanded.network
    n_pre = network.population(projection.source).size
    n_post = network.population(projection.target).size
    if n_pre * n_post > _MOST:
        raise DesignError(
            f"NIR has full matrices only, and that of {projection.label} would have "
            f"{n_pre * n_post:,} weights, more than {_MOST:,}; export a smaller network."
        )
    pre, post = _local(expanded, synapses)
    charges, what = spike_charges(expanded, synapses)
    lost += [f"{sentence} ({projection.source} to {projection.target})." for sentence in what]
    weight = np.zeros((n_post, n_pre))
    np.add.at(weight, (post, pre), charges)
    before, after, exact = _delays(synapses.delay, pre, post, n_pre, n_post)
    if not exact:
        lost.append(
            f"The single delays of {projection.label}: a Delay holds one for each neuron, and the "
            "mean of each target's is given."
        )
    chain: list[tuple[str, Any]] = []
    label = f"{projection.source}_{projection.target}_{k}"
    if np.any(before):
        chain.append((f"{label}_delay", nir.Delay(delay=before)))
    chain.append((f"{label}_weight", nir.Linear(weight=weight)))
    if np.any(after):
        chain.append((f"{label}_delay", nir.Delay(delay=after)))
    last = projection.source
    for name, node in chain:
        free = _free(name, nodes)
        nodes[free] = node
        edges.append((last, free))
        last = free
    edges.append((last, projection.target))


def _local(expanded: Expanded, synapses: Synapses) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return indices within source and target instead of those in the whole network."""
    first: dict[str, int] = {}
    at = 0
    both: tuple[Any, ...] = (*expanded.network.populations, *expanded.network.sources)
    for one in both:
        first[one.name] = at
        at += one.size
    projection = synapses.projection
    return synapses.pre - first[projection.source], synapses.post - first[projection.target]


def _delays(
    delay: _Floats, pre: Any, post: Any, n_pre: int, n_post: int
) -> tuple[_Floats, _Floats, bool]:
    """Return delays ahead of the weights and behind them, and whether these are the very ones."""
    before, after = np.zeros(n_pre), np.zeros(n_post)
    if not len(delay) or not np.any(delay):
        return before, after, True
    for index, found in ((post, after), (pre, before)):
        found[index] = delay
        if np.array_equal(found[index], delay):
            other = before if found is after else after
            other[:] = 0.0
            return before, after, True
        found[:] = 0.0
    number = np.bincount(post, minlength=n_post)
    total = np.bincount(post, weights=delay, minlength=n_post)
    after[:] = np.where(number > 0, total / np.maximum(number, 1), 0.0)
    return before, after, False


def _free(name: str, nodes: dict[str, Any]) -> str:
    k, found = 1, name
    while found in nodes:
        k += 1
        found = f"{name}_{k}"
    return found
