"""What a shell can be told about the words that could come next.

Which word is asked for follows from the parameter's name, which is the same in all commands. What
cannot be found (a neuron's file that is half written) completes to nothing: a shell has no place
for an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from spicealif.errors import SpicealifError

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

__all__ = ["let_complete"]

#: Parameters that take a path as well.
_FILES = ("neuron", "device", "result", "network", "folder", "other", "task")

_Find = Callable[["click.Context", str], Iterable[str]]


def let_complete(command: click.Command, group: str = "") -> None:
    """Have a command's parameters complete what they take, and those of a group's commands."""
    for inner in getattr(command, "commands", {}).values():
        let_complete(inner, f"{command.name} ")
    for parameter in command.params:
        name = parameter.name or ""
        places = (f"{group}{command.name}", name), (group.strip(), name), ("", name)
        find = next((_FINDS[place] for place in places if place in _FINDS), None)
        if find is not None:
            # The method of this one parameter: click's own argument for it would have to be given
            # wherever the parameter is declared.
            vars(parameter)["shell_complete"] = partial(_complete, find, parameter)


def _complete(
    find: _Find, parameter: click.Parameter, context: click.Context, incomplete: str
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    try:
        words = [word for word in find(context, incomplete) if word.startswith(incomplete)]
    except (SpicealifError, OSError):
        words = []
    found = [CompletionItem(word) for word in words]
    if _takes_file(parameter, incomplete):
        found.append(CompletionItem(incomplete, type="file"))
    return found


def _takes_file(parameter: click.Parameter, incomplete: str) -> bool:
    """Whether a path may stand there too; asked for once nothing else can be meant."""
    return parameter.name in _FILES and ("/" in incomplete or "." in incomplete)


def _neurons(context: click.Context, incomplete: str) -> Iterable[str]:
    from pathlib import Path

    from spicealif.design import preset_names

    return [*preset_names(), *sorted(str(path) for path in Path().glob("*.toml"))]


def _results(context: click.Context, incomplete: str) -> Iterable[str]:
    from pathlib import Path

    folders = sorted(str(p.parent) for p in Path().glob("spicealif-results/*/neuron.toml"))
    files = sorted(str(path) for path in Path().glob("*.nc"))
    return [*folders, *files]


def _neurons_and_results(context: click.Context, incomplete: str) -> Iterable[str]:
    return [*_neurons(context, incomplete), *_results(context, incomplete)]


def _devices(context: click.Context, incomplete: str) -> Iterable[str]:
    from pathlib import Path

    from spicealif.design import device_names

    return [*device_names(), *sorted(str(path) for path in Path().glob("*.toml"))]


def _presets(context: click.Context, incomplete: str) -> Iterable[str]:
    from spicealif.design import device_names, preset_names

    return [*preset_names(), *device_names()]


def _simulators(context: click.Context, incomplete: str) -> Iterable[str]:
    from spicealif.simulators import simulator_names

    return simulator_names()


def _experiments(context: click.Context, incomplete: str) -> Iterable[str]:
    from spicealif.sweep import EXPERIMENTS

    return EXPERIMENTS


def _measures(context: click.Context, incomplete: str) -> Iterable[str]:
    from spicealif.measures.one_side import MEASURES

    return MEASURES


def _models(context: click.Context, incomplete: str) -> Iterable[str]:
    from spicealif.design import MODELS

    return MODELS


def _dialects(context: click.Context, incomplete: str) -> Iterable[str]:
    from spicealif.netlist import dialects

    return dialects()


def _keys(context: click.Context, incomplete: str) -> Iterable[str]:
    """Return the keys of the neuron that the line names, each with the sign that follows it."""
    from spicealif.cli._options import find_neuron

    # Where an option still lacks its value click has not told arguments from the rest.
    given = [*context.args, str(context.params.get("neuron") or "paper")]
    neuron = find_neuron(given[0])
    return [f"{key}=" for key in _flat(neuron.to_dict())]


def _networks(context: click.Context, incomplete: str) -> Iterable[str]:
    from pathlib import Path

    from spicealif.network import network_preset_names

    files = sorted(str(path) for path in Path().glob("*.toml"))
    return [*network_preset_names(), *files]


def _network_runs(context: click.Context, incomplete: str) -> Iterable[str]:
    from pathlib import Path

    return sorted(str(p.parent) for p in Path().glob("spicealif-results/*/network.toml"))


def _networks_and_runs(context: click.Context, incomplete: str) -> Iterable[str]:
    return [*_networks(context, incomplete), *_network_runs(context, incomplete)]


def _network_keys(context: click.Context, incomplete: str) -> Iterable[str]:
    """Return the parameters of the network that the line names, each with the sign after it."""
    from spicealif.cli.network._find import find_network
    from spicealif.network.parameters import parameter_names

    given = [*context.args, str(context.params.get("network") or "")]
    return [f"{key}=" for key in parameter_names(find_network(given[0]))]


def _tasks(context: click.Context, incomplete: str) -> Iterable[str]:
    from pathlib import Path

    from spicealif._support.resources import models_dir

    shipped = sorted(path.stem for path in (models_dir() / "tasks").glob("*.toml"))
    return [*shipped, *sorted(str(path) for path in Path().glob("*.toml"))]


def _task_keys(context: click.Context, incomplete: str) -> Iterable[str]:
    """Return the values of the task that the line names, each with the sign that follows it."""
    from spicealif.learning.task_files import load_task

    given = [*context.args, str(context.params.get("task") or "")]
    return [f"{key}=" for key in _flat(load_task(given[0]).to_dict())]


def _learners(context: click.Context, incomplete: str) -> Iterable[str]:
    from spicealif.learning._names import BASELINES, READOUTS, method_names

    return method_names(list(READOUTS), list(BASELINES))


def _flat(table: Mapping[str, Any], before: str = "") -> Iterable[str]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def _words(*words: str) -> _Find:
    return lambda context, incomplete: words


#: By the names of command, or group (empty: any), and parameter.
_FINDS: Mapping[tuple[str, str], _Find] = MappingProxyType(
    {
        ("", "neuron"): _neurons,
        ("", "simulator"): _simulators,
        ("", "variant"): _words("ideal", "schmitt"),
        ("", "changes"): _keys,
        ("", "over"): _keys,
        ("", "sides"): _words("both", "circuit", "reference"),
        ("", "varies"): _words("both", "circuit", "reference"),
        ("", "sampling"): _words("grid", "list", "random", "latin-hypercube", "sobol"),
        ("", "dialect"): _dialects,
        ("", "style"): _words("numbers", "parameters"),
        ("", "picture"): _words("png", "svg", "pdf"),
        ("", "measure"): _measures,
        ("", "measures"): _measures,
        ("", "model"): _models,
        ("", "device"): _devices,
        ("", "method"): _words("LSODA", "Radau", "BDF", "rodas"),
        ("network", "network"): _networks,
        ("network verify", "network"): _networks_and_runs,
        ("network", "changes"): _network_keys,
        ("network", "vary"): _network_keys,
        ("network", "folder"): _network_runs,
        ("network", "other"): _network_runs,
        ("network presets", "name"): _networks,
        ("learn", "task"): _tasks,
        ("learn", "changes"): _task_keys,
        ("learn", "methods"): _learners,
        ("learn", "method"): _learners,
        ("sweep", "name"): _experiments,
        ("presets", "name"): _presets,
        ("export", "result"): _results,
        ("report", "result"): _results,
        ("cite", "result"): _neurons_and_results,
    }
)
