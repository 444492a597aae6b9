"""The report of a fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from spicealif._support.text import counted, shown
from spicealif.errors import FitError, SpicealifError
from spicealif.fit.figures import correlation_figure, loop_figure, residual_figure, trace_figure
from spicealif.report._blocks import (
    Block,
    Cell,
    Code,
    Page,
    Section,
    Table,
    Tabs,
    Text,
)
from spicealif.report._drawings import drawing
from spicealif.report._material import FitMaterial
from spicealif.report._parts import provenance_section
from spicealif.report._words import listed, plain_name, quoted, si, typeset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spicealif.fit import FitResult

__all__ = ["page_of_fit"]

#: A loss beyond which nothing that was measured is described.
_DESCRIBED = 0.5
_FIGURES: tuple[tuple[str, Callable[[FitResult], Figure], str], ...] = (
    ("Loops", loop_figure, "Current against device voltage, measured (dots) and fitted (lines)."),
    ("Traces", trace_figure, "Voltages, current and state over time, measured and fitted."),
    ("Residuals", residual_figure,
     "What the fit leaves, over time and voltage, and its autocorrelation."),
    ("Correlations", correlation_figure,
     "Near 1 or -1, the loops pin a combination of two parameters and not each."),
)  # fmt: skip


def page_of_fit(material: FitMaterial, made: str) -> Page:
    """Return the report of a fit.

    Raises
    ------
    FitError
        If a saved one is damaged.
    """
    try:
        return _page(material, made)
    except SpicealifError:
        raise
    except Exception as error:
        # What a file says of its loops may be anything, and only here is it looked at.
        raise FitError(
            "There is no report of this fit, since it is damaged or not as 'spicealif fit' writes "
            f"it ({type(error).__name__}: {shown(error, 80)}); fit again."
        ) from None


def _page(material: FitMaterial, made: str) -> Page:
    data = material.data
    loops = list(data.get("loops") or ())
    files = [typeset(str(loop.get("file", "loop"))) for loop in loops]
    name = typeset(str(data.get("name") or listed(files, 3) or "fit"))
    model = typeset(str(data["model"]).upper())
    sections = [
        Section("parameters", "Parameters", _parameters(material)),
        Section("figures", "Figures", _figures(material)),
        Section("loops", "Loops", _loops(material, loops)),
    ]
    if material.device:
        use = "A neuron takes the device by leak.file, such as: -s leak.file=device.toml"
        blocks: list[Block] = [Text([use]), Code(material.device, "device.toml")]
        sections.append(Section("design", "Device", blocks))
    sections.append(_provenance(material))
    what = listed(files, 3) or "the loop"
    return Page(
        title=f"{name}: {model} fit",
        kind="fit report",
        question=f"Which parameters of the {model} model describe {what}?",
        answer=[_loss(data, loops), _pinned(data), _caution(data)],
        sections=sections,
        made=made,
        headline=_headline(data),
    )


def _headline(data: Any) -> list[tuple[str, str, str]]:
    out = [("loss", si(float(data["loss"])), "NMSE(v) + NMSE(i), of 2 at most")]
    for name, parameter in list(data["parameters"].items())[:3]:
        low, high = (_number(end) for end in parameter["interval"])
        unit = str(parameter["unit"])
        out.append((typeset(name), si(_number(parameter["value"]), unit),
                    f"{si(low, unit)} to {si(high, unit)}"))  # fmt: skip
    return out


def _loss(data: Any, loops: list[Any]) -> str:
    loss = float(data["loss"])
    what = "describes" if loss <= _DESCRIBED else "does not describe"
    error = data.get("loss_error")
    numerical = (
        f", with a numerical error of {si(float(f'{error:.1g}'))}" if error is not None else ""
    )
    return (
        f"The fitted device {what} {counted(len(loops), 'loop')}: it leaves {si(100 * loss)} % of "
        f"the variance of voltage and current together (NMSE(v) + NMSE(i) = {si(loss)}{numerical})."
    )


def _pinned(data: Any) -> str:
    widths = {}
    for name, parameter in data["parameters"].items():
        value = _number(parameter["value"])
        low, high = (_number(end) for end in parameter["interval"])
        if value and math.isfinite(high - low):
            widths[typeset(name)] = abs((high - low) / 2 / value)
    level = f"{float(data.get('level') or 0.95):.0%}"
    if not widths:
        return "No parameter has an interval."
    best, worst = (f(widths, key=lambda k: widths[k]) for f in (min, max))
    if len(widths) == 1:
        return f"The {level} interval of {best} is \u00b1{widths[best]:.2g} of its value."
    return (
        f"Of {len(widths)} fitted parameters the loops pin {best} best, to "
        f"\u00b1{100 * widths[best]:.2g} % ({level} interval), and {worst} least, to "
        f"\u00b1{100 * widths[worst]:.2g} %."
    )


def _caution(data: Any) -> str:
    bound = [typeset(n) for n, p in data["parameters"].items() if p.get("at_bound")]
    loose = [
        typeset(n)
        for n, p in data["parameters"].items()
        if not p.get("identifiable", True) and not p.get("at_bound")
    ]
    if not bound and not loose:
        count = len(data.get("warnings") or ())
        return "No parameter ended at a bound of the search, and none is left open by the loops" + (
            f"; {counted(count, 'warning')} stand below." if count else "."
        )
    said = []
    if bound:
        said.append(f"the search ended at a bound for {listed(bound)}")
    if loose:
        said.append(f"the loops hardly pin {listed(loose)}")
    text = " and ".join(said)
    these = "this value" if len(bound) + len(loose) == 1 else "these values"
    return f"{text[0].upper()}{text[1:]}: do not rely on {these}."


def _parameters(material: FitMaterial) -> list[Block]:
    data = material.data
    level = f"{float(data.get('level') or 0.95):.0%}"
    rows: list[list[str | Cell]] = []
    for name, parameter in data["parameters"].items():
        unit = str(parameter["unit"])
        value = _number(parameter["value"])
        low, high = (_number(end) for end in parameter["interval"])
        half = abs((high - low) / 2 / value) if value else math.nan
        remark: str | Cell = ""
        if parameter.get("at_bound"):
            remark = Cell("at a bound", "differ")
        elif not parameter.get("identifiable", True):
            remark = Cell("hardly pinned", "unresolved")
        bounds = parameter.get("bounds")
        sought = " to ".join(si(_number(end), unit) for end in bounds) if bounds else "\u2013"
        rows.append(
            [typeset(name), si(value, unit), f"{si(low, unit)} to {si(high, unit)}",
             f"\u00b1{100 * half:.2g} %" if math.isfinite(half) else "\u2013", sought, remark]
        )  # fmt: skip
    rows += [[typeset(name), si(float(value), ""), "", "", "", "held"]
             for name, value in (data.get("held") or {}).items()]  # fmt: skip
    head = ("parameter", "value", f"{level} interval", "half-width", "sought", "")
    blocks: list[Block] = [Table("Fitted parameters of the device, in SI units", head, rows)]
    if warnings := data.get("warnings"):
        blocks.append(Text([typeset(w) for w in warnings], "missing"))
    return blocks


def _figures(material: FitMaterial) -> list[Block]:
    result = material.result
    if result is None:
        why = typeset(material.why) or "The traces were not saved."
        return [Text([f"There are no figures. {why}"], "missing")]
    drawn: list[tuple[str, list[Block]]] = []
    for k, (title, draw, said) in enumerate(_FIGURES):
        drawn.append((title, [drawing(draw(result), f"fit{k}", title, said)]))
    blocks: list[Block] = [Tabs("Figure", drawn)]
    every = [int(t.get("every", 1)) for t in material.data.get("traces") or ()]
    if max(every, default=1) > 1:
        said = f"Drawn is every {max(every)}th sample of the record at most; all were fitted."
        blocks.append(Text([said], "notes"))
    return blocks


def _loops(material: FitMaterial, loops: list[Any]) -> list[Block]:
    rows = []
    for loop in loops:
        frequency = loop.get("frequency")
        rows.append(
            (
                typeset(str(loop.get("file", "loop"))),
                si(_number(loop.get("nmse_v"))),
                si(_number(loop.get("nmse_i"))),
                si(_number(loop.get("amplitude")), "V"),
                si(float(frequency), "Hz") if frequency else "single shot",
                str(loop.get("points", "\u2013")),
            )
        )
    head = ("loop", "NMSE(v)", "NMSE(i)", "amplitude", "frequency", "samples")
    blocks: list[Block] = [Table("What was fitted, and what is left of it", head, rows)]
    if notes := material.data.get("notes"):
        blocks.append(Text([typeset(note) for note in notes], "notes"))
    return blocks


def _provenance(material: FitMaterial) -> Section:
    data = material.data
    resistor = data.get("series_resistor")
    resistors = resistor if isinstance(resistor, list) else [resistor]
    facts = [
        ("Fitted by", f"spicealif {typeset(str(data.get('spicealif', 'of unknown version')))}"),
        ("Series resistor", listed([si(_number(r), "ohm") for r in resistors])),
        ("Temperature", si(_number(data.get("temperature")), "K")),
        ("Seed of the search", str(data.get("seed", "\u2013"))),
    ]
    if "evaluations" in data:
        facts.append(
            ("Cost", f"{int(data['evaluations']):,} simulations, {si(float(data['cpu_s']), 's')} "
             f"of CPU, {si(float(data['wall_s']), 's')} in all")
        )  # fmt: skip
    digests = [
        (f"{typeset(str(loop.get('file', 'loop')))}, SHA-256", typeset(str(loop["sha256"])))
        for loop in data.get("loops") or ()
        if loop.get("sha256")
    ]
    files = [str(loop["file"]) for loop in data.get("loops") or () if loop.get("file")]
    commands = list(material.commands)
    if files:
        words = ["spicealif", "fit", *files, "--model", plain_name(data["model"], "mms"), "--seed",
                 str(int(data.get("seed") or 0))]  # fmt: skip
        if len(set(resistors)) == 1 and resistors[0] is not None:
            words += ["--series-resistor", f"{float(resistors[0]):g}"]
        for name, value in (data.get("held") or {}).items():
            words += ["--hold", f"{plain_name(name, 'NAME')}={float(value):g}"]
        said = (
            "The fit, from the files with the digests below (how columns were named is not kept):"
        )
        commands.insert(0, (said, quoted(*words)))
    return provenance_section({}, [*digests, *material.digests], commands, facts)


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
