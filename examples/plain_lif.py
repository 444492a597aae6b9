"""A plain LIF neuron against its closed form: a resistor as leak, constant current.

With v_rest = v_reset = 0 and no series resistor the interval of the ideal neuron is
t_ref + R C ln(I R / (I R - V_th)). The circuit starts each interval at v_low instead of 0 and
needs time to discharge, so its intervals differ; the closed form for a start at v_low is given
as well.
"""

import math

import numpy as np

from spicealif import load_preset, simulate, solve_reference


def main(t_stop: float = 5e-3) -> dict[str, float]:
    """Return and print the intervals in s."""
    neuron = load_preset("lif").replace(t_stop=t_stop)
    r, c, i = neuron.leak.r, neuron.c, neuron.stimulus.amplitude
    circuit = simulate(neuron).require()
    schmitt = solve_reference(neuron.ideal(), "schmitt")
    ideal_circuit = simulate(neuron.ideal()).require()
    intervals = {
        "closed form": neuron.t_ref + r * c * math.log(i * r / (i * r - neuron.v_th)),
        "reference (ideal)": np.diff(solve_reference(neuron, "ideal").t_spike).mean(),
        "closed form from v_low": r * c * math.log((i * r - neuron.v_low) / (i * r - neuron.v_th)),
        "reference (schmitt)": np.diff(schmitt.t_spike)[1:].mean(),
        "circuit, ideal parts": np.diff(ideal_circuit.t_spike)[1:].mean(),
        "circuit, real parts": np.diff(circuit.t_spike)[1:].mean(),
    }
    for name, value in intervals.items():
        print(f"{name:24s} {value * 1e6:9.4f} us")
    return {name: float(value) for name, value in intervals.items()}


if __name__ == "__main__":
    main()
