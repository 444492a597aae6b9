"""The same neuron without its adaptation: what a stage is compared with."""

from __future__ import annotations

from spicealif.design import Neuron, Resistor

__all__ = ["without_adaptation"]


def without_adaptation(neuron: Neuron) -> Neuron:
    """Return a neuron whose memristor is exchanged for the resistor that it is at the start.

    Everything else is equal, so that whatever differs comes from the state's movement.

    Parameters
    ----------
    neuron : Neuron

    Returns
    -------
    Neuron
        With a resistor as leak: the memristor's resistance at half the threshold voltage (of
        models whose resistance depends on it) and its initial state ``x_0``. A neuron that has a
        resistor already is returned as it is.

    Examples
    --------
    >>> without_adaptation(load_preset("paper")).leak.r
    1500.0
    """
    leak = neuron.leak
    if isinstance(leak, Resistor):
        return neuron
    r = float(leak.resistance(0.5 * neuron.v_th, leak.x_0))
    return neuron.replace({"leak": {"kind": "resistor", "r": r}})
