"""A neuron with parameters of your own, read from ``my_neuron.toml``.

The same from the command line: ``spicealif run examples/my_neuron.toml``.
"""

from pathlib import Path

from spicealif import Comparison, cosimulate, load_toml


def main(t_stop: float | None = None) -> Comparison:
    """Run the neuron of the TOML file next to this script and print the comparison."""
    neuron = load_toml(Path(__file__).with_name("my_neuron.toml"))
    if t_stop is not None:
        neuron = neuron.replace(t_stop=t_stop)
    network = neuron.network
    print(
        f"hysteresis network: r_a {network.r_a:g} ohm, r_b {network.r_b:g} ohm, "
        f"v_ref {network.v_ref:.4f} V"
    )
    result = cosimulate(neuron, "ngspice-batch")
    result.run.require()
    print(result.comparison)
    return result.comparison


if __name__ == "__main__":
    main()
