"""``-v`` of every command: what is done, on standard error, with the time since the start.

The package tells through Python's own logging (the logger ``spicealif``), so that a program that
uses it decides for itself where that goes.
"""

from __future__ import annotations

import logging
import sys
import time

import click

__all__ = ["tell_more"]


class _Handler(logging.Handler):
    """Writes to whatever standard error is at the moment."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._begun = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None:
            click.echo(f"{time.monotonic() - self._begun:8.2f} s  {record.getMessage()}", err=True)


def tell_more(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Have steps told while the command runs, if that is asked for."""
    if not value:
        return
    logger = logging.getLogger("spicealif")
    handler, level = _Handler(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    def leave() -> None:
        logger.removeHandler(handler)
        logger.setLevel(level)

    context.call_on_close(leave)
