"""The command line: ``spicealif``."""

# Before anything that takes time.
from spicealif.cli._signals import quiet_start

quiet_start()

from spicealif.cli.main import cli, main  # noqa: E402

__all__ = ["cli", "main"]
