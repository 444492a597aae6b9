"""``spicealif fit``: parameters of a memristor model from measured loops."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from spicealif._support.progress import progress_bar
from spicealif.cli._answer import answer
from spicealif.cli._options import format_option, output_options, quiet_option, title_option
from spicealif.cli._output import writing, writing_folder
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli._types import CountType, OutputPath, QuantityType

__all__ = ["fit_command"]


@click.command(
    "fit",
    cls=Command,
    epilog="Example:  spicealif fit loop.csv --model mms --series-resistor 5k -o device.toml",
    short_help="Fit a memristor model to measured loops.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model",
    default="mms",
    show_default=True,
    metavar="NAME",
    help="mms, gmms, vteam or yakopcic.",
)
@click.option(
    "--series-resistor",
    metavar="OHM",
    help="Resistor between source and device, such as 5k [default: from the columns].",
)
@click.option(
    "--temperature",
    default="298.5",
    show_default=True,
    metavar="K",
    help="Of the device, such as 300 or '25 degC'.",
)
@click.option("--frequency", metavar="HZ", help="Of the drive [default: found].")
@click.option(
    "--periodic/--single-shot",
    default=None,
    help="Whether the loop is a steady state [default: found].",
)
@click.option(
    "--hold",
    multiple=True,
    metavar="NAME=VALUE",
    help="Do not fit this parameter; may be repeated.",
)
@click.option(
    "--bound",
    multiple=True,
    metavar="NAME=LOW:HIGH",
    help="Where to look for a parameter; may be repeated.",
)
@click.option(
    "--per-file",
    multiple=True,
    metavar="NAME",
    help="Parameter that each file has its own of; may be repeated.",
)
@click.option(
    "--column",
    multiple=True,
    metavar="QUANTITY=HEADING",
    help="Which column is time, v_mem (device), v_in (source) or i: a heading or a "
    "number (#3), with its unit in brackets if need be, such as i='3 [uA]'; or time='every 2us'.",
)
@click.option("--seed", type=CountType(), default=0, show_default=True, help="Of the search.")
@click.option(
    "--level",
    type=QuantityType(),
    default=0.95,
    show_default=True,
    help="Of the confidence intervals.",
)
@output_options("Write the device to this TOML file (with --per-file: that of the first file).")
@click.option(
    "--figures",
    type=OutputPath(),
    metavar="FOLDER",
    help="Write loops, traces, residuals and correlations as pictures.",
)
@format_option("Of the figures: png, svg or pdf [default: png].")
@title_option
@click.option(
    "--result",
    "result_file",
    type=OutputPath(),
    metavar="FILE",
    help="Write everything as JSON, of the traces what a figure needs.",
)
@quiet_option
def fit_command(
    files: tuple[Path, ...],
    model: str,
    series_resistor: str | None,
    temperature: str,
    frequency: str | None,
    periodic: bool | None,
    hold: tuple[str, ...],
    bound: tuple[str, ...],
    per_file: tuple[str, ...],
    column: tuple[str, ...],
    seed: int,
    level: float,
    output: Path | None,
    force: bool,
    figures: Path | None,
    picture: str | None,
    title: bool,
    result_file: Path | None,
    quiet: bool,
) -> None:
    """Fit a memristor model to measured loops in FILES (CSV with headings).

    Source, series resistor and device are simulated, and NMSE(v) + NMSE(i) is minimised. A neuron
    takes the device by "-s leak.file=device.toml". One loop takes some seconds, models of many
    parameters up to a minute.
    """
    kind = _model(model)
    columns = _pairs("--column", column)
    held = {n: _number(kind, n, v) for n, v in _pairs("--hold", hold).items()}
    bounds = {}
    for name, text in _pairs("--bound", bound).items():
        (low, colon, high) = text.partition(":")
        if not colon:
            raise click.UsageError(f"--bound {name}={text} is not of the form NAME=LOW:HIGH.")
        bounds[name] = (_number(kind, name, low), _number(kind, name, high))
    kelvin = _quantity("--temperature", temperature, "K")
    from spicealif._support.files import write_text
    from spicealif._support.kinds import DEVICE, FIT_FIGURES, FIT_JSON
    from spicealif.fit import fit_device, read_loop
    from spicealif.fit._problem import check_options
    from spicealif.measures.shown import json_text

    if figures is None and (picture is not None or title):
        option = "--format" if picture is not None else "--title"
        raise click.UsageError(f"{option} is for figures, and none are asked for; add --figures.")
    check_options(model, kelvin, bounds, held, per_file, seed, level)
    written = []
    with contextlib.ExitStack() as places:
        # before the fit, which may take minutes: a place that cannot be written to
        say = places.enter_context(
            writing((output, DEVICE), (result_file, FIT_JSON), inputs=files, force=force)
        )
        if figures is not None:
            places.enter_context(writing_folder(figures, FIT_FIGURES, files, force))
        loops = [
            read_loop(
                file,
                series_resistor=series_resistor,
                columns=columns,
                frequency=frequency,
                periodic=periodic,
            )
            for file in files
        ]
        with progress_bar(f"fitting {model}", quiet) as progress:
            result = fit_device(
                loops,
                model,
                temperature=kelvin,
                bounds=bounds,
                held=held,
                per_loop=per_file,
                seed=seed,
                level=level,
                progress=progress,
            )
        answer(result.to_dict)
        say(for_terminal(result))
        if result_file is not None:
            written.append(write_text(result_file, f"{json_text(result)}\n"))
        if figures is not None:
            from spicealif.fit.figures import save_figures

            written += save_figures(result, figures, picture or "png", title=title)
        # Last: a device that does not describe its loop is refused, its figures say why.
        if output is not None:
            written.insert(0, result.save_preset(output))
        elif not all(fitted.described for fitted in result.loops):
            result.preset()
        if quiet:
            return
        for path in written:
            say(f"Wrote {path}")
        if output is not None:
            change = f"leak.file={output}"
            change = f'"{change}"' if " " in change else change
            say(f"A neuron with this device: spicealif run paper -s {change}")


def _model(name: str) -> type:
    from spicealif.fit._problem import model_of

    return model_of(name)


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    """Return the names and values of an option that may be repeated."""
    out: dict[str, str] = {}
    for text in texts:
        (name, equals, value) = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise click.UsageError(f"{option} {text} is not of the form NAME=VALUE.")
        if name in out:
            raise click.UsageError(f"{option} names {name} twice; give it once.")
        out[name] = value
    return out


def _number(model: type, name: str, text: str) -> float:
    field = getattr(model, "model_fields", {}).get(name)
    extra = getattr(field, "json_schema_extra", None) or {}
    unit = str(extra.get("unit", ""))
    return _quantity(name, text, "" if unit == "1" else unit)


def _quantity(name: str, text: str, unit: str) -> float:
    from spicealif.errors import FitError
    from spicealif.quantities.grammar import quantity_of

    return quantity_of(name, text, unit, FitError)
