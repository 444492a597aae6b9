"""What the commands about tasks of machine learning share: finding a task, giving a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from spicealif.cli._answer import answer
from spicealif.cli._options import set_option, settings, value_of
from spicealif.cli._output import Say
from spicealif.cli._terminal import for_terminal

if TYPE_CHECKING:
    from spicealif.learning import CircuitStudy, StudyResult, Task

    _Result: TypeAlias = StudyResult | CircuitStudy

__all__ = ["find_task", "give_result", "need_packages", "task_set_option"]

#: ``--set`` for `find_task`.
task_set_option = set_option(
    "Change a value of the task, such as bank.duration=4m or data.folds=10; may be repeated."
)
#: Keys whose values are lists, with commas.
_LISTS = ("bank.features", "readouts", "baselines", "data.drop", "bank.input_range")
_SPREAD = "bank.spread."


def need_packages() -> None:
    """Refuse to go on without the packages of the extra ``learning``."""
    from importlib.util import find_spec

    from spicealif.errors import LearningError

    if find_spec("sklearn") is None:
        raise LearningError(
            "Learning takes the package scikit-learn, which is not installed; install it with: "
            "pip install 'spicealif[learning]'."
        )


def find_task(name: str, changes: tuple[str, ...]) -> Task:
    """Return the task that the command line describes.

    Parameters
    ----------
    name : str
        One that comes with spicealif, or the path of a TOML file.
    changes : tuple of str
        ``key=value`` texts.

    Raises
    ------
    DesignError, LearningError
        If there is no such task, or a change is not valid.
    """
    from spicealif.learning.task_files import load_task

    task = load_task(name)
    new: dict[str, Any] = {}
    for key, value in settings(changes, "bank.duration=4m"):
        several = key in _LISTS or key.startswith(_SPREAD)
        new[key] = [part.strip() for part in value.split(",")] if several else value_of(value)
    spread = {k: new.pop(k) for k in list(new) if k.startswith(_SPREAD)}
    if spread:
        old = dict(task.bank.spread or {})
        old |= {key.removeprefix(_SPREAD): tuple(v) for key, v in spread.items()}
        new["bank.spread"] = old
    return task.replace(new) if new else task


def give_result(
    result: _Result,
    say: Say,
    output: Path | None,
    figure: Path | None,
    picture: str | None,
    title: bool,
    report: Path | None,
) -> list[Path]:
    """Print a result; write it, its figure and its report if asked for; return the files."""
    say(for_terminal(result))
    answer(result.to_dict)
    if output is not None:
        result.save(output)
    if figure is not None:
        from spicealif.plots import save_figure

        save_figure(result.plot(title=title), figure, picture)
    if report is not None:
        from spicealif.report import write_report

        write_report(result, report)
    return [path for path in (output, figure, report) if path is not None]
