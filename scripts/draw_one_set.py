"""Draw docs/one_set.png: one set of parameters does not fit a device at every frequency.

    python scripts/draw_one_set.py [FOLDER]

FOLDER holds the measured loops (default: ../shared/measured/w_sdc).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from spicealif._support.figures import in_figure_style, new_figure
from spicealif.fit import FittedLoop, fit_device, read_loop
from spicealif.plots import save_figure

_ROOT = Path(__file__).resolve().parents[1]
_HERTZ = (1, 10, 100, 1000)


def _draw(ax, fitted: FittedLoop, colour: str, title: str) -> None:
    order = np.argsort(fitted.loop.time % fitted.loop.period)
    closed = np.append(order, order[0])
    ax.plot(fitted.loop.v_mem, fitted.loop.i * 1e6, ".", ms=3, color="tab:blue", label="measured")
    ax.plot(fitted.v_mem[closed], fitted.i[closed] * 1e6, color=colour, label="fitted")
    ax.set_title(title, fontsize=9)


@in_figure_style
def main(folder: Path) -> None:
    """Fit each loop, and all together, and draw both."""
    loops = [
        read_loop(folder / f"5k_0.8V_{hertz}Hz_M2.csv", series_resistor="5k") for hertz in _HERTZ
    ]
    own = [fit_device(loop) for loop in loops]
    shared = fit_device(loops)
    print(shared)
    figure = new_figure(11, 5.6)
    axes = figure.subplots(2, 4, sharex=True, sharey=True)
    for k, hertz in enumerate(_HERTZ):
        tau = own[k].device.tau
        unit = f"{tau * 1e3:.2g} ms" if tau >= 1e-3 else f"{tau * 1e6:.3g} \u00b5s"
        loss = shared.loops[k].nmse_v + shared.loops[k].nmse_i
        title = f"{hertz} Hz, its own set: loss {own[k].loss:.4f}\n"
        title += f"tau {unit}, r_on {own[k].device.r_on / 1e3:.2g} k\u03a9"
        _draw(axes[0, k], own[k].loops[0], "tab:orange", title)
        _draw(axes[1, k], shared.loops[k], "tab:red", f"one set for all: loss {loss:.4f}")
        axes[1, k].set_xlabel("device voltage in V")
    for ax in axes[:, 0]:
        ax.set_ylabel("current in \u00b5A")
        ax.legend(frameon=False, fontsize=8)
    save_figure(figure, _ROOT / "docs" / "one_set.png")


if __name__ == "__main__":
    default = _ROOT.parent / "shared" / "measured" / "w_sdc"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
