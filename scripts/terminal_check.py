"""Try every command in a pseudo-terminal: to the end, interrupted, resized, and at random moments.

    python scripts/terminal_check.py [--only NAME ...] [--moments N] [--seed S]

Prints a table; the exit code is 1 if a traceback was seen, a line was wider than the terminal, the
cursor or the terminal's mode was not as before, a process was left, or an exit code was wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "_helpers"))

from _terminal import Seen, Terminal, command
from _terminal_commands import COMMANDS, LONG, prepare

#: Environments by name.
_KINDS = {"": {}, "NO_COLOR": {"NO_COLOR": "1"}, "TERM=dumb": {"TERM": "dumb"}}
#: Interrupts at random moments come within so many seconds from the start.
_SPAN = 2.5


def main() -> int:
    """Try everything, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=sorted({*COMMANDS, *LONG}), metavar="NAME")
    parser.add_argument("--moments", type=int, default=20, help="random interrupts a command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--interrupts", action="store_true", help="no runs to the end")
    options = parser.parse_args()
    bad = count = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for line, trouble in _all(folder, options):
            count += 1
            bad += bool(trouble)
            print(f"{'WRONG' if trouble else 'ok':5s}  {line}  {'; '.join(trouble)}", flush=True)
    print(f"{count} tried, {bad} wrong")
    return int(bool(bad))


def _all(folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    # Without `--only` an earlier command makes what a later one reads.
    for name in COMMANDS:
        if name in options.only and not options.interrupts:
            yield from _to_the_end(folder, name)
    for name in LONG:
        if name in options.only:
            yield from _under_way(folder, name)
    draw = random.Random(options.seed)
    for name in LONG:
        if name in options.only:
            yield from _at_any_moment(folder, name, options.moments, draw)


def _to_the_end(folder: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    arguments = COMMANDS[name]
    for columns in (100, 40):
        seen = _start(folder, (arguments[0], "--help"), columns).finish()
        yield f"{name} --help, {columns}", _judge(seen, 0, columns, wide=False)
        for kind, environment in _KINDS.items():
            seen = _start(folder, arguments, columns, environment).finish()
            yield f"{name} to the end, {columns} {kind}", _judge(seen, 0, columns)
    terminal = _start(folder, arguments, 100)
    for columns in (60, 40, 120):
        terminal.read_until(lambda t: False, 0.4)
        if terminal.runs():
            terminal.resize(columns)
    yield f"{name} resized", _judge(terminal.finish(), 0, 120)


def _under_way(folder: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    long = LONG[name]
    for columns, presses in ((100, 1), (40, 1), (100, 2), (40, 5)):
        terminal = _start(folder, long.arguments, columns)
        terminal.read_until(lambda t: any(row.startswith(long.begun) for row in t.lines()))
        for _ in range(presses):
            terminal.press_ctrl_c()
            time.sleep(0.05)
        yield f"{name} interrupted {presses} x, {columns}", _judge(terminal.finish(), 130, columns)


def _at_any_moment(
    folder: Path, name: str, count: int, draw: random.Random
) -> Iterator[tuple[str, list[str]]]:
    for _ in range(count):
        moment, apart = draw.uniform(0, _SPAN), draw.choice((None, 0.0, 0.1, 0.4))
        terminal = _start(folder, LONG[name].arguments, 80)
        # Python itself starts first, and prints its own traceback if it is interrupted there.
        terminal.wait_for_program()
        terminal.read_until(lambda t: False, moment)
        terminal.press_ctrl_c()
        if apart is not None:
            time.sleep(apart)
            terminal.press_ctrl_c()
        second = "" if apart is None else f", again after {apart:g} s"
        line = f"{name} interrupted at {moment:.2f} s{second}"
        yield line, _judge(terminal.finish(), 130, 80)


def _start(
    folder: Path,
    arguments: tuple[str, ...],
    columns: int,
    environment: dict[str, str] | None = None,
) -> Terminal:
    return Terminal(command(*arguments), columns=columns, folder=folder, environment=environment)


def _judge(seen: Seen, code: int, columns: int, *, wide: bool = True) -> list[str]:
    trouble = list(seen.trouble)
    if seen.code != code:
        trouble.append(f"exit code {seen.code}: {seen.text[-300:]!r}")
    if not wide and (too_wide := [row for row in seen.printed() if len(row) > columns]):
        trouble.append(f"wider than {columns}: {too_wide[0]!r}")
    if seen.wrapped_progress():
        trouble.append("progress in two lines")
    return trouble


if __name__ == "__main__":
    sys.exit(main())
