"""Runs of networks read from the folders that hold them."""

from __future__ import annotations

import math
import os
from pathlib import Path

from spicealif._support.json_files import read_json
from spicealif._support.kept import has_stamp
from spicealif._support.text_files import names_file
from spicealif.errors import WaveformError
from spicealif.network.expanded import expand
from spicealif.network.run import PROVENANCE, NetworkRun, measured_run
from spicealif.network.saved import load_reference, load_solution
from spicealif.network.store import load_network

__all__ = ["load_network_run"]

_AGAIN = "run the network again, or restore the folder from a copy"


def load_network_run(folder: str | os.PathLike[str]) -> NetworkRun:
    """Load what `NetworkRun.save` wrote.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    NetworkRun
        Spikes and traces to the last bit; measures and comparison are those of the spikes.

    Raises
    ------
    WaveformError, DesignError, CompareError
        If it is no folder of a network's run, or a file of it is damaged, changed or missing; the
        sentence names the file.
    """
    folder = Path(folder)
    shown = ascii(str(folder))
    if not names_file(folder / PROVENANCE):
        there = names_file(folder) and folder.is_dir()
        what = "is no folder of a network's run" if there else "is no folder"
        raise WaveformError(f"{shown} {what}; give one that 'spicealif network run' wrote.")
    made = read_json(folder / PROVENANCE)
    files = made.get("files") if isinstance(made, dict) else None
    if not isinstance(files, dict) or "network.toml" not in files:
        raise _damaged(shown)
    for name, stamp in files.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise WaveformError(f"{ascii(name)} is missing in {shown}; {_AGAIN}.")
        if not isinstance(stamp, list) or not has_stamp(path, stamp):
            raise WaveformError(
                f"{ascii(name)} in {shown} is not what was saved: it was damaged or changed since; "
                f"{_AGAIN}."
            )
    network = load_network(folder / "network.toml")
    expanded = expand(network)
    solution = reference = None
    if "circuit.nc" in files:
        solution = load_solution(folder / "circuit.nc", expanded)
    if "reference.nc" in files:
        reference = load_reference(folder / "reference.nc", expanded)
    tau = made.pop("tau", None)
    if tau is not None and not (isinstance(tau, int | float) and 0 < tau < math.inf):
        raise _damaged(shown)
    certificate = read_json(folder / "certificate.json") if "certificate.json" in files else None
    cost = made.pop("cpu_s", {})
    if not isinstance(cost, dict) or not all(isinstance(s, int | float) for s in cost.values()):
        raise _damaged(shown)
    for key in ("files", "rtol", "t_tol", "iteration_error", "variant", "h", "network", "digest"):
        made.pop(key, None)
    return measured_run(
        network, expanded, solution, reference, tau, certificate=certificate, cost=cost, made=made
    )


def _damaged(shown: str) -> WaveformError:
    return WaveformError(
        f"{PROVENANCE} in {shown} is none of a network's run, or damaged; {_AGAIN}."
    )
