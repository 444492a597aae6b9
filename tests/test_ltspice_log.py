"""The reader of LTspice's logs against logs that LTspice wrote, reported wordings, and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from spicealif.simulators.ltspice_log import decode_log, read_ltspice_log

SHARED = Path(__file__).resolve().parents[2] / "shared" / "ltspice_files"
REAL = sorted(SHARED.rglob("*.log")) if SHARED.is_dir() else []
JULIA = SHARED / "cstook__LTspice.jl" / "test"
real = pytest.mark.skipif(not REAL, reason="LTspice's own files are not in ../shared")


@real
@pytest.mark.parametrize("path", REAL, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_real_log_decodes_at_every_length(path: Path) -> None:
    data = path.read_bytes()
    text, encoding = decode_log(data)
    assert encoding == ("utf-16-le" if data[1] == 0 else "utf-8")
    assert "Circuit: *" in text
    assert "\r" not in text
    assert "\x00" not in text
    assert "\ufffd" not in text
    for end in range(2, len(data)):
        assert text.startswith(decode_log(data[:end])[0].removesuffix("\n"))


@real
def test_steps() -> None:
    assert read_ltspice_log(JULIA / "test9.log").steps == (
        {"vin": -1.0},
        {"vin": 0.0},
        {"vin": 1.0},
    )
    steps = read_ltspice_log(JULIA / "test11.log").steps
    assert len(steps) == 24
    assert steps[13] == {"a": 2.0, "b": 20.0, "c": 200.0}
    log = read_ltspice_log(JULIA / "test13.log")
    assert log.steps[29] == {"2n2222(vaf)": 100.0, "v2": 30.0, "v1": 2.0}
    assert log.step_lines[29] == "2n2222(vaf)=100 v2=30 v1=2"
    assert read_ltspice_log(JULIA / "test14.log").steps == ()
