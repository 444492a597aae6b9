"""``spicealif compare``: any two saved results, or one and the reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from spicealif.cli._options import (
    all_option,
    check_option,
    cross_check_option,
    figure_options,
    find_neuron,
    force_option,
    json_option,
    set_option,
    variant_option,
)
from spicealif.cli._output import check_picture, writing
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli._types import CountType, QuantityType

if TYPE_CHECKING:
    from spicealif.design import Neuron
    from spicealif.waveforms import Waveforms

__all__ = ["compare_command"]


@click.command(
    "compare",
    cls=Command,
    epilog='Example:  spicealif compare my.raw --neuron my.toml --v-mem "V(vc)-V(vs)"',
    short_help="Compare a saved result with another, or with the reference.",
)
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path), required=False)
@click.option(
    "--neuron",
    metavar="NEURON",
    help="Preset or TOML file; needed for raw files, which do not say what they are of.",
)
@set_option("Change a value of the neuron, such as t_stop=10m; may be repeated.")
@variant_option
@click.option("--v-mem", metavar="SUM", help="Raw file: the membrane voltage, as V(vc)-V(vs).")
@click.option("--spike", metavar="SUM", help="Raw file: the comparator's output, as V(out).")
@click.option("--v-c", metavar="SUM", help="Raw file: the capacitor's voltage.")
@click.option("-x", "--x", metavar="SUM", help="Raw file: the memristor's state, 1 V = 1.")
@click.option("--i-in", metavar="SUM", help="Raw file: the input current, as -I(I1).")
@click.option(
    "--spike-level",
    type=QuantityType("V"),
    metavar="VOLT",
    help="Raw file: a spike is where --spike rises through this [default: the middle of the "
    "comparator's levels].",
)
@click.option(
    "--plot",
    metavar="N",
    help="Raw file of several transient analyses: which plot, by its number in the file or a part "
    "of its name.",
)
@click.option("--step", type=CountType(), metavar="N", help="Raw file: which step, from 1.")
@cross_check_option("Read raw files with the package ltspice too, and fail on a difference.")
@check_option
@all_option
@json_option
@figure_options("Draw both into this file.")
@force_option
def compare_command(
    first: Path,
    second: Path | None,
    neuron: str | None,
    changes: tuple[str, ...],
    variant: str,
    spike_level: float | None,
    plot: str | None,
    step: int | None,
    cross_check: bool,
    check: bool,
    all_rows: bool,
    as_json: bool,
    figure: Path | None,
    picture: str | None,
    title: bool,
    force: bool,
    **vectors: str | None,
) -> None:
    """Compare FIRST with SECOND, or with the reference if SECOND is not given.

    Results are netCDF files of ours (.nc) and raw files (.raw) of LTspice, ngspice and other
    SPICEs. A raw file of a netlist of ours ("spicealif netlist --dialect ltspice") is understood as
    it is; for another circuit say which of its vectors is what: SUM is made of vectors with signs,
    as "V(vc)-V(vs)". What is marked "Raw file" is of FIRST. Both are compared over the time that
    they have in common.
    """
    from spicealif._support.kinds import PICTURE
    from spicealif._support.text import shown_lines
    from spicealif.errors import CompareError, DesignError
    from spicealif.measures.comparison import compare
    from spicealif.measures.shown import json_text
    from spicealif.results import load_result

    given = click.get_current_context().get_parameter_source("variant")
    if second is not None and given is not ParameterSource.DEFAULT:
        raise CompareError(
            "--variant is for the reference, which is computed only without SECOND; remove one of "
            "them."
        )
    if changes and neuron is None:
        raise DesignError("--set changes a neuron, and none is given; add --neuron NEURON.")
    described = find_neuron(neuron, changes) if neuron else None
    check_picture(figure, picture, title)
    signals = {name: text for name, text in vectors.items() if text is not None}
    inputs = (first, second, neuron, *changes)
    with writing((figure, PICTURE), inputs=inputs, force=force, printing=as_json) as say:
        a = load_result(
            first,
            described,
            signals=signals,
            spike_level=spike_level,
            step=step,
            plot=plot,
            cross_check=cross_check,
        )
        if second is None:
            b = _reference(a, described, variant)
        else:
            b = load_result(second, described, cross_check=cross_check)
        comparison = compare(a, b, described)
        if check:
            from spicealif.circuit import with_check
            from spicealif.cli._start import without_scipy_blas

            with without_scipy_blas():
                comparison = with_check(comparison)
        if as_json:
            click.echo(json_text(comparison))
        else:
            say(for_terminal(comparison, short=not all_rows))
        if figure is not None:
            from spicealif import plots

            drawn = plots.overlay_figure(comparison, title=title)
            plots.save_figure(drawn, figure, picture)
            told = shown_lines(f"Wrote {figure}.")
            click.echo(told, err=True) if as_json else say(told)


def _reference(of: Waveforms, neuron: Neuron | None, variant: str) -> Waveforms:
    """Integrate the neuron that a result is of."""
    from spicealif.cli._start import without_scipy_blas
    from spicealif.measures.comparison import design_of
    from spicealif.measures.span import check_span
    from spicealif.reference import solve_reference

    described = neuron or design_of(of)
    check_span(of, described)  # before it is computed
    with without_scipy_blas():
        return solve_reference(
            described,
            variant,  # type: ignore[arg-type]  # checked there
        )
