"""The command line: ``spicealif``."""

from spicealif.cli.main import cli, main

__all__ = ["cli", "main"]
