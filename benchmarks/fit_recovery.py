"""Whether fits find the parameters that made the loops, and how often intervals hold them.

Random MMS devices behind a series resistor, driven by a sine, are solved by SciPy (none of this
project's kernels), in the steady state. White noise of 1 % of each signal's amplitude is added to
the source's voltage, the device's voltage and the current, and the loops are fitted. For every
parameter the table says how often the fit is within 2 % of the truth, among all devices and among
those for which the fit itself says so (95 % interval within +-2 %), and how often the interval
holds the truth.

    python benchmarks/fit_recovery.py [DEVICES] [POINTS] [NOISE]
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import expit

from spicealif.design import Memristor
from spicealif.design._shared import thermal_voltage
from spicealif.fit import Loop, fit_device

_PERIOD = 1e-3
_NAMES = ("r_on", "r_off", "v_on", "v_off", "tau")


def random_device(rng: np.random.Generator) -> tuple[Memristor, float, float]:
    """Return a device that its loop can tell, the series resistor and the drive's amplitude."""

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    r_on = log_uniform(500, 5000)
    device = Memristor(
        r_on=r_on,
        r_off=r_on * log_uniform(4, 20),
        v_on=rng.uniform(0.2, 0.35),
        v_off=rng.uniform(0.05, 0.3),
        tau=_PERIOD * log_uniform(0.02, 0.1),
    )
    return device, r_on * log_uniform(0.5, 2), rng.uniform(0.8, 1.2)


def solved(
    device: Memristor, r_s: float, amplitude: float, points: int
) -> tuple[npt.NDArray[np.float64], ...]:
    """Return time, v_in, v_mem and i of the steady state, by SciPy."""
    v_t = thermal_voltage(298.5)

    def conductance(x):
        return x / device.r_on + (1 - x) / device.r_off

    def source(t):
        return amplitude * np.sin(2 * np.pi * t / _PERIOD + 0.7)

    def rate(t, x):
        v = source(t) / (1 + r_s * conductance(x))
        s_on, p_off = expit((v - device.v_on) / v_t), expit(-(v + device.v_off) / v_t)
        return (s_on * (1 - x) - p_off * x) / device.tau

    def run(x_0, t):
        return solve_ivp(rate, (0, _PERIOD), [x_0], "LSODA", t, rtol=1e-9, atol=1e-12).y[0]

    x_0 = brentq(lambda x: run(x, [_PERIOD])[-1] - x, 0, 1, xtol=1e-10)
    t = np.arange(points) * _PERIOD / points
    x = run(x_0, t)
    v = source(t) / (1 + r_s * conductance(x))
    return t, source(t), v, v * conductance(x)


def noisy_loop(
    rng: np.random.Generator, device: Memristor, r_s: float, amplitude: float, points: int,
    noise: float,
) -> Loop:  # fmt: skip
    """Return a loop with white noise of `noise` times each signal's amplitude."""
    t, *clean = solved(device, r_s, amplitude, points)
    v_in, v_mem, i = (y + noise * np.abs(y).max() * rng.standard_normal(points) for y in clean)
    return Loop(t, v_mem, i, v_in, r_s, _PERIOD)


def main(devices: int = 100, points: int = 1000, noise: float = 0.01) -> None:
    rng = np.random.default_rng(20251)
    off, within, covered, said, good_when_said = ([] for _ in range(5))
    for k in range(devices):
        device, r_s, amplitude = random_device(rng)
        result = fit_device(noisy_loop(rng, device, r_s, amplitude, points, noise), seed=k)
        truth = np.array([getattr(device, name) for name in _NAMES])
        order = [result.names.index(name) for name in _NAMES]
        values, ends = result.values[order], result.intervals[order]
        error = np.abs(values / truth - 1)
        off.append(error)
        within.append(error <= 0.02)
        covered.append((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
        said.append(np.max(np.abs(ends / values[:, None] - 1), axis=1) <= 0.02)
        good_when_said.append(within[-1][said[-1]].tolist())
        print(f"\r{k + 1} of {devices}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{devices} devices, {points} points a loop, {noise:.1%} noise on v_in, v_mem and i")
    print("parameter  median error  95 % error  within 2 %  said to be within 2 %  covered (95 %)")
    for k, name in enumerate(_NAMES):
        e = np.array(off)[:, k]
        print(
            f"{name:9}  {np.median(e):12.2%}  {np.quantile(e, 0.95):10.2%}"
            f"  {np.mean(np.array(within)[:, k]):10.0%}  {np.mean(np.array(said)[:, k]):21.0%}"
            f"  {np.mean(np.array(covered)[:, k]):14.1%}"
        )
    flat = [good for each in good_when_said for good in each]
    print(f"of {len(flat)} values said to be within 2 %, {sum(flat)} are")
    print(f"covered in all: {np.mean(covered):.1%} of {np.size(covered)}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*(int(a) for a in arguments[:2]), *(float(a) for a in arguments[2:]))
