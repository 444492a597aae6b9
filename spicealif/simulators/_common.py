"""What the runners of ngspice share."""

from __future__ import annotations

import tempfile

from spicealif.design import dump_toml
from spicealif.errors import SimulatorError
from spicealif.netlist import Netlist

__all__ = ["check_timeout", "private_folder", "provenance"]


def check_timeout(timeout: float | None) -> None:
    """Raise `SimulatorError` unless `timeout` is None or positive."""
    if timeout is not None and not timeout > 0:
        raise SimulatorError(f"The timeout is {timeout:g} s; give a positive number of seconds.")


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a new temporary folder, or raise `SimulatorError`."""
    try:
        # A file still open in it must not turn a good run into an error.
        return tempfile.TemporaryDirectory(prefix="spicealif-", ignore_cleanup_errors=True)
    except OSError as error:
        raise SimulatorError(
            f"A temporary folder cannot be made ({error.strerror}); free some space, or set TMPDIR "
            "to a folder that can be written to."
        ) from None


def provenance(netlist: Netlist, simulator: str, version: str) -> dict[str, str | float | int]:
    """Return where a circuit's waveforms came from, for their ``attrs``."""
    neuron = netlist.neuron
    return {
        "side": "circuit",
        "simulator": simulator,
        "version": version,
        "netlist_digest": netlist.digest,
        "design_digest": neuron.digest,
        "neuron": neuron.name,
        "design": dump_toml(neuron),
        "t_stop": neuron.t_stop,
    }
