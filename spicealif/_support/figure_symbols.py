r"""What figures say: symbols in place of a parameter's key, as a paper has them, and captions.

Labels are texts with formulas in them (``$R_\mathrm{s}$``), as matplotlib reads them; whatever
comes from outside goes through `plain`, so that it is no formula.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spicealif._support.figures import readable

if TYPE_CHECKING:
    from spicealif._support.styled_figure import StyledFigure

__all__ = [
    "measure_label",
    "parameter_label",
    "plain",
    "say_what",
    "symbol",
    "with_symbols",
    "without_formulas",
]

#: So many characters of 8 pt stand in an inch.
_CHARACTERS = 15

_GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "eta", "kappa", "lambda", "mu", "nu", "phi",
          "psi", "rho", "sigma", "tau", "theta", "zeta")  # fmt: skip
#: Quantities whose symbols are capitals, as the paper writes them: resistances, voltages, ...
_CAPITALS = "rcvilg"
_KEY = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*(\[\d+\])?", re.ASCII)
_SYMBOL = re.compile(rf"({'|'.join(_GREEK)}|[a-z])(?:_([a-z0-9_]+))?", re.ASCII)
_WITHIN = re.compile(r"\b([rcvilgRCVILG])_([a-z]+(?:\(on\))?)", re.ASCII)
#: Of keys that no rule makes well.
_OWN: Mapping[str, str] = {
    "temperature": "temperature",
    "temperature_nominal": "nominal temperature",
    "t_stop": "length of the run",
    "stimulus.amplitude": "input current",
    "stimulus.frequency": "stimulus frequency",
    "stimulus.offset": "offset of the input current",
    "stimulus.delay": "delay of the stimulus",
    "stimulus.duty": "duty cycle of the stimulus",
    "difference_amplifier.gain": "gain of the difference amplifier",
    "difference_amplifier.mismatch": "mismatch of the difference amplifier",
    "difference_amplifier.kind": "difference amplifier",
    "difference_amplifier.opamp.kind": "op-amp",
    "difference_amplifier.opamp.gain_bandwidth": "gain-bandwidth product of the op-amp",
    "difference_amplifier.opamp.open_loop_gain": "open-loop gain of the op-amp",
    "comparator.kind": "comparator",
    "mosfet.kind": "MOSFET",
    "leak.kind": "leak device",
    "mosfet.kp": r"MOSFET $K_\mathrm{p}$",
    "description": "what drifts",
}
#: What stands before the symbol of a part's parameter.
_PARTS: Mapping[str, str] = {
    "leak": "",
    "difference_amplifier": "amplifier",
    "difference_amplifier.opamp": "op-amp",
    "comparator": "comparator",
    "mosfet": "MOSFET",
    "hysteresis": "feedback",
    "supplies": "supply",
    "stimulus": "stimulus",
    "numerics": "numerics",
}
#: Measures whose names hold a symbol.
_MEASURES: Mapping[str, str] = {
    "x_final": r"final state $x$",
    "x_nrmse": r"error of $x$ (NRMSE)",
    "v_mem_nrmse": r"error of $v_\mathrm{mem}$, intervals aligned",
}


def plain(text: str) -> str:
    """Return a text from outside as it stands in a label, where a dollar sign begins a formula."""
    return readable(text).replace("$", r"\$")


def symbol(name: str) -> str:
    r"""Return a parameter's symbol by the last part of its key, or its words.

    Parameters
    ----------
    name : str
        Such as ``r_on`` (``$R_\mathrm{on}$``), ``tau`` or ``slew_rate`` ("slew rate"); an index,
        as in ``tau[1]``, stays behind it, counted from 1.
    """
    bare, _, index = name.partition("[")
    # A fit counts its files from 0, and people from 1.
    number = f" ({int(index[:-1]) + 1})" if index else ""
    if bare.startswith("tc_"):
        return f"temperature coefficient of {symbol(bare[3:])}{number}"
    found = _SYMBOL.fullmatch(bare)
    if found is None:
        return f"{bare.replace('_', ' ')}{number}"
    letter, under = found.groups()
    letter = rf"\{letter}" if letter in _GREEK else letter
    letter = letter.upper() if letter in _CAPITALS else letter
    below = rf"_\mathrm{{{under.replace('_', ',')}}}" if under else ""
    return f"${letter}{below}${number}"


def parameter_label(key: str) -> str:
    """Return what an axis calls a parameter, by its dotted key.

    Parameters
    ----------
    key : str
        Such as ``leak.tau`` or ``comparator.v_os``; what does not read like a key stands as it is.
    """
    if key in _OWN:
        return _OWN[key]
    if not _KEY.fullmatch(key):
        return plain(key)
    part, _, name = key.rpartition(".")
    if part:
        before = _PARTS.get(part, part.replace("_", " ").replace(".", " "))
        return f"{before} {symbol(name)}".strip()
    return symbol(name)


def with_symbols(text: str) -> str:
    """Return a text of ours with the quantities in it, such as ``v_low``, as symbols."""
    return _WITHIN.sub(lambda m: _capital(m[1], m[2]), plain(text))


def _capital(letter: str, below: str) -> str:
    return rf"${letter.upper()}_\mathrm{{{below}}}$"


def measure_label(name: str, label: str) -> str:
    """Return what an axis calls a measure: with symbols, or its label as it stands."""
    return _MEASURES.get(name) or plain(label)


def without_formulas(label: str) -> str:
    r"""Return a label as plain text: ``R_s`` for ``$R_\mathrm{s}$``."""
    text = re.sub(r"\\mathrm\{([^}]*)\}", r"\1", label)
    text = re.sub(rf"\\({'|'.join(_GREEK)})", r"\1", text)
    return re.sub(r"(?<!\\)\$", "", text).replace(r"\$", "$")


def say_what(figure: StyledFigure, caption: str, title: bool | str) -> StyledFigure:
    """Give a figure its caption, which is written into its file, and a title if one is asked for.

    Parameters
    ----------
    figure : StyledFigure
    caption : str
        What the figure shows; may hold formulas.
    title : bool or str
        Whether the caption is drawn above the figure, or what is drawn there instead.

    Returns
    -------
    StyledFigure
        The same.
    """
    figure.caption = without_formulas(caption)
    if title is not False:
        wanted = caption if title is True else plain(title)
        # As many characters as the width has room for, at 8 pt.
        lines = textwrap.wrap(wanted, int(_CHARACTERS * figure.get_figwidth()))
        figure.suptitle("\n".join(lines), parse_math=True)
    return figure
