"""From a measured loop to a neuron with that device in it.

Fits the MMS model to a loop, proposes a neuron around the device for an initial rate and an
adaptation, runs it as circuit and as reference, and compares the two.

Usage: python from_device_to_neuron.py [LOOP.csv] [--series-resistor 5k] [--rate 5k]
       [--adaptation 2] [--output FOLDER]

Without a loop it takes the measured one beside the project (../shared/measured), and if that is not
there a synthetic one, made from a device preset with 1 % of noise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from spicealif import Comparison, cosimulate
from spicealif.design import SeriesCircuit, Sine, load_device
from spicealif.fit import Loop, fit_device, read_loop
from spicealif.fit.figures import loop_figure
from spicealif.plots import overlay_figure, save_figure
from spicealif.propose import propose_neuron
from spicealif.reference.series.solve import solve_series

MEASURED = Path(__file__).parents[3] / "shared/measured/w_sdc/5k_0.8V_1000Hz_M2.csv"


def synthetic_loop() -> Loop:
    """Return a loop like the measured one: a known device, solved, with noise."""
    device = load_device("w_sdc_5k_1khz_m2").device
    circuit = SeriesCircuit(
        device=device, r_s=5000, drive=Sine(amplitude=0.8, frequency=1e3), t_stop=10e-3
    )
    trace = solve_series(circuit)
    time = np.arange(200) * 5e-6
    rng = np.random.default_rng(1)
    v_mem, i, v_in = (
        np.interp(9e-3 + time, trace.time, y) + 0.01 * np.abs(y).max() * rng.standard_normal(200)
        for y in (trace["v_mem"], trace["i_mem"], trace["v_in"])
    )
    return Loop(time, v_mem, i, v_in, 5000.0, 1e-3, "synthetic")


def main(argv: list[str] | None = None) -> Comparison | None:
    """Fit, propose, run, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("loop", nargs="?", type=Path)
    parser.add_argument("--series-resistor", default="5k")
    parser.add_argument("--rate", default="5k")
    parser.add_argument("--adaptation", type=float, default=2.0)
    parser.add_argument("--output", type=Path, default=Path("device-to-neuron-results"))
    arguments = parser.parse_args(argv)

    path = arguments.loop or (MEASURED if MEASURED.exists() else None)
    if path is None:
        print("No loop was given, and none lies beside the project: a synthetic one is fitted.\n")
        loop = synthetic_loop()
    else:
        loop = read_loop(path, series_resistor=arguments.series_resistor)

    # 1. The device
    fit = fit_device(loop)
    print(fit)
    arguments.output.mkdir(parents=True, exist_ok=True)
    preset = fit.save_preset(arguments.output / "device.toml")
    save_figure(loop_figure(fit), arguments.output / "loop.png")

    # 2. A neuron for it. The preset knows the loop's amplitude, beyond which v_th may not go.
    proposal = propose_neuron(preset, rate=arguments.rate, adaptation=arguments.adaptation)
    print()
    print(proposal)

    # 3. Circuit and reference
    result = cosimulate(proposal.neuron)
    print()
    print(result.comparison)
    result.save(arguments.output)
    if result.comparison is not None:
        save_figure(overlay_figure(result.comparison), arguments.output / "overlay.png")
    print(f"\nWrote {arguments.output}")
    return result.comparison


if __name__ == "__main__":
    main()
