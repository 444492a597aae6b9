"""Every block of code in the README and the documentation runs, or says why it cannot here."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from command_line import call
from doc_blocks import (
    DIRECTIVES,
    LANGUAGES,
    ROOT,
    Block,
    blocks,
    commands_of,
    files_beside,
    find_command,
    pages,
    short_neuron,
    shortened,
    shortened_python,
    without_target,
)
from own_ngspice import with_home

import spicealif

PAGES = {page: tuple(blocks(page)) for page in pages()}
ALL = [block for found in PAGES.values() for block in found]
#: Pages with something to run.
RUN = [
    page
    for page, found in PAGES.items()
    if any(b.language in ("python", "sh", "toml") and not b.not_run and not b.run_by for b in found)
]
#: Blocks that cannot run here, by page. One more is to be a decision.
NOT_RUN = {
    "README.md": 2,  # apt-get, set-up of an environment
    "CONTRIBUTING.md": 2,
    "docs/deck_to_edit.md": 1,  # LTspice
    "docs/how_to/ltspice.md": 2,  # LTspice
    "docs/start_here.md": 2,  # apt-get, pip
}
#: What a page takes for done.
BEFORE = {
    "docs/commands.md": ("spicealif sweep paper --experiment prototypes -n 3 -o prototypes.nc",),
}


def test_blocks_are_of_languages_that_somebody_looks_after():
    unknown = [
        f"{b.place}: {b.language!r}" for b in ALL if b.language not in LANGUAGES | DIRECTIVES
    ]
    assert not unknown


def test_blocks_that_cannot_run_say_why_and_are_counted():
    marked = [block for block in ALL if block.not_run]
    assert all(len(block.not_run) > 20 for block in marked)
    assert Counter(block.page for block in marked) == NOT_RUN


def test_blocks_run_by_another_test_name_one_that_knows_the_page():
    marked = [block for block in ALL if block.run_by]
    assert marked
    for block in marked:
        text = (ROOT / block.run_by).read_text(encoding="utf-8")
        folder, name = Path(block.page).parent.name, Path(block.page).name
        names = {name, folder} - {"docs"}
        assert any(one in text for one in names), block.place


@pytest.mark.parametrize("page", [p for p, found in PAGES.items() if found])
def test_code_is_code_and_commands_are_commands(page):
    """Whether it runs or not: Python parses, TOML parses, options exist."""
    for block in PAGES[page]:
        try:
            if block.language == "python":
                ast.parse(block.text)
            elif block.language == "toml":
                tomllib.loads(block.text)
            elif block.language == "sh":
                for words in commands_of(block):
                    if words[0] == "spicealif":
                        command, name, rest = find_command(without_target(words)[0])
                        with command.make_context(name[-1] if name else "spicealif", rest):
                            pass
        except Exception as error:
            raise AssertionError(f"{block.place}: {error}") from error


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beside")
    files_beside(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_the_blocks_of_a_page_run(page, beside, tmp_path, monkeypatch):
    """One after another, as somebody who reads the page would, in one folder and one Python.

    Runs are at most 1 ms long, draws few; see `doc_blocks`.
    """
    folder = tmp_path / "reader"
    shutil.copytree(beside, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MPLBACKEND", "agg")
    load_preset, load_toml = spicealif.load_preset, spicealif.load_toml
    monkeypatch.setattr(spicealif, "load_preset", lambda name: short_neuron(load_preset(name)))
    monkeypatch.setattr(spicealif, "load_toml", lambda path: short_neuron(load_toml(path)))
    todo = [b for b in PAGES[page] if not b.not_run and not b.run_by]
    for block in todo:
        if block.language == "toml":
            _write_file(block, folder)
    for line in BEFORE.get(page, ()):
        _run_command(Block(page, 0, "sh", line, "", "", ""), line.split(), folder)
    space: dict[str, object] = {"__name__": "__main__"}
    for block in todo:
        if block.language == "python":
            _run_python(block, space)
        elif block.language == "sh":
            for words in commands_of(block):
                _run_command(block, words, folder)
        elif block.language == "toml":
            _read_toml(block, folder)
        elif block.text.startswith("*ng_script"):
            _run_ngspice(block, folder)


def _write_file(block: Block, folder: Path) -> None:
    """Write a file under the name that the paragraph above gives it."""
    names = re.findall(r"`(\w+\.toml)`", block.before)
    if names:
        (folder / names[-1]).write_text(block.text, encoding="utf-8")


def _read_toml(block: Block, folder: Path) -> None:
    """Read a neuron's file, or a part's, as the program does."""
    path = folder / "block.toml"
    path.write_text(block.text, encoding="utf-8")
    values = tomllib.loads(block.text)
    if "part" in values:
        key = {"opamp": "difference_amplifier.opamp"}.get(values["part"], values["part"])
        neuron = spicealif.load_preset("paper").replace({f"{key}.file": str(path)})
        assert values["name"] in spicealif.dump_toml(neuron)
    else:
        assert spicealif.load_toml(path).c > 0, block.place


def _run_python(block: Block, space: dict[str, object]) -> None:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(shortened_python(block.text), block.place, "exec"), space)
    except Exception as error:
        raise AssertionError(f"{block.place}: {type(error).__name__}: {error}") from error
    finally:
        import matplotlib.pyplot as plt

        plt.close("all")
    assert "print(" not in block.text or said.getvalue().strip(), f"{block.place} prints nothing"


def _run_command(block: Block, words: list[str], folder: Path) -> None:
    assert words[0] == "spicealif", f"{block.place}: {words[0]} is not run; mark the block"
    words, target = without_target(words)
    if words[1] == "fit":
        _fit(words, folder)
        return
    done = call(*shortened(words), cwd=folder)
    if target:
        # The reader's home is the folder.
        (folder / target.removeprefix("~/")).write_text(done.stdout, encoding="utf-8")
    assert done.returncode == 0, f"{block.place}: {' '.join(words)}\n{done.stdout}{done.stderr}"


#: The files that a fit wrote, by the command: several pages fit the same loops, for seconds.
_FITTED: dict[tuple[str, ...], dict[str, bytes]] = {}


def _fit(words: list[str], folder: Path) -> None:
    """Put the files of a fit into a folder; it is made once."""
    key = tuple(words)
    if key not in _FITTED:
        old = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        done = call(*shortened(words), cwd=folder)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
        _FITTED[key] = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and old.get(path) != path.stat().st_mtime_ns
        }
        assert _FITTED[key] or "-o" not in words
    for name, content in _FITTED[key].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _run_ngspice(block: Block, folder: Path) -> None:
    """Run a script of ngspice's own language under the name that the paragraph above gives it."""
    (name,) = re.findall(r"`(\w+\.cmd)`", block.before)
    (folder / name).write_text(block.text, encoding="utf-8")
    done = subprocess.run(
        ["ngspice", "-b", name], cwd=folder, env=with_home(), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    written = re.search(r"write (\w+)_", block.text)
    assert written is not None
    assert list(folder.glob(f"{written[1]}_*.raw")), done.stdout + done.stderr
