"""The charge that one spike moves through a synapse, for formats that know nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spicealif.network.expanded import Expanded, Synapses, pulses
from spicealif.network.synapses import CrossbarSynapse, CurrentSynapse, DiodeSynapse
from spicealif.network.synapses._device import device_conductances

__all__ = ["spike_charges"]

_Floats = NDArray[np.float64]
#: A conducting diode's voltage in V.
_V_DIODE = 0.6


def spike_charges(expanded: Expanded, synapses: Synapses) -> tuple[_Floats, list[str]]:
    """Return the charge in C that a presynaptic spike moves, signed, and what that leaves out.

    Of a ``current`` synapse it is ``g_m`` times the pulse's area, without saturation; of the
    others the current at the height of the pulse times its duration (`nominal_pulse`), into a
    capacitor halfway between rest and threshold.

    Parameters
    ----------
    expanded : Expanded
    synapses : Synapses

    Returns
    -------
    charges : ndarray
    lost : list of str
        Without a full stop.
    """
    synapse = synapses.synapse
    swing, t_pulse = pulses(expanded, synapses.pre)
    if isinstance(synapse, CurrentSynapse):
        g_m = synapses.values.get("g_m", np.full(len(swing), synapse.g_m))
        return synapse.sign * g_m * swing * t_pulse, [
            "The low-pass tau_s, the saturation i_max and the load of current synapses"
        ]
    thresholds = np.array([n.v_rest + 0.5 * n.v_th for n in expanded.neurons])
    height = swing - thresholds[synapses.post] - _V_DIODE
    if isinstance(synapse, DiodeSynapse):
        r = synapses.values.get("r", np.full(len(swing), synapse.r))
        return np.maximum(height, 0.0) / r * t_pulse, [
            "The dependence of diode synapses' current on the target's voltage, and their load"
        ]
    device = synapse.memristor
    if device is None:
        return np.zeros(len(swing)), [
            f"The synapses of kind {synapse.kind}, whose charge is not known; their weights are 0"
        ]
    x_0 = synapses.values.get("device.x_0", np.full(len(swing), device.x_0))
    conductance = device_conductances(device, x_0)
    lost = ["The memristors' plasticity and non-linearity: their conductance at x_0 is given"]
    if isinstance(synapse, CrossbarSynapse):
        return synapse.sign * synapse.gain * conductance * swing * t_pulse, lost
    return conductance * np.maximum(height, 0.0) * t_pulse, lost
