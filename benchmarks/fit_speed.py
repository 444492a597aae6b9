"""How long a fit of one loop takes, and how long through SciPy's solve_ivp.

One measured loop's size (200 samples, one period) with a known device and 1 % noise, MMS model.

- First and later runs in new processes (with and without compiled code on disk), wall and CPU.
- The same fit in a warm process, with every simulation of a loop done by ``solve_ivp`` instead: the
  same search, the same objective. The steady state is found by the same secant search, each period
  by one call of LSODA or RK45 with rtol 1e-4 in the coarse and 1e-9 in the fine stage. Their fits
  take minutes; they are given MAX_S seconds of CPU, after which the rest is extrapolated from the
  number of periods that the compiled fit solved.

    python benchmarks/fit_speed.py [MAX_S]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import numpy as np
from fit_recovery import noisy_loop
from scipy.integrate import solve_ivp
from scipy.special import expit

from spicealif.design import Memristor
from spicealif.fit import Loop, _objective, fit_device

_DEVICE = Memristor(r_on=3400, r_off=29000, v_on=0.33, v_off=0.2, tau=4.5e-5)
_SCRIPT = """
import time, sys
start, cpu = time.perf_counter(), time.process_time()
sys.path.insert(0, {folder!r})
import fit_speed
r = fit_speed.fit_device(fit_speed.the_loop(), model={model!r})
print(time.perf_counter() - start, time.process_time() - cpu, r.wall_s, r.cpu_s, r.loss)
"""


class _OutOfTime(Exception):
    pass


def the_loop() -> Loop:
    """Return the loop, the same every time."""
    return noisy_loop(np.random.default_rng(1), _DEVICE, 5000, 0.8, 200, 0.01)


def processes(model: str, runs: int = 5) -> None:
    """Print wall and CPU seconds of whole processes."""
    folder = sys.path[0]
    rows = []
    for _ in range(runs):
        out = subprocess.run(
            [sys.executable, "-c", _SCRIPT.format(folder=folder, model=model)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        rows.append([float(x) for x in out.stdout.split()])
    median = [statistics.median(column) for column in zip(*rows, strict=True)]
    print(
        f"{model}: process {median[0]:.2f} s ({median[1]:.2f} s CPU), of that the fit "
        f"{median[2]:.2f} s ({median[3]:.2f} s CPU); median of {runs}; loss {median[4]:.5f}"
    )


def through_scipy(method: str, limit: float) -> tuple[float, int, bool]:
    """Return CPU seconds and periods solved of the fit by solve_ivp, and whether it ended."""
    count = 0
    begin = time.process_time()

    def period(u, h, r, x_0, q, at):
        """Solve one period; u is given at begin, middle and end of each step."""
        nonlocal count
        count += 1
        if time.process_time() - begin > limit:
            raise _OutOfTime
        t = np.concatenate(([0.0], np.cumsum(h)))
        fine = np.empty(2 * len(h) + 1)
        fine[::2], fine[1::2] = t, 0.5 * (t[:-1] + t[1:])

        def rate(now, x):
            v = np.interp(now, fine, u) / (1 + r * (q[0] + q[1] * x))
            s_on, p_off = expit((v - q[2]) / q[4]), expit(-(v + q[3]) / q[4])
            return (s_on * (1 - x) - p_off * x) / q[5]

        rtol = 1e-9 if at < 1e-6 else 1e-4
        return solve_ivp(rate, (0, t[-1]), [x_0], method, t, rtol=rtol, atol=rtol * 1e-2).y[0]

    def steady_state(u, h, r, guess, q, device, tolerance, v, i, x):
        low, high, x_a, g_a, x_b = 0.0, 1.0, np.nan, np.nan, guess
        for k in range(1, 61):
            x[:] = np.clip(period(u, h, r, x_b, q, tolerance), 0, 1)
            g_b = x[-1] - x_b
            low, high = (x_b, high) if g_b > 0 else (low, x_b)
            with np.errstate(invalid="ignore", divide="ignore"):
                x_c = x_b - g_b * (x_b - x_a) / (g_b - g_a)
            if not low <= x_c <= high:
                x_c = x[-1] if k < 3 and low <= x[-1] <= high else 0.5 * (low + high)
            if abs(x_c - x_b) <= tolerance:
                break
            x_a, g_a, x_b = x_b, g_b, x_c
        v[:] = u[::2] / (1 + r * (q[0] + q[1] * x))
        i[:] = v * (q[0] + q[1] * x)
        return k

    ours = _objective.steady_state
    _objective.steady_state = steady_state
    try:
        fit_device(the_loop())
        return time.process_time() - begin, count, True
    except _OutOfTime:
        return time.process_time() - begin, count, False
    finally:
        _objective.steady_state = ours


def main(limit: float = 60.0) -> None:
    for model in ("mms", "gmms"):
        processes(model)
    periods = 0
    ours = _objective.steady_state

    def counted(*arguments):
        nonlocal periods
        done = ours(*arguments)
        periods += done
        return done

    cpu = []
    for _ in range(5):
        cpu.append(fit_device(the_loop()).cpu_s)
    _objective.steady_state = counted
    fit_device(the_loop())
    _objective.steady_state = ours
    mine = statistics.median(cpu)
    print(f"compiled: {mine:.2f} s CPU (median of 5), {periods} periods")
    for method in ("LSODA", "RK45"):
        took, count, ended = through_scipy(method, limit)
        whole = took if ended else took / count * periods
        how = "the whole fit" if ended else f"extrapolated from {count} periods in {took:.0f} s"
        print(f"solve_ivp, {method}: {whole:.0f} s CPU ({how}), {whole / mine:.0f} times as long")


if __name__ == "__main__":
    main(*(float(a) for a in sys.argv[1:2]))
