"""Networks in TOML files, their arrays beside them, and the JSON Schema."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from spicealif._support.digest import CONTENT, content_digest
from spicealif._support.netcdf_write import write_netcdf
from spicealif._support.resources import models_dir
from spicealif.design import load_preset, save_toml
from spicealif.errors import DesignError, OutputError, SpicealifWarning
from spicealif.network import (
    Network,
    dump_network,
    expand,
    load_network,
    network_preset_names,
    network_schema,
    parse_network,
    save_network,
)
from spicealif.network.store import LONGEST_IN_TOML


@pytest.fixture
def large() -> Network:
    n = LONGEST_IN_TOML + 4
    pairs = np.column_stack([np.arange(n), (np.arange(n) + 1) % n])
    return Network.from_dict(
        {
            "name": "large",
            "populations": [
                {"name": "a", "neuron": "lif", "size": n,
                 "parameters": {"stimulus.amplitude": np.linspace(4e-4, 6e-4, n)}},
                {"name": "b", "neuron": "lif", "size": 2,
                 "stimuli": {"t": np.linspace(0, 1e-3, n), "i": np.ones((2, n)) * 1e-4}},
            ],
            "sources": [{"name": "s", "size": 2, "times": [np.arange(n) * 2e-6, [1e-4]]}],
            "projections": [
                {"source": "a", "target": "a", "synapse": {"kind": "diode"},
                 "connector": {"kind": "from-list", "connections": pairs},
                 "resistance": np.linspace(1e3, 2e3, n), "delay": np.linspace(0, 1e-6, n)},
            ],
            "t_stop": 1e-3,
        }
    )  # fmt: skip


def test_small_arrays_stay_in_the_toml(tmp_path: Path):
    network = load_preset_of_two()
    path = save_network(network, tmp_path / "n.toml")
    assert [p.name for p in tmp_path.iterdir()] == ["n.toml"]
    assert load_network(path) == network
    assert parse_network(dump_network(network)) == network
    assert parse_network(dump_network(network), files=False) == network


def load_preset_of_two() -> Network:
    return Network.from_dict(
        {
            "name": "two",
            "populations": [
                {"name": "a", "neuron": "paper", "size": 2, "parameters": {"c": ["1n", "2n"]},
                 "tolerances": {"of": [{"parameter": "r_s", "spread": 0.01}]}},
            ],
            "sources": [{"name": "s", "size": 1, "rate": "1k", "seed": 4}],
            "projections": [
                {"source": "s", "target": "a", "synapse": {"kind": "diode"},
                 "connector": {"kind": "fixed-probability", "probability": 0.5},
                 "conductance": [["1m", "2m"]], "delay": "1u"},
            ],
            "t_stop": "1m",
            "seed": 12,
        }
    )  # fmt: skip


def test_long_arrays_stand_beside_it_with_their_digest(large: Network, tmp_path: Path):
    path = save_network(large, tmp_path / "n.toml")
    data = tomllib.loads(path.read_text())
    (beside,) = tmp_path.glob("*.nc")
    assert data["arrays"]["file"] == beside.name
    assert beside.name == f"n-{data['arrays']['content_sha256'][:8]}.nc"
    assert data["projections"][0]["resistance"] == {"array": "projections_0_resistance"}
    assert data["sources"][0]["times"][1] == [1e-4]  # a short one
    assert path.stat().st_size < 10_000
    same = load_network(path)
    assert same == large
    assert same.digest == large.digest
    assert np.array_equal(expand(same).synapses[0].delay, expand(large).synapses[0].delay)


def test_any_program_can_look_into_the_arrays(large: Network, tmp_path: Path):
    import xarray as xr

    save_network(large, tmp_path / "n.toml")
    (beside,) = tmp_path.glob("*.nc")
    with xr.open_dataset(beside, engine="h5netcdf") as dataset:
        assert set(dataset.variables) == {
            "populations_0_parameters_stimulus_amplitude", "populations_1_stimuli_t",
            "populations_1_stimuli_i", "sources_0_times_0", "projections_0_resistance",
            "projections_0_delay", "projections_0_connector_connections",
        }  # fmt: skip


def test_missing_changed_and_foreign_arrays_are_refused(large: Network, tmp_path: Path):
    path = save_network(large, tmp_path / "n.toml")
    (beside,) = tmp_path.glob("*.nc")
    kept = beside.read_bytes()
    beside.unlink()
    with pytest.raises(DesignError, match=r"arrays' file .* cannot be read \(no such file.*copy"):
        load_network(path)
    beside.write_bytes(kept[:3000])
    with pytest.raises(DesignError, match="cannot be read"):
        load_network(path)
    # one number changed by another program, which does not know of the digest or makes its own
    import xarray as xr

    beside.write_bytes(kept)
    with xr.open_dataset(beside, engine="h5netcdf") as dataset:
        changed = dataset.load().copy(deep=True)
    changed["projections_0_delay"].values[3] += 1e-9
    for own in ({}, {CONTENT: content_digest(changed)}):
        write_netcdf(changed.assign_attrs(own), beside)
        with pytest.raises(DesignError, match=r"is not what the network was written with .*digest"):
            load_network(path)
    # another network's arrays under this one's name
    other = save_network(large.replace({"projections.0.delay": np.full(260, 1e-6)}),
                         tmp_path / "o.toml")  # fmt: skip
    (theirs,) = tmp_path.glob("o-*.nc")
    shutil.copy(theirs, beside)
    with pytest.raises(DesignError, match="is not what the network was written with"):
        load_network(path)
    assert load_network(other).projections[0].delay.array.max() == 1e-6


@pytest.mark.parametrize("name", ["../n.nc", "/etc/passwd", "a/b.nc", "..", "c:\\x.nc"])
def test_arrays_are_beside_the_toml_and_nowhere_else(large: Network, tmp_path: Path, name: str):
    path = save_network(large, tmp_path / "n.toml")
    (beside,) = tmp_path.glob("*.nc")
    text = path.read_text().split("\n", 1)[1].replace(beside.name, name.replace("\\", "\\\\"))
    path.write_text(text)
    with pytest.raises(DesignError, match="is not beside the TOML"):
        load_network(path)


def test_a_failed_write_leaves_the_earlier_network_whole(
    large: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = save_network(large, tmp_path / "n.toml")
    before = path.read_bytes()

    def full(*_: object) -> Path:
        raise OutputError("The disk is full; make room.")

    monkeypatch.setattr("spicealif.network.store.write_text", full)
    with pytest.raises(OutputError, match="full"):
        save_network(large.replace({"projections.0.delay": np.full(260, 2e-6)}), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert load_network(path) == large


def test_a_neuron_is_found_beside_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    neuron = load_preset("lif").replace(c="220n")
    (tmp_path / "net").mkdir()
    (tmp_path / "parts").mkdir()
    save_toml(neuron, tmp_path / "parts" / "mine.toml")
    text = (
        "t_stop = '1m'\n[[populations]]\nname = 'a'\nneuron = '../parts/mine.toml'\nsize = 2\n"
        "[[populations]]\nname = 'b'\nneuron = 'paper'\nsize = 1\n"
        "[[populations]]\nname = 'c'\nsize = 1\n[populations.neuron]\npreset = 'lif'\nc = '1n'\n"
    )
    (tmp_path / "net" / "n.toml").write_text("\ufeff" + text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    network = load_network("net/n.toml")
    assert network.name == "n"
    assert [p.neuron.c for p in network.populations] == [220e-9, 100e-9, 1e-9]
    with pytest.raises(DesignError, match="which a result's own network never does"):
        parse_network(text, files=False)


def test_an_edited_file_is_told(tmp_path: Path):
    path = save_network(load_preset_of_two(), tmp_path / "n.toml")
    path.write_text(path.read_text().replace("seed = 12", "seed = 13"))
    with pytest.warns(SpicealifWarning, match=r"n\.toml' was edited"):
        assert load_network(path).seed == 13


def test_the_schema_takes_what_is_read_and_no_more(tmp_path: Path, large: Network):
    schema = network_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = [models_dir() / "networks" / f"{name}.toml" for name in network_preset_names()]
    files += [save_network(large, tmp_path / "l.toml")]
    files += [save_network(load_preset_of_two(), tmp_path / "t.toml")]
    for file in files:
        validator.validate(tomllib.loads(file.read_text()))
    good = tomllib.loads(files[-1].read_text())
    for path, value in {
        "t_stop": 0, "populations.0.size": 0, "populations.0.neuron": 5,
        "projections.0.synapse.kind": "nothing", "projections.0.connector.probability": 2,
        "sources.0.t_pulse": -1, "unknown": 1, "projections.0.sign": 2,
    }.items():  # fmt: skip
        bad = json.loads(json.dumps(good))
        *steps, last = path.split(".")
        place = bad
        for step in steps:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value
        assert not validator.is_valid(bad), path


def test_a_toml_of_another_ending_is_refused(tmp_path: Path):
    with pytest.raises(OutputError, match=r"use \.toml"):
        save_network(load_preset_of_two(), tmp_path / "n.json")
