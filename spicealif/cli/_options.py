"""Options that several commands share, and the neuron they describe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spicealif._support.text import counted
from spicealif.cli._types import CountType, OutputPath, PictureType, QuantityType

if TYPE_CHECKING:
    from spicealif.design import Neuron
    from spicealif.simulators import Simulator

__all__ = [
    "CROSS_CHECK_RUN",
    "all_option",
    "check_option",
    "cross_check_option",
    "figure_options",
    "find_neuron",
    "force_option",
    "format_option",
    "json_option",
    "name_of",
    "neuron_options",
    "output_options",
    "preset_or_file",
    "quiet_option",
    "report_option",
    "retry_option",
    "set_option",
    "settings",
    "simulator_options",
    "store_option",
    "title_option",
    "together",
    "value_of",
    "variant_option",
    "with_cross_check",
    "workers_option",
]

_F = TypeVar("_F", bound=Callable[..., Any])
_D = TypeVar("_D")

#: What --cross-check does for a run.
CROSS_CHECK_RUN = (
    "Read the simulator's raw file with the package ltspice too; a difference fails the run "
    "(not for ngspice, which hands its data over in memory)."
)

# Longest name that is made of changes; the design allows 64, and "_ideal" may follow.
_LONGEST_NAME = 56


def together(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Return several options as one decorator, in the order in which the help shows them."""

    def add(command: _F) -> _F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def set_option(what: str) -> Callable[[_F], _F]:
    """Return the option ``--set``, its help saying `what` it does."""
    return click.option("-s", "--set", "changes", multiple=True, metavar="KEY=VALUE", help=what)


#: The argument NEURON with ``--set`` and ``--ideal``, for `find_neuron`.
neuron_options = together(
    click.argument("neuron", default="paper"),
    set_option(
        "Change a value, such as leak.tau=2m, c=220n or r_s=4k7 (M is mega, as in SI; SPICE's "
        "own M is milli); may be repeated."
    ),
    click.option(
        "--ideal", is_flag=True, help="Take the ideal variant of every part of the circuit."
    ),
)

variant_option = click.option(
    "--variant",
    default="ideal",
    show_default=True,
    metavar="NAME",
    help="Reference: ideal (instant reset) or schmitt (discharge through the MOSFET).",
)

#: ``--simulator`` and ``--timeout``.
simulator_options = together(
    click.option(
        "--simulator",
        default="ngspice",
        show_default=True,
        metavar="NAME",
        help="ngspice (shared library), ngspice-batch (program), ltspice, or equations (the "
        "circuit's own differential equations; no SPICE).",
    ),
    click.option(
        "--timeout",
        type=QuantityType("s"),
        metavar="SECONDS",
        help="Stop the simulator after this long.",
    ),
)

force_option = click.option(
    "--force", is_flag=True, help="Replace files that hold something else, without asking."
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON instead of the table (SI units)."
)

all_option = click.option(
    "--all", "all_rows", is_flag=True, help="Print every measure, and not the main ones only."
)

report_option = click.option(
    "--report", type=OutputPath(), metavar="FILE", help="Write a report (.html) as well."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress, no list of files.")


store_option = click.option(
    "--store",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where results are kept [default: the user's cache folder].",
)

check_option = click.option(
    "--check/--no-check",
    default=True,
    help="Whether the circuit's differential equations are solved too, so that the numerical error "
    "of the circuit's figures is known.  [default: yes]",
)


def cross_check_option(what: str) -> Callable[[_F], _F]:
    """Return the flag ``--cross-check``, its help saying `what` it does."""
    return click.option("--cross-check", is_flag=True, help=what)


def output_options(what: str) -> Callable[[_F], _F]:
    """Return the options ``--output``, its help saying `what` is written, and ``--force``."""
    output = click.option("-o", "--output", type=OutputPath(), metavar="PATH", help=what)
    return together(output, force_option)


def format_option(what: str) -> Callable[[_F], _F]:
    """Return the option ``--format``, its help saying `what` it decides."""
    return click.option("--format", "picture", type=PictureType(), metavar="FORMAT", help=what)


title_option = click.option(
    "--title", is_flag=True, help="Say above the panels of a figure what it shows."
)


def figure_options(what: str) -> Callable[[_F], _F]:
    """Return ``--figure``, its help saying `what` is drawn, and its ``--format`` and ``--title``.

    See `spicealif.cli._output.check_picture`.
    """
    return together(
        click.option("--figure", type=OutputPath(), metavar="FILE", help=what),
        format_option("Of the figure: png, svg or pdf, where its name does not say it."),
        title_option,
    )


def retry_option(what: str) -> Callable[[_F], _F]:
    """Return the flag ``--retry-failed``, its help saying `what` is computed anew."""
    return click.option(
        "--retry-failed", is_flag=True, help=f"Compute {what} anew that failed before."
    )


def workers_option(what: str) -> Callable[[_F], _F]:
    """Return the option ``--workers``, its help saying `what` they are."""
    told = f"{what} [default: all CPUs]."
    return click.option("--workers", type=CountType(), metavar="N", help=told)


def with_cross_check(simulator: str, cross_check: bool) -> str | Simulator:
    """Return the simulator's name, or one that cross-checks its raw files if that is asked for."""
    if not cross_check:
        return simulator
    from spicealif.simulators import get_simulator

    return get_simulator(simulator, cross_check=True)


def find_neuron(name: str, changes: tuple[str, ...] = (), ideal: bool = False) -> Neuron:
    """Return the neuron that the command line describes.

    Parameters
    ----------
    name : str
        A preset, or the path of a TOML file.
    changes : tuple of str
        ``key=value`` texts.
    ideal : bool
        Whether to take all parts ideal, after the changes.

    Returns
    -------
    Neuron
        Named after its changes (``paper_tau_2m_c_220n``) unless these name it, and ``..._ideal``.

    Raises
    ------
    DesignError
        If there is no such neuron, or a change is not valid.
    """
    from spicealif._support.kept import tell
    from spicealif.design import load_preset, load_toml, preset_names
    from spicealif.design.store import changed_from

    neuron = preset_or_file(name, preset_names(), load_preset, load_toml, "spicealif presets")
    new: dict[str, Any] = {}
    for key, value in settings(changes, "c=220n"):
        new[key] = value_of(value)
    if new:
        # Under the preset's name its results would be taken for the preset's, and replaced.
        said = ", ".join(f"{key} = {value}" for key, value in new.items())
        name = name_of(neuron.name, new)
        _take_file(new)
        told = {"name": name, **changed_from(neuron.to_dict(), neuron.name, said)}
        neuron = neuron.replace({**told, **new})
    _tell_late(neuron)
    for doubt in [] if ideal else neuron.doubts:
        tell(doubt)
    return neuron.ideal().replace(name=f"{neuron.name}_ideal") if ideal else neuron


def preset_or_file(
    name: str,
    presets: Sequence[str],
    load_preset: Callable[[str], _D],
    load_file: Callable[[str], _D],
    listing: str,
) -> _D:
    """Return what a word describes: a preset's name, or the path of a TOML file.

    Raises
    ------
    DesignError
        If it is neither; `listing` is the command that shows the presets.
    """
    from spicealif._support.text_files import names_file
    from spicealif.errors import DesignError

    if name in presets:
        return load_preset(name)
    if name.lower().endswith(".toml") or names_file(name):
        return load_file(name)
    raise DesignError(
        f"{ascii(name)} is neither a preset ({', '.join(presets)}) nor a TOML file; see "
        f"'{listing}'."
    )


def settings(changes: tuple[str, ...], example: str) -> Iterator[tuple[str, str]]:
    """Give key and value of each text of ``--set``.

    Raises
    ------
    DesignError
        If one is not of the form KEY=VALUE, or a key is given twice.
    """
    from spicealif.errors import DesignError

    given = set[str]()
    for change in changes:
        key, equals, value = (part.strip() for part in change.partition("="))
        if not equals or not key:
            raise DesignError(
                f"--set {ascii(change)} is not of the form KEY=VALUE; write, for example, "
                f"--set {example}."
            )
        if key in given:
            raise DesignError(f"--set gives {ascii(key)} twice; give it once.")
        given.add(key)
        yield key, value


def _tell_late(neuron: Neuron) -> None:
    """Tell of points of the stimulus that the run does not reach."""
    from spicealif._support.kept import tell
    from spicealif.errors import DesignError

    times: tuple[float, ...] = getattr(neuron.stimulus, "t", ())
    late = sum(t > neuron.t_stop * (1 + 1e-9) for t in times)
    if late == len(times) > 1:
        raise DesignError(
            f"The stimulus' points go from {times[0]:g} s to {times[-1]:g} s and the run ends at "
            f"t_stop = {neuron.t_stop:g} s; give times from 0 on in s, or a longer run."
        )
    if late and times:
        tell(
            f"{counted(late, 'point')} of the stimulus' {len(times)} (the last at {times[-1]:g} s) "
            f"are behind the end of the run, t_stop = {neuron.t_stop:g} s."
        )


def _take_file(new: dict[str, Any]) -> None:
    """Put the current of a file where --set names one, as a neuron's TOML file may."""
    from spicealif.design import PiecewiseLinear
    from spicealif.errors import DesignError

    named = {key: new[key] for key in new if key.partition(".")[0] == "stimulus"}
    if "stimulus.file" not in named:
        return
    start = "stimulus.columns."
    columns = {k.removeprefix(start): str(v) for k, v in named.items() if k.startswith(start)}
    others = [k for k in named if k not in ("stimulus.file", "stimulus.kind")
              and not k.startswith(start)]  # fmt: skip
    if others or named.get("stimulus.kind", "pwl") != "pwl":
        raise DesignError(
            "stimulus.file goes with stimulus.columns and nothing else of the stimulus; remove "
            f"{', '.join(map(ascii, others)) or 'the other kind'} from --set."
        )
    for key in named:
        del new[key]
    new["stimulus"] = PiecewiseLinear.from_csv(str(named["stimulus.file"]), columns)


def name_of(base: str, new: Mapping[str, Any]) -> str:
    """Return a name that says what was changed, so that other changes get other results."""
    changes = [f"{key.rpartition('.')[2]}_{value}" for key, value in new.items()]
    name = "_".join([base, *changes])
    plain = re.sub(r"\W", "_", name.replace("-", "neg_").replace(".", "p"), flags=re.ASCII)
    if len(plain) <= _LONGEST_NAME:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST_NAME - len(digest) - 1]}_{digest}"


def value_of(text: str) -> Any:
    """Return a value of ``--set``: true and false are no texts."""
    return {"true": True, "false": False}.get(text.lower(), text)
