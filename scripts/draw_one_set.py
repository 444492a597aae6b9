"""Draw docs/one_set.png: one set of parameters does not fit a device at every frequency.

    python scripts/draw_one_set.py [FOLDER]

FOLDER holds the measured loops (default: ../shared/measured/w_sdc).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from spicealif._support.figure_axes import quantity, set_label
from spicealif._support.figures import PAGE, in_figure_style, new_figure
from spicealif.fit import FittedLoop, fit_device, read_loop
from spicealif.plots import save_figure

_ROOT = Path(__file__).resolve().parents[1]
_HERTZ = (1, 10, 100, 1000)


def _draw(ax, fitted: FittedLoop, dashes: str, title: str) -> None:
    order = np.argsort(fitted.loop.time % fitted.loop.period)
    closed = np.append(order, order[0])
    ax.plot(fitted.loop.v_mem, fitted.loop.i * 1e6, ".", ms=2, color="0.45")
    ax.plot(fitted.v_mem[closed], fitted.i[closed] * 1e6, color="#D55E00", ls=dashes)
    ax.set_title(title, parse_math=True)


@in_figure_style
def main(folder: Path) -> None:
    """Fit each loop, and all together, and draw both."""
    from matplotlib.lines import Line2D

    loops = [
        read_loop(folder / f"5k_0.8V_{hertz}Hz_M2.csv", series_resistor="5k") for hertz in _HERTZ
    ]
    own = [fit_device(loop) for loop in loops]
    shared = fit_device(loops)
    print(shared)
    figure = new_figure(PAGE, 112)
    axes = figure.subplots(2, 4, sharex=True, sharey=True)
    for k, hertz in enumerate(_HERTZ):
        device = own[k].device
        loss = shared.loops[k].nmse_v + shared.loops[k].nmse_i
        title = f"{quantity(hertz, 'Hz')}, loss {own[k].loss:.4f}\n"
        title += rf"$\tau$ = {quantity(device.tau, 's')}, "
        title += "\n" + rf"$R_\mathrm{{on}}$ = {quantity(device.r_on, 'ohm')}"
        _draw(axes[0, k], own[k].loops[0], "-", title)
        _draw(axes[1, k], shared.loops[k], "--", f"{quantity(hertz, 'Hz')}, loss {loss:.4f}")
    for ax in axes[:, 0]:
        set_label(ax.yaxis, r"$i_\mathrm{mem}$ (µA)")
    figure.supxlabel(r"device voltage $v_\mathrm{mem}$ (V)", parse_math=True)
    handles = [
        Line2D([], [], color="0.45", marker=".", ls="none"),
        Line2D([], [], color="#D55E00"),
        Line2D([], [], color="#D55E00", ls="--"),
    ]
    told = ["measured", "fitted, each with a set of its own", "fitted, one set for all"]
    # Above, since the label of all columns is below.
    figure.legend(handles, told, loc="outside upper center", ncols=3)
    save_figure(figure, _ROOT / "docs" / "one_set.png")


if __name__ == "__main__":
    default = _ROOT.parent / "shared" / "measured" / "w_sdc"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
