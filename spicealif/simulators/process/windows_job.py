"""A Windows job whose processes end with this process; nothing on other systems.

Written after Microsoft's documentation of job objects; it has not been run on Windows.
"""

from __future__ import annotations

import subprocess
import sys

__all__ = ["end_with_us"]

_LIMITS_EXTENDED = 9  # JobObjectExtendedLimitInformation
_KILL_ON_CLOSE = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE


def end_with_us(process: subprocess.Popen[bytes]) -> None:
    """Put a process, and all that it will start, into a job that ends with this process.

    Parameters
    ----------
    process : subprocess.Popen
        Just started. If it cannot be done the process is left as it is.
    """
    if sys.platform != "win32":
        return
    import ctypes
    from ctypes import wintypes

    class Basic(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
            ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class Extended(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", Basic),
            ("IoInfo", ctypes.c_ulonglong * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateJobObjectW.restype = wintypes.HANDLE
    kernel.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
    kernel.SetInformationJobObject.argtypes = (
        wintypes.HANDLE,
        ctypes.c_int,
        ctypes.c_void_p,
        wintypes.DWORD,
    )
    kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
    job = kernel.CreateJobObjectW(None, None)
    if not job:
        return
    limits = Extended()
    limits.BasicLimitInformation.LimitFlags = _KILL_ON_CLOSE
    size = ctypes.sizeof(limits)
    if kernel.SetInformationJobObject(job, _LIMITS_EXTENDED, ctypes.byref(limits), size):
        kernel.AssignProcessToJobObject(job, int(getattr(process, "_handle")))  # noqa: B009 - known on Windows only
    # The handle is left open on purpose: Windows closes it when this process ends.
