"""Options that several commands share, and the neuron they describe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spicealif.cli._types import QuantityType

if TYPE_CHECKING:
    from spicealif.design import Neuron
    from spicealif.simulators import Simulator

__all__ = [
    "CROSS_CHECK_RUN",
    "cross_check_option",
    "find_neuron",
    "neuron_argument",
    "quiet_option",
    "set_options",
    "simulator_options",
    "variant_option",
    "with_cross_check",
]

_F = TypeVar("_F", bound=Callable[..., Any])

#: What --cross-check does for a run.
CROSS_CHECK_RUN = (
    "Read the simulator's raw file with the package ltspice too; a difference fails the run "
    "(not for ngspice, which hands its data over in memory)."
)

# Longest name that is made of changes; the design allows 64, and "_ideal" may follow.
_LONGEST_NAME = 56

neuron_argument = click.argument("neuron", default="paper")

variant_option = click.option(
    "--variant",
    default="ideal",
    show_default=True,
    metavar="NAME",
    help="Reference: ideal (instant reset) or schmitt (discharge through the MOSFET).",
)

quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress, no list of files.")


def set_options(command: _F) -> _F:
    """Add ``--set`` and ``--ideal``."""
    command = click.option(
        "--ideal", is_flag=True, help="Take the ideal variant of every part of the circuit."
    )(command)
    return click.option(
        "-s",
        "--set",
        "changes",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change a value, such as leak.tau=2m, c=220n or r_s=4k7 (M is mega, as in SI; SPICE's "
        "own M is milli); may be repeated.",
    )(command)


def simulator_options(command: _F) -> _F:
    """Add ``--simulator`` and ``--timeout``."""
    command = click.option(
        "--timeout",
        type=QuantityType("s"),
        metavar="SECONDS",
        help="Stop the simulator after this long.",
    )(command)
    return click.option(
        "--simulator",
        default="ngspice",
        show_default=True,
        metavar="NAME",
        help="ngspice (shared library), ngspice-batch (program) or ltspice.",
    )(command)


def cross_check_option(what: str) -> Callable[[_F], _F]:
    """Return the flag ``--cross-check``, its help saying `what` it does."""
    return click.option("--cross-check", is_flag=True, help=what)


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
    from spicealif.design import load_preset, load_toml, preset_names
    from spicealif.errors import DesignError

    if name in preset_names():
        neuron = load_preset(name)
    elif name.lower().endswith(".toml") or _is_file(name):
        neuron = load_toml(name)
    else:
        raise DesignError(
            f"{ascii(name)} is neither a preset ({', '.join(preset_names())}) nor a TOML file; "
            "see 'spicealif presets'."
        )
    new: dict[str, Any] = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key.strip():
            raise DesignError(
                f"--set {ascii(change)} is not of the form KEY=VALUE; write, for example, "
                "--set c=220n."
            )
        if key.strip() in new:
            raise DesignError(f"--set gives {ascii(key.strip())} twice; give it once.")
        new[key.strip()] = _value(value.strip())
    if new:
        # Under the preset's name its results would be taken for the preset's, and replaced.
        neuron = neuron.replace({"name": _name_of(neuron.name, new), **new})
    return neuron.ideal().replace(name=f"{neuron.name}_ideal") if ideal else neuron


def _name_of(base: str, new: Mapping[str, Any]) -> str:
    """Return a name that says what was changed, so that other changes get other results."""
    changes = [f"{key.rpartition('.')[2]}_{value}" for key, value in new.items()]
    name = "_".join([base, *changes])
    plain = re.sub(r"\W", "_", name.replace("-", "neg_").replace(".", "p"), flags=re.ASCII)
    if len(plain) <= _LONGEST_NAME:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST_NAME - len(digest) - 1]}_{digest}"


def _is_file(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long, or a zero byte: no file has such a name
        return False


def _value(text: str) -> Any:
    return {"true": True, "false": False}.get(text.lower(), text)
