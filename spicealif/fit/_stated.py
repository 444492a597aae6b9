"""A drive's stated frequency against its samples."""

from __future__ import annotations

import numpy as np

from spicealif.errors import FitError
from spicealif.fit._period import find_periodicity, noise_of, repeats_at, rest_at
from spicealif.fit.loop import Loop

__all__ = ["check_frequency"]

#: Relative difference of two periods that are one.
_SAME = 1e-3
#: Part of the drive's power that a stated frequency may leave, besides a multiple of what the found
#: one leaves: refused above, and said above.
_WORSE, _LEFT, _SAID = 4.0, 0.01, 1e-4


def check_frequency(loop: Loop) -> list[str]:
    """Return sentences on a steady state's frequency that its drive hardly has.

    Parameters
    ----------
    loop : Loop

    Raises
    ------
    FitError
        If the drive does not repeat itself at the loop's frequency.
    """
    if loop.period is None:
        return []
    (time, drive, n) = (loop.time, loop.v_in, len(loop.time))
    rate = (n - 1) / float(time[-1] - time[0])
    f = 1 / loop.period
    if f > 0.5 * rate:
        raise FitError(
            f"{loop.label}: a drive of {f:.6g} Hz cannot be seen in samples at {rate:.4g} Hz; see "
            "the frequency (--frequency) and the unit of the time."
        )
    found = find_periodicity(time, drive)
    if found is None:
        # of less than two periods only their overlap could say something
        if not repeats_at(time, drive, loop.period):
            raise FitError(
                f"{loop.label}: the drive does not repeat itself at {f:.6g} Hz, nor at another "
                "frequency that could be found; see the frequency (--frequency) and the unit of "
                "the time, or fit a single shot (--single-shot)."
            )
        return []
    ratio = loop.period / found.period
    if abs(ratio - 1) < 1e-9:
        return []
    times = round(ratio)
    if times >= 2 and abs(ratio / times - 1) < _SAME:
        return [
            f"{loop.label}: the drive already repeats itself at {1 / found.period:.6g} Hz, "
            f"{times} times as often as the {f:.6g} Hz that it is said to have; see the frequency."
        ]
    noise = min(noise_of(time, drive) ** 2 / float(np.var(drive)), 0.25)
    least = rest_at(time, drive, found.period, found.harmonics)
    rest = rest_at(time, drive, loop.period, found.harmonics)
    if rest > _WORSE * least + _LEFT + noise:
        raise FitError(
            f"{loop.label}: the drive repeats itself at {1 / found.period:.6g} Hz, not at "
            f"{f:.6g} Hz, which leaves {rest:.1%} of its variation unexplained; give "
            f"--frequency {1 / found.period:.6g}, or leave it out."
        )
    if rest > 2 * least + _SAID:
        return [
            f"{loop.label}: the drive fits {1 / found.period:.6g} Hz better than the {f:.6g} Hz "
            "that it is said to have; leave --frequency out to take what is found."
        ]
    return []
