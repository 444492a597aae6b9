"""Keeping the user's settings of matplotlib out of our figures while they are drawn."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spicealif.errors import OutputError

__all__ = ["STYLE_FILE", "figure_style"]

#: What differs from matplotlib's own defaults, as a style file of matplotlib's.
STYLE_FILE = Path(__file__).with_name("spicealif.mplstyle")
#: matplotlib's settings belong to the whole process; so does the right to exchange them.
_LOCK = threading.RLock()
_DEPTH = [0]
_READ: dict[str, Any] = {}


@contextlib.contextmanager
def figure_style() -> Iterator[None]:
    """Let matplotlib forget the user's settings while the block runs.

    One thread at a time; others wait.

    Raises
    ------
    OutputError
        If matplotlib cannot be loaded.
    """
    with _LOCK:
        if _DEPTH[0]:
            yield
            return
        _DEPTH[0] += 1
        try:
            with _unlogged():
                mpl = _matplotlib()
                with mpl.rc_context():
                    mpl.rcdefaults()
                    mpl.rcParams.update(_style(mpl))
                    yield
        finally:
            _DEPTH[0] -= 1


def _style(mpl: Any) -> Mapping[str, Any]:
    """Return the style, read once."""
    if not _READ:
        _READ.update(mpl.rc_params_from_file(STYLE_FILE, use_default_template=False))
    return _READ


def _matplotlib() -> Any:
    """Import matplotlib, whatever its settings on this machine are."""
    if (loaded := sys.modules.get("matplotlib")) is not None:
        return loaded
    try:
        try:
            return importlib.import_module("matplotlib")
        except ImportError:
            raise
        except Exception:
            # A matplotlibrc that cannot be read, or a backend that there is not. Without them it
            # is matplotlib's own settings file that it finds.
            _forget_half()
            with _without_settings():
                return importlib.import_module("matplotlib")
    except Exception as error:
        raise OutputError(
            f"Figures cannot be drawn, since matplotlib does not load ({type(error).__name__}: "
            f"{str(error).strip().rstrip('.')}); install it again with: pip install "
            "--force-reinstall matplotlib."
        ) from None


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keep back what matplotlib says of the user's settings and folders, which are not used."""
    logger = logging.getLogger("matplotlib")
    asked = logger.level  # by somebody who wants to read it
    if not asked:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(asked)


def _forget_half() -> None:
    """Take away what an import of matplotlib that failed has left, so that it can be tried again.

    Compiled modules stay: some cannot be loaded a second time.
    """
    for name, module in list(sys.modules.items()):
        source = str(getattr(module, "__file__", None))
        if name.partition(".")[0] == "matplotlib" and source.endswith(".py"):
            del sys.modules[name]


@contextlib.contextmanager
def _without_settings() -> Iterator[None]:
    """Hide the user's settings of matplotlib from it."""
    changes: dict[str, str | None] = {"MPLBACKEND": None}
    spec = importlib.util.find_spec("matplotlib")
    if spec is not None and spec.origin is not None:
        changes["MATPLOTLIBRC"] = str(Path(spec.origin).parent / "mpl-data" / "matplotlibrc")
    before = {name: os.environ.get(name) for name in changes}
    exists = os.path.exists
    _set(changes)
    # A file of this name in the working directory comes before all others and cannot be declined.
    os.path.exists = lambda path: path != "matplotlibrc" and exists(path)
    try:
        yield
    finally:
        os.path.exists = exists
        _set(before)


def _set(environment: Mapping[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
