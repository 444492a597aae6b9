"""Reading the JSON files of results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spicealif.errors import CompareError

__all__ = ["read_json"]

#: Bytes of a file; no result of ours has as many.
_LARGEST = 1 << 26


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; raises `CompareError` if it cannot be read."""
    name = ascii(str(path))
    try:
        return json.loads(path.read_bytes()[:_LARGEST])
    except OSError as error:
        raise CompareError(
            f"{name} cannot be read ({error.strerror}); give the file or folder of a result."
        ) from None
    except (ValueError, RecursionError):
        raise CompareError(
            f"{name} is damaged or no JSON; make the result again, or take the file away."
        ) from None
