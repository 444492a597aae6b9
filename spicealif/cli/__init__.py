"""The command line: ``spicealif``."""

from spicealif.cli import _interrupts

# Ctrl-C while the commands are being imported: nothing has begun that needs to be undone.
_interrupts.end_at_once(message=True)

from spicealif.cli.main import cli, main  # noqa: E402

__all__ = ["cli", "main"]
