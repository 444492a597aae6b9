"""A run whose buffers are full goes on, wherever they end."""

import numpy as np
import pytest

from spicealif import load_preset
from spicealif.circuit import solve, solve_circuit


@pytest.mark.parametrize("rows", range(60, 65))
def test_the_end_of_a_buffer_is_no_end_of_a_run(monkeypatch, rows):
    neuron = load_preset("paper").replace(t_stop="80u")
    whole = solve_circuit(neuron)
    monkeypatch.setattr(solve, "_FIRST_ROWS", rows)
    parted = solve_circuit(neuron)
    assert np.array_equal(parted.t_spike, whole.t_spike)
    thinned = solve_circuit(neuron, interpolation_error=1e-4)
    assert np.array_equal(thinned.t_spike, whole.t_spike)
