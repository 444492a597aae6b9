"""Folders of results: the files of one run, all or none, whoever dies and whoever else writes."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spicealif._support.folders import exchanging
from spicealif.errors import OutputError

NAMES = [f"file{k}" for k in range(6)]


def fill(folder: Path, run: str, names=NAMES, **options) -> None:
    with exchanging(folder, NAMES, **options) as beside:
        for name in names:
            (beside / name).write_text(run)


def runs_in(folder: Path) -> dict[str, str]:
    return {n: (folder / n).read_text() for n in NAMES if (folder / n).exists()}


def hidden(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def test_a_run_replaces_the_earlier_one_and_leaves_the_users_files(tmp_path):
    folder = tmp_path / "new" / "folder"
    fill(folder, "one")
    (folder / "mine.txt").write_text("mine")
    (folder / ".hidden").write_text("mine")
    (folder / "sub").mkdir()
    fill(folder, "two", NAMES[:3])
    assert runs_in(folder) == dict.fromkeys(NAMES[:3], "two")
    assert (folder / "mine.txt").read_text() == (folder / ".hidden").read_text() == "mine"
    assert hidden(folder) == [".hidden"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OutputError("Disk is full."), ValueError])
def test_a_run_that_fails_changes_nothing(tmp_path, error):
    fill(tmp_path, "one")
    kind = error if isinstance(error, type) else type(error)
    with pytest.raises(kind), exchanging(tmp_path, NAMES) as beside:
        (beside / NAMES[0]).write_text("two")
        raise error
    assert runs_in(tmp_path) == dict.fromkeys(NAMES, "one")
    assert not hidden(tmp_path)


def test_another_run_is_told_at_once_or_waited_for(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        with exchanging(tmp_path, NAMES) as beside:
            (beside / NAMES[0]).write_text("slow")
            begun.set()
            go_on.wait(20)

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(20)
    with pytest.raises(OutputError, match=r"Another run writes into the folder .*; wait for"):
        fill(tmp_path, "other", patience=0.0)
    threading.Timer(0.2, go_on.set).start()
    fill(tmp_path, "after")
    thread.join()
    assert runs_in(tmp_path) == dict.fromkeys(NAMES, "after")


def test_a_folder_in_the_place_of_a_file_is_not_removed(tmp_path):
    (tmp_path / NAMES[2]).mkdir()
    with pytest.raises(OutputError, match="is a folder where a result goes; move it"):
        fill(tmp_path, "one")
    assert [p.name for p in tmp_path.iterdir()] == [NAMES[2]]


@pytest.mark.parametrize("at", range(1, 16))
def test_a_renaming_that_fails_is_taken_back(tmp_path, monkeypatch, at):
    """The kernel may refuse any of them, for want of room or of rights."""
    fill(tmp_path, "one")
    count, rename = [0], Path.rename

    def refuse(self, target):
        count[0] += 1
        if count[0] == at:
            raise PermissionError(1, "Operation not permitted")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    try:
        fill(tmp_path, "two")
    except OutputError as error:
        assert "Operation not permitted" in str(error) and "by hand" in str(error)
        assert runs_in(tmp_path) == dict.fromkeys(NAMES, "one")
        (aside,) = (p for p in tmp_path.iterdir() if p.name.startswith("new-results-"))
        assert {p.name: p.read_text() for p in aside.iterdir()} == dict.fromkeys(NAMES, "two")
        assert count[0] >= at
    else:
        assert at == 15  # the last renaming comes when all is done
        assert runs_in(tmp_path) == dict.fromkeys(NAMES, "two")
    assert not hidden(tmp_path) or at == 15


KILLED = """
import os, signal, sys
from pathlib import Path
from spicealif._support.folders import exchanging
at, count = int(sys.argv[2]), 0
def counted(function):
    def call(*arguments):
        global count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call
Path.rename = counted(Path.rename)
os.mkdir = counted(os.mkdir)
with exchanging(Path(sys.argv[1]), [f"file{k}" for k in range(6)]) as beside:
    for k in range(5):
        (beside / f"file{k}").write_text("two")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_that_is_killed_before_any_step_mixes_nothing(tmp_path):
    """At every renaming there is; what is there is of one run, and the next call makes it whole."""
    seen = set()
    for at in range(1, 30):
        folder = tmp_path / str(at)
        fill(folder, "one")
        done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(at)], check=False)
        left = runs_in(folder)
        assert len(set(left.values())) <= 1
        # The next that writes there, here another command with other files, does the rest.
        with exchanging(folder, ["budget"]) as beside:
            (beside / "budget").write_text("three")
        after = runs_in(folder)
        assert after in (dict.fromkeys(NAMES, "one"), dict.fromkeys(NAMES[:5], "two"))
        assert (
            not left
            or after == left
            or set(left.values()) == set(after.values())
            or (
                set(left.values()) == {"one"}  # the old ones were being taken away
            )
        )
        assert not hidden(folder)
        seen.add(after[NAMES[0]])
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert done.returncode == 0
    assert seen == {"one", "two"}


def test_a_lock_ends_with_its_owner(tmp_path):
    code = (
        "import sys, pathlib\nfrom spicealif._support.folders import exchanging\n"
        "with exchanging(pathlib.Path(sys.argv[1]), ['file0']) as beside:\n"
        "    print('ready', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        with pytest.raises(OutputError, match="Another run"):
            fill(tmp_path, "one", patience=0.0)
    finally:
        process.kill()
        process.communicate()
    fill(tmp_path, "one", patience=0.0)
    assert not hidden(tmp_path)  # what it was filling is gone too


def test_without_locks_it_works_all_the_same(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", none)
    other = tmp_path / ".spicealif-new-of-somebody"
    fill(tmp_path, "one")
    other.mkdir()
    fill(tmp_path, "two")
    assert runs_in(tmp_path) == dict.fromkeys(NAMES, "two")
    assert other.is_dir()  # it may be in use; after a day it is not


def test_rights_are_those_of_new_files(tmp_path):
    umask = os.umask(0o027)
    try:
        fill(tmp_path / "x", "one")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "x" / NAMES[0]).stat().st_mode) == 0o640
