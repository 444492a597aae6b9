"""Options that the commands of networks share, and the network that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from spicealif.cli._limits import ask, check_limit, duration
from spicealif.cli._options import (
    name_of,
    preset_or_file,
    set_option,
    settings,
    together,
    value_of,
)
from spicealif.cli._types import QuantityType

if TYPE_CHECKING:
    from spicealif.network import Expanded, Network, NetworkEstimate

__all__ = [
    "SIDES",
    "ask_about_network",
    "choose_neurons",
    "choose_one",
    "find_network",
    "network_options",
    "side_option",
    "size_text",
    "tau_option",
    "tolerance_options",
]

#: By what --side says, the sides that are computed.
SIDES = {"both": ("equations", "reference"), "equations": ("equations",),
         "reference": ("reference",)}  # fmt: skip

_SET = set_option(
    "Change a value, such as populations.exc.neuron.c=220n, projections.0.resistance=5k or seed=3; "
    "several values with commas; may be repeated."
)
_T_STOP = click.option(
    "--t-stop", type=QuantityType("s"), metavar="TIME", help="Length of the run in s."
)

#: The argument NETWORK with ``--set`` and ``--t-stop``, for `find_network`.
network_options = together(click.argument("network"), _SET, _T_STOP)

side_option = click.option(
    "--side",
    type=click.Choice(list(SIDES)),
    default="both",
    show_default=True,
    help="What is computed: equations (the circuit's own), reference, or both.",
)

#: ``--rtol`` and ``--t-tol``.
tolerance_options = together(
    click.option(
        "--rtol", type=QuantityType(), default="1e-6", show_default=True, metavar="NUMBER",
        help="Relative tolerance of each neuron's solution.",
    ),
    click.option(
        "--t-tol", type=QuantityType("s"), default="0.1n", show_default=True, metavar="TIME",
        help="Tolerance of the iteration between neurons, in s.",
    ),
)  # fmt: skip

tau_option = click.option(
    "--tau", type=QuantityType("s"), metavar="TIME",
    help="Time constant of synchrony and van Rossum distance, of all sides and points  [default: "
    "a quarter of the mean interval of the reference, or else the circuit; of a sweep's first "
    "point].",
)  # fmt: skip


def find_network(name: str, changes: tuple[str, ...] = (), t_stop: float | None = None) -> Network:
    """Return the network that the command line describes.

    Parameters
    ----------
    name : str
        A preset, or the path of a TOML file.
    changes : tuple of str
        ``key=value`` texts.
    t_stop : float, optional

    Returns
    -------
    Network
        Named after its changes, unless these name it.

    Raises
    ------
    DesignError
        If there is no such network, or a change is not valid.
    """
    from spicealif.errors import DesignError, SweepError
    from spicealif.network import load_network, load_network_preset, network_preset_names
    from spicealif.network.parameters import network_parameter

    network = preset_or_file(
        name, network_preset_names(), load_network_preset, load_network,
        "spicealif network presets",
    )  # fmt: skip
    new: dict[str, Any] = {} if t_stop is None else {"t_stop": t_stop}
    for key, value in settings(changes, "populations.exc.neuron.c=220n"):
        if key in new:  # --t-stop is there before
            raise DesignError("--set and --t-stop give 't_stop' twice; give it once.")
        if ".neuron." in key:
            try:
                network_parameter(network, key)
            except SweepError as error:
                raise DesignError(str(error)) from None
        new[key] = [part.strip() for part in value.split(",")] if "," in value else value_of(value)
    if not new:
        return network
    # Under the preset's name its results would be taken for the preset's, and replaced.
    return network.replace({"name": name_of(network.name, new), **new})


def choose_neurons(expanded: Expanded, text: str) -> list[int]:
    """Return the neurons that ``--neurons`` names: numbers, names, populations, a share, or all.

    Of a share they are drawn, with the network's seed.

    Raises
    ------
    DesignError
        If there is no such neuron, or the share is none.
    """
    import numpy as np

    from spicealif.errors import DesignError
    from spicealif.network import find_neurons

    n = len(expanded.neurons)
    text = text.strip()
    if text == "all":
        return list(range(n))
    if text.endswith("%"):
        try:
            share = float(text[:-1])
        except ValueError:
            share = -1.0
        if not 0 < share <= 100:
            raise DesignError(
                f"--neurons {ascii(text)} is no share of the neurons; give more than 0 % and at "
                "most 100 %, such as 5%."
            )
        count = max(1, round(n * share / 100))
        rng = np.random.Generator(np.random.PCG64(expanded.network.seed))
        return sorted(rng.choice(n, count, replace=False).tolist())
    return find_neurons(expanded, [part for part in text.split(",") if part.strip()] or [text])


def choose_one(expanded: Expanded, text: str) -> int:
    """Return the one neuron that a name or number is of.

    Raises
    ------
    DesignError
        If there is none, or there are several.
    """
    from spicealif.errors import DesignError
    from spicealif.network import find_neurons

    found = find_neurons(expanded, [text])
    if len(found) > 1:
        raise DesignError(
            f"{ascii(text)[:60]} names {len(found)} neurons, and one is asked for; give one of "
            f"them, such as {expanded.names[found[0]]}."
        )
    return found[0]


def ask_about_network(
    network: Network, about: NetworkEstimate, *, limit: float, yes: bool, workers: int | None
) -> None:
    """Say what a large run will take, and ask about it; without somebody to ask, refuse it.

    Raises
    ------
    ResourceError
        If it is not to be run.
    """
    from spicealif._support.cores import usable_cores

    check_limit(limit)
    threads = workers or usable_cores()
    if about.cpu_s < 0.1 * limit:
        return
    said = (
        f"{network.name}, {network.n_neurons} neurons and {network.n_synapses} synapses over "
        f"{network.t_stop:g} s, will take about {duration(about.cpu_s)} of computing (on "
        f"{threads} threads) and {size_text(about.memory)} of memory"
    )
    if yes or about.cpu_s <= limit:
        click.echo(f"Note: {said}.", err=True)
        return
    ask(said, "shorten t_stop, take fewer neurons, keep the traces of fewer (--keep)")


def size_text(size: float) -> str:
    """Return a number of bytes as people say it."""
    return f"{size / 1e9:.2g} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
