"""What is wrong with a network is told in one clear sentence, with the remedy."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from vendor_models import MEMRISTOR

from spicealif.design import SubcircuitMemristor
from spicealif.errors import DesignError, SpicealifError
from spicealif.network import (
    Network,
    expand,
    import_nir,
    load_network,
    load_network_preset,
    parse_network,
)

GOOD: dict[str, Any] = {
    "populations": [
        {"name": "exc", "neuron": "lif", "size": 4},
        {"name": "inh", "neuron": "lif", "size": 2},
    ],
    "sources": [{"name": "inp", "size": 2, "times": [[1e-4], [2e-4, 3e-4]]}],
    "projections": [
        {
            "source": "exc",
            "target": "inh",
            "synapse": {"kind": "diode", "r": 1e3},
            "connector": {"kind": "all-to-all"},
        }
    ],
    "t_stop": 1e-3,
}
CURRENT = {"kind": "current", "tau_s": 1e-4, "g_m": 1e-4}
MMS = {"kind": "mms", "r_on": 500, "r_off": 1500, "v_on": 0.27, "v_off": 0.27, "tau": 5e-3}
DELETE = object()
WEIGHTS = {"conductance", "resistance", "charge"}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    for name, value in changes.items():
        *path, last = name.split("/")
        place: Any = data
        for step in path:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if value is DELETE:
            del place[last]
        elif isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value
    for one in data["projections"] if isinstance(data.get("projections"), list) else ():
        if WEIGHTS & set(one) and isinstance(one.get("synapse"), dict):  # weights set these
            sets = {"g_m"} if "charge" in one else {"r", "g_m"}
            one["synapse"] = {k: v for k, v in one["synapse"].items() if k not in sets}
    return data


def one_sentence(error: BaseException) -> str:
    """Return what an error says, if it is a sentence for a person."""
    text = str(error)
    assert isinstance(error, SpicealifError)
    assert "\n" not in text
    assert "Traceback" not in text
    assert "pydantic" not in text
    assert text.endswith(".")
    named = re.match(r"[a-z_]+(\[\d+\])?[.\w\[\]]* |'", text)  # begins with a field's name
    assert text[0].isupper() or named, text
    assert ";" in text or ":" in text, text  # what is wrong; what to do
    assert len(text) < 500
    return text


P, S, J = "populations/0/", "sources/0/", "projections/0/"
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("no populations", {"populations": [], "projections": []}, "no populations; give at least"),
    ("populations missing", {"populations": DELETE}, "populations is missing"),
    ("t_stop missing", {"t_stop": DELETE}, "t_stop is missing"),
    ("t_stop zero", {"t_stop": 0}, "t_stop = 0.0 must be greater than 0"),
    ("t_stop no quantity", {"t_stop": "10 V"}, "t_stop is '10 V'"),
    ("t_stop NaN", {"t_stop": float("nan")}, "not finite"),
    ("unknown key", {"delays": 3}, "Unknown key 'delays'"),
    ("seed below 0", {"seed": -1}, "seed = -1 must be 0 or more"),
    ("name with blanks", {P + "name": "my neurons"}, "letters, digits and underscores"),
    ("name missing", {P + "name": DELETE}, "populations[0].name is missing"),
    ("same name twice", {"populations/1/name": "exc"}, "are called 'exc'; give each a name"),
    ("same name but for case", {"populations/1/name": "EXC"}, "SPICE takes for one"),
    ("source called as population", {S + "name": "Exc"}, "which SPICE takes for one"),
    ("size 0", {P + "size": 0}, "size = 0 must be 1 or more"),
    ("size not whole", {P + "size": 2.5}, "size = 2.5 is not valid"),
    ("size a million and one", {P + "size": 1_000_001}, "must be 1e+06 or less"),
    ("too many neurons together",
     {P + "size": 900_000, "populations/1/size": 900_000, "projections": []},
     "would have 1,800,002 neurons and sources, and at most 1,000,000"),
    ("no such preset", {P + "neuron": "nopreset"}, "There is no preset 'nopreset'"),
    ("neuron a number", {P + "neuron": 5}, "single value; give a table"),
    ("neuron's part wrong", {P + "neuron": {"preset": "lif", "c": -1}}, "c = -1"),
    ("neuron's key unknown", {P + "neuron": {"preset": "lif", "cc": 1}}, "Unknown key 'cc'"),
    ("unknown parameter", {P + "parameters": {"leak.tua": [1] * 4}}, "no parameter 'leak.tua'"),
    ("parameter of wrong length", {P + "parameters": {"c": [1e-7] * 3}},
     "has 3 values for 4 neurons"),
    ("parameter one number", {P + "parameters": {"c": 1e-7}}, "is a single value, 1e-07"),
    ("parameter NaN", {P + "parameters": {"c": [1e-7, float("nan"), 1e-7, 1e-7]}},
     "value 1 is nan; give finite"),
    ("parameter in another unit", {P + "parameters": {"c": ["1n", "1 V", "1n", "1n"]}},
     "value 1 is '1 V'"),
    ("parameter negative", {P + "parameters": {"c": [1e-7, 1e-7, -1e-7, 1e-7]}},
     "The neuron exc_2: c = -1e-07 must be greater than 0"),
    ("parameter that latches", {P + "parameters": {"v_low": [0.05, 0.05, 0.05, 0.5]}},
     "The neuron exc_3:"),
    ("parameter a choice", {P + "parameters": {"comparator.kind": [1] * 4}}, "no number"),
    ("parameter t_stop", {P + "parameters": {"t_stop": [1e-3] * 4}}, "end together"),
    ("parameters no table", {P + "parameters": [1, 2]}, "parameters is no table"),
    ("stimuli of wrong size", {P + "stimuli": {"t": [0, 1e-3], "i": [[0, 0]]}},
     "has 1 rows for 4 neurons"),
    ("stimuli of two lengths", {P + "stimuli": {"t": [0, 1e-3, 2e-3], "i": [[0, 0]] * 4}},
     "2 currents for each neuron and stimuli.t 3"),
    ("stimuli ragged", {P + "stimuli": {"t": [0, 1e-3], "i": [[0, 0], [0], [0, 0], [0, 0]]}},
     "different lengths"),
    ("stimuli back in time", {P + "stimuli": {"t": [1e-3, 0], "i": [[0, 0]] * 4}}, "exc_0"),
    ("stimuli and amplitude",
     {P + "stimuli": {"t": [0, 1e-3], "i": [[0, 0]] * 4},
      P + "parameters": {"stimulus.amplitude": [1e-3] * 4}}, "give one of the two"),
    ("tolerance of nothing", {P + "tolerances": {"of": [{"parameter": "cc", "spread": 0.1}]}},
     "no parameter 'cc'"),
    ("tolerance of 100 %", {P + "tolerances": {"of": [{"parameter": "c", "spread": 1.0}]}},
     "so that it could be 0"),
    ("tolerance twice", {P + "tolerances": {"of": [{"parameter": "c", "spread": 0.1}] * 2}},
     "two tolerances"),
    ("tolerance and values", {P + "tolerances": {"of": [{"parameter": "c", "spread": 0.1}]},
                              P + "parameters": {"c": [1e-7] * 4}}, "has values and a tolerance"),
    ("tolerance of unknown shape",
     {P + "tolerances": {"of": [{"parameter": "c", "spread": 0.1, "distribution": "round"}]}},
     "is not known; use one of 'uniform'"),
    ("times of too many", {S + "times": [[1e-4]] * 3}, "3 lists for 2 sources"),
    ("times not sorted", {S + "times": [[1e-4], [3e-4, 2e-4]]},
     "inp_1 are not in order: 0.0003 s is followed by 0.0002"),
    ("times twice", {S + "times": [[1e-4], [3e-4, 3e-4]]}, "not in order"),
    ("times below 0", {S + "times": [[-1e-4], [3e-4]]}, "begin at -0.0001 s"),
    ("times too near", {S + "times": [[1e-4, 1.005e-4], [3e-4]]}, "takes 1.02e-06 s"),
    ("times NaN", {S + "times": [[float("nan")], [3e-4]]}, "finite"),
    ("times and rate", {S + "rate": 1e3}, "both times and rate"),
    ("neither times nor rate", {S + "times": []}, "neither times nor rate"),
    ("rate below 0", {S + "times": [], S + "rate": -5}, "is -5 Hz; give 0 or more"),
    ("rate for another number", {S + "times": [], S + "rate": [1, 2, 3]}, "has the shape (3,)"),
    ("rate beyond pulses", {S + "times": [], S + "rate": "2M"}, "allow less than"),
    ("rate of too many spikes", {S + "times": [], S + "rate": 9e5, "t_stop": 100},
     "180,000,000 spikes, and at most 20,000,000"),
    ("seed without draws", {S + "seed": 4}, "draws nothing"),
    ("levels exchanged", {S + "v_high": 0, S + "v_low": 1}, "exchange them"),
    ("edges too long", {S + "t_edge": 2e-6}, "not shorter than t_pulse"),
    ("edges as long as the pulse", {S + "t_edge": 1e-6}, "not shorter than t_pulse"),
    ("unknown source", {J + "source": "exk"}, "no population 'exk'; did you mean 'exc'"),
    ("unknown target", {J + "target": "zzz"}, "no population 'zzz'; give one that is there"),
    ("source of spikes as target", {J + "target": "inp"}, "which nothing acts upon"),
    ("unknown synapse", {J + "synapse": {"kind": "diod"}}, "'diod' is not a kind of"),
    ("synapse without its kind", {J + "synapse": {"r": 1e3}}, "has no 'kind'"),
    ("synapse without its parameter", {J + "synapse": {"kind": "diode"}}, "synapse.r is missing"),
    ("synapse's parameter negative", {J + "synapse": {"kind": "diode", "r": -5}}, "r = -5"),
    ("synapse of a resistor",
     {J + "synapse": {"kind": "memristor", "device": {"kind": "resistor", "r": 1e3}}},
     "memristor with equations"),
    ("sign of a diode", {J + "sign": -1}, "kind 'diode' has no sign"),
    ("sign of 0", {J + "synapse": CURRENT, J + "sign": 0}, "sign = 0 is not known"),
    ("unknown connector", {J + "connector": {"kind": "some-to-some"}}, "not a kind of"),
    ("one-to-one of two sizes", {J + "connector": {"kind": "one-to-one"}},
     "one-to-one between 4 and 2"),
    ("one-to-one of itself", {J + "connector": {"kind": "one-to-one"}, J + "target": "exc"},
     "every neuron of a population to itself"),
    ("all-to-all of one neuron with itself", {P + "size": 1, J + "target": "exc"},
     "joins nothing"),
    ("probability above 1", {J + "connector": {"kind": "fixed-probability", "probability": 1.5}},
     "probability = 1.5 must be 1 or less"),
    ("probability below 0", {J + "connector": {"kind": "fixed-probability", "probability": -0.1}},
     "must be 0 or more"),
    ("in-degree above the population", {J + "connector": {"kind": "fixed-in-degree",
                                                          "in_degree": 5}},
     "in_degree of 5, and there are 4 neurons to draw from"),
    ("in-degree of all with itself", {J + "connector": {"kind": "fixed-in-degree", "in_degree": 4},
                                      J + "target": "exc"}, "there are 3 neurons to draw from"),
    ("in-degree 0", {J + "connector": {"kind": "fixed-in-degree", "in_degree": 0}},
     "in_degree = 0 must be 1 or more"),
    ("list out of range", {J + "connector": {"kind": "from-list",
                                             "connections": [[0, 0], [3, 2]]}},
     "lists the pair [3, 2] as its number 1, and the target's neurons are 0 to 1"),
    ("list of negatives", {J + "connector": {"kind": "from-list", "connections": [[-1, 0]]}},
     "the source's neurons are 0 to 3"),
    ("list of fractions", {J + "connector": {"kind": "from-list", "connections": [[0.5, 0]]}},
     "give whole numbers"),
    ("list of triples", {J + "connector": {"kind": "from-list", "connections": [[0, 0, 1]]}},
     "list of pairs such as"),
    ("empty list", {J + "connector": {"kind": "from-list", "connections": []}}, "empty list"),
    ("two kinds of weights", {J + "resistance": 1e3, J + "conductance": 1e-3},
     "weights as conductance and as resistance"),
    ("weight below 0", {J + "resistance": -1e3}, "is -1000 ohm; give positive weights"),
    ("one weight below 0", {J + "synapse": CURRENT, J + "charge": [1e-9] * 7 + [-1e-9]},
     "sign = -1 for inhibition"),
    ("weight 0", {J + "conductance": 0}, "is 0; give more than 0"),
    ("weights all 0", {J + "conductance": [0] * 8}, "All weights"),
    ("resistance 0 among others", {J + "resistance": [1e3] * 7 + [0]}, "is 0; give more than 0"),
    ("weight NaN", {J + "resistance": [1e3] * 7 + [float("nan")]}, "value 7 is nan"),
    ("weight infinite", {J + "resistance": float("inf")}, "not finite"),
    ("weight in another unit", {J + "resistance": "5 S"}, "is '5 S'"),
    ("weights of wrong length", {J + "resistance": [1e3] * 5}, "5 numbers for 8 connections"),
    ("weights of wrong shape", {J + "resistance": [[1e3] * 4] * 2},
     "matrix of 2 x 4 between 4 and 2 neurons"),
    ("weights of three dimensions", {J + "resistance": [[[1e3]]]}, "array of 3 dimensions"),
    ("weights listed for drawn ones",
     {J + "connector": {"kind": "fixed-probability", "probability": 0.5},
      J + "resistance": [1e3] * 4}, "how many connections there are is drawn"),
    ("weight of another kind", {J + "charge": 1e-9}, "takes no weight as charge"),
    ("weight out of a device's reach",
     {J + "synapse": {"kind": "crossbar", "device": MMS}, J + "conductance": 0.1},
     "out of its reach"),
    ("weight beyond the parameter's bounds", {J + "synapse": CURRENT, J + "conductance": 11},
     "g_m = 11"),
    ("delay below 0", {J + "delay": -1e-6}, "give 0 or more: no effect"),
    ("delays of wrong length", {J + "delay": [1e-6] * 3}, "delay of the projection from exc to inh "
     "has 3 numbers"),
    ("delay no time", {J + "delay": "1 V"}, "delay is '1 V'"),
    ("delay NaN", {J + "delay": float("nan")}, "not finite"),
]  # fmt: skip


def test_what_the_cases_start_from_is_good():
    assert Network.from_dict(GOOD).n_synapses == 8


@pytest.mark.parametrize(("changes", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_wrong_description_is_refused_in_a_sentence(changes: dict[str, Any], words: str):
    with pytest.raises(DesignError) as caught:
        Network.from_dict(changed(changes))
    assert words in one_sentence(caught.value)


def test_a_makers_memristor_is_no_synapse():
    """SPICE alone knows its equations; a neuron may have it as its leak."""
    device = SubcircuitMemristor(
        model="MEM", pins="p n x", text=MEMRISTOR, r_on=1, r_off=2, v_on=1, v_off=1, tau=1e-3
    )
    for kind in ("memristor", "crossbar"):
        with pytest.raises(DesignError) as caught:
            Network.from_dict(changed({J + "synapse": {"kind": kind, "device": device}}))
        assert "memristor with equations, not a subcircuit" in one_sentence(caught.value)


@pytest.mark.parametrize(
    "connector",
    [{"kind": "all-to-all"}, {"kind": "fixed-probability", "probability": 0.5},
     {"kind": "fixed-in-degree", "in_degree": 30_000}],
)  # fmt: skip
def test_a_billion_synapses_are_refused_at_once(connector: dict[str, Any]):
    data = changed({P + "size": 40_000, "populations/1/size": 50_000, J + "connector": connector})
    start = time.perf_counter()
    with pytest.raises(DesignError) as caught:
        Network.from_dict(data)
    assert time.perf_counter() - start < 0.5
    text = one_sentence(caught.value)
    assert re.search(r"would have [12],\d{3},\d{3},\d{3} synapses, and at most 20,000,000", text)


def test_a_neuron_between_the_ends_that_cannot_work_is_named_when_it_is_built():
    values = {"v_th": [0.4, 0.5, 0.3, 0.6], "v_low": [0.05, 0.06, 0.31, 0.5]}
    network = changed({P + "parameters": values})
    with pytest.raises(DesignError) as caught:
        expand(Network.from_dict(network))
    assert "The neuron exc_" in one_sentence(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("populations.exk.neuron.c", 1, "populations.exk is not there; choose one of exc, inh"),
        ("populations.exc", 1, "names nothing of a network"),
        ("populations.exc.neuron.cc", 1, "Unknown key 'cc'"),
        ("populations.exc.nothing.c", 1, "no 'nothing.c'"),
        ("populations.exc.name", "new", "refer to populations by their names"),
        ("projections.7.resistance", 1, "projections.7 is not there; choose one of 0 to 0"),
        ("projections.0.resistance", 1e3, "r = 1000.0 too; give one of the two"),
        ("nothing.0.x", 1, "names nothing of a network"),
        ("nothing", 1, "Unknown key 'nothing'"),
        ("sources.inp.rate", 1e3, "both times and rate"),
    ],
)
def test_a_wrong_replacement_is_refused(name: str, value: Any, words: str):
    with pytest.raises(DesignError) as caught:
        Network.from_dict(GOOD).replace({name: value})
    assert words in one_sentence(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t_stop = ", "not valid TOML"),
        ("a" * 200, "not valid TOML"),
        ("x = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("t_stop = 1\n[leak]\nkind = 'mms'", "a neuron's file and no network's"),
        ("t_stop = 1\n[[populations]]\nname = 'a'\nsize = 1\nneuron = 'papr'",
         "no preset (knowm-generic, lif, paper, paper-volatile) and no file"),
        ("t_stop = 1\n[[populations]]\nname = 'a'\nsize = 1\nneuron = 'none.toml'",
         "cannot be read (No such file"),
        ("t_stop = 1\narrays = 5", "no table of the arrays' file"),
        ("t_stop = 1\npopulations = 5", "populations = 5"),
        ("t_stop = 1\n[[populations]]\nname = 'a'\nsize = 1\nneuron = 'lif'\n"
         "parameters = { c = { array = 'x' } }", "give a list of numbers"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(text: str, words: str, tmp_path: Path):
    path = tmp_path / "n.toml"
    path.write_text(text, encoding="utf-8")
    for read in (lambda: load_network(path), lambda: parse_network(text, folder=tmp_path)):
        with pytest.raises(DesignError) as caught:
            read()
        assert words in one_sentence(caught.value)
    with pytest.raises(DesignError) as caught:
        load_network(tmp_path / "missing.toml")
    assert "use a network preset" in one_sentence(caught.value)


def test_no_network_preset_of_such_a_name():
    with pytest.raises(DesignError) as caught:
        load_network_preset("../pair")
    assert "choose one of" in one_sentence(caught.value)


# --- NIR ------------------------------------------------------------------------------------------


def lif(n: int = 2, **changes: object) -> nir.LIF:
    values = {"tau": 1e-2, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **changes}
    return nir.LIF(
        **{k: np.broadcast_to(np.asarray(v, float), n).copy() for k, v in values.items()}
    )


def chain(**between: nir.NIRNode) -> nir.NIRGraph:
    nodes = {"input": nir.Input(input_type=np.array([2])), **between,
             "output": nir.Output(output_type=np.array([2]))}  # fmt: skip
    return nir.NIRGraph(nodes=nodes, edges=list(pairwise(nodes)), type_check=False)


def linear(*shape: int) -> nir.Linear:
    return nir.Linear(weight=np.ones(shape))


NIR: list[tuple[str, Callable[[], nir.NIRGraph], dict[str, Any], str]] = [
    ("a Conv2d", lambda: chain(c=nir.Conv1d(input_shape=4, weight=np.ones((1, 1, 3)), stride=1,
     padding=0, dilation=1, groups=1, bias=np.zeros(1)), lif=lif()), {},
     "node 'c' of the NIR graph is a Conv1d"),
    ("a CubaLIF", lambda: chain(cuba=nir.CubaLIF(**dict.fromkeys(
        ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"), np.ones(2)))), {},
     "node 'cuba' of the NIR graph is a CubaLIF"),
    ("an IF", lambda: chain(i=nir.IF(r=np.ones(2), v_threshold=np.ones(2))), {}, "is an IF"),
    ("a graph in it", lambda: chain(sub=chain(lif=lif())), {}, "is a NIRGraph"),
    ("no neurons", lambda: chain(w=linear(2, 2)), {}, "no LIF node"),
    ("a bias", lambda: chain(a=nir.Affine(weight=np.ones((2, 2)), bias=np.ones(2)), lif=lif()), {},
     "has a bias"),
    ("a weight of one dimension", lambda: chain(w=nir.Linear(weight=np.ones((2, 2, 2))),
     lif=lif()), {}, "has 3 dimensions"),
    ("weights that do not fit", lambda: chain(w=linear(3, 2), lif=lif()), {}, "2 x 2 would fit"),
    ("matrices that do not fit", lambda: chain(w=linear(3, 2), u=linear(2, 2), lif=lif()), {},
     "2 columns for 3 inputs"),
    ("sizes without weights", lambda: chain(lif=lif(3)), {}, "without weights"),
    ("a negative delay", lambda: chain(d=nir.Delay(delay=-np.ones(2)), lif=lif()), {},
     "is -1 s; give 0 or more"),
    ("a delay of another size", lambda: chain(d=nir.Delay(delay=np.ones(3)), lif=lif()), {},
     "has 3 values for 2 neurons"),
    ("a delay between matrices", lambda: chain(w=linear(2, 2), d=nir.Delay(delay=np.ones(2)),
     u=linear(2, 2), lif=lif()), {}, "Delay between two nodes of weights"),
    ("a loop without neurons", lambda: nir.NIRGraph(
        nodes={"input": nir.Input(input_type=np.array([2])), "w": linear(2, 2), "lif": lif()},
        edges=[("input", "w"), ("w", "w"), ("w", "lif")], type_check=False), {},
     "loop without neurons"),
    ("tau below 0", lambda: chain(lif=lif(tau=-1)), {}, "tau of the LIF node 'lif' is -1"),
    ("r of 0", lambda: chain(lif=lif(r=0)), {}, "r of the LIF node 'lif' is 0"),
    ("NaN", lambda: chain(lif=lif(r=np.nan)), {}, "not of finite numbers"),
    ("threshold below reset", lambda: chain(lif=lif(v_reset=2)), {}, "fire all the time"),
    ("no working circuit", lambda: chain(lif=lif(v_threshold=50)), {}, "choose others"),
    ("r_unit of a framework", lambda: chain(lif=lif()), {"r_unit": 1e-3}, "another r_unit"),
    ("weights for 1 s", lambda: chain(w=nir.Linear(weight=np.ones((2, 2)) * 1e6), lif=lif()), {},
     "give dt"),
    ("t_stop of 0", lambda: chain(lif=lif()), {"t_stop": 0}, "t_stop is 0"),
    ("dt no time", lambda: chain(lif=lif()), {"dt": "1 V"}, "dt is '1 V'"),
    ("NaN weights", lambda: chain(w=nir.Linear(weight=np.full((2, 2), np.nan)), lif=lif()), {},
     "not of finite numbers"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "options", "words"), [c[1:] for c in NIR], ids=[c[0] for c in NIR]
)
def test_a_nir_graph_without_counterpart_is_refused(make, options, words):
    with pytest.raises(DesignError) as caught:
        import_nir(make(), **options)
    assert words in one_sentence(caught.value)


@pytest.mark.parametrize("content", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_a_file_that_is_no_nir_is_refused(content: bytes, tmp_path: Path):
    path = tmp_path / "n.nir"
    path.write_bytes(content)
    with pytest.raises(DesignError) as caught:
        import_nir(path)
    assert "cannot be read by the package nir" in one_sentence(caught.value)
    with pytest.raises(DesignError) as caught:
        import_nir(tmp_path / "missing.nir")
    assert "is not there" in one_sentence(caught.value)


def test_an_unknown_node_in_a_file_is_told(tmp_path: Path):
    import h5py

    path = tmp_path / "n.nir"
    nir.write(path, chain(lif=lif()))
    with h5py.File(path, "r+") as file:
        del file["node/nodes/lif/type"]
        file["node/nodes/lif/type"] = "SpikingSomething"
    with pytest.raises(DesignError) as caught:
        import_nir(path)
    assert "SpikingSomething" in one_sentence(caught.value)


def test_there_are_more_than_sixty_cases():
    assert len(CASES) + len(NIR) > 120
