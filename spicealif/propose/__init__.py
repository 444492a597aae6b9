"""Design helper: a neuron around a given device, for a wanted initial rate and adaptation."""

from spicealif.propose.neuron import propose_neuron
from spicealif.propose.result import Proposal

__all__ = ["Proposal", "propose_neuron"]
