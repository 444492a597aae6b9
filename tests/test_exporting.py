"""Tables for other programs, read back by these: pandas, pyarrow, xarray and our own reader."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

from spicealif import (
    Sweep,
    Waveforms,
    compare,
    cosimulate,
    dump_toml,
    export,
    load_preset,
    load_sweep,
    load_waveforms,
    save_sweep,
    solve_circuit,
    solve_reference,
)
from spicealif.citing import result_at
from spicealif.design import PiecewiseLinear
from spicealif.errors import CompareError, OutputError, SpicealifWarning, SweepError, WaveformError
from spicealif.exporting import table_of
from spicealif.measures.one_side import MEASURES, measure

NEURON = load_preset("paper").replace(t_stop="1m")
DESIGN = dump_toml(NEURON)
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
        return pd.read_csv(
            path, keep_default_na=False, na_values=[""], float_precision="round_trip"
        )
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


@pytest.mark.parametrize("what", ["traces", "spikes", "measures"])
def test_a_table_is_no_result_any_more(both, sweep, tmp_path, what):
    path = export(both.b, tmp_path / "t.nc", what)
    with pytest.raises(WaveformError, match="a table that 'spicealif export' made of a result"):
        load_waveforms(path)
    path = export(sweep, tmp_path / "s.nc")
    with pytest.raises(SweepError, match="a table that 'spicealif export' made of a result"):
        load_sweep(path)


@pytest.mark.parametrize("side", ["measure", "label", "unit", "\x1b[31m"])
def test_a_file_cannot_name_the_columns(both, side):
    waveforms = replace(both.b, attrs={**both.b.attrs, "side": side})
    table = table_of(waveforms, "measures")
    assert list(table.columns) == ["measure", "label", "unit", "value"]
    assert table.columns["measure"][0] == "spike_count"


def test_figures_of_a_folder_are_those_that_were_saved_with_it(tmp_path):
    result = cosimulate(NEURON, "equations")
    result.save(tmp_path, interpolation_error=1e-2)  # of all samples, which the files have not
    table = table_of(result_at(tmp_path))
    at = dict(zip(table.columns["measure"], range(len(MEASURES)), strict=True))
    saved = result.comparison
    assert table.columns["difference"][at["x_nrmse"]] == saved.of_pair["x_nrmse"]
    error = abs(saved.check.errors["isi_first"]) + saved.check.own_errors["isi_first"]
    assert table.columns["numerical_error"][at["isi_first"]] == error
    path = tmp_path / "comparison.json"
    path.write_text('{"pair": [1]}')
    with pytest.raises(CompareError, match="run it again, or take the file away"):
        result_at(tmp_path)


def test_waveforms_without_samples_say_so():
    none = Waveforms(np.empty(0), {"v_mem": np.empty(0)}, np.empty(0), {"design": DESIGN})
    with pytest.raises(CompareError, match="have no samples"):
        table_of(none, "measures")
