"""Time the reference kernel side by side with the same algorithm in C, and with SciPy.

Then the same neuron with what is not built into the kernel: the same device by function pointers,
the other models, and metastable switches drawn one by one.

Run ``python benchmarks/reference_kernel.py`` (needs gcc and SciPy). The work is the run of the
paper: 50 ms, 223 spikes, ``ideal`` variant. All times are CPU times of this process.
"""

from __future__ import annotations

import ctypes
import math
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from spicealif.design import GMMS, VTEAM, Memristor, MemristorModel, StimulusPieces, Yakopcic
from spicealif.reference import driver, kernel
from spicealif.reference.device import compiled_device
from spicealif.reference.driver import KernelParameters, integrate
from spicealif.reference.steps import count_steps

LEAK = Memristor(r_on=500.0, r_off=1500.0, v_on=0.27, v_off=0.27, tau=5e-3)
PARAMS = KernelParameters(
    c=100e-9,
    r_s=500.0,
    leak=LEAK,
    thermal_voltage=1.380649e-23 * 298.5 / 1.602176634e-19,
    v_th=0.4,
    v_low=0.05,
    r_ds_on=10.0,
)
PIECES = StimulusPieces(
    0.5e-3 * np.arange(101, dtype=np.float64), np.tile([1e-3, 0.0], 50), np.zeros(100)
)
T_STOP = float(PIECES.t[-1])
H = 1e-6
REPETITIONS = 301
# exponents of rtol to try
SCAN = {
    "DOP853": (9, 9.5, 10, 10.5, 11, 11.5, 12, 12.5),
    "RK45": (9, 10, 11),
    "LSODA": (10, 11, 12),
}
FLAGS = {"C -O3 -march=native": ["-O3", "-march=native"], "C -O3": ["-O3"]}


def kernel_calls(folder: Path) -> dict[str, Callable[[], np.ndarray]]:
    """Return the numba kernel and its C versions, on the same inputs and the same buffers."""
    n_piece = count_steps(PARAMS, PIECES, T_STOP, H)
    par = driver._kernel_parameters(PARAMS, "ideal", H)
    sines = np.empty((0, 4))
    columns: list[np.ndarray] = [np.zeros(int(n_piece.sum()) + 4096) for _ in range(5)]
    level = np.zeros(columns[0].size, dtype=np.uint8)
    t_spike = np.zeros(4096)

    def numba() -> np.ndarray:
        fs = np.zeros(kernel.N_FLOAT_STATE)
        fs[11] = -1.0
        ns = np.zeros(kernel.N_INT_STATE, dtype=np.int64)
        (ns[1], ns[7]) = (-1, 1)
        stimulus = (PIECES.t, PIECES.i, PIECES.slope, n_piece, sines)
        out = (*columns, level, t_spike)
        status = kernel.advance(par, stimulus, fs, ns, out, driver.MAX_STEPS, None, None)
        if status != kernel.DONE:
            raise RuntimeError("the numba kernel did not finish")
        return t_spike[: ns[6]]

    def pointer(a: np.ndarray) -> ctypes.c_void_p:
        return a.ctypes.data_as(ctypes.c_void_p)

    def in_c(library: ctypes.CDLL) -> np.ndarray:
        counts = np.zeros(2, dtype=np.int64)
        inputs = [pointer(a) for a in (par, PIECES.t, PIECES.i, PIECES.slope, n_piece)]
        outputs = [pointer(a) for a in (*columns, level, t_spike, counts)]
        (n, zero, one) = (ctypes.c_int64(n_piece.size), ctypes.c_int64(0), ctypes.c_int64(1))
        (v, x) = (ctypes.c_double(0.0), ctypes.c_double(0.0))
        if library.advance(*inputs, n, pointer(sines), zero, v, x, one, *outputs) != 0:
            raise RuntimeError("the C kernel did not finish")
        return t_spike[: counts[1]]

    calls: dict[str, Callable[[], np.ndarray]] = {"numba": numba}
    source = Path(__file__).with_suffix(".c")
    for number, (name, flags) in enumerate(FLAGS.items()):
        target = folder / f"kernel{number}.so"
        command = ["gcc", *flags, "-shared", "-fPIC", "-o", str(target), str(source), "-lm"]
        subprocess.run(command, check=True)
        library = ctypes.CDLL(str(target))
        calls[name] = partial(in_c, library)
    return calls


def scipy_spikes(method: str, rtol: float) -> np.ndarray:
    """Return the spike times of solve_ivp, restarted at each corner and spike."""
    v_t = PARAMS.thermal_voltage
    k = math.exp((LEAK.v_on + LEAK.v_off) / v_t)
    (g_0, g_1) = (1 / LEAK.r_off, 1 / LEAK.r_on - 1 / LEAK.r_off)
    (d_0, d_1) = (1 + PARAMS.r_s * g_0, PARAMS.r_s * g_1)

    def rhs(t: float, y: np.ndarray, i: float) -> tuple[float, float]:
        (v, x) = y.tolist()
        m = v / (d_0 + d_1 * x)
        a = math.exp((LEAK.v_on - m) / v_t)
        dx = ((a + k) * (1 - x) - a * (1 + a) * x) / (LEAK.tau * (1 + a) * (a + k))
        return (i - m * (g_0 + g_1 * x)) / PARAMS.c, dx

    def threshold(t: float, y: np.ndarray, i: float) -> float:
        return float(y[0] / (d_0 + d_1 * y[1]) - PARAMS.v_th)

    threshold.terminal = True  # type: ignore[attr-defined]
    threshold.direction = 1.0  # type: ignore[attr-defined]
    (t, y, spikes) = (0.0, np.zeros(2), [])
    for i, end in zip(PIECES.i, PIECES.t[1:], strict=True):
        while t < end:
            s = solve_ivp(
                rhs, (t, end), y, method, events=threshold, args=(i,), rtol=rtol, atol=rtol * 1e-2
            )
            (t, y) = (s.t[-1], s.y[:, -1])
            if s.status == 1:
                t = s.t_events[0][0]
                spikes.append(t)
                y = np.array([PARAMS.v_reset, s.y_events[0][0][1]])
    return np.array(spikes)


def reference(h: float) -> np.ndarray:
    return integrate(PARAMS, PIECES, variant="ideal", t_stop=T_STOP, h=h).t_spike


def other_calls() -> dict[str, Callable[[], np.ndarray]]:
    """Return runs of the kernel with its other arguments; devices that spike at similar rates."""
    schottky = {"phi": 0.8, "alpha_f": 2e-4, "beta_f": 4.0, "alpha_r": 2e-4, "beta_r": 4.0}
    rates = {"k_on": 100.0, "k_off": 100.0, "x_0": 0.0}
    scale = {"a_1": 0.04, "a_2": 0.04, "b": 0.5, "a_p": 20.0, "a_n": 20.0, "x_0": 0.05}
    leaks: dict[str, MemristorModel] = {
        "MMS, function pointers": LEAK,
        "GMMS": GMMS(**LEAK.model_dump(exclude={"kind"}), **schottky),
        "VTEAM": VTEAM(**{**VTEAM.example, **rates}),
        "Yakopcic": Yakopcic(**{**Yakopcic.example, **scale}),
    }
    n_piece = count_steps(PARAMS, PIECES, T_STOP, H)
    stimulus = (PIECES.t, PIECES.i, PIECES.slope, n_piece, np.empty((0, 4)))
    columns = [np.zeros(int(n_piece.sum()) + 4096) for _ in range(5)]
    out = (*columns, np.zeros(columns[0].size, dtype=np.uint8), np.zeros(4096))

    def run(leak: MemristorModel, pointers: bool, switches: int | None) -> np.ndarray:
        params = replace(PARAMS, leak=leak)
        par = driver._kernel_parameters(params, "ideal", H)
        if pointers:
            par[2:6] = (params.r_s, 0.0, 0.0, 0.0)
        device = compiled_device(leak, params.thermal_voltage) if pointers else None
        drawn = None
        if switches is not None:
            drawn = (np.random.Generator(np.random.PCG64(1)), switches)
        fs = np.zeros(kernel.N_FLOAT_STATE)
        (fs[1], fs[11]) = (leak.x_0, -1.0)
        ns = np.zeros(kernel.N_INT_STATE, dtype=np.int64)
        (ns[1], ns[7]) = (-1, 1)
        status = kernel.advance(par, stimulus, fs, ns, out, driver.MAX_STEPS, device, drawn)
        if status != kernel.DONE:
            raise RuntimeError("the kernel did not finish")
        return out[6][: ns[6]]

    calls: dict[str, Callable[[], np.ndarray]] = {"MMS, built in": partial(run, LEAK, False, None)}
    calls |= {name: partial(run, leak, True, None) for name, leak in leaks.items()}
    for n in (1_000, 1_000_000):
        calls[f"MMS, {n:,} switches"] = partial(run, LEAK, False, n)
    return calls


def worst_error(spikes: np.ndarray, exact: np.ndarray) -> float:
    return float(np.abs(spikes - exact).max()) if spikes.size == exact.size else math.inf


def cpu(call: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    start = time.process_time_ns()
    result = call()
    return result, (time.process_time_ns() - start) * 1e-6


def main() -> None:
    exact = reference(0.05e-6)
    with tempfile.TemporaryDirectory() as folder:
        calls = kernel_calls(Path(folder))
        spikes = {name: call().copy() for name, call in calls.items()}
        times: dict[str, list[float]] = {name: [] for name in calls}
        names = list(calls)
        for n in range(REPETITIONS):
            for name in names[n % 3 :] + names[: n % 3]:
                times[name].append(cpu(calls[name])[1])
    print(f"{platform.machine()}, Python {platform.python_version()}; 50 ms, h = {H:g} s")
    print(
        f"\n{'kernel':24}{'median ms':>10}{'min ms':>8}{'numba/this':>12}{'(min)':>7}  spikes off"
    )
    for name, t in times.items():
        (median, fastest) = (statistics.median(t), min(t))
        ratios = statistics.median(times["numba"]) / median, min(times["numba"]) / fastest
        off = worst_error(spikes[name], spikes["numba"])
        print(f"{name:24}{median:10.3f}{fastest:8.3f}{ratios[0]:12.3f}{ratios[1]:7.3f}  {off:.1e}")

    others = other_calls()
    counts = {name: call().size for name, call in others.items()}
    times = {name: [] for name in others}
    for _ in range(REPETITIONS // 5):
        for name, call in others.items():
            times[name].append(cpu(call)[1])
    print(f"\n{'leak':24}{'median ms':>10}{'of built in':>13}{'spikes':>8}")
    for name, t in times.items():
        ratio = statistics.median(t) / statistics.median(times["MMS, built in"])
        print(f"{name:24}{statistics.median(t):10.2f}{ratio:13.2f}{counts[name]:8}")

    print(f"\n{'solve_ivp':12}{'rtol':>9}{'CPU ms':>8}{'error s':>10}")
    found = []
    for method, exponents in SCAN.items():
        for exponent in exponents:
            rtol = 10.0**-exponent
            (solution, spent) = cpu(partial(scipy_spikes, method, rtol))
            found.append((spent, worst_error(solution, exact), method, rtol))
            print(f"{method:12}{rtol:9.1e}{spent:8.0f}{found[-1][1]:10.1e}")

    print(f"\n{'integrate, h':14}{'CPU ms':>8}{'error s':>10}  cheapest solve_ivp at this error")
    for h in (5e-6, 4e-6, 2e-6, 1e-6):
        runs = [cpu(partial(reference, h)) for _ in range(31)]
        own = statistics.median(spent for _, spent in runs)
        error = worst_error(runs[0][0], exact)
        reached = [entry for entry in found if entry[1] <= error]
        (spent, _, method, rtol) = min(reached, default=(math.nan, 0.0, "none", math.nan))
        print(
            f"{h:<14g}{own:8.2f}{error:10.1e}  {method} {rtol:.1e}: {spent / own:.0f} times the CPU"
        )


if __name__ == "__main__":
    main()
