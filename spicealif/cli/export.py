"""``spicealif export``: a saved result as a table for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._options import force_option, quiet_option
from spicealif.cli._output import writing
from spicealif.cli._terminal import Command
from spicealif.cli._types import OutputPath

__all__ = ["export_command"]


@click.command(
    "export",
    cls=Command,
    epilog="Example:  spicealif export spicealif-results/paper --table spikes -o spikes.csv",
    short_help="Write traces, spikes or measures of a saved result as a table.",
)
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--table",
    type=click.Choice(["traces", "spikes", "measures"]),
    help="Traces over time, one row a spike, or one row a measure [default: traces of one side; "
    "measures of a run's folder and of a sweep].",
)
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    metavar="FILE",
    required=True,
    help="What to write; its ending says what it is: .csv, .parquet or .nc (netCDF).",
)
@force_option
@quiet_option
def export_command(result: Path, table: str | None, output: Path, force: bool, quiet: bool) -> None:
    """Write a table of RESULT: a netCDF file of ours, or the folder of a run.

    CSV has the unit of a column behind its name, as in "v_c [V]"; all values are in SI units.
    """
    from spicealif._support.kinds import TABLE
    from spicealif._support.tables import save_table
    from spicealif.citing import result_at
    from spicealif.exporting import table_of

    parts = [result / name for name in ("circuit.nc", "reference.nc", "comparison.json")]
    with writing((output, TABLE), inputs=(result, *parts), force=force) as say:
        loaded = result_at(result)
        for warning in getattr(loaded, "warnings", []):
            click.echo(f"Note: {warning}", err=True)
        found = table_of(loaded, table)  # type: ignore[arg-type]  # checked there
        save_table(found, output)
        answer({"file": output, "rows": len(found), "columns": found.headings()})
        names = ", ".join(found.headings()[:8]) + (", ..." if len(found.columns) > 8 else "")
        if not quiet:
            say(f"Wrote {output}: {counted(len(found), 'row')}, {names}.")
