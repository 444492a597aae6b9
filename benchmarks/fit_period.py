"""How often the period of a drive is found, by kinds of drives.

Random drives of each kind, with noise and a random phase; "right" is within 1 % of the period (and
within a quarter of a sample's distance at the record's end, "exact"), "none" is what would be taken
as a single shot, "wrong" is anything else. Drives that do not repeat themselves are right with
"none".

    python benchmarks/fit_period.py [NUMBER]
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import sawtooth

from spicealif.fit.reading import find_period

_Floats = npt.NDArray[np.float64]
_Wave = Callable[[_Floats, np.random.Generator], _Floats]


def sine(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return np.sin(2 * np.pi * phase)


def triangle(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return sawtooth(2 * np.pi * phase, 0.5)


def lopsided(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return sawtooth(2 * np.pi * phase, rng.uniform(0.1, 0.9))


def pulses(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return np.where(phase % 1 < rng.uniform(0.1, 0.9), 1.0, 0.0)


def short_pulses(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return np.where(phase % 1 < rng.uniform(0.02, 0.08), 1.0, 0.0)


def both_pulses(phase: _Floats, rng: np.random.Generator) -> _Floats:
    p = phase % 1
    return np.where(p < 0.2, 1.0, 0.0) - np.where((p > 0.5) & (p < 0.7), rng.uniform(0.3, 1), 0.0)


def harmonics(phase: _Floats, rng: np.random.Generator) -> _Floats:
    out = rng.uniform(-1, 1) + np.sin(2 * np.pi * phase)
    for k in (2, 3, 5):
        out = out + rng.uniform(-0.3, 0.3) * np.sin(2 * np.pi * (k * phase + rng.uniform()))
    return out


def weak_fundamental(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return 0.2 * np.sin(2 * np.pi * phase) + np.sin(2 * np.pi * (3 * phase + rng.uniform()))


def chirp(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return np.sin(2 * np.pi * phase * (1 + rng.uniform(0.3, 2) * phase / phase[-1]))


def burst(phase: _Floats, rng: np.random.Generator) -> _Floats:
    """One pulse."""
    (begin, width) = (rng.uniform(0.1, 0.4), rng.uniform(0.1, 0.4))
    p = phase / phase[-1]
    return np.where((p > begin) & (p < begin + width), 1.0, 0.0)


def decay(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return np.sin(2 * np.pi * phase) * np.exp(-rng.uniform(1.5, 4) * phase / phase[-1])


def staircase(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return np.floor(rng.integers(5, 12) * phase / phase[-1])


def wander(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return np.cumsum(rng.standard_normal(len(phase)))


def noise_alone(phase: _Floats, rng: np.random.Generator) -> _Floats:
    return rng.standard_normal(len(phase))


REPEATING = {
    "sine": sine, "triangle": triangle, "lopsided triangle": lopsided, "pulses": pulses,
    "pulses both ways": both_pulses, "sine, 3 harmonics, offset": harmonics,
    "third harmonic strongest": weak_fundamental,
}  # fmt: skip
OTHER = {"chirp": chirp, "one pulse": burst, "decaying sine": decay, "staircase": staircase,
         "random walk": wander, "noise": noise_alone}  # fmt: skip
#: Name: periods, noise over amplitude, samples a period, and how they are spaced
RECORDS = {
    "1.1 to 6 periods, 1 %": ((1.1, 6), 0.01, (40, 200), "even"),
    "2 to 6 periods, 10 %": ((2, 6), 0.1, (40, 200), "even"),
    "2 to 6 periods, no noise": ((2, 6), 0.0, (40, 200), "even"),
    "1.1 to 1.9 periods, 1 %": ((1.1, 1.9), 0.01, (40, 200), "even"),
    "1 period, 1 %": ((1, 1), 0.01, (40, 200), "even"),
    "1 period, end repeated, 1 %": ((1, 1), 0.01, (40, 200), "repeated"),
    "1 period, no noise": ((1, 1), 0.0, (40, 200), "even"),
    "2 to 6 periods, uneven, 1 %": ((2, 6), 0.01, (40, 200), "uneven"),
    "20 to 60 periods, 10 %": ((20, 60), 0.1, (10, 60), "even"),
    "1000 periods, 1 %": ((990, 1010), 0.01, (12, 40), "even"),
}


_SHOWN = ("right", "exact", "none", "wrong", "of these, multiples")


def drawn(
    wave: _Wave, record: tuple, rng: np.random.Generator
) -> tuple[_Floats, _Floats, float, int]:
    """Return time, drive, the true period and the number of samples."""
    (periods, noise, density, how) = record
    m = float(rng.uniform(*periods))
    n = max(int(m * rng.uniform(*density)), 20)
    period = 10 ** rng.uniform(-6, 1)
    t = np.arange(n) / n * m
    if how == "repeated":
        t = np.linspace(0, m, n)
    elif how == "uneven":
        t = np.sort(rng.uniform(0, m, n))
    u = wave(t + rng.uniform(), rng) if wave in REPEATING.values() else wave(t, rng)
    u = u + noise * rng.standard_normal(n) * np.abs(u).max()
    return t * period, u, period, n


def main(number: int = 200) -> None:
    for title, kinds in (("repeating", REPEATING), ("other", OTHER)):
        for name, record in RECORDS.items():
            if title == "other" and (record[0][1] > 100 or "1 period" in name):
                continue
            print(f"\n{name}")
            for kind, wave in kinds.items():
                rng = np.random.default_rng([7, len(name), len(kind)])
                counts: Counter[str] = Counter()
                begin = time.process_time()
                for _ in range(number if record[0][1] < 100 else max(number // 10, 1)):
                    (t, u, period, n) = drawn(wave, record, rng)
                    found = find_period(t, u)
                    if found is None:
                        counts["none"] += 1
                    elif title == "other" or abs(found / period - 1) > 0.01:
                        counts["wrong"] += 1
                        ratio = found / period
                        if title == "repeating" and abs(ratio - round(ratio)) < 0.02:
                            counts["of these, multiples"] += 1
                    else:
                        counts["right"] += 1
                        counts["exact"] += abs(found / period - 1) < 0.25 / n
                took = (time.process_time() - begin) / max(number, 1) * 1e3
                text = ", ".join(f"{k} {counts[k]}" for k in _SHOWN)
                print(f"  {kind:28} {text}  ({took:.0f} ms each)", flush=True)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]))
