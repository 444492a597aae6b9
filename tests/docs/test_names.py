"""Every command, option and public name stands in the documentation."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from doc_blocks import ROOT, pages

import spicealif
from spicealif.cli import cli

#: Modules whose public names a user may need, beside `spicealif` itself. What of them is not on a
#: page of the reference is named here, with the reason.
ELSEWHERE = {
    "spicealif.errors": {"within": "a helper of those who raise errors"},
    "spicealif.plots": {
        "FIGURE_ENDINGS": "in output.md, as a table",
        "envelope": "in paper_figure.md",
    },
}


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def below(name: tuple[str, ...], command: click.Command) -> None:
        if command.hidden:
            return
        if name:
            found.append(name)
        for word, inner in getattr(command, "commands", {}).items():
            below((*name, word), inner)

    below((), cli)
    return found


def text_of(*names: str) -> str:
    chosen = names or tuple(pages())
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in chosen)


@pytest.fixture(scope="module")
def reference() -> str:
    """Return the pages of the Python reference."""
    return text_of(*(page for page in pages() if page.startswith("docs/api/")))


def test_every_command_is_used_on_a_page_that_a_person_wrote():
    text = text_of(*(page for page in pages() if page != "docs/commands.md"))
    missing = [
        " ".join(name)
        for name in commands()
        if not re.search(rf"spicealif {' '.join(name)}\b", text)
    ]
    assert not missing, f"commands that no page but commands.md speaks of: {', '.join(missing)}"


def test_the_page_of_commands_is_what_help_says():
    script = ROOT / "scripts" / "command_reference.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_page_of_commands_has_every_option():
    text = text_of("docs/commands.md")
    missing = []
    for name in commands():
        command: click.Command = cli
        for word in name:
            assert isinstance(command, click.Group)
            command = command.commands[word]
        section = text.split(f"\n{'#' * max(2, len(name) + 1)} spicealif {' '.join(name)}\n")[1]
        section = section.split("\n## ")[0]
        missing += [
            f"{' '.join(name)} {option}"
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.hidden
            for option in parameter.opts
            if f"{option}" not in section
        ]
    assert not missing, ", ".join(missing)


def test_every_public_name_stands_in_the_reference(reference):
    described = set(re.findall(r"^\.\. auto\w+:: (\w+)$", reference, re.MULTILINE))
    missing = sorted(set(spicealif.__all__) - {"__version__"} - described)
    assert not missing, f"public names without a place in docs/api: {', '.join(missing)}"
    assert "spicealif.__version__" in reference


def test_every_public_error_and_figure_stands_in_the_reference(reference):
    described = set(re.findall(r"^\.\. auto\w+:: (\w+)$", reference, re.MULTILINE))
    missing = []
    for module, excused in ELSEWHERE.items():
        public = set(importlib.import_module(module).__all__)
        assert set(excused) <= public, f"{module} lost {set(excused) - public}"
        missing += [f"{module}.{name}" for name in sorted(public - described - set(excused))]
    assert not missing, ", ".join(missing)


def test_what_the_reference_describes_exists(reference):
    module, gone = "", []
    for kind, name in re.findall(
        r"^\.\. (currentmodule|auto(?!summary)\w+):: (\S+)$", reference, re.M
    ):
        if kind == "currentmodule":
            module = name
        elif not hasattr(importlib.import_module(module), name):
            gone.append(f"{module}.{name}")
    assert not gone, ", ".join(gone)


def test_links_between_the_files_of_the_project_lead_somewhere():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "check_links.py")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    """The check of links finds what it is for."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        checker = importlib.import_module("check_links")
    finally:
        sys.path.pop(0)
    page = '<html><body id="top"><a href="{}">x</a><script src="{}"></script></body></html>'
    (tmp_path / "other.html").write_text(page.format("#top", "other.js"), encoding="utf-8")
    (tmp_path / "other.js").write_text("", encoding="utf-8")
    for link, script, wrong in (
        ("other.html#top", "other.js", []),
        ("nowhere.html", "other.js", ["leads to no file"]),
        ("other.html#bottom", "other.js", ["leads to no anchor"]),
        ("other.html", "https://example.org/a.js", ["from another site"]),
    ):
        folder = tmp_path / str(abs(hash((link, script))))
        folder.mkdir()
        for name in ("other.html", "other.js"):
            (folder / name).write_text((tmp_path / name).read_text(), encoding="utf-8")
        (folder / "index.html").write_text(page.format(link, script), encoding="utf-8")
        found, _ = checker.check_html(folder)
        assert [words for words in wrong if any(words in one for one in found)] == wrong
        assert len(found) == len(wrong)


def test_every_page_is_in_the_contents():
    """As Sphinx sees it, which not every machine that runs the tests has."""
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", text_of("docs/index.md"), re.M | re.S)
    listed = [line for tree in trees for line in tree.splitlines() if re.match(r"[a-z]", line)]
    api = re.findall(r"^(\w+)$", text_of("docs/api/index.md"), re.MULTILINE)
    listed += [f"api/{name}" for name in api]
    written = [
        Path(p).relative_to("docs").with_suffix("") for p in pages() if p.startswith("docs/")
    ]
    missing = [
        page.as_posix() for page in written
        if page.name != "index" and not any(page.match(pattern) for pattern in listed)
    ]  # fmt: skip
    assert not missing, f"pages without a place in docs/index.md: {', '.join(missing)}"


def test_the_readme_is_short_and_leads_to_every_page():
    readme = text_of("README.md")
    assert len(readme.splitlines()) <= 170
    written = [
        p
        for p in pages()
        if p.startswith("docs/") and not p.startswith(("docs/api/", "docs/notebooks/"))
    ]
    missing = [
        page for page in written
        if f"({page}" not in readme and page not in ("docs/index.md", "docs/examples.md")
    ]  # fmt: skip
    assert not missing, ", ".join(missing)


def test_citation_and_package_agree():
    """The file is YAML of a few keys; cffconvert checked it once (see CONTRIBUTING.md)."""
    import tomllib

    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    keys = dict(re.findall(r"^([a-z-]+): ?(.*)$", text, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert keys["cff-version"] == "1.2.0"
    assert keys["version"] == project["version"] == spicealif.__version__
    assert keys["license"] == project["license"]
    assert {"message", "title", "authors", "type"} <= set(keys)
    assert Path(ROOT / "CODE_OF_CONDUCT.md").exists()
