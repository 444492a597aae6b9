"""Tasks in files: TOML in and out, those that come with spicealif, JSON Schema."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from spicealif._support.digest import check_signature
from spicealif._support.files import write_text
from spicealif._support.kinds import TASK, check_ending, signed
from spicealif._support.resources import models_dir
from spicealif._support.text_files import names_file, read_person_text, toml_table
from spicealif.design import load_toml, preset_names, store
from spicealif.errors import DesignError, within
from spicealif.learning.datasets import dataset_names
from spicealif.learning.task import Bank, Data, Task

__all__ = ["dump_task", "load_task", "parse_task", "save_task", "task_names", "task_schema"]


def task_names() -> list[str]:
    """Return the names of the tasks that come with spicealif, sorted.

    Examples
    --------
    >>> "digits-rows" in task_names()
    True
    """
    return sorted(path.stem for path in (models_dir() / "tasks").glob("*.toml"))


def load_task(name: str | os.PathLike[str]) -> Task:
    """Return a task that comes with spicealif, or one of a TOML file.

    Parameters
    ----------
    name : str or path-like
        One of `task_names`, or a path. Paths in the file (of data, of a neuron) are relative to it.

    Returns
    -------
    Task

    Raises
    ------
    DesignError
        If there is none of this name, or the file cannot be read or describes no task.

    Examples
    --------
    >>> load_task("basic-motions")
    <Task 'basic-motions', data basic-motions (resamples of its split), ...>
    """
    text = os.fspath(name)
    if text in task_names():
        return _shipped(text)
    if text.lower().endswith((".csv", ".tsv", ".npz")):
        raise DesignError(
            f"{ascii(text)} is a file of data and no task; write a task's file (.toml) with "
            f"source = {ascii(Path(text).name)} in its table [data], and give that."
        )
    if not (text.lower().endswith(".toml") or names_file(text)):
        raise DesignError(
            f"{ascii(text)} is neither a task ({', '.join(task_names())}) nor a TOML file; see "
            "'spicealif learn --list'."
        )
    return _load(Path(text))


@cache
def _shipped(name: str) -> Task:
    return _load(models_dir() / "tasks" / f"{name}.toml")


def _load(path: Path) -> Task:
    text = read_person_text(
        path, "task's file", "give the path of a TOML file, or a task's name", DesignError
    )
    check_signature(text, ascii(path.name))
    try:
        return parse_task(text, folder=path.parent, name=re.sub(r"[^\w-]", "_", path.stem))
    except DesignError as error:
        raise DesignError(within(ascii(path.name), error)) from None


def parse_task(text: str, *, folder: str | os.PathLike[str] = ".", name: str = "task") -> Task:
    """Read a task from TOML text; see `load_task`.

    Parameters
    ----------
    text : str
    folder : path-like
        Where files are looked for that the text names.
    name : str
        The task's name if the text gives none.

    Returns
    -------
    Task

    Raises
    ------
    DesignError
        If the text is not TOML or does not describe a task.
    """
    data = toml_table(text, "This", "a task's", DesignError)
    if "leak" in data or "populations" in data:
        raise DesignError(
            "This is a neuron's or a network's file and no task's; name the neuron in a task: "
            "neuron = 'FILE' in [bank]."
        )
    table = data.get("data")
    source = table.get("source") if isinstance(table, dict) else None
    if isinstance(table, dict) and isinstance(source, str) and source not in dataset_names():
        table["source"] = str(Path(folder) / source)
    bank = data.get("bank")
    if isinstance(bank, dict) and isinstance(neuron := bank.get("neuron"), str):
        if neuron not in preset_names() and neuron.lower().endswith(".toml"):
            bank["neuron"] = load_toml(Path(folder) / neuron)
    elif isinstance(bank, dict) and isinstance(neuron, dict):
        bank["neuron"] = store.from_table(dict(neuron), folder=Path(folder))
    data.setdefault("name", name)
    return Task.from_dict(data)


def dump_task(task: Task) -> str:
    """Return a task as TOML text, every value written out.

    Parameters
    ----------
    task : Task

    Returns
    -------
    str
    """
    import tomli_w

    # An empty list of baselines is a value: without it the usual ones would be read.
    data = {key: value for key, value in task.to_dict().items() if value != ""}
    return tomli_w.dumps(data)


def save_task(task: Task, path: str | os.PathLike[str]) -> Path:
    """Write a task to a TOML file.

    Parameters
    ----------
    task : Task
    path : path-like
        Ends in ``.toml``.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> path = save_task(load_task("iris"), "mine.toml")
    >>> load_task("mine.toml") == load_task("iris")
    True
    """
    path = Path(path)
    check_ending(path, TASK)
    return write_text(path, signed(dump_task(task)))


def task_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a task's TOML file.

    Returns
    -------
    dict

    Examples
    --------
    >>> task_schema()["required"]
    ['data']
    """
    out = Task.model_json_schema()
    out["required"].remove("name")  # which a file without one has from its own
    definitions: dict[str, Any] = out["$defs"]
    neuron = store.schema()
    definitions |= neuron.pop("$defs")
    neuron.pop("$schema")
    definitions["Neuron"] = neuron
    start = {
        "type": "object",
        "properties": {"preset": {"enum": preset_names()}},
        "required": ["preset"],
    }
    bank = definitions["Bank"]["properties"]
    told = bank["neuron"].get("description", "")
    bank["neuron"] = {
        "anyOf": [{"type": "string"}, start, {"$ref": "#/$defs/Neuron"}],
        "default": "paper", "description": told,
    }  # fmt: skip
    store.add_bounds(out["properties"], Task)
    store.add_bounds(definitions["Data"]["properties"], Data)
    store.add_bounds(bank, Bank)
    out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return out
