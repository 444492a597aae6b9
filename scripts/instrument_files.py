#!/usr/bin/env python3
"""Write measured loops as instruments write them, read them again, and print what became of each.

    scripts/instrument_files.py                  a table: read as it is, or asked about
    scripts/instrument_files.py -o FOLDER        keep the files
    scripts/instrument_files.py --fit 3          fit every third file that can be read as well

`_instrument_files.py` has the formats, and the loop, which SciPy's LSODA solved. Exit code 1 if one
of them is read to something else than what stands in it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

SCRIPTS = Path(__file__).resolve().parent
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS.parent)]

from _instrument_files import TRUTH, InstrumentFile, instrument_files  # noqa: E402

from spicealif.errors import FitError  # noqa: E402
from spicealif.fit import Loop, fit_device, read_loop  # noqa: E402


def main() -> int:
    """Write, read, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="keep the files there")
    parser.add_argument("--fit", type=int, default=0, metavar="N", help="fit every N-th file")
    options = parser.parse_args()
    wrong = 0
    print("| file | written by | without help | with the answer |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.output or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(instrument_files()):
            path = folder / file.name
            path.write_bytes(file.data)
            fitted = options.fit and number % options.fit == 0
            (plain, answered, good) = _tried(path, file, bool(fitted))
            wrong += not good
            print(f"| `{file.name}` | {file.whose} | {plain} | {answered} |", flush=True)
    print(f"\n{len(instrument_files())} files, {wrong} read to something else.")
    return int(wrong > 0)


def _tried(path: Path, file: InstrumentFile, fitted: bool) -> tuple[str, str, bool]:
    """Return what happens without and with help, and whether it is right."""
    try:
        loop = read_loop(path, series_resistor=file.r_s)
    except FitError as error:
        plain = "asked: " + str(error).replace("|", "/")
    else:
        return _said(loop, file, fitted), "", not file.asks and _is_true(loop, file)
    if file.wrong:
        return plain, "is no loop by itself", bool(file.asks)
    loop = read_loop(path, series_resistor=file.r_s, **file.answer)  # type: ignore[arg-type]
    told = ", ".join(f"{k}={v}" for k, v in dict(file.answer["columns"]).items())  # type: ignore[call-overload]
    right = bool(file.asks) and _is_true(loop, file)
    return plain, f"{_said(loop, file, fitted)} by `{told}`", right


def _is_true(loop: Loop, file: InstrumentFile) -> bool:
    return all(
        np.allclose(getattr(loop, name), values, rtol=3e-16, atol=1e-16 * np.abs(values).max())
        for name, values in file.columns.items()
    )


def _said(loop: Loop, file: InstrumentFile, fitted: bool) -> str:
    if not _is_true(loop, file):
        return "**WRONG**"
    if not fitted:
        return "read"
    device = fit_device(loop, "mms").device
    worst = max(abs(getattr(device, name) / value - 1) for name, value in TRUTH.items())
    return f"read, fitted within {100 * worst:.2g} %"


if __name__ == "__main__":
    sys.exit(main())
