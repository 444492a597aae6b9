"""What is checked of a network as a whole, before anything is allocated for it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spicealif._support.kept import tell
from spicealif._support.text import counted
from spicealif.design import Neuron
from spicealif.errors import DesignError
from spicealif.network.arrays import as_array
from spicealif.network.build import neuron_maker
from spicealif.network.populations import MAX_SIZE, Population
from spicealif.network.projections import Projection
from spicealif.network.pulse import nominal_pulse
from spicealif.network.sources import MAX_SPIKES, SpikeSource

__all__ = ["MAX_SYNAPSES", "check_network", "synapse_count"]

#: More synapses than this are refused: 10 arrays of them fill 1.6 GB.
MAX_SYNAPSES = 20_000_000


def synapse_count(population: Callable[[str], Any], projection: Projection) -> int:
    """Return how many synapses a projection makes, or about how many; nothing is drawn."""
    pre, post = population(projection.source).size, population(projection.target).size
    return projection.connector.count(pre, post, projection.source == projection.target)


def check_network(network: Any) -> None:
    """Check a network's names, shapes, sizes and values.

    Parameters
    ----------
    network : Network

    Raises
    ------
    DesignError
        One sentence on the first thing that is wrong.
    """
    populations: Sequence[Population] = network.populations
    sources: Sequence[SpikeSource] = network.sources
    if not populations:
        raise DesignError("The network has no populations; give at least one.")
    _check_names([*populations, *sources])
    _check_ends(network.projections, populations, sources)
    _check_sizes(network)
    for source in sources:
        if late := source.late(network.t_stop):
            tell(
                f"{counted(late, 'spike')} of the sources {source.name!r} at or beyond t_stop = "
                f"{network.t_stop:g} s {'is' if late == 1 else 'are'} left out."
            )
    first: dict[str, Neuron] = {}
    for k, population in enumerate(populations):
        first[population.name] = _check_population(population, network.t_stop, network.seed, k)
    for projection in network.projections:
        pre, post = (network.population(n) for n in (projection.source, projection.target))
        same = pre.name == post.name
        trouble = projection.connector.trouble(pre.size, post.size, same)
        if trouble:
            raise DesignError(f"The connector of {projection.label} {trouble}.")
        trouble = projection.shape_trouble(pre.size, post.size, same)
        if trouble:
            raise DesignError(f"{trouble}.")
        _check_weights(projection, pre, first.get(pre.name))


def _check_names(named: Sequence[Population | SpikeSource]) -> None:
    """Refuse names that SPICE, which knows no case, would take for one another.

    Neurons are called ``name_k``. What stands before the last underscore tells populations
    apart, so that no others can be equal: ``a_1`` has the neurons ``a_1_0`` and so on, and ``a``
    has ``a_0`` to ``a_11``.
    """
    seen: dict[str, str] = {}
    for one in named:
        other = seen.setdefault(one.name.lower(), one.name)
        if other is not one.name or [n.name for n in named].count(one.name) > 1:
            raise DesignError(
                f"Two populations or sources are called {other!r}"
                f"{'' if other == one.name else f' and {one.name!r}, which SPICE takes for one'}; "
                "give each a name of its own."
            )


def _check_ends(
    projections: Sequence[Projection],
    populations: Sequence[Population],
    sources: Sequence[SpikeSource],
) -> None:
    targets = [p.name for p in populations]
    known = [*targets, *(s.name for s in sources)]
    for projection in projections:
        for name in (projection.source, projection.target):
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}" if close else "give one that is there"
                raise DesignError(
                    f"{projection.label[0].upper()}{projection.label[1:]}: there is no population "
                    f"{name!r}; {hint} ({', '.join(known)})."
                )
        if projection.target not in targets:
            raise DesignError(
                f"The target {projection.target!r} of {projection.label} is a source of spikes, "
                "which nothing acts upon; give a population."
            )


def _check_sizes(network: Any) -> None:
    """Refuse what would not fit into a memory, by its numbers alone."""
    neurons = network.n_neurons + sum(source.size for source in network.sources)
    if neurons > MAX_SIZE:
        raise DesignError(
            f"The network would have {neurons:,} neurons and sources, and at most {MAX_SIZE:,} are "
            "taken; give smaller populations."
        )
    synapses = network.n_synapses
    if synapses > MAX_SYNAPSES:
        raise DesignError(
            f"The network would have {synapses:,} synapses, and at most {MAX_SYNAPSES:,} are "
            "taken; join fewer (fixed-probability, fixed-in-degree), or give smaller populations."
        )
    spikes = sum(source.spikes(network.t_stop) for source in network.sources)
    if spikes > MAX_SPIKES:
        raise DesignError(
            f"The sources would give {spikes:,.0f} spikes, and at most {MAX_SPIKES:,} are taken; "
            "give a lower rate, fewer sources or an earlier t_stop."
        )


def _check_population(population: Population, t_stop: float, seed: int, index: int) -> Neuron:
    """Build the neurons at the ends of each parameter's values; return the first neuron."""
    make = neuron_maker(population, t_stop, seed, index)
    chosen = {0}
    for values in population.parameters.values():
        chosen |= {int(np.argmin(values.array)), int(np.argmax(values.array))}
    if population.stimuli is not None:
        currents = population.stimuli.i.array
        chosen |= {int(f(currents) // currents.shape[1]) for f in (np.argmin, np.argmax)}
    made = [make(k) for k in sorted(chosen)]
    return made[0]


def _check_weights(projection: Projection, pre: Any, neuron: Neuron | None) -> None:
    """Try a projection's least and largest weights on its synapse."""
    if projection.weight is None:
        return
    unit, given = projection.weight
    values = as_array(given)
    ends = np.array([values[values > 0].min(), values.max()]) if np.any(values > 0) else None
    if ends is None:
        raise DesignError(
            f"All weights of {projection.label} are 0; give some above, or remove the projection."
        )
    pulse = nominal_pulse(neuron) if neuron is not None else (pre.v_high - pre.v_low, pre.t_pulse)
    try:
        name, each = projection.synapse.weighted(unit, ends, swing=pulse[0], t_pulse=pulse[1])
        for value in np.asarray(each).tolist():
            projection.synapse.with_values({name: value})
    except DesignError as error:
        text = str(error)
        raise DesignError(
            f"The weights of {projection.label} cannot be had: {text[:1].lower()}{text[1:]}"
        ) from None
