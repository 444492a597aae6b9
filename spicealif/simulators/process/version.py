"""The version that a program's file states of itself, without running it."""

from __future__ import annotations

import plistlib
import re
import struct
from pathlib import Path

__all__ = ["bundle_version", "file_version"]

_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,40}")
#: Signature and structure version of VS_FIXEDFILEINFO.
_FIXED_FILE_INFO = struct.pack("<II", 0xFEEF04BD, 0x00010000)
_LARGEST_PROGRAM = 1 << 29


def file_version(path: Path) -> str:
    """Return the version that a Windows program states of itself, without running it.

    Every version resource holds a fixed part that begins with a signature (VS_FIXEDFILEINFO);
    the program is searched for it.

    Parameters
    ----------
    path : Path
        The program.

    Returns
    -------
    str
        Such as ``"24.1.9.0"``; empty if it states none or cannot be read.
    """
    try:
        data = path.read_bytes() if path.stat().st_size < _LARGEST_PROGRAM else b""
    except OSError:
        return ""
    at = data.find(_FIXED_FILE_INFO)
    if not data.startswith(b"MZ") or at < 0 or at + 16 > len(data):
        return ""
    high, low = struct.unpack_from("<II", data, at + 8)
    return ".".join(str(n) for n in (high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF))


def bundle_version(path: Path) -> str:
    """Return the version of a macOS program's bundle; empty if it states none."""
    try:
        with (path.parent.parent / "Info.plist").open("rb") as file:
            stated = plistlib.load(file).get("CFBundleShortVersionString", "")
    except Exception:
        # plistlib raises whatever it meets in a file that is no property list.
        return ""
    found = _VERSION.match(str(stated))
    return found[0] if found else ""
