"""Networks from and to NIR, the exchange format of neuromorphic frameworks.

Pedersen et al., "Neuromorphic intermediate representation: a unified instruction set for
interoperable brain-inspired computing", Nature Communications 15:8122, 2024. A NIR graph of LIF,
Linear, Affine, Delay, Input and Output nodes becomes a `Network` of neurons with a resistor as
leak; of a `Network` a graph is written, with what it cannot say told.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import shown
from spicealif.design import Constant, Neuron, load_preset
from spicealif.errors import DesignError
from spicealif.network._nir_paths import NirPath, node_kind, paths_from, refuse_kind
from spicealif.network.description import Network
from spicealif.quantities.grammar import quantity_of

__all__ = ["import_nir", "nir_module"]

_Floats = NDArray[np.float64]
#: The preset's lower threshold as a part of the way from reset to threshold.
_LOW = 0.125
#: How far above its peak a synapse saturates, so that it is linear.
_LINEAR = 1e3


def nir_module() -> Any:
    """Return the package ``nir``.

    Raises
    ------
    DesignError
        If it is not installed.
    """
    try:
        import nir
    except ImportError:
        raise DesignError(
            "NIR files are read and written by the package nir, which is not installed; install "
            "it (pip install 'spicealif[nir]')."
        ) from None
    return nir


def import_nir(
    source: Any,
    *,
    t_stop: float | str = 10e-3,
    r_unit: float | str = "10k",
    v_unit: float | str = 1.0,
    dt: float | str = 1.0,
    tau_s: float | str = "10u",
    name: str | None = None,
) -> Network:
    """Return the network of a NIR graph.

    A ``LIF`` becomes a neuron with a resistor as leak, from the preset ``lif``: ``leak.r = r``,
    ``c = tau / r``, ``v_rest = v_leak``, ``v_th = v_threshold - v_leak`` (which is across the
    leak), and ``v_reset``; its input current is 0. Positive weights become ``current`` synapses
    of sign +1, negative ones of sign -1, and weights of 0 none. A spike of NIR is a Dirac pulse,
    so that a weight w moves the charge w times 1 s; ``Delay`` becomes ``delay``. ``Input``
    becomes sources of spikes without any, unless nothing comes of it.

    Parameters
    ----------
    source : path-like or nir.NIRGraph
    t_stop : float or str
        Length of the run in s.
    r_unit : float or str
        What r = 1 means in ohm. Frameworks leave it at 1; a circuit needs some kilohm.
    v_unit : float or str
        What v = 1 means in V.
    dt : float or str
        Time in s for which a weight flows as a current. 1 s is NIR's own definition; of a network
        that was trained in steps, whose input counts for one step, it is that step.
    tau_s : float or str
        Time constant of the synapses in s; short against ``tau``, as NIR's have none.
    name : str, optional
        Of the network; the file's if not given.

    Returns
    -------
    Network

    Raises
    ------
    DesignError
        If the package ``nir`` is missing, the file cannot be read, or the graph has nodes that
        have no counterpart here.
    """
    nir = nir_module()
    units = {
        key: quantity_of(key, value, unit, DesignError)
        for key, value, unit in (
            ("t_stop", t_stop, "s"), ("r_unit", r_unit, "ohm"), ("v_unit", v_unit, "V"),
            ("dt", dt, "s"), ("tau_s", tau_s, "s"),
        )
    }  # fmt: skip
    for key, value in units.items():
        if value <= 0:
            raise DesignError(f"{key} is {value:g}; give more than 0.")
    graph = source if isinstance(source, nir.NIRGraph) else _read(nir, source)
    kinds = {key: node_kind(key, node) for key, node in graph.nodes.items()}
    names = _names(graph.nodes)
    populations = [
        _population(key, names[key], graph.nodes[key], units)
        for key, kind in kinds.items()
        if kind == "LIF"
    ]
    if not populations:
        raise DesignError("The NIR graph has no LIF node, so that there is no neuron; give others.")
    inputs = [
        {"name": names[key], "size": (n := _input_size(key, graph.nodes[key])), "times": [[]] * n}
        for key, kind in kinds.items()
        if kind == "Input"
    ]
    sizes = {str(one["name"]): int(one["size"]) for one in (*populations, *inputs)}
    charge = units["v_unit"] / units["r_unit"] * units["dt"]
    projections: list[dict[str, Any]] = []
    for key, kind in kinds.items():
        if kind in ("LIF", "Input"):
            for path in paths_from(key, graph):
                projections += _projections(path, names, sizes, charge, units["tau_s"])
    if name is None:
        name = "nir" if source is graph else re.sub(r"\W", "_", Path(source).stem, flags=re.A)
    sending = {projection["source"] for projection in projections}
    inputs = [one for one in inputs if one["name"] in sending]
    data = {
        "name": name if re.match(r"[A-Za-z_]", name) else f"nir_{name}",
        "description": "From a NIR graph.",
        "populations": populations,
        "sources": inputs,
        "t_stop": units["t_stop"],
    }
    Network.from_dict(data)  # what is wrong with the neurons has nothing to do with dt
    try:
        return Network.from_dict({**data, "projections": projections})
    except DesignError as error:
        raise DesignError(
            f"The NIR graph's weights make no synapses with dt = {units['dt']:g} s, for which they "
            "flow; give dt, such as the step in which the network was trained, or another r_unit "
            f"({str(error).removesuffix('.')})."
        ) from None


def _read(nir: Any, path: str | os.PathLike[str]) -> Any:
    named = ascii(os.fspath(path))
    if not Path(path).is_file():
        raise DesignError(f"The NIR file {named} is not there; give the path of a NIR file.")
    try:
        graph = nir.read(path)
    except Exception as error:
        _refuse_unknown(path)
        # nir raises whatever it or h5py meets.
        reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
        raise DesignError(
            f"The NIR file {named} cannot be read by the package nir ({ascii(reason)[1:-1]}); "
            "write it again, or with a version of nir that knows its nodes."
        ) from None
    if not isinstance(graph, nir.NIRGraph):
        raise DesignError(f"The NIR file {named} holds no graph; write it by nir.write.")
    return graph


def _refuse_unknown(path: str | os.PathLike[str]) -> None:
    """Name a node of a file that nir itself does not know; it says little of it."""
    import h5py

    kinds: dict[str, str] = {}
    with contextlib.suppress(Exception), h5py.File(path, "r") as file:
        for name, node in file["node/nodes"].items():
            kind = node["type"][()]
            kinds[str(name)] = kind.decode("utf-8", "replace") if isinstance(kind, bytes) else ""
    for name, kind in kinds.items():
        refuse_kind(name, shown(kind, 40))


def _names(nodes: Any) -> dict[str, str]:
    """Return names of populations for those of nodes, which may have any letters."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for key in nodes:
        plain = re.sub(r"\W", "_", str(key), flags=re.A)[:50]
        plain = plain if re.match(r"[A-Za-z_]", plain) else f"n{plain}"
        found, k = plain, 1
        while found.lower() in taken:
            k += 1
            found = f"{plain}_v{k}"
        taken.add(found.lower())
        out[str(key)] = found
    return out


def _input_size(key: str, node: Any) -> int:
    shape = np.asarray(next(iter(node.output_type.values()))).ravel()
    size = int(np.prod(shape)) if shape.size else 1
    if size < 1:
        raise DesignError(f"The Input node {ascii(key)} has no inputs; give it a shape.")
    return size


def _population(key: str, name: str, node: Any, units: dict[str, float]) -> dict[str, Any]:
    """Return a population of a LIF node."""

    def of(field: str) -> _Floats:
        try:
            values = np.asarray(getattr(node, field), dtype=float).ravel()
        except (TypeError, ValueError):
            values = np.array([np.nan])
        if not np.all(np.isfinite(values)) or not values.size:
            raise DesignError(
                f"{field} of the LIF node {ascii(key)} is not of finite numbers; write the file "
                "again."
            )
        return values

    tau, r = of("tau"), of("r")
    for field, values in (("tau", tau), ("r", r)):
        if np.any(values <= 0):
            raise DesignError(
                f"{field} of the LIF node {ascii(key)} is {values.min():g}; give more than 0."
            )
    leak, threshold, reset = of("v_leak"), of("v_threshold"), of("v_reset")
    if np.any(threshold <= np.maximum(leak, reset)):
        raise DesignError(
            f"v_threshold of the LIF node {ascii(key)} is not above its v_leak and v_reset; the "
            "neuron would fire all the time."
        )
    v, ohm = units["v_unit"], units["r_unit"]
    columns = {
        "c": tau / (r * ohm),
        "leak.r": r * ohm,
        "v_rest": leak * v,
        "v_th": (threshold - leak) * v,
        # the circuit discharges towards v_c = 0 and must stop above v_mem = 0
        "v_low": np.maximum(reset - leak + _LOW * (threshold - reset), _LOW * (threshold - leak))
        * v,
        "v_reset": reset * v,
    }
    base: Neuron = load_preset("lif")
    first = {field: float(values[0]) for field, values in columns.items()}
    try:
        neuron = base.replace(
            {
                **first,
                "name": name,
                "description": "A LIF node of NIR.",
                "source": "",
                "stimulus": Constant(amplitude=0.0),
                "t_stop": units["t_stop"],
            }
        )
    except DesignError as error:
        raise DesignError(
            f"The LIF node {ascii(key)} makes no neuron of a circuit with r_unit = {ohm:g} ohm and "
            f"v_unit = {v:g} V, choose others: {error}"
        ) from None
    differ = {f: c.tolist() for f, c in columns.items() if np.any(c != c[0])}
    return {"name": name, "neuron": neuron, "size": len(tau), "parameters": differ}


def _projections(
    path: NirPath, names: dict[str, str], sizes: dict[str, int], charge: float, tau_s: float
) -> list[dict[str, Any]]:
    """Return the projections of a path, one for each sign of its weights."""
    source, target = names[path.source], names[path.target]
    n_pre, n_post = sizes[source], sizes[target]
    weight = path.weight
    if weight is None:
        if n_pre != n_post:
            raise DesignError(
                f"The NIR graph joins {ascii(path.source)} ({n_pre}) to {ascii(path.target)} "
                f"({n_post}) without weights; put a Linear node between."
            )
        weight = np.eye(n_pre)
    if weight.shape != (n_post, n_pre):
        raise DesignError(
            f"The weights from {ascii(path.source)} to {ascii(path.target)} are a matrix of "
            f"{weight.shape[0]} x {weight.shape[1]}; {n_post} x {n_pre} would fit."
        )
    for which, delay, n in (("before", path.before, n_pre), ("behind", path.after, n_post)):
        if np.size(delay) not in (1, n):
            raise DesignError(
                f"A Delay {which} the weights from {ascii(path.source)} to {ascii(path.target)} "
                f"has {np.size(delay)} values for {n} neurons; give one for each."
            )
    before = np.broadcast_to(np.asarray(path.before, dtype=float), n_pre)
    after = np.broadcast_to(np.asarray(path.after, dtype=float), n_post)
    out = []
    for sign in (1, -1):
        post, pre = np.nonzero(sign * weight > 0)
        if not len(pre):
            continue
        charges = np.abs(weight[post, pre]) * charge
        delays = before[pre] + after[post]
        out.append(
            {
                "source": source,
                "target": target,
                "synapse": {
                    "kind": "current",
                    "tau_s": tau_s,
                    "i_max": min(10.0, _LINEAR * float(charges.max()) / tau_s),
                    "sign": sign,
                },
                "connector": {"kind": "from-list", "connections": np.column_stack([pre, post])},
                "charge": _shared(charges),
                "delay": _shared(delays),
            }
        )
    return out


def _shared(values: _Floats) -> Any:
    """Return an array, or its number where all are the same."""
    return float(values[0]) if np.all(values == values[0]) else values
