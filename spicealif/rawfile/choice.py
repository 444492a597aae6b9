"""Which plot and which step of a raw file is meant: asked for, or the only one there is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spicealif._support.text import shown
from spicealif.errors import WaveformError
from spicealif.rawfile.raw import read_raw

if TYPE_CHECKING:
    from spicealif.rawfile.raw import RawPlot

__all__ = ["Choice", "choose_plot"]

_LISTED = 8  # plots that a question lists
_NAME = 60  # characters of a plot's name that are shown
#: "Step Analysis: Step 2 of 3 params:  name = R1:R value = 1000  Transient Analysis" (Xyce).
_XYCE_STEP = re.compile(r"step analysis: step (\d{1,9}) of (\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Choice:
    """A plot of a raw file and one of its steps.

    Attributes
    ----------
    plot : RawPlot
    step : int or None
        From 0; None if the plot has one.
    taken : str
        A sentence on what was taken of what there is; empty if there was nothing to choose.
    """

    plot: RawPlot
    step: int | None
    taken: str


def choose_plot(path: Path, plot: int | str | None, step: int | None) -> Choice:
    """Find the plot and the step that are meant.

    Parameters
    ----------
    path : Path
        A raw file.
    plot : int or str, optional
        A plot's number in the file, from 1, or a part of its name. If not given, the only transient
        analysis.
    step : int, optional
        From 1.

    Returns
    -------
    Choice

    Raises
    ------
    WaveformError
        If there is no such plot or step, or several could be meant.
    RawFileError
        As `read_raw` does.
    """
    plots = read_raw(path)
    name = ascii(str(path))
    if plot is not None:
        at = _asked(name, plots, plot)
    else:
        at, step = _only(name, plots, step)
    chosen = plots[at]
    if chosen.axis is None or chosen.variables[0].type.lower() != "time":
        raise WaveformError(
            f"Plot {at + 1} of {name} ({_title(chosen)}) is no transient analysis; choose one "
            f"({_transients(plots)})."
        )
    index = _step(name, chosen, step)
    words = []
    if len(plots) > 1:
        words.append(f"plot {at + 1} of {len(plots)} ({_title(chosen)})")
    if index is not None and chosen.n_steps > 1:
        values = (chosen.step_values or ({},) * chosen.n_steps)[index]
        told = ", ".join(f"{key}={value:g}" for key, value in list(values.items())[:4])
        words.append(
            f"step {index + 1} of {chosen.n_steps}{f' ({shown(told, 80)})' if told else ''}"
        )
    return Choice(chosen, index, f"This is {' and '.join(words)} of the file." if words else "")


def _asked(name: str, plots: list[RawPlot], plot: int | str) -> int:
    """Return which plot is asked for by its number or a part of its name, from 0."""
    text = str(plot).strip()
    if text.isascii() and text.isdigit():
        at = int(text[:9]) - 1
        if 0 <= at < len(plots):
            return at
        raise WaveformError(
            f"{name} has no plot {text[:9]}; choose one from 1 to {len(plots)} (--plot N)."
        )
    found = [k for k, p in enumerate(plots) if text and text.lower() in p.plotname.lower()]
    same = [k for k in found if plots[k].plotname.lower() == text.lower()]
    if len(same) == 1 or len(found) == 1:
        return (same if len(same) == 1 else found)[0]
    what = f"{len(found)} plots" if found else "no plot"
    raise WaveformError(
        f"{name} has {what} named {ascii(shown(text, _NAME))}; choose one by its number (--plot "
        f"N): {_listed(plots, found or range(len(plots)))}."
    )


def _only(name: str, plots: list[RawPlot], step: int | None) -> tuple[int, int | None]:
    """Return the only transient analysis or that of a step, and which step is left to choose."""
    found = [k for k, p in enumerate(plots) if "transient" in p.plotname.lower()]
    if not found:
        raise WaveformError(
            f"{name} holds no transient analysis; give a file that does (it has "
            f"{_listed(plots, range(len(plots)))})."
        )
    if len(found) == 1:
        return found[0], step
    steps = {int(m[1]): k for k in found if (m := _XYCE_STEP.search(plots[k].plotname))}
    if len(steps) == len(found):
        if step is None:
            raise WaveformError(f"{name} holds {len(steps)} steps; choose one of them (--step N).")
        if step not in steps:
            raise WaveformError(
                f"{name} has no step {step}; choose one from {min(steps)} to {max(steps)}."
            )
        return steps[step], None
    raise WaveformError(
        f"{name} holds {len(found)} transient analyses; choose one of them (--plot N): "
        f"{_listed(plots, found)}."
    )


def _step(name: str, plot: RawPlot, step: int | None) -> int | None:
    """Return the index of the step asked for, from 0, or None for a plot that has none."""
    count = plot.n_steps
    if step is None and count == 1:
        return None
    if step is None:
        raise WaveformError(f"{name} holds {count} steps; choose one of them (--step N).")
    if not 1 <= step <= count:
        raise WaveformError(
            f"{name} has no step {step}; "
            + (f"choose one from 1 to {count}." if count > 1 else "it has one: leave --step out.")
        )
    return step - 1


def _transients(plots: list[RawPlot]) -> str:
    found = [k for k, p in enumerate(plots) if p.axis and p.variables[0].type.lower() == "time"]
    return _listed(plots, found) if found else "the file has none"


def _listed(plots: list[RawPlot], which: list[int] | range) -> str:
    """Return numbers and names of plots."""
    some = [f"{k + 1} is {_title(plots[k])}" for k in which[:_LISTED]]
    return ", ".join(some) + (", ..." if len(which) > _LISTED else "")


def _title(plot: RawPlot) -> str:
    """Return a plot's name, with what else tells it from others."""
    title = shown(plot.title.strip().lstrip("* "), _NAME)
    name = ascii(shown(plot.plotname.strip(), 2 * _NAME))
    return f"{name} of {ascii(title)}" if title else name
