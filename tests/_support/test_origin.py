"""Where and when something was computed."""

from __future__ import annotations

import datetime
import getpass
import platform
import sys

from spicealif import __version__
from spicealif._support.origin import origin


def test_origin_is_here_and_now_and_names_nobody():
    made = origin()
    assert made["spicealif"] == __version__
    assert f"{sys.version_info.major}.{sys.version_info.minor}." in made["python"]
    assert made["machine"] == platform.machine()
    date = datetime.datetime.fromisoformat(made["date"])
    assert abs(date - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)
    assert "numpy 2" in made["packages"] and "scipy" in made["packages"]
    told = " ".join(made.values()).split()
    assert platform.node() not in told and getpass.getuser() not in told
