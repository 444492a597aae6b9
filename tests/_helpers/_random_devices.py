"""Series circuits of random devices, for any memristor model: around its example."""

from __future__ import annotations

import math

import numpy as np

from spicealif import SeriesCircuit, solve_series
from spicealif.design import MemristorModel, PulseTrain, Sine, Stimulus
from spicealif.errors import DesignError

__all__ = ["moving_period", "random_circuit", "random_device"]


def random_device(model: type[MemristorModel], rng: np.random.Generator) -> MemristorModel:
    """Return a device whose parameters are within a factor of 3.2 of the example's."""
    while True:
        values = {name: v * 10 ** rng.uniform(-0.5, 0.5) for name, v in model.example.items()}
        values["x_0"] = rng.uniform()
        try:
            return model(**values)
        except DesignError:  # r_on above r_off, for one
            continue


def moving_period(device: MemristorModel, peak: float) -> float:
    """Return a period in s in which a sine of that peak (V) moves x by more than 0.2.

    The shortest of the device's time and its doublings; infinity if there is none, as below
    thresholds.
    """
    period = device.time_scale(peak)
    for _ in range(12 if math.isfinite(period) else 0):
        drive = Sine(amplitude=peak, frequency=1 / period)
        circuit = SeriesCircuit(device=device, r_s=10.0, drive=drive, t_stop=period)
        if np.ptp(solve_series(circuit, stride=50)["x"]) > 0.2:
            return period
        period *= 2
    return math.inf


def random_circuit(
    model: type[MemristorModel], rng: np.random.Generator, drive: str
) -> SeriesCircuit:
    """Return one period of a drive, "sine" or "pulse", in which x moves little or to its end."""
    period = math.inf
    while period == math.inf:
        device, peak = random_device(model, rng), rng.uniform(0.3, 1.2)
        period = moving_period(device, peak)
    period *= 10 ** rng.uniform(-0.3, 1.3)
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
