"""Material for reports from files: folders of runs, netCDF, JSON, TOML, raw files."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from spicealif._support.json_files import read_json
from spicealif._support.kinds import RUN_FILES
from spicealif._support.netcdf import NetcdfError, read_netcdf
from spicealif._support.text import shown
from spicealif.design import Neuron, load_device, load_toml, parse_toml
from spicealif.errors import CompareError, FitError
from spicealif.fit.saved import fit_from_dict
from spicealif.measures.comparison import Comparison, compare, design_of
from spicealif.report._json_files import check_budget, check_certificate, check_fit
from spicealif.report._live import (
    circuit_command,
    from_neuron,
    from_waveforms,
    rebuilt,
    run_command,
)
from spicealif.report._material import (
    BudgetMaterial,
    CircuitStudyMaterial,
    FitMaterial,
    Json,
    Material,
    NetlistText,
    RunMaterial,
    StudyMaterial,
    SweepMaterial,
)
from spicealif.report._words import plain_name, quoted
from spicealif.results import load_result, with_stored_figures
from spicealif.sweep.files import load_sweep
from spicealif.waveforms import Waveforms, load_waveforms

__all__ = ["from_folder", "from_path", "load_budget"]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_LARGEST = 1 << 26  # bytes of a JSON or a netlist; no result of ours has as many
_RAW = (".raw", ".qraw")
_BUDGET = "budget.json"


def from_path(path: Path, neuron: Neuron | None = None) -> Material:
    """Return what a report of a saved result is made of.

    Parameters
    ----------
    path : Path
        A folder of ``run`` or ``explain``, or a file.
    neuron : Neuron, optional
        What a raw file is of.

    Raises
    ------
    CompareError
        If there is no result at the path, or one that a report cannot be made of.
    SpicealifError
        As those who read the files raise it.
    """
    name = ascii(str(path))
    if neuron is not None and not _may_be_raw(path):
        raise CompareError(
            f"{name} says itself which neuron it is of; --neuron and --set are for raw files, "
            "which do not: leave them out."
        )
    if path.is_dir():
        return from_folder(path)
    try:
        with path.open("rb") as file:
            head = file.read(len(_HDF5))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CompareError(
            f"{name} cannot be read ({reason}); give the folder or the file of a saved result."
        ) from None
    ending = path.suffix.lower()
    if head == _HDF5:
        return _netcdf(path)
    if ending in _RAW or neuron is not None:
        return _raw(path, neuron)
    if ending == ".json":
        return _json_file(path)
    if ending == ".toml":
        return _toml(path)
    raise CompareError(
        f"{name} is no result that a report can be made of; give a folder of 'spicealif run' or "
        "'explain', a .nc file, the .json of a fit or a budget, or a neuron's or device's .toml."
    )


def _may_be_raw(path: Path) -> bool:
    return not path.is_dir() and path.suffix.lower() not in (".nc", ".json", ".toml")


def load_budget(path: Path) -> Json:
    """Return a budget as its `to_dict` gave it, from its JSON or the folder that has it.

    Raises
    ------
    CompareError
        If it cannot be read or is no budget.
    """
    file = path / "budget.json" if path.is_dir() else path
    data: Json = read_json(file)
    check_budget(data, file)
    return data


def from_folder(folder: Path, named: Path | None = None) -> Material:
    """Return what a report of a folder of results is made of.

    Parameters
    ----------
    folder : Path
    named : Path, optional
        What the folder will be called, if it is one that is still being filled; a budget is looked
        for there too.
    """
    names = (*RUN_FILES, _BUDGET)
    files = {n: folder / n for n in names if (folder / n).is_file()}
    if named is not None and (named / _BUDGET).is_file():
        files[_BUDGET] = named / _BUDGET
    named = named or folder
    if "circuit.nc" not in files and "reference.nc" not in files:
        if _BUDGET in files:
            return _budget(files[_BUDGET])
        raise CompareError(
            f"The folder {ascii(str(folder))} holds no result: neither circuit.nc and reference.nc "
            "of 'spicealif run' nor budget.json of 'spicealif explain'; give the folder that one "
            "of these wrote."
        )
    sides = {n: load_waveforms(files[f"{n}.nc"]) for n in ("circuit", "reference")
             if f"{n}.nc" in files}  # fmt: skip
    circuit, reference = sides.get("circuit"), sides.get("reference")
    neuron = _neuron(files, *sides.values())
    missing = {}
    if circuit is None:
        missing["traces"] = "There is no circuit.nc in the folder: the circuit's run left nothing."
    if reference is None:
        missing["traces"] = "There is no reference.nc in the folder, so that nothing is compared."
    comparison = None
    if circuit is not None and reference is not None:
        comparison = compare(circuit, reference, neuron)
        comparison = _with_check(comparison, files, missing)
    certificate = _certificate(files, comparison, missing)
    if certificate is not None and comparison is not None:
        comparison = replace(comparison, certified=True)
    origin = read_json(files["provenance.json"]) if "provenance.json" in files else {}
    if isinstance(origin, dict) and origin.get("status", "OK") != "OK":
        missing["traces"] = f"The circuit's run is not complete. {shown(origin.get('reason'))}"
    return RunMaterial(
        neuron,
        circuit,
        reference,
        comparison,
        certificate=certificate,
        budget=_own_budget(files, neuron, missing),
        netlist=_netlist(files, neuron, circuit or reference),
        origin=origin if isinstance(origin, dict) else {},
        digests=[(f"{name}, SHA-256", _sha256(file)) for name, file in sorted(files.items())
                 if file.suffix in (".nc", ".json", ".toml", ".cir")],
        commands=_commands(named, circuit, reference, certificate),
        missing=missing,
        folder=str(named),
    )  # fmt: skip


def _neuron(files: dict[str, Path], *results: Waveforms) -> Neuron:
    """Return the neuron that results say they are of, else that of the folder's own file."""
    try:
        return design_of(*results)
    except CompareError:
        if "neuron.toml" not in files:
            raise
        return load_toml(files["neuron.toml"])


def _with_check(
    comparison: Comparison, files: dict[str, Path], missing: dict[str, str]
) -> Comparison:
    """Return a comparison with the figures that were saved with it, and their error."""
    if "comparison.json" not in files:
        return comparison
    data = read_json(files["comparison.json"])
    stored = with_stored_figures(comparison, data, files["comparison.json"])
    if stored is comparison:
        known = [data.get(label, {}).get("spike_count") for label in comparison.labels]
        counts = [comparison.of_a["spike_count"], comparison.of_b["spike_count"]]
        missing["figures"] = (
            "The figures in comparison.json are left out: they are of other waveforms "
            f"({known[0]} and {known[1]} spikes) than circuit.nc and reference.nc ({counts[0]} "
            f"and {counts[1]})."
        )
    return stored


def _certificate(
    files: dict[str, Path], comparison: Comparison | None, missing: dict[str, str]
) -> Json | None:
    if "certificate.json" not in files:
        return None
    file = files["certificate.json"]
    data: Json = read_json(file)
    counts = check_certificate(data, file)
    if comparison is None:
        return None
    if counts != (comparison.of_a["spike_count"], comparison.of_b["spike_count"]):
        missing["certificate"] = (
            "The certificate in the folder is left out: it is of other waveforms than circuit.nc "
            "and reference.nc."
        )
        return None
    return data


def _own_budget(files: dict[str, Path], neuron: Neuron, missing: dict[str, str]) -> Json | None:
    if _BUDGET not in files:
        return None
    data = load_budget(files[_BUDGET])
    if data.get("design_digest") != neuron.digest:
        missing["budget"] = (
            "The budget in the folder is left out: it is of another design "
            f"({shown(data.get('neuron'), 64)})."
        )
        return None
    return data


def _netlist(
    files: dict[str, Path], neuron: Neuron, result: Waveforms | None
) -> NetlistText | None:
    if "neuron.cir" not in files:
        return None if result is None else rebuilt(neuron, result)
    raw = files["neuron.cir"].read_bytes()[:_LARGEST]
    text = raw.decode("ascii", "backslashreplace").replace("\r\n", "\n")
    ran = result.attrs.get("netlist_digest") if result is not None else None
    if ran is None:
        return NetlistText(text, "From the folder; the waveforms do not say which netlist ran.")
    if hashlib.sha256(raw).hexdigest() == ran:
        return NetlistText(text, "The netlist that ran, letter by letter (by its digest).")
    return NetlistText(
        text,
        "From the folder. It is not the netlist that the waveforms are of: its digest is another "
        "one, so that it was edited since.",
    )


def _commands(
    folder: Path, circuit: Waveforms | None, reference: Waveforms | None, certificate: Json | None
) -> list[tuple[str, str]]:
    words = ["spicealif", "run", str(folder / "neuron.toml")]
    if circuit is not None:
        words += ["--simulator", plain_name(circuit.attrs.get("simulator"), "ngspice")]
    if reference is not None:
        words += ["--variant", plain_name(reference.attrs.get("variant"), "ideal")]
    if certificate is not None:
        words += ["--certify", "--tolerance", f"{float(certificate['tolerance']):g}"]
    again = quoted(*words, "-o", f"{folder.name or 'results'}-again")
    return [
        ("The run, from the design that is saved with it:", again),
        ("This report:", quoted("spicealif", "report", str(folder))),
    ]


def _netcdf(path: Path) -> Material:
    try:
        names = set(read_netcdf(path).variables)
    except NetcdfError as error:
        raise CompareError(
            f"{ascii(str(path))} cannot be loaded ({error}); give a netCDF file that spicealif "
            "saved."
        ) from None
    digests = [(f"{path.name}, SHA-256", _sha256(path))]
    report = ("This report:", quoted("spicealif", "report", str(path)))
    if {"time", "t_spike"} <= names:
        waveforms = load_waveforms(path)
        material = from_waveforms(waveforms)
        saved = "The run, with the design below saved as neuron.toml:"
        again = (saved, run_command(waveforms, "neuron.toml"))
        return replace(material, digests=digests, commands=[again, report])
    dataset = load_sweep(path)
    design = str(dataset.attrs.get("design", ""))
    neuron = parse_toml(design, files=False) if design else None
    return SweepMaterial(dataset, neuron, digests, [report])


def _raw(path: Path, neuron: Neuron | None) -> RunMaterial:
    waveforms = load_result(path, neuron)
    words = ["spicealif", "report", str(path), "--neuron", "neuron.toml"]
    return replace(
        from_waveforms(waveforms, neuron),
        digests=[(f"{path.name}, SHA-256", _sha256(path))],
        commands=[("This report, with the design below saved as neuron.toml:", quoted(*words))],
    )


def _json_file(path: Path) -> Material:
    data = read_json(path)
    keys = set(data) if isinstance(data, dict) else set()
    if {"causes", "measures"} <= keys:
        return _budget(path)
    if {"model", "device", "parameters"} <= keys:
        return _fit(path, data)
    if {"task", "cells"} <= keys:
        return _study(path)
    if {"task", "transfer", "test"} <= keys:
        return _circuit_study(path)
    if {"labels", "pair"} <= keys or {"levels", "movement"} <= keys:
        raise CompareError(
            f"{ascii(str(path))} is a part of a run's results; give the folder that it is in."
        )
    raise CompareError(
        f"{ascii(str(path))} is no result of spicealif; give the .json of 'spicealif fit "
        "--result', of 'spicealif explain', 'learn' or 'learn-circuit', or the folder of a run."
    )


def _study(path: Path) -> StudyMaterial:
    try:
        from spicealif.learning import load_study
    except ImportError as error:  # scikit-learn is an extra
        raise CompareError(str(error)) from None
    again = [("This report:", quoted("spicealif", "report", str(path)))]
    return StudyMaterial(load_study(path), [(f"{path.name}, SHA-256", _sha256(path))], again)


def _circuit_study(path: Path) -> CircuitStudyMaterial:
    try:
        from spicealif.learning import load_circuit_study
    except ImportError as error:  # scikit-learn is an extra
        raise CompareError(str(error)) from None
    result = load_circuit_study(path)
    again = ("This report:", quoted("spicealif", "report", str(path)))
    digests = [(f"{path.name}, SHA-256", _sha256(path))]
    return CircuitStudyMaterial(result, digests, [circuit_command(result), again])


def _budget(path: Path) -> BudgetMaterial:
    data = load_budget(path)
    neuron = None
    if design := data.get("design"):
        neuron = parse_toml(str(design), files=False)
    again = [("This report:", quoted("spicealif", "report", str(path)))]
    if neuron is not None:
        words = ["spicealif", "explain", "neuron.toml"]
        words += [
            word for name in data["measures"] for word in ("--measure", plain_name(name, "all"))
        ]
        again.insert(0, ("With the design below, saved as neuron.toml:", quoted(*words)))
    return BudgetMaterial(data, neuron, [(f"{path.name}, SHA-256", _sha256(path))], again)


def _fit(path: Path, data: Json) -> FitMaterial:
    report = [("This report:", quoted("spicealif", "report", str(path)))]
    digests = [(f"{path.name}, SHA-256", _sha256(path))]
    try:
        result = fit_from_dict(data)
    except FitError as error:
        if "traces" in data:
            raise FitError(f"{ascii(str(path))}: {error}") from None
        check_fit(data, path)
        return FitMaterial(data, None, "", digests, report, str(error))
    device = ""
    if all(fitted.described for fitted in result.loops):
        import tomli_w

        device = tomli_w.dumps(result.preset().to_dict())
    return FitMaterial(data, result, device, digests, report)


def _toml(path: Path) -> Material:
    text = path.read_bytes()[:_LARGEST].decode("utf-8", "backslashreplace")
    try:
        is_device = "device" in (table := tomllib.loads(text)) and "leak" not in table
    except (tomllib.TOMLDecodeError, RecursionError):
        is_device = False  # whose reader says what is wrong with it
    digests = [(f"{path.name}, SHA-256", _sha256(path))]
    report = ("This report:", quoted("spicealif", "report", str(path)))
    if not is_device:
        run = ("Circuit and reference:", quoted("spicealif", "run", str(path)))
        return replace(from_neuron(load_toml(path)), digests=digests, commands=[run, report])
    preset = load_device(path)
    if preset.fit is None or preset.fit.loss is None:
        raise CompareError(
            f"{ascii(str(path))} is a device's file that no fit wrote; put the device into a "
            "neuron ('-s leak.file=FILE') and give that neuron's result."
        )
    return FitMaterial(
        _of_device(preset), None, text, digests, [report],
        "A device's file keeps no traces; the JSON that 'spicealif fit --result' writes does.",
    )  # fmt: skip


def _of_device(preset: Any) -> dict[str, Any]:
    """Return of a fit what its device's file keeps, as `FitResult.to_dict` has it."""
    record = preset.fit.model_dump(mode="json")
    device = preset.device.to_dict()
    fields = type(preset.device).model_fields
    parameters = {}
    for name, interval in (record.get("intervals") or {}).items():
        extra = getattr(fields.get(name), "json_schema_extra", None) or {}
        unit = str(extra.get("unit", ""))
        parameters[name] = {
            "value": device.get(name), "interval": interval, "bounds": None,
            "unit": "" if unit == "1" else unit, "at_bound": False, "identifiable": True,
        }  # fmt: skip
    loops = [{k: v for k, v in loop.items() if v not in (None, "")} for loop in record["loops"]]
    return {**record, "model": device["kind"], "device": device, "parameters": parameters,
            "loops": loops, "name": preset.name}  # fmt: skip


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
