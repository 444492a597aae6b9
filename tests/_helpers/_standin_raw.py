"""Raw files as LTspice writes them, from its files alone: nothing here comes from the package.

The layout was read off files that LTspice IV, XVII and 17.2 wrote. What no such file shows is a
guess, and says so.
"""

import itertools
import time as clock
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Flavour:
    """How one generation of LTspice writes."""

    header: str  # encoding of a binary raw file's header
    command: str
    exponent: int  # digits of an exponent in text: the C library's, 3 or 2
    padded_day: bool  # "Aug 02" instead of "Aug  2"
    log: str
    log_newline: str
    version: str  # first line of the log, "" for none
    repeat_first: bool = False  # binary stepped files repeat the first point of later steps
    flag: bool = True  # says "nocompression"
    digits: int = 6  # of a measurement
    windows: bool = True


# "Linear Technology Corporation LTspice" for 24 and 26 is a guess, and so is "nocompression".
LINEAR = "Linear Technology Corporation LTspice"
FLAVOURS = {
    "iv": Flavour(
        "cp1252", f"{LINEAR} IV", 3, True, "cp1252", "\r\n", "", repeat_first=True, flag=False
    ),
    "xvii": Flavour("utf-16-le", f"{LINEAR} XVII", 3, True, "utf-16-le", "\n", ""),
    "mac17": Flavour(
        "utf-16-le",
        LINEAR,
        2,
        False,
        "utf-16-le",
        "\n",
        "LTspice 17.2.4 for MacOS",
        windows=False,
    ),
    "win24": Flavour(
        "utf-16-le",
        LINEAR,
        2,
        False,
        "utf-8",
        "\r\n",
        "LTspice 24.1.9 for Windows",
        digits=12,
    ),
    "win26": Flavour(
        "utf-16-le",
        LINEAR,
        2,
        False,
        "utf-8",
        "\r\n",
        "LTspice 26.0.2 for Windows",
        digits=12,
    ),
}


def date(flavour: str, now: float | None = None) -> str:
    """Return a date as LTspice writes it, whatever the locale."""
    t = clock.localtime(now)
    day = f"{t.tm_mday:02d}" if FLAVOURS[flavour].padded_day else f"{t.tm_mday:2d}"
    at = f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
    return f"{DAYS[t.tm_wday]} {MONTHS[t.tm_mon - 1]} {day} {at} {t.tm_year}"


def type_of(name: str) -> str:
    """Return the type that LTspice declares for a variable."""
    first, *rest = name.partition("(")
    if not rest[0]:
        known = {"time": "time", "frequency": "frequency"}
        return known.get(name, "current" if name[:1] in "iI" else "voltage")
    return "voltage" if first in "vV" else "device_current"


def number(value: float, flavour: str) -> str:
    """Return a number of an ascii file; the exponent has as many digits as the C library's."""
    text = f"{value:.15e}"
    if FLAVOURS[flavour].exponent == 3 and text[-3] in "+-":
        return f"{text[:-2]}0{text[-2:]}"
    return text


def header(
    title,
    plotname,
    names,
    points,
    *,
    flavour,
    flags,
    types=None,
    command=None,
    stamp=None,
    offset=0.0,
    backannotation=(),
    after=False,
    fourth=None,
    section="Binary",
):
    """Return a header's lines, in LTspice's order.

    `after` puts the backannotation behind the list of variables, `fourth` appends a column.
    """
    kind = FLAVOURS[flavour]
    zero = f"{offset:.16e}"
    if kind.exponent == 3:
        zero = f"{zero[:-2]}0{zero[-2:]}"
    # title and names: 8-bit text of the netlist, each byte widened (seen on macOS)
    title = title.encode("utf-8").decode("latin-1") if kind.header == "utf-16-le" else title
    notes = [f"Backannotation: {pins}" for pins in backannotation]
    types = types or {}
    column = "" if fourth is None else f"\t{fourth}"
    return [
        f"Title: {title}",
        f"Date: {stamp or date(flavour)}",
        f"Plotname: {plotname}",
        f"Flags: {flags}",
        f"No. Variables: {len(names)}",
        f"No. Points: {points:12d}",
        f"Offset: {zero:>25}",
        f"Command: {command or kind.command}",
        *([] if after else notes),
        "Variables:",
        *(f"\t{i}\t{n}\t{types.get(n) or type_of(n)}{column}" for i, n in enumerate(names)),
        *(notes if after else []),
        f"{section}:",
    ]


def flag_words(flavour, *, cplx, double, forward, log, stepped, compressed, fastaccess):
    """Return the flags, in the order seen (that of "fastaccess" is a guess)."""
    words = ["complex" if cplx else "real"]
    words += ["double"] * double + ["forward"] * forward + ["log"] * log
    words += ["stepped"] * stepped
    words += ["nocompression"] * (not compressed and FLAVOURS[flavour].flag)
    return " ".join(words + ["fastaccess"] * fastaccess)


def raw_bytes(
    title,
    plotname,
    columns,
    *,
    flavour="xvii",
    double=False,
    compressed=False,
    fastaccess=False,
    ascii=False,
    steps=None,
    complex=None,
    log=None,
    forward=None,
    points=None,
    tolerance=1e-3,
    flags=None,
    **more,
):
    """Return a raw file's bytes and the length of its header.

    Parameters
    ----------
    columns : dict of str to ndarray
        The axis first. Of a stepped file: all steps one after another.
    steps : sequence of int, optional
        Points of each step.
    compressed : bool
        Compress a transient's waveforms as LTspice does when nobody forbids it.
    complex : bool, optional
        Whether values are complex; from the data if not given.
    points : int, optional
        What the header says; 0 is what an unfinished file says.
    **more
        For `header`.
    """
    kind = FLAVOURS[flavour]
    names = list(columns)
    data = [np.asarray(columns[name]) for name in names]
    is_complex = any(map(np.iscomplexobj, data)) if complex is None else complex
    has_axis = plotname.startswith(("Transient", "AC", "DC", "FFT", "Noise"))
    if compressed and not ascii and plotname.startswith("Transient"):
        data, steps = _compress_steps(data, steps, tolerance)
    if steps and kind.repeat_first and not ascii:
        data, steps = _repeat_first(data, steps)
    words = flags or flag_words(
        flavour,
        cplx=is_complex,
        double=double and not is_complex,
        forward=has_axis if forward is None else forward,
        log=plotname.startswith("AC") if log is None else log,
        stepped=bool(steps),
        compressed=compressed,
        fastaccess=fastaccess,
    )
    count = len(data[0])
    lines = header(
        title,
        plotname,
        names,
        count if points is None else points,
        flavour=flavour,
        flags=words,
        section="Values" if ascii else "Binary",
        **more,
    )
    if ascii:
        head = "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")
        return head + _text(data, flavour, is_complex), len(head)
    head = "".join(f"{line}\n" for line in lines).encode(kind.header, "replace")
    return head + _binary(data, double, is_complex, fastaccess), len(head)


def write_raw(path, title, plotname, columns, **options):
    """Write a raw file; the parameters are those of `raw_bytes`."""
    content, _ = raw_bytes(title, plotname, columns, **options)
    Path(path).write_bytes(content)


def _binary(data, double, is_complex, fastaccess):
    wide = "<c16" if is_complex else "<f8"
    narrow = wide if is_complex or double else "<f4"
    # The first variable is always wide, also where it is no axis (.op).
    kinds = [wide] + [narrow] * (len(data) - 1)
    if fastaccess:
        return b"".join(v.astype(k).tobytes() for v, k in zip(data, kinds, strict=True))
    rows = np.empty(len(data[0]), [(f"c{i}", k) for i, k in enumerate(kinds)])
    with np.errstate(over="ignore"):
        for i, values in enumerate(data):
            rows[f"c{i}"] = values
    return rows.tobytes()


def _text(data, flavour, is_complex):
    # Late versions put a tab between the axis's parts, for reasons of their own.
    tab = "\t" if FLAVOURS[flavour].exponent == 2 else ""

    def one(value, between=""):
        if not is_complex:
            return number(value, flavour)
        return f"{number(value.real, flavour)},{between}{number(value.imag, flavour)}"

    lines = []
    for k in range(len(data[0])):
        lines.append(f"{k}\t\t{one(data[0][k], tab)}\r\n")
        lines += [f"\t{one(values[k])}\r\n" for values in data[1:]]
    return "".join(lines).encode("ascii")


def _parts(data, steps):
    edges = np.cumsum([0, *(steps or [len(data[0])])])
    return [[v[a:b] for v in data] for a, b in itertools.pairwise(edges)]


def _joined(parts):
    return [np.concatenate(v) for v in zip(*parts, strict=True)], [len(p[0]) for p in parts]


def _repeat_first(data, steps):
    first, *later = _parts(data, steps)
    again = [[np.concatenate([v[:1], v]) for v in part] for part in later]
    return _joined([first, *again])


def _compress_steps(data, steps, tolerance):
    # Stepped files were seen to be thinned without any negative time.
    parts = [
        compress(part[0], part[1:], tolerance, parabolic=not steps) for part in _parts(data, steps)
    ]
    joined, lengths = _joined([[t, *values] for t, values in parts])
    return joined, lengths if steps else None


def compress(time, columns, tolerance=1e-3, *, parabolic=True, window=300):
    """Compress waveforms the way LTspice does: parabolas through retained points.

    Parameters
    ----------
    time : ndarray
    columns : sequence of ndarray
    tolerance : float
        Largest error, as a fraction of each column's range.
    parabolic : bool
        False: drop points between straight lines only, and mark none.
    window : int
        At most so many points in one segment (LTspice's plotwinsize).

    Returns
    -------
    time : ndarray
        The middle of each parabolic segment negative; it is the middle in time, as in LTspice's
        files, not a computed point.
    columns : list of ndarray
    """
    time = np.asarray(time, dtype=float)
    values = np.array([np.asarray(c, dtype=float) for c in columns]).reshape(len(columns), -1)
    bound = tolerance * np.ptp(values, axis=1, keepdims=True) + 1e-300
    out_t, out_v, at = [time[0]], [values[:, 0]], 0
    last = len(time) - 1
    while at < last:
        end, middle = at + 1, None
        reach = 2
        while reach <= window and at + reach <= last:
            trial = _segment(time, values, at, at + reach, bound, parabolic)
            if trial is None:
                break
            end, middle = at + reach, trial if parabolic else None
            reach = reach + max(1, reach // 4)
        if middle is not None:
            out_t.append(-middle[0])
            out_v.append(middle[1])
        out_t.append(time[end])
        out_v.append(values[:, end])
        at = end
    return np.array(out_t), list(np.array(out_v).T)


def _segment(time, values, a, b, bound, parabolic):
    """Return the middle of the segment from a to b, or None where the curve leaves the bound."""
    t = time[a : b + 1]
    if not t[-1] > t[0]:
        return None
    s = (t - t[0]) / (t[-1] - t[0])
    v = values[:, a : b + 1]
    left, right = v[:, :1], v[:, -1:]
    line = left + (right - left) * s
    if not parabolic:
        return (0.0, None) if np.all(np.abs(line - v) <= bound) else None
    half = (t[0] + t[-1]) / 2
    at = np.array([[np.interp(half, t, row)] for row in v])
    curve = line + 4 * s * (1 - s) * (at - (left + right) / 2)
    return (half, at[:, 0]) if np.all(np.abs(curve - v) <= bound) else None
