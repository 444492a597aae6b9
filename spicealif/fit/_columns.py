"""Which column of a measured loop is which: time, voltages of device and source, current."""

from __future__ import annotations

import re
from collections.abc import Mapping

from spicealif.csvfile import (
    GENERIC,
    Match,
    Quantity,
    Table,
    Values,
    counts,
    listed,
    match_columns,
    names,
    read_values,
)
from spicealif.errors import TableFileError

__all__ = ["QUANTITIES", "column_option", "find_columns"]

_TIME = Quantity("time", "the time", "s", GENERIC["s"])
_V_MEM = Quantity(
    "v_mem",
    "the voltage across the memristor",
    "V",
    names(
        "vmem vmemristor vm vdut vdev vdevice vd umem umemristor um udut memristorvoltage "
        "devicevoltage dutvoltage voltagememristor voltagedevice voltagedut vmr voltagemem "
        "voltageacrossmemristor voltageacrossdevice"
    ),
)
_V_IN = Quantity(
    "v_in",
    "the voltage of the source, across resistor and memristor",
    "V",
    names(
        "vin vtotal vtot vt vsource vsrc vs vapplied vapp vdrive vg vgen vgenerator uin utotal us "
        "totalvoltage sourcevoltage appliedvoltage drivevoltage inputvoltage generatorvoltage "
        "voltagesource voltagetotal voltageapplied voltagein voltageinput voltagedrive "
        "voltagegenerator"
    ),
)
_I = Quantity(
    "i",
    "the current",
    "A",
    GENERIC["A"]
    | names(
        "im imem imemristor idut idev idevice id iin memristorcurrent devicecurrent dutcurrent "
        "currentmemristor currentdevice currentdut is imeas measuredcurrent sourcecurrent"
    ),
)
_ALL = (_TIME, _V_MEM, _V_IN, _I)
#: What a file may hold, in messages.
QUANTITIES = {quantity.name: quantity.what for quantity in _ALL}
#: Neutral names that are those of a channel, which may well be a voltage.
_CHANNEL = re.compile(
    r"(?:x?ch|chan|channel|trace|analog|ai|smu|volt|input|probe|dev|ampl)\w*|[cvu](?:ch)?\d\w*|\d+"
)


def column_option(quantity: str, column: str) -> str:
    """Return how the command line says that a column is a quantity, as a shell takes it."""
    if re.fullmatch(r"[\w.+-]+", f"{quantity}{column}", re.ASCII):
        return f"--column {quantity}={column}"
    return f"--column '{quantity}={column}'"


def find_columns(table: Table, wanted: Mapping[str, str], *, one_voltage: bool) -> Values:
    """Return the columns of a table by quantity, in SI units.

    Parameters
    ----------
    table : Table
    wanted : mapping of str to str
        Which columns to take, by quantity (see `match_columns`).
    one_voltage : bool
        Whether there is no series resistor, so that any voltage is the device's.

    Returns
    -------
    Values
        Of those in `QUANTITIES` that were found.

    Raises
    ------
    TableFileError
        If a column that is asked for is not there, two could be the same quantity, one could be
        two, or something in a column is no number.
    """
    match = match_columns(table, _ALL, wanted, column_option)
    if not {"v_mem", "v_in"} & match.asked:
        _settle_voltages(match, one_voltage)
    _ask_for_current(match)
    if not match.picks.keys() - {"time"}:
        raise TableFileError(
            f"In {table.name} no column is known by its heading (headings: "
            f"{listed(table.headings)}); say which is which, as in "
            f"{column_option('v_mem', 'HEADING')} or {column_option('i', 'NUMBER [UNIT]')}."
        )
    return read_values(match)


def _settle_voltages(match: Match, one_voltage: bool) -> None:
    """Ask about columns that may be a voltage, and that nobody named."""
    both = {"v_mem", "v_in"} <= match.picks.keys()
    free = [k for k in range(len(match.heads)) if _may_be_voltage(match, k)]
    if both or not free:
        return
    table, known = match.table, {"v_mem", "v_in"} & match.picks.keys()
    generic = [k for k in free if match.heads[k].is_generic("V") or match.heads[k].is_neutral]
    if not known:
        if one_voltage and len(generic) == 1 and "i" in match.picks:
            match.add(_V_IN, generic[0])
            return
        k = (generic or free)[0]
        others = f" (and {len(free) - 1} more)" if len(free) > 1 else ""
        raise TableFileError(
            f"In {table.name} {match.shown(k)}{others} may be the voltage of the source or of the "
            f"memristor; say which: {match.remedy('v_in', k)} or {match.remedy('v_mem', k)}."
        )
    # A name of its own ("v_supply_V") matters only where a resistor might be missing.
    asked = generic or (free if one_voltage else [])
    if asked:
        have = known.pop()
        other = "v_in" if have == "v_mem" else "v_mem"
        taken = match.picks[have].column
        keep = match.remedy(have, taken) if taken is not None else match.way(have, "HEADING")
        raise TableFileError(
            f"In {table.name} {match.shown(asked[0])} may be {QUANTITIES[other]}; say "
            f"{match.remedy(other, asked[0])} if it is, or {keep} to leave it out."
        )


def _ask_for_current(match: Match) -> None:
    """Ask about a column in amperes with an unknown name where a current is needed.

    A simulator's ``I(V1)`` flows into the source's + terminal: turned against the memristor's.
    """
    if "i" in match.picks or {"v_mem", "v_in"} <= match.picks.keys():
        return
    free = [k for k, head in enumerate(match.heads) if head.base == "A" and match.is_free(k)]
    if not free or not {"v_mem", "v_in"} & match.picks.keys():
        return
    k = free[0]
    others = f" (and {len(free) - 1} more)" if len(free) > 1 else ""
    raise TableFileError(
        f"In {match.table.name} {match.shown(k)}{others} may be the memristor's current; say "
        f"{match.remedy('i', k)} if it is, or {match.remedy('i', k, '-')} if it flows the other "
        "way, as a simulator's I(V1) of a voltage source does."
    )


def _may_be_voltage(match: Match, k: int) -> bool:
    head = match.heads[k]
    if not match.is_free(k) or head.base not in ("", "V"):
        return False
    if head.base == "V" or head.is_generic("V"):
        return True
    values = match.table.columns[k].values
    channel = any(_CHANNEL.fullmatch(key) for key in head.keys)
    return head.is_neutral and channel and not counts(values)
