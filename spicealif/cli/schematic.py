"""``spicealif schematic``: the circuit as a drawing."""

from __future__ import annotations

from pathlib import Path

import click

from spicealif.cli._answer import answer
from spicealif.cli._options import (
    find_neuron,
    format_option,
    neuron_options,
    output_options,
    quiet_option,
    title_option,
)
from spicealif.cli._output import writing
from spicealif.cli._terminal import Command

__all__ = ["schematic_command"]


@click.command(
    "schematic",
    cls=Command,
    epilog="Example:  spicealif schematic paper -o paper.asc",
    short_help="Draw the circuit, for LTspice or for print.",
)
@neuron_options
@output_options(
    "File to write: .asc for LTspice, or a picture, .svg, .pdf or .png [default: NAME.asc]."
)
@format_option("Of a picture: png, svg or pdf, where no name of a file says it.")
@title_option
@quiet_option
def schematic_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    output: Path | None,
    force: bool,
    picture: str | None,
    title: bool,
    quiet: bool,
) -> None:
    """Draw the circuit of NEURON as the paper's Fig. 4b has it.

    LTspice's sheet holds the whole netlist; symbols that LTspice does not have are written beside
    it, and LTspice finds them there. A picture shows the circuit and its values.
    """
    from spicealif._support.figures import picture_format
    from spicealif._support.kinds import SCHEMATIC, SYMBOL
    from spicealif.errors import OutputError
    from spicealif.schematic import symbol_files, write_schematic

    described = find_neuron(neuron, changes, ideal)
    target = output or Path(f"{described.name}.{picture or 'asc'}")
    if picture is not None:
        picture_format(target, picture)
    if title and target.suffix.lower() == ".asc":
        raise OutputError(
            "--title is for a picture, and LTspice's sheet has its title anyway; leave it out."
        )
    symbols = [(file, SYMBOL) for file in symbol_files(described, target)]
    with writing((target, SCHEMATIC), *symbols, inputs=(neuron, *changes), force=force) as say:
        written = write_schematic(described, target, format=picture, title=title)
        answer({"neuron": described.name, "files": list(written)})
        if not quiet:
            beside = [file.name for file in written[1:]]
            more = f", and beside it {', '.join(beside)}" if beside else ""
            say(f"Wrote {target}{more}.")
