"""The paper's run: its neuron as a circuit in ngspice and as differential equations by RK4.

Run it with ``python examples/paper.py``; it writes into the folder ``paper-results``.
"""

from pathlib import Path

from spicealif import cosimulate, load_preset
from spicealif.plots import circuit_figure, overlay_figure, reference_figure, save_figure


def main(folder: Path = Path("paper-results"), t_stop: float = 50e-3) -> None:
    """Run, print the comparison, write results and the figures of the paper's layout."""
    neuron = load_preset("paper").replace(t_stop=t_stop)
    result = cosimulate(neuron)
    circuit = result.run.require()  # an error with the reason if the run is not complete
    print(result.comparison)

    result.save(folder)
    save_figure(reference_figure(result.reference, neuron), folder / "fig5.png")
    save_figure(circuit_figure(circuit, neuron), folder / "fig6.png")
    save_figure(overlay_figure(result.comparison), folder / "overlay.png")

    # The traces are an xarray.Dataset; this is the state when the stimulus has just ended.
    x = result.run.waveforms.dataset.x
    print(
        f"x at the end: {float(x[-1]):.4f} (circuit), {result.reference['x'][-1]:.4f} (reference)"
    )


if __name__ == "__main__":
    main()
