"""Time readers of raw files side by side, and measure the memory that one column takes.

Synthetic transients are written to a temporary folder, one at a time: one of ngspice, one of
LTspice in double precision and one of LTspice by default (float64 times, float32 values). Every
reader reads each of them in turn, several rounds over, so that a change in the machine's load
meets all of them. All columns are compared with the limit, a plain ``readinto`` of the bytes into
a buffer from ``np.empty``; one column with a copy of it out of ``np.memmap``. Then a process of
its own reads one column of a file with a hole, of 10 GB unless told, and its largest resident
memory is shown.

Run: ``python benchmarks/raw_reader.py --size-gb 1``
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.metadata
import io
import logging
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from spicealif.rawfile.raw import read_raw

N_VARIABLES = 10
NAME = "v(3)"
COLUMN = 3
LIMIT = "plain readinto (the limit of all)"
MEMMAP = "np.memmap, one column (its limit)"
#: Enough variables that a column of a 10 GB file is smaller than 300 MB.
SPARSE_VARIABLES = 100
#: Dialect, its encoding, the words after "real" on its Flags line, and the type of the values.
FLAVOURS = {
    "ngspice": ("utf-8", "", np.dtype("<f8")),
    "ltspice-double": ("utf-16-le", " double forward", np.dtype("<f8")),
    "ltspice": ("utf-16-le", " forward", np.dtype("<f4")),
}

Readers = dict[str, Callable[[], Any]]


def header(flavour: str, n: int, n_variables: int = N_VARIABLES) -> bytes:
    """Return a header."""
    encoding, flags, _ = FLAVOURS[flavour]
    lines = "\t0\ttime\ttime\n"
    lines += "".join(f"\t{i}\tv({i})\tvoltage\n" for i in range(1, n_variables))
    command = "Offset: 0\nCommand: Linear Technology Corporation LTspice XVII\n"
    return (
        "Title: synthetic\nDate: Thu Jan  1 00:00:00  2026\nPlotname: Transient Analysis\n"
        f"Flags: real{flags}\nNo. Variables: {n_variables}\nNo. Points: {n}\n"
        f"{command if flags else ''}Variables:\n{lines}Binary:\n"
    ).encode(encoding)


def row_type(flavour: str, n_variables: int = N_VARIABLES) -> np.dtype[Any]:
    """Return the type of one point."""
    rest = FLAVOURS[flavour][2]
    return np.dtype([("time", "<f8")] + [(f"v({i})", rest) for i in range(1, n_variables)])


def write_file(path: Path, flavour: str, size: float) -> tuple[int, int]:
    """Write the raw file; return the number of points and the offset of the data."""
    row = row_type(flavour)
    n = int(size // row.itemsize)
    head = header(flavour, n)
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(head)
        for first in range(0, n, 100_000):
            count = min(100_000, n - first)
            block = np.empty(count, row)
            for name in row.names[1:]:
                block[name] = rng.standard_normal(count)
            block["time"] = (first + np.arange(count)) * 1e-9
            file.write(block.tobytes())
    return n, len(head)


def readers(path: Path, flavour: str, n: int, start: int) -> Readers:
    """Return the readers that belong in every run."""
    row = row_type(flavour)

    def plain() -> Any:
        buffer = np.empty(n * row.itemsize, np.uint8)
        view = memoryview(buffer)  # type: ignore[arg-type]
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            done = 0
            while done < len(view):
                done += file.readinto(view[done:])
        return buffer

    def ours() -> Any:  # opened anew each time, as the other readers do
        return read_raw(path)[0].read_all()

    def transpose() -> Any:
        data = np.fromfile(path, row, n, offset=start)
        return [np.ascontiguousarray(data[name]) for name in row.names]

    def memmap() -> Any:
        return np.array(np.memmap(path, row, "r", start, (n,))[NAME])

    return {
        LIMIT: plain,
        "spicealif, all columns": ours,
        "np.fromfile + transpose, all columns": transpose,
        MEMMAP: memmap,
        "spicealif, one column": lambda: read_raw(path)[0][NAME],
    }


def slow_readers(path: Path, flavour: str) -> Readers:
    """Readers of other packages; one that is missing or fails is reported, not timed."""
    dialect = flavour.partition("-")[0]

    def spicelib_all() -> Any:
        from spicelib import RawRead  # type: ignore[import-untyped]

        raw = RawRead(str(path), traces_to_read="*", dialect=dialect, verbose=False)
        return [np.ascontiguousarray(raw.get_trace(name).data) for name in raw.get_trace_names()]

    def spicelib_one() -> Any:
        from spicelib import RawRead

        raw = RawRead(str(path), traces_to_read=NAME, dialect=dialect, verbose=False)
        return np.ascontiguousarray(raw.get_trace(NAME).data)

    def ltspice_all() -> Any:
        import ltspice

        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it guesses
            raw = ltspice.Ltspice(str(path))
            raw.parse()
        return [np.ascontiguousarray(np.ravel(raw.get_data(name))) for name in raw.variables]

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
        return [variable.data for variable in raw.variables.values()]

    others = {
        "spicelib, all columns": spicelib_all,
        "spicelib, one column": spicelib_one,
        "ltspice, all columns": ltspice_all,
    }
    return others | {"PySpice, all columns": pyspice_all} if dialect == "ngspice" else others


def check(result: Any, expected: np.ndarray) -> None:
    """Raise ValueError where a reader gave something else than the file holds."""
    if isinstance(result, list | tuple):
        if len(result) != N_VARIABLES:
            raise ValueError("wrong number of columns")
        result = result[COLUMN]
    elif result.dtype == np.uint8:  # the plain bytes
        return
    if not np.array_equal(result, expected):
        raise ValueError("wrong values")


def try_readers(candidates: Readers, expected: np.ndarray) -> tuple[Readers, dict[str, str]]:
    """Run each reader once; return those that work, and why the others do not."""
    working: Readers = {}
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


def measure(working: Readers, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
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
    print(
        f"{'reader':38} {'wall ms':>9} {'CPU ms':>9} {'CPU x':>6} {'wall x':>7} {'range of it':>13}"
    )
    for name, (wall, cpu) in times.items():
        # the ratio of each round, not of the medians: both readers then met the same load
        limit = times[MEMMAP if "one column" in name else LIMIT]
        ratios = [w / w0 for w, w0 in zip(wall, limit[0], strict=True)]
        cpu_ratio = statistics.median(c / c0 for c, c0 in zip(cpu, limit[1], strict=True))
        print(
            f"{name:38} {statistics.median(wall) * 1e3:9.1f} {statistics.median(cpu) * 1e3:9.1f} "
            f"{cpu_ratio:6.2f} {statistics.median(ratios):7.2f} "
            f"{min(ratios):6.2f}-{max(ratios):.2f}"
        )
    for name, reason in failed.items():
        print(f"{name:38} skipped: {reason}")


def compare(folder: Path, flavour: str, size: float, rounds: int, *, slow: bool) -> None:
    """Write one file, time all readers on it, print the table and delete the file."""
    path = folder / "synthetic.raw"
    n, start = write_file(path, flavour, size)
    try:
        row = row_type(flavour)
        expected = np.array(np.memmap(path, row, "r", start, (n,))[NAME])
        candidates = readers(path, flavour, n, start)
        if slow:
            candidates |= slow_readers(path, flavour)
        working, failed = try_readers(candidates, expected)
        times = measure(working, rounds)
    finally:
        path.unlink()
    print(f"\n{flavour}: {size / 1e9:g} GB, {N_VARIABLES} variables, {n:,} points, {rounds} rounds")
    print_table(times, failed)


def sparse(folder: Path, flavour: str, size: float) -> None:
    """Read one column of a large file with a hole, in a process of its own."""
    path = folder / "sparse.raw"
    row = row_type(flavour, SPARSE_VARIABLES)
    n = int(size // row.itemsize)
    head = header(flavour, n, SPARSE_VARIABLES)
    code = (
        "import sys, time\n"
        "from spicealif.rawfile.raw import read_raw\n"
        "began = time.perf_counter()\n"
        "column = read_raw(sys.argv[1])[0][sys.argv[2]]\n"
        "took = time.perf_counter() - began\n"
        # not ru_maxrss, which a process inherits from the one that started it
        "peak = int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "print(f'{column.nbytes / 1e6:.0f} MB column, {peak / 1024:.0f} MiB resident at most, '\n"
        "      f'{took:.1f} s')\n"
    )
    try:
        with path.open("wb") as file:
            file.write(head)
            file.truncate(len(head) + n * row.itemsize)
        command = [sys.executable, "-c", code, str(path), NAME]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    finally:
        path.unlink()
    print(
        f"{flavour}: one column of {size / 1e9:g} GB with {SPARSE_VARIABLES} variables: "
        f"{done.stdout.strip()}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--size-gb", type=float, default=1.0, help="size of the file (default 1)")
    parser.add_argument("--rounds", type=int, default=9, help="repetitions (default 9)")
    parser.add_argument("--skip-slow", action="store_true", help="leave other packages out")
    parser.add_argument("--folder", type=Path, default=None, help="where to write the file")
    parser.add_argument(
        "--flavour", action="append", choices=FLAVOURS, help="which file (default: all)"
    )
    parser.add_argument(
        "--sparse-gb",
        type=float,
        default=10.0,
        help="size of the sparse file (default 10, 0: none)",
    )
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
    versions = [f"python {sys.version.split()[0]}"]
    for package in ("numpy", "spicelib", "ltspice", "PySpice"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    print(", ".join(versions))
    with tempfile.TemporaryDirectory(prefix="raw_reader_", dir=options.folder) as name:
        folder = Path(name)
        for flavour in options.flavour or FLAVOURS:
            compare(folder, flavour, size, options.rounds, slow=not options.skip_slow)
        if options.sparse_gb > 0:
            print()
            for flavour in options.flavour or FLAVOURS:
                sparse(folder, flavour, options.sparse_gb * 1e9)
    return 0


if __name__ == "__main__":
    sys.exit(main())
