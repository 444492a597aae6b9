"""A study's table as texts, and what has to be known to read it."""

from __future__ import annotations

import math

import numpy as np

from spicealif._support.text import counted
from spicealif.learning._names import label_of, stage_of
from spicealif.learning.study_cells import MethodResult, StudyCells

__all__ = ["head_of", "notes_of", "rows_of"]

#: Failed cells that are named.
_MOST = 5


def head_of(result: StudyCells) -> tuple[str, ...]:
    """Return the table's heading.

    Parameters
    ----------
    result : StudyCells
    """
    balanced = ("balanced %",) if result.unequal else ()
    return (
        "", "accuracy %", "95 % interval", *balanced, "to ALIF, points", "p (Holm)", "verdict",
        "features", "CPU s",
    )  # fmt: skip


def rows_of(result: StudyCells) -> list[tuple[str, ...]]:
    """Return the rows of the table as texts.

    Parameters
    ----------
    result : StudyCells
    """
    out = []
    base = "compared with" if len(result.methods) > 1 else "-"
    for one in result.methods:
        row = [label_of(one.method), _percent(one.accuracy), _interval(one)]
        if result.unequal:
            row.append(_percent(one.balanced_accuracy))
        row += [
            base if one.method == result.compared_with else _points(one.difference),
            _p(one.p_holm),
            one.verdict or "-",
            str(one.n_features) if one.n_features else "-",
            "-" if math.isnan(one.seconds) else f"{one.seconds:.3g}",
        ]
        out.append(tuple(row))
    return out


def notes_of(result: StudyCells) -> list[str]:
    """Return the sentences below the table.

    Parameters
    ----------
    result : StudyCells
    """
    good = [cell for cell in result.cells if cell.status == "OK"]
    notes = [_about_splits(result)]
    if good:
        if any(one.splits > 1 for one in result.methods):
            notes.append(
                "Intervals and p-values are by the corrected resampled t (Nadeau and Bengio 2003), "
                "since splits share samples; p is two-sided and adjusted by Holm's method over the "
                "methods that are not ALIF's."
            )
        notes.append(f"Always naming the largest class gives {100 * result.chance:.1f} %.")
        train, test = (float(np.mean([getattr(c, n) for c in good])) for n in ("n_train", "n_test"))
        if test > train:
            notes.append(
                f"There are {test / train:.1f} test samples for each training sample, for which "
                "that correction is far too wide: the spread is told apart into that of training "
                "and of test samples instead (see the page on learning; p by the correction alone "
                "is in the files)."
            )
    if result.compared_with is not None and len(result.methods) > 1:
        notes.append(
            f"All are compared with {label_of(result.compared_with)}, of ALIF's readouts the best "
            "by folds within the training samples; points above 0 are more than it has."
        )
    if len(good) == 1 and good[0].chosen:
        chosen = ", ".join(f"{name} = {value}" for name, value in good[0].chosen.items())
        notes.append(f"Chosen by folds within the training samples: {chosen}.")
    single = [m for m in result.methods if m.splits and math.isclose(*_ends(result, m.method))]
    if single:
        notes.append(
            "Where there is one split, or all give the same accuracy, the interval is Wilson's "
            f"for one split's test samples: {', '.join(label_of(m.method) for m in single)}."
        )
    if any(stage_of(cell.method)[0] == "lif" for cell in result.cells):
        notes.append(_about_lif(result))
    for text, count in _told(result):
        notes.append(f"In {counted(count, 'cell')}: {text}")
    for cell in result.failed[:_MOST]:
        notes.append(f"Failed: {cell.method}, seed {cell.seed}: {cell.reason}")
    if len(result.failed) > _MOST:
        notes.append(f"{len(result.failed) - _MOST} more failed; the JSON has their reasons.")
    notes += result.data_notes
    notes.append(f"Data: {result.data_source}")
    return notes


def _about_splits(result: StudyCells) -> str:
    data, seeds = result.task.data, sorted({cell.seed for cell in result.cells})
    good = [cell for cell in result.cells if cell.status == "OK"]
    size = f", {good[0].n_train} training and {good[0].n_test} test samples" if good else ""
    if data.split == "folds":
        alone = f" (seed {seeds[0]})" if len(seeds) == 1 else ""
        what = f"{counted(len(seeds), 'fold')}{alone} of repeated stratified {data.folds}-fold"
        return f"{what}{size}."
    if len(seeds) == 1:
        which = "the data set's own" if seeds == [0] else f"a stratified resample (seed {seeds[0]})"
        return f"1 split: {which}{size}."
    own = "the data set's own and " if 0 in seeds else ""
    drawn = len(seeds) - (0 in seeds)
    return f"{counted(len(seeds), 'split')}: {own}{counted(drawn, 'stratified resample')}{size}."


def _ends(result: StudyCells, method: str) -> tuple[float, float]:
    values = [c.accuracy for c in result.cells if c.method == method and c.status == "OK"]
    return min(values), max(values)


def _about_lif(result: StudyCells) -> str:
    said = "LIF is the same bank with a resistor as leak, the memristor's resistance at the start"
    spread = [name for name in result.task.bank.spread or {} if name.startswith("leak.")]
    if not spread:
        return f"{said}."
    return f"{said}; its neurons are not spread in {', '.join(spread)}, which a resistor has not."


def _told(result: StudyCells) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for cell in result.cells:
        for note in cell.notes:
            found[note] = found.get(note, 0) + 1
    return sorted(found.items(), key=lambda item: -item[1])[:_MOST]


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f}"


def _interval(one: MethodResult) -> str:
    return "-" if math.isnan(one.low) else f"{100 * one.low:.1f} to {100 * one.high:.1f}"


def _points(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:+.1f}"


def _p(value: float) -> str:
    if math.isnan(value):
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
