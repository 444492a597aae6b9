"""Time the spike-train measures beside elephant, in one run: medians of wall time in ms.

Run as ``python benchmarks/spike_measures.py``. The trains fire at about 1/ms; the second is
a copy with 0.2 ms of jitter. Victor-Purpura uses q = 0.5/ms, a band of +-4 ms (about eight spikes).
elephant's Victor-Purpura is timed up to 1e4 spikes (its cost grows with the square) and once only.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from spicealif.measures.spikes import (
    crossing_times,
    gamma_coincidence,
    match_spikes,
    van_rossum,
    victor_purpura,
)

Q = 500.0  # 1/s
TAU = 5e-3  # s


def main() -> None:
    rng = np.random.default_rng(0)
    neo, pq, elephant = (
        import_module(name) for name in ("neo", "quantities", "elephant.spike_train_dissimilarity")
    )
    print(f"{'measure':<24}{'spikes':>10}{'spicealif':>12}{'elephant':>12}{'ratio':>9}")
    for n in (10**3, 10**4, 10**5, 10**6):
        a = np.cumsum(rng.gamma(4.0, 0.25e-3, n))
        b = np.sort(a + rng.normal(0.0, 0.2e-3, n))
        stop = max(a[-1], b[-1])
        start = min(a[0], b[0])
        pair = [neo.SpikeTrain(t * pq.s, t_start=start * pq.s, t_stop=stop * pq.s) for t in (a, b)]

        def theirs_vp(pair: list[Any] = pair) -> float:
            return float(elephant.victor_purpura_distance(pair, Q / pq.s, sort=False)[0, 1])

        def theirs_vr(pair: list[Any] = pair) -> float:
            return float(elephant.van_rossum_distance(pair, TAU * pq.s, sort=False)[0, 1])

        ours_vp, ours_vr = victor_purpura(a, b, Q), van_rossum(a, b, TAU)  # compiles
        vp = median_ms(partial(victor_purpura, a, b, Q))
        if n <= 10**4:
            begin = time.perf_counter()
            check("Victor-Purpura", ours_vp, theirs_vp())
            report("Victor-Purpura", n, vp, 1e3 * (time.perf_counter() - begin))
        else:
            report("Victor-Purpura", n, vp, None)
        vr = median_ms(partial(van_rossum, a, b, TAU))
        check("van Rossum", np.sqrt(2) * ours_vr, theirs_vr())
        report("van Rossum", n, vr, median_ms(theirs_vr, 3))
        report("matching", n, median_ms(partial(match_spikes, a, b, 2 / Q)), None)
        gamma = median_ms(partial(gamma_coincidence, a, b, 0.1e-3, stop))
        report("coincidence factor", n, gamma, None)
    t = np.linspace(0.0, 1.0, 10**6)
    v = np.sin(2 * np.pi * 500.0 * t)
    report("crossings, 1e6 samples", 500, median_ms(lambda: crossing_times(t, v, 0.1)), None)
    armed = median_ms(lambda: crossing_times(t, v, 0.1, hysteresis=0.5))
    report("crossings, hysteresis", 500, armed, None)


def median_ms(call: Callable[[], object], repeats: int = 7) -> float:
    times = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call()
        for _ in range(repeats):
            begin = time.perf_counter()
            call()
            times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


def check(name: str, ours: float, theirs: float) -> None:
    if not np.isclose(ours, theirs, rtol=1e-6):
        print(f"  {name}: the values differ, {ours:.9g} and {theirs:.9g}")


def report(name: str, n: int, ours: float, theirs: float | None) -> None:
    other = f"{theirs:>12.2f}{theirs / ours:>9.0f}" if theirs is not None else f"{'-':>12}{'-':>9}"
    print(f"{name:<24}{n:>10}{ours:>12.3f}{other}")


if __name__ == "__main__":
    main()
