"""Time readers of ngspice raw files side by side.

A synthetic transient (10 variables, float64) is written to a temporary folder. Every reader then
reads it in turn, several rounds over, so that a change in the machine's load meets all of them.
Each is compared with the limit: a plain ``readinto`` of the bytes into a buffer from ``np.empty``.

Run: ``python benchmarks/raw_reader.py --size-gb 1``
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import logging
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from spicealif.simulators.raw import read_raw

N_VARIABLES = 10
NAME = "v(3)"
COLUMN = 3
LIMIT = "plain readinto (the limit)"


def write_file(path: Path, size: float) -> tuple[int, int]:
    """Write the raw file; return the number of points and the offset of the data."""
    n = int(size // (8 * N_VARIABLES))
    lines = "\t0\ttime\ttime\n"
    lines += "".join(f"\t{i}\tv({i})\tvoltage\n" for i in range(1, N_VARIABLES))
    header = (
        "Title: synthetic\nDate: Thu Jan  1 00:00:00  2026\nPlotname: Transient Analysis\n"
        f"Flags: real\nNo. Variables: {N_VARIABLES}\nNo. Points: {n}\nVariables:\n{lines}Binary:\n"
    ).encode()
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(header)
        for first in range(0, n, 100_000):
            count = min(100_000, n - first)
            block = rng.standard_normal((count, N_VARIABLES))
            block[:, 0] = (first + np.arange(count)) * 1e-9
            file.write(block.tobytes())
    return n, len(header)


def readers(path: Path, n: int, start: int) -> dict[str, Callable[[], Any]]:
    """Return the readers that belong in every run."""
    shape = (n, N_VARIABLES)

    def plain() -> Any:
        buffer = np.empty(n * N_VARIABLES)
        view = memoryview(buffer.view(np.uint8))  # type: ignore[arg-type]
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            done = 0
            while done < len(view):
                done += file.readinto(view[done:])
        return buffer

    def ours() -> Any:  # opened anew each time, as the other readers do
        return read_raw(path)[0].read_all()

    def transpose() -> Any:
        data = np.fromfile(path, "<f8", n * N_VARIABLES, offset=start).reshape(shape)
        return np.ascontiguousarray(data.T)

    def memmap() -> Any:
        return np.array(np.memmap(path, "<f8", "r", start, shape)[:, COLUMN])

    return {
        LIMIT: plain,
        "spicealif, all columns": ours,
        "np.fromfile + transpose, all columns": transpose,
        "spicealif, one column": lambda: read_raw(path)[0][NAME],
        "np.memmap, one column": memmap,
    }


def slow_readers(path: Path) -> dict[str, Callable[[], Any]]:
    """Readers of other packages; one that is missing or fails is reported, not timed."""

    def spicelib_all() -> Any:
        from spicelib import RawRead  # type: ignore[import-untyped]

        raw = RawRead(str(path), dialect="ngspice", verbose=False)
        return np.array([raw.get_trace(name).data for name in raw.get_trace_names()])

    def spicelib_one() -> Any:
        from spicelib import RawRead

        raw = RawRead(str(path), traces_to_read=NAME, dialect="ngspice", verbose=False)
        return np.asarray(raw.get_trace(NAME).data)

    def ltspice_all() -> Any:
        import ltspice

        raw = ltspice.Ltspice(str(path))
        raw.parse()
        return np.array([np.ravel(raw.get_data(name)) for name in raw.variables])

    def pyspice_all() -> Any:
        from PySpice.Spice.NgSpice.RawFile import RawFile

        content = path.read_bytes()
        head, mark, data = content.partition(b"Binary:\n")
        # the parser expects what "ngspice -s" prints on its standard output
        head = b"Circuit: x\nDoing analysis at TEMP = 27.0 and TNOM = 27.0\n" + head.replace(
            b"Variables:\n\t0", b"Variables:\nNo. of Data Columns : 10\n\t0"
        )
        n = int(head.partition(b"No. Points: ")[2].split()[0])
        raw = RawFile(head + mark + data, n)
        return np.array([variable.data for variable in raw.variables.values()])

    return {
        "spicelib, all columns": spicelib_all,
        "spicelib, one column": spicelib_one,
        "ltspice, all columns": ltspice_all,
        "PySpice, all columns": pyspice_all,
    }


def check(result: Any, expected: np.ndarray) -> None:
    """Raise ValueError where a reader gave something else than the file holds."""
    got = np.asarray(result)
    column = got[COLUMN] if got.ndim == 2 else got
    if got.size != N_VARIABLES * expected.size and got.ndim != 1:
        raise ValueError("wrong number of values")
    if column.size == expected.size and not np.array_equal(column, expected):
        raise ValueError("wrong values")


def try_readers(
    candidates: dict[str, Callable[[], Any]], expected: np.ndarray
) -> tuple[dict[str, Callable[[], Any]], dict[str, str]]:
    """Run each reader once; return those that work, and why the others do not."""
    working: dict[str, Callable[[], Any]] = {}
    failed: dict[str, str] = {}
    for name, reader in candidates.items():
        try:
            check(reader(), expected)
        except Exception as error:  # noqa: BLE001, RUF100 - whatever another package raises
            reason = str(error).split("\n")[0][:60]
            failed[name] = f"{type(error).__name__}: {reason}"
        else:
            working[name] = reader
        gc.collect()
    return working, failed


def measure(
    working: dict[str, Callable[[], Any]], rounds: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Wall and CPU seconds of every reader, one after the other in each round."""
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in working}
    for _ in range(rounds):
        for name, reader in working.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            result = reader()
            times[name][0].append(time.perf_counter() - wall)
            times[name][1].append(time.process_time() - cpu)
            del result
    return times


def print_table(times: dict[str, tuple[list[float], list[float]]], failed: dict[str, str]) -> None:
    limit = times[LIMIT]
    print(
        f"{'reader':38} {'wall ms':>9} {'CPU ms':>9} {'CPU x':>6} {'wall x':>7} {'range of it':>13}"
    )
    for name, (wall, cpu) in times.items():
        # the ratio of each round, not of the medians: both readers then met the same load
        ratios = [w / w0 for w, w0 in zip(wall, limit[0], strict=True)]
        cpu_ratio = statistics.median(c / c0 for c, c0 in zip(cpu, limit[1], strict=True))
        print(
            f"{name:38} {statistics.median(wall) * 1e3:9.1f} {statistics.median(cpu) * 1e3:9.1f} "
            f"{cpu_ratio:6.2f} {statistics.median(ratios):7.2f} "
            f"{min(ratios):6.2f}-{max(ratios):.2f}"
        )
    for name, reason in failed.items():
        print(f"{name:38} skipped: {reason}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--size-gb", type=float, default=1.0, help="size of the file (default 1)")
    parser.add_argument("--rounds", type=int, default=9, help="repetitions (default 9)")
    parser.add_argument("--skip-slow", action="store_true", help="leave other packages out")
    parser.add_argument("--folder", type=Path, default=None, help="where to write the file")
    options = parser.parse_args()
    size = options.size_gb * 1e9
    if size < 1e4 or options.rounds < 1:
        parser.error("--size-gb must be at least 1e-5 and --rounds at least 1")
    free = shutil.disk_usage(options.folder or tempfile.gettempdir()).free
    if free < 1.2 * size + 1e9:
        print(
            f"{free / 1e9:.1f} GB free is too little for a file of {size / 1e9:g} GB; "
            "pass --folder or a smaller --size-gb.",
            file=sys.stderr,
        )
        return 1
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="raw_reader_", dir=options.folder) as folder:
        path = Path(folder) / "synthetic.raw"
        n, start = write_file(path, size)
        expected = np.array(np.memmap(path, "<f8", "r", start, (n, N_VARIABLES))[:, COLUMN])
        candidates = readers(path, n, start)
        if not options.skip_slow:
            candidates |= slow_readers(path)
        working, failed = try_readers(candidates, expected)
        times = measure(working, options.rounds)
    versions = [f"python {sys.version.split()[0]}"]
    for package in ("numpy", "spicelib", "ltspice", "PySpice"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    print(f"{size / 1e9:g} GB, {N_VARIABLES} variables, {n:,} points, {options.rounds} rounds")
    print(", ".join(versions))
    print_table(times, failed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
