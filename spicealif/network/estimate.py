"""What solving a network will take, about, before it starts.

The figures were measured on one machine, on neurons that fire seven times a millisecond: a ring of
64, and 50 neurons with 5 and with 20 synapses each, of diodes and resistors. Others, weakly coupled
ones above all, may take a quarter of it, and neurons that fire more often several times as much.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from spicealif.network._checks import synapse_count
from spicealif.network.description import Network

__all__ = ["NetworkEstimate", "estimate_network"]

#: Seconds of CPU of the circuit side for each second of circuit time, at a relative tolerance of
#: 1e-6: of a neuron; of a synapse, and with how many of them at a neuron that doubles, since they
#: make windows shorter and sweeps more. A step goes with the power of the tolerance below.
_NEURON, _SYNAPSE, _DOUBLED, _ORDER = 91.0, 24.0, 5.0, 0.1
#: The same of the reference.
_REFERENCE, _ARRIVING = 4.0, 1.0
#: Bytes of each neuron and of each synapse while a network is solved.
_PER_NEURON, _PER_SYNAPSE = 4e5, 1e3
#: Samples of a kept neuron for each second of circuit time, their bytes in memory (twice while
#: they are put together), and those of a spike train.
_SAMPLES, _PER_SAMPLE = 4e6, 2 * 88.0
#: Samples of the reference for each second, and their bytes.
_STEPS, _PER_STEP = 1e6, 2 * 32.0
#: Of all networks: Python, NumPy and the compiled kernels.
_ALWAYS = 2e8
_RTOL = 1e-6


@dataclass(frozen=True)
class NetworkEstimate:
    """What solving a network takes, about: within a factor of four, most often.

    Attributes
    ----------
    circuit, reference : float
        Seconds of CPU of each side.
    memory : float
        Bytes, what is kept included.
    """

    circuit: float
    reference: float
    memory: float

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU of both sides."""
        return self.circuit + self.reference

    def __mul__(self, times: float) -> NetworkEstimate:
        return NetworkEstimate(self.circuit * times, self.reference * times, self.memory)


def estimate_network(
    network: Network,
    *,
    sides: Collection[str] = ("equations", "reference"),
    rtol: float = _RTOL,
    kept: int = 0,
) -> NetworkEstimate:
    """Estimate what solving a network takes.

    Parameters
    ----------
    network : Network
    sides : collection of {"equations", "reference"}
    rtol : float
        Relative tolerance of the circuit side.
    kept : int
        Neurons whose traces are kept.

    Returns
    -------
    NetworkEstimate
    """
    n, t = network.n_neurons, network.t_stop
    m = sum(synapse_count(network.population, p) for p in network.projections)
    circuit = reference = 0.0
    memory = _ALWAYS + n * _PER_NEURON + m * _PER_SYNAPSE
    if "equations" in sides:
        each = _SYNAPSE * (1 + m / n / _DOUBLED)
        circuit = t * (n * _NEURON + m * each) * (_RTOL / rtol) ** _ORDER
        memory += kept * t * _SAMPLES * _PER_SAMPLE * (_RTOL / rtol) ** _ORDER
    if "reference" in sides:
        reference = t * (n * _REFERENCE + m * _ARRIVING)
        memory += kept * t * _STEPS * _PER_STEP
    return NetworkEstimate(circuit, reference, memory)
