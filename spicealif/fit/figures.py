"""Figures of fits: loops, traces, residuals, correlations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spicealif._support.figures import in_figure_style, new_figure, readable, save_figure
from spicealif._support.folders import exchanging
from spicealif.fit.result import FitResult, FittedLoop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["correlation_figure", "loop_figure", "residual_figure", "save_figures", "trace_figure"]

_Floats = npt.NDArray[np.float64]
_MEASURED, _FITTED, _X = "tab:blue", "tab:orange", "tab:green"
_LAGS = 40


@in_figure_style
def loop_figure(result: FitResult) -> Figure:
    """Draw current against device voltage, measured and fitted, a panel for each loop."""
    n = len(result.loops)
    columns = min(n, 3)
    rows = -(-n // columns)
    (figure, axes) = _subplots(rows, columns, (4.2 * columns + 0.8, 3.4 * rows + 0.4))
    for ax, fitted in zip(axes.flat, result.loops, strict=False):
        loop = fitted.loop
        (factor, unit) = _prefixed(loop.i, "A")
        ax.plot(loop.v_mem, loop.i * factor, ".", ms=4, color=_MEASURED, label="measured")
        order = np.argsort(_phase(fitted))
        closed = order if loop.period is None else np.append(order, order[0])
        ax.plot(fitted.v_mem[closed], fitted.i[closed] * factor, color=_FITTED, label="fitted")
        ax.axhline(0, color="0.8", lw=0.8, zorder=0)
        ax.axvline(0, color="0.8", lw=0.8, zorder=0)
        ax.set(xlabel="device voltage v_mem in V", ylabel=f"current i_mem in {unit}")
        ax.set_title(f"{readable(loop.name)}\nloss {fitted.nmse_v + fitted.nmse_i:.2g}", fontsize=9)
    for ax in axes.flat[n:]:
        ax.remove()
    axes.flat[0].legend(frameon=False, fontsize=8)
    figure.suptitle(readable(result.device.title), fontsize=10)
    return figure


@in_figure_style
def trace_figure(result: FitResult) -> Figure:
    """Draw voltages, current and state over time, measured and fitted, a column for each loop."""
    n = len(result.loops)
    (figure, axes) = _subplots(3, n, (4.2 * n + 0.8, 6.4), sharex="col")
    for column, fitted in zip(axes.T, result.loops, strict=True):
        loop = fitted.loop
        (scale, time_unit) = _time_unit(loop.time)
        (factor, unit) = _prefixed(loop.i, "A")
        t = (loop.time - loop.time[0]) * scale
        column[0].plot(t, fitted.v_in, color="0.6", label="source")
        column[0].plot(t, loop.v_mem, ".", ms=3, color=_MEASURED, label="device, measured")
        column[0].plot(t, fitted.v_mem, color=_FITTED, label="device, fitted")
        column[1].plot(t, loop.i * factor, ".", ms=3, color=_MEASURED)
        column[1].plot(t, fitted.i * factor, color=_FITTED)
        column[2].plot(t, fitted.x, color=_X)
        column[0].set_title(readable(loop.name), fontsize=9)
        column[0].set_ylabel("voltage in V")
        column[1].set_ylabel(f"current i_mem in {unit}")
        column[2].set(ylabel="state x", ylim=(-0.03, 1.03), xlabel=f"time in {time_unit}")
    axes[0, 0].legend(frameon=False, fontsize=8)
    return figure


@in_figure_style
def residual_figure(result: FitResult) -> Figure:
    """Draw what the fit leaves, a column for each loop.

    Residuals of v_mem and i_mem over time and against the measured v_mem, and their
    autocorrelation, whose band holds 95 % of that of white noise.
    """
    n = len(result.loops)
    (figure, axes) = _subplots(5, n, (4.2 * n + 0.8, 10.5))
    for column, fitted in zip(axes.T, result.loops, strict=True):
        loop = fitted.loop
        order = np.argsort(_phase(fitted), kind="stable")
        phase = _phase(fitted)[order]
        (scale, time_unit) = _time_unit(phase)
        record = "record" if loop.period is None else "period"
        left = []
        for values, base, name, colour in (
            (loop.v_mem - fitted.v_mem, "V", "v_mem", _MEASURED),
            (loop.i - fitted.i, "A", "i_mem", _X),
        ):
            (factor, unit) = _prefixed(values, base)
            left.append((values[order], factor, f"measured - fitted\n{name} in {unit}", colour))
        over = {0: (phase * scale, f"time in the {record} in {time_unit}", ".-"),
                2: (loop.v_mem[order], "measured v_mem in V", ".")}  # fmt: skip
        for row, (abscissa, label, style) in over.items():
            for ax, (values, factor, name, colour) in zip(column[row : row + 2], left, strict=True):
                ax.plot(abscissa, values * factor, style, ms=3, lw=0.6, color=colour)
                ax.axhline(0, color="0.7", lw=0.8, zorder=0)
                ax.set(ylabel=name, xlabel=label)
        lags = min(_LAGS, len(phase) // 2)
        # Of a measured file the two are often made of each other and lie on one line.
        for (values, _, _, colour), name, style in zip(
            left, ("v_mem", "i_mem"), ("-", "--"), strict=True
        ):
            rho = _autocorrelation(values, lags)
            column[4].plot(np.arange(lags), rho, style, color=colour, label=name)
        width = 1.96 / np.sqrt(len(phase))
        column[4].axhspan(-width, width, color="0.9", zorder=0, label="white noise")
        column[4].set(xlabel="lag in samples", ylabel="autocorrelation", ylim=(-1.05, 1.05))
        column[0].set_title(readable(loop.name), fontsize=9)
    axes[4, 0].legend(frameon=False, fontsize=8)
    return figure


@in_figure_style
def correlation_figure(result: FitResult) -> Figure:
    """Draw the correlations of the estimates as a matrix with numbers."""
    n = len(result.names)
    (figure, axes) = _subplots(1, 1, (0.7 * n + 2.4, 0.6 * n + 1.6))
    ax = axes[0, 0]
    image = ax.imshow(result.correlation, cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set_xticks(range(n), result.names, rotation=45, ha="right")
    ax.set_yticks(range(n), result.names)
    for j in range(n):
        for k in range(n):
            value = result.correlation[j, k]
            dark = abs(value) > 0.6
            # Of two names, 1 would say that one is the other; -0.00 says no more than 0.00.
            digits = 4 if j != k and abs(value) >= 0.995 else 2
            text = f"{round(value, digits) + 0.0:.{digits}f}"
            ax.text(k, j, text, ha="center", va="center", fontsize=8,
                    color="white" if dark else "black")  # fmt: skip
    figure.colorbar(image, ax=ax, label="correlation of the estimates", shrink=0.9)
    return figure


def save_figures(result: FitResult, folder: str | os.PathLike[str]) -> list[Path]:
    """Write loops.png, traces.png, residuals.png and correlations.png; return their paths.

    Raises
    ------
    OutputError
        If the folder or a file cannot be written.
    """
    target = Path(folder)
    drawn = {
        "loops.png": loop_figure,
        "traces.png": trace_figure,
        "residuals.png": residual_figure,
        "correlations.png": correlation_figure,
    }
    with exchanging(target, drawn) as beside:
        for name, draw in drawn.items():
            save_figure(draw(result), beside / name)
    return [target / name for name in drawn]


def _subplots(
    rows: int, columns: int, size: tuple[float, float], **options: Any
) -> tuple[Figure, Any]:
    figure = new_figure(*size)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def _phase(fitted: FittedLoop) -> _Floats:
    """Return the time since the record began, within the period if there is one."""
    time = fitted.loop.time - fitted.loop.time[0]
    phase: _Floats = time if fitted.loop.period is None else time % fitted.loop.period
    return phase


def _autocorrelation(values: _Floats, lags: int) -> _Floats:
    y = values - values.mean()
    power = float(y @ y) or 1.0
    return np.array([1.0 if k == 0 else float(y[k:] @ y[:-k]) / power for k in range(lags)])


def _prefixed(values: _Floats, unit: str) -> tuple[float, str]:
    """Return a factor and the unit with the prefix that suit the largest value."""
    peak = float(np.abs(values).max())
    for factor, prefix in ((1.0, ""), (1e3, "m"), (1e6, "\u00b5"), (1e9, "n")):
        if peak * factor >= 1:
            return factor, prefix + unit
    return 1e12, f"p{unit}"


def _time_unit(time: _Floats) -> tuple[float, str]:
    span = float(np.ptp(time))
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "\u00b5s")):
        if span * factor >= 0.5:
            return factor, unit
    return 1e9, "ns"
