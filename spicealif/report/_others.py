"""The reports of a proposal, and of a gap budget alone."""

from __future__ import annotations

import math

from spicealif.report._blocks import Block, Page, Section, Table, Text
from spicealif.report._budget import budget_section, largest_cause
from spicealif.report._material import BudgetMaterial, ProposalMaterial
from spicealif.report._parts import design_section, provenance_section, schematic_section
from spicealif.report._run import sections_of_run
from spicealif.report._words import si, typeset

__all__ = ["page_of_budget", "page_of_proposal"]

_LABELS = {"rate": ("initial rate (1 / first interval)", "Hz"),
           "adaptation": ("last / first interval", "")}  # fmt: skip


def page_of_proposal(material: ProposalMaterial, made: str) -> Page:
    """Return the report of a proposal."""
    proposal = material.proposal
    name = typeset(proposal.neuron.name)
    rate, ratio = si(proposal.rate, "Hz"), si(proposal.adaptation)
    wish = f"an initial rate of {rate} and a last interval {ratio} times the first"
    reached = (
        f"{si(proposal.reached['rate'], 'Hz')} and a factor of {si(proposal.reached['adaptation'])}"
    )
    low, high = (si(end) for end in proposal.range)
    if proposal.met:
        first = f"Yes: by the {proposal.variant} reference it reaches {reached}."
    else:
        first = f"No: the nearest design reaches {reached} by the {proposal.variant} reference."
    second = f"At this rate, adaptations from {low} to {high} were found for the device."
    if proposal.circuit is not None:
        third = (
            f"The circuit, run in {typeset(proposal.simulator)}, reaches "
            f"{si(proposal.circuit['rate'], 'Hz')} and a factor of "
            f"{si(proposal.circuit['adaptation'])}."
        )
    else:
        third = "The circuit was not run: what the real parts change is not known here."
    rows = []
    head = ["", "wanted", f"reference ({proposal.variant})", "off by"]
    if proposal.circuit is not None:
        head += ["circuit", "off by"]
    for key, wanted in (("rate", proposal.rate), ("adaptation", proposal.adaptation)):
        label, unit = _LABELS[key]
        row = [label, si(wanted, unit)]
        for side in (proposal.reached, proposal.circuit):
            if side is not None:
                row += [si(side[key], unit), _off(side[key], wanted)]
        rows.append(row)
    blocks: list[Block] = [Table("The wish, and what is reached", head, rows)]
    if proposal.cannot:
        blocks.append(Text([f"Not to be had: {typeset(t)}" for t in proposal.cannot], "missing"))
    facts = [
        (typeset(fact), si(float(value), "V" if fact == "v_c_peak" else ""))
        for fact, value in proposal.facts.items()
        if not math.isnan(float(value))
    ]
    blocks.append(Table("Facts of the design's run", ("", "value"), facts))
    blocks.append(Text([typeset(note) for note in proposal.notes], "notes"))
    return Page(
        title=f"{name}: proposal",
        kind="proposal report",
        question=f"Is there a neuron around this device with {wish}?",
        answer=[first, second, third],
        sections=[Section("wish", "Wish and result", blocks), *sections_of_run(material.run)],
        made=made,
    )


def page_of_budget(material: BudgetMaterial, made: str) -> Page:
    """Return the report of a gap budget."""
    budget, neuron = material.budget, material.neuron
    name = typeset(str(budget["neuron"]))
    sections = [budget_section(budget, "", "")]
    if neuron is None:
        said = "The design is not in this file, which an earlier version wrote; explain it again."
        sections.append(Section("design", "Design", [Text([said], "missing")]))
    else:
        sections += [schematic_section(neuron), design_section(neuron)]
    digests = list(material.digests)
    if digest := budget.get("design_digest"):
        digests.insert(0, ("Design", typeset(str(digest))))
    facts = [("Simulator", typeset(str(budget.get("simulator", "not told"))))]
    sections.append(provenance_section({}, digests, material.commands, facts))
    return Page(
        title=f"{name}: gap budget",
        kind="budget report",
        question=f"Which part of the circuit of {name} causes which part of its gap to the "
        "ideal reference?",
        answer=_answer(material),
        sections=sections,
        made=made,
    )


def _answer(material: BudgetMaterial) -> list[str]:
    measures = material.budget["measures"]
    cause = largest_cause(material.budget)
    first = f"{cause[0].upper()}{cause[1:]}." if cause else "No gap has a cause that stands out."
    gaps = [
        f"{typeset(str(m['label']))} {si(float(m['circuit']), str(m['unit']))} instead of "
        f"{si(float(m['reference']), str(m['unit']))}"
        for m in list(measures.values())[:2]
    ]
    second = f"The circuit has a {' and a '.join(gaps)}." if gaps else "No measure has a budget."
    parts = [
        abs(float(m["residual"]) / float(m["gap"])) for m in measures.values() if float(m["gap"])
    ]
    third = (
        f"The causes together explain each gap but for a residual of {max(parts):.2g} of it at "
        "most."
        if parts
        else "There is no gap that could be left unexplained."
    )
    return [first, second, third]


def _off(value: float, wish: float) -> str:
    return "\u2013" if math.isnan(value) else f"{100 * (value / wish - 1):+.2f} %"
