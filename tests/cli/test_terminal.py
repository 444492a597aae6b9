"""Every command in a terminal: what a person sees, to the end and after Ctrl-C.

`scripts/terminal_check.py` tries all combinations; here each command runs once to its end and each
long one is interrupted once.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pty")  # there are none on Windows
from _terminal import Terminal, command
from _terminal_commands import COMMANDS, LONG, prepare
from all_commands import every_command

from spicealif.measures.tables import fitting, text_table

#: Width and environment of each run to the end: all that there is, over all commands.
LOOKS = [
    (40, {}),
    (100, {"NO_COLOR": "1"}),
    (40, {"TERM": "dumb"}),
    (100, {}),
    (40, {"COLUMNS": "200", "LINES": "5"}),  # exported once, and not true any more
]
#: Of these the table has to fit 40 columns.
#: Lines that are no part of a table.
_NOTES = ("ngspice", "A neuron", "Note: ")
TABLES = (
    *("compare", "run", "verify", "explain", "fit", "propose"),
    *("network compare", "network verify"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("terminal")
    prepare(place)
    return place


def under_way(name):
    return lambda terminal: any(row.startswith(LONG[name].begun) for row in terminal.lines())


def test_every_command_is_here():
    assert set(COMMANDS) == {name for name, _ in every_command()}


# In one test, since one command reads what another wrote.
@pytest.mark.slow
def test_every_command_to_its_end(folder):
    for k, (name, arguments) in enumerate(COMMANDS.items()):
        (columns, environment) = LOOKS[k % len(LOOKS)]
        if name in TABLES:
            (columns, environment) = 40, {}
        terminal = Terminal(
            command(*arguments), columns=columns, folder=folder, environment=environment
        )
        seen = terminal.finish()
        assert (seen.code, seen.trouble) == (0, []), (name, seen.text)
        assert not seen.wrapped_progress(), (name, seen.raw)
        # Progress is gone, and nothing but the result is left.
        assert not re.search(r"\d+ %, |\d left$", seen.text), (name, seen.text)
        if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
            assert not re.search(rb"\x1b\[[0-9;]*[3-9]\d*m", seen.raw), (name, seen.raw)
        if name in TABLES:
            table = seen.printed()[: -4 if name in ("run", "explain") else None]
            wide = [row for row in table if len(row) > 40 and "Wrote" not in row]
            assert not [row for row in wide if not row.startswith(_NOTES)], name


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_every_long_command_interrupted(name, folder):
    columns = 100 if len(name) % 2 else 40
    arguments = LONG[name].arguments
    terminal = Terminal(command(*arguments), columns=columns, folder=folder)
    assert terminal.read_until(under_way(name)), terminal.lines()
    if name in ("reference", "sweep"):
        terminal.resize(60)
        terminal.resize(columns)
    terminal.press_ctrl_c()
    if len(name) % 2:
        terminal.press_ctrl_c()  # as impatient people do
    seen = terminal.finish()
    assert (seen.code, seen.trouble) == (130, []), seen.text
    assert "Interrupted; files already" in seen.text.replace("\n", "")
    assert not seen.wrapped_progress(), seen.raw
    assert not list(folder.glob("never*")), "an unfinished result was left"
    assert not list(folder.glob(".*")), "a temporary file was left"


@pytest.mark.slow
def test_ctrl_c_while_it_starts(folder):
    """At the first moment that is the command's own, and among its imports."""
    for delay in (0.0, 0.15, 0.5):
        arguments = LONG["fit"].arguments
        terminal = Terminal(command(*arguments), columns=80, folder=folder)
        terminal.wait_for_program()
        terminal.read_until(lambda t: False, delay)
        terminal.press_ctrl_c()
        terminal.press_ctrl_c()
        seen = terminal.finish()
        assert (seen.code, seen.trouble) == (130, []), (delay, seen.text)
        assert "Interrupted" in seen.text


@pytest.mark.parametrize("columns", [40, 100])
def test_help_of_every_command_fits(columns, folder):
    names = ["", "network", *(name for name, _ in every_command())]
    # One process for all: what is looked at is the layout, which asks for the terminal's width.
    code = (
        "from spicealif.cli import cli\n"
        f"for name in {names}:\n"
        "    cli.main([*name.split(), '--help'], 'spicealif', standalone_mode=False)\n"
    )
    seen = Terminal([sys.executable, "-c", code], columns=columns, folder=folder).finish()
    assert (seen.code, seen.trouble) == (0, []), seen.text
    rows = [row for row in seen.printed() if row]
    assert len(rows) > 15 * 10
    assert [row for row in rows if len(row) > columns] == []


def test_nohup_is_obeyed(folder):
    code = (
        "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "sys.argv = ['spicealif', 'schema']\n"
        "from spicealif.cli import main\n"
        "try: main()\n"
        "finally: assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, cwd=folder
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_wide_table_becomes_a_list():
    head = ("", "circuit (ngspice)", "reference (ideal)", "difference")
    rows = [
        ("mean interval", "92.95 us", "97.88 us", "-4.928 us (-5.0%)"),
        ("matched", "", "", "2"),
    ]
    notes = ["A note that is longer than forty columns, by some words.", ""]
    wide = text_table(head, rows, notes)
    with fitting(200):
        assert text_table(head, rows, notes) == wide
    with fitting(40):
        assert text_table(head, rows, notes).splitlines() == [
            "mean interval",
            "  circuit (ngspice)  92.95 us",
            "  reference (ideal)  97.88 us",
            "  difference         -4.928 us (-5.0%)",
            "matched",
            "  difference         2",
            "",
            "A note that is longer than forty",
            "columns, by some words.",
        ]
    for columns in range(1, 60):
        with fitting(columns):
            drawn = text_table(head, rows, notes)
        assert max(map(len, drawn.splitlines())) <= max(columns, 20)
    assert text_table(head, rows, notes) == wide


def test_the_module_is_the_command_too(tmp_path):
    root = Path(__file__).resolve().parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "spicealif", "netlist", "nosuch"],
        check=False, capture_output=True, text=True, cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Error: 'nosuch' is neither a preset")


@pytest.mark.slow
def test_too_little_memory_is_one_sentence(folder):
    """64 MB more than the program itself takes, for five million points."""
    code = (
        "import mmap, resource, sys; sys.argv[0] = 'spicealif'\n"
        "ballast = mmap.mmap(-1, 10**9)\n"  # below a limit of 1 GB commands do not begin
        "import spicealif.sweep.presets, scipy.stats\n"
        "from spicealif.cli import main\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        "limit = pages * resource.getpagesize() + 2**26\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "main()\n"
    )
    words = ("sweep", "paper", "-q", "--simulator", "equations", "--experiment", "prototypes")
    command_line = [sys.executable, "-c", code, *words]
    done = subprocess.run(
        [*command_line, "-n", "5000000"], check=False, capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 1
    # NumPy says what it could not allocate, Python's own MemoryError is silent: both are possible.
    why = r"( \(Unable to allocate [^\n]+\))?"
    told = rf"Error: There is not enough memory{why}; free some, [^\n]+\.\n"
    assert re.fullmatch(told, done.stderr), done.stderr
    # Refused as such, whatever memory there is.
    command_line = command("sweep", "paper", "--experiment", "prototypes", "-n", "99999999999")
    done = subprocess.run(command_line, check=False, capture_output=True, text=True, cwd=folder)
    assert "The number of prototypes is 99999999999; say how many, a whole number" in done.stderr
