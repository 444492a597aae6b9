"""The estimate of an output's pulse, against the circuit's own equations."""

from __future__ import annotations

import numpy as np
import pytest

from spicealif.circuit import solve_circuit
from spicealif.design import Constant, load_preset
from spicealif.network import nominal_pulse


def solved(neuron):
    """Return height and mean duration at half the height of the circuit's output pulses."""
    wave = solve_circuit(neuron)
    t, v = wave.time, wave["spike"]
    low, high = neuron.output_levels[0], v.max()
    middle = (low + high) / 2
    up = np.flatnonzero((v[:-1] < middle) & (v[1:] >= middle))
    down = np.flatnonzero((v[:-1] >= middle) & (v[1:] < middle))
    rise, fall = (
        t[k] + (middle - v[k]) / (v[k + 1] - v[k]) * (t[k + 1] - t[k]) for k in (up, down)
    )
    n = min(len(rise), len(fall))
    assert n >= 3
    return high - low, float(np.mean(fall[:n] - rise[:n]))


@pytest.mark.parametrize("preset", ["paper", "lif"])
@pytest.mark.parametrize("ideal", [True, False])
@pytest.mark.parametrize("changes", [{}, {"c": 220e-9, "v_low": 0.1}])
def test_it_is_the_circuits_within_what_its_docstring_says(preset, ideal, changes):
    neuron = load_preset(preset).replace(
        {**changes, "stimulus": Constant(amplitude=0.6e-3), "t_stop": 1.5e-3}
    )
    neuron = neuron.ideal() if ideal else neuron
    height, duration = solved(neuron)
    pulse = nominal_pulse(neuron)
    assert pulse.swing == pytest.approx(height, rel=0.005)
    longer = duration / pulse.t_pulse - 1
    assert 0 < longer < (0.025 if ideal else 0.09)


def test_it_grows_with_the_capacitor_and_the_hysteresis():
    paper = load_preset("paper").ideal()
    base = nominal_pulse(paper).t_pulse
    twice = nominal_pulse(paper.replace(c=200e-9)).t_pulse
    on, off = paper.switch_delays
    assert (twice - (off - on)) / (base - (off - on)) == pytest.approx(2, rel=1e-9)
    assert nominal_pulse(paper.replace(v_low=0.1)).t_pulse < base
