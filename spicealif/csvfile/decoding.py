"""From the bytes of a file to its text: encodings, line ends, and what is no text at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from spicealif.errors import TableFileError

__all__ = ["decode_table", "read_table_file"]

#: What other files begin with, and what to call them.
_MAGIC = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (netCDF and MATLAB 7.3 files are such)"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (b"CDF\x01", "a netCDF file"),
    (b"CDF\x02", "a netCDF file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PK\x03\x04", "a ZIP archive (workbooks such as .xlsx and .ods are such)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ\x00", "compressed by xz"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"TDSm", "a TDMS file of LabVIEW"),
    (b":WFM#", "a waveform file of a Tektronix oscilloscope (.wfm)"),
    (b"WFM#", "a waveform file of a Tektronix oscilloscope (.wfm)"),
    (b":WFMP", "a waveform file of a Tektronix oscilloscope (.isf)"),
    (b":CURV", "a waveform file of a Tektronix oscilloscope (.isf)"),
    (b"AG10", "a waveform file of a Keysight oscilloscope (.bin)"),
    (b"AG01", "a waveform file of a Keysight oscilloscope (.bin)"),
    (b"AG03", "a waveform file of a Keysight oscilloscope (.bin)"),
    (b"\x7fELF", "a program"),
    (b"version https://git-lfs", "a pointer of Git LFS; the record itself was not fetched"),
)
#: What texts begin with that hold no table, in small letters.
_TEXTS = (
    ("title:", "a raw file of a SPICE simulator"),
    ("<!doctype html", "a web page"),
    ("<html", "a web page"),
    ("<?xml", "an XML file"),
    ("{\"", "a JSON file"),
    ("{\n", "a JSON file"),
    ("[{", "a JSON file"),
)  # fmt: skip
_MARKS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)


def read_table_file(path: str | os.PathLike[str], what: str) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    path : path-like
        A file, or a pipe such as ``/dev/stdin``.
    what : str
        What to give instead, in the error's remedy.

    Raises
    ------
    TableFileError
        If it cannot be read, or is a device, which may never end.
    """
    shown = ascii(os.fspath(path))
    try:
        path = Path(path)
        if stat.S_ISCHR(path.stat().st_mode):
            raise TableFileError(f"The file {shown} is a device; give the path of {what}.")
        return path.read_bytes()
    except MemoryError:
        raise TableFileError(
            f"The file {shown} does not fit into memory; give a shorter record."
        ) from None
    except TableFileError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise TableFileError(
            f"The file {shown} cannot be read ({reason}); give the path of {what}."
        ) from None


def decode_table(data: bytes, name: str) -> str:
    r"""Return the text of a file, its lines ended by ``\n`` and nothing else.

    Parameters
    ----------
    data : bytes
        UTF-8, UTF-16 and UTF-32 with or without byte order mark; anything else is Latin-1.
    name : str
        What the file is called in messages.

    Raises
    ------
    TableFileError
        If it is empty or not a text; what it is instead is named where that can be seen.
    """
    if not data.strip():
        raise TableFileError(f"The file {name} is empty; give a file with a table of samples.")
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise TableFileError(
                f"The file {name} is not a text file but {what.replace(';', ':')}; export the "
                "record as CSV."
            )
    if b"WAVEDESC" in data[:64]:
        raise TableFileError(
            f"The file {name} is not a text file but a waveform file of a LeCroy oscilloscope "
            "(.trc); export the record as CSV."
        )
    text = _text(data, name)
    start = text[:64].lstrip().lower()
    for begin, what in _TEXTS:
        if start.startswith(begin):
            raise TableFileError(f"The file {name} is {what}; export the record as CSV.")
    if "\r" in text:
        # "\r\r\n" is what a program makes that translates line ends twice.
        text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    return text


def _text(data: bytes, name: str) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if encoding == "utf-8-sig":
                break
            # A file that was cut off may end in half a character.
            text = data.decode(encoding, errors="replace")
            if "\0" in text:
                raise _nul(name, text.index("\0"))
            return text
    if b"\0" in data:
        guess = _utf16(data)
        if guess is None:
            raise _nul(name, data.index(b"\0"))
        return guess
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _utf16(data: bytes) -> str | None:
    """Return the text if it is UTF-16 without its mark."""
    head = data[:2000]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        high = head[first::2]
        if high.count(0) > 0.9 * len(high) and not head[1 - first :: 2].count(0):
            text = data.decode(encoding, errors="replace")
            return None if "\0" in text else text
    return None


def _nul(name: str, at: int) -> TableFileError:
    if at < 16:
        return TableFileError(f"The file {name} is not a text file; export the record as CSV.")
    return TableFileError(
        f"The file {name} is not a text file, or was not written to its end (a zero byte at "
        f"{at}); export the record as CSV again."
    )
