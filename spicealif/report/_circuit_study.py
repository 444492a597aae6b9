"""The report of a study of what a circuit keeps of a readout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from spicealif._support.text import counted
from spicealif.report._blocks import Block, Facts, Page, Section, Table, Text
from spicealif.report._drawings import drawing
from spicealif.report._material import CircuitStudyMaterial
from spicealif.report._parts import provenance_section
from spicealif.report._study import task_facts
from spicealif.report._words import listed, typeset

if TYPE_CHECKING:
    from spicealif.learning import AccuracyBudget, CircuitStudy, TransferLevel

__all__ = ["page_of_circuit_study"]

#: Heading of each part's section, and the captions of its tables.
_SECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "transfer": ("Levels", ("The readout on features of each level", "What differs there")),
    "budget": ("Accuracy budget", ("What the lost points are made of",)),
    "certified": ("Certified predictions", ("What numerical errors could change",)),
    "spot_checks": (
        "Spot checks",
        ("The same samples in a simulator", "Every count that differs"),
    ),
    "energy": ("Energy", ("Energy of a decision",)),
}


def page_of_circuit_study(material: CircuitStudyMaterial, made: str) -> Page:
    """Return the report of a study of a circuit."""
    result: CircuitStudy = material.result
    name = typeset(result.task.name)
    sections = [_section(part, found) for part, found in result.parts.items()]
    sections += [
        Section("task", "Task", [Facts([*_facts(result), *task_facts(result.task)])]),
        provenance_section({}, list(material.digests), list(material.commands), []),
    ]
    return Page(
        title=f"{name}: circuit",
        kind="learning report",
        question=f"What does the circuit make of a readout of {name} that was trained on ideal "
        "equations?",
        answer=_answer(result),
        sections=sections,
        made=made,
    )


def _section(name: str, found: Any) -> Section:
    """Return a part's tables, its figure if it has one, and its notes."""
    title, captions = _SECTIONS[name]
    tables, notes = [], []
    for page in found._pages():
        tables += page.tables
        notes += page.notes
    blocks: list[Block] = []
    if name == "transfer":  # whose columns are more than a screen or a sheet is wide
        tables = list(_parted(*tables[0]))
    for caption, (head, rows) in zip(captions, tables, strict=False):
        # What a table is called stands above it, and not in its corner too.
        cells = [[_label(row[0]), *map(typeset, row[1:])] for row in rows]
        blocks.append(Table(caption, ["", *map(typeset, head[1:])], cells))
    if hasattr(found, "plot"):
        figure = found.plot()
        blocks.append(drawing(figure, name.replace("_", "-"), title, typeset(figure.caption)))
    blocks.append(Text([typeset(note) for note in notes], "notes"))
    return Section(name.replace("_", "-"), title, blocks)


def _parted(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Any]:
    """Give a table as two that are half as wide, without rows that say nothing."""
    half = (len(head) + 1) // 2
    for some in (slice(1, half), slice(half, None)):
        yield [head[0], *head[some]], [[r[0], *r[some]] for r in rows if any(r[some])]


def _label(text: str) -> str:
    """Return a row's label, what it is a part of told by its indentation."""
    inner = text.lstrip()
    return "\u2003" * ((len(text) - len(inner)) // 2) + typeset(inner)


def _answer(result: CircuitStudy) -> list[str]:
    levels = {level.name: level for level in result.transfer.levels}
    tested = counted(result.transfer.n_test, "test sample")
    answer = [f"On ideal equations the readout names {_right(levels['ideal'])} of {tested} right."]
    told = [
        f"{_right(levels[name])} {where}"
        for name, where in (("circuit", "on the circuit"), ("tolerances", "with its tolerances"),
                            ("device", "with another memristor"))
        if name in levels
    ]  # fmt: skip
    if told:
        answer.append(f"It keeps {listed(told)}.")
    if result.budget is not None:
        answer.append(_shares(result.budget))
    if result.certified is not None:
        sure = int(result.certified.certified.sum())
        said = f"No numerical error within its bounds changes {sure} of "
        said += f"{counted(len(result.certified.certified), 'prediction')} of the circuit"
        trusted = "" if result.certified.trusted else ", but the bounds are not trusted"
        answer.append(f"{said}{trusted}.")
    return answer


def _right(level: TransferLevel) -> str:
    of = level.accuracy
    text = f"{100 * of.value:.1f} %"
    if not of.low <= of.value <= of.high or level.draws * level.right.shape[1] < 2:
        return text
    low, high = max(of.low, 0.0), min(of.high, 1.0)
    return f"{text} ({100 * low:.1f} to {100 * high:.1f} %)"


def _shares(budget: AccuracyBudget) -> str:
    lost, chance = 100 * budget.loss.value, budget.loss.within_chance
    said = f"Between the ideal equations and the {budget.whole} {abs(lost):.1f} points are "
    said += f"{'lost' if lost >= 0 else 'gained'}{' (within chance)' if chance else ''}"
    clear = [s for s in budget.shares if not s.within_chance and s.value > 0]
    if not clear:
        return f"{said}; no share of them is beyond chance."
    most = max(clear, key=lambda share: share.value)
    return f"{said}, the most by {typeset(most.player.label)} ({100 * most.value:.1f} points)."


def _facts(result: CircuitStudy) -> list[tuple[str, str]]:
    return [
        ("readout of this study", result.readout),
        ("seed", str(result.seed)),
        ("training samples", str(len(result.train))),
        ("test samples", str(len(result.test))),
        ("sides of the split", "exchanged" if result.exchange else "as they are"),
    ]
