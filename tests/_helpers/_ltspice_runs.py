"""What the tests of the LTspice runner share: a netlist, a prepared result, and a clean place."""

import os
import subprocess
import tempfile
import uuid
from dataclasses import dataclass

import numpy as np
import psutil
import pytest
from _standin_deck import read_deck
from _standin_ngspice import ngspice_deck
from ltspice_standin import install
from netlist_runs import edit
from own_ngspice import with_home

from spicealif import load_preset
from spicealif.netlist import build_netlist
from spicealif.simulators.ltspice._program import Host
from spicealif.simulators.ltspice.runner import Ltspice
from spicealif.simulators.process import tree as _process_tree
from spicealif.simulators.run import Status

T_STOP = 5e-5
FLAVOURS = ("iv", "xvii", "mac17", "win24", "win26")


def netlist_of(preset="paper", t_stop=T_STOP, **changes):
    return build_netlist(load_preset(preset).replace({"t_stop": t_stop, **changes}), "ltspice")


def after(netlist, start, *new):
    """Return the netlist with lines put in after the one that begins with `start`."""
    return edit(netlist, start, *new, keep=True)


PAPER = netlist_of()
MARK = "LTSPICE_TEST"


def ours():
    """Return living processes that were started with the present test's mark."""
    found = []
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
            if (
                process.environ().get(MARK) == os.environ[MARK]
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def host_of(flavour):
    """Return a machine whose LTspice of this flavour is started as it is."""
    return Host(system="Darwin" if flavour == "mac17" else "Linux")


@dataclass
class Place:
    """Where a test's programs and temporary files are."""

    programs: os.PathLike
    temporary: os.PathLike
    raw: os.PathLike

    def ltspice(self, do="", *, flavour="win26", real=False, cross_check=False, idle=60.0, **more):
        """Return LTspice as it misbehaves: from a prepared raw file, or by ngspice if `real`."""
        if not real:
            more.setdefault("raw", self.raw)
        program = install(self.programs / uuid.uuid4().hex, do=do, flavour=flavour, life=60, **more)
        return Ltspice(program, idle_limit=idle, cross_check=cross_check, host=host_of(flavour))

    def assert_clean(self):
        """Check that nothing of a run is left, neither process nor file."""
        left = ours()
        told = [(p.pid, p.name()) for p in left]
        for process in left:
            process.kill()
        assert not told
        assert list(self.temporary.iterdir()) == []


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """Return ngspice's raw file of `PAPER`, so that the stand-in's runs take milliseconds."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "deck.cir").write_text(ngspice_deck(read_deck(PAPER.text.encode())))
    subprocess.run(
        ["ngspice", "-n", "-b", "-r", "out.raw", "deck.cir"],
        cwd=folder,
        env=with_home(),
        check=True,
        capture_output=True,
    )
    return folder / "out.raw"


@pytest.fixture
def place(tmp_path, monkeypatch, prepared):
    """Return a place that must be clean when the test is over."""
    made = Place(tmp_path / "programs", tmp_path / "temporary files", prepared)
    made.temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made.temporary))
    monkeypatch.setenv(MARK, uuid.uuid4().hex)
    # a straggler is waited for this long
    monkeypatch.setattr(_process_tree, "_LINGER", 0.2)
    yield made
    made.assert_clean()


@pytest.fixture(scope="session")
def whole(prepared, tmp_path_factory):
    """Return the waveforms of a run that nothing happens to."""
    program = install(tmp_path_factory.mktemp("whole"), raw=prepared)
    return Ltspice(program).run(PAPER).require()


def assert_beginning(waveforms, whole):
    """Check that waveforms are the beginning of others, to the last bit."""
    n = len(waveforms)
    assert 0 < n <= len(whole)
    assert set(waveforms) == set(whole)
    np.testing.assert_array_equal(waveforms.time, whole.time[:n])
    for name in whole:
        np.testing.assert_array_equal(waveforms[name], whole[name][:n], err_msg=name)
    np.testing.assert_array_equal(waveforms.t_spike, whole.t_spike[: len(waveforms.t_spike)])
    # only one that is half-way up at the end is not there yet
    assert (whole.t_spike <= waveforms.time[-1]).sum() - len(waveforms.t_spike) in (0, 1)


def assert_told(run, status, *words):
    """Check a run's status, and that its reason is a sentence that holds `words`."""
    assert run.status is status, run.message
    assert run.simulator == "ltspice"
    if status is Status.OK:
        assert run.reason == ""
        assert run.message == status.value
        return
    assert "\n" not in run.reason
    assert run.reason[0].isupper()
    assert run.reason.endswith(".")
    assert not run.reason.endswith("..")
    assert run.message == f"{run.reason} {status.value}"
    # a folder that is gone by now is of no use to anybody
    assert "spicealif-" not in run.message
    for word in words:
        assert word in run.reason
