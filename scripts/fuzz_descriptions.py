"""Fuzzing of what a person writes: numbers, and designs in TOML.

    .venv/bin/python scripts/fuzz_descriptions.py                       # 100,000 of each
    .venv/bin/python scripts/fuzz_descriptions.py --target toml --runs 1000000 --jobs 2

Whatever the text is, only the documented error may escape (`ValueError` of `parse_quantity`,
`DesignError` of `parse_toml`); its message is one printable line with a remedy. What a refusal says
to write is read. What is accepted is what the digits and one power of ten say, and a design is the
same again after it was written out. Warnings count as findings.

Inputs are made from what people write, by changes that know the format (`scripts/fuzz_readers.py`
does the raw files, guided by coverage). A finding is kept once for each place in the code, in the
folder of ``--keep``. Exit code: 0 if nothing was found, 1 if something was.
"""

# ruff: noqa: E501 (tables of one row a line)
from __future__ import annotations

import argparse
import hashlib
import random
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from spicealif.design import dump_toml, load_preset, parse_toml
from spicealif.errors import DesignError
from spicealif.quantities.grammar import parse_quantity
from spicealif.quantities.units import PREFIXES, UNITS

__all__ = ["quantity", "run", "toml"]

_SLOW = 5.0  # seconds for one input


class Violated(AssertionError):
    """Something does not hold that must."""


def _hold(truth: object, what: str) -> None:
    if not truth:
        raise Violated(what)


# ---------------------------------------------------------------- numbers


def quantity(text: str, unit: str) -> None:
    """Check what becomes of a text in a unit."""
    try:
        value = parse_quantity(text, unit)
    except ValueError as error:
        _check_refusal(str(error), unit)
        return
    _hold(abs(value) <= sys.float_info.max, f"{text!r} is {value}")
    _hold(not re.search(r"[,_']", text), f"{text!r} in {unit!r} was read as {value}")
    spelled = text.replace("\u2212", "-").replace("\u00b5", "u").replace("\u03bc", "u")
    digits = "".join(c for c in spelled if c.isascii())
    number = re.match(r"[ \t\r\n]*([-+]?[0-9.]*(?:[eE][-+]?[0-9]+)?)", digits)
    assert number is not None
    if unit == "K" and re.search("deg|\u00b0|\u2103|[cC]elsius", text):
        _hold(
            abs(value - 273.15 - float(number[1])) < 1e-6 * (1 + abs(value)), f"{text!r}: {value}"
        )
        return
    rkm = re.match(r"[ \t\r\n]*([-+]?[0-9]*)([A-Za-z]?)([0-9]+)", digits)
    readings = [number[1]] if re.search("[0-9]", number[1]) else []
    if rkm is not None and not re.search(r"[.eE][-+0-9]", text):
        readings.append(f"{rkm[1]}.{rkm[3]}")
        readings.append(f"{rkm[1]}0.{rkm[3]}" if not rkm[1].strip("+-") else f"{rkm[1]}.{rkm[3]}")
    _hold(any(_by_power(reading, value) for reading in readings), f"{text!r} in {unit!r}: {value}")


def _by_power(reading: str, value: float) -> bool:
    """Return whether a value is the number read times a power of ten from f to T (by units 1e12)."""
    try:
        exact = Fraction(reading)
    except ValueError:
        return False
    if exact == 0 or value == 0:
        return exact == value
    return any(float(exact * Fraction(10) ** p) == value for p in range(-15, 25, 3))


def _check_refusal(message: str, unit: str) -> None:
    _hold(message.startswith("is "), message)
    _hold(message.isprintable() and message.isascii(), ascii(message))
    head, _, remedy = message.rpartition("; ")
    _hold(head and re.match("(write|give) ", remedy), f"no remedy: {message}")
    for text in re.findall(r"'([^']+)'", remedy.partition("such as")[0]):
        if text not in UNITS and text != "-":
            _hold(abs(parse_quantity(text, unit)) < float("inf"), f"{text!r} after {message}")


_PIECES = (
    *("0", "1", "4", "7", "22", "47", "300", "27", "000", "1e3", "1e-7", "1E5", "e", "E", "e999"),
    *(
        ".",
        ",",
        "-",
        "+",
        "\u2212",
        "\u2013",
        " ",
        "\u00a0",
        "_",
        "'",
        "%",
        "/",
        "1/s",
        "/us",
        "^2",
    ),
    *PREFIXES,
    *(spelling for u in UNITS.values() for spelling in u.spellings),
    *("c", "d", "da", "h", "a", "P", "E", "Z", "Y", "mil", "x10", "degC", "\u00b0C", "\u2103", "C"),
    *(
        "\uff11",
        "\u0663",
        "\u00b2",
        "nan",
        "inf",
        "Infinity",
        "j",
        "\0",
        "\n",
        "\u2028",
        "\U0001f600",
    ),
)


def _some_number(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        text = f"{rng.choice(_PIECES[:11])}{rng.choice(('', '.', '.5', ',5'))}"
        text += rng.choice(("", " ")) + rng.choice(tuple(PREFIXES) + ("",) * 4)
        return text + rng.choice(("", "", " ")) + rng.choice(_PIECES)
    if kind < 0.5:
        return f"{rng.randrange(100)}{rng.choice('RkKMGTpnumFVAs')}{rng.randrange(1000)}"
    return "".join(rng.choice(_PIECES) for _ in range(rng.randrange(1, 7)))


def _quantity_input(rng: random.Random) -> tuple[str, str]:
    text = _some_number(rng)
    if rng.random() < 0.1:
        k = rng.randrange(len(text) + 1)
        text = text[:k] + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) + text[k:]
    return text, rng.choice(tuple(UNITS))


# ---------------------------------------------------------------- designs


def toml(text: str) -> None:
    """Check what becomes of a design as TOML."""
    start = time.process_time()
    try:
        neuron = parse_toml(text)
    except DesignError as error:
        message = str(error)
        _hold(message.isprintable() and len(message.splitlines()) == 1, ascii(message))
        _hold(message.endswith(".") and "; " in message, f"no remedy: {ascii(message)}")
    else:
        _hold(parse_toml(dump_toml(neuron)) == neuron, "not the same after writing")
    _hold(time.process_time() - start < _SLOW, "slow")


_SEEDS = (
    *(dump_toml(load_preset(name)) for name in ("paper", "lif")),
    'preset = "paper"\nname = "wide"\nc = "220n"\nv_th = 0.35\nv_low = 0.04\n\n[leak]\ntau = "8m"\n\n'
    '[hysteresis]\nseries = "E24"\n\n[mosfet]\nkind = "ideal"\n\n[stimulus]\nkind = "pwl"\n'
    "t = [0, 1e-3, 1.1e-3]\ni = [0, 0, 1e-3]\n",
    'preset = "paper"\n[leak]\npreset = "gmms_knowm"\nr_on = "1k"\n',
    'preset = "lif"\ntemperature = "27 degC"\n[stimulus]\nkind = "sum"\n'
    'terms = [{kind = "constant", amplitude = "1m"}, {kind = "sine", amplitude = 1e-4, frequency = "1k"}]\n',
    'preset = "paper"\n[leak]\nkind = "vteam"\nr_on = 500\nr_off = "10k"\nv_on = 0.2\nv_off = 0.02\n'
    "k_on = 333\nk_off = 0.02\n",
)
_LITERALS = (
    *(
        "true",
        "false",
        "nan",
        "inf",
        "-inf",
        "0",
        "-1",
        "1e308",
        "5e-324",
        "0x10",
        "1_000",
        "1979-05-27",
    ),
    *("[]", "{}", "[1, 2]", '""', '"paper"', "[[1]]", "{kind = 1}", "{a = {b = {}}}", "'''x'''"),
    *(
        '"\\u0000"',
        '"\\n"',
        "9" * 400,
        "1" + "0" * 30,
        "07:32:00",
        '"é"',
        '{kind = "sine"}',
        '"E24"',
    ),
    *(
        '"mms"',
        '"vteam"',
        '"gmms"',
        '"ideal"',
        '"op482"',
        '"constant"',
        '"memristor"',
        '"resistor"',
    ),
)


def _toml_input(rng: random.Random) -> tuple[str]:
    lines = rng.choice(_SEEDS).splitlines()
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        k = rng.randrange(len(lines)) if lines else 0
        what = rng.random()
        if not lines or what < 0.05:
            lines.insert(
                k, rng.choice(("[leak]", "[a.b]", "[[x]]", "x", "=", "leak = 1", "\ufeff", "#"))
            )
        elif what < 0.65 and "=" in lines[k]:
            key = lines[k].partition("=")[0]
            value = rng.choice(_LITERALS)
            if rng.random() < 0.5:
                written = _some_number(rng)
                plain = written.isprintable() and not set(written) & {'"', "\\"}
                value = f'"{written}"' if plain else written
            lines[k] = f"{key}= {value}"
        elif what < 0.75:
            del lines[k]
        elif what < 0.85:
            lines.insert(k, rng.choice(rng.choice(_SEEDS).splitlines() or [""]))
        elif what < 0.95:
            line = lines[k]
            at = rng.randrange(len(line) + 1)
            lines[k] = (
                line[:at] + chr(rng.choice((rng.randrange(128), 0x2028, 0xFEFF))) + line[at + 1 :]
            )
        else:
            rng.shuffle(lines)
    return ("\n".join(lines),)


# ---------------------------------------------------------------- runs

_TARGETS: dict[str, tuple[Callable[..., None], Callable[[random.Random], tuple[str, ...]]]] = {
    "quantity": (quantity, _quantity_input),
    "toml": (toml, _toml_input),
}


def run(
    target: str,
    runs: int,
    seed: int = 1,
    keep: Path | None = None,
    seconds: float = float("inf"),
) -> tuple[int, dict[str, str]]:
    """Try so many inputs; return the findings, by where they come from.

    Parameters
    ----------
    target : {"quantity", "toml"}
    runs : int
    seed : int
        The same seed tries the same inputs.
    keep : Path, optional
        Folder for the inputs that something was found with.
    seconds : float
        Time after which no other input is tried.

    Returns
    -------
    tried : int
    found : dict of str to str
        What was found.
    """
    check, make = _TARGETS[target]
    rng = random.Random(f"{target} {seed}")
    found: dict[str, str] = {}
    tried, end = 0, time.monotonic() + seconds
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        while tried < runs and (tried % 64 or time.monotonic() < end):
            tried += 1
            given = make(rng)
            try:
                check(*given)
            except Exception as error:  # whatever escapes is a finding
                _note(found, target, given, error, keep)
    return tried, found


def _note(
    found: dict[str, str], target: str, given: tuple[str, ...], error: Exception, keep: Path | None
) -> None:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{Path(f.filename).name}:{f.lineno}" for f in frames if "spicealif" in f.filename]
    sign = " ".join((type(error).__name__, *ours[-1:], f"{frames[-1].name}:{frames[-1].lineno}"))
    if sign in found:
        return
    found[sign] = f"{given!r}: {error}"[:500]
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(repr(given).encode(errors="replace")).hexdigest()[:12]
        (keep / f"{target}-{name}.txt").write_text(
            f"{given!r}\n{''.join(traceback.format_exception(error))}", errors="backslashreplace"
        )


def main() -> int:
    """Fuzz."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    add = parser.add_argument
    add("--target", action="append", choices=list(_TARGETS), help="all if not given")
    add("--runs", type=int, default=100_000, help="inputs for each target (default: 100000)")
    add("--seconds", type=float, default=float("inf"), help="at most, for each target")
    add("--jobs", type=int, default=1, help="processes (default: 1)")
    add("--seed", type=int, default=1, help="of the random choices (default: 1)")
    add("--keep", type=Path, default=Path("fuzz-findings"), metavar="FOLDER", help="for findings")
    options = parser.parse_args()
    bad = 0
    for target in options.target or list(_TARGETS):
        start = time.monotonic()
        share = -(-options.runs // options.jobs)
        found: dict[str, str] = {}
        tried = 0
        with ProcessPoolExecutor(options.jobs) as pool:
            seeds = range(options.seed * 1000, options.seed * 1000 + options.jobs)
            jobs = [
                pool.submit(run, target, share, seed, options.keep, options.seconds)
                for seed in seeds
            ]
            for job in jobs:
                count, part = job.result()
                tried += count
                found |= part
        took = time.monotonic() - start
        print(f"{target}: {tried:,} inputs in {took:.0f} s, {len(found)} findings")
        for sign, what in found.items():
            print(f"  {sign}\n    {what}")
        bad += len(found)
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
