"""``spicealif cite``: what to cite for a neuron or a result."""

from __future__ import annotations

from pathlib import Path

import click

from spicealif.cli._answer import answer
from spicealif.cli._options import find_neuron
from spicealif.cli._output import print_text
from spicealif.cli._terminal import Command

__all__ = ["cite_command"]


@click.command(
    "cite",
    cls=Command,
    epilog="Example:  spicealif cite spicealif-results/paper > references.bib",
    short_help="Print BibTeX of the models and methods that a result rests on.",
)
@click.argument("result", default="paper")
def cite_command(result: str) -> None:
    """Print BibTeX of exactly the models and methods that RESULT rests on.

    RESULT is the folder of a run, a netCDF file of ours, the JSON of "learn" or "learn-circuit", a
    preset or a neuron's TOML file.
    """
    from spicealif.citing import citation
    from spicealif.design import preset_names

    path = Path(result)
    neuron = result in preset_names() or path.suffix.lower() == ".toml" or not path.exists()
    text = citation(find_neuron(result) if neuron else path)
    answer({"bibtex": text})
    print_text(text)
