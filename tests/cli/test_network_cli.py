"""``spicealif network``: what its commands do, and what they say to what makes no sense."""

from __future__ import annotations

import json
import shlex
import tomllib

import pytest
from command_line import call
from doc_blocks import blocks

from spicealif.network import load_network, load_network_run, save_network
from spicealif.network.presets import load_network_preset
from spicealif.sweep.files import load_sweep

PAIR = ("pair", "--t-stop", "0.2m")


def network(*words, cwd, code=0):
    done = call("network", *words, cwd=cwd)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run with all traces, one without, one of the reference alone."""
    place = tmp_path_factory.mktemp("network")
    network("run", *PAIR, "--keep", "all", "--out", "full", "-q", cwd=place)
    network("run", *PAIR, "--out", "spikes", "-q", "--side", "equations", cwd=place)
    network("run", *PAIR, "--out", "reference", "-q", "--side", "reference", cwd=place)
    save_network(load_network_preset("pair").replace({"projections.0.delay": "10u"}),
                 place / "delayed.toml")  # fmt: skip
    damaged = place / "damaged"
    load_network_run(place / "full").save(damaged)
    content = bytearray((damaged / "circuit.nc").read_bytes())
    content[-100] ^= 255
    (damaged / "circuit.nc").write_bytes(content)
    (place / "empty").mkdir()
    (place / "mine.toml").write_text("t_stop = 1\n")
    return place


def test_a_run_prints_and_writes(tmp_path):
    done = network("run", *PAIR, "--out", "out", cwd=tmp_path)
    assert "mean rate" in done.stdout
    assert "Wrote to out: circuit.nc, comparison.json" in done.stdout
    run = load_network_run(tmp_path / "out")
    assert run.network.name == "pair_t_stop_0p0002"
    assert run.solution.traces == {}
    told = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert told["rtol"] == 1e-6
    assert told["variant"] == "schmitt"
    # The same again, as JSON, to the same bits.
    found = json.loads(network("run", *PAIR, "--out", "again", "--json", cwd=tmp_path).stdout)
    assert found["spikes"]["circuit"] == {
        name: len(t) for name, t in zip(("n_0", "n_1"), run.solution.t_spike, strict=True)
    }
    again = load_network_run(tmp_path / "again")
    for a, b in zip(run.solution.t_spike, again.solution.t_spike, strict=True):
        assert a.tobytes() == b.tobytes()


def test_values_are_set_and_kept_neurons_named(tmp_path):
    network(
        "run", *PAIR, "--side", "equations", "--set", "projections.0.resistance=2k",
        "--set", "populations.n.parameters.stimulus.amplitude=2m,0.2m", "--keep", "n_1",
        "--out", "out", "-q", cwd=tmp_path,
    )  # fmt: skip
    run = load_network_run(tmp_path / "out")
    assert list(run.solution.traces) == [1]
    assert run.network.projections[0].resistance == 2000.0
    assert run.network.populations[0].parameters["stimulus.amplitude"] == [2e-3, 2e-4]
    assert run.reference is None


@pytest.mark.slow
def test_figures_are_drawn_if_asked_for(tmp_path):
    network("run", *PAIR, "--out", "out", "--figures", "--format", "svg", cwd=tmp_path)
    drawn = {path.stem for path in (tmp_path / "out").glob("*.svg")}
    assert drawn == {"raster", "weights", "propagation", "comparison"}
    network("run", *PAIR, "--out", "out", "--side", "reference", cwd=tmp_path)
    assert not list((tmp_path / "out").glob("*.svg")), "of the earlier run"


def test_a_netlist_of_all_and_of_one(tmp_path):
    flat = network("netlist", *PAIR, "-q", cwd=tmp_path).stdout
    assert "X_n_0" in flat
    assert "X_n_1" in flat
    network("netlist", *PAIR, "--neuron", "n_1", "-o", "w.net", "--dialect", "ltspice",
            cwd=tmp_path)  # fmt: skip
    alone = (tmp_path / "w.net").read_text()
    assert "X_n_1" in alone
    assert "X_n_0 " not in alone
    assert "PWL" in alone.upper()


def test_witnesses_agree(saved):
    done = network("verify", "full", "--neurons", "n_1", "--json", cwd=saved)
    found = json.loads(done.stdout)
    assert [one["name"] for one in found["neurons"]] == ["n_1"]
    assert 0 <= found["neurons"][0]["worst"] < 20e-9
    assert found["ok"] is True
    assert "Note: about" in done.stderr
    assert "1 witness deck" in done.stderr


def test_a_witness_that_disagrees_is_named(saved):
    done = network("verify", "full", "--neurons", "1", "--tolerance", "1f", cwd=saved, code=1)
    assert "n_1 differs by" in done.stdout.replace("\n", " ")


@pytest.mark.slow
def test_traces_that_were_not_kept_are_computed_again(saved):
    done = network("verify", "spikes", "--neurons", "50%", cwd=saved)
    assert "Note: the run kept no traces" in done.stderr


@pytest.mark.slow
def test_the_whole_as_one_deck(saved):
    done = network("verify", "full", "--flat", "--json", cwd=saved)
    found = json.loads(done.stdout)
    assert found["flat"] is True
    assert [one["name"] for one in found["neurons"]] == ["n_0", "n_1"]
    assert max(one["worst"] for one in found["neurons"]) < 20e-9


def test_a_neuron_whose_deck_fails_is_named(saved):
    done = network("verify", "full", "--neurons", "n_0", "--timeout", "0.01", cwd=saved, code=1)
    assert "n_0: " in done.stdout
    assert "failed" in done.stdout


def test_runs_are_compared(saved):
    found = json.loads(network("compare", "full", "spikes", "--json", cwd=saved).stdout)
    assert [one["worst"] for one in found["neurons"]] == [0.0, 0.0], "the same solution"
    found = json.loads(network("compare", "full", "--json", cwd=saved).stdout)
    assert found["labels"] == ["circuit", "reference (schmitt)"]
    assert found == json.loads((saved / "full" / "comparison.json").read_text())


def test_a_sweep_writes_a_table_and_goes_on(tmp_path):
    vary = (
        "--vary",
        "projections.0.resistance=200:2k:2",
        "--vary",
        "populations.n.neuron.c=-1,.1u",
    )
    words = ("sweep", *PAIR, *vary, "--side", "reference", "--workers", "1", "--out", "out")
    done = network(*words, cwd=tmp_path, code=1)
    assert "4 points, 2 of them failed (2 INVALID). Wrote to out" in done.stdout
    table = [line.split("  ") for line in done.stdout.splitlines()[2:6]]
    table = [[word.strip() for word in line if word.strip()] for line in table]
    assert [row[2] for row in table] == ["INVALID", "reference", "INVALID", "reference"]
    told = [line for line in done.stderr.splitlines() if line.startswith("Failed at")]
    assert told[0].startswith(
        "Failed at projections.0.resistance = 200, populations.n.neuron.c = -1: c = -1.0 must be"
    )
    assert len(told) == 2
    result = load_sweep(tmp_path / "out" / "sweep.nc")
    assert [row[3] for row in table[1::2]] == [
        str(int(n)) for n in result["spike_count"].values[0, :, 1]
    ]
    assert result["status"].values.tolist() == [["INVALID", "OK"], ["INVALID", "OK"]]
    rows = (tmp_path / "out" / "sweep.csv").read_text().splitlines()
    assert rows[0].startswith("projections.0.resistance [ohm],populations.n.neuron.c [F],side")
    assert len(rows) == 5
    assert load_network(tmp_path / "out" / "network.toml").name == "pair_t_stop_0p0002"
    before = (tmp_path / "out" / "sweep.csv").read_bytes()
    done = network(*words, cwd=tmp_path, code=1)
    assert "Note: 4 of 4 points are there." in done.stderr
    assert (tmp_path / "out" / "sweep.csv").read_bytes() == before


def test_presets_and_schema(tmp_path):
    assert "ring: Eight neurons in a ring" in network("presets", cwd=tmp_path).stdout
    text = network("presets", "ring", cwd=tmp_path).stdout
    assert tomllib.loads(text)["populations"][0]["size"] == 8
    (tmp_path / "mine.toml").write_text(text)
    assert load_network(tmp_path / "mine.toml") == load_network_preset("ring")
    schema = json.loads(network("schema", cwd=tmp_path).stdout)
    assert "populations" in schema["properties"]


def test_nir_and_back(tmp_path):
    pytest.importorskip("nir")
    done = network("export-nir", "pair", "-o", "pair.nir", cwd=tmp_path)
    assert "Lost in NIR" in done.stdout
    network("import-nir", "pair.nir", "--t-stop", "1m", "-o", "back.toml", cwd=tmp_path)
    back = load_network(tmp_path / "back.toml")
    assert (back.n_neurons, back.t_stop) == (2, 1e-3)


def test_a_long_run_is_told_and_asked_about(tmp_path):
    long = ("run", "ring", "--t-stop", "5", "--out", "never")
    done = network(*long, cwd=tmp_path, code=1)
    assert "8 neurons and 8 synapses over 5 s, will take about" in done.stderr
    assert "GB of memory" in done.stderr or "MB of memory" in done.stderr
    assert "or add --yes" in done.stderr
    assert not list(tmp_path.iterdir())
    done = network("run", "pair", "--t-stop", "0.1m", "--limit", "0.1", "--out", "out",
                   "--side", "reference", "--yes", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0


def test_a_neuron_that_fails_is_named(tmp_path, monkeypatch):
    from spicealif.network.circuit import solve

    def stall(self, ids):
        from spicealif.circuit import run

        self.waves.status[ids[ids == 1]] = run.STALLED
        return original(self, ids)

    original = solve._Relaxation._failed
    monkeypatch.setattr(solve._Relaxation, "_failed", stall)
    done = network("run", *PAIR, "--out", "out", cwd=tmp_path, code=1)
    assert done.stderr.splitlines()[-1].startswith("Error: Neuron n_1 cannot be followed beyond")
    assert not list(tmp_path.iterdir()), "nothing half-written"


BAD = {
    "unknown preset": ("run nowhere", 1, "'nowhere' is neither a preset (balanced, chain"),
    "no file": ("run nowhere.toml", 1, "cannot be read"),
    "a neuron's preset": ("run paper", 1, "'paper' is neither a preset"),
    "no network": ("run mine.toml", 1, "populations"),
    "no KEY=VALUE": ("run pair --set 5", 1, "is not of the form KEY=VALUE"),
    "set twice": ("run pair -s seed=1 -s seed=2", 1, "--set gives 'seed' twice"),
    "set unknown": ("run pair -s populations.m.size=3", 1, "choose one of n"),
    "set of no effect": (
        "run pair -s populations.n.neuron.stimulus.amplitude=1m",
        1,
        "has a value of its own of",
    ),
    "set wrong unit": ("run pair -s projections.0.resistance=5F", 1, "ohm"),
    "t_stop below zero": ("run pair --t-stop=-1m", 1, "t_stop"),
    "t_stop twice": ("run pair --t-stop 1m -s t_stop=1m", 1, "give 't_stop' twice"),
    "no side": ("run pair --side spice", 2, "'spice' is not one of"),
    "keep nobody": ("run pair --keep n_7", 1, "The network has no neuron 'n_7'"),
    "delay": ("run delayed.toml --side equations", 1, "has a delay, which no circuit has"),
    "ideal without delay": ("run pair --t-stop .1m --variant ideal", 1, "delay"),
    "rtol": ("run pair --rtol 1", 1, "The relative tolerance is 1"),
    "t_tol": ("run pair --t-tol 0", 1, "The tolerance of the iteration is 0"),
    "no workers": ("run pair --workers 0", 1, "The number of workers is 0"),
    "format without figures": ("run pair --format png", 1, "--format is for figures"),
    "certificate of one side": (
        "run pair --t-stop .1m --certificate --side reference",
        1,
        "A certificate is of both sides",
    ),
    "folder like a file": ("run pair --out pair.nc", 1, "reads like the name of one file"),
    "limit": ("run pair --limit 0", 1, "--limit is 0 s"),
    "delay in a netlist": ("netlist delayed.toml", 1, "delay"),
    "unknown dialect": ("netlist pair --dialect hspice", 1, "hspice"),
    "netlist of nobody": ("netlist pair --neuron 9", 1, "The network has no neuron '9'"),
    "netlist of several": ("netlist pair --neuron n", 1, "'n' names 2 neurons, and one is asked"),
    "both flat and neurons": ("verify pair --flat --neurons 1", 1, "give one of the two"),
    "no such neuron": ("verify pair --neurons exc_3", 1, "The network has no neuron 'exc_3'"),
    "number out of range": ("verify pair --neurons 0,2", 1, "a number from 0 to 1"),
    "percent above 100": ("verify pair --neurons 101%", 1, "is no share of the neurons"),
    "percent of nothing": ("verify pair --neurons 0%", 1, "is no share of the neurons"),
    "percent of words": ("verify pair --neurons many%", 1, "is no share of the neurons"),
    "tolerance": ("verify pair --tolerance 0", 1, "The tolerance is 0 s"),
    "simulator": ("verify pair --simulator hspice", 1, "hspice"),
    "equations as witness": ("verify full --simulator equations", 1, "runs no netlists"),
    "verify no run": ("verify empty", 1, "'empty' is no folder of a network's run"),
    "verify one side": ("verify reference", 1, "holds no circuit side"),
    "verify damaged": ("verify damaged", 1, "'circuit.nc' in 'damaged' is not what was saved"),
    "verify changed": ("verify full --set seed=3", 1, "A saved run is checked as it is"),
    "verify delay": ("verify delayed.toml", 1, "delay"),
    "compare nothing": ("compare nowhere", 1, "'nowhere' is no folder"),
    "compare no run": ("compare empty", 1, "'empty' is no folder of a network's run"),
    "compare damaged": ("compare full damaged", 1, "'circuit.nc' in 'damaged' is not what was"),
    "compare one side": ("compare reference", 1, "holds one side only"),
    "compare other sides": ("compare reference spikes", 1, "One run has a circuit side alone"),
    "vary nothing": ("sweep pair", 1, "Say what is varied"),
    "vary unknown": ("sweep pair --vary projections.0.resistence=1k,2k", 1, "did you mean proj"),
    "vary twice": ("sweep pair --vary seed=1,2 --vary seed=3", 1, "--vary names 'seed' twice"),
    "vary and set": ("sweep pair -s seed=1 --vary seed=1,2", 1, "is set and varied"),
    "vary no values": ("sweep pair --vary seed=", 1, "is not KEY=VALUES"),
    "vary no count": ("sweep pair --vary seed=1:5", 1, "does not say how many values"),
    "vary wrong unit": ("sweep pair --vary t_stop=1F,2F", 1, "A value of t_stop"),
    "vary too many": ("sweep pair --vary t_stop=1m:2m:9999999", 1, "asks for 9999999 values"),
    "sweep workers": ("sweep pair --vary seed=1,2 --workers 0", 1, "number of workers is 0"),
    "presets nobody": ("presets nowhere", 1, "There is no network preset 'nowhere'"),
    "nir ending": ("export-nir pair -o pair.txt", 1, ".nir"),
    "nir no file": ("import-nir nowhere.nir", 1, "nowhere.nir"),
    "nir other file": ("import-nir mine.toml -o out.toml", 1, "mine.toml"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case, saved):
    words, code, told = BAD[case]
    before = sorted(path.name for path in saved.iterdir())
    done = call("network", *words.split(), cwd=saved)
    assert done.returncode == code, (done.stdout, done.stderr)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last, last
    assert last.endswith("."), last
    assert "Traceback" not in done.stderr
    assert "a fault of its own" not in done.stderr
    assert done.stdout == ""
    assert sorted(path.name for path in saved.iterdir()) == before, "something was left"


def test_a_file_of_a_network_is_no_neurons(saved):
    """The commands of single neurons say what it is instead of taking it apart."""
    for words in (("compare", "full/circuit.nc", "full/reference.nc"), ("report", "full")):
        done = call(*words, "-q", cwd=saved)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: 'full/")
        assert "is of a network and holds no single neuron's run" in done.stderr


@pytest.mark.slow
def test_the_commands_of_the_page(tmp_path):
    """docs/how_to/run_a_network.md, of two neurons in the place of eight."""
    page = "docs/how_to/run_a_network.md"
    lines = [line for block in blocks(page) for line in block.text.splitlines()]
    assert len(lines) == 8
    for line in lines:
        words = shlex.split(line.replace("1m", "0.2m").replace("n_3", "n_1"))
        words = ["pair" if word == "ring" else word for word in words]
        if words[2] == "sweep":
            words += ["--t-stop", "0.1m", "--workers", "1"]
        # The netlist's witness deck needs a solution, of 2 ms if nothing else is said.
        words += ["--t-stop", "0.2m"] if words[2] == "netlist" else []
        words = [word.replace("n_0,", "") for word in words]
        network(*words[2:], cwd=tmp_path)
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {"ring-run", "ring-sweep", "ring.nir", "n_1.cir", "back.toml"}
