#!/usr/bin/env python3
"""Fuzzing of the reader of tables: changed instrument files, as loops and as stimuli.

    scripts/fuzz_tables.py --runs 1000000 --jobs 2

Every input goes through the reader of measured loops and through that of stimuli, with and without
columns that are asked for. Whatever it holds: the documented error and no other, one sentence with
a remedy; the same again for the same bytes; every number finite and below 1e30, every row of the
file accounted for; and what ``numpy.loadtxt`` reads of a plain file. `_fuzz_table_checks.py` has
the list. Options, findings and exit codes are those of `fuzz_readers.py`.

``--blind`` tries inputs without looking at what code they reach, which takes a tenth of the time;
the corpus of an earlier run (``--corpus``) is where it starts from, beside the seeds.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

SCRIPTS = Path(__file__).resolve().parent
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS.parent)]

import fuzz_readers  # noqa: E402  (the path comes first)

if TYPE_CHECKING:
    from collections.abc import Callable

_TARGET = "table"
_WORDS = (
    "t_s", "v_mem_V", "v_in_V", "i_A", "Time (s)", "Time(S)", "I [uA]", "CH1", "Voltage", "x-axis",
    "second,Volt,Volt", "X,CH1,CH2,Start,Increment", "Sequence,Volt,Volt,-1e-3,2e-6", "sep=;",
    "***End_of_Header***", "X_Value", "Delta_X", "DataName", "DataValue", "Record Length",
    "Vertical Units,V,V", "TraceName,CH1,CH2", "HResolution,1e-6,1e-6", "9.91E37", "199.999E99",
    "OVLD", "#N/A", "1.#QNAN", "NaN", "inf", "1e400", "1,234", "1.234,5", "1 234,5", "1'234.5",
    '"15,625"', "0.5m", "4k7", "1_000", "0x10", "-", "--", "\u2212", "\u00b5", "\u03bcV", "# ",
    "%", "//", "!", '"', '""', ",,,", ";", "\t", "|", " ", "\r\n", "\r", "\n\n", "2024-01-05",
    "10:00:00.5", "[1][1]", "(ms),(V)", "t0 = -1e-3", "tInc = 1e-6", "Step Information: ", "every",
    "id", "n", "us", "MV", "0,1,2", "\u221e", "Segments,2,x", "D-3", "e", ".", "+", "1e30",
)  # fmt: skip
_LINES = 8  # of a seed


def _seeds(_: Path) -> Iterator[bytes]:
    from _instrument_files import instrument_files

    for file in instrument_files():
        yield _shortened(file.data)
    yield b"t,i\n0,0\n1e-3,5e-4\n"
    yield b"0 0.5m # on\n1m 0.2mA\n"
    yield b"t_us;i_mA\r\n0;0,5\r\n10;1,5\r\n"


def _shortened(data: bytes) -> bytes:
    """Return a file with few rows."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "".join(data.decode("utf-16").splitlines(True)[:_LINES]).encode("utf-16")
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").splitlines(True)
    rows = next((k for k, line in enumerate(lines) if re.match(rb'[\s",+-]*\d', line)), 0)
    return b"".join(lines[: min(rows, 40) + _LINES])


def _mutated(data: bytes, max_size: int, seed: int, mutate: Callable[[bytes, int], bytes]) -> bytes:
    """Change lines, cells, delimiters and numbers; sometimes bytes."""
    rng = random.Random(seed)
    if rng.random() < 0.2 or not data:
        return bytes(mutate(data, max_size))
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = rng.choice(_CHANGES)(text, rng)
    encoding = rng.choice(("utf-8",) * 12 + ("utf-16", "utf-8-sig", "utf-16-le"))
    return text.encode(encoding, "replace")[:max_size]


def _swap_lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "\n".join(lines)


def _copy_line(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return "\n".join(lines)


def _drop_line(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _change_cell(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    k = rng.randrange(len(lines))
    sign = rng.choice(",;\t ")
    cells = lines[k].split(sign)
    j = rng.randrange(len(cells))
    cells[j] = rng.choice((rng.choice(_WORDS), cells[j] + rng.choice(_WORDS), "", f'"{cells[j]}"'))
    lines[k] = sign.join(cells)
    return "\n".join(lines)


def _add_word(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(_WORDS) + text[at:]


def _exchange(text: str, rng: random.Random) -> str:
    pairs = (",;", ";,", ",\t", "\t,", ".,", ", ", "eE", ",|", "\n\r", "-\u2212", "e ")
    return text.replace(*rng.choice(pairs))


def _decimal_commas(text: str, rng: random.Random) -> str:
    other = rng.choice(";\t| ")
    return text.replace(",", other).replace(".", ",")


def _cut(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] if rng.random() < 0.5 else text[at:]


def _number(text: str, rng: random.Random) -> str:
    found = list(re.finditer(r"[-+]?\d[\d.]*(?:[eE][-+]?\d+)?", text))
    if not found:
        return text
    match = rng.choice(found)
    fixed = ("0", "-1", "1e300", "1e-300", "1,5", "1,234", "1.234.567", "9.91E+37", "")
    made = (match[0][::-1], match[0] + "0" * 5, "." + match[0], match[0] + "m")
    new = rng.choice(fixed + made)
    return text[: match.start()] + new + text[match.end() :]


def _column(text: str, rng: random.Random) -> str:
    """Drop or double a column."""
    sign, which, twice = rng.choice(",;\t"), rng.randrange(4), rng.random() < 0.5
    out = []
    for line in text.split("\n"):
        cells = line.split(sign)
        if which < len(cells):
            cells[which : which + 1] = [cells[which]] * 2 if twice else []
        out.append(sign.join(cells))
    return "\n".join(out)


_CHANGES = (_swap_lines, _copy_line, _drop_line, _change_cell, _change_cell, _change_cell,
            _add_word, _exchange, _decimal_commas, _cut, _number, _number, _column)  # fmt: skip


def _dictionary(_: str) -> list[bytes]:
    return [word.encode() for word in _WORDS]


def _install(module: Any) -> None:
    """Let the other script's machinery fuzz tables, and nothing else."""
    for table, value in ((module.SEEDS, _seeds), (module.MUTATORS, _mutated)):
        table.clear()
        table[_TARGET] = value
    module.CHECKED_IN[_TARGET] = "_fuzz_table_checks"
    module.dictionary = _dictionary


# --- without coverage -----------------------------------------------------------------------------


def _blind(number: int, runs: int, keep: Path, corpus: Path | None) -> tuple[int, int]:
    """Try changed inputs; return how many, and how many findings."""
    from _fuzz_table_checks import Tables

    from spicealif.errors import SpicealifWarning

    warnings.simplefilter("error")
    warnings.simplefilter("ignore", SpicealifWarning)  # what a reader assumed, in words
    rng = random.Random(number)
    pool = list(_seeds(keep))
    if corpus is not None:
        pool += [path.read_bytes() for path in sorted((corpus / _TARGET).glob("*"))]
    found: set[str] = set()
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as folder:
        check = Tables(Path(folder))
        for _ in range(runs):
            data = _mutated(rng.choice(pool), 2048, rng.randrange(1 << 60), _flipped)
            try:
                check(data)
            except Exception as error:
                frames = traceback.extract_tb(error.__traceback__)[-3:]
                sign = " ".join((type(error).__name__, *(f"{f.name}:{f.lineno}" for f in frames)))
                if sign not in found:
                    found.add(sign)
                    path = keep / f"{_TARGET}-{hashlib.sha256(data).hexdigest()[:12]}"
                    path.write_bytes(data)
                    what = "".join(traceback.format_exception(error))
                    path.with_suffix(".txt").write_text(what, errors="backslashreplace")
                    print(f"found {path}\n    {error}"[:300], flush=True)
    return runs, len(found)


def _flipped(data: bytes, _: int) -> bytes:
    """Change some bytes."""
    rng = random.Random(zlib.crc32(data))
    out = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        if out:
            out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def _run_blind(options: argparse.Namespace) -> int:
    start = time.monotonic()
    options.keep.mkdir(parents=True, exist_ok=True)
    pieces = max(1, options.runs // 5000)
    done = bad = 0
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(_blind, options.seed + k, options.runs // pieces, options.keep,
                        options.corpus)
            for k in range(pieces)
        ]  # fmt: skip
        for job in as_completed(jobs):
            runs, found = job.result()
            done, bad = done + runs, bad + found
            took = time.monotonic() - start
            print(f"{done:,} inputs in {took:.0f} s, {done / took:,.0f}/s, findings {bad}",
                  flush=True)  # fmt: skip
    return int(bad > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--blind", action="store_true")
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--corpus", type=Path)
    chosen, _rest = parser.parse_known_args()
    if chosen.blind:
        sys.exit(_run_blind(chosen))
    _install(fuzz_readers)
    sys.exit(fuzz_readers.main())
