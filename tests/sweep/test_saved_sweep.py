"""Sweeps come back from their files as they were, and what is no sweep is refused."""

from __future__ import annotations

import numpy as np
import pytest

from spicealif import Sweep, load_preset, solve_reference
from spicealif._support.digest import with_digest
from spicealif._support.netcdf_write import write_netcdf
from spicealif.errors import SweepError
from spicealif.sweep.files import load_sweep


@pytest.mark.slow
def test_a_sweep_comes_back(tmp_path):
    import xarray as xr

    neuron = load_preset("lif").replace(t_stop=1e-3)
    made = Sweep(neuron, {"c": [47e-9, 100e-9]}, sides="reference").run(
        store=tmp_path / "store", workers=1
    )
    path = tmp_path / "s.nc"
    write_netcdf(with_digest(made), path)
    back = load_sweep(path)
    xr.testing.assert_identical(back.drop_attrs(), made.drop_attrs())
    assert {k: str(v) for k, v in back.attrs.items()} == {k: str(v) for k, v in made.attrs.items()}
    np.testing.assert_array_equal(back["c"].values, [47e-9, 100e-9])
    # Changed behind its digest.
    wrong = with_digest(made)
    wrong["isi_mean"].values[...] = 1.0
    write_netcdf(wrong, path)
    with pytest.raises(SweepError, match="not what was saved"):
        load_sweep(path)


def test_what_is_no_sweep_is_refused(tmp_path):
    neuron = load_preset("lif").replace(t_stop=2e-4)
    waveforms = solve_reference(neuron).save(tmp_path / "w.nc")
    with pytest.raises(SweepError, match="and no sweep; draw it"):
        load_sweep(waveforms)
    for content in (b"", b"some"):
        (tmp_path / "x.nc").write_bytes(content)
        with pytest.raises(SweepError, match="cannot be loaded as a sweep"):
            load_sweep(tmp_path / "x.nc")
    with pytest.raises(SweepError, match="cannot be loaded as a sweep"):
        load_sweep(tmp_path / "nix.nc")
