"""SPICE netlists and co-simulation of the memristor-based adaptive LIF neuron."""
