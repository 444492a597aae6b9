"""What loops say against being what they are said to be, before minutes are spent on a fit of them.

What cannot be (a device that gives off power, a current of one sign under a voltage of two) is
refused; what is only unlikely is said beside the result. Both name the likely cause.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from spicealif.errors import FitError
from spicealif.fit._period import noise_of
from spicealif.fit._thin import thinned
from spicealif.fit.loop import Loop

__all__ = ["check_loop", "check_resistor", "check_units", "printable", "unit_factor"]

_Floats = npt.NDArray[np.float64]
#: Beyond these a column is not in the unit that it is said to be in: V, A, s.
_VOLTS, _AMPERES, _SECONDS = (1e-6, 100.0), (1e-18, 10.0), (1e-15, 1e9)
#: A source's voltage below this moves no device by much; in V.
_SMALL_DRIVE = 0.02
#: Series resistors, in ohm, beyond which one found from the columns is not one, and is unlikely.
_RESISTORS, _USUAL_RESISTORS = (0.1, 1e12), (20.0, 1e8)
#: The resistor's voltage over the device's, beyond which one of the two says nothing.
_SHARES = (1e-3, 300.0)
#: Part of the source's voltage by which the three quantities may contradict each other: from the
#: first on it is unlikely, from the second on it cannot be.
_CONTRADICTION = (0.1, 0.25)
#: How much more power the device's voltage may have than the source's.
_MORE = 1.02
#: Standard deviations that make a mean certain, and the part of the peak that it has at least.
_CERTAIN, _PART = 6.0, 0.02
#: Area of a lobe, as a part of its peak voltage times its peak current, from which on the way round
#: it says what sets the device.
_AREA = 0.02
#: A lobe is what lies beyond this part of the peak voltage.
_LOBE = 0.15
#: A current that stays at its largest value while the source's voltage changes by this part of its
#: span is held there by an instrument. Measured loops have 2 % at most, clipped ones from 5 % on.
_HELD = 0.05
_BOTH_TURNED = "--column v_mem=-... --column v_in=-... --column i=-..."


def check_loop(loop: Loop) -> list[str]:
    """Return sentences on what is unlikely in a loop.

    Parameters
    ----------
    loop : Loop

    Raises
    ------
    FitError
        If the loop cannot be one of a device behind a resistor under the source's voltage.
    """
    _check_rectified(loop)
    _check_exchange(loop)
    _check_power(loop)
    _check_direction(loop)
    return [*_clipped(loop), *_contradiction(loop), *_shares(loop), *_copies(loop)]


def check_resistor(seen: float, v_in: _Floats, v_mem: _Floats, label: str) -> str:
    """Return what is unlikely about a series resistor that was found from the columns, or "".

    Parameters
    ----------
    seen : float
        In ohm.
    v_in, v_mem : ndarray
        In V.
    label : str
        What the record is called.

    Raises
    ------
    FitError
        If there is no such resistor.
    """
    if seen < 0 and abs(seen) > _RESISTORS[0]:
        cause = (
            "the source's and the device's columns are exchanged: --column v_in=... "
            "--column v_mem=... the other way round"
            if float(v_mem @ v_mem) > float(v_in @ v_in)
            else "the sign of the current is turned: --column i=-..."
        )
        raise FitError(
            f"{label}: the voltages and the current say that the series resistor is "
            f"{seen:.4g} ohm, which is negative. Probably {cause}."
        )
    if float(np.abs(v_in - v_mem).max()) < 1e-3 * float(np.abs(v_in).max()):
        return ""  # no resistor
    high = "the current's column is in a smaller unit than its heading says, such as mA or uA"
    low = "the current's column is in a larger unit than its heading says"
    probable = high if seen < _USUAL_RESISTORS[0] else low
    if not _RESISTORS[0] <= seen <= _RESISTORS[1]:
        raise FitError(
            f"{label}: the voltages and the current say that the series resistor is "
            f"{seen:.4g} ohm. Probably {probable}: give it, such as --column 'i=... [uA]'."
        )
    if not _USUAL_RESISTORS[0] <= seen <= _USUAL_RESISTORS[1]:
        return (
            f"{label}: a series resistor of {seen:.4g} ohm is unusual; perhaps {probable}. Give "
            "--series-resistor, which is then compared."
        )
    return ""


def unit_factor(ratio: float) -> str:
    """Return a sentence on the unit if a ratio is nearly a power of a thousand, else ""."""
    for power in (-9, -6, -3, 3, 6, 9):
        if abs(ratio / 10.0**power - 1) < 0.2:
            return (
                f" The two differ by a factor of about 1e{abs(power)}: probably a column is in "
                "another unit than its heading says; give it, such as --column 'i=... [mA]'."
            )
    return ""


def printable(name: str) -> str:
    """Return a file's name as a text that can be printed and written into TOML.

    Bytes that are no UTF-8 (a name written in Latin-1) and control characters become the
    replacement character.

    Parameters
    ----------
    name : str
        As Python has it, with surrogates for such bytes.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def check_units(loop: Loop) -> None:
    """Raise `FitError` if a quantity is so large or small that its unit must be another.

    Parameters
    ----------
    loop : Loop
    """
    span = float(loop.time[-1] - loop.time[0])
    size = {name: float(np.abs(getattr(loop, name)).max()) for name in ("v_in", "v_mem", "i")}
    if size["i"] > 0.05 and size["v_mem"] < 0.02 * min(size["v_in"], 1.0) < size["i"]:
        raise FitError(
            f"{loop.label}: the device's voltage reaches {_shown(size['v_mem'])} V only and its "
            f"current {_shown(size['i'])} A. Probably the two columns are exchanged: --column "
            "v_mem=... --column i=... the other way round."
        )
    for name, unit, (low, high) in (
        ("v_in", "V", _VOLTS), ("v_mem", "V", _VOLTS), ("i", "A", _AMPERES),
    ):  # fmt: skip
        if size[name] > high:
            # Of what was made of two others, one of them is to be mended.
            others = [n for n in ("i", "v_mem", "v_in") if n != name]
            given = others[0] if loop.made == name else name
            raise FitError(
                f"{loop.label}: {_WORDS[name]} reaches {_shown(size[name])} {unit}. Probably a "
                "column is in another unit than its heading says; give it, such as --column "
                f"'{given}=... [m{'A' if given == 'i' else 'V'}]'"
                + (f" ({name} was made of the others)." if loop.made == name else ".")
            )
        if size[name] < low:
            raise FitError(
                f"{loop.label}: {_WORDS[name]} is {_shown(size[name])} {unit} at most, which no "
                "instrument resolves. Probably a column is in another unit than its heading says; "
                f"give it, such as --column '{name}=... [{unit}]'."
            )
    if not _SECONDS[0] <= span <= _SECONDS[1]:
        raise FitError(
            f"{loop.label}: the record lasts {_shown(span)} s. Give the time's unit, such as "
            "--column 'time=... [us]', or the drive's frequency if there is no time."
        )


def _check_exchange(loop: Loop) -> None:
    (of_in, of_mem) = (float(loop.v_in @ loop.v_in), float(loop.v_mem @ loop.v_mem))
    if of_mem > _MORE * of_in and float(loop.v_in @ loop.v_mem) > 0.5 * math.sqrt(of_in * of_mem):
        larger = float(np.mean(np.abs(loop.v_mem) > np.abs(loop.v_in)))
        cause = (
            "the two channels are exchanged: --column v_in=... --column v_mem=... the other way "
            "round"
            if loop.made in ("", "i")
            else f"the sign of the current, of which {loop.made} was made, is turned: "
            "--column i=-..."
        )
        raise FitError(
            f"{loop.label}: the device's voltage is above the source's in {larger:.0%} of the "
            f"samples, which no resistor does. Probably {cause}."
        )


def _check_rectified(loop: Loop) -> None:
    """Refuse a current or a voltage of one sign where the other has two."""
    for name, other in (("i", "v_mem"), ("v_mem", "i")):
        (y, by) = (getattr(loop, name), getattr(loop, other))
        peak = float(np.abs(by).max())
        for sign in (1.0, -1.0):
            (with_it, against) = (sign * y[by > 0.3 * peak], sign * y[by < -0.3 * peak])
            if len(with_it) < 4 or len(against) < 4:
                continue
            noise = noise_of(loop.time, y) + 1e-12 * float(np.abs(y).max())
            mean = float(against.mean())
            if (
                min(mean, float(with_it.mean())) > _PART * float(np.abs(y).max())
                and mean > _CERTAIN * noise / math.sqrt(len(against))
                and float(np.quantile(against, 0.1)) > 0
                and float(np.quantile(with_it, 0.1)) > 0
            ):
                raise FitError(
                    f"{loop.label}: {_WORDS[name]} has one sign where {_WORDS[other]} has both, so "
                    "that the device would give off power. Probably the file holds its magnitude "
                    f"(|{name}|, as for logarithmic plots); export it with its sign."
                )


def _check_power(loop: Loop) -> None:
    if float(loop.v_mem @ loop.i) > 0:
        return
    raise FitError(
        f"{loop.label}: voltage and current mostly have opposite signs, so that the device would "
        "give off power. Probably the sign of one is turned (--column i=-...); where one was made "
        "of the others and the series resistor, that resistor or a unit may be wrong."
    )


def _check_direction(loop: Loop) -> None:
    """Refuse a device that positive voltages reset and negative ones set."""
    few = thinned(loop, 256, 1024)
    (v, i) = (few.v_mem, few.i)
    counts = 1.0 if few.counts is None else float(np.median(few.counts))
    (noise_v, noise_i) = (noise_of(loop.time, y) / math.sqrt(counts) for y in (loop.v_mem, loop.i))
    if few.period is not None and few is loop:
        order = np.argsort((loop.time - loop.time[0]) % few.period, kind="stable")
        (v, i) = (v[order], i[order])
    areas: dict[int, list[float]] = {1: [], -1: []}
    for sign in (1, -1):
        for lobe in _lobes(sign * v, few.period is not None):
            (x, y) = (sign * v[lobe], sign * i[lobe])
            # around the lobe and back along its chord; by how much each sample can change that
            (of_x, of_y) = (np.roll(y, 1) - np.roll(y, -1), np.roll(x, -1) - np.roll(x, 1))
            area = float(y @ of_y) / 2
            noise = math.hypot(
                noise_v * float(np.linalg.norm(of_x)), noise_i * float(np.linalg.norm(of_y))
            )
            scale = float(np.ptp(x)) * float(np.abs(y).max())
            areas[sign].append(area / scale if abs(area) > _CERTAIN / 2 * noise else 0.0)
    # A lobe of a device that positive voltage sets runs up on little and down on much current
    # (area < 0), one of negative voltage the other way round. What leads or lags (a capacitance, a
    # late channel) does the same in both.
    both = [turn * float(np.median(areas[turn])) for turn in (1, -1) if areas[turn]]
    if both and min(both) >= 0 and sum(both) > _AREA * len(both):
        raise FitError(
            f"{loop.label}: the device's conductance falls under positive voltage"
            + (" and rises under negative one" if len(both) > 1 else "")
            + ", the other way round than in the models, which positive voltage sets. Probably it "
            f"was wired in reverse; turn the signs of voltages and current ({_BOTH_TURNED})."
        )


def _lobes(v: _Floats, periodic: bool) -> list[npt.NDArray[np.int64]]:
    """Return the samples of each whole lobe, in order: between two crossings of the limit."""
    peak = float(np.abs(v).max())
    above = v > _LOBE * peak
    n = len(v)
    if above.all() or not above.any():
        return []
    first = int(np.argmin(above)) if periodic else 0
    index = (first + np.arange(n)) % n
    turned = above[index]
    edges = np.flatnonzero(np.diff(turned.astype(np.int8)))
    begins = [int(k) + 1 for k in edges if turned[k + 1]]
    ends = [int(k) + 1 for k in edges if not turned[k + 1]]
    if periodic and len(begins) > len(ends):
        ends.append(n)
    if ends and (not begins or ends[0] < begins[0]):
        ends = ends[1:]  # it began inside
    pairs = zip(begins, ends, strict=False)
    lobes = [index[a:b] for a, b in pairs]
    return [lobe for lobe in lobes if len(lobe) >= 6 and v[lobe].max() > 0.5 * peak]


def _contradiction(loop: Loop) -> list[str]:
    rest = loop.v_in - loop.v_mem - loop.r_s * loop.i
    part = math.sqrt(float(rest @ rest) / float(loop.v_in @ loop.v_in))
    if part <= _CONTRADICTION[0]:
        return []
    what = (
        f"{loop.label}: v_in - v_mem - r_s i is {part:.0%} of the source's voltage where it should "
        "be 0"
    )
    causes = "a column is another quantity or in another unit, or the channels are shifted in time"
    if part > _CONTRADICTION[1]:
        raise FitError(f"{what}. Probably {causes}; see r_s = {loop.r_s:.4g} ohm and the columns.")
    return [f"{what}; perhaps {causes}."]


def _shares(loop: Loop) -> list[str]:
    out = []
    drive = float(np.ptp(loop.v_in))
    if drive < _SMALL_DRIVE:
        out.append(
            f"{loop.label}: the source's voltage changes by {_shown(drive)} V only, which hardly "
            "moves a device; see the unit of its column."
        )
    if loop.r_s > 0:
        (over_r, over_m) = (loop.r_s * float(np.std(loop.i)), float(np.std(loop.v_mem)))
        share = over_r / over_m if over_m > 0 else math.inf
        large = share > 0.1 * _SHARES[1] and float(np.abs(loop.v_in).max()) > 0.1 * _VOLTS[1]
        if large or not _SHARES[0] <= share <= _SHARES[1]:
            said = "resistor" if share < 1 else "device"
            out.append(
                f"{loop.label}: the {said} has hardly any of the voltage (the resistor's is "
                f"{share:.2g} times the device's); perhaps the current or the resistor is in "
                "another unit than was said."
            )
    return out


def _copies(loop: Loop) -> list[str]:
    """Return a warning if the periods of a record are copies of one, which tell nothing new."""
    if loop.period is None:
        return []
    step = (loop.time[-1] - loop.time[0]) / (len(loop.time) - 1)
    lag = round(loop.period / step)
    n = len(loop.time)
    if not (8 <= lag <= n - 8 and abs(lag * step / loop.period - 1) < 1e-3):
        return []
    same = (loop.v_mem[lag:] == loop.v_mem[:-lag]) & (loop.i[lag:] == loop.i[:-lag])
    if float(same.mean()) < 0.9:
        return []
    return [
        f"{loop.label}: its periods are copies of each other, sample for sample; {n / lag:.3g} "
        "periods say no more than one, and intervals may be too narrow by the square root of "
        "that. Fit one period."
    ]


def _clipped(loop: Loop) -> list[str]:
    """Return a warning for each quantity that a limit of the instrument cuts off."""
    out = []
    for name, cause in (
        ("i", "the source's compliance or the range of the current's channel limits it"),
        ("v_mem", "the range of its channel limits it"),
    ):
        y = getattr(loop, name)
        if name == loop.made:
            continue
        # A device may hold its own voltage nearly constant, but not to a part in ten thousand.
        span = float(np.ptp(y))
        steps = np.diff(np.unique(y))
        parts = {max(1e-4, float(steps.min()) / span)}
        if name == "i":
            parts.add(max(2e-3, 3 * noise_of(loop.time, y) / span))
        for sign in (1.0, -1.0):
            z = sign * y
            held = max(_held(z >= z.max() - part * span, loop.v_in, part) for part in parts)
            if held:
                out.append(
                    f"{loop.label}: {_WORDS[name]} stays at {_shown(sign * float(z.max()))} "
                    f"{'A' if name == 'i' else 'V'} in {held} samples while the source's voltage "
                    f"changes. Probably {cause}; such samples do not say what the device would "
                    "have done, and the fit takes them as they are; leave their cells empty to fit "
                    "without them."
                )
    return out


def _held(near: npt.NDArray[np.bool_], v_in: _Floats, part: float) -> int:
    """Return how many samples near the largest value stay there while the source's changes.

    Around a smooth peak a quantity stays within a part of its span for a time as the part's root.
    """
    need = max(_HELD, 1.5 * math.sqrt(2 * part)) * float(np.ptp(v_in))
    edges = np.diff(near.astype(np.int8), prepend=0, append=0)
    begins, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    long = ends - begins >= 6
    runs = zip(begins[long].tolist(), ends[long].tolist(), strict=True)
    return sum(last - first for first, last in runs if np.ptp(v_in[first:last]) > need)


_WORDS = {"v_in": "the source's voltage", "v_mem": "the device's voltage", "i": "the current"}


def _shown(value: float) -> str:
    return f"{value:.3g}"
