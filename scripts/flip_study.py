"""Flip one bit at a time in everything that is kept, and see whether a result changes in silence.

For each kind of file, each flip ends in one of four ways: the same result without a word (the bit
does not matter, or what was lost is computed again), a sentence (refused or told), another result
without a word, or a process that crashed or hung in HDF5's library. The third must not happen; of a
TOML file that somebody wrote by hand it cannot be told, since any number is a legitimate one: the
last two rows say how often it then would be.

Usage: python scripts/flip_study.py [FLIPS] [SEED]
"""

from __future__ import annotations

import collections
import os
import random
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import tomli_w

from spicealif import load_preset, load_toml, load_waveforms
from spicealif._support.cache import Cache
from spicealif._support.digest import with_digest
from spicealif._support.kinds import signed
from spicealif.design import device_names, load_device
from spicealif.design.store import dump_toml, save_toml
from spicealif.errors import SpicealifError, SpicealifWarning
from spicealif.sweep import Store, Sweep
from spicealif.sweep.files import load_sweep

SAME, TOLD, SILENT, CRASHED = "same", "told", "SILENT", "crashed"
#: Seconds after which reading a file hangs.
PATIENCE = 30


def verdict(read: Callable[[], object], whole: object) -> str:
    """Read in a process of its own, which HDF5 may crash; say what became of it."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os._exit([SAME, TOLD, SILENT].index(_judge(read, whole)))
    _, status = os.waitpid(child, 0)
    return CRASHED if os.WIFSIGNALED(status) else [SAME, TOLD, SILENT][os.WEXITSTATUS(status)]


def _judge(read: Callable[[], object], whole: object) -> str:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = read()
        except SpicealifError:
            return TOLD
    if found == whole:
        return SAME
    return TOLD if any(issubclass(w.category, SpicealifWarning) for w in told) else SILENT


def flipped(path: Path, read: Callable[[], object], flips: int, seed: int) -> collections.Counter:
    """Return how many flips of a file ended in which way."""
    content = path.read_bytes()
    whole = read()
    counts: collections.Counter[str] = collections.Counter()
    draw = random.Random(seed)
    for _ in range(flips):
        damaged = bytearray(content)
        damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        counts[verdict(read, whole)] += 1
        # What was set aside comes back.
        path.write_bytes(content)
    return counts


def waveforms(path: Path) -> object:
    """Return all that a file of waveforms says."""
    w = load_waveforms(path)
    return (
        {n: v.tobytes() for n, v in w.signals.items()},
        (w.time.tobytes(), w.t_spike.tobytes()),
        dict(w.attrs),
    )


def sweep_file(path: Path) -> object:
    """Return all that a file of a sweep says, as a text: NaN is no number's equal."""
    return repr(load_sweep(path).to_dict())


def kinds(folder: Path) -> dict[str, tuple[Path, Callable[[], object]]]:
    """Make a file of each kind; return it and how it is read."""
    neuron = load_preset("lif").replace(t_stop=3e-4)
    store = Store(folder / "store")
    sweep = Sweep(neuron, {"c": [8e-8, 1e-7, 1.2e-7]}, sides="reference", waveforms=True)
    result = sweep.run(store=store, workers=1)
    keys = sweep.keys()
    values = dict(store.find(keys))
    (segment,) = (folder / "store" / "segments").iterdir()
    files = sorted((folder / "store" / "waveforms").iterdir())

    def from_store() -> object:
        found = Store(folder / "store").find(keys)
        # What is missing is computed again.
        return {k: found.get(k, values[k]) for k in keys}

    as_written = files[0].read_bytes()

    def kept_waveforms() -> object:
        key = files[0].stem.rpartition("-")[0]
        whole = Store(folder / "store").has_waveforms(key, values[key])
        return files[0].read_bytes() if whole else as_written  # that is, computed again

    cache = Cache(folder / "cache")
    entry = {"isi_mean": 0.1 + 0.2, "x_final": None, "mean_rate": 4680.0}
    cache.put("ab" * 32, entry)
    (kept,) = (folder / "cache" / "ab").iterdir()

    def from_cache() -> object:
        return Cache(folder / "cache").get("ab" * 32) or entry

    run = files[1]
    run.rename(run_copy := folder / "run.nc")
    with_digest(result).to_netcdf(folder / "sweep.nc", engine="h5netcdf")
    design = save_toml(load_preset("paper"), folder / "neuron.toml")
    plain = folder / "plain.toml"
    plain.write_text(dump_toml(load_preset("paper")), encoding="utf-8")
    device = folder / "device.toml"
    own = folder / "own.toml"
    text = tomli_w.dumps(load_device(device_names()[0]).to_dict())
    device.write_text(signed(text), encoding="utf-8")
    own.write_text(text, encoding="utf-8")
    return {
        "store segment": (segment, from_store),
        "waveform file of the store": (files[0], kept_waveforms),
        "explain cache": (kept, from_cache),
        "netCDF of waveforms": (run_copy, lambda: waveforms(run_copy)),
        "netCDF of a sweep": (folder / "sweep.nc", lambda: sweep_file(folder / "sweep.nc")),
        "design TOML of ours": (design, lambda: load_toml(design).to_dict()),
        "device TOML of a fit": (device, lambda: load_device(device).to_dict()),
        "design TOML by hand": (plain, lambda: load_toml(plain).to_dict()),
        "device TOML by hand": (own, lambda: load_device(own).to_dict()),
    }


def main() -> None:
    """Print a table of all kinds."""
    flips = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(f"{'one bit flipped in':30s} {'size':>8s} {'flips':>6s}", end="")
    print("".join(f"{name:>9s}" for name in (SAME, TOLD, SILENT, CRASHED)))
    with tempfile.TemporaryDirectory() as name:
        for kind, (path, read) in kinds(Path(name)).items():
            counts = flipped(path, read, flips, seed)
            size = path.stat().st_size
            print(f"{kind:30s} {size:8d} {flips:6d}", end="")
            print("".join(f"{counts[n]:9d}" for n in (SAME, TOLD, SILENT, CRASHED)), flush=True)


if __name__ == "__main__":
    main()
