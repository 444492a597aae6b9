"""What to cite for a result: the models and methods that it rests on, and no others."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from spicealif._support.resources import models_dir
from spicealif._support.text import shown
from spicealif.errors import CompareError

if TYPE_CHECKING:
    import xarray as xr

    from spicealif.waveforms import Waveforms

__all__ = ["citation", "result_at"]

#: What each memristor model rests on; a plug-in's says so itself, in its source.
_MODELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mms": ("nugent2014", "molter2016"),
        "gmms": ("molter2016",),
        "vteam": ("kvatinsky2015", "biolek2009"),
        "yakopcic": ("yakopcic2013",),
        "resistor": (),
    }
)
#: By how a simulator's version begins.
_SIMULATORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ngspice": ("ngspice",), "ltspice": ("ltspice",), "spicealif": ("hairer1996",)}
)
_METHODS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rodas": ("hairer1996",),
        "LSODA": ("petzold1983", "virtanen2020"),
        "Radau": ("hairer1996", "virtanen2020"),
        "BDF": ("virtanen2020",),
    }
)
#: Characters of a version.
_LONGEST = 60


def citation(result: object) -> str:
    """Return BibTeX of exactly the models and methods that a result rests on.

    Parameters
    ----------
    result : Neuron, Netlist, Run, Waveforms, Comparison, Cosimulation, Certificate, Verification, \
            GapBudget, ToleranceBudget, Sweep, MonteCarlo, xarray.Dataset, DevicePreset, \
            FitResult, Proposal, StudyResult, CircuitStudy or path-like
        A path is of a saved result: netCDF, the folder of a run, or the JSON of a study of
        learning.

    Returns
    -------
    str
        Entries of ``models/references.bib``, each below a comment that says what it is for. The
        simulator's has the version that ran.

    Raises
    ------
    CompareError
        If there is nothing to cite for such an object.
    WaveformError, DesignError, LearningError
        If a path holds no result.

    Examples
    --------
    >>> text = citation(load_preset("paper"))
    >>> [line for line in text.splitlines() if line.startswith("@")][2:]
    ['@article{nugent2014,', '@inproceedings{molter2016,']
    """
    found = _Found()
    found.add("spicealif", "the program")
    found.add("alif", "the neuron and its circuit")
    if isinstance(result, str | os.PathLike):
        result = result_at(result)
    found.take(result)
    return found.text()


class _Found:
    """Keys in the order in which they were met, and what each is for."""

    def __init__(self) -> None:
        self._reasons: dict[str, list[str]] = {}
        self._versions: dict[str, str] = {}
        self._remarks: list[str] = []

    def add(self, key: str, reason: str) -> None:
        reasons = self._reasons.setdefault(key, [])
        if reason not in reasons:
            reasons.append(reason)

    def text(self) -> str:
        # They may be a file's, and end neither the line nor the terminal's patience.
        parts = [f"% {shown(remark, 400)}\n" for remark in dict.fromkeys(self._remarks)]
        for key, reasons in self._reasons.items():
            entry = _entries()[key]
            if release := self._versions.get(key, ""):
                plain = re.sub(r"[^\w.+ -]", "", release, flags=re.ASCII)[:_LONGEST]
                entry = entry.replace("\n}", f"\n  note = {{Version {plain}}},\n}}")
            parts.append(f"% {'; '.join(reasons)}\n{entry}\n")
        return "\n".join(parts)

    def take(self, result: object) -> None:
        for kind in type(result).__mro__:
            if kind.__module__.split(".")[0] in ("spicealif", "xarray"):
                take = _TAKES.get(kind.__name__)
                if take is not None:
                    take(self, result)
                    return
        raise CompareError(
            f"There is nothing to cite for a {type(result).__name__}; give a neuron, a result, or "
            "the path of a saved one."
        )

    def remark(self, text: str) -> None:
        self._remarks.append(text)

    def model(self, kind: str, source: str = "") -> None:
        if kind not in _MODELS:
            where = " ".join(source.split()) or "its package"
            self._remarks.append(f"The memristor model {kind} is another package's; see {where}.")
        for key in _MODELS.get(kind, ()):
            self.add(key, f"the memristor model {kind}")

    def simulator(self, release: str, name: str = "") -> None:
        known = next((k for k in _SIMULATORS if release.lower().startswith(k)), "")
        if not known:
            if release:
                self._remarks.append(f"The circuit was run by {' '.join(release.split())}.")
            return
        for key in _SIMULATORS[known]:
            if known == "spicealif":
                self.add(key, "the method (RODAS) that solves the circuit's equations")
            else:
                self.add(key, "the simulator")
                self._versions[key] = release.removeprefix(f"{known}-")
        if name == "ngspice":
            self.add("pyspice", "runs ngspice's library")

    def equations(self, method: str, reason: str) -> None:
        for key in _METHODS.get(method, ()):
            self.add(key, reason)


def _neuron(found: _Found, neuron: Any) -> None:
    found.model(neuron.leak.to_dict()["kind"], getattr(neuron, "source", ""))


def _series(found: _Found, series: Any) -> None:
    found.model(series.device.to_dict()["kind"], series.source)


def _device(found: _Found, preset: Any) -> None:
    found.model(preset.device.to_dict()["kind"], preset.source)


def _netlist(found: _Found, netlist: Any) -> None:
    found.take(netlist.design)


def _run(found: _Found, run: Any) -> None:
    found.take(run.netlist)
    found.simulator(run.version, run.simulator)


def _waveforms(found: _Found, waveforms: Waveforms) -> None:
    from spicealif.measures.comparison import design_of

    if "design" in waveforms.attrs:
        found.take(design_of(waveforms))
    else:
        found.remark("The waveforms do not say which neuron they are of: add its memristor model.")
    if waveforms.attrs.get("side") != "reference":
        name = str(waveforms.attrs.get("simulator", ""))
        found.simulator(str(waveforms.attrs.get("version", "")), name)


def _comparison(found: _Found, comparison: Any) -> None:
    found.take(comparison.neuron)
    for waveforms in (comparison.a, comparison.b):
        found.take(waveforms)
    found.add("victor1996", "a spike-train distance")
    found.add("vanrossum2001", "a spike-train distance")
    found.add("kistler1997", "the coincidence factor")
    found.add("jolivet2008", "the coincidence factor")
    if comparison.check is not None:
        found.equations("rodas", "the equations that the numerical error was found with")


def _both(found: _Found, result: Any) -> None:
    found.take(result.run)
    if result.comparison is not None:
        found.take(result.comparison)
    if getattr(result, "equations", None) is not None:
        found.equations("rodas", "the equations that the certificate compares with")


def _verification(found: _Found, result: Any) -> None:
    found.take(result.run)
    found.equations(str(result.equations.attrs.get("method", "")), "solves the circuit's equations")


def _budget(found: _Found, budget: Any) -> None:
    found.take(budget.neuron)
    found.simulator(_version(budget.simulator), budget.simulator.split(" ")[0])
    found.equations("rodas", "the circuit's equations, in which causes are switched off")
    found.add("shapley1953", "the shares of the causes")


def _tolerances(found: _Found, result: Any) -> None:
    found.take(result.budget)


def _experiment(found: _Found, experiment: Any) -> None:
    found.take(experiment.neuron)
    if experiment.sides != "reference" and experiment.simulator == "equations":
        found.equations("rodas", "solves the circuits' equations")
    elif experiment.sides != "reference":
        found.simulator(experiment.simulator, experiment.simulator)


def _dataset(found: _Found, dataset: xr.Dataset) -> None:
    from spicealif.design import parse_toml

    if "design" not in dataset.attrs:
        raise CompareError("The dataset is no result of a sweep; give one that spicealif wrote.")
    found.take(parse_toml(str(dataset.attrs["design"]), files=False))
    if "simulator" in dataset:
        for release in sorted({str(v) for v in dataset["simulator"].values.ravel()} - {""}):
            found.simulator(release)
    if dataset.attrs.get("kind") == "f-i-curve":
        found.add("benda2003", "onset and steady-state f-I curves")


def _fit(found: _Found, fit: Any) -> None:
    found.model(fit.model)
    found.add("storn1997", "the search of the fit (differential evolution)")
    found.add("virtanen2020", "the least squares of the fit")
    found.add("newey1987", "the intervals of the fitted parameters")
    found.add("andrews1991", "the intervals of the fitted parameters")


def _proposal(found: _Found, proposal: Any) -> None:
    found.take(proposal.neuron)
    found.simulator(proposal.simulator)


def _study(found: _Found, study: Any) -> None:
    cells = [cell for cell in study.cells if cell.status == "OK"]
    methods = {cell.method for cell in cells}
    stages = {method.partition("-")[0] for method in methods}
    if stages & {"alif", "lif"}:
        _task_bank(found, study.task, adapts="alif" in stages)
    if methods - {"1nn-dtw"}:
        found.add("pedregosa2011", "readouts and classical methods")
    if "rocket" in methods:
        found.add("dempster2020", "the method ROCKET")
    if "minirocket" in methods:
        found.add("dempster2021", "the method MiniRocket")
    if any(one.splits > 1 for one in study.methods):
        found.add("nadeau2003", "intervals and tests over splits that share samples")
    if any(one.p_holm == one.p_holm for one in study.methods):
        found.add("holm1979", "p-values of several comparisons")
    by_method = [[c.accuracy for c in cells if c.method == method] for method in methods]
    if any(min(values) == max(values) for values in by_method):
        found.add("wilson1927", "the interval of a proportion")
    found.remark(f"Cite for the data: {study.data_source}")


def _circuit_study(found: _Found, study: Any) -> None:
    _task_bank(found, study.task)
    if any(level.name != "ideal" for level in study.transfer.levels):
        found.equations("rodas", "the circuit's equations")
    if study.spot_checks is not None:
        found.simulator(study.spot_checks.backend, study.spot_checks.backend)
    found.add("pedregosa2011", "the readout")
    if study.budget is not None:
        found.add("shapley1953", "the shares of the causes")
    found.add("wilson1927", "the interval of a proportion")
    found.add("mcnemar1947", "the test of changed predictions")


def _task_bank(found: _Found, task: Any, adapts: bool = True) -> None:
    """Take the bank's neuron, which has no memristor where none adapts, and who solved it."""
    from spicealif.design import load_preset
    from spicealif.learning.control import without_adaptation

    neuron, backend = task.bank.neuron, task.bank.backend
    design = load_preset(neuron) if isinstance(neuron, str) else neuron
    found.take(design if adapts else without_adaptation(design))
    if backend == "equations":
        found.equations("rodas", "the circuit's equations")
    elif backend != "reference":
        found.simulator(backend, backend)


def _version(text: str) -> str:
    """Return the version from ``name (version)``."""
    inside = re.search(r"\(([^()]*)\)", text)
    return inside[1] if inside else text


#: By the name of the class: nobody has to load what fits devices to cite a run.
_TAKES: Mapping[str, Callable[[_Found, Any], None]] = MappingProxyType(
    {
        "Neuron": _neuron,
        "SeriesCircuit": _series,
        "DevicePreset": _device,
        "Netlist": _netlist,
        "Run": _run,
        "Waveforms": _waveforms,
        "Comparison": _comparison,
        "Cosimulation": _both,
        "Certificate": _both,
        "Verification": _verification,
        "GapBudget": _budget,
        "ToleranceBudget": _tolerances,
        "Experiment": _experiment,
        "Dataset": _dataset,
        "FitResult": _fit,
        "Proposal": _proposal,
        "StudyResult": _study,
        "CircuitStudy": _circuit_study,
    }
)


def result_at(path: str | os.PathLike[str]) -> object:
    """Load what there is to cite: waveforms, a sweep, or both sides of a run's folder.

    Parameters
    ----------
    path : path-like
        A netCDF file, a folder that ``spicealif run`` wrote, or the JSON of ``spicealif learn`` or
        ``learn-circuit``.

    Returns
    -------
    Waveforms, xarray.Dataset, Comparison, StudyResult or CircuitStudy

    Raises
    ------
    CompareError
        If a folder holds no run.
    WaveformError, LearningError
        If a file cannot be read or is not one of ours.
    """
    from spicealif._support.json_files import read_json
    from spicealif.measures.comparison import compare
    from spicealif.results import with_stored_figures
    from spicealif.waveforms import load_waveforms

    path = Path(path)
    if not path.is_dir():
        return _file_at(path)
    sides = [path / name for name in ("circuit.nc", "reference.nc") if (path / name).is_file()]
    if not sides:
        raise CompareError(
            f"{ascii(str(path))} has neither circuit.nc nor reference.nc; give the folder of a run."
        )
    loaded = [load_waveforms(side) for side in sides]
    if len(loaded) < 2:
        return loaded[0]
    pair, saved = compare(loaded[0], loaded[1]), path / "comparison.json"
    return with_stored_figures(pair, read_json(saved), saved) if saved.is_file() else pair


def _learned(path: Path) -> object:
    """Load a study of learning."""
    from spicealif._support.json_files import read_json

    try:
        from spicealif.learning import load_circuit_study, load_study
    except ImportError as error:  # scikit-learn is an extra
        raise CompareError(str(error)) from None
    data = read_json(path)
    of_circuit = isinstance(data, dict) and "transfer" in data
    return load_circuit_study(path) if of_circuit else load_study(path)


def _file_at(path: Path) -> object:
    if path.suffix.lower() == ".json":
        return _learned(path)
    from spicealif.errors import SweepError, WaveformError
    from spicealif.sweep.files import load_sweep
    from spicealif.waveforms import load_waveforms

    try:
        return load_waveforms(path)
    except WaveformError as error:
        told = error
    try:
        return load_sweep(path)
    except SweepError:
        raise told from None


@cache
def _entries() -> Mapping[str, str]:
    """Return the entries of ``models/references.bib`` by their keys."""
    text = (models_dir() / "references.bib").read_text(encoding="utf-8")
    found = re.findall(r"^@\w+\{(\w+),\n(?:  .*\n)*\}", text, re.M)
    entries = re.findall(r"^@\w+\{\w+,\n(?:  .*\n)*\}", text, re.M)
    out = dict(zip(found, entries, strict=True))
    mine = f"\n  version = {{{version('spicealif')}}},\n}}"
    out["spicealif"] = out["spicealif"].replace("\n}", mine)
    return MappingProxyType(out)
