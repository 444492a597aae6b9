"""Make the device presets in models/devices from the measured W-SDC loops beside the project.

    python scripts/fit_presets.py [FOLDER]

FOLDER holds index.csv and the loops (default: ../shared/measured). A fit that is not within a loss
of 0.005 is not made a preset.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from spicealif.fit import fit_device, read_loop

_ROOT = Path(__file__).resolve().parents[1]
_SOURCE = (
    "Loops: Knowm Memristor Discovery from Knowm Inc (github.com/knowm/memristor-discovery, "
    "data/, commit 9e01a9b, GPL-3.0), tungsten-doped SDC array, device {device}. Fit: scripts/"
    "fit_presets.py. Device voltages beyond this loop's are extrapolated."
)
_MAX_LOSS = 0.005


def main(folder: Path) -> None:
    """Fit the loops of a folder."""
    target = _ROOT / "models" / "devices"
    target.mkdir(exist_ok=True)
    with (folder / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if float(row["series_resistor_ohm"]) != 5000 or float(row["amplitude_V"]) != 0.8:
            continue
        loop = read_loop(
            folder / row["file"],
            series_resistor=float(row["series_resistor_ohm"]),
            frequency=float(row["frequency_Hz"]),
        )
        result = fit_device(loop)
        hertz = f"{float(row['frequency_Hz']):.0f}hz".replace("1000hz", "1khz")
        name = f"w_sdc_5k_{hertz}_{row['device'].lower()}"
        print(f"{name}: loss {result.loss:.5f}")
        if result.loss > _MAX_LOSS:
            continue
        result.save_preset(
            target / f"{name}.toml",
            name,
            description=f"W-SDC memristor {row['device']} at {row['frequency_Hz']} Hz, 0.8 V "
            "through 5 kohm, MMS model. Holds near this drive only: tau of other frequencies "
            "differs by orders of magnitude.",
            source=_SOURCE.format(device=row["device"]),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else _ROOT.parent / "shared" / "measured")
