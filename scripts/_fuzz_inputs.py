"""What the fuzzing of the readers starts from: seeds, words, and changes that know the format.

Bytes changed at random seldom get past a header, least of all one in UTF-16. The mutators here
change lines, words and numbers as well, write the header in the other encoding, and make the number
of points fit what follows.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Mutate = Callable[[bytes, int], bytes]

__all__ = ["MUTATORS", "SEEDS", "dictionary"]

REPOSITORY = Path(__file__).resolve().parent.parent
REAL = REPOSITORY.parent / "shared" / "ltspice_files"
sys.path.insert(0, str(REPOSITORY / "tests" / "_helpers"))

_LARGEST_SEED = 12_000  # bytes

# ---------------------------------------------------------------- words

_KEYS = (
    "Title: a",
    "Date: Mon Jan  1 00:00:00 2024",
    "Plotname: Transient Analysis",
    "Plotname: AC Analysis",
    "Plotname: DC transfer characteristic",
    "Plotname: Operating Point",
    "Plotname: Noise Spectral Density - (V/Hz^1/2 or A/Hz^1/2)",
    "Plotname: Transfer Function",
    "Plotname: Constant values",
    "Plotname: FFT of time domain data",
    "Plotname: Frequency Response Analysis",
    "Plotname: Step Analysis: Step 1 of 2 params:  name = R1:R value = 1  Transient Analysis",
    "Flags: real",
    "Flags: complex",
    "No. Variables: 2",
    "No. Points: 0",
    "No. Points: ",
    "No. Points: 99999999999",
    "Offset: 0.0000000000000000e+000",
    "Offset: 1e-3",
    "Offset: -1e308",
    "Offset: nan",
    "Command: Linear Technology Corporation LTspice XVII",
    "Command: ngspice-44, Build Tue Dec 30 00:00:00 UTC 2025",
    "Command: version 42",
    "Command: QSPICE64 1.0",
    "Version: Xyce Release 7.8",
    "Backannotation: u1 1 2",
    "Option: x",
    ".param x=1",
    "Abscissa: 0 1",
    "Variables:",
    "\t0\ttime\ttime",
    "\t0\tfrequency\tfrequency",
    "\t1\tV(a)\tvoltage",
    "\t1\tI(R1)\tdevice_current dims=5",
    "\t2\tV(a)\tvoltage\t2",
    "Binary:",
    "Values:",
    "",
)
_FLAGS = (
    "real",
    "complex",
    "forward",
    "reverse",
    "log",
    "stepped",
    "double",
    "fastaccess",
    "compressed",
    "nocompression",
    "padded",
    "unpadded",
)
_TYPES = ("time", "frequency", "voltage", "current", "device_current", "notype", "")
_NUMBERS = (
    *("0", "1", "-1", "2", "3", "1e-9", "-0.0", "1e308", "-1e308", "1e-320", "nan", "inf"),
    *("-inf", "1.#INF", "-1.#IND", "1.#QNAN", "0,0", "1e5,\t-2", "nan,inf", "1_0", "0x1", ","),
)
_VALUES = (
    *(0.0, -0.0, 1.0, -1.0, 2.5e-4, 1e-9, -1e-9, 1e300, -1e300, 1e308, 5e-324, 3.5e38, 1e-45),
    *(np.inf, -np.inf, np.nan),
)
_BITS = (
    *(struct.pack("<d", value) for value in _VALUES),
    *(struct.pack("<f", np.float32(value)) for value in (0.0, -0.0, 1.0, -1.0, np.inf, np.nan)),
    b"\1\0\0\0\0\0\xf0\x7f",  # signalling: no number that raises when it is converted
    b"\1\0\x80\x7f",
    b"\xff" * 8,
)
_LOG_LINES = (
    "Heightened Def Con from 9e-010 ++++++Fatal Error: Analysis:  Time step too small; time = 1",
    "+++to 9.1e-010",
    "+Changing Tseed to 1e-008",
    "Laplace(E1): Window=20ms Nfft=32768",
    "1 of 2 steps:  .step r1=1000",
    'Unknown node in .ic card: "s" -- ignoring',
    "C4: both pins shorted together -- ignoring.",
    "vmax: MAX(v(out))=0,999955 FROM 0 TO 0,001",
    "Netlist error in file x.cir at or near line 7",
    "Circuit: * a.net",
    "LTspice 24.1.9 for Windows",
    "Start Time: Mon Jan  1 00:00:00 2024",
    "Options: plotwinsize=0",
    "solver = Normal",
    "method = modified trap",
    "temp = 27",
    "tnom = 27",
    "Maximum thread count: 1",
    "Direct Newton iteration for .op point succeeded.",
    ".OP point found by inspection.",
    ".step r=1k",
    ".step r=2meg temp=-40\N{DEGREE SIGN}C",
    ".step 2n2222(vaf)=100 x",
    "Measurement: vmax",
    "  step\tMAX(v(out))\tFROM\tTO",
    "     1\t0.5\t0\t0.001",
    "     2\t(-3.0103dB,-45\N{DEGREE SIGN})\tat",
    "  step\tgain\tat",
    "vmax: MAX(v(out))=0.999956 FROM 0 TO 0.001",
    "vend: v(out)=0.993253 at 0.0005",
    "half: v(out)=0.5 AT 7.11305e-005",
    "rise=0.000220382 FROM 1.11609e-005 TO 0.000231543",
    "gain: v(out)=(-3.0103dB,-45\N{DEGREE SIGN}) at 1000",
    "z: x=(1,2)",
    'Measurement "never" FAIL\'ed',
    "Fatal Error: Unknown subcircuit called in:",
    "   x1 in out nosuchsub",
    'Convergence Failure:  Time step too small; initial timepoint: trouble with node "a"',
    "Simulation Failed: Iteration limit reached",
    "Analysis: Time step too small; time = 1.1e-009, timestep = 1.125e-019: trouble with x a3",
    "Singular matrix:  Check node u1:15",
    "Voltage source V2 and voltage source V1 are paralleled making an over-defined circuit matrix.",
    "You will need to correct the circuit or add some series resistance.",
    "No analysis specified.",
    "R1: Resistance must not be zero.",
    "Could not open library file opamp.lib",
    "Error on line 4 : .frobnicate 1 2",
    "\t Unknown control card",
    "ERROR: Node a is floating and connected to current source I1",
    ".meas tran broken find v(out at 0.5m",
    "  Error: FIND can not be evaluated over an interval.",
    "WARNING: Less than two connections to node OUT.  This node is used by V1.",
    'Questionable use of curly braces in "b1 a 0 v={v(b)}"',
    'Instance "M1": Length shorter than recommended for a level 1 MOSFET.',
    'C:\\deck.cir(4): Undefined model "d".',
    "D1 a 0 d",
    "       ^",
    "Files loaded:",
    "--- Expanded Netlist ---",
    ".end",
    "Total elapsed time: 1 hour 2 minutes 0.119 seconds.",
    "Total iterations: 12",
    "N-Period=1",
    "Date: Mon Jan  1 00:00:00 2024",
    "",
)
_LOG_WORDS = (
    *("1.#INF", "-1.#IND", "nan", "inf", "1e999", "-0", "2.2k", "3meg", "5\N{MICRO SIGN}", "1e-5"),
    *(
        "=",
        " FROM ",
        " TO ",
        " AT ",
        " at ",
        "dB",
        "\N{DEGREE SIGN}",
        ".step",
        ": ",
        "\t",
        "(",
        ")",
    ),
)
_SUM_WORDS = (
    *("v(a)", "V(A)", "v(abc)", "i(r1)", "I(V1)", "v1#branch", "time", "V(abc,0)", "V(0,abc)"),
    *("V(a,b)", "+", "-", "*", "2*", "1e3 * ", ".5*", "1e999*", "(", ")", ",", " ", "0", "#branch"),
    *("\n", "v(a)-v(b)", "a+b", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "\N{KELVIN SIGN}"),
)


def dictionary(target: str) -> list[bytes]:
    """Return words that libFuzzer puts into inputs, in the encodings that they come in.

    Parameters
    ----------
    target : str
        ``raw``, ``log`` or ``vectors``.

    Returns
    -------
    list of bytes
    """
    if target == "raw":
        words = [*_KEYS, *_FLAGS, *(f"Flags: {a} {b}" for a in _FLAGS[:2] for b in _FLAGS[2:])]
        text = [*words, *_TYPES, *_NUMBERS]
        found = [*(w.encode() for w in text), *(w.encode("utf-16-le") for w in words), *_BITS]
    elif target == "log":
        text = [*_LOG_LINES, *_LOG_WORDS]
        found = [w.encode(e) for w in text for e in ("utf-8", "utf-16-le", "cp1252")]
    else:
        found = [w.encode() for w in _SUM_WORDS]
    return [word for word in dict.fromkeys(found) if word]


# ---------------------------------------------------------------- seeds


def _raw_seeds(folder: Path) -> Iterator[bytes]:
    """Raw files in all flavours, of ngspice, of LTspice itself, and cut ones."""
    made = list(_standin_files())
    yield from made
    yield from (made[i] + made[-1 - i] for i in range(0, len(made) // 2, 3))
    yield from _handmade_files()
    yield from (_miscounted(content, n) for content in made[::3] for n in (1, 2, 99))
    yield from _files_of_xyce()
    found = [*_ngspice_files(folder), *_real_files("*.raw")]
    yield from found
    for content in [*made[::7], *found]:
        for part in (0.1, 0.5, 0.9, 0.99):
            yield content[: int(part * len(content))]


def _standin_files() -> Iterator[bytes]:
    from _standin_raw import FLAVOURS, raw_bytes

    for flavour, kind in itertools.product(FLAVOURS, ("tran", "ac", "dc", "op", "noise", "tf")):
        for choice in range(8 if kind in ("tran", "dc", "ac") else 2):
            steps = [3, 4, 5] if choice in (1, 3, 5, 6) else None
            options: dict[str, Any] = {
                "flavour": flavour,
                "double": choice == 2,
                "compressed": kind == "tran" and choice in (3, 4, 5),
                "fastaccess": choice == 5,
                "ascii": choice in (6, 7),
                "steps": steps,
            }
            plotname, columns = _waveforms(kind, steps or [12], options["compressed"])
            if kind in ("op", "tf"):
                options |= {"fastaccess": False, "ascii": choice == 1, "steps": None}
            if choice == 4:
                options |= {"points": 0, "offset": 1e-3, "backannotation": ("u1 1 2",)}
            yield raw_bytes("* a.net", plotname, columns, **options)[0]


def _waveforms(kind: str, steps: list[int], smooth: bool) -> tuple[str, dict[str, Any]]:
    """Return the name of an analysis, and small waveforms of it."""
    n = sum(steps)
    u = np.concatenate([np.linspace(0.0, 1.0, 12 if smooth else k) for k in steps])
    if kind == "tran":
        if smooth:
            steps[:] = [12] * len(steps)
        return "Transient Analysis", {"time": u * 1e-3, "V(a)": u * u, "I(R1)": np.sin(3 * u)}
    if kind == "ac":
        return "AC Analysis", {"frequency": 10.0 ** (3 * u) + 0j, "V(a)": 1 / (1 + 1j * u)}
    if kind == "dc":
        return "DC transfer characteristic", {"v1": u, "V(a)": u * u, "V(b)": 1 - u, "I(V1)": -u}
    if kind == "noise":
        names = ("frequency", "V(onoise)")
        return "Noise Spectral Density - (V/Hz^1/2 or A/Hz^1/2)", dict.fromkeys(names, 1 + u)
    if kind == "tf":
        return "Transfer Function", {"Transfer_function": np.ones(1), "Z(in)": np.full(1, 1e3)}
    return "Operating Point", {"V(a)": np.arange(min(n, 3)) + 1.0, "I(V1)": np.ones(min(n, 3))}


def _handmade_files() -> Iterator[bytes]:
    """Headers of the other programs."""
    heads = {
        "Command: version 42\nOption: x\n": "real padded",
        "Command: ngspice-44\n": "complex",
        "Command: QSPICE64 1.0\n.param r=1\nAbscissa: 0 1\n": "complex forward",
        "Version: Xyce Release 7.8\n": "real",
        "": "real unpadded",
    }
    for (lines, flags), points in itertools.product(heads.items(), (3, 0, "")):
        kind = "frequency" if "complex" in flags else "time"
        head = (
            f"Title: a\nDate: Mon Jan  1 00:00:00 2024\nPlotname: x\nFlags: {flags}\n"
            f"No. Variables: 2\nNo. Points: {points}\n{lines}Variables:\n"
            f"\t0\t{kind}\t{kind}\n\t1\tv(a)\tvoltage\n"
        ).encode()
        if "complex" not in flags:
            yield head + b"Values:\n0\t\t0.0\n\t1.5\n1\t1\n\t2e-3\n\n2\t2\t-1\n"
            yield head + b"Binary:\n" + np.arange(6.0).tobytes()
        elif "Abscissa" in lines:
            yield head + b"Values:\n0\t\t1\n\t1.5,0\n1\t2\n\t2e-3,1\n2\t3\n\t-1,2\n"
            yield head + b"Binary:\n" + np.arange(9.0).tobytes()
        else:
            yield head + b"Values:\n0\t\t1,0\n\t1.5,0\n1\t2,0\n\t2e-3,1\n2\t3,0\n\t-1,2\n"
            yield head + b"Binary:\n" + np.arange(12.0).tobytes()


def _miscounted(content: bytes, n: int) -> bytes:
    """Return a file whose first header counts other points than are stored."""
    wide = content[1:2] == b"\0"
    if wide:
        key, end = "No. Points:".encode("utf-16-le"), "\n".encode("utf-16-le")
        at = content.find(key) + len(key)
        stop = content.find(end, at)
        count = f"{n:>12}".encode("utf-16-le")
        return content[:at] + count + content[stop:]
    return re.sub(rb"No\. Points:[^\r\n]*", b"No. Points: %d" % n, content, count=1)


def _files_of_xyce() -> Iterator[bytes]:
    """Several plots under one title, and the header of a frequency response without points."""
    for end in ("Binary", "Values"):
        out = b"Title: a\nDate: x\n"
        for k in (1, 2, 3):
            out += (
                f"Plotname: Step Analysis: Step {k} of 3 params:  name = R value = {k}  Transient "
                f"Analysis\nFlags: real\nNo. Variables: 2\nNo. Points: {3 if k < 3 else ''}\n"
                f"Variables:\n\t0\ttime\ttime\n\t1\tV(a)\tvoltage\n{end}:\n"
            ).encode()
            out += (
                np.arange(6.0).tobytes()
                if end == "Binary"
                else b"0\t0\n\t1\n1\t1\n\t2\n2\t2\n\t3\n"
            )
        yield out
    head = (
        "Title: a\nDate: x\nPlotname: Frequency Response Analysis\nFlags: complex forward\n"
        "No. Variables: 1\nNo. Points: 0\nOffset: 0\nVariables:\n\t0\tfrequency\tfrequency\n"
        "\t1\tgain\tgain\nBinary:\n"
    )
    yield head.encode("utf-16-le")
    yield head.encode() + np.arange(8.0).tobytes()


_DECK = """a deck
V1 in 0 dc 1 ac 1 PULSE(0 1 1u 1u 1u 10u 20u)
R1 in out 1k
C1 out 0 1n
.control
op
tran 2u 20u
ac dec 2 1 1meg
dc V1 0 1 0.25
{commands}write a.raw {plots}
.endc
.end
"""


def _ngspice_files(folder: Path) -> Iterator[bytes]:
    """Files that ngspice writes now, if it is installed."""
    if shutil.which("ngspice") is None:
        return
    from own_ngspice import with_home

    for commands, plots in itertools.product(
        ("", "set filetype=ascii\n", "set nopadding\n"),
        ("op1.all", "tran1.all", "op1.all tran1.all ac1.all", "ac1.all dc1.all"),
    ):
        (folder / "a.cir").write_text(_DECK.format(commands=commands, plots=plots))
        subprocess.run(
            ["ngspice", "-n", "-b", "a.cir"],
            cwd=folder,
            env=with_home(),
            check=False,
            timeout=60,
            capture_output=True,
        )
        if (folder / "a.raw").exists():
            yield (folder / "a.raw").read_bytes()
            (folder / "a.raw").unlink()


def _real_files(pattern: str) -> Iterator[bytes]:
    """Small files that LTspice wrote, if they lie beside the checkout."""
    for path in sorted(REAL.rglob(pattern)):
        if path.stat().st_size <= _LARGEST_SEED:
            yield path.read_bytes()


def _log_seeds(_folder: Path) -> Iterator[bytes]:
    """Give logs of all versions, in all encodings, of LTspice itself, and cut ones."""
    from _standin_log import log_bytes, log_lines
    from _standin_raw import FLAVOURS

    made: list[bytes] = []
    trouble = [line for line in _LOG_LINES if re.search("rror|ailure|matrix|node|FAIL", line)]
    table = [line for line in _LOG_LINES if "\t" in line or line.startswith("Measurement:")]
    results = [line for line in _LOG_LINES if re.match(r"\w+(: \S+)?=[0-9(]", line)]
    parts: tuple[dict[str, Any], ...] = (
        {},
        {"measures": results, "warnings": ["WARNING: Node VO2 is floating."]},
        {"steps": ["r=1k", "r=2meg"], "measures": table, "alternate": True},
        {"trouble": trouble, "finished": False},
        {"trouble": trouble[:3], "failed_early": True, "temp": "27\N{DEGREE SIGN}C"},
    )
    for flavour, options in itertools.product(FLAVOURS, parts):
        lines = log_lines(flavour, "* a.net", **options)
        for encoding in (FLAVOURS[flavour].log, "utf-8-sig", "utf-16", "utf-16-be", "mixed"):
            made.append(log_bytes(lines, encoding))
    made.append("\n".join(_LOG_LINES).encode())
    made += _real_files("*.log")
    yield from made
    for content in made[::4]:
        yield content[: len(content) * 2 // 3]


def _vectors_seeds(_folder: Path) -> Iterator[bytes]:
    """Names of a file, and sums of them."""
    files = (
        ("time", "v(abc)", "v(vs)", "i(r1)"),
        ("time", "V(vc)", "V(vs)", "I(V1)", "v1#branch", "v(a+b)", "a+b", "v(a) - v(b)", "A"),
        ("frequency", "abc", "ab", "b", "v(a,b)", "out", "0"),
    )
    sums = (
        *("v(abc)", "V(abc)-v(VS)", "2*V(abc,vs)", "-i(r1) + 1e3 * abc", "V(abc,0)", "-.5*V(0,vs)"),
        *("v(a+b)-a+b", "v(a) - v(b)", "I(V1)+v1#branch", "v(abc)++v(vs)", "2*", "", "x", "V(a,b)"),
    )
    for names, text in itertools.product(files, sums):
        yield "\n".join((*names, text)).encode()


SEEDS: dict[str, Callable[[Path], Iterator[bytes]]] = {
    "raw": _raw_seeds,
    "log": _log_seeds,
    "vectors": _vectors_seeds,
}

# ---------------------------------------------------------------- mutators of raw files

_ENDS = re.compile(
    rb"(?:Binary|Values):\r?\n|(?:B\0i\0n\0a\0r\0y|V\0a\0l\0u\0e\0s)\0:\0(?:\r\0)?\n\0",
    re.IGNORECASE,
)
_TITLES = (b"Title:", "Title:".encode("utf-16-le"))


def mutate_raw(data: bytes, max_size: int, seed: int, mutate: Mutate) -> bytes:
    """Change a raw file.

    Parameters
    ----------
    data : bytes
        The input.
    max_size : int
        Most bytes of the result.
    seed : int
        Of the random choices.
    mutate : callable
        Changes bytes without knowing what they mean; takes them and the most bytes of the result.

    Returns
    -------
    bytes
    """
    rng = random.Random(seed)
    ends = list(_ENDS.finditer(data))
    if not ends or rng.random() < 0.25:
        return mutate(data, max_size)
    end = rng.choice(ends).end()
    start = max(data.rfind(title, 0, end) for title in _TITLES)
    start = max(start, 0)
    after = min((at for t in _TITLES if (at := data.find(t, end)) >= 0), default=len(data))
    head, body, rest = data[start:end], data[end:after], data[after:]
    encoding = "utf-16-le" if head[1:2] == b"\0" else "latin-1"
    text = head.decode(encoding, "replace")
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if rng.random() < 0.6:
            text = _change_text(rng, text, mutate)
        else:
            body = _change_body(rng, body, text, max_size, mutate)
    if rng.random() < 0.08:
        encoding = "latin-1" if encoding == "utf-16-le" else "utf-16-le"
    if rng.random() < 0.4:
        text = _fit_points(rng, text, len(body))
    result = data[:start] + text.encode(encoding, "replace") + body + rest
    if rng.random() < 0.05:
        result += data[start:]
    return result[:max_size]


def _change_text(rng: random.Random, text: str, mutate: Mutate) -> str:
    """Change something in a header."""
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    change = rng.randrange(9)
    if change == 0:
        size = len(text) + 32
        return mutate(text.encode("latin-1", "replace"), size).decode("latin-1")
    if change == 1:
        del lines[at]
    elif change == 2:
        lines.insert(at, rng.choice(_KEYS))
    elif change == 3:
        lines.insert(rng.randrange(len(lines)), lines[at])
    elif change == 4:
        lines[at] = mutate(lines[at].encode("latin-1", "replace"), len(lines[at]) + 16).decode(
            "latin-1"
        )
    elif change == 5:
        _replace_line(rng, lines, rng.choice(_KEYS))
    elif change == 6:
        _change_flags(rng, lines)
    else:
        _change_variables(rng, lines)
    return "\n".join(lines)


def _replace_line(rng: random.Random, lines: list[str], new: str) -> None:
    """Put a line in the place of the one with the same key."""
    key = new.partition(":")[0]
    same = [i for i, line in enumerate(lines) if line.partition(":")[0] == key]
    lines[rng.choice(same) if same else rng.randrange(len(lines))] = new


def _change_flags(rng: random.Random, lines: list[str]) -> None:
    for i, line in enumerate(lines):
        if line.startswith("Flags:"):
            words = line[6:].split()
            word = rng.choice(_FLAGS)
            if word in words:
                words.remove(word)
            else:
                words.append(word)
            if rng.random() < 0.2:
                other = {"real": "complex", "complex": "real"}
                words = [other.get(word, word) for word in words]
            lines[i] = f"Flags: {' '.join(words)}"


def _change_variables(rng: random.Random, lines: list[str]) -> None:
    """Rename, retype, add or drop a variable; the counts follow, mostly."""
    at = [i for i, line in enumerate(lines) if line[:1] in " \t" and line.strip()[:1].isdigit()]
    if not at:
        return
    pick = rng.choice(at)
    index, *rest = (*lines[pick].split("\t")[1:], "", "", "")
    name, kind = rest[0], rest[1]
    change = rng.randrange(5)
    if change == 0:
        name = rng.choice((lines[rng.choice(at)].strip().split("\t")[-2:] or [name])[:1])
    elif change == 1:
        name = rng.choice((name.swapcase(), f"{name} - {name}", "time", "0", "a\x85b"))
    elif change == 2:
        kind = rng.choice(_TYPES)
    lines[pick] = f"\t{index}\t{name}\t{kind}"
    count = len(at)
    if change == 3:
        count += 1
        lines.insert(at[-1] + 1, f"\t{len(at)}\t{name}\t{kind}")
    elif change == 4 and count > 1:
        count -= 1
        del lines[at[-1]]
    if rng.random() < 0.9:
        _replace_line(rng, lines, f"No. Variables: {count}")


def _change_body(
    rng: random.Random, body: bytes, head: str, max_size: int, mutate: Mutate
) -> bytes:
    """Change something in the numbers of a plot."""
    change = rng.randrange(10)
    if change == 0:
        return mutate(body or b"0", max_size)
    if "alues" in head[-12:]:
        return _change_words(rng, body)
    row = rng.choice(_rows(head))
    n = len(body) // row
    if change == 1:
        return body[: rng.randrange(len(body) + 1)]
    if change == 2:
        return body + rng.randbytes(rng.randrange(40))
    if change == 3:
        return _axis(rng, row, rng.randrange(1, 12))
    if n == 0:
        return body + rng.choice(_BITS)
    k = rng.randrange(n)
    at = k * row
    if change == 4:
        other = rng.randrange(n) * row
        return body[:at] + body[other : other + row] + body[at:]
    if change == 5:  # a mark: LTspice's negative time
        return body[: at + 7] + bytes([body[at + 7] ^ 0x80]) + body[at + 8 :]
    if change == 6:
        return body[:at] + body[at + row :]
    at += rng.randrange(0, row, 4)
    bits = rng.choice(_BITS)
    return body[:at] + bits + body[at + len(bits) :]


def _rows(head: str) -> tuple[int, ...]:
    """Bytes that a point may have."""
    match = re.search(r"No\. Variables: *([0-9]{1,3})", head)
    n = max(1, int(match[1])) if match else 2
    return (16 * n, 16 * n - 8) if "complex" in head else (8 * n, 4 * n + 4)


def _axis(rng: random.Random, row: int, n: int) -> bytes:
    """Rows that begin with a rising axis, some of it marked."""
    points = bytearray(rng.randbytes(row * n) if rng.random() < 0.3 else bytes(row * n))
    scale = rng.choice((1.0, 1e-6, 1e-300, 1e300))
    t = 0.0
    for k in range(n):
        sign = -1.0 if 0 < k < n - 1 and rng.random() < 0.3 else 1.0
        struct.pack_into("<d", points, k * row, sign * t * scale)
        for at in range(k * row + 8, (k + 1) * row - 3, 4):
            if rng.random() < 0.7:
                struct.pack_into("<f", points, at, rng.gauss(0, 1))
        t = 0.0 if rng.random() < 0.1 else t + rng.random()
    return bytes(points)


def _change_words(rng: random.Random, body: bytes) -> bytes:
    """Change a number that is text."""
    words = re.split(rb"(\s+)", body)
    at = rng.randrange(len(words))
    change = rng.randrange(4)
    if change == 0:
        words[at] = rng.choice(_NUMBERS).encode()
    elif change == 1:
        del words[at]
    elif change == 2:
        words.insert(at, rng.choice(_NUMBERS).encode())
    else:
        words.insert(at, rng.choice((b" ", b"\n", b"\r\n", b"\t", b"\0")))
    return b"".join(words)


def _fit_points(rng: random.Random, head: str, size: int) -> str:
    """Make the number of points fit what follows."""
    n = size // rng.choice(_rows(head)) + rng.choice((0, 0, 0, 0, 1, -1))
    return re.sub(r"No\. Points: *[0-9]*", f"No. Points: {max(n, 0)}", head, count=1)


# ---------------------------------------------------------------- mutators of text

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252", "utf-8-sig", "utf-16", "latin-1")


def mutate_log(data: bytes, max_size: int, seed: int, mutate: Mutate) -> bytes:
    """Change a log; the parameters are those of `mutate_raw`."""
    rng = random.Random(seed)
    if rng.random() < 0.2:
        return mutate(data, max_size)
    half = len(data) // 2
    if half and data[1::2].count(0) > 0.3 * half:
        encoding = "utf-16-le"
    elif half and data[0::2].count(0) > 0.3 * half:
        encoding = "utf-16-be"
    else:
        encoding = "utf-8"
    lines = data.decode(encoding, "replace").split("\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        change = rng.randrange(6)
        if change == 0:
            lines.insert(at, rng.choice(_LOG_LINES))
        elif change == 1:
            lines[at] = rng.choice(_LOG_LINES)
        elif change == 2 and len(lines) > 1:
            del lines[at]
        elif change == 3:
            lines.insert(rng.randrange(len(lines)), lines[at])
        elif change == 4:
            lines[at] = _insert(rng, lines[at], _LOG_WORDS)
        else:
            line = lines[at].encode("utf-8", "replace")
            lines[at] = mutate(line, len(line) + 24).decode("utf-8", "replace")
    if rng.random() < 0.1:
        encoding = rng.choice(_ENCODINGS)
    return "\n".join(lines).encode(encoding, "replace")[:max_size]


def mutate_vectors(data: bytes, max_size: int, seed: int, mutate: Mutate) -> bytes:
    """Change names or a sum of them; the parameters are those of `mutate_raw`."""
    rng = random.Random(seed)
    if rng.random() < 0.4:
        return mutate(data, max_size)
    *names, text = data.decode("utf-8", "surrogateescape").split("\n")
    if names and rng.random() < 0.5:
        text = _insert(rng, text, (*names, *(f"+{name}" for name in names)))
    elif rng.random() < 0.7:
        text = _insert(rng, text, _SUM_WORDS)
    else:
        names.insert(0, rng.choice(_SUM_WORDS))
    return "\n".join((*names, text)).encode("utf-8", "surrogateescape")[:max_size]


def _insert(rng: random.Random, text: str, words: tuple[str, ...]) -> str:
    """Put a word into a text, or into the place of something."""
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(words) + text[at + rng.choice((0, 0, 1, 4)) :]


MUTATORS = {"raw": mutate_raw, "log": mutate_log, "vectors": mutate_vectors}
