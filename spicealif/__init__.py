"""SPICE netlists and co-simulation of the memristor-based adaptive LIF neuron.

The names below are loaded when they are first used, so that ``import spicealif`` and the command
line's ``--help`` stay fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spicealif._support.progress import progress_bar
    from spicealif.analysis.attribution import GapBudget, explain
    from spicealif.analysis.certificate import Certificate, Verdict, certify
    from spicealif.analysis.tolerance_budget import ToleranceBudget, explain_tolerances
    from spicealif.analysis.verification import Verification, verify
    from spicealif.bank import Bank, solve_bank
    from spicealif.circuit import Cause, solve_circuit
    from spicealif.citing import citation
    from spicealif.cosim import Cosimulation, cosimulate, find_reltol, simulate
    from spicealif.design import (
        DevicePreset,
        Neuron,
        SeriesCircuit,
        device_names,
        dump_toml,
        load_device,
        load_preset,
        load_toml,
        parse_toml,
        preset_names,
        save_toml,
    )
    from spicealif.errors import SpicealifError
    from spicealif.exporting import export
    from spicealif.fit import FitResult, Loop, fit_device, read_loop
    from spicealif.measures.comparison import Comparison, compare
    from spicealif.netlist import Netlist, build_netlist
    from spicealif.propose import Proposal, propose_neuron
    from spicealif.reference import solve_reference, solve_series
    from spicealif.report import report_html, write_report
    from spicealif.results import load_result
    from spicealif.schematic import draw_schematic, write_schematic
    from spicealif.simulators import Run, Status, get_simulator, simulator_names
    from spicealif.sweep import MonteCarlo, Range, Store, Sweep, Tolerance
    from spicealif.sweep.files import load_sweep, save_sweep
    from spicealif.waveforms import Waveforms, load_waveforms

__version__ = "0.1.0"

_HOME = {
    "save_sweep": "sweep.files",
    "load_sweep": "sweep.files",
    "export": "exporting",
    "citation": "citing",
    "GapBudget": "analysis.attribution",
    "explain": "analysis.attribution",
    "Bank": "bank",
    "solve_bank": "bank",
    "Certificate": "analysis.certificate",
    "Verdict": "analysis.certificate",
    "certify": "analysis.certificate",
    "Cause": "circuit",
    "solve_circuit": "circuit",
    "Comparison": "measures.comparison",
    "compare": "measures.comparison",
    "Cosimulation": "cosim",
    "cosimulate": "cosim",
    "find_reltol": "cosim",
    "simulate": "cosim",
    "DevicePreset": "design",
    "Neuron": "design",
    "SeriesCircuit": "design",
    "device_names": "design",
    "dump_toml": "design",
    "load_device": "design",
    "load_preset": "design",
    "load_toml": "design",
    "parse_toml": "design",
    "preset_names": "design",
    "save_toml": "design",
    "SpicealifError": "errors",
    "FitResult": "fit",
    "Loop": "fit",
    "fit_device": "fit",
    "read_loop": "fit",
    "Netlist": "netlist",
    "build_netlist": "netlist",
    "progress_bar": "_support.progress",
    "Proposal": "propose",
    "propose_neuron": "propose",
    "solve_reference": "reference",
    "solve_series": "reference",
    "report_html": "report",
    "write_report": "report",
    "load_result": "results",
    "draw_schematic": "schematic",
    "write_schematic": "schematic",
    "Run": "simulators",
    "Status": "simulators",
    "get_simulator": "simulators",
    "simulator_names": "simulators",
    "MonteCarlo": "sweep",
    "Range": "sweep",
    "Store": "sweep",
    "Sweep": "sweep",
    "Tolerance": "sweep",
    "ToleranceBudget": "analysis.tolerance_budget",
    "explain_tolerances": "analysis.tolerance_budget",
    "Verification": "analysis.verification",
    "verify": "analysis.verification",
    "Waveforms": "waveforms",
    "load_waveforms": "waveforms",
}

__all__ = [
    "Bank",
    "Cause",
    "Certificate",
    "Comparison",
    "Cosimulation",
    "DevicePreset",
    "FitResult",
    "GapBudget",
    "Loop",
    "MonteCarlo",
    "Netlist",
    "Neuron",
    "Proposal",
    "Range",
    "Run",
    "SeriesCircuit",
    "SpicealifError",
    "Status",
    "Store",
    "Sweep",
    "Tolerance",
    "ToleranceBudget",
    "Verdict",
    "Verification",
    "Waveforms",
    "__version__",
    "build_netlist",
    "certify",
    "citation",
    "compare",
    "cosimulate",
    "device_names",
    "draw_schematic",
    "dump_toml",
    "explain",
    "explain_tolerances",
    "export",
    "find_reltol",
    "fit_device",
    "get_simulator",
    "load_device",
    "load_preset",
    "load_result",
    "load_sweep",
    "load_toml",
    "load_waveforms",
    "parse_toml",
    "preset_names",
    "progress_bar",
    "propose_neuron",
    "read_loop",
    "report_html",
    "save_sweep",
    "save_toml",
    "simulate",
    "simulator_names",
    "solve_bank",
    "solve_circuit",
    "solve_reference",
    "solve_series",
    "verify",
    "write_report",
    "write_schematic",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'spicealif' has no attribute {name!r}")
    value = getattr(import_module(f"spicealif.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
