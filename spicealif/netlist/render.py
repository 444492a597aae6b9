"""From a neuron or a series circuit to a netlist, by Jinja templates.

A netlist is code, so what may reach it is narrow: templates print numbers, which are written
with ``repr``, and names, which must match ``[A-Za-z_][A-Za-z0-9_]*``; everything else is refused
by `_environment`, whatever a template does. Free text of a design never gets here; a maker's model
does, card by card, after each was found on the list of those that are allowed
(`spicealif.design.parts.model_cards`).

Each template line carries an invisible mark through rendering, so that every line of the
netlist is known by template and line without the templates' help.
"""

from __future__ import annotations

import math
import re
from typing import Any, cast

import jinja2

from spicealif.design import (
    AnyDesign,
    IdealComparator,
    MemristorModel,
    Neuron,
    Resistor,
    SeriesCircuit,
)
from spicealif.design.parts import TWO_POLE_DELAY
from spicealif.errors import NetlistError
from spicealif.netlist._environment import SAFE_TEXT, find_template, state_capacitance
from spicealif.netlist._marking import unmark
from spicealif.netlist._named import name_neuron, name_series
from spicealif.netlist._names import Line
from spicealif.netlist._spice import Spice as _Spice
from spicealif.netlist._subcircuits import apart
from spicealif.netlist._symbols import engineering
from spicealif.netlist._vendor import check_editable, vendor_values
from spicealif.netlist.dialect import Dialect, find_dialect
from spicealif.netlist.netlist import Netlist

__all__ = ["STYLES", "build_netlist", "signals_of"]

#: How a netlist's values are written.
STYLES = ("numbers", "parameters")

#: What is kept of every neuron: state, sensing and output.
_NEURON_SIGNALS: dict[str, tuple[tuple[float, str], ...]] = {
    "v_c": ((1.0, "v_c"),),
    "v_mem": ((1.0, "v_c"), (-1.0, "v_s")),
    "x": ((1.0, "x"),),
    "v_d": ((1.0, "v_d"),),
    "spike": ((1.0, "spike"),),
}
#: Time constant in s that the step-steering elements' capacitors are driven with.
_STEERING_POLE = 1e-9
#: Current that each supply delivers; SPICE counts the current into a source as positive.
_SUPPLY_SIGNALS = {"i_pos": "v_pos", "i_neg": "v_neg", "i_comparator": "v_comparator"}
#: Voltages that are kept of a series circuit, and the source whose current is the device's.
_SERIES_SIGNALS = ("v_mem", "x", "v_in")
_SERIES_CURRENT = {"i_mem": "v_in1"}


def build_netlist(
    design: AnyDesign,
    dialect: str = "ngspice",
    *,
    reltol: float | None = None,
    style: str = "numbers",
    subcircuit: bool = False,
) -> Netlist:
    """Render the circuit of a neuron, or the series circuit of a device.

    Parameters
    ----------
    design : Neuron or SeriesCircuit
        What to build.
    dialect : str
        One of `dialects()`.
    reltol : float, optional
        SPICE's relative tolerance, where a run has found the one that is accurate enough; else
        the design's, or 1e-8.
    style : {"numbers", "parameters"}
        Whether every value is written where it is used, or the netlist is one to edit: values are
        named parameters, and what depends on several of them is expressions.
    subcircuit : bool
        Whether a neuron is one subcircuit, and stimulus, supplies and analysis are around it.

    Returns
    -------
    Netlist

    Raises
    ------
    NetlistError
        If the dialect or the style is unknown, the stimulus has ideal edges, a part is named like a
        parameter or the neuron's subcircuit, a series circuit is to be a subcircuit, a neuron
        with a maker's model is to be a subcircuit or in parameters, or a template fails.

    Examples
    --------
    >>> netlist = build_netlist(load_preset("paper"), "ltspice")
    >>> netlist.text.splitlines()[0]
    '* spicealif: memristor-based adaptive leaky integrate-and-fire (ALIF) neuron'
    >>> path = netlist.write("netlists")
    """
    spelling = find_dialect(dialect)
    inside = _subcircuit(design) if subcircuit else None
    if style not in STYLES:
        raise NetlistError(f"{ascii(style)[:40]} is no style; choose one of {', '.join(STYLES)}.")
    if isinstance(design, Neuron) and (style == "parameters" or subcircuit):
        check_editable(design)
    signals = _signals(design, spelling, inside)
    tolerance = design.numerics.safe_reltol if reltol is None else reltol
    if not 0 < tolerance < 1:
        raise NetlistError(
            f"The reltol is {tolerance}; give one above 0 and below 1, such as 1e-6."
        )
    vectors = tuple(dict.fromkeys(v for terms in signals.values() for _, v in terms))
    base = "neuron.cir.j2" if isinstance(design, Neuron) else "series.cir.j2"
    here, nominal = design, None
    if isinstance(design, Neuron) and design.at_temperature is not design:
        here, nominal = design.at_temperature, _celsius(design.temperature_nominal)
    try:
        values = _neuron(here, spelling) if isinstance(here, Neuron) else _series(here)
        device = design.leak if isinstance(design, Neuron) else design.device
        foreign = device.template_folder() if isinstance(device, MemristorModel) else None
        template = find_template(spelling, base, foreign)
        values |= {
            "numerics": design.numerics,
            "reltol": tolerance,
            "chosen": reltol is not None,
            "t_stop": design.t_stop,
            "t_step_max": here.t_step_max,
            "thermal_voltage": design.thermal_voltage,
            "celsius": _celsius(design.temperature),
            "nominal_celsius": nominal,
            "vectors": [_Spice(v) for v in vectors],
            "voltage": lambda node: _Spice(_voltage(spelling, node, inside)),
            "inner_voltage": lambda node: _Spice(spelling.voltage.format(node)),
            "parameters": None,
            "subcircuit": inside,
        }
        if style == "parameters":
            marked = _in_parameters(template, values, design, here)
        else:
            marked = template.render(values)
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        name = getattr(error, "name", None) or base
        where = f"{name}:{line}" if line else str(name)
        raise NetlistError(
            f"The netlist template {where} failed ({error.message}); mend the template or "
            "install spicealif again."
        ) from None
    except ArithmeticError as error:
        raise NetlistError(
            f"A value of the netlist cannot be computed ({error}); use parameters of ordinary size."
        ) from None
    text, origins = unmark(marked)
    if inside is not None:
        text, origins = apart(text, origins)
        if len(re.findall(rf"(?mi)^\.(?:subckt|model) {inside['name']}\b", text)) > 1:
            raise _taken(inside["name"], "the neuron's subcircuit")
    if not SAFE_TEXT.match(text):
        raise NetlistError(
            "The netlist has a character that is not printable ASCII; check the templates."
        )
    return Netlist(
        text, dialect, design, vectors, signals, tolerance, origins, compatibility=values["mode"]
    )


def _in_parameters(
    template: jinja2.Template, values: dict[str, Any], design: AnyDesign, here: AnyDesign
) -> str:
    """Return the netlist in parameters: rendered once to see which it needs, and once with them."""
    try:
        if isinstance(design, Neuron) and isinstance(here, Neuron):
            named = name_neuron(here, design.hysteresis.series)
        else:
            named = name_series(cast("SeriesCircuit", here))
        values = {**values, **named.values}
        for sources in ("stimulus_sources", "drive_sources"):
            values[sources] = [_Spice(s) for s in values.get(sources, ())]
        text = template.render(values)
        given, derived = named.names.used(text)
        values["parameters"] = _parameters(given, derived, named.notes)
        marked = template.render(values)
    except (TypeError, ValueError) as error:
        raise NetlistError(
            f"The netlist cannot be written in parameters ({ascii(str(error))[1:-1]}); write it in "
            "numbers (style = 'numbers')."
        ) from None
    names = {line.name.lower() for line in (*given, *derived)}
    for called in re.findall(r"(?m)^\.(?:subckt|model) (\w+)", text):
        if called.lower() in names:
            raise _taken(called, "a parameter of the netlist")
    return marked


def _taken(name: str, what: str) -> NetlistError:
    return NetlistError(f"A part is called {name!r}, which is {what} too; give it another name.")


def _parameters(given: list[Line], derived: list[Line], notes: tuple[str, ...]) -> dict[str, Any]:
    """Return what parameters.cir.j2 prints."""
    example = next((line for line in given if line.value), given[0])
    steps = " ".join(engineering(k * example.value) for k in (0.5, 1.0, 2.0))
    return {
        "given": [_printed(line) for line in given],
        "derived": [_printed(line) for line in derived],
        "notes": [_Spice(note) for note in notes],
        "example": example.name,
        "steps": _Spice(steps),
    }


def _printed(line: Line) -> dict[str, Any]:
    return {"name": line.name, "text": _Spice(line.text), "about": _Spice(line.about)}


def _celsius(temperature: float) -> float:
    return round(temperature - 273.15, 9)


def signals_of(
    design: AnyDesign, dialect: str = "ngspice", *, subcircuit: bool = False
) -> dict[str, tuple[tuple[float, str], ...]]:
    """Return how quantities are made of the vectors of a design's netlist.

    Parameters
    ----------
    design : Neuron or SeriesCircuit
        Its netlist need not exist: a stimulus with ideal edges is welcome.
    dialect : str
        One of `dialects()`.
    subcircuit : bool
        Whether the neuron is one in it.

    Returns
    -------
    dict of str to tuple of (float, str)
        Factors and vectors whose sum is the quantity; see `Netlist`.

    Raises
    ------
    NetlistError
        If the dialect is unknown.
    """
    return _signals(design, find_dialect(dialect), _subcircuit(design) if subcircuit else None)


def _signals(
    design: AnyDesign, spelling: Dialect, inside: dict[str, Any] | None
) -> dict[str, tuple[tuple[float, str], ...]]:
    if isinstance(design, SeriesCircuit):
        voltages = {name: ((1.0, spelling.voltage.format(name)),) for name in _SERIES_SIGNALS}
        return voltages | _delivered(_SERIES_CURRENT, spelling)
    signals = {
        name: tuple((k, _voltage(spelling, node, inside)) for k, node in terms)
        for name, terms in _NEURON_SIGNALS.items()
        if name != "x" or isinstance(design.leak, MemristorModel)
    }
    if design.uses_supplies:
        signals |= _delivered(_SUPPLY_SIGNALS, spelling)
    return signals


def _voltage(spelling: Dialect, node: str, inside: dict[str, Any] | None) -> str:
    """Return how the voltage of a neuron's node is written at the top level."""
    if inside is not None and node not in inside["ports"]:
        node = f"x_neuron{spelling.separator}{node}"
    return spelling.voltage.format(node)


def _subcircuit(design: AnyDesign) -> dict[str, Any]:
    """Return what neuron.cir.j2 prints of the neuron's own subcircuit."""
    if not isinstance(design, Neuron):
        raise NetlistError("Only a neuron can be a subcircuit, not a series circuit; leave it out.")
    memristor = isinstance(design.leak, MemristorModel)
    ports = ["v_c", "spike", *(["v_pos", "v_neg", "v_cc"] if design.uses_supplies else [])]
    return {"name": "alif" if memristor else "lif", "ports": ports}


def _delivered(
    sources: dict[str, str], spelling: Dialect
) -> dict[str, tuple[tuple[float, str], ...]]:
    return {n: ((-1.0, spelling.current.format(source)),) for n, source in sources.items()}


def _neuron(neuron: Neuron, dialect: Dialect) -> dict[str, Any]:
    """Return what neuron.cir.j2 and the parts' templates print."""
    ideal = isinstance(neuron.comparator, IdealComparator)
    state = [("x", neuron.leak.x_0)] if isinstance(neuron.leak, MemristorModel) else []
    return {
        "neuron": neuron,
        "network": neuron.network,
        **_device(neuron.leak, "v_c", "v_s", neuron.v_th),
        "initial": [("v_c", neuron.v_rest), *state],
        "t_step_first": neuron.t_step_max,
        "stimulus_sources": [_Spice(s) for s in neuron.stimulus.spice(neuron.t_stop)],
        "uses_supplies": neuron.uses_supplies,
        "mosfet_title": _Spice(_title(getattr(neuron.mosfet, "name", ""))),
        "steer_p": _Spice("u" if ideal else "cp"),
        "steer_n": _Spice("0" if ideal else "ref"),
        "two_pi": 2 * math.pi,
        "ln_2": math.log(2),
        **vendor_values(neuron, dialect),
        "two_pole_delay": TWO_POLE_DELAY,
        "steering_pole": _STEERING_POLE,
    }


def _title(name: str) -> str:
    """Return what is printed on a part whose name begins with a letter, since SPICE wants one."""
    return (name[1:] if name[:1] == "n" and name[1:2].isdigit() else name).upper()


def _series(circuit: SeriesCircuit) -> dict[str, Any]:
    """Return what series.cir.j2 and the device's template print."""
    return {
        "circuit": circuit,
        **_device(circuit.device, "v_mem", "0", circuit.v_peak),
        "initial": [("x", circuit.device.x_0)],
        "t_step_first": circuit.t_step_first,
        "drive_sources": [_Spice(s) for s in circuit.drive.spice(circuit.t_stop)],
        "mode": "",
    }


def _device(device: MemristorModel | Resistor, p: str, n: str, v: float) -> dict[str, Any]:
    """Return what a device's template prints: the device, its nodes, its state's capacitor."""
    return {
        "device": device,
        "device_p": _Spice(p),
        "device_n": _Spice(n),
        "state_c": state_capacitance(device, v),
    }
