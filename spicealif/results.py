"""Loading saved results of any kind: our netCDF files, and simulators' raw files."""

from __future__ import annotations

import os
from pathlib import Path

from spicealif.design import Neuron
from spicealif.errors import WaveformError
from spicealif.netlist import build_netlist
from spicealif.simulators._common import provenance, transients
from spicealif.simulators.judge import waveforms_from
from spicealif.simulators.second_reader import cross_check
from spicealif.waveforms import Waveforms, load_waveforms

__all__ = ["load_result"]


def load_result(
    path: str | os.PathLike[str], neuron: Neuron | None = None, *, second_reader: bool = False
) -> Waveforms:
    """Load waveforms from a netCDF file of ours, or from an ngspice raw file.

    Parameters
    ----------
    path : path-like
        ``.nc`` or ``.raw``.
    neuron : Neuron, optional
        What a raw file is of; its nodes must be named as in our netlists.
    second_reader : bool
        Read a raw file with the package ``ltspice`` as well, and fail on any difference.

    Returns
    -------
    Waveforms

    Raises
    ------
    WaveformError
        If the file cannot be loaded, or it is a raw file and the neuron or a vector is missing.
    RawFileError
        If a raw file is damaged, or the two readers differ.
    """
    path = Path(path)
    if path.suffix.lower() != ".raw":
        return load_waveforms(path)
    if neuron is None:
        raise WaveformError(
            f"{ascii(str(path))} is a raw file, which does not say which neuron it is of; give the "
            "neuron (--neuron FILE)."
        )
    plots = transients(path)
    if not plots:
        raise WaveformError(
            f"{ascii(str(path))} holds no transient analysis; give a file that does."
        )
    if second_reader:
        cross_check(path, plots[-1])
    netlist = build_netlist(neuron)
    attrs = provenance(netlist, "raw file", plots[-1].title)
    waveforms, missing = waveforms_from(plots[-1].columns(), netlist, attrs)
    if waveforms is None:
        raise WaveformError(f"{ascii(str(path))} holds no time points; run the simulation again.")
    if "spike" not in waveforms or "v_mem" not in waveforms:
        raise WaveformError(
            f"{ascii(str(path))} lacks {', '.join(missing)}; save these vectors in the simulation."
        )
    return waveforms
