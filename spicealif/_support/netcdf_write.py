"""Writing netCDF (HDF5) files; the one place where that is done.

HDF5 does not survive a write that fails: it keeps the file open, tries again when Python ends, and
brings the process down with a segmentation fault. So it is given a file of ours that takes
everything, remembers the first failure, and tells of it when HDF5 is done. Nothing is held in
memory for that, except where a netCDF file goes into a pipe or a device: there, as much as the file
is long.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, TYPE_CHECKING

from spicealif._support.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["write_netcdf"]


def write_netcdf(dataset: xr.Dataset, path: Path) -> Path:
    """Write a dataset as netCDF, whole or not at all; return the path.

    Parameters
    ----------
    dataset : xarray.Dataset
    path : Path
        As in `spicealif._support.files.replacing`: pipes and devices are written into.

    Raises
    ------
    OutputError
        If it cannot be written.
    MemoryError
        If it goes into a pipe or a device, and the memory has no room for it.
    """
    import h5py  # noqa: F401 - h5netcdf does not tell why it cannot be loaded
    import h5netcdf  # isort: skip
    from xarray.backends import H5NetCDFStore

    with replacing(path) as file:
        patient = _Patient(file)
        try:
            with h5netcdf.File(patient, "w") as opened:
                dataset.dump_to_store(H5NetCDFStore(opened))
        except Exception:
            # What HDF5 says of its own trouble comes after what caused it.
            patient.check()
            raise
        finally:
            patient.over = True
        patient.check()
    return path


class _Patient(io.RawIOBase):
    """A file that never fails, whatever becomes of the one behind it."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._failure: BaseException | None = None
        #: Whether the file behind is not to be touched any more.
        self.over = False

    def check(self) -> None:
        """Raise the first failure there was."""
        if self._failure is not None:
            raise self._failure

    def write(self, data: ReadableBuffer, /) -> int:
        size = memoryview(data).nbytes
        if not self.over:
            try:
                self._file.write(data)
            # Ctrl-C as well: an exception must not get into HDF5.
            except BaseException as error:
                self._failure, self.over = error, True
        return size

    def readinto(self, into: WriteableBuffer, /) -> int:
        view = memoryview(into).cast("B")
        if not self.over:
            try:
                data = self._file.read(len(view))
                view[: len(data)] = data
                return len(data)
            except BaseException as error:
                self._failure, self.over = error, True
        view[:] = bytes(len(view))
        return len(view)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._do(lambda: self._file.seek(offset, whence))

    def tell(self) -> int:
        return self._do(self._file.tell)

    def truncate(self, size: int | None = None, /) -> int:
        return self._do(lambda: self._file.truncate(size))

    def flush(self) -> None:
        self._do(lambda: self._file.flush() or 0)

    def close(self) -> None:
        """Stay open: HDF5 may call once more."""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def _do(self, action: Callable[[], int]) -> int:
        if self.over:
            return 0
        try:
            return action()
        except BaseException as error:
            self._failure, self.over = error, True
            return 0
