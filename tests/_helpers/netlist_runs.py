"""Netlists changed by hand, and what simulators leave behind."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import psutil

from spicealif.design import (
    load_preset,
)
from spicealif.netlist import build_netlist

SIMULATORS = ("ngspice", "ngspice-batch")


def edit(netlist, start, *new, keep=False):
    """Return the netlist with the line that begins with `start` replaced (or followed) by `new`.

    Lines put in keep the origin of the line they stand for, so the map of lines stays whole.
    """
    lines, origins = netlist.text.splitlines(), list(netlist._origins)
    (at,) = [k for k, line in enumerate(lines) if line.startswith(start)]
    put = (lines[at], *new) if keep else new
    lines[at : at + 1] = put
    origins[at : at + 1] = [origins[at]] * len(put)
    return replace(netlist, text="\n".join(lines) + "\n", _origins=tuple(origins))


def ask_for(netlist, **vectors):
    """Return the netlist with further vectors saved, each as a signal of the given name."""
    (save,) = [line for line in netlist.text.splitlines() if line.startswith(".save")]
    return replace(
        edit(netlist, ".save", " ".join((save, *vectors.values()))),
        vectors=(*netlist.vectors, *vectors.values()),
        signals={**netlist.signals, **{name: ((1.0, v),) for name, v in vectors.items()}},
    )


def netlist_of(preset="paper", t_stop=5e-5, **changes):
    return build_netlist(load_preset(preset).replace({"t_stop": t_stop, **changes}))


def children():
    """Our living children and their children, by process number."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.add(process.pid)
    return found


@contextlib.contextmanager
def nothing_left_behind():
    before = children()
    yield
    left = children() - before
    assert not left, [psutil.Process(pid).cmdline() for pid in left]


def worker_of(simulator):
    return simulator._worker._process.pid
