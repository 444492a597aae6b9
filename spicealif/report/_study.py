"""The report of a study of learning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from spicealif._support.text import counted
from spicealif.report._blocks import Block, Facts, Page, Section, Table, Text
from spicealif.report._drawings import drawing
from spicealif.report._material import StudyMaterial
from spicealif.report._parts import flat, provenance_section
from spicealif.report._words import typeset

if TYPE_CHECKING:
    from spicealif.learning import MethodResult, StudyResult, Task

__all__ = ["page_of_study", "task_facts"]


def page_of_study(material: StudyMaterial, made: str) -> Page:
    """Return the report of a study."""
    result: StudyResult = material.result
    name = typeset(result.task.name)
    rows = [[typeset(cell) for cell in row] for row in result.rows()]
    blocks: list[Block] = [Table("Each method over its splits", result.head, rows)]
    if any(one.splits for one in result.methods):
        figure = result.plot()
        blocks.append(drawing(figure, "study", f"Accuracies on {name}", typeset(figure.caption)))
    blocks.append(Text([typeset(note) for note in result.notes], "notes"))
    sections = [
        Section("methods", "Methods", blocks),
        Section("cells", "Splits", [_cells(result)]),
        Section("task", "Task", _task(result)),
        provenance_section({}, list(material.digests), list(material.commands), []),
    ]
    return Page(
        title=f"{name}: learning",
        kind="learning report",
        question=f"What is the bank of neurons worth on {name}, beside other methods?",
        answer=_answer(result),
        sections=sections,
        made=made,
    )


def _answer(result: StudyResult) -> list[str]:
    done = [one for one in result.methods if one.splits]
    if not done:
        return ["No cell of the study has an accuracy.", *_failures(result)]
    best = max(done, key=lambda one: one.accuracy)
    answer = [f"The best mean accuracy is {_figure(best)}, of {typeset(_label(best.method))}."]
    if result.compared_with is not None:
        ours = result[result.compared_with]
        better = [one for one in done if one.verdict == "better"]
        worse = [one for one in done if one.verdict == "worse"]
        level = [one for one in done if one.verdict == "within chance"]
        answer.append(f"{typeset(_label(ours.method))} has {_figure(ours)}.")
        answer.append(
            f"Of the other methods {len(better)} are better than that, {len(worse)} worse, and "
            f"{len(level)} within chance."
        )
    return [*answer, *_failures(result)]


def _failures(result: StudyResult) -> list[str]:
    if not result.failed:
        return []
    return [f"{len(result.failed)} of {counted(len(result.cells), 'cell')} failed."]


def _label(method: str) -> str:
    from spicealif.learning._names import label_of

    return label_of(method)


def _figure(one: MethodResult) -> str:
    return f"{100 * one.accuracy:.1f} % ({100 * one.low:.1f} to {100 * one.high:.1f} %)"


def _cells(result: StudyResult) -> Table:
    """Return the accuracy of each method on each split."""
    seeds = sorted({cell.seed for cell in result.cells})
    found = {(cell.method, cell.seed): cell for cell in result.cells}
    rows = []
    for one in result.methods:
        cells = [found.get((one.method, seed)) for seed in seeds]
        texts = [
            "\u2013" if c is None else "failed" if math.isnan(c.accuracy)
            else f"{100 * c.accuracy:.1f}" for c in cells
        ]  # fmt: skip
        rows.append([_label(one.method), *texts])
    head = ["accuracy %", *(f"seed {seed}" for seed in seeds)]
    return Table("Each method on each split", head, rows, "long")


def _task(result: StudyResult) -> list[Block]:
    pairs = zip(result.classes, result.counts, strict=True)
    classes = ", ".join(f"{name}: {count}" for name, count in pairs)
    return [Facts([*task_facts(result.task), ("samples of each class", typeset(classes))])]


def task_facts(task: Task) -> list[tuple[str, str]]:
    """Return every value of a task and its dotted name."""
    values = flat(task.to_dict())
    return [(key, typeset(_text(value))) for key, value in values.items() if value not in ("", [])]


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
