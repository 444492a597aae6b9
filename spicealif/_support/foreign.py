"""Files that are given for raw files and are none: what they are, and what to give instead.

Nothing here is read beyond the first few kilobytes. Each mark was taken from the format's own
documentation or from readers of it: HSPICE's from the open readers of its ``.tr0`` files (the
version stands behind the three counts: 9007, 9601, 2001, 2013), PSF's from libpsf.
"""

from __future__ import annotations

import codecs
import re

__all__ = ["HEAD", "foreign"]

#: So many bytes of a file are enough for `foreign`.
HEAD = 4096

_RAW = "give the raw file (.raw, .qraw) that the simulator wrote"
_UNPACK = "unpack it, and give the raw file that comes out"

#: Bytes that a file begins with, what it is, and the remedy.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "it is packed with gzip", _UNPACK),
    (b"PK\x03\x04", "it is a zip archive (or a spreadsheet)", _UNPACK),
    (b"PK\x05\x06", "it is an empty zip archive", _RAW),
    (b"BZh", "it is packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "it is packed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive", _UNPACK),
    (b"Rar!", "it is a RAR archive", _UNPACK),
    (b"\x89HDF\r\n\x1a\n", "it is netCDF or HDF5 and no raw file", _RAW),
    (b"CDF\x01", "it is netCDF (version 3) and no raw file", _RAW),
    (b"CDF\x02", "it is netCDF (version 3) and no raw file", _RAW),
    (b"CDF\x05", "it is netCDF (version 3) and no raw file", _RAW),
    (b"MATLAB 5.0 MAT-file", "it is a MAT-file of MATLAB", _RAW),
    (b"\x93NUMPY", "it is an array of NumPy", _RAW),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is a file of an old Microsoft Office", _RAW),
    (b"%PDF", "it is a PDF", _RAW),
    (b"\x89PNG", "it is a picture", _RAW),
    (b"\xff\xd8\xff\xdb\xab", "it is a schematic of Qspice", _RAW),
    (b"\x7fELF", "it is a program", _RAW),
    (b"MZ", "it is a program of Windows", _RAW),
    (b"\x00\x00\x04\x00\x00\x00", "it is a PSF file of Spectre", "write it as nutascii (-format)"),
)

#: Patterns at the beginning of a text (lower case, white space in front taken off), ditto.
_TEXT: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), what, remedy)
    for pattern, what, remedy in (
        (
            r"\Aversion https://git-lfs\.github\.com/spec",
            "it is a pointer of Git LFS, and the file itself is not here",
            "fetch it (git lfs pull)",
        ),
        (
            r"\A(?:\.\./)*(?:\.git/annex|/annex)/objects/",
            "it is a pointer of git-annex, and the file itself is not here",
            "fetch it (git annex get)",
        ),
        (
            r"\A(?:<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)",
            "it is a web page",
            "download the file itself, not the page that shows it",
        ),
        (r"\A<qucs dataset", "it is a data set of Qucs", _RAW),
        (r"\A<\?xml|\A<[a-z]+[ >]", "it is XML", _RAW),
        (r"\A[\[{]\s*(?:[\"{\[]|\})", "it is JSON", _RAW),
        (
            r"\Aheader\s+\"psfversion\"|\Aheader\s+\"",
            "it is a PSF file of Spectre (psfascii)",
            "let Spectre write nutascii (-format nutascii)",
        ),
        (
            r"\A#h\s+source=",
            "it is a CSDF file, as PSpice and HSPICE write it",
            "give a raw file of LTspice, ngspice, Qspice or Xyce",
        ),
        (
            r"\A[ \d]{16}(?:9007|9601)|\A[ \d]{20}(?:2001|2013)",
            "it is an output file of HSPICE (.tr0, post=2)",
            "give a raw file of LTspice, ngspice, Qspice or Xyce",
        ),
        (r"\A\$(?:date|version|timescale|comment|scope)\b", "it is a VCD file", _RAW),
        (r"\Aversion 4(?:\.\d)?\s+sheet\b", "it is a schematic of LTspice (.asc)", _RAW),
        (r"\Aversion 4(?:\.\d)?\s+symboltype\b", "it is a symbol of LTspice (.asy)", _RAW),
        (
            r"\A\[(?:transient analysis|ac analysis|dc transfer characteristic)",
            "it holds plot settings of LTspice (.plt)",
            _RAW,
        ),
        (r"\A\((?:kicad_|export )", "it is a file of KiCad", _RAW),
        (
            r"\A(?:circuit: |ltspice [\d.]+ for|start time: )|^total elapsed time: ",
            "it is a log of LTspice",
            "give the .raw file beside it",
        ),
        (r"\A(?:note: )?no compatibility mode|^no\. of data rows ", "it is a log of ngspice", _RAW),
        (r"\A\*+\s*xyce|^\*{5} (?:welcome|executable|this is) ", "it is a log of Xyce", _RAW),
        (r"\A(?:! .*\n)*# *[kmg]?hz +[syzgh] ", "it is a Touchstone file", _RAW),
        (
            r"\A(?:\*|.*\n\s*[rclvixqmdb]\w*\s+\w+\s+\w+\s)(?:.*\n)*?\s*\.(?:tran|ac|dc|op|end|"
            r"model|include|lib|subckt|param|options?)\b|\A\.(?:title|subckt|model|param)\b",
            "it is a netlist",
            "run it, and give the .raw file that comes out",
        ),
        (
            r"\A[^\n]*(?:\n[^\n]*){0,30}?^\s*[-+.\d][-+.\deE]*\s*(?:[,;\t]|  )\s*[-+.\d]",
            "it is a table of numbers, as a spreadsheet or an export writes it",
            _RAW,
        ),
    )
)
_HSPICE = re.compile(rb"[\d ]{16}(?:9007|9601)|[\d ]{20}(?:2001|2013)")
_PSPICE = re.compile(rb"pspice|orcad|probe data", re.IGNORECASE)


def foreign(head: bytes) -> tuple[str, str] | None:
    """Say what a file is that does not begin as a raw file does.

    Parameters
    ----------
    head : bytes
        Its first bytes, at most `HEAD`.

    Returns
    -------
    what, remedy : str
        For a sentence; None if it is nothing that is known.
    """
    if not head:
        return None
    for magic, what, remedy in _MAGIC:
        if head.startswith(magic):
            return what, remedy
    # Binary .tr0: blocks that begin with four words of four bytes, then the counts as digits.
    if b"\0" in head[:16] and _HSPICE.match(head, 16):
        return (
            "it is an output file of HSPICE (.tr0)",
            "give a raw file of LTspice, ngspice, Qspice or Xyce",
        )
    text, wide = _decoded(head)
    if text is None:
        if _PSPICE.search(head):
            return (
                "it seems to be a data file of PSpice (.dat)",
                "give a raw file of LTspice, ngspice, Qspice or Xyce",
            )
        return None
    lower = text.lstrip().lower()
    if wide and lower.startswith("title:"):
        return (
            f"its text is {wide}, which no simulator writes",
            "give the file as the simulator wrote it, not as an editor saved it",
        )
    for pattern, what, remedy in _TEXT:
        if pattern.search(lower):
            return what, remedy
    if _PSPICE.search(lower.encode()):
        return "it seems to be a file of PSpice", "give a raw file that LTspice or ngspice wrote"
    return None


def _decoded(head: bytes) -> tuple[str | None, str]:
    """Decode what is text; return it with the name of an encoding of wide characters."""
    for mark, encoding, name in (
        (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
        (codecs.BOM_UTF8, "utf-8", ""),
        (codecs.BOM_UTF16_LE, "utf-16-le", ""),
        (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16 with the high byte first"),
    ):
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace"), name
    units = len(head) // 2
    if units and head[1::2].count(0) > 0.9 * units and not head[0::2].count(0):
        return head.decode("utf-16-le", "replace"), ""
    if units and head[0::2].count(0) > 0.9 * units and not head[1::2].count(0):
        return head.decode("utf-16-be", "replace"), "UTF-16 with the high byte first"
    if b"\0" in head:
        return None, ""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(head), ""
    except UnicodeDecodeError:
        return head.decode("latin-1"), ""
