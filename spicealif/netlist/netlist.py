"""The netlist as a value: text, where each line came from, what it asks for, its digest."""

from __future__ import annotations

import hashlib
import html
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from spicealif._support.described import Described
from spicealif._support.files import make_folder, write_text
from spicealif._support.text import counted
from spicealif.design import AnyDesign, Neuron, Stimulus
from spicealif.errors import NetlistError

__all__ = ["Netlist", "SourceLine"]


@dataclass(frozen=True)
class SourceLine:
    """Where a line of a netlist came from.

    Attributes
    ----------
    line : int
        Line of the netlist, from 1.
    template : str
        Template file, relative to the folder of its kind, such as ``"parts/mosfet_vdmos.cir.j2"``.
    template_line : int
        Line of the template, from 1.
    component : str
        The part of the circuit, such as ``"comparator: AD8561 with hysteresis network"``.
    text : str
        The line itself.
    """

    line: int
    template: str
    template_line: int
    component: str
    text: str

    def __str__(self) -> str:
        where = f"netlist line {self.line}, from {self.template}:{self.template_line}"
        return f"{self.component} ({where})" if self.component else where


@dataclass(frozen=True, eq=False, repr=False)
class Netlist(Described):
    """A rendered netlist: a plan that any simulator of its dialect can run.

    Attributes
    ----------
    text : str
        The flat netlist, ASCII, lines ended by a newline.
    dialect : str
        The dialect it is written in, such as ``"ngspice"``.
    design : Neuron or SeriesCircuit
        What it describes.
    vectors : tuple of str
        The vectors it asks the simulator to keep, in the dialect's spelling.
    signals : mapping of str to tuple of (float, str)
        How each quantity is made of vectors: the sum of factor times vector.
    reltol : float
        The relative tolerance it is written with.
    interpolation_error : float
        No part of the text: above 0, of how far lines between the samples that are kept of a
        neuron's run may be from the others, as a part of each trace's span. A simulator that
        writes its data to disk then reads them back in little memory; others keep all.
    compatibility : str
        Of the dialect ngspice: the mode (``ngbehavior``) that a maker's model in it needs, which
        its head names too; else empty.
    """

    text: str
    dialect: str
    design: AnyDesign
    vectors: tuple[str, ...]
    signals: Mapping[str, tuple[tuple[float, str], ...]]
    reltol: float
    _origins: tuple[tuple[str, int], ...] = field(repr=False)
    interpolation_error: float = 0.0
    compatibility: str = ""

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("of", f"'{self.design.name}'"),
            ("for", self.dialect),
            ("", counted(self.text.count("\n"), "line")),
            ("reltol", f"{self.reltol:g}"),
            ("digest", self.digest[:12]),
        ]

    def _repr_html_(self) -> str:
        return f"{super()._repr_html_()}<pre>{html.escape(self.text)}</pre>"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text as hexadecimal text: the key of a run's result."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()

    @property
    def t_stop(self) -> float:
        """End of the run in s."""
        return self.design.t_stop

    @property
    def neuron(self) -> Neuron:
        """The neuron it describes.

        Raises
        ------
        NetlistError
            If it describes a circuit of another sort.
        """
        if not isinstance(self.design, Neuron):
            raise NetlistError(
                f"This netlist is of a {type(self.design).__name__}, not of a neuron; use .design."
            )
        return self.design

    @property
    def inputs(self) -> Mapping[str, Stimulus]:
        """Quantities that are given as functions of time and that no vector holds, by name."""
        return {"i_in": self.design.stimulus} if isinstance(self.design, Neuron) else {}

    @cached_property
    def source_map(self) -> tuple[SourceLine, ...]:
        """Origin of every line, in order."""
        out = []
        component = ""
        for number, (text, origin) in enumerate(
            zip(self.text.splitlines(), self._origins, strict=True), start=1
        ):
            if text.startswith("* --- "):
                component = text[6:].removesuffix(" ---")
            out.append(SourceLine(number, *origin, component, text))
        return tuple(out)

    def line(self, number: int) -> SourceLine | None:
        """Return the origin of line `number` (from 1), or None if there is no such line."""
        return self.source_map[number - 1] if 1 <= number <= len(self.source_map) else None

    def find(self, name: str) -> SourceLine | None:
        """Return the line of the element or node `name`, as a simulator spells it.

        Parameters
        ----------
        name : str
            An element (``"r_b"``), a node (``"cp"``) or a hierarchical name (``"x_cmp.t1"``,
            ``"b.x_cmp.b_1"``, ``"x_cmp:t1"``), in any case.

        Returns
        -------
        SourceLine or None
            The element's line; for a node, the first line that mentions it.
        """
        # Dots are ngspice's, colons LTspice's; our own names hold neither.
        steps = name.lower().replace("#branch", "").replace(":", ".").split(".")
        instances = [s for s in steps[:-1] if s.startswith("x")]
        lines = [
            (s, s.text.lower().replace("(", " ").replace(")", " ").replace(",", " ").split())
            for s in self.source_map
            if s.text and s.text[0] not in "*+"
        ]
        if instances:
            call = next((w for _, w in lines if w[0] == instances[-1]), None)
            if call is not None:
                inside = _subcircuit(lines, call[-1])
                return _mention(inside, steps[-1]) or _mention(lines, instances[-1])
        return _mention(lines, steps[-1])

    def write(self, folder: str | os.PathLike[str], name: str = "neuron.cir") -> Path:
        """Write the netlist into `folder`, created if need be; return the file's path.

        Raises
        ------
        OutputError
            If the folder or file cannot be written.
        """
        return write_text(make_folder(Path(folder)) / name, self.text)


_Line = tuple[SourceLine, list[str]]


def _subcircuit(lines: list[_Line], name: str) -> list[_Line]:
    start = next((k for k, (_, w) in enumerate(lines) if w[:2] == [".subckt", name]), None)
    if start is None:
        return []
    end = next((k for k in range(start, len(lines)) if lines[k][1][0] == ".ends"), len(lines))
    return lines[start + 1 : end]


def _mention(lines: list[_Line], name: str) -> SourceLine | None:
    by_name = next((s for s, w in lines if w[0] == name), None)
    if by_name is not None:
        return by_name
    return next((s for s, w in lines if w[0][0] != "." and name in w[1:]), None)
