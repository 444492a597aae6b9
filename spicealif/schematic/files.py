"""Writing a schematic: LTspice's sheet with the symbols beside it, or a picture."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from spicealif._support.figures import save_figure
from spicealif._support.files import replacing
from spicealif._support.kinds import SCHEMATIC, check_ending
from spicealif.design import Neuron
from spicealif.netlist import build_netlist
from spicealif.schematic.asc import asc_text, asy_text
from spicealif.schematic.cards import read_cards
from spicealif.schematic.layout import lay_out
from spicealif.schematic.picture import draw_schematic
from spicealif.schematic.sheet import Sheet

__all__ = ["symbol_files", "write_schematic"]


def write_schematic(
    neuron: Neuron,
    path: str | os.PathLike[str],
    *,
    reltol: float | None = None,
    format: str | None = None,  # what matplotlib calls it
    title: bool | str = False,
) -> tuple[Path, ...]:
    """Write a neuron's circuit as a sheet for LTspice, or as a picture.

    Parameters
    ----------
    neuron : Neuron
    path : path-like
        Ends in ``.asc`` for the sheet, or in ``.svg``, ``.pdf`` or ``.png`` for a picture.
    reltol : float, optional
        Of the sheet's ``.options``; as in `spicealif.build_netlist`.
    format : {"png", "svg", "pdf"}, optional
        Of a picture that goes into a pipe or a device, whose name does not say it.
    title : bool or str
        Whether a picture says above the circuit what it shows, or what it says there.

    Returns
    -------
    tuple of Path
        The files: `path`, and beside a sheet the symbols that LTspice does not have. All of them
        are written, or none.

    Raises
    ------
    OutputError
        If a file cannot be written, or the ending is none of these.
    NetlistError
        If the netlist cannot be built, or has an element that a schematic does not know.

    Examples
    --------
    >>> files = write_schematic(load_preset("paper"), "paper.asc")
    >>> files[0].name
    'paper.asc'
    """
    target = Path(path)
    check_ending(target, SCHEMATIC)
    if target.suffix.lower() != ".asc":
        return (save_figure(draw_schematic(neuron, title=title), target, format),)
    sheet = _sheet(neuron, reltol)
    texts = {target: asc_text(sheet)} | _symbols(sheet, target)
    with contextlib.ExitStack() as files:
        # Renamed in the reverse order: the sheet, which the others are for, comes last.
        for file, text in texts.items():
            files.enter_context(replacing(file)).write(text.encode("ascii"))
    return tuple(texts)


def symbol_files(neuron: Neuron, path: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return which symbols `write_schematic` writes beside `path`: none beside a picture.

    Parameters
    ----------
    neuron : Neuron
    path : path-like
    """
    target = Path(path)
    if target.suffix.lower() != ".asc":
        return ()
    return tuple(_symbols(_sheet(neuron, None), target))


def _sheet(neuron: Neuron, reltol: float | None) -> Sheet:
    return lay_out(read_cards(build_netlist(neuron, "ltspice", reltol=reltol).text))


def _symbols(sheet: Sheet, target: Path) -> dict[Path, str]:
    """Return the symbols that are not LTspice's own, by their files."""
    ours = {p.symbol.name: p.symbol for p in sheet.placed if p.symbol.is_ours}
    return {target.parent / f"{name}.asy": asy_text(symbol) for name, symbol in ours.items()}
