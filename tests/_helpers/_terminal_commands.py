"""Every command of spicealif, short enough to be run to its end and long enough to be interrupted.

In an order in which each finds what it needs; `prepare` makes what no command makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["COMMANDS", "LONG", "Long", "prepare"]

_SHORT = ("-s", "t_stop=1m")
_SWEEP = ("--sides", "reference", "--store", "store", "--workers", "1")
_PAIR = ("pair", "--t-stop", "0.2m")
_RESISTANCES = "projections.0.resistance=0.2k,2k"

#: By name, the arguments of a run that takes a second or two.
COMMANDS: dict[str, tuple[str, ...]] = {
    "presets": ("presets",),
    "schema": ("schema",),
    "doctor": ("doctor",),
    "plugins": ("plugins",),
    "netlist": ("netlist", "paper", "--style", "parameters", "--subckt"),
    "schematic": ("schematic", "paper", "-o", "paper.asc"),
    "reference": ("reference", "paper", *_SHORT, "-o", "reference.nc"),
    "simulate": ("simulate", "paper", *_SHORT, "-o", "circuit.nc"),
    "compare": ("compare", "circuit.nc", "reference.nc", "--figure", "compare.png"),
    "run": ("run", "paper", *_SHORT, "-o", "results"),
    "report": ("report", "results", "-o", "report.html"),
    "verify": ("verify", "paper", *_SHORT, "--method", "rodas"),
    "explain": ("explain", "paper", *_SHORT, "--orders", "2", "-o", "budget"),
    "sweep": ("sweep", "paper", "--over", "leak.tau=1m:9m:4", *_SWEEP, *_SHORT, "-o", "sweep.nc"),
    "plot": ("plot", "sweep.nc", "-o", "sweep.pdf"),
    "export": ("export", "reference.nc", "--table", "spikes", "-o", "spikes.csv"),
    "cite": ("cite", "circuit.nc"),
    "completion": ("completion", "bash"),
    "store": ("store", "list", "--store", "store"),
    "fit": ("fit", "loop.csv", "--series-resistor", "5k", "-o", "device.toml"),
    "propose": ("propose", "w_sdc_5k_1khz_m2", "--rate", "5k", "--adaptation", "1.5"),
    "network run": ("network", "run", *_PAIR, "--keep", "all", "--out", "net"),
    "network netlist": ("network", "netlist", *_PAIR, "--neuron", "n_1"),
    "network verify": ("network", "verify", "net", "--neurons", "n_1"),
    "network compare": ("network", "compare", "net", "net"),
    "network sweep": ("network", "sweep", *_PAIR, "--vary", _RESISTANCES, "--out", "net-sweep"),
    "network presets": ("network", "presets", "pair"),
    "network schema": ("network", "schema"),
    "network export-nir": ("network", "export-nir", "pair", "-o", "pair.nir"),
    "learn": ("learn", "iris", "--methods", "alif,k-nn", "--seeds", "2", "--store", "store"),
    "learn-circuit": (
        *("learn-circuit", "iris", "--set", "bank.duration=0.5m", "--samples", "3"),
        *("--draws", "1", "--no-budget"),
    ),
    "network import-nir": ("network", "import-nir", "pair.nir", "-o", "pair.toml"),
}


@dataclass(frozen=True)
class Long:
    """A run that would take long, and when it is under way.

    Attributes
    ----------
    arguments : tuple of str
    begun : str
        What its progress line begins with.
    """

    arguments: tuple[str, ...]
    begun: str


_ENDLESS = ("-s", "t_stop=20")
#: Of the commands that ask whether to begin with it.
_YES = (*_ENDLESS, "--yes")

#: By name, runs to be interrupted.
LONG: dict[str, Long] = {
    "reference": Long(("reference", "paper", *_ENDLESS, "-o", "never.nc"), "RK4"),
    "simulate": Long(("simulate", "paper", *_YES, "-o", "never.nc"), "ngspice"),
    "simulate by program": Long(
        ("simulate", "paper", *_YES, "--simulator", "ngspice-batch", "-o", "never.nc"),
        "ngspice-batch",
    ),
    "compare": Long(("compare", "circuit.nc", "--neuron", "never.toml"), ""),
    "run": Long(("run", "paper", *_YES, "-o", "never"), "ngspice"),
    "verify": Long(("verify", "paper", *_YES), "ngspice"),
    "explain": Long(("explain", "paper", *_ENDLESS, "-o", "never"), "all sets"),
    "fit": Long(("fit", "loop.csv", "--series-resistor", "5k", "-o", "never.toml"), "fitting"),
    "propose": Long(
        ("propose", "w_sdc_5k_1khz_m2", "--rate", "50", "--adaptation", "1.01", "-o", "never.toml"),
        "searching",
    ),
    "sweep": Long(
        ("sweep", "paper", "--over", "leak.tau=1m:9m:400", *_SWEEP, *_ENDLESS, "-o", "never.nc"),
        "paper",
    ),
    "learn": Long(
        ("learn", "digits", "--methods", "mlp", "--store", "store", "--workers", "1"), "digits"
    ),
    "network run": Long(
        ("network", "run", "ring", "--t-stop", "20", "--yes", "--out", "never"), "ring"
    ),
    "network sweep": Long(
        (
            "network",
            "sweep",
            "ring",
            "--t-stop",
            "20",
            "--vary",
            _RESISTANCES,
            "--yes",
            "--out",
            "never",
        ),
        "ring",
    ),
}
# Nothing to see of it and soon over: tried at random times only, see scripts/terminal_check.py.
del LONG["compare"]


def prepare(folder: Path) -> None:
    """Write a measured loop: a resistor that falls with its charge, behind 5 kohm."""
    t = np.arange(200) * 1e-5
    v_in = 0.8 * np.sin(2 * np.pi * 1e3 * t)
    x = 0.5 * (1 - np.cos(2 * np.pi * 1e3 * t))
    r = 1 / (x / 4e3 + (1 - x) / 40e3)
    i = v_in / (r + 5e3)
    rows = [f"{a:.6e},{b:.6e},{c:.6e}" for a, b, c in zip(t, i * r, i, strict=True)]
    (folder / "loop.csv").write_text("\n".join(["t [s],v_mem [V],i [A]", *rows, ""]))
