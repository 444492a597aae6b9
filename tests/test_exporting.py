"""Tables for other programs, read back by these: pandas, pyarrow, xarray and our own reader."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

from spicealif import (
    Sweep,
    compare,
    export,
    load_preset,
    load_sweep,
    save_sweep,
    solve_circuit,
    solve_reference,
)
from spicealif.design import PiecewiseLinear
from spicealif.errors import CompareError, OutputError, SpicealifWarning, SweepError
from spicealif.exporting import table_of
from spicealif.measures.one_side import MEASURES, measure

NEURON = load_preset("paper").replace(t_stop="1m")
ENDINGS = (".csv", ".parquet", ".nc")


@pytest.fixture(scope="module")
def both():
    return compare(solve_circuit(NEURON), solve_reference(NEURON))


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    values = {"c": ["47n", "100n"], "mosfet.kind": ["vdmos", "ideal"]}
    run = Sweep(NEURON, values, simulator="equations", spikes=True)
    return run.run(store=tmp_path_factory.mktemp("store"), workers=1)


def read(path):
    if path.suffix == ".csv":
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    with xr.open_dataset(path) as dataset:
        return dataset.to_dataframe()


@pytest.mark.parametrize("ending", ENDINGS)
def test_traces_are_the_same_to_the_last_bit(both, tmp_path, ending):
    path = export(both.b, tmp_path / f"traces{ending}", "traces")
    frame = read(path)
    names = ["time", *both.b.signals]
    assert len(frame.columns) == len(names)
    for column, name in zip(frame.columns, names, strict=True):
        assert column.split(" ")[0] == name
        np.testing.assert_array_equal(frame[column], both.b[name])


@pytest.mark.parametrize("ending", ENDINGS)
def test_spikes_are_the_same_to_the_last_bit(both, tmp_path, ending):
    frame = read(export(both.b, tmp_path / f"spikes{ending}", "spikes"))
    np.testing.assert_array_equal(frame.iloc[:, 1], both.b.t_spike)
    assert frame.iloc[:, 0].tolist() == list(range(1, 8))


def test_headings_have_units_that_our_own_reader_understands(both, tmp_path):
    path = export(both.a, tmp_path / "traces.csv")
    head = path.read_text().splitlines()[0]
    assert head.startswith("time [s],v_c [V],v_mem [V],spike [V],v_d [V],i_in [A],x,")
    # One run's current is another's stimulus.
    with pytest.warns(SpicealifWarning, match=r"time from 'time \[s\]', i from 'i_in \[A\]'"):
        stimulus = PiecewiseLinear.from_csv(path)
    np.testing.assert_array_equal(stimulus.i, both.a["i_in"])


def test_parquet_has_units_and_provenance(both, tmp_path):
    schema = pq.read_schema(export(both.b, tmp_path / "t.parquet"))
    assert schema.field("v_c").metadata == {b"unit": b"V"}
    about = json.loads(schema.metadata[b"spicealif"])
    assert about["design_digest"] == NEURON.digest
    assert about["variant"] == "ideal"


def test_measures_of_both_sides(both, tmp_path):
    frame = read(export(both, tmp_path / "m.csv"))
    assert frame["measure"].tolist() == list(MEASURES)
    at = frame.set_index("measure")
    a, b = both.labels
    assert at.loc["isi_first", a] == both.of_a["isi_first"]
    assert at.loc["isi_first", b] == both.of_b["isi_first"]
    assert at.loc["isi_first", "difference"] == both.of_a["isi_first"] - both.of_b["isi_first"]
    assert at.loc["victor_purpura", "difference"] == both.of_pair["victor_purpura"]
    assert np.isnan(at.loc["victor_purpura", a])
    assert at.loc["isi_first", "unit"] == "s"


def test_measures_of_one_side(both):
    table = table_of(both.b, "measures")
    values = dict(zip(table.columns["measure"], table.columns["reference"], strict=True))
    assert values["isi_mean"] == measure(both.b, NEURON)["isi_mean"]
    assert "victor_purpura" not in values


def test_both_sides_below_each_other(both):
    table = table_of(both, "spikes")
    assert table.columns["side"].tolist() == [both.labels[0]] * 8 + [both.labels[1]] * 7
    expected = np.concatenate([both.a.t_spike, both.b.t_spike])
    np.testing.assert_array_equal(table.columns["t_spike"], expected)
    traces = table_of(both, "traces")
    # The reference has no amplifier.
    missing = np.isnan(traces.columns["v_d"].astype(float))
    assert missing.sum() == len(both.b)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_sweep_has_a_row_for_each_point_and_side(sweep, tmp_path, ending):
    frame = read(save_sweep(sweep, tmp_path / f"sweep{ending}"))
    assert len(frame) == 8
    c = "c [F]" if ending == ".csv" else "c"
    assert frame.columns[:4].tolist() == [c, "mosfet.kind", "side", "status"]
    for row in frame.itertuples(index=False):
        at = {"c": row[0], "mosfet.kind": row[1]}
        expected = sweep["x_final"].sel(at | {"side": row[2]}).item()
        assert row[frame.columns.get_loc("x_final")] == expected
    assert set(frame["status"]) == {"OK"}


def test_a_sweep_as_netcdf_is_loaded_whole(sweep, tmp_path):
    loaded = load_sweep(save_sweep(sweep, tmp_path / "sweep.nc"))
    xr.testing.assert_identical(loaded, sweep)
    with pytest.raises(SweepError, match="waveforms of one run and no sweep"):
        load_sweep(solve_reference(NEURON).save(tmp_path / "w.nc"))
    with pytest.raises(SweepError, match="no result of a sweep"):
        save_sweep(xr.Dataset(), tmp_path / "x.csv")


def test_what_cannot_be_is_told(both, sweep, tmp_path):
    with pytest.raises(OutputError, match=r"use \.csv, \.parquet or \.nc"):
        export(both, tmp_path / "m.xlsx")
    with pytest.raises(CompareError, match="A sweep has measures and no traces"):
        export(sweep, tmp_path / "m.csv", "traces")
    with pytest.raises(CompareError, match="no table 'all'; choose one of traces, spikes"):
        export(both, tmp_path / "m.csv", "all")
    with pytest.raises(CompareError, match="no table of a str"):
        export("m", tmp_path / "m.csv")
    assert not list(tmp_path.iterdir())


def test_parquet_without_pyarrow(both, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(OutputError, match=r"pip install 'spicealif\[parquet\]'"):
        export(both, tmp_path / "m.parquet")
    assert not list(tmp_path.iterdir())
