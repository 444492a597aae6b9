"""The page on numbers, docs/quantities.md, derived from the grammar.

    .venv/bin/python scripts/quantity_table.py            # writes the page
    .venv/bin/python scripts/quantity_table.py --ngspice  # what the installed ngspice reads of it

What is accepted follows from the tables of prefixes and units; the refusals are a list of what
people try. SPICE's column is `spice_value`, which ``tests/quantities/test_quantities.py`` checks against
ngspice itself.
"""

# ruff: noqa: E501 (the page is Markdown, whose rows are one line each)
from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spicealif.quantities.grammar import parse_quantity
from spicealif.quantities.units import PREFIXES, UNITS
from spicealif.simulators.process.environment import ngspice_environment

__all__ = ["Row", "ngspice_values", "page", "rows", "spice_value"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "quantities.md"

_HEAD = """# Numbers

<!-- Written by scripts/quantity_table.py; a test fails if it is not up to date. -->

One grammar holds wherever a person writes a number: in TOML, after `--set`, `--over`, `--limit`,
`--at`, `--current` and every other option, in cells of CSV files, in the arguments of Python. What
could mean two things is not guessed but asked about, with what to write instead.

A number is digits with a **decimal point** and perhaps an exponent (`1e-7`), then perhaps **one
prefix**, then perhaps the **unit**, with a blank before the unit or not:

| | |
|---|---|
| prefixes | `f` `p` `n` `u` (or `\u00b5`) `m` `k` (or `K`) `M` `meg` `G` `T`; not together with an exponent |
| `M` | is mega, as in SI. **SPICE reads `M` as milli.** Where mega makes no sense (F, V, A, s) it is asked about. `meg`, `Meg` and `MEG` are mega in both |
| capital and small letters | differ: `m` is milli, `M` mega, `s` seconds, `S` siemens, `F` farad, `f` femto |
| RKM notation | `4k7`, `2R2`, `500R`, `R47` of resistances (letters R, k, K, M, G, T), `1n5`, `p47`, `1F5` of capacitances (p, n, u, m, F), as in IEC 60062 |
| units | are checked: `100 nF` is no resistance |
| plain numbers | (`x_0`, gains, tolerances) take neither prefix nor unit nor `%` |
| temperatures | state their unit (`300 K`, `27 degC`, `27 \u00b0C`), unless they are from 200 to 450, which are K |
| comma | is never a decimal point; neither blanks nor `_` part thousands |

`--over` takes a list with commas: `c=47n,100n`. `c=0,22u` could be two values or one, and is asked
about.

In the tables "SPICE" is what SPICE makes of the same text: it takes the longest number, then a scale
factor in letters of any case (`T G meg k mil m u n p f`), and **passes over everything else without a
word**. That is why it reads `4k7` as 4000, `6K34` as 6000 and `10F` as 10 femto. (LTspice reads RKM
notation, by its documentation; ngspice 39, which the test asks, does not.)
"""

#: What people try, by unit, and none of which is read.
_REFUSED: dict[str, tuple[str, ...]] = {
    "ohm": (
        "4,7k", "0,22", "4,700", "1,234,567", "1 000", "1_000", "1'000", "1e3k", "1e", "1E", "0x10",
        "--5", "+-5", "5..1", "1.2.3", "", "k", "ohm", "K47", "M47", "4R7k", "4k7k", "4k7R", "4k7J",
        "4.7k5", "4m7", "1Meg5", "10mil", "1c", "1d", "1da", "1h", "1P", "1E3k", "1a", "5g", "5t",
        "5N", "5U", "5mEG", "100nF", "5 V", "5%", "5 k k", "4.7kohms!", "nan", "inf", "1e999",
        "1e-999", "\uff11\uff12", "\u20135",
    ),
    "F": ("0,22u", "1,5n", "1M", "100MF", "10uf", "10UF", "100N", "10P", "n47", "22 nH", "10uFx"),
    "V": ("350M", "0,35", "3V3", "5 mA", "5 Vpp", "1m5"),
    "A": ("1M", "1,5m", "5a", "2m5"),
    "s": ("5M", "1,5m", "5S", "5 min", "1 h", "1n5", "2 Hz"),
    "Hz": ("1,5k", "1k5", "5 s", "1 kHzz"),
    "K": ("27", "0", "77", "600", "85 C", "98 F", "300k", "300mK", "27,5 degC"),
    "": ("5k", "1M", "5%", "0,5", "5 s", "5 m", "1/2", "3 V/V"),
    "1/s": ("5 kHz", "5k1/s", "2 s", "1,5k"),
    "V/s": ("9 V", "9 V/us/us"),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A spelling of a quantity in a unit, with its value or the sentence that refuses it."""

    unit: str
    text: str
    value: float | None
    refusal: str


def rows() -> list[Row]:
    """Return all spellings of the page."""
    return [
        _row(unit, text)
        for unit in UNITS
        for text in (*dict.fromkeys(_accepted(unit)), *_REFUSED.get(unit, ()))
    ]


def spice_value(text: str) -> float | None:
    """Return what SPICE reads of a text, or None where it would not begin to read a number."""
    found = re.match(
        r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?)(meg|mil|[tgkmunpf])?", text.lower()
    )
    if found is None:
        return None
    powers = {
        "t": "e12", "g": "e9", "meg": "e6", "k": "e3", "m": "e-3", "u": "e-6", "n": "e-9",
        "p": "e-12", "f": "e-15",
    }  # fmt: skip
    if found[2] == "mil":
        return float(found[1]) * 25.4e-6
    return float(found[1]) * float(f"1{powers.get(found[2], '')}")


def ngspice_values(texts: Sequence[str]) -> list[float]:
    """Return what ngspice reads of texts as values of resistors, all in one deck."""
    lines = ["* numbers", *(f"R{k} {k + 1} 0 {text}" for k, text in enumerate(texts))]
    lines += ["V1 1 0 1", ".control", "set numdgt=15", "op"]
    lines += [f"print @r{k}[resistance]" for k in range(len(texts))]
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "numbers.cir"
        deck.write_text("\n".join([*lines, ".endc", ".end", ""]))
        out = subprocess.run(
            ["ngspice", "-b", str(deck)],
            env=ngspice_environment(Path(folder)),  # without a home ngspice dies
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    found = dict(re.findall(r"@r(\d+)\[resistance\] = (\S+)", out.stdout))
    return [float(found[str(k)]) for k in range(len(texts))]


def page() -> str:
    """Return docs/quantities.md."""
    everything = rows()
    good = sum(row.value is not None for row in everything)
    lines = [_HEAD, f"## {len(everything)} spellings, {good} of them read", ""]
    for unit in UNITS:
        mine = [row for row in everything if row.unit == unit]
        if not mine:
            continue
        lines += [f"### {UNITS[unit].name}" + (f" ({unit})" if unit else ""), ""]
        lines += ["| written | read as | SPICE |", "|---|---|---|"]
        lines += [_line(row) for row in mine if row.value is not None]
        if any(row.value is None for row in mine):
            lines += ["", "| refused | why, and what to write |", "|---|---|"]
            lines += [_line(row) for row in mine if row.value is None]
        lines.append("")
    return "\n".join(lines)


def _accepted(symbol: str) -> Iterator[str]:
    """Make spellings of a unit from its table."""
    unit = UNITS[symbol]
    yield from ("4.7", "-4.7", "+4.7", ".5", "5.", "1e-3", "1E3", "\u22124.7")[
        : 8 if not symbol else 1
    ]
    if symbol == "K":
        yield from ("300", "298.5", "77 K", "300K", "27 degC", "27 \u00b0C", "27\u2103", "-40 degC")
        return
    listed = [p for p in PREFIXES if unit.prefixes and (unit.mega or p != "M")]
    short = symbol in ("ohm", "F")
    for prefix in listed if short else [p for p in listed if p in ("n", "u", "m", "k", "M", "meg")]:
        yield f"4.7{prefix}"
    for letter in unit.rkm:
        yield f"4{letter}7"
    for letter in unit.rkm_first:
        yield f"{letter}47"
    spellings = list(unit.spellings)
    for spelling in spellings if short else spellings[:3]:
        yield f"5{spelling}" if not spelling[:1].isdigit() else f"5 {spelling}"
    if spellings and unit.prefixes:
        joined = next(s for s in spellings if not s[:1].isdigit())
        yield from (f"5m{joined}", f"5 k{joined}", f"5k {joined}", f"5MEG{joined}")
    yield from {
        "ohm": ("500R", "6K34", "0R", "4k7 ohm", "5KOHM", "10kR"),
        "F": ("1u5F", "10uFarad"),
    }.get(symbol, ())


def _row(unit: str, text: str) -> Row:
    try:
        return Row(unit, text, parse_quantity(text, unit), "")
    except ValueError as error:
        return Row(unit, text, None, str(error))


def _line(row: Row) -> str:
    shown = f"`{row.text}`" if row.text else "(nothing)"
    if row.value is None:
        return f"| {shown} | {row.refusal.replace('|', '/')} |"
    spice = spice_value(row.text)
    theirs = "nothing" if spice is None else f"{spice:.6g}"
    same = spice is not None and abs(spice - row.value) <= 1e-12 * abs(row.value)
    return (
        f"| {shown} | {row.value:.6g} {row.unit}".rstrip()
        + f" | {'the same' if same else theirs} |"
    )


def main() -> int:
    """Write the page, or compare with ngspice."""
    if "--ngspice" in sys.argv[1:]:
        texts = [r.text for r in rows() if re.fullmatch(r"[-+.0-9][-+.0-9A-Za-z]*", r.text)]
        texts = [text for text in texts if spice_value(text)]
        read = ngspice_values(texts)
        wrong = [
            (text, value, spice_value(text))
            for text, value in zip(texts, read, strict=True)
            if abs(value - (spice_value(text) or 0)) > 1e-12 * abs(value)
        ]
        print(f"{len(texts)} spellings, {len(wrong)} that ngspice reads in another way: {wrong}")
        return int(bool(wrong))
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
