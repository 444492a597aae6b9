"""Where compiled functions are kept between processes, decided here for all of them.

numba's own cache ends in an error where no folder can be written to, trusts whatever it finds (its
files are pickles and machine code), knows of changes in a function's own file only, and takes a
damaged file for a good one. Here a function is kept under the digest of everything that it was
compiled from: its source and that of what it calls, the constants it reads, the signature, numba,
LLVM and the processor. So versions and checkouts can share a folder, and an update of one file does
not leave the code of another behind. A file has a checksum, belongs to this user or root, and
can be written to by nobody else, or it is not looked at. Whatever goes wrong with the cache costs
time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast

from spicealif._support.cache import cache_folder

__all__ = ["UncachedWarning", "cfunc", "njit", "places", "watched"]

_F = TypeVar("_F", bound=Callable[..., Any])

_MAGIC = b"spicealif compiled 1\n"
_FOLDER = "compiled"
#: Files of one function that are kept: other versions, signatures and processors.
_KEPT = 24


#: Who wants to know that something is compiled, which takes seconds.
_WATCHERS: list[Callable[[], None]] = []


class UncachedWarning(UserWarning):
    """Compiled functions cannot be kept, so that every process compiles them anew."""


def njit(**options: Any) -> Callable[[_F], _F]:
    """Return numba's decorator ``njit``; with ``cache=True`` the result is kept, see above."""
    import numba

    kept = options.pop("cache", False)

    def decorate(function: _F) -> _F:
        dispatcher = cast(Any, numba.njit)(**options)(function)
        # With numba's compiler turned off the function itself comes back.
        if kept and hasattr(dispatcher, "_cache"):
            dispatcher._cache = _Kept(function)
        return cast(_F, dispatcher)

    return decorate


def cfunc(signature: Any, **options: Any) -> Callable[[Any], Any]:
    """Return numba's decorator ``cfunc``; the result is kept, see above."""
    from numba.core import sigutils
    from numba.core.ccallback import CFunc

    def decorate(function: Any) -> Any:
        options.setdefault("nopython", True)
        normal = cast(Any, sigutils).normalize_signature(signature)
        result: Any = CFunc(function, normal, locals={}, options=options)
        result._cache = _Kept(function)
        result.compile()
        return result

    return decorate


@contextlib.contextmanager
def watched(tell: Callable[[], None]) -> Iterator[None]:
    """Have `tell` called, within the block, before each function that is not kept is compiled."""
    _WATCHERS.append(tell)
    try:
        yield
    finally:
        _WATCHERS.remove(tell)


def places() -> Iterator[Path]:
    """Give the folders for compiled functions, the best first.

    They are read in this order until a function is found; a new one is written to the first that
    takes it.
    """
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen) / "spicealif"
    usual = (cache_folder(), cache_folder(chosen=False))
    yield from (folder / _FOLDER for folder in dict.fromkeys(usual) if folder is not None)
    # As numba does it: beside the source.
    yield Path(__file__).parents[1] / "__pycache__" / _FOLDER
    user = getattr(os, "geteuid", lambda: 0)()
    with contextlib.suppress(OSError):  # none at all
        yield Path(tempfile.gettempdir()) / f"spicealif-{_FOLDER}-{user}"


class _Kept:
    """What numba asks for a compiled function, and gives one to keep: `numba.core.caching._Cache`.

    Parameters
    ----------
    function : function
        The Python function.
    """

    cache_path = None

    def __init__(self, function: Any) -> None:
        self._function = function

    def load_overload(self, signature: Any, target: Any) -> Any:
        from numba.core.compiler import CompileResult

        target.refresh()
        key = self._key(signature, target.codegen())
        for folder in places():
            payload = _read(folder / self._name(key), key)
            # A file of ours that is whole can still be of no use, to another build of numba.
            with contextlib.suppress(Exception):
                if payload is not None:
                    return cast(Any, CompileResult)._rebuild(target, *pickle.loads(payload))
        for tell in tuple(_WATCHERS):
            tell()
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        from numba.core import serialize

        if result.lifted or result.library.has_dynamic_globals:
            return
        key = self._key(signature, result.codegen)
        try:
            payload = cast(Any, serialize).dumps(result._reduce())
        except Exception:
            return
        if not any(_write(folder, self._name(key), key, payload) for folder in places()):
            _tell()

    def enable(self) -> None:
        pass

    def disable(self) -> None:
        pass

    def flush(self) -> None:
        pass

    def _name(self, key: str) -> str:
        function = self._function
        name = f"{function.__module__}.{function.__qualname__}".replace("<locals>.", "")
        plain = "".join(c if c.isascii() and (c.isalnum() or c in "._") else "_" for c in name)
        return f"{plain[-100:]}-{key[:32]}.bin"

    def _key(self, signature: Any, codegen: Any) -> str:
        import llvmlite  # type: ignore[import-untyped]
        import numba

        parts = (
            (numba.__version__, llvmlite.__version__, sys.implementation.cache_tag, sys.platform),
            (codegen.magic_tuple(), *map(vars(numba.config).get, ("OPT", "BOUNDSCHECK"))),
            sorted(_sources(self._function, {})),
            repr(signature),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def _sources(function: Any, seen: dict[int, str]) -> set[str]:
    """Return what a function is made of: files, constants, and so on for what it calls."""
    if id(function) in seen:
        return set()
    name = f"{function.__module__}.{function.__qualname__}:{function.__code__.co_firstlineno}"
    seen[id(function)] = name
    found = {f"{name} {_file_digest(function.__code__.co_filename)}"}
    code = function.__code__
    values = [(n, function.__globals__[n]) for n in code.co_names if n in function.__globals__]
    for free, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not filled yet
            values.append((free, cell.cell_contents))
    for each, value in values:
        inner = getattr(value, "py_func", value)
        if isinstance(inner, FunctionType):
            found |= _sources(inner, seen)
        elif isinstance(inner, ModuleType):
            found.add(f"{each} {_file_digest(getattr(inner, '__file__', None) or '')}")
        elif isinstance(value, int | float | complex | str | bytes | tuple | None):
            found.add(f"{name} {each} {value!r}")
        else:
            # Types, intrinsics, arrays: what their module makes of them.
            module = sys.modules.get(getattr(value, "__module__", None) or "")
            digest = _file_digest(getattr(module, "__file__", None) or "")
            plain = value.tobytes().hex() if hasattr(value, "tobytes") else ""
            found.add(f"{name} {each} {digest} {plain}")
    return found


@cache
def _file_digest(path: str) -> str:
    if not path.endswith(".py"):
        return ""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _read(path: Path, key: str) -> bytes | None:
    """Return what is kept under a key, if it is whole and nobody else can have written it."""
    try:
        if not _trusted(path.parent.stat()):
            return None
        with path.open("rb") as file:
            if not _trusted(os.fstat(file.fileno())):
                return None
            data = file.read()
    except OSError:
        return None
    head, payload = data[: len(_MAGIC) + 128], data[len(_MAGIC) + 128 :]
    return payload if head == _head(key, payload) else None


def _write(folder: Path, name: str, key: str, payload: bytes) -> bool:
    """Keep something, whole or not at all; return whether it could be done."""
    temporary = ""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not _trusted(folder.stat()):
            return False
        handle, temporary = tempfile.mkstemp(prefix=".", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(_head(key, payload) + payload)
        Path(temporary).replace(folder / name)
    except OSError:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        return False
    _prune(folder, name)
    return True


def _head(key: str, payload: bytes) -> bytes:
    return _MAGIC + f"{key}{hashlib.sha256(payload).hexdigest()}".encode("ascii")


def _trusted(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's or root's, and nobody else can write to it."""
    if sys.platform == "win32":  # a user's folders are private there
        return True
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & 0o022


def _prune(folder: Path, name: str) -> None:
    """Remove the oldest files of a function of which there are too many."""
    with contextlib.suppress(OSError):
        same = list(folder.glob(f"{name[:-37]}-{'?' * 32}.bin"))
        if len(same) > _KEPT:
            same.sort(key=lambda path: path.stat().st_mtime)
            for path in same[:-_KEPT]:
                path.unlink(missing_ok=True)


@cache
def _tell() -> None:
    warnings.warn(
        "Compiled functions cannot be kept on this machine, so every start takes some seconds "
        "longer; set SPICEALIF_CACHE to a folder of yours that can be written to.",
        UncachedWarning,
        stacklevel=2,
    )
