"""Files as instruments and programs write them, of a loop that SciPy's LSODA solved.

`scripts/_instrument_files.py` writes them. Each is read to what stands in it, exactly, or asked
about; what the question proposes then leads there.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from spicealif.errors import FitError
from spicealif.fit import read_loop

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"


def _files():
    sys.path.insert(0, str(SCRIPTS))
    try:
        from _instrument_files import instrument_files
    finally:
        sys.path.remove(str(SCRIPTS))
    return instrument_files()


FILES = _files()


def assert_is_what_stands_there(loop, file):
    for name, values in file.columns.items():
        # within the last bit: a sum of a start and increments, a division by 1000
        np.testing.assert_allclose(
            getattr(loop, name), values, rtol=3e-16, atol=1e-16 * np.abs(values).max(), err_msg=name
        )
    # found from times that some of the formats round to 1 us, of samples 156 us apart
    assert loop.frequency == pytest.approx(100, rel=1e-4)


def test_there_are_40_and_more():
    assert len(FILES) >= 40
    assert len({file.name for file in FILES}) == len(FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_read_or_asked_about(file, tmp_path):
    path = tmp_path / file.name
    path.write_bytes(file.data)
    if not file.asks:
        assert_is_what_stands_there(read_loop(path, series_resistor=file.r_s), file)
        return
    with pytest.raises(FitError, match=file.asks) as error:
        read_loop(path, series_resistor=file.r_s)
    message = str(error.value)
    assert message[0].isupper()
    assert message.endswith(".")
    assert "; " in message
    # No remedy proposes a scale that the file does not have.
    proposed = re.findall(r"\[([^\]]*)\]'", message)
    assert not {unit for unit in proposed if unit not in ("s", "V", "A", "UNIT", "1")}
    if not file.wrong:
        loop = read_loop(path, series_resistor=file.r_s, **file.answer)
        assert_is_what_stands_there(loop, file)


def test_codes_of_overflow_are_counted(tmp_path):
    for name, lost in (("keysight_b2900.csv", 2), ("picoscope.csv", 1)):
        (file,) = (f for f in FILES if f.name == name)
        path = tmp_path / name
        path.write_bytes(file.data)
        loop = read_loop(path, series_resistor=file.r_s, **file.answer)
        assert len(loop.time) == 200 - lost
        assert any(f"{lost} rows without a number were left out" in note for note in loop.notes)


def test_the_format_and_the_begin_of_the_table_are_told(tmp_path):
    (file,) = (f for f in FILES if f.name == "keysight_easyexpert.csv")
    path = tmp_path / file.name
    path.write_bytes(file.data)
    notes = read_loop(path, series_resistor=file.r_s).notes
    assert "(format: Keysight EasyEXPERT), the table begins in line 12." in notes[0]
