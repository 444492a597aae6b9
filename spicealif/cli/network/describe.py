"""``spicealif network presets``, ``schema``, ``netlist``, ``export-nir``, ``import-nir``."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._options import output_options, quiet_option
from spicealif.cli._output import print_text, writing
from spicealif.cli._terminal import Command
from spicealif.cli._types import OutputPath, QuantityType
from spicealif.cli.network._find import choose_one, find_network, network_options

if TYPE_CHECKING:
    from spicealif.network import Network
    from spicealif.network.netlist import NetworkNetlist

__all__ = [
    "export_nir_command",
    "import_nir_command",
    "netlist_command",
    "presets_command",
    "schema_command",
]


@click.command(
    "presets",
    cls=Command,
    epilog="Example:  spicealif network presets ring > my_ring.toml",
    short_help="List the presets of networks, or print one as TOML.",
)
@click.argument("name", required=False)
def presets_command(name: str | None) -> None:
    """List the presets of networks with their sources, or print the preset NAME as TOML."""
    from spicealif.network import dump_network, load_network_preset, network_preset_names

    if name is not None:
        text = dump_network(load_network_preset(name))
        answer(tomllib.loads(text))
        print_text(text)
        return
    networks = {each: load_network_preset(each) for each in network_preset_names()}
    answer(
        [
            {"name": each, "description": one.description, "source": one.source,
             "neurons": one.n_neurons, "synapses": one.n_synapses, "t_stop": one.t_stop}
            for each, one in networks.items()
        ]
    )  # fmt: skip
    for each, one in networks.items():
        size = f"{counted(one.n_neurons, 'neuron')}, {counted(one.n_synapses, 'synapse')}"
        click.echo(f"{each}: {one.description} ({size}, {one.t_stop * 1e3:g} ms)")
        click.echo(f"    Source: {one.source}")


@click.command(
    "schema",
    cls=Command,
    epilog="Example:  spicealif network schema > network.schema.json",
    short_help="Print the JSON Schema of a network's TOML file.",
)
def schema_command() -> None:
    """Print the JSON Schema of a network's TOML file, for editors and other programs."""
    from spicealif.network import network_schema

    schema = network_schema()
    answer(schema)
    print_text(json.dumps(schema, indent=1) + "\n")


@click.command(
    "netlist",
    cls=Command,
    epilog="Example:  spicealif network netlist ring --dialect ltspice --output ring.net",
    short_help="Print or write the netlist of a network, or of one of its neurons.",
)
@network_options
@click.option(
    "--dialect",
    default="ngspice",
    show_default=True,
    metavar="NAME",
    help="Whose netlist: ngspice or ltspice.",
)
@click.option(
    "--neuron",
    "alone",
    metavar="NEURON",
    help="Write the deck of this neuron alone, its neighbours played back from the network's "
    "solution, which is computed for it.",
)
@output_options("File to write [default: print].")
@quiet_option
def netlist_command(
    network: str,
    changes: tuple[str, ...],
    t_stop: float | None,
    dialect: str,
    alone: str | None,
    output: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Print the netlist of NETWORK as one deck, or write it to a file.

    A simulator's cost goes with the square of the number of neurons: what the deck will take is
    said. With --neuron it is a witness deck, as "spicealif network verify" runs them.
    """
    from spicealif._support.files import write_text
    from spicealif._support.kinds import NETLIST

    with writing((output, NETLIST), inputs=(network, *changes), force=force) as say:
        described = find_network(network, changes, t_stop)
        netlist = _netlist(described, dialect, alone, quiet)
        about = netlist.estimate()
        answer(
            {
                "network": described.name, "dialect": netlist.dialect, "reltol": netlist.reltol,
                "neurons": list(netlist.names), "digest": netlist.digest, "file": output,
                "points": about.points, "cpu_s": about.cpu_s, "text": netlist.text,
            }
        )  # fmt: skip
        if not quiet:
            click.echo(f"Note: {about}.", err=True)
        if output is None:
            print_text(netlist.text)
            return
        write_text(output, netlist.text)
        say(f"Wrote {output} (digest {netlist.digest[:12]}).")


def _netlist(network: Network, dialect: str, alone: str | None, quiet: bool) -> NetworkNetlist:
    from spicealif._support.progress import progress_bar
    from spicealif.network import expand, solve_network
    from spicealif.network.netlist import build_network_netlist, build_witness_netlist
    from spicealif.network.witness import needed_neurons

    expanded = expand(network)
    if alone is None:
        return build_network_netlist(expanded, dialect)
    chosen = choose_one(expanded, alone)
    with progress_bar(f"{network.name}, for what is played back", quiet) as bar:
        keep = needed_neurons(expanded, [chosen])
        solution = solve_network(expanded, keep=keep, progress=bar)
    return build_witness_netlist(expanded, chosen, solution.played(), dialect)


@click.command(
    "export-nir",
    cls=Command,
    epilog="Example:  spicealif network export-nir ring --output ring.nir",
    short_help="Write a network as NIR, and say what that loses.",
)
@network_options
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    metavar="FILE",
    help="File to write: .nir, .h5 or .hdf5 [default: the network's name and .nir].",
)
@quiet_option
def export_nir_command(
    network: str, changes: tuple[str, ...], t_stop: float | None, output: Path | None, quiet: bool
) -> None:  # fmt: skip
    """Write NETWORK as a graph of NIR, the exchange format of neuromorphic frameworks.

    NIR knows no adaptation and no circuit: what the graph does not say is printed.
    """
    from spicealif.network import export_nir

    described = find_network(network, changes, t_stop)
    target = output or Path(f"{described.name}.nir")
    made = export_nir(described, target)
    answer({"file": target, "nodes": len(made.graph.nodes), "lost": list(made.lost)})
    click.echo(str(made))
    if not quiet:
        click.echo(f"Wrote {target}.")


@click.command(
    "import-nir",
    cls=Command,
    epilog="Example:  spicealif network import-nir ring.nir --r-unit 10k --output imported.toml",
    short_help="Make a network of a NIR file.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--t-stop",
    type=QuantityType("s"),
    default="10m",
    show_default=True,
    metavar="TIME",
    help="Length of the run in s.",
)
@click.option(
    "--r-unit",
    type=QuantityType("ohm"),
    default="10k",
    show_default=True,
    metavar="OHM",
    help="What a resistance of 1 means.",
)
@click.option(
    "--v-unit",
    type=QuantityType("V"),
    default="1",
    show_default=True,
    metavar="VOLT",
    help="What a voltage of 1 means.",
)
@click.option(
    "--dt",
    type=QuantityType("s"),
    default="1",
    show_default=True,
    metavar="TIME",
    help="For how long a weight flows as a current, such as the step it was trained with.",
)
@output_options("TOML file to write [default: the file's name and .toml].")
@quiet_option
def import_nir_command(
    file: Path,
    t_stop: float,
    r_unit: float,
    v_unit: float,
    dt: float,
    output: Path | None,
    force: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Make a network's TOML file of the NIR graph in FILE.

    LIF, Linear, Affine and Delay have counterparts; a node that has none is named and refused.
    """
    from spicealif._support.kinds import NETWORK
    from spicealif.network import import_nir, save_network

    target = output or Path(f"{file.stem}.toml")
    with writing((target, NETWORK), inputs=(file,), force=force) as say:
        network = import_nir(file, t_stop=t_stop, r_unit=r_unit, v_unit=v_unit, dt=dt)
        save_network(network, target)
        answer({"file": target, "neurons": network.n_neurons, "synapses": network.n_synapses})
        size = f"{counted(network.n_neurons, 'neuron')}, {counted(network.n_synapses, 'synapse')}"
        say(f"{network.name}: {size}. Wrote {target}.")
