"""Material for reports from results in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spicealif._support.origin import origin
from spicealif.analysis.budget import GapBudget
from spicealif.analysis.certificate import Certificate
from spicealif.analysis.tolerance_budget import ToleranceBudget
from spicealif.cosim import Cosimulation
from spicealif.design import Neuron, parse_toml
from spicealif.errors import CompareError, DesignError, FitError
from spicealif.fit import FitResult
from spicealif.measures.comparison import Comparison, design_of
from spicealif.netlist import build_netlist
from spicealif.propose import Proposal
from spicealif.reference import solve_reference
from spicealif.report._material import (
    BudgetMaterial,
    CircuitStudyMaterial,
    FitMaterial,
    Material,
    NetlistText,
    ProposalMaterial,
    RunMaterial,
    StudyMaterial,
    SweepMaterial,
)
from spicealif.report._words import plain_name, quoted
from spicealif.simulators import Run
from spicealif.waveforms import Waveforms

__all__ = [
    "circuit_command",
    "from_neuron",
    "from_result",
    "from_waveforms",
    "rebuilt",
    "run_command",
]

#: Where a command finds a design that is in no file yet.
_FILE = "neuron.toml"
_SAVE_IT = "With the design below, saved as neuron.toml:"


def from_result(result: Any) -> Material:
    """Return what a report of a result in memory is made of.

    Raises
    ------
    CompareError
        If there is no report of such a thing.
    """
    if isinstance(result, Certificate):
        return _certificate(result)
    if isinstance(result, Cosimulation):
        return _cosimulation(result)
    if isinstance(result, Comparison):
        return _comparison(result)
    if isinstance(result, Run):
        return _run(result)
    if isinstance(result, Waveforms):
        return from_waveforms(result)
    if isinstance(result, GapBudget | ToleranceBudget):
        gap = result.budget if isinstance(result, ToleranceBudget) else result
        again = [(_SAVE_IT, quoted("spicealif", "explain", _FILE))]
        return BudgetMaterial(result.to_dict(), gap.neuron, [], again)
    if isinstance(result, FitResult):
        return _fit(result)
    if isinstance(result, Proposal):
        return ProposalMaterial(result, from_neuron(result.neuron, result.variant))
    if isinstance(result, Neuron):
        return from_neuron(result)
    if hasattr(result, "data_vars") and "status" in result:
        return SweepMaterial(result, _design(result.attrs.get("design")))
    # By its name: importing it takes scikit-learn, which is an extra.
    if type(result).__name__ == "StudyResult":
        command = quoted("spicealif", "learn", result.task.name)
        return StudyMaterial(result, [], [("All of it, if the task is a shipped one:", command)])
    if type(result).__name__ == "CircuitStudy":
        return CircuitStudyMaterial(result, [], [circuit_command(result)])
    raise CompareError(
        f"There is no report of a {type(result).__name__}; give what cosimulate, certify, compare, "
        "simulate, explain, fit_device, propose_neuron, run_study, run_circuit_study or an "
        "experiment's run returned, "
        "or the path of a saved result."
    )


def from_waveforms(waveforms: Waveforms, neuron: Neuron | None = None) -> RunMaterial:
    """Return what a report of one side is made of."""
    described = neuron or design_of(waveforms)
    reference = waveforms.attrs.get("side") == "reference"
    return RunMaterial(
        described,
        circuit=None if reference else waveforms,
        reference=waveforms if reference else None,
        netlist=rebuilt(described, waveforms),
        commands=[(_SAVE_IT, run_command(waveforms, _FILE))],
    )


def from_neuron(neuron: Neuron, variant: str = "ideal") -> RunMaterial:
    """Return what a report of a neuron that nobody has run is made of: its reference is solved."""
    waveforms = solve_reference(neuron, variant)  # type: ignore[arg-type]  # checked there
    return replace(from_waveforms(waveforms, neuron), origin=origin())


def rebuilt(neuron: Neuron, waveforms: Waveforms) -> NetlistText:
    """Return the netlist of a result that was saved without it."""
    ran = waveforms.attrs.get("netlist_digest")
    simulator = str(waveforms.attrs.get("simulator", ""))
    dialect = "ltspice" if simulator.lower().startswith("ltspice") else "ngspice"
    reltol = waveforms.attrs.get("reltol") if ran else None
    built = build_netlist(neuron, dialect, reltol=None if reltol is None else float(reltol))
    if not ran:
        return NetlistText(built.text, "Made from the design; nobody has run it for this report.")
    if built.digest == ran:
        return NetlistText(built.text, "The netlist that ran, letter by letter (by its digest).")
    return NetlistText(
        built.text,
        "Made again from the design by this version. Its digest is not that of the netlist that "
        "ran, which another version wrote.",
    )


def run_command(waveforms: Waveforms, design: str) -> str:
    """Return the command that computes one side again."""
    attrs = waveforms.attrs
    if attrs.get("side") == "reference":
        words = [
            "spicealif",
            "reference",
            design,
            "--variant",
            plain_name(attrs.get("variant"), "ideal"),
        ]
        if "switches" in attrs:
            words += [
                "--switches",
                f"{int(attrs['switches'])}",
                "--seed",
                f"{int(attrs.get('seed', 0))}",
            ]
        return quoted(*words)
    return quoted(
        "spicealif",
        "simulate",
        design,
        "--simulator",
        plain_name(attrs.get("simulator"), "ngspice"),
    )


def circuit_command(study: Any) -> tuple[str, str]:
    """Return a sentence and the command for a circuit study's readout and samples."""
    words = ["spicealif", "learn-circuit", study.task.name, "--readout", study.readout]
    words += ["--samples", str(len(study.test)), "--seed", str(study.seed)]
    words += ["--exchange"] if study.exchange else []
    sentence = "The same readout and samples, if the task is a shipped one as it is:"
    return sentence, quoted(*words)


def _cosimulation(result: Cosimulation) -> RunMaterial:
    comparison = result.comparison
    if comparison is not None and result.check is not None and comparison.check is None:
        comparison = replace(comparison, check=result.check)
    return _both(result.neuron, result.run, result.reference, comparison)


def _certificate(result: Certificate) -> RunMaterial:
    material = _both(
        result.neuron, result.run, result.reference, result.comparison,
        "--certify", "--tolerance", f"{result.tolerance:g}",
    )  # fmt: skip
    if result.measures:
        return replace(material, certificate=result.to_dict())
    missing = {**material.missing, "certificate": result.notes[-1]}
    return replace(material, missing=missing)


def _both(
    neuron: Neuron, run: Run, reference: Waveforms, comparison: Comparison | None, *options: str
) -> RunMaterial:
    missing = {}
    if not run.ok:
        missing["traces"] = f"The circuit's run is not complete. {run.message}"
    words = [
        "--simulator",
        run.simulator,
        "--variant",
        plain_name(reference.attrs.get("variant"), "ideal"),
    ]
    again = quoted("spicealif", "run", _FILE, *words, *options)
    return RunMaterial(
        neuron,
        run.waveforms,
        reference,
        comparison,
        netlist=NetlistText(run.netlist.text, "The netlist that ran."),
        origin={**origin(), **run.record()},
        commands=[(_SAVE_IT, again)],
        missing=missing,
    )


def _run(run: Run) -> RunMaterial:
    waveforms = run.require()
    material = from_waveforms(waveforms, run.netlist.neuron)
    netlist = NetlistText(run.netlist.text, "The netlist that ran.")
    return replace(material, netlist=netlist, origin={**origin(), **run.record()})


def _comparison(comparison: Comparison) -> RunMaterial:
    """Return what a report of two results is made of: what they are called, `a` is drawn first."""
    a, b = comparison.a, comparison.b
    netlist = rebuilt(comparison.neuron, a)
    return RunMaterial(comparison.neuron, a, b, comparison, netlist=netlist)


def _fit(result: FitResult) -> FitMaterial:
    import tomli_w

    try:
        device = tomli_w.dumps(result.preset().to_dict())
    except (FitError, DesignError):
        device = ""  # it does not describe its loop, which the warnings say
    return FitMaterial(result.to_dict(), result, device)


def _design(text: object) -> Neuron | None:
    try:
        return parse_toml(str(text), files=False) if text else None
    except DesignError:
        return None
