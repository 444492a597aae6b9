"""The network: populations of neurons, sources of spikes, and projections between them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import Field, model_validator

from spicealif._support.described import Described
from spicealif._support.text import counted
from spicealif.design._base import Identifier, Part, Second
from spicealif.errors import DesignError
from spicealif.network._checks import MAX_SYNAPSES, check_network, synapse_count
from spicealif.network._digest import network_digest
from spicealif.network.populations import Population, Scatter, StimulusArrays, Tolerances
from spicealif.network.projections import Projection
from spicealif.network.sources import SpikeSource
from spicealif.quantities.grammar import format_quantity

__all__ = [
    "MAX_SYNAPSES",
    "Network",
    "Population",
    "Projection",
    "Scatter",
    "SpikeSource",
    "StimulusArrays",
    "Tolerances",
]

#: Fields of a network that are lists, whose items go by name or by place in dotted names.
_LISTS = ("populations", "sources", "projections")


class Network(Described, Part):
    """Neurons and what joins them.

    Attributes
    ----------
    name : str
    description, source : str
        For people.
    populations : sequence of Population
    sources : sequence of SpikeSource
    projections : sequence of Projection
    t_stop : float
        Length of the run in s.
    seed : int
        Of all that is drawn and has no seed of its own. Every population, source and projection
        draws from a stream of its own, by its place, so that one more at the end changes nothing
        of the others.

    Raises
    ------
    DesignError
        If a name is not there or there twice, an array has the wrong shape, a value makes no
        sense, or there would be more than `MAX_SYNAPSES` synapses.

    Examples
    --------
    >>> network = load_network_preset("ring")
    >>> network.replace({"populations.n.neuron.c": "220n"}).population("n").neuron.c
    2.2e-07
    """

    name: Identifier = Field(default="network", description="letters, digits and underscores")
    description: str = Field(default="", max_length=2000, description="for people")
    source: str = Field(default="", max_length=2000, description="where the values come from")
    populations: tuple[Population, ...] = Field(description="the neurons")
    sources: tuple[SpikeSource, ...] = Field(default=(), description="sources of spikes")
    projections: tuple[Projection, ...] = Field(default=(), description="the synapses")
    t_stop: Second = Field(gt=0, description="length of the run in s")
    seed: int = Field(default=0, ge=0, description="of all that is drawn")

    def population(self, name: str) -> Any:
        """Return a population or spike source by name.

        Raises
        ------
        DesignError
            If there is none.
        """
        both: tuple[Any, ...] = (*self.populations, *self.sources)
        for one in both:
            if one.name == name:
                return one
        raise DesignError(
            f"The network has no population {ascii(name)}; choose one of "
            f"{', '.join(one.name for one in both)}."
        )

    @property
    def n_neurons(self) -> int:
        """Number of neurons, without the sources."""
        return sum(population.size for population in self.populations)

    @property
    def n_synapses(self) -> int:
        """Number of synapses, or its mean where they are drawn."""
        return sum(synapse_count(self.population, p) for p in self.projections)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that can change a result, as hexadecimal text."""
        return network_digest(self)

    def replace(self, changes: Mapping[str, Any] | None = None, /, **fields: Any) -> Self:
        """Return a copy with some values changed and everything validated again.

        Parameters
        ----------
        changes : mapping, optional
            New values by dotted name. Populations and sources go by their names, projections by
            their places from 0: ``{"populations.exc.neuron.c": "220n", "projections.0.resistance":
            "10k", "sources.in.rate": 500}``.
        **fields
            New values of top-level fields.

        Returns
        -------
        Network

        Raises
        ------
        DesignError
            If a name is unknown or a value is out of range.
        """
        named = {**(changes or {}), **fields}
        out: dict[str, Any] = {n: getattr(self, n) for n in type(self).model_fields}
        inner: dict[tuple[str, int], dict[str, Any]] = {}
        for name, value in named.items():
            top, _, rest = name.partition(".")
            if not rest:
                out[name] = value  # a name that is not known is refused below
        for name, value in named.items():
            top, _, rest = name.partition(".")
            if rest:
                item, _, behind = rest.partition(".")
                if top not in _LISTS or not behind:
                    raise DesignError(
                        f"{ascii(name)} names nothing of a network; use a name such as "
                        "populations.exc.neuron.c or projections.0.resistance."
                    )
                if top in named:
                    raise DesignError(
                        f"{top} is given as a whole and in part ({ascii(name)}); give one of these."
                    )
                inner.setdefault((top, self._place(top, item)), {})[behind] = value
        for (top, k), changed in inner.items():
            items = list(out[top])
            items[k] = items[k].replace(changed)
            out[top] = tuple(items)
        if renamed := [changed["name"] for changed in inner.values() if "name" in changed]:
            raise DesignError(
                f"Projections refer to populations by their names, so that {ascii(renamed[0])} "
                "cannot be set by a dotted name; give populations and projections as a whole."
            )
        return type(self)(**out)

    def _place(self, top: str, item: str) -> int:
        """Return the place of a population, source or projection by name or place."""
        items: tuple[Any, ...] = getattr(self, top)
        names = [getattr(one, "name", None) for one in items]
        if item in names:
            return names.index(item)
        if item.isascii() and item.isdigit() and int(item) < len(items):
            return int(item)
        known = ", ".join(n for n in names if n) or f"0 to {len(items) - 1}"
        raise DesignError(
            f"{top}.{ascii(item)[1:-1]} is not there; choose one of {known}."
            if items
            else f"The network has no {top}; add some before you change them."
        )

    def __str__(self) -> str:
        return repr(self)

    def _facts(self) -> list[tuple[str, str]]:
        def listed(items: tuple[Any, ...]) -> str:
            told = [f"{one.name} ({one.size})" for one in items[:3]]
            return ", ".join([*told, *(["..."] if len(items) > 3 else [])])

        drawn = any(not p.connector.counted for p in self.projections)
        kinds = ", ".join(dict.fromkeys(p.synapse.kind for p in self.projections))
        joined = f"{'about ' if drawn else ''}{counted(self.n_synapses, 'synapse')}"
        said = self.description if len(self.description) <= 80 else f"{self.description[:77]}..."
        return [
            ("", f"'{self.name}'{f' ({said})' if said else ''}"),
            ("", f"{counted(self.n_neurons, 'neuron')}, {joined}{f' ({kinds})' if kinds else ''}, "
             f"{format_quantity(self.t_stop, 's')}"),
            ("populations", listed(self.populations)),
            *([("sources", listed(self.sources))] if self.sources else []),
        ]  # fmt: skip

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        check_network(self)
        return self
