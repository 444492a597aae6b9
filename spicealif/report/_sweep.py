"""The report of a sweep."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from spicealif._support.text import counted, shown
from spicealif.errors import SpicealifError, SweepError
from spicealif.measures.one_side import MEASURES
from spicealif.report._blocks import Block, Cell, Page, Section, Table, Tabs, Text
from spicealif.report._drawings import drawing
from spicealif.report._material import SweepMaterial
from spicealif.report._parts import design_section, provenance_section, schematic_section
from spicealif.report._words import listed, si, typeset
from spicealif.sweep.figures import sweep_figure
from spicealif.sweep.worker import OK

__all__ = ["page_of_sweep"]

_MAIN = ("isi_mean", "adaptation_ratio", "isi_growth", "mean_rate", "spike_count")
#: Rows of the table of points, and drawings beside the first.
_MOST_ROWS, _MOST_FIGURES = 1000, 4
_INNER = ("side", "pulse", "spike")


def page_of_sweep(material: SweepMaterial, made: str) -> Page:
    """Return the report of a sweep.

    Raises
    ------
    SweepError
        If the dataset is damaged.
    """
    try:
        return _page(material, made)
    except SpicealifError:
        raise
    except Exception as error:
        # A file that calls itself a sweep may be damaged in any way; what is missing says itself.
        raise SweepError(
            f"There is no report of this sweep, since it is damaged or not as 'spicealif sweep' "
            f"writes it ({type(error).__name__}: {shown(error, 80)}); compute the sweep again."
        ) from None


def _page(material: SweepMaterial, made: str) -> Page:
    dataset = material.dataset
    attrs = dataset.attrs
    name = typeset(attrs.get("experiment", "sweep"))
    varied = _varied(dataset)
    statuses = Counter(str(s) for s in dataset["status"].values.ravel())
    n, good = sum(statuses.values()), statuses.get(OK, 0)
    measures = [m for m in _MAIN if m in dataset and np.isfinite(dataset[m].values).any()]
    sections = [
        Section("figures", "Figures", _figures(dataset, measures)),
        Section("points", "Points", _points(dataset, varied, measures)),
    ]
    if material.neuron is not None:
        sections += [schematic_section(material.neuron), design_section(material.neuron)]
    facts = [
        (label, typeset(attrs[key]))
        for key, label in (
            ("experiment", "Experiment"),
            ("kind", "Kind"), ("sampling", "Sampling"), ("variant", "Variant of the reference"),
            ("varies", "Varied on"), ("accuracy", "Accuracy"), ("witness", "Witness"),
            ("failures", "Failures"),
        )
        if attrs.get(key)
    ]  # fmt: skip
    simulators = sorted({str(s) for s in dataset["simulator"].values.ravel() if s}) if (
        "simulator" in dataset
    ) else []  # fmt: skip
    if simulators:
        facts.append(("Computed by", typeset(listed(simulators))))
    sections.append(provenance_section({}, material.digests, material.commands, facts))
    of = typeset(material.neuron.name) if material.neuron is not None else name
    what = listed([MEASURES[m].label for m in measures[:2]]) or "the result"
    drawn = "prototype" in dataset["status"].dims
    title = f"{of}: sweep over {listed(varied, 3)}" if varied else f"{of}: sweep"
    question = f"How do {what} of {of} depend on {listed(varied, 3) or 'what was drawn'}?"
    if drawn:
        title = f"{of}: {counted(n, 'prototype')}"
        question = (
            f"How much do {what} of {of} scatter over {counted(n, 'prototype')}, whose parts are "
            f"drawn within their tolerances?"
        )
    return Page(
        title=title,
        kind="sweep report",
        question=question,
        answer=[
            _counts(n, good, statuses),
            _scatter(dataset, measures) if drawn else _range(dataset, measures, varied),
            _trust(dataset),
        ],
        sections=sections,
        made=made,
        headline=[
            ("points", f"{n:,}", f"{good:,} with a result"),
            *(
                (f"{MEASURES[m].label}, median", si(float(np.nanmedian(values)), MEASURES[m].unit),
                 f"of {side}")
                for m in measures[:2]
                for side, values in [_side(dataset, m)]
            ),
        ],
    )  # fmt: skip


def _varied(dataset: Any) -> list[str]:
    """Return the parameters whose values differ."""
    names = str(dataset.attrs.get("parameters", "")).split()
    return [n for n in names if n in dataset.coords and dataset[n].ndim]


def _side(dataset: Any, measure: str) -> tuple[str, Any]:
    """Return the first side that has a measure, and its values."""
    if "side" not in dataset[measure].dims:
        return "the pair", dataset[measure].values
    for side in dataset["side"].values:
        values = dataset[measure].sel(side=side).values
        if np.isfinite(values).any():
            return f"the {side}", values
    return "the circuit", dataset[measure].values


def _counts(n: int, good: int, statuses: Counter[str]) -> str:
    failed = n - good
    if not failed:
        return f"All {counted(n, 'point')} were computed."
    why = ", ".join(f"{k} {s}" for s, k in statuses.most_common() if s != OK)
    return f"Of {counted(n, 'point')}, {good} were computed and {failed} failed ({typeset(why)})."


def _scatter(dataset: Any, measures: list[str]) -> str:
    """Return how far prototypes scatter."""
    said = []
    for measure in measures[:2]:
        info, (side, values) = MEASURES[measure], _side(dataset, measure)
        found = values[np.isfinite(values)]
        low, middle, high = (si(float(v), info.unit) for v in np.percentile(found, (5, 50, 95)))
        of = "" if len(found) == values.size else f" of the {len(found)} that have one"
        said.append(
            f"the {info.label} of {side} is {middle} in the median, and {low} to {high} in nine "
            f"prototypes of ten{of}"
        )
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if said else "No prototype has a figure to compare."


def _range(dataset: Any, measures: list[str], varied: list[str]) -> str:
    if not measures:
        return "No point has a figure to compare."
    measure = measures[0]
    info = MEASURES[measure]
    side, values = _side(dataset, measure)
    array = dataset[measure]
    array = array.sel(side=side.removeprefix("the ")) if "side" in array.dims else array
    ends = []
    for find in (np.nanargmin, np.nanargmax):
        at = np.unravel_index(int(find(array.values)), array.shape)
        point = array.isel(dict(zip(array.dims, at, strict=True)))
        where = listed([f"{n} = {_point(dataset, point, n)}" for n in varied], 3)
        ends.append((si(float(point), info.unit), where))
    (low, at_low), (high, at_high) = ends
    places = f" at {at_low}", f" at {at_high}"
    return (
        f"The {info.label} of {side} goes from {low}{places[0] if at_low else ''} to {high}"
        f"{places[1] if at_high else ''}, with a median of "
        f"{si(float(np.nanmedian(values)), info.unit)}."
    )


def _point(dataset: Any, point: Any, name: str) -> str:
    return _value(point[name].values.item(), str(dataset[name].attrs.get("units", "")))


def _trust(dataset: Any) -> str:
    said = [str(dataset.attrs[k]) for k in ("accuracy", "witness") if dataset.attrs.get(k)]
    if said:
        return typeset(" ".join(said))
    sides = [f"the {s}" for s in np.atleast_1d(dataset["side"].values)]
    text = f"{listed(sides)} {'were' if len(sides) > 1 else 'was'} computed"
    return f"{text[0].upper()}{text[1:]}; no second simulator looked at any of the points."


def _figures(dataset: Any, measures: list[str]) -> list[Block]:
    """Return the figure of the experiment, and those of its main measures."""
    drawn: list[tuple[str, list[Block]]] = []
    wanted: list[str | None] = [None, *measures[: _MOST_FIGURES - 1]]
    troubles = []
    for k, measure in enumerate(wanted):
        title = "Overview" if measure is None else MEASURES[measure].label
        try:
            figure = sweep_figure(dataset, measure)
        except SpicealifError as error:
            troubles.append(f"{title} cannot be drawn: {typeset(error)}")
            continue
        said = "Drawn as 'spicealif plot' does; crosses are points that failed."
        drawn.append((title, [drawing(figure, f"sweep{k}", title, said)]))
    blocks: list[Block] = [Tabs("Measure", drawn)] if drawn else []
    if troubles and not drawn:
        blocks.append(Text(troubles[:1], "missing"))
    return blocks


def _points(dataset: Any, varied: list[str], measures: list[str]) -> list[Block]:
    """Return the table of the points."""
    dims = [str(d) for d in dataset["status"].dims]
    shape = dataset["status"].shape
    sides = [str(s) for s in np.atleast_1d(dataset["side"].values)]
    columns = []
    for measure in measures[:3]:
        info, array = MEASURES[measure], dataset[measure]
        if "side" not in array.dims:
            columns.append((info.label, info.unit, array.transpose(*dims).values.ravel()))
            continue
        for side in sides:
            values = array.sel(side=side).transpose(*dims).values.ravel()
            columns.append((f"{info.label}, {side}", info.unit, values))
    statuses = dataset["status"].transpose(*dims).values.ravel()
    coords = {
        n: np.broadcast_to(dataset[n].broadcast_like(dataset["status"]).transpose(*dims).values,
                           shape).ravel()
        for n in varied
    }  # fmt: skip
    rows: list[list[str | Cell]] = []
    for k in range(min(len(statuses), _MOST_ROWS)):
        status = str(statuses[k])
        # From 0, as the tables of other programs number them.
        row: list[str | Cell] = [str(k)]
        row += [_value(coords[n][k], str(dataset[n].attrs.get("units", ""))) for n in varied]
        row += [si(float(values[k]), unit) for _, unit, values in columns]
        row.append(status if status == OK else Cell(typeset(status), "differ"))
        rows.append(row)
    caption = f"{counted(len(statuses), 'point')}"
    if len(statuses) > _MOST_ROWS:
        caption += f", of which these are the first {_MOST_ROWS:,}; the netCDF file has them all"
    head = [
        "prototype" if "prototype" in dims else "point",
        *varied,
        *(label for label, *_ in columns),
        "status",
    ]
    blocks: list[Block] = [Table(caption, head, rows, "long")]
    reasons = Counter(str(r) for r in dataset["reason"].values.ravel() if r)
    if reasons:
        told = [(typeset(reason), str(k)) for reason, k in reasons.most_common(20)]
        blocks.append(Table("Why points failed", ("reason", "points"), told, "words"))
    return blocks


def _value(value: Any, unit: str) -> str:
    if isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_):
        return si(float(value), "" if unit == "1" else unit)
    return typeset(value)
