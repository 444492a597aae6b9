"""The command line when it is interrupted in a hurry, or short of memory."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LOOP = Path(__file__).resolve().parents[3] / "shared/measured/w_sdc/5k_0.8V_1000Hz_M1.csv"


@pytest.fixture
def program(tmp_path):
    """The program as pip installs it: a script of its name."""
    path = tmp_path / "spicealif"
    path.write_text("import sys\nfrom spicealif.cli import main\nsys.exit(main())\n")
    return [sys.executable, str(path)]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_in_a_row(program, tmp_path, number):
    """Ctrl-C twice, at moments from the first import to the middle of the run."""
    codes = set()
    for moment in (0.08, 0.15, 0.3, 0.6, 1.0):
        process = subprocess.Popen(
            [*program, "run", "paper", "-s", "t_stop=20m", "-o", str(tmp_path / "out")],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        # Python's own start, before any line of ours, is Python's.
        end = time.monotonic() + 60
        while not _ours(process.pid) and time.monotonic() < end and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moment)
        for _ in range(3):
            process.send_signal(number)
            time.sleep(0.01)
        said = process.communicate(timeout=120)[1].decode()
        assert "Traceback" not in said, said
        assert said.strip().splitlines() == ["Error: Interrupted; files already written are whole."]
        codes.add(process.returncode)
    assert codes == {128 + number}


def _ours(pid):
    """Whether a process has asked for its signals: its mask of caught ones shows it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt"):
                return bool(int(line.split()[1], 16) & (1 << signal.SIGTERM - 1))
    return False


@pytest.mark.slow
@pytest.mark.skipif(not LOOP.exists(), reason="the measured loops are not in this checkout")
@pytest.mark.parametrize("megabytes", [1000, 600, 200])
def test_little_memory(program, tmp_path, megabytes):
    """A fit in 600 MB, on some processors in 200 MB, hung in OpenBLAS and ignored SIGTERM."""
    limit = megabytes << 20
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [*program, "fit", str(LOOP), "-q", "-o", str(tmp_path / "device.toml")],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    if megabytes == 1000:
        assert done.returncode == 0
        assert (tmp_path / "device.toml").exists()
    else:
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "memory" in done.stderr.lower()
        assert not (tmp_path / "device.toml").exists()
