"""Fits of large records: how long they take, and whether means of neighbours bend anything.

1. Times: an MMS device at 1 kHz behind 5 kohm, 1 % of noise, 200 to 1 million samples, one and 100
   periods, read from a file and fitted; beside it the fit of every k-th row of the same file, in
   whose intervals the values must lie.
2. Statistics: random MMS devices, solved by SciPy, with 1 % of noise. How often the 95 % intervals
   of the fit hold the truth, how wide they are, and the same for the whole record without means and
   for every k-th sample, for steady states and for single shots of pulses.

    python benchmarks/fit_large.py [DEVICES] [SAMPLES]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from fit_recovery import random_device, solved
from scipy.integrate import solve_ivp
from scipy.special import expit

from spicealif.design import Memristor
from spicealif.design._shared import thermal_voltage
from spicealif.fit import Loop, _problem, fit_device, read_loop

_DEVICE = Memristor(r_on=3400, r_off=29000, v_on=0.33, v_off=0.2, tau=4.5e-5)
_NAMES = ("r_on", "r_off", "v_on", "v_off", "tau")
_PROCESS = """
import time; begin = time.perf_counter()
from spicealif.fit import fit_device, read_loop
loop = read_loop({path!r}, series_resistor=5000)
read = time.perf_counter()
result = fit_device(loop)
print(read - begin, time.perf_counter() - begin, time.process_time())
"""


def times(samples: int, periods: int) -> None:
    """Print how long a new process takes for a file, and where the values lie."""
    (_, *clean) = solved(_DEVICE, 5000, 0.8, 20_000)
    t = np.arange(samples) / samples * periods
    rng = np.random.default_rng(1)
    columns = [
        np.interp(t % 1, np.arange(20_001) / 20_000, np.append(y, y[0]))
        + 0.01 * np.abs(y).max() * rng.standard_normal(samples)
        for y in clean
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        rows = np.column_stack([t * 1e-3, *columns])
        head = "time_s,v_in_V,v_mem_V,i_A"
        np.savetxt(path, rows, delimiter=",", header=head, comments="", fmt="%.9g")
        out = subprocess.run(
            [sys.executable, "-c", _PROCESS.format(path=str(path))],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        (read, whole, cpu) = (float(x) for x in out.stdout.split())
        loop = read_loop(path, series_resistor=5000)
        result = fit_device(loop)
        lines = path.read_text().splitlines()
        # Odd, since every hundredth row of a hundred periods would be ten phases only.
        step = max(samples // 1000, 1) | 3
        path.write_text("\n".join([lines[0], *lines[1::step]]) + "\n")
        few = fit_device(read_loop(path, series_resistor=5000, frequency=1000))
    inside = [few.interval(n)[0] <= result.value(n) <= few.interval(n)[1] for n in _NAMES]
    off = [result.value(n) / getattr(_DEVICE, n) - 1 for n in _NAMES]
    half = [np.ptp(result.interval(n)) / 2 / result.value(n) for n in _NAMES]
    print(
        f"{samples} rows of {periods} periods: {whole:.1f} s in all, read and checked in "
        f"{read:.1f} s, {cpu:.1f} s of CPU; {len(result.loops[0].loop.time)} means; "
        f"{sum(inside)} of 5 within the intervals of every {step}th row's fit"
    )
    for name, d, h in zip(_NAMES, off, half, strict=True):
        print(f"    {name:6} off by {d:+.3%}, interval +-{h:.3%}", flush=True)


def pulsed(device: Memristor, r_s: float, amplitude: float, samples: int) -> tuple:
    """Return time, v_in, v_mem and i of a single shot of pulses both ways, by SciPy."""
    v_t = thermal_voltage(298.5)
    t = np.arange(samples) * 3e-3 / samples
    edge = 3e-3 / samples

    def source(at):
        ends = np.arange(0.1e-3, 3e-3, 0.25e-3)
        levels = amplitude * np.array([0, 1, 0, -1, 0, 0.7, 0, -0.5, 0, 1, 0, -1, 0])
        out = np.full_like(np.asarray(at, float), levels[0])
        for end, low, high in zip(ends, levels, levels[1:], strict=False):
            out = out + (high - low) * np.clip((at - end) / edge, 0, 1)
        return out

    def conductance(x):
        return x / device.r_on + (1 - x) / device.r_off

    def rate(at, x):
        v = source(at) / (1 + r_s * conductance(x))
        s_on, p_off = expit((v - device.v_on) / v_t), expit(-(v + device.v_off) / v_t)
        return (s_on * (1 - x) - p_off * x) / device.tau

    x = solve_ivp(rate, (0, t[-1]), [0.3], "LSODA", t, rtol=1e-9, atol=1e-12, max_step=1e-5).y[0]
    v = source(t) / (1 + r_s * conductance(x))
    return t, source(t), v, v * conductance(x)


def statistics(devices: int, samples: int, steady: bool) -> None:
    """Print coverage and width of intervals with means, without, and of picked samples."""
    rng = np.random.default_rng(5)
    kinds = ("means", "picked", "all")
    held: dict[str, list[list[bool]]] = {kind: [] for kind in kinds}
    width: dict[str, list[list[float]]] = {kind: [] for kind in kinds}
    error: dict[str, list[list[float]]] = {kind: [] for kind in kinds}
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    for k in range(devices):
        (device, r_s, amplitude) = random_device(rng)
        make = solved if steady else pulsed
        (t, *clean) = make(device, r_s, amplitude, samples)
        u, v, i = (y + 0.01 * np.abs(y).max() * rng.standard_normal(samples) for y in clean)
        loop = Loop(t, v, i, u, r_s, 1e-3 if steady else None)
        every = slice(None, None, samples // 400)
        few = Loop(t[every], v[every], i[every], u[every], r_s, loop.period)
        usual = _problem._USUAL, _problem._MOST
        for kind, record in (("means", loop), ("picked", few), ("all", loop)):
            if kind == "all" and k >= devices // 3:
                continue  # they take long
            (_problem._USUAL, _problem._MOST) = usual if kind == "means" else (10**9, 10**9)
            begin = time.process_time()
            result = fit_device(record, seed=k)
            took[kind].append(time.process_time() - begin)
            (_problem._USUAL, _problem._MOST) = usual
            ends = [result.interval(name) for name in _NAMES]
            truth = [getattr(device, name) for name in _NAMES]
            held[kind].append([a <= x <= b for (a, b), x in zip(ends, truth, strict=True)])
            width[kind].append([(b - a) / 2 / x for (a, b), x in zip(ends, truth, strict=True)])
            error[kind].append(
                [abs(result.value(n) / x - 1) for n, x in zip(_NAMES, truth, strict=True)]
            )
        print(f"\r{k + 1} of {devices}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    what = "a steady state" if steady else "a single shot of pulses"
    print(f"{devices} devices, {samples} samples of {what}, 1 % noise")
    for kind in kinds:
        if held[kind]:
            widths = ", ".join(f"{w:.3%}" for w in np.median(width[kind], axis=0))
            errors = ", ".join(f"{w:.3%}" for w in np.median(error[kind], axis=0))
            print(
                f"  {kind:7} covered {np.mean(held[kind]):.1%} of {np.size(held[kind])}; median "
                f"half-widths {widths}; errors {errors}; {np.median(took[kind]):.1f} s of CPU",
                flush=True,
            )


def main(devices: int = 40, samples: int = 20_000) -> None:
    for count, periods in ((200, 1), (10_000, 1), (100_000, 100), (1_000_000, 100)):
        times(count, periods)
    statistics(devices, samples, steady=True)
    statistics(devices, samples, steady=False)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:3]))
