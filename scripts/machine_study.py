"""What each command does on a machine that does not play along, and what the next call does.

    python scripts/machine_study.py [--only run,sweep-batch,explain,fit]

As root, since it mounts a small file system. Each command runs once under each trouble, in folders
of its own, and once more without it; the second result is compared with an undisturbed one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from kill_study import COMMANDS, Try


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(COMMANDS))
    only = parser.parse_args().only.split(",")
    print("| trouble | command | exit code | what it said last | left | next call | same result |")
    print(f"{'|---' * 7}|", flush=True)
    expected = {}
    for name in only:
        with Try(name) as it:
            it.start()
            if it.wait():
                sys.exit(f"{name} fails undisturbed: {it.said()}")
            expected[name] = it.result()
    for trouble, cause in TROUBLES.items():
        for name in only:
            with Try(name) as it:
                undo = cause(it)
                code = it.wait()
                said = (it.said().strip().splitlines() or [""])[-1][:160]
                left = [*it.folders(), *(f"process {p}" for p in it.left())]
                undo()
                it.start()
                again = it.wait()
                same = not again and it.result() == expected[name]
                left = left or ["nothing"]
                words = f"{code} | {said} | {', '.join(left)} | {again} | {'yes' if same else 'NO'}"
                print(f"| {trouble} | {name} | {words} |", flush=True)
                if not same:
                    print(f"<!-- {it.said()[-300:]!r} -->")


def _full(size: str) -> Callable[[Try], Callable[[], None]]:
    def cause(it: Try) -> Callable[[], None]:
        folder = str(it.folder / "tmp")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
        it.start()
        return lambda: subprocess.run(["umount", "-l", folder], check=True)

    return cause


def _limit(*words: str) -> Callable[[Try], Callable[[], None]]:
    def cause(it: Try) -> Callable[[], None]:
        it.start("prlimit", *words)
        return lambda: None

    return cause


def _variables(**changes: str | None) -> Callable[[Try], Callable[[], None]]:
    def cause(it: Try) -> Callable[[], None]:
        it.start(**changes)
        return lambda: None

    return cause


def _locale(name: str) -> Callable[[Try], Callable[[], None]]:
    def cause(it: Try) -> Callable[[], None]:
        made = Path(tempfile.gettempdir(), "machine-study-locales")
        made.mkdir(exist_ok=True)
        command = ["localedef", "-i", name[:5], "-f", "UTF-8", str(made / name)]
        subprocess.run(command, check=False, capture_output=True)
        it.start(LC_ALL=name, LOCPATH=str(made))
        return lambda: None

    return cause


def _caches_that_cannot_be_written(it: Try) -> Callable[[], None]:
    # Below a file nobody can make a folder, not even root.
    (it.folder / "file").write_text("")
    nowhere = str(it.folder / "file" / "cache")
    it.start(SPICEALIF_CACHE=nowhere, NUMBA_CACHE_DIR=nowhere, HOME=nowhere, XDG_CACHE_HOME=nowhere)
    return lambda: None


TROUBLES = {
    "TMPDIR of 300 kB": _full("300k"),
    "TMPDIR of 0 kB": _full("4k"),
    "files of 200 kB at most": _limit("--fsize=200000"),
    "HOME unset": _variables(HOME=None),
    "tr_TR.UTF-8": _locale("tr_TR.UTF-8"),
    "de_DE.UTF-8": _locale("de_DE.UTF-8"),
    "LANG=C": _variables(LANG="C", LC_ALL="C", PYTHONUTF8=None),
    "no cache can be written": _caches_that_cannot_be_written,
    "1 GB of memory": _limit("--as=1000000000"),
    "40 open files": _limit("--nofile=40"),
}

if __name__ == "__main__":
    main()
