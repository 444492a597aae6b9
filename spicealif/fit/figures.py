"""Figures of fits: loops, traces, residuals, correlations."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spicealif._support.figure_axes import set_label, with_prefix
from spicealif._support.figure_symbols import plain, say_what, symbol
from spicealif._support.figures import (
    COLUMN,
    PAGE,
    add_legend,
    check_format,
    in_figure_style,
    new_figure,
    readable,
    save_figure,
)
from spicealif._support.folders import exchanging
from spicealif._support.kinds import FIT_FIGURES
from spicealif.fit.result import FitResult, FittedLoop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spicealif._support.styled_figure import StyledFigure

__all__ = ["correlation_figure", "loop_figure", "residual_figure", "save_figures", "trace_figure"]

_Floats = npt.NDArray[np.float64]
#: Measured points are grey, so that the line of the fit shows on them, in grey as well.
_MEASURED, _FITTED, _X = "0.45", "#D55E00", "#0072B2"
_LAGS = 40
#: Estimates whose correlations a column has room for, and characters of a name above a panel.
_NARROW, _WIDEST = 6, 26
#: So many loops stand side by side.
_COLUMNS = 4
_I_MEM, _V_MEM = r"$i_\mathrm{mem}$", r"$v_\mathrm{mem}$"


@in_figure_style
def loop_figure(result: FitResult, *, title: bool | str = False) -> Figure:
    """Draw current against device voltage, measured and fitted, a panel for each loop.

    Parameters
    ----------
    result : FitResult
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        88 mm wide for one loop, else 180 mm.
    """
    n = len(result.loops)
    columns = 2 if n in (2, 4) else min(n, 3)
    rows = -(-n // columns)
    (figure, axes) = _subplots(rows, columns, (COLUMN, 74) if n == 1 else (PAGE, 10 + 56 * rows))
    for ax, fitted in zip(axes.flat, result.loops, strict=False):
        loop = fitted.loop
        (factor, unit) = with_prefix(_peak(loop.i), "A")
        ax.plot(loop.v_mem, loop.i * factor, ".", ms=2.5, color=_MEASURED, label="measured")
        order = np.argsort(_phase(fitted))
        closed = order if loop.period is None else np.append(order, order[0])
        ax.plot(fitted.v_mem[closed], fitted.i[closed] * factor, color=_FITTED, label="fitted")
        ax.axhline(0, color="0.8", lw=0.6, zorder=0)
        ax.axvline(0, color="0.8", lw=0.6, zorder=0)
        set_label(ax.xaxis, f"device voltage {_V_MEM} (V)")
        set_label(ax.yaxis, f"current {_I_MEM} ({unit})")
        ax.set_title(f"{_name(loop.name)}\nloss {fitted.nmse_v + fitted.nmse_i:.2g}")
    for ax in axes.flat[n:]:
        ax.remove()
    add_legend(figure, *axes.flat[0].get_legend_handles_labels())
    return _said(figure, result, "loops, measured and fitted", title)


@in_figure_style
def trace_figure(result: FitResult, *, title: bool | str = False) -> Figure:
    """Draw voltages, current and state over time, measured and fitted, a column for each loop.

    Parameters and result as of `loop_figure`; more than four loops stand in blocks of four.
    """
    (figure, columns) = _columns(result, 3, 30)
    for column, fitted in zip(columns, result.loops, strict=True):
        loop = fitted.loop
        (scale, time_unit) = _time_unit(loop.time)
        (factor, unit) = with_prefix(_peak(loop.i), "A")
        t = (loop.time - loop.time[0]) * scale
        column[0].plot(t, fitted.v_in, ls=":", color="black", label="source")
        column[0].plot(t, loop.v_mem, ".", ms=2, color=_MEASURED, label="device, measured")
        column[0].plot(t, fitted.v_mem, color=_FITTED, label="device, fitted")
        column[1].plot(t, loop.i * factor, ".", ms=2, color=_MEASURED)
        column[1].plot(t, fitted.i * factor, color=_FITTED)
        column[2].plot(t, fitted.x, color=_X, label="state, fitted")
        column[0].set_title(_name(loop.name))
        set_label(column[0].yaxis, "voltage (V)")
        set_label(column[1].yaxis, f"{_I_MEM} ({unit})")
        set_label(column[2].yaxis, "state $x$")
        column[2].set(ylim=(-0.03, 1.03), xlabel=f"time ({time_unit})")
        for ax in column[:2]:
            ax.sharex(column[2])
            ax.tick_params(labelbottom=False)
    entries = [ax.get_legend_handles_labels() for ax in (columns[0][0], columns[0][2])]
    add_legend(figure, entries[0][0] + entries[1][0], entries[0][1] + entries[1][1])
    return _said(figure, result, "traces, measured and fitted", title)


@in_figure_style
def residual_figure(result: FitResult, *, title: bool | str = False) -> Figure:
    """Draw what the fit leaves, a column for each loop.

    Residuals of v_mem and i_mem over time (within the period, if there is one) and against the
    measured v_mem, and their autocorrelation, whose band holds 95 % of that of white noise.
    Parameters and result as of `loop_figure`; more than four loops stand in blocks of four.
    """
    (figure, columns) = _columns(result, 5, 34)
    for k, (column, fitted) in enumerate(zip(columns, result.loops, strict=True)):
        loop = fitted.loop
        order = np.argsort(_phase(fitted), kind="stable")
        phase = _phase(fitted)[order]
        (scale, time_unit) = _time_unit(phase)
        left = []
        for values, base, name, colour in (
            (loop.v_mem - fitted.v_mem, "V", _V_MEM, _FITTED),
            (loop.i - fitted.i, "A", _I_MEM, _X),
        ):
            (factor, unit) = with_prefix(_peak(values), base)
            # The first of a row says what the others are of, which have their own units.
            label = f"({unit})" if k % _COLUMNS else f"residual of {name}\n({unit})"
            left.append((values[order], factor, label, colour))
        over = {0: (phase * scale, f"time ({time_unit})", ".-"),
                2: (loop.v_mem[order], f"measured {_V_MEM} (V)", ".")}  # fmt: skip
        for row, (abscissa, label, style) in over.items():
            for ax, (values, factor, name, colour) in zip(column[row : row + 2], left, strict=True):
                ax.plot(abscissa, values * factor, style, ms=2, lw=0.5, color=colour)
                ax.axhline(0, color="0.5", lw=0.6, zorder=0)
                set_label(ax.yaxis, name)
                set_label(ax.xaxis, label)
        lags = min(_LAGS, len(phase) // 2)
        # Of a measured file the two are often made of each other and lie on one line.
        for (values, _, _, colour), name, style in zip(
            left, (_V_MEM, _I_MEM), ("-", "--"), strict=True
        ):
            rho = _autocorrelation(values, lags)
            column[4].plot(np.arange(lags), rho, style, color=colour, label=name)
        width = 1.96 / np.sqrt(len(phase))
        column[4].axhspan(-width, width, color="0.85", lw=0, zorder=0, label="white noise (95 %)")
        column[4].set(xlabel="lag (samples)", ylim=(-1.05, 1.05))
        column[4].set_ylabel("" if k % _COLUMNS else "autocorrelation")
        column[0].set_title(_name(loop.name))
    add_legend(figure, *columns[0][4].get_legend_handles_labels(), formulas=True)
    return _said(figure, result, "residuals, measured minus fitted", title)


@in_figure_style
def correlation_figure(result: FitResult, *, title: bool | str = False) -> Figure:
    """Draw the correlations of the estimates as a matrix with numbers.

    Parameters and result as of `loop_figure`; more than six estimates make it 180 mm wide.
    """
    n = len(result.names)
    (figure, axes) = _subplots(1, 1, (COLUMN, 78) if n <= _NARROW else (PAGE, 28 + 11 * n))
    ax = axes[0, 0]
    image = ax.imshow(
        result.correlation, cmap="RdBu_r", vmin=-1, vmax=1,
        aspect="equal" if n <= _NARROW else "auto",
    )  # fmt: skip
    names = [symbol(name) for name in result.names]
    ax.set_xticks(range(n), names, parse_math=True)
    ax.set_yticks(range(n), names, parse_math=True)
    ax.grid(visible=False)
    ax.spines[:].set_visible(True)
    for j in range(n):
        for k in range(n):
            value = result.correlation[j, k]
            dark = abs(value) > 0.6
            # Of two names, 1 would say that one is the other; -0.00 says no more than 0.00.
            digits = 4 if j != k and abs(value) >= 0.995 else 2
            text = f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
            ax.text(k, j, text, ha="center", va="center", color="white" if dark else "black")
    bar = figure.colorbar(
        image, ax=ax, label="correlation of the estimates", aspect=22, shrink=0.85
    )
    bar.ax.grid(visible=False)
    return _said(figure, result, "correlations of the estimates", title)


def save_figures(
    result: FitResult,
    folder: str | os.PathLike[str],
    format: str = "png",  # what matplotlib calls it
    *,
    title: bool | str = False,
) -> list[Path]:
    """Write loops.png, traces.png, residuals.png and correlations.png; return their paths.

    Parameters
    ----------
    result : FitResult
    folder : path-like
        Figures of an earlier fit, in any format, are taken away.
    format : {"png", "svg", "pdf"}
    title : bool or str
        Whether the figures say above the panels what they show, or what they say there.

    Raises
    ------
    OutputError
        If the folder or a file cannot be written, or there is no such format.
    """
    check_format(format)
    target = Path(folder)
    drawn = {
        f"loops.{format}": loop_figure,
        f"traces.{format}": trace_figure,
        f"residuals.{format}": residual_figure,
        f"correlations.{format}": correlation_figure,
    }
    with exchanging(target, FIT_FIGURES) as beside:
        for name, draw in drawn.items():
            save_figure(draw(result, title=title), beside / name)
    return [target / name for name in drawn]


def _columns(result: FitResult, rows: int, height: float) -> tuple[StyledFigure, list[list[Any]]]:
    """Return a figure with a column of panels for each loop, four columns side by side.

    `height` is that of a panel in mm.
    """
    n = len(result.loops)
    across = min(n, _COLUMNS)
    blocks = -(-n // across)
    size = (COLUMN if n == 1 else PAGE, 14 + height * rows * blocks)
    (figure, axes) = _subplots(rows * blocks, across, size)
    columns = [
        list(axes[rows * (k // across) : rows * (k // across + 1), k % across]) for k in range(n)
    ]
    kept = {ax for column in columns for ax in column}
    for ax in axes.flat:
        if ax not in kept:
            ax.remove()
    return figure, columns


def _said(figure: StyledFigure, result: FitResult, what: str, title: bool | str) -> Figure:
    return say_what(figure, f"{plain(result.device.title)}: {what}", title)


def _name(name: str) -> str:
    """Return a loop's name, broken into lines where it is too long for a panel."""
    return "\n".join(textwrap.wrap(readable(name), _WIDEST)[:3])


def _peak(values: _Floats) -> float:
    return float(np.abs(values).max(initial=0.0))


def _subplots(rows: int, columns: int, size: tuple[float, float]) -> tuple[StyledFigure, Any]:
    figure = new_figure(*size)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _phase(fitted: FittedLoop) -> _Floats:
    """Return the time since the record began, within the period if there is one."""
    time = fitted.loop.time - fitted.loop.time[0]
    phase: _Floats = time if fitted.loop.period is None else time % fitted.loop.period
    return phase


def _autocorrelation(values: _Floats, lags: int) -> _Floats:
    y = values - values.mean()
    power = float(y @ y) or 1.0
    return np.array([1.0 if k == 0 else float(y[k:] @ y[:-k]) / power for k in range(lags)])


def _time_unit(time: _Floats) -> tuple[float, str]:
    span = float(np.ptp(time))
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "\u00b5s")):
        if span * factor >= 0.5:
            return factor, unit
    return 1e9, "ns"
