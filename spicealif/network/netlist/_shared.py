"""Subcircuits and models that stand once in a deck, whoever uses them, each under its own name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import jinja2

from spicealif.design import MemristorModel
from spicealif.errors import NetlistError
from spicealif.netlist._environment import find_template, state_capacitance
from spicealif.netlist._marking import unmark
from spicealif.netlist._spice import Spice
from spicealif.netlist._subcircuits import apart
from spicealif.netlist.dialect import Dialect
from spicealif.network.synapses import JunctionDiode

__all__ = ["Line", "Shared", "rendered"]

#: A line of a deck, and the template and its line that it is from.
Line: TypeAlias = tuple[str, tuple[str, int]]

#: Voltage in V around which the state of a synapse's device moves: that of an output, mostly.
_V_DEVICE = 4.0


class Shared:
    """The subcircuits and models of a deck.

    Parameters
    ----------
    dialect : Dialect
    thermal_voltage : float
        kT/q in V.
    """

    def __init__(self, dialect: Dialect, thermal_voltage: float) -> None:
        self.dialect = dialect
        self.thermal_voltage = thermal_voltage
        self.lines: list[Line] = []
        self._names: dict[tuple[str, ...], str] = {}
        self._taken: set[str] = set()
        self._devices: dict[str, Spice] = {}
        self._diodes: dict[JunctionDiode, Spice] = {}
        self._heading = ""

    def free(self, name: str) -> str:
        """Return a name that nothing has yet: this one, or with a number."""
        candidate, k = name, 1
        while candidate.lower() in self._taken:
            k += 1
            candidate = f"{name}_{k}"
        self._taken.add(candidate.lower())
        return candidate

    def is_free(self, name: str) -> bool:
        """Return whether nothing has this name yet."""
        return name.lower() not in self._taken

    def add(self, heading: Line, block: Sequence[Line]) -> tuple[str, str]:
        """Keep a subcircuit or a model, if the same is not there yet.

        Returns
        -------
        old, new : str
            The name it came with, and the one that it has in this deck: another where two that
            differ have one name.
        """
        first, *rest = block
        kind, old, tail = _opened(first[0])
        key = (kind, tail, *(text for text, _ in rest))
        new = self._names.get((old, *key))
        if new is None:
            new = self._names[(old, *key)] = self.free(old)
            if heading[0] != self._heading:
                self.lines.append(heading)
                self._heading = heading[0]
            self.lines += [(f"{kind} {new}{tail}", first[1]), *rest]
        return old, new

    def take(self, lines: Sequence[Line]) -> tuple[list[Line], dict[str, str]]:
        """Keep the subcircuits and models among lines.

        Returns
        -------
        rest : list of Line
            What is none.
        names : dict of str to str
            What those are called in this deck, by the names that they came with.
        """
        rest: list[Line] = []
        names: dict[str, str] = {}
        heading: Line = ("* --- parts ---", ("", 0))
        k = 0
        while k < len(lines):
            word = (lines[k][0].split() or [""])[0].lower()
            end = k + 1
            if word == ".subckt":
                while lines[end - 1][0].lower().split()[:1] != [".ends"]:
                    end += 1
            elif word == ".model":
                while end < len(lines) and lines[end][0].startswith("+"):
                    end += 1
            else:
                if lines[k][0].startswith("* --- "):
                    heading = lines[k]
                rest.append(lines[k])
                k += 1
                continue
            block = [(renamed(text, names), origin) for text, origin in lines[k:end]]
            old, new = self.add(heading, block)
            names[old.lower()] = new
            k = end
        return rest, names

    def diode(self, diode: JunctionDiode) -> Spice:
        """Return the name of a diode's model."""
        if diode not in self._diodes:
            lines = rendered(self.dialect, "network_diode.cir.j2", {"diode": diode})
            _, names = self.take(lines)
            self._diodes[diode] = Spice(names["junction"])
        return self._diodes[diode]

    def device(self, device: MemristorModel) -> Spice:
        """Return the name of a memristor's subcircuit; its ports are p, n and the state x."""
        key = repr(device.replace({"x_0": 0.0}))
        if key not in self._devices:
            values = {
                "device": device,
                "device_p": Spice("p"),
                "device_n": Spice("n"),
                "state_c": state_capacitance(device, _V_DEVICE),
                "thermal_voltage": self.thermal_voltage,
            }
            lines = rendered(
                self.dialect, "network_device.cir.j2", values, device.template_folder()
            )
            text, origins = apart("".join(f"{t}\n" for t, _ in lines), tuple(o for _, o in lines))
            self._devices[key] = self._device(list(zip(text.splitlines(), origins, strict=True)))
        return self._devices[key]

    def _device(self, lines: list[Line]) -> Spice:
        start = next(
            k for k, (text, _) in enumerate(lines) if text.startswith(".subckt synapse_device ")
        )
        end = next(k for k in range(start, len(lines)) if lines[k][0] == ".ends")
        call = [t for t, _ in lines[start:end] if t and t[0] not in "*."]
        if len(call) == 1 and call[0].split()[1:-1] == ["p", "n", "x"]:
            # Nothing but one subcircuit of the same ports: taken itself.
            inner = [line for line in lines[: start - 1] if not line[0].startswith("* --- leak")]
            _, names = self.take([lines[start - 1], *inner])
            return Spice(names[call[0].split()[-1].lower()])
        _, names = self.take(lines)
        return Spice(names["synapse_device"])


def renamed(text: str, names: dict[str, str]) -> str:
    """Return a card whose subcircuit or model has the name that it has in this deck."""
    if text[:1].lower() not in ("x", "m", "d", "q", "j"):
        return text
    head, _, last = text.rpartition(" ")
    return f"{head} {names.get(last.lower(), last)}"


def rendered(
    dialect: Dialect, name: str, values: dict[str, Any], folder: Path | None = None
) -> list[Line]:
    """Render a template into lines with their origins.

    Raises
    ------
    NetlistError
        If the template fails.
    """
    try:
        marked = find_template(dialect, name, folder).render(values)
    except jinja2.TemplateError as error:
        raise NetlistError(
            f"The netlist template {getattr(error, 'name', None) or name} failed ({error.message});"
            " mend the template or install spicealif again."
        ) from None
    text, origins = unmark(marked)
    return list(zip(text.splitlines(), origins, strict=True))


def _opened(card: str) -> tuple[str, str, str]:
    """Return a card's word, the name of the subcircuit or model, and the rest."""
    found = re.match(r"(\.subckt|\.model)\s+(\w+)(.*)\Z", card, re.IGNORECASE)
    assert found is not None
    return found[1].lower(), found[2], found[3]
