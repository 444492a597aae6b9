"""Series circuits of random devices, for any memristor model: around its example."""

from __future__ import annotations

import math

import numpy as np

from spicealif import SeriesCircuit
from spicealif.design import MemristorModel, PulseTrain, Sine, Stimulus
from spicealif.errors import DesignError

__all__ = ["random_circuit", "random_device"]


def random_device(model: type[MemristorModel], rng: np.random.Generator) -> MemristorModel:
    """Return a device whose parameters are within a factor of 3.2 of the example's."""
    while True:
        values = {name: v * 10 ** rng.uniform(-0.5, 0.5) for name, v in model.example.items()}
        values["x_0"] = rng.uniform()
        try:
            return model(**values)
        except DesignError:  # r_on above r_off, for one
            continue


def random_circuit(
    model: type[MemristorModel], rng: np.random.Generator, drive: str
) -> SeriesCircuit:
    """Return one period of a drive, "sine" or "pulse", of half to 20 of the device's times."""
    while True:
        device, peak = random_device(model, rng), rng.uniform(0.3, 1.2)
        if math.isfinite(device.time_scale(peak)):
            break
    period = device.time_scale(peak) * 10 ** rng.uniform(-0.3, 1.3)
    return SeriesCircuit(
        device=device,
        r_s=10 ** rng.uniform(2, 4),
        drive=_drive(drive, peak, period, rng),
        t_stop=period,
    )


def _drive(kind: str, peak: float, period: float, rng: np.random.Generator) -> Stimulus:
    if kind == "sine":
        return Sine(amplitude=peak, frequency=1 / period)
    edges = period * 10 ** rng.uniform(-5, -1.3, 2)
    return PulseTrain(
        amplitude=2 * peak,
        offset=-peak,
        frequency=1 / period,
        duty=rng.uniform(0.2, 0.8),
        delay=0.05 * period,
        t_rise=edges[0],
        t_fall=edges[1],
    )
