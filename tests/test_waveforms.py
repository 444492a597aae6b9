"""The container of waveforms: what goes in comes out, also through a file."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from spicealif import Waveforms, load_waveforms, solve_reference
from spicealif.errors import OutputError, WaveformError
from spicealif.waveforms import QUANTITIES


@pytest.fixture
def some() -> Waveforms:
    time = np.array([0.0, 1.0, 1.0, 2.0])
    signals = {"v_c": np.array([0.0, 1.0, 0.0, 2.0]), "x": np.array([0.1, 0.2, 0.3, 0.4])}
    return Waveforms(time, signals, np.array([1.0]), {"side": "circuit", "h": 1e-6, "n_steps": 7})


def test_saved_and_loaded_is_bit_for_bit_the_same(some, tmp_path):
    back = load_waveforms(some.save(tmp_path / "w.nc"))
    np.testing.assert_array_equal(back.time, some.time)
    assert set(back) == {"v_c", "x"}
    for name in back:
        np.testing.assert_array_equal(back[name], some[name])
    np.testing.assert_array_equal(back.t_spike, some.t_spike)
    assert dict(back.attrs) == dict(some.attrs)


def test_the_file_is_netcdf_with_units(some, tmp_path):
    """Read with h5py alone, as another program would."""
    with h5py.File(some.save(tmp_path / "w.nc")) as file:
        assert file["v_c"].attrs["units"] in ("V", b"V")
        assert file["time"].attrs["units"] in ("s", b"s")
        assert file["t_spike"].shape == (1,)


def test_both_sides_have_the_architecture_s_names(paper):
    reference = solve_reference(paper.replace(t_stop=1e-3))
    assert set(reference) == {"v_mem", "v_c", "x", "spike", "i_in"}
    assert set(reference) <= set(QUANTITIES)
    assert {str(v) for v in reference.dataset.data_vars} == {*reference, "t_spike"}


def test_reference_time_is_strictly_increasing(paper):
    assert np.all(np.diff(solve_reference(paper.replace(t_stop=5e-3)).time) > 0)


def test_at_interpolates_and_until_cuts(some):
    assert some.at("v_c", 0.25) == pytest.approx(0.25)
    part = some.until(1.0)
    assert list(part.time) == [0.0, 1.0, 1.0]
    assert list(part.t_spike) == [1.0]
    assert list(some.until(0.5).t_spike) == []


def test_unknown_quantity_lists_the_known(some):
    with pytest.raises(WaveformError, match="choose one of v_c, x"):
        some["v_d"]


def test_lengths_must_agree():
    with pytest.raises(WaveformError, match="as many"):
        Waveforms(np.zeros(3), {"x": np.zeros(2)}, np.zeros(0))


@pytest.mark.parametrize("content", [b"", b"not netCDF", b"\x89HDF\r\n\x1a\n" + b"\0" * 100])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "w.nc"
    path.write_bytes(content)
    with pytest.raises(WaveformError, match="give a netCDF file"):
        load_waveforms(path)


def test_a_netcdf_file_of_somebody_else_is_refused(some, tmp_path):
    some.dataset.drop_vars("t_spike").to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(WaveformError, match="give a file that spicealif saved"):
        load_waveforms(tmp_path / "other.nc")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(some, tmp_path, monkeypatch):
    path = some.save(tmp_path / "w.nc")
    before = path.read_bytes()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xarray.Dataset.dump_to_store", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        some.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["w.nc"]


def test_repr_says_what_it_is(some):
    assert repr(some) == "<Waveforms v_c, x: 4 samples, 0 to 2 s, 1 spike>"
    assert "v_c" in some._repr_html_()
