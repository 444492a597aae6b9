"""Blocks of code in the Markdown pages of the project, and what it takes to run them in a test.

A block that cannot run here stands below a comment that says why, ``<!-- not run: REASON -->``, or
which test of its own runs it, ``<!-- run by: tests/PATH -->``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from raw_files import header, rows, utf16
from vendor_models import CMP2, MOSFET, TL072

from spicealif import Neuron, SeriesCircuit, load_device, load_preset, solve_series
from spicealif.cli import cli
from spicealif.design import Sine
from spicealif.reference import solve_reference

__all__ = [
    "DIRECTIVES", "LANGUAGES", "Block", "blocks", "commands_of", "files_beside", "find_command",
    "pages", "short_neuron", "shortened", "shortened_python",
    "without_target",
]  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]
#: What is code and runs; what is something else, such as output or a piece of a netlist.
LANGUAGES = frozenset({"python", "sh", "toml", "jinja", "text"})
#: MyST's own blocks, which Sphinx looks after.
DIRECTIVES = frozenset({"{toctree}", "{eval-rst}", "{include}"})
_MARK = re.compile(r"<!-- (not run|run by): (.+) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    page : str
        Path in the project.
    line : int
        Of the opening fence, from 1.
    language : str
        Its first word; ``python`` of a notebook's cell.
    text : str
    not_run, run_by : str
        Why it cannot run here; which test runs it. Both empty of the others.
    before : str
        The paragraph above.
    """

    page: str
    line: int
    language: str
    text: str
    not_run: str
    run_by: str
    before: str

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Return the paths of the pages whose blocks are looked after."""
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    found += [ROOT / name for name in ("CONTRIBUTING.md", "SUPPORT.md")]
    names = (p.relative_to(ROOT).as_posix() for p in found)
    return sorted(name for name in names if "/_build/" not in name and "-results/" not in name)


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    lines = (ROOT / page).read_text(encoding="utf-8").split("\n")
    number = 0
    while number < len(lines):
        opened = re.match(r"( *)(`{3,})\s*(\S*)", lines[number])
        number += 1
        if opened is None:
            continue
        begin, inside = number, []
        while lines[number].strip() != opened[2]:
            inside.append(lines[number].removeprefix(opened[1]))
            number += 1
        number += 1
        language = "python" if opened[3] == "{code-cell}" else opened[3]
        above = begin - 2
        while above >= 0 and not lines[above].strip():
            above -= 1
        mark = _MARK.fullmatch(lines[above].strip()) if above >= 0 else None
        if mark:
            above -= 1
            while above >= 0 and not lines[above].strip():
                above -= 1
        paragraph = []
        while above >= 0 and lines[above].strip():
            paragraph.insert(0, lines[above])
            above -= 1
        yield Block(
            page, begin, language, "\n".join(inside) + "\n",
            mark[2] if mark and mark[1] == "not run" else "",
            mark[2] if mark and mark[1] == "run by" else "",
            "\n".join(paragraph),
        )  # fmt: skip


def commands_of(block: Block) -> Iterator[list[str]]:
    """Yield the words of each command of a shell block; ``&&`` parts two, comments are gone."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while "&&" in words:
            at = words.index("&&")
            yield words[:at]
            words = words[at + 1 :]
        if words:
            yield words


def without_target(words: list[str]) -> tuple[list[str], str]:
    """Return a command without its ``> FILE``, and the file's name."""
    return (words[: words.index(">")], words[-1]) if ">" in words else (words, "")


def find_command(words: list[str]) -> tuple[click.Command, list[str], list[str]]:
    """Return the command of ``spicealif ...``, its name, and its arguments."""
    command: click.Command = cli
    name, rest = [], list(words[1:])
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest[0]]
        name.append(rest.pop(0))
    return command, name, rest


def shortened(words: list[str]) -> list[str]:
    """Return a command that does the same with less: a short run, few draws, one worker."""
    command, name, rest = find_command(words)
    options = {option for parameter in command.params for option in parameter.opts}
    given = " ".join(rest)

    def has(option: str) -> bool:
        return option in options and not re.search(rf"(^| ){option}( |$)", given)

    if name == ["run"] and has("--output") and has("-o") and has("--set") and has("-s"):
        # As if the run were as long as it was: a changed neuron's folder has another name.
        rest += ["--output", f"spicealif-results/{Path(rest[0]).stem}"]
    # A result that is read is as long as it is, unless it is said to be a changed preset's.
    takes_neuron = any(isinstance(p, click.Argument) and p.name == "neuron" for p in command.params)
    takes_task = any(isinstance(p, click.Argument) and p.name == "task" for p in command.params)
    if "--set" in options and (takes_neuron or "--set" in rest) and not takes_task:
        rest = [re.sub(r"^t_stop=.*", "t_stop=1m", word) for word in rest]
        if not any(word.startswith("t_stop=") for word in rest):
            rest += ["--set", "t_stop=1m"]
    if name == ["run"] and not re.search("--(no-)?(figures|format|title|report)", given):
        rest.append("--no-figures")
    if has("--orders"):
        rest += ["--orders", "2"]
    if name == ["learn-circuit"]:
        rest += ["--set", "bank.duration=1m"] if "bank.duration" not in given else []
        rest += ["--samples", "6"] if has("--samples") else []
    if has("--draws") and "--tolerances" in rest:
        rest += ["--draws", "2"]
    if name == ["sweep"]:
        rest = [re.sub(r"^(\w\S*=[^:,]+:[^:,]+):\d+", r"\1:2", word) for word in rest]
        less = {"--workers": "1", "--simulator": "equations", "--witness": "none"}
        for option, value in less.items():
            if has(option) and not (option == "--witness" and "--sides reference" in given):
                rest += [option, value]
        if "-n" in rest:
            rest[rest.index("-n") + 1] = "3"
    elif has("--workers"):
        rest += ["--workers", "1"]
    return [*name, *rest]


#: In Python the same by the text: lengths of runs, numbers of draws, workers.
_SHORTER = (
    (r't_stop="\d+m"', 't_stop="1m"'),
    (r"\bn=\d+", "n=16"),
    (r"workers=\d+", "workers=1"),
    (r"orders=\d+", "orders=2"),
    (r"(geomspace\([^)]*), 8\)", r"\1, 2)"),
)


def shortened_python(text: str) -> str:
    """Return code that does the same with less."""
    for old, new in _SHORTER:
        text = re.sub(old, new, text)
    return text


def short_neuron(neuron: Neuron) -> Neuron:
    """Return a neuron whose run is at most 1 ms long."""
    return neuron.replace(t_stop=min(neuron.t_stop, 1e-3))


def files_beside(folder: Path) -> None:
    """Write the files that a reader of a page is taken to have."""
    truth = load_device("w_sdc_5k_1khz_m2").device
    drive = Sine(amplitude=0.8, frequency=1e3)
    trace = solve_series(SeriesCircuit(device=truth, r_s=5000, drive=drive, t_stop=10e-3))
    time = np.arange(200) * 5e-6
    for seed, file in enumerate(("loop.csv", "loop2.csv")):
        rng = np.random.default_rng(seed)
        columns = [time]
        for name in ("v_in", "v_mem", "i_mem"):
            values = np.interp(9e-3 + time, trace.time, trace[name])
            columns.append(values + 0.01 * np.abs(values).max() * rng.standard_normal(200))
        np.savetxt(
            folder / file, np.column_stack(columns), delimiter=",", comments="",
            header="t_s,v_in_V,v_mem_V,i_A",
        )  # fmt: skip
    neuron = 'preset = "paper"\nname = "mine"\nc = "220n"\nt_stop = "1m"\n'
    for file in ("my.toml", "my_neuron.toml"):
        (folder / file).write_text(neuron, encoding="utf-8")
    part = '[values]\nt_delay = "20n"\n'
    head = 'name = "mine"\npart = "comparator"\nsource = "made for the tests"\n'
    (folder / "mine.toml").write_text(head + part, encoding="utf-8")
    head = 'name = "my_mosfet"\npart = "mosfet"\nsource = "made for the tests"\n'
    (folder / "my_mosfet.toml").write_text(head + "[values]\nv_to = 2.0\n", encoding="utf-8")
    (folder / "OP482.cir").write_text(TL072.replace("TL072", "OP482"), encoding="utf-8")
    (folder / "LM393.lib").write_text(CMP2.replace("CMP2", "LM393"), encoding="utf-8")
    (folder / "2N7002.lib").write_text(MOSFET.replace("M7", "2N7002"), encoding="utf-8")
    (folder / "mine.log").write_text(_LOG, encoding="utf-8")
    for file in ("mine.raw", "my.raw"):
        _write_raw(folder / file, load_preset("paper").replace(t_stop=1e-3, c=220e-9))


#: A log of LTspice with one result of ``.meas``.
_LOG = """\
Circuit: * mine.net

Direct Newton iteration for .op point succeeded.
peak: MAX(v(out))=3.8 AT 0.0005

Date: Thu Feb 21 16:51:40 2019
Total elapsed time: 0.208 seconds.
"""


def _write_raw(path: Path, neuron: Neuron) -> None:
    """Write what a simulator might have left of a circuit that somebody drew."""
    run = solve_reference(neuron)
    # A reference has no pulse at a spike; a circuit has.
    time = np.linspace(0, neuron.t_stop, 20_001)
    v_c, x, v_mem = (run.at(name, time) for name in ("v_c", "x", "v_mem"))
    out = np.zeros_like(time)
    for spike in run.t_spike:
        out[(time >= spike) & (time < spike + 5e-6)] = 3.8
    # Under names of its own, and under those that our netlists have.
    nodes = ("vc", "vs", "out", "x", "v_c", "v_s", "spike")
    names = ("time\ttime", *(f"V({node})\tvoltage" for node in nodes))
    head = header(names, len(time), flags="real forward double", title="* mine")
    path.write_bytes(
        utf16(head) + rows(time, v_c, v_c - v_mem, out, x, v_c, v_c - v_mem, out, rest="f8")
    )
