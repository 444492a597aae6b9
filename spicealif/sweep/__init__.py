"""Experiments of many points: sweeps and Monte Carlo."""
