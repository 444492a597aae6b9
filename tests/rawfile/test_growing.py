"""How far a raw file has got that grows: a look at its end tells the same as the reader."""

from __future__ import annotations

import numpy as np
import pytest
from raw_files import LTSPICE, N, header, rows, utf16

from spicealif.errors import RawFileError
from spicealif.rawfile import growing, read_raw

TIME = np.array([0.0, 1e-6, 3e-6, -4e-6, 7e-6])  # LTspice marks times by their sign
Y = np.linspace(1, 2, N)
XYCE = np.abs(TIME)

FILES = {
    "ngspice": header(n=0, flags="real", command="ngspice-42", offset=None).encode()
    + rows(XYCE, Y, Y, rest="f8"),
    "ltspice iv": header(n=0, command=f"{LTSPICE[:-4]}IV").encode() + rows(TIME, Y, Y),
    "ltspice": utf16(header(n=0)) + rows(TIME, Y, Y),
    "ltspice, double": utf16(header(n=0, flags="real forward double"))
    + rows(TIME, Y, Y, rest="f8"),
    "ltspice, offset": utf16(header(n=0, offset="1.0e-003")) + rows(TIME, Y, Y),
    "text": header(n=0, flags="real", command=None, offset=None, end="Values").encode()
    + "".join(f"{k}\t{XYCE[k]}\n\t{Y[k]}\n\t{Y[k]}\n" for k in range(N)).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_a_growing_file_tells_what_the_reader_tells(tmp_path, monkeypatch, name):
    monkeypatch.setattr(growing, "_SHARE", np.inf)  # no pauses between two looks
    path = tmp_path / "out.raw"
    watched = growing.GrowingRaw(path)
    assert watched.last() is None  # it is not there yet
    whole, seen = FILES[name], []
    for size in range(0, len(whole) + 1, 3):
        path.write_bytes(whole[:size])
        try:
            expected = read_raw(path)[-1].last
        except RawFileError:
            expected = None
        assert watched.last() == expected, size
        seen.append(expected)
    assert len(set(seen)) >= N  # it has been seen to grow
    # of a binary file the header is read once
    assert (watched._known is None) == (name == "text")


def test_the_reader_takes_a_part_of_the_time(tmp_path, monkeypatch):
    path = tmp_path / "out.raw"
    path.write_bytes(FILES["text"])
    clock, reads = [0.0], []

    def slow(name):
        reads.append(clock[0])
        clock[0] += 1.0
        return read_raw(name)

    monkeypatch.setattr(growing, "read_raw", slow)
    monkeypatch.setattr(growing.time, "monotonic", lambda: clock[0])
    watched = growing.GrowingRaw(path)
    looks = []
    for _ in range(100):
        looks.append(watched.last())
        clock[0] += 0.5
    assert len(reads) == sum(look is not None for look in looks) <= 6
