"""Reports as HTML text and as files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spicealif._support.files import write_text
from spicealif._support.kinds import REPORT, check_ending
from spicealif._support.origin import origin
from spicealif.errors import CompareError
from spicealif.report._blocks import Page
from spicealif.report._circuit_study import page_of_circuit_study
from spicealif.report._fit import page_of_fit
from spicealif.report._live import from_result
from spicealif.report._material import (
    BudgetMaterial,
    CircuitStudyMaterial,
    FitMaterial,
    Json,
    Material,
    ProposalMaterial,
    RunMaterial,
    StudyMaterial,
    SweepMaterial,
)
from spicealif.report._others import page_of_budget, page_of_proposal
from spicealif.report._render import render
from spicealif.report._run import page_of_run
from spicealif.report._saved import from_folder, from_path, load_budget
from spicealif.report._study import page_of_study
from spicealif.report._sweep import page_of_sweep

if TYPE_CHECKING:
    from spicealif.design import Neuron

__all__ = ["report_html", "write_report", "write_run_report"]


def report_html(
    result: Any,
    *,
    budget: Any = None,
    neuron: Neuron | None = None,
) -> str:
    """Return the report of a result as one HTML page that loads nothing.

    Parameters
    ----------
    result : object or path-like
        What `cosimulate`, `certify`, `compare`, `simulate`, `solve_reference`, `explain`,
        `explain_tolerances`, `fit_device`, `propose_neuron`, `spicealif.learning.run_study`,
        `spicealif.learning.run_circuit_study` or an experiment's ``run`` returned; a `Neuron`,
        whose reference is then solved; or the path of a saved one: a folder of ``spicealif run`` or
        ``explain``, a netCDF file, the JSON of a fit, a budget or a study of learning, a neuron's
        or a device's TOML file, or a raw file.
    budget : GapBudget, ToleranceBudget or path-like, optional
        For a run's report: what `explain` found for the same design. That in the folder of a saved
        run is found by itself.
    neuron : Neuron, optional
        What a raw file is of.

    Returns
    -------
    str
        With the figures of `result` in SI units, the traces thinned to at most 150,000 samples
        together; how exact that is stands in the page.

    Raises
    ------
    CompareError
        If there is no report of such a thing, a file is damaged, or the budget is of another
        design.
    WaveformError, DesignError, FitError, SweepError, RawFileError
        If a file of that kind cannot be read.
    RunFailed
        Of a `Run` that has no complete data.

    Examples
    --------
    >>> neuron = load_preset("paper").replace(t_stop="1m")
    >>> html = report_html(cosimulate(neuron, "equations"))
    >>> html.startswith("<!doctype html>")
    True
    """
    return render(_page(_material(result, budget, neuron)))


def write_report(
    result: Any,
    path: str | os.PathLike[str],
    *,
    budget: Any = None,
    neuron: Neuron | None = None,
) -> Path:
    """Write the report of a result as one HTML file; return its path.

    Parameters
    ----------
    result, budget, neuron
        As in `report_html`.
    path : path-like
        Ends in ``.html``.

    Raises
    ------
    OutputError
        If the file cannot be written, or the ending is another one.
    SpicealifError
        As `report_html` does.

    Examples
    --------
    >>> reference = solve_reference(load_preset("paper").replace(t_stop="1m"))
    >>> path = write_report(reference, "report.html")
    """
    target = Path(path)
    check_ending(target, REPORT)
    return write_text(target, report_html(result, budget=budget, neuron=neuron))


def write_run_report(folder: Path, named: Path) -> Path:
    """Write ``report.html`` into a folder of a run's results that is still being filled.

    Parameters
    ----------
    folder : Path
    named : Path
        What the folder will be called: the report's commands name it.

    Returns
    -------
    Path

    Raises
    ------
    SpicealifError
        As `report_html` does.
    """
    return write_text(folder / "report.html", render(_page(from_folder(folder, named))))


def _material(result: Any, budget: Any, neuron: Neuron | None) -> Material:
    saved = isinstance(result, str | os.PathLike)
    material = from_path(Path(result), neuron) if saved else from_result(result)
    if budget is None:
        return material
    if not isinstance(material, RunMaterial):
        raise CompareError(
            "A budget goes with the report of a run, and this is none; leave the budget out, or "
            "give the run's result."
        )
    return _with_budget(material, budget)


def _with_budget(material: RunMaterial, budget: Any) -> RunMaterial:
    if isinstance(budget, str | os.PathLike):
        data: Json = load_budget(Path(budget))
    else:
        other = from_result(budget)
        if not isinstance(other, BudgetMaterial):
            raise CompareError(
                f"A {type(budget).__name__} is no gap budget; give what explain returned, or the "
                "path of its budget.json."
            )
        data = other.budget
    if data.get("design_digest") != material.neuron.digest:
        raise CompareError(
            "The budget is of another design than the run; give the budget of the same neuron, "
            "or leave it out."
        )
    missing = {k: v for k, v in material.missing.items() if k != "budget"}
    return replace(material, budget=data, missing=missing)


def _page(material: Material) -> Page:
    here = origin()
    made = f"Made by spicealif {here['spicealif']} on {here['date'][:16].replace('T', ', ')} UTC."
    if isinstance(material, RunMaterial):
        return page_of_run(material, made)
    if isinstance(material, SweepMaterial):
        return page_of_sweep(material, made)
    if isinstance(material, FitMaterial):
        return page_of_fit(material, made)
    if isinstance(material, ProposalMaterial):
        return page_of_proposal(material, made)
    if isinstance(material, StudyMaterial):
        return page_of_study(material, made)
    if isinstance(material, CircuitStudyMaterial):
        return page_of_circuit_study(material, made)
    return page_of_budget(material, made)
