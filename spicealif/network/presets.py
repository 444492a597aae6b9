"""Networks that come with spicealif."""

from __future__ import annotations

from functools import cache

from spicealif._support.resources import models_dir
from spicealif.errors import DesignError
from spicealif.network.description import Network
from spicealif.network.store import load_network

__all__ = ["load_network_preset", "network_preset_names"]


def network_preset_names() -> list[str]:
    """Return the names of the networks that come with spicealif, sorted.

    Examples
    --------
    >>> network_preset_names()
    ['balanced', 'chain', 'crossbar-8x8', 'pair', 'ring', 'winner-take-all']
    """
    return sorted(path.stem for path in (models_dir() / "networks").glob("*.toml"))


@cache
def load_network_preset(name: str) -> Network:
    """Return a network that comes with spicealif.

    Parameters
    ----------
    name : str
        One of `network_preset_names()`.

    Returns
    -------
    Network

    Raises
    ------
    DesignError
        If there is none of this name.

    Examples
    --------
    >>> load_network_preset("ring").n_synapses
    8
    """
    known = network_preset_names()
    if name not in known:
        raise DesignError(
            f"There is no network preset {ascii(name)}; choose one of {', '.join(known)}."
        )
    return load_network(models_dir() / "networks" / f"{name}.toml")
