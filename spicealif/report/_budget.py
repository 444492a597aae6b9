"""The section with a gap budget: which part of the circuit causes which part of the gap."""

from __future__ import annotations

import math

from spicealif.report._blocks import Bars, Block, Command, Section, Table, Tabs, Text
from spicealif.report._material import Json
from spicealif.report._words import percent, si, signed, typeset

__all__ = ["budget_section", "largest_cause"]

#: What a sentence speaks of first, where a budget has it.
_FIRST = ("isi_mean", "isi_growth", "adaptation_ratio", "mean_rate", "spike_count")
#: The part of the gap that has to be explained, and not more, for shares to be compared.
_SMALL = 0.05


def budget_section(budget: Json | None, why: str, command: str) -> Section:
    """Return the section with the budget, or with how to get one.

    Parameters
    ----------
    budget : dict or None
        As `GapBudget.to_dict`.
    why : str
        Why there is none, where that is known.
    command : str
        What makes one.
    """
    title = "Gap budget"
    if budget is None:
        reason = typeset(why) if why else (
            "There is no budget for this design: which part of the circuit causes which part of "
            "the gap was not computed."
        )  # fmt: skip
        said = "Every set of causes, and each one's share; the report then finds it by itself:"
        return Section("budget", title, [Text([reason], "missing"), Command(said, command)])
    blocks: list[Block] = [Text([_how(budget)])]
    tabs = [
        (typeset(str(m["label"])), _measure(budget, name)) for name, m in budget["measures"].items()
    ]
    if tabs:
        blocks.append(Tabs("Measure", tabs))
    else:
        blocks.append(Text(["No measure has a budget."], "missing"))
    if "tolerances" in budget:
        blocks += _tolerances(budget)
    blocks.append(Text([typeset(note) for note in budget.get("notes") or ()], "notes"))
    return Section("budget", title, blocks)


def largest_cause(budget: Json) -> str | None:
    """Return the largest cause of the most telling gap as a part of a sentence; None if none."""
    for name in _FIRST:
        m = budget["measures"].get(name)
        if m is None or not float(m["gap"]):
            continue
        shares = {k: float(s["value"]) for k, s in m["shares"].items() if s["applies"]}
        if not shares:
            continue
        key = max(shares, key=lambda k: abs(shares[k]))
        label = str(budget["causes"][key]["label"])
        part = percent(shares[key], float(m["gap"]))
        return (
            f"the largest cause of the gap in {typeset(str(m['label']))} is {_small(label)} "
            f"({si(shares[key], str(m['unit']))}{f', {part} of the gap' if part else ''})"
        )
    return None


def _how(budget: Json) -> str:
    exact = not int(budget["n_orders"])
    found = (
        f"exact, from all {int(budget['n_subsets'])} sets of causes"
        if exact
        else f"sampled, from {int(budget['n_orders'])} orders of the causes"
    )
    return (
        "Each bar is what one cause adds to the gap between circuit and reference, its Shapley "
        f"value ({found}). The shares and the residual sum to the gap. 'First on' and 'last on' "
        "are what switching the cause on changes before all others and after all others."
    )


def _measure(budget: Json, name: str) -> list[Block]:
    m = budget["measures"][name]
    unit, gap = str(m["unit"]), float(m["gap"])
    rows: list[tuple[str, float | None, list[str], str]] = []
    absent = []
    for key, share in m["shares"].items():
        label = typeset(str(budget["causes"][key]["label"]))
        if not share["applies"]:
            absent.append(label)
            continue
        value = float(share["value"])
        # Of two orders and fewer there is no error to be had.
        error = math.nan if share["error"] is None else float(share["error"])
        text = signed(value, unit)
        if math.isnan(error):
            text += " \u00b1 ?"
        elif error:
            text += f" \u00b1 {si(float(f'{error:.2g}'), unit)}"
        rows.append(
            (label, value, [text, percent(value, gap), signed(float(share["first"]), unit),
                            signed(float(share["last"]), unit)], "part")
        )  # fmt: skip
    residual = float(m["residual"])
    if abs(residual) <= 1e-12 * max(abs(float(m["circuit"])), abs(float(m["reference"]))):
        residual = 0.0  # the rounding of the sums
    rows.append(
        ("residual", residual, [signed(residual, unit), percent(residual, gap), "", ""], "rest")
    )
    rows.append(("gap", gap, [signed(gap, unit), "", "", ""], "total"))
    head = ("", "share", "", "of the gap", "first on", "last on")
    caption = (
        f"{typeset(str(m['label']))}: circuit {si(float(m['circuit']), unit)}, reference "
        f"{si(float(m['reference']), unit)}"
    )
    blocks: list[Block] = [Bars(caption, head, rows)]
    if absent:
        blocks.append(Text([f"This neuron does not have: {', '.join(absent)}."], "notes"))
    if abs(residual) > _SMALL * abs(gap):
        said = f"Not resolved: the residual is more than {_SMALL:.0%} of the gap."
        blocks.append(Text([said], "missing"))
    return blocks


def _tolerances(budget: Json) -> list[Block]:
    """Return the tables of a budget over the parts' tolerances."""
    told = budget["tolerances"]
    blocks: list[Block] = []
    covered = f"{float(told['covered']):.0%} of draws"
    for m in told["measures"].values():
        unit = str(m["unit"])
        some = [("gap", m["gap"])]
        some += [(str(budget["causes"][k]["label"]), i) for k, i in m["shares"].items()]
        rows = [
            (
                typeset(label),
                signed(float(i["nominal"]), unit),
                f"{signed(float(i['low']), unit)} to {signed(float(i['high']), unit)}",
                f"{float(i['positive']):.0%}",
            )
            for label, i in some
        ]
        caption = f"{typeset(str(m['label']))} over the parts' tolerances ({int(m['draws'])} draws)"
        blocks.append(Table(caption, ("", "nominal", covered, "above 0"), rows))
    return blocks


def _small(label: str) -> str:
    """Return a cause's label without what explains it."""
    return typeset(label.partition(" (")[0].partition(",")[0])
