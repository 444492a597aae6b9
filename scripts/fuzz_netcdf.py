"""Fuzzing of the readers of results: mutated netCDF through ``compare`` and ``plot``.

Files that spicealif wrote (waveforms of both sides, sweeps, prototypes) are mutated, either in what
HDF5 says (attributes and variables removed, retyped, renamed, emptied, filled with NaN, infinity or
huge numbers; links, external and virtual data, packed and huge arrays put in) or in their bytes
(bits flipped, pieces cut, zeroed, doubled). Each goes through `load_result`, `compare` and the
figure of ``spicealif plot``: only SpicealifError may come out, as one printable line, without a
warning, and within bounds of memory. Inputs are tried in children, so that a crash of the HDF5
library is counted and not suffered::

    python scripts/fuzz_netcdf.py --runs 20000 --seed 1
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import gc
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np

#: Memory that an input may take: so much, and so much a byte of it.
PEAK, PEAK_PER_BYTE = 160 << 20, 10
#: Processor time that an input may take, and time at all, on a busy machine, in s.
SECONDS, WALL = 10.0, 240.0
#: A figure is drawn of one input in so many.
DRAWN = 40


def main() -> int:
    """Run the fuzzer; return 1 if anything but a documented error came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--kind", choices=("both", "said", "bytes"), default="both")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-netcdf-") as name:
        folder = Path(name)
        seeds = _seeds(folder)
        tally: collections.Counter[str] = collections.Counter()
        findings = []
        at = 0
        shared = mmap.mmap(-1, 16)
        while at < options.runs and time.monotonic() - begun < options.seconds:
            shared[:8] = struct.pack("<q", at)
            child = os.fork()
            if child == 0:
                os._exit(_work(folder, seeds, at, options, shared, begun))
            _, status = os.waitpid(child, 0)
            reached = struct.unpack("<q", shared[:8])[0]
            _collect(folder, tally, findings)
            if status:
                died = os.WIFSIGNALED(status)
                what = signal.Signals(os.WTERMSIG(status)).name if died else "took too long"
                tally[f"CRASHED {what}"] += 1
                findings.append(f"run {reached}: {what}")
                at = reached + 1
            else:
                at = options.runs
    took = time.monotonic() - begun
    print(f"{sum(tally.values())} inputs in {took:.0f} s")
    for outcome, count in tally.most_common():
        print(f"{count:8d}  {outcome}")
    print(*findings, sep="\n")
    return bool(findings)


def _work(
    folder: Path, seeds: list[Path], at: int, options: Any, shared: mmap.mmap, begun: float
) -> int:
    """Try inputs from number `at` on, in a child."""
    tally: collections.Counter[str] = collections.Counter()
    findings: list[str] = []
    warnings.simplefilter("error")
    sys.unraisablehook = lambda u: findings.append(f"ignored: {u.exc_value!r} in {u.object!r}")
    for k in range(at, options.runs):
        if time.monotonic() - begun > options.seconds:
            break
        shared[:8] = struct.pack("<q", k)
        rng = random.Random(f"{options.seed} {k}")
        path = folder / "x.nc"
        shutil.copy(rng.choice(seeds), path)
        said = options.kind == "said" or (options.kind == "both" and rng.random() < 0.6)
        how = _mutate_said(path, rng) if said else _mutate_bytes(path, rng)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        n = len(findings)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # its signal ends the child
        faulthandler.dump_traceback_later(WALL, exit=True)
        try:
            outcome = _check(path, rng)
        except Exception as error:
            outcome = f"ESCAPED {type(error).__name__}"
            where = traceback.extract_tb(error.__traceback__)[-1]
            findings.append(
                f"run {k} ({how}): {type(error).__name__}: {str(error)[:120]} "
                f"at {Path(where.filename).name}:{where.lineno}"
            )
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
        grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        if grown > PEAK + PEAK_PER_BYTE * path.stat().st_size:
            findings.append(f"run {k} ({how}): took {grown >> 20} MB")
        if k % 50 == 0:
            gc.collect()
        if len(findings) > n and len(findings) > 200:
            break
        tally[outcome] += 1
        with (folder / "tally").open("a") as file:
            file.write(f"{outcome}\n")
        for text in findings[n:]:
            with (folder / "findings").open("a") as file:
                file.write(" ".join(text.split()) + "\n")
    return 0


def _collect(folder: Path, tally: collections.Counter[str], findings: list[str]) -> None:
    for name in ("tally", "findings"):
        path = folder / name
        if not path.exists():
            continue
        lines = path.read_text().splitlines()
        path.unlink()
        if name == "tally":
            tally.update(lines)
        else:
            findings += lines


def _check(path: Path, rng: random.Random) -> str:
    """Put a file through everything; return what became of it."""
    from spicealif import compare, load_preset, load_result
    from spicealif.cli.plot import _slice
    from spicealif.errors import SpicealifError
    from spicealif.plots import overlay_figure, save_figure
    from spicealif.sweep.files import load_sweep

    outcomes = []
    draw = rng.randrange(DRAWN) == 0
    try:
        waveforms = load_result(path)
        whole = _REFERENCE[0]
        neuron = load_preset("paper").replace(t_stop=1e-3) if rng.random() < 0.3 else None
        result = compare(waveforms, whole, neuron)
        _printable(str(result))
        result.to_dict()
        result._repr_html_()
        if draw:
            save_figure(overlay_figure(result), path.with_suffix(".png"))
        outcomes.append("compared")
    except SpicealifError as error:
        outcomes.append(_sentence(error))
    try:
        dataset = _slice(load_sweep(path), ())
        _figure(dataset, path, draw or rng.random() < 0.06)
        outcomes.append("drawn")
    except SpicealifError as error:
        outcomes.append(_sentence(error))
    return " | ".join(outcomes)


def _figure(dataset: Any, path: Path, draw: bool) -> None:
    from click.testing import CliRunner

    from spicealif.cli.main import cli

    if not draw:
        return
    done = CliRunner().invoke(
        cli, ["plot", str(path), "-o", str(path.with_suffix(".png"))], standalone_mode=False
    )
    if done.exception is not None:
        raise done.exception


_REFERENCE: list[Any] = []


def _printable(text: str) -> None:
    for line in text.split("\n"):
        if not line.isprintable():
            raise AssertionError(f"control characters are printed: {line!r}")


def _sentence(error: Exception) -> str:
    """Check an error's text, and return what it is."""
    text = str(error)
    if len(text.splitlines()) != 1 or not text.isprintable() or not text.endswith("."):
        raise AssertionError(f"not one printable sentence: {text!r}")
    first = text.lstrip("'")[:1]
    if not (text.startswith("'") or first.isupper() or not first.isalpha() or "_" in text[:12]):
        raise AssertionError(f"no capital: {text!r}")
    if "; " not in text:
        raise AssertionError(f"no remedy: {text!r}")
    return type(error).__name__


# ------------------------------------------------------------------------------- mutations


def _mutate_said(path: Path, rng: random.Random) -> str:
    """Change what HDF5 says of a file."""
    how = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        action = rng.choice(_ACTIONS)
        how.append(action.__name__)
        try:
            with h5py.File(path, "r+") as file:
                action(file, rng)
        except Exception:
            how[-1] += "(no)"
    return "+".join(how)


def _member(file: Any, rng: random.Random) -> str:
    return str(rng.choice(list(file)))


_FILE = "preset='paper'\n[stimulus]\nfile='/etc/passwd'"
_VALUES = (
    0, -1, 2**63 - 1, 1e308, -1e308, 1e200, float("nan"), float("inf"), "", "x",
    "\x1b[2J\x1b[31mred", "a\nb", "\u202egnp", "$\\frac{", "preset = 'paper'", _FILE,
    "preset='paper'\nleak.file='/dev/zero'", "[" * 500, "a." * 5000 + "b=1", np.arange(3),
    np.array([], float), np.array(["a", "b"], object), b"\xff\xfe", np.bool_(True), 1 + 2j,
    "t_stop = 1e-3", "name = 3", np.array([[1.0]]), h5py.Empty("f8"), "1" * 20000, "caf\xe9",
)  # fmt: skip


def _attribute_changed(file: Any, rng: random.Random) -> None:
    target = file if rng.random() < 0.5 else file[_member(file, rng)]
    names = list(target.attrs) or ["side"]
    name = rng.choice([*names, "side", "simulator", "caveat", "taken", "design", "kind", "units"])
    if name in target.attrs:
        del target.attrs[name]
    target.attrs[name] = rng.choice(_VALUES)


def _attribute_removed(file: Any, rng: random.Random) -> None:
    target = file if rng.random() < 0.5 else file[_member(file, rng)]
    del target.attrs[rng.choice(list(target.attrs))]


def _variable_removed(file: Any, rng: random.Random) -> None:
    del file[_member(file, rng)]


def _variable_renamed(file: Any, rng: random.Random) -> None:
    file.move(
        _member(file, rng), rng.choice(("x", "time", "t_spike", "status", "\x1b[2J", "a b", "side"))
    )


def _values_changed(file: Any, rng: random.Random) -> None:
    data = file[_member(file, rng)]
    if data.dtype.kind == "O":
        data[...] = rng.choice(("", "\x1b[31m", "ok", "failed", "\u202e", "x" * 5000))
        return
    values = data[...]
    bad = rng.choice((np.nan, np.inf, -np.inf, 1e308, -1e308, 1e200, 0.0, -1.0, 1e-320))
    if rng.random() < 0.5 or not values.size:
        values[...] = bad
    else:
        values.reshape(-1)[rng.randrange(values.size)] = bad
    data[...] = values


def _values_scaled(file: Any, rng: random.Random) -> None:
    data = file[_member(file, rng)]
    with np.errstate(all="ignore"):
        data[...] = data[...] * rng.choice((1e200, 1e-200, -1, 1e3, 0))


def _retyped(file: Any, rng: random.Random) -> None:
    name = _member(file, rng)
    old = file[name]
    n = old.shape
    del file[name]
    kind = rng.choice(
        ("f4", "i4", "u1", "c16", "S5", "O", ">f8", "vlen", "ref", "bool", "scalar", "2d")
    )
    if kind == "O":
        file.create_dataset(name, n, h5py.string_dtype())
    elif kind == "vlen":
        file.create_dataset(name, n, h5py.vlen_dtype(np.float64))
    elif kind == "ref":
        file.create_dataset(name, n, h5py.ref_dtype)
    elif kind == "scalar":
        file[name] = 1.0
    elif kind == "2d":
        file[name] = np.zeros((3, 3))
    else:
        file.create_dataset(name, n, kind)
    if rng.random() < 0.7 and "time" in file and name != "time" and kind not in ("scalar", "2d"):
        file[name].dims[0].attach_scale(file["time"])


def _resized(file: Any, rng: random.Random) -> None:
    name = _member(file, rng)
    old = file[name][...]
    del file[name]
    file[name] = old.reshape(-1)[: rng.choice((0, 1, 2, max(0, old.size - 1)))]
    if rng.random() < 0.7:
        file[name].dims[0].attach_scale(file["time"]) if name != "time" else file[name].make_scale()


def _huge(file: Any, rng: random.Random) -> None:
    name = rng.choice([_member(file, rng), "y"])
    if name in file:
        del file[name]
    shape = rng.choice(((2**33,), (2**31, 2**10), (10**7,)))
    file.create_dataset(
        name,
        shape,
        "f8",
        fillvalue=1.0,
        chunks=rng.choice((None, (2**20,) if len(shape) == 1 else True)),
    )


def _packed(file: Any, rng: random.Random) -> None:
    name = _member(file, rng)
    n = rng.choice((10**5, 4 * 10**6))
    del file[name]
    file.create_dataset(name, data=np.zeros(n), compression="gzip", chunks=(n,))


def _bomb(file: Any, rng: random.Random) -> None:
    import zlib

    name = _member(file, rng)
    n = file[name].shape[0]
    del file[name]
    data = file.create_dataset(name, (n,), "f8", compression="gzip", chunks=(n,))
    data.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 25)))
    data.dims[0].attach_scale(file["time"])


def _shared_text(file: Any, rng: random.Random) -> None:
    """Many elements of an array that are one long text in the file."""
    n = 20_000
    data = file.create_dataset("reason" if "reason" not in file else "y", (n,), h5py.string_dtype())
    data[0] = "x" * 60_000
    offset = data.id.get_offset()
    name = file.filename
    file.flush()
    with open(name, "r+b") as raw:  # noqa: PTH123
        raw.seek(offset)
        element = raw.read(16)
        raw.seek(offset)
        raw.write(element * n)


def _external_link(file: Any, rng: random.Random) -> None:
    name = _member(file, rng)
    del file[name]
    file[name] = rng.choice(
        (h5py.ExternalLink("/etc/passwd", "/x"), h5py.SoftLink("/nowhere"), h5py.SoftLink("/"))
    )


def _external_data(file: Any, rng: random.Random) -> None:
    name = _member(file, rng)
    n = file[name].shape[0]
    del file[name]
    file.create_dataset(name, (n,), "f8", external=[("/etc/passwd", 0, 8 * n)])


def _virtual(file: Any, rng: random.Random) -> None:
    name = _member(file, rng)
    n = file[name].shape[0]
    del file[name]
    layout = h5py.VirtualLayout((n,), "f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (n,))
    file.create_virtual_dataset(name, layout)


def _group(file: Any, rng: random.Random) -> None:
    inner = file.create_group("g")
    inner["loop"] = file["/"]


def _many(file: Any, rng: random.Random) -> None:
    for k in range(rng.choice((50, 500))):
        file.create_dataset(f"v{k}", (1,), "f8")


def _hard_link(file: Any, rng: random.Random) -> None:
    file[rng.choice(("y", "x2", "status"))] = file[_member(file, rng)]


_ACTIONS = (
    _attribute_changed, _attribute_changed, _attribute_changed, _attribute_removed,
    _variable_removed, _variable_renamed, _values_changed, _values_changed, _values_scaled,
    _retyped, _resized, _huge, _packed, _bomb, _shared_text, _external_link, _external_data,
    _virtual, _group, _many, _hard_link,
)  # fmt: skip


def _mutate_bytes(path: Path, rng: random.Random) -> str:
    """Change a file's bytes, most often where HDF5 keeps its own."""
    data = bytearray(path.read_bytes())
    kind = rng.choice(("flip", "flip", "flip", "byte", "byte", "zero", "cut", "double", "swap"))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(min(len(data), rng.choice((512, 4096, 16384, len(data)))))
        length = rng.choice((1, 2, 4, 8, 64, 1024))
        if kind == "flip":
            data[at] ^= 1 << rng.randrange(8)
        elif kind == "byte":
            data[at] = rng.choice((0, 1, 255, 127, 128, rng.randrange(256)))
        elif kind == "zero":
            data[at : at + length] = bytes(len(data[at : at + length]))
        elif kind == "cut":
            del data[at : at + length]
        elif kind == "double":
            data[at:at] = data[at : at + length]
        else:
            other = rng.randrange(len(data))
            data[at], data[other] = data[other], data[at]
    if rng.random() < 0.1:
        del data[rng.randrange(len(data)) :]
    path.write_bytes(data)
    return kind


def _seeds(folder: Path) -> list[Path]:
    """Write the files that are mutated: waveforms of both sides, and sweeps of three kinds."""
    from click.testing import CliRunner

    from spicealif import load_preset, simulate, solve_reference
    from spicealif.cli.main import cli

    neuron = load_preset("paper").replace(t_stop=0.3e-3)
    _REFERENCE.append(solve_reference(neuron))
    paths = [
        _REFERENCE[0].save(folder / "reference.nc"),
        simulate(neuron).require().between(0.1e-3, 0.2e-3).save(folder / "circuit.nc"),
    ]
    common = ("--sides", "reference", "--store", str(folder / "store"), "-s", "t_stop=0.3m", "-q")
    for name, options in (
        ("grid", ("--over", "c=47n,100n,220n", "--over", "leak.tau=1m,2m", "--spikes")),
        ("line", ("--over", "c=47n,100n")),
        ("prototypes", ("--experiment", "prototypes", "-n", "6", "--varies", "reference")),
    ):
        path = folder / f"{name}.nc"
        done = CliRunner().invoke(
            cli, ["sweep", "paper", *options, *common, "-o", str(path)], standalone_mode=False
        )
        if done.exception is not None:
            raise done.exception
        paths.append(path)
    return paths


if __name__ == "__main__":
    sys.exit(main())
